"""The page of hives: this home, those of config.toml and of the swarm, how each is reached, and draining them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from overmind_core.errors import OvermindError
from overmind_core.view import hives as hives_rows
from overmind_core.view.cells import Row, safe
from overmind_core.view.hive_keys import LOCAL
from overmind_core.view.registry import View
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.dialog import ask_first
from overmind_tui.pages.table import TablePage

if TYPE_CHECKING:
    from overmind_core.view.actions import Context
    from overmind_core.view.hives import HiveState
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell

PERIOD = 1.0
"""Seconds between two looks."""


def open_hives(shell: Shell, view: View, show: Show) -> None:
    """All hives."""
    shell.open(HivesPage(view, show))


class HivesPage(TablePage):
    """A row for each hive; nobody is asked for them, as their streams say all the time how they are reached."""

    of_daemon = False

    def begin(self) -> None:
        """Look again and again."""
        super().begin()
        self.set_interval(PERIOD, self.ask)

    def ask(self) -> None:
        """Show them as they are now."""
        self.take(hive_rows(self.shell))

    def swarm_changed(self) -> None:
        """It has other hives, or reaches them otherwise."""
        if self.is_mounted:
            self.ask()

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also their missions, and draining."""
        return super().handlers(context) | {
            "hive-missions": self.do_missions,
            "describe-row": self.do_open_row,
            "drain-hive": self.do_drain,
        }

    def do_missions(self) -> None:
        """The missions of the one under the cursor; the posts of one that only the swarm knows."""
        if self.table.current is not None:
            row = self.table.current.row
            self.shell.commands.run(f"{'missions' if row['is_named'] else 'swarm'} /hive:{row['name']}")

    def do_drain(self) -> None:
        """Have the marked ones, else the cursor's, take nothing new; when all of them are drained, take work again.

        A queue is paused where a gate leads to it; of a hive that only the swarm knows that one is asked.
        """
        rows = self.chosen()
        busy = [row for row in rows if not row.get("draining")]
        if busy:
            lines = [f"{safe(row['name'])} begins nothing new; running work goes on" for row in busy]
            lines += [f"{safe(row['name'])} is drained already, and stays so" for row in rows if row.get("draining")]
            ask_first(self.shell, "drain hive", busy, lambda: lines, lambda: self._drain(busy))
        else:
            self._drain(rows)

    def _drain(self, rows: Sequence[Row]) -> None:
        for row in rows:
            draining, shell = not row.get("draining"), self.shell
            on_result = partial(self._drained, row["name"])
            if not row["is_named"]:
                if refusal := "" if shell.swarm is None else shell.swarm.refusal:
                    shell.flash(refusal, "slow")
                else:
                    shell.request("swarm_drain", [{"name": row["name"], "undo": not draining}], on_result)
            elif shell.hives is not None:
                shell.hives.ask(_key(row["name"]), "queue_set", {"paused": draining}, on_result)
            else:
                shell.request("queue_set", [{"paused": draining}], on_result)

    def _drained(self, name: str, answers: Sequence[Any | OvermindError]) -> None:
        (answer,) = answers
        if isinstance(answer, OvermindError):
            self.shell.flash(safe(answer.message), "bad")
            return
        if self.shell.swarm is not None:
            self.shell.swarm.retry()
        drains, runs = answer.get("draining", answer.get("paused")), answer.get("held", answer.get("running"))
        if drains:
            self.shell.flash(f"{name} takes nothing new ({runs} run on)", "slow")
        else:
            self.shell.flash(f"{name} takes new work again", "good")


def hive_rows(shell: Shell) -> list[Row]:
    """All hives as they are known now; of one that only the swarm knows, the posts count as its missions."""

    def live(hive: HiveState) -> int:
        return shell.fleet.live_in(_key(hive.name)) if hive.is_named else int(hive.figures.get("held") or 0)

    several = shell.swarm or shell.hives
    return [hives_rows.row_of(one, live(one)) for one in ([] if several is None else several.states)]


def _key(name: str) -> str:
    """The hive of this name, as keys have it."""
    return "" if name == LOCAL else name
