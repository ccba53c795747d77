"""Live views of a run."""

from __future__ import annotations

import base64
import contextlib

import pytest

from overmind_core.wire import keeper as wire
from tests.kit.keeper_client import Refusal, read_log

RUN = "a1b2c3d4.1"


def view(keeper, client, mode="read", run=RUN, **fields):
    ticket = f"{client.send('status'):032x}"
    client.ask("ticket", run=run, mode=mode, ticket=ticket, ttl=10)
    return keeper.stream(ticket, **fields)


def data_until(viewer, enough):
    seen = b""
    while not enough(seen):
        kind, payload = viewer.frame()
        if kind == wire.FRAME_DATA:
            seen += payload
    return seen


def drain(viewer):
    """Read until the keeper hangs up."""
    with contextlib.suppress(ConnectionError):
        while viewer.frame():
            pass


def test_a_view_begins_with_the_offset_and_ends_with_the_exit(keeper, client):
    client.spawn(RUN, "echo before; read x; echo after; exit 7", stdin="tty")
    client.grown(RUN, lambda log: b"before" in log)
    viewer = view(keeper, client)
    assert viewer.answer == {"n": 1, "ok": {"run": RUN}}
    kind, payload = viewer.frame()
    assert kind == wire.FRAME_OFFSET
    offset = wire.parse_offset(payload)
    assert read_log(keeper.home, RUN)[:offset] == b"before\r\n"
    client.ask("write", run=RUN, seq=1, data=base64.b64encode(b"\n").decode())
    seen = data_until(viewer, lambda data: b"after\r\n" in data)
    assert read_log(keeper.home, RUN)[offset:] == seen
    assert viewer.frame() == (wire.FRAME_EXIT, wire.exit_frame(7)[5:])
    with pytest.raises(ConnectionError):
        viewer.frame()


def test_several_viewers_see_the_same(keeper, client):
    client.spawn(RUN, "read x; seq 1000", stdin="tty")
    viewers = [view(keeper, client) for _ in range(5)]
    assert {viewer.frame()[0] for viewer in viewers} == {wire.FRAME_OFFSET}
    client.ask("write", run=RUN, seq=1, data="Cg==")
    assert len({data_until(viewer, lambda data: b"1000\r\n" in data) for viewer in viewers}) == 1


def test_a_typist_types_and_resizes(keeper, client):
    client.spawn(RUN, "stty -echo; stty size; read x; echo got $x; stty size", stdin="tty")
    client.grown(RUN, lambda log: b"24 80" in log)
    other = view(keeper, client)
    assert other.frame()[0] == wire.FRAME_OFFSET
    typist = view(keeper, client, "write", columns=90, rows=30)
    typist.socket.sendall(wire.resize_frame(100, 40) + wire.data_frame(b"hel"))
    for byte in wire.data_frame(b"lo\n"):
        typist.socket.sendall(bytes([byte]))
    client.notice("exit", RUN)
    assert read_log(keeper.home, RUN).split()[-4:] == [b"got", b"hello", b"40", b"100"]
    assert other.frame() == (wire.FRAME_RESIZE, wire.resize_frame(90, 30)[5:])
    assert other.frame() == (wire.FRAME_RESIZE, wire.resize_frame(100, 40)[5:])


def test_a_reader_can_neither_type_nor_resize(keeper, client):
    client.spawn(RUN, "read x; stty size <&1; echo got $x", stdin="tty")
    viewer = view(keeper, client, columns=100, rows=40)
    viewer.socket.sendall(wire.resize_frame(100, 40) + wire.data_frame(b"evil\n"))
    # The keeper has met the frames when it answers what came after them.
    assert viewer.frame()[0] == wire.FRAME_OFFSET
    client.ask("status")
    client.ask("write", run=RUN, seq=1, data=base64.b64encode(b"good\n").decode())
    client.notice("exit", RUN)
    assert read_log(keeper.home, RUN).split()[-4:] == [b"24", b"80", b"got", b"good"]


@pytest.mark.parametrize("ticket", ["", "unknown", None, 5, ["x"]])
def test_a_ticket_that_was_never_issued_opens_nothing(keeper, client, ticket):
    client.spawn(RUN, "sleep 100")
    viewer = keeper.stream(ticket)
    assert viewer.answer["error"] == "ticket"


def test_a_ticket_works_once(keeper, client):
    client.spawn(RUN, "sleep 100")
    client.ask("ticket", run=RUN, mode="read", ticket="t", ttl=10)
    assert "ok" in keeper.stream("t").answer
    assert keeper.stream("t").answer["error"] == "ticket"


def test_a_ticket_expires(keeper, client):
    client.spawn(RUN, "sleep 100")
    client.ask("ticket", run=RUN, mode="read", ticket="t", ttl=0)
    assert keeper.stream("t").answer["error"] == "ticket"


def test_a_ticket_of_an_unknown_mode_or_run_is_refused(client):
    client.spawn(RUN, "sleep 100")
    for fields in ({"mode": "admin"}, {"run": "ffffffff.1"}, {"ttl": "x"}):
        with pytest.raises(Refusal):
            client.ask("ticket", **{"run": RUN, "mode": "read", "ticket": "t", "ttl": 10, **fields})


def test_a_viewer_that_never_reads_is_dropped_and_slows_nobody(keeper, client):
    client.spawn(RUN, "read x; head -c 20000000 /dev/zero; exit 3", stdin="tty")
    viewer = view(keeper, client)
    client.ask("write", run=RUN, seq=1, data="Cg==")
    notice = client.notice("exit", RUN)
    assert (notice["code"], notice["out"]) == (3, 20_000_002)
    drain(viewer)
    assert client.ask("status")["rss"] < 64 << 20


def test_a_viewer_that_dies_hurts_nobody(keeper, client):
    client.spawn(RUN, "read x; seq 10000", stdin="tty")
    viewers = [view(keeper, client) for _ in range(3)]
    survivor = view(keeper, client)
    for viewer in viewers:
        viewer.close()
    client.ask("write", run=RUN, seq=1, data="Cg==")
    data_until(survivor, lambda data: b"10000\r\n" in data)
    assert client.notice("exit", RUN)["code"] == 0


def test_garbage_instead_of_frames_ends_that_viewer_alone(keeper, client):
    client.spawn(RUN, "read x; echo $x", stdin="tty")
    typist = view(keeper, client, "write")
    typist.socket.sendall(b"\xff" * 1000)
    drain(typist)
    client.ask("write", run=RUN, seq=1, data="Cg==")
    assert client.notice("exit", RUN)["code"] == 0


def test_the_view_of_an_ended_run_says_so(keeper, client):
    client.run(RUN, "exit 5")
    viewer = view(keeper, client)
    assert viewer.frame()[0] == wire.FRAME_OFFSET
    assert viewer.frame() == (wire.FRAME_EXIT, wire.exit_frame(5)[5:])


def test_a_typist_who_is_faster_than_the_agent_is_held_back_and_loses_nothing(keeper, client):
    client.spawn(RUN, "stty raw -echo; echo ready; sleep 0.3; head -c 6000000 | wc -c", stdin="tty")
    client.grown(RUN, lambda log: b"ready" in log)
    typist = view(keeper, client, "write")
    for _ in range(6000):
        typist.socket.sendall(wire.data_frame(b"x" * 1000))
    assert client.notice("exit", RUN)["code"] == 0
    assert read_log(keeper.home, RUN).split()[-1] == b"6000000"
