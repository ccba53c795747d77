"""The rest of the list of missions: nothing moves but for a reason, and never under the cursor or a finger. Pure.

For a moment after each key no row comes, goes or shifts. The cursor's row stays in its place until the cursor leaves
it, or no key was pressed for a while; one that would go out of sight stays until the cursor leaves it. An order by
figures holds until the state of a row changes, or somebody asks for it again. Times are those of any clock that never
goes back, in seconds.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Row
from overmind_core.view.groups import Entry, Group, Listing, end_word, goes_on
from overmind_core.view.inbox import STANDS_FOR_NONE

CALM_SECONDS = 0.5
"""After a key."""
HELD_SECONDS = 3.0
"""Without a key, after which the cursor's row goes where it belongs."""
PACE_SECONDS = 0.5
"""Between two changes of a sentence."""
_NEVER = float("-inf")


class Settling:
    """The list as it is shown, which follows the list as it would be."""

    def __init__(self) -> None:
        self._shown: Listing | None = None
        self._pressed_at = _NEVER
        self._due: float | None = None

    @property
    def due(self) -> float | None:
        """When to ask again, since something waits until then; None: nothing does."""
        return self._due

    def press(self, now: float) -> None:
        """A key was pressed."""
        self._pressed_at = now

    def settled(
        self,
        wanted: Listing,
        rows: Mapping[str, Row],
        cursor: str | None,
        now: float,
        *,
        asked: bool = False,
        lets_go: bool = False,
        brings: str = "",
    ) -> Listing:
        """The list to show.

        Args:
            wanted: The list as it would be.
            rows: Id → mission, as it is known now: also of those that `wanted` doesn't show.
            cursor: The id of the cursor's row.
            now: The time.
            asked: A person changed the arrangement, such as by a filter or a fold: all goes where it belongs.
            lets_go: Also a row that goes out of sight goes once no key was pressed for a while.
            brings: The id of one that was just started, for the cursor: it has a row, though it has ended by now.
        """
        shown, self._due = self._shown, None
        if shown is None or asked or shown.grouped is not wanted.grouped:
            found = wanted
        elif now - self._pressed_at < CALM_SECONDS:
            found = _refreshed(shown, wanted, rows)
            if _places(found) != _places(wanted):
                self._due = self._pressed_at + CALM_SECONDS
        else:
            found = self._holding(shown, wanted, rows, cursor, now, lets_go=lets_go)
        if wanted.has_fold and _entry_of(found, brings) is None and _is_folded(brings, rows, wanted):
            found = _brought(found, rows[brings])
        self._shown = found
        return found

    def _holding(
        self,
        shown: Listing,
        wanted: Listing,
        rows: Mapping[str, Row],
        cursor: str | None,
        now: float,
        *,
        lets_go: bool,
    ) -> Listing:
        """The list as it would be, but for the cursor's row, which stays where it is."""
        held = _entry_of(shown, cursor)
        if held is None or not _moves(held, shown, wanted):
            return wanted
        new = _entry_of(wanted, held.id)
        if new is None and held.id not in rows and not held.row.get(STANDS_FOR_NONE):
            return wanted  # it was removed
        if new is not None or lets_go or (held.row.get(STANDS_FOR_NONE) and _is_empty(wanted)):
            until = self._pressed_at + HELD_SECONDS
            if now >= until:
                return wanted
            self._due = until
        if new is not None:
            wanted = wanted.replaced(new.group, [one for one in wanted.of(new.group) if one.id != held.id])
        elif _is_folded(held.id, rows, wanted):
            wanted = _without(wanted, end_word(rows[held.id]))
        before = [one.id for one in shown.of(held.group)]
        others = list(wanted.of(held.group))
        places = {one.id: place for place, one in enumerate(others)}
        above = next((places[one] for one in reversed(before[: before.index(held.id)]) if one in places), -1)
        others.insert(above + 1, _updated(held, new, rows))
        return wanted.replaced(held.group, others)


def _entry_of(listing: Listing, one: str | None) -> Entry | None:
    return None if one is None else next((entry for entry in listing.entries if entry.id == one), None)


def _is_empty(listing: Listing) -> bool:
    """Whether there is no line that the cursor could go to."""
    return not listing.has_fold and next(listing.entries, None) is None


def _moves(held: Entry, shown: Listing, wanted: Listing) -> bool:
    """Whether a row leaves its group, or changes places with another one."""
    old, new = ([one.id for one in listing.of(held.group)] for listing in (shown, wanted))
    if held.id not in new:
        return True
    common = set(old).intersection(new)
    above_old, above_new = (
        {one for one in ids[: ids.index(held.id)] if one in common} for ids in (old, new)
    )  # fmt: skip
    return above_old != above_new


