"""Tiers: where the file of a test stands says when it runs, and whether it may start our programs.

The rooms of the quick tier start none of them; the targets of the Makefile collect by folder alone.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STARTING = ("process", "walk", "engines")
"""Folders of `tests/` whose tests may start our programs."""

_running: str | None = None
"""Path of the file whose test runs; None while no test does, as in a benchmark."""


@contextlib.contextmanager
def running(path: str) -> Iterator[None]:
    """Run a test of that file in the block."""
    global _running  # noqa: PLW0603  (a test process runs one test at a time)
    before, _running = _running, path
    try:
        yield
    finally:
        _running = before


def may_start(path: str) -> bool:
    """Return whether a test of that file may start our programs."""
    return os.path.relpath(path, TESTS).split(os.sep)[0] in STARTING


def is_impatient(test: str) -> bool:
    """Return whether a test, such as `tests/process/hives/test_ssh.py::test_it`, may not wait long by itself."""
    return test.startswith("tests/process/") and not test.startswith("tests/process/long/")


def files(room_path: str) -> list[str]:
    """Return the paths of a file such as `hives/test_ssh.py`, one for each tier where its room has it."""
    engine, _, rest = room_path.partition("/")
    placed = (room_path, f"walk/{room_path}", f"process/{room_path}", f"process/long/{room_path}",
              f"engines/{room_path}", f"engines/{engine}/long/{rest}")  # fmt: skip
    return [path for path in (os.path.join(TESTS, place) for place in placed) if os.path.exists(path)]


def assert_may_start(what: str) -> None:
    """Fail, by name, a test of a quick room that is about to start one of our programs."""
    assert _running is None or may_start(_running), (
        f"{what} in a quick room: a test that starts our programs stands in tests/process/ (docs/contributing.md)"
    )
