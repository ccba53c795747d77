"""A new mission: what to run, under which name, where, and when to start it again. Enter anywhere starts it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.strip import Strip

from overmind_core.domain.cells import width
from overmind_tui.view import field as typing
from overmind_tui.view.cells import clipped
from overmind_tui.view.field import Field
from overmind_tui.widgets.canvas import Canvas, Run

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp

LABEL = 10
"""Cells of a label."""
WIDTH = 72


class Entry(NamedTuple):
    """One line of the form; with choices, left and right go through them."""

    key: str
    label: str
    hint: str
    choices: tuple[str, ...] = ()


ENTRIES = (
    Entry("command", "command", "a shell command, such as: make test"),
    Entry("name", "name", "generated"),
    Entry("cwd", "folder", "where it runs"),
    Entry("restart", "restart", "", ("never", "on-failure", "always")),
)


class Form(ModalScreen[None]):
    """Asks for a mission; `start` gets what was typed, and `refused` shows why it did not work.

    Args:
        start: Gets the values by key.
        cwd: The folder to begin with.
        command: The command to begin with.
    """

    AUTO_FOCUS = ""

    def __init__(self, start: Callable[[dict[str, str]], None], *, cwd: str, command: str = "") -> None:
        super().__init__()
        self._start = start
        self._values = {"command": Field.of(command), "name": Field(), "cwd": Field.of(cwd), "restart": Field("never")}
        self._at = 0
        self._refusal = ("", "")
        self._waits = False

    def compose(self) -> ComposeResult:
        """A box in the middle."""
        with Vertical(id="form") as box:
            box.border_title = "new mission"
            box.border_subtitle = "enter start · tab next · esc cancel"
            box.styles.width = min(WIDTH, max(self.app.size.width - 2, 20))
            yield _Entries(self)

    def on_mount(self) -> None:
        """It can take keys now."""
        cast("OvermindApp", self.app).typed.release()

    def press(self, key: str, character: str | None) -> None:
        """Type, go to another entry, start or cancel."""
        entry = ENTRIES[self._at]
        field = self._values[entry.key]
        if self._waits:
            return
        if key in {"escape", "ctrl+c"}:
            self.app.pop_screen()
        elif key == "enter":
            self._enter()
        elif key in {"tab", "down"}:
            self._at = (self._at + 1) % len(ENTRIES)
        elif key in {"shift+tab", "up"}:
            self._at = (self._at - 1) % len(ENTRIES)
        elif entry.choices:
            if key in {"left", "right", "space"}:
                step = -1 if key == "left" else 1
                chosen = (entry.choices.index(field.text) + step) % len(entry.choices)
                self._values[entry.key] = Field(entry.choices[chosen])
        elif character is not None:
            self._type(entry.key, typing.typed(field, character))
        elif (changed := typing.pressed(field, key)) is not None:
            self._type(entry.key, changed)
        self.query_one(_Entries).refresh()

    def paste(self, text: str) -> None:
        """Into the entry with the cursor."""
        entry = ENTRIES[self._at]
        if not entry.choices and not self._waits:
            self._type(entry.key, typing.typed(self._values[entry.key], text))
            self.query_one(_Entries).refresh()

    def refused(self, key: str, reason: str) -> None:
        """Show why it was not started, beside the entry that is wrong."""
        self._waits = False
        self._refusal = (key, reason)
        self._at = next((at for at, entry in enumerate(ENTRIES) if entry.key == key), self._at)
        self.query_one(_Entries).refresh()

    def _type(self, key: str, field: Field) -> None:
        self._values[key] = field
        if self._refusal[0] == key:
            self._refusal = ("", "")

    def _enter(self) -> None:
        if not self._values["command"].text.strip():
            self.refused("command", "say what to run")
            return
        self._waits = True
        self._start({key: field.text.strip() for key, field in self._values.items()})

    def line(self, y: int) -> tuple[Entry | None, Field, bool, str]:
        """What stands on a line: an entry, its value, whether the cursor is there; or the refusal below it."""
        entry, row = ENTRIES[min(y // 2, len(ENTRIES) - 1)], y % 2
        if row:
            return None, Field(), False, self._refusal[1] if self._refusal[0] == entry.key else ""
        return entry, self._values[entry.key], ENTRIES[self._at] is entry, ""


class _Entries(Canvas):
    """Draws the entries."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self._form = form
        self.styles.height = 2 * len(ENTRIES)

    def render_line(self, y: int) -> Strip:
        """An entry, or what is wrong with the one above."""
        entry, field, active, refusal = self._form.line(y)
        cells = self.content_size.width
        if entry is None:
            return self.strip([(" " * (LABEL + 1) + clipped(refusal, cells - LABEL - 1), self.tone("bad"))], cells)
        label = (f" {entry.label:<{LABEL}}", self.tone("accent" if active else "quiet"))
        return self.strip([label, *self._value(entry, field, cells - LABEL - 1, active=active)], cells)

    def _value(self, entry: Entry, field: Field, cells: int, *, active: bool) -> Sequence[Run]:
        if entry.choices:
            return [
                (
                    f"{'●' if choice == field.text else '○'} {choice}  ",
                    self._choice(choice == field.text, active=active),
                )
                for choice in entry.choices
            ]
        if not active:
            return [(clipped(field.text, cells), Style.null())] if field.text else [(entry.hint, self.tone("faint"))]
        text, at = field.text, field.at
        begin = 0
        while width(text[begin:at]) >= cells:
            begin += 1
        cursor = (text[at : at + 1] or " ", Style(reverse=True))
        hint = "" if text else entry.hint[: cells - 1]
        return [(text[begin:at], Style.null()), cursor, (text[at + 1 :] or hint, self.tone("" if text else "faint"))]

    def _choice(self, chosen: bool, *, active: bool) -> Style:  # noqa: FBT001 - the first word says it
        return self.tone(("accent" if active else "") if chosen else "faint")
