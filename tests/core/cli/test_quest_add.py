"""Quests for the queue as they are typed: what the daemon is asked, and what is said of its answer."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from overmind_core.quests.requests import Board, NewQuest, QuestAdd, QuestEdit, Queue
from tests.core.cli.quest_rows import row

ADDED = {"quests": [{"id": "a1b2c3d4", "name": "build"}]}


@pytest.fixture
def add(overmind):
    """Add a quest; return what was asked for it, without what every mission gets."""

    def run(*words, stdin=b""):
        ran = overmind({"quest_add": [{"ok": ADDED}]}, "quest", "add", *words, stdin=stdin)
        assert (ran.status, ran.err) == (0, "")
        ((command, asked),) = ran.requests
        assert command == "quest_add"
        assert set(asked) == {"quests", "cwd", "umask", "env", "request"}
        assert set(asked) <= set(QuestAdd.__struct_fields__)
        (quest,) = asked["quests"]
        assert set(quest) <= set(NewQuest.__struct_fields__)
        usual = {"env_set": {}, "interactive": False, "tty": True, "labels": {}}
        return {name: value for name, value in quest.items() if usual.get(name) != value}

    return run


GOALS = [
    (["--", "make", "all"], {"command": ["make", "all"]}),
    (["make all"], {"command": "make all"}),
    (["--needs", "a,b", "--needs", " c ,", "--", "x"], {"needs": ["a", "b", "c"], "command": "x"}),
    (["--needs-min", "2", "--priority", "critical", "x"], {"needs_min": 2, "priority": "critical", "command": "x"}),
    (["--owns", "src/**", "--owns", "*.md", "x"], {"owns": ["src/**", "*.md"], "command": "x"}),
    (["--outputs", "a.txt", "--outputs", "b", "x"], {"outputs": ["a.txt", "b"], "command": "x"}),
    (["--check", "make test", "--retries", "0", "x"], {"check": "make test", "retries": 0, "command": "x"}),
    (["--review", "person", "--into", "main", "--verify", "make", "x"],
     {"review": "person", "into": "main", "verify": "make", "command": "x"}),
    (["--deadline", "2h", "--estimate", "30m", "--group", "core", "x"],
     {"deadline": "2h", "estimate": "30m", "group": "core", "command": "x"}),
    (["--brief", "- a list", "x"], {"brief": "- a list", "command": "x"}),
    (["--brief", "-", "x"], {"brief": "from stdin", "command": "x"}),
    (["--name", "n", "--label", "a=b", "--max-cost", "2", "--timeout", "1h", "x"],
     {"name": "n", "labels": {"a": "b"}, "max_cost": 2.0, "timeout": "1h", "command": "x"}),
    (["--isolate", "--backoff", "10ms", "--size", "90x20", "x"],
     {"isolate": True, "backoff": "10ms", "columns": 90, "rows": 20, "command": "x"}),
    ([], {}),
    (["--model", "m"], {"agent": {"model": "m"}}),
    (["--provider", "claude"], {"provider": "claude"}),
    (["--provider", "claude", "--model", "m", "do", "it"],
     {"provider": "claude", "agent": {"model": "m", "prompt": "do it"}}),
    (["--provider", "claude", "-"], {"provider": "claude", "agent": {"prompt": "from stdin"}}),
    (["--provider", "raw", "x"], {"provider": "raw", "command": "x"}),
]  # fmt: skip


@pytest.mark.parametrize(("words", "asked"), GOALS, ids=[" ".join(words) for words, _ in GOALS])
def test_every_option_of_a_quest_travels(add, words, asked):
    assert add("Build it", *words, stdin=b"from stdin\n") == {"title": "Build it", **asked}


def test_options_may_stand_before_the_title_and_behind_it_but_not_in_its_command(add):
    asked = add("--priority", "low", "Build", "--retries", "1", "make", "--priority", "high")
    assert (asked["priority"], asked["retries"]) == ("low", 1)
    assert asked["command"] == ["make", "--priority", "high"]


def test_a_time_of_day_is_a_moment_to_come_wherever_the_daemon_is(add):
    asked = add("Build", "--deadline", "17:30", "x")["deadline"]
    due = datetime.fromisoformat(asked).astimezone()
    assert (due.hour, due.minute) == (17, 30)
    assert 0 < (due - datetime.now().astimezone()).total_seconds() <= 25 * 3600


def test_the_line_says_which_quest_is_queued(overmind):
    daemon = {"quest_add": [{"ok": ADDED}]}
    assert overmind(daemon, "quest", "add", "Build", "x").out == "Quest queued: a1b2c3d4 (build)\n"
    assert overmind(daemon, "quest", "add", "Build", "--json", "x").out == '{"id":"a1b2c3d4","name":"build"}\n'
    assert overmind(daemon, "quest", "add", "Build", "-o", "name", "x").out == "build\n"


REFUSED = [
    ([], "Missing title"),
    (["--priority", "urgent", "Build", "x"], "'urgent' is not known"),
    (["--deadline", "soon", "Build", "x"], "'soon' is not a time"),
    (["--needs-min", "-1", "Build", "x"], "--needs-min"),
    (["--restart", "always", "Build", "x"], "--restart"),
    (["--provider", "raw", "--model", "m", "Build", "x"], "--model is only for agents"),
    (["--model", "m", "Build", "x"], "--model is only for agents"),
    (["--brief", "-", "--provider", "claude", "Build", "-"], "not both"),
    (["-f", "x.jsonl", "Build"], "--file and a title can't be used together"),
    (["-f", "x.jsonl", "--priority", "low"], "--file and --priority can't be used together"),
]


@pytest.mark.parametrize(("words", "said"), REFUSED)
def test_what_contradicts_itself_is_refused_before_anything_is_asked(overmind, words, said):
    ran = overmind({}, "quest", "add", *words)
    assert (ran.status, ran.out, ran.requests) == (2, "", [])
    assert said in ran.err


def test_an_option_of_another_program_is_explained(overmind):
    assert "Did you mean --needs?" in overmind({}, "quest", "add", "--depends-on", "a", "Build", "x").err
    assert "Did you mean --deadline?" in overmind({}, "quest", "add", "--due", "2h", "Build", "x").err


def test_add_waits_for_the_end_of_what_it_added(overmind):
    def wait(args):
        yield {"ok": {"missions": [{"id": one, "name": "build"} for one in args["ids"]]}}
        yield {"item": {"id": "a1b2c3d4", "name": "build", "status": "failed", "reason": "exit", "exit_code": 3}}
        yield {"end": {}}

    ran = overmind({"quest_add": [{"ok": ADDED}], "quest_wait": wait}, "quest", "add", "--wait", "Build", "x")
    assert (ran.status, ran.out) == (3, "")
    assert ran.err.splitlines() == [
        "Quest queued: a1b2c3d4 (build)",
        "Quest a1b2c3d4 (build) finished: failed (exit code 3)",
    ]


ROUND = {"running": "goes on", "queued": "stays queued", "review": "stays in review"}


@pytest.fixture
def interrupted(monkeypatch):
    """A person presses ctrl-c while a command waits for quests."""

    def wait(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("overmind_core.cli.quests.add.wait_for_ends", wait)


@pytest.mark.parametrize("status", ROUND)
def test_who_waits_no_longer_is_told_how_the_quest_stands(overmind, interrupted, status):
    answers = {"quest_add": [{"ok": ADDED}], "quest": [{"ok": {"id": "a1b2c3d4", "name": "build", "status": status}}]}
    ran = overmind(answers, "quest", "add", "--wait", "Build", "x")
    assert ran.status == 130
    assert ran.err.splitlines()[1:] == [
        "",
        f"Quest build (a1b2c3d4) {ROUND[status]}. Wait for it again with: overmind quest wait build",
    ]


def test_a_quest_that_has_ended_meanwhile_does_not_go_on(overmind, interrupted):
    answers = {"quest_add": [{"ok": ADDED}], "quest": [{"ok": {"id": "a1b2c3d4", "name": "build", "status": "failed"}}]}
    ran = overmind(answers, "quest", "add", "--wait", "Build", "x")
    assert ran.err.splitlines()[-1] == "Quest build (a1b2c3d4) has ended. See: overmind quest list"


def test_of_a_quest_that_nobody_knows_the_state_of_none_is_said(overmind, interrupted):
    answers = {"quest_add": [{"ok": ADDED}], "quest": [{"error": "busy", "message": "Busy."}]}
    ran = overmind(answers, "quest", "add", "--wait", "Build", "x")
    assert ran.err.splitlines()[-1] == (
        "The end of build (a1b2c3d4) is not waited for any longer. Wait for it again with: overmind quest wait build"
    )


def test_of_several_it_is_counted_how_they_stand(overmind, interrupted, tmp_path):
    (tmp_path / "quests").write_text("".join(f'{{"title": "{one}", "command": "x"}}\n' for one in "abcd"))
    added = [{"id": 8 * one, "name": one} for one in "abcd"]
    statuses = dict(zip("abcd", ("running", "completed", "queued", "running"), strict=True))

    def quest(args):
        return [{"ok": {"id": args["id"], "name": args["id"][0], "status": statuses[args["id"][0]]}}]

    answers = {"quest_add": [{"ok": {"quests": added}}], "quest": quest}
    ran = overmind(answers, "quest", "add", "--wait", "--file", str(tmp_path / "quests"))
    assert ran.err.splitlines()[-1] == (
        "2 quests go on, 1 stays queued. Wait for them again with: overmind quest wait a c d"
    )


# a file


@pytest.fixture
def add_file(overmind, tmp_path, monkeypatch):
    """Add the quests of a file, in whose folder we stand."""

    def run(content, *words, answer=None, stdin=b""):
        (tmp_path / "quests.jsonl").write_bytes(content)
        monkeypatch.chdir(tmp_path)
        added = {"quests": [{"id": "a1b2c3d4", "name": "build"}, {"id": "b1b2c3d4", "name": "ship"}]}
        daemon = {"quest_add": [answer or {"ok": added}]}
        return overmind(daemon, "quest", "add", "-f", *(words or ["quests.jsonl"]), stdin=stdin)

    return run


TWO = b"""\
{"title": "Build", "command": "make", "ref": "b", "cwd": "site"}

