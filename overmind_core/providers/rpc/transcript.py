"""The readable transcript of a run that speaks the Agent Client Protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent_events import (
    PlainLine,
    TextSpoken,
    ToolCalled,
    ToolReturned,
    TurnEnded,
)
from overmind_core.providers.lines import failure, tool_line, turn_summary

if TYPE_CHECKING:
    from overmind_core.domain.agents.agent_events import AgentFact
    from overmind_core.providers.base import Connection


class AcpTranscript:
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
