"""What hooks, title and screen of a `claude` on a terminal tell; nothing that they say raises."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.agents.agent import AgentNeed
from overmind_core.domain.agents.agent_events import (
    AskCancelled,
    Asked,
    Behaviour,
    Decision,
    Echoed,
    ProgramLeft,
    SessionNamed,
    ToolCalled,
    ToolReturned,
    TurnBegan,
    TurnEnded,
    TurnResult,
)
from overmind_core.providers import registry
from overmind_core.providers.base import InteractiveProvider
from overmind_core.providers.claude.command_line import EVENTS as OURS
from overmind_core.providers.lines import digest
from tests.core.providers.recorded import screen
from tests.kit.cases import tabled

CLAUDE = cast("InteractiveProvider", registry.get("claude"))
ALLOW, DENY = Decision(Behaviour.ALLOW), Decision(Behaviour.DENY)


def told(event, **fields):
    return list(CLAUDE.hook({"session_id": "s1", "prompt_id": "p1", "hook_event_name": event, **fields}))


def tool(event, name="Bash", subject=None, **fields):
    return told(event, tool_name=name, tool_input=subject or {"command": "ls"}, **fields)


SAME = digest(("Bash", {"command": "ls"}))
PLAIN_EVENTS = [
    (told("SessionStart", source="clear"), [SessionNamed("s1")]),
    (told("SessionStart", source="startup", model="m"), [SessionNamed("s1", "m")]),
    (told("UserPromptSubmit", prompt="a\nb"), [Echoed("a\nb")]),
    (tool("PreToolUse", tool_use_id="t1"), [ToolCalled("t1", "Bash", "Bash: ls", (), False, True, SAME, "ls")]),
    (told("Notification", notification_type="idle_prompt"), [TurnEnded(None)]),
    (told("Notification", notification_type="permission_prompt"), []),
    (told("SessionEnd", reason="clear"), [ProgramLeft("clear")]),
    (told("SubagentStop"), []),
    (told("SomethingNew"), []),
    (list(CLAUDE.hook({})), []),
]


@tabled(("facts", "expected"), PLAIN_EVENTS)
def test_a_hook_event_tells_its_facts(facts, expected):
    assert facts == expected


def test_a_turns_end_carries_its_answer():
    (ended,) = told("Stop", last_assistant_message="done")
    assert (ended.result.ok, ended.result.text) == (True, "done")


FAILURES = [
    ({"error": "unknown", "last_assistant_message": "API Error: 400 bad"}, "api_error 400"),
    ({"error": "rate_limit"}, "rate_limit"),
    ({"last_assistant_message": "Not logged in · Please run /login"}, "not_logged_in"),
    ({}, "api_error"),
]


@pytest.mark.parametrize(("fields", "reason"), FAILURES)
def test_a_turn_that_failed_says_why(fields, reason):
    (ended,) = told("StopFailure", **fields)
    assert isinstance(ended.result, TurnResult)
    assert (ended.result.ok, ended.result.reason) == (False, reason)


def test_a_question_is_gone_once_its_tool_has_run():
    (asked,) = tool("PermissionRequest", permission_suggestions=[{"type": "setMode"}])
    cancelled, returned = tool("PostToolUse", tool_use_id="t1")
    assert asked == Asked(
        asked.request, AgentNeed.PERMISSION, "Bash", "Bash: ls", {"command": "ls"}, ({"type": "setMode"},)
    )
    assert cancelled == AskCancelled(asked.request)
    assert (returned.call, returned.failed) == ("t1", False)
    assert tool("PostToolUseFailure", tool_use_id="t1")[1][:2] == ("t1", True)


def returned(event="PostToolUse", **fields):
    return next(fact for fact in tool(event, tool_use_id="t1", **fields) if isinstance(fact, ToolReturned))


def test_a_tool_on_a_terminal_tells_its_files_its_answer_and_its_error():
    (call,) = tool("PreToolUse", "Edit", {"file_path": "/p/a.py"}, tool_use_id="t1")
    assert (call.paths, call.edits) == (("/p/a.py",), True)
    first, again = (returned(tool_response={"filenames": ["a"], "durationMs": took}) for took in (1, 2))
    assert first.digest == again.digest != returned(tool_response={"filenames": ["b"], "durationMs": 1}).digest
    failed = returned("PostToolUseFailure", error="Exit code 2\nmake: *** [all] Error 2")
    assert (failed.failed, failed.error) == (True, "make: *** [all] Error 2")
    assert (failed.exit_code, failed.denied) == (2, False)
    stopped = returned("PostToolUseFailure", error="Exit code 137", is_interrupt=True)
    assert (stopped.failed, stopped.exit_code, stopped.denied) == (True, None, True)
    assert returned(tool_response={"stdout": "Exit code 2", "interrupted": False}).exit_code is None
    assert first.error == ""


def test_a_question_is_another_one_in_another_turn_or_about_another_command():
    (first,) = tool("PermissionRequest")
    (second,) = tool("PermissionRequest", prompt_id="p2")
    (third,) = tool("PermissionRequest", subject={"command": "ls -l"})
    assert len({first.request, second.request, third.request}) == 3


def test_a_dialog_comes_back_with_its_answer_and_is_still_the_same():
    (asked,) = tool("PermissionRequest", "AskUserQuestion", {"questions": []})
    cancelled, _ = tool("PostToolUse", "AskUserQuestion", {"questions": [], "answers": {"a": "b"}})
    assert cancelled == AskCancelled(asked.request)


@given(st.dictionaries(st.sampled_from(["tool_name", "tool_input", "prompt", "error", "x"]), st.text() | st.integers()))
def test_no_hook_event_raises(fields):
    for event in OURS:
        told(event, **fields)


TITLES = [
    ("✳ Claude Code", [TurnEnded(None)]),
    ("◐ Claude Code", [TurnBegan()]),
    ("◑ fixing the tests", [TurnBegan()]),
    ("vim", []),
    ("", []),
    ("◐", []),
]


@tabled(("title", "facts"), TITLES)
def test_the_title_turns_a_wheel_while_it_works(title, facts):
    assert list(CLAUDE.title(title)) == facts


@tabled("name", ["trust", "key", "theme", "bypass", "mode", "network"])
def test_a_dialog_of_its_own_is_known_and_left_to_the_person(name):
    asked = CLAUDE.dialog(screen(name))
    assert asked is not None
    assert (asked.need, asked.subject["dialog"]) == (AgentNeed.SETUP, name)
    assert not CLAUDE.is_ready(screen(name))
    assert not CLAUDE.is_idle(screen(name))


QUESTIONS = ["bash", "bash_multiline", "edit", "write", "webfetch", "question", "plan"]


@tabled("name", ["ready", "typed", "working", "interrupted", *QUESTIONS])
def test_what_is_no_dialog_of_its_own_is_none(name):
    assert CLAUDE.dialog(screen(name)) is None


PROMPTS = [
    ("ready", True, True),
    ("typed", True, False),
    ("typed_long", True, False),
    ("completions", True, False),
    ("interrupted", True, False),
    ("working", False, False),
    *((name, False, False) for name in [*QUESTIONS, "bash_long", "question_multi", "narrow"]),
]


@tabled(("name", "idle", "ready"), PROMPTS)
def test_a_message_is_typed_into_an_empty_prompt_only(name, idle, ready):
    assert (CLAUDE.is_idle(screen(name)), CLAUDE.is_ready(screen(name))) == (idle, ready)


@pytest.mark.parametrize("name", ["interrupted", "stopped"])
def test_a_turn_that_a_person_ended_is_seen_on_the_screen(name):
    assert CLAUDE.was_interrupted(screen(name))


@tabled("name", ["ready", "working", *QUESTIONS])
def test_other_turns_were_not_interrupted(name):
    assert not CLAUDE.was_interrupted(screen(name))


def test_the_hint_in_an_empty_prompt_is_no_text():
    lines = [line.replace("❯", '❯ Try "fix the tests"') for line in screen("ready")]
    assert CLAUDE.is_ready(lines)


def question(name, subject, need=AgentNeed.PERMISSION):
    return Asked("r1", need, name, "x", subject)


COLOUR = {"questions": [{"question": "Which colour?", "options": [{"label": "Red"}, {"label": "Blue"}]}]}
BOTH = {"questions": [{"question": "Which colours?", "multiSelect": True}, {"question": "Size?"}]}
LONG = "touch " + " ".join(f"file-number-{number}.txt" for number in range(12))
KEYS = [
    ("bash", question("Bash", {"command": "touch made.txt"}), ALLOW, b"1"),
    ("bash", question("Bash", {"command": "touch made.txt"}), Decision(Behaviour.ALWAYS), b"1"),
    ("bash", question("Bash", {"command": "touch made.txt"}), DENY, b"4"),
    ("bash", question("Bash", {"command": "touch other.txt"}), ALLOW, None),
    ("bash_multiline", question("Bash", {"command": "touch made.txt\nls -la /etc\necho done"}), ALLOW, b"1"),
    ("bash_long", question("Bash", {"command": LONG}), DENY, b"4"),
    ("narrow", question("Bash", {"command": "touch made.txt"}), DENY, b"4"),
    ("edit", question("Edit", {"file_path": "/home/me/project/old.txt"}), ALLOW, b"1"),
    ("edit", question("Edit", {"file_path": "/home/me/project/old.txt"}), DENY, b"3"),
    ("edit", question("Edit", {"file_path": "/home/me/project/other.txt"}), DENY, None),
    ("write", question("Write", {"file_path": "/home/me/project/new.txt"}), ALLOW, b"1"),
    ("webfetch", question("WebFetch", {"url": "http://example.com/a"}), DENY, b"3"),
    ("webfetch", question("WebFetch", {"url": "http://example.com/b"}), DENY, None),
    (
        "question",
        question("AskUserQuestion", COLOUR, AgentNeed.QUESTION),
        Decision(Behaviour.ALLOW, options=("Blue",), chosen=(("Blue",),)),
        b"2",
    ),
    ("question", question("AskUserQuestion", COLOUR, AgentNeed.QUESTION), Decision(Behaviour.ALLOW, "green"), None),
    (
        "question_multi",
        question("AskUserQuestion", BOTH, AgentNeed.QUESTION),
        Decision(Behaviour.ALLOW, options=("S",), chosen=(("S",),)),
        None,
    ),
    ("plan", question("ExitPlanMode", {}, AgentNeed.PLAN), ALLOW, b"1"),
    ("plan", question("ExitPlanMode", {}, AgentNeed.PLAN), DENY, b"2"),
    ("bash", question("Mystery", {}), ALLOW, None),
    ("trust", question("Bash", {"command": "trust"}), ALLOW, None),
    ("ready", question("Bash", {"command": "touch made.txt"}), ALLOW, None),
    ("working", question("Bash", {"command": "sleep 5 x"}), ALLOW, None),
]


@tabled(("name", "asked", "decision", "keys"), KEYS)
def test_a_key_answers_the_question_that_the_screen_shows_and_no_other(name, asked, decision, keys):
    assert CLAUDE.keys_for(screen(name), asked, decision) == keys


@given(st.lists(st.text(max_size=40), max_size=30))
def test_no_screen_raises(lines):
    assert not CLAUDE.is_ready(lines) or CLAUDE.is_idle(lines)
    CLAUDE.dialog(lines)
    assert CLAUDE.keys_for(lines, question("Bash", {"command": "rm -rf x"}), ALLOW) is None
