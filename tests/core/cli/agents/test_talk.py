"""`interrupt inbox answer messages result seen cost`, and what `ps --wide` and `top` say of agents."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from overmind_core.cli.agents import inbox
from overmind_core.domain.text.moment import parse_time
from tests.kit.cases import tabled

MISSION = {"id": "a1b2c3d4", "name": "api"}
NOW = parse_time("2026-01-01T00:02:00Z", 0)
QUESTION = {
    "question": 7,
    **MISSION,
    "need": "permission",
    "tool": "Bash",
    "summary": "Bash: rm -rf build",
    "subject": {"command": "rm -rf build", "description": "clean"},
    "rule": "Bash(rm -rf build)",
    "options": [],
    "asked_at": "2026-01-01T00:00:00Z",
    "attach_only": False,
}


def test_interrupt_says_that_there_was_a_turn(overmind):
    ran = overmind({"interrupt": [{"ok": {**MISSION, "interrupted": True}}]}, "interrupt", "api")

    assert (ran.status, ran.out) == (0, "Interrupted mission a1b2c3d4\n")
    assert ran.requests == [("interrupt", {"id": "api"})]


NONE = "Mission a1b2c3d4 had no turn to interrupt"
WITHOUT_TURN = [
    ("running", "idle", "Mission a1b2c3d4 was idle"),
    ("running", "limited", f"{NONE}: it is limited"),
    ("running", "waiting:draft", f"{NONE}: it waits for you in its terminal: overmind attach api"),
    ("running", "waiting:report", NONE),
    ("running", "working", NONE),
    ("restarting", "unknown", f"{NONE}: it is restarting"),
]


@pytest.mark.parametrize(("status", "activity", "said"), WITHOUT_TURN)
def test_interrupt_says_what_goes_on_where_there_was_no_turn(overmind, status, activity, said):
    doing, _, need = activity.partition(":")
    row = {**MISSION, "status": status, "activity": doing, "need": need or None}
    told = {"interrupt": [{"ok": {**MISSION, "interrupted": False}}], "ps": [{"ok": [row]}]}
    assert overmind(told, "interrupt", "api").out == f"{said}\n"


def test_seen_takes_several(overmind):
    ran = overmind({"seen": lambda args: [{"ok": {"id": args["id"], "name": "x"}}]}, "seen", "a", "b")

    assert ran.out == "Seen mission a\nSeen mission b\n"


BLOCKS = [
    (
        QUESTION,
        """\
7  api (a1b2c3d4)  Bash permission  2m
    $ rm -rf build
    description: clean
    → overmind answer 7 allow   or deny, always
    → always stores: Bash(rm -rf build)""",
    ),
    (
        {**QUESTION, "rule": None, "tool": "Edit",
         "subject": {"file_path": "a.py", "old_string": "1\n2", "new_string": "3", "replace_all": False}},
        """\
7  api (a1b2c3d4)  Edit permission  2m
    a.py
    - 1
    - 2
    + 3
    → overmind answer 7 allow   or deny""",
    ),
    (
        {**QUESTION, "rule": None, "tool": "AskUserQuestion", "need": "question", "options": ["Go", "Rust"],
         "subject": {"questions": [
             {"question": "Which?", "options": [{"label": "Go", "description": "small"}, {"label": "Rust"}]}]}},
        """\
7  api (a1b2c3d4)  AskUserQuestion question  2m
    Which?
      1. Go  small
      2. Rust
    → overmind answer 7 1   the number of an option, or a text""",
    ),
    (
        {**QUESTION, "rule": None, "tool": "AskUserQuestion", "need": "question", "options": ["1:Go", "2:Yes"],
         "choices": [{}, {}],
         "subject": {"questions": [
             {"question": "Which?", "options": [{"label": "Go"}]}, {"question": "Now?", "options": [{"label": "Yes"}]}
         ]}},
        """\
7  api (a1b2c3d4)  AskUserQuestion question  2m
    Which?
      1. Go
    Now?
      1. Yes
    → overmind answer 7 1 1   the number of an option of each, or a text""",
    ),
    (
        {**QUESTION, "rule": None, "tool": "Write",
         "subject": {"file_path": "/w/a.txt", "content": "one\nnew\nthree\n"},
         "replaces": {"state": "text", "bytes": 14, "text": "one\ntwo\nthree\n"}},
        """\
7  api (a1b2c3d4)  Write permission  2m
    /w/a.txt  (replaces this file)
      one
    - two
    + new
      three
    → overmind answer 7 allow   or deny""",
    ),
    (
        {**QUESTION, "rule": None, "tool": "Write", "subject": {"file_path": "/w/a.txt", "content": "wiped\n"},
         "replaces": {"state": "text", "bytes": 6, "text": "1\n2\n3\n"}},
        """\
