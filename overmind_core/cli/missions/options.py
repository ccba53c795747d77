"""The options that say how a mission is treated, shared by `run` and `update`."""

from __future__ import annotations

from overmind_core.cli.command import flag, grouped, option
from overmind_core.cli.values import duration, milliseconds, run_seconds, signal_name, whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

RESTARTS = ("never", "on-failure", "always")

_POLICY = [
    option(
        "--restart",
        "WHEN",
        "never (default), on-failure or always; a stop, a kill and --timeout end it for good",
        choices=RESTARTS,
    ),
    option(
        "--max-restarts", "N", "limit of restarts within --max-seconds; 0 = unlimited (default 5)", parse=whole_number
    ),
    option(
        "--max-seconds",
        "TIME",
        "window for --max-restarts; a run that lasts longer is healthy (default 60s)",
        parse=duration,
    ),
    option(
        "--backoff",
        "TIME",
        "pause before the first restart, in ms; doubles up to 60s (default 1000)",
        parse=milliseconds,
    ),
    option(
        "--activity-timeout", "TIME", "kill it after this long without output; 0 = never (default 0)", parse=duration
    ),
    option("--grace", "TIME", "time from the stop signal to SIGKILL (default 10s)", parse=duration),
    option("--stop-signal", "NAME", "signal that a stop sends first (default TERM)", parse=signal_name),
    option(
        "--timeout",
        "TIME",
        "limit of one run's wall clock, after which nothing is restarted; 0 = none (default 0)",
        parse=run_seconds,
    ),
    flag("--leave-background", "when it exits, leave its background processes running; kill ends them"),
]
POLICY = grouped("Restarts and time limits", _POLICY)

_NAMES = (
    "restart", "max_restarts", "max_seconds", "backoff", "activity_timeout", "grace", "stop_signal", "timeout",
)  # fmt: skip


def given_policy(args: Namespace) -> dict[str, Any]:
    """Return what was given of `POLICY`, by its names on the socket; a command may lack some of it."""
    given = {name: value for name in _NAMES if (value := getattr(args, name, None)) is not None}
    return given | ({"leave_background": True} if args.leave_background else {})
