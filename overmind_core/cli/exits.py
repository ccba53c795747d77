"""How a mission's end becomes the exit status of whoever waited for it."""

from __future__ import annotations

from overmind_core.errors import FAILED, TIMED_OUT

KILLED = 137
"""128 + SIGKILL."""
_SIGNALLED = 128


def exit_status(status: str, exit_code: int | None, reason: str | None = None) -> int:
    """Return what to exit with: the child's code, 128+N for a signal, 137 when it was killed.

    Args:
        status: The mission's final status.
        exit_code: Of its last run, negative for a signal; None when there is none.
        reason: Why it ended so; `timeout` is 124.
    """
    if status == "killed":
        return KILLED
    if reason == "timeout":
        return TIMED_OUT
    if exit_code is not None and exit_code < 0:
        return _SIGNALLED - exit_code
    if not exit_code and status == "crashed":
        return FAILED
    return exit_code or 0
