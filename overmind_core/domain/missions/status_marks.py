"""Status marks: the mark, the ASCII sign and the word of each state that a mission can show, one table for every face.

The word always stands beside the mark; a colour only repeats it.

Nothing is imported: the command line pays for it at each start. So states are named by their words here.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final


class StatusMark:
    """How a state is shown.

    Attributes:
        mark: One cell; never with a variation selector.
        ascii: The same where only ASCII can be shown.
        word: What stands beside it.
        tone: What it means for whoever looks: good, wait (for a person), slow, calm, bad, off.
    """

    __slots__ = ("ascii", "mark", "tone", "word")

    def __init__(self, mark: str, ascii_: str, word: str, tone: str) -> None:
        self.mark: Final = mark
        self.ascii: Final = ascii_
        self.word: Final = word
        self.tone: Final = tone

    def __repr__(self) -> str:
        """Return its word."""
        return f"<{self.word}>"


WORKING = StatusMark("▶", ">", "working", "good")
YOUR_TURN = StatusMark("❯", "_", "your turn", "wait")
WAITING = StatusMark("!", "!", "waiting", "wait")
LIMITED = StatusMark("≈", "~", "limited", "slow")
STARTING = StatusMark("…", ".", "starting", "slow")
PREPARING = StatusMark("…", ".", "preparing", "slow")
RESTARTING = StatusMark("↻", "@", "restarting", "slow")
STOPPING = StatusMark("…", ".", "stopping", "slow")
FROZEN = StatusMark("‖", "=", "frozen", "off")

SUCCEEDED = StatusMark("✔", "+", "succeeded", "good")
FAILED = StatusMark("✖", "x", "failed", "bad")
TIMED_OUT = StatusMark("✖", "x", "timed out", "bad")
STOPPED = StatusMark("■", "#", "stopped", "off")
KILLED = StatusMark("■", "#", "killed", "off")
LOST = StatusMark("?", "?", "lost", "slow")
OUTCOMES: tuple[StatusMark, ...] = (SUCCEEDED, FAILED, TIMED_OUT, STOPPED, KILLED, LOST)
"""How work ended: the words of `Outcome`."""
BAD_ENDS: tuple[StatusMark, ...] = (FAILED, TIMED_OUT, LOST)
"""Those about which a person may want to do something."""

MARKS: tuple[StatusMark, ...] = (
    WORKING, WAITING, YOUR_TURN, LIMITED, STARTING, PREPARING, RESTARTING, STOPPING, FROZEN, *OUTCOMES,
)  # fmt: skip
"""In the order in which they are counted."""
ATTACHED = StatusMark("⌨", "&", "attached", "good")

PENDING = StatusMark("○", "o", "waiting", "off")
NOTHING_LANDED = StatusMark("✔", "+", "succeeded", "off")
"""Of a quest that was to land, and has changed nothing: what stands beside it says so."""
SKIPPED = StatusMark("⊘", "/", "skipped", "off")
CANCELLED = StatusMark("–", "-", "cancelled", "off")
MISSED = StatusMark("⊘", "/", "missed", "off")
QUEUED = StatusMark("○", "o", "queued", "off")
REVIEW = StatusMark("?", "?", "review", "wait")
BLOCKED = StatusMark("⊗", "%", "blocked", "bad")
STALE = StatusMark("↻", "@", "stale", "slow")
UNHEARD = StatusMark("!", "?", "lost", "wait")
"""A post of the swarm whose hive is silent, and about which a person is asked: not `lost` as a mission is."""
PLANNED: tuple[StatusMark, ...] = (
    PENDING, SKIPPED, CANCELLED, MISSED, QUEUED, REVIEW, BLOCKED, STALE,
)  # fmt: skip
"""Of agents of plans, quests, phases of specs, rituals and their runs; where they run or begin, they show the same as
missions."""
CHECKING = StatusMark("▶", ">", "checking", "good")
REVIEWING = StatusMark("▶", ">", "reviewing", "good")
LANDING = StatusMark("▶", ">", "landing", "good")
LANDS_LATER = StatusMark("○", "o", "to land", "slow")
"""Of a landing that waits until something is out of its way."""
TRIED_AGAIN = StatusMark("↻", "@", "tried again", "off")
"""Of an attempt of a plan's agent that has failed, and that another one has followed."""
OF_WORK: tuple[StatusMark, ...] = (WORKING, CHECKING, REVIEWING, LANDING, LANDS_LATER, TRIED_AGAIN)
"""Of a mission that has ended, while the quest, or the agent of a plan, whose it is has not; or where another one says
how that did."""
QUIET = StatusMark("z", "z", "quiet", "off")
STALLED = StatusMark("Z", "Z", "stalled", "slow")
HUNG = StatusMark("X", "X", "hung", "bad")
SILENT: tuple[StatusMark, ...] = (QUIET, STALLED, HUNG)
"""Health of a mission that gives no sign of life, from the least to the most serious; one that is well has no mark."""

_BY_ACTIVITY = {"idle": YOUR_TURN, "waiting": WAITING, "limited": LIMITED}
_BY_STATUS: dict[str, StatusMark] = {
    "running": WORKING,
    "paused": FROZEN,
    "crashed": FAILED,
    "completed": SUCCEEDED,
    **{mark.word: mark for mark in (PREPARING, STARTING, RESTARTING, STOPPING, *OUTCOMES)},
    **{mark.word: mark for mark in (*PLANNED, *OF_WORK, *SILENT)},
    "unheard": UNHEARD,
}
_BY_OUTCOME = {mark.word: mark for mark in OUTCOMES}


def mark_of(status: str, activity: str | None = None, outcome: str | None = None) -> StatusMark:
    """The mark of a mission, or of what is planned.

    Args:
        status: Of a mission; the stage of an agent of a plan; the status of a quest, a ritual, or a run of one; a
            level of health that has a mark; `unheard` of a post.
        activity: What a mission's provider says that it is doing; counts while it runs.
        outcome: How it ended, where that is known.
    """
    if outcome in _BY_OUTCOME:  # a hive of a later version may have others
        return _BY_OUTCOME[outcome]
    if status == "running" and activity in _BY_ACTIVITY:
        return _BY_ACTIVITY[activity]
    return _BY_STATUS[status]
