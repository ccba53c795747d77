"""A damaged memory.db is set aside, and what can be read of it is taken over: versions and votes row by row.

On the thread that writes, before memory.db is opened, while nobody reads.
"""

# ruff: noqa: S608 -- every statement is put together from constants of this file and names of tables

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from overmind_core.memory.tables import VERSION, VOTE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from overmind_core.kernel.database import Row
    from overmind_core.memory.opened import Writing

AT_ONCE = 100
"""Rows that are read together; where that fails, each by itself."""
MOST_ROWS = 1_000_000
"""Rows of a table whose end can't be read."""
MOST_EMPTY = 50
"""Of those that are read together, one after the other without a row: then it is the end."""
_BY_ROW = ("versions", "votes")
_DERIVED = ("notes", "scopes", "vocabulary", "spelling", "unspelled", "stems", "words")
"""What is made anew of versions and votes."""
_SIDE_FILES = ("", "-wal", "-shm")


class Recovered(NamedTuple):
    """What was taken over of a damaged file."""

    notes: int
    lost: int
    """Notes that it names, and of which nothing could be read."""
    damaged: str
    """Where it is now."""


def is_damaged(path: str) -> bool:
    """Whether a file is there and is no whole database."""
    if not os.path.exists(path):
        return False
    try:
        with closing(sqlite3.connect(path)) as database:
            return [row[0] for row in database.execute("PRAGMA quick_check(1)")] != ["ok"]
    except sqlite3.DatabaseError:
        return True


def set_aside(path: str, at: float) -> str:
    """Give a damaged file another name, and those beside it; the name."""
    number, aside = 0, f"{path}.damaged-{at:.0f}"
    while os.path.exists(aside):
        number += 1
        aside = f"{path}.damaged-{at:.0f}-{number}"
    for ending in _SIDE_FILES:
        with suppress(FileNotFoundError):
            os.rename(f"{path}{ending}", f"{aside}{ending}")
    return aside


def take_over(writing: Writing, aside: str) -> Recovered:
    """Store what can be read of a damaged file in a new one."""
    with closing(sqlite3.connect(aside)) as old:
        named = {str(row[0]) for row in _rows(old, "SELECT id FROM notes")}
        store, found = writing.store, set()
        with writing.database.transaction():
            for table in _BY_ROW:
                for row in _by_row(old, table):
                    with suppress(msgspec.MsgspecError, TypeError):
                        if table == "versions":
                            version = VERSION.decode(row)
                            store.versions.add(version)
                            found.add(version.note)
                        else:
                            store.votes.add(VOTE.decode(row))
            for note in sorted(found):
                store.refold(note)
            _copy_others(writing, old)
            for used, at, note in _rows(old, "SELECT used, used_at, id FROM notes"):
                writing.database.write("UPDATE notes SET used = ?, used_at = ? WHERE id = ?", (used, at, note))
    return Recovered(len(found), len(named - found), aside)


def _copy_others(writing: Writing, old: sqlite3.Connection) -> None:
    """Take over the tables that are neither versions and votes nor made of them."""
    names = [row[0] for row in writing.database.read("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in names:
        if name in _BY_ROW or name.startswith(("sqlite_", "words_")) or name in _DERIVED:
            continue
        columns = [row[1] for row in writing.database.read(f"PRAGMA table_info({name})")]
        listed, marks = ", ".join(columns), ", ".join("?" * len(columns))
        for row in _rows(old, f"SELECT {listed} FROM {name}"):
            writing.database.write(f"INSERT OR REPLACE INTO {name} ({listed}) VALUES ({marks})", row)


def _by_row(old: sqlite3.Connection, table: str) -> Iterator[str]:
    """The values of a table, as far as they can be read."""
    last = next((row[0] for row in _rows(old, f"SELECT max(row) FROM {table}")), MOST_ROWS) or 0
    empty = 0
    for start in range(1, last + 1, AT_ONCE):
        if empty >= MOST_EMPTY:
            return
        empty += 1
        end = start + AT_ONCE - 1
        sql = f"SELECT data FROM {table} WHERE row BETWEEN ? AND ?"
        try:
            found = [row[0] for row in old.execute(sql, (start, end)).fetchall()]
        except sqlite3.Error:
            found = [row[0] for number in range(start, end + 1) for row in _rows(old, sql, number, number)]
        if found:
            empty = 0
        yield from found


def _rows(old: sqlite3.Connection, sql: str, *values: int) -> Iterator[Row]:
    """The rows of a query up to the first that can't be read."""
    with suppress(sqlite3.Error):
        yield from old.execute(sql, values)
