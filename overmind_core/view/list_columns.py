"""Columns of the list of missions: which fit into how many cells, and what each says of a row. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from overmind_core.domain.text.cells import width
from overmind_core.view import columns as table_columns
from overmind_core.view import numbers, row_words
from overmind_core.view.cells import Cell, clipped, safe
from overmind_core.view.groups import Entry
from overmind_core.view.hive_keys import HIVE
from overmind_core.view.inbox import STANDS_FOR_NONE
from overmind_core.view.missions import PLAN
from overmind_core.view.row_words import Facts

LEAD = 4
"""Cells before a name: the cursor, the dot, the mark and a blank."""
EDGE = 1
"""Blank cells at the right."""
NAME, NAME_ROOMY, NAME_LONG = 16, 20, 28
"""Cells of a name: at first, where the list is wide, and where the sentence has room to spare."""
NAME_MOST = 48
"""Cells that the longest names may widen their column to, as far as the sentence keeps its room."""
ROOMY, LONG_KEEPS = 100, 50
"""Cells of the list, and of the sentence, from which on names have more room."""
LEAST_NOW = 24
"""Cells of the sentence below which columns go."""
NAMES = "name"
SAMPLE = 100
"""Rows by whose contents columns are measured."""
SHOWN_AGENT = {"raw": ""}
"""Providers that are no agents."""


class ListColumn(NamedTuple):
    """One column.

    Attributes:
        key: What it is called in orders.
        title: Its heading.
        cells: How wide it is; 0: whatever is left.
        gap: Blank cells before it.
        cell: What it says of a row.
        right: Whether it is set flush right.
        goes: The order in which columns go where there is little room; 0 never does.
        least: Cells of the list from which on it is shown.
        most: Cells to which its contents may widen it.
    """

    key: str
    title: str
    cells: int
    gap: int
    cell: Callable[[Entry, Facts], Cell]
    right: bool = False
    goes: int = 0
    least: int = 0
    most: int = 0


class Placed(NamedTuple):
    """A column in its place: the cell where it begins, and how wide it is."""

    column: ListColumn
    start: int
    cells: int


class Layout(NamedTuple):
    """The columns behind the name.

    Attributes:
        cells: The width of the list.
        name: That of a name, with the guides before it.
        columns: From the left; the last one is the sentence.
    """

    cells: int
    name: int
    columns: tuple[Placed, ...]

    @property
    def keys(self) -> list[str]:
        """All columns from the left."""
        return ["name", *(one.column.key for one in self.columns)]

    def at(self, cell: int) -> str:
        """The key of the column at a cell, for the mouse; "" for none."""
        if LEAD <= cell < LEAD + self.name:
            return "name"
        return next((one.column.key for one in self.columns if one.start <= cell < one.start + one.cells), "")


def _quiet(text: Callable[[Entry, Facts], str]) -> Callable[[Entry, Facts], Cell]:
    return lambda entry, facts: Cell(text(entry, facts), "quiet")


def _agent(entry: Entry, _facts: Facts) -> str:
    """Its provider; of a plan that it is one."""
    provider = safe(entry.row.get("provider"))
    return "plan" if entry.row.get("type") == PLAN else SHOWN_AGENT.get(provider, provider)


HOST = ListColumn("hive", "HOST", 5, 1, _quiet(lambda entry, _: safe(entry.row.get(HIVE))), goes=5, most=12)
STATE = ListColumn("state", "STATE", row_words.STATE_CELLS, 1, row_words.state)
SPAN = ListColumn("for", "FOR", 4, 0, _quiet(row_words.lasts), right=True, goes=4)
COST = ListColumn("cost", "COST", 7, 1, _quiet(lambda entry, _: numbers.cost_of(entry.row)), right=True, goes=3)
CPU = ListColumn(
    "cpu", "CPU", 4, 2, _quiet(lambda entry, _: numbers.percent(entry.row.get("cpu_percent"))), right=True, goes=2,
    least=110,
)  # fmt: skip
CHANGED = ListColumn(
    "changed", "CHANGED", 7, 2, _quiet(lambda entry, _: table_columns.changed_lines(entry.row)), right=True, goes=1,
    least=130, most=13,
)  # fmt: skip
AGENT = ListColumn("agent", "AGENT", 7, 2, _quiet(_agent), goes=1, least=116)
NOW = ListColumn("now", "NOW", 0, 2, row_words.sentence)
MAIN = (HOST, STATE, SPAN, COST, CPU, CHANGED, AGENT)
SPARE = frozenset({HOST, CHANGED})
"""Columns that are not there while they say nothing of any mission."""
_GAP_BEHIND_AGENT = 1


def _further(column: table_columns.Column) -> ListColumn:
    """A column of the wide list, as the table has it."""

    def cell(entry: Entry, facts: Facts) -> Cell:
        return Cell("") if entry.row.get(STANDS_FOR_NONE) else column.cell(entry.row, facts.now)

    return ListColumn(column.key, column.title, column.least, 2, cell, column.right, column.keep, most=column.most)


_IN_MAIN = {"name", "now", *(column.key for column in MAIN)}
FURTHER = tuple(_further(one) for one in table_columns.MISSIONS if one.key not in _IN_MAIN)
"""What the wide list shows beside the others, as many of them as fit."""
_SPARE = {one.key for one in table_columns.MISSIONS if one.spare}


def needed(entries: Iterable[Entry], facts: Facts, *, wide: bool = False) -> dict[str, int]:
    """Cells that the contents of columns take whose width is not fixed; `entries`: a sample of `SAMPLE` is enough."""
    some = list(entries)
    measured = [*SPARE, *(FURTHER if wide else ())]
    found = {one.key: max((width(one.cell(entry, facts).text) for entry in some), default=0) for one in measured}
    return found | {NAMES: max(map(_name_cells, some), default=0)}


def _name_cells(entry: Entry) -> int:
    """Cells of a whole name: with its guides, what is said behind it, and whose part it is."""
    behind = f" ‹ {safe(entry.parent)}" if entry.parent else ""
    folded = f" ▸{entry.folded}" if entry.folded else ""
    attached = 2 * bool(entry.row.get("attached"))
    return width(entry.guides) + width(safe(entry.name)) + width(folded) + attached + width(behind)


def laid_out(
    cells: int, needs: Mapping[str, int] | None = None, before: Layout | None = None, *, wide: bool = False
) -> Layout:
    """Choose the columns for a list of `cells` cells.

    Args:
        cells: The width of the list.
        needs: As `needed` has it; hosts and changed lines have no column where there are none.
        before: The layout so far: a column that was shown stays, and none becomes narrower, as long as the list is as
            wide as it was.
        wide: Show further columns.
    """
    known = needs or {}
    old = {} if before is None or before.cells != cells else {one.column.key: one.cells for one in before.columns}
    widths = {one.key: _width(one, known, old) for one in (*MAIN, *FURTHER)}
    main = [one for one in MAIN if one not in SPARE or known.get(one.key) or one.key in old]
    shown = [one for one in main if wide or cells >= one.least or one.key in old]
    name = NAME_ROOMY if cells >= ROOMY else NAME
    for one in sorted(shown, key=lambda one: one.goes or len(MAIN)):
        missing = LEAST_NOW - _left(shown, widths, cells, name)
        if not one.goes or one.key in old or missing <= 0:
            continue
        if one.most and widths[one.key] - missing >= one.cells:
            widths[one.key] -= missing  # a name that is cut says more than none
        else:
            shown.remove(one)
    if cells >= ROOMY and _left(shown, widths, cells, NAME_LONG) >= LONG_KEEPS:
        name = NAME_LONG if wide else _longest(shown, widths, cells, known, before)
    if wide:
        _widen(shown, widths, known, cells, name)
    return _placed(shown, widths, cells, name)


def _longest(
    shown: Sequence[ListColumn], widths: Mapping[str, int], cells: int, needs: Mapping[str, int], before: Layout | None
) -> int:
    """Cells of names where the sentence has room to spare: as many as the longest needs, and no fewer than before."""
    spare = _left(shown, widths, cells, NAME_LONG) - LONG_KEEPS
    known = before.name if before is not None and before.cells == cells else 0
    return min(max(needs.get(NAMES, 0), known, NAME_LONG), NAME_LONG + spare, NAME_MOST)


def _width(column: ListColumn, needs: Mapping[str, int], old: Mapping[str, int]) -> int:
    grown = min(max(needs.get(column.key, 0), column.cells), column.most) if column.most else column.cells
    return max(grown, old.get(column.key, 0))


def _widen(shown: list[ListColumn], widths: Mapping[str, int], needs: Mapping[str, int], cells: int, name: int) -> None:
    """Add further columns as long as the sentence keeps its room."""
    places = {one.key: place for place, one in enumerate((*MAIN, *FURTHER))}
    for one in sorted(FURTHER, key=lambda one: one.goes):
        if one.key in _SPARE and not needs.get(one.key):
            continue
        more = sorted([*shown, one], key=lambda one: places[one.key])
        if _left(more, widths, cells, name) < LEAST_NOW:
            break
        shown[:] = more


def _left(shown: Sequence[ListColumn], widths: Mapping[str, int], cells: int, name: int) -> int:
    """Cells that the sentence has beside these columns."""
    return cells - EDGE - LEAD - name - sum(one.gap + widths[one.key] for one in shown) - _now_gap(shown)


def _now_gap(shown: Sequence[ListColumn]) -> int:
    return _GAP_BEHIND_AGENT if shown and not shown[-1].right else NOW.gap


def _placed(shown: Sequence[ListColumn], widths: Mapping[str, int], cells: int, name: int) -> Layout:
    at, found = LEAD + name, []
    for one in shown:
        found.append(Placed(one, at + one.gap, widths[one.key]))
        at += one.gap + widths[one.key]
    at += _now_gap(shown)
    return Layout(cells, name, (*found, Placed(NOW, at, max(cells - EDGE - at, 0))))


def clipped_text(text: str, cells: int) -> str:
    """The text in at most so many cells; no blank stands before the `…` of one that was cut."""
    short = clipped(text, cells)
    return short if short == text or not short.endswith(" …") else f"{short[:-1].rstrip()}…"
