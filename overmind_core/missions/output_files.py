"""Files that a mission hands on, in a folder of its own. Only regular files count, never what a link points at.

All of it blocks: for a worker thread.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.text.bytestrings import to_wire

if TYPE_CHECKING:
    from collections.abc import Iterable

_CHUNK = 1 << 20
_CONTINUES = 0b1000_0000, 0b1100_0000
"""The value and the mask of a byte inside of a character in UTF-8."""
_LONGEST_CHARACTER = 4


class FolderContent(NamedTuple):
    """What is in a folder, as far as it was asked for; texts in wire form."""

    texts: dict[str, str]
    missing: tuple[str, ...]
    cut: tuple[str, ...]
    """Names of those that are larger than was asked for: only so much of their beginning is there."""


class FolderFiles(NamedTuple):
    """The same with the bytes of the files, none of which is cut."""

    data: dict[str, bytes]
    missing: tuple[str, ...]
    too_large: tuple[str, ...]
    """Names of those that are larger than was asked for: nothing of them is there."""


def read_texts(folder: str, names: Iterable[str], *, largest: int) -> FolderContent:
    """Read these files, of each at most `largest` bytes, without one newline at its end."""
    found, missing = _read_all(folder, names, largest + 1)
    ended = {name: data if len(data) > largest + 1 else data.removesuffix(b"\n") for name, data in found.items()}
    return FolderContent(
        {name: to_wire(os.fsdecode(_fitting(data, largest))) for name, data in ended.items()},
        missing,
        tuple(name for name, data in ended.items() if len(data) > largest),
    )


def read_data(folder: str, names: Iterable[str], *, largest: int) -> FolderFiles:
    """Read these files, as they are, none that is larger than `largest` bytes."""
    found, missing = _read_all(folder, names, largest)
    return FolderFiles(
        {name: data for name, data in found.items() if len(data) <= largest},
        missing,
        tuple(name for name, data in found.items() if len(data) > largest),
    )


def read_beginnings(folder: str, names: Iterable[str], *, most: int) -> dict[str, bytes]:
    """Read the first `most` bytes of each of these files that is there."""
    return _read_all(folder, names, most - 1)[0]


def _read_all(folder: str, names: Iterable[str], most: int) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """At most one byte more than `most` of each of these files; and the names of those that are not there."""
    wanted = tuple(dict.fromkeys(names))
    try:
        where = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return {}, wanted
    try:
        found = {name: data for name in wanted if (data := _read(where, name, most + 1)) is not None}
    finally:
        os.close(where)
    return found, tuple(name for name in wanted if name not in found)


def _read(folder: int, name: str, most: int) -> bytes | None:
    """The beginning of a file; None when there is no such file."""
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        return None
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except (OSError, UnicodeEncodeError):
        return None
    try:
        return _beginning(file, most) if stat.S_ISREG(os.fstat(file).st_mode) else None
    except OSError:
        return None
    finally:
        os.close(file)


def _beginning(file: int, most: int) -> bytes:
    data = b""
    while len(data) < most and (more := os.read(file, min(_CHUNK, most - len(data)))):
        data += more
    return data


def _fitting(data: bytes, largest: int) -> bytes:
    """As much of the beginning as may be handed on, ending with a whole character."""
    end = min(len(data), largest)
    value, mask = _CONTINUES
    for back in range(_LONGEST_CHARACTER):
        if end == len(data) or data[end - back] & mask != value:
            return data[: end - back]
    return data[:end]
