"""The agents of a plan with their edges; the cursor stands on agents only."""

from __future__ import annotations

from typing import ClassVar

from overmind_tui.view import plandrawing
from overmind_tui.view.cells import Cell
from overmind_tui.view.missions import Branch
from overmind_tui.widgets.resource_table import ResourceTable


class PlanTable(ResourceTable):
    """A table in which some rows are nothing but edges."""

    beside: ClassVar = 1

    def named(self, branch: Branch) -> tuple[Cell, ...]:
        """The edges beside the name, the mark of the stage among them."""
        return plandrawing.name_cell(branch, ascii_only=self._ascii)

    def show(self, branches: list[Branch], *, asked: bool = False) -> None:
        """Show these rows; the cursor leaves what is no agent."""
        super().show(branches, asked=asked)
        if self.current is not None and not plandrawing.is_agent(self.current):
            self.move_to(self.at)

    def move_to(self, at: int) -> None:
        """Put the cursor on a row, or beyond it in the same direction on the next agent."""
        step = -1 if at < self.at else 1
        places = [place for place, branch in enumerate(self.branches) if plandrawing.is_agent(branch)]
        beyond = [place for place in places if (place - at) * step >= 0]
        super().move_to(min(beyond or places, key=lambda place: abs(place - at), default=at))
