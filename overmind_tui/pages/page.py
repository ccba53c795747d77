"""One full screen: the header, what it shows, the line that is typed into, and hints; keys looked up in the table.

Keys never pass through Textual's bindings: the program hands each to the screen on top, one after the other, so that
what is typed ahead arrives where it belongs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

from textual import events, on
from textual.app import ComposeResult
from textual.geometry import Size

from overmind_core.domain.operation import Danger
from overmind_core.view import actions, hints, keymap, prompt, screen_shape
from overmind_core.view.actions import Action, Context, Needs
from overmind_core.view.cells import Cell, Row
from overmind_core.view.header_line import HeaderFacts
from overmind_core.view.hints import Part
from overmind_core.view.hive_keys import hive_of
from overmind_core.view.prompt import Filtered, RestFacts, Where
from overmind_core.view.screen_shape import Wish
from overmind_tui.pages.edges import HeaderRow, HintsRow, RestingLine
from overmind_tui.pages.room import NeedsRoom, RateLimited
from overmind_tui.shell import clipboard
from overmind_tui.shell.shell import RowSelection, Shell
from overmind_tui.shell.timers import hand_over_waiting
from overmind_tui.widgets.command_bar import CommandBar
from overmind_tui.widgets.lines import Lines
from overmind_tui.widgets.table import ResourceTable

if TYPE_CHECKING:
    from overmind_tui.command_line.jobs import Jobs
    from overmind_tui.shell.coaching import Coaching
    from overmind_tui.shell.notices import Notice
    from overmind_tui.shell.remembered import TypedHistory

Handler = Callable[[], object]
"""Does an action of the table."""


def joined(*tables: Mapping[str, Handler]) -> dict[str, Handler]:
    """The handlers of several as one table.

    Raises:
        ValueError: two of them do the same action.
    """
    found: dict[str, Handler] = {}
    for table in tables:
        if both := found.keys() & table.keys():
            raise ValueError(f"two handlers of {sorted(both)}")
        found |= table
    return found


class CommandLine(Protocol):
    """The line behind `:`, and the views that were opened by it."""

    def run(self, text: str) -> None:
        """Do what a line means."""

    def ghost(self, text: str) -> str:
        """What completes a line."""

    def back(self) -> None:
        """To the view before."""

    def forward(self) -> None:
        """To the view after."""

    def last(self) -> None:
        """To the view that was open before this one, there and back."""

    def closed(self) -> None:
        """A view was closed by a key."""


class ActionsOnRows(Protocol):
    """What keys do to rows, wherever these are shown."""

    def act(self, page: RowSelection, action: Action) -> bool:
        """Do an action to the rows that are meant; False when it is none of these."""

    def refused_actions(self, page: RowSelection, context: Context) -> frozenset[str]:
        """Names of those of a context that would do nothing to the rows that are meant."""

    def does(self, name: str) -> bool:
        """Whether an action is one of these."""


class PageShell(Shell, Protocol):
    """The shell of a page: what is at the bottom of each, and what its keys ask for."""

    notice: Notice
    coaching: Coaching
    typed_history: TypedHistory
    shows_hints: bool

    @property
    def folder_shown(self) -> str:
        """The folder of the start, as people write it."""

    def header_facts(self, place: str) -> HeaderFacts:
        """The facts of the header of a page at a place."""

    @property
    def mistakes(self) -> Sequence[str]:
        """A sentence for each mistake in config.toml."""

    @property
    def commands(self) -> CommandLine:
        """The line behind `:`."""

    @property
    def actions(self) -> ActionsOnRows:
        """What keys do to rows."""

    @property
    def jobs(self) -> Jobs:
        """The command lines that run beside the screen."""

    def refresh_all(self) -> None:
        """Ask for everything again."""

    def take_over(self) -> None:
        """Become the supervisor, where none answers."""

    def ask_leave(self) -> None:
        """Leave the program; with missions that only we supervise, ask first."""


FILLING_SECONDS = 0.1
"""How long a page that has just opened may wait for what it shows before it is drawn without that."""
ALT = "alt+"
OF_MISSIONS = frozenset({Needs.MISSION, Needs.LIVE, Needs.WORKTREE})
"""What must be there for actions that the hive of a mission is asked to do."""
LEAVING = frozenset({"quit", "leave"})


@runtime_checkable
class KeyTarget(Protocol):
    """A widget that does what keys mean while it has the focus."""

    def press(self, action: str) -> object:
        """Do an action by its name, if it is one of its own."""


@runtime_checkable
class TextSource(Protocol):
    """A widget that says what it shows."""

    def shown_text(self) -> str:
        """All of it."""


class Page(NeedsRoom, RateLimited):
    """One full screen."""

    AUTO_FOCUS = ""
    way_out = "esc goes back"
    uncovered = 2
    where = Where.VIEW
    """The place of the line that is typed into."""

    def __init__(self) -> None:
        super().__init__()
        self._line_height = 1
        self.way_here: tuple[str, ...] = ("missions",)
        """The way here: the view of the missions, and the words of the header for each view on the way."""
        self.meaningless = ""
        """The key that was pressed last, where it meant nothing."""

    @property
    def shell(self) -> PageShell:
        """Who shows it."""
        return cast("PageShell", self.app)

    @property
    def context(self) -> Context:
        """Whose keys count now."""
        return Context.TEXT

    @property
    def contexts(self) -> Sequence[Context]:
        """All whose keys may count here."""
        return (self.context,)

    def targets(self) -> list[Row]:
        """The missions that an action would meet."""
        return []

    def chosen(self) -> list[Row]:
        """The rows of any kind that an action would meet."""
        return self.targets()

    def chosen_of(self, view: str) -> list[Row]:
        """The rows that the verbs of a view mean here."""
        del view
        return []

    def happened(self, kinds: Collection[str]) -> None:
        """Events of these kinds came."""

    @property
    def is_filling(self) -> bool:
        """Whether it has just opened, and what it shows is about to come."""
        return False

    @property
    def restless(self) -> bool:
        """Whether what an action would meet has just moved."""
        return False

    def compose(self) -> ComposeResult:
        """The header, what the page shows, the line, and the hints."""
        self.head = HeaderRow(self)
        self.bar = CommandBar(id="bar")
        self.bar.display = False
        self.line = RestingLine(self)
        self.hints = HintsRow(self)
        self.show_edges(self.app.size)
        yield self.head
        yield from self.compose_body()
        yield self.bar
        yield self.line
        yield self.hints

    def compose_body(self) -> ComposeResult:
        """What stands between the header and the line."""
        yield from ()

    def show_edges(self, size: Size) -> None:
        """As many of them as the screen has room for, and as are wanted."""
        shape = screen_shape.shape(size.width, size.height, self._edges)
        self.head.display = bool(shape.header)
        self.head.styles.height = shape.header or 1
        self.line.display = bool(shape.line) and not self.bar.sign
        self.hints.display = bool(shape.hints)

    @property
    def _edges(self) -> Wish:
        return Wish(header=self.shell.main.shows_header, hints=self.shell.shows_hints)

    def on_resize(self, event: events.Resize) -> None:
        """Another size, other edges."""
        self.show_edges(event.size)

    def on_mount(self) -> None:
        """It can take keys now."""
        self._handlers = {context: self.handlers(context) for context in self.contexts}
        self.begin()
        self.take_keys()

    def take_keys(self) -> None:
        """What was typed ahead is for this page."""
        self.shell.typed.release()

    def begin(self) -> None:
        """Show and focus what is to be seen first."""

    def returned(self) -> None:
        """It is open again, after it was put away."""
        self.settings_changed()

    def settings_changed(self) -> None:
        """The configuration was saved."""
        for table in self.query(ResourceTable):
            table.draw_marks(ascii_only=self.shell.ascii_only)

    # the mouse

    @on(Lines.Clicked)
    def clicked(self, message: Lines.Clicked) -> None:
        """A click on an edge does what the key does that it stands for."""
        if message.lines is self.head:
            self.head.press_at(message.x)
        elif message.lines is self.line:
            self.line.press_at(message.x, message.y)
        elif message.lines is self.hints:
            self.hints.press_at(message.x)

    # keys

    def press(self, key: str, character: str | None) -> None:
        """Do what a key means here."""
        if self.bar.sign:
            self._press_in_bar(key, character)
            self.hints.refresh_if_changed()
            return
        hotkey = next((one for one in self.shell.settings.hotkeys if one.key in {character, key}), None)
        if hotkey is not None and hotkey.counts_in(self.context):
            self.shell.commands.run(hotkey.line)
            return
        self.shell.notice.take_key()
        was, self.meaningless = self.meaningless, ""
        if was or not self.line.display:
            self.refresh_line()
        action = keymap.meaning(self.context, key, character)
        if action is not None:
            self.act(action)
        elif key.startswith(ALT):
            self._press_both(key.removeprefix(ALT))
        elif prompt.is_of_person(key, character):
            self.meaningless = character or key
            self.refresh_line()

    def _press_both(self, key: str) -> None:
        """Esc with a key close behind it looks like alt and the key: it is both."""
        self.press("escape", None)
        page = self.app.screen
        if isinstance(page, Page):
            page.press_after_escape(key)

    def press_after_escape(self, key: str) -> None:
        """A key that came together with Esc, which has been obeyed; what may harm is not done, and that is said."""
        action = None if self.bar.sign else keymap.meaning(self.context, key, None)
        if action is None:
            return
        if (action.danger is Danger.NONE or action.takes_text) and action.name not in LEAVING:
            self.act(action)
        else:
            shown = actions.shown_key(key, ascii_only=self.shell.ascii_only)
            self.shell.flash(f"{shown}: not done, it came together with esc · press it again", "slow")

    def act(self, action: Action) -> None:
        """Do one action of the table; where nothing opens for the text that may follow, that is no commands."""
        self._act(action)
        opened = self.app.screen is not self or self.bar.sign or self.context is Context.TYPING
        if action.takes_text and not opened and not self.shell.typed.is_waiting:
            self.shell.typed.hush()

    def _act(self, action: Action) -> None:
        """Do it, unless it is not allowed."""
        if refusal := self.refusal(action):
            self.shell.flash(refusal, "slow")
            return
        self.shell.coaching.did(self.context, action.name)
        if (do := self._handlers[self.context].get(action.name)) is not None:
            do()
        elif not self.shell.actions.act(self, action):
            focused: object = self.focused
            if isinstance(focused, KeyTarget):
                focused.press(action.name)

    def refusal(self, action: Action, rows: Sequence[Row] | None = None) -> str:
        """Why an action can't be done to these rows, or to those that are meant; "": nothing keeps from it."""
        if not actions.allowed(action, read_only=self.shell.read_only):
            return f"read-only: {action.label} is off"
        if self.is_too_small and action.danger is not Danger.NONE:
            return "terminal too small to run this key safely"
        moved = actions.JUST_CHANGED if rows is None and self.restless and actions.acts_on_row(action) else ""
        return self._without_daemon(action, rows) or self._silent(action, rows) or moved

    def _without_daemon(self, action: Action, rows: Sequence[Row] | None) -> str:
        """Why an action on rows of this home can't be done, a sentence; "": nothing keeps from it."""
        fleet = self.shell.fleet
        if fleet.lost_since is None or not actions.asks_daemon(action):
            return ""
        meant = self.targets() if rows is None else rows
        is_elsewhere = bool(meant) and all(map(hive_of, meant))
        return "" if is_elsewhere else fleet.refusal(self.shell.now())

    def _silent(self, action: Action, rows: Sequence[Row] | None) -> str:
        """Why an action on missions of another hive can't be done, a sentence; "": nothing keeps from it."""
        hives = self.shell.hives
        asks = bool(action.verb) and action.needs in OF_MISSIONS
        return "" if hives is None or not asks else hives.refusal(self.targets() if rows is None else rows)

    @property
    def verbs(self) -> Mapping[str, Handler]:
        """What `:` does here that no key does."""
        return {}

    def paste(self, text: str) -> None:
        """What is pasted is typed into the open line, else it is nothing."""
        if self.bar.sign:
            self.bar.insert(text)
            self.hints.refresh_if_changed()

    def _press_in_bar(self, key: str, character: str | None) -> None:
        if key in {"escape", "ctrl+c"} or (key == "backspace" and not self.bar.field.text):
            self.close_bar()
        elif key == "enter":
            sign, text = self.bar.sign, self.close_bar()
            self.shell.typed_history.add(sign, text)
            self.entered(sign, text)
        elif key == "tab" and self.bar.sign == "/" and self.turn_prompt():
            self.refresh_status()
        elif character is not None:
            self.bar.insert(character)
        else:
            self.bar.press(key)

    def open_bar(self, sign: str, text: str = "", hint: str = "") -> None:
        """Begin to type; `hint` stands at the right end, where there is room."""
        complete = self.shell.commands.ghost if sign == ":" else lambda _: ""
        past, changed = self.shell.typed_history.of(sign), lambda text: self.typing(sign, text)
        self.bar.ask(sign, text, complete=complete, changed=changed, past=past, hint=hint)
        self.bar.display, self.line.display = True, False
        self.hints.refresh_if_changed()

    def close_bar(self) -> str:
        """Stop typing; what was typed."""
        text = self.bar.end()
        self.bar.display = False
        self.show_edges(self.app.size)
        self.hints.refresh_if_changed()
        return text

    def typing(self, sign: str, text: str) -> None:
        """The typed text changed."""

    def turn_prompt(self) -> bool:
        """Tab behind `/`: give it its other meaning; False when there is none."""
        return False

    def entered(self, sign: str, text: str) -> None:
        """Enter was pressed."""
        if sign == ":":
            self.shell.commands.run(text)

    # actions of every screen

    def handlers(self, context: Context) -> dict[str, Handler]:
        """What is done here with the keys of a context; neither what is done to rows, nor what widgets do."""
        del context
        return {
            "command": self.do_command,
            "help": self.do_help,
            "aliases": self.do_aliases,
            "refresh": self.refresh_or_take_over,
            "save": self.do_save,
            "hints": self.do_hints,
            "back": self.do_back,
            "quit": self.do_quit,
            "leave": self.do_leave,
            "history-back": self.shell.commands.back,
            "history-forward": self.shell.commands.forward,
            "history-last": self.shell.commands.last,
        }

    def do_command(self) -> None:
        """Type a command."""
        self.open_bar(":")

    def do_help(self) -> None:
        """The keys of this view."""
        self.shell.show("help")

    def do_aliases(self) -> None:
        """All views and verbs."""
        self.shell.show("aliases")

    def refresh_or_take_over(self) -> None:
        """Load this page again; where no supervisor answers, supervise first."""
        self.shell.take_over()
        self.do_refresh()

    def do_refresh(self) -> None:
        """Ask for everything anew."""
        self.shell.refresh_all()

    def do_save(self) -> None:
        """Save what is shown to a file."""
        clipboard.save(self.shell, self.shown_text(), self.way_here[-1])

    def shown_text(self) -> str:
        """What is shown, as text: what the widget with the keys says, else what is on the screen."""
        focused: object = self.focused
        if isinstance(focused, TextSource):
            return focused.shown_text()
        lines = self._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)

    def do_hints(self) -> None:
        """Show or hide the hints."""
        self.shell.shows_hints = not self.shell.shows_hints
        self.show_edges(self.app.size)

    def do_header(self) -> None:
        """Show or hide the header."""
        self.shell.main.shows_header = not self.shell.main.shows_header
        self.show_edges(self.app.size)

    def close_one(self) -> bool:
        """Close one thing that is open here, in the end the page itself; False where nothing is."""
        self.close()
        return True

    def close(self) -> None:
        """Show what is below."""
        if len(self.app.screen_stack) > 1:
            self.shell.notice.leave_view()
            self.app.pop_screen()
            self.shell.main.refresh_status()
            self.shell.commands.closed()

    def do_back(self) -> None:
        """Close one thing."""
        self.close_one()

    def step_back(self) -> bool:
        """Close the thing that the keys are in, or that hides something; False where they are at the root."""
        return self.close_one()

    def do_quit(self) -> None:
        """A step back; from the root leave the program."""
        if not self.step_back():
            self.shell.ask_leave()

    def do_leave(self) -> None:
        """Cancel the command line that takes long, else leave the program."""
        if not self.shell.jobs.cancel():
            self.shell.ask_leave()

    # the edges

    @property
    def place(self) -> str:
        """The words of the header for where this is; "" is the missions."""
        return " › ".join(self.way_here[1:])

    @property
    def hint_part(self) -> Part | Context:
        """The part whose hints are shown."""
        return self.context

    @property
    def is_covered(self) -> bool:
        """Whether something that stands before it has the keys."""
        return self.app.screen_stack[-1:] != [self]

    def on_screen_suspend(self) -> None:
        """Something else has the keys: none of its own is offered."""
        if self not in self.app.screen_stack:
            hand_over_waiting(self, self.app.screen)
        elif self.is_mounted:
            self.refresh_line()

    def on_screen_resume(self) -> None:
        """It has the keys again."""
        if self.is_mounted:
            self.refresh_line()

    def refresh_status(self) -> None:
        """A second went by, or something was said: the edges say what is true now."""
        self.head.refresh_if_changed()
        self.refresh_line()

    def refresh_line(self) -> None:
        """The line or the hints may say something else; a sentence that is longer than the line gets a second one."""
        lines = len(self.line.lines(self.app.size.width))
        if lines != self._line_height:
            self._line_height = lines
            self.line.styles.height = lines
        self.line.refresh_if_changed()
        self.hints.refresh_if_changed()

    @property
    def header_facts(self) -> HeaderFacts:
        """The facts of its header."""
        return self.shell.header_facts(self.place)

    @property
    def rest_facts(self) -> RestFacts:
        """What the line at rest may say now."""
        shell = self.shell
        facts = RestFacts(
            shell.folder_shown, self.where, self.filtered, None, self.meaningless, shell.jobs.long,
            self.absence, shell.coaching.line(self.context), shell.read_only, shell.zone, self.standing(),
            self.context, self.is_covered,
        )  # fmt: skip
        return shell.notice.in_line(facts, lambda: shell.coaching.step or shell.main.absence)

    def hinted_rows(self) -> list[Row]:
        """The rows that decide which keys the hints say as usable."""
        return self.chosen()

    def unusable(self) -> frozenset[str]:
        """Names of actions whose keys would do nothing now: their hints are faint."""
        refused = self.shell.actions.refused_actions(self, self.context)
        return hints.unusable(self.hinted_rows(), self.shell.fleet.asked, self.context) | refused

    @property
    def filtered(self) -> Filtered | None:
        """The filter of what is shown, while there is one."""
        return None

    def standing(self) -> Cell:
        """How the row under the cursor stands, for the line."""
        return Cell("")

    @property
    def absence(self) -> str:
        """The summary of the time while nobody was here, until that was looked at."""
        return ""
