"""The groups of the list of missions, and their contents: who needs a person, who runs, who has ended. Pure.

`grouping` puts missions into them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from overmind_core.domain.missions.status_marks import (
    BAD_ENDS,
    CHECKING,
    LANDING,
    LANDS_LATER,
    OUTCOMES,
    QUEUED,
    REVIEW,
    REVIEWING,
    WORKING,
)
from overmind_core.domain.text.cells import shown_name
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Row, safe
from overmind_core.view.columns import Order
from overmind_core.view.hive_keys import bare_name
from overmind_core.view.inbox import Need
from overmind_core.view.missions import FINAL
from overmind_core.view.row_filter import NOTHING, Filter

_NONE: Mapping[Any, int] = MappingProxyType({})


class Group(StrEnum):
    """The part of the list in which a mission stands."""

    NEEDS = "needs"
    RUNNING = "running"
    ABOVE = "above"
    """It ended badly, and nobody has looked yet: above the line of those that ended."""
    BELOW = "below"
    """It ended: below that line, and shown only while it is unfolded."""
    PLAIN = "plain"
    """In the list without groups."""


class Progress(NamedTuple):
    """How far a family is.

    Attributes:
        ended: Outcome in words → how many of its members ended so, in the order of outcomes.
        total: Members, without the root; None: nobody knows how many more there will be.
        running: Names of those that run.
    """

    ended: Mapping[str, int]
    total: int | None
    running: Sequence[str]


class Entry(NamedTuple):
    """One row of the list.

    Attributes:
        id: What the cursor holds.
        row: The mission as the API answers it; of a question about something else a row that stands for it.
        group: Where it stands.
        need: In the first group the oldest thing for which it needs a person.
        questions: How many questions it asks.
        guides: Lines of the tree before its name, two cells for each step.
        parent: The name that is shown behind its own: that of a parent which stands elsewhere, or "".
        short: What is shown instead of its whole name, or "".
        dimmed: It is shown for the sake of others, or is no longer there.
        folded: How many rows are folded away below it.
        progress: How far its family is; None where nothing has ended in it.
    """

    id: str
    row: Row
    group: Group
    need: Need | None = None
    questions: int = 0
    guides: str = ""
    parent: str = ""
    short: str = ""
    dimmed: bool = False
    folded: int = 0
    progress: Progress | None = None

    @property
    def name(self) -> str:
        """What is shown of its name, or of its title where a name can't say it."""
        return self.short or whole_name(self.row)

    @property
    def meant(self) -> bool:
        """Whether the filter means it; ancestors of such rows are shown, too."""
        return not self.dimmed or missions_rows.gone(self.row)


class Listing(NamedTuple):
    """The list, group by group.

    Attributes:
        needs: Who needs a person: who asks first, then the longest wait.
        running: Who runs, children below their parents.
        above: Who ended badly and was not seen, the newest end first.
        below: Who else ended, likewise; empty while that is folded.
        plain: All, where there are no groups.
        ended: Outcome in words → how many of those behind the fold ended so.
        has_news: Something behind the fold is new.
        unfolded: Whether those that ended are shown.
        grouped: Whether there are groups.
        counts: Group → how many there are: neither ancestors that are shown for others, nor members that ended, count.
        every: The same, where a filter shows fewer of them. All that are behind the fold count as `BELOW`.
    """

    needs: Sequence[Entry] = ()
    running: Sequence[Entry] = ()
    above: Sequence[Entry] = ()
    below: Sequence[Entry] = ()
    plain: Sequence[Entry] = ()
    ended: Mapping[str, int] = _NONE
    has_news: bool = False
    unfolded: bool = False
    grouped: bool = True
    counts: Mapping[Group, int] = _NONE
    every: Mapping[Group, int] | None = None

    def of(self, group: Group) -> Sequence[Entry]:
        """The entries of a group."""
        found: Sequence[Entry] = getattr(self, group.value)
        return found

    def replaced(self, group: Group, entries: Sequence[Entry]) -> Listing:
        """The same with other entries in one group."""
        fields: dict[str, Any] = {group.value: entries}
        return self._replace(**fields)

    @property
    def entries(self) -> Iterator[Entry]:
        """All from the top."""
        for group in Group:
            yield from self.of(group)

    @property
    def above_fold(self) -> list[str]:
        """Ids of what stands above the line of those that ended."""
        groups = (self.needs, self.running, self.above, self.plain)
        return [entry.id for entries in groups for entry in entries]

    @property
    def only_needs(self) -> Listing:
        """The first group alone, which the view of who needs a person shows."""
        every = None if self.every is None else {Group.NEEDS: self.every.get(Group.NEEDS, 0)}
        return Listing(needs=self.needs, counts=self.counts, every=every)

    @property
    def has_fold(self) -> bool:
        """Whether there is a line of those that ended."""
        return bool(self.ended)


