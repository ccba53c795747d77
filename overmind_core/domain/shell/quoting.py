"""The quoting of places in a shell's text: bare, in double quotes, or where a value can't safely be expanded. Pure.

The text has a `MARK` wherever a value is to stand. The reading follows the Shell Command Language of POSIX.1-2024
(2.2, 2.3, 2.6, here-documents 2.7.4) and, where dash and bash agree beyond it, those two. It need not be complete: a
value is never part of the text, so a wrong reading costs a wrong quotation, never a command that somebody slipped in.
Of groups only so much of the grammar is here as tells which `)` ends a `$(…)`: in `$(case x in a) echo;; esac)` it is
the second.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, StrEnum
from typing import NamedTuple

SEPARATORS = frozenset([";", ";;", ";&", "&", "|", "\n"])

_BEFORE_COMMAND = frozenset(["if", "then", "elif", "else", "while", "until", "for", "do", "!", "{", "}", "fi", "done"])
"""Words behind which a reserved word may come."""


class _OpenConstruct(Enum):
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
        self._open: list[_OpenConstruct] = []

    def word(self, word: str) -> None:
        """Take a word as it is written, with its quotes."""
        inside = self._inside
        if inside is _OpenConstruct.SUBJECT:
            self._open[-1] = _OpenConstruct.IN
        elif inside is _OpenConstruct.IN and word == "in":
            self._open[-1], self.first = _OpenConstruct.PATTERN, True
        elif inside in {_OpenConstruct.PATTERN, _OpenConstruct.BODY} and self.first and word == "esac":
            self._open.pop()
        elif inside is not _OpenConstruct.PATTERN and self.first and word == "case":
            self._open.append(_OpenConstruct.SUBJECT)
        else:
            self.first = self.first and word in _BEFORE_COMMAND

    def separator(self, separator: str) -> None:
        """Take one of `SEPARATORS`."""
        if separator in {";;", ";&"} and self._inside is _OpenConstruct.BODY:
            self._open[-1] = _OpenConstruct.PATTERN
        if separator != "|" or self._inside is not _OpenConstruct.PATTERN:
            self.first = True

    def opening(self) -> None:
        """Take `(`."""
        if (
            self._inside is _OpenConstruct.PATTERN and self.first
        ):  # it may stand before a pattern, and then opens nothing
            self.first = False
            return
        self._open.append(_OpenConstruct.PARENTHESIS)
        self.first = True

    def closing(self) -> bool:
        """Take `)`; whether nothing in the list had opened it, so that it closes the list."""
        inside, self.first = self._inside, True
        if inside is _OpenConstruct.PATTERN:
            self._open[-1] = _OpenConstruct.BODY
        elif inside is _OpenConstruct.PARENTHESIS:
            self._open.pop()
        return inside is None

    @property
    def _inside(self) -> _OpenConstruct | None:
        return self._open[-1] if self._open else None


_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"|\\(.)", re.DOTALL)


class HereDocument(NamedTuple):
    """One whose body begins with the next line."""

    delimiter: str
    """The line that ends it."""
    quoted: bool
    """A part of the delimiter was quoted: then nothing in the body means anything to the shell."""
    indented: bool
    """`<<-`: tabs before a line don't count."""


def here_document(word: str, *, indented: bool) -> HereDocument:
    """The here-document whose operator is followed by `word`."""
    bare = _QUOTED.sub(lambda found: "".join(part for part in found.groups() if part), word)
    return HereDocument(bare, any(quote in word for quote in "'\"\\"), indented)


def body_end(text: str, at: int, document: HereDocument) -> int:
    """The offset behind the line that ends the body beginning at `at`; the end of `text` when none does."""
    for begin, end in _lines(text, at, joined=not document.quoted):
        line = text[begin:end].removesuffix("\n")
        if (line.lstrip("\t") if document.indented else line) == document.delimiter:
            return end
    return len(text)


