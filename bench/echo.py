"""From a key to its echo: through `overmind attach`, through `tmux attach`, and on a terminal with nothing between."""

from __future__ import annotations

import contextlib
import itertools
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence

from bench import tmux
from bench.figures import Figure, milliseconds
from bench.product import Home, Product
from bench.screen import Screen, gap, has_text, has_typed, screen
from bench.sizes import choose_size

KEYS = choose_size(300, smoke=5)
"""Of each side, when nothing else goes on."""
ROUNDS, KEYS_PER_ROUND = choose_size((5, 60), smoke=(1, 5))
"""Of each side, while others flood: one side at a time, for its flood would be the other's burden."""
FLOODS = choose_size(4, smoke=1)
MEDIAN_GOAL, LATE_GOAL = 0.002, 0.010
ECHO = ["sh", "-c", "stty raw -echo; printf ready; exec cat"]
"""The program itself answers each key, as an editor does."""
FLOOD = ["yes", "x" * 79]
SETTLE = choose_size(1.0, smoke=0.2)
BARE = "a bare terminal"
_LETTERS = "αβγδεζηθικλμνξοπρστυφχψω"
"""Each next to another one, so that one that was typed is no other."""

Times = list[float]
Flooding = Callable[[], contextlib.AbstractContextManager[None]]


def measure(product: Product, folder: str) -> list[Figure]:
    with product.home() as home, tmux.server(folder) as server, _screens(home, server) as screens:
        quiet: dict[str, Times] = {name: [] for name in screens}
        collect(quiet, screens, KEYS)
        floods: dict[str, Flooding] = {"overmind": lambda: _our_flood(home), "tmux": lambda: _tmux_flood(server)}
        flooded: dict[str, Times] = {name: [] for name in screens}
        for _ in range(ROUNDS):
            for name, flood in floods.items():
                with flood():
                    screens[name].watch(SETTLE)
                    # What a terminal with nothing between takes meanwhile is the machine's share.
                    sides = [name, BARE] if name == "overmind" else [name]
                    collect(flooded, {side: screens[side] for side in sides}, KEYS_PER_ROUND)
                screens[name].watch(SETTLE)
    return [
        _figure("a key to its echo through `overmind attach`, nothing else going on", quiet),
        _figure(f"a key to its echo through `overmind attach`, {FLOODS} others flood with 80-column lines", flooded),
    ]


@contextlib.contextmanager
def _screens(home: Home, server: tmux.Server) -> Iterator[dict[str, Screen]]:
    """The same program, reached in three ways."""
    with contextlib.closing(home.connect()) as api:
        mission = api.call("run", {**home.mission(ECHO), "type": "session"})["id"]
    server("set-option", "-g", "status", "off")
    window = server("new-window", "-d", "-P", "-F", "#{window_id}", *ECHO).strip()
    server("select-window", "-t", window)
    environment = {"PATH": home.environment["PATH"]}
    with (
        screen([home.product.program, "attach", mission], home.environment) as ours,
        screen(["tmux", "-S", server.socket, "attach"], environment) as theirs,
        screen(ECHO, environment) as bare,
    ):
        screens = {"overmind": ours, "tmux": theirs, BARE: bare}
        for one in screens.values():
            one.until(has_text("ready"))
            one.watch(SETTLE)
        yield screens


def collect(taken: Mapping[str, Times], screens: Mapping[str, Screen], count: int) -> None:
    """Add the seconds of `count` keys on each screen; they take turns."""
    for letter in itertools.islice(itertools.cycle(_LETTERS), count):
        for name, one in screens.items():
            taken[name].append(_echo(one, letter))


def _echo(one: Screen, letter: str) -> float:
    """Seconds, at the pace of a person in a hurry."""
    one.watch(gap())
    return one.answer(letter.encode(), has_typed(letter))[0]


@contextlib.contextmanager
def _our_flood(home: Home) -> Iterator[None]:
    with contextlib.closing(home.connect()) as api:
        started = [mission["id"] for mission in api.call_each("run", [home.mission(FLOOD)] * FLOODS)]
        try:
            yield
        finally:
            api.call_each("kill", [{"id": mission} for mission in started])
            api.call_each("rm", [{"id": mission} for mission in started])


@contextlib.contextmanager
def _tmux_flood(server: tmux.Server) -> Iterator[None]:
    windows = [server("new-window", "-d", "-P", "-F", "#{window_id}", *FLOOD).strip() for _ in range(FLOODS)]
    try:
        yield
    finally:
        for window in windows:
            server("kill-window", "-t", window)


def _figure(what: str, taken: Mapping[str, Sequence[float]]) -> Figure:
    """`taken`: ours first, then tmux'."""
    (median, late), (their_median, their_late), *_ = map(p50_p99, taken.values())
    beside = "; ".join(f"{name} {shown(times)}" for name, times in list(taken.items())[1:])
    return Figure(
        what,
        shown(taken["overmind"]),
        beside,
        f"**{median / their_median:.2f}×** (p50), **{late / their_late:.2f}×** (p99)",
        f"p50 ≤ {milliseconds(MEDIAN_GOAL)}, p99 ≤ {milliseconds(LATE_GOAL)}, both ≤ tmux",
        median <= min(MEDIAN_GOAL, their_median) and late <= min(LATE_GOAL, their_late),
    )


def p50_p99(values: Sequence[float]) -> tuple[float, float]:
    """The middle value, and the one that 99 % stay below."""
    return statistics.median(values), statistics.quantiles(values, n=100)[-1]


def shown(values: Sequence[float]) -> str:
    median, late = p50_p99(values)
    return f"p50 {median * 1000:.2f} ms, p99 {late * 1000:.1f} ms"
