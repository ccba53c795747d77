"""The simple commands of a text that is more than simple commands, for whoever looks for one that is denied. Pure.

Generous: groups, loops, functions, here-documents and patterns of `case` may give commands that nothing runs. None that
a shell would run is left out because of the quotes, comments or redirections around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from overmind_core.domain.shell.words import BLANK, Word, split

MAX_DEPTH = 3
"""Here-documents within each other; a deeper one is taken apart by its signs alone, whatever is quoted."""
ROUGH = re.compile(r"[;&|\n()`<>{}\"']|\$\(")
"""Where a command may begin or end."""

_TARGET = "\1"
"""Stands before the file of a redirection."""
_GIVEN = "\2"
"""Stands before a here-string."""
_HEREDOC = re.compile(
    r"""(?P<dash>-?)[ \t]*(?:'(?P<single>[^'\n]+)'|"(?P<double>[^"\n]+)"|(?P<bare>[^\s;&|<>()'"`]+))"""
)
_REDIRECTION = re.compile(r"(?:<<<|<>|>>|>\||>&|<&|[<>])[ \t]*")
_SPECIAL = frozenset('"$`\\')
_ENDS = frozenset("\n;&|")
_PIPE = re.compile(r"\|(?!\|)")


class Piece(NamedTuple):
    """A simple command, its redirections left out."""

    text: str
    words: tuple[Word, ...]
    is_text: bool = False
    """It may be a line of a here-document, or a pattern: what is unknown in it need not be a program."""
    is_piped: bool = False
    """What it prints, the next one reads."""
    is_last: bool = False
    """It is the last one of a group, all of which may print that."""
    given: tuple[Word, ...] = ()
    """Those of the words that it reads: here-strings."""


def pieces(command: str, depth: int = 0) -> tuple[list[Piece], bool]:
    """What may be run by it, from left to right, and whether all quotes and groups close; else there may be more."""
    reader = _Reader(command, depth)
    is_whole = reader.read()
    return list(reader.pieces()), is_whole


class _Frame:
    """What is open: the whole, a group or substitution, a text in double quotes, or an expansion in braces."""

    __slots__ = ("closing", "plain", "stands_for")

    def __init__(self, closing: str, stands_for: str = "") -> None:
        self.closing = closing
        self.stands_for = stands_for
        """What the frame below has in its place."""
        self.plain: list[str] = []


