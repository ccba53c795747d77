"""Which processes count as inside a mission: they become no supervisor, and lend no terminal."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from overmind_core.keeper import server
from overmind_core.keeper.server import ClientProcess, is_inside


@pytest.fixture
def ended():
    """The pid of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_process_that_is_gone_may_have_left_its_connection_to_a_mission(ended):
    assert is_inside(ended)


def test_a_process_that_can_not_be_seen_counts_as_inside():
    assert is_inside(0)


def test_what_a_keeper_has_started_is_inside():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"]) as process:
        assert is_inside(process.pid)
        process.kill()


def test_a_process_that_lives_elsewhere_is_not_inside(monkeypatch):
    monkeypatch.setattr("overmind_core.keeper.server.mark_of", lambda _pid: 0)
    assert not is_inside(os.getppid())


RUN = 77
"""The mark of some run."""


@pytest.mark.parametrize("opened_by", ["a run", "one that has ended"])
def test_a_connection_stays_that_of_who_opened_it_when_its_pid_is_somebody_elses(monkeypatch, opened_by):
    """Pids are used again: a mission can wait for that with a connection of a process that has ended."""
    mark = {"a run": RUN, "one that has ended": 0}[opened_by]
    monkeypatch.setattr(server, "mark_of", lambda _pid: mark)
    monkeypatch.setattr(server, "_is_gone", lambda _pid: opened_by == "one that has ended")
    client = ClientProcess(os.getppid())
    monkeypatch.setattr(server, "mark_of", lambda _pid: 0)
    monkeypatch.setattr(server, "_is_gone", lambda _pid: False)
    assert not is_inside(os.getppid())
    assert client.is_inside()
