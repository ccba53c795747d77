"""The rows of a damaged database, table by table and page by page; what it names and does not hold is told.

Rows are known by the tree that their page belongs to, or, where nothing leads there, by their columns: those of a page
belong together. Each has to look like a row of its table. The indexes name the rows that were there.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from contextlib import closing, suppress
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.kernel.database import Database
from overmind_core.kernel.database_pages import MAGIC, DatabasePages, Undecodable
from overmind_core.kernel.replaced_file import read_only

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from overmind_core.kernel.database import Value
    from overmind_core.kernel.database_pages import Page, Row
    from overmind_core.kernel.migrations import Migration

Key = tuple["Value", ...]
"""The values of a row's primary key."""
Values = tuple["Value", ...]
_KINDS: Mapping[str, tuple[type, ...]] = {"TEXT": (str,), "INTEGER": (int,), "REAL": (float, int), "BLOB": (bytes,)}
_UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What SQLite and Python say of a damaged file."""
_VERSION = slice(60, 64)
"""Where a file's header has the version of its schema."""


class Column(NamedTuple):
    """A column of a table."""

    name: str
    kinds: tuple[type, ...]
    may_be_null: bool
    default: Value
    """Of a row that is older than the column."""


class Table(NamedTuple):
    """A table as the schema has it."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[int, ...]
    """Places of the columns of its primary key."""
    rowid: int | None
    """Place of the column that is the rowid; None: no column is."""
    has_rowid: bool
    first: int
    """How many columns it had at first."""

    def values(self, row: Row) -> Values | None:
        """The columns of a row that has the shape of this table's; None: it has not. Texts may be damaged."""
        given = row.values
        if self.has_rowid != (row.rowid is not None) or not self.first <= len(given) <= len(self.columns):
            return None
        values = [*given, *(column.default for column in self.columns[len(given) :])]
        if self.rowid is not None and row.rowid is not None:
            values[self.rowid] = row.rowid
        if all(map(_fits, self.columns, values)):
            return tuple(values)
        return None

    def key_of(self, values: Values) -> Key:
        """The primary key of a row."""
        return tuple(values[place] for place in self.key)

    def get(self, values: Values, column: str) -> Value:
        """The value of a column; None where there is no such column."""
        return next((value for one, value in zip(self.columns, values, strict=True) if one.name == column), None)


def _fits(column: Column, value: Value) -> bool:
    if value is None:
        return column.may_be_null
    return isinstance(value, column.kinds) or (isinstance(value, Undecodable) and str in column.kinds)


class _Index(NamedTuple):
    """An index of a table with rowids."""

    table: str
    columns: tuple[str, ...]


class Shape(NamedTuple):
    """The tables and indexes of a schema, by the roots of their trees."""

    tables: dict[str, Table]
    roots: dict[int, str]
    """Root page → table or index."""
    indexes: dict[str, _Index]


def shape_of(migrations: Sequence[Migration]) -> Shape:
    """The tables that these steps make, and where: our files vacuum by themselves, so roots stand in a fixed order."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        firsts: dict[str, int] = {}
        for number, migration in enumerate(migrations, 1):
            Database(connection, ":memory:").migrate(number, migration)
            for name in _names(connection):
                firsts.setdefault(name, len(connection.execute(f"PRAGMA table_info({name})").fetchall()))
        tables = {name: _table(connection, name, firsts[name]) for name in _names(connection)}
        objects = connection.execute(
            "SELECT type, name, tbl_name, rootpage FROM sqlite_schema WHERE rootpage"
        ).fetchall()
        indexes = {
            name: _Index(table, tuple(row[2] for row in connection.execute(f"PRAGMA index_info({name})")))
            for kind, name, table, _ in objects
            if kind == "index" and tables[table].has_rowid
        }
        return Shape(tables, {root: name for _, name, _, root in objects}, indexes)


def _names(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rootpage")
    return [row[0] for row in found if not row[0].startswith("sqlite_")]


def _table(connection: sqlite3.Connection, name: str, first: int) -> Table:
    rows = connection.execute(f"PRAGMA table_info({name})").fetchall()
    sql = connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (name,)).fetchone()[0]
    has_rowid = "WITHOUT ROWID" not in sql
    key = tuple(row[0] for row in sorted((row for row in rows if row[5]), key=lambda row: row[5]))
    is_rowid = has_rowid and len(key) == 1 and rows[key[0]][2] == "INTEGER"
    columns = []
    for place, (_, column, kind, is_filled, default, _) in enumerate(rows):
        value = None if default is None else connection.execute(f"SELECT {default}").fetchone()[0]
        may_be_null = not is_filled and not (is_rowid and place == key[0])
        columns.append(Column(column, _KINDS[kind], may_be_null, value))
    return Table(name, tuple(columns), key, key[0] if is_rowid else None, has_rowid, first)


class Found(NamedTuple):
    """What of a table there is."""

    rows: dict[Key, Values]
    lost: dict[Key, str]
    """Rows that were there and can't be read, by their keys as far as these are known, with a name for people."""
    is_whole: bool
    """Whether nothing of it can have been there that is in neither."""


