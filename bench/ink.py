"""The ink of the full-screen program on a working day: the shares of a screen of 120x40 that say nothing by themselves.

Three missions ask, nine run, and 32 have ended, one of them badly. Ink is every cell that is no blank.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from bench.figures import Figure
from bench.product import Api, Home, Product
from bench.screen import Screen, has_text, screen
from bench.sizes import choose_size
from overmind_core.terminal.cells import Colour, Style
from overmind_core.view import tones

ASKING = ("api", "cart-vat", "docs")
RUNNING = ("release", "shop-tests", "image", "web", "planner", "search-index", "i18n", "worker", "db")
WATCHED = "search-index"
"""Whose log the panel shows."""
ENDED = choose_size(30, smoke=2)
"""Those that succeeded; one more failed, and one was stopped."""
SETTLE = choose_size(8.0, smoke=6.0)
"""Seconds after which what was said last is faint."""
MOVED = 0.4
"""Seconds until the panel has come to another row."""
RULES_GOAL, HINTS_GOAL, COLOURED_GOAL = 0.02, 0.06, 0.08
COLOURED = ("accent", "graph", "good", "wait", "slow", "calm", "bad")
"""Names of colours that are no grey."""
WORK = 'echo "$0: module $i of 20 is read, $((i * 7)) tests are green"'
WORKS = ["bash", "-c", f"exec 9<> <(:); for i in {{1..20}}; do {WORK}; done; read -u 9"]
"""Says what it does and goes on."""
FAILS = ["sh", "-c", "echo 'SyntaxError: invalid syntax in cart.py:14'; exit 1"]
Cells = Sequence[Sequence[tuple[str, Style]]]


def measure(product: Product, folder: str) -> list[Figure]:
    del folder
    with product.home() as home:
        _work_a_day(home)
        with screen([product.program, "tui"], home.environment) as shown:
            shown.until(has_text(f"{len(RUNNING)} running"))
            shown.until(has_text(f"{len(ASKING)} need you"))
            _look_at(shown, WATCHED)
            shown.watch(SETTLE)
            return figures(_cells(shown))


def _look_at(shown: Screen, name: str) -> None:
    """Put the cursor on a mission."""
    for _ in range(len(ASKING) + len(RUNNING)):
        if has_text(f"── {name} ")(shown.shown):
            return
        shown.press(b"j")
        shown.watch(MOVED)
    raise RuntimeError(f"the panel never came to {name}")


def figures(cells: Cells) -> list[Figure]:
    """The rows about the cells of a screen, each a text and how it looks; the hints stand in the last row."""
    coloured = _colours()
    written = [cell for row in cells for cell in row if not cell[0].isspace()]
    rules = sum(_is_rule(text) for text, _ in written)
    hints = sum(not text.isspace() for text, _ in cells[-1])
    bright = sum(style.foreground in coloured or style.background in coloured for _, style in written)
    ink = max(len(written), 1)
    return [
        _figure("frames and rules, of the screen", rules / sum(map(len, cells)), RULES_GOAL),
        _figure("hints, of what is written", hints / ink, HINTS_GOAL),
        _figure("coloured, of what is written", bright / ink, COLOURED_GOAL),
    ]


def _figure(what: str, share: float, goal: float) -> Figure:
    name = f"`overmind tui`, a working day at 120x40: {what}"
    return Figure(name, f"{share:.1%}", "", "", f"≤ {goal:.0%}", share <= goal)


def _is_rule(text: str) -> bool:
    return "\u2500" <= text[0] <= "\u257f"


def _colours() -> frozenset[Colour]:
    found = (bytes.fromhex(tones.DARK.colours[name].removeprefix("#")) for name in COLOURED)
    return frozenset((red, green, blue) for red, green, blue in found)


def _cells(shown: Screen) -> Cells:
    rows = []
    for y in range(shown.shown.rows):
        row = [(text, style) for run, style in shown.shown.runs(y) for text in run]
        rows.append(row + [(" ", Style())] * (shown.shown.columns - len(row)))
    return rows


def _work_a_day(home: Home) -> None:
    home.end_first_steps()
    with contextlib.closing(home.connect()) as api:
        ended = _run(home, api, {f"step-{number}": ["true"] for number in range(ENDED)} | {"unit": FAILS})
        api.until_ended(ended)
        (stopped,) = _run(home, api, {"nightly": WORKS})
        api.call("stop", {"id": stopped})
        api.until_ended([stopped])
        _run(home, api, {name: [*WORKS, name] for name in RUNNING})
        _run(home, api, {name: _asks(home, name) for name in ASKING})


def _run(home: Home, api: Api, commands: dict[str, list[str]]) -> Sequence[str]:
    requests = [{**home.mission(command), "name": name} for name, command in commands.items()]
    return [answer["id"] for answer in api.call_each("run", requests)]


def _asks(home: Home, name: str) -> list[str]:
    return [home.product.program, "report", "question", f"How are the prices of {name} rounded?", "--wait"]
