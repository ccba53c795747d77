"""What all screens share: keys looked up in the table, the line that is typed into, crumbs and flashes at the bottom.

Keys never pass through Textual's bindings: the program hands each to the screen on top, one after the other, so that
what is typed ahead arrives where it belongs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.screen import Screen

from overmind_core.domain.cells import width
from overmind_tui import actions
from overmind_tui.actions import Action, Context
from overmind_tui.view.cells import Cell, clipped
from overmind_tui.widgets.command_bar import CommandBar
from overmind_tui.widgets.lines import Lines

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp


class Page(Screen[None]):
    """One full screen."""

    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self.crumbs: tuple[str, ...] = ("missions",)

    @property
    def program(self) -> OvermindApp:
        """The application, by its own type."""
        return cast("OvermindApp", self.app)

    @property
    def context(self) -> Context:
        """Whose keys count now."""
        return Context.TEXT

    def compose_bottom(self) -> Iterator[CommandBar | Lines]:
        """The last line of the screen."""
        self.bar = CommandBar(id="bar")
        self.bar.display = False
        self.bottom = Lines(self._bottom_lines, id="crumbs")
        yield self.bar
        yield self.bottom

    def compose(self) -> ComposeResult:
        """Only the bottom; each screen puts its own above."""
        yield from self.compose_bottom()

    def on_mount(self) -> None:
        """It can take keys now."""
        self.begin()
        self.program.typed.release()

    def begin(self) -> None:
        """Show and focus what is to be seen first."""

    # keys

    def press(self, key: str, character: str | None) -> None:
        """Do what a key means here."""
        if self.bar.sign:
            self._press_in_bar(key, character)
            return
        action = actions.keymap(self.context).get(character or key) or actions.keymap(self.context).get(key)
        if action is not None:
            self.act(action)

    def act(self, action: Action) -> None:
        """Do one action of the table, unless it is not allowed."""
        if not actions.allowed(action, read_only=self.program.read_only):
            self.program.flash(f"read-only: {action.label} is off", "slow")
            return
        do = getattr(self, "do_" + action.name.replace("-", "_"), None)
        if do is not None:
            do()
            return
        press = getattr(self.focused, "press", None)
        if press is not None:
            press(action.name)

    def paste(self, text: str) -> None:
        """What is pasted is typed into the open line, else it is nothing."""
        if self.bar.sign:
            self.bar.insert(text)

    def _press_in_bar(self, key: str, character: str | None) -> None:
        if key in {"escape", "ctrl+c"} or (key == "backspace" and not self.bar.field.text):
            self.close_bar()
        elif key == "enter":
            sign, text = self.bar.sign, self.close_bar()
            self.entered(sign, text)
        elif character is not None:
            self.bar.insert(character)
        else:
            self.bar.press(key)

    def open_bar(self, sign: str, text: str = "") -> None:
        """Begin to type."""
        complete = self.program.commands.ghost if sign == ":" else lambda _: ""
        self.bar.ask(sign, text, complete=complete, changed=lambda text: self.typing(sign, text))
        self.bar.display, self.bottom.display = True, False

    def close_bar(self) -> str:
        """Stop typing; what was typed."""
        text = self.bar.end()
        self.bar.display, self.bottom.display = False, self.program.shows_crumbs
        return text

    def typing(self, sign: str, text: str) -> None:
        """The typed text changed."""

    def entered(self, sign: str, text: str) -> None:
        """Enter was pressed."""
        if sign == ":":
            self.program.commands.run(text)

    # actions of every screen

    def do_command(self) -> None:
        """Type a command."""
        self.open_bar(":")

    def do_help(self) -> None:
        """The keys of this view."""
        self.program.commands.help(self.context)

    def do_aliases(self) -> None:
        """All views and verbs."""
        self.program.commands.show("aliases")

    def do_refresh(self) -> None:
        """Ask for everything anew."""
        self.program.refresh_all()

    def do_crumbs(self) -> None:
        """Show or hide the bottom line."""
        self.program.shows_crumbs = not self.program.shows_crumbs
        self.bottom.display = self.program.shows_crumbs

    def do_back(self) -> None:
        """Close this screen."""
        self.program.back()

    def do_quit(self) -> None:
        """As esc; at the root it leaves."""
        self.program.back()

    def do_leave(self) -> None:
        """Leave the program."""
        self.program.ask_leave()

    # the bottom line

    def say(self) -> None:
        """What the bottom line says has changed."""
        self.bottom.refresh()

    def _bottom_lines(self, cells: int) -> Sequence[Sequence[Cell]]:
        return [bottom_line(self.crumbs, self.program.notice, cells)]


def bottom_line(crumbs: Sequence[str], notice: Cell, cells: int) -> list[Cell]:
    """Where we are at the left, what happened at the right."""
    left = [Cell(f" <{crumb}>", "accent" if crumb == crumbs[-1] else "quiet") for crumb in crumbs]
    used = sum(width(cell.text) for cell in left)
    text = clipped(notice.text, max(cells - used - 2, 0))
    return [*left, Cell(" " * max(cells - used - width(text) - 1, 0)), Cell(text, notice.tone)]
