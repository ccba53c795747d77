"""Qwen on a terminal: how it is started, what its hooks tell, and what its recorded screens show."""

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
    Retry,
    SessionNamed,
    StateGuessed,
    TokenUsage,
    ToolCalled,
    TurnBegan,
    TurnEnded,
)
from overmind_core.providers.base import LaunchRequest
from overmind_core.providers.rpc.qwen import DEFAULTS_VARIABLE, EVENTS, Qwen, merged_defaults
from overmind_core.providers.rpc.qwen_screen import MOST_CHARACTERS, MOST_LINE_ENDS

SCREENS = Path(__file__).parents[2] / "data" / "screens" / "qwen"
QWEN = Qwen()
ALLOW, DENY = Decision(Behaviour.ALLOW), Decision(Behaviour.DENY)
LONG = "\n".join(f"echo {number} >> made" for number in range(60))
FILE = "/home/ada/my-shop/new.txt"
HOOK = ("/usr/bin/python3", "-m", "overmind_core.cli", "hook", "--token", "t")
SESSION = "11111111-1111-4111-8111-111111111111"


def screen(name):
    return (SCREENS / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def command(text):
    return Asked("1", AgentNeed.PERMISSION, "Bash", f"Bash: {text}", {"command": text})


def change(path):
    return Asked("1", AgentNeed.PERMISSION, "Edit", "Edit", {"file_path": path, "content": "x"})


def fetch(url):
    return Asked("1", AgentNeed.PERMISSION, "WebFetch", "WebFetch", {"url": url})


def started(agent=None, *, texts=None, **how):
    agent = agent or Agent(home=AgentMode.INTERACTIVE)
    how = {"resume": False, "hook": HOOK, "texts": texts or {}, **how}
    return QWEN.launch(LaunchRequest(AgentMode.INTERACTIVE, agent, SESSION, **how))


def told(event, **payload):
    return [*QWEN.hook({"hook_event_name": event, "session_id": SESSION, "cwd": "/work", **payload})]


@pytest.mark.parametrize(
    ("name", "idle", "ready", "draft", "interrupted"),
    [
        ("start", True, True, "", False),
        ("answered", True, True, "", False),
        ("working", False, False, "", False),
        ("steered", False, False, "", False),
        ("interrupted", True, False, "%slow 20 hey", True),
        ("refused", True, True, "", True),
        ("refused-long", True, True, "", False),
        ("draft", True, False, "half a tho", True),
        ("shell", True, False, "!", True),
        ("yolo", True, True, "", False),
        ("command", False, False, "", False),
        ("help", False, False, "", False),
    ],
)
def test_its_prompt_is_read(name, idle, ready, draft, interrupted):
    lines = screen(name)
    seen = QWEN.is_idle(lines), QWEN.is_ready(lines), QWEN.draft(lines), QWEN.was_interrupted(lines)
    assert seen == (idle, ready, draft, interrupted)


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("command", command("touch made")),
        ("second", command("touch a2")),
        ("write", change(FILE)),
        ("edit", change(FILE)),
        ("fetch", fetch("http://localhost:1/x")),
        ("long", command(LONG)),
    ],
)
def test_a_dialog_that_shows_the_question_is_answered_by_its_keys(name, question):
    lines = screen(name)
    assert (QWEN.keys_for(lines, question, ALLOW), QWEN.keys_for(lines, question, DENY)) == (b"1", b"\x1b")


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("command", command("made")),
        ("command", command("touch made; rm -r made")),
        ("second", command("touch a1")),
        ("write", change("/home/ada/my-shop/old.txt")),
        ("write", change("/home/ada/my-shop/brand-new.txt")),
        ("write", command("one")),
        ("fetch", fetch("http://localhost:1/y")),
        ("long", command("echo 1")),
        ("long", command("echo 0 >> made")),
        ("question", command("which colour")),
        ("answered", command("hello")),
    ],
)
def test_no_key_is_pressed_in_a_dialog_that_may_be_about_something_else(name, question):
    assert QWEN.keys_for(screen(name), question, ALLOW) is None


def test_a_command_whose_beginning_is_above_the_screen_is_not_answered():
    lines = screen("command")
    at = next(index for index, line in enumerate(lines) if line.startswith("     touch made"))
    assert QWEN.keys_for(lines[at:], command("touch made"), ALLOW) is None


