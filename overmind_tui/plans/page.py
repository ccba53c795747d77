"""The pages of plans: all of them, and the agents of one with their edges, live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual import events

from overmind_core.view import columns, registry
from overmind_core.view import missions as missions_rows
from overmind_core.view import plans as plans_rows
from overmind_core.view.cells import Row, safe
from overmind_core.view.missions import Branch
from overmind_core.view.registry import View
from overmind_tui.command_line import parse
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.table import TablePage
from overmind_tui.widgets.table import PlanTable, ResourceTable

if TYPE_CHECKING:
    from overmind_core.view.actions import Context
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell


def open_plans(shell: Shell, view: View, show: Show) -> None:
    """All plans; with a name that one."""
    if show.words:
        open_plan(shell, registry.VIEWS["plan"], show)
    else:
        shell.open(PlansPage(view, show))


def open_plan(shell: Shell, view: View, show: Show) -> None:
    """The plan that is named, else that of the selected mission; all of them where it belongs to none."""
    found = shell.fleet.named(show.words[0]) if show.words else next(iter(shell.main.targets()), None)
    while found is not None and found["type"] != missions_rows.PLAN:
        found = shell.fleet.of(found["parent"])
    if found is None:
        if shell.fleet.loaded:  # else nobody knows whether there is any
            shell.flash(_none_meant(shell, named=bool(show.words)), "slow")
        shell.open(PlansPage(registry.VIEWS["plans"], show._replace(words=())))
    else:
        shell.open(PlanPage(view, show, found["id"], found["name"]))


def _none_meant(shell: Shell, *, named: bool) -> str:
    """Why all plans are shown instead of one."""
    if not any(row["type"] == missions_rows.PLAN for row in shell.fleet.home_rows):
        return f"no plans yet · {parse.FIRST_PLAN}"
    return (
        "the selected mission belongs to no plan: all plans are shown"
        if named
        else "no plan is selected: all plans are shown"
    )


class PlansPage(TablePage):
    """The page of all plans, a row for each."""

    def targets(self) -> list[Row]:
        """Their missions."""
        return [known for row in self.chosen() if (known := self.shell.fleet.of(row["id"])) is not None]

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also its agents, and what it says itself."""
        return super().handlers(context) | {
            "open-plan": self.do_open_plan,
            "log": self.do_log,
        }

    def do_open_plan(self) -> None:
        """The agents of the one under the cursor."""
        current = self.table.current
        if current is not None:
            view = registry.VIEWS["plan"]
            self.shell.open(PlanPage(view, Show(view.name), current.id, current.row["name"]))

    def do_log(self) -> None:
        """What the plan says itself."""
        current = self.table.current
        if current is not None:
            self.shell.main.show_log(current.id, f"{safe(current.row['name'])} was removed with its log")


class PlanPage(TablePage):
    """A row for each agent of a plan, and the edges between them.

    Args:
        view: The row of the registry.
        show: What was asked for.
        mission: Id of the plan.
        name: Of the plan.
    """

    def __init__(self, view: View, show: Show, mission: str, name: str) -> None:
        super().__init__(view, show)
        self._mission = mission
        self._plan: Row | None = None
        self.way_here = ("missions", "plans", safe(name))

    def make_table(self) -> ResourceTable:
        """The list, whose cursor leaves out what is no agent."""
        return PlanTable(self.row.columns, ascii_only=self.shell.ascii_only, id="table")

    @property
    def arguments(self) -> Mapping[str, Any]:
        """About which plan is asked."""
        return {"id": self._mission}

    def take(self, rows: list[Row]) -> None:
        """Show the agents of the answer."""
        (self._plan,) = rows
        found = plans_rows.agents(self._plan, self.clock())
        plans_rows.learn(found, self.shell.fleet.rows)
        self._measure(found, self.app.size.width)
        super().take(found)

    def _measure(self, rows: list[Row], width: int) -> None:
        """Have the plan's time as long as there is room for."""
        for row in rows:
            row["bar"] = plans_rows.bar_cells(width)

    def on_resize(self, event: events.Resize) -> None:
        """Another width, other bars."""
        super().on_resize(event)
        self._measure(self.rows, event.size.width)
        self.rearrange()

    def branches(self, rows: Sequence[Row]) -> list[Branch]:
        """With their edges, unless some are left out or they stand in another order."""
        whole = not self.filtering.filter and not self.sorting.by
        return plans_rows.branches(rows) if whole else plans_rows.listed(rows)

    def looked_in(self, row: Row) -> str:
        """What is seen of an agent."""
        return plans_rows.looked_in(row)

    def refresh_status(self) -> None:
        """Times go on, and with them what the whole waits for."""
        if self._plan is not None:
            plans_rows.learn(self.rows, self.shell.fleet.rows)
            if missions_rows.is_live(self._plan):
                plans_rows.mark_critical(self.rows, self.clock())
                self.retitle()
        super().refresh_status()

    def subtitle(self) -> str:
        """How the whole stands."""
        return "" if self._plan is None else plans_rows.summary(self._plan, self.rows, self.clock())

    def targets(self) -> list[Row]:
        """The missions of the agents."""
        rows = (self.shell.fleet.of(row["mission"]) for row in self.chosen())
        return [row for row in rows if row is not None]

    def shown_text(self) -> str:
        """The agents as they stand, with their edges."""
        shown = [column for column in self.row.columns if self.table.wide or not column.wide]
        now, ascii_only = self.clock(), self.shell.ascii_only
        return columns.text(shown, self.table.branches, now, ascii_only=ascii_only, named=plans_rows.name_cell)

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also the log of an agent."""
        return super().handlers(context) | {"agent-log": self.do_agent_log, "notes": self.do_notes}

    def do_agent_log(self) -> None:
        """Its log, on the main screen."""
        if self.table.current is not None:
            row = self.table.current.row
            self.shell.main.show_log(row["mission"], self._gone(row))

    def do_notes(self) -> None:
        """What it was given and wrote, on the main screen."""
        if self.table.current is not None:
            row = self.table.current.row
            self.shell.main.show_notes(row["mission"], self._gone(row))

    def _gone(self, row: Row) -> str:
        """Why it has no mission."""
        name = safe(row["name"])
        if row.get("post"):
            return f"{name} runs in the swarm, where its log is: swarm/{safe(row['post']['id'])}"
        never = f"{name} has not started" if row["stage"] == "waiting" else f"{name} did not run"
        why = plans_rows.why(row)
        return f"the mission of {name} was removed" if row["mission"] else f"{never}{': ' * bool(why)}{why}"
