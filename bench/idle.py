"""What 1,000 missions cost that do nothing: memory of supervisor and keeper together, and their processor time."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bench import tmux
from bench.figures import Figure, megabytes
from bench.processes import busy_seconds, proportional, resident
from bench.product import Product
from bench.sizes import choose_size

MISSIONS = choose_size(1000, smoke=5)
SETTLE = choose_size(3.0, smoke=0.2)
SECONDS = choose_size(10.0, smoke=0.5)
MEMORY_GOAL = 60_000_000
BUSY_GOAL = 0.005
"""Part of one core."""


def measure(product: Product, folder: str) -> list[Figure]:
    with product.home() as home:
        home.sleepers(MISSIONS)
        supervisor, keeper = home.supervisor, home.keeper
        ours_busy = _busy([supervisor, keeper])
        parts = [resident(supervisor), resident(keeper)]
        shared = proportional(supervisor) + proportional(keeper)
    with tmux.server(folder) as server:
        server.source(["new-window -d sleep 100000"] * (MISSIONS - 1))
        theirs_busy = _busy([server.pid])
        theirs = resident(server.pid)
    ours = sum(parts)
    memory = Figure(
        f"{MISSIONS:,} idle missions: memory (RSS)",
        f"{megabytes(ours)} = supervisor {megabytes(parts[0])} + keeper {megabytes(parts[1])}; PSS {megabytes(shared)}",
        f"tmux {megabytes(theirs)}",
        f"**{ours / theirs:.2f}×**",
        f"≤ {megabytes(MEMORY_GOAL)}",
        ours <= MEMORY_GOAL,
    )
    busy = Figure(
        f"{MISSIONS:,} idle missions: processor, over {SECONDS:.0f} s",
        f"{ours_busy:.2%} of a core",
        f"tmux {theirs_busy:.2%}",
        "",
        f"≤ {BUSY_GOAL:.1%}",
        ours_busy <= BUSY_GOAL,
    )
    return [memory, busy]


def _busy(pids: Sequence[int]) -> float:
    time.sleep(SETTLE)
    before = sum(map(busy_seconds, pids))
    began = time.perf_counter()
    time.sleep(SECONDS)
    return (sum(map(busy_seconds, pids)) - before) / (time.perf_counter() - began)
