"""The arrangement of the list of missions: who is shown, in which order, as a tree or not, what is folded. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from overmind_core.view import fleet as missions_fleet
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Row
from overmind_core.view.columns import Order
from overmind_core.view.missions import Branch
from overmind_core.view.row_filter import NOTHING, Filter


class Arranged(NamedTuple):
    """The list as it is shown.

    Attributes:
        branches: One for each row, from the top.
        beneath: Older runs of rituals → the newest one, below which they stand.
    """

    branches: list[Branch]
    beneath: Mapping[str, str]


class Arrangement(NamedTuple):
    """How somebody wants to see missions.

    Attributes:
        order: Of siblings.
        filter: Who is shown; ancestors of those stay in a tree, dimmed.
        attention: Only who needs attention.
        flat: No tree.
        folded: Ids whose descendants are folded away.
        opened: Rituals whose older runs are shown.
    """

    order: Order = Order()
    filter: Filter = NOTHING
    attention: bool = False
    flat: bool = False
    folded: Collection[str] = frozenset()
    opened: Collection[str] = frozenset()

    def of(
        self, rows: Iterable[Row], now: float, *, asked_about: Collection[str] = (), kept: Collection[str] | None = None
    ) -> Arranged:
        """The list of these missions.

        Args:
            rows: In any order.
            now: Seconds since the epoch.
            asked_about: Ids of what the engine asks about, which needs attention.
            kept: Ids of what the filter keeps, where it was asked before; None asks it here.
        """
        ordered = self.order.of(rows, now)
        wanted = self._wanted(asked_about, kept)
        beneath = {} if self.flat or wanted is not None else missions_rows.older_runs(ordered)
        names = {row["id"]: str(row["name"]) for row in ordered} if beneath else {}
        shut = {newest for newest in beneath.values() if ritual_of(names[newest]) not in self.opened}
        folded = shut.union(self.folded)
        branches = missions_rows.arranged(ordered, wanted=wanted, folded=folded, flat=self.flat, beneath=beneath)
        return Arranged(branches, beneath)

    def _wanted(self, asked_about: Collection[str], kept: Collection[str] | None) -> Callable[[Row], bool] | None:
        """What rows have to be, if anything."""
        matches = self.filter.matches if kept is None else (lambda row: row["id"] in kept)
        tests: list[Callable[[Row], bool]] = [matches] * bool(self.filter)
        tests += [partial(missions_fleet.wanted, asked_about=asked_about)] * self.attention
        return (lambda row: all(test(row) for test in tests)) if tests else None


def opening(branches: Sequence[Branch]) -> frozenset[str]:
    """Ids of those below which others are shown."""
    pairs = pairwise(branches)
    return frozenset(above.id for above, below in pairs if len(below.guides) > len(above.guides))


def ritual_of(run: str) -> str:
    """The name of the ritual of a run, by the run's name."""
    return run.rpartition("/")[0]
