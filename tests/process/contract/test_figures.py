"""`figures`, and CPU time as whoever asks for it sees it beside others who ask for other missions."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time

import psutil
import pytest

from tests.kit.raw_socket import RawSocket

pytestmark = pytest.mark.shared_home

BUSY = """
import time
while True:
    end = time.process_time() + 0.03
    while time.process_time() < end:
        pass
    time.sleep(0.07)
"""
"""Uses about a third of a core, evenly, also beside others who want all of it."""
SECONDS = 0.5
"""CPU time over which a figure is compared: fifty ticks of the kernel's clock."""


def busy(om):
    """A mission that uses CPU time, and its process."""
    mission = om.mission([sys.executable, "-c", BUSY])
    return mission, psutil.Process(om.pid(mission))


def used(process):
    """CPU seconds of it alone, as the kernel counts them."""
    times = process.cpu_times()
    return times.user + times.system


class Peer:
    """A reading of one process from outside of the product, over the time of somebody's looks."""

    def __init__(self, process):
        self._process = process
        self._began = time.monotonic(), used(process)
        self._told_until = self._began[0]
        self._told = 0.0

    def add(self, percent):
        """Count what the product tells now: for the time since it told something, since looks do not come evenly."""
        now = time.monotonic()
        self._told += percent * (now - self._told_until)
        self._told_until = now

    def told(self):
        """The mean of what was added, in percent of a core."""
        return self._told / (self._told_until - self._began[0])

    def used(self):
        """CPU seconds since it began to read."""
        return used(self._process) - self._began[1]

    def percent(self):
        """Of a core, since then."""
        return 100 * self.used() / (time.monotonic() - self._began[0])


@contextlib.contextmanager
def another_looker(om, *missions):
    """Somebody who asks for these missions again and again, and has had an answer."""
    answered, over = threading.Event(), threading.Event()

    def look():
        with RawSocket.connect(om.home) as api:
            while not over.is_set():
                api.ok("ps", ids=missions, wide=True)
                answered.set()

    looking = threading.Thread(target=look)
    looking.start()
    try:
        assert answered.wait(30)
        yield
    finally:
        over.set()
        looking.join(30)


def test_two_who_look_at_different_missions_both_see_what_these_use(om):
    one, other = busy(om), busy(om)
    peers = Peer(one[1]), Peer(other[1])
    with RawSocket.connect(om.home) as first, RawSocket.connect(om.home) as second:
        while min(peer.used() for peer in peers) < SECONDS:
            for peer, (mission, _), api in zip(peers, (one, other), (first, second), strict=True):
                (row,) = api.ok("ps", ids=[mission], wide=True)
                peer.add(row["cpu_percent"])
    for peer in peers:
        assert peer.told() == pytest.approx(peer.percent(), rel=0.2)


def test_who_asks_for_a_mission_beside_one_that_others_look_at_sees_both(om):
    one, other = busy(om), busy(om)
    with another_looker(om, one[0]):
        peer = Peer(other[1])
        while peer.used() < SECONDS:
            figures = [row["cpu_percent"] for row in om.api("ps", ids=[one[0], other[0]], wide=True)]
            assert all(figures), figures
            peer.add(figures[1])
        assert peer.told() == pytest.approx(peer.percent(), rel=0.2)


class Writer:
    """A mission that rests until it is given a line, which it then writes."""

    def __init__(self, om, folder, name="pipe"):
        self._pipe = str(folder / name)
        os.mkfifo(self._pipe)
        self.id = om.mission(f"while read line <{self._pipe}; do echo got $line; done")

    def give(self, line):
        """Have it write `got <line>`."""
        with open(self._pipe, "w", encoding="ascii") as pipe:
            pipe.write(f"{line}\n")


def items(api, number):
    """What the stream of this request tells, until its end."""
    for line in api.lines():
        if line["id"] == number:
            if "end" in line:
                return
            yield line["ok"] if "ok" in line else line["item"]


def ask(api, number, **args):
    """Begin a stream."""
    api.send_line({"cmd": "figures", "id": number, "args": args})


def test_first_all_are_told_and_then_those_for_which_a_figure_changed(om, tmp_path):
    quiet = om.mission(["sleep", "9071"])
    writing = Writer(om, tmp_path)
    writer = writing.id
    over = om.finished("echo done; exit 3", "--name", "over")["id"]
    with RawSocket.connect(om.home) as api:
        ask(api, 1, ids=[quiet, writer, over], every=0.5)
        told = items(api, 1)
        first = next(told)
        assert [row["id"] for row in first["missions"]] == [quiet, writer, over]
        assert first["gone"] == []
        known = {row["id"]: row for row in first["missions"]}
        assert known[quiet]["memory_bytes"] > 0
        assert {key: known[over][key] for key in ("cpu_percent", "memory_bytes", "output_bytes_per_second")} == {
            "cpu_percent": None, "memory_bytes": None, "output_bytes_per_second": None,
        }  # fmt: skip
        assert (known[over]["now"], known[over]["output_bytes"]) == ("exit 3: done", len("done\r\n"))
        writing.give("this")
        while known[writer]["now"] != "got this":
            item = next(told)
            assert item["missions"] or item["gone"]
            for row in item["missions"]:
                assert row != known[row["id"]]
                assert list(row) == list(known[row["id"]])
                known[row["id"]] = row
        assert known[writer]["output_bytes"] > 0


