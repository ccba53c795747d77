"""memory.db, opened: by the thread that writes, and by those that read.

Memory that can't be used stops nothing but memory.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing

from overmind_core.errors import OvermindError
from overmind_core.kernel.database import (
    Database,
    DiskFull,
    MetaTable,
    SchemaNewer,
    StoreCorrupt,
    StoreError,
    StoreUnavailable,
)
from overmind_core.kernel.migrations import released
from overmind_core.memory.given import GivenTable
from overmind_core.memory.purge import Purge
from overmind_core.memory.search import WordSearch
from overmind_core.memory.store import Change, NoteStore
from overmind_core.memory.tables import NoteTable, ScopeTable, VersionTable, VoteTable

SCHEMA = os.path.join(os.path.dirname(__file__), "schema")
SIGNING = "secret"
"""The row with the key of the frames of blocks."""
_log = logging.getLogger(__name__)
LOG_PAGES = 8192
"""Pages of the write-ahead log, 32 MB, after which it is written back at once. A note changes about sixty, as its words
lie far apart: after 8 MB each thirtieth `remember` would wait for the disk."""
UPKEEP_AFTER = 500
"""Rows that have changed, those of about eight notes, after which a quiet moment is used."""
QUERY_SECONDS = 1.0
"""After which what a thread reads is interrupted."""


def memory_off(reason: str) -> OvermindError:
    """The error of requests while memory can't be used."""
    return OvermindError("memory_off", f"Memory is off: {reason}. See: overmind doctor", reason=reason)


def reason_of(error: Exception) -> str:
    """Why memory can't be used, as a clause."""
    match error:
        case SchemaNewer():
            return f"{error.path} was {error.detail}"
        case StoreCorrupt():
            return f"{error.path} is damaged. Take over what can be read with: overmind memory reindex"
        case DiskFull():
            return f"the disk with {error.path} is full"
        case StoreError():
            return f"{error.path} can't be used ({error.detail})"
    return str(error)


def secret_of(meta: MetaTable) -> bytes:
    """The key with which the frames of this home's blocks are signed."""
    return bytes.fromhex(meta.get(SIGNING) or "")


def _check_full_text() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        if not connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchall():
            raise memory_off("this Python's SQLite has no FTS5, the search for words")


class Replaced(Exception):
    """The open file is no longer the one at its path: it was removed or replaced."""


class _OpenFile:
    """The identity of the file that a thread has open, or that there was none."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = self._now()

    def _now(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    @property
    def is_there(self) -> bool:
        """Whether there was one."""
        return self._file is not None

    def check(self) -> None:
        """See that it is the one at its path.

        Raises:
            Replaced: it is not.
        """
        if self._now() != self._file:
            raise Replaced(self._path)


class Writing:
    """The state of the thread that writes: the open file and its tables."""

    at = 0.0
    """The time of the request under way; seconds since the epoch."""

    def __init__(self, path: str, *, files: str, readers: Callable[[], AbstractContextManager[None]]) -> None:
        """Open the file, a new one where there is none, and finish the purges that have begun.

        Args:
            path: Of memory.db.
            files: The folder of the missions' private files.
            readers: Holds those who read.

        Raises:
            OvermindError: `memory_off`.
        """
        _check_full_text()
        try:
            self.database = Database.open(path, migrations=released(SCHEMA), shared=True)
            if not os.access(path, os.W_OK):
                self.database.close()
                raise StoreUnavailable(path, "it is read-only")
        except StoreError as error:
            raise memory_off(reason_of(error)) from error
        self.database.read(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        self._kept_up = -UPKEEP_AFTER  # whoever had the file open before may have left some
        self.purged: list[Change] = []
        """The changes by purges that ended when the file was opened; no event was recorded of them."""
        self.file = _OpenFile(path)
        self.store = NoteStore(self.database, now=lambda: self.at)
        self.meta = MetaTable(self.database)
        self.purge = Purge(self.store, files=files, secret=lambda: secret_of(self.meta), readers=readers)
        try:
            self._begin()
        except StoreError as error:
            self.database.close()
            raise memory_off(reason_of(error)) from error

    def _begin(self) -> None:
        if self.meta.get(SIGNING) is None:
            with self.database.transaction():
                self.meta.save(SIGNING, os.urandom(32).hex())
        try:
            self.purged = self.purge.finish()
        except OvermindError as error:  # another program reads the file: nothing of the notes can be found, though
            _log.warning("a purge of notes has not ended: %s", error.message)

    def upkeep(self) -> bool:
        """Do a piece of what no request is to wait for; return whether there is more."""
        if self.database.changes - self._kept_up < UPKEEP_AFTER:
            return False
        try:
            if self.store.upkeep():
                return True
            self.database.write_back()
        except StoreError as error:  # whoever asks next meets it, and is told
            _log.debug("%s", error)
        self._kept_up = self.database.changes
        return False

    def close(self) -> None:
        """Let go of it."""
        self.database.close()


class Reading:
    """The state of a thread that reads. Where there is no file there are no notes: none is made."""

    def __init__(self, path: str) -> None:
        """Open it.

        Raises:
            OvermindError: `memory_off`.
        """
        self.path = path
        self.file = _OpenFile(path)
        try:
            if self.file.is_there:
                self.database = Database.open_reader(path)
            else:
                _check_full_text()
                self.database = Database.in_memory(path, released(SCHEMA))
        except StoreError as error:
            raise memory_off(reason_of(error)) from error
        self.notes = NoteTable(self.database)
        self.scopes = ScopeTable(self.database)
        self.versions = VersionTable(self.database)
        self.votes = VoteTable(self.database)
        self.search = WordSearch(self.database)
        self.given = GivenTable(self.database)
        self.meta = MetaTable(self.database)

    def close(self) -> None:
        """Let go of it."""
        self.database.close()