@pytest.mark.parametrize("name", ["command", "write", "question", "long", "fetch"])
def test_a_page_in_the_place_of_the_prompt_is_told(name):
    found = QWEN.dialog(screen(name))
    assert found is not None
    assert (found.need, found.summary.startswith("answer it on its screen: ")) == (AgentNeed.SETUP, True)


def test_its_page_for_a_login_is_known():
    found = QWEN.dialog(screen("login"))
    assert found is not None
    assert (found.need, found.request, found.summary) == (AgentNeed.SETUP, "login", "log in")
    assert not QWEN.is_idle(screen("login"))


@pytest.mark.parametrize("name", ["start", "working", "draft", "interrupted", "help"])
def test_nothing_else_is_a_page(name):
    assert QWEN.dialog(screen(name)) is None


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Qwen - shop", (TurnEnded(None),)),
        ("◐\ufe0e Qwen - shop", (TurnBegan(),)),
        ("✳\ufe0e Qwen - shop", (StateGuessed(ActivityKind.WAITING),)),
        ("", ()),
    ],
)
def test_its_title_tells_its_state(title, expected):
    assert QWEN.title(title) == expected


def test_its_hooks_tell_of_a_turn():
    assert told("SessionStart", source="startup", model="stub") == [SessionNamed(SESSION, "stub"), TurnEnded(None)]
    assert told("SessionStart", source="compact", model="stub") == [SessionNamed(SESSION, "stub")]  # in a turn
    assert told("UserPromptSubmit", prompt="hello", submitted_prompt="hello") == [Echoed("hello")]
    assert told("UserPromptSubmit", prompt="a\nb", submitted_prompt="[Pasted Content 3 chars]") == [Echoed("a\nb")]
    assert told("UserPromptSubmit", prompt="") == []  # the return of a tool
    assert told("UserPromptSubmit", prompt="and quickly") == [TurnBegan()]  # said in the turn
    (ended,) = told("Stop", last_assistant_message="done")
    assert (ended.result.ok, ended.result.text) == (True, "done")
    (failed,) = told("StopFailure", error="authentication_failed", error_details="401 stub error 401")
    assert (failed.result.ok, failed.result.reason, failed.result.retry) == (False, "api_error 401", Retry.NEVER)


def test_a_question_and_the_use_of_its_tool_have_the_same_name():
    use = {"tool_name": "run_shell_command", "tool_input": {"command": "touch made", "description": "x"}}
    (asked,) = told("PermissionRequest", prompt_id="p", **use)
    cancelled, called = told("PreToolUse", tool_use_id="t1", **use)
    assert (asked.need, asked.tool, asked.summary) == (AgentNeed.PERMISSION, "Bash", "Bash: touch made")
    assert cancelled == AskCancelled(asked.request)
    assert isinstance(called, ToolCalled)
    assert (called.call, called.command) == ("t1", "touch made")


def test_a_question_about_a_file_shows_the_change():
    (asked,) = told(
        "PermissionRequest", tool_name="edit", tool_input={"file_path": FILE, "old_string": "two", "new_string": "2"}
    )
    assert (asked.tool, asked.subject) == ("Edit", {"file_path": FILE, "old_string": "two", "new_string": "2"})


def test_a_tool_of_a_server_has_the_name_that_rules_know():
    (asked,) = told("PermissionRequest", tool_name="mcp__shop__add_item", tool_input={"n": 1})
    assert asked.tool == "mcp__shop__add_item"


def question(text, *labels, **more):
    options = [{"label": label, "description": "x"} for label in labels]
    given = {"questions": [{"question": text, "header": "Colour", "options": options, **more}]}
    (asked,) = told("PermissionRequest", tool_name="ask_user_question", tool_input=given)
    return asked


def chosen(*labels):
    return Decision(Behaviour.ALLOW, chosen=(labels,))


def test_a_question_with_one_choice_is_answered_by_its_digit():
    asked = question("which colour", "red", "blue", multiSelect=False)
    assert (asked.need, asked.tool, asked.summary) == (AgentNeed.QUESTION, "AskUserQuestion", "which colour")
    lines = screen("question")
    assert [QWEN.keys_for(lines, asked, chosen(one)) for one in ("red", "blue", "green")] == [b"1", b"2", None]
    assert QWEN.keys_for(lines, asked, DENY) == b"\x1b"


