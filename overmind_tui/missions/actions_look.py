"""Actions that show a mission: its terminal, its description, its changes, its definition as TOML."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from overmind_core.domain.text.paragraphs import stands
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.describe import Lines
from overmind_tui.command_line import jobs
from overmind_tui.command_line.jobs import PROGRAM
from overmind_tui.missions.describe_page import DescribePage, ask
from overmind_tui.pages.text import TextPage

if TYPE_CHECKING:
    from overmind_tui.command_line.jobs import Jobs
    from overmind_tui.inbox.messages import MessageActions
    from overmind_tui.shell.shell import Shell


class ViewActions:
    """Actions that show a mission and change nothing."""

    def __init__(self, shell: Shell, jobs: Jobs, message_actions: MessageActions) -> None:
        self._shell = shell
        self._jobs = jobs
        self._message_actions = message_actions
        self.handlers: dict[str, Callable[[list[Row]], object]] = {
            "attach": self.attach,
            "describe": self.describe,
            "changes": self.changes,
            "as-toml": self.as_toml,
        }

    def attach(self, rows: list[Row]) -> None:
        """Type into the terminal of the first; read-only: look at it."""
        if not missions_rows.is_live(rows[0]):
            stood = stands(missions_rows.mark(rows[0]).word)
            self._shell.flash(f"{safe(rows[0]['name'])} {stood}: r restarts it, l shows its log", "slow")
            return
        self._shell.main.to_front()
        self._shell.main.join(rows[0])

    def describe(self, rows: list[Row]) -> None:
        """Everything that is known of the first."""
        row, shell = rows[0], self._shell
        expected = shell.expect_view()

        def show(lines: Lines) -> None:
            if expected.came():
                shell.open(DescribePage(row, lines))

        ask(shell, row, show, expected.failed)

    def changes(self, rows: list[Row]) -> None:
        """What changed in its folder."""
        from overmind_tui.changes.page import ChangesPage  # noqa: PLC0415 - only when it is asked for

        self._shell.open(ChangesPage(self._shell.fleet.of(rows[0]["id"]) or rows[0], self._message_actions))

    def as_toml(self, rows: list[Row]) -> None:
        """Its definition, as `overmind edit` would have it."""
        shell, row = self._shell, rows[0]
        expected = shell.expect_view()

        def on_result(outcome: jobs.Outcome) -> None:
            if outcome.code:
                expected.failed()
                shell.flash(safe(outcome.text.strip()), "bad")
                return
            shown = toml_lines(outcome.text)
            if expected.came():
                shell.open(TextPage("toml", safe(row["name"]), lambda: shown))

        self._jobs.start("definition", [[*PROGRAM, "edit", row["id"], "--print"]], on_result)


_KEY = re.compile(r"""(\s*(?:"[^"]*"|'[^']*'|[\w.-]+)\s*)=(.*)""")


def toml_lines(text: str) -> Lines:
    """Each line as cells; a text of several lines is plain up to its end."""
    found: Lines = []
    inside = False
    for line in text.splitlines():
        found.append([Cell(" "), *([Cell(safe(line))] if inside else _line(line))])
        inside ^= line.count('"""') % 2 == 1
    return found


def _line(line: str) -> list[Cell]:
    if line.lstrip().startswith("#"):
        return [Cell(safe(line), "faint")]
    if line.lstrip().startswith("["):
        return [Cell(safe(line), "title")]
    key = _KEY.fullmatch(line)
    return [Cell(safe(line))] if key is None else [Cell(safe(key[1]), "key"), Cell("=", "faint"), Cell(safe(key[2]))]
