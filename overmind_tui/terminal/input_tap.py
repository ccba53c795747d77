"""The tap on the person's terminal while a mission has it: input in pieces, cut only where it must be. Pure.

Everything goes on as it is, whole sequences in one piece, but for what is ours (mouse, focus, answers about modes,
sizes) and for the keys that leave. Those are looked for outside of pastes only, however the bytes are cut on their way.
Time is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from overmind_core.client.detach_keys import DetachKey, is_pressed

ESC = b"\x1b"
PASTE_BEGINS, PASTE_ENDS = b"\x1b[200~", b"\x1b[201~"
LATE_SECONDS = 1.0
"""How long half a sequence waits for its rest, and how long after a lone Esc the rest may still come."""

_OURS = re.compile(
    rb"\x1b\[(?:<\d+;-?\d+;-?\d+[Mm]|M...|\d+;\d+;\d+M|[IO]|\?\d+;\d+\$y|48;[\d;:]+t)", re.DOTALL
)  # fmt: skip
_FOCUS = (b"\x1b[I", b"\x1b[O")
_WHOLE = re.compile(rb"\x1b(?:\[M...|\[[0-?]*[ -/]*[@-LN-~]|\[[0-?]+[ -/]*M|O[ -~])", re.DOTALL)
_BEGUN = re.compile(rb"\x1b(?:\[M.{0,2}|\[[0-?]*[ -/]*|O)?", re.DOTALL)
_LONE = (ESC, b"\x1b[", b"\x1bO")
"""Beginnings of a sequence that are keys of their own: Esc, alt-[ and alt-O."""
_ONLY_OURS = b"\x1b[<"
_HELD_LIMIT = 256
"""Bytes of a sequence; no terminal sends longer ones that end."""


class PartKind(Enum):
    """The kind of a piece of input."""

    TYPED = "typed"
    """For the program in the terminal; no sequence is cut in two."""
    PASTE_BEGINS = "paste begins"
    PASTED = "pasted"
    PASTE_ENDS = "paste ends"
    OURS = "ours"
    """One whole sequence that says something of the person's terminal."""
    LEFT = "left"
    """A key that leaves."""
    AFTER = "after"
    """Whatever came after that key."""


class Part(NamedTuple):
    """One piece of what the terminal sent."""

    kind: PartKind
    data: bytes


class InputTap:
    """Bytes in, parts out, until `left`; `escape_seconds`: how long Esc waits for company."""

    def __init__(self, keys: Iterable[DetachKey], escape_seconds: float) -> None:
        self.left = False
        self._keys = tuple(keys)
        self._escape_seconds = escape_seconds
        self._special = re.compile(b"[\x1b" + re.escape(bytes({key.byte for key in self._keys})) + b"]")
        self._held = b""
        """A sequence that is not complete."""
        self._passed = 0
        """How much of it went on already, when it had waited long enough."""
        self._since = 0.0
        self._pasting = False

    @property
    def pending(self) -> bool:
        """Whether something waits for its rest, so that `tick` must be called soon."""
        return len(self._held) > self._passed and not self._pasting

    def feed(self, data: bytes, now: float) -> Iterator[Part]:
        """What `data`, read at `now` (monotonic seconds), completes."""
        if self._passed and now - self._since > LATE_SECONDS:
            self._held, self._passed = b"", 0
        buffer, passed = self._held + data, self._passed
        self._held, self._passed, self._since = b"", 0, now
        at = 0
        while at < len(buffer):
            part, end = self._next(buffer, at, late=at < passed)
            if part is None:
                self._held, self._passed = buffer[at:], max(passed - at, 0)
                return
            yield from _without(part, max(passed - at, 0))
            at = end
            if self.left:
                yield Part(PartKind.AFTER, buffer[at:])
                return

    def tick(self, now: float) -> Iterator[Part]:
        """What the passing of time decides."""
        if not self.pending:
            return
        limit = self._escape_seconds if self._held in _LONE else LATE_SECONDS
        if now - self._since < limit:
            return
        waiting = self._held[self._passed :]
        if self._held in _LONE:
            self._passed, self._since = len(self._held), now
        else:
            dropped = self._held.startswith(_ONLY_OURS)
            self._held, self._passed = b"", 0
            if dropped:
                return
        yield Part(PartKind.TYPED, waiting)

    def remainder(self) -> bytes:
        """What waits and did not go on: for whoever reads the terminal from now on."""
        return self._held[self._passed :]

    def _next(self, buffer: bytes, at: int, *, late: bool) -> tuple[Part | None, int]:
        """The part that begins at `at`, and where it ends; None while it is not complete."""
        if self._pasting:
            return self._in_paste(buffer, at)
        found = self._special.search(buffer, at)
        if found is None:
            return Part(PartKind.TYPED, buffer[at:]), len(buffer)
        start = found.start()
        if start > at:
            return Part(PartKind.TYPED, buffer[at:start]), start
        return self._key(buffer, at, late=late)

    def _key(self, buffer: bytes, at: int, *, late: bool) -> tuple[Part | None, int]:
        """What begins with Esc, or leaves."""
        if buffer[at : at + 1] != ESC:
            return self._leave(buffer, at, at + 1)
        whole = _WHOLE.match(buffer, at)
        if whole is not None:
            return self._sequence(buffer, at, whole[0], late=late)
        if _BEGUN.fullmatch(buffer, at) and len(buffer) - at < _HELD_LIMIT:
            return None, at
        return Part(PartKind.TYPED, ESC), at + 1

    def _sequence(self, buffer: bytes, at: int, sequence: bytes, *, late: bool) -> tuple[Part, int]:
        end = at + len(sequence)
        if sequence == PASTE_BEGINS:
            self._pasting = True
            return Part(PartKind.PASTE_BEGINS, sequence), end
        if is_pressed(sequence, self._keys):
            return self._leave(buffer, at, end)
        ours = _OURS.fullmatch(sequence) and not (late and sequence in _FOCUS)
        return Part(PartKind.OURS if ours else PartKind.TYPED, sequence), end

    def _leave(self, buffer: bytes, at: int, end: int) -> tuple[Part, int]:
        self.left = True
        return Part(PartKind.LEFT, buffer[at:end]), end

    def _in_paste(self, buffer: bytes, at: int) -> tuple[Part | None, int]:
        if buffer.startswith(PASTE_ENDS, at):
            self._pasting = False
            return Part(PartKind.PASTE_ENDS, PASTE_ENDS), at + len(PASTE_ENDS)
        end = buffer.find(PASTE_ENDS, at)
        if end < 0:
            end = len(buffer) - _overlap(buffer)
        if end <= at:
            return None, at
        return Part(PartKind.PASTED, buffer[at:end]), end


def _overlap(buffer: bytes) -> int:
    """How many bytes at the end may be the beginning of a paste's end."""
    return next((n for n in range(len(PASTE_ENDS) - 1, 0, -1) if buffer.endswith(PASTE_ENDS[:n])), 0)


def _without(part: Part, passed: int) -> Iterator[Part]:
    """The part without those of its bytes that went on before; what is not for the program stays whole."""
    if not passed or part.kind is not PartKind.TYPED:
        yield part
    elif len(part.data) > passed:
        yield Part(part.kind, part.data[passed:])
