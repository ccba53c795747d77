"""A `copilot` on a terminal: how it is started there, and what its hooks tell. Pure.

Its hooks come as a plugin of this run alone (`--plugin-dir`), so that no file of a person's changes; but for questions
they speak Claude's dialect. It waits for a hook before it shows the dialog, so ours returns at once, and the dialog's
own keys answer, while the whole of what was asked stands on the screen. No hook tells that it rests before its first
prompt, that a dialog was answered, or that a person has ended a turn: its screen does. Found by experiment with
1.0.102.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

from overmind_core.domain.agents.agent import ActivityKind, Agent, AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import (
    AgentFact,
    AskCancelled,
    Asked,
    Behaviour,
    Decision,
    Echoed,
    ModelCalled,
    ProgramLeft,
    Retry,
    RunVerdict,
    SessionNamed,
    StateGuessed,
    TextSpoken,
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
    one_line,
    read_object,
    text_at,
)
from overmind_core.providers.rpc import copilot_screen as screen
from overmind_core.providers.rpc import rows
from overmind_core.providers.rpc.engine import FINAL, WRONG_START, reason_of
from overmind_core.providers.rpc.provider import AcpProvider
from overmind_core.providers.rpc.tools import MCP, MCP_BEGINS, Tool, tool_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from overmind_core.providers.base import LaunchRequest

# how it is started

_PLUGIN, _CONTEXT = "copilot", "context.json"
"""The folder of the plugin among the files of a mission, and its file with words for the model."""
EVENTS = (
    "SessionStart",
    "UserPromptSubmit",
    "PermissionRequest",
    "PreToolUse",
    "PostToolUse",
    "PostToolUseFailure",
    "Stop",
    "SessionEnd",
)
"""The events that call our hook."""
HOOK_SECONDS = 10
"""Seconds that our hook may take."""
ALLOWING = ("--allow-all", "--yolo", "--allow-all-tools", "--allow-all-paths", "--allow-all-urls", "--allow-tool")
"""Arguments that have it ask less: `--permission-mode` says what it asks."""
OURS = frozenset({"--acp", "-r", "--resume", "--continue", "--connect", "--session-id", "-p", "--prompt"}) | {
    *("-i", "--interactive", "-s", "--silent", "--output-format", "--screen-reader", "-C", "--mode", "--plan"),
    *("--autopilot", "--environment-host", "-h", "--help", "-v", "--version", "--agent", *ALLOWING),
}
"""Arguments that would undo ours on a terminal; a short one also with its value behind it, as one word."""
_SETTINGS = (".github/copilot/settings.json", ".github/copilot/settings.local.json")
_NO_HOOKS = re.compile(r'"disableAllHooks"\s*:\s*true')
_PLAN = ("--mode=plan",)
_MOST_WORDS = 100_000
"""Bytes of its instructions, which a hook prints."""


def _plugin(hook: Sequence[str], words: str) -> dict[str, str]:
    """The files of the plugin. A hook that fails has the program deny the tool, so ours never does.

    `words` are no part of the conversation that the program keeps: they are for each of its processes.
    """
    ours: dict[str, Any] = {"type": "command", "command": f"{shlex.join(hook)} || true", "timeout": HOOK_SECONDS}
    hooks = {event: [{"hooks": [ours]}] for event in EVENTS}
    files = {f"{_PLUGIN}/{_CONTEXT}": json.dumps({"additionalContext": words})}  # in the place of an earlier run's
    if words:
        said = {"type": "command", "command": f'cat "$COPILOT_PLUGIN_ROOT/{_CONTEXT}"', "timeout": HOOK_SECONDS}
        hooks["SessionStart"].append({"hooks": [said]})
    about = {"name": "overmind", "version": "1.0.0", "description": "Tells Overmind what this session does."}
    return {**files, f"{_PLUGIN}/plugin.json": json.dumps({**about, "hooks": hooks})}


# what its hooks tell

_KINDS: Mapping[str, str] = {
    "bash": "execute",
    "edit": "edit",
    "write": "edit",
    "create": "edit",
    "read": "read",
    "view": "read",
    "webfetch": "fetch",
    "web_fetch": "fetch",
}
"""Names of the program's tools, in questions and in other events → their kinds, as its pipes tell them."""
_QUESTION = "AskUserQuestion"
"""The tool that is a dialog itself."""


