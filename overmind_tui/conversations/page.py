"""The page of conversations that programs of agents keep: one goes on as a mission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.view import conversations, registry
from overmind_core.view.cells import Row, safe
from overmind_core.view.question_block import short_path
from overmind_core.view.registry import View
from overmind_tui.command_line.jobs import PROGRAM, Outcome, failure
from overmind_tui.command_line.parse import Show
from overmind_tui.command_line.run import STARTED
from overmind_tui.conversations.read_page import ReadPage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.view.actions import Context
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell

ALL = "all"


def open_conversations(shell: Shell, view: View, show: Show) -> None:
    """Those of the folder of the start, or of all folders."""
    shell.open(ConversationsPage(registry.CONVERSATIONS_OF_ALL if ALL in show.words else view, show))


class ConversationsPage(ReadPage):
    """A row for each conversation, the newest first."""

    def __init__(self, view: View, show: Show) -> None:
        super().__init__(view, show)
        self._adopts = False
        """Whether one is being adopted: once is enough."""

    @property
    def words(self) -> Sequence[str]:
        """The command line that lists them."""
        return ["adopt", *(["--all"] if self.way == ALL else []), "--json"]

    def looked_in(self, row: Row) -> str:
        """The cells of a conversation."""
        return conversations.looked_in(row)

    def subtitle(self) -> str:
        """Which folder they are of."""
        if self.way == ALL or not self.table.branches:
            return ""
        folder = short_path(self.shell.world.folder, self.shell.world.environ.get("HOME", ""))
        return f"of {folder} · :adopt all lists those of all folders"

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also adopting one."""
        return super().handlers(context) | {"adopt": self.do_adopt, "describe-row": self.do_open_row}

    def do_adopt(self) -> None:
        """Have it go on as a mission, with the cursor on that; what is open elsewhere is refused, with the reason."""
        current = self.table.current
        if current is None:
            self.shell.flash("adopt: no conversation is selected here", "slow")
        elif self._adopts:
            self.shell.flash("adopt: one is being adopted", "slow")
        else:
            self._adopts = True
            self.shell.flash("adopt …", "quiet")
            self.shell.jobs.start("adopt", [[*PROGRAM, "adopt", current.row["session"]]], self._on_result)

    def _on_result(self, outcome: Outcome) -> None:
        self._adopts = False
        shell, lines = self.shell, outcome.text.strip().splitlines()
        if outcome.cancelled or outcome.code:
            reason = "cancelled" if outcome.cancelled else failure(lines, outcome.code)
            shell.flash(f"adopt: {safe(reason)}", "slow" if outcome.cancelled else "bad")
            if self.is_attached:
                self.ask()
            return
        if self.is_active:
            shell.main.to_front(for_good=True)
        if started := STARTED.match(lines[0] if lines else ""):
            shell.main.select_soon(started[1])
        shell.flash(safe(lines[0] if lines else "adopted"), "good")
