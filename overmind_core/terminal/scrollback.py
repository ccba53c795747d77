"""The rows that left the screen at its top, packed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from overmind_core.terminal.packed import Entry, pack, text_of, unpack, wrap_of
from overmind_core.terminal.row import Row, Run
from overmind_core.terminal.wrapping import rewrapped


class Scrollback:
    """At most `limit` rows, 0 is the oldest; older ones are lost, and counted in `dropped`."""

    def __init__(self, limit: int) -> None:
        self._entries: deque[Entry] = deque(maxlen=limit)
        self._pushed = 0
        self._columns = 0

    def __len__(self) -> int:
        self._settle()
        return len(self._entries)

    @property
    def dropped(self) -> int:
        """How many rows were lost at the top since the beginning: keeps a place steady while rows come."""
        self._settle()
        return self._pushed - len(self._entries)

    def text(self, index: int) -> str:
        """Row `index` without the blanks at its end; -1 is the newest.

        Raises:
            IndexError: there is none.
        """
        return text_of(self._entry(index)).rstrip(" ")

    def wrapped(self, index: int) -> bool:
        """Whether the text of row `index` goes on in the next row."""
        return bool(wrap_of(self._entry(index)))

    def runs(self, index: int) -> list[Run]:
        """Row `index` as (text, style), neighbours of the same style in one; blanks at its end may be missing."""
        return unpack(self._entry(index)).runs()

    def push(self, row: Row) -> None:
        """The next row; nobody uses it any more."""
        self._pushed += 1
        self._entries.append(pack(row))

    def push_entries(self, entries: Iterable[Entry]) -> None:
        """The next rows, packed; plain text without blanks at its end is its own entry."""
        found = list(entries)
        self._pushed += len(found)
        self._entries.extend(found)

    def take_unfinished(self, limit: int) -> list[Row]:
        """Take the newest rows out again as long as their text goes on on the screen, at most `limit`."""
        rows: list[Row] = []
        while len(rows) < limit and self._entries and wrap_of(self._entries[-1]):
            rows.append(unpack(self._entries.pop()))
        self._pushed -= len(rows)
        return rows[::-1]

    def take_newest(self, count: int) -> list[Row]:
        """Take rows out again, at most `count`."""
        self._settle()
        rows = [unpack(self._entries.pop()) for _ in range(min(count, len(self._entries)))]
        self._pushed -= len(rows)
        return rows[::-1]

    def clear(self) -> None:
        """Forget all rows."""
        self._entries.clear()

    def resize(self, columns: int) -> None:
        """From now on rows have this width; the old ones are wrapped anew once somebody looks."""
        self._columns = columns

    def _entry(self, index: int) -> Entry:
        self._settle()
        return self._entries[index]

    def _settle(self) -> None:
        columns, self._columns = self._columns, 0
        if columns:
            entries = list(rewrapped(self._entries, columns))
            self._pushed += len(entries) - len(self._entries)
            self._entries = deque(entries, maxlen=self._entries.maxlen)