def _session_start(payload: Object) -> Iterator[AgentFact]:
    """The conversation. It comes with the first prompt, before it or behind it."""
    if session := text_at(payload, "session_id"):
        yield SessionNamed(session)


def _prompt(payload: Object) -> Iterator[AgentFact]:
    yield Echoed(text_at(payload, "prompt"))


def _permission(payload: Object) -> Iterator[AgentFact]:
    tool = _tool(text_at(payload, "toolName"), object_at(payload, "toolInput"), payload)
    yield Asked(_request_of(tool), AgentNeed.PERMISSION, tool.name, tool.summary, tool.subject)


def _before_tool(payload: Object) -> Iterator[AgentFact]:
    """A tool is about to be used; the question about it comes behind that."""
    name, given = text_at(payload, "tool_name"), object_at(payload, "tool_input")
    if name == _QUESTION:
        what = one_line(text_at(given, "message") or text_at(given, "question")) or "a question"
        yield Asked(name, AgentNeed.SETUP, "", f"answer it on its screen: {what}", {"dialog": name, **given})
    else:
        yield _tool(name, given, payload).called


def _after_tool(payload: Object) -> Iterator[AgentFact]:
    """A tool that has run needs no answer any more."""
    name = text_at(payload, "tool_name")
    tool = _tool(name, object_at(payload, "tool_input"), payload)
    yield AskCancelled(name if name == _QUESTION else _request_of(tool))
    failed = text_at(payload, "hook_event_name") != "PostToolUse"
    answer = payload.get("error") if failed else payload.get("tool_result")
    yield ToolReturned(tool.call, failed=failed, digest=digest(answer))


def _stop(payload: Object) -> Iterator[AgentFact]:
    """The turn is over; its answer stands in the conversation's file."""
    del payload
    yield TurnEnded(TurnResult(ok=True, raw={"status": "completed"}))


def _session_end(payload: Object) -> Iterator[AgentFact]:
    yield ProgramLeft(text_at(payload, "reason"))


_EVENTS: Mapping[str, Callable[[Object], Iterator[AgentFact]]] = {
    "SessionStart": _session_start,
    "UserPromptSubmit": _prompt,
    "permissionRequest": _permission,
    "PermissionRequest": _permission,
    "PreToolUse": _before_tool,
    "PostToolUse": _after_tool,
    "PostToolUseFailure": _after_tool,
    "Stop": _stop,
    "SessionEnd": _session_end,
}


def _request_of(tool: Tool) -> str:
    """A name for a question, for the program gives it none: the end of the tool's use has the same."""
    about = tool.subject.get("command") or [*tool.paths] or dict(tool.subject)
    return digest(json.dumps([tool.name, about], sort_keys=True, default=str))


def _tool(name: str, given: Object, payload: Object) -> Tool:
    """The call that an event is about, in the words of its pipes. Nothing tells two uses of the same apart."""
    told: dict[str, Any] = {"toolCallId": digest([name.lower(), given]), "title": name, "rawInput": given}
    told["kind"] = MCP if name.startswith(MCP_BEGINS) else _KINDS.get(name.lower(), "other")
    if told["kind"] == MCP:
        told["server"], _, told["tool"] = name.removeprefix(MCP_BEGINS).partition("__")
    elif told["kind"] == "execute":
        told["rawInput"] = {key: value for key, value in given.items() if key == "command"}
    elif told["kind"] == "edit":
        old, new = _sides(text_at(given, "diff"))
        old, new = text_at(given, "old_str") or old, text_at(given, "new_str") or text_at(given, "file_text") or new
        path = text_at(given, "file_path") or text_at(given, "path")
        told["content"] = [{"type": "diff", "path": path, "oldText": old, "newText": new}]
    return tool_of(told, text_at(payload, "cwd"))


