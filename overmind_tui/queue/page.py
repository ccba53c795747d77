"""The page of the queue, and pausing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.domain.hives import SWARM
from overmind_core.domain.operations import BY_COMMAND
from overmind_core.errors import OvermindError
from overmind_core.view import queue as queue_rows
from overmind_core.view.cells import Row, safe
from overmind_core.view.registry import SWARM_QUEUE, View
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.dialog import ask_first
from overmind_tui.quests.page import LongRowsPage

if TYPE_CHECKING:
    from overmind_core.view.actions import Context
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell


def open_queue(shell: Shell, view: View, show: Show) -> None:
    """Whose turn it is, here or in the swarm."""
    if SWARM in show.words:
        from overmind_tui.swarm.posts_page import SwarmQueuePage  # noqa: PLC0415 - for those who are in a swarm

        shell.open(SwarmQueuePage(SWARM_QUEUE, show))
    else:
        shell.open(QueuePage(view, show))


class QueuePage(LongRowsPage):
    """A row for each quest that is queued or lands."""

    def __init__(self, view: View, show: Show) -> None:
        super().__init__(view, show)
        self._status = queue_rows.Status()

    def take(self, rows: list[Row]) -> None:
        """Show the quests of the answer."""
        (answer,) = rows
        self._status = queue_rows.Status.of(answer)
        super().take(queue_rows.listed(answer))

    def left(self) -> tuple[int, int]:
        """Which row the cursor is on, and how many are not there yet."""
        there = self._status.landing + self._status.queued
        missing = 0 if self.filtering.filter else there - len(self.rows)
        return self.table.at, max(missing, 0)

    @property
    def shown_count(self) -> int:
        """How many there are."""
        return super().shown_count + self.left()[1]

    def subtitle(self) -> str:
        """How full it is."""
        return self._status.text if self._loaded else ""

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also its pause."""
        return super().handlers(context) | {"pause-queue": self.do_pause}

    def do_pause(self) -> None:
        """Start nothing any more, which is asked first, or again."""
        if self._status.paused:
            self._pause(paused=False)
            return
        lines = BY_COMMAND["queue pause"].questions
        ask_first(self.shell, "pause queue", [{"name": ""}], lambda: lines, lambda: self._pause(paused=True))

    def _pause(self, *, paused: bool) -> None:
        def on_result(answers: Sequence[Any | OvermindError]) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                self.shell.flash(safe(answer.message), "bad")
                return
            running = answer["running"]
            text = f"queue paused: {running} run{'s' * (running == 1)} on" if answer["paused"] else "queue resumed"
            self.shell.flash(text, "slow" if answer["paused"] else "good")
            self.source.ask_again()

        self.shell.request("queue_set", [{"paused": paused}], on_result)
