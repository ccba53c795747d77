"""The filter, the order and the marks of a table's rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from overmind_core.view import row_filter
from overmind_core.view.cells import Row, safe
from overmind_core.view.row_filter import NOTHING, BrokenFilter, Filter

if TYPE_CHECKING:
    from overmind_core.view.tables import Orders
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell

NO_ROW = "no row to mark here"


class MarkedRow(Protocol):
    """A row of a table."""

    @property
    def id(self) -> str:
        """What marks and the cursor hold."""

    @property
    def dimmed(self) -> bool:
        """Whether it is shown for the sake of others."""


class MarkedTable(Protocol):
    """A table with a cursor, marks, and columns to sort by."""

    marked: set[str]
    chosen: str

    @property
    def branches(self) -> Sequence[MarkedRow]:
        """The rows that are shown."""

    @property
    def current(self) -> MarkedRow | None:
        """The row under the cursor."""

    @property
    def cursor_id(self) -> str | None:
        """Its id."""

    @property
    def at(self) -> int:
        """Its place."""

    def keep_place(self) -> None:
        """A filter begins: where it leaves no row, the cursor goes back to where it stands now."""

    def mark(self, rows: set[str]) -> None:
        """Mark these rows, and no others."""

    def press(self, action: str) -> bool:
        """Move the cursor; False when the action is none of that."""

    def choose(self, step: int) -> str:
        """Choose the column so many to the right of the chosen one; its key."""


class TableHost(Protocol):
    """A screen with a table."""

    @property
    def table(self) -> MarkedTable:
        """The table."""

    @property
    def shell(self) -> Shell:
        """Who shows it."""

    def retitle(self) -> None:
        """What the borders say has changed."""


class FilteredPage(TableHost, Protocol):
    """A table whose rows came as an answer, and are shown filtered and in an order."""

    rows: list[Row]

    def looked_in(self, row: Row) -> str:
        """What a plain word of a filter is looked for in."""

    def rearrange(self, *, asked: bool = False) -> None:
        """Show the rows as they are now; `asked`: a key of the person changed the arrangement."""

    def open_bar(self, sign: str, text: str = "") -> None:
        """Begin to type a filter."""


class TableFilter:
    """The filter of a table: which rows are shown."""

    def __init__(self, page: FilteredPage) -> None:
        self._page = page
        self.filter: Filter = NOTHING
        self.handlers: dict[str, Handler] = {"filter": self.do_filter, "clear-filter": self.do_clear_filter}

    def of(self, rows: Sequence[Row]) -> list[Row]:
        """Those that match; all, when that takes too long with a row that came later."""
        if self.filter.slow:
            self._page.shell.flash(f"/{safe(self.filter.text)} takes too long: the filter is off", "bad")
            self.filter = NOTHING
        return [row for row in rows if self.filter.matches(row)]

    def narrow(self, text: str) -> None:
        """Show only what matches; a broken filter is told and changes nothing."""
        if not self.type(text):
            self._page.shell.flash(f"/{safe(text)} is not a valid filter", "bad")

    def type(self, text: str) -> bool:
        """Show what matches so far; False keeps the last good rows, for the text is broken."""
        page = self._page
        try:
            self.filter = row_filter.tried(text, page.rows, looked_in=page.looked_in, now=page.shell.now)
        except BrokenFilter:
            return False
        page.rearrange(asked=True)
        return True

    def do_filter(self) -> None:
        """Type a filter."""
        self._page.table.keep_place()
        self._page.open_bar("/", self.filter.text)

    def do_clear_filter(self) -> None:
        """Show everything again."""
        self.filter = NOTHING
        self._page.rearrange(asked=True)


class SortKeys(ABC):
    """The keys of an order; what they mean is the table's own.

    Args:
        page: With the table.
        orders: The columns that there is an order by.
    """

    def __init__(self, page: TableHost, orders: Container[str]) -> None:
        self._tabled = page
        self._orders = orders
        self.sort_handlers: dict[str, Handler] = {
            **{f"sort-{by}": partial(self.sort, by) for by in ("name", "age", "for", "state", "cpu", "memory", "cost")},
            "sort-left": partial(self._choose, -1),
            "sort-right": partial(self._choose, 1),
            "sort-chosen": self.do_sort_chosen,
        }

    @abstractmethod
    def by_column(self, by: str) -> None:
        """Sort by this, which there is an order by; by the same again: the other way round."""

    def sort(self, by: str) -> None:
        """Sort by this, if that means anything here."""
        if by in self._orders:
            self.by_column(by)
        else:
            self._tabled.shell.flash(f"cannot sort by {by} here", "slow")

    def _choose(self, step: int) -> None:
        """The column to the left (-1) or to the right (1)."""
        self._tabled.table.choose(step)

    def do_sort_chosen(self) -> None:
        """By the chosen column."""
        if self._tabled.table.chosen:
            self.sort(self._tabled.table.chosen)
        else:
            self._tabled.shell.flash("select a column first with < or >", "slow")


class Sorting(SortKeys):
    """The order of a table: `by` is a column, "" the order in which rows came."""

    def __init__(self, page: FilteredPage, orders: Orders, *, by: str) -> None:
        super().__init__(page, orders)
        self._page = page
        self._by_column = orders
        self.by = by
        self._inverted = False

    @property
    def rises(self) -> bool:
        """Whether the least comes first."""
        by = self._by_column.get(self.by)
        return by is None or by.rises is not self._inverted

    def of(self, rows: list[Row]) -> Sequence[Row]:
        """The rows in this order."""
        by = self._by_column.get(self.by)
        if by is None:
            return rows
        now = self._page.shell.now()
        return sorted(rows, key=lambda row: by.key(row, now), reverse=not self.rises)

    def by_column(self, by: str) -> None:
        """Sort by this; by the same again: the other way round."""
        self._inverted = by == self.by and not self._inverted
        self.by = by
        self._page.rearrange(asked=True)


class Marks:
    """The marks of a table: which rows are marked.

    Args:
        page: With the table.
        keep: Is told of each change.
    """

    def __init__(self, page: TableHost, keep: Callable[[], None] | None = None) -> None:
        self._page = page
        self._keep = keep
        self._marked_last: str | None = None
        self.handlers: dict[str, Handler] = {
            "mark": self.do_mark,
            "mark-range": self.do_mark_range,
            "mark-all": self.do_mark_all,
            "mark-none": self.do_mark_none,
        }

    def do_mark(self) -> None:
        """The cursor's row, or no longer; and on to the next."""
        table = self._page.table
        if table.current is not None:
            self._marked_last = table.current.id
            self._mark(table.marked ^ {table.current.id})
            table.press("down")
        else:
            self._page.shell.flash(NO_ROW, "quiet")

    def do_mark_range(self) -> None:
        """All from the last mark to the cursor."""
        table = self._page.table
        places = [at for at, branch in enumerate(table.branches) if branch.id == self._marked_last]
        first, last = sorted((places[0] if places else table.at, table.at))
        self._marked_last = table.cursor_id
        found = _bright(table.branches[first : last + 1])
        self._mark(table.marked | found)
        if not found:
            self._page.shell.flash(NO_ROW, "quiet")

    def do_mark_all(self) -> None:
        """All that are shown."""
        self._mark(_bright(self._page.table.branches))

    def do_mark_none(self) -> None:
        """None."""
        self._mark(set())

    def _mark(self, rows: set[str]) -> None:
        self._page.table.mark(rows)
        self._page.retitle()
        if self._keep is not None:
            self._keep()


def _bright(branches: Iterable[MarkedRow]) -> set[str]:
    """The rows that are there for their own sake."""
    return {branch.id for branch in branches if not branch.dimmed}
