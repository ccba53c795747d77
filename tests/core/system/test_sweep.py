"""Real processes that try to escape, and a real adopter of orphans. Each storm and each chain ends by itself, too."""

from __future__ import annotations

import contextlib
import itertools
import os
import shlex
import signal
import subprocess
import sys
import time

import psutil
import pytest

from overmind_core.system import process_table_linux
from overmind_core.system.membership import EXEMPT_PROGRAMS, RunTarget
from overmind_core.system.process import Disposition, Snapshot
from overmind_core.system.process_table import identity, new_process_table
from overmind_core.system.process_table_portable import PortableProcessTable
from overmind_core.system.run_mark import mark_of
from overmind_core.system.sweep import Sweep
from tests.kit.adopter import Adopter
from tests.kit.waiting import eventually

pytestmark = pytest.mark.linux

MARKS = itertools.count(500_000 + os.getpid() % 1000 * 40)
WORDS = itertools.count(1_000_000 + os.getpid() * 100)
FOUND_BY_TREE_AND_ENVIRONMENT = 12

NASTY = """
sleep @ | cat - /dev/zero >/dev/null 2>&1 &
setsid sleep @ &
(setsid sh -c 'sleep @ & sleep @' &)
sh -c 'trap "" TERM HUP INT; sleep @; sleep @' &
(nohup sleep @ >/dev/null 2>&1 &)
env -i sleep @ &
(env -i sleep @ &)
env -i setsid -f sleep @
(env -i setsid sh -c 'sleep @ & wait' &)
sleep @
"""
CHAIN = """
import os, time  # @
end = time.time() + 20
while time.time() < end:
    if os.fork(): os._exit(0)
    os.setsid()
"""
STORM = "i=0; while [ $i -lt 600 ]; do setsid sleep @ & i=$((i+1)); done; wait"


def living(word):
    """The pids that have `word` in their command line and live."""
    return {
        pid
        for pid, process in process_table_linux.scan().processes.items()
        if not process.dead and pid != os.getpid() and any(word in part for part in process_table_linux.command(pid))
    }


class Run:
    """One run of one mission under an adopter."""

    def __init__(self, adopter, home, command, *, marked=True, mission="m"):
        self.adopter = adopter
        self.word = str(next(WORDS))
        self.mark = next(MARKS) if marked else 0
        self.home = home
        env = {"PATH": os.environ["PATH"], "OVERMIND_MISSION_ID": mission, "OVERMIND_HOME": home}
        held = f"kill -STOP $$; {command.replace('@', self.word)}"  # it may be gone before anybody has looked at it
        self.root = adopter.spawn(["sh", "-c", held], env=env, mark=self.mark)
        eventually(lambda: psutil.Process(self.root).status() == psutil.STATUS_STOPPED, what="it stands")
        known = identity(self.root)
        assert known is not None
        ticks = known[1]
        os.kill(self.root, signal.SIGCONT)
        self.target = RunTarget(f"{mission}.1", mission, home, self.root, ticks, ticks, self.mark)

    def living(self):
        return living(self.word)

    def sweep(self, leave=EXEMPT_PROGRAMS, *, keeper="adopter"):
        return Sweep([self.target], keeper=self.adopter.pid if keeper else None, on=new_process_table(leave))

    def purge(self, runs, spared):
        assert runs == [self.target.run]
        answer = self.adopter.purge(runs[0], self.mark, root=self.root, spare=spared)
        return {runs[0]: answer["survivors"]}

    def end(self, **kwargs):
        return self.sweep(**kwargs).end(purge=self.purge)


@pytest.fixture
def make_adopter():
    made = []

    def make():
        made.append(Adopter())
        return made[-1]

    yield make
    for adopter in made:
        adopter.close()


@pytest.fixture
def run(make_adopter, tmp_path):
    """Start runs, by default under one adopter; nothing of them outlives the test."""
    made = []
    shared: list[Adopter] = []

    def start(command, *, adopter=None, home=None, **kwargs):
        if adopter is None:
            shared[:] = shared or [make_adopter()]
            adopter = shared[0]
        made.append(Run(adopter, home or str(tmp_path / "home"), command, **kwargs))
        return made[-1]

    yield start
    left: set[int] = set()
    for _ in range(300):
        left = set().union(*(one.living() for one in made), *(marked(one.mark) for one in made))
        if not left:
            break
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert not left


