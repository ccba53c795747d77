"""Here-documents of a shell: what ends one, and where that is. Pure.

Source: POSIX.1-2024, Shell Command Language, 2.7.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"|\\(.)", re.DOTALL)


class HereDocument(NamedTuple):
    """One whose body begins with the next line."""

    delimiter: str
    """The line that ends it."""
    quoted: bool
    """A part of the delimiter was quoted: then nothing in the body means anything to the shell."""
    indented: bool
    """`<<-`: tabs before a line don't count."""


def opened(word: str, *, indented: bool) -> HereDocument:
    """The one whose operator is followed by `word`."""
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
