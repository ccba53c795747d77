"""The caller of a request: a person's shell, or a process inside a mission, which may do less.

A guard-rail, not a sandbox: it is the same user (docs/security.md). A process is inside a mission that descends from
it, whose environment names it, or that wears its mark. It is inside one, though nobody can say which, when the keeper
has adopted it, when it wears the mark of a run that is long over, or when it wears our own mark: git, run by us for a
mission, runs hooks and filters that the mission wrote. So is a process inside a mission of another home, unless this
home was made inside that mission too: to such a home it is the person. Such a one may do the least of all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from overmind_core.errors import OvermindError
from overmind_core.kernel.request import Caller
from overmind_core.missions.lookup import UNKNOWN, UNKNOWN_SUBJECT, descends
from overmind_core.system.paths import HomeUnsafe, runtime_folder
from overmind_core.system.process_table import ProcessTable, environ, new_process_table, read
from overmind_core.system.run_mark import OWN_VARIABLE, PERSON_MARK, is_of_home, is_own_mark, mark_of, unmarked_limit
from overmind_core.system.unixsocket import Peer

if TYPE_CHECKING:
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.missions.registry import Registry

MANY_GENERATIONS = 64


def mission_of(caller: Caller, registry: Registry, home: str) -> str | None:
    """The id of the mission that the caller runs in, or UNKNOWN; None for everybody else."""
    if not caller.known:
        caller.inside = _mission_of(caller, registry, home)
        caller.known = True
    return caller.inside


def _mission_of(caller: Caller, registry: Registry, home: str) -> str | None:
    ours, keeper = os.getpid(), registry.keeper_pid
    if caller.peer.pid == ours:
        return None  # a program that hosts us, and asks for its person
    roots = {run.pid: run.mission for run in registry.runs.values() if run.pid and run.code is None}
    above, table = set(_ancestors(ours)), new_process_table()
    line: list[int] = []
    adopted = False
    for pid in _ancestors(caller.peer.pid):
        if pid in roots:
            return roots[pid]
        if pid == keeper:
            adopted = True
        if pid == keeper or pid in above:
            break
        if not _holds_lock(table, pid):
            line.append(pid)
        elif not is_own_mark(mark_of(pid)):  # another home's keeper; its supervisor hosts programs of a person
            adopted = True
    named = _by_environment(caller.peer, registry, home) or _by_mark(caller.mark, registry)
    if named is None and (is_own_mark(caller.mark) or any(is_own_mark(mark_of(pid)) for pid in line)):
        return _by_git(line, registry)
    if named is None and (adopted or _is_gone(caller) or _has_outlived(caller.mark, home)):
        return UNKNOWN
    return named


def _is_gone(caller: Caller) -> bool:
    """Whether it has ended, or is of a container that hides it."""
    return caller.came_dead or read(caller.peer.pid) is None


def _ancestors(pid: int) -> Iterator[int]:
    """The process itself, its parent and so on, below the first process; one that is gone ends the line."""
    for _ in range(MANY_GENERATIONS):
        yield pid
        process = read(pid)
        if process is None or process.ppid <= 1:
            return
        pid = process.ppid


def _holds_lock(table: ProcessTable, pid: int) -> bool:
    process = read(pid)
    return process is not None and table.holds_lock(process)


def _by_environment(peer: Peer, registry: Registry, home: str) -> str | None:
    """The mission that its environment names, if it is ours: another home's mission may have pointed it at this one."""
    process = read(peer.pid)
    if process is None:
        return None
    mission, named_home = new_process_table().origin(process)
    named = os.fsdecode(mission)
    return named if named and os.fsdecode(named_home) == home and registry.get(named) is not None else None


def _by_mark(mark: int, registry: Registry) -> str | None:
    if mark <= PERSON_MARK:
        return None
    return next((run.mission for run in registry.runs.values() if run.mark == mark and run.code is None), None)


def _has_outlived(mark: int, home: str) -> bool:
    """Whether it wears the mark of a run that is over: it was spared, and its keeper has ended since."""
    if not PERSON_MARK < mark < unmarked_limit():
        return False
    try:
        return is_of_home(mark, home, os.path.join(runtime_folder(os.geteuid()), "marks"))
    except (HomeUnsafe, OSError):
        return False


def _by_git(line: Sequence[int], registry: Registry) -> str:
    """The mission for which we run the oldest program of the line: what came later may say what it likes."""
    for pid in reversed(line):
        text = b"\0" + environ(pid)
        value = text.partition(b"\0" + os.fsencode(OWN_VARIABLE) + b"=")[2].partition(b"\0")[0]
        if value:
            named = os.fsdecode(value).rpartition("-")[2]  # of a merge there is a word before the id
            return named if registry.get(named) is not None else UNKNOWN
    return UNKNOWN


def forbid_inside(caller: str | None, what: str) -> None:
    """Refuse what no mission may do.

    Raises:
        OvermindError: `forbidden`.
    """
    if caller is not None:
        subject = UNKNOWN_SUBJECT if caller == UNKNOWN else f"A process inside a mission ({caller})"
        raise OvermindError("forbidden", f"{subject} may not {what}.")


def forbid_foreign(caller: str | None, mission: Mission, registry: Registry, what: str) -> None:
    """Refuse a mission what it may do to its own descendants only.

    Raises:
        OvermindError: `forbidden`.
    """
    if caller == UNKNOWN:
        forbid_inside(caller, f"{what} missions")
    if caller is not None and not descends(mission, caller, registry):
        message = f"A process inside mission {caller} may not {what} {mission.id}: it is not its descendant."
        raise OvermindError("forbidden", message)
