"""A TOML text as values, with the place of each; or why it is none.

tomlkit says what a text means but not where, so `walk` goes over the same text once more, and records the places of all
keys and values. It judges nothing but keys that are there twice: what is no TOML is skipped, and tomlkit reports it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tomlkit import parse
from tomlkit.exceptions import ParseError, TOMLKitError

from overmind_core.documents.reading import Path, Place
from overmind_core.domain.text.problems import Problem, Problems

_ESCAPES = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}|(?P<none>[ \t]*\n\s*)|.)|.", re.DOTALL)
_MULTILINE = 3
"""Quotes around a text of several lines."""


class TextSpan(NamedTuple):
    """A part of the text: offsets of its first character and of what follows it."""

    start: int
    end: int


class Duplicate(NamedTuple):
    """A key or table that was there before."""

    path: Path
    key: int
    """Offset of its name."""
    span: TextSpan
    """What would have to be cut out for the rest to make sense."""


@dataclass(slots=True)
class TomlPlaces:
    """Where things stand in a text."""

    text: str
    keys: dict[Path, int] = field(default_factory=dict)
    """Offset of the name where it is first written, headers of tables included."""
    values: dict[Path, TextSpan] = field(default_factory=dict)
    """What is written behind a key, or stands in a list."""
    duplicates: list[Duplicate] = field(default_factory=list)
    unclosed: int | None = None
    """Offset of the last quote or bracket that has no end."""
    _lines: list[int] = field(default_factory=list)

    def position(self, offset: int) -> Place:
        """Line and column of a character, both from 1."""
        if not self._lines:
            self._lines = [0, *(found.end() for found in re.finditer("\n", self.text))]
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def at_key(self, path: Path) -> Place:
        """Where a key stands."""
        return self.position(self.of_key(path))

    def at_value(self, path: Path) -> Place:
        """Where a value begins."""
        return self.position(self.of_value(path))

    def at_character(self, path: Path, index: int) -> Place:
        """Where the character `index` of a text stands."""
        return self.position(self.inside(path, index))

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


def _characters(text: str, span: TextSpan) -> Iterator[int]:
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


_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = (
    re.compile(r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}', re.DOTALL),
    re.compile(r"'''(?:[^']|'{1,2}(?!'))*'{3,5}"),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)
_OTHER = re.compile(r"[^,\]}#\n]*[^,\]}#\s]")


def find_places(text: str) -> TomlPlaces:
    """Find the places of all keys and values of a text without carriage returns."""
    return _Walk(text).walked()


class _Walk:
    """One walk over a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found = TomlPlaces(text)
        self.lists: dict[Path, int] = {}
        """Lists of tables → how many there are so far."""
        self.headers: set[Path] = set()
        self.dotted: set[Path] = set()
        """Tables that are there because a dotted key went through them."""
        self.doubled: Duplicate | None = None
        """The table that the walk is in, when it was there before."""

    def walked(self) -> TomlPlaces:
        table: Path = ()
        while self._skip(_BLANK) < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            if self.doubled is not None:
                self._extend(self.doubled)
            self._to_line_end()
        return self.found

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def _take(self, sign: str) -> bool:
        taken = self.text.startswith(sign, self.at)
        self.at += len(sign) if taken else 0
        return taken

    def _to_line_end(self) -> None:
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end

    # keys

    def _names(self) -> list[tuple[str, int]]:
        """The parts of a key, each with its offset."""
        names: list[tuple[str, int]] = []
        while True:
            start = self._skip(_SPACE)
            span = self._string() or self._match(_BARE_KEY)
            if span is None:
                return names
            names.append((_unquoted(self.text[span.start : span.end]), start))
            self._skip(_SPACE)
            if not self._take("."):
                return names

    def _match(self, pattern: re.Pattern[str]) -> TextSpan | None:
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return TextSpan(*found.span())

    def _string(self) -> TextSpan | None:
        long = self.text.startswith(('"""', "'''"), self.at)
        patterns = _STRINGS[:2] if long else _STRINGS[2:]
        return next((span for pattern in patterns if (span := self._match(pattern)) is not None), None)

    def _closed(self, path: Path) -> Path | None:
        """What stands above a key and is a value as a whole, so that nothing can be added to it."""
        return next((path[:end] for end in range(1, len(path)) if path[:end] in self.found.values), None)

    # what stands on lines of its own

    def _header(self) -> Path:
        start = self.at
        is_list = self._take("[[")
        self.at += 0 if is_list else 1
        names = self._names()
        self.doubled = None
        if not names:
            return ()
        above = self._resolved([name for name, _ in names[:-1]])
        path: Path = (*above, names[-1][0])
        known = path in self.found.values or path in self.headers or path in self.dotted
        closed = self._closed(path)
        self._record_header(names)
        if is_list and closed is None and (path in self.lists or not known):
            self.lists[path] = self.lists.get(path, -1) + 1
            entry: Path = (*path, self.lists[path])
            self.found.keys.setdefault(path, names[-1][1])
            self.found.keys[entry] = names[-1][1]
            return entry
        self.found.keys.setdefault(path, names[-1][1])
        if known or closed is not None or path in self.lists:
            self.doubled = Duplicate(closed or path, names[-1][1], TextSpan(start, start))
            self.found.duplicates.append(self.doubled)
            return ("", *path)  # nowhere: what stands in it is said of the first one
        self.headers.add(path)
        return path

    def _record_header(self, names: list[tuple[str, int]]) -> None:
        for end in range(1, len(names)):
            path = self._resolved([name for name, _ in names[:end]])
            self.found.keys.setdefault(path, names[end - 1][1])

    def _resolved(self, names: list[str]) -> Path:
        """The path of a table's name: within lists of tables the newest is meant."""
        path: Path = ()
        for name in names:
            path = (*path, name)
            if path in self.lists:
                path = (*path, self.lists[path])
        return path

    def _extend(self, doubled: Duplicate) -> None:
        """The second table goes on to here."""
        line_end = self.text.find("\n", self.at)
        end = len(self.text) if line_end < 0 else line_end
        self.doubled = doubled._replace(span=TextSpan(doubled.span.start, end))
        self.found.duplicates[self.found.duplicates.index(doubled)] = self.doubled

    def _pair(self, table: Path) -> bool:
        """A key and its value; whether there was one."""
        start = self.at
        names = self._names()
        if not names or not self._take("="):
            return False
        path = (*table, *(name for name, _ in names))
        known, closed = path in self.found.keys, self._closed(path)
        for end, (_, offset) in enumerate(names, len(table) + 1):
            self.found.keys.setdefault(path[:end], offset)
        self.dotted.update(path[:end] for end in range(len(table) + 1, len(path)))
        self._skip(_SPACE)
        if known or closed is not None:
            self._value(("", *path))
            self.found.duplicates.append(Duplicate(closed or path, names[-1][1], TextSpan(start, self.at)))
        else:
            self._value(path)
        return True

    # values

    def _value(self, path: Path) -> None:
        start = self.at
        if self._take("["):
            self._list(path, start)
        elif self._take("{"):
            self._inline(path, start)
        elif self._string() is None:
            if self.text[start : start + 1] in {'"', "'"}:
                self.found.unclosed = start
            self._match(_OTHER)
        self.found.values[path] = TextSpan(start, self.at)

    def _list(self, path: Path, start: int) -> None:
        place = 0
        while self._skip(_BLANK) < len(self.text):
            if self._take("]"):
                return
            before = self.at
            self._value((*path, place))
            place += 1
            self._skip(_BLANK)
            if not self._take(",") and self.at == before:
                return
        self.found.unclosed = start if self.found.unclosed is None else self.found.unclosed

    def _inline(self, path: Path, start: int) -> None:
        while self._skip(_BLANK) < len(self.text):
            if self._take("}"):
                return
            if not self._pair(path):
                return
            self._skip(_BLANK)
            self._take(",")
        self.found.unclosed = start if self.found.unclosed is None else self.found.unclosed


