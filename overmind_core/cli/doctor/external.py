"""Ask a program for what it says: with nothing to read, and a limit that also ends what it started."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress

from overmind_core.cli.doctor.finding import Answer

LIMIT = 5.0
"""Seconds; an agent's command line takes two on a slow machine."""


def ask(*argv: str) -> Answer:
    """Run a program to its end, for at most `LIMIT` seconds."""
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
    except OSError as error:
        return Answer(None, error.strerror or str(error))
    with process:
        return _heard(process)


def _heard(process: subprocess.Popen[bytes]) -> Answer:
    try:
        out, err = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return Answer(None, f"no answer within {LIMIT:.0f} s")
    return Answer(process.returncode, (out.strip() or err.strip()).decode(errors="replace"))
