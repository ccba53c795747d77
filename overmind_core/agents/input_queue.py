"""The inputs of agents' runs: numbered per run, on disk before they are sent, sent again after a crash.

The keeper applies each number once, so that repeating is safe.
"""

from __future__ import annotations

import base64
import logging
from typing import TYPE_CHECKING, Any

from overmind_core.kernel.keeper_client import KeeperGone, KeeperRefused

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from overmind_core.agents.store import InputTable
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.keeper_client import CurrentKeeper

_log = logging.getLogger(__name__)


class InputQueue:
    """The way to all runs' standard input."""

    def __init__(self, journal: Journal, table: InputTable, line: CurrentKeeper) -> None:
        self._journal = journal
        self._table = table
        self._line = line

    def queue(self, run: str, seq: int, data: bytes) -> Callable[[], asyncio.Future[dict[str, Any]] | None]:
        """Save the input with this turn's commit; what is returned sends it, and is to be called after that."""
        self._journal.save(lambda: self._table.insert(run, seq, data))
        return lambda: self._send(run, seq, data)

    def close(self, run: str) -> None:
        """Close the run's input behind what was sent."""
        self._request("eof", run=run)

    def output_was_read(self, run: str, until: int) -> bool:
        """Tell the keeper how far the run's output was taken in; whether there is one to tell."""
        return self._request("cursor", run=run, out=until, err=0) is not None

    def resume(self, run: str, seq: int) -> None:
        """Send what a keeper that has everything up to `seq` has not been given yet."""
        self._forget(run, seq)
        for number, data in self._table.after(run, seq):
            self._send(run, number, data)

    def _send(self, run: str, seq: int, data: bytes) -> asyncio.Future[dict[str, Any]] | None:
        future = self._request("write", run=run, seq=seq, data=base64.b64encode(data).decode())
        if future is not None:
            future.add_done_callback(lambda done: self._on_answer(run, seq, done))
        return future

    def _on_answer(self, run: str, seq: int, done: asyncio.Future[dict[str, Any]]) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if isinstance(error, KeeperGone):
            return  # whoever adopts the run repeats it
        if isinstance(error, KeeperRefused):
            _log.warning("input %s of run %s was refused: %s", seq, run, error)
        self._forget(run, seq)

    def _forget(self, run: str, seq: int) -> None:
        self._journal.save(lambda: self._table.taken(run, seq))

    def _request(self, op: str, **fields: object) -> asyncio.Future[dict[str, Any]] | None:
        link = self._line.link
        return None if link is None else link.request(op, **fields)
