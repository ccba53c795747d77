"""A question with a few answers; the harmless one has the focus.

An answer that counts only once the question can have been read waits until it was on the screen for a moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen

from overmind_core.domain.text.cells import width
from overmind_tui.pages.page import NeedsRoom
from overmind_tui.render.cells import Cell, clipped
from overmind_tui.shell.shell import shell_of
from overmind_tui.widgets.canvas import literal
from overmind_tui.widgets.lines import Lines


class Answer(NamedTuple):
    """One answer: its keys, its words, and what it does."""

    keys: tuple[str, ...]
    label: str
    do: Callable[[], None]
    tone: str = ""


class Dialog(NeedsRoom, ModalScreen[None]):
    """Asks `lines` and does what is answered; esc is the last answer.

    Args:
        title: In the border.
        lines: What is at stake.
        answers: Side by side; `first` has the focus.
        first: Its place.
    """

    AUTO_FOCUS = ""

    def __init__(self, title: str, lines: Sequence[str], answers: Sequence[Answer], *, first: int) -> None:
        super().__init__()
        self._title = title
        self._lines = lines
        self._answers = answers
        self._at = first

    def compose(self) -> ComposeResult:
        """A box in the middle."""
        with Vertical(id="dialog") as box:
            box.border_title = literal(self._title)
            content = Lines(self._compose_lines)
            content.styles.height = len(self._lines) + 2
            needed = max(map(width, (*self._lines, self._labels)))
            box.styles.width = min(needed + 6, max(self.app.size.width - 2, 20))
            yield content

    def on_mount(self) -> None:
        """It can take keys now."""
        shell_of(self).typed.release()

    @property
    def _labels(self) -> str:
        return "  ".join(f"[ {answer.label} <{answer.keys[0]}> ]" for answer in self._answers)

    def _compose_lines(self, cells: int) -> Sequence[Sequence[Cell]]:
        labels: list[Cell] = []
        for place, answer in enumerate(self._answers):
            chosen = place == self._at
            text = f" {answer.label} <{answer.keys[0]}> "
            labels.append(Cell(f"[{text}]" if chosen else f" {text} ", "chosen" if chosen else answer.tone or "quiet"))
            labels.append(Cell(" "))
        return [*([Cell(clipped(line, cells))] for line in self._lines), [], labels]

    def press(self, key: str, character: str | None) -> None:
        """Choose, or answer; what nobody can see is not answered but by esc."""
        pressed = character or key
        if self.is_too_small and pressed not in {"escape", "ctrl+c"}:
            return
        if pressed in {"left", "shift+tab", "h"}:
            self._at = (self._at - 1) % len(self._answers)
        elif pressed in {"right", "tab", "l"}:
            self._at = (self._at + 1) % len(self._answers)
        elif pressed == "enter":
            self._answer(self._answers[self._at])
        elif pressed in {"escape", "ctrl+c"}:
            self._answer(self._answers[-1])
        else:
            for answer in self._answers:
                if pressed in answer.keys:
                    self._answer(answer)
                    return
        self.query_one(Lines).refresh()

    def paste(self, text: str) -> None:
        """A paste answers nothing."""

    def _answer(self, answer: Answer) -> None:
        self.app.pop_screen()
        answer.do()


MOMENT = 0.3
"""Seconds."""


class ReadingDelay:
    """Measures how long something has been on a screen."""

    def __init__(self) -> None:
        self._since = float("inf")
        self._shown = 0

    def begin(self, screen: Screen[None]) -> None:
        """Something else is shown from the next frame on."""
        self._since = float("inf")
        self._shown += 1
        shown = self._shown
        screen.call_after_refresh(self._painted, shown)

    def _painted(self, shown: int) -> None:
        if shown == self._shown:
            self._since = time.monotonic()

    @property
    def enough(self) -> bool:
        """Whether a person can have read it."""
        return time.monotonic() - self._since >= MOMENT


class DelayedConfirm(Dialog):
    """A dialog whose first answer counts only once its lines were on the screen for a moment."""

    def on_mount(self) -> None:
        """It can take keys now."""
        self.reading_delay = ReadingDelay()
        self.reading_delay.begin(self)
        super().on_mount()

    def press(self, key: str, character: str | None) -> None:
        """Choose, or answer what was read."""
        if key == "enter" and not self.reading_delay.enough:
            shell_of(self).flash("it has just come: read it, then press enter", "slow")
        else:
            super().press(key, character)
