"""Clients that come, go, lie and flood."""

from __future__ import annotations

import contextlib
import json
import shlex
import socket
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from overmind_core.keeper.connection import UNSENT_LIMIT
from overmind_core.wire.keeper import LINE_LIMIT, PROTOCOL
from tests.kit.keeper_client import Refusal, read_log
from tests.kit.waiting import eventually

RUN = "a1b2c3d4.1"


def raw(keeper):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(20)
    client.connect(keeper.home.keeper_socket)
    return client


def read_to_end(client):
    parts = []
    try:
        while part := client.recv(65536):
            parts.append(part)
    except ConnectionError:
        pass
    client.close()
    return b"".join(parts)


@pytest.mark.parametrize(
    "line", [b"garbage", b"[]", b"1", b"null", b"\xff\xfe", b"[" * 100_000, b'{"op": ' + b"9" * 5000 + b"}", b""]
)
def test_what_is_no_request_ends_that_client_alone(keeper, client, line):
    stranger = raw(keeper)
    stranger.sendall(line + b"\n")
    assert json.loads(read_to_end(stranger))["error"] == "invalid"
    assert client.ask("list")["runs"] == []


def test_a_line_over_the_limit_ends_that_client_alone(lone_keeper):
    keeper, client = lone_keeper, lone_keeper.client()
    stranger = raw(keeper)
    chunk = b"x" * (1 << 20)
    with contextlib.suppress(ConnectionError):
        for _ in range((LINE_LIMIT >> 20) + 8):
            stranger.sendall(chunk)
    assert json.loads(read_to_end(stranger) or b'{"error":"too_large"}')["error"] == "too_large"
    assert client.ask("status")["rss"] < 128 << 20


def test_a_large_line_within_the_limit_is_fine(client):
    environment = {f"V{number}": "x" * 100_000 for number in range(20)}
    assert client.run(RUN, "exit 3", env=environment, program="/bin/true")["code"] in {0, 3}


@pytest.mark.parametrize("op", ["", "nosuch", None, 5, ["list"], {"a": 1}])
def test_an_unknown_operation_is_an_error_and_no_end(client, op):
    with pytest.raises(Refusal) as refusal:
        client.ask(op)
    assert refusal.value.code == "unknown_op"
    assert client.ask("list")["runs"] == []


@pytest.mark.parametrize(
    ("op", "fields"),
    [
        ("changed", {}),
        ("changed", {"since": "x"}),
        ("watch", {"run": "ffffffff.1", "on": True}),
        ("write", {}),
        ("resize", {"run": RUN, "columns": -1, "rows": 1 << 40}),
        ("signal", {"run": RUN, "signal": 999}),
        ("signal", {"run": RUN}),
        ("ack", {"runs": 5}),
        ("ack", {}),
        ("cursor", {"run": RUN}),
        ("release", {"run": []}),
        ("purge", {}),
        ("spawn", {}),
        ("hello", {"protocol": 1, "daemon": 5}),
        ("hello", {"protocol": 1, "kill_after": "x"}),
    ],
)
def test_a_request_of_the_wrong_shape_is_an_error_and_no_end(client, op, fields):
    client.spawn(RUN, "sleep 100")
    with pytest.raises(Refusal):
        client.ask(op, **fields)
    assert client.row(RUN)["exit"] is None


def test_nobody_asks_without_a_hello(keeper):
    client = keeper.client(hello=False)
    with pytest.raises(Refusal) as refusal:
        client.ask("list")
    assert refusal.value.code == "hello_first"
    assert client.ask("status")["runs"] == 0


def test_the_newest_supervisor_replaces_the_older_one(keeper, client):
    client.spawn(RUN, "sleep 100")
    newer = keeper.client()
    assert client.at_end()
    newer.ask("signal", run=RUN, signal=9)
    assert newer.notice("exit", RUN)["code"] == -9


