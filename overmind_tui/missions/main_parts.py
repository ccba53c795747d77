"""What the missions screen alone needs of the program."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from overmind_tui.inbox.actions import AnswerActions
    from overmind_tui.inbox.messages import MessageActions
    from overmind_tui.log.follow import LogFollower
    from overmind_tui.shell.remembered import Remembered
    from overmind_tui.shell.user_state import AwaySummary


class MainParts(NamedTuple):
    """All of it.

    Attributes:
        remembered: How the list was arranged the last time.
        log_follower: Reads logs.
        away: What happened while nobody was here.
        answers: Who answers questions.
        messages: Who writes to agents.
        open_first: Opens the view that the program begins with, if that is another one, once this one is there.
    """

    remembered: Remembered
    log_follower: LogFollower
    away: AwaySummary
    answers: AnswerActions
    messages: MessageActions
    open_first: Callable[[], None]
