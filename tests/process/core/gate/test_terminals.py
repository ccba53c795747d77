"""The gate's channel for a terminal, with a keeper that may be older, or refuse: one stream, and nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading

import pytest

from overmind_core.errors import OvermindError
from overmind_core.gate.server import Gate
from overmind_core.system.paths import Home
from overmind_core.system.unixsocket import listen
from overmind_core.wire import gate as wire
from overmind_core.wire.keeper import PIPES

WISH = b'{"channel":"terminal"}\n'
STREAM = b'{"op":"stream","n":1,"ticket":"t"}\n'
ASKED = wire.line({"op": PIPES, "n": 0})
TAKEN, REFUSED = b'{"n":1,"ok":{"run":"r"}}\n', b'{"n":1,"error":"ticket","message":"no"}\n'


class Keeper:
    """One that answers each line from a list, and remembers what came."""

    def __init__(self, path, answers):
        self._listening = listen(path)
        self._answers = answers
        self.came = b""
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        connected = self._listening.accept()[0]
        with connected:
            connected.settimeout(20)
            for number, answer in enumerate(self._answers, start=1):
                while self.came.count(b"\n") < number and (data := connected.recv(65536)):
                    self.came += data
                connected.sendall(answer)
            while data := connected.recv(65536):
                self.came += data
                with contextlib.suppress(ConnectionError):  # the gate has left
                    connected.sendall(data.upper())

    def close(self):
        self._thread.join()
        self._listening.close()


@pytest.fixture
def serve(om):
    """Serve a terminal with a keeper that answers like that; return what each of the two has got."""

    def run(sent, *answers):
        home = Home(om.home)
        os.makedirs(home.root, mode=0o700, exist_ok=True)
        keeper = Keeper(home.keeper_socket, answers)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.sendall(WISH + sent)
            ours.shutdown(socket.SHUT_WR)
            Gate(home, role="operator", name=None, reads=theirs.fileno(), writes=theirs.fileno()).serve({})
            theirs.shutdown(socket.SHUT_WR)
            got = b""
            while data := ours.recv(65536):
                got += data
        keeper.close()
        hello, ok, rest = got.split(b"\n", 2)
        assert (wire.BEGINNING in hello, json.loads(ok)) == (True, {"ok": {}})
        return keeper.came, rest

    return run


def test_an_older_keeper_is_relayed(serve):
    came, got = serve(STREAM + b"typed", b'{"n":0,"error":"hello_first","message":"-"}\n', TAKEN)
    assert came == ASKED + STREAM + b"typed"
    assert got in {TAKEN, TAKEN + b"TYPED"}  # it has left, and waits for no answer


def test_who_was_refused_can_say_nothing_else(serve):
    came, got = serve(STREAM + b'{"op":"hello"}\n', b'{"n":0,"error":"busy","message":"-"}\n', REFUSED)
    assert (came, got) == (ASKED + STREAM, REFUSED)


@pytest.mark.parametrize("line", [b'{"op":"hello"}\n', b"{}\n", b'{"op":["stream"]}\n'])
def test_what_is_no_stream_reaches_no_keeper(serve, line):
    came, got = serve(line)
    assert (came, json.loads(got)["error"]) == (b"", "forbidden")


def test_a_keeper_that_leaves_is_an_end_without_a_word(serve):
    assert serve(b"") == (b"", b"")


def test_without_a_keeper_there_is_no_terminal(om):
    with pytest.raises(OvermindError, match="keeper"):
        Gate(Home(om.home), role="operator", name=None)._serve_terminal(STREAM)