def _lines(text: str, at: int, *, joined: bool) -> Iterator[tuple[int, int]]:
    """Begin and end of each line; `joined`: a backslash at its end makes it go on."""
    begin = at
    while at < len(text):
        newline = text.find("\n", at)
        at = newline + 1 if newline >= 0 else len(text)
        if joined and newline >= 0 and _odd_backslashes(text[begin:newline]):
            continue
        yield begin, at
        begin = at


def _odd_backslashes(line: str) -> bool:
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


MARK = "\0"
"""Stands for a value; a shell's text can't contain it."""
MAX_DEPTH = 50
"""Quotes and substitutions within each other that are followed."""


class QuotePlace(StrEnum):
    """What a shell would make of an expansion there."""

    BARE = "bare"
    """Splits it into words and matches them with files, unless it is put in double quotes."""
    QUOTED = "quoted"
    """Takes it as it is."""
    COMMENT = "comment"
    """Never reads it."""
    SINGLE = "single"
    ANSI = "ansi"
    BACKTICKS = "backticks"
    DOCUMENT = "document"
    ARITHMETIC = "arithmetic"
    NAME = "name"
    ESCAPED = "escaped"


REFUSALS: Mapping[QuotePlace, str] = {
    QuotePlace.SINGLE: "inside single quotes nothing is expanded: use double quotes",
    QuotePlace.ANSI: "inside $'…' nothing is expanded: use double quotes",
    QuotePlace.BACKTICKS: "inside backticks its quotes can't be relied on: use $(…)",
    QuotePlace.DOCUMENT: "it is not allowed in a here-document: use printf '%s\\n' \"…\"",
    QuotePlace.ARITHMETIC: (
        "inside arithmetic a value could run commands: compare with [ … ], or calculate in another program"
    ),
    QuotePlace.NAME: "it can't replace a name inside ${…}",
    QuotePlace.ESCAPED: "the backslash before it makes it plain text: remove it, or write $${ for a plain ${",
}
"""Why a value can't stand in such a place; in all others it can."""


class QuoteProblem(NamedTuple):
    """What no shell could read."""

    at: int
    """Offset in the text."""
    why: str


class QuotePlaces(NamedTuple):
    """A text as it was read."""

    marks: tuple[QuotePlace, ...]
    """One for each `MARK`, in order; fewer when a trouble ended the reading."""
    troubles: tuple[QuoteProblem, ...]


def quote_places(text: str) -> QuotePlaces:
    """Where the marks of `text` stand."""
    reader = _Reader(text)
    try:
        reader.commands(0, closing=False)
    except _Unreadable as unreadable:
        reader.troubles.append(unreadable.trouble)
    return QuotePlaces(tuple(reader.marks), tuple(reader.troubles))


_PARAMETER = re.compile(r"[#!]?(?:[A-Za-z_]\w*|\d+|[@*])|[@*#?$!-]", re.ASCII)
_REMEDY = "a reference begins with ${vars., ${env. or ${agents., and single quotes keep other text as it is"
_WORD_ENDS = frozenset(" \t\n;&|<>()")


class _Unreadable(Exception):
    def __init__(self, at: int, why: str) -> None:
        self.trouble = QuoteProblem(at, why)
        super().__init__(why)


