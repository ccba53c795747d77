"""One full screen: keys looked up in the table, the line that is typed into, crumbs and flashes at the bottom.

Keys never pass through Textual's bindings: the program hands each to the screen on top, one after the other, so that
what is typed ahead arrives where it belongs. Screens paint no faster than the terminal takes what they paint, and say
so when the terminal is too small for them, instead of showing pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

from textual import events, on
from textual.app import ComposeResult
from textual.screen import Screen

from overmind_core.domain.operation import Danger
from overmind_core.domain.text.cells import width
from overmind_core.view import actions, keymap
from overmind_core.view.actions import Action, Context, Needs
from overmind_core.view.cells import Cell, Row, clipped, folded
from overmind_core.view.hive_keys import hive_of
from overmind_tui.render import layout
from overmind_tui.render.layout import Panel
from overmind_tui.shell import clipboard
from overmind_tui.shell.shell import RowSelection, Shell
from overmind_tui.shell.timers import SureTimers
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

    def does(self, name: str) -> bool:
        """Whether an action is one of these."""


class PageShell(Shell, Protocol):
    """The shell of a page: what is at the bottom of each, and what its keys ask for."""

    notice: Notice
    coaching: Coaching
    typed_history: TypedHistory
    shows_crumbs: bool

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


class RateLimited(Screen[None]):
    """What has changed is kept until a frame is due: fewer frames, never a queue of them."""

    def _on_timer_update(self) -> None:
        """Textual's own timer, which goes on until it is answered with a frame."""
        take_frame = getattr(self.app._driver, "take_frame", None)  # noqa: SLF001 - the application has no other way
        if take_frame is None or take_frame():
            super()._on_timer_update()


class NeedsRoom(SureTimers, Screen[None]):
    """Covers all of itself while it has no room, unless it has words of its own for that.

    Attributes:
        way_out: What to press then.
        uncovered: Lines at the bottom that stay in sight.
    """

    way_out = "esc closes this"
    uncovered = 0
    _shade: Lines | None = None

    @property
    def is_too_small(self) -> bool:
        """Whether nobody can see what keys would do."""
        return layout.is_too_small(*self.app.size)

    @on(events.Mount)
    @on(events.Resize)
    def fit(self) -> None:
        """It may have room now, or none any more."""
        if self._shade is None:
            if not self.is_too_small or self.query("#too-small"):
                return
            self._shade = Lines(self._shade_lines, id="too-small")
            self._shade.add_class("cover")
            self.mount(self._shade)
        self._shade.display = self.is_too_small
        self._shade.styles.height = max(self.app.size.height - self.uncovered, 1)
        self._shade.refresh()

    def _shade_lines(self, _cells: int) -> Sequence[Sequence[Cell]]:
        return [[Cell(text)] for text in layout.too_small(*self.app.size, self.way_out)]


