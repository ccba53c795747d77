"""The caller of a request: a person's shell, or a process inside a mission, which may do less.

A guard-rail, not a sandbox: it is the same user. Recognised by ancestry, by the environment, and by the mark that
no process sheds by accident.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from overmind_core.errors import OvermindError
from overmind_core.kernel.request import Caller
from overmind_core.missions.lookup import descends
from overmind_core.system.process_table import new_process_table, read
from overmind_core.system.run_mark import NO_MARK
from overmind_core.system.unixsocket import Peer

if TYPE_CHECKING:
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.missions.registry import Registry

MANY_GENERATIONS = 64


def mission_of(caller: Caller, registry: Registry, home: str) -> str | None:
    """The id of the mission that the caller runs in; None for everybody else."""
    if not caller.known:
        caller.inside = _mission_of(caller, registry, home)
        caller.known = True
    return caller.inside


def _mission_of(caller: Caller, registry: Registry, home: str) -> str | None:
    roots = {run.pid: run.mission for run in registry.runs.values() if run.pid and run.code is None}
    pid = caller.peer.pid
    for _ in range(MANY_GENERATIONS):
        if pid in roots:
            return roots[pid]
        process = read(pid)
        if process is None or process.ppid <= 1:
            break
        pid = process.ppid
    return _by_environment(caller.peer, registry, home) or _by_mark(caller.mark, registry)


def _by_environment(peer: Peer, registry: Registry, home: str) -> str | None:
    """The mission that its environment names, if it is ours: another home's mission may have pointed it at this one."""
    process = read(peer.pid)
    if process is None:
        return None
    mission, named_home = new_process_table().origin(process)
    named = os.fsdecode(mission)
    return named if named and os.fsdecode(named_home) == home and registry.get(named) is not None else None


def _by_mark(mark: int, registry: Registry) -> str | None:
    if mark <= NO_MARK:
        return None
    return next((run.mission for run in registry.runs.values() if run.mark == mark and run.code is None), None)


def forbid_inside(caller: str | None, what: str) -> None:
    """Refuse what no mission may do.

    Raises:
        OvermindError: `forbidden`.
    """
    if caller is not None:
        raise OvermindError("forbidden", f"A process inside a mission ({caller}) may not {what}.")


def forbid_foreign(caller: str | None, mission: Mission, registry: Registry, what: str) -> None:
    """Refuse a mission what it may do to its own descendants only.

    Raises:
        OvermindError: `forbidden`.
    """
    if caller is not None and not descends(mission, caller, registry):
        message = f"A process inside mission {caller} may not {what} {mission.id}: it is not its descendant."
        raise OvermindError("forbidden", message)
