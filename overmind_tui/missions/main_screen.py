"""The missions screen as its own parts see it: the widgets that they share, and what they have it do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from overmind_tui.shell.shell import RowSelection

if TYPE_CHECKING:
    from textual.containers import Container, Vertical
    from textual.geometry import Size
    from textual.timer import Timer
    from textual.widget import Widget

    from overmind_core.view.actions import Action
    from overmind_core.view.cells import Cell, Row
    from overmind_core.view.diff import DiffFiles
    from overmind_core.view.inbox import Key, Need
    from overmind_core.view.prompt import Filtered
    from overmind_core.view.screen_shape import Shape
    from overmind_tui.pages.edges import HeaderRow, HintsRow, RestingLine
    from overmind_tui.pages.page import PageShell
    from overmind_tui.render.layout import Panel
    from overmind_tui.widgets.command_bar import CommandBar
    from overmind_tui.widgets.lines import ComposedTextView, CursorTextView, Lines, LinesPanel, TextView
    from overmind_tui.widgets.log import LogView
    from overmind_tui.widgets.missions_list import MissionsList
    from overmind_tui.widgets.terminal import TerminalView


class Folding(Protocol):
    """The arrangement of its parts."""

    @property
    def shape(self) -> Shape:
        """Which of them are shown, and how large they are."""

    current: Panel
    """The part that has the keys."""
    zoomed: bool
    """Whether what has the keys stands alone."""

    @property
    def home(self) -> Panel:
        """The part that gets the keys back."""

    @property
    def is_typing(self) -> bool:
        """Whether a terminal is typed into."""

    def fold(self) -> None:
        """Arrange them as there is room now."""

    def settle_anew(self) -> None:
        """Another view: the list may be lower again."""

    def show_face(self) -> None:
        """Show the face of the panel, with a question above it where its mission asks something."""

    def give(self, panel: Panel) -> None:
        """Give the keys to a part."""

    def refocus(self) -> None:
        """The part that has the keys may have others now."""


class Asking(Protocol):
    """The question above the face of the panel."""

    whole: bool
    """Whether it has the panel alone."""
    wanted: Key | None
    """The one of several questions of a mission that is to be shown."""
    said: dict[str, str]
    """Mission → what was answered it from here, until the cursor leaves it."""
    handlers: dict[str, Callable[[], object]]
    """Action → what it does."""

    @property
    def is_open(self) -> bool:
        """True while a question is shown."""

    @property
    def need(self) -> Need | None:
        """Why the mission of the panel needs a person."""

    @property
    def is_as_found(self) -> bool:
        """True where the keys are at the list, and going to its mission again would show nothing else."""

    @property
    def following(self) -> Key | None:
        """The question of the same mission behind the one that is shown; None where that is the last one."""

    def type(self, text: str) -> bool:
        """What is typed after `/` so far; False when it is broken."""

    def close_one(self) -> bool:
        """Close one thing; whether there was any."""

    def follow_cursor(self) -> None:
        """The cursor went to another row: the keys stay in its question, if it asks anything."""

    def do_whole(self) -> None:
        """The question alone, as large as the screen, and back."""


class Needing(Protocol):
    """The view of those who need a person."""

    is_open: bool
    """Whether only those are listed."""

    def close(self, *, back: bool = True) -> None:
        """All missions again."""

    def empty(self) -> Sequence[Sequence[Cell]]:
        """The sentence where nobody needs a person."""


class Listing(Protocol):
    """What the list shows."""

    def list_needs(self, *, only: bool) -> None:
        """List only who needs a person, or all again."""

    def do_clear_filter(self) -> None:
        """Show everything again."""

    def type(self, text: str) -> bool:
        """Show what matches so far; False when the text is broken."""


class Subject(Protocol):
    """Whose the panel is."""

    @property
    def mission(self) -> str | None:
        """The id of the mission of the panel, or of that which something is asked about."""


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


class Known(Protocol):
    """The facts of missions that no row has."""

    def look(self, mission: str | None) -> None:
        """The stats of this mission are in sight; None: none are."""

    def look_at_question(self, mission: str | None) -> None:
        """A question of this mission is in sight; None: none is."""

    def changes_of(self, mission: str) -> DiffFiles | None:
        """The changes of a mission, as far as they are known by now."""


class MainScreen(RowSelection, Protocol):
    """Panels side by side, of which one has the keys."""

    way_here: tuple[str, ...]
    bar: CommandBar
    head: HeaderRow
    line: RestingLine
    hints: HintsRow
    table: MissionsList
    happened_view: Lines

    @property
    def edge(self) -> Widget:
        """The rule between the list and a panel beside it."""

    side: Vertical
    title_view: Lines
    question_view: LinesPanel
    diff_view: TextView
    stats: ComposedTextView
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
    def question(self) -> Asking:
        """What the mission of the panel asks."""

    @property
    def needs_you(self) -> Needing:
        """The view of those who need a person."""

    @property
    def faces(self) -> Subject:
        """Whose the panel is."""

    @property
    def table_panel(self) -> Listing:
        """What the list shows."""

    @property
    def filtered(self) -> Filtered | None:
        """The filter of the list, while there is one."""

    @property
    def following(self) -> Followed:
        """The mission of the panel."""

    @property
    def diff_panel(self) -> Watched:
        """The diff of that."""

    @property
    def stats_panel(self) -> Known:
        """The facts of that."""

    @property
    def shell(self) -> PageShell:
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
    def is_covered(self) -> bool:
        """Whether something that stands before it has the keys."""

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

    def forget_columns(self) -> None:
        """Choose the columns of the list anew."""

    def show_question(self) -> None:
        """Make room above the face for what its mission asks."""

    def empty(self) -> Sequence[Sequence[Cell]]:
        """Why no mission is shown."""

    def retitle(self) -> None:
        """What the borders say has changed."""

    def refresh_line(self) -> None:
        """The line may say something else."""

    def refresh_status(self) -> None:
        """What the line says has changed."""

    def tick(self) -> None:
        """A second went by."""

    # done

    def press(self, key: str, character: str | None) -> None:
        """Do what a key means."""

    def select(self, mission: str) -> bool:
        """Put the cursor on a mission; False where it is not shown."""

    def go_to(self, name: str) -> bool:
        """Come to the front with the cursor on the mission that is named; False where there is none."""

    def refusal(self, action: Action, rows: Sequence[Row] | None = None) -> str:
        """Why an action can't be done to these rows, or to those that are meant; "": nothing keeps from it."""

    def act(self, action: Action) -> None:
        """Do one action of the table."""

    def open_bar(self, sign: str, text: str = "", hint: str = "") -> None:
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
