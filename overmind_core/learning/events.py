"""Events about lessons."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from overmind_core.domain.events import MissionAct


class LessonChanged(MissionAct, frozen=True, kw_only=True, tag="lesson"):
    """A lesson was proposed, accepted or dropped; `mission` is the quest that has taught it, when it is proposed."""

    lesson: str
    """The word by which people call it: `L-7`."""
    state: str
    """`proposed`, `accepted` or `dropped`."""
    failure: str = msgspec.field(name="class")
    """The class of the attempt that failed."""
    repository: str
    """The common folder of git."""
    why: str | UnsetType = UNSET
    """The reason for a change that nobody asked for."""
