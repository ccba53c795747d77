"""Missions in groups: who stands in which, in which order, below whom. Pure.

Whoever needs a person stands above, and only there. Children stand below their parents as long as these run; where a
parent stands elsewhere, its name stands behind that of the child. What has ended in a family that lives is a part of
the line of its root; all else that has ended is one line, but for what failed and was not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from overmind_core.domain.missions.status_marks import TRIED_AGAIN
from overmind_core.view import fleet as missions_fleet
from overmind_core.view import inbox
from overmind_core.view import missions as missions_rows
from overmind_core.view.arrangement import Arrangement
from overmind_core.view.cells import Row, safe
from overmind_core.view.columns import Order
from overmind_core.view.groups import (
    END_WORDS,
    Entry,
    Group,
    Listing,
    Progress,
    Wish,
    end_word,
    goes_on,
    is_bad_news,
    whole_name,
)
from overmind_core.view.inbox import Need
from overmind_core.view.missions import EMPTY, FORK, LAST, PASSING, PLAN

AS_IT_IS = Wish()


def ordered(rows: Iterable[Row], order: Order | None, now: float) -> list[Row]:
    """The rows as they stand within each group; `now` in seconds since the epoch. None: as they were started."""
    if order is not None:
        return order.of(rows, now)
    return sorted(rows, key=lambda row: (row["started_at"], row["id"]))


def grouped(
    rows: Sequence[Row],
    questions: Sequence[Row],
    now: float,
    wish: Wish = AS_IT_IS,
    *,
    kept: Collection[str] | None = None,
    sizes: Mapping[str, int] = {},
) -> Listing:
    """The list of these missions.

    Args:
        rows: As `ordered` has them.
        questions: What waits for a person, as `inbox` has it.
        now: Seconds since the epoch.
        wish: How it is wanted.
        kept: Ids of what the filter keeps, where it was asked before; None asks it here.
        sizes: Id of a plan → how many agents it has, begun or not; of one that is not known nobody says of how many.
    """
    needing = _needing(rows, questions, now)
    if not wish.grouped:
        return _plain(rows, needing, now, wish, kept)
    return _Grouping(rows, needing, wish, _wanted(wish, needing, kept)).listing(sizes)


class _Needing(NamedTuple):
    """One that needs a person: the oldest of its needs, and how many questions there are."""

    need: Need
    questions: int


def _needing(rows: Sequence[Row], questions: Sequence[Row], now: float) -> dict[str, _Needing]:
    """Id → why it needs a person, in the order of the first group."""
    found: dict[str, list[Need]] = {}
    for need in needs_in_order(rows, questions, now):
        found.setdefault(need.row["id"], []).append(need)
    return {one: _Needing(needs[0], sum(need.asked is not None for need in needs)) for one, needs in found.items()}


def needs_in_order(rows: Iterable[Row], questions: Sequence[Row], now: float) -> list[Need]:
    """Everything that a person is needed for, in the order of the first group; arguments as of `grouped`."""
    asked = {one["id"] for one in questions}
    some = [row for row in rows if row["id"] in asked or inbox.may_need(row)]
    return inbox.by_urgency(inbox.needs(some, questions, now))


def _wanted(wish: Wish, needing: Mapping[str, _Needing], kept: Collection[str] | None) -> Callable[[Row], bool] | None:
    """The test for a row that is shown; None where all are."""
    if not wish.narrows:
        return None
    matches = wish.filter.matches if kept is None else (lambda row: row["id"] in kept)

    def test(row: Row) -> bool:
        if wish.filter and not matches(row):
            return False
        return not wish.attention or row["id"] in needing or missions_fleet.wanted(row)

    return test


def _plain(
    rows: Sequence[Row], needing: Mapping[str, _Needing], now: float, wish: Wish, kept: Collection[str] | None
) -> Listing:
    """The list without groups."""
    wanted = Arrangement(
        wish.order or Order(), wish.filter, wish.attention, wish.flat, wish.folded, wish.opened_rituals
    )
    branches = wanted.of(rows, now, asked_about=needing.keys(), kept=kept).branches
    entries = []
    for branch in branches:
        need, questions = needing.get(branch.id, (None, 0))
        entries.append(
            Entry(
                branch.id, branch.row, Group.PLAIN, need, questions, narrow_guides(branch.guides), "", branch.short,
                branch.dimmed, branch.folded,
            )
        )  # fmt: skip
    every = {Group.PLAIN: len(rows)} if wish.narrows else None
    counts = {Group.PLAIN: sum(branch.meant for branch in branches)}
    return Listing(plain=entries, grouped=False, counts=counts, every=every)


def narrow_guides(guides: str) -> str:
    """Guides as they are drawn here: `├ ` instead of `├─`."""
    return guides.replace("─", " ")


class _Grouping:
    """One arrangement in groups: all that is asked more than once is kept here.

    Args:
        rows: In the order of siblings.
        needing: Id → why it needs a person, in their order.
        wish: How the list is wanted.
        wanted: The test for a row that is shown; None: all are.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        needing: Mapping[str, _Needing],
        wish: Wish,
        wanted: Callable[[Row], bool] | None,
    ) -> None:
        self._rows = rows
        self._needing = needing
        self._wish = wish
        self._wanted = wanted
        self._known: dict[str, Row] = {row["id"]: row for row in rows}
        self._living = {row["id"] for row in rows if goes_on(row)}
        self._tops: dict[str, str | None] = {}

    def listing(self, sizes: Mapping[str, int]) -> Listing:
        """All groups; `sizes`: of plans."""
        placed: dict[str, Row] = {}
        """In place in the tree of those that run."""
        above: list[Row] = []
        below: list[Row] = []
        families: dict[str, list[Row]] = {}
        wanted, living, needing = self._wanted, self._living, self._needing
        for row in self._rows:
            one = row["id"]
            top = self._top(row) if row["parent"] is not None and not self._wish.flat else None
            if top is not None:
                families.setdefault(top, []).append(row)
            if one in needing:
                continue
            if one in living:
                placed[one] = row
            elif is_bad_news(row):
                above.append(row)
            elif top is None:
                below.append(row)
            elif top in self._wish.opened or (wanted is not None and wanted(row)):
                placed[one] = row
        needs = self._needs()
        every = None
        if wanted is not None:
            every = self._counts(len(needing), placed, above, below)
            above, below = [row for row in above if wanted(row)], [row for row in below if wanted(row)]
        meant = placed if wanted is None else [one for one, row in placed.items() if wanted(row)]
        return Listing(
            needs=needs,
            running=self._tree(placed, families, sizes),
            above=self._ended(above, Group.ABOVE),
            below=self._ended(below, Group.BELOW) if self._wish.unfolded else (),
            ended=_counted(below),
            has_news=any(row.get("unseen") for row in below),
            unfolded=self._wish.unfolded,
            counts=self._counts(len(needs), meant, above, below),
            every=every,
        )

    def _counts(
        self, needs: int, placed: Iterable[str], above: Sequence[Row], below: Sequence[Row]
    ) -> dict[Group, int]:
        return {
            Group.NEEDS: needs,
            Group.RUNNING: sum(one in self._living for one in placed),
            Group.ABOVE: len(above),
            Group.BELOW: len(below),
        }

    def _top(self, row: Row) -> str | None:
        """The id of the uppermost living one of its known ancestors; None: there is none."""
        tops, known = self._tops, self._known
        way: list[str] = []
        above = row["parent"]
        while above in known and above not in tops:
            way.append(above)
            above = known[above]["parent"]
        top = tops.get(above) or (above if above in self._living else None) if above in known else None
        for one in reversed(way):
            tops[one] = top
            top = top or (one if one in self._living else None)
        return top

    def _parent_name(self, row: Row) -> tuple[str, str]:
        """The name of its parent, and what its own need not say again of that."""
        parent = self._known.get(row["parent"]) if row["parent"] is not None else None
        if parent is None:
            return "", ""
        return whole_name(parent), missions_rows.short_name(row, parent)

    def _needs(self) -> list[Entry]:
        found = []
        for one, (need, questions) in self._needing.items():
            if self._wanted is None or self._wanted({**self._known.get(one, need.row), "now": need.summary}):
                parent, short = self._parent_name(self._known.get(one, need.row))
                found.append(Entry(one, need.row, Group.NEEDS, need, questions, parent=parent, short=short))
        if self._wish.order is None:
            return found
        places = {row["id"]: place for place, row in enumerate(self._rows)}
        return sorted(found, key=lambda entry: places.get(entry.id, -1))

    def _ended(self, rows: Iterable[Row], group: Group) -> list[Entry]:
        if self._wish.order is None:
            rows = sorted(rows, key=lambda row: row.get("ended_at") or "", reverse=True)
        found = []
        for row in rows:
            parent, short = self._parent_name(row)
            found.append(Entry(row["id"], row, group, parent=parent, short=short, dimmed=missions_rows.gone(row)))
        return found

    # who runs

    def _tree(
        self, placed: dict[str, Row], families: Mapping[str, Sequence[Row]], sizes: Mapping[str, int]
    ) -> list[Entry]:
        """Depth first, without recursion: a chain may be a thousand deep."""
        kept = placed.keys() if self._wanted is None else {one for one, row in placed.items() if self._wanted(row)}
        shown = placed if self._wanted is None else self._with_ancestors(kept, placed)
        if self._wish.flat:
            return [self._entry(row, "", shown=(), kept=kept) for row in placed.values() if row["id"] in kept]
        brood = self._children()
        found: list[Entry] = []
        waiting = [("", "", row) for row in reversed(list(_visible(brood.get(None, ()), brood, shown)))]
        while waiting:
            guides, below, row = waiting.pop()
            one = row["id"]
            children = list(_visible(brood[one], brood, shown)) if one in brood else []
            entry = self._entry(row, guides, shown=shown, kept=kept)
            if one in families or row["type"] == PLAN:
                entry = entry._replace(progress=self._progress(row, families.get(one, ()), sizes.get(one)))
            if children and one in self._wish.folded:
                found.append(entry._replace(folded=_size(children, brood, shown)))
                continue
            found.append(entry)
            for place, child in enumerate(reversed(children)):
                waiting.append((below + (FORK, LAST)[place == 0], below + (PASSING, EMPTY)[place == 0], child))
        return found

    def _entry(self, row: Row, guides: str, *, shown: Container[str], kept: Container[str]) -> Entry:
        one = row["id"]
        parent, short = self._parent_name(row)
        if row["parent"] in shown:
            parent = ""
        dimmed = one not in kept or one not in self._living
        return Entry(one, row, Group.RUNNING, None, 0, narrow_guides(guides), parent, short, dimmed)

    def _children(self) -> dict[str | None, list[Row]]:
        """Parent → its children; None → those whose parent is not known."""
        found: dict[str | None, list[Row]] = {}
        known = self._known
        for row in self._rows:
            above = row["parent"]
            found.setdefault(above if above in known else None, []).append(row)
        return found

    def _with_ancestors(self, kept: Collection[str], placed: Mapping[str, Row]) -> set[str]:
        found = set(kept)
        for one in kept:
            above = self._known[one]["parent"]
            while above in self._known and above not in found:
                if above in placed:
                    found.add(above)
                above = self._known[above]["parent"]
        return found

    def _progress(self, root: Row, members: Sequence[Row], size: int | None) -> Progress | None:
        """How far a family is, or the agents of a plan; None where nothing has ended in it, and it is no plan."""
        is_plan = root["type"] == PLAN
        own = [row for row in members if row["parent"] == root["id"]] if is_plan else members
        begun = [row for row in own if row["id"] in self._living or missions_rows.mark(row) is not TRIED_AGAIN]
        ended = [row for row in begun if row["id"] not in self._living]
        if not ended and size is None:
            return None
        running = [row for row in begun if row["id"] in self._living and row["id"] not in self._needing]
        names = [safe(missions_rows.short_name(row, root) or whole_name(row)) for row in running]
        total = None if is_plan and size is None else max(size or 0, len(begun))
        return Progress(_counted(ended), total, names)


def _counted(rows: Iterable[Row]) -> dict[str, int]:
    """Outcome in words → how many ended so, in the order of outcomes."""
    found = dict.fromkeys(END_WORDS, 0)
    for row in rows:
        word = end_word(row)
        found[word] = found.get(word, 0) + 1
    return {word: count for word, count in found.items() if count}


def _visible(rows: Iterable[Row], brood: Mapping[str | None, Sequence[Row]], shown: Container[str]) -> Iterator[Row]:
    """The rows that are shown; in the place of one that is not stand its children, if they are."""
    waiting = list(rows)
    waiting.reverse()
    while waiting:
        row = waiting.pop()
        if row["id"] in shown:
            yield row
        elif row["id"] in brood:
            waiting += reversed(brood[row["id"]])


def _size(rows: Iterable[Row], brood: Mapping[str | None, Sequence[Row]], shown: Container[str]) -> int:
    """How many rows are shown in the trees below these, with them."""
    waiting, count = list(rows), 0
    while waiting:
        row = waiting.pop()
        count += row["id"] in shown
        waiting += brood.get(row["id"], ())
    return count
