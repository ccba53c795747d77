"""What the supervisor tells: put where it is kept, then shown on whatever shows it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from overmind_tui.messages import Connected, Disconnected, Happened, InboxChanged, RowsChanged, Spent
from overmind_tui.screens.needs import NeedsPage
from overmind_tui.screens.tablepage import TablePage
from overmind_tui.view import ringing
from overmind_tui.view.cells import Row

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp

EVENTS_KEPT = 2000
Item = Connected | Disconnected | RowsChanged | Happened | InboxChanged | Spent


class News:
    """Takes it in.

    Attributes:
        events: The newest, oldest first.
        lost: Why no supervisor answers; "" while one does.
    """

    def __init__(self, app: OvermindApp) -> None:
        self._app = app
        self.events: deque[Row] = deque(maxlen=EVENTS_KEPT)
        self.lost = ""
        self._wanted = ""

    @property
    def oldest(self) -> int | None:
        """The number of the oldest of them; None while there is none."""
        return self.events[0]["seq"] if self.events else None

    @property
    def newest(self) -> int:
        """The number of the newest event; 0 while there is none."""
        return self.events[-1]["seq"] if self.events else 0

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
                self._app.fleet.questions = message.questions
                self.show_inbox()
                self._app.say()
            case Spent():
                self._app.fleet.today = message.today
                self._app.main.tick()

    def select_soon(self, mission: str) -> None:
        """Put the cursor on a mission that may not have come yet."""
        self._wanted = mission

    def show_inbox(self) -> None:
        """Who needs the person, where that is seen."""
        if isinstance(self._app.top, NeedsPage):
            self._app.top.update()

    def _connected(self, message: Connected) -> None:
        self.lost = ""
        hosted = "no daemon: this program supervises" if message.hosted else f"daemon {message.daemon.get('pid')}"
        if not self._app.notice.text:
            self._app.flash(hosted, "quiet")
        self._app.main.changed_connection()

    def _disconnected(self, message: Disconnected) -> None:
        tail = "ctrl-r starts one here" if message.final else "reconnecting …"
        self.lost = f"{message.reason.rstrip('.')} · {tail}"
        self._app.main.changed_connection()

    def _rows_changed(self, message: RowsChanged) -> None:
        fleet, main = self._app.fleet, self._app.main
        fleet.apply(message.rows, message.removed, everything=message.everything)
        if self._wanted in fleet.rows:
            main.rearrange(asked=True)
            main.table.select(self._wanted)
            self._wanted = ""
        else:
            main.rearrange()
        self.show_inbox()

    def _happened(self, message: Happened) -> None:
        app = self._app
        self.events.extend(message.events)
        kinds = {event["type"] for event in message.events}
        for screen in app.screen_stack:
            if isinstance(screen, TablePage) and screen.is_mounted:
                screen.happened(kinds)
        app.deeds.talking.happened(message.events)
        for event in message.events:
            if app.presence.rings(event):
                app.ring(ringing.sentence(event))
