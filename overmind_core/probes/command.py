"""Whether a shell command succeeds in a mission's folder, with the environment of the mission's own programs."""

from __future__ import annotations

import asyncio
import os

from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.errors import OvermindError
from overmind_core.probes.poll import Tell, Watched, polled
from overmind_core.probes.side_process import ended, running
from overmind_core.system.run_mark import PROBE_VARIABLE

SHELL = "/bin/sh"
LIMIT = 10.0
"""Seconds that the command may take each time."""


async def until_success(watched: Watched, target: str, tell: Tell) -> None:
    """Return when the shell command `target` exits with 0."""
    await polled(lambda: check(watched, target), tell)


async def check(watched: Watched, command: str, *, limit: float = LIMIT) -> str:
    """Run the command once; return why it did not succeed, "" when it did.

    After `limit` seconds, and when this is cancelled, it is killed with its process group.
    """
    try:
        code = await _run(watched, command, limit)
    except TimeoutError:
        return f"the command {command!r} did not end within {limit:g} s"
    except OvermindError as error:
        return f"the command {command!r} can't be run: {error.message}"
    except (OSError, ValueError) as error:
        return f"the command {command!r} can't be run: {_reason(error)}"
    return "" if code == 0 else f"the command {command!r} {_exit_clause(code)}"


async def _run(watched: Watched, command: str, limit: float) -> int:
    definition = watched.mission.definition
    found = {**await watched.observer.environment(watched.mission), **watched.variables}
    environment = {from_wire(name): from_wire(value) for name, value in found.items()}
    environment[PROBE_VARIABLE] = watched.mission.id  # so the next supervisor ends it where we are killed
    async with running(
        [SHELL, "-c", from_wire(command)],
        cwd=from_wire(definition.cwd),
        environment=environment,
        umask=definition.umask,
    ) as process:
        async with asyncio.timeout(limit):
            return await ended(process)


def _reason(error: OSError | ValueError) -> str:
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)


def _exit_clause(code: int) -> str:
    return f"exits with {code}" if code > 0 else f"is ended by signal {-code}"
