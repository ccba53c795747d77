"""Rows as bytes that show them: text, and between it the changes of look that it needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from overmind_core.terminal.row import Row, Run, Wrap
from overmind_core.terminal.sgr import parameters_of
from overmind_core.terminal.style import DEFAULT, Style, linked


def change(old: Style, new: Style) -> str:
    """What turns one look into another; "" when they are the same."""
    if old == new:
        return ""
    look = "" if linked(old, new.link) == new else f"\x1b[{parameters_of(new)}m"
    link = "" if old.link == new.link else f"\x1b]8;;{new.link or ''}\x1b\\"
    return look + link


def at(x: int, y: int) -> str:
    """To a cell, counted from 0."""
    return f"\x1b[{y + 1};{x + 1}H"


def coloured(row: Row) -> str:
    """One row without blanks at its end; the look is the default one before and after."""
    return "".join(_text(_trimmed(row.runs())))


def all_cells(rows: Sequence[Row]) -> Iterator[str]:
    """Rows on a blank screen whose look is the default one, as it is afterwards.

    A row whose text goes on lets the terminal wrap it, so that the other end knows both as one line.
    """
    wrapping = False
    for y, row in enumerate(rows):
        goes_on = _goes_on(rows, y)
        runs = row.runs() if goes_on else _trimmed(row.runs())
        if goes_on is Wrap.WIDE:
            runs = _without_last(runs)
        if wrapping or runs:
            yield "" if wrapping else at(0, y)
            yield from _text(runs or [(" ", DEFAULT)])
        wrapping = bool(goes_on)


def _goes_on(rows: Sequence[Row], y: int) -> Wrap:
    """How row `y` wraps when it is written anew: a filler is left out only where a wide character makes it again."""
    row = rows[y]
    if not row.wrapped or y + 1 == len(rows):
        return Wrap.NO
    following = rows[y + 1]
    wide = following.cells[1:2] == [""] and row.cells[-1] == " "
    same = wide and row.styles[-1] is following.styles[0]
    return Wrap.WIDE if same and row.wrapped is Wrap.WIDE else Wrap.YES


def _trimmed(runs: list[Run]) -> list[Run]:
    """Without blanks of the default look at the end."""
    text, style = runs[-1]
    if style != DEFAULT:
        return runs
    text = text.rstrip(" ")
    return [*runs[:-1], (text, style)] if text else runs[:-1]


def _without_last(runs: list[Run]) -> list[Run]:
    text, style = runs[-1]
    return [*runs[:-1], (text[:-1], style)]


def _text(runs: list[Run]) -> Iterator[str]:
    look = DEFAULT
    for text, style in runs:
        yield change(look, style)
        yield text
        look = style
    yield change(look, DEFAULT)
