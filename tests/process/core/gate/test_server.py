"""The gate itself, driven over pipes: whatever comes, it answers in lines, harms nobody, and ends with its channel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Self

import pytest

from overmind_core.domain.hives import ROLES
from overmind_core.gate.server import Gate
from overmind_core.system.paths import Home
from overmind_core.wire.framing import MAX_LINE
from tests.kit.fake_daemon import FakeDaemon

LIMIT = 60
IDLE = b'{"channel":"idle"}\n'
REQUESTS, LOGS, TERMINAL = b'{"channel":"requests"}\n', b'{"channel":"logs"}\n', b'{"channel":"terminal"}\n'


@pytest.fixture
def daemon(om) -> Iterator[FakeDaemon]:
    """A daemon at the home that answers every request by its name."""
    with FakeDaemon(Home(om.home), lambda request: [{"ok": request.get("cmd")}]) as fake:
        yield fake


@pytest.fixture
def gate(om):
    """Run a gate with these bytes as its input; return the messages behind its greeting."""

    def run(sent: bytes, *arguments: str) -> list[dict[str, Any]]:
        words = [sys.executable, "-P", "-m", "overmind_core.cli", "gate", *arguments]
        done = subprocess.run(words, input=sent, env=om.environment, capture_output=True, timeout=LIMIT, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        hello, *rest = [json.loads(line) for line in done.stdout.splitlines()]
        assert (hello["gate"], hello["home"]) == (1, om.home)
        return rest

    return run


@pytest.mark.parametrize(
    ("sent", "codes"),
    [
        (b"", []),
        (b'{"channel"', []),
        (b"\n", ["invalid"]),
        (b"[]\n", ["invalid"]),
        (b"null\n", ["invalid"]),
        (b"\xff\xfe\x00\n", ["invalid"]),
        (b'{"channel":"\xc3\n', ["invalid"]),
        (b"{}\n", ["invalid"]),
        (b'{"channel":["requests"]}\n', ["invalid"]),
        (b'{"channel":"shell"}\n', ["invalid"]),
        (b"[" * 60_000 + b"\n", ["invalid"]),
        (b"x" * (1 << 20), []),
        (REQUESTS, ["daemon_not_running"]),
        (TERMINAL, ["gone"]),
        (b'{"channel":"git"}\n', ["invalid"]),
    ],
    ids=lambda value: repr(value[:30]) if isinstance(value, bytes) else "",
)
def test_a_channels_first_line(gate, sent, codes):
    assert [answer["error"] for answer in gate(sent)] == codes


@pytest.fixture
def pieces(om, monkeypatch):
    """Serve a channel on which all of this has been said before; return what was written, as it was."""

    def serve(sent: bytes) -> list[list[dict[str, Any]]]:
        (reads, asks), (answers, writes) = os.pipe(), os.pipe()
        written: list[bytes] = []
        write = os.write

        def noted(descriptor: int, data: bytes) -> int:
            if descriptor == writes:
                written.append(bytes(data))
            return write(descriptor, data)

        monkeypatch.setattr(os, "write", noted)
        write(asks, sent)
        os.close(asks)
        Gate(Home(om.home), role="owner", name=None, reads=reads, writes=writes).serve({})
        for descriptor in (reads, answers, writes):
            os.close(descriptor)
        return [[json.loads(line) for line in data.splitlines()] for data in written]

    return serve


def test_what_is_asked_before_the_gate_begins_is_answered_in_one_piece_with_its_greeting(daemon, pieces):
    (greeting, *first), *_ = pieces(REQUESTS)
    assert greeting["gate"] == 1
    assert first == [{"ok": {}}]
    ((greeting, refusal),) = pieces(b'{"channel":"shell"}\n')
    assert (greeting["gate"], refusal["error"]) == (1, "invalid")
    ((greeting,),) = pieces(b"")
    assert greeting["gate"] == 1


def test_half_a_character_comes_back_as_it_came(daemon, om):
    with Running(om, "--role", "viewer") as running:
        running.send(REQUESTS)
        running.next()
        running.send(b'{"cmd":"kill","id":"\\udcff","args":{"id":"x"}}\n')
        assert (running.next()["id"], daemon.requests) == ("\udcff", [])


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\n", "invalid"),
        (b"[]\n", "invalid"),
        (b"\x00\x01\x02\n", "invalid"),
        (b'{"cmd":"ps","args":{"name":"\xc3"}}\n', "invalid"),
        (b"[" * 100_000 + b"\n", "invalid"),
        (b'{"cmd":' + b"[" * 100_000 + b"\n", "invalid"),
        (b"x" * (MAX_LINE + (1 << 20)) + b"\n", "too_large"),
    ],
    ids=lambda value: repr(value[:30]) if isinstance(value, bytes) else "",
)
def test_a_hostile_line_is_refused_and_the_next_one_is_answered(daemon, om, sent, code):
    with Running(om) as running:
        running.send(REQUESTS)
        assert running.next() == {"ok": {}}
        running.send(sent)
        assert running.next()["error"] == code
        running.send(b'{"cmd":"ps","id":7}\n')
        assert running.next() == {"ok": "ps", "id": 7}
    assert [request["cmd"] for request in daemon.requests] == ["ps"]


def test_a_character_that_is_cut_in_two_comes_whole(daemon, om):
    with Running(om) as running:
        running.send(REQUESTS)
        running.next()
        running.send(b'{"cmd":"send","id":1,"args":{"text":"\xc3')
        running.send(b'\xbc"}}\n')
        assert running.next() == {"ok": "send", "id": 1}
    assert daemon.requests[0]["args"]["text"] == "ü"


def test_a_channel_for_requests_becomes_one_for_logs(daemon, om):
    for role in ROLES:
        with Running(om, "--role", role) as running:
            running.send(REQUESTS + b'{"cmd":"ps","id":1}\n')
            assert [running.next(), running.next()] == [{"ok": {}}, {"ok": "ps", "id": 1}]
            running.send(LOGS)
            assert running.next() == {"ok": {}}
            running.send(b'{"op":"end","run":"27b47545/000001","stream":0}\n{"cmd":"ps","id":2}\n')
            assert [running.next().get("ok"), running.next()["error"]] == [[0, 0.0], "invalid"]
    assert len(daemon.requests) == len(ROLES)


def test_what_comes_together_is_served_one_after_the_other(daemon, om):
    end = b'{"op":"end","run":"27b47545/000001","stream":0}\n'
    for separator in (b"", IDLE, IDLE * 3):
        with Running(om) as running:
            running.send(LOGS + end + separator + REQUESTS)
            assert [running.next() for _ in range(3)] == [{"ok": {}}, {"ok": [0, 0.0]}, {"ok": {}}]
            running.send(b'{"cmd":"ps","id":1}\n')
            assert running.next() == {"ok": "ps", "id": 1}
            running.send(separator + LOGS + end + separator + REQUESTS[:9])
            assert [running.next() for _ in range(2)] == [{"ok": {}}, {"ok": [0, 0.0]}]
            running.send(REQUESTS[9:])
            assert running.next() == {"ok": {}}


def test_without_a_daemon_it_does_not_wait_for_another_channel(gate):
    assert gate(IDLE + LOGS) == []
    assert gate(LOGS + IDLE + LOGS) == [{"ok": {}}]


def test_it_waits_for_another_channel_until_its_daemon_ends(om):
    with FakeDaemon(Home(om.home), lambda _: []):
        running = Running(om)
        assert running.next()["gate"] == 1
        running.send(REQUESTS + IDLE + REQUESTS)
        assert [running.next(), running.next()] == [{"ok": {}}] * 2
        running.send(IDLE)
    running.wait()
    running.__exit__()


@pytest.mark.parametrize("cut", [0, 1, 20, 40])
def test_closed_in_the_middle_of_a_request_nothing_is_asked(daemon, gate, cut):
    gate(REQUESTS + b'{"cmd":"kill","args":{"id":"x"},"id":1}'[:cut])
    assert daemon.requests == []


def test_nobody_can_say_to_be_somebody_else(daemon, om):
    with Running(om, "--as", "alice", "--role", "operator") as running:
        running.send(REQUESTS)
        running.next()
        for by in (b'"person"', b'"gate:bob"', b"null", b'["x"]'):
            running.send(b'{"cmd":"stop","id":1,"args":{"id":"x"},"by":%s}\n' % by)
            running.next()
    assert {request["by"] for request in daemon.requests} == {"gate:alice"}


@pytest.mark.parametrize(
    "request_line",
    [
        b'{"cmd":"run","id":1,"args":{"command":"id"}}',
        b'{"cmd":"no_such_request","id":1}',
        b'{"cmd":["ps"],"id":1}',
        b'{"cmd":"ps","args":[],"id":1,"x":1}',
        b'{"cmd":"ps","args":["x"],"id":1}',
        b'{"cmd":"info","args":{"id":"x","reveal":1},"id":1}',
        b'{"id":1}',
    ],
)
def test_a_viewer_gets_nothing_but_readings_through(daemon, om, request_line):
    with Running(om, "--role", "viewer") as running:
        running.send(REQUESTS)
        running.next()
        running.send(request_line + b"\n")
        answer = running.next()
    allowed = request_line.startswith(b'{"cmd":"ps","args":[],')  # no arguments at all
    assert (answer.get("error") == "forbidden", bool(daemon.requests)) == (not allowed, allowed)


def test_requests_about_logs_are_each_answered_whatever_they_are(gate):
    sent = [
        b"\n",
        b"{}\n",
        b'{"op":"read","run":"../../etc"}\n',
        b"\xff\n",
        b"[" * 60_000 + b"\n",
        b"x" * 70_000 + b"\n",
    ]
    first, *answers = gate(LOGS + b"".join(sent) + b'{"op":"read"')
    assert first == {"ok": {}}
    assert [answer["error"] for answer in answers] == ["invalid"] * len(sent)


def test_a_viewer_has_no_terminal_and_no_repository(gate):
    for channel in (TERMINAL, b'{"channel":"git","service":"upload-pack","repository":"x"}\n'):
        assert [answer["error"] for answer in gate(channel, "--role", "viewer")] == ["forbidden"]


@pytest.mark.parametrize("sent", [b"", REQUESTS, LOGS + b"{}\n" * 1000])
def test_it_ends_in_silence_when_nobody_reads(om, daemon, sent):
    words = [sys.executable, "-P", "-m", "overmind_core.cli", "gate"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, env=om.environment) as process:
        assert process.stdout
        process.stdout.close()
        said = _ended(process, sent)
    assert b"Traceback" not in said


def _ended(process: subprocess.Popen[bytes], sent: bytes) -> bytes:
    """Give it these bytes and nothing more; return what it has written to stderr."""
    assert process.stdin
    assert process.stderr
    try:
        process.stdin.write(sent)
        process.stdin.close()
    except BrokenPipeError:
        pass
    said = process.stderr.read()
    process.wait(LIMIT)
    return said


class Running:
    """A gate whose input stays open."""

    def __init__(self, om, *arguments: str) -> None:
        words = [sys.executable, "-P", "-m", "overmind_core.cli", "gate", *arguments]
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=om.environment
        )

    def __enter__(self) -> Self:
        assert self.next()["gate"] == 1
        return self

    def __exit__(self, *_: object) -> None:
        said = self._process.communicate(timeout=LIMIT)[1]
        assert (self._process.returncode, said) == (0, b"")

    def wait(self) -> None:
        """Wait for its end."""
        self._process.wait(LIMIT)

    def send(self, data: bytes) -> None:
        """Write to it."""
        assert self._process.stdin
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def next(self) -> dict[str, Any]:
        """Wait for its next line."""
        assert self._process.stdout
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer
