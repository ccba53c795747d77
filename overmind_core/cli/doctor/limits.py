"""Limits of the kernel that end the fun early: open files, terminals."""

from __future__ import annotations

import os
import resource

from overmind_core.cli.doctor.finding import Finding, World, fail, ok, warn

FILES_OF_A_MISSION = 4
FILES_OF_A_KEEPER = 64
FEW_MISSIONS = 250
NEARLY = 0.9
_PTY = "/proc/sys/kernel/pty"


def files(_world: World) -> Finding:
    """How many missions the limit on open files allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return judge_files(soft, hard)


def judge_files(soft: int, hard: int) -> Finding:
    """Judge RLIMIT_NOFILE: the keeper lifts its own to the hard one."""
    if hard == resource.RLIM_INFINITY:
        return ok(f"{soft}, no hard limit")
    missions = max(0, (hard - FILES_OF_A_KEEPER) // FILES_OF_A_MISSION)
    found = f"{soft}, hard limit {hard}: room for {missions} missions at once"
    if missions < FEW_MISSIONS:
        return warn(found, "raise it: 'hard nofile 524288' in /etc/security/limits.conf")
    return ok(found)


def terminals(world: World) -> Finding:
    """Whether there are terminals left."""
    try:
        for fd in os.openpty():
            os.close(fd)
    except OSError as error:
        return fail(f"none can be opened: {error.strerror}", "end some missions, or: sudo sysctl kernel.pty.max=65536")
    if world.platform != "linux":
        return ok("can be opened")
    most, used = (_number(f"{_PTY}/{name}") for name in ("max", "nr"))
    return ok("can be opened") if most is None or used is None else judge_terminals(used, most)


def judge_terminals(used: int, most: int) -> Finding:
    """Judge how many of the machine's terminals are in use."""
    found = f"{used} of {most} in use"
    return warn(found, "sudo sysctl kernel.pty.max=65536") if used >= most * NEARLY else ok(found)


def _number(path: str) -> int | None:
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None
