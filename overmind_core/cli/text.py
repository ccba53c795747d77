"""A text for an agent: the words of the command line, or all of standard input."""

from __future__ import annotations

import os
import sys

from overmind_core.errors import OvermindError
from overmind_core.wire.bytestrings import to_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

STDIN = "-"
"""The word that stands for standard input."""


def text_of(words: Sequence[str]) -> str:
    """Return the words joined by blanks; of `-` alone what standard input holds, without one newline at its end.

    Raises:
        OvermindError: `invalid`, it contains a NUL character.
    """
    text = _read() if list(words) == [STDIN] else " ".join(words)
    if "\0" in text:
        raise OvermindError("invalid", "The text contains a NUL character, which no agent can be given.")
    return text


def _read() -> str:
    return to_wire(os.fsdecode(sys.stdin.buffer.read())).removesuffix("\n")
