"""Cells of characters, for the terminal in a page: the widths of our emulator, as a JavaScript module.

xterm.js has the tables of an old Unicode, and counts each part of a flag or a family by itself. With these, a screen
that our emulator drew is the same in a page. To write the module anew:
`python -m overmind_web.tty.widths > overmind_web/static/lib/xterm-widths.js`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from overmind_core.terminal.cells import cluster_width, is_pictured, width

_FIRST, _BEHIND = 0xA0, 0x110000
_SURROGATES = range(0xD800, 0xE000)


def _ranges(value_of: Callable[[int], int], *, first: int, without: int) -> Iterator[tuple[int, int, int]]:
    """Code points from and to that have the same value, and the value; those with the value `without` are left out."""
    for value, group in groupby(
        range(first, _BEHIND), key=lambda one: without if one in _SURROGATES else value_of(one)
    ):
        if value != without:
            points = list(group)
            yield points[0], points[-1], value


def _cells(point: int) -> int:
    return max(width(chr(point)), 0)


def _kind(point: int) -> int:
    """1 for what a joiner binds, 2 for what becomes wide by the look of an emoji, 3 for both."""
    character = chr(point)
    is_text = width(character) == 1 and cluster_width(f"{character}\ufe0f") > 1
    return is_pictured(character) + 2 * is_text


def module() -> str:
    """The module: per range its distance from the last one's end, how many more it has, and its value, in base 36."""
    cells = _words(_ranges(_cells, first=_FIRST, without=1))
    kinds = _words(_ranges(_kind, first=ord("#"), without=0))
    return f'{_HEAD}const CELLS = [\n{cells}\n].join("");\n\nconst KINDS = [\n{kinds}\n].join("");\n\n{_TAIL}'


def _words(ranges: Iterable[tuple[int, int, int]]) -> str:
    words, last = [], 0
    for start, end, value in ranges:
        words.append(f"{_base36(start - last)},{_base36(end - start)},{value}")
        last = end
    text = " ".join(words)
    return "\n".join(f'  "{text[at : at + 140]}",' for at in range(0, len(text), 140))


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
        if not number:
            return digits


_HEAD = """/** Cells of characters, as our own emulator has them. Written by overmind_web/tty/widths.py. */

"""
_TAIL = """/** A function that gives the value of a code point: that of its range, or the other one. */
function table(words, other) {
  const starts = [], ends = [], values = [];
  for (const word of words.split(" ")) {
    const [distance, more, value] = word.split(",").map((digits) => Number.parseInt(digits, 36));
    starts.push((ends.at(-1) ?? 0) + distance);
    ends.push(starts.at(-1) + more);
    values.push(value);
  }
  return (point) => {
    if (point < starts[0]) return other;
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= point) low = middle;
      else high = middle - 1;
    }
    return point <= ends[low] ? values[low] : other;
  };
}

/** Cells of a code point: 0, 1 or 2. */
export const cellsOf = table(CELLS, 1);
const kindOf = table(KINDS, 0);
const [PICTURED, TEXT] = [1, 2];
const [JOINER, EMOJI_LOOK] = [0x200d, 0xfe0f];
const isFlagLetter = (point) => point >= 0x1f1e6 && point <= 0x1f1ff;
const isTone = (point) => point >= 0x1f3fb && point <= 0x1f3ff;

/** Flags of the characters that stand together so far: these may still join them. */
const [BINDS, TAKES_TONE, TAKES_LOOK, TAKES_LETTER, IS_BOUND] = [1, 2, 4, 8, 16];

function begun(point) {
  if (isFlagLetter(point)) return TAKES_LETTER;
  const kind = kindOf(point);
  return (kind & PICTURED ? BINDS | TAKES_TONE : 0) | (kind & TEXT ? TAKES_LOOK : 0);
}

/** Whether a character with cells of its own belongs to those before it; as `joins` of the emulator. */
function joins(point, state) {
  if (state & IS_BOUND) return (state & BINDS) !== 0 && (kindOf(point) & PICTURED) !== 0;
  if (isTone(point)) return (state & TAKES_TONE) !== 0;
  return isFlagLetter(point) && (state & TAKES_LETTER) !== 0;
}

function packed(state, cells, joined) {
  return (state << 3) | (cells << 1) | (joined ? 1 : 0);
}

/** The answers for xterm.js: cells, whether it joins those before it, and the state, which comes back with the next. */
export const widths = {
  version: "overmind",
  wcwidth: cellsOf,
  charProperties(point, before) {
    const cells = cellsOf(point);
    const [old, state] = [(before >> 1) & 3, before >> 3];
    if (cells > 0) {
      if (old === 0 || !joins(point, state)) return packed(begun(point), cells, false);
      const takes = kindOf(point) & PICTURED ? TAKES_TONE : 0;
      return packed((state & BINDS) | takes, 2, true);
    }
    if (before === 0 || old === 0) return packed(0, 0, false);
    const binds = state & BINDS;
    if (point === JOINER) return packed(binds | IS_BOUND, old, true);
    if (point === EMOJI_LOOK) return packed(binds | (state & TAKES_TONE), state & TAKES_LOOK ? 2 : old, true);
    return packed(binds, old, true);
  },
};
"""


if __name__ == "__main__":
    sys.stdout.write(module())
