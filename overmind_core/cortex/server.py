"""The server of a team's notes: HTTP in front of the database.

A request is read in full, within its limits, before anything is done; the database is spoken to on threads, each with a
connection of its own. Nothing of a request, and above all no token, is written to a log.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import psycopg
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from overmind_core.cortex import database, protocol
from overmind_core.cortex.protocol import PROTOCOL, Refused
from overmind_core.cortex.search import search
from overmind_core.cortex.tokens import Caller, find_caller
from overmind_core.domain.memory.sync import MOST_BYTES

Result = TypeVar("Result")

BODY_SECONDS = 30.0
DATABASE_THREADS = 8
REQUESTS_A_MINUTE = 600
"""Of one token."""
_DISCARD_SECONDS = 10.0
"""A body that is too large is read on for so long: whoever is still sending would not see the answer."""
_LONGEST_TOKEN = 200


class TooSlow(Refused):
    """A body has not come in time: no more of it is waited for."""


class RateLimit:
    """How often each token was used in this minute."""

    def __init__(self, most: int = REQUESTS_A_MINUTE, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._now = now
        self._minute = 0
        self._counts: dict[str, int] = {}

    def check(self, name: str) -> None:
        """Count a request.

        Raises:
            Refused: `busy`, there were too many.
        """
        minute = int(self._now() // 60)
        if minute != self._minute:
            self._minute, self._counts = minute, {}
        self._counts[name] = self._counts.get(name, 0) + 1
        if self._counts[name] > self._most:
            raise Refused("busy", f"More than {self._most} requests in a minute. Try again in the next one.")


class Cortex:
    """The application of a server.

    Args:
        conninfo: Where the database is.
        limit: How often a token may be used.
        body_seconds: How long a body may take.
    """

    def __init__(self, conninfo: str, *, limit: RateLimit | None = None, body_seconds: float = BODY_SECONDS) -> None:
        self._conninfo = conninfo
        self._limit = limit or RateLimit()
        self._body_seconds = body_seconds
        self._threads = ThreadPoolExecutor(DATABASE_THREADS, "database")
        self._local = threading.local()
        self._opened: list[psycopg.Connection] = []

    def application(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                Route("/v1/hello", self._guarded(self._hello), methods=["GET"]),
                Route("/v1/push", self._guarded(self._push), methods=["POST"]),
                Route("/v1/pull", self._guarded(self._pull), methods=["GET"]),
                Route("/v1/search", self._guarded(self._search), methods=["POST"]),
            ],
            exception_handlers={HTTPException: _no_such_thing},
        )

    def close(self) -> None:
        """End its threads and connections."""
        self._threads.shutdown()
        for connection in self._opened:
            connection.close()

    # requests

    async def _hello(self, _request: Request, caller: Caller) -> str:
        def answer(connection: psycopg.Connection) -> str:
            return json.dumps(
                {
                    "cortex": database.cortex_id(connection),
                    "colony": caller.colony,
                    "name": caller.name,
                    "role": caller.role.value,
                    "protocol": PROTOCOL,
                    "seq": database.end_of(connection, caller.colony).seq,
                    "limits": protocol.LIMITS | {"requests": REQUESTS_A_MINUTE},
                }
            )

        return await self._ask(answer)

    async def _push(self, request: Request, caller: Caller) -> str:
        if not caller.role.may_write:
            raise Refused("forbidden", "This token may only read.")
        body = await self._body(request)

        def answer(connection: psycopg.Connection) -> str:
            pushed = database.push(connection, caller, protocol.parse_push(body, by=caller.name))
            return json.dumps({"seq": pushed.seq, "taken": pushed.taken, "known": pushed.known})

        return await self._ask(answer)

    async def _pull(self, request: Request, caller: Caller) -> str:
        asked = request.query_params
        place = protocol.parse_place(asked.get("after", "0"), asked.get("chain", ""))
        limit = protocol.parse_limit(asked.get("limit", "500"))

        def answer(connection: psycopg.Connection) -> str:
            pulled = database.pull(connection, caller, place, limit)
            return (
                f'{{"versions":[{",".join(pulled.versions)}],"votes":[{",".join(pulled.votes)}],'
                f'"next":{pulled.place.seq},"chain":"{pulled.place.chain}","more":{json.dumps(pulled.more)}}}'
            )

        return await self._ask(answer)

    async def _search(self, request: Request, caller: Caller) -> str:
        body = await self._body(request)

        def answer(connection: psycopg.Connection) -> str:
            found = search(connection, caller.colony, protocol.parse_search(body))
            return json.dumps(
                {
                    "notes": [
                        {
                            "note": hit.note.id,
                            "score": hit.score,
                            "why": hit.why,
                            **protocol.parted(hit.entries),
                        }
                        for hit in found.hits
                    ],
                    "with_meaning": found.with_meaning,
                }
            )

        return await self._ask(answer)

    # what all have in common

    def _guarded(
        self, handler: Callable[[Request, Caller], Awaitable[str]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                caller = await self._caller(request)
                return _json(200, await handler(request, caller))
            except Refused as refused:
                if not isinstance(refused, TooSlow):
                    await _discard(request)
                return _refusal(refused)
            except ClientDisconnect:
                return Response(status_code=400)
            except psycopg.OperationalError as error:
                _report(error)
                return _refusal(Refused("busy", "The database does not answer. Try again."), status=503)
            except Exception as error:  # noqa: BLE001  (the boundary of a request)
                _report(error)
                return _refusal(Refused("internal", "Internal error."))

        return answer

    async def _caller(self, request: Request) -> Caller:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(token) <= _LONGEST_TOKEN:
            raise Refused("token_refused", "A token is missing.")
        caller = await self._ask(lambda connection: find_caller(connection, token))
        if caller is None:
            raise Refused("token_refused", "The token is unknown, has expired or was revoked.")
        self._limit.check(caller.name)
        return caller

    async def _body(self, request: Request) -> bytes:
        """Read the body.

        Raises:
            Refused: it is too large, or too slow.
        """
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_seconds):
                async for part in request.stream():
                    body += part
                    if len(body) > MOST_BYTES:
                        raise Refused("too_large", f"A request holds at most {MOST_BYTES} bytes.")
        except TimeoutError:
            raise TooSlow("invalid", f"The body has not come within {self._body_seconds:g} seconds.") from None
        return bytes(body)

    async def _ask(self, question: Callable[[psycopg.Connection], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask_now, question)

    def _ask_now(self, question: Callable[[psycopg.Connection], Result]) -> Result:
        """Ask on this thread's connection; once more on a new one where the old one was lost before."""
        connection: psycopg.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            try:
                return question(connection)
            except psycopg.OperationalError:
                if not connection.broken:
                    raise
                self._opened.remove(connection)
        connection = database.connect(self._conninfo)
        self._local.connection = connection
        self._opened.append(connection)
        return question(connection)


async def _discard(request: Request) -> None:
    """Read what is still sent of a request that is refused, for a while, and keep nothing."""
    with suppress(TimeoutError, ClientDisconnect, RuntimeError):  # the last: it was read already
        async with asyncio.timeout(_DISCARD_SECONDS):
            async for _ in request.stream():
                pass


def _json(status: int, text: str) -> Response:
    return Response(text, status, {"connection": "close"}, "application/json")


def _refusal(refused: Refused, *, status: int | None = None) -> Response:
    fields = {"error": refused.code, "message": refused.message, **refused.fields}
    return _json(status or protocol.STATUS[refused.code], json.dumps(fields))


def _no_such_thing(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _refusal(Refused("not_found", "There is no such request."), status=error.status_code)


def _report(error: Exception) -> None:
    """Say what went wrong, without a word of what was sent: messages of a database repeat it."""
    state = getattr(error, "sqlstate", None)
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" at {place.tb_frame.f_code.co_qualname}:{place.tb_lineno}" if place is not None else ""
    print(f"Error: {type(error).__name__}{f' {state}' if state else ''}{where}", file=sys.stderr, flush=True)  # noqa: T201
