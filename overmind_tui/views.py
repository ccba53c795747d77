"""How the views that are no tables are opened; the rows of the registry name these functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_tui import registry
from overmind_tui.actions import Context
from overmind_tui.registry import View
from overmind_tui.screens.changes import ChangesPage
from overmind_tui.screens.describe import DescribePage, ask
from overmind_tui.screens.needs import NeedsPage
from overmind_tui.screens.text import TextPage
from overmind_tui.view import texts
from overmind_tui.view.cells import Row, safe
from overmind_tui.view.command import Show
from overmind_tui.view.shape import Panel

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp


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
