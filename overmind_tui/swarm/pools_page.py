"""The page of pools: what engines give, what of it has joined, and starting and ending instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from overmind_core.view import swarm_tables
from overmind_core.view.registry import View
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.dialog import ask_first
from overmind_tui.pages.table import as_now
from overmind_tui.swarm.page import SwarmTablePage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.view.actions import Context
    from overmind_core.view.describe import Lines
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell


def open_pools(shell: Shell, view: View, show: Show) -> None:
    """All pools."""
    shell.open(PoolsPage(view, show))


class PoolsPage(SwarmTablePage):
    """A row for each pool."""

    lines_of: ClassVar[staticmethod[..., Lines]] = staticmethod(swarm_tables.pool)

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also starting and ending instances."""
        return super().handlers(context) | {"raise-pool": self.do_raise, "end-instances": self.do_end}

    def do_raise(self) -> None:
        """Begin the line that starts more; their number is typed."""
        if self.current is not None:
            self.open_bar(":", f"pool up {self.current['name']} ")

    def do_end(self) -> None:
        """Have the instances of those that are meant end, after a question."""
        rows = self.chosen()
        if rows:
            ask_first(
                self.shell, "drain pool", rows, lambda: swarm_tables.pools_at_stake(as_now(self, rows)),
                lambda: self._end([row["name"] for row in rows]),
            )  # fmt: skip

    def _end(self, names: list[str]) -> None:
        def summary(answers: Sequence[Any]) -> str:
            count = sum(len(one["instances"]) for one in answers)
            return f"draining {count} instance{'s' * (count != 1)} of {', '.join(names)}"

        self.change("pool_down", [{"name": one, "all": True} for one in names], summary)
