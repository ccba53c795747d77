"""Where somebody has been, to go back and forward in, as in a browser."""

from __future__ import annotations

from typing import NamedTuple

LONGEST = 100


class Trail(NamedTuple):
    """Lines of views; `at` is where we are. A new step drops what lay ahead."""

    lines: tuple[str, ...] = ()
    at: int = -1
    before: int = -1
    """Where we were before this."""

    @property
    def here(self) -> str:
        """The line of this place; "" before the first step."""
        return self.lines[self.at] if self.lines else ""

    def stepped(self, line: str) -> Trail:
        """On to a line; the same line is no step."""
        if line == self.here:
            return self
        kept = (*self.lines[: self.at + 1], line)[-LONGEST:]
        return Trail(kept, len(kept) - 1, len(kept) - 2)

    def back(self) -> Trail:
        """To the place before; at the first one nothing changes."""
        return self._to(self.at - 1)

    def forward(self) -> Trail:
        """To the place after; at the last one nothing changes."""
        return self._to(self.at + 1)

    def last(self) -> Trail:
        """To where we were before this, there and back."""
        return self._to(self.before)

    def _to(self, at: int) -> Trail:
        return Trail(self.lines, at, self.at) if 0 <= at < len(self.lines) and at != self.at else self
