"""The arguments of requests about missions that are watched."""

from __future__ import annotations

from overmind_core.kernel.request import Args


class Health(Args, frozen=True):
    """The health of these missions; without `ids` of all that run."""

    ids: list[str] = []
    review: bool = False
    """Have the provider of `[guardian] review` look at each of them first; its number counts for five minutes."""
