"""Daemons that boot so slowly that all was ended before they take the lock: they leave, and leave nothing behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.killing import kill, without_waiting
from tests.kit.overmind import Overmind
from tests.kit.processes import alive, of_home
from tests.kit.waiting import eventually
from tests.process.contract.test_daemon import MISSING

WAITS_AT_GATE = """
import os, sys
if "overmind_core.daemon" in sys.orig_argv and os.path.exists({gate!r}):
    with open({gate!r}, "rb") as gate, open({reached!r}, "w"):
        gate.read()
"""
"""A sitecustomize.py: it runs before a daemon's own first line."""


class Gate:
    """Holds each daemon that starts while it is closed, until it is opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pipe = str(folder / "gate")
        self._reached = str(folder / "reached")
        self._held = -1
        (folder / "sitecustomize.py").write_text(WAITS_AT_GATE.format(gate=self._pipe, reached=self._reached))

    def close(self) -> None:
        """Hold the daemons that start from now on."""
        os.mkfifo(self._pipe)
        self._held = os.open(self._pipe, os.O_RDWR)

    def await_daemon(self) -> None:
        """Wait until one is held; those after it are not."""
        eventually(lambda: os.path.exists(self._reached), what="a daemon stands at the gate")
        os.unlink(self._pipe)

    def open(self) -> None:
        """Let it go on; again is harmless."""
        held, self._held = self._held, -1
        if held >= 0:
            os.close(held)


@pytest.fixture
def gate(om: Overmind, tmp_path: Path) -> Iterator[Gate]:
    """A gate that is open at first, in the way of every daemon of the home."""
    folder = tmp_path / "site"
    folder.mkdir()
    made = Gate(folder)
    om.environment["PYTHONPATH"] = os.pathsep.join([str(folder), om.environment["PYTHONPATH"]])
    yield made
    made.open()


def hold_the_next(om: Overmind, gate: Gate) -> None:
    """Kill the supervisor; the keeper has started the next one, which is held."""
    om.mission("sleep 100")
    gate.close()
    kill(om.supervisor_pid())
    gate.await_daemon()


def supervisors(om: Overmind) -> list[str]:
    return [one for one in of_home(om.home) if "overmind_core.daemon" in one]


def test_a_daemon_that_was_slower_than_start_does_not_come_after_a_shutdown(om, gate):
    hold_the_next(om, gate)
    om.ok("start")
    assert om.ok("shutdown", "-y") == "Daemon stopped\n"
    gate.open()
    eventually(lambda: not of_home(om.home), what="nobody is left")


def test_a_daemon_that_was_slower_than_start_does_not_supervise_what_a_shutdown_let_live(om, gate):
    hold_the_next(om, gate)
    om.ok("start")
    om.ok("shutdown", "--keep")
    gate.open()
    eventually(lambda: not supervisors(om), what="no supervisor is left")
    assert alive(om.keeper_pid())


def test_a_daemon_that_a_killed_keeper_has_started_does_not_come_after_a_shutdown(om, gate):
    om.mission("sleep 100")
    keeper = om.keeper_pid()
    gate.close()
    os.kill(om.supervisor_pid(), signal.SIGKILL)
    gate.await_daemon()
    kill(keeper)
    om.ok("start")
    assert om.keeper_pid() != keeper
    assert om.ok("shutdown", "-y") == "Daemon stopped\n"
    gate.open()
    eventually(lambda: not of_home(om.home), what="nobody is left")


def test_a_daemon_that_a_command_has_started_for_a_keeper_does_not_come_after_a_shutdown(om, gate):
    om.mission("sleep 100")
    om.ok("shutdown", "--keep")
    gate.close()
    looking = om.popen("ps")
    gate.await_daemon()
    om.ok("start")
    assert om.ok("shutdown", "-y") == "Daemon stopped\n"
    gate.open()
    text, errors = looking.communicate(timeout=60)
    assert (text, without_waiting(errors)) == ("", MISSING)
    assert looking.returncode == 1
    eventually(lambda: not of_home(om.home), what="nobody is left")


def test_a_daemon_that_came_for_one_keeper_starts_another_when_that_one_is_killed_later(om, gate):
    hold_the_next(om, gate)
    gate.open()
    eventually(lambda: om.holder("supervisor.lock"), what="it has the lock")
    assert om.finished("echo one")["exit_code"] == 0
    keeper = om.keeper_pid()
    kill(keeper)
    assert om.finished("echo two")["exit_code"] == 0
    assert om.keeper_pid() != keeper
