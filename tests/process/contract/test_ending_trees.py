"""However a mission ends, no process of it lives: behaviour 14, with everything that ever got away from somebody."""

from __future__ import annotations

import os
import shlex
import signal
import sys

import pytest

from tests.kit import torture

pytestmark = [pytest.mark.linux, pytest.mark.shared_home]

ARTISTS = """
sleep @ | cat - /dev/zero >/dev/null 2>&1 &
setsid sleep @ &
(setsid sh -c 'sleep @ & sleep @' &)
sh -c 'trap "" TERM HUP INT; sleep @; sleep @' &
(nohup sleep @ >/dev/null 2>&1 &)
env -i sleep @ &
(env -i sleep @ &)
env -i setsid -f sleep @
(env -i setsid sh -c 'sleep @ & wait' &)
"""
"""Fifteen processes, of which session, tree and environment together find twelve. Source: measured-core, pitfall 13."""
DEAF = """
(trap '' TERM HUP INT QUIT; sleep @ & (trap '' TERM; setsid sleep @) & sleep @) &
setsid env -i sh -c 'trap "" TERM HUP; while :; do sleep @; done' &
"""
STOPPED = """
sh -c 'sleep @ & kill -STOP $$' &
setsid sh -c 'sleep @ & kill -STOP $!; kill -STOP $$' &
"""
LISTS = "(sleep @; sleep @) & sleep @ | sleep @ | cat >/dev/null & { sleep @ && true; } &\n"
SHELLS = """
bash --norc -i -c 'trap "" HUP TERM; sleep @; sleep @' &
(setsid bash --norc -i -c 'set -m; sleep @ & disown -a; sleep @' </dev/null >/dev/null 2>&1 &)
"""
FORKS = "f() { [ $1 -gt 0 ] && { f $(($1-1)) & f $(($1-1)) & }; exec sleep @; }; f 7 &\n"
STORM = "i=0; while [ $i -lt 500 ]; do setsid sleep @ & i=$((i+1)); done &\n"
LINK = "import os, time\nend = time.time() + 15\nwhile time.time() < end:\n  if os.fork(): os._exit(0)\n  os.setsid()\n"
"""One generation lives for less than a millisecond, and each is its own session."""


def chains(count, env=""):
    one = f"{env} {shlex.quote(sys.executable)} -S -c {shlex.quote(LINK)} @"
    return "".join(f"({one} &)\n" for _ in range(count))


TREES = {
    # what the mission starts beside its own process, how many `sleep @` must be there first (no look catches a chain)
    "fifteen escape artists": (ARTISTS, 10),
    "deaf to signals": (DEAF, 4),
    "stopped ones": (STOPPED, 1),
    "lists and pipelines": (LISTS, 4),
    "shells with jobs": (SHELLS, 3),
    "a storm of sessions": (STORM, 150),
    "a tree of forks": (FORKS, 20),
    "a chain": (chains(1), 0),
    "a chain without environment": (chains(1, "env -i"), 0),
    "four chains": (chains(4), 0),
    "four chains without environment": (chains(4, "env -i"), 0),
}


def stop(om, mission):
    om.ok("stop", mission)


def kill(om, mission):
    om.ok("kill", mission)


def stall(om, mission):
    om.ok("update", mission, "--activity-timeout", "50ms")
    assert om.wait_status(mission, "crashed")["reason"] == "stalled"


def natural_end(om, mission):
    os.kill(om.pid(mission), signal.SIGUSR1)
    om.wait_status(mission, "stopped", "crashed")


def shutdown(om, mission):
    assert om.ok("shutdown", "-y") == "Daemon stopped\n"


def death_of_the_keeper(om, mission):
    os.kill(om.keeper_pid(), signal.SIGKILL)
    assert om.wait_status(mission, "crashed")["reason"] == "keeper_lost"


WAYS = {stop: "stopped", kill: "killed", stall: "crashed", natural_end: "stopped", shutdown: "stopped"}
WAYS[death_of_the_keeper] = "crashed"


PAIRS = [
    pytest.param(tree, way, id=f"{tree}-{way.__name__.replace('_', ' ')}")
    for number, tree in enumerate(TREES)
    for place, way in enumerate(WAYS)
    if torture.WHOLE or (number - place) % 3 == 0
]
"""Of each tree every third way, and each way with every third tree; all of them with `make torture`."""


@pytest.mark.parametrize(("name", "end"), PAIRS)
def test_nothing_lives_after(om, lock, name, end):
    tree, count = TREES[name]
    ticking = f"trap 'exit 0' USR1; {tree} while :; do read -r never </dev/null; sleep 0.02; done"
    mission = om.mission(lock.wrap(ticking), "--grace", "300ms")
    lock.grown(count)
    end(om, mission)
    assert not lock.held(), lock.holders()
    om.ok("start")
    assert om.info(mission)["status"] == WAYS[end]
