"""A stream of the daemon as server-sent events: `ok`, `item` …, `end`, or `error`.

Source: HTML standard, 9.2 server-sent events.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import msgspec
from starlette.responses import StreamingResponse

from overmind_core.errors import OvermindError
from overmind_web.server.credentials import LOOK_SECONDS, Credentials, Visitor

ALIVE_SECONDS = 15.0
"""Without an event a comment is sent, so that nobody on the way takes the connection for dead."""
COMMENT = b":\n\n"
HEADERS = {"x-accel-buffering": "no"}
"""nginx passes each event on as it comes."""
REVOKED = OvermindError("unauthorized", "This login has ended.")
Lines = AsyncGenerator[tuple[str, Any], None]


def event(kind: str, content: object, number: int | None = None) -> bytes:
    """Return one event; `number` is what a client that comes back says it has got."""
    head = f"event: {kind}\n" if number is None else f"event: {kind}\nid: {number}\n"
    return head.encode() + b"data: " + msgspec.json.encode(content) + b"\n\n"


def error_event(error: OvermindError) -> bytes:
    """Return the event that ends a stream that has failed."""
    return event("error", {**error.fields, "error": error.code, "message": error.message})


async def respond(
    lines: Lines, credentials: Credentials, visitor: Visitor, *, numbered: bool = False
) -> StreamingResponse:
    """Return the answer that streams these lines; it ends when the login does.

    Args:
        lines: Of the daemon; closed in the end.
        credentials: Say when the login has ended.
        visitor: Who reads.
        numbered: The id of each item is its `seq`.

    Raises:
        OvermindError: the daemon said no before the first line.
    """
    try:
        first = await anext(lines)
    except BaseException:
        await lines.aclose()
        raise
    body = _body(first, lines, credentials, visitor, numbered=numbered)
    return StreamingResponse(body, media_type="text/event-stream", headers=HEADERS)


async def _body(
    first: tuple[str, Any], lines: Lines, credentials: Credentials, visitor: Visitor, *, numbered: bool
) -> AsyncIterator[bytes]:
    ended = asyncio.Event()

    async def recheck() -> None:
        try:
            if await credentials.check(visitor.secrets) is None:
                ended.set()
        except OvermindError:
            return  # the daemon is away, or too busy: it is asked again

    async def look() -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await recheck()

    forget = credentials.watch(recheck)
    looks = asyncio.ensure_future(look())
    try:
        yield _line(first, numbered=numbered)
        async with aclosing(_with_silence(lines, ended, visitor.expires_at)) as coming:
            async for line in coming:
                yield COMMENT if line is None else _line(line, numbered=numbered)
    except OvermindError as error:
        yield error_event(error)
    finally:
        forget()
        looks.cancel()
        await lines.aclose()


async def _with_silence(
    lines: Lines, ended: asyncio.Event, expires_at: float
) -> AsyncGenerator[tuple[str, Any] | None, None]:
    """Yield each line, and None for each `ALIVE_SECONDS` without one.

    Raises:
        OvermindError: `unauthorized`, the login has ended; or the stream has failed.
    """
    over = asyncio.ensure_future(ended.wait())
    coming = asyncio.ensure_future(anext(lines, None))
    try:
        while (patience := min(ALIVE_SECONDS, expires_at - time.time())) > 0:
            done, _ = await asyncio.wait({coming, over}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if over in done:
                break
            line = coming.result() if done else None
            if done and line is None:
                return
            yield line
            if done:
                coming = asyncio.ensure_future(anext(lines, None))
        raise REVOKED
    finally:
        over.cancel()
        coming.cancel()
        await asyncio.wait({coming, over})


def _line(line: tuple[str, Any], *, numbered: bool) -> bytes:
    kind, content = line
    number = content.get("seq") if numbered and kind == "item" else None
    return event(kind, content, number)
