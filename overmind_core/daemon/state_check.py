"""The check of state.db before a daemon opens it: what is damaged or gone is told, and how it is recovered.

All of it is quick. SQLite's own check takes two milliseconds for each megabyte, and a file above `CHECKED` is looked at
behind the start, by `LateCheck`. Opened by SQLite, a log that is damaged
would lose all commits behind the damage without a word, so it is looked at first.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import struct
import sys
import threading
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from overmind_core.daemon.state_copies import copies
from overmind_core.kernel.database_pages import LOG_MAGIC, log_sums
from overmind_core.kernel.replaced_file import damage, finish, read_only

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.system.paths import Home

RECOVER = "overmind state recover"
"""The command that recovers it."""
CHECKED = 32 * 1024 * 1024
"""Bytes of the file up to which each start checks all of it."""
_LOG_HEADER, _FRAME = struct.Struct(">8I"), struct.Struct(">4I")
_FRAME_BYTES = 24
_INDEX = struct.Struct("=12xBxxxI")
"""Of the log's index: whether it counts, and how many pages of the log do. Source: sqlite.org/walformat.html"""
LATER = 10.0
"""Seconds from a daemon's start to the check of a large file: first comes what people wait for."""
_LOWEST = 19
"""The priority of a thread that takes only what nobody else wants."""
_log = logging.getLogger(__name__)


def prepare(home: Home) -> None:
    """Go on with a recovery that was cut off."""
    finish(home.database, time.time())


def trouble(home: Home, *, is_open: bool = False, thorough: bool = False) -> str:
    """Return what is wrong with the state, as a clause whose subject is the file; "" for nothing.

    Args:
        home: The home.
        is_open: Whether a daemon may have it open, whose log nobody else can judge.
        thorough: Look at all of a large file, too.
    """
    path = home.database
    size = _size(path)
    if not size:
        kept = _what_is_left(home)
        gone = "is gone" if size is None else "is empty"
        return f"{gone}, though there are {kept}" if kept else ""
    if not is_open and (found := log_trouble(path)):
        return found
    found = damage(path) if thorough or size <= CHECKED else ""
    return f"is damaged ({found})" if found else ""


def log_trouble(path: str) -> str:
    """Return what is wrong with the log of changes that are not in the file yet; "" for nothing.

    Nobody may have the file open.
    """
    log, index = f"{path}-wal", f"{path}-shm"
    indexed = _indexed(index)
    if not os.path.exists(log):
        return f"has lost its newest changes: {os.path.basename(log)} is gone" if indexed else ""
    expected = _last_commit(log)
    if not expected:
        return "has lost its newest changes: the head of its log is damaged" if expected is None else ""
    with (
        suppress(sqlite3.DatabaseError, UnicodeDecodeError),
        closing(sqlite3.connect(read_only(path), uri=True)) as database,
    ):
        database.execute("SELECT 1 FROM sqlite_schema").fetchone()
        if (_indexed(index) or 0) < expected:
            return "has lost changes: its log is damaged"
    return ""


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return None


def _indexed(index: str) -> int:
    """How many pages of the log its index counts; 0 where there is none."""
    with suppress(FileNotFoundError), open(index, "rb") as file:
        head = file.read(_INDEX.size)
        if len(head) == _INDEX.size:
            counts, pages = _INDEX.unpack(head)
            return int(pages) if counts else 0
    return 0


def _last_commit(log: str) -> int | None:
    """The number of the last page of a commit in a log; 0: there is none; None: the log's head is damaged."""
    with open(log, "rb", buffering=0) as file:
        head, length = file.read(_LOG_HEADER.size), os.fstat(file.fileno()).st_size
        if len(head) < _LOG_HEADER.size:
            return 0
        magic, _, size, _, *salts, first, second = _LOG_HEADER.unpack(head)
        words = struct.unpack(("<" if magic == LOG_MAGIC else ">") + "6I", head[:24])
        if log_sums(words, (0, 0)) != (first, second):
            return None if length > _LOG_HEADER.size else 0
        step = _FRAME_BYTES + size
        last = 0
        for number, offset in enumerate(range(_LOG_HEADER.size, length - step + 1, step), 1):
            _, pages, *of = _FRAME.unpack(os.pread(file.fileno(), _FRAME.size, offset))
            if pages and of == salts:
                last = number
        return last


def _what_is_left(home: Home) -> str:
    """What tells that there was a state; "" for nothing."""
    if found := copies(home.copies):
        return f"copies of it, the newest of {found[0].day}"
    if os.path.exists(f"{home.database}-wal"):
        return "changes to it"
    with suppress(FileNotFoundError):
        if logs := len(os.listdir(home.logs)):
            return f"logs of {logs} mission{'' if logs == 1 else 's'}"
    return ""


class LateCheck:
    """Looks once at all of a file that is too large for the start, while the daemon works.

    Args:
        home: The home.
        tell: Called once with a sentence for people, if something is damaged.
        later: Seconds to wait first.
        largest: Bytes up to which the start has looked at all of it.
    """

    def __init__(
        self, home: Home, tell: Callable[[str], None], *, later: float = LATER, largest: int = CHECKED
    ) -> None:
        self._home = home
        self._tell = tell
        self._later = later
        self._largest = largest

    async def run(self) -> None:
        """Look, and tell what was found; cancelled, the look ends too."""
        await asyncio.sleep(self._later)
        if (_size(self._home.database) or 0) <= self._largest:
            return
        loop, over = asyncio.get_running_loop(), threading.Event()
        found: asyncio.Future[str] = loop.create_future()

        def done(what: str) -> None:
            if not found.done():
                found.set_result(what)

        def look() -> None:
            if sys.platform == "linux":  # only there a thread has a priority of its own
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST)
            what = damage(self._home.database, over.is_set)
            with suppress(RuntimeError):  # the daemon has left
                loop.call_soon_threadsafe(done, what)

        threading.Thread(target=look, name="state-check", daemon=True).start()
        try:
            what = await found
        finally:
            over.set()
        if what:
            text = f"The state {self._home.database} is damaged ({what}). Recover it with: {RECOVER}"
            _log.error("%s", text)
            self._tell(text)
