"""Another program run for its output: with nothing to read, and a limit that also ends what it started."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from typing import NamedTuple

TYPE_CHECKING = False

TIMEOUT = 5.0
"""Seconds; an agent's command line takes two on a slow machine."""


class ProgramResult(NamedTuple):
    """The end of a program: its exit code and output."""

    exit_code: int | None
    """None when it could not be started, or did not end in time."""
    output: str
    """What it printed, without white space at the ends: stdout, or stderr when that is all there is."""

    @property
    def first_line(self) -> str:
        """The first line."""
        return self.output.partition("\n")[0]


def run_program(*argv: str, timeout: float = TIMEOUT) -> ProgramResult:
    """Run a program to its end, for at most `timeout` seconds."""
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
    except OSError as error:
        return ProgramResult(None, error.strerror or str(error))
    with process:
        return _result(process, timeout)


def _result(process: subprocess.Popen[bytes], timeout: float) -> ProgramResult:
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return ProgramResult(None, f"no answer within {timeout:g} s")
    return ProgramResult(process.returncode, (out.strip() or err.strip()).decode(errors="replace"))
