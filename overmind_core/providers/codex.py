"""Codex as a provider: one prompt in, lines of JSON out (`codex exec --json`), or the same on an earlier conversation.

It asks nothing: its sandbox decides what it may do. It chooses the conversation's id itself and tells it in its first
line; what a resumed conversation used is reported as a total. Lines as of version 0.169.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from overmind_core.domain.agents.agent import Agent, AgentMode
from overmind_core.domain.agents.agent_events import (
    LONGEST_COMMAND,
    AgentFact,
    Asked,
    Decision,
    PlainLine,
    Retry,
    Retrying,
    RunVerdict,
    SessionNamed,
    TextSpoken,
    TokenUsage,
    ToolCalled,
    ToolReturned,
    TurnBegan,
    TurnEnded,
    TurnResult,
)
from overmind_core.domain.text.paragraphs import behind
from overmind_core.providers.base import Connection, ConnectionRequest, Launch, LaunchRequest, Renderer, WithoutRecords
from overmind_core.providers.lines import (
    FAILED,
    Object,
    count_at,
    digest,
    error_line,
    failure,
    number_at,
    object_at,
    objects_at,
    one_line,
    read_object,
    text_at,
    tool_line,
    turn_summary,
)

UNSUPPORTED: Mapping[str, Callable[[Agent], object]] = {
    "--allowed-tools": lambda agent: agent.allowed_tools,
    "--disallowed-tools": lambda agent: agent.disallowed_tools,
    "--allow": lambda agent: agent.allow,
    "--deny": lambda agent: agent.deny,
    "--max-turns": lambda agent: agent.max_turns,
    "--max-cost": lambda agent: agent.max_cost,
    "--system-prompt": lambda agent: agent.system_prompt,
    "--append-system-prompt": lambda agent: agent.append_system_prompt,
    "--mcp-config": lambda agent: agent.mcp_config,
}
"""Options of `overmind run` that this program has nothing for."""

SANDBOXES = ("read-only", "workspace-write", "danger-full-access")
"""What `--permission-mode` can be."""
OURS = frozenset({"--json", "--ephemeral", "-", "--", "-h", "--help", "-V", "--version", "resume", "fork", "review"})
"""Arguments that would undo ours."""

FINAL = frozenset({"not_logged_in"} | {f"api_error {status}" for status in (400, 401, 403, 404, 413)})
"""Reasons with which another run would end the same way."""
DECLINED = "declined"
"""The status of what was not allowed."""
MOST_FILES = 1000
"""Of one change that are told."""
_WRAPPED = re.compile(r"""\S*sh -l?c (['"]?)(.*)\1""", re.DOTALL)
_RETRYING = re.compile(r"Reconnecting\.\.\. (\d+)/(\d+)(?: \((.*)\))?", re.DOTALL)
_STATUS = re.compile(r"status:? (\d{3})\b")
_LIMIT = re.compile(r"usage limit", re.IGNORECASE)
_NOT_LOGGED_IN = re.compile(r"missing bearer|not logged in|codex login|missing environment variable", re.IGNORECASE)
_UNKNOWN_CONVERSATION = "no rollout found"
_USAGE_ERROR = 2


class Codex(WithoutRecords):
    """The `codex` program, without its terminal."""

    name = "codex"
    program = "codex"
    install = "npm install -g @openai/codex"
    log_in = "run codex login in a terminal"
    modes = frozenset({AgentMode.ONE_SHOT})
    speaks_json = True
    opens = False
    goes_on = True
    reads_reasons = True

    def refuse(self, agent: Agent) -> str | None:
        """Name options that it doesn't know, and arguments that collide with ours."""
        unknown = [f"{option} is not possible with codex" for option, given in UNSUPPORTED.items() if given(agent)]
        mode = agent.permission_mode
        if mode and mode not in SANDBOXES:
            unknown.append(f"--permission-mode {mode} is not a codex sandbox: {', '.join(SANDBOXES)}")
        ours = {*OURS, *(("-m", "--model") if agent.model else ()), *(("-s", "--sandbox") if _sandbox(agent) else ())}
        names = [argument.partition("=")[0] for argument in agent.arguments]
        return (
            "; ".join(
                [
                    *unknown,
                    *(
                        f"--agent-arg {name} conflicts with an argument that Overmind sets"
                        for name in names
                        if name in ours
                    ),
                ]
            )
            or None
        )

    def refuse_notes(self, agent: Agent) -> None:
        """Nothing of a person's takes their place."""
        del agent

    def launch(self, start: LaunchRequest) -> Launch:
        """The prompt goes to standard input, whatever it holds."""
        agent = start.agent
        argv = [agent.program or self.program, "exec", "--json", "--skip-git-repo-check"]
        argv += ("--model", agent.model) if agent.model else ()
        argv += _sandbox(agent)
        argv += ("--add-dir", agent.folders.outputs) if agent.folders is not None else ()
        argv += agent.arguments
        argv += ("resume", start.session) if start.resume else ()
        prompt = behind(start.notes, agent.prompt or "").removeprefix(start.notes or "").encode("utf-8", "replace")
        return Launch(argv=(*argv, "-"), notes=start.notes, stdin=prompt, end_input=True)

    def parse(self, line: bytes) -> Sequence[AgentFact]:
        """A line of `--json`."""
        found = read_object(line)
        if isinstance(found, str):
            return (PlainLine(found),) if found.strip() else ()
        convert = KINDS.get(text_at(found, "type"))
        return tuple(convert(found)) if convert is not None else ()

    def connect(self, request: ConnectionRequest) -> Connection:
        """Return this one: each line is heard by itself."""
        del request
        return self

    def renderer(self) -> Renderer:
        """A transcript."""
        return _CodexTranscript()

    def message(self, text: str, uuid: str) -> bytes:
        """It takes one prompt only."""
        del text, uuid
        return b""

    def interrupt(self, request: str, asked: Sequence[Asked]) -> bytes:
        """Its input is closed."""
        del request, asked
        return b""

    def answer(self, question: Asked, decision: Decision) -> bytes:
        """It asks nothing."""
        del question, decision
        return b""

    def verdict(self, code: int, last: TurnResult | None, errors: str, *, mode: AgentMode, resumed: bool) -> RunVerdict:
        """What its end means."""
        del mode
        if code != 0 and resumed and _UNKNOWN_CONVERSATION in errors:
            return RunVerdict(failed=True, reason="wrong_start", retry=Retry.SWITCH)
        if code == _USAGE_ERROR and last is None:
            return RunVerdict(failed=True, reason="usage_error", retry=Retry.NEVER)
        if last is not None and not last.ok:
            return RunVerdict(failed=True, reason=last.reason, retry=last.retry)
        return RunVerdict(failed=code != 0 or last is None, reason="no_result" if code == 0 and last is None else None)


def _sandbox(agent: Agent) -> tuple[str, ...]:
    """`--permission-mode` names its sandbox: `read-only`, `workspace-write`, `danger-full-access`."""
    return ("--sandbox", agent.permission_mode) if agent.permission_mode else ()


def _thread_started(found: Object) -> Iterator[AgentFact]:
    if thread := text_at(found, "thread_id"):
        yield SessionNamed(thread)


def _turn_started(found: Object) -> Iterator[AgentFact]:
    del found
    yield TurnBegan()


def _item_started(found: Object) -> Iterator[AgentFact]:
    item = object_at(found, "item")
    if summary := _tool(item):
        kind = text_at(item, "type")
        edits = kind == "file_change"
        yield ToolCalled(
            text_at(item, "id"),
            kind,
            summary,
            paths=tuple(
                path for change in objects_at(item, "changes")[:MOST_FILES] if (path := text_at(change, "path"))
            ),
            edits=edits,
            runs=kind == "command_execution",
            digest="" if edits else _digest(item),
            command=_command(item)[:LONGEST_COMMAND] if kind == "command_execution" else "",
        )


def _item_completed(found: Object) -> Iterator[AgentFact]:
    item = object_at(found, "item")
    kind = text_at(item, "type")
    if kind in {"agent_message", "reasoning"}:
        yield TextSpoken(text_at(item, "text"), thought=kind == "reasoning")
    elif _tool(item):
        failed = _failed(item)
        output = text_at(item, "aggregated_output") or text_at(object_at(item, "error"), "message")
        error = error_line(output) if failed else ""
        denied = text_at(item, "status") == DECLINED
        yield ToolReturned(
            text_at(item, "id"), failed, _digest(item), error, None if denied else _exit_code(item), denied
        )


def _error(found: Object) -> Iterator[AgentFact]:
    """Only of its own tries; what it gives up for comes with the end of the turn."""
    if retrying := _RETRYING.fullmatch(text_at(found, "message")):
        yield Retrying(int(retrying[1]), int(retrying[2]), 0.0, one_line(retrying[3] or ""))


def _turn_ended(found: Object) -> Iterator[AgentFact]:
    yield TurnEnded(_result(found))


KINDS: Mapping[str, Callable[[Object], Iterator[AgentFact]]] = {
    "thread.started": _thread_started,
    "turn.started": _turn_started,
    "item.started": _item_started,
    "item.completed": _item_completed,
    "error": _error,
    "turn.completed": _turn_ended,
    "turn.failed": _turn_ended,
}
"""By the line's `type`."""


def _result(found: Object) -> TurnResult:
    message = text_at(object_at(found, "error"), "message")
    ok = text_at(found, "type") == "turn.completed"
    reason = None if ok else _reason(message)
    retry = Retry.NEVER if reason in FINAL else Retry.POLICY
    return TurnResult(
        ok=ok, reason=reason, text=message, retry=retry, usage=_usage(object_at(found, "usage")), raw=found
    )


def _reason(message: str) -> str:
    if _LIMIT.search(message):
        return "limited"
    if _NOT_LOGGED_IN.search(message):
        return "not_logged_in"
    status = _STATUS.search(message)
    return f"api_error {status[1]}" if status else "api_error"


def _usage(found: Object) -> TokenUsage:
    """Its `input_tokens` hold those read from the cache."""
    cached = count_at(found, "cached_input_tokens")
    fresh = max(count_at(found, "input_tokens") - cached, 0)
    return TokenUsage(fresh, count_at(found, "output_tokens"), cached, count_at(found, "cache_write_input_tokens"))


def _tool(item: Object) -> str:
    """What a tool does, in one line; "" of items that are none."""
    kind = text_at(item, "type")
    if kind == "command_execution":
        return f"shell: {one_line(_command(item))}"
    if kind == "file_change":
        changes = (f"{text_at(change, 'kind')} {text_at(change, 'path')}" for change in objects_at(item, "changes"))
        return f"edit: {one_line(', '.join(changes))}"
    if kind == "mcp_tool_call":
        return f"{text_at(item, 'server')}: {text_at(item, 'tool')}"
    return f"web search: {one_line(text_at(item, 'query'))}" if kind == "web_search" else ""


def _command(item: Object) -> str:
    """The command, without the shell that it is given to."""
    command = text_at(item, "command")
    wrapped = _WRAPPED.fullmatch(command)
    return wrapped[2] if wrapped else command


def _exit_code(item: Object) -> int | None:
    code = number_at(item, "exit_code") if text_at(item, "type") == "command_execution" else None
    return None if code is None else int(code)


def _digest(item: Object) -> str:
    """Of all that an item tells but its number, which no other one has."""
    return digest({name: value for name, value in item.items() if name != "id"})


def _failed(item: Object) -> bool:
    return text_at(item, "status") in {"failed", DECLINED}


class _CodexTranscript:
    """One run's lines, readable. Stateless: an item comes whole."""

    def feed(self, line: bytes) -> list[str]:
        """What one line of output adds."""
        found = read_object(line)
        if isinstance(found, str):
            return [found]
        kind, item = text_at(found, "type"), object_at(found, "item")
        if kind == "item.completed":
            return _shown(item)
        if kind == "error" and _RETRYING.fullmatch(text_at(found, "message")):
            return [f"… {one_line(text_at(found, 'message'))}"]
        if kind in {"turn.completed", "turn.failed"}:
            result = _result(found)
            return [*([] if result.ok else [failure(result)]), turn_summary(result)]
        return []


def _shown(item: Object) -> list[str]:
    kind = text_at(item, "type")
    if kind == "agent_message":
        return text_at(item, "text").splitlines()
    if kind == "error":
        return [f"{FAILED} {one_line(text_at(item, 'message'))}"]
    if not (summary := _tool(item)):
        return []
    code = number_at(item, "exit_code")
    error = text_at(item, "aggregated_output") or (f"exit {code:.0f}" if code is not None else "")
    return [tool_line(summary, error if _failed(item) else None)]
