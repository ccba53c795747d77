"""Most tests call the command line as a fork of a process that has imported it: here it is held beside a real start."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import time
from functools import partial

import psutil
import pytest

from tests.kit import fork_server, processes
from tests.kit.agents import Agents
from tests.kit.claude import settle
from tests.kit.overmind import PROGRAM, Overmind
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.linux, pytest.mark.shared_home]

CALLS = [
    ((), None),
    (("--version",), None),
    (("run", "--help"), None),
    (("nosuch",), None),
    (("info", "a", "b"), None),
    (("ps",), None),
    (("run", "--name", "it's “quoted” \udcff", "true"), None),
    (("agents", "-"), '[agents.a]\ncomand = "true"\n'),
]
SAME = ("Umask", "SigIgn", "SigCgt", "SigBlk", "NoNewPrivs")
"""Lines of /proc/PID/status."""
OURS = (1 << 31) - 1
"""The signals that are not the C library's own."""
NOT_OURS = {"CLAUDE_PID", "OVERMIND_TOKEN", "SHLVL", "_"}
"""Variables that differ from run to run, and those that bash adds."""


@pytest.mark.parametrize(("words", "stdin"), CALLS, ids=lambda given: " ".join(given or ()).replace("\udcff", "?"))
def test_a_fork_says_and_exits_with_what_a_real_start_does(om, words, stdin):
    om.ok("start")
    fork = om(*words, stdin=stdin)
    real = subprocess.run(
        [*PROGRAM, *words], env=om.environment, cwd=om.home, input=os.fsencode(stdin or ""), capture_output=True
    )
    assert fork.args == real.args
    assert (fork.returncode, os.fsencode(fork.stdout), os.fsencode(fork.stderr)) == (
        real.returncode,
        real.stdout,
        real.stderr,
    )


@pytest.mark.own_home
def test_a_daemon_and_a_keeper_that_are_forks_look_like_those_that_were_executed(make_home):
    fork, real = make_home(), make_home()
    fork.ok("start")
    subprocess.run([*PROGRAM, "start"], env=real.environment, cwd=real.home, timeout=30, check=True)

    def alike():
        for who in (Overmind.supervisor_pid, Overmind.keeper_pid):
            assert look(fork, who(fork)) == look(real, who(real))
        return True

    eventually(alike, what="their clients have gone")


def look(om, pid):
    """What the kernel tells of a daemon or keeper, without what differs from home to home."""
    daemon = psutil.Process(pid)
    with open(f"/proc/{daemon.pid}/status") as file:
        status = dict(re.findall(r"^(\w+):\s+(.*)$", file.read(), re.MULTILINE))
    words = [re.sub(r"^\d+$", "FD", word.replace(om.home, "HOME")) for word in daemon.cmdline() if word]
    variables = {name: value.replace(om.home, "HOME") for name, value in daemon.environ().items()}
    files = sorted(one.path.replace(om.home, "HOME").replace(f"{pid}", "PID") for one in daemon.open_files())
    adopters = {fork_server.running().pid, *processes.adopters()}
    parent = {om.supervisor_pid(): "the daemon", **dict.fromkeys(adopters, "who adopts")}.get(daemon.ppid())
    own_session = os.getsid(daemon.pid) != daemon.pid
    return (
        words,
        variables,
        files,
        {name: status[name] for name in SAME},
        int(status["Threads"]) > 1,  # a pool has as many as it ever had to do at once
        (
            parent,
            daemon.cwd(),
            daemon.terminal(),
            own_session,
            daemon.num_fds(),
        ),
        daemon.rlimit(psutil.RLIMIT_NOFILE),
    )