class Salvage(NamedTuple):
    """What there is of a damaged file."""

    schema: int
    """How many of the steps have made it."""
    tables: dict[str, Found]
    log_is_damaged: bool
    sequences: dict[str, int]
    """Table → the highest number that it has ever given, where that is known."""


def salvage(
    path: str, migrations: Sequence[Migration], is_valid: Callable[[Table, Values], bool], *, is_current: bool = True
) -> Salvage:
    """Read what there is of a damaged file; nothing in it changes.

    Args:
        path: Of the file, which may be missing.
        migrations: The steps to the newest schema.
        is_valid: Tells whether a row that has the shape of a table's means something.
        is_current: Whether it is known that no newer changes are missing.

    Raises:
        OSError: it can't be read.
    """
    with DatabasePages(path, past_damage=True) as pages:
        schema = _schema(pages, len(migrations))
        taking = _Taking(shape_of(migrations[:schema]), is_valid)
        for page in pages.pages(taking.shape.roots):
            taking.add(page)
        whole = {name for root, name in taking.shape.roots.items() if pages.is_whole(root)}
        if pages.log_is_damaged or not is_current:
            whole.clear()
        whole -= _unsound(path, sorted(whole & taking.shape.tables.keys()))
        return Salvage(schema, taking.finish(whole), pages.log_is_damaged, taking.sequences)


def _schema(pages: DatabasePages, newest: int) -> int:
    header = pages.first
    version = int.from_bytes(header[_VERSION], "big") if header.startswith(MAGIC) else 0
    return version if 0 < version <= newest else newest


def _unsound(path: str, tables: Sequence[str]) -> set[str]:
    """Those tables of which SQLite finds that they are damaged, or can't tell."""
    found = set(tables)
    with suppress(*_UNREADABLE), closing(sqlite3.connect(read_only(path), uri=True)) as database:
        for name in tables:
            with suppress(*_UNREADABLE):
                if database.execute(f"PRAGMA integrity_check({name})").fetchone()[0] == "ok":
                    found.discard(name)
    return found