class Wish(NamedTuple):
    """How somebody wants to see the list.

    Attributes:
        order: Within the groups; None: each has its own.
        filter: Who is shown.
        attention: Only who needs attention.
        flat: No tree.
        grouped: Whether there are groups; without them it is one list, as `Arrangement` has it.
        unfolded: Those that ended are shown.
        folded: Ids whose descendants are folded away.
        opened: Ids whose members that ended are shown in place.
        opened_rituals: Rituals whose older runs are shown in the list without groups.
    """

    order: Order | None = None
    filter: Filter = NOTHING
    attention: bool = False
    flat: bool = False
    grouped: bool = True
    unfolded: bool = False
    folded: Collection[str] = frozenset()
    opened: Collection[str] = frozenset()
    opened_rituals: Collection[str] = frozenset()

    @property
    def narrows(self) -> bool:
        """Whether it may show fewer than there are."""
        return bool(self.filter) or self.attention


_GOES_ON = frozenset({WORKING, CHECKING, REVIEWING, REVIEW, LANDING, LANDS_LATER, QUEUED})
"""Marks of an ended mission whose quest, or plan, goes on with it."""
_BAD = frozenset(mark.word for mark in BAD_ENDS)
END_WORDS = tuple(mark.word for mark in OUTCOMES)
"""In the order in which they are counted."""


def goes_on(row: Row) -> bool:
    """Whether it lives, or has ended as a part of work that goes on."""
    if row["status"] not in FINAL:
        return True
    standing = row.get(missions_rows.QUEST_STATE)
    return standing is not None and row.get("outcome") is None and missions_rows.mark(row) in _GOES_ON


def why_kept(rows: Sequence[Row], of: Callable[[str | None], Row | None]) -> str:
    """Why none of these can be removed yet, and what to do, to be read; "": nothing that is known keeps one of them.

    Args:
        rows: Missions that may have ended.
        of: Returns a mission by its id; None for one that is not known.
    """
    whys = [_why_kept(row, of(row["parent"])) for row in rows]
    return whys[0] if whys and all(whys) else ""


def _why_kept(row: Row, above: Row | None) -> str:
    name = safe(row["name"])
    if row["status"] not in FINAL:
        return f"{name} is {row['status']}: stop it first"
    if above is not None and above["type"] == missions_rows.PLAN and missions_rows.is_live(above):
        return f"{name} is part of the plan {safe(above['name'])}, which is still running"
    for quest in (row, above):
        if quest is not None and quest["status"] in FINAL and goes_on(quest):
            known = safe(quest["name"])
            stands = missions_rows.mark(quest).word
            return f"{name} is kept: quest {known} has not finished ({stands}) · first :quest cancel {known}"
    return ""


def end_word(row: Row) -> str:
    """The outcome of one that has ended, in words."""
    return str(row.get("outcome") or missions_rows.mark(row).word)


def is_bad_news(row: Row) -> bool:
    """Whether one that has ended did so badly, and nobody has looked since."""
    return bool(row.get("unseen")) and end_word(row) in _BAD


def whole_name(row: Row) -> str:
    """What is shown of a name, or of a title where the name can't say it."""
    return shown_name(bare_name(row), row.get("title"))
