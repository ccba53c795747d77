"""Checks of the home: its folder, disk and socket, its settings and logs, its daemon and keeper."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from typing import Any

from overmind_core.cli.doctor.finding import CheckContext, Finding, fail, ok, warn
from overmind_core.cli.output import size
from overmind_core.client.client import release_numbers
from overmind_core.client.stream import CALL_LIMIT, call_if_running
from overmind_core.domain.missions.lost import MEND
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings, load, problems_line
from overmind_core.providers.registry import names
from overmind_core.system import unixsocket
from overmind_core.system.lock import holder_pid
from overmind_core.system.paths import (
    LONGEST_SOCKET_PATH,
    NETWORK_FILE_SYSTEMS,
    PRIVATE,
    Home,
    file_system,
    read_socket_address,
)
from overmind_core.version import VERSION

LITTLE = 1_000_000_000
"""Bytes of free disk below which there is a warning."""
TOO_LITTLE = 50_000_000
"""Bytes of free disk below which nothing more should be started."""
_USABLE = os.R_OK | os.W_OK | os.X_OK


def folder(context: CheckContext) -> Finding:
    """Whether the home is there, or can be made, and is ours alone."""
    root = context.home.root
    if not os.path.lexists(root):
        above = nearest_existing(root)
        if os.access(above, os.W_OK | os.X_OK):
            return ok(f"{root} does not exist yet; the first command that needs it creates it")
        return fail(f"{root} can't be created: {above} is not writable", "set OVERMIND_HOME to a folder that you own")
    return _judge_folder(root, os.stat(root))


def _judge_folder(root: str, found: os.stat_result) -> Finding:
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISDIR(found.st_mode):
        return fail(f"{root} is not a folder", "move it away")
    if found.st_uid != os.geteuid():
        return fail(f"{root} belongs to user {found.st_uid}, not to you", f"sudo chown -R {os.geteuid()} {root}")
    if mode & PRIVATE != PRIVATE or not os.access(root, _USABLE):
        return fail(f"{root} has mode {mode:04o}: you have no access", f"chmod 700 {root}")
    if mode != PRIVATE:
        return warn(f"{root} has mode {mode:04o}: others can enter", f"chmod 700 {root}")
    return ok(f"{root}, mode 0700, yours")


def file_system_kind(context: CheckContext) -> Finding:
    """Whether its file system can be trusted with locks."""
    name = file_system(nearest_existing(context.home.root))
    if name in NETWORK_FILE_SYSTEMS:
        return fail(f"{name}: a network file system", "set OVERMIND_HOME to a folder on a local disk")
    return ok(name or "unknown on this system")


def free_space(context: CheckContext) -> Finding:
    """Whether the disk has room."""
    disk = os.statvfs(nearest_existing(context.home.root))
    free = disk.f_bavail * disk.f_frsize
    found = f"{size(free)} free of {size(disk.f_blocks * disk.f_frsize)}"
    if disk.f_files and not disk.f_favail:
        return fail("no inodes are free: no file can be created", "remove files, for example with: overmind prune")
    if free < TOO_LITTLE:
        return fail(found, "free some space, for example with: overmind prune")
    return warn(found, "free some space, for example with: overmind prune") if free < LITTLE else ok(found)


def socket_address(context: CheckContext) -> Finding:
    """Where the socket is: a long path moves it."""
    path = context.home.socket
    long = len(os.fsencode(path))
    try:
        where = read_socket_address(path, context.home.socket_pointer)
    except FileNotFoundError:
        return ok(
            f"the path has {long} bytes, the limit is {LONGEST_SOCKET_PATH}: the daemon will put its socket elsewhere"
        )
    if where == path:
        return ok(path)
    if not os.path.lexists(where):
        return warn(f"moved to {where}, which does not exist", "overmind start")
    return ok(f"moved to {where}, because its path has {long} bytes")


def nearest_existing(path: str) -> str:
    """Return `path`, or the nearest folder above it that exists."""
    while not os.path.exists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path


def config(context: CheckContext) -> Finding:
    """Whether config.toml can be read, and means something."""
    path = context.home.config
    try:
        found = load(path, providers=names())
    except OvermindError as error:
        return fail(error.message, "fix that line; until then overmind start refuses it")
    if not os.path.exists(path):
        return ok("none: all defaults")
    if "tui" in found.text:
        from overmind_core.kernel.config_file import tui_problems

        if problems := tui_problems(found.text):
            return warn(problems_line(path, problems), "fix that line; the full-screen program ignores it")
    return ok(f"{path} is valid")


def settings(context: CheckContext) -> Settings:
    """Return the settings; the defaults when they can't be read."""
    try:
        return load(context.home.config, providers=names()).settings
    except (OvermindError, OSError):
        return Settings()


DISK_SHARE = 10
"""Logs take at most one part in so many of the disk, as the daemon has it."""
NEARLY = 0.9


def logs(context: CheckContext) -> Finding:
    """How much of their limit the logs use."""
    used = _used(context)
    disk = os.statvfs(nearest_existing(context.home.root))
    total, share = settings(context).log_total, disk.f_blocks * disk.f_frsize // DISK_SHARE
    limit = min(total, share)
    found = f"{size(used)} of {size(limit)}{', a tenth of the disk' if share < total else ''}"
    if used >= limit * NEARLY:
        mend = "run overmind prune" if share < total else "run overmind prune, or raise [logs] total"
        return warn(f"{found}: the oldest logs of finished missions are removed", mend)
    return ok(found)


def _used(context: CheckContext) -> int:
    status = call_if_running(context.home, "status")
    if status is not None:
        return int(status["log_bytes"])
    paths = [os.path.join(folder, name) for folder, _, names in os.walk(context.home.logs) for name in names]
    return sum(os.lstat(path).st_size for path in paths)