class _Taking:
    """The rows of a damaged file, sorted by their tables."""

    def __init__(self, shape: Shape, is_valid: Callable[[Table, Values], bool]) -> None:
        self.shape = shape
        self._is_valid = is_valid
        self._rows: dict[str, dict[Key, Values]] = {name: {} for name in shape.tables}
        self._rowids: defaultdict[str, set[int]] = defaultdict(set)
        self._damaged: defaultdict[str, list[tuple[int | None, Values]]] = defaultdict(list)
        """Table → rows that mean nothing, with their rowids."""
        self._broken: set[str] = set()
        """Tables of which a row can't be read at all."""
        self._named: defaultdict[str, dict[int, dict[str, Value]]] = defaultdict(dict)
        """Table → rowid → what its indexes say of that row."""
        self.sequences: dict[str, int] = {}

    def add(self, page: Page) -> None:
        """Take the rows of a page."""
        owner = None if page.owner is None else self.shape.roots.get(page.owner)
        if owner == "sqlite_sequence":
            for row in page.rows:
                self._add_sequence(row.values)
        elif owner in self.shape.indexes:
            for row in page.rows:
                self._add_entry(self.shape.indexes[owner], row)
        elif (table := self._table_of(page, owner)) is not None:
            if page.broken:
                self._broken.add(table.name)
            for row in page.rows:
                self._add_row(table, row)

    def _table_of(self, page: Page, owner: str | None) -> Table | None:
        """The table of a page: the owner, or the only one that all of its rows fit to."""
        if owner is not None:
            return self.shape.tables.get(owner)
        fitting = [table for table in self.shape.tables.values() if self._has_all(table, page)] if page.rows else []
        return fitting[0] if len(fitting) == 1 else None

    def _has_all(self, table: Table, page: Page) -> bool:
        return all((values := table.values(row)) is not None and self._means(table, values) for row in page.rows)

    def _means(self, table: Table, values: Values) -> bool:
        return not any(isinstance(value, Undecodable) for value in values) and self._is_valid(table, values)

    def _add_row(self, table: Table, row: Row) -> None:
        values = table.values(row)
        if values is None:
            self._broken.add(table.name)
            return
        key = table.key_of(values)
        if key in self._rows[table.name] or (row.rowid is not None and row.rowid in self._rowids[table.name]):
            return  # what was read first is newer
        if not self._means(table, values):
            self._damaged[table.name].append((row.rowid, values))
            return
        self._rows[table.name][key] = values
        if row.rowid is not None:
            self._rowids[table.name].add(row.rowid)

    def _add_entry(self, index: _Index, row: Row) -> None:
        """Keep what an index says: its columns, and the rowid behind them."""
        *values, rowid = row.values or (None,)
        if isinstance(rowid, int) and len(values) == len(index.columns):
            self._named[index.table].setdefault(rowid, {}).update(zip(index.columns, values, strict=True))

    def _add_sequence(self, values: Values) -> None:
        match values:
            case (str() as name, int() as number):
                self.sequences[name] = max(number, self.sequences.get(name, 0))
            case _:
                pass

    def finish(self, whole: set[str]) -> dict[str, Found]:
        """What there is of each table; `whole`: those of which every page is there."""
        return {name: self._found(table, is_whole=name in whole) for name, table in self.shape.tables.items()}

    def _found(self, table: Table, *, is_whole: bool) -> Found:
        rows, lost, named = self._rows[table.name], dict[Key, str](), self._named[table.name]
        damaged: dict[int, Values] = {}
        for rowid, values in self._damaged[table.name]:
            if rowid is not None and rowid not in self._rowids[table.name]:
                damaged[rowid] = values
            elif rowid is None and (key := table.key_of(values)) not in rows:
                lost[key] = name_of(table, values)
        for rowid in sorted((named.keys() | damaged.keys()) - self._rowids[table.name]):
            said = dict(zip((one.name for one in table.columns), damaged.get(rowid, ()), strict=False))
            said.update(named.get(rowid, {}))  # an index is another page: it is whole more often
            key = _key_said(table, rowid, said)
            if key not in rows:
                lost[key] = name_of(table, tuple(said.get(column.name) for column in table.columns)) or str(rowid)
        return Found(rows, lost, is_whole and table.name not in self._broken)


def _key_said(table: Table, rowid: int, said: Mapping[str, Value]) -> Key:
    """The key of a row; its rowid where that is not known."""
    key = tuple(said.get(table.columns[place].name) for place in table.key)
    return (rowid,) if table.rowid is not None or None in key else key


def name_of(table: Table, values: Values) -> str:
    """The name of a row for people: its name where it has one, else its key."""
    name = table.get(values, "name") or table.get(values, "slug")
    key = table.key_of(values)
    return name if isinstance(name, str) else " ".join(str(one) for one in key if isinstance(one, (str, int)))
