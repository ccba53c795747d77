"""A cold `overmind ps` of 100 missions, live or ended, beside a bare Python and tmux with 100 windows."""

from __future__ import annotations

import contextlib
import os
import shutil

from bench import tmux
from bench.figures import Figure, Side, at_most, milliseconds, ratio, take_turns
from bench.processes import duration
from bench.product import Home, Product
from bench.sizes import choose_size

MISSIONS = choose_size(100, smoke=3)
ROUNDS = choose_size(80, smoke=2)
GOAL = 2.5


def measure(product: Product, folder: str) -> list[Figure]:
    with product.home() as home, product.home() as past, tmux.server(folder) as server:
        home.sleepers(MISSIONS)
        _ended(past)
        server.source(["new-window -d sleep 100000"] * (MISSIONS - 1))
        world = home.environment
        listing = [shutil.which("tmux") or "tmux", "-S", server.socket, "list-windows"]
        sides: dict[str, Side] = {
            "overmind ps": lambda: duration([product.program, "ps"], world),
            "overmind ps, ended": lambda: duration([product.program, "ps"], past.environment),
            "python -c pass": lambda: duration([product.python, "-c", "pass"], world),
            "tmux list-windows": lambda: duration(listing, os.environ),
        }
        for side in sides.values():
            side()  # what is on the disk is in memory then
        taken = take_turns(sides, rounds=ROUNDS)
    live, ended, python, theirs = taken.values()
    row = at_most(f"`overmind ps`, {MISSIONS} missions, cold", live, python, GOAL, milliseconds)
    also = f"{row.beside}; {theirs.name} {milliseconds(theirs.median)} ({ratio(live, theirs):.1f}×)"
    return [
        row._replace(beside=also),
        at_most(f"`overmind ps`, {MISSIONS} ended missions, cold", ended, python, GOAL, milliseconds),
    ]


def _ended(home: Home) -> None:
    """Have missions that did nothing and ended."""
    with contextlib.closing(home.connect()) as api:
        started = api.call_each("run", [home.mission(["true"])] * MISSIONS)
        api.until_ended([mission["id"] for mission in started])
