"""The full-screen program: from its start to its first frame, and from a key to what it changes."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence

from bench.figures import Figure, Side, milliseconds, ratio, take_turns
from bench.product import Home, Product
from bench.screen import Cursor, Screen, first_frame, gap, has_line, has_text, p50_p95, screen
from bench.sizes import choose_size
from overmind_tui.missions.following import REST_SECONDS
from overmind_tui.shell import appearance

FEW, SOME, MANY = choose_size((10, 100, 1000), smoke=(3, 5, 8))
TICKING = choose_size(100, smoke=5)
"""Those that write each second at most: more of them would measure the machine's scheduler."""
ROUNDS = choose_size(15, smoke=1)
KEYS = choose_size(150, smoke=4)
SETTLE = choose_size(5.0, smoke=0.5)
FIRST_GOAL = 0.300
KEY_GOAL = 0.016
PANELS = choose_size(40, smoke=2)
PANEL_GOAL = 0.050
"""Seconds after the rest that the panel waits for."""
TICK = ["bash", "-c", "exec 9<> <(:); while :; do echo tick $SECONDS; read -t 1 -u 9; done"]
"""A pause without a process: a read of a pipe that nobody writes to."""
FLOOD = ["python3", "-c", "import os, time\nwhile 1: os.write(1, (b'x' * 99 + b'\\n') * 5000); time.sleep(0.05)"]
"""10 MB/s."""
BARE = ["-P", os.path.join(os.path.dirname(os.path.abspath(__file__)), "bare_app.py")]
"""Its folder is no place to import from: it has modules with names of the standard library's."""


def measure(product: Product, folder: str) -> list[Figure]:
    del folder
    with product.home() as few, product.home() as many:
        few.sleepers(FEW)
        many.sleepers(MANY)
        taken = take_turns({f"{FEW}": _first(few), f"{MANY:,}": _first(many), "bare": bare(product)}, rounds=ROUNDS)
    plain = taken.pop("bare")
    rows = [
        Figure(
            f"`overmind tui`, {count} missions: exec to first frame",
            milliseconds(rounds.median),
            f"a bare Textual app {milliseconds(plain.median)}",
            f"**{ratio(rounds, plain):.2f}×**",
            f"≤ {milliseconds(FIRST_GOAL)}",
            rounds.median <= FIRST_GOAL,
        )
        for count, rounds in taken.items()
    ]
    for count in (FEW, SOME, MANY):
        with product.home() as home:
            _ticking(home, count)
            rows.append(figure(_told(count), *_keys(product, home, count)))
            if count == MANY:
                rows.append(_panels(home, count))
                with contextlib.closing(home.connect()) as api:
                    api.call("run", home.mission(FLOOD))
                rows.append(figure(f"{_told(count)}, and one more 10 MB/s", *_keys(product, home, count + 1)))
    return rows


def _told(count: int) -> str:
    ticking = "all" if count <= TICKING else f"{TICKING} of which"
    return f"`j` or `k` to its row painted, {count:,} missions, {ticking} write each second"


def _first(home: Home) -> Side:
    return lambda: first_frame([home.product.program, "tui"], home.environment, has_text(" running "))


def bare_program(product: Product) -> tuple[list[str], dict[str, str]]:
    """The command and the environment of a program that only counts its keys."""
    return [product.python, *BARE], {"PATH": os.environ["PATH"]}


def bare(product: Product) -> Side:
    """From the start of such a program to its first frame."""
    return lambda: first_frame(*bare_program(product), has_line("count 0"))


def _ticking(home: Home, count: int) -> None:
    ticking = min(count, TICKING)
    with contextlib.closing(home.connect()) as api:
        api.call_each("run", [home.mission(TICK)] * ticking)
        api.call_each("run", [home.mission(["sleep", "100000"])] * (count - ticking))


def _there_and_back(count: int) -> Iterator[bytes]:
    """Keys from one row to the next, of which none stands still at an end."""
    while True:
        yield from [b"j"] * (count - 1)
        yield from [b"k"] * (count - 1)


def _keys(product: Product, home: Home, missions: int) -> tuple[list[float], list[float]]:
    with screen([home.product.program, "tui"], home.environment) as ours, screen(*bare_program(product)) as theirs:
        ours.until(has_text(f"{missions:,} running"))
        ours.watch(SETTLE)
        with contextlib.closing(home.connect()) as api:
            names = [row["name"] for row in api.call("ps", {})]
        return time_moves(ours, theirs, _there_and_back(missions), names)


def _panels(home: Home, missions: int) -> Figure:
    """From a key to the panel of the row that it went to."""
    with screen([home.product.program, "tui"], home.environment) as shown:
        shown.until(has_text(f"{missions:,} running"))
        shown.watch(SETTLE)
        with contextlib.closing(home.connect()) as api:
            cursor = Cursor(cursor_colour(), [row["name"] for row in api.call("ps", {})])
        shown.until(cursor.settle)
        taken = []
        for _ in range(PANELS):
            shown.watch(SETTLE / 5)
            began = time.perf_counter()
            _, row = shown.answer(b"j", cursor.find_moved)
            taken.append(shown.until(has_text(f"── {row.name} "))[0] - began - REST_SECONDS)
    median, late = p50_p95(taken)
    return Figure(
        f"`j`, then a rest of {milliseconds(REST_SECONDS)}: from there to the panel of its row, {missions:,} missions",
        f"p50 {milliseconds(median)}, p95 {milliseconds(late)}", "", "", f"p95 ≤ {milliseconds(PANEL_GOAL)}",
        late <= PANEL_GOAL,
    )  # fmt: skip


def time_moves(
    ours: Screen, theirs: Screen, keys: Iterator[bytes], names: Collection[str]
) -> tuple[list[float], list[float]]:
    """Seconds of each key to another row under the cursor, and those of a program that only counts; they take turns."""
    cursor = Cursor(cursor_colour(), names)
    ours.until(cursor.settle)
    theirs.until(has_line("count 0"))
    taken: tuple[list[float], list[float]] = [], []
    for count in range(1, KEYS + 1):
        ours.watch(gap())
        taken[0].append(ours.answer(next(keys), cursor.find_moved)[0])
        theirs.watch(gap())
        taken[1].append(theirs.answer(b"j", has_line(f"count {count}"))[0])
    return taken


def cursor_colour() -> tuple[int, int, int]:
    """The background of a row under the cursor: `cursor` of the dark theme."""
    red, green, blue = bytes.fromhex(appearance.DARK.variables["cursor"].removeprefix("#"))
    return red, green, blue


def figure(what: str, ours: Sequence[float], theirs: Sequence[float]) -> Figure:
    """The row of keys: the middle one, and the one that 95 % stay below."""
    (median, late), (their_median, their_late) = p50_p95(ours), p50_p95(theirs)
    show: Callable[[float, float], str] = lambda one, other: f"p50 {milliseconds(one)}, p95 {milliseconds(other)}"  # noqa: E731
    return Figure(
        what,
        show(median, late),
        f"a bare Textual app {show(their_median, their_late)}",
        f"**{late / their_late:.2f}×** (p95)",
        f"p95 ≤ {milliseconds(KEY_GOAL)}",
        late <= KEY_GOAL,
    )
