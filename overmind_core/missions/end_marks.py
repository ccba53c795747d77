"""Marks of ends that people asked for while nothing can be stored: empty files, for a name fits on a full disk.

The decision waits in memory until it can be. If the supervisor is killed before that, the next one finds the mark,
and does not restart a mission that somebody has stopped.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from overmind_core.domain.missions.mission import Cause
from overmind_core.kernel.database import DiskFull

if TYPE_CHECKING:
    from collections.abc import Iterable

    from overmind_core.kernel.journal import Journal

_PREFIX = "ended."
_log = logging.getLogger(__name__)


class EndMarks:
    """The marks of one home, in its own folder: to make another one might take room."""

    def __init__(self, folder: str, journal: Journal) -> None:
        self._folder = folder
        self._journal = journal
        self._unmarked: set[str] = set()

    def all(self) -> dict[str, Cause]:
        """Return the missions that somebody has ended, and how."""
        found = {}
        for name in os.listdir(self._folder):
            prefix, _, mission_id = name.rpartition(".")
            if name.startswith(_PREFIX) and mission_id:
                with suppress(ValueError):
                    found[mission_id] = Cause(prefix.removeprefix(_PREFIX))
        return found

    def ending(self, missions: Iterable[str], cause: Cause) -> None:
        """These are being ended, which is queued: mark them should it not be stored, until it is."""
        ids = list(missions)
        self._journal.save(lambda: None, lambda: self._mark(ids, cause), urgent=True)
        self._journal.save(lambda: None, lambda: self.remove(ids, cause))

    def remove(self, missions: Iterable[str], cause: Cause) -> None:
        """Their ends are stored."""
        for mission_id in missions:
            self._unmarked.discard(mission_id)
            with suppress(OSError):
                os.unlink(self._path(mission_id, cause))

    def note(self, missions: Iterable[str]) -> str | None:
        """What people should know about ends that are not stored yet; None: they are."""
        failure = self._journal.failure
        if failure is None:
            return None
        is_full = isinstance(failure, DiskFull)
        why = "The disk is full" if is_full else f"The state can't be written ({failure.detail})"
        if any(one in self._unmarked for one in missions):
            advice = "Free space first, for example with: overmind prune" if is_full else "Make it writable first."
            return f"{why}, and the end is not stored: after a crash, the daemon may start the mission again. {advice}"
        until, advice = (
            ("there is space", "Free space with: overmind prune") if is_full else ("it can be", "Make it writable.")
        )
        return f"{why}: the end takes effect now, and is stored once {until}. {advice}"

    def _mark(self, missions: Iterable[str], cause: Cause) -> None:
        if not self._journal.failing:
            return
        for mission_id in missions:
            try:
                os.close(os.open(self._path(mission_id, cause), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
            except OSError as error:
                _log.warning("the end of mission %s can't be marked: %s", mission_id, error)
                self._unmarked.add(mission_id)

    def _path(self, mission_id: str, cause: Cause) -> str:
        return os.path.join(self._folder, f"{_PREFIX}{cause.value}.{mission_id}")