FILLING_SECONDS = 0.1
"""How long a page that has just opened may wait for what it shows before it is drawn without that."""
ALT = "alt+"
CONTROL = "ctrl+"
OF_MISSIONS = frozenset({Needs.MISSION, Needs.LIVE, Needs.WORKTREE})
"""What must be there for actions that the hive of a mission is asked to do."""
LEAVING = frozenset({"quit", "leave"})
GAP = 2
"""Cells between the parts of the bottom line."""
NOTICE_LINES = 2
NOTHING = Cell("")
_WAITS = "wait"
"""The tone of what waits for the person."""


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
    uncovered = 1

    def __init__(self) -> None:
        super().__init__()
        self._bottom_height = 1
        self.crumbs: tuple[str, ...] = ("missions",)

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
        """A click on a hint does what its key does; one on a crumb goes back there."""
        if message.lines is self.bottom:
            if message.word == self.crumbs[0]:
                self.shell.main.to_front()
                self.shell.main.give(Panel.TABLE)
            elif message.word != self.crumbs[-1]:
                self.do_back()
            return
        shown = keymap.hints(self.context, read_only=self.shell.read_only)
        action = next((one for one in shown if actions.shown_key(one.keys[0]) == message.word), None)
        if action is not None:
            self.act(action)

    # keys

    def press(self, key: str, character: str | None) -> None:
        """Do what a key means here."""
        if self.bar.sign:
            self._press_in_bar(key, character)
            return
        hotkey = next((one for one in self.shell.settings.hotkeys if one.key in {character, key}), None)
        if hotkey is not None and hotkey.counts_in(self.context):
            self.shell.commands.run(hotkey.line)
            return
        self.shell.notice.take_key()
        action = keymap.meaning(self.context, key, character)
        if action is not None:
            self.act(action)
        elif key.startswith(ALT):
            self._press_both(key.removeprefix(ALT))
        elif character is not None or key.startswith(CONTROL):
            shown = actions.shown_key(character or key, ascii_only=self.shell.ascii_only)
            self.shell.flash(f"{shown} does nothing here · ? shows the keys", "quiet")

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
        if action.danger is Danger.NONE and action.name not in LEAVING:
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
        if not actions.allowed(action, read_only=self.shell.read_only):
            self.shell.flash(f"read-only: {action.label} is off", "slow")
            return
        if self.is_too_small and action.danger is not Danger.NONE:
            self.shell.flash("terminal too small to run this key safely", "slow")
            return
        if silent := self._without_daemon(action) or self._silent(action):
            self.shell.flash(silent, "slow")
            return
        self.shell.coaching.did(self.context, action.name)
        do = self._handlers[self.context].get(action.name)
        if do is not None:
            do()
        elif not self.shell.actions.act(self, action):
            focused: object = self.focused
            if isinstance(focused, KeyTarget):
                focused.press(action.name)

    def _without_daemon(self, action: Action) -> str:
        """Why an action on rows of this home can't be done, a sentence; "": nothing keeps from it."""
        fleet = self.shell.fleet
        if fleet.lost_since is None or not actions.asks_daemon(action):
            return ""
        rows = self.targets()
        is_elsewhere = bool(rows) and all(map(hive_of, rows))
        return "" if is_elsewhere else fleet.refusal(self.shell.now())

    def _silent(self, action: Action) -> str:
        """Why an action on missions of another hive can't be done, a sentence; "": nothing keeps from it."""
        hives = self.shell.hives
        asks = bool(action.verb) and action.needs in OF_MISSIONS
        return "" if hives is None or not asks else hives.refusal(self.targets())

    @property
    def verbs(self) -> Mapping[str, Handler]:
        """What `:` does here that no key does."""
        return {}

    def paste(self, text: str) -> None:
        """What is pasted is typed into the open line, else it is nothing."""
        if self.bar.sign:
            self.bar.insert(text)

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

    def open_bar(self, sign: str, text: str = "") -> None:
        """Begin to type."""
        complete = self.shell.commands.ghost if sign == ":" else lambda _: ""
        past = self.shell.typed_history
        self.bar.ask(sign, text, complete=complete, changed=lambda text: self.typing(sign, text), past=past.of(sign))
        self.bar.display, self.bottom.display = True, False

    def close_bar(self) -> str:
        """Stop typing; what was typed."""
        text = self.bar.end()
        self.bar.display, self.bottom.display = False, self.shell.shows_crumbs
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
            "crumbs": self.do_crumbs,
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
        clipboard.save(self.shell, self.shown_text(), self.crumbs[-1])

    def shown_text(self) -> str:
        """What is shown, as text: what the widget with the keys says, else what is on the screen."""
        focused: object = self.focused
        if isinstance(focused, TextSource):
            return focused.shown_text()
        lines = self._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)

    def do_crumbs(self) -> None:
        """Show or hide the bottom line."""
        self.shell.shows_crumbs = not self.shell.shows_crumbs
        self.bottom.display = self.shell.shows_crumbs

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

    def do_quit(self) -> None:
        """Close one thing; where nothing is open, leave the program."""
        if not self.close_one():
            self.shell.ask_leave()

    def do_leave(self) -> None:
        """Cancel the command line that takes long, else leave the program."""
        if not self.shell.jobs.cancel():
            self.shell.ask_leave()

    # the bottom line

    def refresh_status(self) -> None:
        """What the screen says of the time that goes by, and its bottom line, have changed."""
        self.refresh_bottom()

    def refresh_bottom(self) -> None:
        """What the bottom line says has changed; a notice that is longer than it gets a second one."""
        lines = len(self._bottom_lines(self.app.size.width))
        if lines != self._bottom_height:
            self._bottom_height = lines
            self.bottom.styles.height = lines
        self.bottom.refresh_if_changed()

    def _bottom_lines(self, cells: int) -> Sequence[Sequence[Cell]]:
        shell, notice = self.shell, self.shell.notice.shown
        if notice.text and width(notice.text) > cells - sum(width(f" <{one}>") for one in self.crumbs) - GAP:
            return whole_notice(notice, cells)
        coach = shell.coaching.line(self.context)
        return [bottom_line(self.crumbs, notice, cells, coach=coach, standing=self.standing())]

    def standing(self) -> Cell:
        """What the bottom line says while nothing was flashed: that nobody answers, where that is so."""
        refusal = self.shell.fleet.refusal(self.shell.now())
        return Cell(refusal, _WAITS) if refusal else NOTHING


def whole_notice(notice: Cell, cells: int) -> list[list[Cell]]:
    """A notice that is too long to stand beside where we are: it has the line, if need be another one, for itself."""
    first = Cell(f" {notice.text}", notice.tone)
    room = max(cells - 1, 1)
    lines = folded([[first]], room, 1)
    rest = ["".join(cell.text for cell in line).strip() for line in lines[NOTICE_LINES - 1 :]]
    last = [[Cell(clipped(f" {' '.join(rest)}", room), notice.tone)]] if rest else []
    return [*(list(line) for line in lines[: NOTICE_LINES - 1]), *last]


def bottom_line(
    crumbs: Sequence[str], notice: Cell, cells: int, *, coach: str = "", standing: Cell = NOTHING
) -> list[Cell]:
    """Where we are at the left; at the right what happened, else what stands.

    What to press next is between them where there is room; of what stands it takes the place where there is not, unless
    that waits for the person.
    """
    left = [Cell(f" <{crumb}>", "accent" if crumb == crumbs[-1] else "quiet") for crumb in crumbs]
    used = sum(width(cell.text) for cell in left)
    line = notice if notice.text else standing
    room = cells - used - width(coach) - 2 * GAP
    if not notice.text and standing.tone == _WAITS and room < width(standing.text):
        coach = ""
    if coach and not notice.text and 0 <= room < width(line.text):
        line = NOTHING
    if coach and width(line.text) <= room:
        left.append(Cell(f"{'':{GAP}}{coach}", "key"))
        used += GAP + width(coach)
    text = clipped(line.text, max(cells - used - 2, 0))
    return [*left, Cell(" " * max(cells - used - width(text) - 1, 0)), Cell(text, line.tone)]
