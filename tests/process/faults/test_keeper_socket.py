"""Whatever is sent to the keeper's socket by somebody who is no supervisor: the agents never notice."""

from __future__ import annotations

import json
import socket

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from overmind_core.wire import keeper as wire
from tests.kit import raw_socket, torture
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually
from tests.process.faults import strategies

ATTACKED = "keeper.sock"
OPERATIONS = sorted(
    value
    for name, value in vars(wire).items()
    if name.isupper() and isinstance(value, str) and not name.startswith("ERROR")
)
fields = st.dictionaries(
    st.sampled_from(
        ["run", "runs", "since", "signal", "columns", "rows", "data", "seq", "on", "ticket", "mode", "ttl"]
    ),
    st.one_of(strategies.values, st.sampled_from(["a1b2c3d4.1", "../../x.1", "x", ".1"])),
    max_size=5,
)

pytestmark = pytest.mark.torture


def attack_once(home, data):
    """Send `data` and hang up without reading; the keeper may have hung up first."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(raw_socket.address(home, ATTACKED))
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            answers = b"".join(iter(lambda: client.recv(1 << 16), b""))
        except (BrokenPipeError, ConnectionResetError):
            return []
    return [json.loads(line) for line in answers.splitlines()]


def is_granted(line):
    """Whether it is a request that a stranger may make."""
    try:
        request = json.loads(line)
    except ValueError:
        return False
    return isinstance(request, dict) and request.get("op") in {wire.STATUS, wire.PIPES}


def test_random_bytes(target):
    @settings(max_examples=torture.portion(120))
    @given(st.one_of(st.binary(max_size=300), st.lists(st.binary(max_size=40), max_size=8).map(b"\n".join)))
    @example(b"\0" * 100_000)
    @example(b'{"op":"hello"' * 1000)
    @example(b'{"op":"status","":0}\n')
    def attack(data):
        served = [answer for answer in attack_once(target.om.home, data) if "error" not in answer]
        assert len(served) <= sum(map(is_granted, data.split(b"\n")))  # hypothesis does find the words of our source
        target.assert_holds()

    attack()
    target.assert_stands()


def test_requests_of_a_stranger(target):
    """Without a hello nobody may do anything but look at the status, and say that it is a gate: a ticket it has not."""

    def attack(operation, arguments, number):
        if operation == wire.HELLO:
            arguments = {**arguments, "protocol": 99}
        for answer in attack_once(target.om.home, strategies.line({**arguments, "op": operation, "n": number})):
            assert "error" in answer or operation in {wire.STATUS, wire.PIPES}
        target.assert_holds()

    for operation in OPERATIONS:
        attack(operation, {}, 1)
    settings(max_examples=torture.portion(150))(
        given(st.sampled_from(OPERATIONS), fields, strategies.scalars)(attack)
    )()
    target.assert_stands()


def test_requests_of_a_false_supervisor(target):
    """Who says hello takes over; the true supervisor comes back at once, and only it has the say."""
    harmless = [one for one in OPERATIONS if one not in {wire.HELLO, wire.QUIT, wire.SIGNAL, wire.SPAWN, wire.PURGE}]

    @settings(max_examples=torture.portion(40))
    @given(st.lists(st.tuples(st.sampled_from(harmless), fields), max_size=5))
    def attack(requests):
        hello = {"op": wire.HELLO, "n": 1, "protocol": wire.PROTOCOL, "version": "0", "pid": 1}
        lines = [{**arguments, "op": operation, "n": 2} for operation, arguments in requests]
        attack_once(target.om.home, b"".join(map(strategies.line, [hello, *lines])))
        target.assert_holds()

    attack()
    with RawSocket.connect(target.om.home) as api:
        eventually(lambda: api.ok("status")["keeper"], what="the true supervisor has its keeper again")
    target.assert_stands()
