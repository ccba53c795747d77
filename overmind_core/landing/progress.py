"""How far a merge is, as the next supervisor has to know, and what is done about it. Texts are in wire form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.landing.store import LandingRow


@dataclass(frozen=True, slots=True)
class MergeProgress:
    """Replaced, never changed."""

    mission: str
    name: str
    source: str
    repository: str
    scratch: str
    branch: str
    target: str
    before: str
    """Where the target stands."""
    verify: str | None = None
    """The mission that checks it."""
    after: str = ""
    """Where the target is to stand; "" before that is known."""
    landing: bool = False
    """The target is being moved, and that it was is not written down yet."""
    request: str | None = None
    """The caller's key."""
    tip: str = ""
    """The commit of the mission's branch."""
    why: str | None = None
    """Why it lands by itself; None: somebody has asked for it."""
    lines: tuple[int, int] | None = None
    """Lines that come and go with it; None: nobody has counted them."""

    @property
    def mark(self) -> str:
        """By which its processes of git are known."""
        return mark_of(self.mission)


def mark_of(mission: str) -> str:
    """Return by which the processes of git are known that merge a mission's work; they may be killed at any time."""
    return f"merge-{mission}"


class MergeJournal(Protocol):
    """Where a merge writes down how far it is."""

    def keep(self, trace: MergeProgress) -> Callable[[], None]:
        """Remember how far a merge is; what is returned writes it down, inside of a transaction."""

    def recorded(self, request: str | None) -> LandingRow | None:
        """What came of a request when it was sent before: whoever was to answer may have died."""

    def forget(self, mission: str) -> None:
        """Nothing of the merge is left."""

    def record(self, trace: MergeProgress) -> None:
        """It landed: that is written down together with its event, and once, whatever happens next."""

    async def end(self, mission_id: str | None) -> None:
        """End the mission that checks a merge, if it is live."""
