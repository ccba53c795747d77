"""A question with a few answers; the harmless one has the focus.

An answer that ends work, or allows something, counts only once the question was on the screen for a moment: what is
typed before that was not meant for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size
from textual.screen import ModalScreen, Screen

from overmind_core.domain.text.cells import width
from overmind_core.view.cells import Cell, Row, clipped, clipped_line, folded, safe
from overmind_tui.pages.page import ALT, Page
from overmind_tui.pages.room import NeedsRoom
from overmind_tui.shell.shell import Shell, shell_of
from overmind_tui.widgets.canvas import literal
from overmind_tui.widgets.lines import Lines

MOMENT = 0.3
"""Seconds that a question must have been on the screen before an answer that changes something counts."""
WEIGHTY = frozenset({"bad", "slow"})
"""The tones of answers that end work, and of those that allow something."""


SIDES, ENDS = 6, 4
"""Columns and rows of a box that its border and its blanks take."""
BELOW = 2
"""Rows below the lines: a blank one, and the answers."""


def is_shown_whole(lines: Sequence[str], screen: Size) -> bool:
    """Whether a question on a screen of this size cuts none of these lines."""
    cells = _widest(screen) - SIDES
    rows = folded([[Cell(line)] for line in lines], cells, 0)
    return len(rows) <= _room(screen) and all(
        width("".join(cell.text for cell in row).rstrip()) <= cells for row in rows
    )


def _widest(screen: Size) -> int:
    return max(screen.width - 2, 20)


def _room(screen: Size) -> int:
    return screen.height - ENDS - BELOW


class Answer(NamedTuple):
    """One answer: its keys, its words, and what it does."""

    keys: tuple[str, ...]
    label: str
    do: Callable[[], None]
    tone: str = ""

    def counts(self, shown_seconds: float) -> bool:
        """Whether it may be given to a question that was shown for so long; -inf: it is not on the screen yet."""
        return self.tone not in WEIGHTY or shown_seconds >= MOMENT


class Dialog(NeedsRoom, ModalScreen[None]):
    """Asks `lines` and does what is answered; esc is the last answer.

    Args:
        title: In the border.
        lines: What is at stake.
        answers: Side by side; `first` has the focus.
        first: Its place.
        renewed: Returns the lines by what is known now; None: they stay.
    """

    AUTO_FOCUS = ""

    def __init__(
        self, title: str, lines: Sequence[str], answers: Sequence[Answer], *, first: int,
        renewed: Callable[[], Sequence[str]] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._title = title
        self._lines = lines
        self._answers = answers
        self._at = first
        self._renewed = renewed
        self._came = "opened"
        self.reading_delay = ReadingDelay()

    def compose(self) -> ComposeResult:
        """A box in the middle."""
        with Vertical(id="dialog") as box:
            box.border_title = literal(self._title)
            content = Lines(self._compose_lines)
            self._fit(box, content)
            yield content

    def _fit(self, box: Vertical, content: Lines) -> None:
        needed = max(map(width, (*self._lines, self._labels)))
        whole = min(needed + SIDES, _widest(self.app.size))
        box.styles.width = whole
        content.styles.height = len(self._rows(whole - SIDES)) + BELOW

    def on_resize(self) -> None:
        """Another width, other rows."""
        for content in self.query("#dialog > Lines").results(Lines):  # none before it is composed
            self._fit(self.query_one("#dialog", Vertical), content)

    def _rows(self, cells: int) -> list[list[Cell]]:
        """The lines in as many rows as they take; where there is no room for those, a row for each."""
        rows = folded([[Cell(line)] for line in self._lines], cells, 0)
        if len(rows) > _room(self.app.size):
            return [[Cell(clipped(line, cells))] for line in self._lines]
        return [clipped_line(row, cells) for row in rows]

    def renew(self) -> None:
        """What it is about may have changed: what is said of that follows, and has to be read anew."""
        lines = self._lines if self._renewed is None else self._renewed()
        if list(lines) == list(self._lines):
            return
        self._lines, self._came = lines, "changed"
        content = self.query_one(Lines)
        self._fit(self.query_one("#dialog", Vertical), content)
        content.refresh()
        self.reading_delay.begin(self)

    def on_mount(self) -> None:
        """It can take keys now."""
        self.reading_delay.begin(self)
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
        return [*self._rows(cells), [], labels]

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
        elif key.startswith(ALT):
            self._press_both(key.removeprefix(ALT))
        else:
            for answer in self._answers:
                if pressed in answer.keys:
                    self._answer(answer)
                    return
        self.query_one(Lines).refresh()

    def _press_both(self, key: str) -> None:
        """Esc with a key close behind it, which is for what is below."""
        self._answer(self._answers[-1])
        page = self.app.screen
        if isinstance(page, Page):
            page.press_after_escape(key)

    def paste(self, text: str) -> None:
        """A paste answers nothing."""

    def _answer(self, answer: Answer) -> None:
        if not answer.counts(self.reading_delay.seconds):
            shell_of(self).flash(f"the question just {self._came}: read it, then press {answer.keys[0]}", "slow")
            return
        self.app.pop_screen()
        answer.do()


NAMED = 8
"""Rows that a question names, each on a line."""


def ask_first(
    shell: Shell, word: str, rows: Sequence[Row], lines: Callable[[], Sequence[str]], then: Callable[[], None]
) -> None:
    """Ask before something ends, with the focus on what changes nothing.

    Args:
        shell: Who shows it.
        word: What would be done to what: `cancel quest`.
        rows: To these.
        lines: Returns what is at stake by what is known now.
        then: Does it.
    """

    def said() -> list[str]:
        found = lines()
        more = [f"… and {len(found) - NAMED} more"] if len(found) > NAMED else []
        return [*found[:NAMED], *more]

    verb, _, noun = word.partition(" ")
    which = f"{word} {safe(rows[0]['name'])}" if len(rows) == 1 else f"{verb} {len(rows)} {noun}s"
    title = f"{which.rstrip()}?"
    answers = [Answer(("y",), verb, then, "bad"), Answer(("n",), "keep", lambda: None)]
    shell.open(Dialog(title, said(), answers, first=1, renewed=said))


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
    def seconds(self) -> float:
        """How long it was shown; -inf: it is not on the screen yet."""
        return time.monotonic() - self._since

    @property
    def enough(self) -> bool:
        """Whether a person can have read it."""
        return self.seconds >= MOMENT
