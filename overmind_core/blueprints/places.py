"""Where each key and each value of a TOML text stands.

tomlkit says what a text means but not where, so `walk` goes over the same text once more, and notes it here.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

Path = tuple[str | int, ...]
"""Keys and places in lists, from the root."""

_ESCAPES = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}|(?P<none>[ \t]*\n\s*)|.)|.", re.DOTALL)
_MULTILINE = 3
"""Quotes around a text of several lines."""


class Span(NamedTuple):
    """A part of the text: offsets of its first character and of what follows it."""

    start: int
    end: int


class Duplicate(NamedTuple):
    """A key or table that was there before."""

    path: Path
    key: int
    """Offset of its name."""
    span: Span
    """What would have to be cut out for the rest to make sense."""


@dataclass(slots=True)
class Places:
    """Where things stand in a text."""

    text: str
    keys: dict[Path, int] = field(default_factory=dict)
    """Offset of the name where it is first written, headers of tables included."""
    values: dict[Path, Span] = field(default_factory=dict)
    """What is written behind a key, or stands in a list."""
    duplicates: list[Duplicate] = field(default_factory=list)
    unclosed: int | None = None
    """Offset of the last quote or bracket that has no end."""
    _lines: list[int] = field(default_factory=list)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both from 1."""
        if not self._lines:
            self._lines = [0, *(found.end() for found in re.finditer("\n", self.text))]
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def of_key(self, path: Path) -> int:
        """Offset of a key; of the nearest thing above it that has one, else the text's begin."""
        return next((self.keys[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.keys), 0)

    def of_value(self, path: Path) -> int:
        """Offset of a value; of its key where nothing is written behind that, as with `[table]`."""
        span = self.values.get(path)
        return self.of_key(path) if span is None else span.start

    def inside(self, path: Path, index: int) -> int:
        """Offset of the character `index` of a value that is a text, whatever quotes and escapes it was written in."""
        span = self.values.get(path)
        if span is None:
            return self.of_key(path)
        return next((at for place, at in enumerate(_characters(self.text, span)) if place == index), span.start)


def _characters(text: str, span: Span) -> Iterator[int]:
    """The offset of each character that a written string means."""
    quote = text[span.start]
    wide = _MULTILINE if text.startswith(quote * _MULTILINE, span.start) else 1
    at, end = span.start + wide, span.end - wide
    if wide == _MULTILINE and text.startswith("\n", at):
        at += 1
    if quote == "'":
        yield from range(at, end)
        return
    for found in _ESCAPES.finditer(text, at, end):
        if found["none"] is None:
            yield found.start()
