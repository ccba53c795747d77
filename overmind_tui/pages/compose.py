"""The composer: a text of several lines for an agent, typed, pasted, written in an editor, recalled.

It stays open until the text arrived.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.strip import Strip

from overmind_core.view import composer as editing
from overmind_core.view import keymap
from overmind_core.view.actions import Context
from overmind_core.view.cells import Cell, clipped, folded, safe
from overmind_core.view.field import Field
from overmind_tui.pages.page import Handler
from overmind_tui.pages.room import NeedsRoom
from overmind_tui.shell import external
from overmind_tui.shell.shell import Shell, shell_of
from overmind_tui.widgets.canvas import Canvas, literal
from overmind_tui.widgets.lines import Lines

FEWEST = 3
"""Rows of the text that are always there."""
BESIDE = 4
"""Cells beside the box: its border, and a blank on each side."""
HOLD_SECONDS = 1.0
"""Seconds that keys wait for what becomes of a text; then esc works again."""
SEND, COMMIT, SAVE, START = "send", "commit", "save", "start"
WAITS = {SEND: "sending", COMMIT: "committing", SAVE: "saving", START: "starting"}
"""What enter does → what is said until it is done."""
HELP = "enter {verb}s · ctrl-j new line · ctrl-g editor · esc keeps it"


class Purpose(NamedTuple):
    """What a text is for.

    Attributes:
        title: In the border; in the line, before the text.
        send: Takes the text, and tells the box later what became of it: `done` or `refused`.
        keep: Takes a text that was not sent.
        draft: What was kept before.
        history: What was sent before, the newest last.
        note: What is to be known about it.
        verb: What enter does.
        recall: Takes a text that was cancelled, so that the history has it; None: nobody keeps it.
        way_back: How that text comes back.
    """

    title: str
    send: Callable[[Composer, str], None]
    keep: Callable[[str], None]
    draft: str = ""
    history: Sequence[str] = ()
    note: str = ""
    verb: str = SEND
    recall: Callable[[str], None] | None = None
    way_back: str = "up in the next one restores the text"


class Composer(NeedsRoom, ModalScreen[None]):
    """Takes a text at the bottom of the screen, which stays readable above."""

    AUTO_FOCUS = ""

    def __init__(self, purpose: Purpose) -> None:
        super().__init__()
        self.purpose = purpose
        self.field = Field.of(purpose.draft)
        self._back = 0
        """How far back in the history; 0 is what is being written."""
        self._own = self.field
        self.refusal = ""
        """Why it was not taken."""
        self.waits = False
        """It is on its way."""
        self._hold = 0
        """The number of the hold by which keys wait for what becomes of the text."""
        self._has_arrived = False
        """True once the text has arrived: the composer is closed as soon as nothing stands before it."""
        self.handlers: dict[str, Handler] = {
            "send": self.do_send,
            "newline": self.do_newline,
            "editor": self.do_editor,
            "older": self.do_older,
            "newer": self.do_newer,
        }
        self._leaving: dict[str, Handler] = {"keep": self.do_keep, "cancel": self.do_cancel}
        """What counts also while the text is on its way."""

    @property
    def shell(self) -> Shell:
        """Who shows it."""
        return shell_of(self)

    @property
    def context(self) -> Context:
        """Whose keys count."""
        return Context.BOX

    @property
    def rows(self) -> Sequence[editing.TextRow]:
        """The rows in which the text is shown."""
        return self._sheet.rows

    def compose(self) -> ComposeResult:
        """The text, and below it why it was not taken."""
        with Vertical(id="box") as frame:
            frame.border_title = literal(clipped(self.purpose.title, max(self.app.size.width - 8, 8)))
            frame.border_subtitle = literal(HELP.format(verb=self.purpose.verb))
            self._sheet = ComposerCanvas(self)
            self._below = Lines(self._compose_below)
            yield self._sheet
            yield self._below

    def on_mount(self) -> None:
        """It can take keys now."""
        self.changed()
        self.shell.typed.release()

    def on_resize(self) -> None:
        """Other rows."""
        self.changed()

    def on_screen_resume(self) -> None:
        """Nothing stands before it any more."""
        if self._has_arrived:
            self.close()

    # keys

    def press(self, key: str, character: str | None) -> None:
        """Type, edit, send or leave."""
        action = None if character is not None else keymap.keymap(self.context).get(key)
        if self._has_arrived:
            self.close()
        elif action is not None and action.name in self._leaving:
            self._leaving[action.name]()
        elif self.waits:
            return
        elif character is not None:
            self._write(editing.typed(self.field, character))
        elif action is not None and action.name in self.handlers:
            self.handlers[action.name]()
        elif (changed := editing.pressed(self.field, key)) is not None:
            self._write(changed)

    def paste(self, text: str) -> None:
        """Lines stay lines; nothing in a paste is a key."""
        if not self.waits:
            self._write(editing.typed(self.field, text))

    def do_send(self) -> None:
        """Hand it over; keys wait for what becomes of it."""
        continued = editing.continued_draft(self.field)
        if continued is not None:
            self._write(continued)
        elif reason := self.lacks():
            self.refused(reason)
        else:
            self.wait()
            self.purpose.send(self, self.field.text)

    def wait(self) -> None:
        """Let keys wait for what becomes of the text, which is on its way."""
        self.waits, self.refusal = True, ""
        self._hold = self.shell.typed.hold()
        self._hold_timer = self.set_timer(HOLD_SECONDS, partial(self.shell.typed.give_up, self._hold))
        self.changed()

    def lacks(self) -> str:
        """Why the text can't be sent, a sentence; "": it can."""
        return "" if self.field.text.strip() else "the text is empty · esc closes it"

    def do_newline(self) -> None:
        """Go on in another line."""
        self._write(editing.typed(self.field, "\n"))

    def do_keep(self) -> None:
        """Close it, and keep what was written and has not arrived."""
        if not self._has_arrived:
            self.purpose.keep(self.field.text)
        self.close()

    def do_cancel(self) -> None:
        """Close it, and keep nothing but the way back to it."""
        self.purpose.keep("")
        if self.field.text.strip() and self.purpose.recall is not None:
            self.purpose.recall(self.field.text)
            self.shell.flash(f"cancelled · {self.purpose.way_back}", "quiet")
        self.close()

    def do_older(self) -> None:
        """A row up; from the first one back in the history."""
        self._step(-1)

    def do_newer(self) -> None:
        """A row down; from the last one forth in the history."""
        self._step(1)

    def _step(self, step: int) -> None:
        moved = editing.vertical(self.field, self.rows, step)
        if moved is not None:
            self.field = moved
            self.changed()
            return
        back = self._back - step
        if 0 <= back <= len(self.purpose.history):
            self._own = self.field if self._back == 0 else self._own
            self._back = back
            self.field = Field.of(self.purpose.history[-back]) if back else self._own
            self.changed()

    def do_editor(self) -> None:
        """Go on in the person's own editor."""
        world = self.shell.world
        handle, path = tempfile.mkstemp(prefix="overmind-", suffix=".md")
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(self.field.text)
        editor = world.environ.get("VISUAL") or world.environ.get("EDITOR") or "vi"
        folder = world.folder if os.path.isdir(world.folder) else "/"
        external.run(self.shell, [*shlex.split(editor), path], cwd=folder, then=lambda code: self._edited(path, code))

    def _edited(self, path: str, code: int) -> None:
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                text = file.read()
        except OSError as error:
            self.refused(f"cannot read the editor's file: {error.strerror}")
            return
        os.unlink(path)
        if code:
            self.refused(f"the editor exited with code {code}: the text is unchanged")
        else:
            self._write(Field.of(text.removesuffix("\n")))

    # what became of it

    def done(self) -> None:
        """It has arrived."""
        self.purpose.keep("")
        self._has_arrived = True
        self.close()

    def refused(self, reason: str) -> None:
        """It was not taken: it stays, with the reason."""
        if not self.is_active:
            self.shell.flash(reason, "bad")
        if self.waits:
            self._hold_timer.stop()
            self.shell.typed.give_up(self._hold)
        self.waits, self.refusal = False, reason
        if self.is_attached:
            self.changed()

    def set_title(self, title: str) -> None:
        """It is for others now."""
        self.query_one("#box", Vertical).border_title = literal(clipped(title, max(self.app.size.width - 8, 8)))

    def close(self) -> None:
        """Leave the screen below to the keys."""
        if self.is_active:
            self.app.pop_screen()
            self.shell.typed.release()

    # drawing

    def _write(self, field: Field) -> None:
        self.field, self.refusal, self._back = field, "", 0
        self.changed()

    def changed(self) -> None:
        """Draw it anew."""
        if not self.is_mounted:
            return
        self._sheet.lay_out(self.field, most=max(FEWEST, self.app.size.height // 2))
        cells = max(self.app.size.width - BESIDE, 1)
        self._below.styles.height = len(self._refusal_lines(cells)) if self.refusal else 1
        self._below.refresh()

    def _compose_below(self, cells: int) -> Sequence[Sequence[Cell]]:
        if self.waits:
            return [[Cell(f" {WAITS[self.purpose.verb]} …", "quiet")]]
        if self.refusal:
            return self._refusal_lines(cells)
        lines = self.field.text.count("\n") + 1
        text = " " + " · ".join(filter(None, (f"{lines} lines" if lines > 1 else "", self.purpose.note)))
        return [[Cell(clipped(text, cells), "faint")]]

    def _refusal_lines(self, cells: int) -> Sequence[Sequence[Cell]]:
        return folded([[Cell(f" {safe(self.refusal)}", "bad")]], cells, 0)


class ComposerCanvas(Canvas):
    """Draws the rows around the cursor."""

    def __init__(self, composer: Composer) -> None:
        super().__init__()
        self._composer = composer
        self._text: str | None = None
        self._cells = 0
        self._top = 0
        self.rows: list[editing.TextRow] = [editing.TextRow(0, 0)]

    def lay_out(self, field: Field, *, most: int) -> None:
        """Break the text into rows, and have the cursor's in sight; as high as it needs, at `most` so many rows."""
        cells = max(self.app.size.width - BESIDE - 2, 8)
        if field.text != self._text or cells != self._cells:
            self._text, self._cells = field.text, cells
            self.rows = editing.rows(field.text, cells)
        height = max(FEWEST, min(len(self.rows), most))
        at = editing.row_of(self.rows, field.at)
        self._top = max(min(self._top, at, len(self.rows) - height), at - height + 1, 0)
        self.styles.height = height
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row; the cursor is a cell in reverse."""
        cells = self.content_size.width
        at = self._top + y
        if at >= len(self.rows):
            return self.strip([], cells)
        text, (start, end), cursor = self._composer.field.text, self.rows[at], self._composer.field.at
        if at != editing.row_of(self.rows, cursor):
            return self.strip([(" " + editing.drawn(text[start:end]), Style.null())], cells)
        under = editing.drawn(text[cursor : min(cursor + 1, end)]) or " "
        return self.strip(
            [
                (" " + editing.drawn(text[start:cursor]), Style.null()),
                (under, Style(reverse=True)),
                (editing.drawn(text[cursor + 1 : end]), Style.null()),
            ],
            cells,
        )
