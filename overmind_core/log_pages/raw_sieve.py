"""The sieve before a search: whether the bytes of a log can hold what is looked for, as its lines would show it.

It never says no of a log in whose lines the words stand: neither escapes of JSON, nor the pieces in which a program
sends its text, nor colours and what is written over hide a word. It may say yes of one whose lines have nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from overmind_core.log_pages.word_query import Piece, WordQuery
from overmind_core.logs.sanitise import Sanitiser
from overmind_core.providers.registry import LABELS, TextPieces

_ESC = b"\x1b"
_DROPPED = bytes({*range(0x20), 0x7F} - {*b"\t\n\r\b\x1b"})
"""Controls of which the lines of a log show nothing."""
_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]pPx_X^][^\x07\n\x18\x1a\x1b]*\x07?|[ -/]*[0-~])")
_NO_COLOUR = re.compile(rb"\x1b(?!\[[0-9;:]*m)")
_COLOUR = b"\x1b[0123456789;:m" + _DROPPED
_LOWER = bytes(range(256)).lower()
_BACK = re.compile(rb"\x1b\[[0-9;]*[DG`]")
"""What takes the cursor back in its line, as a backspace and a return do: only behind it anything is written over."""
_ESCAPES = re.compile(rb"\\\\|\\u00([0-9a-f]{2})")
_JSON_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]px_^][^\x07\n\x18\x1a\x1b\\]*\x07?|[ -/]*[0-~])")
"""The same amid strings of JSON, where a line of text ends with an escape."""
_KEPT_CONTROLS = frozenset(b"\x07\x18\x1a\x1b")
"""Those with which a sequence begins or ends."""
_WIDE_ESCAPES = re.compile(r"\\\\|((?:\\u[0-9a-f]{4})+)")
_STRING = rb'":\s*"((?:[^"\\]++|\\.)*+)"'
_MOST_ROUNDS, _WORTH = 8, 8
"""Of making lines fewer: how often that is tried at most, and as long as it takes away so many at once."""
_ALL = b"*"
_LONGEST_TAIL = 4096
"""Bytes of a text in pieces that are looked at again with those that follow."""


class Needs(NamedTuple):
    """The pieces of words that bytes must hold: plain ones, and those with characters outside of ASCII."""

    plain: Sequence[bytes]
    others: Sequence[re.Pattern[str]]


def needs_of(pieces: Iterable[Piece]) -> Needs:
    """Split the pieces of a query; what a transcript says by itself of any tool needs to stand in no bytes."""
    found = [one for one in pieces if not any(one.text in label for label in LABELS)]
    plain = [one.ascii for one in found if one.ascii is not None]
    return Needs(plain, [one.pattern for one in found if one.ascii is None])


class PlainSieve:
    """Of a program that is shown as it writes, with the cursor moved about; each line stands for itself."""

    def __init__(self, query: WordQuery, needs: Needs) -> None:
        self._query = query
        self._needs = needs

    def passes(self, raw: bytes) -> bool:
        """Whether a line of these bytes, which begin with one, can hold all that is wanted."""
        if self._is_without(raw):
            return False
        bare = raw.lower()
        moves = False
        if _ESC in bare:
            moves = _NO_COLOUR.search(bare) is not None
            if moves or self._needs.others or self._may_hold(bare):
                bare = _SEQUENCE.sub(b"", bare)
        bare = bare.translate(None, _DROPPED)
        missing = [one for one in self._needs.plain if one not in bare]
        if not missing and self._others_in(bare):
            return True
        goes_back = (moves and _BACK.search(raw) is not None) or _is_returned(bare)
        return goes_back and self._is_written_over(raw)

    def _is_without(self, raw: bytes) -> bool:
        """Whether bytes whose only sequences are colours, and in which nothing is written over, lack a plain word.

        Nearly all logs end here: it reads them once less than a full look, which has the last word.
        """
        left = raw.translate(_LOWER, _COLOUR)
        if all(one.translate(None, _COLOUR) in left for one in self._needs.plain):
            return False
        return not _is_returned(raw) and _NO_COLOUR.search(raw) is None

    def _may_hold(self, low: bytes) -> bool:
        """Whether bytes that colours cut may hold the words, judged without what colours are written with."""
        left = low.translate(None, _COLOUR)
        return all(one.translate(None, _COLOUR) in left for one in self._needs.plain)

    def _others_in(self, low: bytes) -> bool:
        if not self._needs.others:
            return True
        text = low.decode("utf-8", "replace")
        return all(one.search(text) for one in self._needs.others)

    def _is_written_over(self, raw: bytes) -> bool:
        """Whether a line that was written over matches as it stands at its end."""
        letters = set(b"".join(self._needs.plain))
        for line in raw.split(b"\n"):
            text = line.rstrip(b"\r")
            if (_is_returned(text) or _BACK.search(text)) and letters <= set(text.lower()):
                sanitiser = Sanitiser()
                if any(map(self._query.matches, (*sanitiser.feed(text), *sanitiser.flush()))):
                    return True
        return False


def _is_returned(raw: bytes) -> bool:
    """Whether the cursor goes back by a control character."""
    return b"\b" in raw or raw.count(b"\r") != raw.count(b"\r\n")


class JsonSieve:
    """Of an agent's lines of JSON, in parts that end with a line; a message may begin in one and end in another."""

    def __init__(self, needs: Needs, pieces: TextPieces | None) -> None:
        """`pieces`: how its program sends text in pieces; None: it does not."""
        self._missing: set[bytes | re.Pattern[str]] = {*needs.plain, *needs.others}
        self._count = len(self._missing)
        self._joined = None if pieces is None else _JoinedText(pieces)

    @property
    def has_any(self) -> bool:
        """Whether anything that is wanted was found, or nothing has to be."""
        return len(self._missing) < self._count or not self._count

    def passes(self, raw: bytes) -> bool:
        """Whether this part, with those before it, can hold all that is wanted."""
        if not self._missing:
            return True
        low = raw.lower()
        if b"\\u00" in low:
            low = _ESCAPES.sub(_unescaped, low)
        self._strike_readable(low)
        if self._missing and self._joined is not None:
            self._strike_readable(self._joined.join_lines(low))
        return not self._missing

    def _strike_readable(self, low: bytes) -> None:
        self._strike_found(low)
        if self._missing and _ESC in low:
            if _BACK.search(low):  # in its lines text may be written over
                self._missing.clear()
            self._strike_found(_JSON_SEQUENCE.sub(b"", low).translate(None, _DROPPED))

    def _strike_found(self, low: bytes) -> None:
        self._missing -= {one for one in self._missing if isinstance(one, bytes) and one in low}
        others = [one for one in self._missing if isinstance(one, re.Pattern)]
        if others and not (low.isascii() and b"\\u" not in low):
            text = low.decode("utf-8", "replace")
            if "\\u" in text:
                text = _WIDE_ESCAPES.sub(_unescaped_text, text)
            self._missing -= {one for one in others if one.search(text)}


