"""The words of a simple command as a shell would make them, and which of them are known before it does. Pure.

Quotes and continued lines are resolved. What only the shell can know, a variable, a substitution, a pattern of files,
braces, `$'…'`, makes its word unknown; outside of quotes it may become several words, or none.
"""

from __future__ import annotations

import re
from typing import NamedTuple

BLANK = " \t\n"
"""What a shell takes for space; all other characters are parts of words."""

_CONTINUED = re.compile(r"""'[^']*'|\\\n|\\.|"(?:[^"\\]|\\.)*"|.""", re.DOTALL)
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_BRACES = re.compile(r"\{[^{}]*(?:,|\.\.)[^{}]*\}")
_BRACKETS = frozenset(["[", "[[", "]", "]]"])
"""Words of a test, which are no patterns of files."""


class Word(NamedTuple):
    """A word of a command."""

    text: str
    """Without its quotes; as it is written where it is unknown."""
    is_known: bool = True
    is_one: bool = True
    """It becomes one word, whatever its value is."""


def joined(command: str) -> str:
    """The command with its continued lines joined, as a shell does before it looks for words."""
    return _CONTINUED.sub(_without_line_ends, command)


def _without_line_ends(found: re.Match[str]) -> str:
    piece = found[0]
    if piece[0] == '"':
        return _ESCAPED.sub(lambda one: "" if one[0] == "\\\n" else one[0], piece)
    return "" if piece == "\\\n" else piece


def split(command: str) -> list[Word]:
    """The words of a simple command; of one whose quotes don't close, what stands between its blanks."""
    try:
        return _Splitter(command).words()
    except _NotClosed:
        return [Word(text) for text in command.split()]


class _NotClosed(Exception):
    pass


class _Splitter:
    """Reads a simple command from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def words(self) -> list[Word]:
        """All of them."""
        found: list[Word] = []
        while True:
            while self._at < len(self._text) and self._text[self._at] in BLANK:
                self._at += 1
            if self._at >= len(self._text):
                return found
            found.append(self._word())

    def _word(self) -> Word:
        begin = self._at
        plain: list[str] = []
        bare: list[str] = []
        known = one = True
        while self._at < len(self._text) and (character := self._text[self._at]) not in BLANK:
            if character == "'":
                plain.append(self._until("'"))
                bare.append("''")
            elif character == '"':
                quoted = self._quoted()
                known = known and quoted is not None
                plain.append(quoted or "")
                bare.append("''")
            elif character == "\\":
                plain.append(self._text[self._at + 1 : self._at + 2])
                bare.append("''")
                self._at += 2
            elif character in "$`":
                known = one = False
                self._substitution()
            else:
                plain.append(character)
                bare.append(character)
                self._at += 1
        unquoted = "".join(bare)
        if unquoted not in _BRACKETS and (any(sign in unquoted for sign in "*?[") or _BRACES.search(unquoted)):
            known = one = False
        return Word("".join(plain) if known else self._text[begin : self._at], known, one)

    def _until(self, sign: str) -> str:
        end = self._text.find(sign, self._at + 1)
        if end < 0:
            raise _NotClosed
        inside, self._at = self._text[self._at + 1 : end], end + 1
        return inside

    def _quoted(self) -> str | None:
        """What stands in double quotes; None: something in it is unknown."""
        inside: list[str] = []
        known = True
        self._at += 1
        while self._at < len(self._text):
            character = self._text[self._at]
            if character == '"':
                self._at += 1
                return "".join(inside) if known else None
            if character == "\\":
                escaped = self._text[self._at + 1 : self._at + 2]
                inside.append(escaped if escaped in '$`"\\' else f"\\{escaped}")
                self._at += 2
            elif character in "$`":
                known = False
                self._substitution()
            else:
                inside.append(character)
                self._at += 1
        raise _NotClosed

    def _substitution(self) -> None:
        """Go behind what begins with `$` or a backtick."""
        if self._text[self._at] == "`":
            self._until("`")
            return
        following = self._text[self._at + 1 : self._at + 2]
        if following == "'":
            self._at += 1
            self._ansi()
        elif following in {"(", "{"}:
            self._at += 1
            self._group({"(": ")", "{": "}"}[following])
        else:
            self._at += 1

    def _ansi(self) -> None:
        self._at += 1
        while self._at < len(self._text):
            if self._text[self._at] == "'":
                self._at += 1
                return
            self._at += 2 if self._text[self._at] == "\\" else 1
        raise _NotClosed

    def _group(self, closing: str) -> None:
        """Go behind the sign that closes a group; quotes and groups within it hide others of that sign."""
        self._at += 1
        while self._at < len(self._text):
            character = self._text[self._at]
            if character == closing:
                self._at += 1
                return
            if character == "'" and closing == ")":
                self._until("'")
            elif character == '"':
                self._quoted()
            elif character == "\\":
                self._at += 2
            elif character in "$`":
                self._substitution()
            elif character == "(" and closing == ")":
                self._group(")")
            else:
                self._at += 1
        raise _NotClosed
