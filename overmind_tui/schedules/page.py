"""The pages of quests, of rituals and of the runs of a ritual; and the actions on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from overmind_core.errors import OvermindError
from overmind_tui.command_line.parse import Show
from overmind_tui.missions.actions_end import Request, each
from overmind_tui.missions.describe import Lines, Rendering
from overmind_tui.pages.dialog import Answer, Dialog
from overmind_tui.pages.table import TablePage
from overmind_tui.pages.text import TextPage
from overmind_tui.render import numbers
from overmind_tui.render.cells import Row, safe
from overmind_tui.schedules import rows
from overmind_tui.schedules import rows as schedules_rows
from overmind_tui.shell import registry
from overmind_tui.shell.registry import View

if TYPE_CHECKING:
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.actions import Context
    from overmind_tui.shell.shell import Shell


Answers = Sequence[Any | OvermindError]


def open_quests(shell: Shell, view: View, show: Show) -> None:
    """The quests, the newest first."""
    shell.open(QuestsPage(view, show))


def open_rituals(shell: Shell, view: View, show: Show) -> None:
    """The rituals, by name."""
    shell.open(RitualsPage(view, show))


class SchedulePage(TablePage):
    """Rows that are no missions, but began some.

    Attributes:
        about: The request that tells all about a row; "" where the row says all.
        said: All about a row, for reading.
    """

    about = ""
    said: ClassVar[staticmethod[[Row, Rendering], Lines]]

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return None if self.table.current is None else self.table.current.row

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also all about a row."""
        return super().handlers(context) | {"describe-row": self.do_describe_row}

    def show_log(self, mission: str | None, without: str) -> None:
        """The log of what the row began; `without` is said where it began nothing."""
        if self.current is not None:
            name = safe(self.current["name"])
            self.shell.main.show_log(mission, f"the mission of {name} was removed" if mission else f"{name} {without}")

    def do_describe_row(self) -> None:
        """Everything known about the row under the cursor."""
        row = self.current
        if row is None:
            return
        if not self.about:
            self._describe(row)
            return

        def on_result(answers: Answers) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                self.shell.flash(safe(answer.message), "bad")
            else:
                self._describe(answer)

        self.shell.request(self.about, [{"id": row["id"]}], on_result)

    def _describe(self, known: Row) -> None:
        shell, said = self.shell, type(self).said
        title = f"{self.view} · {safe(known['name'])}"
        shell.open(
            TextPage(self.view, title, lambda: said(known, Rendering(shell.now(), shell.zone, shell.ascii_only)))
        )


class QuestsPage(SchedulePage):
    """The page of quests, a row for each."""

    about = "quest"
    said = staticmethod(rows.quest)

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also the logs of its work and of its check."""
        return super().handlers(context) | {"quest-log": self.do_quest_log, "check-log": self.do_check_log}

    def do_quest_log(self) -> None:
        """What its work wrote."""
        if self.current is not None:
            self.show_log(self.current["id"], "")

    def do_check_log(self) -> None:
        """What its newest check wrote."""
        if self.current is not None:
            self.show_log(self.current["check_id"], "has no check yet")


class RitualsPage(SchedulePage):
    """The page of rituals, a row for each."""

    about = "ritual"
    said = staticmethod(rows.ritual)

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also its runs."""
        return super().handlers(context) | {"history": self.do_history, "last-log": self.do_last_log}

    def do_history(self) -> None:
        """The runs of the one under the cursor."""
        if self.current is not None:
            self.shell.open(RunsPage(registry.RUNS, Show(registry.RUNS.name), self.current))

    def do_last_log(self) -> None:
        """What its newest run wrote."""
        if self.current is not None:
            self.show_log(self.current["last_id"], "has not run yet")


class RunsPage(SchedulePage):
    """A row for each run of a ritual, and for each time of which none came.

    Args:
        view: The row of the registry.
        show: What was asked for.
        ritual: The row of the ritual.
    """

    said = staticmethod(rows.run)

    def __init__(self, view: View, show: Show, ritual: Row) -> None:
        super().__init__(view, show)
        self._ritual = ritual["id"]
        self.crumbs = ("missions", "rituals", safe(ritual["name"]))

    @property
    def arguments(self) -> Mapping[str, Any]:
        """About which ritual is asked."""
        return {"id": self._ritual}

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also the log of a run."""
        return super().handlers(context) | {"run-log": self.do_run_log}

    def do_run_log(self) -> None:
        """What it wrote."""
        if self.current is not None:
            self.show_log(self.current["mission"], "did not start")


QUESTS, RITUALS = "quests", "rituals"
NAMED = 8
"""Rows that a question names, each on a line."""


class ScheduleActions:
    """Asks for it; what ends something asks the person first."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.handlers: dict[str, Callable[[list[Row]], object]] = {
            "cancel-quest": self.cancel_quest,
            "run-ritual": self.run_ritual,
            "pause-ritual": self.pause_ritual,
            "delete-ritual": self.delete_ritual,
        }

    def cancel_quest(self, rows: list[Row]) -> None:
        """Stop the work and the checks of these, and try nothing again."""
        live = [row for row in rows if row["status"] == "running"]
        if not live:
            self._shell.flash(f"{safe(rows[0]['name'])} is already {rows[0]['status']}", "slow")
            return
        now = self._shell.now()
        lines = [f"{safe(row['name'])}  for {numbers.ticking(schedules_rows.quest_lasted(row, now))}" for row in live]
        doing = Request("quest_cancel", "cancel", "cancelled", QUESTS)
        self._ask("cancel quest", live, lines, lambda: each(self._shell, doing, live))

    def run_ritual(self, rows: list[Row]) -> None:
        """Run these now, whatever their schedules."""
        each(self._shell, Request("ritual_run", "run", "started a run of", RITUALS, " · enter shows its runs"), rows)

    def pause_ritual(self, rows: list[Row]) -> None:
        """Pause these; when all of them are paused, let them go on."""
        awake = [row for row in rows if not row["paused"]]
        if awake:
            each(self._shell, Request("ritual_pause", "pause", "paused", RITUALS, " · s resumes it"), awake)
        else:
            each(self._shell, Request("ritual_resume", "resume", "resumed", RITUALS), rows)

    def delete_ritual(self, rows: list[Row]) -> None:
        """Forget these and their runs; what runs of them goes on."""
        lines = [_at_stake(row) for row in rows]
        busy = [safe(row["name"]) for row in rows if row["running"]]
        lines += [f"the running quest of {', '.join(busy)} continues"] if busy else []
        doing = Request("ritual_delete", "delete", "deleted", RITUALS)
        self._ask("delete ritual", rows, lines, lambda: each(self._shell, doing, rows))

    def _ask(self, word: str, rows: Sequence[Row], lines: list[str], then: Callable[[], None]) -> None:
        """What would end, with the focus on what changes nothing."""
        verb, _, noun = word.partition(" ")
        title = f"{word} {safe(rows[0]['name'])}?" if len(rows) == 1 else f"{verb} {len(rows)} {noun}s?"
        more = [f"… and {len(lines) - NAMED} more"] if len(lines) > NAMED else []
        answers = [Answer(("y",), verb, then, "bad"), Answer(("n",), "keep", lambda: None)]
        self._shell.open(Dialog(title, [*lines[:NAMED], *more], answers, first=1))


def _at_stake(row: Row) -> str:
    runs = f"  {row['last_number']} runs" if row["last_number"] else "  no runs"
    return f"{safe(row['name'])}  {safe(row['schedule'])}{runs}"
