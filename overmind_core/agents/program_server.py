"""The server that a full-screen program has beside its screen, on loopback: requests, and the lines that it tells.

HTTP/1.0, so that nothing comes in chunks. An answer ends where its length says, or else with its connection: opencode
closes that behind a quick answer alone. Whatever answers there is taken for hostile: all that is read has a limit, and
what is no answer is an `OSError`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.text.address import Address
from overmind_core.probes.network import connect
from overmind_core.system.listeners import listeners, listening

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from overmind_core.providers.base import ServerRequest

HOST = "127.0.0.1"
OK, NO_CONTENT = 200, 204
REPLY_SECONDS = 60.0
"""Within which an answer has to be there: a program that is asked once more would do it twice."""
SILENCE_SECONDS = 60.0
"""After which a connection on which nothing came is made again; opencode sends a sign of life every 10 s."""
LONGEST_REPLY = 64 * 1024 * 1024
LONGEST_LINE = 16 * 1024 * 1024
"""Bytes; a longer line is left out."""
_PIECE = 1 << 16
_STATUS = re.compile(rb"HTTP/\d\.\d (\d{3})\b")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r\n", re.IGNORECASE)


class NoAnswerError(OSError):
    """Something answers there that is not what was asked."""


class PortTakenError(NoAnswerError):
    """Another program listens there."""


class AnswerTooLongError(NoAnswerError):
    """An answer is longer than is read."""


class _Head(NamedTuple):
    """The head of an answer."""

    status: int
    length: int
    """Bytes of the answer; -1: as many as come until its connection ends."""


class ProgramServer:
    """One server, as one run of a program has it."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self._address = Address(HOST, port)
        secret = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
        self._head = f"Host: {HOST}:{port}\r\nAuthorization: Basic {secret}\r\n"

    async def check_owner(self, pid: int) -> None:
        """See that a process, or what it has started, listens there, before anybody there is told the password.

        Raises:
            NoAnswerError: nobody does; `PortTakenError`: somebody else, of this user or of another one.
        """
        is_held = await asyncio.to_thread(_is_held_by, self._address.port, pid)
        if is_held is None:
            raise NoAnswerError("nobody listens there")
        if not is_held:
            raise PortTakenError("another program listens there")

    async def ask(self, request: ServerRequest) -> tuple[int, Any]:
        """Ask once; return the status and the JSON of the answer, None where it is none.

        Raises:
            OSError: nobody answers, or not in time.
        """
        async with asyncio.timeout(REPLY_SECONDS), self._answer(request) as (head, reader):
            if head.length > LONGEST_REPLY:
                raise AnswerTooLongError("its answer is too long")
            data = bytearray()
            while len(data) != head.length and (piece := await reader.read(_PIECE)):
                data += piece
                if len(data) > (LONGEST_REPLY if head.length < 0 else head.length):
                    raise AnswerTooLongError("its answer is too long")
            if len(data) < head.length:
                raise NoAnswerError("its answer is cut off")
        return head.status, _json(bytes(data))

    @asynccontextmanager
    async def listen(self, request: ServerRequest, patience: float) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Yield the lines that it tells from now on, until it ends; `patience`: seconds within which it begins.

        Raises:
            OSError: nobody tells anything, or not to us.
        """
        async with self._answer(request, patience) as (head, reader):
            if head.status != OK:
                raise NoAnswerError(f"it answers {head.status}")
            yield _lines(reader)

    @asynccontextmanager
    async def _answer(
        self, request: ServerRequest, patience: float = REPLY_SECONDS
    ) -> AsyncGenerator[tuple[_Head, asyncio.StreamReader]]:
        reader, writer = await connect(self._address)
        try:
            writer.write(self._bytes_of(request))
            async with asyncio.timeout(patience):
                head = await _read_head(reader)
            yield head, reader
        finally:
            writer.transport.abort()

    def _bytes_of(self, request: ServerRequest) -> bytes:
        if request.body is None:
            return f"GET {request.path} HTTP/1.0\r\n{self._head}\r\n".encode("ascii")
        body = json.dumps(request.body, ensure_ascii=False).encode("utf-8", "replace")
        about = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return f"POST {request.path} HTTP/1.0\r\n{self._head}{about}\r\n".encode("ascii") + body


def _is_held_by(port: int, pid: int) -> bool | None:
    """Whether that process or a descendant holds it; None: nobody does. True where the machine doesn't tell."""
    import psutil  # noqa: PLC0415 - few daemons have such a program

    sockets, found = listening(HOST, port), listeners(HOST, port, (pid,))
    if found is None:
        return True
    for one in found:
        try:
            if one.pid == pid or any(above.pid == pid for above in psutil.Process(one.pid).parents()):
                return True
        except psutil.Error:
            continue
    return False if found or sockets else None  # who listens as another user is not found


async def _read_head(reader: asyncio.StreamReader) -> _Head:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise NoAnswerError("it speaks no HTTP") from None
    found = _STATUS.match(head)
    if found is None:
        raise NoAnswerError("it speaks no HTTP")
    status, length = int(found[1]), _LENGTH.search(head)
    if status == NO_CONTENT:
        return _Head(status, 0)
    return _Head(status, -1 if length is None else int(length[1]))


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The whole lines that come; one that is too long is left out, and so is a part of one at the end."""
    data, is_left_out = bytearray(), False
    while True:
        async with asyncio.timeout(SILENCE_SECONDS):
            piece = await reader.read(_PIECE)
        if not piece:
            return
        *whole, rest = piece.split(b"\n")
        for line in whole:
            data += line
            if not is_left_out:
                yield bytes(data).rstrip(b"\r")
            data, is_left_out = bytearray(), False
        data += rest
        if len(data) > LONGEST_LINE:
            data, is_left_out = bytearray(), True


def _json(data: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
