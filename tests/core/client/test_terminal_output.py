"""What a run writes, on its way to the program: nothing is missing, nothing comes twice, whatever is drawn when."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from overmind_core.client import terminal_link as link
from overmind_core.client import terminal_output as output
from overmind_core.client.terminal_link import Link
from overmind_core.client.terminal_output import REPLAY_SECONDS, RunOutput
from overmind_core.client.terminal_stream import BACKLOG, Exited, Failed, Joined, LinkQueue, Sized
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home

READY = {"run": "00000001.1", "path": "/nowhere", "columns": 80, "rows": 24, "write": True}
PATIENCE = 30


class Draughtsman:
    """Draws when it is told to; a screen is the offset up to which it shows the output."""

    def __init__(self, monkeypatch):
        self.may_draw: dict[int, threading.Event] = {}
        self.drew = threading.Semaphore(0)
        monkeypatch.setattr(output, "screen_at", self.picture)

    def picture(self, path, *, until, **_options):
        del path
        assert self.may_draw.setdefault(until, threading.Event()).wait(PATIENCE)
        return until

    def finish(self, until):
        """Have this one drawn."""
        self.may_draw.setdefault(until, threading.Event()).set()
        assert self.drew.acquire(timeout=PATIENCE)


@pytest.fixture
def draughtsman(monkeypatch):
    return Draughtsman(monkeypatch)


@pytest.fixture
def inbox():
    return LinkQueue(lambda: None)


@pytest.fixture
def written(inbox, draughtsman):
    return RunOutput(inbox, draughtsman.drew.release)


def joined(until: Any, run="00000001.1", *, again=False):
    return Joined(until, run, write=True, again=again)


def taken(inbox):
    return list(iter(inbox.take, None))


def test_what_comes_while_the_screen_is_drawn_comes_behind_it(written, inbox, draughtsman):
    written.begin(READY, 10)
    written.data(b"ab")
    written.resize(Sized(100, 30))
    assert taken(inbox) == []
    draughtsman.finish(10)
    written.tick(0.0)
    written.data(b"cd")
    assert taken(inbox) == [joined(10), b"ab", Sized(100, 30), b"cd"]


@pytest.mark.parametrize("run", ["00000001.1", "00000001.2"])
def test_a_screen_that_comes_late_is_nobodys_when_another_one_was_begun(run, written, inbox, draughtsman):
    written.begin(READY, 10)
    written.begin({**READY, "run": run}, 20)
    written.data(b"ab")
    draughtsman.finish(10)
    written.tick(0.0)
    assert taken(inbox) == []
    draughtsman.finish(20)
    written.tick(0.0)
    assert taken(inbox) == [joined(20, run, again=run == "00000001.1"), b"ab"]


def test_what_is_too_much_is_skipped_and_drawn(written, inbox, draughtsman):
    written.begin(READY, 0)
    draughtsman.finish(0)
    written.tick(0.0)
    flood = b"x" * (BACKLOG + 1)
    written.data(flood)
    written.data(b"skipped")
    assert taken(inbox)[1:] == [flood]
    assert written.due is not None
    written.tick(written.due)
    draughtsman.finish(len(flood) + len(b"skipped"))
    written.finish()
    assert taken(inbox) == [joined(len(flood) + len(b"skipped"), again=True)]


def test_a_screen_takes_the_place_of_the_output_before_it_that_nobody_took(written, inbox, draughtsman):
    written.begin(READY, 0)
    draughtsman.finish(0)
    written.tick(0.0)
    written.data(b"old")
    written.resize(Sized(100, 30))
    inbox.put(Exited(0))
    written.replay()
    assert written.due is None, "the screen that nobody took yet was drawn anew"
    draughtsman.may_draw[3] = threading.Event()
    draughtsman.may_draw[3].set()
    written.finish()
    assert taken(inbox) == [Exited(0), joined(3)]


def test_a_screen_is_drawn_anew_only_when_the_last_one_was_taken(inbox, draughtsman):
    written = RunOutput(inbox, draughtsman.drew.release)
    written.begin(READY, 0)
    draughtsman.finish(0)
    written.tick(0.0)
    written.replay()
    assert (written.due, taken(inbox)) == (None, [joined(0)])
    assert written.due is not None


def test_nothing_is_due_before_there_is_a_run(written, inbox):
    written.replay()
    assert written.due is None
    written.tick(REPLAY_SECONDS * 2)
    assert taken(inbox) == []


def test_a_log_that_cannot_be_read_is_told(written, inbox, monkeypatch, draughtsman):
    def broken(*_path, **_options):
        raise OSError("no such log")

    monkeypatch.setattr(output, "screen_at", broken)
    written.begin(READY, 0)
    assert draughtsman.drew.acquire(timeout=PATIENCE)
    written.tick(0.0)
    assert taken(inbox) == [Failed("internal", "no such log")]


def test_a_link_that_is_over_writes_into_nobodys_file(monkeypatch, tmp_path):
    def refused(*_arguments, **_named):
        raise OvermindError("not_found", "no such mission")

    monkeypatch.setattr(link, "MissionAttachment", refused)
    on_result = threading.Event()
    over = Link(Home(str(tmp_path)), {"columns": 80, "rows": 24}, on_result.set)
    over.start()
    assert on_result.wait(PATIENCE)
    over._thread.join(PATIENCE)
    pipes = [os.pipe() for _ in range(8)]
    over.close()
    for read, write in pipes:
        os.close(write)
        assert os.read(read, 1) == b""
        os.close(read)
