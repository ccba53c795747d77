"""What a daemon that leaves could not save, most likely for want of room, and who holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from overmind_core.kernel.database import DiskFull

if TYPE_CHECKING:
    from overmind_core.kernel.database import StoreError


class Unsaved(NamedTuple):
    """The last changes, among them the ends of runs that the keeper holds until a daemon has saved them."""

    failure: StoreError
    keeper: int | None
    """Its pid; None where there is none."""
    ends: int

    def note(self, *, live: int) -> str:
        """For a person: why, what stays, and what to do; `live`: missions that are kept."""
        is_full = isinstance(self.failure, DiskFull)
        why = "The disk is full" if is_full else f"The state can't be written ({self.failure.detail})"
        if not self.keeper or not (live or self.ends):
            return f"{why}: the last changes are not saved."
        if live:
            what, stays, then = "the last changes are", "with everything that runs", "start"
        elif self.ends == 1:
            what, stays, then = "the end of 1 run is", "and holds it for the next daemon", "shutdown"
        else:
            what, stays, then = f"the ends of {self.ends} runs are", "and holds them for the next daemon", "shutdown"
        advice = f"{'Free some space' if is_full else 'Make it writable'}, then run: overmind {then}"
        return f"{why}: {what} not saved. The keeper (PID {self.keeper}) stays, {stays}. {advice}"
