"""The list of missions as lines: the headings of its groups, its rows, and the line of those that ended. Pure.

All lines of a list are `slots` first, which cost little; only those in sight are drawn.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from overmind_core.domain.missions.status_marks import ATTACHED
from overmind_core.domain.text.cells import pad, width
from overmind_core.view import row_words
from overmind_core.view.cells import Cell, clipped, fitted, safe
from overmind_core.view.groups import Entry, Group, Listing
from overmind_core.view.list_columns import LEAD, Layout, clipped_text
from overmind_core.view.missions import FOLDED
from overmind_core.view.row_words import Facts

FOLD = ":ended"
"""What the cursor holds on the line of those that ended; no id of a mission has a colon."""
UNFOLDED, CURSOR, NEWS, MARKED = "▾", "▌", "•", "*"
PART_OF = "‹"
GAP = " " * 3
"""Between the heading of a group and a note behind it."""
ENDED = "ended"
"""Said over rows of those that ended, while the list is scrolled to them."""
ATTENTION = "needs attention"
"""What is looked for where only those are listed that call for a person."""
GROUND, GROUND_AT_REST = "cursor", "cursor-rest"
LEAST_PARENT = 7
"""Cells behind its own name from which on that of its parent is shown."""
NAME = "name"
"""The column that needs no title but to say that rows are sorted by it."""
LEAST_GAP = 2
"""Blanks between the heading of a group and the title of a column."""
LEAST_NAME = 6
"""Cells that a name keeps beside the guides of a deep tree."""


class Kind(StrEnum):
    """The kind of a line."""

    HEADING = "heading"
    ROW = "row"
    FOLD = "fold"
    NOTE = "note"
    """A sentence in place of rows."""
    BLANK = "blank"


class Slot(NamedTuple):
    """One line of the list before it is drawn.

    Attributes:
        kind: Of the line.
        text: Of a heading, of a sentence, or of the line of those that ended.
        entry: A row.
        key: What the cursor holds there; None where it can't stand.
        is_open: Of the line of those that ended: they are shown below it.
        has_news: Likewise: something in it is new.
        group: Of a heading: whose it is; None where nothing but ended missions is there.
        more: Of a heading: a note behind it, such as how many rows are marked.
    """

    kind: Kind
    text: str = ""
    entry: Entry | None = None
    key: str | None = None
    is_open: bool = False
    has_news: bool = False
    group: Group | None = None
    more: str = ""


class ListLine(NamedTuple):
    """One line of the list.

    Attributes:
        cells: As wide as the list.
        key: The id of its mission, `FOLD`, or None.
        ground: `cursor`, or `cursor-rest` while the keys are elsewhere; "" for the others.
        group: Of a heading: whose it is.
    """

    cells: list[Cell]
    key: str | None = None
    ground: str = ""
    group: Group | None = None

    def group_at(self, cell: int) -> Group | None:
        """The group whose heading stands at a cell, for the mouse; the titles of columns may stand behind it."""
        return self.group if self.group is not None and cell < width(self.cells[0].text) else None


class Look(NamedTuple):
    """How the lines are drawn.

    Attributes:
        layout: The columns.
        facts: What rows are written from.
        cursor: The key under the cursor.
        focused: Whether the keys are in the list.
        marked: Ids of marked rows.
        sorted_by: The column by which rows are sorted, and whether the least comes first; "": none.
        chosen: The column that the person chose.
        ascii_only: Marks are drawn with ASCII.
    """

    layout: Layout
    facts: Facts
    cursor: str | None = None
    focused: bool = True
    marked: Collection[str] = frozenset()
    sorted_by: tuple[str, bool] = ("", True)
    chosen: str = ""
    ascii_only: bool = False


BLANK = Slot(Kind.BLANK)


# the lines, before they are drawn


def slots(listing: Listing, *, roomy: bool, marked: Collection[str] = frozenset(), wanted: str = "") -> list[Slot]:
    """All lines of the list.

    Args:
        listing: Who stands where.
        roomy: Whether a blank line stands between groups.
        marked: Ids of marked rows, which are counted beside a heading.
        wanted: What the list was narrowed to, in words, where it may be that nothing matches.
    """
    blocks = [list(block) for block in _blocks(listing)]
    if not any(slot.key for block in blocks for slot in block):
        return [Slot(Kind.NOTE, _nothing(listing, wanted))]
    headings = [(block, place) for block in blocks for place, slot in enumerate(block) if slot.kind is Kind.HEADING]
    if not headings:
        blocks.insert(0, [Slot(Kind.HEADING, "nothing runs")])
        headings = [(blocks[0], 0)]
    if marked:
        block, place = headings[-1]
        shown = {slot.key for block in blocks for slot in block}
        block[place] = block[place]._replace(more=marks_text(len(marked), sum(one not in shown for one in marked)))
    found: list[Slot] = []
    for block in blocks:
        found += [BLANK] * (roomy and bool(found)) + block
    return found


def _blocks(listing: Listing) -> Iterable[list[Slot]]:
    """The lines of each group."""
    if not listing.grouped:
        yield [_titled(_counted(listing, Group.PLAIN, "missions"), Group.PLAIN), *_rows(listing.plain)]
        return
    if listing.needs or (listing.every or {}).get(Group.NEEDS):
        text = _counted(listing, Group.NEEDS, "need you") if listing.every else "needs you"
        yield [_titled(text, Group.NEEDS), *_rows(listing.needs)]
    if listing.running or (listing.every or {}).get(Group.RUNNING):
        yield [_titled(_counted(listing, Group.RUNNING, "running"), Group.RUNNING), *_rows(listing.running)]
    ended = [*_rows(listing.above)]
    if listing.has_fold:
        ended.append(Slot(Kind.FOLD, fold_text(listing), None, FOLD, listing.unfolded, listing.has_news))
    ended += _rows(listing.below)
    if ended:
        yield ended


def _titled(text: str, group: Group) -> Slot:
    return Slot(Kind.HEADING, text, group=group)


def _rows(entries: Sequence[Entry]) -> list[Slot]:
    return [Slot(Kind.ROW, entry=entry, key=entry.id) for entry in entries]


def _counted(listing: Listing, group: Group, words: str) -> str:
    shown = f"{listing.counts.get(group, 0):,}"
    return f"{shown} {words}" if listing.every is None else f"{shown} of {listing.every.get(group, 0):,} {words}"


def marks_text(marked: int, hidden: int) -> str:
    """How many rows are marked, and how many of these are not in sight."""
    return f"{marked} marked" + (f", {hidden} hidden" if hidden else "")


def fold_text(listing: Listing) -> str:
    """How many ended, and how: `32 ended: 30 succeeded, 1 failed, 1 stopped`."""
    how = ", ".join(f"{count:,} {word}" for word, count in listing.ended.items())
    return f"{_counted(listing, Group.BELOW, 'ended')}: {how}"


def _nothing(listing: Listing, wanted: str) -> str:
    if listing.every is None:
        return "nothing runs"
    every = sum(listing.every.values())
    return f"nothing {f'matches {safe(wanted)}' if wanted else ATTENTION}: esc shows all {every:,}"


def place_of(lines: Sequence[Slot], key: str | None) -> int | None:
    """The line with a key; None where there is none."""
    return next((place for place, slot in enumerate(lines) if key is not None and slot.key == key), None)


def first_of(lines: Iterable[Slot], group: Group) -> str | None:
    """The key of a group's first row; None where no row is in it."""
    return next((slot.key for slot in lines if slot.entry is not None and slot.entry.group is group), None)


