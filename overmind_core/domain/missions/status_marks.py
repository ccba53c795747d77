"""The mark, the ASCII sign and the word of each state that a mission can show: one table for every face.

The word always stands beside the mark; a colour only repeats it.
"""

from __future__ import annotations

from typing import NamedTuple

from overmind_core.domain.missions.mission import Status


class Mark(NamedTuple):
    """How a state is shown."""

    mark: str
    """One cell; never with a variation selector."""
    ascii: str
    word: str
    tone: str
    """What it means for whoever looks: good, wait (for a person), slow, calm, bad, off."""


WORKING = Mark("▶", ">", "working", "good")
YOUR_TURN = Mark("❯", "_", "your turn", "wait")
WAITING = Mark("!", "!", "waiting", "wait")
LIMITED = Mark("≈", "~", "limited", "slow")
STARTING = Mark("…", ".", "starting", "slow")
PREPARING = Mark("…", ".", "preparing", "slow")
RESTARTING = Mark("↻", "@", "restarting", "slow")
STOPPING = Mark("…", ".", "stopping", "slow")
STOPPED = Mark("✔", "+", "stopped", "calm")
CRASHED = Mark("✖", "x", "crashed", "bad")
KILLED = Mark("–", "-", "killed", "off")
FROZEN = Mark("‖", "=", "frozen", "off")

MARKS: tuple[Mark, ...] = (
    WORKING, WAITING, YOUR_TURN, LIMITED, STARTING, PREPARING, RESTARTING, STOPPING, FROZEN, STOPPED, CRASHED, KILLED,
)  # fmt: skip
"""In the order in which they are counted."""
ATTACHED = Mark("⌨", "#", "attached", "good")

PENDING = Mark("○", "o", "waiting", "off")
SUCCEEDED = Mark("✔", "+", "succeeded", "calm")
COMPLETED = Mark("✔", "+", "completed", "calm")
FAILED = Mark("✖", "x", "failed", "bad")
SKIPPED = Mark("⊘", "/", "skipped", "off")
CANCELLED = Mark("–", "-", "cancelled", "off")
MISSED = Mark("⊘", "/", "missed", "off")
QUEUED = Mark("○", "o", "queued", "slow")
PLANNED: tuple[Mark, ...] = (
    PENDING, SUCCEEDED, COMPLETED, FAILED, SKIPPED, CANCELLED, MISSED, QUEUED,
)  # fmt: skip
"""Of agents of plans, quests, rituals and their runs; where they run or begin, they show the same as missions."""

_BY_ACTIVITY = {"idle": YOUR_TURN, "waiting": WAITING, "limited": LIMITED}
_BY_STATUS: dict[str, Mark] = {
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


def mark_of(status: str, activity: str | None = None) -> Mark:
    """The mark of a mission, or of what is planned.

    Args:
        status: Of a mission; the stage of an agent of a plan; the status of a quest, a ritual, or a run of one.
        activity: What a mission's provider says that it is doing; counts while it runs.
    """
    if status == Status.RUNNING and activity in _BY_ACTIVITY:
        return _BY_ACTIVITY[activity]
    return _BY_STATUS[status]
