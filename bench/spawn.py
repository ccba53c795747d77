"""Missions started per second, each with its record, terminal and log; beside windows opened by tmux."""

from __future__ import annotations

import contextlib

from bench import tmux
from bench.figures import Figure, at_least, per_second, take_turns
from bench.product import Product
from bench.sizes import choose_size

COUNT = choose_size(300, smoke=5)
ROUNDS = choose_size(9, smoke=2)
GOAL = 1.8


def measure(product: Product, folder: str) -> list[Figure]:
    taken = take_turns({"overmind": lambda: _ours(product), "tmux": lambda: _theirs(folder)}, rounds=ROUNDS)
    what = f"start {COUNT} × `sleep`, pipelined on one connection"
    return [at_least(what, taken["overmind"], taken["tmux"], GOAL, per_second)]


def _ours(product: Product) -> float:
    """All requests are sent at once, each with the caller's whole environment; the clock stops at the last answer."""
    with product.home() as home, contextlib.closing(home.connect()) as api:
        answers, took = api.timed("run", [home.mission(["sleep", "100000"])] * COUNT)
        running = {mission["id"] for mission in api.call("ps", {})}
        if running != {answer["id"] for answer in answers}:
            raise RuntimeError("not every mission runs that was started")
    return COUNT / took


def _theirs(folder: str) -> float:
    """One file of commands, so that tmux reads and answers once; without a shell in each window."""
    with tmux.server(folder) as server:
        took = server.source(["new-window -d sleep 100000"] * COUNT)
        if len(server.windows()) != COUNT + 1:
            raise RuntimeError("not every window is there that was opened")
    return COUNT / took
