"""A run as an asciicast: what its terminal was sent, when, and how large it was then.

Source: asciicast v2 file format (docs.asciinema.org).
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator

from overmind_core.logs.reader import Resize, RunLog


def asciicast(log: RunLog, *, columns: int, rows: int, terminal: bool, title: str) -> Iterator[str]:
    """The lines of the file, without newlines.

    Args:
        log: the run's log.
        columns: the terminal's first size, in cells.
        rows: likewise.
        terminal: the run had one; else its newlines are given the carriage return that a terminal adds.
        title: what the recording is called.
    """
    resizes = log.resizes
    began: float | None = None
    decoders = [codecs.getincrementaldecoder("utf-8")("replace") for _ in range(2)]
    for wall, stream, at, data in log.interleaved(log.start):
        if began is None:
            began = wall
            yield _header(began, columns, rows, title)
        while resizes and resizes[0][1] <= at:
            yield _resize(resizes.pop(0), began)
        text = decoders[stream].decode(data if terminal else data.replace(b"\n", b"\r\n"))
        if text:
            yield _event(wall - began, "o", text)
    if began is None:
        yield _header(0.0, columns, rows, title)


def _header(began: float, columns: int, rows: int, title: str) -> str:
    return _compact({"version": 2, "width": columns, "height": rows, "timestamp": int(began), "title": title})


def _resize(resize: Resize, began: float) -> str:
    wall, _, columns, rows = resize
    return _event(wall - began, "r", f"{columns}x{rows}")


def _event(seconds: float, kind: str, text: str) -> str:
    """A time before the first byte (a size that was set at once, a clock that was set back) counts as the start."""
    return _compact([round(max(seconds, 0.0), 3), kind, text])


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
