"""Any other program: nothing is known of it but its bytes."""

from __future__ import annotations

from collections.abc import Sequence

from overmind_core.domain.agents.agent import Agent, AgentMode
from overmind_core.domain.agents.agent_events import AgentFact, Asked, Decision, PlainLine, RunVerdict, TurnResult
from overmind_core.domain.text.bytestrings import typed_bytes
from overmind_core.providers.base import (
    Connection,
    ConnectionRequest,
    EachLine,
    Launch,
    LaunchRequest,
    Renderer,
    TokensTold,
    WithoutRecords,
)
from overmind_core.providers.lines import plain_text


class Raw(WithoutRecords, EachLine):
    """No prompt, no questions, no results: its command line is the person's own, its output is plain."""

    name = "raw"
    program = ""
    install = ""
    log_in = ""
    tested = ""
    transport = ""
    asks = False
    reports = False
    serves = False
    modes = frozenset({AgentMode.INTERACTIVE})
    speaks_json = False
    opens = False
    opening_seconds = 0.0
    forks = False
    forks_at = False
    tells_cost = False
    tokens = TokensTold.NOTHING
    reads_reasons = True
    words_at = 0

    def refuse(self, agent: Agent) -> str | None:
        """What a raw mission can't have."""
        if agent.arguments:
            return "--agent-arg is for agents: put the arguments in the command"
        return None

    def refuse_notes(self, agent: Agent) -> None:
        """Nothing of a person's takes their place."""
        del agent

    def launch(self, start: LaunchRequest) -> Launch:
        """The person's own program."""
        return Launch(argv=(start.agent.program,))

    def parse(self, line: bytes) -> Sequence[AgentFact]:
        """A line is a line."""
        return (PlainLine(plain_text(line)),)

    def connect(self, request: ConnectionRequest) -> Connection:
        """Return this one: each line is heard by itself."""
        del request
        return self

    def listener(self) -> Connection:
        """Return this one."""
        return self

    def renderer(self) -> Renderer:
        """Lines as they are."""
        return PlainRenderer()

    def message(self, text: str, uuid: str) -> bytes:
        """The text and a newline, as if it were typed."""
        del uuid
        return typed_bytes(text) + b"\n"

    def interrupt(self, request: str, asked: Sequence[Asked]) -> bytes:
        """What ctrl-c types."""
        del request, asked
        return b"\x03"

    def answer(self, question: Asked, decision: Decision) -> bytes:
        """It asks nothing that we know of."""
        del question, decision
        return b""

    def verdict(self, code: int, last: TurnResult | None, errors: str, *, mode: AgentMode, resumed: bool) -> RunVerdict:
        """The verdict by the exit code alone."""
        del last, errors, mode, resumed
        return RunVerdict(failed=code != 0)


class PlainRenderer:
    """Lines as they are."""

    def feed(self, line: bytes) -> list[str]:
        """The line."""
        return [plain_text(line)]
