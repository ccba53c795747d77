"""What is drawn, one row per picture, in this order: nothing, a working day, an afternoon with the demonstration."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import NamedTuple

from scripts.pictures.browser import WebScene
from scripts.pictures.colony import AGENT, CLAUDE, REPOSITORY, WEBSHOP
from scripts.pictures.workers import WORKERS

NORMAL, SMALL, LARGE = (120, 40), (80, 24), (200, 60)
ASCII = "ascii"

Command = tuple[str, ...]


class Stage(StrEnum):
    """The home in which a picture is taken."""

    EMPTY = "empty"
    """Nothing was ever started in it."""
    DAY = "day"
    """The missions of `day`."""
    DEMO = "demo"
    """The demonstration."""


class Scene(NamedTuple):
    """One picture.

    Attributes:
        name: Of the file.
        row: The mission under the cursor; "" where there is none.
        shows: Each of these stands on the screen before it is drawn.
        keys: Pressed one after the other, on the main screen.
        size: Columns and rows.
        before: Command lines that are given first.
        look: The theme of the program; or ASCII, which is dark.
        coached: Whether the person still learns.
        then: Keys that are pressed once the first of `shows` stands there.
        stage: Where it is taken.
    """

    name: str
    row: str
    shows: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    size: tuple[int, int] = NORMAL
    before: tuple[Command, ...] = ()
    look: str = "dark"
    coached: bool = False
    then: tuple[str, ...] = ()
    stage: Stage = Stage.DEMO


ALLOW = ("answer", "demo-agent", "allow")
CHOOSE = ("answer", "demo-agent", "allow", "--option", "€3.19")
VIM = ("send", "demo-shell", "vim -n -c 'syntax on' -c 'set number' prices.py")
RELEASE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "release.toml")
WORK = tuple(
    ("run", "--isolate", "--cwd", REPOSITORY, "--type", "session", "--name", name, f"./{name}") for name in WORKERS
)
SHOPS = (
    ("trust", "--yes", WEBSHOP),
    *(
        ("run", "--cwd", WEBSHOP, "--name", name, "--env", "AGENT_SECONDS=900", f"python3 -m agents.{name}")
        for name in ("discount", "header")
    ),
)


def _mission(name: str, *words: str, options: Command = ("--rm",)) -> Command:
    """A mission that runs this; it has ended when the command has."""
    return ("run", "--wait", "--name", name, *options, "--", *words)


def _remembers(mission: str, text: str, *options: str) -> Command:
    return _mission(mission, "overmind", "remember", text, *options)


CENTS = ("--kind", "decision", "--key", "prices/cents", "--file", "prices.py", "--tag", "prices")
NOTES = (
    _remembers("labels", "A price is in cents, and prints with `FORMAT.format(cents / 100)`", *CENTS),
    _remembers("totals", "A price is in cents, in every function. `FORMAT` alone divides by 100, as the last step:\n"
               "two roundings in a row made 3.19 of 3.195", *CENTS),
    _remembers("receipts", "The tests of receipts compare whole lines: change `FORMAT` and the expected text together",
               "--kind", "gotcha", "--key", "tests/receipts", "--file", "test_prices.py"),
    _remembers("labels", "A new label needs a price, a test, and a line in stock.json", "--kind", "pattern"),
    _remembers("importer", "./check-stock reads stock.json as a whole: one wrong weight hides the next",
               "--kind", "gotcha", "--file", "stock.json"),
    ("note", "pin", "tests/receipts"),
    _mission("receipts", "overmind", "helped", "prices/cents"),
    _mission("importer", "overmind", "helped", "prices/cents"),
    _mission("discounts", "grep", "-n", "cents", "prices.py", options=("--memory",)),
)  # fmt: skip
"""What agents know of the demonstration's shop."""
COMMENT = "15 % are for new customers alone: take the share from the settings"
PROMPT = ("send", AGENT, "--queue", "%bash git status --short && ./test")

DAY = ("3 need you", "1 failed", "31 ended: 30 succeeded, 1 stopped")


def _day(
    name: str, row: str, *shows: str, size: tuple[int, int] = NORMAL, look: str = "dark", keys: Command = ()
) -> Scene:
    return Scene(name, row, shows or DAY, keys, size, look=look, stage=Stage.DAY)


