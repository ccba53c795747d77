"""How a mission stands by the work that it is a part of, where its own end does not tell. Pure.

The program of a quest ends well long before its quest has: a check, a review, a landing follow, and any of them may
fail. The part that runs such missions says it here, so that no face works it out again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from overmind_core.domain.missions.outcome import Outcome

WorkState = Literal[
    "queued", "working", "checking", "reviewing", "review", "landing", "to land", "completed", "failed", "cancelled"
]
"""States of a quest; `to land` for a landing that waits until something is out of its way."""


class WorkStanding(NamedTuple):
    """How ended work stands."""

    state: WorkState | None
    """The state of its quest; None for a mission that only helps one, as a review does."""
    outcome: Outcome | None
    """How all of it ended; None: it has not."""
    text: str = ""
    """One line for people; "": what the mission itself says is more."""
