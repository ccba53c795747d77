"""The queue at the command line: quests are added, looked at, changed and tried again; through real programs."""

from __future__ import annotations

import json
import os
import re
from functools import partial

import pytest

from tests.house.test_docs import read
from tests.house.test_readme import commands
from tests.kit.repositories import AUTHOR, Repository
from tests.kit.waiting import eventually
from tests.process.house.test_readme import between

HOLD = "while ! test -e {0}; do sleep 0.02; done"
QUEUED = re.compile(r"Quest queued: ([0-9a-f]{8}) \(([a-z0-9/-]+)\)(?:, round (\d+))?")


def queued(line):
    """Id, name and round in what is said of a quest."""
    found = QUEUED.fullmatch(line)
    assert found, line
    return found.groups()


class Queue:
    """Quests that are typed."""

    def __init__(self, om):
        self.om = om

    def add(self, title, *words):
        """Add one; its name."""
        return queued(self.om.ok("quest", "add", title, *words).rstrip("\n"))[1]

    def held(self, name, *words):
        """Add one that goes on once it is let go."""
        return self.add(name, "--name", name, *words, "--", HOLD.format(self.om.path(f"go-{name}")))

    def go(self, name):
        with open(self.om.path(f"go-{name}"), "w"):
            pass

    def info(self, name):
        return self.om.json("quest", "info", name, "--json")

    def until(self, name, *statuses):
        return eventually(partial(self._is, name, statuses), timeout=30, what=f"{name} is {' or '.join(statuses)}")

    def _is(self, name, statuses):
        row = self.info(name)
        return row if row["status"] in statuses else None

    def why(self, name):
        return self.om.ok("quest", "why", name).splitlines()

    def names(self, *options):
        return [row["name"] for row in self.om.json("quest", "list", *options, "--json")]

    def columns(self, *options):
        board = self.om.json("board", *options, "--json")
        return {column["name"]: [row["name"] for row in column["quests"]] for column in board["columns"]}


@pytest.fixture
def queue(om):
    return Queue(om)


def test_a_quest_of_the_queue_from_its_title_to_its_end(om, queue):
    assert (
        queue.add("Write the *docs*, all of them!", "--", HOLD.format(om.path("go-docs")))
        == "write-the-docs-all-of-them"
    )
    ship = queue.add("Ship", "--needs", "write-the-docs-all-of-them", "--priority", "high", "--", "echo shipped")
    docs = queue.until("write-the-docs-all-of-them", "running")
    assert queue.why("ship")[0] == "ship is queued: needs: waits for write-the-docs-all-of-them (running 0s)"
    assert queue.why("ship")[1] == "  see: overmind quest why write-the-docs-all-of-them"
    assert re.fullmatch(r"score 0\.\d+ = 0\.3375 priority \+ .* \+ 0\.05 retries; 1 of 1", queue.why("ship")[2])
    assert queue.why(docs["id"])[1:] == ["completing it starts: ship"]
    first, titles, row = om.ok("queue").splitlines()
    assert first == "running 1/3 · queued 1 · landing 0"
    assert titles.split() == ["#", "SCORE", "QUEST", "PRIORITY", "WAITS", "TITLE"]
    assert re.match(r"1  0\.\d+ +ship +high +waits for write-the", row)
    assert om.ok("board").split("\n")[0].split()[:6] == ["QUEUED", "1", "RUNNING", "1", "BLOCKED", "0"]
    assert om.ok("quest", "list", "--graph").splitlines() == [
        "write-the-docs-all-of-them ─┐",
        "                            └─ ship",
    ]
    queue.go("docs")
    assert "finished: completed (exit code 0)" in om.ok("quest", "wait", ship)
    assert om.ok("quest", "logs", "ship") == "shipped\n"
    assert queue.why("ship") == ["ship has completed"]
    assert om.ok("queue") == "running 0/3 · queued 0 · landing 0\n"


def test_a_name_that_is_taken_gets_a_number_and_a_chosen_one_is_refused(om, queue):
    om.ok("queue", "pause")
    assert [queue.add("Ship it", "--", "true") for _ in range(3)] == ["ship-it", "ship-it-2", "ship-it-3"]
    om.refused("quest", "add", "x", "--name", "ship-it", "--", "true", code="name_taken")
    om.refused("run", "--name", "ship-it", "true", code="name_taken")
    assert queue.names() == ["ship-it", "ship-it-2", "ship-it-3"]


