"""The transition table of statuses: which step leads from which status to which. Pure.

`TABLE` is the only truth about statuses: the diagram in docs/ and the tests read it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from overmind_core.domain.missions.mission import Mission, Status
from overmind_core.domain.replacing import replace

if TYPE_CHECKING:
    from collections.abc import Mapping


class TransitionStep(StrEnum):
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
    SWEEP = "sweep"


_CONCLUDE = {
    TransitionStep.CLEAN: Status.STOPPED,
    TransitionStep.BAD: Status.CRASHED,
    TransitionStep.KILLED: Status.KILLED,
    TransitionStep.AGAIN: Status.RESTARTING,
    TransitionStep.START: Status.STARTING,
    TransitionStep.PREPARE: Status.PREPARING,
}
_ENDED = {
    TransitionStep.START: Status.STARTING,
    TransitionStep.PREPARE: Status.PREPARING,
}
TABLE: Mapping[Status, Mapping[TransitionStep, Status]] = {
    Status.PREPARING: {TransitionStep.PREPARED: Status.STARTING, TransitionStep.END: Status.STOPPING},
    Status.STARTING: {TransitionStep.SPAWNED: Status.RUNNING, TransitionStep.END: Status.STOPPING},
    Status.RUNNING: {TransitionStep.END: Status.STOPPING, TransitionStep.FREEZE: Status.PAUSED},
    Status.PAUSED: {TransitionStep.END: Status.STOPPING, TransitionStep.THAW: Status.RUNNING},
    Status.RESTARTING: {
        TransitionStep.START: Status.STARTING,
        TransitionStep.PREPARE: Status.PREPARING,
        TransitionStep.CLEAN: Status.STOPPED,
        TransitionStep.BAD: Status.CRASHED,
        TransitionStep.KILLED: Status.KILLED,
        TransitionStep.SWEEP: Status.STOPPING,
    },
    Status.STOPPING: {TransitionStep.END: Status.STOPPING, **_CONCLUDE},
    Status.STOPPED: _ENDED,
    Status.CRASHED: _ENDED,
    Status.KILLED: _ENDED,
}


class IllegalTransition(Exception):
    """`step` means nothing in `status`; nothing changed."""

    def __init__(self, status: Status, step: TransitionStep | str) -> None:
        super().__init__(f"{step} in {status}")
        self.status = status
        self.step = step


def transition(status: Status, step: TransitionStep) -> Status:
    """Return the status after `step`.

    Raises:
        IllegalTransition: `step` means nothing in `status`; nothing changed.
    """
    try:
        return TABLE[status][step]
    except KeyError:
        raise IllegalTransition(status, step) from None


def with_step(mission: Mission, step: TransitionStep) -> Mission:
    """The mission after a step of the table; raises as `transition` does."""
    return replace(mission, status=transition(mission.status, step))
