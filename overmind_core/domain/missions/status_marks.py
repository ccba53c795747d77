"""Status marks: the mark, the ASCII sign and the word of each state that a mission can show, one table for every face.

The word always stands beside the mark; a colour only repeats it.
"""

from __future__ import annotations

from typing import NamedTuple

from overmind_core.domain.missions.mission import Status


class StatusMark(NamedTuple):
    """How a state is shown."""

    mark: str
    """One cell; never with a variation selector."""
    ascii: str
    word: str
    tone: str
    """What it means for whoever looks: good, wait (for a person), slow, calm, bad, off."""


WORKING = StatusMark("▶", ">", "working", "good")
YOUR_TURN = StatusMark("❯", "_", "your turn", "wait")
WAITING = StatusMark("!", "!", "waiting", "wait")
LIMITED = StatusMark("≈", "~", "limited", "slow")
STARTING = StatusMark("…", ".", "starting", "slow")
PREPARING = StatusMark("…", ".", "preparing", "slow")
RESTARTING = StatusMark("↻", "@", "restarting", "slow")
STOPPING = StatusMark("…", ".", "stopping", "slow")
STOPPED = StatusMark("✔", "+", "stopped", "calm")
CRASHED = StatusMark("✖", "x", "crashed", "bad")
KILLED = StatusMark("–", "-", "killed", "off")
FROZEN = StatusMark("‖", "=", "frozen", "off")

MARKS: tuple[StatusMark, ...] = (
    WORKING, WAITING, YOUR_TURN, LIMITED, STARTING, PREPARING, RESTARTING, STOPPING, FROZEN, STOPPED, CRASHED, KILLED,
)  # fmt: skip
"""In the order in which they are counted."""
ATTACHED = StatusMark("⌨", "#", "attached", "good")

PENDING = StatusMark("○", "o", "waiting", "off")
SUCCEEDED = StatusMark("✔", "+", "succeeded", "calm")
COMPLETED = StatusMark("✔", "+", "completed", "calm")
FAILED = StatusMark("✖", "x", "failed", "bad")
SKIPPED = StatusMark("⊘", "/", "skipped", "off")
CANCELLED = StatusMark("–", "-", "cancelled", "off")
MISSED = StatusMark("⊘", "/", "missed", "off")
QUEUED = StatusMark("○", "o", "queued", "slow")
PLANNED: tuple[StatusMark, ...] = (
    PENDING, SUCCEEDED, COMPLETED, FAILED, SKIPPED, CANCELLED, MISSED, QUEUED,
)  # fmt: skip
"""Of agents of plans, quests, rituals and their runs; where they run or begin, they show the same as missions."""

_BY_ACTIVITY = {"idle": YOUR_TURN, "waiting": WAITING, "limited": LIMITED}
_BY_STATUS: dict[str, StatusMark] = {
    Status.PREPARING: PREPARING,
    Status.STARTING: STARTING,
    Status.RUNNING: WORKING,
    Status.PAUSED: FROZEN,
    Status.RESTARTING: RESTARTING,
    Status.STOPPING: STOPPING,
    Status.STOPPED: STOPPED,
    Status.CRASHED: CRASHED,
    Status.KILLED: KILLED,
    **{mark.word: mark for mark in PLANNED},
}


def mark_of(status: str, activity: str | None = None) -> StatusMark:
    """The mark of a mission, or of what is planned.

    Args:
        status: Of a mission; the stage of an agent of a plan; the status of a quest, a ritual, or a run of one.
        activity: What a mission's provider says that it is doing; counts while it runs.
    """
    if status == Status.RUNNING and activity in _BY_ACTIVITY:
        return _BY_ACTIVITY[activity]
    return _BY_STATUS[status]
