"""What an agent is given to read."""

from __future__ import annotations

import base64
import hashlib

import pytest

from tests.kit.keeper_client import Refusal, read_log

RUN = "a1b2c3d4.1"


def write(client, seq, data, run=RUN):
    return client.ask("write", run=run, seq=seq, data=base64.b64encode(data).decode())


def test_each_number_is_applied_once(keeper, client, way):
    client.spawn(RUN, "cat", tty=False, stdin="pipe", method=way)
    assert write(client, 1, b"one\n") == {"seq": 1, "written": 4}
    assert write(client, 1, b"one\n") == {"seq": 1, "written": 4}
    write(client, 2, b"two\n")
    write(client, 1, b"one\n")
    client.ask("eof", run=RUN)
    client.notice("exit", RUN)
    assert read_log(keeper.home, RUN) == b"one\ntwo\n"
    assert client.row(RUN)["in_seq"] == 2


def test_the_next_supervisor_repeats_safely(keeper, client):
    client.spawn(RUN, "cat", tty=False, stdin="pipe")
    write(client, 1, b"one\n")
    client.close()
    client = keeper.client()
    assert client.row(RUN)["in_seq"] == 1
    write(client, 1, b"one\n")
    write(client, 2, b"two\n")
    client.ask("eof", run=RUN)
    client.notice("exit", RUN)
    assert read_log(keeper.home, RUN) == b"one\ntwo\n"


def test_a_terminal_takes_lines(keeper, client, way):
    client.spawn(RUN, "stty -echo; echo ready; read x; echo got $x", stdin="tty", method=way)
    client.grown(RUN, lambda log: b"ready" in log)
    write(client, 1, b"hello\n")
    client.notice("exit", RUN)
    assert read_log(keeper.home, RUN).split() == [b"ready", b"got", b"hello"]


@pytest.mark.parametrize("typed", [b"", b"no newline"])
def test_eof_on_a_terminal_ends_a_reader(client, way, typed):
    client.spawn(RUN, "cat >/dev/null; exit 6", stdin="tty", method=way)
    if typed:
        write(client, 1, typed)
    client.ask("eof", run=RUN)
    assert client.notice("exit", RUN)["code"] == 6


def test_a_line_that_the_terminal_would_cut_is_refused(keeper, client):
    client.spawn(
        RUN, "stty -echo; echo ready; read x; echo ${#x}; stty raw; echo raw; head -c 9000 | wc -c", stdin="tty"
    )
    client.grown(RUN, lambda log: b"ready" in log)
    for data in (b"x" * 4096, b"a\n" + b"x" * 4096 + b"\nb\n"):
        with pytest.raises(Refusal) as refusal:
            write(client, 1, data)
        assert refusal.value.code == "too_large"
    write(client, 1, b"x" * 3000)
    with pytest.raises(Refusal):
        write(client, 2, b"x" * 1096)
    write(client, 2, b"x" * 1095)
    write(client, 3, b"\n")
    client.grown(RUN, lambda log: b"raw" in log)
    write(client, 4, b"y" * 9000)
    client.notice("exit", RUN)
    assert read_log(keeper.home, RUN).split() == [b"ready", b"4095", b"raw", b"9000"]


@pytest.mark.parametrize("tty", [True, False])
def test_megabytes_wait_for_a_slow_reader_and_all_arrive(keeper, client, way, tty):
    prepare = "stty raw -echo; " if tty else ""
    program = f"{prepare}echo ready; read go </dev/null; sleep 0.3; head -c 3000000 | sha256sum"
    client.spawn(RUN, program, tty=tty, stdin="tty" if tty else "pipe", method=way)
    client.grown(RUN, lambda log: b"ready" in log)
    data = bytes(range(256)) * 12000
    assert write(client, 1, data[:3000000])["written"] < 3000000
    before = client.ask("status")["cpu"]
    client.notice("exit", RUN)
    assert client.row(RUN)["in_written"] == 3000000
    assert hashlib.sha256(data[:3000000]).hexdigest().encode() in read_log(keeper.home, RUN)
    assert client.ask("status")["cpu"] - before < 2.0


def test_a_full_terminal_nobody_reads_costs_no_time(client):
    client.spawn(RUN, "stty raw -echo; echo ready; sleep 100", stdin="tty")
    client.grown(RUN, lambda log: b"ready" in log)
    write(client, 1, b"x" * 1_000_000)
    client.run("bbbbbbbb.1", "sleep 0.2")
    before = client.ask("status")["cpu"]
    client.run("bbbbbbbb.2", "sleep 0.5")
    assert client.ask("status")["cpu"] - before < 0.25


def test_too_much_waiting_input_is_busy(client):
    client.spawn(RUN, "sleep 100", tty=False, stdin="pipe")
    write(client, 1, b"x" * (20 << 20))
    with pytest.raises(Refusal) as refusal:
        write(client, 2, b"x" * (20 << 20))
    assert refusal.value.code == "busy"
    assert client.row(RUN)["in_seq"] == 1


@pytest.mark.parametrize("fields", [{"tty": False, "stdin": "null"}, {"tty": False, "stdin": "pipe"}])
def test_input_that_nobody_reads_is_gone(client, fields):
    client.spawn(RUN, "exec 0<&-; sleep 100", **fields)
    if fields["stdin"] == "pipe":
        client.ask("eof", run=RUN)
    with pytest.raises(Refusal) as refusal:
        write(client, 1, b"x")
    assert refusal.value.code == "gone"


def test_a_reader_that_closes_its_pipe_hurts_nobody(client):
    client.spawn(RUN, "exec 0<&-; sleep 0.2; exit 3", tty=False, stdin="pipe")
    write(client, 1, b"x" * 300_000)
    assert client.notice("exit", RUN)["code"] == 3


@pytest.mark.parametrize(
    "request_", [{"data": "###"}, {"data": None}, {"seq": "x"}, {"run": "ffffffff.1"}, {"run": None}]
)
def test_a_write_of_the_wrong_shape_is_refused(client, request_):
    client.spawn(RUN, "cat", tty=False, stdin="pipe")
    with pytest.raises(Refusal):
        client.ask("write", **{"run": RUN, "seq": 1, "data": "", **request_})
