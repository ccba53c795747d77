"""A line of a terminal after everything that was written to it, and the SGR style of its text.

Columns count from 0, in cells. A line is a list of runs as long as it only grows, and a list of cells once the
cursor went back; a line longer than `OVERWRITE_LIMIT` is no longer written over (a terminal would have wrapped it,
and its upper rows stay), which bounds what one byte can cost.

A style is a tuple with one parameter for each of `_SLOTS` ("" = off), so that it can be closed and opened again at any
line; it is never longer than that, whatever an agent sends. Concealed text (SGR 8) is shown: a log hides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

Style = tuple[str, ...]
RESET = "\x1b[0m"

_SLOTS = ("bold", "faint", "italic", "underline", "blink", "inverse", "strike", "overline", "text", "ground", "line")
PLAIN: Style = ("",) * len(_SLOTS)

_ON = {
    "1": "bold", "2": "faint", "3": "italic", "4": "underline", "21": "underline", "5": "blink", "6": "blink",
    "7": "inverse", "9": "strike", "53": "overline",
    **{str(code): "text" for code in (*range(30, 38), *range(90, 98))},
    **{str(code): "ground" for code in (*range(40, 48), *range(100, 108))},
}  # fmt: skip
_OFF = {
    "22": ("bold", "faint"), "23": ("italic",), "24": ("underline",), "25": ("blink",), "27": ("inverse",),
    "29": ("strike",), "39": ("text",), "49": ("ground",), "55": ("overline",), "59": ("line",), "4:0": ("underline",),
}  # fmt: skip
_EXTENDED = {"38": "text", "48": "ground", "58": "line"}
_EXTENDED_LENGTH = {"5": 3, "2": 5}
"""Parameters of `38;5;n` and of `38;2;r;g;b`."""


@lru_cache(maxsize=2048)
def restyled(style: Style, parameters: str) -> Style:
    """`style` after the SGR sequence with these parameters (`1;31`, also with colons); unknown ones change nothing."""
    state = dict(zip(_SLOTS, style, strict=True))
    codes = parameters.split(";")
    while codes:
        del codes[: _apply(state, codes)]
    return tuple(state.values())


@lru_cache(maxsize=2048)
def opening(style: Style) -> str:
    """The sequence that turns `style` on from nothing; empty for `PLAIN`."""
    codes = [code for code in style if code]
    return f"\x1b[{';'.join(codes)}m" if codes else ""


def _apply(state: dict[str, str], codes: list[str]) -> int:
    """Apply the first of `codes`; the number of codes that it used up."""
    code = codes[0].lstrip("0")
    if not code:
        state.update(dict.fromkeys(state, ""))
    elif code in _ON:
        state[_ON[code]] = code
    elif code in _OFF:
        state.update(dict.fromkeys(_OFF[code], ""))
    elif code in _EXTENDED:
        return _apply_extended(state, _EXTENDED[code], codes)
    else:
        _apply_colons(state, code)
    return 1


def _apply_extended(state: dict[str, str], slot: str, codes: list[str]) -> int:
    length = _EXTENDED_LENGTH.get(codes[1] if len(codes) > 1 else "", 1)
    used = codes[:length]
    if 1 < length == len(used) and all(code.isdigit() for code in used):
        state[slot] = ";".join(used)
    return length


def _apply_colons(state: dict[str, str], code: str) -> None:
    """`38:2::r:g:b` and `4:3`: one parameter with parts of its own."""
    head, separator, rest = code.partition(":")
    slot = _EXTENDED.get(head) or ("underline" if head == "4" else None)
    if slot and separator and rest.replace(":", "").isdigit():
        state[slot] = code


OVERWRITE_LIMIT = 4096
"""Cells."""
LENGTH_LIMIT = 32 * 1024 * 1024
"""Characters; a longer line is shown as several."""
TAB = 8
_MARKS_LIMIT = 4096
"""Characters in one cell: a letter and the marks on it."""
_EDGES = 4
"""Characters of a cluster that are looked at: its first one, and the last three."""

Run = tuple[str, Style]


class LineCanvas:
    """Writes runs of text, one line after the other; `finished` holds the lines that are complete."""

    def __init__(self) -> None:
        self.finished: list[str] = []
        self._runs: list[Run] = []
        self._size = 0
        self._cells: list[str] | None = None
        self._styles: list[Style] = []
        self._column = 0
        self._returned = False
        self._written_over = False

    @property
    def simple(self) -> bool:
        """Whether text is simply added at the end."""
        return self._cells is None and not self._returned

    @property
    def empty(self) -> bool:
        """Whether nothing stands on the line (erased text doesn't count)."""
        return not self._runs and not self._cells

    @property
    def current(self) -> str:
        """The line as it stands; nothing changes."""
        return rendered(self._runs if self._cells is None else list(_grouped(self._cells, self._styles)))

    def write(self, text: str, style: Style) -> None:
        """Write `text`, without control characters, at the cursor."""
        if self.simple:
            self._append(text, style)
        else:
            self._overwrite(text, style)

    def tab(self, style: Style) -> None:
        """Go to the next column that is a multiple of `TAB`, erasing nothing."""
        if self.simple:
            self._append("\t", style)
        elif self._laid_out():
            self._column += TAB - self._column % TAB

    def newline(self) -> None:
        """Finish the line."""
        self.finished.append(self._rendered())
        self._clear()

    def end(self) -> None:
        """Finish the line when something stands on it."""
        if self.empty:
            self._clear()
        else:
            self.newline()

    def carriage_return(self) -> None:
        """Go to column 0. Costs nothing until something is written: most returns are followed by a newline."""
        if self._cells is None:
            self._returned = bool(self._runs)
        self._column = 0

    def to_column(self, column: int) -> None:
        """Go to `column`."""
        if self._laid_out():
            self._column = min(max(column, 0), OVERWRITE_LIMIT - 1)

    def move(self, columns: int) -> None:
        """Go to the right, or, when negative, to the left."""
        if self._laid_out():
            self.to_column(self._column + columns)

    def erase_right(self) -> None:
        """Erase from the cursor to the end of the line."""
        if self._laid_out() and self._cells:
            self._split(self._column)
            del self._cells[self._column :], self._styles[self._column :]

    def erase_left(self) -> None:
        """Erase from the start of the line up to the cursor."""
        if self._laid_out() and self._cells:
            self._blank(0, self._column + 1)

    def erase_all(self) -> None:
        """Erase the line; the cursor stays."""
        if self._laid_out() and self._cells:
            self._cells.clear()
            self._styles.clear()

    def erase(self, cells: int) -> None:
        """Erase `cells` cells at the cursor."""
        if self._laid_out() and self._cells:
            self._blank(self._column, self._column + cells)

    def delete(self, cells: int) -> None:
        """Take `cells` cells at the cursor out: what follows moves to the left."""
        if self._laid_out() and self._cells:
            end = self._column + cells
            self._split(self._column)
            self._split(end)
            del self._cells[self._column : end], self._styles[self._column : end]

    def insert(self, cells: int) -> None:
        """Push `cells` blank cells in at the cursor."""
        if self._laid_out() and self._cells and self._column < len(self._cells):
            room = min(cells, OVERWRITE_LIMIT - len(self._cells))
            self._split(self._column)
            self._cells[self._column : self._column] = [" "] * room
            self._styles[self._column : self._column] = [PLAIN] * room

    def _append(self, text: str, style: Style) -> None:
        self._runs.append((text, style))
        self._size += len(text)
        if self._size > LENGTH_LIMIT:
            self.newline()

    def _overwrite(self, text: str, style: Style) -> None:
        self._laid_out()
        self._written_over = True
        spread = self._mark_previous(text)
        if not spread:
            return
        end = self._column + len(spread)
        if end > OVERWRITE_LIMIT or (self._column == 0 and end >= len(self._cells or ())):
            self._grow_again("".join(spread), style)
            return
        self._blank(self._column, end)
        self._set(spread, style)

    def _set(self, spread: list[str], style: Style) -> None:
        """Put these cells where the cursor is, which is free."""
        assert self._cells is not None
        end = self._column + len(spread)
        self._pad(end)
        self._cells[self._column : end] = spread
        self._styles[self._column : end] = [style] * len(spread)
        self._column = end

    def _grow_again(self, text: str, style: Style) -> None:
        """Go on as a line that only grows: nothing of the old text stands behind the cursor."""
        assert self._cells is not None
        self._pad(self._column)
        self._split(self._column)
        runs = _grouped(self._cells[: self._column], self._styles)
        self._size = self._column
        self._cells, self._column = None, 0
        self._runs = list(runs)
        self._append(text, style)

    def _mark_previous(self, text: str) -> list[str]:
        """Add what joins the cell before the cursor, at the beginning of `text`, to that; the cells of the rest."""
        if text.isascii():
            return list(text)
        before = None
        if self._cells and 0 < self._column <= len(self._cells):
            before = self._column - 1
            before -= not self._cells[before]
        joined, rest = _joining(self._cells[before] if self._cells and before is not None else "", text)
        if before is not None and joined:
            self._join(before, joined)
        return _spread(rest)

    def _join(self, at: int, joined: str) -> None:
        """Add characters to a cell before the cursor; what becomes an emoji by that takes the next cell, too."""
        from overmind_core.terminal.cells import cluster_width  # noqa: PLC0415 - start-up

        assert self._cells is not None
        cluster = (self._cells[at] + joined)[:_MARKS_LIMIT]
        self._cells[at] = cluster
        if cluster_width(cluster) > self._column - at:
            self._pad(self._column + 1)
            self._split(self._column + 1)
            self._cells[self._column], self._styles[self._column] = "", self._styles[at]
            self._column += 1

    def _laid_out(self) -> bool:
        """Make the line a list of cells."""
        if self._cells is not None:
            return True
        if self._size > OVERWRITE_LIMIT:
            self.newline()
        column = 0 if self._returned else None
        self._cells, self._styles = [], []
        for text, style in self._runs:
            self._lay_out_run(text, style)
        self._column = len(self._cells) if column is None else column
        self._runs, self._size, self._returned = [], 0, False
        return True

    def _lay_out_run(self, text: str, style: Style) -> None:
        assert self._cells is not None
        for number, part in enumerate(text.split("\t")):
            if number:
                self._pad(len(self._cells) + TAB - len(self._cells) % TAB)
            self._column = len(self._cells)
            self._cells += self._mark_previous(part)
            self._styles += [style] * (len(self._cells) - len(self._styles))

    def _pad(self, length: int) -> None:
        assert self._cells is not None
        missing = length - len(self._cells)
        self._cells += [" "] * missing
        self._styles += [PLAIN] * missing

    def _blank(self, start: int, end: int) -> None:
        assert self._cells is not None
        self._split(start)
        self._split(end)
        count = len(self._cells[start:end])
        self._cells[start:end] = [" "] * count
        self._styles[start:end] = [PLAIN] * count

    def _split(self, column: int) -> None:
        """A wide character that stands on both sides of `column` is gone: half of it will be."""
        assert self._cells is not None
        if 0 < column < len(self._cells) and not self._cells[column]:
            self._cells[column - 1 : column + 1] = " ", " "

    def _rendered(self) -> str:
        runs = self._runs if self._cells is None else list(_grouped(self._cells, self._styles))
        if not self._written_over and self._cells is None:
            return rendered(runs)
        return _trimmed(runs)

    def _clear(self) -> None:
        self._runs, self._size, self._cells, self._styles = [], 0, None, []
        self._column, self._returned, self._written_over = 0, False, False


def rendered(runs: list[Run]) -> str:
    """The runs as one text, each style opened where it begins and closed at the end."""
    if len(runs) == 1 and runs[0][1] is PLAIN:
        return runs[0][0]
    pieces: list[str] = []
    current = PLAIN
    for text, style in runs:
        if style != current:
            pieces += (RESET if current != PLAIN else "", opening(style))
            current = style
        pieces.append(text)
    pieces.append(RESET if current != PLAIN else "")
    return "".join(pieces)


def _trimmed(runs: list[Run]) -> str:
    """The runs without the blanks at their end: what was written over old text to hide it."""
    while runs and runs[-1][1] == PLAIN:
        text = runs.pop()[0].rstrip(" ")
        if text:
            runs.append((text, PLAIN))
            break
    return rendered(runs)


def _grouped(cells: list[str], styles: list[Style]) -> Iterator[Run]:
    start = 0
    for at in range(1, len(cells) + 1):
        if at == len(cells) or styles[at] != styles[start]:
            yield "".join(cells[start:at]), styles[start]
            start = at


def _joining(cluster: str, text: str) -> tuple[str, str]:
    """The beginning of `text` that joins the characters of a cell, and the rest; what joins nothing is dropped."""
    from overmind_core.terminal.cells import width  # noqa: PLC0415 - start-up

    joined: list[str] = []
    for at, character in enumerate(text):
        if width(character) > 0 and not (cluster and _joins(cluster, character)):
            return "".join(joined), text[at:]
        if cluster:
            joined.append(character)
            cluster = _edges(cluster + character)
    return "".join(joined), ""


def _joins(cluster: str, character: str) -> bool:
    from overmind_core.terminal.cells import joins  # noqa: PLC0415 - start-up

    return joins(_edges(cluster), character)


def _edges(cluster: str) -> str:
    """The characters that decide on what joins them, so that a long cluster costs no more than a short one."""
    return cluster if len(cluster) <= _EDGES else cluster[0] + cluster[1 - _EDGES :]


def _spread(text: str) -> list[str]:
    """One entry for each cell: a wide character is followed by an empty one, what joins a character stands with it."""
    if text.isascii():
        return list(text)
    from overmind_core.terminal.cells import CLUSTERED, cells_of, cluster_width, width  # noqa: PLC0415 - start-up

    if CLUSTERED.search(text) is None:
        return [cell[:_MARKS_LIMIT] for cell in cells_of(text)]
    clusters: list[str] = []
    for character in text:
        if clusters and (width(character) <= 0 or _joins(clusters[-1], character)):
            clusters[-1] = (clusters[-1] + character)[:_MARKS_LIMIT]
        else:
            clusters.append(character)
    return [cell for one in clusters for cell in (one, *[""] * (cluster_width(one) - 1))]