def _unescaped(found: re.Match[bytes]) -> bytes:
    """What an escape of JSON stands for, as far as the lines of a log show it; quotes and backslashes stay."""
    code = 0x5C if found[1] is None else int(found[1], 16)
    if code in {0x22, 0x5C}:
        return found[0]
    if code in _KEPT_CONTROLS or 0x20 <= code < 0x7F:  # noqa: PLR2004 - the printable ones of ASCII
        return bytes([code]).lower()
    return b" " if code in b"\t\n\r" else b"" if code < 0xA0 else found[0]  # noqa: PLR2004 - behind the controls


def _unescaped_text(found: re.Match[str]) -> str:
    if found[1] is None:
        return found[0]
    return bytes.fromhex(found[1].replace("\\u", "")).decode("utf-16-be", "replace")


class _JoinedText:
    """The text that a program sends in pieces, each in a line of its own: all of it, and of each conversation alone.

    Not every reader tells conversations apart.
    """

    def __init__(self, pieces: TextPieces) -> None:
        self._mark = pieces.mark.lower()
        self._text = re.compile(b'"' + re.escape(pieces.key.lower()) + _STRING)
        self._conversation = re.compile(b'"' + re.escape(pieces.conversation.lower()) + _STRING)
        self._named = b'"' + pieces.conversation.lower() + b'":'
        self._main = b""
        """How a line of the conversation that spoke first names it."""
        self._tails: dict[bytes, bytes] = {}

    def join_lines(self, low: bytes) -> bytes:
        """Return the text of these lines, which are in lower case, joined to the end of what came before."""
        found: dict[bytes, list[bytes]] = {_ALL: []}
        for line in self._shortened(low).split(b"\n"):
            if self._mark in line and (text := self._text.search(line)) is not None:
                found[_ALL].append(text[1])
                found.setdefault(self._named_in(line), []).append(text[1])
        for name, texts in found.items():
            texts.insert(0, self._tails.get(name, b""))
            self._tails[name] = b"".join(texts[-_LONGEST_TAIL:])[-_LONGEST_TAIL:]
        return b"\n".join(map(b"".join, found.values()))

    def _shortened(self, low: bytes) -> bytes:
        """The lines, with many in a row that differ in their piece alone made one: what stands between two goes."""
        name = self._conversation.search(low)
        if name is not None and low.count(self._named) != low.count(name[0]):
            return low  # of several: what stands between two pieces may be between two of them
        for _ in range(_MOST_ROUNDS):
            between = self._between(low)
            shorter = low.replace(between, b"") if between else low
            if len(low) - len(shorter) < _WORTH * len(between):
                return shorter
            low = shorter
        return low

    def _between(self, low: bytes) -> bytes:
        """What stands between the pieces of the first two lines in a row that have one; b"" where none do."""
        at = low.find(self._mark)
        while at >= 0:
            begin = low.rfind(b"\n", 0, at) + 1
            middle = low.find(b"\n", at) + 1
            end = low.find(b"\n", middle) if middle else -1
            if end < 0:
                return b""
            if low.find(self._mark, middle, end) >= 0:
                first, second = self._text.search(low, begin, middle), self._text.search(low, middle, end)
                return b"" if first is None or second is None else low[first.end(1) : second.start(1)]
            at = low.find(self._mark, end)
        return b""

    def _named_in(self, line: bytes) -> bytes:
        if self._main and self._main in line:
            return self._main
        name = self._conversation.search(line)
        key = b"" if name is None else name[0]
        self._main = self._main or key
        return key
