"""Whatever comes over the socket: the daemon answers others within a second, and its memory stays bounded."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket as sockets
import subprocess
import sys

import psutil
import pytest

from tests.kit.raw_socket import RawSocket, address
from tests.kit.stopwatch import Stopwatch
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

MIB = 1 << 20
PATIENCE = 1.0
"""Seconds in which others are answered, without those in which the machine is busy with something else."""
HEADROOM = 64 * MIB
"""Bytes by which the daemon may grow while it is pestered."""

GARBAGE = {
    "no json": b"hello there\n",
    "half an object": b'{"cmd":"ps"\n',
    "an array": b'["ps"]\n',
    "a number": b"7\n",
    "no command": b'{"args":{}}\n',
    "a command that is none": b'{"cmd":7}\n',
    "arguments that are none": b'{"cmd":"ps","args":[]}\n',
    "an unknown argument": b'{"cmd":"ps","args":{"colour":"red"}}\n',
    "null bytes": b"\0\0\0\0\n",
    "no utf-8": b'{"cmd":"\xff\xfe"}\n',
    "a lone surrogate": b'{"cmd":"run","args":{"command":"\\ud800","cwd":"/"}}\n',
    "deep nesting": b"[" * 100_000 + b"\n",
    "deep nesting in an argument": b'{"cmd":"ps","args":{"ids":' + b"[" * 50_000 + b"]" * 50_000 + b"}}\n",
    "a huge number": b'{"cmd":"events","args":{"since":' + b"9" * 400 + b"}}\n",
    "not a number": b'{"cmd":"run","args":{"command":"true","cwd":"/","grace":1e999}}\n',
    "an http request": b"GET / HTTP/1.1\r\n",
}


@pytest.fixture
def daemon(om):
    """The process of a running daemon that has warmed up."""
    om.ok("start")
    om.finished("true")
    om.ok("ps")
    return psutil.Process(om.supervisor_pid())


def assert_others_are_answered(om):
    """A client of the socket is answered within a second, and so is a person."""
    daemon = om.supervisor_pid()
    with Stopwatch(daemon) as stopwatch, RawSocket.connect(om.home, timeout=30) as socket:
        assert socket.ok("hello", version="0.1.0")["pid"] == daemon
        assert isinstance(socket.ok("ps"), list)
    assert stopwatch.seconds < PATIENCE
    assert om("ps").returncode == 0


def test_garbage_gets_an_error_and_the_connection_goes_on(om, daemon, cases):
    for name, line in GARBAGE.items():
        with cases(name), RawSocket.connect(om.home) as socket:
            socket.send_bytes(line)
            answer = socket.read_line()
            assert answer["error"] in {"invalid", "unknown_command"}, answer
            assert answer["message"]
            assert len(answer["message"]) < 1000
            assert isinstance(socket.ok("ps"), list)
    assert_others_are_answered(om)
    assert daemon.is_running()


def test_random_bytes_never_take_the_daemon_down(om, daemon):
    noise = random.Random(5)
    for _ in range(50):
        with RawSocket.connect(om.home) as socket, contextlib.suppress(OSError):
            socket.send_bytes(noise.randbytes(noise.randrange(1, 5000)))
            socket.send_bytes(b"\n" * noise.randrange(3))
    assert_others_are_answered(om)
    assert daemon.is_running()


def test_an_unknown_command_is_an_error_with_the_id_echoed(om, daemon):
    with RawSocket.connect(om.home) as socket:
        socket.send_line({"cmd": "nosuch", "id": {"any": ["json"]}})
        answer = socket.read_line()
        assert (answer["error"], answer["id"]) == ("unknown_command", {"any": ["json"]})
        assert "nosuch" in answer["message"]


def test_a_valid_line_of_a_mebibyte_is_served(om, daemon):
    before = daemon.memory_info().rss
    with RawSocket.connect(om.home) as socket:
        socket.send("ps", ids=[], label=["k=" + "v" * MIB])
        assert socket.read_line() == {"ok": []}
        environment = {f"NAME_{number}": "x" * 10_000 for number in range(100)}
        mission = socket.ok("run", command="env | wc -c", cwd="/", env=environment | {"PATH": os.environ["PATH"]})["id"]
    om.wait_status(mission, "stopped")
    assert int(om.logs(mission)) > 1_000_000
    assert_others_are_answered(om)
    assert daemon.memory_info().rss < before + HEADROOM


def test_a_line_over_16_mib_is_too_large_and_costs_no_memory(om, daemon):
    before = daemon.memory_info().rss
    with RawSocket.connect(om.home, timeout=60) as socket:
        for _ in range(3):
            socket.send_bytes(b'{"cmd":"ps","args":{"label":["' + b"x" * (20 * MIB) + b'"]}}\n')
            assert socket.read_line()["error"] == "too_large"
        assert [row["id"] for row in socket.ok("ps")] == om.ok("ps", "-q", "--all").split()
    assert_others_are_answered(om)
    assert daemon.memory_info().rss < before + HEADROOM


def test_half_a_line_waits_without_holding_up_others(om, daemon):
    halves = [RawSocket.connect(om.home) for _ in range(20)]
    try:
        for socket in halves:
            socket.send_bytes(b'{"cmd":"p')
        assert_others_are_answered(om)
        for socket in halves:
            socket.send_bytes(b's"}\n')
        assert all("ok" in socket.read_line() for socket in halves)
    finally:
        for socket in halves:
            socket.close()


def test_unfinished_lines_of_many_clients_together_are_bounded(om, daemon):
    before = daemon.memory_info().rss
    greedy = []
    try:
        for _ in range(20):
            socket = RawSocket.connect(om.home, timeout=30)
            greedy.append(socket)
            with contextlib.suppress(OSError):
                socket.send_bytes(b"x" * (15 * MIB))
        assert_others_are_answered(om)
        assert daemon.memory_info().rss < before + 256 * MIB, "20 times 15 MiB would be 300"
    finally:
        for socket in greedy:
            socket.close()
    assert_others_are_answered(om)


def test_500_idle_connections_leave_room_for_others(om, daemon):
    before = daemon.memory_info().rss
    idle: list[RawSocket] = []
    try:
        idle.extend(RawSocket.connect(om.home, timeout=30) for _ in range(500))
        assert_others_are_answered(om)
        assert daemon.memory_info().rss < before + HEADROOM
        assert om.finished("true")["exit_code"] == 0
    finally:
        for socket in idle:
            socket.close()
    eventually(lambda: daemon.num_fds() < 100, what="the daemon has let go of them")


def test_a_client_that_never_reads_a_big_answer_is_cut_off_and_others_are_answered(om, daemon):
    with RawSocket.connect(om.home, timeout=60) as socket:
        for _ in range(100):
            socket.send_line({"cmd": "run", "args": {"command": ["true", "x" * 100_000], "cwd": "/", "tty": False}})
            assert "ok" in socket.read_line()
    before = daemon.memory_info().rss
    with RawSocket.connect(om.home, timeout=5) as deaf:
        with contextlib.suppress(OSError):
            for number in range(100):  # ten megabytes each
                deaf.send_line({"cmd": "ps", "args": {"all": True}, "id": number})
        assert_others_are_answered(om)
        assert daemon.memory_info().rss < before + 256 * MIB
    assert_others_are_answered(om)  # nor does anybody wait for what it had still asked for when it went away


def test_a_follower_that_never_reads_holds_nothing_up(om, daemon):
    before = daemon.memory_info().rss
    with RawSocket.connect(om.home) as deaf:
        mission = om.mission("seq 1 300000")
        deaf.send("subscribe", ids=[mission], from_start=True)
        deaf.send_line({"cmd": "events", "args": {"follow": True}, "id": 1})
        assert om.wait_status(mission, "stopped", timeout=30)["exit_code"] == 0
        assert_others_are_answered(om)
        assert daemon.memory_info().rss < before + HEADROOM


def test_a_client_that_dies_in_the_middle_costs_nothing(om, daemon):
    fds = daemon.num_fds()
    for _ in range(20):
        with RawSocket.connect(om.home) as socket:
            socket.send("wait", ids=[om.ps()[0]["id"]])
            socket.send("events", follow=True)
            socket.send_bytes(b'{"cmd":"r')
    eventually(lambda: daemon.num_fds() <= fds, what="their descriptors are closed")
    assert_others_are_answered(om)


def test_whoever_closes_its_side_after_asking_still_gets_the_answers(om, daemon):
    with sockets.socket(sockets.AF_UNIX) as socket:
        socket.settimeout(10)
        socket.connect(address(om.home))
        socket.sendall(b'{"cmd":"hello"}\n{"cmd":"ps"}\n')
        socket.shutdown(sockets.SHUT_WR)
        received = b"".join(iter(lambda: socket.recv(1 << 16), b""))
    first, second = map(json.loads, received.splitlines())
    assert first["ok"]["pid"] == om.supervisor_pid()
    assert len(second["ok"]) == 1


def test_pipelined_requests_without_an_id_are_answered_in_their_order(om, daemon):
    with RawSocket.connect(om.home) as socket:
        commands = ["status", "ps", "hello", "nosuch", "ps", "status"]
        socket.send_bytes(b"".join(json.dumps({"cmd": name}).encode() + b"\n" for name in commands))
        answers = [socket.read_line() for _ in commands]
    assert ["missions" in answers[0]["ok"], answers[3]["error"]] == [True, "unknown_command"]
    assert [type(answers[1]["ok"]), type(answers[4]["ok"])] == [list, list]
    assert answers[2]["ok"]["api"] == 1


def test_pipelined_requests_with_an_id_say_whose_answer_it_is(om, daemon):
    slow = om.mission("sleep 100")
    with RawSocket.connect(om.home) as socket:
        socket.send_line({"cmd": "wait", "args": {"ids": [slow]}, "id": "slow"})
        socket.send_line({"cmd": "ps", "id": 2})
        answers = [socket.read_line() for _ in range(2)]
        assert {answer["id"] for answer in answers} == {"slow", 2}
        om.ok("kill", slow)
        assert socket.read_line()["item"]["status"] == "killed"
        assert socket.read_line() == {"end": {}, "id": "slow"}


def test_ten_thousand_pipelined_requests_are_all_answered(om, daemon):
    before = daemon.memory_info().rss
    with RawSocket.connect(om.home, timeout=60) as socket:
        for number in range(0, 10_000, 500):
            socket.send_bytes(b"".join(b'{"cmd":"hello","id":%d}\n' % one for one in range(number, number + 500)))
        assert sorted(socket.read_line()["id"] for _ in range(10_000)) == list(range(10_000))
    assert daemon.memory_info().rss < before + HEADROOM


def test_the_keepers_socket_survives_garbage_too(om, daemon):
    mission = om.mission("sleep 100")
    keeper = om.keeper_pid()
    for data in (*GARBAGE.values(), b"x" * (2 * MIB), b'{"op":"hel'):
        with RawSocket.connect(om.home, name="keeper.sock") as socket, contextlib.suppress(OSError):
            socket.send_bytes(data)
    idle = [RawSocket.connect(om.home, name="keeper.sock") for _ in range(100)]
    assert om.finished("echo on")["exit_code"] == 0
    for socket in idle:
        socket.close()
    assert om.keeper_pid() == keeper
    assert om.info(mission)["status"] == "running"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("name", ["overmind.sock", "keeper.sock"])
def test_another_user_can_not_connect(om, daemon, name):
    script = f"import socket; socket.socket(socket.AF_UNIX).connect({om.path(name)!r})"
    became = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    finished = subprocess.run([*became, "/usr/bin/env", "python3", "-c", script], capture_output=True, text=True)
    assert finished.returncode == 1
    assert "PermissionError" in finished.stderr


@pytest.mark.own_home
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("name", ["overmind.sock", "keeper.sock"])
def test_another_user_who_gets_past_the_modes_is_still_sent_away(om, daemon, name):
    os.chmod(om.home, 0o755)
    os.chmod(om.path(name), 0o777)
    hello = '{"cmd":"ps"}' if name == "overmind.sock" else '{"op":"hello","n":0,"protocol":1,"version":"x","pid":1}'
    script = (
        "import os, socket\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "s = socket.socket(socket.AF_UNIX); s.settimeout(10)\n"
        f"s.connect({om.path(name)!r})\n"
        "try:\n"
        f"    s.sendall(b'{hello}\\n'); print(s.recv(100))\n"
        "except OSError: print(b'')\n"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert (finished.returncode, finished.stdout) == (0, "b''\n"), finished.stderr
    assert om.ok("ps")


def test_a_stopped_client_in_the_middle_of_an_answer_holds_nobody_up(om, daemon):
    om.finished("seq 1 100000")
    client = om.popen("logs", "-f", om.ps()[-1]["id"])
    client.send_signal(signal.SIGSTOP)
    assert_others_are_answered(om)
    client.send_signal(signal.SIGCONT)
    out, _ = client.communicate(timeout=30)
    assert (client.returncode, out.count("\n")) == (0, 100_000)


@pytest.mark.parametrize("late", [False, True], ids=["altogether", "its side first"])
def test_a_stream_ends_with_the_client_that_asked_for_it(om, daemon, late):
    mission = om.mission("sleep 100")
    fds = daemon.num_fds()
    for cmd in ("wait", "subscribe", "logs"):
        with sockets.socket(sockets.AF_UNIX) as socket:
            socket.settimeout(10)
            socket.connect(address(om.home))
            follow = {"follow": True} if cmd == "logs" else {}
            socket.sendall(json.dumps({"cmd": cmd, "args": {"ids": [mission], **follow}}).encode() + b"\n")
            assert b'"ok"' in socket.recv(1 << 16)
            if late:
                socket.shutdown(sockets.SHUT_WR)
                assert_others_are_answered(om)
    eventually(lambda: daemon.num_fds() <= fds, timeout=20, what="the daemon has let go of the streams")
