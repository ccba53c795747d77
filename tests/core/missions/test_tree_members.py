"""The processes of real trees, and when the machine is looked at for them again."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import psutil
import pytest

from overmind_core.missions.tree_members import TreeMembers
from overmind_core.system.membership import RunTarget, Siblings
from overmind_core.system.process_table import identity, new_process_table
from overmind_core.system.sweep import Sweep
from tests.kit.adopter import Adopter
from tests.kit.waiting import eventually

pytestmark = pytest.mark.linux

THREAD = "import threading, sys; threading.Thread(target=sys.stdin.read).start(); threading.Event().wait()"


class Machine:
    """A stand-in of the keeper, the members of what it has started, and how often all processes were looked at."""

    def __init__(self, home):
        self.home = home
        self.adopter = Adopter()
        self.targets: list[RunTarget] = []
        self.sweeps = 0
        self.ended: set[str] = set()
        self.members = TreeMembers(self._sweep, lambda run: run not in self.ended)

    def start(self, *argv):
        number = len(self.targets)
        pid = self.adopter.spawn(argv, env={"PATH": os.environ["PATH"]})
        known = identity(pid)
        assert known is not None
        self.targets.append(RunTarget(f"m{number}.1", f"m{number}", self.home, *known))
        return pid

    def of(self, number=0):
        return self.members.of(self.targets)[self.targets[number].run]

    def rest(self):
        """Look until nothing runs any more; return the trees of that moment."""
        before = self.members.of(self.targets)

        def rests():
            nonlocal before
            before, sweeps = self.members.of(self.targets), self.sweeps
            return self.members.of(self.targets) and self.sweeps == sweeps

        eventually(rests, what="nothing runs any more")
        return before

    def _sweep(self, targets):
        self.sweeps += 1
        return Sweep(
            targets, keeper=self.adopter.pid, on=new_process_table(), others=Siblings(lambda: (), certain_since=None)
        )

    def close(self):
        for target in self.targets:
            for pid, _ in self.of(self.targets.index(target)):
                with suppress(ProcessLookupError):  # it has ended meanwhile
                    os.kill(pid, signal.SIGKILL)
        self.adopter.close()


@pytest.fixture
def machine(tmp_path):
    made = Machine(str(tmp_path / "home"))
    yield made
    made.close()


@pytest.fixture
def gate(tmp_path):
    """A named pipe: who reads it rests until somebody writes."""
    path = str(tmp_path / "gate")
    os.mkfifo(path)
    return path


def pids(found):
    return {pid for pid, _ in found}


def child_of(root):
    """The pid of the only child, once there is one."""
    return eventually(lambda: psutil.Process(root).children())[0].pid


def test_trees_at_rest_are_found_without_another_look_at_the_machine(machine, gate):
    roots = [machine.start("sleep", "9051"), machine.start("sh", "-c", f"cat {gate}; :")]
    child = child_of(roots[1])
    before = machine.rest()
    sweeps = machine.sweeps
    after = machine.members.of(machine.targets)
    assert machine.sweeps == sweeps
    assert all(after[run] is before[run] for run in before)
    assert pids(after["m0.1"]) == {roots[0]}
    assert pids(after["m1.1"]) == {roots[1], child}


def test_a_tree_that_has_run_is_found_anew_with_what_it_has_started(machine, gate):
    root = machine.start("sh", "-c", f"read go <{gate}; sleep 9052 & wait")
    machine.start("sleep", "9053")
    before = machine.rest()
    assert pids(before["m0.1"]) == {root}
    with open(gate, "w", encoding="ascii") as pipe:
        pipe.write("\n")
    child = child_of(root)
    after = machine.members.of(machine.targets)
    assert pids(after["m0.1"]) == {root, child}
    assert after["m0.1"] is not before["m0.1"]
    assert after["m1.1"] is before["m1.1"]  # which has not run


def test_a_tree_of_which_a_process_has_ended_is_found_anew(machine, gate):
    root = machine.start("sh", "-c", f"cat {gate}; read go <{gate}; :")
    child = child_of(root)
    machine.rest()
    os.kill(child, signal.SIGKILL)
    eventually(lambda: pids(machine.of()) == {root})


def test_a_program_with_threads_is_looked_at_each_time(machine):
    """Of its other threads the statistics tell nothing."""
    root = machine.start("python3", "-c", THREAD.replace("sys.stdin.read", "threading.Event().wait"))
    eventually(lambda: psutil.Process(root).num_threads() > 1)
    for look in range(3):
        sweeps = machine.sweeps
        assert pids(machine.of()) == {root}, look
        assert machine.sweeps == sweeps + 1


def test_what_is_left_alone_may_come_to_be_the_runs_so_each_time_is_looked(machine, gate, tmp_path):
    """An exempt program, such as the server of a terminal multiplexer, starts others, and these may lose it."""
    agent = tmp_path / "ssh-agent"
    os.symlink("/bin/sleep", agent)
    root = machine.start("sh", "-c", f"{agent} 9054 & read go <{gate}; kill $!")
    eventually(lambda: psutil.Process(root).children() and psutil.Process(root).children()[0].name() == "ssh-agent")
    for _ in range(4):
        sweeps = machine.sweeps
        assert pids(machine.of()) == {root}
        assert machine.sweeps == sweeps + 1
    with open(gate, "w", encoding="ascii") as pipe:
        pipe.write("\n")


def test_a_run_that_has_ended_is_forgotten_at_the_next_look(machine):
    for _ in range(2):
        machine.start("sleep", "9055")
    machine.rest()
    machine.ended.add("m1.1")
    machine.start("sleep", "9056")
    machine.members.of(machine.targets[2:])
    sweeps = machine.sweeps
    machine.members.of(machine.targets[:1])
    assert machine.sweeps == sweeps
    machine.members.of(machine.targets[1:2])
    assert machine.sweeps == sweeps + 1
