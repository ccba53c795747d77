"""One client's socket, without its keeper: what is sent in which order, who is held back, and who is dropped."""

from __future__ import annotations

import json
import os
import socket
from typing import Any

import pytest

from overmind_core.keeper.connection import MOST_LENT_PIPES, UNSENT_LIMIT, ClientConnection, LentPipeCount
from overmind_core.keeper.loop import READ, WRITE


class ScriptedLoop:
    """Notes what is watched; `turn` has each of them do what it can, as the keeper's loop does."""

    def __init__(self):
        self.watched = {}
        self.preferred = set()

    def watch(self, fd, events, watcher):
        self.watched[fd] = (events, watcher)

    def forget(self, fd):
        self.watched.pop(fd, None)

    def prefer(self, fd, *, on):
        (self.preferred.add if on else self.preferred.discard)(fd)

    def turn(self):
        for fd, (events, watcher) in list(self.watched.items()):
            if fd in self.watched:
                watcher.ready(events)


class Served:
    """A connection, and the client's end of its socket."""

    def __init__(self, limit=UNSENT_LIMIT):
        ours, self.client = socket.socketpair()
        for end in (ours, self.client):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.client.setblocking(False)
        loop: Any = ScriptedLoop()
        self.loop = loop
        self.fd = ours.fileno()
        self.connection = ClientConnection(loop, ours)
        self.connection.limit = limit
        self.came: list[bytes] = []
        self.closed = 0
        self.connection.on_data = self.came.append
        self.connection.on_closed = self.note_closed

    def note_closed(self):
        self.closed += 1

    def got(self):
        """What the client reads now."""
        found = b""
        try:
            while piece := self.client.recv(1 << 20):
                found += piece
        except BlockingIOError:
            pass
        return found

    @property
    def reads(self):
        return bool(self.loop.watched[self.fd][0] & READ)

    @property
    def writes(self):
        return bool(self.loop.watched[self.fd][0] & WRITE)


@pytest.fixture
def serve():
    made = []

    def make(**how):
        made.append(Served(**how))
        return made[-1]

    yield make
    for one in made:
        one.client.close()
        one.connection.close()


def test_what_is_sent_arrives_at_once_and_nothing_waits(serve):
    served = serve()
    served.connection.send(b"one ")
    served.connection.send_json({"ok": 1})
    assert served.got() == b'one {"ok":1}\n'
    assert (served.reads, served.writes) == (True, False)
    assert served.fd in served.loop.preferred


def test_a_client_that_is_slow_gets_all_in_order(serve):
    served = serve()
    lines = [json.dumps(number).encode() + b"\n" for number in range(20_000)]
    for line in lines:
        served.connection.send(line)
    assert served.writes
    found = b""
    while served.writes:
        found += served.got()
        served.loop.turn()
    assert found + served.got() == b"".join(lines)


def test_a_client_that_reads_nothing_is_asked_for_nothing_more_and_dropped_in_the_end(serve):
    served = serve(limit=400_000)
    while served.reads:
        served.connection.send(b"y" * 10_000)
        served.loop.turn()
    assert served.connection.is_open
    assert 100_000 <= len(served.connection._out) <= 120_000
    served.client.send(b"x")
    served.loop.watched[served.fd][1].ready(served.loop.watched[served.fd][0])
    assert served.came == []
    for _ in range(60):
        served.connection.send(b"y" * 10_000)
    assert (served.connection.is_open, served.closed, served.loop.watched) == (False, 1, {})


def test_the_room_of_a_client_is_as_large_as_the_keeper_can_afford_and_no_larger():
    assert UNSENT_LIMIT == 32 * 1024 * 1024


def test_answers_to_what_came_together_leave_together(serve):
    served = serve()
    sent = []

    def taken(data):
        sent.append(bytes(data))
        return len(data)

    served.connection._send = taken

    def answer(data):
        for byte in data:
            served.connection.send(bytes([byte]) * 2)

    served.connection.on_data = answer
    served.client.send(b"abc")
    served.loop.turn()
    assert sent == [b"aabbcc"]


def test_answers_leave_also_where_an_answer_broke(serve):
    served = serve()

    def answer(_):
        served.connection.send(b"half")
        raise NotImplementedError

    served.connection.on_data = answer
    served.client.send(b"x")
    with pytest.raises(NotImplementedError):
        served.loop.turn()
    assert served.got() == b"half"


