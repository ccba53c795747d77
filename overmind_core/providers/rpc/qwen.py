"""A `qwen` on a terminal: how it is started there, and what its hooks tell. Pure.

Its hooks speak Claude's dialect, and are handed over as system defaults, which all settings of a person's go before. A
hook that is held hides the dialog, so ours returns at once, and the dialog's own keys answer, while the whole of what
was asked stands on the screen. Found by experiment with 0.24.4.
"""

from __future__ import annotations

import json
import posixpath
import re
import shlex
import sys
from typing import TYPE_CHECKING, Any

from overmind_core.domain.agents.agent import ActivityKind, Agent, AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import (
    AgentFact,
    AskCancelled,
    Asked,
    Decision,
    Echoed,
    ModelCalled,
    ProgramLeft,
    Retry,
    RunVerdict,
    SessionNamed,
    StateGuessed,
    TokenUsage,
    ToolReturned,
    TurnBegan,
    TurnEnded,
    TurnResult,
)
from overmind_core.providers.base import Launch
from overmind_core.providers.lines import (
    Object,
    count_at,
    digest,
    list_at,
    moment,
    object_at,
    objects_at,
    one_line,
    read_object,
    text_at,
)
from overmind_core.providers.rpc import qwen_screen as screen
from overmind_core.providers.rpc import rows
from overmind_core.providers.rpc.codex_screen import hook_answer
from overmind_core.providers.rpc.engine import FINAL, WRONG_START, reason_of
from overmind_core.providers.rpc.mcp import HTTP, STDIO, is_json, read_servers
from overmind_core.providers.rpc.provider import AcpProvider
from overmind_core.providers.rpc.tools import MCP, MCP_BEGINS, Tool, tool_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from overmind_core.providers.base import LaunchRequest
    from overmind_core.providers.rpc.mcp import McpServer

# how it is started

DEFAULTS_VARIABLE, SETTINGS_VARIABLE = "QWEN_CODE_SYSTEM_DEFAULTS_PATH", "QWEN_CODE_SYSTEM_SETTINGS_PATH"
"""Where the system's defaults and its settings are; by itself the defaults lie beside the settings."""
_FOLDER = "/Library/Application Support/QwenCode" if sys.platform == "darwin" else "/etc/qwen-code"
_DEFAULTS = "system-defaults.json"
_OURS = "overmind-qwen-defaults"
"""The name of the file of a mission."""
THEIRS_VARIABLE = "OVERMIND_QWEN_DEFAULTS"
"""Where those are that ours were merged with."""
INSIDE = "QWEN_CODE"
"""Set for what its tools run: hooks of another one that is started there are none of ours."""
EVENTS = (
    "SessionStart",
    "UserPromptSubmit",
    "PermissionRequest",
    "PreToolUse",
    "PostToolUse",
    "PostToolUseFailure",
    "Stop",
    "StopFailure",
    "SessionEnd",
)
"""The events that call our hook. That of its idle prompt comes late, sometimes in the next turn."""
HOOK_SECONDS = 10
"""Seconds that our hook may take."""
LOOKS: Mapping[str, Any] = {
    "general": {"language": "en"},
    "ui": {"enableFollowupSuggestions": False, "enableUserFeedback": False},
}
"""Looks that its screen needs to be read: words that are known, and a prompt with nothing in it but typed text.
A person's own settings go before."""
OURS = frozenset({"--session-id", "-r", "--resume", "-c", "--continue", "--fork-session", "--worktree", "--"}) | {
    *("-i", "--prompt-interactive", "-p", "--prompt", "--acp", "--experimental-acp", "--input-format"),
    *("-o", "--output-format", "--json-schema", "--approval-mode", "-y", "--yolo", "--bare", "--safe-mode"),
    *("--chat-recording", "--no-chat-recording", "--screen-reader", "-l", "--list-extensions"),
    *("-h", "--help", "-v", "--version"),
}
"""Arguments that would undo ours on a terminal."""
LONGEST_ARGUMENT = 100_000
"""Bytes of its instructions; Linux takes 128 KiB for one argument."""
_PLAIN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
"""A text in JSON, or a comment between two; one without an end goes on to that of the file, so that each is read once.
"""


