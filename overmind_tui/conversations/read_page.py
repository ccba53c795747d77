"""A page whose rows a command line prints: read beside the screen, once, and again when somebody asks for that."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from overmind_core.view.cells import Row, safe
from overmind_tui.command_line.jobs import PROGRAM
from overmind_tui.pages.table import TablePage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_tui.command_line.jobs import CommandJob


class ReadPage(TablePage):
    """A table of what a command line prints as JSON. No event of the daemon changes it."""

    of_daemon: ClassVar = False
    _job: CommandJob | None = None
    """The command line that is read."""

    @property
    @abstractmethod
    def words(self) -> Sequence[str]:
        """The command line."""

    def ask(self) -> None:
        """Read the rows again, unless that is under way."""
        if self._job is None:
            self._job = self.shell.jobs.read([*PROGRAM, *self.words], self.source.fetch.shape, self._on_rows)

    def _on_rows(self, found: list[Row] | str) -> None:
        self._job = None
        if not self.is_attached:
            return
        if isinstance(found, str):
            self.refused(safe(found))
        else:
            self.take(found)

    def returned(self) -> None:
        """Show the rows as they were: `ctrl-r` reads them again, which takes a moment."""
        self.settings_changed()

    def on_unmount(self) -> None:
        """Nobody waits for them any more."""
        if self._job is not None:
            self._job.cancel()