def marked(mark):
    return {
        p.pid for p in process_table_linux.scan().processes.values() if mark and not p.dead and mark_of(p.pid) == mark
    }


def grown(one, count):
    eventually(lambda: len(one.living()) >= count, what=f"{count} processes of {one.word}")


def settled(one):
    """Who lives, once the same have lived for a while: a shell's fork is soon something else."""
    looks = [one.living()]

    def same():
        looks.append(one.living())
        return len(looks) > 5 and all(look == looks[-1] for look in looks[-5:])

    eventually(same, what="the same for a while")
    return looks[-1]


# --- escape artists -------------------------------------------------------------------------------------------


def test_all_fifteen_that_try_to_escape_are_found_and_ended(run):
    one = run(NASTY)
    grown(one, 14)
    truth = one.living()
    found = one.sweep().alive()[one.target.run]
    assert truth <= found
    assert len(found) >= 15
    assert one.end() == {}
    assert not one.living()


def test_without_marks_all_but_three_are_found(run):
    one = run(NASTY, marked=False)
    grown(one, 14)
    found = one.sweep().alive()[one.target.run]
    assert len(found) >= FOUND_BY_TREE_AND_ENVIRONMENT
    assert one.end() == {}
    assert len(one.living()) <= 3


def test_all_fifteen_are_ended_after_their_keeper_was_killed(run):
    one = run(NASTY)
    grown(one, 14)
    one.adopter.kill()
    sweep = one.sweep(keeper=None)
    assert one.living() <= sweep.alive()[one.target.run]
    assert sweep.end() == {}
    assert not one.living()


def test_where_there_is_no_proc_session_tree_and_environment_are_ended(run):
    one = run("setsid sleep @ & (sleep @ &); (setsid sleep @ &); sleep @", marked=False)
    grown(one, 4)
    sweep = Sweep([one.target], keeper=one.adopter.pid, on=AnyTicks())
    assert sweep.end() == {}
    assert not one.living()


class AnyTicks(PortableProcessTable):
    """Start times as the target has them: those of /proc."""

    def scan(self):
        seen, exact = super().scan().processes, process_table_linux.scan().processes
        return Snapshot({pid: seen[pid]._replace(ticks=exact[pid].ticks) for pid in seen.keys() & exact.keys()})

    def is_there(self, wanted):
        return process_table_linux.LinuxProcessTable(()).is_there(wanted)


# --- chains and storms ----------------------------------------------------------------------------------------

LINK = "exec {env} " + shlex.quote(sys.executable) + " -S -c " + shlex.quote(CHAIN)
CHAINS = {
    "one chain": LINK.format(env=""),
    "one chain without environment": LINK.format(env="env -i"),
    "four chains": f"for i in 1 2 3 4; do ({LINK.format(env='')}) & done; wait",
    "four chains without environment": f"for i in 1 2 3 4; do ({LINK.format(env='env -i')}) & done; wait",
}


@pytest.mark.parametrize("command", CHAINS.values(), ids=CHAINS)
def test_chains_of_processes_that_fork_and_exit_are_ended(run, command):
    one = run(command)
    eventually(lambda: len(one.adopter.orphans()) > 0, what="orphans")
    assert one.end() == {}
    assert not one.adopter.left(one.mark)
    assert not marked(one.mark)


def test_the_chain_of_another_mission_goes_on(run):
    mine, other = run(CHAINS["one chain"]), run(CHAINS["one chain"], mission="n")
    eventually(lambda: mine.adopter.left(mine.mark), what="orphans of mine")
    eventually(lambda: other.adopter.left(other.mark), what="orphans of the other")
    assert mine.end() == {}
    assert other.adopter.left(other.mark)
    assert not mine.adopter.left(mine.mark)
    assert other.end() == {}


def test_a_chain_is_ended_after_its_keeper_was_killed(run):
    one = run(CHAINS["one chain without environment"])
    eventually(one.adopter.orphans, what="orphans")
    one.adopter.kill()
    assert one.sweep(keeper=None).end() == {}
    for _ in range(20):
        assert not marked(one.mark)


