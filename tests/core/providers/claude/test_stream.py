"""What the lines of a `claude` without a terminal tell, recorded ones and broken ones."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.domain.agents.agent import AgentNeed
from overmind_core.domain.agents.agent_events import (
    Acknowledged,
    AskCancelled,
    Asked,
    Echoed,
    LimitReached,
    PlainLine,
    Retry,
    Retrying,
    SessionNamed,
    TextSpoken,
    TokenUsage,
    ToolCalled,
    ToolReturned,
    TurnBegan,
    TurnEnded,
    TurnResult,
)
from overmind_core.providers import registry
from overmind_core.providers.claude import stream
from overmind_core.providers.claude.transcript import ClaudeTranscript
from overmind_core.providers.lines import digest
from tests.core.providers.recorded import facts, names, readable
from tests.kit import torture
from tests.kit.cases import tabled

CLAUDE = registry.get("claude")


def told(line):
    return list(CLAUDE.parse(json.dumps(line).encode()))


def result_of(name):
    ends = [fact.result for fact in facts("claude", name) if isinstance(fact, TurnEnded)]
    return ends[-1] if ends else None


ENDS = [
    ("text", True, None, Retry.POLICY),
    ("tool", True, None, Retry.POLICY),
    ("permission_denied", True, None, Retry.POLICY),
    ("session_permission", True, None, Retry.POLICY),
    ("error_400", False, "api_error 400", Retry.NEVER),
    ("error_401", False, "api_error 401", Retry.NEVER),
    ("error_413", False, "api_error 413", Retry.NEVER),
    ("error_429", False, "api_error 429", Retry.WAIT),
    ("error_500", False, "api_error 500", Retry.POLICY),
    ("error_529", False, "api_error 529", Retry.WAIT),
    ("connection_refused", False, "api_error", Retry.POLICY),
    ("usage_limit", False, "limited", Retry.WAIT),
    ("not_logged_in", False, "not_logged_in", Retry.NEVER),
    ("max_turns", False, "max_turns", Retry.NEVER),
    ("max_cost", False, "max_cost", Retry.NEVER),
    ("interrupted_by_signal", False, "interrupted", Retry.POLICY),
    ("tool_interrupted_by_signal", False, "interrupted", Retry.POLICY),
]


@tabled(("name", "ok", "reason", "retry"), ENDS)
def test_the_end_of_a_recorded_run_says_how_it_went(name, ok, reason, retry):
    result = result_of(name)
    assert (result.ok, result.reason, result.retry) == (ok, reason, retry)
    assert result.raw["type"] == "result"


def test_a_run_that_was_terminated_has_no_result():
    assert result_of("terminated_in_tool") is None


def test_a_run_tells_who_it_is_what_it_says_and_which_tools_it_uses():
    found = facts("claude", "tool")
    session = next(fact.session for fact in found if isinstance(fact, SessionNamed))
    call = next(fact for fact in found if isinstance(fact, ToolCalled))
    assert found[:2] == [SessionNamed(session, "claude-opus-5-5", "default"), TurnBegan()]
    assert call[1:3] == ("Bash", "Bash: echo hi")
    assert (call.call, False) in [fact[:2] for fact in found if isinstance(fact, ToolReturned)]
    assert TextSpoken("tool said: hi") in found


def test_a_failed_tool_is_one():
    assert [fact.failed for fact in facts("claude", "failed_tool") if isinstance(fact, ToolReturned)] == [True]


FILES = [
    ("Read", {"file_path": "a.py"}, ("a.py",), False),
    ("NotebookRead", {"notebook_path": "/a.ipynb"}, ("/a.ipynb",), False),
    ("Edit", {"file_path": "/p/a.py", "old_string": "x"}, ("/p/a.py",), True),
    ("MultiEdit", {"file_path": "/p/a.py", "edits": []}, ("/p/a.py",), True),
    ("Write", {"file_path": "/p/a.py", "content": "x"}, ("/p/a.py",), True),
    ("NotebookEdit", {"notebook_path": "/p/a.ipynb"}, ("/p/a.ipynb",), True),
    ("Edit", {}, (), True),
    ("Edit", {"file_path": ["/p/a.py"]}, (), True),
    ("Write", {"file_path": "a" * 5000}, (), True),
    ("Bash", {"command": "rm a.py"}, (), False),
    ("Grep", {"pattern": "x", "path": "src"}, (), False),
    ("mcp__files__write", {"file_path": "/p/a.py"}, (), False),
]


def used(tool, subject, name="t1"):
    block = {"type": "tool_use", "id": name, "name": tool, "input": subject}
    return told({"type": "assistant", "message": {"content": [block]}})[0]


@tabled(("tool", "subject", "paths", "edits"), FILES)
def test_a_use_of_a_tool_names_the_files_that_it_reads_or_edits(tool, subject, paths, edits):
    call = used(tool, subject)
    assert (call.paths, call.edits, call.runs) == (paths, edits, tool == "Bash")


def test_the_same_use_of_a_tool_is_known_by_its_digest():
    assert used("Bash", {"command": "ls"}).digest == used("Bash", {"command": "ls"}, "t2").digest
    assert used("Bash", {"command": "ls"}).digest != used("Bash", {"command": "ls "}).digest
    assert used("Bash", {"command": "ls"}).digest != used("Task", {"command": "ls"}).digest


def answered(content, *, is_error=False, name="t1"):
    block = {"type": "tool_result", "tool_use_id": name, "content": content, "is_error": is_error}
    return told({"type": "user", "message": {"role": "user", "content": [block]}})[0]


def test_the_same_answer_is_known_by_its_digest():
    assert answered("3 passed").digest == answered("3 passed", name="t2").digest
    assert answered("3 passed").digest != answered("4 passed").digest
    assert answered([{"type": "text", "text": "a"}]).digest != answered([{"type": "text", "text": "b"}]).digest


SAID = [
    ("Exit code 1\nE   assert 1 == 2", "E   assert 1 == 2"),
    ([{"type": "text", "text": "Exit code 1"}, {"type": "text", "text": "a.c:3: error: x"}], "a.c:3: error: x"),
    ("<tool_use_error>File has not been read yet.</tool_use_error>", "File has not been read yet."),
    ("Exit code 137", ""),
    (None, ""),
    ({"text": "x"}, ""),
    ([3, None, {"text": 4}], ""),
]


@tabled(("content", "error"), SAID)
def test_a_failed_tool_tells_its_first_line_about_an_error(content, error):
    back = answered(content, is_error=True)
    assert (back.failed, back.error) == (True, error)
    assert answered(content).error == ""


CODES = [
    ("Exit code 1\nE   assert 1 == 2", 1),
    ([{"type": "text", "text": "Exit code 137"}, {"type": "text", "text": "x"}], 137),
    ("Exit code 2", 2),
    ("Exit code 2\r\nx", 2),
    ("Exit code 1 of make", None),
    ("x\nExit code 1", None),
    (" Exit code 1", None),
    ("Exit code " + "9" * 5000, None),
    ("<tool_use_error>Exit code 1</tool_use_error>", None),
    (None, None),
]


@tabled(("content", "code"), CODES)
def test_the_exit_code_of_a_failed_command_is_told_and_never_guessed(content, code):
    back = answered(content, is_error=True)
    assert (back.exit_code, back.denied) == (code, False)
    assert answered(content).exit_code is None


RECORDED = [
    ("tool", [(False, None, False)]),
    ("failed_tool", [(True, 3, False)]),
    ("permission_denied", [(True, None, True)]),
    ("session_permission", [(False, None, False), (True, None, True)]),
    ("tool_interrupted_by_signal", [(True, None, True)]),
]


@pytest.mark.parametrize(("name", "expected"), RECORDED)
def test_a_tool_that_was_denied_or_stopped_is_told_from_one_that_failed(name, expected):
    back = [fact for fact in facts("claude", name) if isinstance(fact, ToolReturned)]
    assert [(fact.failed, fact.exit_code, fact.denied) for fact in back] == expected


def test_a_command_is_told_whole_up_to_a_limit():
    command = "cat > a <<'E'\n" + "x\n" * 900 + "E"
    assert used("Bash", {"command": command}).command == command
    assert used("Bash", {"command": "x" * 9000}).command == "x" * 4000
    assert used("Bash", {"command": ["ls"]}).command == used("Task", {"command": "ls"}).command == ""


def test_the_tools_of_recorded_runs_have_digests_and_errors():
    returned = [fact for name in names("claude") for fact in facts("claude", name) if isinstance(fact, ToolReturned)]
    assert all(fact.digest for fact in returned)
    assert {fact.error for fact in returned if fact.failed} >= {"", "overmind says no"}
    calls = [fact for name in names("claude") for fact in facts("claude", name) if isinstance(fact, ToolCalled)]
    assert all(fact.runs and not fact.paths for fact in calls if fact.tool == "Bash")


def test_thinking_is_told_as_such():
    assert TextSpoken("thinking about deep", thought=True) in facts("claude", "thinking")


def test_pieces_of_an_answer_say_nothing_beside_the_whole_one():
    whole = [fact for fact in facts("claude", "partial_messages") if isinstance(fact, TextSpoken)]
    assert whole == [TextSpoken("echo: hello partial")]


def test_a_turn_is_paid_once_and_the_total_runs_on():
    turns = [fact.result for fact in facts("claude", "session") if isinstance(fact, TurnEnded) and fact.result]
    assert len(turns) == 3
    assert turns[-1].cost_total == pytest.approx(sum(turn.cost_turn or 0.0 for turn in turns))
    assert turns[0].usage == TokenUsage(input=12307, output=11)
    assert [turn.turns for turn in turns] == [1, 2, 1]


def test_own_tries_are_told_with_their_delay():
    tries = [fact for fact in facts("claude", "error_529") if isinstance(fact, Retrying)]
    assert [(one.attempt, one.most, one.error) for one in tries] == [
        (1, 10, "overloaded 529"),
        (2, 10, "overloaded 529"),
    ]
    assert [round(one.delay) for one in tries] == [1, 1]


def test_a_usage_limit_is_told_with_its_end_before_the_turn_ends():
    found = facts("claude", "usage_limit")
    assert found[-3:-1] == [LimitReached(1795179116, "five hour limit reached")] * 2
    assert isinstance(found[-1], TurnEnded)


LIMITS = [
    ("Claude AI usage limit reached|1795179116", "limited", 1795179116.0, Retry.WAIT),
    ("You've hit your 5-hour limit · resets 3pm (UTC)", "limited", None, Retry.WAIT),
    ("Credit balance is too low", "no_credit", None, Retry.WAIT),
    ("You've hit your monthly spend limit.", "no_credit", None, Retry.WAIT),
]


@pytest.mark.parametrize(("text", "reason", "until", "retry"), LIMITS)
def test_a_limit_is_known_by_its_words(text, reason, until, retry):
    line = {"type": "result", "subtype": "success", "is_error": True, "result": text, "terminal_reason": "api_error"}
    ended, *behind = told(line)
    assert (ended.result.reason, ended.result.resume_at, ended.result.retry) == (reason, until, retry)
    assert behind == ([LimitReached(until, text)] if until is not None or reason == "no_credit" else [])


def test_an_unknown_conversation_is_begun_instead():
    line = {"type": "result", "subtype": "error_during_execution", "is_error": True}
    (ended,) = told({**line, "errors": ["No conversation found with session ID: 3f2b"]})
    assert (ended.result.reason, ended.result.retry) == ("wrong_start", Retry.SWITCH)


def test_a_question_about_a_command_carries_it_whole():
    asked = next(fact for fact in facts("claude", "session_permission") if isinstance(fact, Asked))
    assert (asked.need, asked.tool, asked.summary) == (AgentNeed.PERMISSION, "Bash", "Bash: touch made1.txt")
    assert asked.subject["command"] == "touch made1.txt"
    assert asked.suggestions[0]["type"] == "addRules"


QUESTION = {"question": "Which colour?", "options": [{"label": "Red"}, {"label": "Blue"}], "multiSelect": False}
QUESTIONS = [
    ("AskUserQuestion", {"questions": [QUESTION]}, AgentNeed.QUESTION, "Which colour?"),
    ("ExitPlanMode", {"plan": "# Plan\n1. do it"}, AgentNeed.PLAN, "# Plan…"),
    ("ExitPlanMode", {}, AgentNeed.PLAN, "a plan without text"),
    ("Edit", {"file_path": "/a.py", "old_string": "x"}, AgentNeed.PERMISSION, "Edit: /a.py"),
    ("mcp__db__query", {"query": "select 1"}, AgentNeed.PERMISSION, "mcp__db__query: select 1"),
    ("Mystery", {}, AgentNeed.PERMISSION, "Mystery"),
]


@tabled(("tool", "subject", "need", "summary"), QUESTIONS)
def test_a_question_says_what_it_needs_in_one_line(tool, subject, need, summary):
    request = {"subtype": "can_use_tool", "tool_name": tool, "input": subject}
    assert told({"type": "control_request", "request_id": "r1", "request": request}) == [
        Asked("r1", need, tool, summary, subject)
    ]


OTHERS = [
    ({"type": "control_cancel_request", "request_id": "r1"}, [AskCancelled("r1")]),
    (
        {"type": "control_response", "response": {"subtype": "success", "request_id": "r1", "response": {}}},
        [Acknowledged("r1")],
    ),
    (
        {"type": "control_response", "response": {"subtype": "error", "request_id": "r1", "error": "no"}},
        [Acknowledged("r1", "no")],
    ),
    ({"type": "command_lifecycle", "state": "started", "command_uuid": "u1"}, [Echoed("", "u1")]),
    ({"type": "command_lifecycle", "state": "queued", "command_uuid": "u1"}, []),
    (
        {"type": "user", "isReplay": True, "uuid": "u1", "message": {"role": "user", "content": "hi"}},
        [Echoed("hi", "u1")],
    ),
    (
        {"type": "user", "isReplay": True, "message": {"content": [{"type": "text", "text": t} for t in "ab"]}},
        [Echoed("a\nb")],
    ),
    ({"type": "assistant", "message": {"content": "plain"}}, [TextSpoken("plain")]),
    (
        {"type": "assistant", "message": {"content": [{"type": "text", "text": "a"}, {"type": "tool_use", "id": "t"}]}},
        [TextSpoken("a"), ToolCalled("t", "", "", digest=digest(("", {})))],
    ),
    ({"type": "rate_limit_event", "rate_limit_info": {"status": "allowed_warning", "resetsAt": 1}}, []),
    ({"type": "system", "subtype": "compact_boundary"}, []),
    ({"type": "something_new", "message": {"content": [{"type": "text", "text": "x"}]}}, []),
    ({"no": "type"}, []),
]


@tabled(("line", "expected"), OTHERS)
def test_each_known_line_says_its_facts_and_unknown_ones_nothing(line, expected):
    assert told(line) == expected


PLAIN = [
    (b"Warning: no stdin", "Warning: no stdin"),
    (b"[1, 2]", "[1, 2]"),
    (b'{"type":', '{"type":'),
    (b"caf\xc3\xa9 \xff", "café \ufffd"),
    (b"{" * 100_000, "{" * 100_000),
    (b'{"a":' * 50_000, '{"a":' * 50_000),
]


@tabled(("line", "text"), PLAIN)
def test_a_line_that_is_no_object_is_plain_output(line, text):
    assert list(CLAUDE.parse(line)) == [PlainLine(text)]
    assert CLAUDE.renderer().feed(line) == [text]


def test_an_empty_line_says_nothing():
    assert list(CLAUDE.parse(b"")) == list(CLAUDE.parse(b" ")) == []


def test_half_of_a_surrogate_pair_becomes_text_that_can_be_written():
    (spoke,) = CLAUDE.parse(rb'{"type":"assistant","message":{"content":"a\ud83d b \ud83d\ude00"}}')
    assert spoke == TextSpoken("a? b 😀")


def test_a_line_of_ten_megabytes_is_one_answer():
    text = "x" * 10_000_000
    assert told({"type": "assistant", "message": {"content": [{"type": "text", "text": text}]}}) == [TextSpoken(text)]


KEYS = st.sampled_from(
    [
        *("type", "subtype", "message", "content", "text", "id", "name", "input", "request", "response", "result"),
        *("usage", "is_error", "errors", "rate_limit_info", "status", "resetsAt", "isReplay", "uuid", "timestamp"),
        *("model_usage_since_last_result", "costUSD", "num_turns", "input_tokens", "tool_use_id", "questions"),
        *("parent_tool_use_id", "terminal_reason", "api_error_status", "total_cost_usd", "tool_name", "plan", "error"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=6),
    max_leaves=30,
)
TYPES = st.sampled_from(
    ["system", "assistant", "user", "result", "control_request", "control_response", "rate_limit_event"]
)
SUBTYPES = st.sampled_from(["init", "api_retry", "success", "can_use_tool", "error_max_turns"])


@given(st.binary())
def test_no_line_of_bytes_raises(line):
    CLAUDE.parse(line)
    CLAUDE.renderer().feed(line)


@pytest.mark.torture
@settings(max_examples=torture.examples(100))
@given(st.lists(st.tuples(TYPES, SUBTYPES, st.dictionaries(KEYS, JSON, max_size=6)), max_size=5))
def test_no_object_raises_and_every_text_can_be_written(objects):
    renderer = CLAUDE.renderer()
    for kind, subtype, fields in objects:
        line = json.dumps({**fields, "type": kind, "subtype": subtype}).encode()
        for fact in CLAUDE.parse(line):
            str(fact).encode()
        for text in renderer.feed(line):
            text.encode()


READABLE = [
    (
        "tool",
        [
            "running: echo hi",
            "⚙ Bash: echo hi → ok, 0.0 s",
            "tool said: hi",
            "— 2 turns, 0.1 s, $0.10, 24.7k in / 55 out —",
        ],
    ),
    (
        "error_429",
        [
            "… rate_limit 429: try 1 of 1 in 1.2 s",
            "✗ api_error 429: API Error: Request rejected (429) · stub error 429",
            "— 1 turn, 1.3 s, $0.00 —",
        ],
    ),
    (
        "session_permission",
        [
            "running: touch made1.txt",
            "? permission: Bash: touch made1.txt",
            "⚙ Bash: touch made1.txt → ok, 0.1 s",
            "tool said: (Bash completed with no output)",
            "— 2 turns, 0.2 s, $0.11, 27.0k in / 66 out —",
            "running: touch made2.txt",
            "? permission: Bash: touch made2.txt",
            "⚙ Bash: touch made2.txt → ✗ overmind says no, 0.1 s",
            "tool said: error: overmind says no",
            "— 2 turns, 0.1 s, $0.11, 27.2k in / 64 out —",
        ],
    ),
    ("thinking", ["echo: !think deep", "— 1 turn, 0.1 s, $0.05, 12.3k in / 31 out —"]),
    (
        "max_turns",
        ["running: echo hi", "⚙ Bash: echo hi → ok, 0.0 s", "✗ max_turns: Reached maximum number of turns (1)"],
    ),
]


@pytest.mark.parametrize(("name", "expected"), READABLE)
def test_a_recorded_run_reads_as_a_transcript(name, expected):
    assert readable("claude", name)[: len(expected)] == expected


@tabled("name", names("claude"))
def test_no_line_of_a_recorded_run_is_shown_as_an_object(name):
    assert not [text for text in readable("claude", name) if text.startswith("{")]


def shown(*lines):
    renderer = CLAUDE.renderer()
    return [text for line in lines for text in renderer.feed(json.dumps(line).encode())]


def call(name, command, parent=None):
    block = {"type": "tool_use", "id": name, "name": "Bash", "input": {"command": command}}
    return {"type": "assistant", "parent_tool_use_id": parent, "message": {"content": [block]}}


def returned(name, parent=None, **fields):
    block = {"type": "tool_result", "tool_use_id": name, "content": "out", **fields}
    return {"type": "user", "parent_tool_use_id": parent, "message": {"content": [block]}}


def test_what_a_sub_agent_does_is_indented_below_it():
    inner = {"type": "assistant", "parent_tool_use_id": "t1", "message": {"content": "looking"}}
    assert shown(call("t1", "a"), inner, call("t2", "b", "t1"), returned("t2", "t1"), returned("t1")) == [
        "  looking",
        "  ⚙ Bash: b → ok",
        "⚙ Bash: a → ok",
    ]


def test_calls_that_never_return_are_shown_at_the_end_of_the_turn():
    ended = {"type": "result", "subtype": "success", "is_error": False, "result": "x"}
    assert shown(call("t1", "a"), ended) == ["⚙ Bash: a → no answer", "— turn over —"]


def test_a_return_whose_call_lies_before_the_first_line_is_not_lost():
    assert shown(returned("t1", is_error=True, content=[{"type": "text", "text": "bad\nluck"}])) == ["⚙ … → ✗ bad…"]


def test_a_command_of_many_lines_is_one_line():
    assert shown(call("t1", "first\nsecond"), returned("t1")) == ["⚙ Bash: first… → ok"]


def test_what_a_person_said_is_not_repeated():
    assert shown({"type": "user", "isReplay": True, "message": {"content": "hello"}}) == []


def test_thousands_of_open_calls_are_not_remembered():
    renderer = ClaudeTranscript()
    for number in range(5000):
        renderer.feed(json.dumps(call(f"t{number}", "a")).encode())
    assert len(renderer._calls) < 1000


def test_a_result_that_says_nothing_is_none():
    (ended,) = told({"type": "result"})
    assert ended == TurnEnded(TurnResult(ok=False, reason="failed", raw={"type": "result"}))


KINDS_OF_FAILURE = [
    *((f"api_error {status}", Retry.NEVER) for status in (400, 401, 403, 404, 413)),
    *((f"api_error {status}", Retry.WAIT) for status in (429, 503, 529)),
    ("api_error 500", Retry.POLICY),
    ("api_error", Retry.POLICY),
    ("limited", Retry.WAIT),
    ("no_credit", Retry.WAIT),
    ("not_logged_in", Retry.NEVER),
    (None, Retry.POLICY),
]


@tabled(("reason", "retry"), KINDS_OF_FAILURE)
def test_final_errors_are_not_tried_again_and_those_that_pass_are_waited_for(reason, retry):
    assert stream.retry_of(reason, None) is retry
