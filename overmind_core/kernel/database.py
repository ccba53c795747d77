"""The SQLite file: opened safely, brought to today's schema, written in groups.

One thread uses a `Database`: the one that opened it. What can go wrong is named by the fact, and SQLite's own codes end
here. The table of single facts, by key, holds what belongs to the home as a whole.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Self

from overmind_core.kernel.migrations import Migration, released


class StoreError(Exception):
    """The database didn't do what was asked; nothing of the transaction was kept.

    Attributes:
        path: the database file.
        detail: what SQLite said.
    """

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.path = path
        self.detail = detail


class StoreCorrupt(StoreError):
    """The file is damaged, or no database: the machine's or a person's doing. See `overmind state recover`."""


class DiskFull(StoreError):
    """The file can't grow: disk, quota or file size limit. The same may be tried again later."""


class StoreUnavailable(StoreError):
    """The file can't be opened, is read-only, or somebody else has locked it for too long."""


class Conflict(StoreError):
    """A row would break a rule of the tables, such as one live mission per name: the caller's doing."""


class Interrupted(StoreError):
    """A statement took longer than `Database.limited` allows."""


class SchemaNewer(StoreError):
    """A newer version of the program has written the file.

    Attributes:
        found: the file's schema version.
        known: the newest that this code knows.
    """

    def __init__(self, path: str, *, found: int, known: int) -> None:
        super().__init__(path, f"written by a newer version (schema {found}, this one knows {known}): upgrade")
        self.found = found
        self.known = known


PRIMARY = 0xFF
"""The low byte of an extended result code. Source: sqlite.org/rescode.html."""

BY_EXTENDED_CODE: dict[int, type[StoreError]] = {
    # A write beyond a quota or RLIMIT_FSIZE isn't ENOSPC, and so no SQLITE_FULL.
    sqlite3.SQLITE_IOERR_WRITE: DiskFull,
    sqlite3.SQLITE_IOERR_SHMSIZE: DiskFull,
    sqlite3.SQLITE_IOERR_TRUNCATE: DiskFull,
    sqlite3.SQLITE_IOERR_SHORT_READ: StoreCorrupt,
}
BY_PRIMARY_CODE: dict[int, type[StoreError]] = {
    sqlite3.SQLITE_CORRUPT: StoreCorrupt,
    sqlite3.SQLITE_NOTADB: StoreCorrupt,
    sqlite3.SQLITE_FULL: DiskFull,
    sqlite3.SQLITE_CONSTRAINT: Conflict,
    sqlite3.SQLITE_READONLY: StoreUnavailable,
    sqlite3.SQLITE_CANTOPEN: StoreUnavailable,
    sqlite3.SQLITE_PERM: StoreUnavailable,
    sqlite3.SQLITE_BUSY: StoreUnavailable,
    sqlite3.SQLITE_LOCKED: StoreUnavailable,
    sqlite3.SQLITE_IOERR: StoreUnavailable,
    sqlite3.SQLITE_INTERRUPT: Interrupted,
}


_NO_TEXT = "Could not decode to UTF-8"
"""How Python's module begins its error about a column whose text is damaged; another one is `UnicodeDecodeError`."""
ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What may come of a statement."""


def translate(path: str, error: Exception) -> Exception:
    """Return our name for `error`, or `error` itself when it is a mistake in this program."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(error, UnicodeDecodeError) or (code is None and str(error).startswith(_NO_TEXT)):
        return StoreCorrupt(path, str(error))
    if code is None:
        return error
    kind = BY_EXTENDED_CODE.get(code) or BY_PRIMARY_CODE.get(code & PRIMARY)
    return kind(path, str(error)) if kind else error


Value = str | bytes | int | float | None
Row = tuple[Any, ...]

BUSY_TIMEOUT = 2.0
"""Seconds to wait for somebody who looks into the file with another program; ours is the only writer."""
CACHED_STATEMENTS = 256
"""More than the program has: each SQL text is prepared once."""
WAL_LIMIT = 8 * 1024 * 1024
"""Bytes of the write-ahead log after which it is written back into the file, and that it keeps then. SQLite's own 4 MB
would write pages back twice as often that are about to change again, and wait for the disk each time."""
PAGE = 4096
"""Bytes."""
CACHE_KIB = 512
"""Pages in our memory. SQLite's own 2 MB stay there for ever, and what is read again the system has in memory, too."""
STEPS_BETWEEN_LOOKS = 10_000
"""Steps of SQLite's machine, about a millisecond, after which a limited statement is looked at."""
VACUUM_PAGES = 512
"""Pages given back to the system by one `tidy`: 2 MiB, a few milliseconds."""

