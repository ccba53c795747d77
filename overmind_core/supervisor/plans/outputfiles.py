"""The files in which an agent hands things on: regular ones in its folder, never what a link points at."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from typing import NamedTuple

from overmind_core.domain.plan.outputs import LARGEST, name_problem
from overmind_core.wire.bytestrings import to_wire

_CONTINUES = 0b1000_0000, 0b1100_0000
"""The value and the mask of a byte inside of a character in UTF-8."""
_LONGEST_CHARACTER = 4


class Files(NamedTuple):
    """What is in a folder, as far as it was asked for; texts in wire form."""

    texts: dict[str, str]
    missing: tuple[str, ...]
    cut: tuple[str, ...]
    """Names of those that are larger than `LARGEST` bytes: only so much of their beginning is there."""


def read_files(folder: str, names: Iterable[str]) -> Files:
    """Read these files, each without one newline at its end. Blocks: for a worker thread."""
    wanted = tuple(dict.fromkeys(names))
    try:
        where = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return Files({}, wanted, ())
    try:
        found = {name: data for name in wanted if (data := _read(where, name)) is not None}
    finally:
        os.close(where)
    return Files(
        {name: to_wire(os.fsdecode(_fitting(data))) for name, data in found.items()},
        tuple(name for name in wanted if name not in found),
        tuple(name for name, data in found.items() if len(data) > LARGEST),
    )


def _read(folder: int, name: str) -> bytes | None:
    """The beginning of a file, which tells whether it is larger than `LARGEST`; None when there is no such file."""
    if name_problem(name) is not None:
        return None
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return None
        data = os.read(file, LARGEST + 2)
    except OSError:
        return None
    finally:
        os.close(file)
    return data if len(data) > LARGEST + 1 else data.removesuffix(b"\n")


def _fitting(data: bytes) -> bytes:
    """As much of the beginning as may be handed on, ending with a whole character."""
    end = min(len(data), LARGEST)
    value, mask = _CONTINUES
    for back in range(_LONGEST_CHARACTER):
        if end == len(data) or data[end - back] & mask != value:
            return data[: end - back]
    return data[:end]