def defaults_path(environ: Mapping[str, str]) -> str:
    """The file with the system's defaults that a program in this environment reads.

    A mission that is started within another one inherits the variable, and what that names calls the hooks of another.
    """
    settings = environ.get(SETTINGS_VARIABLE) or f"{_FOLDER}/settings.json"
    named = environ.get(DEFAULTS_VARIABLE, "")
    if named.endswith(f"/{_OURS}"):
        named = environ.get(THEIRS_VARIABLE, "")
    return named or f"{settings.rpartition('/')[0] or '.'}/{_DEFAULTS}"


def merged_defaults(hook: Sequence[str], theirs: Mapping[str, str]) -> str:
    """Our hooks, and the looks that we need, in one with the defaults that are there, which go before.

    Raises:
        ValueError: These can't be read; the text names their file.
    """
    handler = {"type": "command", "command": f'test -n "${INSIDE}" || {shlex.join(hook)}', "timeout": HOOK_SECONDS}
    merged: dict[str, Any] = {**LOOKS}
    for path, text in theirs.items():
        found = read_object(_PLAIN.sub(_uncommented, text.removeprefix("\ufeff")).encode("utf-8", "replace"))
        if isinstance(found, str):
            raise ValueError(  # noqa: TRY004 - as all that is wrong with a file
                f"{path} can't be read as a JSON object, so hooks can't be added to it. Correct it, or remove it."
            )
        if found.get("disableAllHooks") is True:
            raise ValueError(
                f"{path} has disableAllHooks, but a qwen on its screen tells all by hooks. Remove it there."
            )
        merged = _merged(merged, found)
    hooks = object_at(merged, "hooks")
    merged["hooks"] = {**hooks, **{event: [{"hooks": [handler]}, *list_at(hooks, event)] for event in EVENTS}}
    return json.dumps(merged)


