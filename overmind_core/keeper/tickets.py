"""Tickets: the supervisor's word that whoever brings one may see a run, or type into it. Each works once."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

READ = "read"
WRITE = "write"
MODES = frozenset((READ, WRITE))
MOST = 10_000
"""Tickets that may wait to be used; the oldest make room."""


class Tickets:
    """Those that were issued and neither used nor expired."""

    __slots__ = ("_clock", "_open")

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self._clock = clock
        self._open: dict[str, tuple[str, str, float]] = {}

    def issue(self, ticket: str, *, run: str, mode: str, ttl: float) -> None:
        """Let `ticket` be used once within `ttl` seconds. Raises ValueError for an unknown mode."""
        if mode not in MODES:
            raise ValueError(f"unknown mode {mode!r}")
        if len(self._open) >= MOST:
            del self._open[next(iter(self._open))]
        self._open[ticket] = (run, mode, self._clock() + ttl)

    def take(self, ticket: str) -> tuple[str, str] | None:
        """Use `ticket` up: (run, mode), or None when it is unknown, used or expired."""
        run, mode, expires = self._open.pop(ticket, ("", "", 0.0))
        return (run, mode) if run and self._clock() < expires else None
