"""Records of the Program Status Protocol as facts about an agent. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import AgentNeed
from overmind_core.domain.agents.agent_events import AskCancelled, Asked, StateForgotten, TurnBegan, TurnEnded
from overmind_core.terminal.program_status import BlockedBy, ProgramState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.domain.agents.agent_events import AgentFact
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


def _asked(record: StatusRecord) -> Asked:
    need, sentence = _NEEDS[record.kind]
    subject = {"text": record.message} if record.message else {}
    return Asked(REQUEST, need, "", record.message or sentence, subject)