REFUSED = [
    (["x"], "invalid", 1),
    (["x", "--provider", "raw"], "invalid", 1),
    ([" ", "--", "true"], "invalid", 1),
    (["x" * 400, "--", "true"], "too_large", 1),
    (["x", "--needs", "nosuch", "--", "true"], "not_found", 1),
    (["x", "--needs-min", "1", "--", "true"], "invalid", 1),
    (["x", "--owns", "../other", "--", "true"], "invalid", 1),
    (["x", "--outputs", "a/b", "--", "true"], "invalid", 1),
    (["x", "--verify", "true", "--", "true"], "invalid", 1),
    (["x", "--review", "nosuch", "--", "true"], "unknown_provider", 2),
    (["x", "--cwd", "/proc/nosuch", "--", "true"], "cwd_not_found", 1),
    (["x", "--", "nosuchprogram-at-all", "x"], "not_found", 1),
    (["x", "--into", "main", "--no-isolate", "--", "true"], "invalid", 1),
    (["x", "--check", " ", "--", "true"], "empty_command", 2),
    (["-f", "/proc/nosuch"], "invalid", 1),
]


def test_what_run_would_refuse_is_refused_when_it_is_added_and_leaves_nothing(om, cases):
    om.ok("start")
    for words, code, exit_code in REFUSED:
        with cases(" ".join(words)[:60]):
            om.refused("quest", "add", *words, code=code, exit_code=exit_code)
    assert om.json("quest", "list", "--json") == om.ps("--all") == []
    assert om.events("quest") == []


# files