def test_requests_are_pipelined_in_order(client):
    numbers = [client.send("changed", since=0) for _ in range(2000)]
    assert len([client.answer(number) for number in numbers]) == 2000


def test_a_client_may_die_at_any_byte(keeper, client):
    request = json.dumps({"op": "hello", "n": 1, "protocol": 1, "version": "x", "pid": 1}).encode() + b"\n"
    for length in range(len(request) + 1):
        stranger = raw(keeper)
        stranger.sendall(request[:length])
        stranger.close()
    newer = keeper.client()
    assert newer.run(RUN, "exit 4")["code"] == 4


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=400))
def test_random_bytes_never_hurt(keeper, client, data):
    stranger = raw(keeper)
    stranger.sendall(data)
    stranger.shutdown(socket.SHUT_WR)
    read_to_end(stranger)
    assert client.ask("list")["runs"] == []


def test_a_supervisor_that_never_reads_is_held_back_and_costs_bounded_memory(lone_keeper):
    keeper, client = lone_keeper, lone_keeper.client()
    client.spawn(RUN, "sleep 100")
    lazy = raw(keeper)
    lazy.sendall(b'{"op":"hello","n":1,"protocol":1}\n')
    lazy.settimeout(1)
    request = b'{"op":"list","n":2}\n' * 1000
    with contextlib.suppress(TimeoutError):
        while lazy.sendall(request) is None:
            pass
    observer = keeper.client(hello=False)
    assert observer.ask("status")["rss"] < 3 * UNSENT_LIMIT
    lazy.close()


def test_five_hundred_idle_clients_are_no_burden(keeper, client):
    strangers = [raw(keeper) for _ in range(500)]
    assert client.run(RUN, "exit 2")["code"] == 2
    for stranger in strangers:
        stranger.close()
    eventually(lambda: client.ask("status")["fds"] < 100)


def test_watching_tells_growth_at_once_and_then_at_intervals(client):
    client.spawn(RUN, "read x; i=0; while test $i -lt 40; do echo $i; sleep 0.01; i=$((i+1)); done", stdin="tty")
    client.ask("watch", run=RUN, on=True)
    assert client.notice("grown", RUN)["out"] == 0
    client.ask("write", run=RUN, seq=1, data="Cg==")
    out = client.notice("exit", RUN)["out"]
    grown = [notice["out"] for notice in client.notices if notice["notice"] == "grown"]
    assert grown == sorted(set(grown))
    assert 5 <= len(grown) <= 60
    client.ask("watch", run=RUN, on=False)
    assert client.row(RUN)["out"] == out


def test_the_notice_of_who_begins_to_watch_says_when_the_run_wrote_last(client):
    client.spawn(RUN, "echo h; sleep 100")
    eventually(lambda: client.row(RUN)["out"])
    row = client.row(RUN)
    for _ in range(2):
        client.ask("watch", run=RUN, on=True)
        notice = client.notice("grown", RUN)
        assert (notice["out"], notice["last"]) == (row["out"], row["last"])


HELLO = """
import json, socket, sys
with socket.socket(socket.AF_UNIX) as one:
    one.connect(sys.argv[1])
    one.sendall(json.dumps({"op": "hello", "n": 1, "protocol": int(sys.argv[2]), "pid": 1}).encode() + b"\\n")
    print(one.makefile().readline())
"""


@pytest.mark.linux
@pytest.mark.parametrize("hidden", ["", "env -i", "setsid -w env -i"])
def test_what_a_run_has_started_is_no_supervisor(keeper, client, hidden):
    asks = shlex.join([sys.executable, "-c", HELLO, keeper.home.keeper_socket, str(PROTOCOL)])
    client.run(RUN, f"{hidden} {asks}", tty=False)
    assert json.loads(read_log(keeper.home, RUN))["error"] == "forbidden"
    assert client.ask("list")["runs"]  # the supervisor is whoever it was