def keys_of(lines: Iterable[Slot]) -> list[str]:
    """All keys from the top: where the cursor can stand."""
    return [slot.key for slot in lines if slot.key is not None]


# the lines in sight


def first_seen(count: int, at: int, height: int, *, top: int | None = None, line: int | None = None) -> int:
    """How far the list is scrolled: the place of the line that is the first in sight; see `seen`.

    Args:
        count: Lines of the list.
        at: The place of the cursor's line.
        height: Lines that are shown.
        top: How far it was scrolled: that stays if the cursor can be seen. None: the cursor comes into the middle.
        line: The line of the screen on which the cursor's row is to stay, where the list can scroll.
    """
    if count <= height:
        return 0
    wanted = at - line if line is not None else at - height // 2 if top is None else top
    if line is None and top is not None:
        wanted = min(wanted, max(at - 1, 0))
    wanted = max(wanted, at - height + 1)
    return max(0, min(wanted, count - height))


def seen(lines: Sequence[Slot], height: int, top: int) -> list[Slot]:
    """The lines in sight: a heading, which has those of the columns, is always the first of them."""
    if top <= 0:
        return list(lines[:height])
    return [_heading_at(lines, top + 1), *lines[top + 1 : top + height]][:height]


def _heading_at(lines: Sequence[Slot], first: int) -> Slot:
    """The heading over lines that begin at `first`: whose they are, and who needs a person above them."""
    if lines[0].kind is not Kind.HEADING:
        return lines[0]
    headings, needing = _headings(lines, first)
    below = next((slot for slot in lines[first : first + 2] if slot.kind is not Kind.BLANK), lines[-1])
    name, above = "", f"{needing:,} {'needs' if needing == 1 else 'need'} you above"
    group = Group.NEEDS if needing else None
    if below.entry is not None:  # headings and the line of those that ended say themselves whose lines follow
        group = below.entry.group
        name = next((one.text for one in headings.values() if one.group in {group, None}), ENDED)
        above = f"{needing:,} more above" if group is Group.NEEDS else above
    place = max(headings)
    notes = (above if needing else "", headings[place].more if place < first else "")
    return Slot(Kind.HEADING, GAP.join(filter(None, (name, *notes))), group=group)


