"""The processes of real trees, and when the machine is looked at for them again."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import psutil
import pytest

from overmind_core.missions.tree_members import RESCAN_SECONDS, TreeMembers
from overmind_core.system.membership import RunTarget, Siblings
from overmind_core.system.process_table import children, identity, new_process_table
from overmind_core.system.sweep import Sweep
from tests.kit.adopter import Adopter
from tests.kit.clock import FakeClock
from tests.kit.waiting import eventually

pytestmark = pytest.mark.linux


class Machine:
    """A stand-in of the keeper, the members of what it has started, and how often all processes were looked at."""

    def __init__(self, home):
        self.home = home
        self.adopter = Adopter()
        self.targets: list[RunTarget] = []
        self.sweeps = 0
        self.ended: set[str] = set()
        self.clock = FakeClock()
        self.members = TreeMembers(
            self._sweep, lambda run: run not in self.ended, self._orphans, new_process_table(), self.clock.mono
        )

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

    def _orphans(self):
        return frozenset(children(self.adopter.pid)) - {target.root_pid for target in self.targets}

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


def test_what_a_tree_starts_is_found_without_another_look_at_the_machine(machine, gate):
    root = machine.start("sh", "-c", f"read go <{gate}; sleep 9057 & wait")
    machine.rest()
    sweeps = machine.sweeps
    with open(gate, "w", encoding="ascii") as pipe:
        pipe.write("\n")
    child = child_of(root)
    assert pids(machine.of()) == {root, child}
    os.kill(child, signal.SIGSTOP)
    os.kill(child, signal.SIGCONT)  # it runs for a moment
    assert pids(machine.of()) == {root, child}
    assert machine.sweeps == sweeps


def test_what_leaves_its_parent_before_anybody_has_looked_is_found_by_a_look_at_the_machine(machine, gate, tmp_path):
    left = tmp_path / "left"
    machine.start("sh", "-c", f"read go <{gate}; (setsid sleep 9058 & echo $! >{left}); read go <{gate}")
    machine.rest()
    sweeps = machine.sweeps
    with open(gate, "w", encoding="ascii") as pipe:
        pipe.write("\n")
    orphan = int(eventually(lambda: left.exists() and left.read_text().strip()))
    eventually(lambda: psutil.Process(orphan).ppid() == machine.adopter.pid)
    eventually(lambda: psutil.Process(orphan).name() == "sleep")
    machine.of()
    assert machine.sweeps == sweeps + 1
    os.kill(orphan, signal.SIGKILL)


def test_a_tree_that_runs_is_looked_for_on_the_whole_machine_now_and_then(machine):
    root = machine.start("sh", "-c", "while :; do :; done")
    machine.of()
    sweeps = machine.sweeps
    for _ in range(3):
        machine.clock.advance(RESCAN_SECONDS / 4)
        assert pids(machine.of()) == {root}
    assert machine.sweeps == sweeps
    machine.clock.advance(RESCAN_SECONDS / 2)
    eventually(lambda: pids(machine.of()) == {root} and machine.sweeps == sweeps + 1)  # once it has run again


def test_of_a_program_with_threads_what_each_has_started_is_found(machine, tmp_path):
    """Of its other threads the statistics tell nothing."""
    program = tmp_path / "threads.py"
    program.write_text(
        "import subprocess, sys, threading\n"
        "open(sys.argv[1]).readline()\n"
        "thread = threading.Thread(target=lambda: subprocess.run(['sleep', '9059']))\n"
        "thread.start()\n"
        "thread.join()\n",
        encoding="utf-8",
    )
    gate = str(tmp_path / "line")
    os.mkfifo(gate)
    root = machine.start("python3", str(program), gate)
    with open(gate, "w", encoding="ascii") as pipe:
        machine.rest()
        sweeps = machine.sweeps
        pipe.write("\n")
    child = child_of(root)
    for look in range(3):
        assert pids(machine.of()) == {root, child}, look
    assert machine.sweeps == sweeps


def test_what_is_left_alone_belongs_to_no_run_however_the_tree_is_found(machine, gate, tmp_path):
    """An exempt program, such as the server of a terminal multiplexer, starts others, and these may lose it."""
    agent = tmp_path / "ssh-agent"
    os.symlink("/bin/sleep", agent)
    root = machine.start("sh", "-c", f"{agent} 9054 & read go <{gate}; kill $!; sleep 9060 & wait")
    eventually(lambda: psutil.Process(root).children() and psutil.Process(root).children()[0].name() == "ssh-agent")
    for seconds in (0, 1, 1, RESCAN_SECONDS + 1):
        machine.clock.advance(seconds)
        assert pids(machine.of()) == {root}
    with open(gate, "w", encoding="ascii") as pipe:
        pipe.write("\n")
    eventually(lambda: len(pids(machine.of())) == 2)


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
