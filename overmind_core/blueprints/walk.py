"""One walk over a TOML text, which notes the places of all its keys and values.

It judges nothing but keys that are there twice: what is no TOML is skipped, and tomlkit tells about it.
"""

from __future__ import annotations

import re

from overmind_core.blueprints.places import Duplicate, Path, Places, Span

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


def places(text: str) -> Places:
    """Find the places of all keys and values of a text without carriage returns."""
    return _Walk(text).walked()


class _Walk:
    """One walk over a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found = Places(text)
        self.lists: dict[Path, int] = {}
        """Lists of tables → how many there are so far."""
        self.headers: set[Path] = set()
        self.dotted: set[Path] = set()
        """Tables that are there because a dotted key went through them."""
        self.doubled: Duplicate | None = None
        """The table that the walk is in, when it was there before."""

    def walked(self) -> Places:
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

    def _match(self, pattern: re.Pattern[str]) -> Span | None:
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return Span(*found.span())

    def _string(self) -> Span | None:
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
        self._note_header(names)
        if is_list and closed is None and (path in self.lists or not known):
            self.lists[path] = self.lists.get(path, -1) + 1
            entry: Path = (*path, self.lists[path])
            self.found.keys.setdefault(path, names[-1][1])
            self.found.keys[entry] = names[-1][1]
            return entry
        self.found.keys.setdefault(path, names[-1][1])
        if known or closed is not None or path in self.lists:
            self.doubled = Duplicate(closed or path, names[-1][1], Span(start, start))
            self.found.duplicates.append(self.doubled)
            return ("", *path)  # nowhere: what stands in it is said of the first one
        self.headers.add(path)
        return path

    def _note_header(self, names: list[tuple[str, int]]) -> None:
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
        self.doubled = doubled._replace(span=Span(doubled.span.start, end))
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
            self.found.duplicates.append(Duplicate(closed or path, names[-1][1], Span(start, self.at)))
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
        self.found.values[path] = Span(start, self.at)

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
    from tomlkit import parse  # noqa: PLC0415 - nearly no key needs it
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415

    try:
        return str(parse(f"x = {name}").unwrap()["x"])
    except TOMLKitError:
        return name[1:-1]