def _headings(lines: Sequence[Slot], first: int) -> tuple[dict[int, Slot], int]:
    """Place → each heading, and how many before `first` need a person: none is below the first row that doesn't."""
    found, needing = {}, 0
    for place, slot in enumerate(lines):
        if slot.kind is Kind.HEADING:
            found[place] = slot
        elif slot.entry is not None and slot.entry.group is Group.NEEDS:
            needing += place < first and slot.entry.need is not None
        elif slot.kind is not Kind.BLANK:
            break
    return found, needing


# drawing


def drawn(lines: Sequence[Slot], look: Look) -> list[ListLine]:
    """The lines in sight, as cells; the first of them is the heading with the names of the columns."""
    return [_drawn(slot, look, is_first=place == 0) for place, slot in enumerate(lines)]


def _drawn(slot: Slot, look: Look, *, is_first: bool) -> ListLine:
    if slot.kind is Kind.BLANK:
        return ListLine([Cell(" " * look.layout.cells)])
    if slot.kind is Kind.NOTE:
        return ListLine(_filled([Cell(f" {slot.text}", "quiet")], look.layout.cells))
    if slot.kind is Kind.HEADING:
        text = f"{slot.text}{GAP}{slot.more}" if slot.more else slot.text
        return ListLine(_heading(text, look, with_columns=is_first), group=slot.group)
    here = slot.key is not None and slot.key == look.cursor
    bar = Cell(CURSOR, "accent" if look.focused else "rule") if here else Cell(" ")
    ground = "" if not here else GROUND if look.focused else GROUND_AT_REST
    if slot.entry is None:
        return ListLine(_fold(slot, bar, look.layout.cells), slot.key, ground)
    return ListLine(_row(slot.entry, bar, look), slot.key, ground)


def _heading(text: str, look: Look, *, with_columns: bool) -> list[Cell]:
    layout = look.layout
    title = Cell(clipped(f" {text}", layout.cells), "title")
    line, at = [title], width(title.text)
    for shown, start in _column_titles(look) if with_columns else ():
        if start < at + LEAST_GAP or start + width(shown.text) > layout.cells:  # the title takes its place
            continue
        line += [Cell(" " * (start - at)), shown]
        at = start + width(shown.text)
    return [*line, Cell(" " * (layout.cells - at))]


