"""Whatever is sent to the API's socket: the daemon answers or hangs up, and serves everybody else."""

from __future__ import annotations

import contextlib
import json
import socket

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from overmind_core.daemon.routes import TABLE
from overmind_core.errors import CODES
from tests.kit import raw_socket, torture
from tests.kit.raw_socket import RawSocket
from tests.process.faults import strategies

pytestmark = pytest.mark.torture

HARMLESS = ["true", "exit 3", ["true"], ["sleep", "0.1"], "", " \t", [], [""], ["./absent"], ["true", "\0"], "x\0"]
"""What may be run here: nothing that a random text could turn into harm."""


def converse(home, data):
    """Send `data`, say that this was all, and return the lines that come back until the daemon hangs up."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(raw_socket.address(home))
        with contextlib.suppress(BrokenPipeError):
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(1 << 16), b"")).splitlines()


def assert_proper(answer):
    assert isinstance(answer, dict)
    if "error" in answer:
        assert answer["error"] in CODES
        assert answer["error"] != "internal", answer
        assert answer["message"]
    else:
        assert answer.keys() & {"ok", "item", "end"}


def test_random_bytes(target):
    @settings(max_examples=torture.portion(150))
    @given(st.one_of(st.binary(max_size=300), st.lists(st.binary(max_size=40), max_size=8).map(b"\n".join)))
    @example(b"\n" * 1000)
    @example(b"\xff\xfe\x00\n")
    @example(b'{"cmd":"status"')
    @example(b'{"cmd":"status"}' * 3 + b"\n")
    def attack(data):
        for answer in converse(target.om.home, data):
            assert_proper(json.loads(answer))
        target.assert_holds()

    attack()
    target.assert_stands()


def test_random_json(target):
    envelope = st.fixed_dictionaries(
        {},
        optional={
            "cmd": st.one_of(strategies.texts, strategies.values),
            "args": strategies.values,
            "id": strategies.values,
        },
    )

    @settings(max_examples=torture.portion(150))
    @given(st.one_of(strategies.values, envelope).map(strategies.line) | strategies.deep.map(str.encode))
    @example(strategies.line({"cmd": "hello", "args": None}))
    @example(strategies.line({"cmd": "hello", "args": [], "id": None}))
    @example(b'{"cmd":"hello","cmd":"status"}\n')
    @example(b"[" * 100_000 + b"\n")
    @example(b'{"cmd":"hello","id":' + b"[" * 100_000 + b"\n")
    @example(b'{"cmd":"hello","args":' + b"[" * 100_000 + b"\n")
    def attack(data):
        answers = [json.loads(answer) for answer in converse(target.om.home, data.rstrip(b"\n") + b"\n")]
        assert len(answers) == (1 if data.strip() else 0)
        for answer in answers:
            assert_proper(answer)
        target.assert_holds()

    attack()
    target.assert_stands()


def test_an_id_comes_back_as_it_was(target):
    plain = st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    )

    @settings(max_examples=torture.portion(60))
    @given(plain)
    def attack(number):
        with contextlib.suppress(UnicodeEncodeError):
            json.dumps(number, ensure_ascii=False).encode()
            (answer,) = converse(target.om.home, strategies.line({"cmd": "hello", "id": number}))
            assert json.loads(answer).get("id") == number

    attack()


@pytest.mark.parametrize("commands", [sorted(TABLE)[::2], sorted(TABLE)[1::2]])
def test_random_arguments(target, commands):
    known = plausible(target)
    for command in commands:
        attack_command(target, command, strategies.arguments(command, known))
    target.assert_stands()


def attack_command(target, command, arguments):
    @settings(max_examples=torture.portion(40))
    @given(arguments)
    @example({})
    @example({"cwd": "\0"})
    def attack(drawn):
        if spares_the_kept(command, drawn):
            with RawSocket.connect(target.om.home, timeout=20) as api:
                api.send_bytes(strategies.line({"cmd": command, "args": drawn}))
                assert_proper(api.read_line())
            target.assert_holds()

    attack()


def plausible(target):
    """Values that make sense, by field."""
    missions = st.sampled_from([*target.decoys, "decoy", "ended", target.decoys[0][:3], "nosuch"])
    durations = st.one_of(
        st.integers(0, 100), st.sampled_from(["1s", "5m", "0", "1e3", "-1", "1", "10 d"]), strategies.numbers
    )
    policies = st.sampled_from(["never", "on-failure", "on_failure", "always", "sometimes"])
    signals = st.sampled_from(["TERM", "SIGHUP", 15, "15", 0, 99, -9, "nosuch", 2**40])
    pairs = st.dictionaries(strategies.texts, strategies.texts, max_size=3)
    return {
        "id": missions,
        "ids": st.lists(missions, max_size=3),
        "command": st.sampled_from(HARMLESS),
        "cwd": st.sampled_from([target.om.home, "/", "relative", target.om.path("absent"), "/etc/passwd"]),
        "name": st.sampled_from(["decoy", "fresh", "a" * 63, "a" * 64, "..", "deadbeef", "x.lock"]),
        "parent": missions,
        "children": missions,
        "restart": policies,
        "signal": signals,
        "stop_signal": signals,
        "grace": durations,
        "timeout": durations,
        "backoff": durations,
        "older": durations,
        "max_seconds": durations,
        "activity_timeout": durations,
        "env": pairs,
        "env_set": pairs,
        "labels": pairs,
        "status": st.lists(st.sampled_from(["running", "stopped", "nosuch"]), max_size=2),
        "label": st.lists(strategies.texts, max_size=2),
        "provider": st.sampled_from(["raw", "claude", "nosuch"]),
        "type": st.sampled_from(["task", "session", "nosuch"]),
    }


def spares_the_kept(command, arguments):
    """Whether these arguments don't rightly ask for the end of everything."""
    if command == "shutdown":
        right = set(arguments) <= {"keep", "replace"} and all(isinstance(value, bool) for value in arguments.values())
        return not right
    return not (command == "kill" and arguments.get("all"))