@pytest.mark.own_home
def test_what_daemons_leave_behind_is_found_named_and_buried(om):
    orphan = om.pid(om.mission("trap '' HUP; sleep 600", "--name", "left"))
    for daemon in (om.supervisor_pid(), om.keeper_pid()):
        os.kill(daemon, signal.SIGKILL)
    eventually(lambda: psutil.Process(orphan).ppid() == fork_server.running().pid, what="it is adopted")
    named = [one for one in processes.of_home(om.home) if one.startswith(f"{orphan} ")]
    assert "sleep 600" in named[0]
    processes.kill_home(om.home)
    eventually(lambda: not psutil.pid_exists(orphan), what="it is buried")
    eventually(lambda: not processes.of_home(om.home), what="all of it is")


@pytest.mark.own_home
def test_an_agent_and_what_it_runs_that_are_forks_look_like_those_that_were_executed(make_home, tmp_path):
    fork, real = make_home(), make_home()
    subprocess.run([*PROGRAM, "start"], env=real.environment, cwd=real.home, timeout=30, check=True)
    ours = []
    for om in (fork, real):
        waits = [*PROGRAM, "wait", om.mission("sleep 60", "--name", "long")]
        agents = Agents(om, str(tmp_path / os.path.basename(om.home)))
        settle(om, om.home)
        # Without notes: an agent begins without them as well where a busy machine takes too long to choose some.
        options = ("--provider", "claude", "--cwd", om.home, "--allowed-tools", "Bash", "--no-memory")
        agent = om.pid(om.mission([f"!bash {shlex.join(waits)}"], *options, "--name", "agent"))
        command = eventually(partial(child, agent, waits), what="its command")
        ours.append(partial(kin, om, agents.folder, agent, command))
    eventually(lambda: ours[0]() == ours[1](), what="the command waits")


def child(pid, words):
    """The child of a process that runs these words."""
    children = psutil.Process(pid).children()
    return next((one.pid for one in children if [word for word in one.cmdline() if word] == words), None)


def kin(om, folder, *pids):
    """What the kernel tells of an agent and what that runs, without what differs from home to home and run to run."""
    return [one_of_kin(om, folder, pid) for pid in pids]


def one_of_kin(om, folder, pid):
    one = psutil.Process(pid)
    with open(f"/proc/{pid}/status") as file:
        status = dict(re.findall(r"^(\w+):\s+(.*)$", file.read(), re.MULTILINE))

    def same(text):
        known = text.replace(folder, "FOLDER").replace(om.home, "HOME").replace(os.path.basename(om.home), "HOME")
        return re.sub(r"\b(?=\w*\d)[0-9a-f-]{8,}\b", "ID", re.sub(r"(?<=--token )\w+", "TOKEN", known))

    return {
        "words": [same(word) for word in one.cmdline() if word],
        "variables": {name: same(text) for name, text in one.environ().items() if name not in NOT_OURS},
        "status": {name: status[name] for name in SAME} | {n: int(status[n], 16) & OURS for n in ("SigIgn", "SigCgt")},
        "parent": same(" ".join(psutil.Process(one.ppid()).cmdline()[:4])),
        "leads": (os.getsid(pid) == pid, os.getpgid(pid) == pid),
        "terminal": bool(one.terminal()),
        "cwd": same(one.cwd()),
        "files": sorted(int(fd) for fd in os.listdir(f"/proc/{pid}/fd")),
        "limits": one.rlimit(psutil.RLIMIT_NOFILE),
        "name": one.name(),
    }


def test_a_call_that_does_not_end_in_time_is_killed(om):
    mission = om.mission("sleep 60")
    began = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired):
        om("wait", mission, timeout=0.3)
    assert time.monotonic() - began < 5
    assert om.ok("stop", mission)


def test_a_call_that_a_signal_ends_tells_which(om):
    mission = om.mission("sleep 60")
    inside = om("shell", mission, stdin="kill -TERM $$; sleep 5")
    assert inside.returncode == -signal.SIGTERM


def test_what_the_interpreter_reads_when_it_starts_is_never_left_to_a_fork(om):
    assert fork_server.serves(om.environment, b"")
    for name in ("LC_ALL", "LANG", "PYTHONIOENCODING", "OVERMIND_MISSION_ID"):
        assert not fork_server.serves({**om.environment, name: "x"}, b"")