def _unquoted(name: str) -> str:
    """A key without its quotes; one with escapes in it is read as the text it would be."""
    if name[0] == "'":
        return name[1:-1]
    if name[0] != '"':
        return name
    if "\\" not in name:
        return name[1:-1]

    try:
        return str(parse(f"x = {name}").unwrap()["x"])
    except TOMLKitError:
        return name[1:-1]


_WHERE = re.compile(r" at line \d+ col \d+$")
_END = (r"'\x00'", "end of file")
"""Words of tomlkit that mean: the text is over and something is not."""


def document(text: str) -> tuple[dict[str, Any], TomlPlaces, list[Problem]]:
    """Return what a text says, where it says it, and which keys it says twice: the first one counts.

    Raises:
        Problems: it is no TOML.
    """
    try:
        return _document(text.replace("\r\n", "\n"))
    except RecursionError:
        raise Problems([Problem(1, 1, "lists and tables are nested too deeply")]) from None


def _document(text: str) -> tuple[dict[str, Any], TomlPlaces, list[Problem]]:
    try:
        return _values(text), find_places(text), []
    except (ParseError, TOMLKitError) as error:
        found = find_places(text)
        if not found.duplicates:
            raise Problems([_syntax(error, found)]) from None
    return _without_duplicates(text, found)


def _without_duplicates(text: str, found: TomlPlaces) -> tuple[dict[str, Any], TomlPlaces, list[Problem]]:
    """What is right besides them is still looked at, so that all problems are reported at once."""
    doubled = [Problem(*found.position(one.key), _duplicate_text(one, found)) for one in found.duplicates]
    for one in found.duplicates:
        text = _blanked(text, one)
    rest = find_places(text)
    try:
        return _values(text), rest, doubled
    except (ParseError, TOMLKitError) as error:
        raise Problems([*doubled, _syntax(error, rest)]) from None


def _values(text: str) -> dict[str, Any]:
    return dict(parse(text).unwrap())


def _duplicate_text(doubled: Duplicate, found: TomlPlaces) -> str:
    name = ".".join(str(part) for part in doubled.path if isinstance(part, str))
    line, _ = found.position(found.of_key(doubled.path))
    return f"{name} is listed twice: first in line {line}"


def _blanked(text: str, doubled: Duplicate) -> str:
    """The text without it; every other character stays where it is."""
    start, end = doubled.span
    before = text[:start].rstrip()
    start = len(before) - 1 if before.endswith(",") else start
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def _syntax(error: Exception, found: TomlPlaces) -> Problem:
    """What tomlkit found, in its words; its columns begin at 0."""
    message = _WHERE.sub("", str(error)).rstrip(".")
    message = message if message[1:2].isupper() else message[:1].lower() + message[1:]
    at_end = any(words in message for words in _END) and "\0" not in found.text
    if found.unclosed is not None:
        return Problem(*found.position(found.unclosed), "this is never closed")
    if at_end:
        return Problem(*found.position(len(found.text.rstrip())), "the file ends too early")
    if isinstance(error, ParseError):
        return Problem(error.line, error.col + 1, message)
    return Problem(1, 1, message)
