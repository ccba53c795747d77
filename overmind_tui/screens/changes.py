"""What changed in a mission's folder, as git shows it; `n` and `N` go from file to file."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from overmind_core.wire.bytestrings import from_wire
from overmind_tui.machine import git
from overmind_tui.messages import Done
from overmind_tui.screens.text import TextPage
from overmind_tui.view import amounts, changes
from overmind_tui.view.cells import Cell, Row, safe

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp


class ChangesPage(TextPage):
    """Asks git when it is opened, and again with ctrl-r."""

    keys = f"n N files · {TextPage.keys}"

    def __init__(self, row: Row) -> None:
        self._row = row
        self._text = changes.Text([[Cell("  git diff …", "quiet")]], ())
        super().__init__("changes", f"changes · {safe(row['name'])} · {safe(row['cwd'])}", lambda: self._text.lines)

    def begin(self) -> None:
        """Ask git."""
        super().begin()
        self._ask()

    def targets(self) -> list[Row]:
        """The mission whose folder it is."""
        return [self._row]

    def do_refresh(self) -> None:
        """Ask git again."""
        self.program.flash("git diff …", "quiet")
        self._ask()

    def _ask(self) -> None:
        program, folder, since = self.program, from_wire(self._row["cwd"]), self._row.get("started_at")

        def work() -> None:
            found = _asked(program, folder, since)
            program.post_message(Done(lambda: self._show(found)))

        program.run_worker(work, thread=True, group="git", exit_on_error=False)

    def _show(self, found: changes.Text) -> None:
        self._text = found
        if self.is_mounted:
            self.update()

    def _go(self, step: int) -> None:
        """To the next file, unless something is searched for."""
        if self._wanted:
            super()._go(step)
            return
        here = self.text.scroll_offset.y
        places = [at for at in self._text.begins if (at > here if step > 0 else at < here)]
        if places:
            self.text.to_row(min(places) if step > 0 else max(places))
            self.text.refresh()
        elif step < 0:
            self.text.press("first")
        else:
            self.program.flash("there is no file after this one", "quiet")


def _asked(program: OvermindApp, folder: str, since: str | None) -> changes.Text:
    try:
        found = git.changes(folder, program.world.environ, since=since)
    except git.NoGit as error:
        return changes.Text([[Cell(f"  {safe(error)}", "slow")]], ())
    return changes.text(*found, _shown(since, program.zone))


def _shown(since: str | None, zone: tzinfo | None) -> str:
    wall = amounts.moment(since)
    return "" if wall is None else datetime.fromtimestamp(wall, zone).strftime("%Y-%m-%d %H:%M")