def test_a_file_adds_all_of_its_quests_or_none_and_names_the_line(om, queue, cases):
    om.ok("queue", "pause")
    lines = [
        {"title": "Build", "command": "true", "ref": "b"},
        {"title": "Test", "command": ["true"], "needs": ["b"], "ref": "t", "priority": "high"},
        {"title": "Ship", "command": "true", "needs": ["b", "t"], "needs_min": 1, "owns": ["dist/**"]},
    ]
    path = om.path("quests.jsonl")

    def write(*rows):
        with open(path, "w") as file:
            file.write("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))

    bad = [
        ({"title": "x", "command": "true", "needs": ["nosuch"]}, "not_found"),
        ({"title": "x", "command": "true", "priority": "urgent"}, "invalid"),
        ({"title": "x", "command": "true", "colour": "red"}, "invalid"),
        ({"title": 5}, "invalid"),
        ({"title": "x", "command": "true", "ref": "b"}, "invalid"),
        ({"title": "x", "command": "true", "cwd": "nosuch"}, "cwd_not_found"),
        ({"title": "x", "command": "true", "name": "build"}, "name_taken"),
        ("{", "invalid"),
    ]
    for line, code in bad:
        with cases(str(line)):
            write(*lines[:2], "", line)
            assert f"{path}:4: " in om.refused("quest", "add", "-f", path, code=code)
            assert queue.names() == []
    write(*lines)
    said = om.ok("quest", "add", "-f", path).splitlines()
    assert [queued(line)[1] for line in said] == ["build", "test", "ship"]
    assert [one["name"] for one in queue.info("ship")["needs"]] == ["build", "test"]
    assert (queue.info("ship")["needs_min"], queue.info("ship")["owns"]) == (1, ["dist/**"])


def test_a_quest_of_a_file_is_needed_by_the_name_that_another_line_gives_it(om, queue):
    path = om.path("named.jsonl")
    lines = [
        {"title": "After", "command": "true", "name": "named-after", "needs": ["named-first"]},
        {"title": "First", "command": "true", "name": "named-first"},
    ]
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    om.ok("quest", "add", "-f", path)
    assert [one["name"] for one in queue.info("named-after")["needs"]] == ["named-first"]


def test_a_circle_in_a_file_is_named_and_adds_nothing(om, queue):
    text = (
        '{"title":"a","command":"true","ref":"a","needs":["b"]}\n{"title":"b","command":"true","ref":"b","needs":["a"]}'
    )
    om.ok("start")
    assert re.search("a → b → a|b → a → b", om.refused("quest", "add", "-f", "-", code="cycle", stdin=text))
    assert queue.names() == []


def test_the_brief_from_standard_input_is_what_the_attempt_reads(om, queue):
    brief = "# Carts\n\n- empty *and* full, caf\N{LATIN SMALL LETTER E WITH ACUTE}\n"
    om.ok("quest", "add", "Carts", "--brief", "-", "--", "cat $OVERMIND_IN/brief.md", stdin=brief)
    om.ok("quest", "wait", "carts")
    assert brief.strip() in om.ok("quest", "logs", "carts")
    assert queue.info("carts")["brief"].strip() == brief.strip()


# changes


def test_edit_closes_no_circle_and_records_no_unknown_need(om, queue):
    """Acceptance 7."""
    om.ok("queue", "pause")
    for name, *needs in (["a"], ["b", "--needs", "a"], ["c", "--needs", "b"]):
        queue.held(name, *needs)
    before, events = [queue.info(name) for name in "abc"], om.events("quest")
    assert "a → c → b → a" in om.refused("quest", "edit", "a", "--needs", "c", code="cycle")
    om.refused("quest", "edit", "a", "--needs", "a", code="cycle")
    om.refused("quest", "edit", "a", "--needs", "b,nosuch", code="not_found")
    after = [queue.info(name) for name in "abc"]
    passing = {"duration_seconds", "score"}
    assert [{key: row[key] for key in row.keys() - passing} for row in after] == [
        {key: row[key] for key in row.keys() - passing} for row in before
    ]
    assert om.events("quest") == events


def test_a_queued_quest_is_changed_in_every_way_and_a_running_one_in_some(om, queue):
    queue.held("first")
    queue.until("first", "running")
    second = queue.held("second", "--needs", "first")
    changed = om.ok(
        *("quest", "edit", second, "--title", "New", "--priority", "critical", "--needs", "", "--owns", "src/**"),
        *(
            "--deadline",
            "2h",
            "--retries",
            "0",
            "--estimate",
            "30m",
            "--group",
            "core",
            "--name",
            "third",
            "--",
            "echo new",
        ),
    )
    assert re.fullmatch(r"Quest changed: [0-9a-f]{8} \(third\)\n", changed)
    om.ok("quest", "wait", "third")
    row = queue.info("third")
    assert (row["title"], row["priority"], row["needs"], row["owns"]) == ("New", "critical", [], ["src/**"])
    assert (row["retries"], row["estimate_seconds"], row["group"], row["command"]) == (0, 1800.0, "core", "echo new")
    assert row["deadline_at"] is not None
    om.ok("quest", "edit", "first", "--priority", "low", "--retries", "5", "--deadline", "1h", "--max-cost", "2")
    om.refused("quest", "edit", "first", "--title", "x", code="not_running")
    om.refused("quest", "edit", "third", "--priority", "low", code="not_running")
    om.refused("quest", "edit", "nosuch", "--priority", "low", code="not_found")
    queue.go("first")


def test_a_failed_quest_gets_a_round_with_the_words_of_a_person(om, queue):
    """Acceptance 11, but for its question."""
    told = 'cat "$OVERMIND_IN/feedback.md" 2>/dev/null; test -e ' + om.path("fixed")
    queue.add("Deploy", "--retries", "1", "--backoff", "1", "--", f"echo no database; {told}")
    row = queue.until("deploy", "failed")
    assert (row["attempts"], row["class"], row["reason"]) == (2, "exit", "retries_spent")
    assert "no database" in row["feedback"]
    queue.add("After", "--needs", "deploy", "--", "true")
    assert queue.why("after")[:2] == [
        "after is queued: blocked: needs deploy (failed: its command failed)",
        "  go on with: overmind quest retry deploy",
    ]
    first, folder, *rest = queue.why("deploy")
    assert first == f"deploy has failed: its command failed (1): echo no database; {told}"
    assert folder == f"  in: {row['cwd']}"
    printed = [line for line in rest if line.startswith("  printed: ")]
    assert "  printed: no database" in printed
    assert rest[len(printed)] == "  see: overmind quest logs deploy"
    assert queue.columns()["blocked"] == ["deploy", "after"]
    with open(om.path("fixed"), "w"):
        pass
    said = om.ok("quest", "retry", "deploy", "-m", "start it with: make db").rstrip()
    assert queued(said) == (row["id"], "deploy", "2")
    om.ok("quest", "wait", "after")
    assert "start it with: make db" in om.ok("quest", "logs", "deploy")
    assert queue.columns()["done"] == ["after", "deploy"]
    told = om.refused("quest", "retry", "deploy", code="not_running")
    assert "has already completed: only one that has failed or was cancelled is retried." in told


@pytest.mark.own_home
def test_a_shutdown_names_the_quests_that_it_cancels_and_what_begins_them_again(om, queue):
    queue.held("first")
    om.wait_status(queue.until("first", "running")["id"], "running")
    om.ok("quest", "run", "--name", "once", "sleep 1000")
    queue.until("once", "running")
    om.ok("queue", "pause")
    queue.held("later")
    ended = om("shutdown")
    assert (ended.returncode, ended.stdout) == (0, "Daemon stopped\n")
    assert ended.stderr == (
        "Cancelled 2 quests: first, once. Begin it again with: overmind quest retry first. "
        "To keep what runs: overmind shutdown --keep\n"
        f"Begin once again with: overmind quest run --name once --cwd {om.home} 'sleep 1000'\n"
    )
    om.ok("start")
    statuses = {row["name"]: row["status"] for row in om.api("quests")}
    assert statuses == {"first": "cancelled", "once": "cancelled", "later": "queued"}
    assert "cancelled" not in om.json("shutdown", "--json")


# the queue


def test_a_paused_queue_starts_nothing_and_says_how_it_goes_on(om, queue):
    queue.held("first")
    queue.until("first", "running")
    assert om.ok("queue", "pause") == "Queue paused: 1 runs on\n"
    queue.held("second")
    assert queue.why("second")[:2] == [
        "second is queued: held: the queue is paused",
        "  go on with: overmind queue resume",
    ]
    assert om.ok("queue").splitlines()[0] == "running 1/3 · queued 1 · landing 0 · paused"
    assert queue.columns() == {"queued": [], "running": ["first"], "blocked": ["second"], "review": [], "done": []}
    assert om.ok("queue", "resume") == "Queue resumed\n"
    queue.until("second", "running")
    for name in ("first", "second"):
        queue.go(name)


def test_slots_bound_what_runs_and_the_list_tells_what_is_ready(om, queue):
    assert om.ok("queue", "slots", "1") == "Slots: 1\n"
    queue.held("first")
    queue.until("first", "running")
    queue.held("second")
    queue.held("third", "--needs", "second")
    assert queue.why("second")[0] == "second is queued: slots: 1 of 1 slots are taken; 1st in line"
    assert queue.names("--ready") == ["second"]
    wide = [re.split(" {2,}", line) for line in om.ok("quest", "list", "--wide").splitlines()]
    assert wide[0][-5:] == ["PRIORITY", "SCORE", "NEEDS", "WAITS", "TITLE"]
    assert [line[-3] for line in wide[1:]] == ["-", "-", "second"]
    assert om.ok("queue", "slots", "2") == "Slots: 2\n"
    queue.until("second", "running")
    for name in ("first", "second", "third"):
        queue.go(name)
    om.ok("quest", "wait", "third")
    om.refused("queue", "slots", "1001", code="invalid", exit_code=2)


def test_quests_of_one_spec_are_listed_alone(om, queue):
    om.ok("queue", "slots", "1")
    queue.held("taken")
    queue.until("taken", "running")
    queue.held("other")
    shop = om.path("shop")
    os.mkdir(shop)
    om.ok("spec", "new", "Carts", "--", "true", cwd=shop)
    om.ok("spec", "run", "carts")
    assert queue.names() == ["taken", "other", "carts/explore"]
    assert queue.names("--spec", "carts") == ["carts/explore"]
    assert queue.names("--ready") == ["other", "carts/explore"]
    assert queue.names("--ready", "--spec", "carts") == ["carts/explore"]
    assert "'nosuch'" in om.refused("quest", "list", "--spec", "nosuch", code="not_found")
    for name in ("taken", "other"):
        queue.go(name)


def test_a_quest_that_begins_at_once_needs_no_slot_and_looks_as_before(om, queue):
    """Acceptance 17."""
    om.ok("queue", "slots", "1")
    queue.held("waits")
    queue.until("waits", "running")
    said = om.ok("quest", "run", "--name", "now", f"echo here; {HOLD.format(om.path('go-now'))}")
    quest = re.fullmatch(r"Quest started: ([0-9a-f]{8}) \(now\)\n", said)
    assert quest
    eventually(lambda: om.ok("quest", "logs", "now") == "here\n", what="it runs")
    line = next(line for line in om.ok("quest", "list").splitlines() if " now " in line)
    assert line.split()[:4] == [quest[1], "now", "running", "1/1"]
    assert om.ok("queue").splitlines() == ["running 1/1 · queued 0 · landing 0"]
    queue.go("now")
    assert om.ok("quest", "wait", "now") == f"Quest {quest[1]} finished: completed (exit code 0)\n"
    info = queue.info("now")
    assert (info["priority"], info["score"], info["round"], info["attempt_list"]) == (None, None, None, [])
    queue.go("waits")


def test_scores_are_those_of_the_formula_and_a_critical_one_is_always_first(om, queue):
    """Acceptance 1 and 2, as they are typed; the clock goes on meanwhile, so they are right to a few thousandths."""
    om.ok("queue", "pause")
    for priority in ("low", "medium", "high", "critical"):
        queue.add(priority, "--priority", priority, "--", "true")
    queue.add("near", "--priority", "high", "--deadline", "450s", "--", "true")

    def scores(*at):
        return {row["name"]: row["score"] for row in om.json("queue", *at, "--json")["quests"]}

    fresh = {"critical": 0.5, "low": 0.1625, "medium": 0.275, "high": 0.3875, "near": 0.578125}
    assert scores() == pytest.approx(fresh, abs=5e-3)
    assert scores("--at", "+1h")["medium"] == pytest.approx(0.475, abs=5e-3)
    late = {"low": 0.63625, "medium": 0.6475, "high": 0.65875}
    found = scores("--at", "+2h")
    assert {name: found[name] for name in late} == pytest.approx(late, abs=5e-3)
    assert next(iter(scores())) == next(iter(found)) == "critical"
    assert list(found).index("high") < list(found).index("medium") < list(found).index("low")


# landing


def test_work_lands_before_what_needs_it_begins_and_the_board_shows_where_each_is(om, queue):
    """Acceptance 5, as it is typed."""
    om.environment |= AUTHOR
    code = Repository(om.path("code"))
    code.commit("first", {"README.md": "shop"})
    branch = code.git("branch", "--show-current").strip()
    here = ("--cwd", code.folder, "--into", branch)
    queue.add("Carts", *here, "--check", "test -s carts.py", "--", "echo 'def carts(): return []' > carts.py")
    queue.add(
        "Tests",
        "--needs",
        "carts",
        *here,
        "--verify",
        "test -e carts.py",
        "--",
        "test -e carts.py; cp carts.py tests.py",
    )
    om.ok("quest", "wait", "carts", "tests")
    row = queue.info("tests")
    assert row["landed"]["branch"] == branch
    assert set(code.git("ls-tree", "--name-only", branch).split()) == {"README.md", "carts.py", "tests.py"}
    assert queue.why("tests") == [f"tests has completed: landed on {branch}"]
    assert queue.columns() == {"queued": [], "running": [], "blocked": [], "review": [], "done": ["tests", "carts"]}
    assert om.ok("board").splitlines()[1].split()[:2] == ["✔", "tests"]
    assert not os.path.exists(os.path.join(code.folder, ".overmind", "worktrees", row["id"]))


def test_the_five_minutes_of_the_page_go_as_they_are_written(om, queue):
    om.environment |= AUTHOR
    code = Repository(om.path("code"))
    code.commit("first", {"README.md": "shop"})
    page = between(read("docs/queue.md"), "five minutes")
    said = {}
    for words in commands(page):
        if words == ["inbox"]:
            eventually(lambda: "accept the work" in om.ok("inbox"), what="it asks for a review")
        said[" ".join(words[:3])] = om.ok(*words, cwd=code.folder)
    assert said["quest list --graph"] == "carts ─┐\n       └─ tests ─┐\n                 └─ notes\n"
    # "queued: needs: waits for tests", unless all before it has been done by the time that it is asked.
    assert re.match(r"notes is (queued: |running|in review: )", said["quest why notes"])
    assert re.fullmatch(r"Answered question \d+ of notes \(review\): allow\n", said["answer notes allow"])
    assert "finished: completed (exit code 0)" in said["quest wait notes"]
    subjects = re.findall(r"^[0-9a-f]{7} (.*)$", page, re.MULTILINE)
    assert code.git("log", "--format=%s", "--first-parent", "main").split("\n") == subjects


# many


def test_a_board_of_many_shows_twenty_of_a_column_and_all_of_them_when_asked(om, queue):
    om.ok("queue", "pause")
    text = "".join(f'{{"title": "q {number}", "command": "true", "priority": "{level}"}}\n'
                   for number in range(15) for level in ("low", "high"))  # fmt: skip
    assert len(om.ok("quest", "add", "-f", "-", stdin=text).splitlines()) == 30
    om.ok("queue", "resume")
    om.ok("queue", "pause")
    eventually(lambda: not queue.columns()["running"], timeout=30, what="what ran has ended")
    board = queue.columns()
    done, held = len(board["done"]), len(board["blocked"])
    assert done + held == 30
    lines = om.ok("board").splitlines()
    assert lines[0].split() == f"QUEUED 0 RUNNING 0 BLOCKED {held} REVIEW 0 DONE {done}".split()
    assert (f"… {held - 20} more" in lines[-1]) is (held > 20)
    assert len(om.ok("board", "--all").splitlines()) == 1 + max(done, held)
    assert [line for line in om.ok("board", "--by", "priority").splitlines() if " " not in line] == ["high", "low"]
