"""The table of statuses: from which of them which step leads where. Pure.

`TABLE` is the only truth about statuses: the diagram in docs/ and the tests read it.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from overmind_core.domain.missions.mission import Mission, Status

if TYPE_CHECKING:
    from collections.abc import Mapping


class Step(StrEnum):
    """The edges of the table."""

    PREPARE = "prepare"
    PREPARED = "prepared"
    SPAWNED = "spawned"
    END = "end"
    CLEAN = "clean"
    BAD = "bad"
    KILLED = "killed"
    AGAIN = "again"
    START = "start"
    FREEZE = "freeze"
    THAW = "thaw"
    HIDE = "hide"
    SWEEP = "sweep"


_CONCLUDE = {
    Step.CLEAN: Status.STOPPED,
    Step.BAD: Status.CRASHED,
    Step.KILLED: Status.KILLED,
    Step.AGAIN: Status.RESTARTING,
    Step.START: Status.STARTING,
    Step.PREPARE: Status.PREPARING,
}
_ENDED = {Step.START: Status.STARTING, Step.PREPARE: Status.PREPARING, Step.HIDE: Status.KILLED}
TABLE: Mapping[Status, Mapping[Step, Status]] = {
    Status.PREPARING: {Step.PREPARED: Status.STARTING, Step.END: Status.STOPPING},
    Status.STARTING: {Step.SPAWNED: Status.RUNNING, Step.END: Status.STOPPING},
    Status.RUNNING: {Step.END: Status.STOPPING, Step.FREEZE: Status.PAUSED},
    Status.PAUSED: {Step.END: Status.STOPPING, Step.THAW: Status.RUNNING},
    Status.RESTARTING: {
        Step.START: Status.STARTING,
        Step.PREPARE: Status.PREPARING,
        Step.CLEAN: Status.STOPPED,
        Step.BAD: Status.CRASHED,
        Step.KILLED: Status.KILLED,
        Step.SWEEP: Status.STOPPING,
    },
    Status.STOPPING: {Step.END: Status.STOPPING, **_CONCLUDE},
    Status.STOPPED: _ENDED,
    Status.CRASHED: _ENDED,
    Status.KILLED: _ENDED,
}


class IllegalTransition(Exception):
    """`step` means nothing in `status`; nothing changed."""

    def __init__(self, status: Status, step: Step) -> None:
        super().__init__(f"{step} in {status}")
        self.status = status
        self.step = step


def transition(status: Status, step: Step) -> Status:
    """Return the status after `step`.

    Raises:
        IllegalTransition: `step` means nothing in `status`; nothing changed.
    """
    try:
        return TABLE[status][step]
    except KeyError:
        raise IllegalTransition(status, step) from None


def stepped(mission: Mission, step: Step) -> Mission:
    """The mission after a step of the table; raises as `transition` does."""
    return replace(mission, status=transition(mission.status, step))
