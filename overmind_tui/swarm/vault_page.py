"""The page of secrets: their names and hives, never their values; setting, granting and removing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from overmind_core.view import hints, swarm_tables
from overmind_core.view.cells import safe
from overmind_core.view.registry import View
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.dialog import ask_first
from overmind_tui.pages.table import as_now
from overmind_tui.swarm.page import SwarmTablePage

if TYPE_CHECKING:
    from overmind_core.view.actions import Context
    from overmind_core.view.describe import Lines
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell


def open_vault(shell: Shell, view: View, show: Show) -> None:
    """All secrets."""
    shell.open(VaultPage(view, show))


class VaultPage(SwarmTablePage):
    """A row for each secret."""

    lines_of: ClassVar[staticmethod[..., Lines]] = staticmethod(swarm_tables.secret)

    def unusable(self) -> frozenset[str]:
        """Also the sealing of a value that is not kept here."""
        is_here = self.current is not None and self.current["here"]
        return super().unusable() | hints.refused({"grant-secret": bool(is_here)})

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also setting, granting and removing one."""
        return super().handlers(context) | {
            "set-secret": self.do_set,
            "grant-secret": self.do_grant,
            "remove-secret": self.do_remove,
        }

    def do_set(self) -> None:
        """Begin the line that sets one; its value is asked for in the terminal."""
        if self.swarm is not None:
            self.open_bar(":", "vault set ")

    def do_grant(self) -> None:
        """Begin the line that grants it; its hive is typed."""
        row = self.current
        if row is None:
            return
        if row["here"]:
            self.open_bar(":", f"vault grant {row['name']} ")
        else:
            by = safe(", ".join(row["put_by"]))
            self.shell.flash(f"the value of {safe(row['name'])} is not kept in this home: {by} can grant it", "slow")

    def do_remove(self) -> None:
        """Remove those that are meant, after a question."""
        rows = self.chosen()
        if rows:
            ask_first(
                self.shell, "remove secret", rows, lambda: swarm_tables.secrets_at_stake(as_now(self, rows)),
                lambda: self._remove([row["name"] for row in rows]),
            )  # fmt: skip

    def _remove(self, names: list[str]) -> None:
        what = names[0] if len(names) == 1 else f"{len(names)} secrets"
        self.change("vault_remove", [{"name": one} for one in names], lambda _done: f"removed {what}")
