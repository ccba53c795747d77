"""Requests of one client that wait for the keeper: few at once, all of them in the end."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

from overmind_core.errors import OvermindError
from overmind_core.kernel.api_server import MANY_AT_KEEPER, RECEIVED, Connection, ConnectionLimits, Endpoint
from overmind_core.kernel.request import Args

REQUESTS = 400
SIZE = 4096
"""Bytes of a request, as one with an environment has."""
AHEAD = 2 * (RECEIVED // SIZE + 1)
"""Requests that two reads hold: they are taken in before the first of them is begun with."""


class Start(Args, frozen=True):
    number: int
    env: str


class Keeper:
    """Answers nothing before `answers` is set; counts who waits."""

    def __init__(self):
        self.answers = asyncio.Event()
        self.waiting = self.most = 0

    async def start(self, arguments, _caller, _by):
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await self.answers.wait()
        self.waiting -= 1
        return arguments.number


async def until_still(keeper):
    """Until the server takes no more in."""
    before = -1
    while before != keeper.waiting:
        before = keeper.waiting
        for _ in range(20):
            await asyncio.sleep(0)


async def all_answers(lines):
    return [json.loads(await lines.readline()) for _ in range(REQUESTS)]


@pytest.fixture
def serve():
    """Run a scene beside a server and a client that has asked for everything at once."""

    async def with_client(scene):
        keeper = Keeper()
        connections: set[Connection] = set()
        table = {"start": Endpoint(Start, keeper.start, asks_keeper=True)}
        ours, theirs = socket.socketpair()
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(lambda: Connection(table, ConnectionLimits(), connections), ours)
        lines, writer = await asyncio.open_connection(sock=theirs)
        for number in range(REQUESTS):
            request = {"cmd": "start", "id": number, "args": {"number": number, "env": "x" * SIZE}}
            writer.write(json.dumps(request).encode() + b"\n")
        try:
            async with asyncio.timeout(20):
                await scene(keeper, lines, connections)
        finally:
            writer.close()

    return lambda scene: asyncio.run(with_client(scene))


def test_few_starts_wait_for_the_keeper_at_once_and_all_are_answered(serve):
    async def scene(keeper, lines, _connections):
        await until_still(keeper)
        assert MANY_AT_KEEPER < keeper.waiting <= MANY_AT_KEEPER + AHEAD
        keeper.answers.set()
        answers = await all_answers(lines)
        assert {answer["id"]: answer["ok"] for answer in answers} == {number: number for number in range(REQUESTS)}
        assert keeper.most <= MANY_AT_KEEPER + AHEAD

    serve(scene)


def test_a_client_whose_keeper_is_mute_is_told_so_of_each_of_its_requests(serve):
    async def scene(keeper, lines, connections):
        answers = asyncio.create_task(all_answers(lines))
        (connection,) = connections
        for _ in range(REQUESTS // MANY_AT_KEEPER + 1):
            await until_still(keeper)
            connection.answer_for_keeper(OvermindError("busy", "The keeper doesn't answer."))
        assert {answer["error"] for answer in await answers} == {"busy"}
        keeper.answers.set()
        await until_still(keeper)

    serve(scene)
