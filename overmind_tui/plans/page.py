"""The pages of plans: all of them, and the agents of one with their edges, live."""

from __future__ import annotations

import math
import time
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
from overmind_tui.widgets.table import RESTLESS_SECONDS, PlanTable, ResourceTable

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
    word = next(iter(show.words), "")
    found = shell.fleet.named(word) if word else next(iter(shell.main.targets()), None)
    is_named = found is not None and found["name"] == word
    while found is not None and found["type"] != missions_rows.PLAN:
        found = shell.fleet.of(found["parent"])
    if found is None:
        if shell.fleet.loaded:  # else nobody knows whether there is any
            shell.flash(_none_meant(shell, named=bool(show.words)), "slow")
        shell.open(PlansPage(registry.VIEWS["plans"], show._replace(words=())))
    else:
        newest = missions_rows.newest_of_name(found, shell.fleet.rows.values())
        follows = is_named or (not word and newest["id"] == found["id"])
        shell.open(PlanPage(view, show, newest if is_named else found, follows=follows))


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

    def hinted_rows(self) -> list[Row]:
        """Their missions, which say what runs."""
        return self.targets()

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
            plan = self.shell.fleet.of(current.id) or {**current.row, "type": missions_rows.PLAN}
            newest = missions_rows.newest_of_name(plan, self.shell.fleet.rows.values())
            self.shell.open(PlanPage(view, Show(view.name), plan, follows=newest["id"] == plan["id"]))

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
        run: The row of the plan's mission.
        follows: It goes on to the next run of that name; else it stays, and says that there is a newer one.
    """

    def __init__(self, view: View, show: Show, run: Row, *, follows: bool) -> None:
        super().__init__(view, show)
        self._run = run
        self._follows = follows
        self._asked_about = run["id"]
        """The id of the run about which was asked last."""
        self._followed_at = -math.inf
        """When it went on to another run, by the monotonic clock."""
        self._plan: Row | None = None
        self.way_here = ("missions", "plans", safe(run["name"]))

    def make_table(self) -> ResourceTable:
        """The list, whose cursor leaves out what is no agent."""
        return PlanTable(self.row.columns, ascii_only=self.shell.ascii_only, id="table")

    @property
    def arguments(self) -> Mapping[str, Any]:
        """About which plan is asked."""
        return {"id": self._run["id"]}

    @property
    def _newest(self) -> Row:
        return missions_rows.newest_of_name(self._run, self.shell.fleet.rows.values())

    def missions_changed(self) -> None:
        """There may be a newer run, or that stands otherwise."""
        self._follow()
        self.retitle()

    def _follow(self) -> None:
        """Go on to the newest run of the plan's name; what is marked are agents of the run before."""
        newest = self._newest
        if self._follows and newest["id"] != self._run["id"]:
            self._run, self._followed_at = newest, time.monotonic()
            self.table.mark(set())
            self.ask()

    def ask(self) -> None:
        """Ask for its agents anew."""
        if not self.source.asking:
            self._asked_about = self._run["id"]
        super().ask()

    def refused(self, why: str) -> None:
        """There is no answer, unless it is about the run before: that may have been removed."""
        if self._asked_about == self._run["id"]:
            super().refused(why)
        else:
            self.ask()

    @property
    def restless(self) -> bool:
        """Whether the agent under the cursor was one of another run a moment ago."""
        return super().restless or time.monotonic() - self._followed_at < RESTLESS_SECONDS

    @property
    def counted(self) -> str:
        """How many agents there are; of a run that is not the newest one that it is older, before that."""
        older = missions_rows.older_words(self._run, self._newest, self.shell.zone)
        name = safe(self._run["name"])
        return f"{older}, see :plan {name} · {super().counted}" if older else super().counted

    def take(self, rows: list[Row]) -> None:
        """Show the agents of the answer, unless it is about the run before."""
        if self._asked_about != self._run["id"]:
            self.ask()
            return
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
        """Times go on, and with them what the whole waits for; there may be a newer run."""
        self._follow()
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

    def hinted_rows(self) -> list[Row]:
        """The missions of the agents: one that has not begun has none."""
        return self.targets()

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
