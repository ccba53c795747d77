"""A caller is a person, inside a mission, or inside one that nobody can name."""

from __future__ import annotations

import os
import resource
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.errors import OvermindError
from overmind_core.kernel.request import Caller
from overmind_core.missions.callers import forbid_foreign, forbid_inside, mission_of
from overmind_core.missions.lookup import UNKNOWN, parent_of
from overmind_core.system.process_table import environ
from overmind_core.system.run_mark import OWN_MARK, OWN_VARIABLE, MarkPool, unmarked_limit
from overmind_core.system.unixsocket import Peer
from tests.kit.waiting import eventually

pytestmark = pytest.mark.linux
HOME = "/home/a"
NOBODY = 1 << 22
"""A number that no process ever has: pids end below it."""
KNOWN: dict[str, Any] = {"m1": SimpleNamespace(id="m1")}


def registry(**more):
    facts = {"runs": {}, "keeper_pid": None, "get": KNOWN.get, **more}
    return SimpleNamespace(**facts)


def asked(pid, **more):
    return mission_of(Caller(Peer(pid, os.geteuid())), registry(**more), HOME)


@pytest.fixture
def child():
    """Starts a program with these variables and no others; ended with the test."""
    started = []

    def start(**variables):
        one = subprocess.Popen(["/bin/sleep", "600"], env={"OF": "a test", **variables})
        started.append(one)
        eventually(lambda: environ(one.pid), what="its exec is over")
        return one.pid

    yield start
    for one in started:
        one.kill()
        one.wait()


def test_a_program_that_hosts_the_supervisor_asks_for_its_person():
    assert asked(os.getpid()) is None


def test_a_program_that_a_person_starts_there_is_that_person(child):
    assert asked(child()) is None


def test_who_was_gone_when_its_connection_was_taken_is_nobody_else_when_its_pid_is_used_again(child):
    """A mission can wait for that, and hold the connection meanwhile."""
    caller = Caller(Peer(NOBODY, os.geteuid()))
    caller.peer = Peer(child(), os.geteuid())
    assert mission_of(caller, registry(), HOME) == UNKNOWN


def test_a_program_with_our_mark_is_inside_the_mission_for_which_it_runs(child):
    for variables, inside in (
        ({}, UNKNOWN),
        ({OWN_VARIABLE: "m1"}, "m1"),
        ({OWN_VARIABLE: "merge-m1"}, "m1"),
        ({OWN_VARIABLE: "m2"}, UNKNOWN),
        ({OWN_VARIABLE: ""}, UNKNOWN),
    ):
        pid = child(**variables)
        resource.prlimit(pid, resource.RLIMIT_MSGQUEUE, (OWN_MARK, OWN_MARK))
        assert asked(pid) == inside, variables


def test_a_variable_alone_puts_nobody_inside(child):
    assert asked(child(**{OWN_VARIABLE: "m1"})) is None


def test_what_the_keeper_has_adopted_and_who_is_gone_are_inside_some_mission():
    assert asked(os.getpid(), keeper_pid=os.getppid()) is None
    assert asked(os.getppid(), keeper_pid=os.getppid()) == UNKNOWN
    assert asked(NOBODY) == UNKNOWN
    assert asked(0) == UNKNOWN  # in a container, whose processes the kernel does not name to us


def test_who_wears_the_mark_of_a_run_that_is_over_is_inside_some_mission(child, tmp_path, monkeypatch):
    monkeypatch.setattr("overmind_core.missions.callers.runtime_folder", lambda _: str(tmp_path))
    pids = []
    for home in (HOME, "/home/of/another"):
        mark = MarkPool(str(tmp_path / "marks"), home).take()
        pids.append(child())
        resource.prlimit(pids[-1], resource.RLIMIT_MSGQUEUE, (mark, unmarked_limit()))
    assert [asked(pid) for pid in pids] == [UNKNOWN, None]
    assert asked(child()) is None


def test_who_is_inside_some_mission_may_do_the_least():
    refusals = (
        lambda: forbid_inside(UNKNOWN, "trust projects"),
        lambda: forbid_foreign(UNKNOWN, KNOWN["m1"], registry(), "stop"),
        lambda: parent_of(registry(), None, UNKNOWN),
        lambda: parent_of(registry(), "m1", UNKNOWN),
    )
    for refused in refusals:
        with pytest.raises(OvermindError, match="A program started by a mission or the daemon") as caught:
            refused()
        assert caught.value.code == "forbidden"
