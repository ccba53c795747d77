"""Clients that were there before anything happened, and that must not notice it."""

from __future__ import annotations

import json
import re
import subprocess

import psutil

from tests.kit.fleet import FOR_EVER, Fleet, Writer
from tests.kit.killing import without_waiting
from tests.kit.overmind import Overmind
from tests.kit.waiting import eventually

PATIENCE = 20.0
"""Seconds that a client gets for its end once its missions have ended."""


class StandingClients:
    """`wait`, `logs -f`, `events -f` and `subscribe` for the missions of a fleet."""

    def __init__(self, om: Overmind, fleet: Fleet) -> None:
        self._fleet = fleet
        # Longest first: all of them still write when the last client has connected, and some end before `fleet.end`.
        terminals = sorted((writer for writer in fleet.writers if writer.tty), key=lambda writer: -writer.limit)
        endless = sum(writer.limit == FOR_EVER for writer in terminals)
        self._waiting = om.popen("wait", *fleet.ids)
        self._backwards = om.popen("wait", "--json", *reversed(fleet.ids))
        self._logs = [(writer, om.popen("logs", "-f", writer.id)) for writer in (terminals[0], terminals[endless])]
        self._events = om.popen("events", "-f")
        self._subscribed = terminals[endless + 1]
        self._lines = om.popen("subscribe", "--from-start", self._subscribed.id)
        clients = 4 + len(self._logs)
        eventually(lambda: _connections(om) >= clients, what="all clients are connected")

    def assert_unnoticed(self) -> None:
        """Everybody saw all of it once, and heard of nothing but the missions."""
        self._assert_waited()
        for writer, client in self._logs:
            self._assert_whole(writer, _output(client))
        self._assert_subscribed()
        self._assert_events()

    def _assert_waited(self) -> None:
        lines = _output(self._waiting, exit_code=_first_failure(self._fleet.writers)).splitlines()
        assert sorted(lines) == sorted(_ending(writer) for writer in self._fleet.writers)
        text = _output(self._backwards, exit_code=_first_failure(self._fleet.writers[::-1]))
        ends = [json.loads(line) for line in text.splitlines()]
        codes = {writer.id: writer.code for writer in self._fleet.writers}
        assert len(ends) == len(codes)
        assert {end["id"]: end["exit_code"] for end in ends} == codes

    def _assert_whole(self, writer: Writer, log: str) -> None:
        *_, last = log.splitlines()
        assert log == self._fleet.text(writer, int(last.removeprefix("end "))), writer

    def _assert_subscribed(self) -> None:
        *items, last = [json.loads(line) for line in _output(self._lines).splitlines()]
        self._assert_whole(self._subscribed, "".join(f"{item['text']}\n" for item in items))
        assert (last["type"], last["exit_code"]) == ("exit", self._subscribed.code)

    def _assert_events(self) -> None:
        """The sequence has no hole and no repetition, and tells of each start and end once."""
        self._events.terminate()
        text, errors = self._events.communicate()
        assert _complaints(errors) == ""
        events = [json.loads(line) for line in text.splitlines()]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        for kind in ("created", "started", "exited"):
            assert sorted(event["mission"] for event in events if event["type"] == kind) == sorted(self._fleet.ids)


def _output(client: subprocess.Popen[str], *, exit_code: int = 0) -> str:
    """What a client that ended by itself has printed, without a word of complaint."""
    text, errors = client.communicate(timeout=PATIENCE)
    assert client.returncode == exit_code
    assert _complaints(errors) == ""
    return text


def _complaints(errors: str) -> str:
    """What a client has said besides what it waits for, and that it has started a daemon.

    One that finds none for some seconds, as on a busy machine, starts the next one itself and says so, each time.
    """
    return re.sub(r"Daemon started \(PID \d+\)\n", "", without_waiting(errors))


def _connections(om: Overmind) -> int:
    """How many clients the daemon serves."""
    found = psutil.Process(om.supervisor_pid()).net_connections("unix")
    return sum(str(one.laddr).startswith(om.path("overmind.sock")) for one in found) - 1  # the one that listens


def _first_failure(writers: list[Writer]) -> int:
    return next((writer.code for writer in writers if writer.code), 0)


def _ending(writer: Writer) -> str:
    status, outcome = ("crashed", "failed") if writer.code else ("stopped", "succeeded")
    return f"Mission {writer.id} finished: {status} (exit code {writer.code}): {outcome}"