def daemon(context: CheckContext) -> Finding:
    """Whether the daemon, if there is one, answers."""
    home = context.home
    pid = holder_pid(home.supervisor_lock)
    if pid is not None:
        return _answering(context, pid)
    if holder_pid(home.keeper_lock) is not None:
        return warn("not running; its missions are still running with the keeper", "overmind start")
    if _socket_exists(home.socket, home.socket_pointer):
        return warn("not running; a stale socket is left behind", "nothing to do: the next start replaces it")
    return ok("not running")


def _answering(context: CheckContext, pid: int) -> Finding:
    status = call_if_running(context.home, "status")
    if status is None:
        mend = f"kill {pid}; overmind start (the missions keep running)"
        return fail(f"PID {pid} did not answer within {CALL_LIMIT:.0f} s", mend)
    theirs = str(status["version"])
    found = f"PID {pid}, version {theirs}"
    if release_numbers(theirs) < release_numbers(VERSION):
        return warn(f"{found}, older than this program ({VERSION})", "overmind start --replace")
    if release_numbers(theirs) > release_numbers(VERSION):
        return warn(f"{found}, newer than this program ({VERSION})", "upgrade this program")
    problems = status.get("problems", ())
    return warn(f"{found}. {'. '.join(problems)}", "see each with: overmind status") if problems else ok(found)


def state(context: CheckContext) -> Finding:
    """Whether the home's own records are whole, and how old their newest copy is."""
    from overmind_core.cli.state import RECOVER, state_facts

    facts = state_facts(context.home)
    if facts["trouble"]:
        return fail(f"{facts['path']} {facts['trouble']}", RECOVER)
    if facts["bytes"] is None:
        return ok("none yet")
    copies = facts["copies"]
    kept = f"newest copy of {copies[0]['day']}, {len(copies)} in all" if copies else "no copy yet"
    return ok(f"whole, {size(facts['bytes'])}; {kept}")


def daemons_inside(context: CheckContext) -> Finding | None:
    """Whether daemons of other homes were started inside missions, which no end of those takes along."""
    from overmind_core.system.process_table import new_process_table

    table, keeper = new_process_table(()), holder_pid(context.home.keeper_lock)
    snapshot = table.scan()
    found = {
        inside[1]: process.pid
        for process in snapshot.processes.values()
        if keeper is not None and not process.dead and snapshot.descends(process.pid, keeper)
        if (inside := table.daemon_in(process, None)) is not None and inside[1] != context.home.root
    }
    if not found:
        return None
    told = ", ".join(f"a daemon of {home}, PID {pid}" for home, pid in sorted(found.items()))
    first = min(found)
    return warn(f"started inside missions, and outlive them: {told}", f"overmind --home {first} shutdown")


def memory(context: CheckContext) -> Finding | None:
    """Whether memory can be used; None: nobody can say."""
    if not os.path.exists(context.home.memory):
        return ok("no notes yet")
    state = call_if_running(context.home, "memory", {"cwd": None})
    if state is None:
        return None
    return _judge_memory(state)


def _judge_memory(state: Mapping[str, Any]) -> Finding:
    if state["reason"] is not None:
        return warn(f"off: {state['reason']}", "mend that; until then missions run without notes")
    found = f"{state['live']} live, {state['proposed']} proposed, {size(state['bytes'])}"
    if state["model_error"]:
        return warn(f"{found}; searched for words only: {state['model_error']}", "see [memory] model in config.toml")
    cortex = state["cortex"]
    if cortex is not None and cortex["error"]:
        return warn(f"{found}; the Cortex: {cortex['error']}", "see: overmind memory")
    if state["conflicts"]:
        return warn(
            f"{found}, {state['conflicts']} in conflict", "decide which text counts: overmind notes --conflicts --all"
        )
    return ok(found if state["on"] else f"switched off; {found}")


def missions(context: CheckContext) -> Finding | None:
    """Whether any were lost with their keeper and not started again; None: nobody can say."""
    status = call_if_running(context.home, "status")
    if status is None:
        return None
    lost = status["missions"].get("lost", 0)
    found = f"{status['missions']['running']} live"
    return warn(f"{found}, {lost} lost with their keeper", MEND) if lost else ok(found)


def keeper(context: CheckContext) -> Finding:
    """Whether the keeper, if there is one, answers."""
    home = context.home
    pid = holder_pid(home.keeper_lock)
    if pid is None:
        return ok("not running")
    try:
        _ask_keeper(home)
    except TimeoutError:
        return fail(
            f"PID {pid} did not answer within {CALL_LIMIT:.0f} s", f"resume it if it is stopped: kill -CONT {pid}"
        )
    except OSError as error:
        mend = f"see {home.keeper_log}; as a last resort, end its missions: kill -9 {pid}"
        return fail(f"PID {pid} can't be reached: {error.strerror or error}", mend)
    return ok(f"PID {pid}")


def _ask_keeper(home: Home) -> None:
    """Have it say how it is; anybody of its user may ask that."""
    connection = unixsocket.connect(read_socket_address(home.keeper_socket, home.keeper_socket_pointer), CALL_LIMIT)
    try:
        connection.settimeout(CALL_LIMIT)
        connection.sendall(b'{"op":"status","n":1}\n')
        if not connection.recv(1):
            raise ConnectionResetError(errno.ECONNRESET, "it closed the connection")
    finally:
        connection.close()


def _socket_exists(path: str, pointer: str) -> bool:
    try:
        return os.path.lexists(read_socket_address(path, pointer))
    except FileNotFoundError:
        return False
