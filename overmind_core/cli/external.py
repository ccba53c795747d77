"""Another program asked for what it says: with nothing to read, and a limit that also ends what it started."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from typing import NamedTuple

TYPE_CHECKING = False


LIMIT = 5.0


"""Seconds; an agent's command line takes two on a slow machine."""


class Answer(NamedTuple):
    """What a program said."""

    code: int | None
    """Its exit status; None when it could not be started, or did not end in time."""
    text: str
    """What it printed, without white space at the ends: stdout, or stderr when that is all there is."""

    @property
    def line(self) -> str:
        """The first line."""
        return self.text.partition("\n")[0]


def ask(*argv: str, limit: float = LIMIT) -> Answer:
    """Run a program to its end, for at most `limit` seconds."""
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
    except OSError as error:
        return Answer(None, error.strerror or str(error))
    with process:
        return _heard(process, limit)


def _heard(process: subprocess.Popen[bytes], limit: float) -> Answer:
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return Answer(None, f"no answer within {limit:g} s")
    return Answer(process.returncode, (out.strip() or err.strip()).decode(errors="replace"))