def _uncommented(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith('"') else " "


def _merged(first: Object, second: Object) -> dict[str, Any]:
    """Both in one: objects key by key, lists one behind the other, else `second` wins."""
    both: dict[str, Any] = dict(first)
    for key, value in second.items():
        if isinstance(value, dict):
            both[key] = _merged(object_at(first, key), value)
        elif isinstance(value, list):
            both[key] = [*list_at(first, key), *value]
        else:
            both[key] = value
    return both


def _server(server: McpServer) -> dict[str, Any]:
    """A server of tools as its settings have it."""
    if server.kind == STDIO:
        return {"command": server.command, "args": [*server.arguments], "env": dict(server.environment)}
    return {"httpUrl" if server.kind == HTTP else "url": server.url, "headers": dict(server.headers)}


# what its hooks tell

_PLACEHOLDER = "[Pasted Content "
"""Stands in what was submitted for a long text, which the prompt holds."""
_ASKS = "ask_user_question"
_DIALOGS: Mapping[str, str] = {_ASKS: "a question", "exit_plan_mode": "its plan"}
"""Tools that are a dialog themselves → what that is about: only its screen takes the answer, but for one choice."""
_QUESTION = "AskUserQuestion"
"""The name under which people and rules know the first."""
_KINDS: Mapping[str, str] = {
    "run_shell_command": "execute",
    "write_file": "edit",
    "edit": "edit",
    "read_file": "read",
    "web_fetch": "fetch",
}
"""Its tools → their kinds, as its pipes tell them."""


def _session_start(payload: Object) -> Iterator[AgentFact]:
    """The conversation, also that of a copy; as its program begins, it takes messages from then on."""
    source = text_at(payload, "source")
    if session := text_at(payload, "session_id"):
        yield SessionNamed(session, text_at(payload, "model") or None, begins=source == "resume")
    if source in {"startup", "resume"}:
        yield TurnEnded(None)


def _prompt(payload: Object) -> Iterator[AgentFact]:
    """A person has submitted this; else it goes to the model in a turn: a tool's return, and words said to it."""
    prompt, submitted = text_at(payload, "prompt"), text_at(payload, "submitted_prompt")
    if submitted:
        yield Echoed(prompt if _PLACEHOLDER in submitted else submitted)
    elif prompt:
        yield TurnBegan()


def _permission(payload: Object) -> Iterator[AgentFact]:
    name, given = text_at(payload, "tool_name"), object_at(payload, "tool_input")
    if name in _DIALOGS:
        asked = [text_at(one, "question") for one in objects_at(given, "questions")]
        what = one_line(" ".join(asked) or text_at(given, "plan")) or _DIALOGS[name]
        if name == _ASKS and screen.labels_of(given):
            yield Asked(_request_of(payload), AgentNeed.QUESTION, _QUESTION, what, given)
        else:
            summary = f"answer it on its screen: {what}"
            yield Asked(_request_of(payload), AgentNeed.SETUP, "", summary, {"dialog": name, **given})
        return
    tool = _tool(payload)
    yield Asked(_request_of(payload), AgentNeed.PERMISSION, tool.name, tool.summary, tool.subject)


def _before_tool(payload: Object) -> Iterator[AgentFact]:
    """A tool that runs needs no answer any more."""
    yield AskCancelled(_request_of(payload))
    yield _tool(payload).called


def _after_tool(payload: Object) -> Iterator[AgentFact]:
    failed = text_at(payload, "hook_event_name") != "PostToolUse"
    answer = payload.get("error") if failed else payload.get("tool_response")
    yield ToolReturned(text_at(payload, "tool_use_id"), failed=failed, digest=digest(answer))


def _stop(payload: Object) -> Iterator[AgentFact]:
    text = text_at(payload, "last_assistant_message")
    yield TurnEnded(TurnResult(ok=True, text=text, raw={"status": "completed", "result": text}))


def _stop_failure(payload: Object) -> Iterator[AgentFact]:
    text = text_at(payload, "error_details") or text_at(payload, "last_assistant_message") or text_at(payload, "error")
    reason = reason_of({"message": text})
    retry = Retry.NEVER if reason in FINAL else Retry.POLICY
    yield TurnEnded(TurnResult(ok=False, reason=reason, text=one_line(text, 1000), retry=retry))


def _session_end(payload: Object) -> Iterator[AgentFact]:
    yield ProgramLeft(text_at(payload, "reason"))


_EVENTS: Mapping[str, Callable[[Object], Iterator[AgentFact]]] = {
    "SessionStart": _session_start,
    "UserPromptSubmit": _prompt,
    "PermissionRequest": _permission,
    "PreToolUse": _before_tool,
    "PostToolUse": _after_tool,
    "PostToolUseFailure": _after_tool,
    "Stop": _stop,
    "StopFailure": _stop_failure,
    "SessionEnd": _session_end,
}


def _request_of(payload: Object) -> str:
    """A name for a question, for the program gives it none: the tool's use has the same."""
    return digest(json.dumps([text_at(payload, "tool_name"), payload.get("tool_input")], sort_keys=True, default=str))


def _tool(payload: Object) -> Tool:
    """The call that an event is about, in the words of its pipes."""
    name, given = text_at(payload, "tool_name"), object_at(payload, "tool_input")
    told: dict[str, Any] = {"toolCallId": text_at(payload, "tool_use_id"), "title": name, "rawInput": given}
    told["kind"] = MCP if name.startswith(MCP_BEGINS) else _KINDS.get(name, "other")
    if told["kind"] == MCP:
        told["server"], _, told["tool"] = name.removeprefix(MCP_BEGINS).partition("__")
    elif told["kind"] == "edit":
        new = text_at(given, "new_string") or text_at(given, "content")
        change = {"type": "diff", "path": text_at(given, "file_path"), "newText": new}
        told["content"] = [{**change, "oldText": text_at(given, "old_string")}]
    return tool_of(told, text_at(payload, "cwd"))


_SUFFIX = ".jsonl"
_CALL = b'"qwen-code.api_response"'


def _model_called(line: bytes, since: float) -> ModelCalled | None:
    """The call of its model that a line of a conversation's file tells of; None for those before `since`."""
    found = read_object(line)
    if isinstance(found, str):
        return None
    told = object_at(object_at(found, "systemPayload"), "uiEvent")
    if text_at(told, "event.name") != "qwen-code.api_response" or moment(text_at(found, "timestamp")) < since:
        return None
    cached = count_at(told, "cached_content_token_count")
    fresh = max(count_at(told, "input_token_count") - cached, 0)
    return ModelCalled(text_at(found, "uuid"), TokenUsage(fresh, count_at(told, "output_token_count"), cached), None)


class Qwen(AcpProvider):
    """The `qwen` program: over its pipes, and on a terminal."""

    modes = frozenset(AgentMode)
    interrupt_keys = (b"\x1b",)
    exit_keys = b"/quit"
    shows_held = False
    forks_on_screen = True

    def __init__(self) -> None:
        super().__init__(rows.QWEN)

    def refuse(self, agent: Agent) -> str | None:
        """Name options that it doesn't know, and arguments that collide with ours."""
        problems = [problem] if (problem := super().refuse(agent)) else []
        if agent.home is AgentMode.INTERACTIVE:
            modes, mode = rows.QWEN.modes, agent.permission_mode
            known = [*modes, *(word for word in (*modes.values(), "auto") if word not in modes)]
            if mode and mode not in known:
                problems.append(f"--permission-mode {mode} is not possible with qwen: {', '.join(known)}")
            given = [one.partition("=")[0] for one in agent.arguments]
            clash = "--agent-arg {} conflicts with an argument that Overmind sets"
            problems += [clash.format(one) for one in given if one in OURS]
        return "; ".join(problems) or None

    def reads(self, agent: Agent, environ: Mapping[str, str]) -> Sequence[str]:
        """The system's defaults, which ours are merged with, and files of servers of tools."""
        return [defaults_path(environ), *(one for one in agent.mcp_config if not is_json(one))]

    def launch(self, start: LaunchRequest) -> Launch:
        """On a terminal all stands on its command line, and in the file of defaults."""
        if start.mode is not AgentMode.INTERACTIVE:
            return super().launch(start)
        row, agent = rows.QWEN, start.agent
        mode = agent.permission_mode or rows.ASK
        argv = [agent.program or self.program, *agent.program_arguments]
        argv += ["--approval-mode", row.modes.get(mode, mode)]
        if start.fork is None:
            argv += ["--resume" if start.resume else "--session-id", start.session]
        else:  # it chooses the name of the copy, and its hooks tell that
            argv += ["--resume", start.fork.session, "--fork-session"]
        argv += ["--model", agent.model] if agent.model else []
        if instructions := "\n\n".join(filter(None, (start.notes, agent.append_system_prompt))):
            if len(instructions.encode("utf-8", "replace")) > LONGEST_ARGUMENT:
                raise ValueError("qwen takes no notes and --append-system-prompt of more than 100 KB on a terminal.")
            argv.append(f"--append-system-prompt={instructions}")
        configs = {name: text for name, text in start.texts.items() if name in agent.mcp_config}
        theirs = {name: text for name, text in start.texts.items() if name not in configs}
        files = {_OURS: merged_defaults(start.hook, theirs)}
        if agent.mcp_config:
            texts = {name: text.encode("utf-8", "replace") for name, text in configs.items()}
            servers = {one.name: _server(one) for one in read_servers(agent.mcp_config, texts.get)}
            files["servers"] = json.dumps({"mcpServers": servers})
            argv += ["--mcp-config", "{file:servers}"]
        argv += agent.arguments
        argv += [] if start.first_prompt is None else [f"--prompt-interactive={start.first_prompt}"]
        environment = {**row.environment, INSIDE: "", DEFAULTS_VARIABLE: f"{{file:{_OURS}}}"}
        environment |= {THEIRS_VARIABLE: posixpath.join(start.cwd, *theirs)} if theirs else {}
        return Launch(argv=tuple(argv), environment=environment, files=files)

    def verdict(self, code: int, last: TurnResult | None, errors: str, *, mode: AgentMode, resumed: bool) -> RunVerdict:
        """The end of a run, judged; on a terminal `errors` is what it has left on its screen."""
        wrong = "No saved session found with ID" if resumed else "already exists (active or archived)"
        if mode is AgentMode.INTERACTIVE and code == 1 and screen.flat(wrong) in screen.flat(errors):
            return RunVerdict(failed=True, reason=WRONG_START, retry=Retry.SWITCH)
        return super().verdict(code, last, errors, mode=mode, resumed=resumed)

    def hook(self, payload: Mapping[str, Any]) -> Sequence[AgentFact]:
        """A hook event; an unknown one means nothing."""
        convert = _EVENTS.get(text_at(payload, "hook_event_name"))
        return tuple(convert(payload)) if convert is not None else ()

    def conversation_path(self, payload: Mapping[str, Any]) -> str | None:
        """Its transcript."""
        path, session = text_at(payload, "transcript_path"), text_at(payload, "session_id")
        return path if path.startswith("/") and session and path.endswith(f"/{session}{_SUFFIX}") else None

    def sub_agent_folder(self, path: str) -> str:
        """A folder that is not there: the calls of its helpers stand in the same file."""
        return path.removesuffix(_SUFFIX)

    def figure(self, line: bytes, since: float) -> ModelCalled | None:
        """A line of the transcript."""
        return _model_called(line, since) if _CALL in line else None

    def hook_answer(self, question: Asked, decision: Decision) -> Mapping[str, Any] | None:
        """The decision of a rule of ours: no dialog is shown, and the turn goes on."""
        del question
        return hook_answer(decision)

    def title(self, title: str) -> Sequence[AgentFact]:
        """It tells its state."""
        if title.startswith("✳"):
            return (StateGuessed(ActivityKind.WAITING),)
        return (TurnBegan() if title.startswith("◐") else TurnEnded(None),) if title.strip() else ()

    def dialog(self, lines: Sequence[str]) -> Asked | None:
        """A page of options in the place of its prompt."""
        return screen.dialog(lines)

    def is_argument(self, text: str) -> bool:
        """Anything but a command of its own."""
        return not screen.is_command(text)

    def pastes(self, text: str) -> Sequence[str]:
        """Pieces that are too small for a line that stands for them."""
        return screen.pastes(text)

    def draft_of(self, text: str) -> str:
        """The text."""
        return text

    def is_idle(self, lines: Iterable[str]) -> bool:
        """Whether its prompt is there, and nothing says that a turn is under way."""
        return screen.is_idle([*lines])

    def is_ready(self, lines: Iterable[str]) -> bool:
        """Whether its prompt is there and empty, and takes the next key."""
        return screen.is_ready([*lines])

    def draft(self, lines: Iterable[str]) -> str:
        """What stands in its prompt."""
        return screen.typed([*lines]) or ""

    def was_interrupted(self, lines: Sequence[str]) -> bool:
        """Whether a person has ended the newest turn, as its screen tells."""
        return screen.was_interrupted(lines)

    def keys_for(self, lines: Sequence[str], question: Asked, decision: Decision) -> bytes | None:
        """The key of the plain yes or no, or the digit of an option."""
        return screen.keys_for(lines, question, decision)
