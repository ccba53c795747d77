"""What happens to missions, as the log has it, in the order of a life."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from overmind_core.domain.events import MissionAct, MissionEvent


class MissionCreated(MissionAct, frozen=True, tag="created"):
    """A mission was accepted."""


class MissionUpdated(MissionAct, frozen=True, tag="updated"):
    """The definition of a mission was changed; the current run continues."""


class MissionPrepared(MissionEvent, frozen=True, tag="prepared"):
    """The preparation of an isolated mission is complete; its work starts."""


class SetUpStarted(MissionEvent, frozen=True, kw_only=True, tag="setup_started"):
    """The project's set-up commands were started, as a run of the mission."""

    pid: int | None


class SetUpSucceeded(MissionEvent, frozen=True, tag="set_up"):
    """The project's set-up commands have succeeded."""


class SetUpFailed(MissionEvent, frozen=True, tag="set_up_failed"):
    """The project's set-up commands have failed."""


class RunStarted(MissionEvent, frozen=True, kw_only=True, tag="started"):
    """A run was started."""

    pid: int | None
    """The PID of the first process; null for a plan, which has none."""


class StartFailed(MissionEvent, frozen=True, tag="spawn_failed"):
    """A run could not be started; the text gives the reason."""


class MissionPaused(MissionAct, frozen=True, tag="paused"):
    """All processes of a mission were frozen."""


class MissionThawed(MissionAct, frozen=True, tag="thawed"):
    """The processes of a frozen mission run again."""


class MissionStopping(MissionAct, frozen=True, kw_only=True, tag="stopping"):
    """A run is being ended; the text, if any, gives the reason."""

    cause: str
    """For example `stop`, `kill`, `restart`, `timeout`, `stalled`, `limit`."""


class RunExited(MissionEvent, frozen=True, kw_only=True, tag="exited"):
    """The first process of a run has ended."""

    exit_code: int | None
    """The exit code as a shell shows it; null if unknown."""


class SurvivorsLeft(MissionEvent, frozen=True, tag="survivors"):
    """Processes of a run could not be ended; the text names them."""


class BackgroundEnded(MissionEvent, frozen=True, tag="leftovers"):
    """Background processes of a run were ended; the text names them."""


class BackgroundLeft(MissionEvent, frozen=True, tag="left"):
    """Background processes of a run go on after its end, as `leave_background` allows; the text names them."""


class RunLost(MissionEvent, frozen=True, tag="keeper_lost"):
    """A run was lost with its keeper, or with a restart of the machine."""


class RestartScheduled(MissionEvent, frozen=True, kw_only=True, tag="restarting"):
    """A run has ended, and another follows after a delay."""

    delay_seconds: float
    exit_code: int | None


class RunRestarted(MissionAct, frozen=True, tag="restart"):
    """Another run has started; the text gives the number of the restart."""


class RestartBudgetSpent(MissionEvent, frozen=True, tag="budget_spent"):
    """A mission has used up its restart budget."""


class MissionEnded(MissionAct, frozen=True, kw_only=True):
    """A mission has ended for good, in one of three ways."""

    reason: str | UnsetType | None = UNSET
    """The reason, if the mission did not end by itself. Absent, like `exit_code`, if it was waiting for a restart."""
    exit_code: int | UnsetType | None = UNSET
    outcome: str | UnsetType | None = UNSET
    """How it ended, as people read it: a word of `Outcome`. Absent in what an older version recorded."""


class MissionStopped(MissionEnded, frozen=True, tag="stopped"):
    """A mission was stopped, or has ended with exit code 0; with its restarts used up it has failed all the same."""


class MissionCrashed(MissionEnded, frozen=True, tag="crashed"):
    """A mission has failed."""


class MissionKilled(MissionEnded, frozen=True, tag="killed"):
    """A mission was killed."""


class MissionHidden(MissionAct, frozen=True, tag="hidden"):
    """An ended mission was killed: lists no longer show it."""


class LogRemoved(MissionEvent, frozen=True, kw_only=True, tag="log_removed"):
    """The log of a finished mission was removed because the total size of all logs was over the limit."""

    bytes: int


class MissionRemoved(MissionAct, frozen=True, tag="removed"):
    """A mission was removed, with its record and its log."""
