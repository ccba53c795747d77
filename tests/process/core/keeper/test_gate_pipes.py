"""Descriptors that a gate lends: the keeper serves its client on them, and every end is noticed by all three."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile

import pytest

from overmind_core.keeper.connection import MOST_LENT_PIPES
from overmind_core.wire import keeper as wire
from tests.kit.keeper_client import read_log
from tests.kit.waiting import eventually
from tests.process.core.keeper.test_connection import raw, read_to_end

RUN = "a1b2c3d4.1"
CAT = "stty raw -echo; echo ready; exec cat"


class Gate:
    """A gate that has a ticket, and both ends of the descriptors on which its client is served."""

    def __init__(self, keeper, client, *, mode="write"):
        self.ticket = f"{client.send('status'):032x}"
        client.ask("ticket", run=RUN, mode=mode, ticket=self.ticket, ttl=10)
        self.socket = raw(keeper)
        self.theirs, self.ours = socket.socketpair(), socket.socketpair()
        self.files = [self.theirs[1].fileno(), self.ours[1].fileno()]
        for one in (self.theirs[0], self.ours[0]):
            one.settimeout(20)
        self._decoder = wire.FrameDecoder()
        self._frames = []

    def ask(self, **fields):
        self.socket.sendall(json.dumps({"n": 0, **fields}).encode() + b"\n")
        return json.loads(self.socket.recv(4096).partition(b"\n")[0])

    def lend(self, files=None):
        """Ask for the stream, and send the descriptors along; this side keeps none of them."""
        request = {"op": wire.STREAM, "n": 1, "ticket": self.ticket}
        socket.send_fds(self.socket, [json.dumps(request).encode() + b"\n"], self.files if files is None else files)
        self.theirs[1].close()
        self.ours[1].close()

    def type(self, data):
        self.theirs[0].sendall(wire.data_frame(data))

    def line(self):
        found = b""
        while not found.endswith(b"\n"):
            found += self.ours[0].recv(1)
        return json.loads(found)

    def frame(self):
        while not self._frames:
            data = self.ours[0].recv(65536)
            if not data:
                raise ConnectionError
            self._frames += self._decoder.feed(data)
        return self._frames.pop(0)

    def data(self, enough):
        seen = b""
        while not enough(seen):
            kind, payload = self.frame()
            seen += payload if kind == wire.FRAME_DATA else b""
        return seen

    def close(self):
        for one in (self.socket, *self.theirs, *self.ours):
            one.close()


@pytest.fixture
def lending(keeper, client):
    """Make gates whose run echoes what is typed."""
    client.spawn(RUN, CAT, stdin="tty")
    client.grown(RUN, lambda log: b"ready" in log)
    with contextlib.ExitStack() as stack:

        def make(**options):
            gate = Gate(keeper, client, **options)
            stack.callback(gate.close)
            return gate

        yield make


@pytest.fixture
def lent(lending):
    """One that has lent its descriptors, and whose stream has begun."""
    gate = lending()
    assert gate.ask(op=wire.PIPES) == {"n": 0, "ok": {}}
    gate.lend()
    assert gate.line() == {"n": 1, "ok": {"run": RUN}}
    assert gate.frame()[0] == wire.FRAME_OFFSET
    return gate


def test_what_is_typed_and_echoed_goes_over_them_alone(keeper, client, lent):
    for byte in b"hello":
        lent.type(bytes([byte]))
    assert lent.data(lambda data: len(data) == 5) == b"hello"
    lent.type(b"x" * 100_000)
    lent.data(lambda data: len(data) == 100_000)
    client.ask("signal", run=RUN, signal=9)
    client.notice("exit", RUN)
    assert read_log(keeper.home, RUN) == b"ready\nhello" + b"x" * 100_000
    assert lent.frame()[0] == wire.FRAME_EXIT
    assert lent.ours[0].recv(1) == b""
    assert read_to_end(lent.socket) == b""


@pytest.mark.parametrize("end", ["socket", "theirs"])
def test_an_end_of_either_side_is_the_end_of_all(client, lent, end):
    before = client.ask("status")["fds"]
    if end == "socket":
        lent.socket.close()
        assert lent.theirs[0].recv(1) == b""
    else:
        lent.theirs[0].close()
        assert lent.socket.recv(1) == b""
    assert lent.ours[0].recv(1) == b""
    assert client.ask("status")["fds"] == before - 3


def test_a_word_of_a_gate_that_has_lent_them_is_its_end(lent):
    lent.socket.sendall(b'{"op":"status","n":2}\n')
    assert lent.ours[0].recv(1) == b""
    with contextlib.suppress(ConnectionError):
        assert lent.socket.recv(1) == b""


def test_a_reader_that_takes_nothing_is_dropped_and_slows_nobody(client, lent, lending):
    other = lending()
    other.ask(op=wire.PIPES)
    other.lend()
    assert "ok" in other.line()
    other.ours[0].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    portion = b"y" * 65536
    for _ in range(wire.VIEWER_LIMIT * 2 // len(portion)):
        lent.type(portion)
        lent.data(lambda data: len(data) == len(portion))
    assert other.socket.recv(1) == b""
    lent.type(b"z")
    assert lent.data(bool) == b"z"


def test_a_gate_may_ask_for_a_stream_and_nothing_else(lending):
    gate = lending()
    assert "ok" in gate.ask(op=wire.PIPES)
    for op in (wire.HELLO, wire.STATUS, wire.LIST, wire.QUIT, None, 7):
        assert gate.ask(op=op, protocol=wire.PROTOCOL)["error"] == "forbidden"
    assert gate.ask(op=wire.STREAM, ticket="unknown")["error"] == "ticket"
    assert gate.ask(op=wire.HELLO, protocol=wire.PROTOCOL)["error"] == "forbidden"


def test_what_came_by_lent_descriptors_can_lend_no_others(client, lending):
    gate = lending()
    gate.ticket = "unknown"
    assert "ok" in gate.ask(op=wire.PIPES)
    gate.lend()
    assert gate.line()["error"] == "ticket"
    gate.theirs[0].sendall(b'{"op":"pipes","n":2}\n{"op":"stream","n":3,"ticket":"none"}\n')
    assert [gate.line()["error"] for _ in range(2)] == ["invalid", "ticket"]


def test_a_supervisor_lends_nothing(client):
    with pytest.raises(Exception, match="new connection"):
        client.ask(wire.PIPES)


def test_only_so_many_are_served_and_the_next_one_relays(lending):
    gates = [lending() for _ in range(MOST_LENT_PIPES)]
    for gate in gates:
        assert "ok" in gate.ask(op=wire.PIPES)
        gate.lend()
        assert "ok" in gate.line()
    late = lending()
    assert late.ask(op=wire.PIPES)["error"] == "busy"
    assert late.ask(op=wire.STREAM, ticket=late.ticket)["ok"] == {"run": RUN}
    gates[0].socket.close()
    assert gates[0].theirs[0].recv(1) == b""
    assert "ok" in lending().ask(op=wire.PIPES)


@pytest.mark.parametrize("files", [(), (0,), (0, 0, 0), (0,) * 100])
def test_without_two_descriptors_it_stays_on_the_socket_and_nothing_stays_open(client, lending, files):
    gate = lending()
    gate.ask(op=wire.PIPES)
    before = client.ask("status")["fds"]
    gate.lend([gate.files[0] for _ in files])
    assert json.loads(gate.socket.makefile("rb").readline())["ok"]["run"] == RUN
    eventually(lambda: client.ask("status")["fds"] == before)


def test_files_that_nobody_can_wait_for_end_that_gate_alone(client, lending):
    gate = lending()
    gate.ask(op=wire.PIPES)
    before = client.ask("status")["fds"]
    with tempfile.TemporaryFile() as file:
        gate.lend([file.fileno(), file.fileno()])
    assert read_to_end(gate.socket) == b""
    eventually(lambda: client.ask("status")["fds"] == before - 1)


def test_real_pipes_serve_as_well(client, lending):
    gate = lending()
    reads, typed = os.pipe()
    shown, writes = os.pipe()
    gate.ask(op=wire.PIPES)
    gate.lend([reads, writes])
    os.close(reads)
    os.close(writes)
    with open(typed, "wb", buffering=0) as keys, open(shown, "rb", buffering=0) as screen:
        keys.write(wire.data_frame(b"abc"))
        seen = b""
        while b"abc" not in seen:
            seen += screen.read(4096)
        keys.close()
        while screen.read(4096):
            pass
    assert read_to_end(gate.socket) == b""
