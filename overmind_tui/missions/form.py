"""The dialog of a new mission: what to run, under which name, where, and when to start it again.

Enter anywhere starts it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.strip import Strip

from overmind_core.view import form_fields, keymap
from overmind_core.view.actions import Context
from overmind_core.view.cells import Cell
from overmind_core.view.form_fields import Form
from overmind_tui.missions import folder_completion
from overmind_tui.pages.page import Handler
from overmind_tui.pages.room import NeedsRoom
from overmind_tui.shell.shell import Shell, shell_of
from overmind_tui.widgets.canvas import Canvas

WIDTH = 84
LOW = 30
"""Rows of a terminal in which nothing is left for air."""
HOLD_SECONDS = 1.0
"""Seconds that keys wait for what becomes of it; then esc works again."""
HELP = ("enter starts · tab next · esc closes and keeps it", "enter starts · esc closes")


class FormScreen(NeedsRoom, ModalScreen[None]):
    """Asks for a mission; `refused` shows why it did not work, `done` closes it.

    Args:
        state: The form to begin with.
        start: Gets the form when it is to be started.
        keep: Gets the form whenever it is left without that.
    """

    AUTO_FOCUS = ""

    def __init__(self, state: Form, *, start: Callable[[FormScreen, Form], None], keep: Callable[[Form], None]) -> None:
        super().__init__()
        self.state = state
        self._start = start
        self._keep = keep
        self._waits = False
        self._is_over = False
        """True once the form is to be closed, as soon as nothing stands before it."""
        self._handlers: dict[str, Handler] = {
            "start": self.do_start,
            "newline": self.do_newline,
            "next-entry": self.do_next_entry,
            "previous-entry": self.do_previous_entry,
            "below": self.do_below,
            "above": self.do_above,
        }

    @property
    def shell(self) -> Shell:
        """Who shows it."""
        return shell_of(self)

    def compose(self) -> ComposeResult:
        """A box in the middle."""
        self._sheet = FormCanvas(self)
        with Vertical(id="form") as self._frame:
            self._frame.border_title = "new mission"
            yield self._sheet

    def on_mount(self) -> None:
        """It can take keys now."""
        self._changed()
        self.shell.typed.release()

    def on_resize(self) -> None:
        """Other lines."""
        self._changed()

    def on_screen_resume(self) -> None:
        """Nothing stands before it any more."""
        if self._is_over:
            self.close()

    # keys

    def press(self, key: str, character: str | None) -> None:
        """Type, go to another entry, start or leave."""
        action = None if character is not None else keymap.keymap(Context.FORM).get(key)
        if self._is_over:
            self.close()
        elif action is not None and action.name == "cancel":
            self.do_keep()
        elif self._waits:
            return
        elif character is not None:
            self._be(form_fields.typed(self.state, character))
        elif action is not None and action.name in self._handlers:
            self._handlers[action.name]()
        else:
            self._be(form_fields.pressed(self.state, key))

    def paste(self, text: str) -> None:
        """Into the entry with the cursor; nothing in a paste is a key."""
        if self._is_over:
            self.close()
        elif not self._waits and self.state.entry.kind not in {
            form_fields.EntryKind.CHOICE,
            form_fields.EntryKind.FOLD,
        }:
            self._be(form_fields.typed(self.state, text))

    def do_start(self) -> None:
        """Start it; keys wait for what becomes of it."""
        continued = form_fields.continued(self.state)
        if continued is not None:
            self._be(continued)
            return
        self.wait()
        self._start(self, self.state)

    def wait(self) -> None:
        """Let keys wait for what becomes of the mission that is being started."""
        self._waits = True
        hold = self.shell.typed.hold()
        self._hold_timer = self.set_timer(HOLD_SECONDS, partial(self.shell.typed.give_up, hold))
        self._changed()

    def do_keep(self) -> None:
        """Close it, and keep what was typed and is not started."""
        if not self._is_over:
            self._keep(self.state)
        self.close()

    def do_newline(self) -> None:
        """Another line."""
        self._be(form_fields.newline(self.state))

    def do_next_entry(self) -> None:
        """Complete the folder, else go to the next entry."""
        self._be(form_fields.completed(self.state) if self.state.ghost else form_fields.stepped(self.state, 1))

    def do_previous_entry(self) -> None:
        """To the entry before."""
        self._be(form_fields.stepped(self.state, -1))

    def do_below(self) -> None:
        """A row down, from the last one to the next entry."""
        self._vertical(1)

    def do_above(self) -> None:
        """A row up, from the first one to the entry before."""
        self._vertical(-1)

    def _vertical(self, step: int) -> None:
        moved = form_fields.moved(self.state, self._sheet.cells, step)
        self._be(moved if moved is not None else form_fields.stepped(self.state, step))

    # what became of it

    def refused(self, key: str, reason: str) -> None:
        """It was not started: the reason stays beside what is wrong."""
        self._wait_no_more()
        if not self.is_active:
            self.shell.flash(reason, "bad")
        self._be(form_fields.refused(self.state, key, reason))

    def close(self) -> None:
        """Leave the screen below to the keys."""
        self._is_over = True
        if self.is_active:
            self.app.pop_screen()
        self._wait_no_more()

    def _wait_no_more(self) -> None:
        if self._waits:
            self._waits = False
            self._hold_timer.stop()
            self.shell.typed.release()

    # drawing

    @property
    def waits(self) -> bool:
        """Whether it is being started."""
        return self._waits

    def _be(self, state: Form) -> None:
        before, self.state = self.state, state
        if state.at == "cwd" and state.values["cwd"].text != before.values["cwd"].text:
            self._complete(state.values["cwd"].text)
        self._changed()

    def _complete(self, text: str) -> None:
        """Look up what completes the folder."""
        base = self.shell.world.folder

        def work() -> Callable[[], None]:
            found = folder_completion.completion(text, base)
            return lambda: self._offer(text, found)

        self.shell.background(work)

    def _offer(self, text: str, found: folder_completion.Completion) -> None:
        self.state = form_fields.offered(self.state, text, found.ghost, found.candidates)
        self._changed()

    def _changed(self) -> None:
        if not self.is_mounted:
            return
        size = self.app.size
        self._frame.styles.width = min(WIDTH, size.width)
        self._frame.styles.padding = (1, 1) if size.height >= LOW else (0, 1)
        self._frame.border_subtitle = "starting …" if self._waits else HELP[size.width < len(HELP[0]) + 8]
        self._sheet.lay_out(min(WIDTH, size.width) - 4, size.height - (4 if size.height >= LOW else 2))


class FormCanvas(Canvas):
    """Draws the form; where it is too low for all of it, the part with the cursor."""

    def __init__(self, form: FormScreen) -> None:
        super().__init__()
        self._form = form
        self._lines: list[list[Cell]] = []
        self._top = 0
        self.cells = 0

    def lay_out(self, cells: int, most: int) -> None:
        """Draw it in so many cells and at `most` so many lines."""
        self.cells = cells
        ascii_only = self._form.shell.ascii_only
        self._lines, first, last = form_fields.drawn(self._form.state, cells, ascii_only=ascii_only)
        height = max(1, min(len(self._lines), most))
        self._top = max(0, min(self._top, first, len(self._lines) - height), last - height + 1)
        self.styles.height = height
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line; the cursor is a cell in reverse."""
        at = self._top + y
        cells = self._lines[at] if at < len(self._lines) else []
        runs = [
            (cell.text, Style(reverse=True) if cell.tone == form_fields.CURSOR else self.tone(cell.tone))
            for cell in cells
        ]
        return self.strip(runs, self.content_size.width)
