"""Cells of characters, for the terminal in a page: the widths of our emulator, as a JavaScript module.

xterm.js has the tables of an old Unicode. With these, a screen that our emulator drew is the same in a page. To write
the module anew: `python -m overmind_web.tty.widths > overmind_web/static/lib/xterm-widths.js`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby

from overmind_core.terminal.cells import width

_FIRST, _BEHIND = 0xA0, 0x110000
_SURROGATES = range(0xD800, 0xE000)


def ranges() -> Iterator[tuple[int, int, int]]:
    """Code points from and to that take no or two cells, and how many; all others take one."""
    for cells, group in groupby(range(_FIRST, _BEHIND), key=_cells):
        if cells != 1:
            points = list(group)
            yield points[0], points[-1], cells


def _cells(point: int) -> int:
    return 1 if point in _SURROGATES else max(width(chr(point)), 0)


def module() -> str:
    """The module: per range its distance from the last one's end, how many more it has, and its cells, in base 36."""
    words, last = [], 0
    for start, end, cells in ranges():
        words.append(f"{_base36(start - last)},{_base36(end - start)},{cells}")
        last = end
    text = " ".join(words)
    pieces = [text[at : at + 140] for at in range(0, len(text), 140)]
    lines = "\n".join(f'  "{piece}",' for piece in pieces)
    return f"{_HEAD}{lines}\n{_TAIL}"


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
        if not number:
            return digits


_HEAD = """/** Cells of characters, as our own emulator has them. Written by overmind_web/tty/widths.py. */

const WORDS = [
"""
_TAIL = """].join("");

const starts = [], ends = [], cells = [];
for (const word of WORDS.split(" ")) {
  const [distance, more, width] = word.split(",").map((digits) => Number.parseInt(digits, 36));
  starts.push((ends.at(-1) ?? 0) + distance);
  ends.push(starts.at(-1) + more);
  cells.push(width);
}

/** Cells of a code point: 0, 1 or 2. */
export function cellsOf(point) {
  if (point < starts[0]) return 1;
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= point) low = middle;
    else high = middle - 1;
  }
  return point <= ends[low] ? cells[low] : 1;
}

/** The answers for xterm.js: cells, and whether a character without any joins the one before. */
export const widths = {
  version: "overmind",
  wcwidth: cellsOf,
  charProperties(point, before) {
    const width = cellsOf(point);
    const old = (before >> 1) & 3;
    const joins = width === 0 && before !== 0 && old !== 0;
    return ((joins ? Math.max(width, old) : width) << 1) | (joins ? 1 : 0);
  },
};
"""


if __name__ == "__main__":
    sys.stdout.write(module())
