"""Rendering a screen as the bytes that show it: what a viewer who comes late is sent.

The terminal at the other end is of the same size. What is hidden of an alternate screen is not sent;
the scrollback is where it is asked for. A row is its text, and between it the changes of look that it needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from functools import lru_cache

from overmind_core.terminal import modes
from overmind_core.terminal.cells import DEFAULT, FIELDS, CellRow, Run, Style, Wrap, cells_of, linked, styled
from overmind_core.terminal.sgr import parameters_of
from overmind_core.terminal.state import SLOTS, TAB, Charsets, SavedCursor, TerminalState


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


def coloured(row: CellRow) -> str:
    """One row without blanks at its end; the look is the default one before and after."""
    return "".join(_text(_trimmed(row.runs())))


def seen(row: CellRow, columns: int, *, colours: bool) -> str:
    """The left part of a row as `coloured` has it, for who looks at a picture of it: without links."""
    shown = deepcopy(row)
    if columns < len(shown.cells):
        shown.clip(columns)
    shown.styles = [_seen_look(style, colours=colours) for style in shown.styles]
    return coloured(shown)


@lru_cache(maxsize=4096)
def _seen_look(style: Style, *, colours: bool) -> Style:
    left_out = {"link"} if colours else {"link", "foreground", "background", "underline_colour"}
    return styled(**{name: getattr(style, name) for name in FIELDS if name not in left_out})


def all_cells(rows: Sequence[CellRow]) -> Iterator[str]:
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


def _goes_on(rows: Sequence[CellRow], y: int) -> Wrap:
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


def above(rows: Sequence[tuple[list[Run], bool]], columns: int, height: int) -> str:
    """What puts rows above the screen of a fresh terminal of this size, whose screen is blank then.

    Args:
        rows: The oldest first, with whether the text of each goes on in the next one.
        columns: Of the terminal; no row is wider.
        height: Rows of its screen.
    """
    parts = []
    for number, (runs, goes_on) in enumerate(rows, 1):
        wraps = goes_on and number < len(rows) and sum(len(cells_of(text)) for text, _ in runs) == columns
        parts.append("".join(_text(runs if wraps or not runs else _trimmed(runs))))
        parts.append("" if wraps else "\r\n")
    parts.append(at(0, height - 1) + "\n" * min(len(rows), height - 1))
    return "".join(parts)


SOFT_RESET = "\x1b[!p"
CLEAN = f"{SOFT_RESET}\x1b[r\x1b[4;20l\x1b[?5;6l\x1b[?7;25h\x1b(B\x0f\x1b]8;;\x1b\\\x1b[m\x1b[H\x1b[2J"
"""Soft reset, the same in single steps for terminals that have none, then a blank screen."""
SAVE = "\x1b7"
_SHIFTS = ("\x0f", "\x0e", "\x1bn", "\x1bo")
_APART = modes.ALTERNATE_SCREENS | modes.INITIAL | {modes.ORIGIN, modes.SYNCHRONIZED, modes.NUMERIC_KEYPAD}
"""Private modes that have their own place: they change how the rest is drawn, hold at the beginning, or have a
sequence that more terminals know."""


def redraw(state: TerminalState) -> bytes:
    """Cells of both screens, modes, keyboard protocols, title, margins, tab stops, character sets, saved cursors."""
    return "".join(_parts(state)).encode()


def _parts(state: TerminalState) -> Iterator[str]:
    yield f"\x1b[?{modes.SYNCHRONIZED}h{CLEAN}"
    yield from _tabs(state)
    primary, alternate = state.rows, None
    if state.modes.alternate:
        primary, alternate = state.other_rows, state.rows
    yield from all_cells(primary)
    yield from _saved(state.saved[0], primary, state.tabs)
    yield from state.keyboard.flags(alternate=False)
    if alternate:
        yield from _to_alternate(state, primary)
        yield from all_cells(alternate)
        yield from _saved(state.saved[1], alternate, state.tabs)
        yield from state.keyboard.flags(alternate=True)
    yield f"\x1b[{state.top + 1};{state.bottom + 1}r"
    yield from _modes(state)
    yield from state.keyboard.resources()
    yield from _title(state)
    yield from _cursor(_current(state), state.rows, state.top, state.tabs)
    yield from _late_modes(state)


def _title(state: TerminalState) -> Iterator[str]:
    """The window's title, and those that the program has put aside."""
    for title in state.titles:
        yield f"\x1b]2;{title}\x1b\\\x1b[22;2t"
    if state.title or state.titles:
        yield f"\x1b]2;{state.title}\x1b\\"


