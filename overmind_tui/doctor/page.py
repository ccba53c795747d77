"""The page of the doctor: what is installed and what is not, as `overmind doctor` finds it, with how to mend each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from overmind_core.view.registry import View
from overmind_tui.command_line.jobs import PROGRAM, Outcome
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.text import TextPage
from overmind_tui.render import texts

if TYPE_CHECKING:
    from overmind_tui.shell.shell import Shell


def open_doctor(shell: Shell, view: View, _show: Show) -> None:
    """Open the page, and look."""
    shell.open(DoctorPage(view))


class DoctorPage(TextPage):
    """The findings; refreshing looks again."""

    def __init__(self, view: View) -> None:
        super().__init__(view.name, "", lambda: self._lines, hang=texts.FINDINGS)
        self._lines = texts.plain(f"  {view.empty}")

    def begin(self) -> None:
        """Look."""
        super().begin()
        self._look()

    def do_refresh(self) -> None:
        """Look again."""
        self._look()
        self.shell.flash("checking again", "quiet")

    def _look(self) -> None:
        self.shell.jobs.start(self.view, [[*PROGRAM, "doctor", "--json"]], self._on_result)

    def _on_result(self, outcome: Outcome) -> None:
        mend = "fix it and save the file: it is reloaded at once; valid settings still apply"
        ours = [{"status": "fail", "check": "config [tui]", "found": one, "mend": mend}
                for one in self.shell.mistakes]  # fmt: skip
        try:
            self._lines = texts.doctor([*ours, *json.loads(outcome.text)])
        except (ValueError, KeyError, TypeError):  # whatever went wrong is said in words
            self._lines = texts.plain(outcome.text)
        if self.is_attached:
            self.update()
