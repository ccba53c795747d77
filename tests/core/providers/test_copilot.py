"""Copilot on a terminal: how it is started, what its recorded hooks tell, and what its recorded screens show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from overmind_core.domain.agents.agent import ActivityKind, Agent, AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import (
    AskCancelled,
    Asked,
    Behaviour,
    Decision,
    Echoed,
    ModelCalled,
    ProgramLeft,
    Retry,
    SessionNamed,
    StateGuessed,
    TextSpoken,
    TokenUsage,
    ToolCalled,
    ToolReturned,
    TurnBegan,
    TurnEnded,
)
from overmind_core.providers.base import LaunchRequest
from overmind_core.providers.rpc.copilot import EVENTS, Copilot

DATA = Path(__file__).parents[2] / "data"
COPILOT = Copilot()
ALLOW, DENY = Decision(Behaviour.ALLOW), Decision(Behaviour.DENY)
LONG = "\n".join(f"echo {number} >> made" for number in range(60))
FILE = "/home/ada/my-shop/new.txt"
HOOK = ("/usr/bin/python3", "-m", "overmind_core.cli", "hook", "--token", "t")
SESSION = "11111111-1111-4111-8111-111111111111"
LINES_AT_MOST = 10


def screen(name):
    return (DATA / "screens" / "copilot" / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def plain(lines):
    """The same on a terminal that tells no colours."""
    swapped = [line.replace("┃ ", "❯ ", 1) if line.startswith("┃") else line for line in lines]
    swapped = ["❯" if line == "┃" else line for line in swapped]
    return ["─" * len(line) if line.startswith(("╻", "╹")) else line for line in swapped]


def command(text):
    return Asked("1", AgentNeed.PERMISSION, "Bash", f"Bash: {text}", {"command": text})


def change(path):
    return Asked("1", AgentNeed.PERMISSION, "Edit", "Edit", {"file_path": path, "content": "x"})


def started(agent=None, **how):
    agent = agent or Agent(home=AgentMode.INTERACTIVE)
    how = {"resume": False, "hook": HOOK, **how}
    return COPILOT.launch(LaunchRequest(AgentMode.INTERACTIVE, agent, SESSION, **how))


def told(event, **payload):
    return [*COPILOT.hook({"hook_event_name": event, **payload})]


def recorded():
    """The facts of the recorded hooks, event by event."""
    lines = (DATA / "hooks" / "copilot.jsonl").read_text(encoding="utf-8").splitlines()
    return [[*COPILOT.hook(json.loads(line))] for line in lines]


@pytest.mark.parametrize("look", [list, plain])
@pytest.mark.parametrize(
    ("name", "state", "ready", "draft", "interrupted"),
    [
        ("start", "idle", True, "", False),
        ("answered", "idle", True, "", False),
        ("working", "working", False, "", False),
        ("draft", "idle", False, "half a tho", True),
        ("taken-back", "idle", False, "%sleep 60 hey", True),
        ("interrupted", "idle", True, "", True),
        ("failed", "failed", True, "", False),
        ("command", "waiting", False, "", False),
        ("question", "waiting", False, "", False),
        ("trust", "waiting", False, "", False),
    ],
)
def test_its_screen_is_read(name, state, ready, draft, interrupted, look):
    lines = look(screen(name))
    seen = COPILOT.state_shown(lines), COPILOT.is_ready(lines), COPILOT.draft(lines), COPILOT.was_interrupted(lines)
    assert seen == (state, ready, draft, interrupted)
    assert COPILOT.is_idle(lines) == (state in {"idle", "failed"})


def test_a_tool_that_was_aborted_is_interrupted_before_the_screen_says_that_the_turn_is():
    lines = [line for line in screen("interrupted") if "Operation cancelled by user" not in line]
    assert COPILOT.was_interrupted(lines)
    assert not COPILOT.was_interrupted(screen("failed"))


def test_an_empty_screen_tells_nothing():
    assert (COPILOT.state_shown([]), COPILOT.dialog([]), COPILOT.draft([])) == ("", None, "")
    assert COPILOT.title("") == ()


@pytest.mark.parametrize(
    ("state", "fact"),
    [
        ("idle", TurnEnded(None)),
        ("working", TurnBegan()),
        ("waiting", StateGuessed(ActivityKind.WAITING)),
        ("failed", TurnEnded(None, "failed")),
    ],
)
def test_a_state_that_is_shown_counts_as_a_title(state, fact):
    assert COPILOT.title(state) == (fact,)


def test_the_error_above_its_prompt_is_the_reason():
    found = COPILOT.failure(screen("failed"))
    assert found is not None
    assert (found.reason, found.retry) == ("not_logged_in", Retry.NEVER)
    assert found.text.endswith("Check your COPILOT_PROVIDER_API_KEY, COPILOT_PROVIDER_API_KEY_COMMAND, or "
                               "COPILOT_PROVIDER_BEARER_TOKEN.")  # fmt: skip
    assert COPILOT.failure(screen("answered")) is None


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("command", command("touch made")),
        ("write", change(FILE)),
        ("edit", change(FILE)),
        ("long", command(LONG)),
    ],
)
def test_a_dialog_that_shows_the_question_is_answered_by_its_keys(name, question):
    lines = screen(name)
    assert (COPILOT.keys_for(lines, question, ALLOW), COPILOT.keys_for(lines, question, DENY)) == (b"1", b"\x1b")


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("command", command("made")),
        ("command", command("rm -r x; touch made")),
        ("command", command("touch made; rm -r made")),
        ("write", change("/home/ada/my-shop/old.txt")),
        ("write", change("my-shop/new.txt")),
        ("write", command("one")),
        ("long", command("echo 59")),
        ("long", command(f"{LONG}\necho 60 >> made")),
        ("question", command("which colour")),
        ("trust", command("/home/ada/my-shop")),
        ("answered", command("hello")),
    ],
)
def test_no_key_is_pressed_in_a_dialog_that_may_be_about_something_else(name, question):
    assert COPILOT.keys_for(screen(name), question, ALLOW) is None


@pytest.mark.parametrize(
    ("name", "request_", "summary"),
    [
        ("trust", "trust", "trust this folder?"),
        ("command", "page", "answer it on its screen: Do you want to run this command?"),
        ("question", "page", "answer it on its screen: Copilot needs information."),
    ],
)
def test_a_page_in_the_place_of_the_prompt_is_told(name, request_, summary):
    found = COPILOT.dialog(screen(name))
    assert found is not None
    assert (found.need, found.request, found.summary) == (AgentNeed.SETUP, request_, summary)


def test_its_hooks_tell_of_a_turn():
    start, prompt, before, asked, after, ended, *_ = recorded()
    assert start == [SessionNamed("11111111-2222-4333-8444-555555555577")]
    assert prompt == [Echoed("%bash touch made")]
    assert isinstance(before[0], ToolCalled)
    assert (before[0].command, before[0].runs) == ("touch made", True)
    (question,) = asked
    assert (question.need, question.tool, question.summary) == (AgentNeed.PERMISSION, "Bash", "Bash: touch made")
    assert after[0] == AskCancelled(question.request)
    assert isinstance(after[1], ToolReturned)
    assert (after[1].call, after[1].failed) == (before[0].call, False)
    assert (ended[0].result.ok, ended[0].result.raw) == (True, {"status": "completed"})
    assert recorded()[-1] == [ProgramLeft("user_exit")]


def test_a_question_about_a_file_shows_the_change_and_has_the_name_of_its_tools_end():
    write, edit = [one[0] for one in recorded() if one and isinstance(one[0], Asked)][1:]
    assert (write.tool, write.subject) == ("Edit", {"file_path": FILE, "content": "one\ntwo\n"})
    assert (edit.subject["old_string"], edit.subject["new_string"]) == ("one\ntwo\n\n", "three\ntwo\n\n")
    ends = [one[0] for one in recorded() if one and isinstance(one[0], AskCancelled)]
    assert [one.request for one in ends[1:3]] == [write.request, edit.request]


def test_a_tool_that_failed_has_failed():
    (failed,) = [one[1] for one in recorded() if len(one) > 1 and isinstance(one[1], ToolReturned) and one[1].failed]
    assert failed.digest


def test_a_question_of_its_own_is_for_its_screen():
    use = {"tool_name": "AskUserQuestion", "tool_input": {"message": "which colour"}}
    (asked,) = told("PreToolUse", **use)
    assert (asked.need, asked.summary) == (AgentNeed.SETUP, "answer it on its screen: which colour")
    cancelled, _ = told("PostToolUse", **use)
    assert cancelled == AskCancelled(asked.request)


@pytest.mark.parametrize(
    "payload",
    [
        {"hookName": "permissionRequest", "toolName": 3, "toolInput": [None]},
        {"hookName": "permissionRequest", "toolName": "edit", "toolInput": {"diff": "\n@@", "file_path": 5}},
        {},
        {"hook_event_name": 5},
        {"hook_event_name": {"a": 1}},
    ],
)
def test_no_event_is_too_odd(payload):
    assert all(fact is not None for fact in COPILOT.hook(payload))


def line(kind, at="2026-12-01T02:00:00Z", **data):
    return json.dumps({"type": kind, "data": data, "id": "e1", "timestamp": at}).encode()


def test_the_file_of_its_conversation_tells_tokens_and_what_was_said():
    usage = {"inputTokens": 100, "cacheReadTokens": 40, "outputTokens": 7}
    called = COPILOT.figure(line("session.usage_record", usage=usage), 0.0)
    assert called == ModelCalled("e1", TokenUsage(60, 7, 40), None)
    assert COPILOT.figure(line("assistant.message", content="done"), 0.0) == TextSpoken("done")
    assert COPILOT.figure(line("assistant.message", content="done", parentToolCallId="c"), 0.0) is None
    assert COPILOT.figure(line("assistant.message", content="I look", toolRequests=[{}]), 0.0) is None
    assert COPILOT.figure(line("assistant.message", content="done"), 2e9) is None
    assert COPILOT.figure(b'{"type": "assistant.message", "data": 5', 0.0) is None
    path = f"/home/ada/.copilot/session-state/{SESSION}/events.jsonl"
    assert COPILOT.conversation_path({"session_id": SESSION, "transcript_path": path}) == path
    assert COPILOT.conversation_path({"session_id": SESSION, "transcript_path": "/etc/passwd"}) is None


def test_a_rule_answers_in_its_words():
    asked = command("touch made")
    assert COPILOT.hook_answer(asked, ALLOW) == {"behavior": "allow"}
    answer = COPILOT.hook_answer(asked, Decision(Behaviour.DENY, "use make"))
    assert answer == {"behavior": "deny", "message": "use make"}


def test_it_starts_with_what_it_is_to_be():
    agent = Agent(
        home=AgentMode.INTERACTIVE, model="other", permission_mode="edits", append_system_prompt="Be short.",
        program="/opt/copilot", arguments=("--no-color",),
    )  # fmt: skip
    launch = started(agent, notes="the notes", first_prompt="-x")
    assert launch.argv == (
        "/opt/copilot", "--model", "other", "--no-color", "--allow-tool=write", "--plugin-dir", "{file:copilot}",
        f"--session-id={SESSION}", "--interactive=-x",
    )  # fmt: skip
    assert launch.environment["COPILOT_ALLOW_ALL"] == "false"
    assert json.loads(launch.files["copilot/context.json"]) == {"additionalContext": "the notes\n\nBe short."}
    assert started(resume=True).argv[-1] == f"--resume={SESSION}"
    assert "--mode=plan" in started(Agent(home=AgentMode.INTERACTIVE, permission_mode="read-only")).argv


def test_each_event_calls_a_hook_that_never_fails():
    hooks = json.loads(started().files["copilot/plugin.json"])["hooks"]
    assert set(hooks) == set(EVENTS)
    commands = {one["hooks"][0]["command"] for event in hooks.values() for one in event}
    assert commands == {"/usr/bin/python3 -m overmind_core.cli hook --token t || true"}


def test_a_repository_that_turns_hooks_off_is_refused_before_anything_starts():
    (name, _) = COPILOT.reads(Agent(), {})
    with pytest.raises(ValueError, match=r"^\.github/copilot/settings\.json has disableAllHooks"):
        started(texts={name: '{"disableAllHooks" : true}'})
    assert started(texts={name: '{"disableAllHooks": false}'}).argv


def test_more_instructions_than_a_hook_can_print_are_refused():
    with pytest.raises(ValueError, match="more than 100 KB"):
        started(notes="x" * 100_001)


def test_arguments_and_modes_that_undo_ours_are_refused_on_a_terminal():
    problem = COPILOT.refuse(
        Agent(home=AgentMode.INTERACTIVE, arguments=("--plan", "--resume=x"), permission_mode="no")
    )
    assert problem == (
        "--agent-arg --plan conflicts with an argument that Overmind sets; "
        "--agent-arg --resume=x conflicts with an argument that Overmind sets; "
        "--permission-mode no is not possible with copilot: ask, edits, read-only, all"
    )
    assert COPILOT.refuse(Agent(home=AgentMode.INTERACTIVE, permission_mode="edits")) is None
    assert COPILOT.refuse(Agent(home=AgentMode.INTERACTIVE, arguments=("--no-color", "-no-such"))) is None


@pytest.mark.parametrize("argument", ["--allow-all", "--yolo", "--allow-tool=shell", "--agent=x", "-iprompt", "-rID"])
def test_an_argument_that_asks_less_or_says_more_is_refused(argument):
    assert COPILOT.refuse(Agent(home=AgentMode.INTERACTIVE, arguments=(argument,)))
    asks_less = argument.startswith(("--allow", "--yolo"))
    assert bool(COPILOT.refuse(Agent(home=AgentMode.HEADLESS, arguments=(argument,)))) == asks_less


@pytest.mark.parametrize(
    ("resumed", "words", "reason"),
    [
        (True, "Error: No session, task, or name\n matched 'x'.", "wrong_start"),
        (False, "Error: No session, task, or name matched 'x'.", None),
        (True, "Error: something else", None),
    ],
)
def test_a_conversation_that_is_gone_is_told(resumed, words, reason):
    verdict = COPILOT.verdict(1, None, words, mode=AgentMode.INTERACTIVE, resumed=resumed)
    assert (verdict.failed, verdict.reason) == (True, reason)


@pytest.mark.parametrize(("text", "is_argument"), [("hello", True), (" !ls", False), ("/x", False), ("Exit ", False)])
def test_a_command_is_no_message_of_a_persons(text, is_argument):
    assert COPILOT.is_argument(text) is is_argument
    (piece,) = COPILOT.pastes(text)
    assert piece == (f"{text} " if is_argument else f"\u200b{text} ")


@pytest.mark.parametrize(
    "text", ["one\n" * LINES_AT_MOST, "word " * 500, "\u8a9e" * 1000], ids=["tall", "wrapped", "wide"]
)
def test_a_text_that_the_screen_may_not_show_whole_has_a_line_that_stands_for_it(text):
    (piece,) = COPILOT.pastes(text)
    assert piece.strip() == text.strip()
    lines = piece.count("\n") + 1
    assert lines > LINES_AT_MOST
    shown = [line.replace("half a tho", f"[Paste #3 - {lines} lines]") for line in screen("draft")]
    assert COPILOT.draft(shown) == COPILOT.draft_of(text) != text