class _Reader:
    """Reads from left to right, with the open frames on a stack: a hostile text is nested deeply."""

    def __init__(self, text: str, depth: int) -> None:
        self._text = text
        self._depth = depth
        self._at = 0
        self._frames = [_Frame("")]
        self._found: list[Piece] = []
        self._texts: list[Piece] = []
        self._heredocs: list[tuple[str, bool]] = []
        self._endless: set[str] = set()
        """Ends that do not come any more."""

    def pieces(self) -> Iterator[Piece]:
        """What was found."""
        for one in self._found:
            text = one.text.replace(_TARGET, "").replace(_GIVEN, "").strip(BLANK)
            words = [word for word in split(one.text) if not word.text.startswith(_TARGET)]
            given = [word._replace(text=word.text[1:]) for word in words if word.text.startswith(_GIVEN)]
            words = [word for word in words if not word.text.startswith(_GIVEN)]
            yield one._replace(text=text, words=(*words, *given), given=tuple(given))
        yield from self._texts

    def read(self) -> bool:
        """Read all of it; whether all that was opened was closed."""
        while self._at < len(self._text):
            if not (self._quoted() if self._frames[-1].closing in {'"', "}"} else self._bare()):
                return False
        if len(self._frames) == 1:
            self._finish()
        return len(self._frames) == 1

    def _bare(self) -> bool:
        """Go on outside of quotes; False: something does not close."""
        text, at = self._text, self._at
        character, top = text[at], self._frames[-1]
        if character == top.closing:
            self._finish()
            self._close()
        elif character == ")":
            self._finish(is_pattern=True)
            self._at += 1
        elif character == "(":
            self._finish()
            self._open(_Frame(")"), 1)
        elif character in _SPECIAL or character == "'":
            return self._special()
        elif character == "#" and self._is_word_start():
            end = text.find("\n", at)
            self._at = len(text) if end < 0 else end
        elif character in "<>" or text.startswith("&>", at):
            self._redirect()
        elif character in _ENDS:
            self._finish(is_piped=_PIPE.match(text, at) is not None)
            self._at += 2 if text.startswith("||", at) else 1
            if character == "\n":
                self._skip_heredocs()
        else:
            self._take(1)
        return True

    def _quoted(self) -> bool:
        """Go on in double quotes or in `${…}`, which belong to the word around them."""
        character, top = self._text[self._at], self._frames[-1]
        if character == top.closing:
            self._close()
        elif character in _SPECIAL:
            return self._special()
        else:
            self._take(1)
        return True

    def _special(self) -> bool:
        r"""Go over `\` with what follows, or what begins with a quote, `$` or a backtick."""
        text, at = self._text, self._at
        is_quoted = self._frames[-1].closing in {'"', "}"}
        if text[at] == "'":
            return self._take_until("'")
        if text[at] == '"':
            self._open(_Frame('"'), 1)
        elif text[at] == "`":
            if any(frame.closing == "`" for frame in self._frames):
                return False  # quoted within, or closed amid something else
            self._open(_Frame("`", "$()"), 1)
        elif text.startswith("$(", at):
            self._open(_Frame(")", "$()"), 2)
        elif text.startswith("${", at):
            self._open(_Frame("}", "$x"), 2)
        elif text.startswith("$'", at) and not is_quoted:
            end = re.compile(r"\$'(?:[^'\\]|\\.)*'", re.DOTALL).match(text, at)
            if end is None:
                return False
            self._take(end.end() - at)
        else:
            self._take(2 if text[at] == "\\" else 1)
        return True

    def _take(self, count: int) -> None:
        self._frames[-1].plain.append(self._text[self._at : self._at + count])
        self._at += count

    def _take_until(self, sign: str) -> bool:
        end = self._text.find(sign, self._at + 1)
        if end >= 0:
            self._take(end + 1 - self._at)
        return end >= 0

    def _is_word_start(self) -> bool:
        plain = self._frames[-1].plain
        return not plain or plain[-1][-1:] in BLANK

    def _open(self, frame: _Frame, length: int) -> None:
        self._frames.append(frame)
        self._at += length

    def _close(self) -> None:
        closed = self._frames.pop()
        self._at += 1
        below = self._frames[-1].plain
        if closed.closing == '"':
            below.append(f'"{"".join(closed.plain)}"')
        elif closed.stands_for:
            below.append(closed.stands_for)

    def _finish(self, *, is_pattern: bool = False, is_piped: bool = False) -> None:
        """A command ends here."""
        plain = self._frames[-1].plain
        if text := "".join(plain).strip(BLANK):
            self._found.append(Piece(text, (), is_pattern, is_piped))
        elif is_piped and self._found:
            self._found[-1] = self._found[-1]._replace(is_piped=True, is_last=True)
        plain.clear()

    def _redirect(self) -> None:
        """Go over the sign of a redirection, and mark the file behind it; keep the word of a here-string."""
        text, at = self._text, self._at
        if text[at + 1 : at + 2] == "(":
            self._open(_Frame(")", "<()"), 2)
            return
        plain = self._frames[-1].plain
        digits = len(plain)
        while digits and plain[digits - 1].isdigit():
            digits -= 1
        if text[at] != "&" and (not digits or plain[digits - 1][-1:] in BLANK):
            del plain[digits:]
        if text.startswith("<<", at) and not text.startswith("<<<", at):
            found = _HEREDOC.match(text, at + 2)
            self._at = at + 2 if found is None else found.end()
            if found is not None:
                tag = found["single"] or found["double"] or found["bare"].replace("\\", "")
                self._heredocs.append((tag, bool(found["dash"])))
            plain.append(" ")
            return
        sign = _REDIRECTION.match(text, at + (text[at] == "&"))
        self._at = at + 1 if sign is None else sign.end()
        plain.append(f" {_GIVEN if text.startswith('<<<', at) else _TARGET}")

    def _skip_heredocs(self) -> None:
        """Read the texts that begin with this line, where they end."""
        for tag, is_indented in self._heredocs:
            tabs = r"\t*" if is_indented else ""
            line = rf"^{tabs}{re.escape(tag)}$"
            end = None if line in self._endless else re.compile(line, re.MULTILINE).search(self._text, self._at)
            if end is None:
                self._endless.add(line)
                break
            text = self._text[self._at : end.start()]
            inside, is_whole = pieces(text, self._depth + 1) if self._depth < MAX_DEPTH else ([], False)
            if not is_whole:
                inside += [Piece(one.strip(BLANK), tuple(split(one))) for one in ROUGH.split(text)]
            self._texts += [one._replace(is_text=True) for one in inside]
            self._at = end.end()
        self._heredocs = []
