"""The tokenizer of a terminal's input: characters, keys, pastes, reports. Pure: time is an argument.

A complete sequence that nobody knows is swallowed. Esc counts alone only when nothing follows it for a while; the
rest of a sequence that comes after that is swallowed too. What is pasted is never keys.

Source: ECMA-48; XTerm Control Sequences; the kitty keyboard protocol (`CSI code;modifiers u`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

ESC = "\x1b"
PASTE_BEGINS, PASTE_ENDS = "\x1b[200~", "\x1b[201~"
PASTE_LIMIT = 1 << 20
"""Characters of one paste; the rest is dropped."""
LATE_SECONDS = 1.0
"""How long after a lone Esc the rest of a sequence may still come; how long half a sequence waits for its rest."""

_CSI = re.compile(r"\x1b\[(?:M...|[0-?]+[ -/]*[@-~]|[ -/]*[@-LN-~])", re.DOTALL)
_CSI_BEGUN = re.compile(r"\x1b\[(?:M.{0,2}|[0-?]*[ -/]*)", re.DOTALL)
_SS3 = re.compile(r"\x1bO[0-9;]*[@-~]")
_SS3_BEGUN = re.compile(r"\x1bO[0-9;]*")
_STRING = re.compile(r"\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)")
_STRING_BEGUN = re.compile(r"\x1b[\]PX^_][^\x07\x1b]{0,65536}\x1b?")
_LATE = re.compile(r"(?:\[(?:M...|[0-?]+[ -/]*[@-~]|[ -/]*[@-LN-~])|O[@-~])", re.DOTALL)
_LATE_REST = re.compile(r"[0-?]*[ -/]*[@-~]")
_PASSED = re.compile(r"\x1b\[(?:<\d+;-?\d+;-?\d+[Mm]|M...|[IO]|\?\d+;\d+\$y|48;[\d;:]+t|\d+;\d+R)", re.DOTALL)
_EXTENDED = re.compile(r"\x1b\[(\d+)(?::[\d:]*)?(?:;(\d*)(?::(\d+))?)?(?:;[\d:]*)?u")
_MODIFIED_OTHER = re.compile(r"\x1b\[27;(\d+);(\d+)~")
_BEGINNERS = frozenset("[O]PX^_")
"""What follows Esc in a sequence."""
_SHIFT, _ALT, _CTRL = 1, 2, 4
_OTHERS = 8 | 16 | 32
_LAST_CODE = 0x10FFFF
_RELEASED = "3"
_NAMED = {9: "tab", 13: "enter", 27: "escape", 32: "space", 127: "backspace", 57414: "enter"}


class TokenKind(Enum):
    """The kind of a token."""

    CHARACTER = "character"
    """One character, control characters too."""
    KEY = "key"
    """A key by its name, such as `alt+f`."""
    SEQUENCE = "sequence"
    """A whole sequence for whoever knows it: arrows, function keys, mouse, reports."""
    PASTE = "paste"


class Token(NamedTuple):
    """One thing that the terminal sent."""

    kind: TokenKind
    text: str


class Tokenizer:
    """Text in, tokens out; `escape_seconds`: how long Esc waits for company."""

    def __init__(self, escape_seconds: float) -> None:
        self.escape_seconds = escape_seconds
        self._buffer = ""
        self._since = 0.0
        self._paste: list[str] | None = None
        self._pasted = 0
        self._escaped_at: float | None = None
        """When an Esc was taken for a lone one."""
        self._abandoned_at: float | None = None
        """When half a sequence was given up."""

    @property
    def pending(self) -> bool:
        """Whether something waits for its rest, so that `tick` must be called soon."""
        return bool(self._buffer)

    def feed(self, text: str, now: float) -> Iterator[Token]:
        """What `text`, read at `now` (monotonic seconds), completes."""
        if self._buffer == ESC and text[:1] not in _BEGINNERS:
            yield from self.tick(now)  # who reads may be late: what has waited long enough goes with no later key
        self._buffer += self._without_late(text, now) if not self._buffer else text
        self._since = now
        while self._buffer and (token := self._next()) is not _WAIT:
            if token is not None:
                yield token

    def tick(self, now: float) -> Iterator[Token]:
        """What the passing of time decides."""
        if self._paste is not None or not self._buffer:
            return
        waited = now - self._since
        if self._buffer == ESC:
            if waited >= self.escape_seconds:
                self._buffer, self._escaped_at = "", now
                yield Token(TokenKind.KEY, "escape")
        elif waited >= LATE_SECONDS:
            self._buffer, self._abandoned_at = "", now

    def _without_late(self, text: str, now: float) -> str:
        """`text` without the rest of a sequence whose beginning was taken for something else."""
        escaped, self._escaped_at = self._escaped_at, None
        abandoned, self._abandoned_at = self._abandoned_at, None
        for at, pattern in ((escaped, _LATE), (abandoned, _LATE_REST)):
            if at is not None and now - at < LATE_SECONDS and (found := pattern.match(text)):
                return text[found.end() :]
        return text

    def _next(self) -> Token | None:
        """Cut one thing off the buffer; None when it is swallowed, `_WAIT` when it is not complete."""
        if self._paste is not None:
            return self._more_paste()
        if not self._buffer.startswith(ESC):
            return Token(TokenKind.CHARACTER, self._cut(1))
        for whole in (_CSI, _SS3, _STRING):
            if found := whole.match(self._buffer):
                return self._sequence(self._cut(found.end()))
        for begun in (_CSI_BEGUN, _SS3_BEGUN, _STRING_BEGUN):
            if begun.fullmatch(self._buffer):
                return _WAIT
        return self._escaped()

    def _escaped(self) -> Token | None:
        """Esc and something that begins no sequence: alt and a key, or two Escs."""
        if len(self._buffer) == 1:
            return _WAIT
        if self._buffer[1] == ESC:
            self._cut(1)
            return Token(TokenKind.KEY, "escape")
        follower = self._cut(2)[1]
        if follower in _BEGINNERS:
            return None
        return Token(TokenKind.KEY, f"alt+{key_name(follower)}")

    def _sequence(self, sequence: str) -> Token | None:
        if sequence == PASTE_BEGINS:
            self._paste, self._pasted = [], 0
            return None
        if sequence[1] in "]PX^_" or sequence == PASTE_ENDS:
            return None
        if _PASSED.fullmatch(sequence):
            return Token(TokenKind.SEQUENCE, sequence)
        if found := _EXTENDED.fullmatch(sequence):
            return None if found[3] == _RELEASED else _extended(int(found[1]), int(found[2] or 1))
        if found := _MODIFIED_OTHER.fullmatch(sequence):
            return _extended(int(found[2]), int(found[1]))
        return Token(TokenKind.SEQUENCE, sequence)

    def _more_paste(self) -> Token | None:
        assert self._paste is not None
        end = self._buffer.find(PASTE_ENDS)
        if end >= 0:
            self._keep(self._cut(end))
            self._cut(len(PASTE_ENDS))
            pasted, self._paste = "".join(self._paste), None
            return Token(TokenKind.PASTE, pasted)
        overlap = next((n for n in range(len(PASTE_ENDS) - 1, 0, -1) if self._buffer.endswith(PASTE_ENDS[:n])), 0)
        self._keep(self._cut(len(self._buffer) - overlap))
        return _WAIT

    def _keep(self, text: str) -> None:
        assert self._paste is not None
        self._paste.append(text[: max(PASTE_LIMIT - self._pasted, 0)])
        self._pasted += len(text)

    def _cut(self, length: int) -> str:
        taken, self._buffer = self._buffer[:length], self._buffer[length:]
        return taken


_WAIT = Token(TokenKind.KEY, "")


def key_name(character: str) -> str:
    """The name of the key that sends one character after Esc."""
    named = {"\r": "enter", "\n": "ctrl+j", "\t": "tab", "\x7f": "backspace", "\x08": "backspace", " ": "space"}
    if character in named:
        return named[character]
    if character < " ":
        return f"ctrl+{chr(ord(character) + 96)}"
    return character


def _extended(code: int, modifiers: int) -> Token | None:
    """A key as kitty and xterm report it when asked for more than bytes can say."""
    bits = modifiers - 1
    if bits & _OTHERS or code > _LAST_CODE:
        return None
    name = _NAMED.get(code)
    if name is None:
        character = chr(code)
        if not character.isprintable() or 0xE000 <= code <= 0xF8FF:  # noqa: PLR2004 - private use: keys without text
            return None
        name = character.upper() if bits & _SHIFT else character
        if not bits & (_ALT | _CTRL):
            return Token(TokenKind.CHARACTER, name)
    parts = [part for bit, part in ((_ALT, "alt"), (_CTRL, "ctrl")) if bits & bit]
    if bits & _SHIFT and code in _NAMED:
        parts.append("shift")
    return Token(TokenKind.KEY, "+".join([*parts, name]))
