"""Any program of `rows` as a provider: tasks and sessions over the Agent Client Protocol."""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import ACP, Agent, AgentMode
from overmind_core.domain.agents.agent_events import (
    AgentFact,
    Owed,
    PlainLine,
    Retry,
    RunVerdict,
    SessionReady,
    TextSpoken,
    ToolCalled,
    ToolReturned,
    TurnEnded,
    TurnResult,
)
from overmind_core.providers.base import ConnectionRequest, Launch, TokensTold, WithoutRecords
from overmind_core.providers.lines import failure, object_at, read_object, text_at, tool_line, turn_summary
from overmind_core.providers.rpc import rows
from overmind_core.providers.rpc.acp import MESSAGE_BEGINS, OPEN, SESSION, TOLD, AcpConnection, first_words, initialize
from overmind_core.providers.rpc.engine import NO_CONVERSATION, WRONG_START, stored_result
from overmind_core.providers.rpc.mcp import NO_SERVERS, is_json, read_servers, wrong_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from overmind_core.providers.base import Connection, LaunchRequest, ReopenedFile
    from overmind_core.providers.lines import Object

UNSUPPORTED: Mapping[str, Callable[[Agent], object]] = {
    "--allowed-tools": lambda agent: agent.allowed_tools,
    "--disallowed-tools": lambda agent: agent.disallowed_tools,
    "--max-turns": lambda agent: agent.max_turns,
    "--system-prompt": lambda agent: agent.system_prompt,
}
"""Options of `overmind run` for which the protocol has nothing."""
_EDIT_RULES = ("Edit", "Write", "MultiEdit", "NotebookEdit")
"""Beginnings of rules about changes of files."""
_NEVER_OPEN = frozenset({NO_CONVERSATION, NO_SERVERS, WRONG_START, "not_logged_in", "usage_error"})
"""Reasons with which a session has ended before it took a message."""
LISTENING = ConnectionRequest(AgentMode.HEADLESS, Agent(), "", resume=False, cwd="/", in_turn=True)
"""For reading a run that somebody else talks with."""


def refusals(
    name: str,
    unsupported: Mapping[str, Callable[[Agent], object]],
    agent: Agent,
    ours: Collection[str],
    *,
    silent: Collection[str],
    edits: Collection[str] = (),
) -> list[str]:
    """Return why this agent can't be run.

    Options that its program has nothing for, denials in a mode that does not ask before each command (`silent`) or
    before each change of a file (`edits`), and arguments that undo ours.
    """
    problems = [f"{option} is not possible with {name}" for option, given in unsupported.items() if given(agent)]
    mode = agent.permission_mode
    about_edits = any(rule.startswith(_EDIT_RULES) for rule in agent.deny)
    if (agent.deny and mode in silent) or (about_edits and mode in edits):
        rules, what = ("--deny", "command") if mode in silent else ("--deny of edits", "change of a file")
        why = f"which does not ask before each {what}"
        problems.append(f"{rules} is not possible with --permission-mode {mode} of {name}, {why}")
    names = [argument.partition("=")[0] for argument in agent.arguments]
    return problems + [
        f"--agent-arg {one} conflicts with an argument that Overmind sets" for one in names if one in ours
    ]


class RpcProvider(WithoutRecords, ABC):
    """A program that is spoken to in JSON-RPC: tasks and sessions alike, once it has opened a conversation."""

    modes = frozenset({AgentMode.ONE_SHOT, AgentMode.HEADLESS})
    speaks_json = True
    asks = True
    opens = True
    opening_seconds = rows.OPENING_SECONDS
    forks_at = False
    reads_reasons = False
    serves = False
    words_at = 0

    def refuse_notes(self, agent: Agent) -> None:
        """Nothing of a person's takes their place."""
        del agent

    @abstractmethod
    def listener(self) -> Connection:
        """Return one that hears a run that somebody else talks with."""

    def renderer(self) -> RpcTranscript:
        """A transcript."""
        return RpcTranscript(self.listener())

    def stored(self, found: Object | str) -> Sequence[AgentFact]:
        """The end of a turn as its result was stored, or a line that is none."""
        if isinstance(found, str):
            return (PlainLine(found),) if found.strip() else ()
        ended = stored_result(found)
        return () if ended is None else (ended,)

    def verdict(self, code: int, last: TurnResult | None, errors: str, *, mode: AgentMode, resumed: bool) -> RunVerdict:
        """What its end means."""
        del errors, resumed
        is_task = mode is AgentMode.ONE_SHOT
        if last is not None and last.retry is Retry.SWITCH:
            return RunVerdict(failed=True, reason=last.reason, retry=Retry.SWITCH)
        if last is not None and not last.ok and (is_task or last.reason in _NEVER_OPEN):
            return RunVerdict(failed=True, reason=last.reason, retry=last.retry)
        if is_task and code == 0 and last is None:
            return RunVerdict(failed=True, reason="no_result")
        if is_task and last is not None and code == -signal.SIGTERM:
            return RunVerdict(failed=False, succeeded=True)  # it stayed behind its answer, and was asked to end
        return RunVerdict(failed=code != 0)


class AcpProvider(RpcProvider):
    """One program."""

    words_at = len(MESSAGE_BEGINS)
    transport = ACP
    reports = False

    def __init__(self, row: rows.AcpRow) -> None:
        self._row = row
        self.name = row.name
        self.program = row.program
        self.install = row.install
        self.log_in = row.log_in
        self.forks = row.forks
        self.opening_seconds = row.opening_seconds
        self.tested = row.tested
        self.tells_cost = row.tells_cost
        self.tokens = row.tells_tokens

    def reopened_file(self, session: str, environ: Mapping[str, str]) -> ReopenedFile | None:
        """As its row says."""
        return None if self._row.reopened_file is None else self._row.reopened_file(session, environ)

    def refuse(self, agent: Agent) -> str | None:
        """Name options that it doesn't know, and arguments that collide with ours."""
        row = self._row
        ours = {*row.arguments, *agent.program_arguments}
        ours |= {row.model_option} if row.model_option and agent.model else set()
        silent = {rows.ALL, row.modes.get(rows.ALL, rows.ALL)} - {row.modes.get(rows.ASK)}
        edits = {rows.EDITS, row.modes.get(rows.EDITS, rows.EDITS)} - {row.modes.get(rows.ASK)}
        problems = refusals(row.name, UNSUPPORTED, agent, ours, silent=silent, edits=edits)
        problems += wrong_texts(agent.mcp_config)
        return "; ".join(problems) or None

    def launch(self, start: LaunchRequest) -> Launch:
        """Its first line opens the exchange; all else follows what the program answers."""
        row, agent = self._row, start.agent
        asks = row.permissions.get(agent.permission_mode or "", row.permissions.get(rows.ASK, {}))
        first = first_words(start.notes, agent.append_system_prompt)
        argv = self.words(start, *row.arguments)
        return Launch(argv=argv, first_words=first, stdin=initialize(), environment={**row.environment, **asks})

    def words(self, start: LaunchRequest, *arguments: str) -> tuple[str, ...]:
        """Its program and arguments, these first, then those that say the same in each mode."""
        row, agent = self._row, start.agent
        argv = [agent.program or self.program, *agent.program_arguments, *arguments]
        argv += (row.model_option, agent.model) if row.model_option and agent.model else ()
        for config in agent.mcp_config if row.servers_option else ():
            argv += (row.servers_option or "", config if is_json(config) else f"@{config}")
        argv += agent.arguments
        argv += row.permission_arguments.get(agent.permission_mode or "", ())
        return tuple(argv)

    def parse(self, line: bytes) -> Sequence[AgentFact]:
        """A line by itself: a piece of text, or the end of a turn as its result was stored."""
        found = read_object(line)
        if isinstance(found, str) or stored_result(found) is not None:
            return self.stored(found)
        update = object_at(object_at(found, "params"), "update")
        kind, text = text_at(update, "sessionUpdate"), text_at(object_at(update, "content"), "text")
        if kind not in {"agent_message_chunk", "agent_thought_chunk"} or not text:
            return ()
        return (TextSpoken(text, kind == "agent_thought_chunk"),)

    def connect(self, request: ConnectionRequest) -> AcpConnection:
        """Return the one that hears the program of one run, and writes to it."""
        told = () if self._row.servers_option else request.agent.mcp_config
        return AcpConnection(self._row, request, partial(read_servers, told, request.read))

    def listener(self) -> Connection:
        """Return one that hears a run that somebody else talks with."""
        return _Listener(self._row, LISTENING, list)


class RpcTranscript:
    """One run's lines, readable: what its facts say. A piece of a line waits for the rest of that."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._calls: dict[str, str] = {}
        """Uses of tools that have not returned → what they do."""

    def feed(self, line: bytes) -> list[str]:
        """What one line of output adds."""
        return [shown for fact in self._connection.parse(line) for shown in self._lines(fact)]

    def _lines(self, fact: AgentFact) -> list[str]:
        match fact:
            case PlainLine(text):
                return [text]
            case TextSpoken(text, thought):
                return [] if thought else text.splitlines()
            case ToolCalled():
                self._calls[fact.call] = fact.summary
            case ToolReturned():
                summary = self._calls.pop(fact.call, "")
                return [tool_line(summary, fact.error or "failed" if fact.failed else None)] if summary else []
            case TurnEnded(result) if result is not None:
                self._calls.clear()
                return [*([] if result.ok else [failure(result)]), turn_summary(result)]
        return []


class _Listener(AcpConnection):
    """Reads a run that somebody else talks with: each piece of text is of a turn, and no reply is owed.

    Text that comes before the conversation is open was said in an earlier run.
    """

    _is_opening = False

    def parse(self, line: bytes) -> Sequence[AgentFact]:
        self.expects = not self._is_opening
        return tuple(fact for fact in super().parse(line) if not isinstance(fact, Owed | SessionReady))

    def on_reply(self, found: Object) -> Iterator[AgentFact]:
        """See whether the conversation is being opened."""
        if (request := found.get("id")) in (OPEN, SESSION, TOLD):
            result = object_at(found, "result")
            is_told_late = self._row.tells_late and "modes" in result and "sessionId" not in result
            self._is_opening = request == OPEN or (request == SESSION and is_told_late)
        yield from super().on_reply(found)


def gemini() -> AcpProvider:
    """Google's."""
    return AcpProvider(rows.GEMINI)


def own(name: str) -> AcpProvider:
    """An agent of somebody's own: a program of which nothing is known but that it speaks the protocol."""
    row = rows.AcpRow(
        name=name,
        program="",
        install="",
        arguments=(),
        tokens=rows.TokensFrom.REPLY,
        tells_tokens=TokensTold.UNSURE,
        modes={},
        forks=True,
    )
    return AcpProvider(row)
