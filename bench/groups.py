"""The list of the full-screen program: its groups and their order, computed from all missions, beside sorting them."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.figures import Figure, milliseconds, spread, take_turns
from bench.product import Product
from bench.sizes import choose_size
from overmind_core.view.cells import Row
from overmind_core.view.grouping import grouped, ordered
from tests.kit.screen_list import NOW, agent, ended, mission, question

COUNTS = choose_size((1000, 10_000), smoke=(20, 40))
ROUNDS = choose_size(15, smoke=1)
GOAL = 4e-6
"""Seconds for each mission."""


def measure(product: Product, folder: str) -> list[Figure]:
    del product, folder
    return [_figure(count) for count in COUNTS]


def _figure(count: int) -> Figure:
    rows = [_row(number) for number in range(count)]
    questions = [question(number, row["id"], 10.0, "Bash: make") for number, row in enumerate(rows) if _asks(row)]
    sides = {
        "overmind": _timed(lambda: grouped(ordered(rows, None, NOW), questions, NOW)),
        "sorted": _timed(lambda: sorted(rows, key=lambda row: row["started_at"])),
    }
    ours, theirs = take_turns(sides, rounds=ROUNDS).values()
    goal = GOAL * count
    return Figure(
        f"`overmind tui`, the groups of {count:,} missions and their order",
        milliseconds(ours.median),
        f"sorting them by their start {milliseconds(theirs.median)}",
        spread(ours, theirs),
        f"≤ {milliseconds(goal)}",
        ours.median <= goal,
    )


def _row(number: int) -> Row:
    """One of twenty asks, half of them run, some below a plan; the others have ended."""
    one, ago = f"m{number}", 10.0 + number
    if number % 20 == 0:
        return agent(one, ago, "waiting", 10.0, 0.1, "Bash: make")
    if number % 2 == 0:
        return agent(one, ago, "working", 10.0, 0.1, "Read: prices.py", parent=f"m{number - number % 20}")
    return ended(one, ago) if number % 4 == 1 else mission(one, ago)


def _asks(row: Row) -> bool:
    return bool(row["activity"] == "waiting")


def _timed(work: Callable[[], object]) -> Callable[[], float]:
    def round_() -> float:
        began = time.process_time()
        work()
        return time.process_time() - began

    return round_
