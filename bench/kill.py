"""`kill --all` of 3,000 missions: until none of their processes lives, and each end is on the books; beside tmux."""

from __future__ import annotations

import contextlib
import time

from bench import tmux
from bench.figures import Figure, spread, take_turns
from bench.processes import lives
from bench.product import LOOK_AGAIN, Product
from bench.sizes import choose_size

MISSIONS = choose_size(3000, smoke=10)
ROUNDS = choose_size(2, smoke=1)
GOAL = 5.0
"""Seconds."""


def measure(product: Product, folder: str) -> list[Figure]:
    taken = take_turns({"overmind": lambda: _ours(product), "tmux": lambda: _theirs(folder)}, rounds=ROUNDS)
    ours, theirs = taken["overmind"], taken["tmux"]
    return [
        Figure(
            f"`kill --all` of {MISSIONS:,} missions, until the last process is gone and saved as ended",
            f"{ours.median:.1f} s",
            f"tmux kill-server, which saves nothing: {theirs.median:.1f} s",
            spread(ours, theirs),
            f"≤ {GOAL:.0f} s",
            ours.median <= GOAL,
        )
    ]


def _ours(product: Product) -> float:
    with product.home() as home:
        home.sleepers(MISSIONS)
        with contextlib.closing(home.connect()) as api:
            began = time.perf_counter()
            killed = api.call("kill", {"all": True})
            took = time.perf_counter() - began
            if api.call("ps", {}) or len(api.call("ps", {"all": True})) != MISSIONS:
                raise RuntimeError(f"not every mission was ended: {len(killed)} of {MISSIONS}")
    return took


def _theirs(folder: str) -> float:
    with tmux.server(folder) as server:
        server.source(["new-window -d sleep 100000"] * (MISSIONS - 1))
        pids = [int(pid) for pid in server("list-panes", "-s", "-F", "#{pane_pid}").split()]
        began = time.perf_counter()
        server("kill-server")
        for pid in pids:
            while lives(pid):
                time.sleep(LOOK_AGAIN)
        return time.perf_counter() - began
