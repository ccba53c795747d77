"""What became of the missions of a headless run. Pure."""

from __future__ import annotations

from overmind_core.cli.exits import exit_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_MINUTE = 60


class Outcome:
    """The end of one mission.

    Args:
        info: as `overmind info` shows it.
        asked: it is what the run was for, not something that its missions have started.
        output: the last of it.
        dropped: characters before that.
    """

    __slots__ = (
        "asked", "command", "dropped", "exit_code", "name", "output", "reason", "restarts", "seconds", "started_at",
        "status",
    )  # fmt: skip

    def __init__(self, info: Mapping[str, Any], *, asked: bool = True, output: str = "", dropped: int = 0) -> None:
        self.name = str(info["name"])
        self.asked = asked
        self.command = str(info["command"])
        self.status = str(info["status"])
        self.exit_code: int | None = info["exit_code"]
        self.reason: str | None = info["reason"]
        self.restarts = int(info["restart_count"])
        self.seconds = float(info["uptime_seconds"])
        self.started_at: str | None = info["started_at"]
        self.output = output
        self.dropped = dropped

    @property
    def exit_status(self) -> int:
        """What a shell would have got."""
        return exit_status(self.status, self.exit_code, self.reason)

    @property
    def words(self) -> str:
        """What happened, such as `crashed, exit code 3, 2 restarts`."""
        parts = [self.status, "" if self.exit_code is None else f"exit code {self.exit_code}", self.reason or ""]
        if self.restarts:
            parts.append(f"{self.restarts} restart{'s' if self.restarts > 1 else ''}")
        return ", ".join(filter(None, parts))


class Result:
    """The end of a headless run.

    Args:
        exit_status: what the process exits with.
        outcomes: the missions, those that were asked for first.
        trouble: why it ended, when that isn't the missions' doing, such as `interrupted by INT`.
    """

    __slots__ = ("exit_status", "outcomes", "trouble")

    def __init__(self, exit_status: int, outcomes: Sequence[Outcome], trouble: str = "") -> None:
        self.exit_status = exit_status
        self.outcomes = outcomes
        self.trouble = trouble

    @property
    def name(self) -> str:
        """What it was about, in a word."""
        return self.outcomes[0].name if self.outcomes else "overmind"

    def failure(self, outcome: Outcome) -> str:
        """What is wrong with this outcome, in a few words; empty when nothing is."""
        if outcome.asked and self.trouble:
            return f"{self.trouble}: {outcome.words}"
        failed = outcome.exit_status if outcome.asked else outcome.status == "crashed"
        return outcome.words if failed else ""

    def as_json(self) -> dict[str, Any]:
        """The summary of `--json`."""
        return {
            "exit_code": self.exit_status,
            "trouble": self.trouble or None,
            "missions": [
                {
                    "name": one.name,
                    "status": one.status,
                    "exit_code": one.exit_code,
                    "reason": one.reason,
                    "restart_count": one.restarts,
                    "uptime_seconds": one.seconds,
                }
                for one in self.outcomes
            ],
        }


def lasted(seconds: float) -> str:
    """Return a duration as a person reads it: `0.4s`, `12.3s`, `5m 12s`, `1h 2m`."""
    if seconds < _MINUTE:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes}m {rest}s" if minutes < _MINUTE else f"{minutes // _MINUTE}h {minutes % _MINUTE}m"
