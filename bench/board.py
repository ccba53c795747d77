"""The board of the full-screen program with 10,000 quests: its first frame, and from a key to its paint."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from bench import paint
from bench.figures import Figure, Side, milliseconds, ratio, take_turns
from bench.product import Home, Product
from bench.queue import MANY, queued
from bench.screen import State, first_frame, has_text, screen
from bench.sizes import choose_size

ROUNDS = choose_size(9, smoke=1)
SETTLE = choose_size(5.0, smoke=0.5)
COLUMN = has_text(f" {MANY:,} ")
"""The number of the column that all of them stand in: the queue is paused, so that nothing moves by itself."""
FRAME = has_text("› board")
"""The board's own border: its cards are there, or `loading …` is."""
FAR = 24
"""Cards that keys go down before they go up again: as many as a screen shows, each of which is then painted whole."""


def measure(product: Product, folder: str) -> Iterator[Figure]:
    del folder
    with product.home() as home:
        queued(home, MANY)
        sides = {"board": _first(home, FRAME), "cards": _first(home, COLUMN), "bare": paint.bare(product)}
        taken = take_turns(sides, rounds=ROUNDS)
        ours, cards, plain = taken["board"], taken["cards"], taken["bare"]
        yield Figure(
            f"`overmind tui -c board`, {MANY:,} quests: exec to first frame",
            milliseconds(ours.median),
            f"a bare Textual app {milliseconds(plain.median)}",
            f"**{ratio(ours, plain):.2f}×**",
            f"≤ {milliseconds(paint.FIRST_GOAL)}",
            ours.median <= paint.FIRST_GOAL,
        )
        yield Figure(
            f"`overmind tui -c board`, {MANY:,} quests: exec to its cards",
            milliseconds(cards.median),
            f"a bare Textual app {milliseconds(plain.median)}",
            f"**{ratio(cards, plain):.2f}×**",
            "",
            met=True,
        )
        yield paint.figure(f"`j` or `k` to its card painted, board of {MANY:,} quests", *_keys(product, home))


def _first(home: Home, wanted: State[bool]) -> Side:
    return lambda: first_frame([home.product.program, "tui", "-c", "board"], home.environment, wanted)


def _there_and_back() -> Iterator[bytes]:
    while True:
        yield from [b"j"] * FAR
        yield from [b"k"] * FAR


def _keys(product: Product, home: Home) -> tuple[list[float], list[float]]:
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(screen([home.product.program, "tui", "-c", "board"], home.environment))
        theirs = stack.enter_context(screen(*paint.bare_program(product)))
        ours.until(COLUMN)
        ours.watch(SETTLE)
        return paint.time_moves(ours, theirs, _there_and_back(), [f"quest-{number}" for number in range(MANY)])