class _Reader:
    """Reads from left to right; each method takes an offset and returns the one behind what it has read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.marks: list[QuotePlace] = []
        self.troubles: list[QuoteProblem] = []
        self._depth = 0
        self._groups: set[int] = set()
        """Where `((` was found to open two groups instead of arithmetic."""
        self._evaluated = 0
        """Before this offset bash takes what is expanded as arithmetic: the end of a `[[ … ]]` or `$[…]`."""

    def commands(self, at: int, *, closing: bool) -> int:
        """Read commands up to the end, or behind the `)` that closes them."""
        text, begin, found = self._text, at, CommandList()
        documents: list[HereDocument] = []
        with self._deeper(at):
            while at < len(text):
                if text[at] == "#":
                    at = self._comment(at)
                elif text.startswith("\\\n", at):
                    at += 2
                elif text[at] not in _WORD_ENDS:
                    at = self._word(at, found)
                elif text[at] == ")" and found.closing() and closing:
                    return at + 1
                elif text[at] in "<>":
                    at = self._redirection(at, documents)
                else:
                    at = self._between(at, found, documents)
        if closing:
            raise _Unreadable(begin - 2, "this $( is never closed")
        return at

    def _word(self, at: int, found: CommandList) -> int:
        begin = at
        while at < len(self._text) and self._text[at] not in _WORD_ENDS:
            at = self._piece(at)
        word = self._text[begin:at]
        if found.first and word == "[[":
            self._evaluated = max(self._evaluated, self._text.find(" ]]", at))
        found.word(word)
        return at

    def _between(self, at: int, found: CommandList, documents: list[HereDocument]) -> int:
        """What stands between words."""
        text = self._text
        if found.first and text.startswith("((", at) and (end := self._arithmetic_if_any(at)) is not None:
            return end
        if text[at] == "(":
            found.opening()
        if text[at] not in SEPARATORS:
            return at + 1
        separator = text[at : at + 2] if text[at : at + 2] in SEPARATORS else text[at]
        found.separator(separator)
        return self._bodies(at + 1, documents) if separator == "\n" else at + len(separator)

    def _comment(self, at: int) -> int:
        end = self._text.find("\n", at)
        return self._record_place(at, end if end >= 0 else len(self._text), QuotePlace.COMMENT)

    def _piece(self, at: int) -> int:
        """A part of a bare word."""
        return self._single(at, 1, QuotePlace.SINGLE) if self._text[at] == "'" else self._part(at, QuotePlace.BARE)

    def _part(self, at: int, place: QuotePlace) -> int:
        """What means the same wherever anything is expanded."""
        character = self._text[at]
        if character == MARK:
            return self._record_place(at, at + 1, place)
        if character == "\\":
            return self._record_place(at, min(at + 2, len(self._text)), QuotePlace.ESCAPED)
        if character == '"':
            return self._double(at)
        if character == "`":
            return self._backticks(at)
        return self._dollar(at, place) if character == "$" else at + 1

    def _single(self, opening: int, length: int, place: QuotePlace) -> int:
        """A text between single quotes; its opening has `length` characters."""
        at = opening + length
        while at < len(self._text) and self._text[at] != "'":
            at += 2 if self._text[at] == "\\" and place is QuotePlace.ANSI else 1
        self._record_place(opening, at, place)
        return self._behind(at, opening, length)

    def _backticks(self, opening: int) -> int:
        at = opening + 1
        while at < len(self._text) and self._text[at] != "`":
            at += 2 if self._text[at] == "\\" else 1
        self._record_place(opening, at, QuotePlace.BACKTICKS)
        return self._behind(at, opening)

    def _behind(self, at: int, opening: int, length: int = 1) -> int:
        """Behind the character at `at`, which closes what the `length` characters at `opening` have opened."""
        if at >= len(self._text):
            raise _Unreadable(opening, f"this {self._text[opening : opening + length]} is never closed")
        return at + 1

    def _double(self, opening: int) -> int:
        at = opening + 1
        with self._deeper(opening):
            while at < len(self._text) and self._text[at] != '"':
                at = self._part(at, QuotePlace.QUOTED)
        return self._behind(at, opening)

    def _dollar(self, at: int, place: QuotePlace) -> int:
        text = self._text
        if text.startswith("$((", at) and (end := self._arithmetic_if_any(at + 1)) is not None:
            return end
        if text.startswith("$(", at):
            return self.commands(at + 2, closing=True)
        if text.startswith("${", at):
            return self._parameter(at, place)
        if text.startswith("$'", at) and place is QuotePlace.BARE:
            return self._single(at, 2, QuotePlace.ANSI)
        if text.startswith("$[", at):
            self._evaluated = max(self._evaluated, text.find("]", at))
        return at + 1

    def _parameter(self, opening: int, around: QuotePlace) -> int:
        """`${name}` with whatever is done to it: a default, a pattern to remove, a part of it."""
        at = opening + 2
        name = _PARAMETER.match(self._text, at)
        if name:
            at = name.end()
            self._refuse_dot(opening, at)
        if self._text.startswith(MARK, at):
            at = self._record_place(at, at + 1, QuotePlace.NAME)
        if self._text[at : at + 2].removeprefix(":")[:1] in {"-", "=", "?", "+"}:
            return self._inside_braces(opening, at, around, single=around is QuotePlace.BARE)
        if self._text[at : at + 1] in {":", "["}:
            return self._inside_braces(opening, at, QuotePlace.ARITHMETIC, single=False)
        return self._inside_braces(
            opening, at, QuotePlace.BARE, single=True
        )  # a pattern: quotes count, whatever is around

    def _refuse_dot(self, opening: int, at: int) -> None:
        if self._text.startswith(".", at):
            written = self._text[opening:at]
            self.troubles.append(QuoteProblem(opening, f"shells do not expand {written}.…}}: {_REMEDY}"))

    def _inside_braces(self, opening: int, at: int, place: QuotePlace, *, single: bool) -> int:
        """Up to the `}`; `single`: single quotes quote."""
        with self._deeper(opening):
            while at < len(self._text) and self._text[at] != "}":
                at = self._piece(at) if single and self._text[at] == "'" else self._part(at, place)
        return self._behind(at, opening, 2)

    def _arithmetic_if_any(self, at: int) -> int | None:
        """The end of the `((…))` at `at`; None when these are two groups of commands."""
        if at in self._groups:
            return None
        marks, troubles, depth = len(self.marks), len(self.troubles), self._depth
        try:
            return self._arithmetic(at)
        except _Unreadable:
            del self.marks[marks:], self.troubles[troubles:]
            self._depth = depth
            self._groups.add(at)
            return None

    def _arithmetic(self, opening: int) -> int:
        at, groups = opening + 2, 0
        with self._deeper(opening):
            while at < len(self._text) and (groups or self._text[at] != ")"):
                groups += {"(": 1, ")": -1}.get(self._text[at], 0)
                at = at + 1 if self._text[at] == '"' else self._part(at, QuotePlace.ARITHMETIC)
        if not self._text.startswith("))", at):
            raise _Unreadable(opening, "not arithmetic")
        return at + 2

    def _redirection(self, at: int, documents: list[HereDocument]) -> int:
        text = self._text
        if text.startswith("<<<", at):
            return at + 3
        if text.startswith("<<", at):
            return self._delimiter(at + 2, documents)
        return at + 2 if text[at + 1 : at + 2] in {">", "&", "|"} else at + 1

    def _delimiter(self, at: int, documents: list[HereDocument]) -> int:
        indented = self._text.startswith("-", at)
        at += indented
        while self._text[at : at + 1] in {" ", "\t"}:
            at += 1
        begin = at
        while at < len(self._text) and self._text[at] not in _WORD_ENDS:
            at = self._delimiter_piece(at)
        documents.append(here_document(self._text[begin:at], indented=indented))
        return self._record_place(begin, at, QuotePlace.DOCUMENT)

    def _delimiter_piece(self, at: int) -> int:
        quote = self._text[at]
        if quote not in "'\"":
            return min(at + (2 if quote == "\\" else 1), len(self._text))
        end = self._text.find(quote, at + 1)
        if end < 0:
            raise _Unreadable(at, f"this {quote} is never closed")
        return end + 1

    def _bodies(self, at: int, documents: list[HereDocument]) -> int:
        for document in documents:
            at = self._record_place(at, body_end(self._text, at, document), QuotePlace.DOCUMENT)
        documents.clear()
        return at

    def _record_place(self, begin: int, end: int, place: QuotePlace) -> int:
        """All marks of a range stand in `place`; its end."""
        if begin < self._evaluated and place in {QuotePlace.BARE, QuotePlace.QUOTED}:
            place = QuotePlace.ARITHMETIC
        self.marks += [place] * self._text.count(MARK, begin, end)
        return end

    @contextmanager
    def _deeper(self, at: int) -> Iterator[None]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _Unreadable(at, f"more than {MAX_DEPTH} quotes and substitutions within each other")
        yield
        self._depth -= 1