def test_a_storm_of_sessions_is_ended(run):
    one = run(STORM)
    grown(one, 200)
    assert one.end() == {}
    assert not one.living()


def test_several_runs_are_ended_together(run):
    runs = [run(NASTY, mission=name) for name in ("m", "n", "o")]
    for one in runs:
        grown(one, 14)
    adopter = runs[0].adopter

    def purge(names, spared):
        asked = {one.target.run: one for one in runs}
        return {
            name: adopter.purge(name, asked[name].mark, root=asked[name].root, spare=spared)["survivors"]
            for name in names
        }

    assert Sweep([one.target for one in runs], keeper=adopter.pid).end(purge=purge) == {}
    assert not set().union(*(one.living() for one in runs))


# --- who must live --------------------------------------------------------------------------------------------


def test_another_mission_lives_on(run):
    mine, other = run(NASTY), run(NASTY, mission="n")
    grown(mine, 14)
    grown(other, 14)
    before = settled(other)
    assert mine.end() == {}
    assert other.living() == before


def test_the_same_mission_and_mark_in_another_home_live_on(run, make_adopter, tmp_path):
    mine = run("(env -i setsid sleep @ &); sleep @")
    other = run("(env -i setsid sleep @ &); sleep @", adopter=make_adopter(), home=str(tmp_path / "other"))
    grown(mine, 2)
    before = settled(other)
    mine.target = RunTarget(**{f: getattr(mine.target, f) for f in mine.target.__slots__} | {"mark": other.mark})
    assert mine.sweep().end(purge=lambda _runs, _spared: {}) == {}
    assert other.living() == before


LOCKER = (
    "import subprocess, sys, time; from overmind_core.system.lock import try_lock\n"
    "lock = try_lock(sys.argv[1]); subprocess.run(['sleep', sys.argv[2]])\n"
)


def test_a_daemon_from_inside_the_mission_lives_on_with_what_it_supervises(run, tmp_path):
    path = tmp_path / "supervisor.lock"
    python = f"env PYTHONPATH={os.getcwd()} {sys.executable} -c {shlex.quote(LOCKER)} {path} @"
    one = run(f"(setsid {python} &); sleep @")
    eventually(lambda: path.exists() and path.read_text(), what="the lock")
    grown(one, 3)
    assert one.end() == {}
    assert len(one.living()) == 2


def test_programs_on_the_list_live_on_with_what_is_below_them(run, tmp_path):
    agent = tmp_path / "gpg-agent"
    agent.write_text("#!/bin/sh\nsleep $1\nexit 0\n")
    agent.chmod(0o755)
    one = run(f"({agent} @ &); sleep @")
    eventually(
        lambda: "gpg-agent" in {p.name for p in map(process_table_linux.read, one.living()) if p}, what="the agent"
    )
    grown(one, 3)
    assert one.end() == {}
    assert len(one.living()) == 2
    assert one.end(leave=()) == {}
    assert not one.living()


def test_a_root_whose_pid_is_somebody_elses_now_is_not_touched(run):
    one = run("sleep @")
    stale = RunTarget("m.1", "x", "/x", one.root, one.target.root_ticks - 5)
    sweep = Sweep([stale], keeper=one.adopter.pid)
    assert sweep.end(purge=lambda _runs, _spared: {}) == {}
    assert one.root in process_table_linux.scan().processes


# --- signals, freezing, survivors -----------------------------------------------------------------------------


def names(pids):
    """What those of them are called that have not ended meanwhile."""
    found = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(pid).name())
    return found


def test_the_stop_signal_reaches_every_process(run):
    one = run("for i in 1 2 3; do (setsid sleep @ &) done; sleep @")
    eventually(lambda: names(one.living()).count("sleep") == 4, what="four sleepers")
    sweep = one.sweep()
    assert one.living() <= sweep.signal_tree([signal.SIGTERM, signal.SIGCONT])[one.target.run]
    eventually(lambda: not sweep.alive()[one.target.run], what="nobody")


