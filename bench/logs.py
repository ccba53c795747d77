"""A log of a million lines in the full-screen program's reader: its tail, where all its pages are, a page, a filter."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable

from bench.figures import Figure, milliseconds
from bench.product import Product
from bench.sizes import choose_size
from overmind_core.log_pages.index import LogPage, LogScope
from overmind_core.log_pages.line_filter import LineFilter
from overmind_core.log_pages.page_search import matching
from overmind_core.log_pages.pattern import parsed
from overmind_core.log_pages.reader import Reader
from overmind_core.logs.layout import OUT, SEGMENT, data_name, index_name
from overmind_core.logs.time_index import pack

LINES = choose_size(1_000_000, smoke=10_000)
RECORDS = choose_size(20_000, smoke=200)
"""Of the time index: as many as 1,000 seconds of steady output leave."""
LINE = b"line %07d of a log that has a million lines, with some words in it: GET /users/%d 200 12 ms\n"
TAIL_GOAL, INDEX_GOAL, SLICE_GOAL = 0.050, 0.300, 0.005
"""Seconds."""
ROUNDS = choose_size(5, smoke=1)


def measure(product: Product, folder: str) -> list[Figure]:
    del product
    folder = tempfile.mkdtemp(dir=folder)
    size = _write(folder)
    run = {"number": 1, "path": folder, "tty": True, "format": None, "out": size, "err": 0,
           "started_at": "2026-01-01T00:00:00.000Z", "ended_at": None}  # fmt: skip
    described = {"id": "a", "name": "big", "status": "running", "exit_code": None, "seen_at": None,
                 "annotations": [], "runs": [run]}  # fmt: skip
    reader = Reader([described], LogScope(("a",)))
    tail = min(_seconds(reader.open) for _ in range(ROUNDS))
    pages: list[LogPage] = []
    index = _seconds(lambda: pages.extend(page for page in reader.pages([], reader.ends) if page is not None))
    middle = min(_seconds(lambda: reader.lines(pages[len(pages) // 2])) for _ in range(ROUNDS))
    what = f"log of {LINES:,} lines ({size / 1e6:.0f} MB)"
    return [
        _figure(f"{what}: its newest lines", tail, TAIL_GOAL),
        _figure(f"{what}: where its {len(pages):,} pages are", index, INDEX_GOAL),
        _figure(f"{what}: one of its pages", middle, SLICE_GOAL),
        *(_filter(f"{what}: filter `{text}`", reader, pages, text) for text in ("nowhere", "line.*99999")),
    ]  # fmt: skip


def _figure(what: str, seconds: float, goal: float) -> Figure:
    return Figure(what, milliseconds(seconds), "", "", f"≤ {milliseconds(goal)}", seconds <= goal)


def _filter(what: str, reader: Reader, pages: list[LogPage], text: str) -> Figure:
    pattern = parsed(text)
    assert pattern is not None
    line_filter = LineFilter(pattern)
    slices = sorted(_seconds(lambda page=page: matching(reader, page, line_filter)) for page in pages)  # type: ignore[misc] # a lambda
    late = slices[len(slices) * 99 // 100]
    return Figure(
        what,
        f"{sum(slices):.1f} s in slices of p99 {milliseconds(late)}",
        "",
        "",
        f"p99 ≤ {milliseconds(SLICE_GOAL)}",
        late <= SLICE_GOAL,
    )


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _write(folder: str) -> int:
    """Write the log as a keeper leaves it; its bytes."""
    body = b"".join(LINE % (at, at % 997) for at in range(LINES))
    for start in range(0, len(body), SEGMENT):
        with open(os.path.join(folder, data_name(OUT, start)), "wb") as file:
            file.write(body[start : start + SEGMENT])
    began = int(time.time() * 1000) - RECORDS * 50
    with open(os.path.join(folder, index_name(0)), "wb") as file:
        file.write(pack(began, 0, 0) + pack(began, 0, 1))
        file.writelines(pack(began + at * 50, len(body) * at // RECORDS, OUT) for at in range(1, RECORDS + 1))
    return len(body)
