"""Text for people: safe on a terminal, measured in its cells, and a suggestion for a word that nobody knows.

A cell is one column of a terminal: most characters take one, wide ones (CJK, most emoji) two,
combining marks and format characters none.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable


ELLIPSIS = "..."

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# They turn the reading direction of what follows, so that a name or command reads as another one.
_BIDI = frozenset(map(chr, (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))))
# They have no look at all, so that two texts that differ look alike, and a text is hidden in another one. Joiners
# (U+200C, U+200D) and selectors of variants belong to scripts and emoji, and stay.
_INVISIBLE = frozenset(map(chr, (
    0x180E, 0x200B, *range(0x2060, 0x2066), *range(0x206A, 0x2070), 0xFEFF, *range(0xFFF9, 0xFFFC),
    *range(0xE0000, 0xE0080),
)))  # fmt: skip
# Hangul vowels and final consonants: drawn into the cell of the syllable's first letter.
_JOINING_JAMO = range(0x1160, 0x1200)
_SOFT_HYPHEN = 0xAD
# Bytes that were no UTF-8: as Python holds them (`surrogateescape`), and as they travel on the wire.
_RAW_BYTES = (range(0xDC80, 0xDD00), range(0x10DC80, 0x10DD00))
_LAST_OF_ONE_BYTE = 0xFF
_LAST_OF_FOUR_DIGITS = 0xFFFF


def display_safe(text: str) -> str:
    r"""`text` as one harmless line.

    Control characters, escape sequences, line separators, bidirectional controls and characters without a look are
    shown as `\xNN` or `\uNNNN` (newline, return and tab by their names); bytes that were no UTF-8 (lone surrogates
    U+DC80..U+DCFF, or U+10DC80..U+10DCFF, their form on the wire) as `\xNN`.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _shown(character) for character in text)


def width(text: str) -> int:
    """The number of cells that a terminal draws `text` in; `text` holds no control characters."""
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def cut(text: str, cells: int) -> str:
    """`text` in at most `cells` cells: its beginning and `...` when it is longer.

    Below four cells there is no room for the dots: then the beginning alone.
    """
    if width(text) <= cells:
        return text
    if cells <= len(ELLIPSIS):
        return _beginning(text, cells)
    return _beginning(text, cells - len(ELLIPSIS)) + ELLIPSIS


def pad(text: str, cells: int) -> str:
    """`text` followed by spaces up to `cells` cells; a longer one as it is."""
    return text + " " * (cells - width(text))


def _beginning(text: str, cells: int) -> str:
    if text.isascii():
        return text[: max(cells, 0)]
    used = 0
    for position, character in enumerate(text):
        used += _cells_of(character)
        if used > cells:
            return text[:position]
    return text


def _shown(character: str) -> str:
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if any(code in codes for codes in _RAW_BYTES):
        return f"\\x{code & 0xFF:02x}"
    if character in _BIDI or character in _INVISIBLE or _category(character) in {"Cc", "Cs", "Zl", "Zp"}:
        if code <= _LAST_OF_ONE_BYTE:
            return f"\\x{code:02x}"
        return f"\\u{code:04x}" if code <= _LAST_OF_FOUR_DIGITS else f"\\U{code:08x}"
    return character


def _cells_of(character: str) -> int:
    if character.isascii():
        return 1
    # Not at the top: ASCII needs no tables, and every start of the command line would load a megabyte.
    from unicodedata import category, east_asian_width  # noqa: PLC0415

    code = ord(character)
    if code in _JOINING_JAMO or (category(character) in {"Mn", "Me", "Cf"} and code != _SOFT_HYPHEN):
        return 0
    return 2 if east_asian_width(character) in {"W", "F"} else 1


def _category(character: str) -> str:
    from unicodedata import category  # noqa: PLC0415 (as above)

    return category(character)


MOST_CELLS = 1000
"""Columns, or rows, that a mission's terminal may have."""
MOST_MEANT = 3
"""Words that may have been meant; more would say nothing."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean …?` with the known words that begin with `word`, or look like it; else nothing."""
    from difflib import SequenceMatcher, get_close_matches  # noqa: PLC0415  (start-up: only when something is wrong)

    words = list(known)
    close = [one for one in words if word and one.startswith(word)]
    if not 0 < len(close) <= MOST_MEANT:
        like = set(get_close_matches(word, words, n=max(len(words), 1), cutoff=0.6))
        alike = {one: SequenceMatcher(None, one, word).ratio() for one in words if one in like}
        close = sorted(alike, key=lambda one: -alike[one])[:MOST_MEANT]  # of those that are as close in their order
    return f" Did you mean {' or '.join(close)}?" if close else ""


def shown_name(name: str, title: str | None) -> str:
    """Return the words by which people know a quest: its title where its name has lost letters of it, else the name.

    Names are for machines and commands, which take no other letters than those of ASCII.
    """
    if not title or title.isascii():
        return name
    from overmind_core.domain.text.slug import says_less  # noqa: PLC0415 - start-up: few titles need it

    return title if says_less(name, title) else name
