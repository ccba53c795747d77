"""The loan of the person's terminal to the keeper, as its owner sees it. Pure: time is an argument.

While it is lent, the keeper reads keys from it and shows output on it, and the owner does neither. A loan begins with
an offer that tells how much of the stream was shown: the keeper takes it only when that is all, so nothing is shown
twice or out of order. It ends with a frame of the keeper, behind which everything is as before.
"""

from __future__ import annotations

from overmind_core.wire.keeper import lend_frame

QUIET = 0.05
"""Seconds without a key or a byte after which the terminal is offered."""
LOOK = 1.0
"""Seconds between two looks whether keys wait that the keeper does not take."""
RECALL_LIMIT = 1.5
"""Seconds that the keeper has to give the terminal back."""


class TerminalLoan:
    """The state of the loan on one stream.

    Args:
        identity: Device and inode of the terminal; None when it can't be lent.
    """

    __slots__ = ("_due", "_identity", "_is_news", "_next_look", "_shown", "is_lent")

    def __init__(self, identity: tuple[int, int] | None) -> None:
        self._identity = identity
        self._shown = 0
        """Bytes of the stream's data that were shown here."""
        self._is_news = True
        """Whether anything was passed on since the last offer: else the next one would end like that."""
        self.is_lent = False
        """Whether the terminal is not ours to read or write."""
        self._next_look = 0.0
        self._due: float | None = None
        """When it has to be back that was recalled."""

    @property
    def may_offer(self) -> bool:
        """Whether the terminal can be offered once nothing else is going on."""
        return self._identity is not None and self._is_news and not self.is_lent

    def on_key(self) -> None:
        """A key was passed on."""
        self._is_news = True

    def on_data(self, size: int) -> None:
        """`size` bytes of the stream were shown here."""
        self._shown += size
        self._is_news = True

    def defer(self) -> None:
        """Offer it only after the next key or byte."""
        self._is_news = False

    def offer(self, special: bytes, now: float) -> bytes:
        """Lend the terminal from now on: return the frame that says so. `special`: bytes that are no plain keys."""
        assert self._identity is not None
        self.is_lent, self._is_news, self._due = True, False, None
        self._next_look = now + LOOK
        return lend_frame(self._shown, self._identity, special)

    def recall(self, now: float) -> bool:
        """The terminal is wanted back; return whether the keeper is still to be asked for it."""
        if not self.is_lent or self._due is not None:
            return False
        self._due = now + RECALL_LIMIT
        return True

    def end(self, *, for_good: bool = False) -> None:
        """The terminal is ours again: the keeper has said so, or is gone; `for_good`: it is not offered any more."""
        self.is_lent, self._due = False, None
        if for_good:
            self._identity = None

    def wait(self, now: float) -> float | None:
        """Return in how many seconds to look after the loan; None while there is none."""
        if not self.is_lent:
            return None
        return max((self._next_look if self._due is None else self._due) - now, 0.0)

    def is_look_due(self, now: float) -> bool:
        """Whether to look for keys that wait; once for each time."""
        if not self.is_lent or self._due is not None or now < self._next_look:
            return False
        self._next_look = now + LOOK
        return True

    def is_overdue(self, now: float) -> bool:
        """Whether the keeper did not give it back in time: it hangs."""
        return self._due is not None and now >= self._due