{"title": "Ship", "command": ["make", "ship"], "needs": ["b"], "priority": "high"}
"""


def test_each_line_of_a_file_is_a_quest_and_all_are_one_request(add_file, tmp_path):
    ran = add_file(TWO)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == "Quest queued: a1b2c3d4 (build)\nQuest queued: b1b2c3d4 (ship)\n"
    ((_, asked),) = ran.requests
    assert asked["quests"] == [
        {"title": "Build", "command": "make", "ref": "b", "cwd": str(tmp_path / "site")},
        {"title": "Ship", "command": ["make", "ship"], "needs": ["b"], "priority": "high"},
    ]
    assert asked["cwd"] == str(tmp_path)


def test_a_byte_order_mark_before_the_first_line_is_no_part_of_it(add_file):
    ran = add_file(b"\xef\xbb\xbf" + TWO)
    assert (ran.status, ran.out) == (0, "Quest queued: a1b2c3d4 (build)\nQuest queued: b1b2c3d4 (ship)\n")


def test_a_file_can_come_from_standard_input(add_file):
    ran = add_file(b"", "-", "--json", stdin=TWO)
    assert json.loads(ran.out) == [{"id": "a1b2c3d4", "name": "build"}, {"id": "b1b2c3d4", "name": "ship"}]
    assert len(ran.requests[0][1]["quests"]) == 2


BAD = [
    (b'{"title": "a"}\n{"title": \n', "quests.jsonl:2: not valid JSON"),
    (b'\n\n["a"]', "quests.jsonl:3: write a JSON object"),
    (b'{"title": "\xff"}', "quests.jsonl:1: the line is not valid UTF-8"),
    (b'{"title": "\\ud800"}', "quests.jsonl:1: the line is not valid UTF-8"),
    (b'{"title": NaN}', "quests.jsonl:1: not valid JSON: NaN"),
    (b'{"title": ' + b"[" * 100_000, "quests.jsonl:1: not valid JSON"),
    (b'{"a": ' + b"9" * 5000 + b"}", "quests.jsonl:1: not valid JSON"),
    (b"\x00\x01\x02", "quests.jsonl:1: not valid JSON"),
    (b"", "quests.jsonl has no quests"),
    (b"\n \n", "quests.jsonl has no quests"),
]


@pytest.mark.parametrize(("content", "said"), BAD, ids=range(len(BAD)))
def test_a_bad_line_is_named_and_nothing_is_added(add_file, content, said):
    ran = add_file(content)
    assert (ran.status, ran.out, ran.requests) == (1, "", [])
    assert ran.err.startswith(f"Error: invalid: {said}")


def test_a_file_that_is_too_large_or_none_is_refused(add_file, overmind, tmp_path):
    assert "has 10,001 quests; the limit is 10,000" in add_file(b'{"title":"x"}\n' * 10_001).err
    assert add_file(b" " * (16 * 1024 * 1024 + 1)).err.startswith("Error: too_large: quests.jsonl")
    assert overmind({}, "quest", "add", "-f", str(tmp_path)).err.startswith(
        f"Error: invalid: {tmp_path}: Is a directory"
    )
    assert "No such file" in overmind({}, "quest", "add", "-f", "missing.jsonl").err


SAID_OF = [
    ({"error": "invalid", "message": "Quest 2 ('Ship'): Unknown priority.", "number": 2},
     "invalid: quests.jsonl:3: Quest 2 ('Ship'): Unknown priority."),
    ({"error": "invalid", "message": "Bad arguments: Expected `str`, got `int` - at `$.quests[1].title`"},
     "invalid: quests.jsonl:3: Bad arguments: Expected `str`, got `int` - at `title`"),
    ({"error": "invalid", "message": "Bad arguments: Object contains unknown field `x` - at `$.quests[0]`"},
     "invalid: quests.jsonl:1: Bad arguments: Object contains unknown field `x`"),
    ({"error": "cycle", "message": "a -> b -> a"}, "cycle: a -> b -> a"),
    ({"error": "invalid", "message": "odd", "number": 9}, "invalid: odd"),
    ({"error": "invalid", "message": "odd", "number": "x"}, "invalid: odd"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "said"), SAID_OF)
def test_what_the_daemon_refuses_is_named_by_its_line(add_file, answer, said):
    ran = add_file(TWO, answer=answer)
    assert (ran.status, ran.out, ran.err) == (1, "", f"Error: {said}\n")


def test_of_a_file_with_one_quest_the_line_is_known(add_file):
    ran = add_file(b'\n{"title": "x"}', answer={"error": "not_found", "message": "No quest named 'y'."})
    assert ran.err == "Error: not_found: quests.jsonl:2: No quest named 'y'.\n"


def test_an_absolute_path_of_the_repository_becomes_a_pattern_that_begins_at_its_top(overmind, tmp_path):
    top = tmp_path.resolve() / "shop"
    (top / ".git").mkdir(parents=True)
    (top / "api").mkdir()
    given = ["--owns", f"{top}/api/*", "--owns", "/etc/*", "--owns", "docs"]
    added = [{"ok": {"quests": [{"id": "a1b2c3d4", "name": "x"}]}}]
    ran = overmind({"quest_add": added}, "quest", "add", "X", "--cwd", str(top / "api"), *given, "--", "true")
    assert ran.requests[0][1]["quests"][0]["owns"] == ["/api/*", "/etc/*", "docs"]


def test_an_absolute_path_that_goes_through_a_link_is_one_of_the_repository_too(overmind, tmp_path, monkeypatch):
    top = tmp_path.resolve() / "shop"
    (top / ".git").mkdir(parents=True)
    (top / "api").mkdir()
    (top / "now").symlink_to("api")
    (tmp_path / "link").symlink_to(top)
    monkeypatch.chdir(top / "api")
    ends = ("/a[b]/*", "/api/x.py", "/now/*", "/now", "")
    given = [word for end in ends for word in ("--owns", f"{tmp_path}/link{end}")]
    added = [{"ok": {"quests": [{"id": "a1b2c3d4", "name": "x"}]}}]
    ran = overmind({"quest_add": added}, "quest", "add", "X", *given, "--", "true")
    assert ran.requests[0][1]["quests"][0]["owns"] == ["/a[b]/*", "/api/x.py", "/api/*", "/now", "/**"]


def test_in_a_folder_that_was_removed_an_absolute_path_is_no_error_of_its_own(overmind, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    ran = overmind({}, "quest", "add", "X", "--owns", "/etc/*", "--", "true")
    assert (ran.status, ran.err.partition(":")[0]) == (1, "Error")
    assert "cwd_not_found: The current folder no longer exists" in ran.err


# edit, retry

CHANGES = [
    (["--priority", "high"], {"priority": "high"}),
    (["--needs", ""], {"needs": []}),
    (["--needs", "a,b"], {"needs": ["a", "b"]}),
    (["--owns", ""], {"owns": []}),
    (["--outputs", "a"], {"outputs": ["a"]}),
    (["--deadline", "", "--estimate", ""], {"deadline": "", "estimate": ""}),
    (["--check", "", "--review", "", "--into", ""], {"check": "", "review": "", "into": ""}),
    (["--max-cost", "0"], {"max_cost": 0.0}),
    (["--max-cost", "$2.50", "--retries", "0"], {"max_cost": 2.5, "retries": 0}),
    (["--title", "T", "--name", "n", "--brief", "-"], {"title": "T", "name": "n", "brief": "from stdin"}),
    (["--provider", "claude", "--model", "m"], {"provider": "claude", "agent": {"model": "m"}}),
    (["make", "--all"], {"command": ["make", "--all"]}),
    (["--", "make all"], {"command": "make all"}),
]


@pytest.mark.parametrize(("words", "asked"), CHANGES, ids=[" ".join(words) for words, _ in CHANGES])
def test_only_what_is_to_be_changed_travels(overmind, words, asked):
    daemon = {"quest_edit": [{"ok": {"id": "a1b2c3d4", "name": "build"}}]}
    ran = overmind(daemon, "quest", "edit", "build", *words, stdin=b"from stdin")
    assert (ran.status, ran.out, ran.err) == (0, "Quest changed: a1b2c3d4 (build)\n", "")
    assert ran.requests == [("quest_edit", {"id": "build", **asked})]
    assert set(ran.requests[0][1]) <= set(QuestEdit.__struct_fields__)


def test_an_edit_takes_no_absolute_path_as_its_checkout_may_be_another_one(overmind, tmp_path):
    (tmp_path / ".git").mkdir()
    ran = overmind({}, "quest", "edit", "build", "--owns", f"{tmp_path}/api/*")
    assert (ran.status, ran.requests) == (2, [])
    assert "write a path from the top of the quest's repository, such as '/api/*'" in ran.err
    daemon = {"quest_edit": [{"ok": {"id": "a1b2c3d4", "name": "build"}}]}
    assert overmind(daemon, "quest", "edit", "build", "--owns", "/api/*").status == 0


def test_no_change_is_a_mistake(overmind):
    ran = overmind({}, "quest", "edit", "build")
    assert (ran.status, ran.requests) == (2, [])
    assert "Nothing to change" in ran.err


def test_each_retried_quest_has_its_line_and_a_failing_one_does_not_stop_the_others(overmind):
    def retry(args):
        if args["id"] == "docs":
            return [{"error": "not_running", "message": "docs has completed."}]
        return [{"ok": {"id": "a1b2c3d4", "name": args["id"], "round": 2}}]

    ran = overmind({"quest_retry": retry}, "quest", "retry", "a", "docs", "b", "-m", "-", stdin=b"try this\n")
    assert (ran.status, ran.err) == (1, "Error: not_running: docs has completed.\n")
    assert ran.out == "Quest queued: a1b2c3d4 (a), round 2\nQuest queued: a1b2c3d4 (b), round 2\n"
    assert [asked for _, asked in ran.requests] == [{"id": one, "message": "try this"} for one in ("a", "docs", "b")]
    assert overmind({"quest_retry": retry}, "quest", "retry", "a").requests == [("quest_retry", {"id": "a"})]


# looking

QUEUE = {
    "paused": False,
    "slots": 3,
    "pools": [{"name": "queue", "slots": 3, "used": 2}],
    "quests": [row("login", why="2nd in line", code="slots")],
    "landing": [],
}
COLUMNS: list[dict[str, Any]] = [
    {"name": name, "count": 0, "quests": []} for name in ("queued", "running", "blocked", "review", "done")
]


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["quest", "list", "--ready"], ("quests", {"status": [], "ready": True})),
        (["quest", "list", "--spec", "login", "--graph"], ("quests", {"status": [], "spec": "login"})),
        (["queue"], ("queue", {})),
        (["queue", "--at", "+2h"], ("queue", {"at": "2h"})),
        (["queue", "--at=90"], ("queue", {"at": "90"})),
        (["queue", "pause"], ("queue_set", {"paused": True})),
        (["queue", "resume"], ("queue_set", {"paused": False})),
        (["queue", "slots", "4"], ("queue_set", {"slots": 4})),
        (["board"], ("board", {"limit": 20})),
        (["kanban", "login"], ("board", {"spec": "login", "limit": 20})),
        (["board", "--all"], ("board", {"all": True})),
        (["board", "--by", "spec"], ("board", {})),
        (["board", "--json"], ("board", {})),
        (["quest", "why", "login"], ("quest_why", {"id": "login"})),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_what_is_looked_at_or_changed_is_asked_for_once(overmind, words, asked):
    why: dict[str, Any] = {
        "name": "a",
        "status": "queued",
        "code": None,
        "text": "",
        "do": [],
        "score": None,
        "position": None,
        "queued": 0,
        "starts": [],
        "waiting_then": [],
    }
    daemon = {
        "quests": [{"ok": []}],
        "queue": [{"ok": QUEUE}],
        "queue_set": [{"ok": {"paused": True, "slots": 4, "running": 2}}],
        "board": [{"ok": {"columns": COLUMNS}}],
        "quest_why": [{"ok": why}],
    }
    ran = overmind(daemon, *words)
    assert (ran.status, ran.err, ran.requests) == (0, "", [asked])
    assert set(asked[1]) <= {
        *Board.__struct_fields__,
        *Queue.__struct_fields__,
        "id",
        "status",
        "ready",
        "paused",
        "slots",
    }


@pytest.mark.parametrize(
    ("words", "running", "line"),
    [
        (["pause"], 2, "Queue paused: 2 run on"),
        (["pause"], 1, "Queue paused: 1 runs on"),
        (["pause"], 0, "Queue paused: 0 run on"),
        (["resume"], 2, "Queue resumed"),
        (["slots", "4"], 2, "Slots: 4"),
    ],
)
def test_a_change_of_the_queue_is_one_line(overmind, words, running, line):
    answer = {"paused": True, "slots": 4, "running": running}
    assert overmind({"queue_set": [{"ok": answer}]}, "queue", *words).out == f"{line}\n"
    assert json.loads(overmind({"queue_set": [{"ok": answer}]}, "queue", *words, "--json").out) == answer


@pytest.mark.parametrize("wrong", ["0", "-1", "many", ""])
def test_a_number_of_slots_that_is_none_is_refused(overmind, wrong):
    assert overmind({}, "queue", "slots", "--", wrong).status == 2


@pytest.mark.parametrize(
    ("words", "daemon", "hint"),
    [
        (["queue"], {"queue": [{"ok": {**QUEUE, "quests": []}}]},
         "The queue is empty. Add a quest with: overmind quest add 'Title' -- make test\n"),
        (["board"], {"board": [{"ok": {"columns": COLUMNS}}]},
         "No quests. Add one with: overmind quest add 'Title' -- make test\n"),
        (["board", "x"], {"board": [{"ok": {"columns": COLUMNS}}]}, "No quests of this spec.\n"),
        (["quest", "list", "--ready"], {"quests": [{"ok": []}]},
         "No quest is ready. See why with: overmind queue\n"),
    ],
)  # fmt: skip
def test_where_there_is_nothing_a_person_reads_what_to_type_next(overmind, monkeypatch, words, daemon, hint):
    assert overmind(daemon, *words).err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert overmind(daemon, *words).err == hint


@pytest.mark.parametrize("words", [["queue"], ["board"], ["quest", "list", "--wide"], ["quest", "why", "a"]])
def test_json_is_the_answer_itself(overmind, words):
    answer = {"columns": [], "anything": ["\x1b"]}
    commands = ("queue", "board", "quests", "quest_why")
    ran = overmind({command: [{"ok": answer}] for command in commands}, *words, "--json")
    assert (ran.status, json.loads(ran.out)) == (0, answer)
