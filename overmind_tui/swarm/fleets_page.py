"""The page of fleets: how many places each wants, and scaling and ending them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.view import hints, swarm_tables
from overmind_core.view.cells import Row, safe
from overmind_core.view.registry import View
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.dialog import ask_first
from overmind_tui.pages.table import as_now
from overmind_tui.swarm.page import SwarmTablePage

if TYPE_CHECKING:
    from overmind_core.view.actions import Context
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell


def open_fleets(shell: Shell, view: View, show: Show) -> None:
    """All fleets and sentinels."""
    shell.open(FleetsPage(view, show))


class FleetsPage(SwarmTablePage):
    """A row for each fleet."""

    def unusable(self) -> frozenset[str]:
        """Also the places of a sentinel, of which nobody says how many."""
        has_number = self.current is not None and self.current["want"] is not None
        return super().unusable() | hints.refused({"scale-fleet": has_number})

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also its places, scaling and ending it."""
        return super().handlers(context) | {
            "fleet-places": self.do_places,
            "scale-fleet": self.do_scale,
            "delete-fleet": self.do_delete,
        }

    def do_describe_row(self) -> None:
        """All about it, with its places."""
        row = self.current
        if row is not None:
            self.get("swarm_fleet", {"name": row["name"]}, lambda found: self.read(
                row, lambda: swarm_tables.fleet(found, self.rendering())))  # fmt: skip

    def do_places(self) -> None:
        """Its places, among the posts of the swarm."""
        if self.current is not None:
            self.shell.commands.run(_places_of(self.current))

    def do_scale(self) -> None:
        """Begin the line that scales it; its number is typed."""
        row = self.current
        if row is None:
            return
        if row["want"] is None:
            self.shell.flash(f"{safe(row['name'])} is a sentinel: it has one place on every fitting hive", "slow")
        else:
            self.open_bar(":", f"fleet scale {row['name']} ")

    def do_delete(self) -> None:
        """End those that are meant, after a question."""
        rows = self.chosen()
        if rows:
            ask_first(
                self.shell, "delete fleet", rows, lambda: swarm_tables.fleets_at_stake(as_now(self, rows)),
                lambda: self._delete([row["name"] for row in rows]),
            )  # fmt: skip

    def _delete(self, names: list[str]) -> None:
        what = names[0] if len(names) == 1 else f"{len(names)} fleets"
        self.change("swarm_fleet_delete", [{"name": one} for one in names], lambda _done: f"deleted {what}")


def _places_of(row: Row) -> str:
    """The line that shows the places of a fleet, which are called `review-1`; of a sentinel, `disk-eu1`."""
    return f"swarm /name:^swarm/{row['name']}-{'' if row['want'] is None else '[0-9]+$'}"
