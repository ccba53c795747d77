"""The missions screen as its own parts see it: the widgets that they share, and what they have it do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from textual.containers import Container, Vertical
    from textual.geometry import Size
    from textual.timer import Timer
    from textual.widget import Widget

    from overmind_core.view.actions import Action
    from overmind_core.view.cells import Cell
    from overmind_core.view.screen_shape import Shape
    from overmind_tui.render.layout import Panel
    from overmind_tui.shell.shell import Shell
    from overmind_tui.widgets.command_bar import CommandBar
    from overmind_tui.widgets.lines import CursorTextView, Lines, LinesPanel, TextView
    from overmind_tui.widgets.log import LogView
    from overmind_tui.widgets.missions_list import MissionsList
    from overmind_tui.widgets.terminal import TerminalView


class Folding(Protocol):
    """The arrangement of its parts."""

    @property
    def shape(self) -> Shape:
        """Which of them are shown, and how large they are."""

    def fold(self) -> None:
        """Arrange them as there is room now."""


class Followed(Protocol):
    """The mission of the panel."""

    @property
    def mission(self) -> str | None:
        """Its id; None: none is selected."""

    def at_once(self) -> None:
        """Have the panel come to the cursor."""


class Watched(Protocol):
    """A face that asks for what it shows."""

    def look(self, mission: str | None) -> None:
        """That of this mission is in sight; None: none is."""


class MainScreen(Protocol):
    """Panels side by side, of which one has the keys."""

    crumbs: tuple[str, ...]
    bar: CommandBar
    head: Lines
    line: Lines
    hints: Lines
    table: MissionsList
    happened_view: Lines

    @property
    def edge(self) -> Widget:
        """The rule between the list and a panel beside it."""

    side: Vertical
    title_view: Lines
    question_view: Lines
    diff_view: TextView
    stats: LinesPanel
    notes_view: CursorTextView
    left: Vertical
    log_view: LogView
    terminal_view: TerminalView
    room: Container
    folded_for: Size | None
    too_small: Lines

    @property
    def panels(self) -> Folding:
        """How its parts are arranged."""

    @property
    def following(self) -> Followed:
        """The mission of the panel."""

    @property
    def diff_panel(self) -> Watched:
        """The diff of that."""

    @property
    def shell(self) -> Shell:
        """Who shows it."""

    @property
    def size(self) -> Size:
        """Of the screen, in cells."""

    @property
    def in_sight(self) -> bool:
        """Whether nothing but a question stands before it."""

    @property
    def zoomed(self) -> bool:
        """Whether the panel with the keys stands alone."""

    @property
    def shows_hints(self) -> bool:
        """Whether there are hints."""

    # said

    @property
    def folder_shown(self) -> str:
        """The folder of the start, as people write it."""

    @property
    def notes_title(self) -> str:
        """The title of the panel while it shows notes."""

    def show_question(self) -> None:
        """Make room above the face for what its mission asks."""

    def empty(self) -> Sequence[Sequence[Cell]]:
        """Why no mission is shown."""

    def retitle(self) -> None:
        """What the borders say has changed."""

    def refresh_line(self) -> None:
        """The line may say something else."""

    def refresh_status(self) -> None:
        """What the bottom line says has changed."""

    def tick(self) -> None:
        """A second went by."""

    # done

    def act(self, action: Action) -> None:
        """Do one action of the table."""

    def open_bar(self, sign: str, text: str = "") -> None:
        """Begin to type behind `/` or `:`."""

    def give(self, panel: Panel, *, zoomed: bool | None = None) -> None:
        """Give the keys to a panel; alone, beside the others, or as it was."""

    def refocus(self) -> None:
        """The panel with the keys may have others now."""

    def close_terminal(self) -> None:
        """From the terminal back to the list."""

    # Textual's own

    def set_focus(self, widget: Widget | None) -> None:
        """Have a widget look as if it had the keys."""

    def set_timer(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Call a function after so many seconds."""

    def call_after_refresh(self, callback: Callable[[], None]) -> bool:
        """Call a function after the next frame, which may be older than the layout that was asked for."""
