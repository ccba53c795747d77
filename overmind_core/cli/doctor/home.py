"""The home: ours alone, on a local disk with room, its socket within reach."""

from __future__ import annotations

import os
import stat

from overmind_core.cli.doctor.finding import Finding, World, fail, ok, warn
from overmind_core.cli.output import size
from overmind_core.system.paths import (
    LONGEST_SOCKET_PATH,
    NETWORK_FILE_SYSTEMS,
    PRIVATE,
    file_system,
    read_socket_address,
)

LITTLE = 1_000_000_000
"""Bytes of free disk below which there is a warning."""
TOO_LITTLE = 50_000_000
"""Bytes of free disk below which nothing more should be started."""
_USABLE = os.R_OK | os.W_OK | os.X_OK


def folder(world: World) -> Finding:
    """Whether the home is there, or can be made, and is ours alone."""
    root = world.home.root
    if not os.path.lexists(root):
        above = standing(root)
        if os.access(above, os.W_OK | os.X_OK):
            return ok(f"{root} is made by the first command that needs it")
        return fail(f"{root} can't be made: {above} is not writable", "set OVERMIND_HOME to a folder of yours")
    return _judged(root, os.stat(root))


def _judged(root: str, found: os.stat_result) -> Finding:
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISDIR(found.st_mode):
        return fail(f"{root} is not a folder", "move it away")
    if found.st_uid != os.geteuid():
        return fail(f"{root} belongs to user {found.st_uid}, not to you", f"sudo chown -R {os.geteuid()} {root}")
    if mode & PRIVATE != PRIVATE or not os.access(root, _USABLE):
        return fail(f"{root} has mode {mode:04o}: it can't be used", f"chmod 700 {root}")
    if mode != PRIVATE:
        return warn(f"{root} has mode {mode:04o}: others may enter", f"chmod 700 {root}")
    return ok(f"{root}, mode 0700, yours")


def kind(world: World) -> Finding:
    """Whether its file system can be trusted with locks."""
    name = file_system(standing(world.home.root))
    if name in NETWORK_FILE_SYSTEMS:
        return fail(f"{name}: a network file system", "set OVERMIND_HOME to a folder on a local disk")
    return ok(name or "unknown on this system")


def space(world: World) -> Finding:
    """Whether the disk has room."""
    disk = os.statvfs(standing(world.home.root))
    free = disk.f_bavail * disk.f_frsize
    found = f"{size(free)} free of {size(disk.f_blocks * disk.f_frsize)}"
    if disk.f_files and not disk.f_favail:
        return fail("no inode is free: no file can be made", "remove files, for example with: overmind prune")
    if free < TOO_LITTLE:
        return fail(found, "make room, for example with: overmind prune")
    return warn(found, "make room, for example with: overmind prune") if free < LITTLE else ok(found)


def address(world: World) -> Finding:
    """Where the socket is: a long path moves it."""
    path = world.home.socket
    long = len(os.fsencode(path))
    try:
        where = read_socket_address(path, world.home.socket_pointer)
    except FileNotFoundError:
        return ok(f"the path has {long} bytes, {LONGEST_SOCKET_PATH} fit: the daemon will put its socket elsewhere")
    if where == path:
        return ok(path)
    if not os.path.lexists(where):
        return warn(f"moved to {where}, where there is none", "overmind start")
    return ok(f"moved to {where}, since its path has {long} bytes")


def standing(path: str) -> str:
    """Return `path`, or the nearest folder above it that exists."""
    while not os.path.exists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path
