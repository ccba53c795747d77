"""Codex on a terminal: how it is started, what its hooks tell, and what its recorded screens show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from overmind_core.domain.agents.agent import Agent, AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import (
    AskCancelled,
    Asked,
    Behaviour,
    Decision,
    Echoed,
    ModelCalled,
    NotOpened,
    Owed,
    Retry,
    SessionNamed,
    SessionReady,
    TokenUsage,
    ToolReturned,
    TurnEnded,
)
from overmind_core.domain.agents.conversation import ForkPoint
from overmind_core.providers.base import (
    NO_LOGIN,
    NO_NAME,
    NO_TOOLS,
    NOT_COPIED,
    NOT_THERE,
    SESSION_WORD,
    ConnectionRequest,
    LaunchRequest,
)
from overmind_core.providers.rpc.codex import Codex
from overmind_core.providers.rpc.codex_screen import hook_arguments
from tests.kit.cases import tabled

SCREENS = Path(__file__).parents[2] / "data" / "screens" / "codex"
CODEX = Codex()
ALLOW, DENY = Decision(Behaviour.ALLOW), Decision(Behaviour.DENY)
WRAPPED = "; ".join(["echo a command that needs more than one line of the screen"] * 3)
LONG = "\n".join(f"echo line {number}" for number in range(60))
DEEP = "/home/u/ws/a_rather_long_folder_name/another_rather_long_folder_name/file_with_a_long_name.txt"


def screen(name):
    return (SCREENS / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def command(text):
    return Asked("1", AgentNeed.PERMISSION, "Bash", f"Bash: {text}", {"command": text})


def change(*paths):
    files = [{"file_path": path, "content": "x"} for path in paths]
    return Asked("1", AgentNeed.PERMISSION, "Edit", "Edit", {"files": files} if len(files) > 1 else files[0])


QUESTIONS = [
    ("command", command("touch made")),
    ("command_wrapped", command(WRAPPED)),
    ("command_cut", command(LONG)),
    ("change", change(DEEP, "/home/u/ws/new.txt")),
]


@tabled(("name", "question"), [(name + size, question) for name, question in QUESTIONS for size in ("", "_wide")])
def test_a_dialog_is_answered_by_its_own_keys(name, question):
    shown = screen(name)
    assert CODEX.keys_for(shown, question, ALLOW) == b"y"
    assert CODEX.keys_for(shown, question, Decision(Behaviour.ALWAYS)) == b"y"
    assert CODEX.keys_for(shown, question, DENY) == b"\x1b"


@tabled(
    ("why", "name", "question"),
    [
        ("it asks about less", "command", command("touch made; rm -r x")),
        ("it asks about more", "command_wrapped", command(WRAPPED.partition(";")[0])),
        ("it asks about another one", "command", command("touch mad")),
        ("another beginning", "command_cut", command("echo line 1\n" + LONG)),
        ("more lines than the dialog has", "command_cut", command(LONG + "\n" * 9 + "x")),
        ("one file of two", "change", change("/home/u/ws/new.txt")),
        ("a file of three", "change", change(DEEP, "/home/u/ws/new.txt", "/home/u/ws/other")),
        ("a change, and no command", "change", command("touch made")),
        ("a command, and no change", "command", change("/home/u/ws/made")),
        ("a question without a command", "command", Asked("1", AgentNeed.PERMISSION, "mcp", "mcp", {"title": "x"})),
        ("an answer that quotes a dialog", "quoted", command("touch made")),
        ("no dialog", "done", command("touch made")),
        ("an empty screen", None, command("touch made")),
    ],
)
def test_no_key_answers_what_is_not_on_the_screen(why, name, question):
    del why
    assert CODEX.keys_for([] if name is None else screen(name), question, ALLOW) is None


def test_a_reason_that_looks_like_a_command_is_no_command():
    shown = screen("command")
    at = next(index for index, line in enumerate(shown) if line.startswith("  $ "))
    forged = [*shown[:at], "  Reason: because", "", "  $ ls", *shown[at:]]
    assert CODEX.keys_for(forged, command("ls"), ALLOW) is None
    assert CODEX.keys_for(forged, command("touch made"), ALLOW) is None


@tabled(
    ("name", "idle", "ready", "draft"),
    [
        ("start", True, True, ""),
        ("start_wide", True, True, ""),
        ("done", True, True, ""),
        ("interrupted", True, True, ""),
        ("error", True, True, ""),
        ("quoted", True, True, ""),
        ("working", True, True, ""),  # its text streams: only its report tells that it works
        ("working_draft", False, False, "typed while it works"),
        ("draft", True, False, "a draft of three lines"),
        ("shell", True, False, "!ls"),
        ("completions", True, False, "/status"),
        *((name, False, False, "") for name in ("command", "command_cut", "change", "picker", "tasks")),
        *((name, False, False, "") for name in ("login", "trust", "hooks")),
    ],
)
def test_the_prompt_is_known_with_what_stands_in_it(name, idle, ready, draft):
    shown = screen(name)
    assert (CODEX.is_idle(shown), CODEX.is_ready(shown), CODEX.draft(shown)) == (idle, ready, draft)


@tabled(
    ("name", "dialog"),
    [
        ("trust", ("trust", "trust this folder?")),
        ("hooks", ("hooks", "hooks need review")),
        ("login", ("login", "log in")),
        ("command", ("page", "answer it on its screen: Would you like to run the following command?")),
        *((name, None) for name in ("start", "done", "draft", "quoted", "working", "error", "completions")),
    ],
)
def test_a_page_that_waits_for_a_key_is_a_persons(name, dialog):
    found = CODEX.dialog(screen(name))
    assert (None if found is None else (found.request, found.summary)) == dialog
    assert found is None or found.need is AgentNeed.SETUP


def test_the_end_of_a_turn_stands_above_the_prompt():
    assert [CODEX.was_interrupted(screen(name)) for name in ("interrupted", "done", "error")] == [True, False, False]
    failed = CODEX.failure(screen("error"))
    assert failed is not None
    assert (failed.ok, failed.reason) == (False, "api_error 429")
    assert "429 Too Many Requests" in failed.text
    assert [CODEX.failure(screen(name)) for name in ("interrupted", "done", "quoted", "command")] == [None] * 4


def test_a_message_is_no_command_and_opens_no_list():
    assert CODEX.pastes("!rm -r x") == (" !rm -r x ",)
    assert (CODEX.is_argument("!ls"), CODEX.is_argument(" !ls"), CODEX.is_argument("/status")) == (False, False, True)


@tabled(
    ("why", "text", "folded"),
    [
        ("one line", "hello", False),
        ("an empty line", "first\n\nsecond", True),
        ("many lines", "\n".join(f"line {number}" for number in range(14)), True),
        ("a line that wraps into many", "word " * 150, True),
        ("wide characters", "\u8a9e" * 200, True),
        ("long by itself", "x\r\n" * 700, True),
        ("blanks behind it would be sent", "!ls\n\nls", False),
        ("four rows behind a mark", "!" + "ls\n" * 4, False),
        ("blanks are sent rather than nothing", "!" + "ls\n" * 5, True),
        ("the same where it wraps", "!" + "word " * 70, True),
    ],
)
def test_what_its_prompt_may_not_show_whole_is_pasted_so_that_it_shows_the_length(why, text, folded):
    (piece,) = CODEX.pastes(text)
    assert piece.split() == text.split(), why
    assert (len(piece) > 1000) is folded, why
    assert CODEX.draft_of(text) == (f"[Pasted Content {len(piece)} chars]" if folded else text)


def test_the_length_tells_one_message_from_another():
    assert CODEX.draft_of("first\n\nsecond") != CODEX.draft_of("first\n\nsecond?")


@tabled(
    ("below", "draft"),
    [
        (("", "  second"), "first  second"),
        (("  one", "", "", "  x \u00b7 y"), "first one   x \u00b7 y"),
        (("", "\u2022 an answer", ""), None),
    ],
)
def test_a_draft_may_have_empty_lines(below, draft):
    shown = ["\u203a first", *below, "", "  stub default \u00b7 ~/ws \u00b7 one", "  ? for shortcuts"]
    assert (CODEX.is_idle(shown), CODEX.draft(shown)) == (draft is not None, draft or "")


# hooks


def event(name, **fields):
    return CODEX.hook({"hook_event_name": name, "session_id": "s1", "turn_id": "t1", "cwd": "/w", **fields})


def tool(name, **fields):
    return event(name, tool_name="Bash", tool_input={"command": "touch made"}, tool_use_id="c1", **fields)


def test_hooks_tell_of_a_turn_from_its_prompt_to_its_end():
    assert event("SessionStart", source="opened", permission_mode="ask", model="m") == (
        SessionNamed("s1", "m", "ask", begins=True),
    )
    assert event("SessionStart", source="resume", permission_mode="default") == (SessionNamed("s1", begins=True),)
    assert event("SessionStart", source="clear", permission_mode="default") == (SessionNamed("s1"),)
    assert event("UserPromptSubmit", prompt="hello") == (SessionNamed("s1"), Echoed("hello"))
    (called,) = tool("PreToolUse")
    assert (called.call, called.summary, called.command) == ("c1", "Bash: touch made", "touch made")
    (asked,) = tool("PermissionRequest")
    assert asked[1:5] == (AgentNeed.PERMISSION, "Bash", "Bash: touch made", {"command": "touch made"})
    gone, returned = tool("PostToolUse", tool_response="ok")
    assert gone == AskCancelled(asked.request)
    assert isinstance(returned, ToolReturned)
    (ended,) = event("Stop", last_assistant_message="done")
    assert (ended.result.ok, ended.result.text) == (True, "done")
    assert CODEX.parse(json.dumps(ended.result.raw).encode()) == (TurnEnded(ended.result),)
    (stopped,) = event("Interrupt")
    assert stopped.result.interrupted


@pytest.mark.parametrize("broken", [{}, {"hook_event_name": 1}, {"hook_event_name": "Other"}])
def test_an_unknown_event_tells_nothing(broken):
    assert CODEX.hook(broken) == ()


@pytest.mark.parametrize("name", ["SessionStart", "UserPromptSubmit", "PreToolUse", "PermissionRequest", "PostToolUse"])
def test_an_event_without_its_fields_raises_nothing(name):
    CODEX.hook({"hook_event_name": name, "tool_name": 1, "tool_input": "x", "cwd": None})
    CODEX.hook({"hook_event_name": name, "tool_name": "apply_patch", "tool_input": {"command": "*** Add File: "}})


def test_the_same_command_of_another_turn_is_another_question():
    (first,), (second,) = tool("PermissionRequest"), tool("PermissionRequest", turn_id="t2")
    assert first.request != second.request


def test_a_patch_is_asked_about_in_the_words_of_the_pipes():
    patch = "\n".join(
        (
            *("*** Begin Patch", "*** Add File: new.txt", "+hello", "+world"),
            *("*** Update File: old.txt", "*** Move to: moved.txt", "@@", " a", "-b", "+B"),
            *("*** Delete File: /gone.txt", "*** End Patch"),
        )
    )
    (asked,) = event("PermissionRequest", tool_name="apply_patch", tool_input={"command": patch})
    assert asked.tool == "Edit"
    files = asked.subject["files"]
    assert files[0] == {"file_path": "/w/new.txt", "content": "hello\nworld\n"}
    assert (files[1]["old_string"], files[1]["new_string"]) == ("a\nb\n", "a\nB\n")
    named = {one if isinstance(one, str) else one["file_path"] for one in files}
    assert named == {"/w/new.txt", "/w/old.txt", "/w/moved.txt", "/gone.txt"}


def test_a_rule_answers_its_hook():
    (asked,) = tool("PermissionRequest")
    answers = [CODEX.hook_answer(asked, one) or {} for one in (ALLOW, DENY)]
    told = [one["hookSpecificOutput"]["decision"] for one in answers]
    assert [one["behavior"] for one in told] == ["allow", "deny"]
    assert told[1]["message"]


def test_a_line_of_its_rollout_tells_what_a_call_has_used():
    used = {"input_tokens": 10, "cached_input_tokens": 3, "output_tokens": 7, "cache_write_input_tokens": 0}
    payload = {"type": "token_count", "info": {"last_token_usage": used}}
    line = json.dumps({"timestamp": "2026-11-30T19:14:56.966Z", "ordinal": 20, "payload": payload}).encode()
    assert CODEX.figure(line, 0.0) == ModelCalled("2026-11-30T19:14:56.966Z 20", TokenUsage(7, 7, 3, 0), None)
    assert CODEX.figure(line, 4e9) is None
    for other in (b"{", b'{"payload":{"type":"token_count","info":null}}', b'"token_count"', b'{"payload":[]}'):
        assert CODEX.figure(other, 0.0) is None


# how it is started


def launch(**fields):
    agent = Agent(home=AgentMode.INTERACTIVE, arguments=("-c", "a=1", "--search"), model="m")
    start = LaunchRequest(AgentMode.INTERACTIVE, agent, "s1", resume=False, hook=("hook",), opener=("open",), **fields)
    found = CODEX.launch(start)
    return found, json.loads(found.files["opening"])


def test_the_opener_opens_a_thread_that_asks_and_the_screen_goes_on_with_it():
    found, plan = launch(first_prompt="--hello")
    assert found.argv == ("open", "{file:opening}")
    assert found.stdin is None
    assert plan["server"] == ["codex", "app-server", "-c", "a=1"]
    screen = plan["screen"]
    assert screen[:4] == ["codex", "resume", SESSION_WORD, "--no-daemon"]
    assert screen[-7:] == ["--model", "m", "-c", "a=1", "--search", "--", "--hello"]
    opening = [json.loads(line) for line in plan["opening"].splitlines()]
    assert opening[-1]["params"]["approvalPolicy"] == "untrusted"


def test_the_opener_knows_what_is_to_be_copied():
    point = ForkPoint("s0", "t1", "m", 2)
    assert ForkPoint(*launch(fork=point)[1]["fork"]) == point
    assert launch()[1]["fork"] is None


def test_only_our_hooks_are_trusted():
    words = [*hook_arguments(["/opt/hook.sh"])]
    assert "--dangerously-bypass-hook-trust" not in words
    stop = next(word for word in words if word.startswith("hooks.Stop="))
    assert stop == 'hooks.Stop=[{hooks=[{type="command",command="/opt/hook.sh",timeout=10}]}]'
    # As `hooks/list` of codex 0.171.0 told it of these very hooks.
    known = {
        "stop": "sha256:5c30d88d52a96ca16821e1ac2dc72ef942f1bbd5ac4bc5edd6f589f31b1eb85e",
        "interrupt": "sha256:98b2bfd7fac91daf3518a5bfdfe1fa51b1012d3d9c406ec55f2498e1ebc347ee",
    }
    for name, trusted in known.items():
        assert f'"/<session-flags>/config.toml:{name}:0:0"={{trusted_hash="{trusted}"}}' in words[-1]


@pytest.mark.parametrize(
    "words",
    [
        ("-c", "approval_policy=never"),
        ('--config=sandbox_mode="danger-full-access"',),
        ("-capproval_policy=never",),
        ("-c", "hooks.Stop=[]"),
        ("-anever",),
        ("--yolo",),
        ("--sandbox", "read-only"),
    ],
)
def test_arguments_that_would_have_it_ask_less_are_refused(words):
    assert CODEX.refuse(Agent(home=AgentMode.INTERACTIVE, arguments=words))
    assert CODEX.refuse(Agent(home=AgentMode.INTERACTIVE, arguments=("-c", "model_verbosity=low"))) is None


def opened(*, resume=False, reply=None):
    agent = Agent(home=AgentMode.INTERACTIVE)
    connection = CODEX.connect(ConnectionRequest(AgentMode.INTERACTIVE, agent, "s1", resume, "/w"))
    replies = [{"id": "open", "result": {}}, {"id": "account", "result": {}}]
    replies.append(reply or {"id": "session", "result": {"thread": {"id": "t1"}}})
    facts = [fact for one in replies for fact in connection.parse(json.dumps(one).encode())]
    return connection, facts


def test_a_new_thread_is_stored_before_its_screen_goes_on_with_it():
    connection, facts = opened()
    assert [type(fact) for fact in facts] == [SessionNamed, Owed]
    assert json.loads(facts[1].data)["method"] == "thread/inject_items"
    assert connection.parse(b'{"id":"noted","result":{}}') == (SessionReady(),)
    (refused,) = connection.parse(b'{"id":"noted","error":{"code":1,"message":"no"}}') or (None,)
    assert refused is None  # it was answered


def test_a_thread_that_is_there_needs_nothing():
    assert [type(fact) for fact in opened(resume=True)[1]] == [SessionNamed, SessionReady]


def test_a_thread_that_is_gone_is_begun_anew():
    gone = {"id": "session", "error": {"code": -32600, "message": "no rollout found for thread id s1"}}
    (told,) = opened(resume=True, reply=gone)[1]
    assert isinstance(told, NotOpened)
    assert told.result.retry is Retry.SWITCH


@tabled(
    ("code", "failed", "reason", "retry"),
    [
        (0, False, None, Retry.POLICY),
        (1, True, None, Retry.POLICY),
        (2, True, "usage_error", Retry.NEVER),
        (NO_LOGIN, True, "not_logged_in", Retry.NEVER),
        (NOT_THERE, True, "wrong_start", Retry.SWITCH),
        (NOT_COPIED, True, "wrong_start", Retry.NEVER),
        (NO_NAME, True, "no_conversation", Retry.NEVER),
        (NO_TOOLS, True, "mcp_config", Retry.NEVER),
    ],
)
def test_the_end_of_a_run_on_a_terminal_is_judged(code, failed, reason, retry):
    found = CODEX.verdict(code, None, "", mode=AgentMode.INTERACTIVE, resumed=True)
    assert (found.failed, found.reason, found.retry) == (failed, reason, retry)
