"""Live views of a run."""

from __future__ import annotations

import base64
import contextlib
import socket
import sys

import pytest

from overmind_core.system.controlling_terminal import identity_of
from overmind_core.wire import keeper as wire
from tests.kit.keeper_client import Refusal, read_log
from tests.kit.waiting import eventually

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


def test_a_viewer_that_never_reads_is_dropped_and_slows_nobody(lone_keeper):
    keeper, client = lone_keeper, lone_keeper.client()
    client.spawn(RUN, "read x; head -c 20000000 /dev/zero; exit 3", stdin="tty")
    viewer = view(keeper, client)
    before = client.ask("status")["rss"]
    client.ask("write", run=RUN, seq=1, data="Cg==")
    notice = client.notice("exit", RUN)
    assert (notice["code"], notice["out"]) == (3, 20_000_002)
    drain(viewer)
    assert client.ask("status")["rss"] < before + 10_000_000, "not half of what was not read"


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


@pytest.mark.parametrize("special", [b"", b"\x1b\x1c", b"x" * 256])
def test_who_sits_at_no_terminal_lends_none_and_goes_on(keeper, client, special):
    """Whatever it says: the keeper looks for itself."""
    client.spawn(RUN, "stty raw -echo; echo ready; exec cat", stdin="tty")
    client.grown(RUN, lambda log: b"ready" in log)
    typist = view(keeper, client, "write")
    assert typist.answer["ok"].get("terminal") is (True if sys.platform == "linux" else None)
    assert typist.frame()[0] == wire.FRAME_OFFSET
    before = client.ask("status")["fds"]
    for identity in ((0, 0), (1 << 63, 1 << 63), identity_of(0)):
        typist.socket.sendall(wire.lend_frame(0, identity, special))
        assert typist.frame()[0] == wire.FRAME_RETURNED
    typist.socket.sendall(wire.recall_frame() + wire.data_frame(b"typed"))
    data_until(typist, lambda data: data == b"typed")
    assert client.ask("status")["fds"] == before


def test_files_that_are_sent_along_stay_closed(keeper, client):
    client.spawn(RUN, "stty raw -echo; echo ready; exec cat", stdin="tty")
    client.grown(RUN, lambda log: b"ready" in log)
    typist = view(keeper, client, "write")
    assert typist.frame()[0] == wire.FRAME_OFFSET
    before = client.ask("status")["fds"]
    socket.send_fds(typist.socket, [wire.data_frame(b"typed")], [0] * 200)
    data_until(typist, lambda data: data == b"typed")
    assert client.ask("status")["fds"] == before


def test_a_reader_lends_nothing(keeper, client):
    client.spawn(RUN, "read x; echo done", stdin="tty")
    reader = view(keeper, client)
    assert reader.answer["ok"] == {"run": RUN}
    reader.socket.sendall(wire.lend_frame(0, (0, 0), b"") + wire.recall_frame())
    client.ask("status")
    client.ask("write", run=RUN, seq=1, data="Cg==")
    assert reader.frame()[0] == wire.FRAME_OFFSET
    assert data_until(reader, lambda data: b"done" in data)


QUESTIONS = "stty raw -echo; echo asked; head -c 6; echo; stty size"
"""Shows the first six bytes that it is given."""
ANSWER = b"\x1b[?62;22c"


def asking(keeper, client, columns=(None, None)):
    """A program that has asked its terminal something, and two who look at it."""
    client.spawn(RUN, QUESTIONS, stdin="tty")
    client.grown(RUN, lambda log: b"asked" in log)
    viewers = [view(keeper, client, "write", columns=width, rows=30) for width in columns]
    for viewer in viewers:
        assert viewer.frame()[0] == wire.FRAME_OFFSET
    return viewers


def settle(client, viewer):
    """The keeper has met what was sent to it before it answers this."""
    client.ask("status")
    client.ask("status")
    assert viewer.answer["ok"]