def test_an_end_waits_until_all_was_sent(serve):
    served = serve()
    served.connection.send(b"z" * 1_000_000)
    served.connection.end()
    assert served.connection.is_open
    found = b""
    while served.connection.is_open:
        found += served.got()
        served.loop.turn()
    assert len(found + served.got()) == 1_000_000
    assert served.closed == 1
    quick = serve()
    quick.connection.end()
    assert (quick.connection.is_open, quick.closed) == (False, 1)


def test_what_a_client_sent_before_it_went_counts_also_where_nobody_takes_the_answers(serve):
    served = serve()
    served.client.send(b"last words")
    served.client.close()
    served.connection.send(b"a" * 10)
    served.connection.send(b"b" * 10)
    assert served.connection.is_open
    served.loop.turn()
    assert served.came == [b"last words"]
    served.loop.turn()
    assert (served.connection.is_open, served.closed) == (False, 1)


def test_a_client_that_is_paused_is_not_read_and_ends_once_it_is_gone(serve):
    served = serve()
    served.connection.pause(paused=True)
    assert not served.reads
    served.connection.pause(paused=False)
    assert served.reads
    served.connection.pause(paused=True)
    served.client.close()
    served.connection.send(b"x")
    assert not served.connection.is_open
    gone = serve()
    gone.client.close()
    gone.connection.send(b"x")
    assert gone.connection.is_open
    gone.connection.pause(paused=True)
    assert not gone.connection.is_open


def test_whether_a_client_is_there_is_known_before_its_end_was_read(serve):
    served = serve()
    assert served.connection.is_there()
    assert served.connection.is_there()
    served.client.close()
    assert not served.connection.is_there()
    assert served.connection.is_open
    served.connection.close()
    assert not served.connection.is_there()


def test_a_closed_connection_takes_nothing_and_is_closed_once(serve):
    served = serve()
    served.connection.close()
    served.connection.close()
    served.connection.send(b"x")
    served.connection.failed()
    assert (served.closed, served.loop.watched, served.loop.preferred) == (1, {}, set())


class Lent:
    """The client of a gate that lends its two descriptors."""

    def __init__(self, served, count, files=2):
        self.to_keeper, self.from_gate = os.pipe()
        self.to_client, self.by_keeper = os.pipe()
        served.connection.expect_pipes(count)
        handed = [self.to_keeper, self.by_keeper, self.to_keeper][:files]
        socket.send_fds(served.client, [b"x"], handed)
        os.close(self.to_keeper)
        os.close(self.by_keeper)
        served.loop.turn()

    def close(self):
        os.close(self.from_gate)
        os.close(self.to_client)


def test_a_client_is_served_on_what_its_gate_lends_until_the_gate_ends(serve):
    count = LentPipeCount()
    served = serve()
    lent = Lent(served, count)
    assert (count.lent, served.came) == (1, [b"x"])
    handed = served.loop.watched.keys() - {served.fd}
    assert [(os.get_inheritable(fd), os.get_blocking(fd)) for fd in handed] == [(False, False)] * 2
    assert handed <= served.loop.preferred
    os.write(lent.from_gate, b"typed")
    for fd, (events, watcher) in list(served.loop.watched.items()):
        if events & READ and fd != served.fd:
            watcher.ready(events)
    assert served.came == [b"x", b"typed"]
    served.connection.send(b"shown")
    assert os.read(lent.to_client, 100) == b"shown"
    assert served.got() == b""
    served.client.close()
    served.loop.watched[served.fd][1].ready(READ)
    assert (served.connection.is_open, count.lent, served.closed) == (False, 0, 1)
    lent.close()


@pytest.mark.parametrize("files", [0, 1, 3])
def test_another_number_of_descriptors_is_closed_and_the_socket_goes_on(serve, files):
    count = LentPipeCount()
    served = serve()
    lent = Lent(served, count, files)
    assert (count.lent, served.came) == (0, [b"x"])
    served.client.send(b"more")
    served.loop.turn()
    assert served.came == [b"x", b"more"]
    with pytest.raises(BrokenPipeError):
        os.write(lent.from_gate, b"nobody has kept the other end")
    lent.close()


def test_so_many_gates_are_served_and_no_more(serve):
    count = LentPipeCount()
    served = [serve() for _ in range(MOST_LENT_PIPES)]
    lent = [Lent(one, count) for one in served]
    assert (count.lent, count.is_free) == (MOST_LENT_PIPES, False)
    with pytest.raises(BlockingIOError):
        serve().connection.expect_pipes(count)
    served[0].connection.close()
    assert count.is_free
    for one in lent:
        one.close()