@pytest.mark.parametrize(
    "asked", [("which color", "red", "blue"), ("which colour", "red"), ("which colour", "blue", "red")]
)
def test_no_digit_is_pressed_for_another_question(asked):
    assert QWEN.keys_for(screen("question"), question(*asked), chosen("red")) is None
    assert QWEN.keys_for(screen("command"), question(*asked), chosen("red")) is None


@pytest.mark.parametrize("given", [("which", "red", "blue"), ("which",)])
def test_a_question_that_takes_more_than_a_digit_is_answered_on_its_screen(given):
    asked = question(*given, multiSelect=True)
    assert (asked.need, asked.summary) == (AgentNeed.SETUP, "answer it on its screen: which")


@pytest.mark.parametrize(
    "payload",
    [
        {"hook_event_name": "PermissionRequest", "tool_name": 3, "tool_input": [None]},
        {},
        {"hook_event_name": 5},
        {"hook_event_name": {"a": 1}},
    ],
)
def test_no_event_is_too_odd(payload):
    assert all(fact is not None for fact in QWEN.hook(payload))


def test_it_starts_with_what_it_is_to_be():
    agent = Agent(
        home=AgentMode.INTERACTIVE, model="other", permission_mode="edits", append_system_prompt="Be short.",
        program="/opt/qwen", arguments=("--debug",),
    )  # fmt: skip
    launch = started(agent, notes="the notes", first_prompt="-x")
    assert launch.argv == (
        "/opt/qwen", "--approval-mode", "auto-edit", "--session-id", SESSION, "--model", "other",
        "--append-system-prompt=the notes\n\nBe short.", "--debug", "--prompt-interactive=-x",
    )  # fmt: skip
    assert launch.environment[DEFAULTS_VARIABLE] == "{file:overmind-qwen-defaults}"
    assert started(resume=True).argv[:5] == ("qwen", "--approval-mode", "default", "--resume", SESSION)


def test_its_servers_of_tools_stand_in_a_file_of_their_own():
    config = json.dumps({"mcpServers": {"a": {"command": "srv"}, "b": {"url": "http://x"}}})
    launch = started(
        Agent(home=AgentMode.INTERACTIVE, mcp_config=(config, "more.json")), texts={"more.json": '{"mcpServers": {}}'}
    )
    assert launch.argv[5:7] == ("--mcp-config", "{file:servers}")
    assert json.loads(launch.files["servers"])["mcpServers"]["b"] == {"httpUrl": "http://x", "headers": {}}


def test_its_hooks_are_merged_with_the_defaults_of_the_system():
    look = '"ui": {"theme": "x", /* a note */ "enableUserFeedback": true}'
    theirs = f'\ufeff{{{look}, // url: "http://x"\n "hooks": {{"Stop": [{{"a": 1}}]}}}}'
    launch = started(texts={"/etc/qwen-code/system-defaults.json": theirs})
    merged = json.loads(launch.files["overmind-qwen-defaults"])
    assert (merged["ui"]["theme"], merged["ui"]["enableUserFeedback"]) == ("x", True)
    assert set(merged["hooks"]) == set(EVENTS)
    assert [one.get("a") for one in merged["hooks"]["Stop"]] == [None, 1]
    assert merged["hooks"]["Stop"][0]["hooks"][0]["command"].startswith('test -n "$QWEN_CODE" || /usr/bin/python3 ')


def test_defaults_that_can_not_be_merged_are_named():
    with pytest.raises(ValueError, match=r"^/etc/d\.json can't be read as a JSON object, so hooks can't be added"):
        started(texts={"/etc/d.json": "[1"})


@pytest.mark.parametrize("hooks", ["null", "[]", '{"Stop": null}', '{"Stop": {"a": 1}}'])
def test_no_odd_defaults_take_our_hooks_away(hooks):
    merged = json.loads(merged_defaults(("hook",), {"/d": f'{{"hooks": {hooks}}}'}))
    assert all("hook" in merged["hooks"][event][0]["hooks"][0]["command"] for event in EVENTS)


def test_defaults_without_hooks_are_refused():
    with pytest.raises(ValueError, match=r"^/d has disableAllHooks"):
        merged_defaults((), {"/d": '{"disableAllHooks": true}'})


