"""The processes of this home: who holds its locks, who answers on its sockets, which versions."""

from __future__ import annotations

import os

from overmind_core.cli.doctor.finding import Finding, World, fail, ok, warn
from overmind_core.client.calls import release
from overmind_core.client.glance import MOMENT, glance
from overmind_core.system import unixsocket
from overmind_core.system.lock import holder_pid
from overmind_core.system.paths import read_socket_address
from overmind_core.version import VERSION


def daemon(world: World) -> Finding:
    """Whether the daemon, if there is one, answers."""
    home = world.home
    pid = holder_pid(home.supervisor_lock)
    if pid is not None:
        return _answering(world, pid)
    if holder_pid(home.keeper_lock) is not None:
        return warn("not running, but its missions live on with the keeper", "overmind start")
    if _lies_there(home.socket, home.socket_pointer):
        return warn("not running; a stale socket is left", "nothing to do: the next start replaces it")
    return ok("not running")


def _answering(world: World, pid: int) -> Finding:
    status = glance(world.home, "status")
    if status is None:
        mend = f"kill {pid}; overmind start (the missions live on)"
        return fail(f"PID {pid} has not answered for {MOMENT:.0f} s", mend)
    theirs = str(status["version"])
    found = f"PID {pid}, version {theirs}"
    if release(theirs) < release(VERSION):
        return warn(f"{found}, older than this program ({VERSION})", "overmind start --replace")
    if release(theirs) > release(VERSION):
        return warn(f"{found}, newer than this program ({VERSION})", "upgrade this program")
    return ok(found)


def keeper(world: World) -> Finding:
    """Whether the keeper, if there is one, listens."""
    home = world.home
    pid = holder_pid(home.keeper_lock)
    if pid is None:
        return ok("not running")
    try:
        unixsocket.connect(read_socket_address(home.keeper_socket, home.keeper_socket_pointer), MOMENT).close()
    except OSError as error:
        mend = f"look into {home.keeper_log}; the last resort ends its missions: kill -9 {pid}"
        return fail(f"PID {pid} can't be reached: {error.strerror or error}", mend)
    return ok(f"PID {pid}")


def _lies_there(path: str, pointer: str) -> bool:
    try:
        return os.path.lexists(read_socket_address(path, pointer))
    except FileNotFoundError:
        return False