RUNS_H = "import os, subprocess; subprocess.run(['bash', '-c', os.environ['H']])"
HANDLES = "trap 'exit 3' TERM; : @; while :; do sleep 0.05; done"


@pytest.mark.parametrize(
    ("command", "terminal", "waits"),
    [
        (f'bash -c "{HANDLES}"; :', True, True),
        (f'bash -c "{HANDLES}"; :', False, False),
        (f'trap : TERM; bash -c "{HANDLES}"; :', True, False),
        ("sleep @; :", True, False),
        (f'setsid -w bash -c "{HANDLES}"; :', True, False),
        (f'export H="{HANDLES}"; exec python3 -c "{RUNS_H}"', True, False),
    ],
    ids=[
        "its script handles it",
        "no terminal",
        "it handles it",
        "nobody handles it",
        "a session of its own",
        "no shell",
    ],
)
def test_the_leader_of_a_terminal_ends_behind_those_that_handle_the_stop_signal(run, command, terminal, waits):
    one = run(command)
    handling = "bash" if "bash" in command else "sleep"
    script = eventually(
        lambda: next((pid for pid in one.living() if names([pid]) == [handling]), 0), what="its command"
    )
    if handling == "bash":
        table = new_process_table()
        asked = process_table_linux.read(script)
        assert asked is not None
        eventually(lambda: table.disposition(asked, signal.SIGTERM) is Disposition.CAUGHT, what="it has its trap")
        os.kill(script, signal.SIGSTOP)
    sweep, signals = one.sweep(), [signal.SIGTERM]
    held = sweep.ask_to_end(signals, [one.target.run] if terminal else [])
    assert held == ({one.target.run} if waits else set())
    if waits:
        signals = [signal.SIGTERM, signal.SIGCONT]
        os.kill(one.root, signal.SIGCONT)  # somebody lets it go on
        assert sweep.let_shells_end(signals) == {one.target.run}
        eventually(lambda: getattr(process_table_linux.read(one.root), "state", "") == "T", what="it stands again")
        os.kill(script, signal.SIGCONT)
        eventually(lambda: not sweep.let_shells_end(signals), what="the script has ended")
        eventually(lambda: not sweep.alive()[one.target.run], what="nobody")
    elif handling == "bash":
        os.kill(script, signal.SIGCONT)


def test_freezing_stops_all_and_thawing_lets_all_go_on(run):
    one = run("(setsid sleep @ &); sleep @ & sleep @")
    grown(one, 3)
    os.kill(min(one.living()), signal.SIGSTOP)
    sweep = one.sweep()

    def states():
        return {process.state for pid in one.living() if (process := process_table_linux.read(pid)) is not None}

    assert one.living() <= sweep.freeze()[one.target.run]
    eventually(lambda: states() == {"T"}, what="all stopped")
    sweep.thaw()
    eventually(lambda: "T" not in states(), what="all going on")
    sweep.freeze()
    assert one.end() == {}
    assert not one.living()


class Powerless(process_table_linux.LinuxProcessTable):
    """Signals nobody."""

    def send(self, process, signal):
        del process, signal
        return False


def test_who_would_not_die_is_named_with_its_command(run):
    one = run("exec sleep @")
    grown(one, 1)
    there = Powerless(())
    ticks = itertools.count()
    sweep = Sweep([one.target], keeper=one.adopter.pid, on=there, clock=lambda: next(ticks) / 10, pause=time.sleep)
    left = sweep.end(purge=lambda _runs, _spared: {}, limit=5)
    assert left == {one.target.run: [(one.root, f"sleep {one.word}")]}


def test_to_end_what_is_gone_already_takes_no_time(run):
    one = run("exec sleep 0.2")
    eventually(lambda: process_table_linux.read(one.root) is None, what="its end")
    began = time.monotonic()
    assert one.end() == {}
    assert time.monotonic() - began < 2


def test_a_process_of_nobody_is_not_even_asked_for(run):
    stranger = subprocess.Popen(["sleep", str(next(WORDS))], start_new_session=True)
    try:
        one = run("sleep @")
        assert stranger.pid not in one.sweep().alive()[one.target.run]
        one.end()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
