"""The state that a program on a terminal reports, or shows, as facts about an agent. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import ActivityKind, ActivitySource, AgentNeed
from overmind_core.domain.agents.agent_events import (
    AskCancelled,
    Asked,
    LimitReached,
    StateForgotten,
    StateGuessed,
    TurnBegan,
    TurnEnded,
)
from overmind_core.terminal.program_status import BlockedBy, ProgramState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.domain.agents.agent_events import AgentFact
    from overmind_core.providers.terminal_rows import Told
    from overmind_core.terminal.program_status import StatusRecord

REQUEST = "status"
"""Names the question of a program that reports itself blocked: it has one at a time."""
_NEEDS = {
    BlockedBy.PERMISSION: (AgentNeed.PERMISSION, "It asks for a permission"),
    BlockedBy.QUESTION: (AgentNeed.QUESTION, "It asks a question"),
    BlockedBy.AUTH: (AgentNeed.SETUP, "It wants you to log in"),
    None: (AgentNeed.QUESTION, "It waits for an answer"),
}
"""Kind → the need of a person, and the sentence where the program says no more."""


def facts_of(record: StatusRecord, *, has_hooks: bool) -> Sequence[AgentFact]:
    """Return what a record of the program means.

    Args:
        record: About the program as a whole.
        has_hooks: Its hooks tell of questions, and better: the record alone opens none, and ends none.
    """
    if record.state is ProgramState.BLOCKED:
        return () if has_hooks else (_asked(record),)
    if record.state is ProgramState.CLEAR:
        return () if has_hooks else (AskCancelled(REQUEST), StateForgotten())
    fact: AgentFact = TurnEnded(None)
    if record.state is ProgramState.WORKING:
        fact = TurnBegan()
    elif record.state is ProgramState.ERROR:
        fact = TurnEnded(None, record.message or "it reports an error")
    return (fact,) if has_hooks else (AskCancelled(REQUEST), fact)


def facts_of_rules(told: Told | None) -> Sequence[AgentFact]:
    """Return what the rules of a program tell of its terminal; None: nothing that they know is there."""
    if told is None:
        return AskCancelled(REQUEST), StateForgotten()
    if told.source is ActivitySource.SCREEN:
        return AskCancelled(REQUEST), StateGuessed(told.state)
    if told.state is ActivityKind.WAITING:
        return (_question(None),)
    if told.state is ActivityKind.LIMITED:
        return AskCancelled(REQUEST), LimitReached(None, "")
    return AskCancelled(REQUEST), TurnBegan() if told.state is ActivityKind.WORKING else TurnEnded(None)


def _asked(record: StatusRecord) -> Asked:
    return _question(record.kind, record.message)


def _question(kind: BlockedBy | None, message: str = "") -> Asked:
    need, sentence = _NEEDS[kind]
    return Asked(REQUEST, need, "", message or sentence, {"text": message} if message else {})
