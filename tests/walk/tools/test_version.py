"""`overmind version`: who runs which version; it starts nothing."""

from __future__ import annotations

import os
import signal

from overmind_core.version import VERSION
from tests.kit.processes import of_home


def test_without_a_daemon_it_says_so_and_starts_none(om):
    facts = om.json("version", "--json")
    assert facts["client"] == VERSION
    assert facts["daemon"] is None
    assert facts["keeper"] is None
    assert not of_home(om.home)
    assert os.listdir(om.home) == []


def test_daemon_and_keeper_are_named_with_their_processes(om):
    om.ok("start")
    facts = om.json("version", "--json")
    assert facts["daemon"] == {"version": VERSION, "pid": om.supervisor_pid()}
    assert facts["keeper"] == {"version": VERSION, "pid": om.keeper_pid()}
    assert f"Daemon:   {VERSION} (PID {om.supervisor_pid()})" in om.ok("version")


def test_a_daemon_that_does_not_answer_holds_nobody_up(om):
    om.ok("start")
    pid = om.supervisor_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        assert om.json("version", "--json", timeout=20)["daemon"] == {"version": None, "pid": pid}
    finally:
        os.kill(pid, signal.SIGCONT)
