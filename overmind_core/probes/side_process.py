"""A program that runs beside a mission for as long as somebody waits for it, in a session of its own.

Looked at with waitpid(2) now and then: that works on any thread's loop, and leaves no thread behind.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from overmind_core.system.marked_program import start_own

_SHORTEST, _LONGEST = 0.005, 0.1
"""Seconds between two looks."""
_DEATH = 1.0
"""Seconds in which a killed process is collected; after that nobody waits for it."""


@asynccontextmanager
async def running(
    argv: Sequence[str], *, cwd: str, environment: Mapping[str, str], umask: int = -1, stdin: int = subprocess.DEVNULL
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A process inside of the block, behind which neither it nor its process group runs; its output is thrown away.

    Raises:
        OSError: it can't be started.
    """
    process = start_own(
        argv,
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=cwd,
        env=environment,
        umask=umask,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await _end(process)


async def ended(process: subprocess.Popen[bytes]) -> int:
    """Wait for its end; negative for a signal."""
    pause = _SHORTEST
    while (code := process.poll()) is None:
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST)
    return code


async def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the group of one that still runs: until it is collected, its number belongs to nobody else."""
    if process.poll() is not None:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(_DEATH):
            await ended(process)
