"""Follow a mission's output to its end: `run --wait`."""

from __future__ import annotations

from overmind_core.cli.exits import exit_status
from overmind_core.cli.follow import follow_output
from overmind_core.cli.output import coloured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from overmind_core.cli.context import Context


def attend(context: Context, mission: str, *, since: float | None = None) -> int:
    """Print the mission's output until it has ended; return the exit status that stands for its end.

    `since`: only what was written from then on, in seconds since the epoch.
    """
    transcript = follow_output(context.client(), mission, context.say, colour=coloured(context.environ), since=since)
    return exit_status(transcript.status, transcript.exit_code)
