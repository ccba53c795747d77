"""An agent's lines, made readable by somebody who knows them, and then as harmless as any other output.

Stands in for a `Sanitiser`. Who knows the lines comes in as a `LineRenderer`: logs know no agents.
"""

from __future__ import annotations

from overmind_core.logs.reader import RunLog
from overmind_core.logs.sanitise import Sanitiser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class LineRenderer(Protocol):
        """Turns the lines of one run into readable ones; remembers what it needs."""

        def feed(self, line: bytes) -> list[str]:
            """What one line (without its newline) adds to the transcript."""

    Renderers = Callable[[str], LineRenderer | None]
    """By the format of a run; None: its output is plain."""

LONGEST = 64 * 1024 * 1024
"""Bytes of one line; the rest of a longer one is shown as lines of its own."""


class Rendered:
    """The readable lines of one stream.

    Args:
        renderer: Who knows the lines; one for each stream.
        colour: As in `Sanitiser`.
        cut: The first byte is in the middle of a line, which is left out.
    """

    def __init__(self, renderer: LineRenderer, *, colour: bool = False, cut: bool = False) -> None:
        self._renderer = renderer
        self._colour = colour
        self._pieces: list[bytes] = []
        self._size = 0
        self._cut = cut

    @property
    def partial(self) -> bool:
        """Whether a line has begun that no newline has ended yet."""
        return self._size > 0

    partial_line = ""
    """Half an object says nothing to a person."""

    @property
    def pending(self) -> bool:
        """Whether something was fed that no line shows yet."""
        return self.partial

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes make."""
        found: list[str] = []
        begin = 0
        while (end := data.find(b"\n", begin)) >= 0:
            self._keep(data[begin:end])
            found += self._line()
            begin = end + 1
        self._keep(data[begin:])
        return found + (self._line() if self._size > LONGEST else [])

    def flush(self) -> list[str]:
        """What the last line makes, when it has no newline. For the end of a stream."""
        return self._line() if self._size else []

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._size += len(piece)

    def _line(self) -> list[str]:
        """The line that ends here; the rest of one that began before the first byte is dropped."""
        line = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if self._cut:
            self._cut = False
            return []
        return [safe for text in self._renderer.feed(line) for safe in self._harmless(text)]

    def _harmless(self, text: str) -> list[str]:
        """What a text says, whatever it holds; nothing in it has an effect on the next one."""
        if text.isprintable():
            return [text]
        sanitiser = Sanitiser(colour=self._colour)
        return [*sanitiser.feed(text.encode("utf-8", "replace")), *sanitiser.flush()]


def begins_inside_a_line(log: RunLog, stream: int, offset: int) -> bool:
    """Whether the byte at `offset` goes on with a line, as far as what is kept tells."""
    return offset > 0 and log.read(stream, offset - 1, 1) != (offset - 1, b"\n")
