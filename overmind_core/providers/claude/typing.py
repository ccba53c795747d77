"""How a message is typed into a `claude` on a terminal, so that the agent gets it as it is.

Found by experiment with 2.1.328. A paste of more than 800 UTF-16 units or of more than three lines is handed on between
tags, `<pasted_content>`. A text that begins with `/` and a name is a command of the program's own, whatever blanks and
invisible characters stand before it, and one that begins with `!` is run by a shell; both also when they are pasted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from unicodedata import category

from overmind_core.providers.claude.screens import PLACEHOLDERS

LONGEST = 799
"""UTF-16 units of a piece; one is left for the blank at the end."""
LINE_ENDS = 2
"""The same in line ends."""
MOST_PIECES = 64
"""The program draws its prompt anew for each: beyond this, which takes seconds, the tags are the lesser evil."""
BLOCK = "\n" * 4
"""Behind a text it makes a paste of many lines of it, which is never taken for a command or for an empty prompt."""
BLANK = " "
"""Before a text it keeps `!` from the shell. Behind one the program drops it; it keeps a backslash at the end from
making a line end of Enter, and a list of completions from opening."""
_FILLERS = "\u115f\u1160\u3164\uffa0"
"""Letters without a shape."""


def pastes(text: str) -> Sequence[str]:
    """What to paste, piece by piece; then comes Enter."""
    if _is_command(text) or text.lstrip().startswith(PLACEHOLDERS):
        return (text + BLOCK,)
    guarded = BLANK + text if _seen(text).startswith("!") else text
    pieces = list(_pieces(guarded))
    return (*pieces[:-1], pieces[-1] + BLANK) if len(pieces) <= MOST_PIECES else (guarded,)


def is_argument(text: str) -> bool:
    """Whether it arrives as it is as the first prompt of a command line, where only `/` means something."""
    return not _is_command(text)


def _is_command(text: str) -> bool:
    """Its first word is a slash and a name; with another slash it is a path."""
    seen = _seen(text)
    return seen.startswith("/") and "/" not in seen.split(maxsplit=1)[0][1:]


def _seen(text: str) -> str:
    """The text from its first visible character on."""
    begin = next((at for at, one in enumerate(text) if not _is_unseen(one)), len(text))
    return text[begin:]


def _is_unseen(one: str) -> bool:
    """Whether the program does without it."""
    return one.isspace() or not one.isprintable() or category(one).startswith("M") or one in _FILLERS


def _pieces(text: str) -> Iterator[str]:
    begin = units = ends = 0
    for at, one in enumerate(text):
        width = 2 if ord(one) > 0xFFFF else 1  # noqa: PLR2004 - the last character of one UTF-16 unit
        if units + width > LONGEST or (one == "\n" and ends == LINE_ENDS):
            yield text[begin:at]
            begin, units, ends = at, 0, 0
        units += width
        ends += one == "\n"
    yield text[begin:]