def _sides(patch: str) -> tuple[str, str]:
    """Return the text of a patch's changed places before the change, and after it."""
    begin = patch.find("\n@@")
    lines = [] if begin < 0 else [line for line in patch[begin:].splitlines() if not line.startswith("@@")]
    sides = ["".join(f"{line[1:]}\n" for line in lines if line[:1] in {mark, " "}) for mark in "-+"]
    return sides[0], sides[1]


_SUFFIX = "/events.jsonl"
_CALL, _SAYS = b'"session.usage_record"', b'"assistant.message"'


def _figure(line: bytes, since: float) -> ModelCalled | TextSpoken | None:
    """The call of its model that a line of a conversation's file tells, or its answer; None for those before."""
    found = read_object(line)
    if isinstance(found, str) or moment(text_at(found, "timestamp")) < since:
        return None
    data = object_at(found, "data")
    if text_at(found, "type") == "assistant.message":
        goes_on = list_at(data, "toolRequests") or text_at(found, "agentId") or text_at(data, "parentToolCallId")
        text = text_at(data, "content")
        return TextSpoken(text) if text and not goes_on else None
    usage = object_at(data, "usage")
    if text_at(found, "type") != "session.usage_record" or not usage:
        return None
    cached = count_at(usage, "cacheReadTokens")
    fresh = max(count_at(usage, "inputTokens") - cached, 0)
    used = TokenUsage(fresh, count_at(usage, "outputTokens"), cached, count_at(usage, "cacheWriteTokens"))
    return ModelCalled(text_at(found, "id"), used, None)


def _name(argument: str) -> str:
    """The option that an argument gives."""
    return argument.partition("=")[0] if argument.startswith("--") else argument[:2]