SETTINGS = (
    "PRAGMA journal_mode = WAL",
    # A commit survives the end of every process of ours. What makes it survive a power cut takes 0.1 ms on one disk and
    # 5 ms on the next, so it happens beside the loop: see `sync`.
    "PRAGMA synchronous = NORMAL",
    f"PRAGMA journal_size_limit = {WAL_LIMIT}",
    f"PRAGMA wal_autocheckpoint = {WAL_LIMIT // PAGE}",
    f"PRAGMA cache_size = -{CACHE_KIB}",
    "PRAGMA foreign_keys = ON",
    # Environments hold secrets: what is deleted is overwritten.
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
)
READER_SETTINGS = ("PRAGMA query_only = ON", f"PRAGMA cache_size = -{CACHE_KIB}", "PRAGMA temp_store = MEMORY")


class Database:
    """An open database. Statements outside of `transaction` may only read."""

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self._connection = connection
        self.path = path

    @classmethod
    def open(cls, path: str, *, migrations: Sequence[Migration] | None = None, shared: bool = False) -> Self:
        """Open the file, create it with mode 0600 when it is missing, and bring it to the newest schema.

        Args:
            path: Of the file.
            migrations: The steps to that schema; those that are released, unless a test has its own.
            shared: Other threads are going to read it (`open_reader`): without room it isn't opened.

        Raises:
            SchemaNewer: a newer program has written it; it is left as it was.
            StoreCorrupt: it is damaged.
            DiskFull: there is no room.
            StoreUnavailable: it can't be opened, is read-only, or locked.
        """
        steps = released() if migrations is None else migrations
        try:
            return cls._open(path, steps)
        except DiskFull:
            if shared:
                raise
            # What is stored can be read without any room, and who reads it can end what fills the disk. The log's
            # index, a file so that others may look into it too, is in memory then.
            return cls._open(path, steps, alone=True)

    @classmethod
    def open_reader(cls, path: str) -> Self:
        """Open a file that is open already, for another thread that only reads. It sees what is committed.

        Raises:
            StoreCorrupt: it is damaged.
            StoreUnavailable: it can't be opened.
        """
        quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        try:
            connection = sqlite3.connect(
                f"file:{quoted}?mode=ro",
                uri=True,
                timeout=BUSY_TIMEOUT,
                isolation_level=None,
                cached_statements=CACHED_STATEMENTS,
            )
        except sqlite3.Error as error:
            raise translate(path, error) from error
        database = cls(connection, path)
        try:
            for setting in READER_SETTINGS:
                database.read(setting)
        except BaseException:
            database.close()
            raise
        return database

    @classmethod
    def in_memory(cls, path: str, migrations: Sequence[Migration]) -> Self:
        """An empty one in the place of a file that is not there, and is not to be made."""
        connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=CACHED_STATEMENTS)
        database = cls(connection, path)
        for number, migration in enumerate(migrations, 1):
            database.migrate(number, migration)
        return database

    @classmethod
    def _open(cls, path: str, steps: Sequence[Migration], *, alone: bool = False) -> Self:
        database = cls(_connect(path), path)
        try:
            if alone:
                database.read("PRAGMA locking_mode = EXCLUSIVE")
            database._prepare(steps)
        except BaseException:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Write the log back into the file and let go of it. An open transaction is undone."""
        self._connection.close()

    def read(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """Return all rows of a query."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except ERRORS as error:
            raise translate(self.path, error) from error

    def read_one(self, sql: str, values: Sequence[Value] = ()) -> Row | None:
        """Return the first row of a query."""
        rows = self.read(sql, values)
        return rows[0] if rows else None

    def write(self, sql: str, values: Sequence[Value] = ()) -> int:
        """Change rows, inside of `transaction`; return how many."""
        return self._change(sql, values).rowcount

    def write_returning(self, sql: str, values: Sequence[Value]) -> list[Row]:
        """Change rows, inside of `transaction`; return what the statement's RETURNING names."""
        self._require_transaction()
        return self.read(sql, values)

    def insert(self, sql: str, values: Sequence[Value]) -> int:
        """Add one row, inside of `transaction`; return its rowid."""
        return self._change(sql, values).lastrowid or 0

    def write_many(self, sql: str, rows: Iterable[Sequence[Value]]) -> int:
        """Change rows once for each of `rows`, inside of `transaction`; return how many."""
        self._require_transaction()
        try:
            return self._connection.executemany(sql, rows).rowcount
        except ERRORS as error:
            raise translate(self.path, error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all changes of the block together or none: one BEGIN IMMEDIATE … COMMIT. Blocks don't nest."""
        if self.in_transaction:
            raise RuntimeError("transactions don't nest")
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            self._undo()
            raise

    @contextmanager
    def limited(self, limit: float) -> Iterator[None]:
        """Interrupt what the block does here once it has taken `limit` seconds: it raises `Interrupted`."""
        deadline = time.monotonic() + limit
        self._connection.set_progress_handler(lambda: time.monotonic() > deadline, STEPS_BETWEEN_LOOKS)
        try:
            yield
        finally:
            self._connection.set_progress_handler(None, 0)

    @property
    def changes(self) -> int:
        """How many rows this connection has changed."""
        return self._connection.total_changes

    def write_back(self) -> None:
        """Write the log back into the file as far as nobody reads it, outside of `transaction`; waits for nobody.

        Raises:
            DiskFull: there is no room.
        """
        self.read("PRAGMA wal_checkpoint(PASSIVE)")

    def checkpoint(self, *, waits: bool = True) -> bool:
        """Write the log back into the file and empty it, outside of `transaction`; False: somebody reads, and keeps it.

        `waits`: a moment for who reads.

        Raises:
            DiskFull: there is no room.
        """
        if waits:
            return not self.read("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]
        self.read("PRAGMA busy_timeout = 0")
        try:
            return self.checkpoint()
        finally:
            self.read(f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000:.0f}")

    @property
    def in_transaction(self) -> bool:
        """Whether a `transaction` is open."""
        return self._connection.in_transaction

    def sync(self) -> None:
        """Have the disk keep all commits so far, also through a power cut. Blocks; for another thread.

        Raises:
            OSError: the disk refuses.
        """
        with suppress(FileNotFoundError):  # nothing was written since the log was emptied
            fd = os.open(f"{self.path}-wal", os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)

    def tidy(self) -> None:
        """Give freed pages back, and empty the write-ahead log so that nothing deleted stays in it.

        Outside of `transaction`; for quiet moments and after a removal. Waits for nobody: a log that somebody is
        reading is emptied by a later call.

        Raises:
            StoreUnavailable: somebody else writes at this moment.
            DiskFull: there is no room.
        """
        self.read("PRAGMA busy_timeout = 0")
        try:
            # Frees a page per step: `execute` would take a single one, a script goes on to the end.
            self._connection.executescript(f"PRAGMA incremental_vacuum({VACUUM_PAGES})")
            self.read("PRAGMA wal_checkpoint(TRUNCATE)")
        except ERRORS as error:
            raise translate(self.path, error) from error
        finally:
            self.read(f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000:.0f}")

    def _change(self, sql: str, values: Sequence[Value]) -> sqlite3.Cursor:
        self._require_transaction()
        return self._execute(sql, values)

    def _execute(self, sql: str, values: Sequence[Value] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except ERRORS as error:
            raise translate(self.path, error) from error

    def _require_transaction(self) -> None:
        if not self.in_transaction:
            raise RuntimeError("a change outside of a transaction")

    def _undo(self) -> None:
        # SQLite has already rolled back by itself after some errors, a full disk among them.
        if self.in_transaction:
            self._execute("ROLLBACK")

    def _prepare(self, migrations: Sequence[Migration]) -> None:
        found = self._schema()
        if found > len(migrations):
            raise SchemaNewer(self.path, found=found, known=len(migrations))
        if not found:
            # Takes effect in a new file only, and before the journal mode writes its first page.
            self.read("PRAGMA auto_vacuum = INCREMENTAL")
        for setting in SETTINGS:
            self.read(setting)
        for number, migration in enumerate(migrations[found:], found + 1):
            self.migrate(number, migration)

    def _schema(self) -> int:
        return int(self.read("PRAGMA user_version")[0][0])

    def migrate(self, number: int, migration: Migration) -> None:
        """Take the step to the schema of this number."""
        with self.transaction():
            for statement in migration:
                self.write(statement)
            self.write(f"PRAGMA user_version = {number}")


def _connect(path: str) -> sqlite3.Connection:
    try:
        # Ours from the first byte whatever the umask; SQLite gives its side files the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        return sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, cached_statements=CACHED_STATEMENTS)
    except OSError as error:
        raise StoreUnavailable(path, error.strerror or str(error)) from error
    except sqlite3.Error as error:
        raise translate(path, error) from error


_SAVE = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


class MetaTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, key: str, value: str) -> None:
        """Store a fact in place of the one before."""
        self._database.write(_SAVE, (key, value))

    def get(self, key: str) -> str | None:
        """Return a fact."""
        row = self._database.read_one("SELECT value FROM meta WHERE key = ?", (key,))
        return row[0] if row else None

    def remove(self, key: str) -> None:
        """Forget a fact."""
        self._database.write("DELETE FROM meta WHERE key = ?", (key,))
