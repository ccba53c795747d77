"""Keys from the person's terminal, on their way to the mission. Pure: time passes by `tick`.

Everything is passed on as it is, whole sequences in one piece, until a key that leaves is pressed: such keys are
looked for outside of pastes only, however the bytes are cut. A lone Esc is held for `ESC_SECONDS`.
"""

from __future__ import annotations

import re

from overmind_core.client.detach_keys import DetachKey, is_pressed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

ESC_SECONDS = 0.025
"""How long Esc waits for the rest of a sequence."""
REPORT_SECONDS = 0.25
"""How long the beginning of what only a terminal sends waits for its rest."""
PASTE_BEGINS, PASTE_ENDS = b"\x1b[200~", b"\x1b[201~"
HELD_LIMIT = 1 << 20
"""Bytes of a report that is never complete."""

_BODY = rb"[^\x07\x18\x1a\x1b]*"
_WHOLE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|(?:\][0-9]+;|P[0-9>!]|_G)" + _BODY + rb"(?:\x07|\x1b\\))")
_BEGUN = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*|\](?:[0-9]+(?:;" + _BODY + rb"\x1b?)?)?|(?:P[0-9>!]|_G)" + _BODY + rb"\x1b?|[P_])?"
)
_REPORT_BEGUN = re.compile(rb"\x1b(?:\][0-9]+;|P[0-9>!]|_G)")
_SEQUENCE_BEGUN = re.compile(rb"\x1b\[[0-?]")
_ESC = PASTE_BEGINS[:1]
_LONE = (_ESC, b"\x1b[")
"""Beginnings of a sequence that are keys of their own: Esc, alt and [."""


class KeyFilter:
    """Feed it what was read; `left` once a key to leave was among it, and everything after that is dropped."""

    def __init__(self, keys: Iterable[DetachKey]) -> None:
        self.left = False
        self._keys = tuple(keys)
        self.special = bytes(sorted({_ESC[0], *(key.byte for key in self._keys)}))
        """Bytes without which data is plain text, as long as nothing is held."""
        self._special = re.compile(b"[" + re.escape(self.special) + b"]")
        self._pasting = False
        self._begun = b""
        """A sequence that is not complete."""
        self._passed = 0
        """How much of it was passed on, when it had waited long enough."""

    @property
    def timeout(self) -> float | None:
        """Seconds without a byte after which to call `tick`; None: nothing waits."""
        if len(self._begun) == self._passed:
            return None
        return REPORT_SECONDS if _REPORT_BEGUN.match(self._begun) else ESC_SECONDS

    @property
    def holds_nothing(self) -> bool:
        """Whether what comes next begins anew: no sequence is begun, and nothing is being pasted."""
        return not self._begun and not self._pasting

    def is_plain(self, data: bytes) -> bool:
        """Whether `data` would be passed on as it is, with nothing held before or after it."""
        return not self._begun and not self._pasting and self._special.search(data) is None

    def feed(self, data: bytes) -> bytes:
        """What to pass on now that `data` was read."""
        if self._passed and self._begun in _LONE and not self._late(data):
            self._begun, self._passed = b"", 0
        buffer, passed = self._begun + data, self._passed
        self._begun, self._passed = b"", 0
        end = self._scan(buffer)
        if not self.left and end < len(buffer):
            self._begun, self._passed = buffer[end:], max(passed - end, 0)
        return buffer[passed:end]

    def tick(self) -> bytes:
        """What to pass on as no more has come in time."""
        waiting = self._begun[self._passed :]
        self._passed = len(self._begun)
        # What is no key of its own is still looked at once its rest comes.
        if not self._pasting and self._begun not in _LONE and not _SEQUENCE_BEGUN.match(self._begun):
            self._begun, self._passed = b"", 0
        return waiting

    def _late(self, data: bytes) -> bool:
        """Whether `data` makes something of a key that was taken for a lone one, or may do so with what follows."""
        so_far = self._begun + data
        if so_far in _LONE or (_SEQUENCE_BEGUN.match(so_far) and _BEGUN.fullmatch(so_far)):
            return True
        whole = _WHOLE.match(so_far)
        return whole is not None and (whole[0] == PASTE_BEGINS or is_pressed(whole[0], self._keys))

    def _scan(self, buffer: bytes) -> int:
        """How far `buffer` is complete, or free of keys to leave."""
        at = 0
        while at < len(buffer):
            at, complete = self._in_paste(buffer, at) if self._pasting else self._next(buffer, at)
            if not complete:
                return at
        return at

    def _in_paste(self, buffer: bytes, at: int) -> tuple[int, bool]:
        end = buffer.find(PASTE_ENDS, at)
        if end >= 0:
            self._pasting = False
            return end + len(PASTE_ENDS), True
        for length in range(len(PASTE_ENDS) - 1, 0, -1):
            if buffer.endswith(PASTE_ENDS[:length], at):
                return len(buffer) - length, False
        return len(buffer), True

    def _next(self, buffer: bytes, at: int) -> tuple[int, bool]:
        """Where the next sequence ends; or where one begins that is not complete, or that leaves."""
        found = self._special.search(buffer, at)
        if found is None:
            return len(buffer), True
        start = found.start()
        if buffer[start] != _ESC[0]:
            self.left = True
            return start, False
        whole = _WHOLE.match(buffer, start)
        if whole is not None:
            return self._sequence(whole)
        if _BEGUN.fullmatch(buffer, start) and len(buffer) - start < HELD_LIMIT:
            return start, False
        return start + 1, True

    def _sequence(self, whole: re.Match[bytes]) -> tuple[int, bool]:
        if whole[0] == PASTE_BEGINS:
            self._pasting = True
        elif is_pressed(whole[0], self._keys):
            self.left = True
            return whole.start(), False
        return whole.end(), True
