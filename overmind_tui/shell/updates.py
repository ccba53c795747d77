"""Updates that the supervisor sent: put into the fleet, then shown by whatever shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.view import health
from overmind_core.view.cells import Row
from overmind_core.view.summary import EngineLoad
from overmind_tui.pages.dialog import Dialog
from overmind_tui.pages.page import Page
from overmind_tui.pages.table import TablePage
from overmind_tui.shell.messages import (
    Connected,
    Disconnected,
    EngineStands,
    FromHive,
    Happened,
    InboxChanged,
    NotesProposed,
    RowsChanged,
    Spent,
)

if TYPE_CHECKING:
    from textual.app import App

    from overmind_tui.missions.screen import MissionsScreen
    from overmind_tui.shell.notices import Notice
    from overmind_tui.shell.shell import Shell

GATHER = 0.1
"""Seconds in which rows of other hives are gathered before they are shown."""
OTHER_WAY = " Start with: overmind start"
"""In the reason why no daemon answers; here a key does that."""
Listener = Callable[[Sequence[Row]], None]
Item = Connected | Disconnected | RowsChanged | Happened | InboxChanged | Spent | EngineStands | NotesProposed


class Updates:
    """Applies what the stream sends, and has it shown.

    Args:
        shell: Whose missions.
        main: Where they are shown.
        notice: What was said last.
        listeners: Told of events, one after the other.
        of_hives: Told of those of other hives.
    """

    def __init__(
        self, shell: Shell, main: MissionsScreen, notice: Notice, listeners: Sequence[Listener],
        of_hives: Sequence[Listener],
    ) -> None:  # fmt: skip
        self._shell = shell
        self._main = main
        self._notice = notice
        self._listeners = listeners
        self._of_hives = of_hives
        self._shows_soon = False

    def take(self, message: Item) -> None:
        """One of the stream's messages."""
        match message:
            case Connected():
                self._connected(message)
            case Disconnected():
                self._disconnected(message)
            case RowsChanged():
                self._rows_changed(message)
            case Happened():
                self._happened(message)
            case InboxChanged():
                self._shell.fleet.questions = message.questions
                self._inbox_changed()
            case Spent():
                self._shell.fleet.pay("", message.today)
                self._main.tick()
            case EngineStands():
                fleet = self._shell.fleet
                fleet.engine = EngineLoad.of(message.queue, message.health["coherence"])
                fleet.health = {row["id"]: row for row in health.listed(message.health, fleet.rows, self._shell.now())}
                if self._main.filtered is None:
                    self._main.tick()
                else:  # it may keep those that are quiet
                    self._main.rearrange()
            case NotesProposed():
                self._shell.fleet.proposed = message.count
                self._main.tick()

    def take_of_hive(self, message: FromHive) -> None:
        """One of another hive's stream; how that is reached is the business of its connection."""
        fleet, hive = self._shell.fleet, message.hive
        match message.message:
            case RowsChanged() as of_hive:
                self._shell.fleet.apply(
                    of_hive.rows, of_hive.removed, everything=of_hive.everything, at=self._shell.now(), hive=hive
                )
                self._show_soon()
            case Happened() as of_hive:
                events = fleet.hear(hive, of_hive.events)
                for listener in self._of_hives:
                    listener(events)
            case InboxChanged() as of_hive:
                fleet.ask(of_hive.questions, hive=hive)
                self._inbox_changed()
            case Spent() as of_hive:
                fleet.pay(hive, of_hive.today)
                self._main.tick()

    def hive_changed(self) -> None:
        """A hive is reached in another way than before."""
        self._main.rows_came()
        show_bottom(self._shell.app)

    def swarm_changed(self) -> None:
        """The swarm stands otherwise than before, or asks something else."""
        for page in self._tables():
            page.swarm_changed()
        self._inbox_changed()

    def _inbox_changed(self) -> None:
        self._main.rearrange()
        show_bottom(self._shell.app)

    def _connected(self, message: Connected) -> None:
        again = bool(self._shell.fleet.lost)
        self._shell.fleet.find()
        self._shell.fleet.awaits_supervisor = False
        if again and not self._notice.text:
            daemon = f"connected to daemon {message.daemon.get('pid')}"
            self._shell.flash("no daemon: supervised by this program" if message.hosted else daemon, "quiet")
        self._main.changed_connection()
        for page in self._tables():
            page.source.connected()

    def _disconnected(self, message: Disconnected) -> None:
        tail = "ctrl-r starts one here" if message.final else "reconnecting …"
        reason = message.reason.removesuffix(OTHER_WAY).rstrip(".")
        awaited, self._shell.fleet.awaits_supervisor = self._shell.fleet.awaits_supervisor, False
        lost_before = self._shell.fleet.lost_since
        self._shell.fleet.lose(reason, tail, self._shell.now())
        if self._shell.fleet.lost_since != lost_before:
            self._main.rows_came()
            show_bottom(self._shell.app)
        self._main.changed_connection()
        if awaited:
            for page in self._tables():
                page.source.disconnected()

    def _show_soon(self) -> None:
        """Show the rows of other hives, once for all that come in a moment: each has as many as this home."""
        if not self._shows_soon:
            self._shows_soon = True
            self._shell.app.set_timer(GATHER, self._show_rows)

    def _show_rows(self) -> None:
        self._shows_soon = False
        self._rows_came()

    def _rows_changed(self, message: RowsChanged) -> None:
        self._shell.fleet.apply(message.rows, message.removed, everything=message.everything, at=self._shell.now())
        self._rows_came()

    def _rows_came(self) -> None:
        self._main.rows_came()
        for page in self._tables():
            page.missions_changed()
        for screen in self._shell.app.screen_stack:
            if isinstance(screen, Dialog) and screen.is_mounted:
                screen.renew()

    def _happened(self, message: Happened) -> None:
        self._shell.fleet.events.extend(message.events)
        kinds = {event["type"] for event in message.events}
        for page in self._shell.app.screen_stack:
            if isinstance(page, Page) and page.is_mounted:
                page.happened(kinds)
        for listener in self._listeners:
            listener(message.events)

    def _tables(self) -> list[TablePage]:
        """The tables that are open."""
        return [page for page in self._shell.app.screen_stack if isinstance(page, TablePage) and page.is_mounted]


def show_bottom(app: App[Any]) -> None:
    """What the lines say has changed."""
    for screen in app.screen_stack:
        if isinstance(screen, Page) and screen.is_mounted:
            screen.refresh_status()