def test_a_terminal_answers_only_for_the_newest_typist(keeper, client):
    first, second = asking(keeper, client)
    for viewer in (first, second):
        viewer.socket.sendall(wire.data_frame(ANSWER))
        settle(client, viewer)
    first.socket.sendall(wire.data_frame(b"a"))
    settle(client, first)
    second.socket.sendall(wire.data_frame(ANSWER + b"b" + ANSWER))
    settle(client, second)
    first.socket.sendall(wire.data_frame(ANSWER))
    settle(client, first)
    second.socket.sendall(wire.data_frame(b"\x1b[I!"))
    client.notice("exit", RUN)
    assert read_log(keeper.home, RUN).split()[1][:6] == b"ab\x1b[I!"


def test_the_size_is_the_newest_typists(keeper, client):
    first, second = asking(keeper, client, (90, 110))
    settle(client, second)
    second.socket.sendall(wire.resize_frame(120, 30))
    settle(client, second)
    first.socket.sendall(wire.data_frame(b"1234"))
    settle(client, first)
    second.socket.sendall(wire.data_frame(b"5"))
    settle(client, second)
    second.socket.sendall(wire.data_frame(b"6"))
    client.notice("exit", RUN)
    assert read_log(keeper.home, RUN).split()[-2:] == [b"30", b"120"]


def test_a_nudge_ends_at_the_size_it_began_with(keeper, client):
    client.spawn(RUN, "trap 'stty size' WINCH; echo ready; while :; do sleep 0.01; done", stdin="tty")
    client.grown(RUN, lambda log: b"ready" in log)
    viewer = view(keeper, client, "write", columns=90, rows=30)
    client.grown(RUN, lambda log: b"30 90" in log)
    viewer.socket.sendall(wire.redraw_frame())
    client.grown(RUN, lambda log: log.split()[-4:] == [b"29", b"90", b"30", b"90"])
    client.ask("signal", run=RUN, signal=9)


def test_a_reader_can_not_nudge(keeper, client):
    client.spawn(RUN, "read x; stty size <&1", stdin="tty")
    viewer = view(keeper, client)
    viewer.socket.sendall(wire.redraw_frame())
    assert viewer.frame()[0] == wire.FRAME_OFFSET
    client.ask("write", run=RUN, seq=1, data="Cg==")
    client.notice("exit", RUN)
    assert read_log(keeper.home, RUN).split() == [b"24", b"80"]


def test_who_types_without_a_pause_holds_nobody_up_for_long(keeper, client):
    client.spawn(RUN, "stty raw -echo; echo ready; cat", stdin="tty")
    client.grown(RUN, lambda log: b"ready" in log)
    typist = view(keeper, client, "write")
    client.spawn("a1b2c3d4.2", "seq 200000")
    typed = 0
    while not client.notices:
        typist.socket.sendall(wire.data_frame(b"x"))
        typed += 1
        client.ask("status")
    assert client.notice("exit", "a1b2c3d4.2")["out"] == 1_488_895
    data_until(typist, lambda data: data.count(b"x") == typed)


def test_what_was_typed_right_before_leaving_arrives_although_nobody_takes_the_output(keeper, client, tmp_path):
    """The program draws all the time, so that the keeper finds out by sending that the viewer has gone."""
    heard = tmp_path / "heard"
    script = f"stty -echo; while :; do echo flood; done & while read -r line; do echo $line >>{heard}; done"
    client.spawn(RUN, script, stdin="tty")
    for number in range(20):
        viewer = view(keeper, client, mode="write")
        data_until(viewer, lambda seen: b"flood" in seen)
        viewer.socket.sendall(wire.data_frame(f"line {number}\r".encode()))
        viewer.close()
    eventually(lambda: heard.exists() and heard.read_text().splitlines() == [f"line {n}" for n in range(20)])


def test_the_supervisor_is_notified_of_what_a_viewer_has_seen(keeper, client):
    client.spawn(RUN, "read x; sleep 100", stdin="tty")
    client.ask("watch", run=RUN, on=True)
    typist = view(keeper, client, "write", columns=80, rows=24)
    for letter in b"abc":
        typist.socket.sendall(wire.data_frame(bytes([letter])))
        data_until(typist, lambda data, letter=letter: bytes([letter]) in data)
        client.notice("grown", RUN, out=len(read_log(keeper.home, RUN)))