def _is_folded(one: str, rows: Mapping[str, Row], wanted: Listing) -> bool:
    """Whether a mission is counted in the line of those that ended; with a filter nobody knows."""
    row = rows.get(one)
    above = row
    while above is not None and not goes_on(above):
        above = rows.get(above["parent"] or "")
    return row is not None and above is None and wanted.every is None


def _without(listing: Listing, word: str) -> Listing:
    """The list with one fewer in the line of those that ended: it stands in its place."""
    ended = {one: count - (one == word) for one, count in listing.ended.items()}
    counts = {group: count - (group is Group.BELOW) for group, count in listing.counts.items()}
    return listing._replace(ended={one: count for one, count in ended.items() if count}, counts=counts)


def _brought(listing: Listing, row: Row) -> Listing:
    """The list with one of those behind the fold at the end of those that run, where it would have begun."""
    entry = Entry(row["id"], row, Group.RUNNING, dimmed=missions_rows.gone(row))
    return _without(listing, end_word(row)).replaced(Group.RUNNING, [*listing.running, entry])


def _updated(entry: Entry, new: Entry | None, rows: Mapping[str, Row]) -> Entry:
    """An entry in its place, with what is known of its mission now; one that was killed is dimmed there."""
    row = rows.get(entry.id, entry.row) if new is None else new.row
    gone = missions_rows.gone(row)
    dimmed = entry.dimmed if gone is missions_rows.gone(entry.row) else gone
    if new is None:
        return entry._replace(row=row, need=None, questions=0, dimmed=dimmed)
    return entry._replace(row=row, need=new.need, questions=new.questions, progress=new.progress, dimmed=dimmed)


def _refreshed(shown: Listing, wanted: Listing, rows: Mapping[str, Row]) -> Listing:
    """The same rows in the same places, with what is known of their missions now."""
    newer = {entry.id: entry for entry in wanted.entries}
    for group in Group:
        if entries := shown.of(group):
            shown = shown.replaced(group, [_updated(entry, newer.get(entry.id), rows) for entry in entries])
    return shown


def _places(listing: Listing) -> tuple[list[tuple[str, Group]], bool, int]:
    return [(entry.id, entry.group) for entry in listing.entries], listing.has_fold, sum(listing.ended.values())


class _Known(NamedTuple):
    """A row in its place: the state that it was put there in."""

    id: str
    state: tuple[str, str, object]


BY_FIGURES = frozenset({"cpu", "memory", "cost", "tokens", "output", "for", "now"})
"""Orders that would change by themselves all the time."""


class SettledOrder:
    """An order of rows by figures that change all the time, such as their load: rows keep it until their state changes.

    Ask it only for such an order: that of the start is at rest by itself.
    """

    def __init__(self) -> None:
        self._known: list[_Known] = []

    def settled(self, rows: Sequence[Row], *, asked: bool = False) -> list[Row]:
        """The rows as they are to stand.

        Args:
            rows: As they would stand now.
            asked: A person asked for this order: it is as it would be.
        """
        now = [_Known(row["id"], state_of(row)) for row in rows]
        by_id = {row["id"]: row for row in rows}
        if not asked:
            now = _resting(self._known, now)
        self._known = now
        return [by_id[one.id] for one in now]


def state_of(row: Row) -> tuple[str, str, object]:
    """The state of a mission: while it is the same the row stays in its place."""
    return row["status"], missions_rows.mark(row).word, row.get("run")


def _resting(before: Sequence[_Known], now: Sequence[_Known]) -> list[_Known]:
    """Those that are as before in the order of before; each of the others behind whom it stands now."""
    unchanged = set(before).intersection(now)
    behind: dict[_Known | None, list[_Known]] = {}
    above: _Known | None = None
    for one in now:
        if one in unchanged:
            above = one
        else:
            behind.setdefault(above, []).append(one)
    found = behind.get(None, [])
    for one in before:
        if one in unchanged:
            found += (one, *behind.get(one, ()))
    return found


class Pace:
    """Sentences that change at most twice a second, each by itself."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, float]] = {}
        self.due: float | None = None
        """When one that is held back may be said; None: none is."""

    def paced(self, one: str, text: str, now: float) -> str:
        """The sentence to show of a mission that would say `text`."""
        before, at = self._said.get(one, ("", _NEVER))
        if text == before:
            return text
        if now - at < PACE_SECONDS:
            free = at + PACE_SECONDS
            self.due = free if self.due is None or self.due <= now else min(self.due, free)
            return before
        self._said[one] = (text, now)
        return text

    def keep(self, ids: Container[str]) -> None:
        """Forget all but these."""
        self._said = {one: said for one, said in self._said.items() if one in ids}