SCENES = (
    Scene("first", "", ("Nothing runs yet", "(git, main, clean)"), size=SMALL, stage=Stage.EMPTY),
    _day("day", "search-index"),
    _day("day-small", "search-index", size=SMALL),
    _day("day-large", "search-index", *DAY, "what happened", size=LARGE),
    _day("asks", "api", "May it run this?"),
    _day("needs", "checkout", "May it change checkout.py?", keys=("!",)),
    _day("help", "search-index", "this mission", keys=("question_mark",), size=SMALL),
    _day("day-light", "cart-vat", *DAY, look="light"),
    _day("day-sixteen", "cart-vat", *DAY, look="sixteen"),
    _day("day-ascii", "cart-vat", *DAY, look=ASCII),
    Scene("demo", "demo-agent", ("asks", "/4] ", "1 of 3"), coached=True),
    Scene("small", "demo-agent", ("asks", "demo-shell"), size=SMALL),
    Scene("given", "demo-reader", ("1 note", "Done: cocoa"), ("u",), size=(120, 30)),
    Scene("light", "demo-service", ("INFO",), look="light"),
    Scene("message", "demo-agent", ("then tell me",), ("m", *"when you are done, run the tests", "ctrl+j",
                                                       *"and then tell me what you changed")),
    Scene("vim", "demo-shell", ("FORMAT.format", "typing"), ("a",), before=(VIM,)),
    Scene("changes", "demo-agent", ("+FORMAT",), ("v",), before=(ALLOW, CHOOSE)),
    Scene("log", "demo-service", ("GET /cart",), ("l", "z", "/", *"cart|ERROR", "enter")),
    Scene("new", "demo-agent", (), ("n",)),
    Scene("claude", AGENT, ("Do you want to proceed", "typing"), ("a",), before=(CLAUDE, PROMPT)),
    Scene("large", "demo-agent", ("Done: prices",), size=LARGE),
    Scene("plan", "demo-agent", ("network is gone", "layer"), (":", *"plan release", "enter"), size=(120, 28),
          before=(("apply", RELEASE),)),
    Scene("worktrees", "delivery", ("unmerged", "uncommitted"), (":", *"worktrees", "enter"), size=(120, 18),
          before=WORK),
    Scene("review", "vouchers", ("reduced", "comment"), ("v",), then=(*"j" * 17, "#", *COMMENT)),
    Scene("isolation", "discount/web", ("discount/db", "2 x cup at", "shop at"), ("/", *"discount|header", "enter"),
          size=(120, 15), before=SHOPS),
    Scene("land", "vouchers", ("rebase", "vouchers.py"), ("L",), size=(120, 28)),
    Scene("board", "carts/TSK-001", ("REVIEW 1", "carts/TSK-006"), (":", *"board", "enter"), size=(120, 16),
          before=(("demo", "spec"), ("answer", "carts", "allow"))),
    Scene("notes", "demo-agent", ("pinned", "proposed", "+2 -0"), (":", *"notes", "enter"), size=(120, 16),
          before=NOTES),
    Scene("note", "demo-agent", ("2 versions", "discounts"), (":", *"notes", "enter", "/", *"cents", "enter", "enter"),
          size=(120, 32)),
)  # fmt: skip
WEB_SCENES = (
    WebScene("needs", "needs", ("twine upload",)),
    WebScene("missions", "missions", ("publisher",)),
    WebScene("log", "m/{search}/log", ("Done:",)),
    WebScene("terminal", "m/{demo-shell}/terminal", ("FORMAT",)),
    WebScene("describe", "m/{database}/describe", ("folder",)),
    WebScene("stats", "m/{demo-service}/stats", ("Memory",)),
    WebScene("board", "board", ("vouchers-that-customers-type-in",)),
    WebScene("plans", "plans", ("release",)),
    WebScene("plan", "plan/{release}", ("shop-tests", "the network is gone")),
    WebScene("quests", "quests", ("vouchers-that-customers-type-in",)),
    WebScene("queue", "queue", ("mails-that-are-sent",)),
    WebScene("rituals", "rituals", ("stock-taking",)),
    WebScene("specs", "specs", ("carts",)),
    WebScene("spec", "spec/carts/tasks", ("TSK-003",)),
    WebScene("worktrees", "worktrees", ("uncommitted",)),
    WebScene("changes", "changes/{vouchers}", ("vouchers.py", COMMENT), comment=("checkout.py", 7, COMMENT)),
    WebScene("timeline", "timeline", ("carts",)),
    WebScene("events", "events", ("demo-worker",)),
    WebScene("cost", "cost", ("reviewer",)),
    WebScene("memory", "memory", ("proposed",)),
    WebScene("health", "health", ("demo-service",)),
    WebScene("doctor", "doctor", ("home",)),
)
"""Every page of the dashboard, in a home of its own: its agents still ask."""
WEB_BEFORE = (CLAUDE, ("apply", RELEASE), ("demo", "spec"), *WORK, *NOTES, VIM)
"""What is given before the dashboard is drawn, besides what `afternoon` begins."""
