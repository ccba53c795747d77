"""The layout of logs on disk: names of folders and files.

`<logs>/<mission>/<run number>/` holds data segments `out.<offset of their first byte>` and `err.<…>` (raw bytes)
and index segments `index.<number>` (see time_index.py).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

OUT = 0
"""Standard output, or all that a terminal showed."""
ERR = 1
"""Standard error of a run on pipes."""
STREAMS = ("out", "err")

SEGMENT = 4 << 20
"""Bytes of a data segment."""
SEGMENTS = 8
"""No segment is larger than this part of its mission's limit, so that retention drops little at a time."""
LIMIT = 100_000_000
"""Bytes that one mission's logs may take."""
INDEX_SEGMENT = 1 << 20
"""Bytes after which an index segment is followed by the next."""

_INDEX = "index."


def split_run(run: str) -> tuple[str, int]:
    """`a1b2c3d4.3` → (`a1b2c3d4`, 3). Raises ValueError."""
    mission, _, number = run.rpartition(".")
    if not mission or "/" in mission or mission.startswith(".") or not number.isascii() or not number.isdigit():
        raise ValueError(f"not a run id: {run!r}")
    return mission, int(number)


def mission_folder(logs: str, mission: str) -> str:
    """The folder of all runs of a mission."""
    return f"{logs}/{mission}"


def run_folder(logs: str, run: str) -> str:
    """The folder of one run, given by its id."""
    mission, number = split_run(run)
    return f"{logs}/{mission}/{number:06d}"


def data_name(stream: int, start: int) -> str:
    """The segment of `stream` whose first byte has the offset `start`."""
    return f"{STREAMS[stream]}.{start:016d}"


def index_name(number: int) -> str:
    """The index segment with this number, counted from 0."""
    return f"{_INDEX}{number:06d}"


def data_starts(names: Iterable[str], stream: int) -> list[int]:
    """Ascending first offsets of the data segments of `stream` among a folder's file names."""
    return _numbers(names, STREAMS[stream] + ".")


def index_numbers(names: Iterable[str]) -> list[int]:
    """Ascending numbers of the index segments among a folder's file names."""
    return _numbers(names, _INDEX)


def _numbers(names: Iterable[str], prefix: str) -> list[int]:
    tails = (name[len(prefix) :] for name in names if name.startswith(prefix))
    return sorted(int(tail) for tail in tails if tail.isascii() and tail.isdigit())