class Copilot(AcpProvider):
    """The `copilot` program: over its pipes, and on a terminal."""

    modes = frozenset(AgentMode)
    interrupt_keys = (b"\x1b", b"\x1b")
    exit_keys = b"exit"
    shows_held = False

    def __init__(self) -> None:
        super().__init__(rows.COPILOT)

    def refuse(self, agent: Agent) -> str | None:
        """Name options that it doesn't know, and arguments that collide with ours."""
        problems = [problem] if (problem := super().refuse(agent)) else []
        taken = OURS if agent.home is AgentMode.INTERACTIVE else ALLOWING
        clash = "--agent-arg {} conflicts with an argument that Overmind sets"
        problems += [clash.format(one) for one in agent.arguments if _name(one) in taken]
        if agent.home is AgentMode.INTERACTIVE:
            mode, known = agent.permission_mode, [*rows.COPILOT.modes]
            if mode and mode not in known:
                problems.append(f"--permission-mode {mode} is not possible with copilot: {', '.join(known)}")
        return "; ".join(problems) or None

    def reads(self, agent: Agent, environ: Mapping[str, str]) -> Sequence[str]:
        """The settings of a repository, which may turn all hooks off; a person's own leave those of a plugin."""
        del agent, environ
        return _SETTINGS

    def launch(self, start: LaunchRequest) -> Launch:
        """On a terminal its hooks are a plugin."""
        if start.mode is not AgentMode.INTERACTIVE:
            return super().launch(start)
        row, agent = rows.COPILOT, start.agent
        off = next((name for name in _SETTINGS if _NO_HOOKS.search(start.texts.get(name, ""))), None)
        if off is not None:
            raise ValueError(f"{off} has disableAllHooks, but a copilot on its screen tells all by hooks. Remove it.")
        words = "\n\n".join(filter(None, (start.notes, agent.append_system_prompt)))
        if len(words.encode("utf-8", "replace")) > _MOST_WORDS:
            raise ValueError("copilot takes no notes and --append-system-prompt of more than 100 KB on a terminal.")
        mode = agent.permission_mode or rows.ASK
        argv = [*self.words(start), "--plugin-dir", f"{{file:{_PLUGIN}}}"]
        argv += _PLAN if mode == rows.READ_ONLY else ()
        argv.append(f"--resume={start.session}" if start.resume else f"--session-id={start.session}")
        argv += [] if start.first_prompt is None else [f"--interactive={start.first_prompt}"]
        asks = row.permissions.get(mode, row.permissions[rows.ASK])
        return Launch(argv=tuple(argv), environment={**row.environment, **asks}, files=_plugin(start.hook, words))

    def verdict(self, code: int, last: TurnResult | None, errors: str, *, mode: AgentMode, resumed: bool) -> RunVerdict:
        """The end of a run, judged; on a terminal `errors` is what it has left on its screen."""
        is_gone = resumed and screen.flat("No session, task, or name matched") in screen.flat(errors)
        if mode is AgentMode.INTERACTIVE and code == 1 and is_gone:
            return RunVerdict(failed=True, reason=WRONG_START, retry=Retry.SWITCH)
        return super().verdict(code, last, errors, mode=mode, resumed=resumed)

    def hook(self, payload: Mapping[str, Any]) -> Sequence[AgentFact]:
        """A hook event; an unknown one means nothing."""
        convert = _EVENTS.get(text_at(payload, "hook_event_name") or text_at(payload, "hookName"))
        return tuple(convert(payload)) if convert is not None else ()

    def conversation_path(self, payload: Mapping[str, Any]) -> str | None:
        """The file of its events."""
        path, session = text_at(payload, "transcript_path"), text_at(payload, "session_id")
        return path if path.startswith("/") and session and path.endswith(f"/{session}{_SUFFIX}") else None

    def sub_agent_folder(self, path: str) -> str:
        """A folder that is not there: the calls of its helpers stand in the same file."""
        return path.removesuffix(".jsonl")

    def figure(self, line: bytes, since: float) -> ModelCalled | TextSpoken | None:
        """A line of that file."""
        return _figure(line, since) if _CALL in line or _SAYS in line else None

    def hook_answer(self, question: Asked, decision: Decision) -> Mapping[str, Any] | None:
        """The decision of a rule of ours: no dialog is shown, and the turn goes on."""
        del question
        if decision.behaviour is not Behaviour.DENY:
            return {"behavior": "allow"}
        return {"behavior": "deny", "message": decision.message or "A rule of Overmind denies this."}

    def state_shown(self, lines: Sequence[str]) -> str:
        """The state that its screen tells, in the place of a title."""
        return screen.state(lines)

    def title(self, title: str) -> Sequence[AgentFact]:
        """A state that was shown."""
        if title == screen.WAITING:
            return (StateGuessed(ActivityKind.WAITING),)
        if title == screen.WORKING:
            return (TurnBegan(),)
        return (TurnEnded(None, title if title == screen.FAILED else ""),) if title else ()

    def failure(self, lines: Sequence[str]) -> TurnResult | None:
        """The reason for which a turn on its screen has failed; None where nothing right above its prompt tells it."""
        words = screen.failure_words(lines)
        reason = reason_of({"message": words})
        retry = Retry.NEVER if reason in FINAL else Retry.POLICY
        return TurnResult(ok=False, reason=reason, text=words, retry=retry) if words else None

    def dialog(self, lines: Sequence[str]) -> Asked | None:
        """A page of options in the place of its prompt."""
        return screen.dialog(lines)

    def is_argument(self, text: str) -> bool:
        """Anything but a command."""
        return not screen.is_command(text)

    def pastes(self, text: str) -> Sequence[str]:
        """The message, so that it runs nothing."""
        return (screen.paste_of(text),)

    def draft_of(self, text: str) -> str:
        """The line that stands for a long one, else the text."""
        return screen.draft_of(text)

    def is_idle(self, lines: Iterable[str]) -> bool:
        """Return whether the prompt is there, and nothing says that a turn is under way."""
        return screen.is_idle([*lines])

    def is_ready(self, lines: Iterable[str]) -> bool:
        """Whether its prompt is there and empty, and takes the next key."""
        shown = [*lines]
        return screen.is_idle(shown) and screen.typed(shown) == ""

    def draft(self, lines: Iterable[str]) -> str:
        """What stands in its prompt."""
        return screen.typed([*lines]) or ""

    def was_interrupted(self, lines: Sequence[str]) -> bool:
        """Whether a person has ended the newest turn, as its screen tells."""
        return screen.was_interrupted(lines)

    def keys_for(self, lines: Sequence[str], question: Asked, decision: Decision) -> bytes | None:
        """The key of the plain yes or no."""
        return screen.keys_for(lines, question, decision)