7  api (a1b2c3d4)  Write permission  2m
    /w/a.txt  (replaces this file)
    - 1
    - 2
    - 3
    + wiped
    → overmind answer 7 allow   or deny""",
    ),
    (
        {**QUESTION, "rule": None, "tool": "Write", "subject": {"file_path": "/w/a.txt", "content": "one\n"},
         "replaces": {"state": "new", "bytes": 0, "text": None}},
        """\
7  api (a1b2c3d4)  Write permission  2m
    /w/a.txt  (a new file)
    + one
    → overmind answer 7 allow   or deny""",
    ),
    (
        {**QUESTION, "rule": None, "tool": "Write", "subject": {"file_path": "/w/a.bin", "content": "x"},
         "replaces": {"state": "unreadable", "bytes": 900, "text": None}},
        """\
7  api (a1b2c3d4)  Write permission  2m
    /w/a.bin  (replaces a file that can't be shown)
    + x
    → overmind answer 7 allow   or deny""",
    ),
    (
        {**QUESTION, "rule": None, "tool": "ExitPlanMode", "need": "plan", "summary": "a plan without text",
         "subject": {"plan": ""}},
        """\
7  api (a1b2c3d4)  ExitPlanMode plan  2m
    a plan without text
    → overmind answer 7 allow   approve the plan, or deny: go on planning""",
    ),
    (
        {**QUESTION, "rule": None, "tool": "", "need": "setup", "summary": "Do you trust this folder?", "subject": {},
         "attach_only": True},
        """\
7  api (a1b2c3d4)  setup  2m
    Do you trust this folder?
    → answer it in its terminal: overmind attach a1b2c3d4""",
    ),
]  # fmt: skip


NONE_LOST: list[dict[str, object]] = [{"ok": {"missions": []}}]


@tabled(("question", "block"), BLOCKS)
def test_the_inbox_shows_the_exact_words(question, block):
    assert inbox.inbox_text([question], NOW) == block


def test_the_inbox_shows_every_question_and_no_raw_control_character(overmind):
    evil = {**QUESTION, "name": "a\x1b[2J", "subject": {"command": "echo \x1b[31m\u202e\nrm -rf ~"}}
    ran = overmind({"inbox": [{"ok": [QUESTION, evil]}], "ps": [{"ok": []}], "restart": NONE_LOST}, "inbox")

    assert ran.status == 0
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
    assert "$ echo \\x1b[31m\\u202e\n    > rm -rf ~" in ran.out
    assert ran.out.count("7  a") == 2


def test_an_empty_inbox_prints_nothing_in_a_pipe(overmind):
    assert overmind({"inbox": [{"ok": []}], "ps": [{"ok": []}], "restart": NONE_LOST}, "inbox")[:3] == (0, "", "")
    assert overmind({"inbox": [{"ok": []}]}, "inbox", "--json").out == "[]\n"


def test_the_inbox_has_what_gave_up_as_the_page_of_what_needs_you_has(overmind):
    spent = {**MISSION, "status": "crashed", "reason": "restart_budget_spent", "exit_code": 3, "outcome": "failed"}
    rows = [spent, {**spent, "id": "b1b2c3d4", "name": "nightly/1", "quest_state": "failed"}]
    known = {**spent, "run_reason": "stalled", "limit_seconds": 3.0, "max_restarts": 1, "max_seconds": 60.0}
    told = {"inbox": [{"ok": []}], "ps": [{"ok": rows}], "info": [{"ok": known}], "restart": NONE_LOST}
    ran = overmind(told, "inbox")
    ways = "Log: overmind logs api · again: overmind restart api"
    why = "restarted once in a minute, gave up: it was silent for 3 seconds"
    assert ran.out == f"api (a1b2c3d4) has failed (3): {why}. {ways}\n"


LIMITED = {"status": "running", "activity": "limited", "now": "limit", "resume_at": None}
HELD_UP: list[tuple[dict[str, Any], list[str]]] = [
    # what is held up, and the commands that it names, with WORD for the mission
    ({"reason": "restart_budget_spent", "outcome": "failed"}, ["logs WORD", "restart WORD"]),
    ({"conversation_lost": True}, ["logs WORD", "seen WORD"]),
    ({"failed_message": "no answer", "unseen": True}, ["send WORD 'TEXT'", "seen WORD"]),
    (LIMITED, ["restart WORD"]),
]


@pytest.mark.parametrize(("changes", "commands"), HELD_UP)
@pytest.mark.parametrize(("other", "word"), [("web", "api"), ("api", "a1b2c3d4")])
def test_the_inbox_names_the_id_where_another_mission_has_had_the_name(overmind, changes, commands, other, word):
    row = {**MISSION, "status": "crashed", "exit_code": 3, "run_reason": None, "outcome": "stopped", **changes}
    newer = {**MISSION, "id": "b1b2c3d4", "name": other, "status": "running"}

    def listed(args):
        return [{"ok": [row] if args.get("ids") else [row, newer]}]

    told = {"inbox": [{"ok": []}], "ps": listed, "info": [{"ok": {**row, "max_restarts": 1, "max_seconds": 60.0}}]}
    ran = overmind({**told, "restart": NONE_LOST}, "inbox")
    assert re.findall(r"overmind (.*?)(?= · |$)", ran.out.strip()) == [one.replace("WORD", word) for one in commands]


ANSWERS = [
    (["7", "allow"], {"question": 7, "behaviour": "allow"}),
    (["api", "deny", "--message", "no: ask"], {"id": "api", "behaviour": "deny", "message": "no: ask"}),
    (["12345678", "always"], {"id": "12345678", "behaviour": "always"}),
    (
        ["a1b", "allow", "--option", "Go", "--option", "Rust"],
        {"id": "a1b", "behaviour": "allow", "options": ["Go", "Rust"]},
    ),
]


@pytest.mark.parametrize(("words", "request_"), ANSWERS)
def test_a_number_is_a_question_and_anything_else_a_mission(overmind, words, request_):
    told = {"question": 7, **MISSION, "behaviour": request_["behaviour"], "by": "human"}
    ran = overmind({"answer": [{"ok": told}]}, "answer", *words)

    assert (ran.status, ran.out) == (0, f"Answered question 7 of mission a1b2c3d4 (api): {request_['behaviour']}\n")
    assert ran.requests == [("answer", request_)]


def test_who_comes_too_late_is_told(overmind):
    late = {"answer": [{"error": "not_found", "message": "Question 7 was answered by human: deny"}]}
    ran = overmind(late, "answer", "7", "allow")

    assert (ran.status, ran.err) == (1, "Error: not_found: Question 7 was answered by human: deny\n")


ANSWERS = [
    (["allow"], {"behaviour": "allow"}),
    (["always"], {"behaviour": "always"}),
    (["deny", "-m", "no"], {"behaviour": "deny", "message": "no"}),
    (["2"], {"options": ["1:#2"]}),
    (["1,3"], {"options": ["1:#1", "1:#3"]}),
    (["1", "2,3"], {"options": ["1:#1", "2:#2", "2:#3"]}),
    (["in euros"], {"message": "in euros"}),
    (["perhaps"], {"message": "perhaps"}),
    (["0"], {"message": "0"}),
    (["--option", "Red"], {"options": ["Red"]}),
    (["allow", "--option", "Red"], {"behaviour": "allow", "options": ["Red"]}),
]


@pytest.mark.parametrize(("words", "request_"), ANSWERS)
def test_an_answer_is_a_word_numbers_of_options_or_a_text(overmind, words, request_):
    behaviour = request_.get("behaviour", "allow")
    answered = {"question": 7, "id": "a1b2c3d4", "name": "api", "behaviour": behaviour, "by": "a person"}
    ran = overmind({"answer": [{"ok": answered}]}, "answer", "7", *words)
    assert ran.requests == [("answer", {"question": 7, **request_})]
    typed = " ".join(words).removeprefix("--option ")
    said = request_.get("behaviour", typed)
    assert ran.out == f"Answered question 7 of mission a1b2c3d4 (api): {said}\n"


@pytest.mark.parametrize("words", [[], ["in", "euros"], ["1", "euros"]])
def test_no_answer_and_a_text_without_quotes_are_refused(overmind, words):
    ran = overmind({}, "answer", "7", *words)
    assert ran.status == 2
    assert ran.requests == []


@pytest.mark.parametrize("word", ["allow", "deny", "always"])
def test_a_text_behind_an_answer_is_given_with_its_option(overmind, word):
    ran = overmind({}, "answer", "notes", word, "fix the tests")
    assert (ran.status, ran.requests) == (2, [])
    assert f"Give the text with -m: overmind answer notes {word} -m 'TEXT'\n" in ran.err


MESSAGE = {
    "message": 12,
    "state": "answered",
    "text": "first line\nand more " + "x" * 100,
    "sender": None,
    "created_at": "2026-01-01T00:00:00Z",
    "delivered_at": None,
    "ended_at": None,
    "resent": True,
    "error": None,
}


def test_messages_are_a_table(overmind):
    ran = overmind({"messages": [{"ok": [MESSAGE]}]}, "messages", "api")

    head, row = ran.out.splitlines()
    assert head.split() == ["MESSAGE", "STATE", "SENT", "FROM", "ERROR", "TEXT"]
    assert row.startswith("12       answered (again)  2026-01-01T00:00:00Z  -     -      first line\\nand more xxx")
    assert row.endswith("...")


def test_a_message_is_withdrawn_by_its_number(overmind):
    ran = overmind({"messages": [{"ok": []}]}, "messages", "api", "--cancel", "12")

    assert ran.out == "Cancelled message 12\n"
    assert ran.requests == [("messages", {"id": "api", "cancel": 12})]


def test_result_is_json(overmind):
    found = {"type": "result", "result": "four"}

    assert json.loads(overmind({"result": [{"ok": found}]}, "result", "api").out) == found
    assert overmind({"result": [{"ok": {}}]}, "result", "api").out == "{}\n"
    assert overmind({"result": [{"ok": found}]}, "result", "api", "--json").out == '{"type":"result","result":"four"}\n'


def costs(key, usd, name=None):
    return {"key": key, "name": name, "cost_usd": usd, "input_tokens": 1200, "output_tokens": 34, "turns": 2}


def test_costs_have_a_total(overmind):
    ran = overmind({"cost": [{"ok": [costs("a1b2c3d4", 1.5, "api"), costs("b1b2c3d4", 0.004, "web")]}]}, "cost")

    assert [line.split() for line in ran.out.splitlines()] == [
        ["ID", "NAME", "COST", "IN", "OUT", "TURNS"],
        ["a1b2c3d4", "api", "$1.50", "1200", "34", "2"],
        ["b1b2c3d4", "web", "$0.0040", "1200", "34", "2"],
        ["total", "$1.50", "2400", "68", "4"],
    ]


def test_costs_by_label_overlap_and_have_no_total(overmind):
    ran = overmind({"cost": [{"ok": [costs("team=a", 1.5), costs("job=b", 1.5)]}]}, "cost", "--by", "label")

    assert "total" not in ran.out
    assert ran.requests == [("cost", {"by": "label"})]


def test_since_is_sent_as_a_time(overmind):
    ran = overmind({"cost": [{"ok": []}]}, "cost", "--by", "day", "--since", "2026-01-01T08:00:00+02:00", "--json")

    assert ran.out == "[]\n"
    assert ran.requests == [("cost", {"by": "day", "since": "2026-01-01T06:00:00.000Z"})]


ROW: dict[str, Any] = {
    **MISSION, "type": "session", "status": "running", "restart_count": 0, "parent": None, "children": [],
    "uptime_seconds": 5.0, "exit_code": None, "command": "go", "activity": "waiting", "need": "permission",
    "cost_usd": 0.4, "now": "rm -rf build ?", "cpu_percent": None, "memory_bytes": None,
}  # fmt: skip


def test_wide_shows_what_an_agent_does_and_costs(overmind):
    head, row = overmind({"ps": [{"ok": [ROW]}]}, "ps", "--wide").out.splitlines()

    cells = dict(zip(head.split(), row.replace("rm -rf build ?", "rm").split(), strict=True))
    assert cells["STATUS"] == "running"
    assert (cells["ACTIVITY"], cells["COST"], cells["NOW"]) == ("waiting:permission", "$0.40", "rm")


@pytest.mark.parametrize(
    ("words", "said"),
    [((), "No mission runs. Start one with: overmind run 'make test'"), (("api",), "None of these runs.")],
)
def test_top_of_nothing_says_whether_it_was_asked_for_some(overmind, monkeypatch, words, said):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    runs = [{**MISSION, "id": "b1b2c3d4"}] if words else []
    ran = overmind({"top": [{"ok": runs}], "ps": [{"ok": [ROW]}]}, "top", "--once", *words)
    assert ran.err == f"{said}\n"


def test_top_shows_cost_and_tokens(overmind):
    row = {
        **MISSION, "status": "running", "cpu_percent": 1.0, "memory_bytes": 1000, "output_bytes_per_second": 0,
        "processes": 1, "cost_usd": 0.4, "tokens": {"input": 12300, "output": 840},
    }  # fmt: skip
    shown = overmind({"top": [{"ok": [row, {**row, "cost_usd": None, "tokens": None}]}]}, "top", "--once").out

    assert [line.split()[-4:] for line in shown.splitlines()[1:]] == [
        ["$0.40", "12.3k", "/", "840"],
        ["B", "1", "-", "-"],
    ]
