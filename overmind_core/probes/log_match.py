"""Probes of a mission's output: whether a line is as wanted, and whether it has been silent for a while.

A regular expression can take for ever, and Python lets no other thread run meanwhile: so a small program of its own
reads the log, and answers by its exit code.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys

from overmind_core.domain.text.duration import parse_duration
from overmind_core.logs.layout import mission_folder
from overmind_core.logs.run_output import newest
from overmind_core.probes.poll import LONGEST_PAUSE, Hopeless, Tell, Watched
from overmind_core.probes.side_process import ended, running

PROGRAM = "overmind_core.probes.log_matcher"
FOUND = 0


async def until_line(watched: Watched, target: str, tell: Tell) -> None:
    """Return when a line of its newest run's output, from the beginning on, has a match of the expression `target`."""
    tell(f"no line of its output matches {target!r}")
    code = await _search(watched, target, subprocess.PIPE)
    if code != FOUND:
        raise Hopeless(_explained(target, code))


async def has_line(watched: Watched, target: str) -> bool:
    """Whether a line of its newest run's output, which has ended, has a match of the expression `target`."""
    return await _search(watched, target, subprocess.DEVNULL) == FOUND


async def _search(watched: Watched, target: str, stdin: int) -> int:
    """The exit code of the program that looks through the output until its standard input ends."""
    mission, logs = watched.mission, watched.observer.logs
    _check(target)
    folder = mission_folder(logs, mission.id)
    written_by = newest(logs, mission).format or ""
    argv = [sys.executable, "-P", "-m", PROGRAM, folder, str(mission.run), written_by, target]
    try:
        async with running(argv, cwd="/", environment=_environment(), stdin=stdin) as process:
            return await ended(process)
    except (OSError, ValueError) as error:
        raise Hopeless(f"its output can't be searched: {error}") from None


def _check(pattern: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise Hopeless(f"{pattern!r} is not a valid regular expression: {error}") from None


def _explained(pattern: str, code: int) -> str:
    if code == -signal.SIGVTALRM:
        return f"{pattern!r} takes too long to match against its output: write it without nested repetitions"
    return f"its output can't be searched (exit {code})"


def _environment() -> dict[str, str]:
    """Ours without the marks of a mission that we may have been started from."""
    return {name: value for name, value in os.environ.items() if not name.startswith("OVERMIND_")}


async def until_silent(watched: Watched, target: str, tell: Tell) -> None:
    """Return when its newest run has written nothing for a duration of `target`, also since its start."""
    try:
        seconds = parse_duration(target)
    except ValueError as error:
        raise Hopeless(str(error)) from None
    tell(f"it was never quiet for {seconds:g} s")
    while True:
        left = await _seconds_left(watched, seconds)
        if left <= 0:
            return
        await asyncio.sleep(left)


async def _seconds_left(watched: Watched, seconds: float) -> float:
    """How long it must go on being silent; without a keeper nobody knows."""
    since = await watched.observer.last_activity(watched.mission)
    return LONGEST_PAUSE if since is None else since + seconds - watched.observer.mono()
