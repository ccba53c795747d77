"""The log and the screen of a mission as text: `logs` answers paths, which a script elsewhere can't open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from typing import Any

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from overmind_core.domain.text.moment import parse_time
from overmind_core.errors import OvermindError
from overmind_web.server.credentials import Visitor
from overmind_web.supervisor import Supervisor

BATCH = 400
"""Lines that are read from the disk at once."""
MOST_TAIL = 100_000
"""Lines of an end, which are held in memory."""
MOST_READERS = 16
"""Logs that are read at once."""
TEXT = "text/plain; charset=utf-8"


class Texts:
    """Reads logs for scripts.

    Args:
        supervisor: Says where they are.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._readers = 0

    async def log(self, visitor: Visitor, mission: str, query: dict[str, Any]) -> Response:
        """Return the log of a mission, or `run`, `since`, `tail` of it.

        Raises:
            OvermindError: there is no such mission or run, a time is none, or too many logs are being read.
        """
        from overmind_core.log_pages.text import log_lines  # noqa: PLC0415 - start-up: it loads the emulator

        tail, since = query.get("tail"), query.get("since")
        if tail is not None and not 0 <= tail <= MOST_TAIL:
            raise OvermindError("invalid", f"tail must be 0 to {MOST_TAIL}, not {tail}.")
        moment = None if since is None else _moment(since)
        described = await self._described(visitor, mission)
        if self._readers >= MOST_READERS:
            raise OvermindError("busy", f"{MOST_READERS} logs are being read already. Try again.")
        self._readers += 1
        try:
            lines = await asyncio.to_thread(log_lines, described, run=query.get("run"), since=moment, tail=tail)
            first = await asyncio.to_thread(_batch, lines)
        except BaseException:
            self._release()
            raise
        return ReadingResponse(_text(first, lines), self._release)

    async def screen(self, visitor: Visitor, mission: str, query: dict[str, Any]) -> Response:
        """Return the screen of a mission's newest run.

        Raises:
            OvermindError: there is no such mission, or it has no terminal.
        """
        from overmind_core.log_pages.text import screen_text  # noqa: PLC0415 - as above

        described = await self._described(visitor, mission)
        shown = await asyncio.to_thread(screen_text, described, ansi=query.get("ansi", False))
        return Response(_encoded(shown + "\n" if shown else ""), media_type=TEXT)

    async def _described(self, visitor: Visitor, mission: str) -> dict[str, Any]:
        answer = await self._supervisor.call("logs", {"ids": [mission]}, by=visitor.by)
        found: dict[str, Any] = answer["missions"][0]
        return found

    def _release(self) -> None:
        self._readers -= 1


class ReadingResponse(StreamingResponse):
    """The lines of a log, which is no longer read once this was sent or could not be.

    The content can't say so: of a client that has gone before its first line nothing is ever asked of it.

    Args:
        content: The lines.
        release: Called once, however it ends.
    """

    def __init__(self, content: AsyncIterator[bytes], release: Callable[[], None]) -> None:
        super().__init__(content, media_type=TEXT)
        self._release = release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._release()


async def _text(batch: bytes, lines: Iterator[str]) -> AsyncIterator[bytes]:
    while batch:
        yield batch
        batch = await asyncio.to_thread(_batch, lines)


def _batch(lines: Iterator[str]) -> bytes:
    return _encoded("".join(f"{line}\n" for line in islice(lines, BATCH)))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _moment(text: str) -> float:
    try:
        return parse_time(text, time.time())
    except ValueError as error:
        raise OvermindError("invalid", f"since: {error}") from None
