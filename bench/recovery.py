"""The supervisor of 1,000 missions is killed with -9: how soon after its own start the next one answers."""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import time

from bench import tmux
from bench.figures import Figure, milliseconds
from bench.processes import duration, lives
from bench.product import LOOK_AGAIN, PATIENCE, Api, Home, Product
from bench.sizes import choose_size

MISSIONS = choose_size(1000, smoke=5)
WINDOWS = choose_size(100, smoke=3)
ROUNDS = choose_size(7, smoke=1)
GOAL = 0.5
"""Seconds."""


def measure(product: Product, folder: str) -> list[Figure]:
    with product.home() as home:
        home.sleepers(MISSIONS)
        before = _processes(home)
        pairs = [(recovered(home, MISSIONS), _imported(home)) for _ in range(ROUNDS)]
        if _processes(home) != before:
            raise RuntimeError("a mission was lost or restarted")
    seconds = [first for first, _ in pairs]
    imports = [second for _, second in pairs]
    middle = statistics.median(seconds)
    return [
        Figure(
            f"{MISSIONS:,} missions, supervisor `kill -9`: start of the next to its first answer (`ps` of all)",
            f"{milliseconds(middle)} ({milliseconds(min(seconds))}–{milliseconds(max(seconds))}), nothing lost",
            f"a Python that imports asyncio, msgspec, sqlite3: {milliseconds(statistics.median(imports))};"
            f" tmux: {_survivors(folder)} of {WINDOWS} windows survive",
            f"**{statistics.median(first / second for first, second in pairs):.2f}×**",
            f"≤ {milliseconds(GOAL)}",
            middle <= GOAL,
        )
    ]


def recovered(home: Home, missions: int) -> float:
    """Kill, start, ask; return the seconds until the answer.

    The next one is started by us, so that its start is known to the microsecond.
    """
    home.kill_supervisor()
    argv = [home.product.python, "-P", "-m", "overmind_core.daemon", "--home", home.path]
    began = time.perf_counter()
    # Nobody waits for it: it outlives this measurement until the home ends, and is killed in the next round.
    pid = os.posix_spawn(argv[0], argv, home.environment, setsid=True, file_actions=_silence())
    with contextlib.closing(_connected(home, began)) as api:
        rows = api.call("ps", {})
        took = time.perf_counter() - began
    if home.supervisor != pid:
        raise RuntimeError("another supervisor was faster")
    if len(rows) != missions or any(row["status"] != "running" for row in rows):
        raise RuntimeError("not every mission runs")
    return took


def _silence() -> list[tuple[int, int, str, int, int]]:
    return [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]


def _connected(home: Home, began: float) -> Api:
    while True:
        try:
            return home.connect()
        except OSError:
            if time.perf_counter() - began > PATIENCE:
                raise
            time.sleep(LOOK_AGAIN)


def _imported(home: Home) -> float:
    return duration([home.product.python, "-c", "import asyncio, msgspec, sqlite3"], home.environment)


def _processes(home: Home) -> set[tuple[int, str]]:
    """The missions' processes, by pid and start time."""
    listing = subprocess.run(
        ["ps", "-o", "pid=,lstart=", "--ppid", str(home.keeper)], capture_output=True, text=True, check=True
    )
    found = (line.split(None, 1) for line in listing.stdout.splitlines())
    return {(int(pid), started) for pid, started in found}


def _survivors(folder: str) -> int:
    with tmux.server(folder) as server:
        server.source(["new-window -d sleep 100000"] * (WINDOWS - 1))
        pids = [int(pid) for pid in server("list-panes", "-s", "-F", "#{pane_pid}").split()]
        os.kill(server.pid, signal.SIGKILL)
        time.sleep(1.0)
        return sum(lives(pid) for pid in pids)
