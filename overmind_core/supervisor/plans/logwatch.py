"""Whether a line of a mission's output is as wanted: a small program reads the log and tells by its end.

A regular expression can take for ever, and Python lets no other thread run meanwhile: so it gets a process of its own.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

from overmind_core.logs.layout import mission_folder
from overmind_core.supervisor.plans.beside import ended, running
from overmind_core.supervisor.plans.looking import Hopeless, Tell, Watched
from overmind_core.supervisor.plans.runoutput import newest

PROGRAM = "overmind_core.supervisor.plans.matcher"
FOUND = 0


async def until_line(watched: Watched, target: str, tell: Tell) -> None:
    """Return when a line of its newest run's output, from the beginning on, has a match of the expression `target`."""
    core, mission, _ = watched
    _check(target)
    tell(f"no line of its output matches {target!r}")
    folder = mission_folder(core.home.logs, mission.id)
    written_by = newest(core.home.logs, mission).format or ""
    argv = [sys.executable, "-P", "-m", PROGRAM, folder, str(mission.run), written_by, target]
    try:
        async with running(argv, cwd="/", environment=_environment(), stdin=subprocess.PIPE) as process:
            code = await ended(process)
    except (OSError, ValueError) as error:
        raise Hopeless(f"its output can't be looked through: {error}") from None
    if code != FOUND:
        raise Hopeless(_explained(target, code))


def _check(pattern: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise Hopeless(f"{pattern!r} is no regular expression: {error}") from None


def _explained(pattern: str, code: int) -> str:
    if code == -signal.SIGVTALRM:
        return f"{pattern!r} takes too long to match against its output: write it without nested repetitions"
    return f"its output can't be looked through (exit {code})"


def _environment() -> dict[str, str]:
    """Ours without the marks of a mission that we may have been started from."""
    return {name: value for name, value in os.environ.items() if not name.startswith("OVERMIND_")}
