"""The pages of rituals and of the runs of one, and the actions on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from overmind_core.domain.operations import BY_COMMAND
from overmind_core.errors import OvermindError
from overmind_core.view import hints, registry
from overmind_core.view import schedules as rows
from overmind_core.view.cells import Row, safe
from overmind_core.view.registry import View
from overmind_core.view.schedules import at_stake
from overmind_tui.command_line.parse import Show
from overmind_tui.missions.actions_end import NAMED, Request, each
from overmind_tui.pages.details import DetailsPage
from overmind_tui.pages.dialog import ask_first
from overmind_tui.pages.table import as_now

if TYPE_CHECKING:
    from overmind_core.view.actions import Context
    from overmind_tui.missions.actions_end import Answers
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell


def open_rituals(shell: Shell, view: View, show: Show) -> None:
    """The rituals, by name."""
    shell.open(RitualsPage(view, show))


class RitualsPage(DetailsPage):
    """The page of rituals, a row for each."""

    about = "ritual"
    lines_of = staticmethod(rows.ritual)

    def unusable(self) -> frozenset[str]:
        """Also the log of one that has not run yet."""
        has_log = self.current is not None and self.has_log(self.current["last_id"])
        return super().unusable() | hints.refused({"last-log": has_log})

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


class RunsPage(DetailsPage):
    """A row for each run of a ritual, and for each time of which none came.

    Args:
        view: The row of the registry.
        show: What was asked for.
        ritual: The row of the ritual.
    """

    lines_of = staticmethod(rows.run)

    def __init__(self, view: View, show: Show, ritual: Row) -> None:
        super().__init__(view, show)
        self._ritual = ritual["id"]
        self.way_here = ("missions", "rituals", safe(ritual["name"]))

    @property
    def arguments(self) -> Mapping[str, Any]:
        """About which ritual is asked."""
        return {"id": self._ritual}

    def unusable(self) -> frozenset[str]:
        """Also the log of one that did not start."""
        has_log = self.current is not None and self.has_log(self.current["mission"])
        return super().unusable() | hints.refused({"run-log": has_log})

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also the log of a run."""
        return super().handlers(context) | {"run-log": self.do_run_log}

    def do_run_log(self) -> None:
        """What it wrote."""
        if self.current is not None:
            self.show_log(self.current["mission"], "did not start")


RITUALS = "rituals"


class ScheduleActions:
    """Asks for it; what ends something asks the person first."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.handlers: dict[str, Callable[[list[Row]], object]] = {
            "run-ritual": self.run_ritual,
            "pause-ritual": self.pause_ritual,
            "delete-ritual": self.delete_ritual,
        }

    def run_ritual(self, rows: list[Row]) -> None:
        """Run these now, whatever their schedules."""
        page = self._shell.app.screen

        def lines() -> list[str]:
            commands = [f"{safe(row['name'])}  {safe(row['command'])}" for row in as_now(page, rows)]
            return [*commands, *BY_COMMAND["ritual run"].questions]

        ask_first(self._shell, "run ritual", rows, lines, lambda: self._run(rows))

    def _run(self, rows: list[Row]) -> None:
        """Ask for a run of each, and say whether it runs, waits for the one before, or was refused."""
        names = [safe(row["name"]) for row in rows]
        alone = len(names) == 1
        self._shell.flash(f"run {names[0] if alone else f'{len(names)} {RITUALS}'} …", "quiet")

        def on_result(answers: Answers) -> None:
            refused = [(name, one) for name, one in zip(names, answers, strict=True) if isinstance(one, OvermindError)]
            waiting = sum(isinstance(one, dict) and one.get("status") == "queued" for one in answers)
            begun = len(names) - len(refused) - waiting
            said = [
                f"{what} {names[0] if alone else f'{count} of {len(names)}'}"
                for count, what in ((begun, "started a run of"), (waiting, "queued behind the run before:"))
                if count
            ]
            said += [f"{name}: {error.message if alone else error.code}" for name, error in refused[:NAMED]]
            said += ["enter shows its runs"] if alone and not refused else []
            self._shell.flash(" · ".join(said), "bad" if refused else "good")

        self._shell.request("ritual_run", [{"id": row["id"]} for row in rows], on_result)

    def pause_ritual(self, rows: list[Row]) -> None:
        """Pause these; when all of them are paused, let them go on."""
        awake = [row for row in rows if not row["paused"]]
        if awake:
            doing = Request("ritual_pause", "pause", "paused", RITUALS, " · shift-h resumes it")
            page = self._shell.app.screen

            def lines() -> list[str]:
                schedules = [f"{safe(row['name'])}  {safe(row['schedule'])}" for row in as_now(page, awake)]
                return [*schedules, *BY_COMMAND["ritual pause"].questions]

            ask_first(self._shell, "pause ritual", awake, lines, lambda: each(self._shell, doing, awake))
        else:
            each(self._shell, Request("ritual_resume", "resume", "resumed", RITUALS), rows)

    def delete_ritual(self, rows: list[Row]) -> None:
        """Forget these and their runs; what runs of them goes on."""
        doing, page = Request("ritual_delete", "delete", "deleted", RITUALS), self._shell.app.screen
        ask_first(
            self._shell, "delete ritual", rows, lambda: at_stake(as_now(page, rows)),
            lambda: each(self._shell, doing, rows),
        )  # fmt: skip
