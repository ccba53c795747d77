"""What happens to missions, as the log has it, in the order of a life."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from overmind_core.domain.events import MissionAct, MissionEvent


class MissionCreated(MissionAct, frozen=True, tag="created"):
    """A mission was accepted."""


class MissionUpdated(MissionAct, frozen=True, tag="updated"):
    """A mission was given another definition; what runs goes on."""


class MissionPrepared(MissionEvent, frozen=True, tag="prepared"):
    """All that an isolated mission needs is there; its work is started."""


class SetUpStarted(MissionEvent, frozen=True, kw_only=True, tag="setup_started"):
    """The project's set-up commands have begun, as a run of the mission."""

    pid: int | None


class SetUpSucceeded(MissionEvent, frozen=True, tag="set_up"):
    """The project's set-up commands have succeeded."""


class SetUpFailed(MissionEvent, frozen=True, tag="set_up_failed"):
    """The project's set-up commands have failed."""


class RunStarted(MissionEvent, frozen=True, kw_only=True, tag="started"):
    """A run was started."""

    pid: int | None
    """Of its first process; null for a plan, which has none."""


class StartFailed(MissionEvent, frozen=True, tag="spawn_failed"):
    """A run could not be started; the text says why."""


class MissionPaused(MissionAct, frozen=True, tag="paused"):
    """All processes of a mission were frozen."""


class MissionThawed(MissionAct, frozen=True, tag="thawed"):
    """The processes of a frozen mission go on."""


class MissionStopping(MissionAct, frozen=True, kw_only=True, tag="stopping"):
    """A run was told to end; the text, if any, says why."""

    cause: str
    """Such as `stop`, `kill`, `restart`, `timeout`, `stalled`, `limit`."""


class RunExited(MissionEvent, frozen=True, kw_only=True, tag="exited"):
    """The first process of a run has ended."""

    exit_code: int | None
    """As a shell shows it; null when nobody knows it."""


class SurvivorsLeft(MissionEvent, frozen=True, tag="survivors"):
    """Processes of a run could not be ended; the text names them."""


class BackgroundEnded(MissionEvent, frozen=True, tag="leftovers"):
    """Processes that a run had left in the background were ended; the text names them."""


class RunLost(MissionEvent, frozen=True, tag="keeper_lost"):
    """A run was lost with its keeper, or with a restart of the machine."""


class RestartScheduled(MissionEvent, frozen=True, kw_only=True, tag="restarting"):
    """A run is over, and another follows after a delay."""

    delay_seconds: float
    exit_code: int | None


class RunRestarted(MissionAct, frozen=True, tag="restart"):
    """Another run has begun; the text numbers the restarts."""


class RestartBudgetSpent(MissionEvent, frozen=True, tag="budget_spent"):
    """A mission was restarted as often as it may be."""


class MissionEnded(MissionAct, frozen=True, kw_only=True):
    """A mission has ended for good, in one of three ways."""

    reason: str | UnsetType | None = UNSET
    """Why, other than by itself. Absent, with `exit_code`, when the mission waited for a restart."""
    exit_code: int | UnsetType | None = UNSET


class MissionStopped(MissionEnded, frozen=True, tag="stopped"):
    """A mission has ended well, or was stopped."""


class MissionCrashed(MissionEnded, frozen=True, tag="crashed"):
    """A mission has failed."""


class MissionKilled(MissionEnded, frozen=True, tag="killed"):
    """A mission was killed."""


class MissionHidden(MissionAct, frozen=True, tag="hidden"):
    """A mission that had ended was killed: lists no longer show it."""


class LogRemoved(MissionEvent, frozen=True, kw_only=True, tag="log_removed"):
    """The log of a finished mission was removed: all logs together were too large."""

    bytes: int


class MissionRemoved(MissionAct, frozen=True, tag="removed"):
    """A mission was removed, with its record and its log."""
