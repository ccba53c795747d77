"""The types of answers to those who follow events. Only annotations name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict


class EventsFollowed(TypedDict):
    """Which events there are."""

    oldest: int
    """Number of the oldest event that is kept; 0: there is none."""
    viewer: NotRequired[int]
    """With `eyes` and `follow`: the number of this client, for `used`."""


EventItem = Mapping[str, Any]
"""An event: its number `seq`, the time `at`, its `type`, and what that type has."""


class ViewerUsed(TypedDict):
    """It is noted."""

    viewer: int
