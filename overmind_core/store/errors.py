"""What can go wrong with the database, named by the fact; SQLite's own codes end here."""

from __future__ import annotations

import sqlite3


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
    """The file is damaged, or no database: the machine's or a person's doing. Move it away to start afresh."""


class DiskFull(StoreError):
    """The file can't grow: disk, quota or file size limit. The same may be tried again later."""


class StoreUnavailable(StoreError):
    """The file can't be opened, is read-only, or somebody else has locked it for too long."""


class Conflict(StoreError):
    """A row would break a rule of the tables, such as one live mission per name: the caller's doing."""


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
}


def translate(path: str, error: sqlite3.Error) -> Exception:
    """Return our name for `error`, or `error` itself when it is a mistake in this program."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return error
    kind = BY_EXTENDED_CODE.get(code) or BY_PRIMARY_CODE.get(code & PRIMARY)
    return kind(path, str(error)) if kind else error
