"""Who has begun a mission, by its request key: the engine, for a purpose of its own, or a person, an agent, a ritual.

The engine begins again by itself what it still needs of its own: attempts of the queue, checks, reviews, verifications
of landings, agents of plans, services of a worktree. Started by hand such a mission would run for nobody, in a folder
that may be gone. A run of a post is begun again by the swarm, here or elsewhere: by hand it would run twice.
"""

from __future__ import annotations

RITUAL = "ritual:"
"""Begin of the request key of what a run of a ritual starts: the ritual does not begin the same run again."""


def is_of_engine(request: str | None) -> bool:
    """Whether the engine has begun the mission of this request key for itself; None: it has none.

    A colon is in each key of the daemon's own, and in none of a caller's: see `kernel.request.RequestKey`.
    """
    return request is not None and ":" in request and not request.startswith(RITUAL)
