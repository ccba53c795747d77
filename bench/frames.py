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
SERVICE = [
    "bash",
    "-c",
    "exec 9<> <(:); for i in {1..6}; do for word in $0; do echo $word $i: $0; done; done; read -u 9",
]
"""Fills a panel and waits, as services do, each with its own words."""
WORDS = (
    "listening on port 8080", "reading all 214 modules", "cache warmed by prices", "migration of orders done",
    "14 tests are green", "watching styles for changes", "queue has no jobs", "index built from pages",
    "certificate was renewed today",
)  # fmt: skip
SETTLE = choose_size(4.0, smoke=0.5)
ANSWER = choose_size(1.0, smoke=0.4)
"""Seconds in which all that a key changes is drawn, and what ticks is."""
SHORT, ANSWERS = 0.4, choose_size(9, smoke=1)
"""Seconds in which most often nothing ticks; how often they are looked at."""
ALONE = 0.1
"""Seconds in which the row under the cursor is drawn, and its panel is not yet: that comes after 0.12 s of rest."""
REST = choose_size(10.0, smoke=0.5)
CURSOR_GOAL, ANSWERING_GOAL, SWITCH_GOAL, REST_GOAL = 1000, 800, 2.0, 200
QUESTION = ["report", "question", "How are the prices rounded?", "--wait"]
VIEWS = {"`:top`": (b":top\r", "› top"), "`?`": (b"?", "this mission"), "`:events`": (b":events\r", "› events")}
"""Keys that open a view, and what is seen of it alone."""
TURNS = {"the panel turned (`tab`)": b"\t", "the panel turned back": b"\x1b[Z"}
BACK = b"\x1b", f"{MISSIONS} running"
NEEDS = "1 needs you"
Cells = list[list[tuple[str, Style]]]


def measure(product: Product, folder: str) -> list[Figure]:
    del folder
    with product.home() as home:
        home.end_first_steps()
        with contextlib.closing(home.connect()) as api:
            api.call_each("run", [home.mission([*SERVICE, words]) for words in WORDS[:MISSIONS]])
        return _figures(home)


def _figures(home: Home) -> list[Figure]:
    with terminals.screen([home.product.program, "tui"], home.environment) as program:
        shown = _Shown(program)
        program.until(terminals.has_text(f"{MISSIONS} running"))
        shown.watch(SETTLE)
        resting = shown.watch(REST) / REST
        program.press(b"g")
        shown.watch(ANSWER)
        moves, panels = zip(*[shown.move() for _ in range(MISSIONS - 1)], strict=True)
        figures = [
            _figure("a moved cursor (`j`)", statistics.median(moves), CURSOR_GOAL, max(moves)),
            _switch("the panel that follows it", *[sum(part) for part in zip(*panels, strict=True)]),
            _figure(f"at rest, {MISSIONS} missions, a second", resting, REST_GOAL),
        ]
        for name, view in VIEWS.items():
            for what, (keys, frame) in ((f"to {name}", view), (f"back from {name}", BACK)):
                sent, changed = shown.press(keys, frame)
                figures.append(_switch(what, sent, changed))
        figures += [_switch(what, *shown.press(keys)) for what, keys in TURNS.items()]
        return figures + _answering(home, program, shown)


def _answering(home: Home, program: terminals.Screen, shown: _Shown) -> list[Figure]:
    """With one more that asks, under the cursor."""
    with contextlib.closing(home.connect()) as api:
        api.call("run", {**home.mission([home.product.program, *QUESTION]), "name": "asking"})
    program.until(terminals.has_text(NEEDS))
    shown.press(b"g")
    shown.watch(SETTLE)
    answers = []
    for _ in range(ANSWERS):
        program.press(b"y")
        answers.append(shown.watch(SHORT))
        shown.press(b"\x1b")
    figures = [_figure("the keys into a question (`y`)", statistics.median(answers), ANSWERING_GOAL, max(answers))]
    figures.append(_switch("to `!`", *shown.press(b"!", "› needs")))
    figures.append(_switch("back from `!`", *shown.press(*BACK)))
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

    def move(self) -> tuple[int, tuple[int, int]]:
        """The bytes of a moved cursor, and those of the panel that follows it, as `press` has them."""
        self._program.press(b"j")
        alone = self.watch(ALONE)
        return alone, self.press(b"")

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
