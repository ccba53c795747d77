"""Who looks: programs that show events to a person, which of them was used last, and what each has in view. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Look(NamedTuple):
    """One program: when a person last used it (monotonic seconds), and the mission that it shows; None for none."""

    used_at: float
    view: str | None = None


class Viewers:
    """Programs by the numbers that they get here."""

    def __init__(self) -> None:
        self._looks: dict[int, Look] = {}
        self._newest = 0

    def __bool__(self) -> bool:
        """Whether anybody looks."""
        return bool(self._looks)

    def enter(self, now: float) -> int:
        """Another program looks, just begun by a person; its number."""
        self._newest += 1
        self._looks[self._newest] = Look(now)
        return self._newest

    def leave(self, viewer: int) -> None:
        """It looks no longer."""
        self._looks.pop(viewer, None)

    def used(self, viewer: int, at: float, view: str | None) -> bool:
        """A person used it at that time, and it shows this mission now; False for a number that nobody has."""
        if viewer not in self._looks:
            return False
        self._looks[viewer] = Look(at, view)
        return True

    def called(self, mission: str) -> int | None:
        """Who calls its person about a mission: one that shows it, else the one used last; None where nobody looks.

        One that shows it has nothing to call for; but only itself knows whether it still does.
        """
        showing = [viewer for viewer, look in self._looks.items() if look.view == mission]
        return max(showing or self._looks, key=lambda viewer: (self._looks[viewer].used_at, viewer), default=None)
