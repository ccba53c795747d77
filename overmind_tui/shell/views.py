"""Openers of the views that are no tables; the rows of the registry name these functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.view import registry
from overmind_core.view.registry import View
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.page import Page
from overmind_tui.pages.text import TextPage
from overmind_tui.render import texts
from overmind_tui.render.layout import Panel
from overmind_tui.shell.help_page import HelpPage
from overmind_tui.widgets.missions_list import MissionsList
from overmind_tui.widgets.table import ResourceTable

if TYPE_CHECKING:
    from overmind_tui.shell.shell import Shell


def missions(shell: Shell, _view: View, show: Show) -> None:
    """The missions screen, with the keys on its table."""
    shell.main.show_panel(Panel.TABLE, show)


def logs(shell: Shell, _view: View, show: Show) -> None:
    """The missions screen, with the log alone."""
    shell.main.show_panel(Panel.LOG, show)


def of_mission(shell: Shell, view: View, show: Show) -> None:
    """What the key of the same name shows of the mission that is named, else of the selected one."""
    found = shell.fleet.named(show.words[0]) if show.words else None
    page = shell.app.screen
    here = page.targets() if isinstance(page, Page) and page.chosen() else shell.main.targets()
    rows = [found] if found else here
    if rows:
        shell.act(view.name, rows[:1])
    else:
        shell.flash(registry.VIEWS[view.name].empty, "slow")


def inbox(shell: Shell, view: View, _show: Show) -> None:
    """Who needs the person."""
    shell.act(view.name, [])


def help_here(shell: Shell, _view: View, _show: Show) -> None:
    """The keys of what is open."""
    page = shell.app.screen
    if isinstance(page, HelpPage):
        page.do_turn()
        return
    context = page.context if isinstance(page, Page) else shell.main.context
    lists = (*page.query(MissionsList), *page.query(ResourceTable))
    signs = [sign for one in lists for sign in one.signs]
    shell.open(HelpPage(context, [*texts.drawn_marks(context, shell.fleet), *signs]))


def aliases(shell: Shell, _view: View, _show: Show) -> None:
    """All views and verbs, and the person's own words and keys."""

    def lines() -> texts.Lines:
        settings = shell.settings
        return texts.aliases(
            read_only=shell.read_only, aliases=settings.aliases, hotkeys=settings.hotkeys, ascii_only=shell.ascii_only
        )

    shell.open(TextPage("commands", "", lines, hang=texts.WORDS))
