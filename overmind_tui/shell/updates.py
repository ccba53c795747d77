"""What the supervisor tells: put where it is kept, then shown on whatever shows it.

How the views that are no tables are opened; the rows of the registry name these functions.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from overmind_tui.changes.page import ChangesPage
from overmind_tui.command_line.parse import Show
from overmind_tui.inbox.page import NeedsPage
from overmind_tui.missions.describe_page import DescribePage, ask
from overmind_tui.pages.table import TablePage
from overmind_tui.pages.text import TextPage
from overmind_tui.render import ringing, texts
from overmind_tui.render.cells import Row, safe
from overmind_tui.render.layout import Panel
from overmind_tui.shell import registry
from overmind_tui.shell.actions import Context
from overmind_tui.shell.messages import Connected, Disconnected, Happened, InboxChanged, RowsChanged, Spent
from overmind_tui.shell.registry import View

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


def missions(app: OvermindApp, _view: View, show: Show) -> None:
    """The main screen, with the keys on its table."""
    _main(app, show, Panel.TABLE)


def logs(app: OvermindApp, _view: View, show: Show) -> None:
    """The main screen, with the log alone."""
    _main(app, show, Panel.LOG)


def _main(app: OvermindApp, show: Show, panel: Panel) -> None:
    app.to_root()
    main = app.main
    if show.words:
        app.commands.runs.go_to(show.words[0])
    main.panels.zoomed = panel is Panel.LOG
    main.panels.give(panel)
    if show.filter is None:
        return
    if panel is Panel.TABLE:
        main.table_side.narrow(show.filter)
    elif not main.log_side.type(show.filter):
        app.flash(f"/{safe(show.filter)} is no filter", "bad")


def describe(app: OvermindApp, _view: View, show: Show) -> None:
    """Everything known about the mission that is named, else about the selected one."""
    found = app.commands.runs.named(show.words[0]) if show.words else None
    rows = [found] if found else app.main.targets()
    if rows:
        described(app, rows[0])
    else:
        app.flash(registry.VIEWS["describe"].empty, "slow")


def described(app: OvermindApp, row: Row) -> None:
    """Everything known about a mission."""
    ask(app, row, lambda known: app.open(DescribePage(app, row, known)))


def changes(app: OvermindApp, _view: View, show: Show) -> None:
    """What changed in the folder of the mission that is named, else of the selected one."""
    found = app.commands.runs.named(show.words[0]) if show.words else None
    rows = [found] if found else app.main.targets()
    if rows:
        app.open(ChangesPage(rows[0]))
    else:
        app.flash(registry.VIEWS["changes"].empty, "slow")


def inbox(app: OvermindApp, _view: View, _show: Show) -> None:
    """Who needs the person."""
    if not isinstance(app.screen, NeedsPage):
        app.open(NeedsPage())


def help_here(app: OvermindApp, _view: View, _show: Show) -> None:
    """The keys of what is open."""
    help_of(app, getattr(app.screen, "context", app.main.context))


def help_of(app: OvermindApp, context: Context) -> None:
    """The keys of a context."""

    def lines() -> texts.Lines:
        return texts.help_lines(
            context, read_only=app.read_only, hotkeys=app.settings.hotkeys, ascii_only=app.ascii_only
        )

    app.open(TextPage("help", f"keys of {context.value}", lines, hang=texts.KEYS))


def aliases(app: OvermindApp, _view: View, _show: Show) -> None:
    """All views and verbs, and the person's own words and keys."""

    def lines() -> texts.Lines:
        settings = app.settings
        return texts.aliases(
            read_only=app.read_only, aliases=settings.aliases, hotkeys=settings.hotkeys, ascii_only=app.ascii_only
        )

    app.open(TextPage("aliases", "commands", lines, hang=texts.WORDS))