def test_what_is_shown_of_a_mission_is_what_ps_says_of_it(om):
    mission = om.mission("echo hello; exec sleep 9072")
    om.wait_status(mission, "running")
    with RawSocket.connect(om.home) as api:
        ask(api, 1, ids=[mission], every=0.5)
        told = items(api, 1)
        (row,) = next(told)["missions"]
        while row["now"] != "hello":
            (row,) = next(told)["missions"]
    (listed,) = om.api("ps", ids=[mission], wide=True)
    same = ("id", "memory_bytes", "next_restart_at", "now")
    assert {key: row[key] for key in same} == {key: listed[key] for key in same}


def test_a_removed_mission_is_gone_and_with_the_last_one_the_stream_ends(om):
    one, other = (om.finished("true")["id"] for _ in range(2))
    with RawSocket.connect(om.home) as api:
        ask(api, 1, ids=[one, other], every=0.5)
        told = items(api, 1)
        next(told)
        om.api("rm", id=one)
        assert next(told) == {"missions": [], "gone": [one]}
        om.api("rm", id=other)
        assert list(told) == [{"missions": [], "gone": [other]}]


def test_who_knows_the_ids_is_told_which_are_gone_and_others_are_refused(om):
    there = om.finished("true", "--name", "there")["id"]
    with RawSocket.connect(om.home) as api:
        assert api.request("figures", ids=[there, "deadbeef"])["error"] == "not_found"
        ask(api, 1, ids=["deadbeef", there, there, "there", ""], known=True)
        (only,) = items(api, 1)
    assert [row["id"] for row in only["missions"]] == [there]
    assert only["gone"] == ["deadbeef", "there", ""]


def test_without_a_period_there_is_one_look_and_of_no_mission_nothing_is_told(om):
    mission = om.finished("true", "--name", "named")["id"]
    with RawSocket.connect(om.home) as api:
        ask(api, 1, ids=["named"])
        assert [[row["id"] for row in item["missions"]] for item in items(api, 1)] == [[mission]]
        ask(api, 2, ids=[], every=1)
        assert list(items(api, 2)) == [{"missions": [], "gone": []}]


@pytest.mark.parametrize(
    "args",
    [
        {"every": 1},
        {"ids": None, "every": 1},
        {"ids": "all", "every": 1},
        {"ids": [7], "every": 1},
        {"ids": ["x"] * 1001, "every": 1},
        {"ids": [], "every": 0.4},
        {"ids": [], "every": 0},
        {"ids": [], "every": -1},
        {"ids": [], "every": 61},
        {"ids": [], "every": 1e300},
        {"ids": [], "every": "soon"},
        {"ids": [], "every": "400ms"},
        {"ids": [], "every": True},
        {"ids": [], "every": [1]},
        {"ids": [], "every": 1, "key": 7},
        {"ids": [], "every": 1, "known": "yes"},
        {"ids": [], "every": 1, "follow": True},
    ],
)
def test_arguments_that_mean_nothing_are_refused(om, args):
    with RawSocket.connect(om.home) as api:
        assert api.request("figures", **args)["error"] == "invalid"
        assert api.ok("status")


def test_the_same_key_on_a_connection_ends_what_was_asked_for_before(om, tmp_path):
    first, second = (Writer(om, tmp_path, name) for name in ("first", "second"))
    with RawSocket.connect(om.home) as api, RawSocket.connect(om.home) as another:
        ask(api, 1, ids=[first.id], every=60, key="rows")
        ask(another, 1, ids=[first.id], every=0.5, key="rows")
        assert {api.read_line()["id"], another.read_line()["id"]} == {1}
        ask(api, 2, ids=[second.id], every=0.5, key="rows")
        ended, begun = sorted((api.read_line(), api.read_line()), key=lambda line: "ok" in line)
        assert ended == {"end": {}, "id": 1}
        assert [row["id"] for row in begun["ok"]["missions"]] == [second.id]
        for mission, told in ((second, items(api, 2)), (first, items(another, 1))):  # both go on
            mission.give("more")
            while not any(row["now"] == "got more" for row in next(told)["missions"]):
                pass


def test_streams_end_with_their_connections_and_others_go_on(om, tmp_path):
    mission = Writer(om, tmp_path)
    with RawSocket.connect(om.home) as stays:
        ask(stays, 1, ids=[mission.id], every=0.5)
        told = items(stays, 1)
        next(told)
        for _ in range(20):
            with RawSocket.connect(om.home) as leaves:
                ask(leaves, 1, ids=[mission.id], every=0.5, key="x")
        mission.give("still here")
        while not any(row["now"] == "got still here" for row in next(told)["missions"]):
            pass


@pytest.mark.own_home
def test_after_a_kill_of_the_supervisor_the_next_one_tells_of_the_same_missions(om):
    mission = om.mission(["sleep", "9073"])
    with RawSocket.connect(om.home) as api:
        ask(api, 1, ids=[mission], every=0.5)
        (before,) = next(items(api, 1))["missions"]
        os.kill(om.supervisor_pid(), signal.SIGKILL)
        with contextlib.suppress(ConnectionError):
            assert all("item" in line for line in api.lines())
    om.ok("status")
    with RawSocket.connect(om.home) as api:
        ask(api, 1, ids=[mission], every=0.5, known=True)
        (after,) = next(items(api, 1))["missions"]
    assert after["id"] == before["id"]
    assert after["memory_bytes"] == before["memory_bytes"]
