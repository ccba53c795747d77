"""The full-screen program while nothing happens: its processor time beside a bare Textual app's, and its memory."""

from __future__ import annotations

from collections.abc import Sequence

from bench import paint
from bench.figures import Figure, megabytes
from bench.processes import busy_seconds, resident
from bench.product import Home, Product
from bench.screen import has_line, has_text, screen
from bench.sizes import choose_size

COUNTS = choose_size((10, 1000), smoke=(3,))
SETTLE = choose_size(70.0, smoke=1.0)
"""Seconds after which times are told in minutes: before that all rows change each second."""
SECONDS = choose_size(20.0, smoke=1.0)
BUSY_GOAL = 0.010
"""Part of one core."""


def measure(product: Product, folder: str) -> list[Figure]:
    """Two rows for each number of missions."""
    del folder
    return [figure for count in COUNTS for figure in _figures(product, count)]


def _figures(product: Product, count: int) -> Sequence[Figure]:
    with product.home() as home:
        home.sleepers(count)
        busy, plain, memory = _measured(home, count)
    told = f"`overmind tui` at rest, {count:,} idle missions"
    return [
        Figure(
            f"{told}: processor, over {SECONDS:.0f} s",
            f"{busy:.2%} of a core",
            f"a bare Textual app {plain:.2%}",
            f"{busy / plain:.2f}×",
            f"≤ {BUSY_GOAL:.1%}",
            busy <= BUSY_GOAL,
        ),
        Figure(
            f"`overmind tui` at rest, {count:,} idle missions: memory (RSS)", megabytes(memory), "", "", "", met=True
        ),
    ]


def _measured(home: Home, count: int) -> tuple[float, float, int]:
    """Processor time of ours and of the bare one, at the same time: what a waking costs differs by the hour; memory."""
    bare = screen(*paint.bare_program(home.product))
    with screen([home.product.program, "tui"], home.environment) as shown, bare as plain:
        plain.until(has_line("count 0"))
        shown.until(has_text(f"{count:,} running"))
        shown.watch(SETTLE)
        before = [busy_seconds(one.pid) for one in (shown, plain)]
        shown.watch(SECONDS)
        ours, theirs = (
            (busy_seconds(one.pid) - was) / SECONDS for one, was in zip((shown, plain), before, strict=True)
        )
        return ours, theirs, resident(shown.pid)
