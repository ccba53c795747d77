"""The full-screen program on a slow line: bytes that a terminal of 120x40 is sent, beside those of changed cells."""

from __future__ import annotations

import contextlib
import statistics
from dataclasses import replace

from bench import screen as terminals
from bench.figures import Figure
from bench.product import Home, Product
from bench.sizes import choose_size
from overmind_core.terminal.cells import Style

MISSIONS = choose_size(9, smoke=3)
SERVICE = ["bash", "-c", "exec 9<> <(:); for i in 1 2 3; do echo started part $i of $0; done; read -u 9"]
"""Says what it is and waits, as services do."""
SETTLE = choose_size(4.0, smoke=0.5)
ANSWER = choose_size(1.0, smoke=0.4)
"""Seconds in which all that a key changes is drawn, and what ticks is."""
REST = choose_size(10.0, smoke=0.5)
CURSOR_GOAL, SWITCH_GOAL, REST_GOAL = 1000, 2.0, 200
VIEWS = {"`:top`": (b":top\r", "› top"), "`?`": (b"?", "this mission"), "`:events`": (b":events\r", "› events")}
"""Keys that open a view, and what is seen of it alone."""
BACK = b"\x1b", f"{MISSIONS} running"
Cells = list[list[tuple[str, Style]]]


def measure(product: Product, folder: str) -> list[Figure]:
    del folder
    with product.home() as home:
        with contextlib.closing(home.connect()) as api:
            api.call_each("run", [home.mission([*SERVICE, f"service {number}"]) for number in range(MISSIONS)])
        return _figures(home)


def _figures(home: Home) -> list[Figure]:
    with terminals.screen([home.product.program, "tui"], home.environment) as program:
        shown = _Shown(program)
        program.until(terminals.has_text(f"{MISSIONS} running"))
        shown.watch(SETTLE)
        resting = shown.watch(REST) / REST
        program.press(b"g")
        shown.watch(ANSWER)
        moves = [shown.press(b"j")[0] for _ in range(MISSIONS - 1)]
        figures = [
            _figure("a moved cursor (`j`), in the second after it", statistics.median(moves), CURSOR_GOAL, max(moves)),
            _figure(f"at rest, {MISSIONS} missions, a second", resting, REST_GOAL),
        ]
        for name, view in VIEWS.items():
            for what, (keys, frame) in ((f"to {name}", view), (f"back from {name}", BACK)):
                sent, changed = shown.press(keys, frame)
                figures.append(_switch(what, sent, changed))
        return figures


def _figure(what: str, sent: float, goal: int, most: int | None = None) -> Figure:
    worst = "" if most is None else f" (at most {most:,})"
    return Figure(f"`overmind tui`, bytes sent: {what}", f"{sent:,.0f}{worst}", "", "", f"≤ {goal:,}", sent <= goal)


def _switch(what: str, sent: int, changed: int) -> Figure:
    return Figure(
        f"`overmind tui`, bytes sent: {what}", f"{sent:,}", f"the cells that changed {changed:,}",
        f"**{sent / changed:.2f}×**", f"≤ {SWITCH_GOAL:g}×", sent <= SWITCH_GOAL * changed,
    )  # fmt: skip


class _Shown:
    """What a program has drawn on its terminal so far."""

    def __init__(self, program: terminals.Screen) -> None:
        self._program = program
        self._screen = program.shown

    def watch(self, seconds: float) -> int:
        """The bytes of a while."""
        before = self._program.received
        self._program.watch(seconds)
        return self._program.received - before

    def press(self, keys: bytes, frame: str = "") -> tuple[int, int]:
        """The bytes that follow on keys until a frame is there, and a while longer; those of the cells that changed."""
        before, received = self._cells(), self._program.received
        self._program.press(keys)
        self._program.until(terminals.has_text(frame))
        self.watch(ANSWER)
        sent = self._program.received - received
        changed = [
            new[0]
            for old_row, new_row in zip(before, self._cells(), strict=True)
            for old, new in zip(old_row, new_row, strict=True)
            if old != new
        ]
        return sent, sum(len(text.encode()) for text in changed)

    def _cells(self) -> Cells:
        """Each cell, and how it looks; nobody sees the foreground of a blank."""
        return [self._row(y) for y in range(self._screen.rows)]

    def _row(self, y: int) -> list[tuple[str, Style]]:
        found = [(text, style) for run, style in self._screen.runs(y) for text in run]
        found += [(" ", Style())] * (self._screen.columns - len(found))
        return [(text, replace(style, foreground=None, bold=False) if text == " " else style) for text, style in found]