def _tabs(state: TerminalState) -> Iterator[str]:
    """Tab stops, where they are not every eighth column."""
    if state.tabs != set(range(TAB, state.columns, TAB)):
        yield "\x1b[3g"
        yield from (f"{at(stop, 0)}\x1bH" for stop in sorted(state.tabs))


def _to_alternate(state: TerminalState, primary: list[CellRow]) -> Iterator[str]:
    """1049 saves the cursor itself, which therefore has to stand where it was saved."""
    mode = next(iter(state.modes.private & modes.ALTERNATE_SCREENS), modes.SAVING_SCREEN)
    saved = state.saved[0]
    if mode == modes.SAVING_SCREEN and saved:
        yield from _cursor(saved, primary, 0, state.tabs)
    elif mode == modes.SAVING_SCREEN:
        yield f"\x1b[?{modes.PLAIN_SCREEN}h"  # the program came by this one, which saves nothing
    yield f"\x1b[?{mode}h"
    if mode == modes.SAVING_SCREEN and not saved:
        yield SOFT_RESET  # on the alternate screen it has saved a cursor, which the program has not, or does below
    yield from _plain_pen()
    yield "\x1b[2J"


def _saved(saved: SavedCursor | None, rows: list[CellRow], tabs: set[int]) -> Iterator[str]:
    """The cursor as DECSC saved it; the margins are the whole screen, so origin mode changes no position."""
    if saved:
        yield from _cursor(saved, rows, 0, tabs)
        yield SAVE
        yield from _plain_pen()


def _plain_pen() -> Iterator[str]:
    """Look, character sets and origin mode as at the beginning."""
    yield f"\x1b[?{modes.ORIGIN}l\x1b[m\x1b]8;;\x1b\\{_charsets(Charsets())}"


def _cursor(cursor: SavedCursor, rows: list[CellRow], top: int, tabs: set[int]) -> Iterator[str]:
    """Origin mode, position, pending wrap, character sets and look; before, all of them are as at the beginning."""
    if cursor.origin:
        yield f"\x1b[?{modes.ORIGIN}h"
    y = min(cursor.y, len(rows) - 1)
    shown = max(0, y - top) if cursor.origin else y
    yield _pending_wrap(cursor.x, shown, rows[y], tabs) if cursor.pending_wrap else at(cursor.x, shown)
    yield _charsets(cursor.charsets)
    yield change(DEFAULT, cursor.style)


def _pending_wrap(x: int, y: int, row: CellRow, tabs: set[int]) -> str:
    """The last cell once more; a backward tab from there keeps the wrap pending."""
    last = len(row.cells) - 1
    start = last - (row.cells[last] == "")
    look = row.styles[start]
    back = sum(x < stop < last for stop in tabs) + 1
    tab = f"\x1b[{back}Z" if x < last else ""
    return f"{at(start, y)}{change(DEFAULT, look)}{row.cells[start]}{change(look, DEFAULT)}{tab}"


def _current(state: TerminalState) -> SavedCursor:
    return SavedCursor(state.x, state.y, state.pending_wrap, state.style, state.charsets, state.modes.origin)


def _charsets(charsets: Charsets) -> str:
    designated = "".join(f"\x1b{slot}{name}" for slot, name in zip(SLOTS, charsets.designated, strict=True))
    return designated + _SHIFTS[charsets.shift]


def _modes(state: TerminalState) -> Iterator[str]:
    """What doesn't change how the cursor is placed."""
    for mode in sorted(state.modes.private - _APART):
        yield f"\x1b[?{mode}h"
    if state.modes.application_keypad:
        yield "\x1b="
    if state.cursor_shape:
        yield f"\x1b[{state.cursor_shape} q"
    if state.modes.new_line:
        yield f"\x1b[{modes.NEW_LINE}h"


def _late_modes(state: TerminalState) -> Iterator[str]:
    """What would change how cells and the cursor are put down."""
    for mode in sorted(modes.INITIAL - state.modes.private):
        yield f"\x1b[?{mode}l"
    if state.modes.insert:
        yield f"\x1b[{modes.INSERT}h"
    if not state.modes.synchronized:
        yield f"\x1b[?{modes.SYNCHRONIZED}l"
