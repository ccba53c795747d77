"""The talk with a server on loopback, whatever answers there."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import socket
from collections.abc import Awaitable, Callable

import pytest

from overmind_core.agents import program_server
from overmind_core.agents.program_server import HOST, NoAnswerError, PortTakenError, ProgramServer
from overmind_core.providers.base import ServerRequest
from tests.kit.in_process import NOBODY

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
EVENTS = ServerRequest("/event")


def says(*pieces: bytes, keeps_open: bool = False) -> Handler:
    """One that answers with these pieces."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if not keeps_open:
            writer.write_eof()
        await reader.read()

    return answer


def with_server(handler: Handler, talk: Callable[[ProgramServer], Awaitable[object]]) -> object:
    """What `talk` makes of a server that does that."""

    served: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError):
                await handler(reader, writer)
        finally:
            writer.transport.abort()

    async def play() -> object:
        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            served.append(asyncio.ensure_future(serve(reader, writer)))

        listening = await asyncio.start_server(begin, HOST, 0)
        async with listening:
            port = listening.sockets[0].getsockname()[1]
            try:
                return await talk(ProgramServer(port, "me", "secret"))
            finally:
                await asyncio.gather(*served)

    return asyncio.run(play())


async def lines_of(server: ProgramServer) -> list[bytes]:
    async with server.listen(EVENTS, 5) as lines:
        return [line async for line in lines]


def test_it_logs_in_and_sends_json_whatever_the_text_is():
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        length = int(heard[0].lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        heard.append(await reader.readexactly(length))
        writer.write(b'HTTP/1.1 201 Created\r\nX: y\r\n\r\n{"a": 1}')
        writer.write_eof()
        await reader.read()

    body = {"text": "ü\n\x00\ud800"}
    assert with_server(answer, lambda server: server.ask(ServerRequest("/a", body))) == (201, {"a": 1})
    assert heard[0].startswith(b"POST /a HTTP/1.0\r\n")
    assert b"Authorization: Basic " + base64.b64encode(b"me:secret") in heard[0]
    assert json.loads(heard[1]) == {"text": "ü\n\x00?"}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", (401, None)),
        (b"HTTP/1.1 200 OK\r\n\r\n{", (200, None)),
        (b"HTTP/1.1 200 OK\r\n\r\n\xff\xfe", (200, None)),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 200_000, (200, None)),
    ],
)
def test_an_answer_that_is_no_json_is_none(answer, found):
    assert with_server(says(answer), lambda server: server.ask(EVENTS)) == found


@pytest.mark.parametrize(
    "answer",
    [b"", b"hello", b"\x00" * 9, b"HTTP/1.1 okay\r\n\r\n", b"x: y\r\n" * 20_000],
    ids=["nothing", "words", "zeros", "no status", "no end"],
)
def test_what_speaks_no_http_is_no_server(answer):
    with pytest.raises(NoAnswerError, match="speaks no HTTP"):
        with_server(says(answer), lambda server: server.ask(EVENTS))


@pytest.mark.parametrize(
    ("pieces", "found"),
    [
        ((b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\nX: y\r\n\r\n", b'{"a', b'": 1}\n\n'), (200, {"a": 1})),
        ((b"HTTP/1.1 200 OK\r\nContent-Length:0\r\n\r\n",), (200, None)),
        ((b"HTTP/1.1 204 No Content\r\n\r\n",), (204, None)),
    ],
    ids=["json", "nothing", "no content"],
)
def test_an_answer_ends_where_its_length_says_though_its_connection_stays(pieces, found):
    assert with_server(says(*pieces, keeps_open=True), lambda server: server.ask(EVENTS)) == found


@pytest.mark.parametrize(
    "answer",
    [b"Content-Length: 5\r\n\r\n[]", b"Content-Length: 2\r\n\r\n[1, 2]", b"Content-Length: 999999999\r\n\r\n[]"],
    ids=["less", "more", "too long"],
)
def test_an_answer_of_another_length_than_it_says_is_none(answer):
    with pytest.raises(NoAnswerError):
        with_server(says(b"HTTP/1.1 200 OK\r\n" + answer), lambda server: server.ask(EVENTS))


def test_an_answer_without_an_end_is_cut_off(monkeypatch):
    monkeypatch.setattr(program_server, "LONGEST_REPLY", 1 << 20)
    with pytest.raises(NoAnswerError):
        with_server(says(HEAD, *[b"x" * (1 << 16)] * 40, keeps_open=True), lambda server: server.ask(EVENTS))


def test_who_is_refused_hears_nothing():
    with pytest.raises(NoAnswerError, match="401"):
        with_server(says(b"HTTP/1.1 401 Unauthorized\r\n\r\ndata: {}\n"), lines_of)


def test_lines_come_whole_over_any_cut_and_half_of_one_at_the_end_is_left_out():
    pieces = (HEAD + b"data: 1\r\nda", b"ta: 2", b"\n\ndata: 3\ndata: half")
    assert with_server(says(*pieces), lines_of) == [b"data: 1", b"data: 2", b"", b"data: 3"]


def test_a_line_that_is_too_long_is_left_out_and_the_next_one_is_not(monkeypatch):
    monkeypatch.setattr(program_server, "LONGEST_LINE", 1 << 17)
    pieces = (HEAD, *[b"x" * (1 << 16)] * 5, b"\ndata: 1\n")
    assert with_server(says(*pieces), lines_of) == [b"data: 1"]


def test_a_server_that_says_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(program_server, "SILENCE_SECONDS", 0.01)
    with pytest.raises(TimeoutError):
        with_server(says(HEAD, keeps_open=True), lines_of)


@pytest.mark.linux
def test_a_server_of_another_process_is_not_ours():
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        listening.listen()
        server = ProgramServer(listening.getsockname()[1], "me", "secret")
        asyncio.run(server.check_owner(os.getpid()))
        asyncio.run(server.check_owner(os.getppid()))
        with pytest.raises(PortTakenError):
            asyncio.run(server.check_owner(NOBODY))


@pytest.mark.linux
def test_a_server_of_another_user_of_whom_no_process_is_seen_is_not_ours(monkeypatch):
    monkeypatch.setattr(program_server, "listeners", lambda *_: [])
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        listening.listen()
        with pytest.raises(PortTakenError):
            asyncio.run(ProgramServer(listening.getsockname()[1], "me", "secret").check_owner(os.getpid()))


@pytest.mark.linux
def test_a_port_at_which_nobody_listens_is_taken_by_nobody():
    with socket.socket() as bound:
        bound.bind((HOST, 0))
        with pytest.raises(NoAnswerError) as raised:
            asyncio.run(ProgramServer(bound.getsockname()[1], "me", "secret").check_owner(os.getpid()))
    assert not isinstance(raised.value, PortTakenError)
