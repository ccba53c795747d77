"""Posts as requests name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.swarm.standing import ENDED
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.swarm.answers import NamedPost

SHORTEST_ID = 3
"""Characters of an id that are enough, as of missions."""


def find_post(posts: Sequence[NamedPost], word: str) -> NamedPost:
    """Return the post of an id, a name or the beginning of an id; of several one that has not ended, else the newest.

    `posts`: what the swarm has found for the word, oldest first.

    Raises:
        OvermindError: `not_found`.
    """
    same = [one for one in posts if word in {one.id, one.name}]
    if not same and len(word) >= SHORTEST_ID:
        same = [one for one in posts if one.id.startswith(word)]
    if not same:
        raise OvermindError("not_found", f"The swarm has no post {word!r}. See all: overmind ps -H swarm --all")
    live = [one for one in same if one.state not in ENDED]
    return (live or same)[-1]
