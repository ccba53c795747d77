"""The page of hives: this home and those that config.toml names, how each is reached, and draining them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from overmind_core.errors import OvermindError
from overmind_core.view import hives as hives_rows
from overmind_core.view.cells import safe
from overmind_core.view.hive_keys import LOCAL
from overmind_core.view.registry import View
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.table import TablePage

if TYPE_CHECKING:
    from overmind_core.view.actions import Context
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell

PERIOD = 1.0
"""Seconds between two looks."""


def open_hives(shell: Shell, view: View, show: Show) -> None:
    """All hives."""
    shell.open(HivesPage(view, show))


class HivesPage(TablePage):
    """A row for each hive; nobody is asked for them, as their streams say all the time how they are reached."""

    def begin(self) -> None:
        """Look again and again."""
        super().begin()
        self.set_interval(PERIOD, self.ask)

    def ask(self) -> None:
        """Show them as they are now."""
        hives, fleet = self.shell.hives, self.shell.fleet
        states = [] if hives is None else hives.states
        self.take([hives_rows.row_of(one, fleet.live_in(_key(one.name))) for one in states])

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also their missions, and draining."""
        return super().handlers(context) | {"hive-missions": self.do_missions, "drain-hive": self.do_drain}

    def do_missions(self) -> None:
        """The missions of the one under the cursor."""
        if self.table.current is not None:
            self.shell.commands.run(f"missions /hive:{self.table.current.id}")

    def do_drain(self) -> None:
        """Have the marked ones, else the cursor's, begin nothing new of their queues; drained ones take work again."""
        hives = self.shell.hives
        if hives is None:
            return
        for row in self.chosen():
            paused = not row.get("draining")
            hives.ask(_key(row["id"]), "queue_set", {"paused": paused}, partial(self._drained, row["name"]))

    def _drained(self, name: str, answers: Sequence[Any | OvermindError]) -> None:
        (answer,) = answers
        if isinstance(answer, OvermindError):
            self.shell.flash(safe(answer.message), "bad")
        elif answer["paused"]:
            self.shell.flash(f"{name} takes nothing new ({answer['running']} run on)", "slow")
        else:
            self.shell.flash(f"{name} takes new work again", "good")


def _key(name: str) -> str:
    """The hive of this name, as keys have it."""
    return "" if name == LOCAL else name
