"""Gates between commands: one is left to the next command, which asks it as it would a new one, whatever came of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import threading

import pytest

from overmind_core.client.hives import gate_holder, kept_gates
from tests.kit import processes
from tests.kit.waiting import eventually

PATIENCE = 60


@pytest.fixture
def ends():
    """A gate's standard input and output, here and there."""
    here, there = socket.socketpair()
    with here, there:
        yield here, there


@pytest.fixture
def path(tmp_path):
    """Where a gate would be held; its path is as long as a socket's may be."""
    with tempfile.TemporaryDirectory(prefix="om-", dir="/tmp") as folder:
        yield f"{folder}/gate"


@pytest.fixture
def command():
    """A process that would be the gate's, and leads a group of its own."""
    with subprocess.Popen(["sleep", "300"], start_new_session=True) as process:
        yield process
        process.kill()


GREETING = {"gate": 1, "home": "/x" * 20_000}


def test_a_gate_is_lent_to_one_after_the_other_with_its_greeting(ends, path, command):
    here, there = ends
    assert kept_gates.hold(path, here, command.pid, GREETING)
    for number in range(3):
        lent = kept_gates.borrow(path)
        assert lent is not None
        assert lent.greeting == GREETING
        assert kept_gates.borrow(path) is None
        lent.socket.sendall(b"%d" % number)
        assert there.recv(9) == b"%d" % number
        lent.give_back()
    assert not kept_gates.hold(path, here, command.pid, GREETING)
    lent = kept_gates.borrow(path)
    assert lent is not None
    lent.end()  # without a word
    here.close()
    assert there.recv(1) == b""
    eventually(lambda: not os.path.exists(path), timeout=PATIENCE)
    assert command.wait(PATIENCE) == -signal.SIGKILL  # it did not end by itself


def test_one_that_leaves_with_the_gate_before_it_was_told_everything_ends_it(path, monkeypatch):
    listener = socket.socket(socket.AF_UNIX)
    borrower, (gate, there) = socket.socket(socket.AF_UNIX), socket.socketpair()
    send = socket.send_fds

    def send_and_lose(to, *arguments):
        sent = send(to, *arguments)
        borrower.close()
        return sent

    monkeypatch.setattr(socket, "send_fds", send_and_lose)
    with listener, gate, there:
        listener.bind(path)
        listener.listen()
        borrower.connect(path)
        thread = threading.Thread(target=gate_holder.hold, args=(listener, gate, b"{}\n", PATIENCE, path), daemon=True)
        thread.start()
        thread.join(PATIENCE / 2)
        assert not thread.is_alive()


def test_one_that_nobody_uses_ends(ends, path, command, monkeypatch):
    monkeypatch.setattr(kept_gates, "KEPT_SECONDS", 0.05)
    here, there = ends
    assert kept_gates.hold(path, here, command.pid, GREETING)
    here.close()
    command.kill()
    assert there.recv(1) == b""
    eventually(lambda: not os.path.exists(path), timeout=PATIENCE)


def test_what_comes_of_a_gate_that_nobody_has_asked_ends_it(ends, path, command):
    here, there = ends
    assert kept_gates.hold(path, here, command.pid, GREETING)
    there.sendall(b"late")
    eventually(lambda: not os.path.exists(path), timeout=PATIENCE)


def test_what_a_killed_holder_has_left_is_replaced(ends, path, command):
    assert kept_gates.hold(path, ends[0], command.pid, GREETING)
    lent = kept_gates.borrow(path)  # its holder runs by now
    assert lent is not None
    lent.give_back()
    (holder,) = processes.with_word(path)
    os.kill(holder, signal.SIGKILL)
    eventually(lambda: not processes.alive(holder), timeout=PATIENCE)
    assert kept_gates.borrow(path) is None
    assert kept_gates.hold(path, ends[0], command.pid, GREETING)
    lent = kept_gates.borrow(path)
    assert lent is not None
    lent.end()


@pytest.mark.parametrize(
    "said", [None, b"", b"\n", b"{}", b"[1]\n", b"\xff\n", b"x" * 70_000], ids=lambda said: repr(said and said[:9])
)
@pytest.mark.parametrize("sends", [True, False])
def test_what_is_no_holder_lends_nothing_and_leaves_no_descriptor_open(ends, path, said, sends):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def answer() -> None:
            with server.accept()[0] as client:
                if said is None:
                    client.recv(1)
                elif sends and said:
                    socket.send_fds(client, [said], [ends[0].fileno()])
                else:
                    client.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        before = len(os.listdir("/proc/self/fd"))
        assert kept_gates.borrow(path) is None
        thread.join(PATIENCE)
    assert len(os.listdir("/proc/self/fd")) <= before
