"""The types of answers to those who follow events. Only annotations name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NotRequired, TypedDict

from msgspec import Meta


class EventsFollowed(TypedDict):
    """Which events there are."""

    oldest: int
    """Number of the oldest event that is kept; 0: there is none."""
    viewer: NotRequired[int]
    """With `eyes` and `follow`: the number of this client, for `used`."""


EventItem = Annotated[
    Mapping[str, Any],
    Meta(description="An event: `seq`, `at`, `type`, and the fields that docs/events.md lists for that type."),
]


class ViewerUsed(TypedDict):
    """It is noted."""

    viewer: int
