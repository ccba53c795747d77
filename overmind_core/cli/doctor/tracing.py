"""What helps to find every process of a mission when it ends."""

from __future__ import annotations

import ctypes
import os

from overmind_core.cli.doctor.finding import Finding, World, ok, warn
from overmind_core.system import marks

PR_GET_CHILD_SUBREAPER = 37
"""Source: prctl(2)."""
LOST = "a program that leaves its session and its parent, and clears its environment, is not found"


def subreaper(world: World) -> Finding:
    """Whether the keeper can adopt orphans."""
    if world.platform != "linux":
        return warn(f"only Linux has them: {LOST}", "nothing to do; see docs/ending.md")
    answer = ctypes.c_int(0)
    if ctypes.CDLL(None).prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(answer), 0, 0, 0) != 0:
        return warn(f"the kernel refuses: {LOST}", "a newer kernel, or a sandbox that allows prctl(2)")
    return ok("the keeper adopts orphans")


def numbers(world: World) -> Finding:
    """Whether runs can be marked by a resource limit."""
    if world.platform != "linux":
        return warn(f"only Linux has them: {LOST}", "nothing to do; see docs/ending.md")
    return judge_numbers(marks.ceiling())


def judge_numbers(ceiling: int) -> Finding:
    """Judge the hard RLIMIT_MSGQUEUE, in bytes: marks are numbers below it."""
    count = ceiling // 2 // marks.PER_BLOCK * marks.PER_BLOCK
    if count <= 0:
        return warn(f"the hard limit of POSIX queues is {ceiling} bytes: {LOST}", "raise it: ulimit -Hq 819200")
    return ok(f"{count} runs can wear one at once")


def children(world: World) -> Finding | None:
    """Whether the kernel lists the children of a process."""
    if world.platform != "linux":
        return None
    if not os.path.exists("/proc/thread-self/children"):
        return warn("the kernel does not list children: ends take longer", "a kernel with CONFIG_PROC_CHILDREN")
    return ok("the kernel lists them")
