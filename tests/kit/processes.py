"""Who lives: the machine's processes, as the tests judge them."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import psutil

MARKER = "OMTEST_RUN"
"""The variable that everything a test run starts inherits; the product passes it on, as it isn't one of its own."""
_PIECE = 1 << 17
"""Bytes read at once."""


def alive(pid: int) -> bool:
    """Whether `pid` runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def of_home(home: str) -> list[str]:
    """Describe each process with `home` as its OVERMIND_HOME or in its command line."""
    return [describe(found) for found in _search(home, lambda row: _belongs(row, home))]


def of_run(marker: str) -> list[str]:
    """Describe each process that inherited the marker of this test run, but this one."""
    return [describe(found) for found in _search(marker, lambda row: _variable(row, MARKER) == marker)]


def with_variable(name: str, value: str) -> list[int]:
    """Return the pid of each process that carries `name=value` in its environment."""
    return [found["pid"] for found in _search(value, lambda row: _variable(row, name) == value)]


def with_word(word: str) -> list[int]:
    """Return the pid of each process that has `word` somewhere in its command line."""
    return [found["pid"] for found in _search(word, lambda row: word in " ".join(row["cmdline"] or ()))]


def programs_with_word(word: str) -> list[int]:
    """Like `with_word`, without children that have yet to begin their own program and still show their parent's."""
    found = {row["pid"]: row for row in _search(word, lambda row: word in " ".join(row["cmdline"] or ()))}
    return [pid for pid, row in found.items() if row["cmdline"] != found.get(row["ppid"], {}).get("cmdline")]


def kill_home(home: str) -> None:
    """SIGKILL what `of_home` finds."""
    for found in _search(home, lambda row: _belongs(row, home)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(found["pid"], signal.SIGKILL)


def describe(row: dict[str, Any]) -> str:
    """Return pid, state and command in one line."""
    return f"{row['pid']} {row['status']} ppid={row['ppid']} {' '.join(row['cmdline'] or ())}"


def _belongs(row: dict[str, Any], home: str) -> bool:
    return _variable(row, "OVERMIND_HOME") == home or home in " ".join(row["cmdline"] or ())


def _variable(row: dict[str, Any], name: str) -> str | None:
    return (row["environ"] or {}).get(name)


def _search(text: str, wanted: Callable[[dict[str, Any]], bool]) -> Iterator[dict[str, Any]]:
    """Each living process but this one that is wanted; none is that has `text` nowhere in environment and words."""
    for pid in _pids_with(text):
        with contextlib.suppress(psutil.NoSuchProcess):
            row = psutil.Process(pid).as_dict(["pid", "ppid", "status", "cmdline", "environ"])
            if row["status"] != psutil.STATUS_ZOMBIE and wanted(row):
                yield row


def _pids_with(text: str) -> list[int]:
    """Who may have `text`. Tests ask several times each, and psutil needs 13 ms to read a hundred processes."""
    pids = [pid for pid in psutil.pids() if pid != os.getpid()]
    if not sys.platform.startswith("linux"):
        return pids
    longest = os.fsencode(max(text.split(" "), key=len))  # what is a space in `text` may be a NUL there
    return [pid for pid in pids if any(longest in _proc(pid, name) for name in ("environ", "cmdline"))]


def _proc(pid: int, name: str) -> bytes:
    try:
        fd = os.open(f"/proc/{pid}/{name}", os.O_RDONLY)
    except OSError:  # it has just ended, or is somebody else's
        return b""
    try:
        return b"".join(iter(lambda: os.read(fd, _PIECE), b""))
    except OSError:
        return b""
    finally:
        os.close(fd)
