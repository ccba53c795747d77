"""A damaged database is set aside, and a new file with what could be read of it takes its place.

The new file is made beside the old one and takes its place when it is whole: whoever dies in between, and however full
the disk is, one of the two is there. Nobody else may have the file open.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from typing import TypeVar

Result = TypeVar("Result")
_STEPS = 100_000
"""Steps of SQLite between two looks whether it is to go on."""
_UNFINISHED, _WHOLE = ".recovering", ".recovered"
"""Endings of the new file's name while it is made, and until it has the place of the old one."""
SIDE_FILES = ("", "-wal", "-shm")
"""Endings of the files of a database."""


def is_damaged(path: str) -> bool:
    """Whether a file is there and is no whole database."""
    return os.path.exists(path) and bool(damage(path))


def damage(path: str, is_over: Callable[[], bool] | None = None) -> str:
    """Return what SQLite finds wrong with a file, as a clause; "" for nothing. Nothing in the file changes.

    `is_over`: Nobody waits for it any more; then nothing was found.
    """
    try:
        with closing(sqlite3.connect(read_only(path), uri=True)) as database:
            database.set_progress_handler(is_over, 0 if is_over is None else _STEPS)
            found = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return "" if is_over is not None and is_over() else str(error)
    return "" if found == "ok" else " ".join(found.replace("***", "").split())


def read_only(path: str) -> str:
    """Return the address at which SQLite opens a file for reading, and leaves no file of its own beside it."""
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return f"file:{quoted}?mode=ro" + ("" if os.path.exists(f"{path}-wal") else "&immutable=1")


def put_in_place(path: str, make: Callable[[str], Result], at: float) -> tuple[Result, str]:
    """Put what `make` writes in the place of a file, and give that another name; return both.

    Args:
        path: Of the damaged file.
        make: Makes the whole new file at a path, and closes it.
        at: When that was asked for, in seconds since the epoch.

    Raises:
        Exception: as `make`; the old file is where it was.
        OSError: the same.
    """
    new = f"{path}{_UNFINISHED}"
    _remove(new)
    try:
        result = make(new)
        _sync(new)
    except BaseException:
        _remove(new)
        raise
    os.rename(new, f"{path}{_WHOLE}")
    aside = _free_name(f"{path}.damaged-{at:.0f}")
    _set_aside(path, aside)
    os.rename(f"{path}{_WHOLE}", path)
    _sync(os.path.dirname(path) or ".")
    return result, aside


def has_file(path: str) -> bool:
    """Whether the file is there, or will be once a recovery has gone on."""
    return os.path.exists(path) or os.path.exists(f"{path}{_WHOLE}")


def finish(path: str, at: float) -> None:
    """Go on where a recovery was cut off between setting the old file aside and putting the new one in its place."""
    if not os.path.exists(f"{path}{_WHOLE}"):
        return
    if os.path.exists(path):  # it was cut off before that: whoever recovers again makes a new one
        _remove(f"{path}{_WHOLE}")
        return
    _set_aside(path, _free_name(f"{path}.damaged-{at:.0f}"))
    os.rename(f"{path}{_WHOLE}", path)


def _free_name(wanted: str) -> str:
    number, name = 0, wanted
    while any(os.path.exists(f"{name}{ending}") for ending in SIDE_FILES):
        number += 1
        name = f"{wanted}-{number}"
    return name


def _set_aside(path: str, aside: str) -> None:
    for ending in SIDE_FILES:
        with suppress(FileNotFoundError):
            os.rename(f"{path}{ending}", f"{aside}{ending}")


def _remove(path: str) -> None:
    for ending in SIDE_FILES:
        with suppress(FileNotFoundError):
            os.unlink(f"{path}{ending}")


def _sync(path: str) -> None:
    """Have the disk keep a file, or the names in a folder."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
