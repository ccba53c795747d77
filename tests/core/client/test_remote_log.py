"""The log of a run on another hive: what a reader gets of it is what lies there, however it asks, and over losses."""

from __future__ import annotations

import json
import random
import socket
import threading

import pytest

from overmind_core.client.hives import remote_log
from overmind_core.client.hives.remote_log import AHEAD, RemoteRunFiles
from overmind_core.gate.logs import answer_log
from overmind_core.logs.layout import ERR, OUT, SEGMENT, data_name, index_name
from overmind_core.logs.run_files import LocalRunFiles
from overmind_core.wire import gate

RUN = "27b47545/000001"
SIZE = 2 * SEGMENT + AHEAD // 2
WINDOW = 1 << 18


class Gates:
    """Gates of a hive that are threads here; `open` and `keep` are what a reader is given.

    Attributes:
        opened: How many there were.
        asked: What they were asked, as (question, offset).
        cut_after: The next one hangs up in the middle of this answer; None: none does.
    """

    def __init__(self, logs: str) -> None:
        self._logs = logs
        self.opened = 0
        self.asked: list[tuple[str, int]] = []
        self.cut_after: int | None = None
        self.kept: list[Ends] = []
        self.ends: list[Ends] = []

    def open(self) -> Ends:
        """Open a channel, or return one that was kept."""
        if self.kept:
            return self.kept.pop()
        ours, theirs = socket.socketpair()
        self.opened += 1
        threading.Thread(target=self._serve, args=(theirs, self.cut_after), daemon=True).start()
        self.cut_after = None
        self.ends.append(Ends(ours))
        return self.ends[-1]

    def _serve(self, theirs: socket.socket, cut_after: int | None) -> None:
        with theirs, theirs.makefile("rb") as lines:
            for number, line in enumerate(lines):
                request = json.loads(line)
                self.asked.append((request["op"], request.get("offset", 0)))
                answer, content = answer_log(self._logs, request)
                if not isinstance(content, bytes):
                    with content:
                        content = content.read()
                said = gate.line(answer) + content
                try:
                    theirs.sendall(said[: len(said) // 2] if number == cut_after else said)
                except OSError:
                    return
                if number == cut_after:
                    return


class Ends:
    """A channel, as far as a reader needs one."""

    unread = b""

    def __init__(self, ours: socket.socket) -> None:
        self.socket = ours

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


@pytest.fixture
def folder(tmp_path):
    """A run's folder with some segments, of both streams."""
    made = tmp_path / RUN
    made.mkdir(parents=True)
    body = random.Random(1).randbytes(SIZE)
    for start in range(0, SIZE, SEGMENT):
        (made / data_name(OUT, start)).write_bytes(body[start : start + SEGMENT])
    (made / data_name(ERR, 0)).write_bytes(body[:WINDOW])
    (made / index_name(0)).write_bytes(body[:480])
    return made


@pytest.fixture
def gates(tmp_path):
    """Gates of the hive that has the folder."""
    made = Gates(str(tmp_path))
    yield made
    for end in made.ends:
        end.close()


@pytest.fixture
def reader(gates, folder):
    """A reader of the run, over there."""
    return RemoteRunFiles(gates.open, gates.kept.append, str(folder))


def whole(files, stream, begin=0):
    """Read a stream to its end, a window at a time, as readers do; other questions stand between."""
    pieces: list[bytes] = []
    at = begin
    while True:
        found, data = files.read(stream, at, WINDOW)
        if not data:
            return b"".join(pieces)
        assert found == at
        pieces.append(data)
        at += len(data)
        assert files.read_index(0, 48) == files.read_index(0)[:48]


@pytest.mark.parametrize("begin", [0, 1, SEGMENT - 1, SEGMENT + 7, SIZE - 1, SIZE])
def test_what_is_read_on_and_on_is_what_lies_there(reader, folder, begin):
    here = LocalRunFiles(str(folder))
    assert whole(reader, OUT, begin) == whole(here, OUT, begin)
    assert whole(reader, ERR) == whole(here, ERR)


def test_what_is_read_here_and_there_is_what_lies_there(reader, folder):
    here, dice = LocalRunFiles(str(folder)), random.Random(2)
    at = 0
    for _ in range(200):
        stream = dice.choice((OUT, OUT, ERR))
        at = dice.choice((at, at, dice.randrange(SIZE + 10)))
        limit = dice.choice((1, 100, WINDOW, 2 * AHEAD))
        found, data = reader.read(stream, at, limit)
        there, whole_data = here.read(stream, at, limit)
        assert (found, data) == (there, whole_data[: len(data)])
        assert bool(data) == bool(whole_data)
        assert reader.end(stream) == here.end(stream)
        at += len(data)


def test_a_reader_that_goes_on_is_never_without_a_piece_on_its_way(reader, gates):
    at = 0
    for _ in range(2 * AHEAD // WINDOW):
        at += len(reader.read(OUT, at, WINDOW)[1])
    reader.end(OUT)
    assert [offset for op, offset in gates.asked if op == gate.READ] == [AHEAD * number for number in range(5)]


def test_a_reader_that_jumps_asks_for_what_it_wants_alone(reader, gates):
    for at in (SEGMENT, 0, 2 * SEGMENT, AHEAD):
        reader.read(OUT, at, 100)
    assert [offset for _, offset in gates.asked] == [SEGMENT, 0, 2 * SEGMENT, AHEAD]


@pytest.mark.parametrize("answer", range(8))
def test_a_channel_that_is_lost_in_the_middle_of_an_answer_costs_no_byte(reader, gates, folder, answer):
    gates.cut_after = answer
    assert whole(reader, OUT) == whole(LocalRunFiles(str(folder)), OUT)
    assert gates.opened == 2


def test_what_grows_is_read_on_though_its_end_was_fetched_before(reader, folder):
    assert len(whole(reader, OUT)) == SIZE
    with (folder / data_name(OUT, 2 * SEGMENT)).open("ab") as file:
        file.write(b"more")
    assert reader.read(OUT, SIZE, WINDOW) == (SIZE, b"more")


def test_a_look_at_the_index_brings_what_its_segments_hold_in_one_answer(reader, gates, folder):
    for number in range(1, 5):
        (folder / index_name(number)).write_bytes(bytes([number]) * (gate.HEAD - 3 + number))  # the last two are longer
    here = LocalRunFiles(str(folder))
    assert reader.index_numbers() == here.index_numbers() == [0, 1, 2, 3, 4]
    for number in (0, 1, 2, 5):
        assert reader.read_index(number) == here.read_index(number)
    for number in range(5):
        assert reader.read_index(number, 48) == here.read_index(number, 48)
    assert [op for op, _ in gates.asked] == [gate.INDEXES, gate.INDEX]  # of the one that is not there
    for number in (3, 4):
        assert reader.read_index(number) == here.read_index(number)
    assert len(gates.asked) == 4


def test_what_the_index_has_grown_by_is_read_after_the_next_look(reader, folder):
    here = LocalRunFiles(str(folder))
    for _ in range(2):
        assert reader.index_numbers() == here.index_numbers()
        assert reader.read_index(here.index_numbers()[-1]) == here.read_index(here.index_numbers()[-1])
        with (folder / index_name(0)).open("ab") as file:
            file.write(b"more")


def test_a_gate_that_sends_no_beginnings_of_the_index_is_asked_for_each(reader, gates, folder, monkeypatch):
    monkeypatch.setattr(gate, "HEAD", -1)  # so is nothing asked for, and nothing sent
    assert reader.index_numbers() == [0]
    assert reader.read_index(0) == LocalRunFiles(str(folder)).read_index(0)
    assert [op for op, _ in gates.asked] == [gate.INDEXES, gate.INDEX]


def test_a_channel_without_an_answer_to_come_is_kept_and_any_other_is_closed(gates, folder):
    for _ in range(3):
        whole(RemoteRunFiles(gates.open, gates.kept.append, str(folder)), ERR)
    assert (gates.opened, len(gates.kept)) == (1, 1)
    busy = RemoteRunFiles(gates.open, gates.kept.append, str(folder))
    for at in range(0, AHEAD + 1, WINDOW):
        busy.read(OUT, at, WINDOW)
    del busy
    assert gates.kept == []


def test_a_kept_channel_that_has_ended_meanwhile_is_opened_anew(reader, gates, monkeypatch):
    monkeypatch.setattr(remote_log, "_PAUSE", 0.0)
    ours, theirs = socket.socketpair()
    theirs.close()
    gates.kept.append(Ends(ours))
    assert reader.end(OUT)[0] == SIZE
    assert gates.opened == 1
