"""What opens and closes a group in a shell's commands: parentheses, and the words of `case`. Pure.

Only so much of the grammar as tells which `)` ends a `$(…)`: in `$(case x in a) echo;; esac)` it is the second.
"""

from __future__ import annotations

from enum import Enum

SEPARATORS = frozenset([";", ";;", ";&", "&", "|", "\n"])

_BEFORE_COMMAND = frozenset(["if", "then", "elif", "else", "while", "until", "for", "do", "!", "{", "}", "fi", "done"])
"""Words behind which a reserved word may come."""


class _Open(Enum):
    PARENTHESIS = "("
    SUBJECT = "case"
    IN = "case subject"
    PATTERN = "case subject in"
    BODY = "case subject in pattern)"


class CommandList:
    """A list of commands while it is read: a whole text, or the inside of one `$(…)`."""

    def __init__(self) -> None:
        self.first = True
        """The next word stands where a command or a pattern begins, so it may be a reserved one."""
        self._open: list[_Open] = []

    def word(self, word: str) -> None:
        """Take a word as it is written, with its quotes."""
        inside = self._inside
        if inside is _Open.SUBJECT:
            self._open[-1] = _Open.IN
        elif inside is _Open.IN and word == "in":
            self._open[-1], self.first = _Open.PATTERN, True
        elif inside in {_Open.PATTERN, _Open.BODY} and self.first and word == "esac":
            self._open.pop()
        elif inside is not _Open.PATTERN and self.first and word == "case":
            self._open.append(_Open.SUBJECT)
        else:
            self.first = self.first and word in _BEFORE_COMMAND

    def separator(self, separator: str) -> None:
        """Take one of `SEPARATORS`."""
        if separator in {";;", ";&"} and self._inside is _Open.BODY:
            self._open[-1] = _Open.PATTERN
        if separator != "|" or self._inside is not _Open.PATTERN:
            self.first = True

    def opening(self) -> None:
        """Take `(`."""
        if self._inside is _Open.PATTERN and self.first:  # it may stand before a pattern, and then opens nothing
            self.first = False
            return
        self._open.append(_Open.PARENTHESIS)
        self.first = True

    def closing(self) -> bool:
        """Take `)`; whether nothing in the list had opened it, so that it closes the list."""
        inside, self.first = self._inside, True
        if inside is _Open.PATTERN:
            self._open[-1] = _Open.BODY
        elif inside is _Open.PARENTHESIS:
            self._open.pop()
        return inside is None

    @property
    def _inside(self) -> _Open | None:
        return self._open[-1] if self._open else None
