"""Spare folders for attempts: made while nobody waits, and taken by whoever begins next.

A folder takes longer to make than all else that stands between the end of one quest and the start of the next; to
rename one is done at once. They belong to nobody until they are taken: whatever is edited, cancelled or killed
meanwhile, there is nothing to take back. What a daemon leaves is removed by the next one that makes any.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from functools import partial
from typing import TYPE_CHECKING

from overmind_core.quests.input_folder import make_spare
from overmind_core.system.remove_tree import remove_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.quests.input_folder import SpareFolder
    from overmind_core.system.paths import Home

MOST = 16
"""Spare folders at the same time."""
PLACE = ".spare"
"""Where they are, beside the private files of missions."""


class SpareFolders:
    """Used from the loop's thread only."""

    def __init__(self, home: Home) -> None:
        self._place = os.path.join(home.root, "files", PLACE)
        self._ready: list[SpareFolder] = []
        self._wanted = 0
        self._made = 0
        """How many were made so far: no name is used twice, also while another daemon takes over."""
        self._works = False
        """Whether some are being made or removed."""
        self._is_swept = False
        """Whether what another daemon has left is gone."""

    def take(self) -> SpareFolder | None:
        """One that nobody else gets; None: there is none."""
        return self._ready.pop() if self._ready else None

    def want(self, count: int) -> None:
        """So many attempts may begin soon: make some once fewer than half are there; once none may, what is left goes.

        One by one they would have a thread woken for each, which the loop then waits for.
        """
        self._wanted = min(count, MOST)
        if not self._works and (2 * len(self._ready) < self._wanted or (self._ready and not self._wanted)):
            self._work()

    def _work(self) -> None:
        self._works = True
        old: list[SpareFolder] = []
        new = max(0, self._wanted - len(self._ready))
        if not self._wanted:
            old, self._ready = self._ready, []
        names = [os.path.join(self._place, f"{os.getpid()}-{self._made + number}") for number in range(new)]
        self._made += new
        work = asyncio.get_running_loop().run_in_executor(
            None, partial(_changed, self._place, old, names, sweep=not self._is_swept)
        )
        self._is_swept = True
        work.add_done_callback(self._on_change)

    def _on_change(self, work: asyncio.Future[list[SpareFolder]]) -> None:
        self._works = False
        if not work.cancelled() and work.exception() is None:
            self._ready += work.result()
            if not self._wanted:
                self.want(0)


def _changed(place: str, old: Sequence[SpareFolder], new: Sequence[SpareFolder], *, sweep: bool) -> list[SpareFolder]:
    """Remove the old ones and make the new ones; return those that were made. Blocks; for another thread."""
    made: list[SpareFolder] = []
    with contextlib.suppress(OSError):  # who finds none makes a folder where it is needed, and tells why that fails
        if sweep:
            _sweep(place)
        for path in old:
            remove_tree(path)
        for path in new:
            try:
                make_spare(path)
            except OSError:
                remove_tree(path)
                raise
            made.append(path)
    return made


def _sweep(place: str) -> None:
    """Remove what another daemon has left, and begin anew.

    All of it goes at once: one that is about to leave finds none, rather than one of which a part is gone.
    """
    left = f"{place}.old"
    remove_tree(left)
    with contextlib.suppress(FileNotFoundError):
        os.rename(place, left)
    remove_tree(left)
    os.makedirs(place, 0o700)
