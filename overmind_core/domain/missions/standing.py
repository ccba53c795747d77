"""How a mission stands by the work that it is a part of, where its own end does not tell. Pure.

The program of a quest ends well long before its quest has: a check, a review, a landing follow, and any of them may
fail. A failed attempt of a plan's agent is not the agent's end where another one follows. The part that runs such
missions says it here, so that no face works it out again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from overmind_core.domain.missions.outcome import Outcome

WorkState = Literal[
    "queued", "working", "checking", "reviewing", "review", "landing", "to land", "completed", "failed", "cancelled",
    "tried again",
]  # fmt: skip
"""States of a quest; `to land` for a landing that waits until something is out of its way. Of a plan's agent: `queued`
for an attempt that has failed and waits for the next one, `tried again` for one that the next one has followed."""
TRIED_AGAIN: Final = "tried again"


class WorkStanding(NamedTuple):
    """How ended work stands."""

    state: WorkState | None
    """The state of its quest, or of an attempt that a plan tries again; None where its outcome says all, or it only
    helps a quest, as a review does."""
    outcome: Outcome | None
    """How all of it ended; None: it has not, or a later attempt says how."""
    text: str = ""
    """One line for people; "": what the mission itself says is more."""
    next_try_at: float | None = None
    """Before this time, in seconds since the epoch, it is not tried again; None: it is not to be."""
    failure: str | None = None
    """The code of why it failed; None: it has not, or the end of the mission tells that."""
