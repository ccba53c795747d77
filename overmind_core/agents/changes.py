"""What the bus tells about agents beside their events: what each one says and does, as its provider understands it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from overmind_core.domain.agents.agent_events import AgentFact


class FactRead(NamedTuple):
    """An agent's program has told something. Nothing of it is saved by itself; it is told once."""

    mission: str
    fact: AgentFact
