"""What becomes of every line before it goes to a terminal that has few glyphs, or to a person who wants no colours."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter, Monochrome, NoColor

_GLYPHS = {
    "⬢": "*", "▶": ">", "❯": "_", "≈": "~", "…": ".", "↻": "@", "✔": "+", "✖": "x", "✗": "x", "–": "-", "—": "-",
    "‖": "=", "⌨": "#", "•": "o", "·": "-", "▸": ">", "⚙": "*", "↑": "^", "↓": "v", "←": "<", "→": ">", "×": "x",
    "│": "|", "─": "-", "├": "|", "└": "`", "╭": "+", "╮": "+", "╰": "+", "╯": "+", "┌": "+", "┐": "+", "┘": "+",
    "┤": "|", "┬": "+", "┴": "+", "┼": "+", "━": "=", "┃": "|", "●": "*", "○": "o", "⊘": "/", "◆": "*",
    "▁": "_", "▂": ".", "▃": ":", "▄": "-", "▅": "=", "▆": "+", "▇": "*", "█": "#",
}  # fmt: skip
PLAIN = str.maketrans(_GLYPHS)
"""What we draw with → ASCII of the same width."""


class Plain(LineFilter):
    """Draws marks, frames and graphs with ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same line in other glyphs."""
        del background
        return [Segment(text.translate(PLAIN), style, control) for text, style, control in segments]


PLAIN_GLYPHS, NO_COLOURS = Plain(), NoColor()


def filters(given: Sequence[LineFilter], *, ascii_only: bool) -> list[LineFilter]:
    """Those of Textual, with ours: it would make greys of colours that nobody wants."""
    found = [NO_COLOURS if isinstance(one, Monochrome) else one for one in given]
    return [*found, *([PLAIN_GLYPHS] if ascii_only else [])]