@pytest.mark.parametrize("odd", ['\\"', "/*a", '"\\', '"a', "//"])
def test_a_large_file_of_defaults_is_read_once(odd):
    with pytest.raises(ValueError, match="can't be read as a JSON object"):
        merged_defaults((), {"/d": "{" + odd * 500_000})


def test_a_mission_in_another_one_has_the_same_defaults_and_not_the_hooks_of_that():
    launch = started(texts={"/own.json": '{"model": {"name": "m"}}'})
    outer = {**launch.environment, DEFAULTS_VARIABLE: "/home/private/1/overmind-qwen-defaults"}
    assert QWEN.reads(Agent(), outer) == ["/own.json"]
    assert QWEN.reads(Agent(), {DEFAULTS_VARIABLE: outer[DEFAULTS_VARIABLE]}) == ["/etc/qwen-code/system-defaults.json"]


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({}, "/etc/qwen-code/system-defaults.json"),
        ({"QWEN_CODE_SYSTEM_SETTINGS_PATH": "/o/s.json"}, "/o/system-defaults.json"),
        ({"QWEN_CODE_SYSTEM_SETTINGS_PATH": "/o/s.json", DEFAULTS_VARIABLE: "/d.json"}, "/d.json"),
    ],
)
def test_the_defaults_are_looked_for_where_it_would_look(environ, path):
    assert QWEN.reads(Agent(mcp_config=("more.json", "{}")), environ) == [path, "more.json"]


def test_arguments_and_modes_that_undo_ours_are_refused_on_a_terminal():
    problem = QWEN.refuse(Agent(home=AgentMode.INTERACTIVE, arguments=("--yolo", "--resume=x"), permission_mode="no"))
    assert problem == (
        "--permission-mode no is not possible with qwen: "
        "ask, edits, read-only, all, default, auto-edit, plan, yolo, auto; "
        "--agent-arg --yolo conflicts with an argument that Overmind sets; "
        "--agent-arg --resume conflicts with an argument that Overmind sets"
    )
    assert QWEN.refuse(Agent(home=AgentMode.INTERACTIVE, permission_mode="auto")) is None


@pytest.mark.parametrize(
    ("resumed", "words"),
    [
        (True, "No saved session found with ID 4444. Run `qwen\n--resume` without"),
        (False, "Error: Session Id 5 already exists (active o\nr archived). Delete"),
    ],
)
def test_a_conversation_that_is_another_than_was_known_is_begun_otherwise(resumed, words):
    verdict = QWEN.verdict(1, None, words, mode=AgentMode.INTERACTIVE, resumed=resumed)
    assert (verdict.failed, verdict.retry) == (True, Retry.SWITCH)
    assert QWEN.verdict(1, None, "", mode=AgentMode.INTERACTIVE, resumed=resumed).retry is not Retry.SWITCH


def test_a_call_of_its_model_is_counted_once_it_is_new():
    event = {
        "event.name": "qwen-code.api_response", "input_token_count": 100, "output_token_count": 7,
        "cached_content_token_count": 3,
    }  # fmt: skip
    line = {"uuid": "u1", "timestamp": "2026-11-30T22:06:33.390Z", "systemPayload": {"uiEvent": event}}
    data = json.dumps(line, separators=(",", ":")).encode()
    assert QWEN.figure(data, 0.0) == ModelCalled("u1", TokenUsage(97, 7, 3), None)
    assert QWEN.figure(data, 2e9) is None
    assert QWEN.figure(b'{"type":"user"}', 0.0) is None


@pytest.mark.parametrize("text", ["/status", " /status now", "exit", "/btw what"])
def test_a_message_that_would_be_a_command_is_typed_as_a_text(text):
    assert not QWEN.is_argument(text)
    assert QWEN.pastes(text) == ["\u200b" + text.lstrip()]


@pytest.mark.parametrize("text", ["/usr/bin/env is there", "// a comment", "exit the loop", "a /status"])
def test_other_messages_stay_as_they_are(text):
    assert QWEN.is_argument(text)
    assert QWEN.pastes(text) == [text]


def test_a_long_message_comes_in_pieces_that_show_what_they_are():
    text = "\n".join(f"line {number} " + "x" * number for number in range(200))
    pieces = QWEN.pastes(text)
    assert "".join(pieces) == text
    assert max(map(len, pieces)) <= MOST_CHARACTERS
    assert max(one.count("\n") for one in pieces) <= MOST_LINE_ENDS
