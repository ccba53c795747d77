"""The processes of this test process, as the tests judge them: its descendants, and who has left it for an ancestor.

What a call of the command line starts and leaves behind is adopted by the fork server (`fork_server.py`), a child of
ours, so it stays below us. What a test starts by itself, such as a program on a terminal, is adopted by the machine's
first process or another one above us: of the children of those only who wears our marker is ours. Nobody else is looked
at, however many processes the machine has, and a neighbour's is never ours.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import psutil

from overmind_core.system.process_table import children, read, tells_children

MARKER = "OMTEST_RUN"
"""The variable that everything a test run starts inherits; the product passes it on, as it isn't one of its own."""
RUN = uuid.uuid4().hex
"""The marker's value in what this test process starts."""
_PIECE = 1 << 17
"""Bytes read at once."""
_MOST_WALKS = 20
"""Walks down the tree of which each found somebody new, as in a chain of forks."""
_strangers: set[int] = set()
"""Children of processes above us that do not wear our marker, and so never will: the newest look at them."""


def alive(pid: int) -> bool:
    """Return True while `pid` runs, or threads of it do, which keep its locks and sockets though it is a zombie."""
    try:
        found = psutil.Process(pid)
        return found.status() != psutil.STATUS_ZOMBIE or found.num_threads() > 1
    except psutil.NoSuchProcess:
        return False


def of_home(home: str) -> list[str]:
    """Describe each process with `home` as its OVERMIND_HOME or in its command line."""
    return [describe(found) for found in _search(home, lambda row: _belongs(row, home))]


def of_person(user_home: str) -> list[str]:
    """Describe each process whose person's home, its HOME, is `user_home`."""
    return [describe(found) for found in _search(user_home, lambda row: _variable(row, "HOME") == user_home)]


def of_run(marker: str) -> list[str]:
    """Describe each process of the machine that inherited the marker of this test run, but this one."""
    found = _search(marker, lambda row: _variable(row, MARKER) == marker, psutil.pids())
    return [describe(row) for row in found]


def with_variable(name: str, value: str, *, on_machine: bool = False) -> list[int]:
    """Return the pid of each process that carries `name=value` in its environment.

    Args:
        name: The variable's name.
        value: Its value.
        on_machine: Whether all processes of the machine are searched, not just ours.
    """
    pids = psutil.pids() if on_machine else None
    return [found["pid"] for found in _search(value, lambda row: _variable(row, name) == value, pids)]


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


def _search(
    text: str, wanted: Callable[[dict[str, Any]], bool], pids: Iterable[int] | None = None
) -> Iterator[dict[str, Any]]:
    """Each living process but this one that is wanted; none is that has `text` nowhere in environment and words.

    Of `pids`; None: of ours.
    """
    for pid in _pids_with(text, ours() if pids is None else pids):
        with contextlib.suppress(psutil.NoSuchProcess):
            row = psutil.Process(pid).as_dict(["pid", "ppid", "status", "cmdline", "environ"])
            if row["status"] != psutil.STATUS_ZOMBIE and wanted(row):
                yield row


def _pids_with(text: str, pids: Iterable[int]) -> list[int]:
    """Who may have `text`. Tests ask several times each, and psutil needs 13 ms to read a hundred processes."""
    others = [pid for pid in pids if pid != os.getpid()]
    if not sys.platform.startswith("linux"):
        return others
    longest = os.fsencode(max(text.split(" "), key=len))  # what is a space in `text` may be a NUL there
    return [pid for pid in others if any(longest in _proc(pid, name) for name in ("environ", "cmdline"))]


def ours() -> list[int]:
    """Return the pids of our processes, without this one; of all where the system does not tell who started whom.

    Walks until a walk finds nobody new: whoever loses its parent during one may have come to a place already passed.
    """
    if not tells_children():
        return [pid for pid in psutil.pids() if pid != os.getpid()]
    found: set[int] = set()
    for _ in range(_MOST_WALKS):
        escaped = _escaped()
        met = below(os.getpid(), *escaped).union(escaped)
        if met <= found:
            break
        found |= met
    return sorted(found)


def below(*roots: int) -> set[int]:
    """Return the pids of the descendants of these processes, by one walk."""
    found: set[int] = set()
    todo = list(roots)
    while todo:
        new = set(children(todo.pop())) - found
        found |= new
        todo += new
    return found


def _escaped() -> list[int]:
    """The pids of those that a process above us has adopted and that wear our marker."""
    adopted = {child for adopter in adopters() for child in children(adopter)}
    _strangers.intersection_update(adopted)
    sign = os.fsencode(f"{MARKER}={RUN}")
    escaped = []
    for pid in adopted - _strangers:
        environment = _proc(pid, "environ")
        if sign in environment.split(b"\0"):
            escaped.append(pid)
        elif environment:  # for a moment of its execution it has none
            _strangers.add(pid)
    return escaped


def adopters() -> list[int]:
    """Return the pids of the processes above us, but for one that runs several test processes: it adopts nobody."""
    found: list[int] = []
    pid = os.getpid()
    while (process := read(pid)) is not None and process.ppid > 1:
        pid = process.ppid
        found.append(pid)
    return [*found["PYTEST_XDIST_WORKER" in os.environ :], 1]  # of a container's first process nobody may descend


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
