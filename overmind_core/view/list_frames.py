"""The list of missions in its groups, for a screen that draws it elsewhere: values made for JSON, tones by name. Pure.

Each line is a row of `frames`, also the headings of groups and the line of those that ended: so that such a screen has
them in the order and in the words of the terminal, and keeps no order of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise

from overmind_core.view import columns as table_columns
from overmind_core.view import health as health_rows
from overmind_core.view import inbox, list_columns, mission_list, row_words, tones
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Row, safe
from overmind_core.view.columns import Column
from overmind_core.view.frames import NAME, CellFrame, Facts, RowFrame
from overmind_core.view.groups import Entry, Group, Listing
from overmind_core.view.list_columns import ListColumn
from overmind_core.view.mission_list import Kind, Slot
from overmind_core.view.row_words import Facts as RowFacts

HEADING = ":"
"""How the key of a heading begins; no id of a mission has a colon."""
NEW, NEW_ABOVE = 1, 2
"""A row that is news: with a dot; and without one, as it stands above anyway."""
_TABLE: Mapping[str, Column] = {one.key: one for one in table_columns.MISSIONS}
SHOWN: tuple[ListColumn, ...] = tuple(
    one for one in (*list_columns.MAIN, *list_columns.FURTHER, list_columns.NOW) if one.key in _TABLE
)
"""The columns behind the name, from the left."""
_MAIN = {NAME, list_columns.NOW.key, *(one.key for one in list_columns.MAIN)}
COLUMNS: tuple[Column, ...] = tuple(
    _TABLE[key]._replace(wide=key not in _MAIN) for key in (NAME, *(one.key for one in SHOWN))
)
"""All of them, with what they are called and when they go."""


def lines(listing: Listing) -> dict[str, Slot]:
    """Key → line, from the top; none where no mission is shown.

    The key of a row is its mission's id, that of the line of those that ended `FOLD`, and that of a heading `HEADING`
    and the group.
    """
    found = mission_list.slots(listing, roomy=False)
    if not mission_list.keys_of(found):
        return {}
    return {slot.key or f"{HEADING}{slot.group or ''}": slot for slot in found}


def missions_in(keys: Iterable[str]) -> list[str]:
    """Those of the keys that are ids of missions."""
    return [key for key in keys if not key.startswith(HEADING)]


def opening(listing: Listing) -> frozenset[str]:
    """Ids of those below which others are shown, which can be folded away."""
    found: set[str] = set()
    for entries in (listing.running, listing.plain):
        found.update(above.id for above, below in pairwise(entries) if len(below.guides) > len(above.guides))
    return frozenset(found)


def frame(slot: Slot, facts: RowFacts, *, opening: Collection[str] = (), opened: Collection[str] = ()) -> RowFrame:
    """A line as it is sent.

    Args:
        slot: As `lines` has it.
        facts: What rows are written from.
        opening: As the function of this name has it.
        opened: Ids of those whose members that ended are shown in place.
    """
    if slot.entry is not None:
        return mission(slot.entry, facts, opens=slot.entry.id in opening, opened=slot.entry.id in opened)
    kind: Facts = {"kind": slot.kind.value}
    if slot.kind is Kind.FOLD:
        kind["folded"] = int(not slot.is_open)
    return "", "", slot.text, int(slot.has_news), [], kind


def updated(entry: Entry, row: Row | None) -> Entry:
    """The entry with what is known of its mission now; one that stands for what has no mission stays as it is."""
    if row is None or entry.row.get(inbox.STANDS_FOR_NONE):
        return entry
    if entry.need is not None and entry.need.by_engine:  # the engine calls it by another name
        row = {**row, "name": entry.row["name"]}
    return entry._replace(row=row, dimmed=entry.dimmed or missions_rows.gone(row))


def mission(entry: Entry, facts: RowFacts, *, opens: bool = False, opened: bool = False) -> RowFrame:
    """A row: its guides, the word of its mark, its name, whether it is news, its cells, and facts about it."""
    new = 0 if not entry.row.get("unseen") else NEW if row_words.has_dot(entry) else NEW_ABOVE
    return (
        entry.guides,
        row_words.sign(entry, facts).word,
        safe(entry.name),
        new,
        _cells(entry, facts),
        _facts(entry, facts, opens=opens, opened=opened),
    )


def _cells(entry: Entry, facts: RowFacts) -> list[CellFrame]:
    """The cells that say something."""
    found: list[CellFrame] = []
    for column in SHOWN:
        cell = column.cell(entry, facts)
        tone = tones.named(cell.tone)
        ticking = _ticking(column.key, entry, facts, cell.text)
        if ticking is not None:
            found.append((column.key, ticking[0], tone, ticking[1]))
        elif cell.text:
            found.append((column.key, cell.text, tone))
    return found


def _ticking(key: str, entry: Entry, facts: RowFacts, text: str) -> tuple[str, float] | None:
    """What stands before a span that goes on by itself, and the moment from or until which it counts."""
    row = entry.row
    if key == list_columns.SPAN.key:
        since = lasts_since(entry, facts)
        return None if since is None else ("", since)
    if key == list_columns.STATE.key:
        waits = missions_rows.next_try(row)
        if waits is None or not waits.ticks_at(facts.now) or text != missions_rows.state(row, facts.now):
            return None
        return waits.lead, waits.at
    ticks = _TABLE[key].ticks
    found = None if ticks is None or row.get(inbox.STANDS_FOR_NONE) else ticks(row)
    return None if found is None or not found.ticks_at(facts.now) else (found.lead, found.at)


def lasts_since(entry: Entry, facts: RowFacts) -> float | None:
    """The moment since which it has been so, in seconds since the epoch; None where that goes on no further."""
    if entry.need is not None:
        return inbox.began(entry.need)
    if row_words.silence(entry, facts) is not None:
        silent = health_rows.silent(facts.health[entry.id], facts.now)
        if silent is not None:
            return float(round(facts.now - silent))
    return missions_rows.held_since(entry.row)


def _facts(entry: Entry, facts: RowFacts, *, opens: bool, opened: bool) -> Facts:
    """The facts of a row, false ones left out.

    `group` and `tone`: where it stands, and of what colour its mark is. `of`: the name of its parent, where that is
    not above it. `folded`: how many rows are folded away, 0 for none. `past`: how many members that ended are not
    shown in place. `opened`: they are. `question`: the number of what it asks. `stands`: it is no mission.
    """
    row = entry.row
    stands = bool(row.get(inbox.STANDS_FOR_NONE))
    asked = None if entry.need is None else entry.need.asked
    ended = 0 if entry.progress is None else sum(entry.progress.ended.values())
    flags = {
        "live": not stands and missions_rows.is_live(row),
        "terminal": not stands and missions_rows.has_terminal(row),
        "attached": bool(row.get("attached")),
        "worktree": bool(row.get("isolation")),
        "dimmed": row_words.is_dimmed(entry),
        "quiet": row_words.is_past(entry),
        "lost": missions_rows.was_lost(row),
        "stands": stands,
        "opened": opened,
    }
    found: Facts = {
        "group": entry.group.value,
        "tone": tones.named(row_words.tone(entry, facts)),
        "type": row["type"],
        "status": row["status"],
    }
    found |= {name: True for name, holds in flags.items() if holds}
    if entry.folded or opens:
        found["folded"] = entry.folded
    if entry.group is Group.RUNNING and ended and not opened:
        found["past"] = ended
    if entry.parent:
        found["of"] = safe(entry.parent)
    if row.get("parent"):
        found["parent"] = row["parent"]
    if asked is not None:
        found["question"] = int(asked["question"])
    return found


def shown(listing: Listing) -> int:
    """How many missions are shown for their own sake."""
    return sum(entry.meant for entry in listing.entries)