def _column_titles(look: Look) -> Iterable[tuple[Cell, int]]:
    """The title of each column, and where it begins; that of the names only while rows are sorted by it, or may be."""
    layout = look.layout
    if NAME in {look.sorted_by[0], look.chosen}:
        shown = _column_title(NAME, NAME.upper(), layout.name, look)
        yield shown, LEAD + layout.name - width(shown.text) - 1
    for column, start, cells in layout.columns:
        shown = _column_title(column.key, column.title, cells, look)
        yield shown, start + (cells - width(shown.text) if column.right else 0)


def _column_title(key: str, title: str, cells: int, look: Look) -> Cell:
    by, rises = look.sorted_by
    text = f"{title}{'↑' if rises else '↓'}" if key == by else title
    return Cell(clipped(text, cells), "accent" if key == look.chosen else "faint")


def _fold(slot: Slot, bar: Cell, cells: int) -> list[Cell]:
    """The line of those that ended; a dot before it says that something in it is new."""
    lead = Cell(NEWS, "accent") if slot.has_news and bar.text == " " else bar
    sign = Cell(f"{UNFOLDED if slot.is_open else FOLDED} ", "faint")
    counts = Cell(slot.text, "news" if slot.has_news else "quiet")
    hint = Cell(f"   enter {'folds' if slot.is_open else 'unfolds'}", "faint")
    return _filled([lead, sign, counts, hint], cells)


def _row(entry: Entry, bar: Cell, look: Look) -> list[Cell]:
    layout, facts = look.layout, look.facts
    sign = row_words.sign(entry, facts)
    dot = Cell(MARKED if entry.id in look.marked else NEWS if row_words.has_dot(entry) else " ", "accent")
    line = [Cell(f"{sign.ascii if look.ascii_only else sign.mark} ", row_words.tone(entry, facts))]
    line += _name(entry, look)
    at = LEAD + layout.name
    for placed in layout.columns:
        found = placed.column.cell(entry, facts)
        line.append(Cell(" " * (placed.start - at)))
        text = clipped_text(found.text, placed.cells)
        line.append(Cell(fitted(text, placed.cells, right=placed.column.right), found.tone))
        at = placed.start + placed.cells
    if row_words.is_dimmed(entry):
        line = [Cell(cell.text, "faint") for cell in line]
    elif row_words.is_past(entry):
        line = [Cell(cell.text, "quiet") for cell in line]
    return _filled([bar, dot, *line], layout.cells)


def _name(entry: Entry, look: Look) -> list[Cell]:
    """Guides, its own name, what else is to be said of it, and whose part it is."""
    room = look.layout.name
    guides = entry.guides
    if width(guides) > room - LEAST_NAME:  # so deep that the name would be lost
        guides = "…"
    room -= width(guides)
    more = f" {FOLDED}{entry.folded}" if entry.folded else ""
    if (entry.row.get("attached") or 0) > (entry.id == look.facts.looked_at):
        more += f" {ATTACHED.ascii if look.ascii_only else ATTACHED.mark}"
    own = clipped_text(safe(entry.name), max(room - width(more), 1)) + more
    left = room - width(own)
    part = clipped_text(f" {PART_OF} {safe(entry.parent)}", left) if entry.parent and left >= LEAST_PARENT else ""
    cells = [Cell(guides, "rule"), Cell(own, row_words.name_tone(entry)), Cell(pad(part, left), "faint")]
    return [cell for cell in cells if cell.text]


def _filled(line: Sequence[Cell], cells: int) -> list[Cell]:
    """The cells, cut or padded to the width of the list."""
    found: list[Cell] = []
    left = cells
    for cell in line:
        if left <= 0:
            break
        text = cell.text if width(cell.text) <= left else clipped_text(cell.text, left)
        if text:
            found.append(Cell(text, cell.tone))
        left -= width(text)
    return [*found, Cell(" " * left)] if left > 0 else found
