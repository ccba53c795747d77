"""How many cells a character takes: one answer for the emulator and for what draws it.

The two classes hold what most text consists of, for tokens that need no look at each character.
"""

from __future__ import annotations

from functools import lru_cache

from wcwidth import wcwidth

NARROW = (
    "\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0377\u0384-\u0482\u1e00-\u1fbc\u2010-\u2019\u201c\u201d\u2022\u2026\u2030"
    "\u2190-\u2193\u2212\u2260\u2264\u2265\u2500-\u259f\u2800-\u28ff\ue0a0-\ue0d4\uff61-\uff9d"
)
"""Inside of brackets of a regular expression: characters of one cell that no mark belongs to."""
WIDE = "\u3041-\u3096\u309b-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60"
"""The same for characters of two cells."""
_SOFT_HYPHEN = "\xad"


@lru_cache(maxsize=8192)
def width(character: str) -> int:
    """Cells of one character: 0 (it joins the one before), 1 or 2; -1 for a control, which is no text.

    A soft hyphen is seen, as in xterm.
    """
    return 1 if character == _SOFT_HYPHEN else wcwidth(character)
