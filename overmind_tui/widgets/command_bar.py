"""The bar that is typed into: a prompt, the text with its cursor, and what would complete it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.style import Style
from textual.strip import Strip

from overmind_core.domain.text.cells import width
from overmind_core.view import field as typing
from overmind_core.view.field import Field
from overmind_tui.widgets.canvas import Canvas, Run

_CURSOR = Style(reverse=True)
APART = 2
"""Cells between what is typed and the hint, at least."""


class CommandBar(Canvas):
    """The bar; it takes no keys until `ask`.

    Attributes:
        sign: `:` or `/`, or "" while nothing is asked.
        broken: The text makes no sense yet.
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.sign = ""
        self.broken = False
        self.field = Field()
        self._complete: Callable[[str], str] = lambda _: ""
        self._changed: Callable[[str], None] = lambda _: None
        self._past: Sequence[str] = ()
        self._back = 0
        self._draft = ""
        """What was typed before the past was looked at."""
        self._hint = ""

    def ask(
        self,
        sign: str,
        text: str = "",
        *,
        complete: Callable[[str], str],
        changed: Callable[[str], None],
        past: Sequence[str] = (),
        hint: str = "",
    ) -> None:
        """Begin: `complete` says what completes a text, `changed` hears of each change, `past` ends with the newest.

        `hint` stands at the right end, where there is room.
        """
        self.sign, self.field, self.broken = sign, Field.of(text), False
        self._complete, self._changed, self._back = complete, changed, 0
        self._past, self._draft, self._hint = past, text, hint
        self.refresh()

    def end(self) -> str:
        """Stop, and return what was typed."""
        text = self.field.text
        self.sign, self.field, self.broken = "", Field(), False
        self.refresh()
        return text

    def insert(self, text: str) -> None:
        """Type or paste."""
        self._set(typing.typed(self.field, text))

    def press(self, key: str) -> None:
        """A key that is no character."""
        if key in {"tab", "right", "ctrl+f"} and self.field.at == len(self.field.text):
            if ghost := self._complete(self.field.text):
                self._set(Field.of(self.field.text + ghost))
        elif key in {"up", "down", "ctrl+p", "ctrl+n"}:
            self._recall(1 if key in {"up", "ctrl+p"} else -1)
        elif (changed := typing.pressed(self.field, key)) is not None:
            self._set(changed)

    def _recall(self, step: int) -> None:
        if not self._back:
            self._draft = self.field.text
        self._back = max(0, min(self._back + step, len(self._past)))
        self._set(Field.of(self._past[-self._back] if self._back else self._draft))

    def _set(self, field: Field) -> None:
        changed = field.text != self.field.text
        self.field = field
        if changed:
            self._changed(field.text)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The one line there is."""
        del y
        cells = self.content_size.width
        text, at = self.field.text, self.field.at
        style = self.tone("bad" if self.broken else "")
        room = max(cells - 3, 1)
        begin = typing.begin(self.field, room - 1)
        ghost = self._complete(text) if at == len(text) else ""
        under = text[at : at + 1] or ghost[:1] or " "
        behind = text[at + 1 : at + cells] if at < len(text) else ""
        runs: list[Run] = [
            (f" {self.sign}", self.tone("accent")),
            (text[begin:at], style),
            (under, style + _CURSOR),
            (behind, style),
            (ghost[1:], self.tone("faint")),
        ]
        gap = cells - sum(width(part) for part, _ in runs) - width(self._hint) - 1
        if self._hint and gap > APART:
            runs.append((f"{' ' * gap}{self._hint}", self.tone("faint")))
        return self.strip(runs, cells)
