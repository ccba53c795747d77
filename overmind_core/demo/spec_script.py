"""The script of the agents that do the spec `carts`: six tasks that meet whatever can happen to such work.

It goes on by what has happened, never by the time alone: who waits for something goes on working meanwhile, and looks
at the event log. Whatever does not come, such as a worktree beside its own where there is one slot, is given up.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import Any

from overmind_core.demo import spec_documents as shop

Steps = list[dict[str, Any]]

RECENT = "10m"
"""How far back is looked in the event log."""
PATIENCE = 90
"""Times that something is looked for; about as many seconds."""
STUBBORN = 150
"""Times that the one who is stuck tries the same before it finds the way out by itself."""
BUG = "prices.py: `shown` drops the cents, so 3.19 is shown as 3 €"
OVERMIND = [sys.executable, "-P", "-m", "overmind_core.cli"]


def script() -> dict[str, Any]:
    """The script, as `demo/script.py` reads it."""
    return {
        "phases": {
            "explore": _handed_in("explore", shop.EXPLORE, "Let me look at the shop first.", reads=("README.md",)),
            "requirements": {
                "1": _handed_in("requirements", shop.WEAK_REQUIREMENTS, "Let me write down the requirements."),
                "2": _handed_in("requirements", shop.REQUIREMENTS, "The feedback says what is missing.",
                                reads=("feedback.md",)),
            },
            "design": _handed_in("design", shop.DESIGN, "Three small modules."),
            "tasks": _handed_in("tasks", shop.TASKS, "Six tasks."),
        },
        "tasks": {
            "TSK-001.1": _stuck(),
            "TSK-001": _steered(),
            "TSK-002.1": _fails_its_check(),
            "TSK-002": _fixed(),
            "TSK-003": _reports(),
            "TSK-004.1": _changes_the_menu("cart"),
            "TSK-004": _merges(),
            "TSK-005.1": [*_writes("checkout.py", shop.CHECKOUT), *_changes_the_menu("checkout")],
            "TSK-005": _merges(),
            "TSK-006": [_works(1), {"write": "README.md", "text": shop.ABOUT_CARTS, "append": True},
                        {"say": "The readme names carts."}],
        },
        "*": _mends_the_bug(),
    }  # fmt: skip


def _works(seconds: float) -> dict[str, Any]:
    return {"sleep": seconds}


def _handed_in(phase: str, document: dict[str, Any], summary: str, *, reads: Sequence[str] = ()) -> Steps:
    """One that writes the document of a phase."""
    return [
        {"say": summary},
        *({"read": name} for name in ("brief.md", *reads)),
        _works(1),
        {"output": f"{phase}.json", "data": document},
        {"say": f"Handed in {phase}.json."},
    ]


def _writes(name: str, text: str, test: str = "") -> Steps:
    """One who writes a module, and its test."""
    return [
        _works(1),
        {"write": name, "text": text},
        *([{"write": f"test_{name}", "text": test}] if test else []),
    ]


def _stuck() -> Steps:
    """The same failing test again and again, and a file that is not its own."""
    return [
        {"say": "A cart is a mapping of a thing to its number."},
        *_writes("cart.py", shop.CART_WITHOUT_TOTAL, shop.TEST_CART),
        {"write": "README.md", "text": "\nTODO: ask somebody how `total` works.\n", "append": True},
        {"say": "The test fails. Perhaps it passes the next time."},
        {"call": "./test", "times": STUBBORN, "unless": _report("answered", "TSK-001", '"deny"')},
        {"say": "Nobody minds, so I find out by myself."},
        *_goes_on_with_the_cart(),
    ]


def _steered() -> Steps:
    """The attempt that reads what the guardian has said."""
    return [
        {"read": "feedback.md"},
        {"say": "I was repeating myself: `total` is missing. And the readme is not mine: back it goes."},
        *_goes_on_with_the_cart(),
        _until(_report("steer", "TSK-001", '"helped"', '"unchanged"', '"worse"'), "cart.py", shop.CART),
    ]


def _goes_on_with_the_cart() -> Steps:
    return [
        {"call": "git checkout -q -- README.md"},
        *_writes("cart.py", shop.CART, shop.TEST_CART),
        {"call": "./test"},
        {"say": "The cart counts, and sums up."},
    ]


def _fails_its_check() -> Steps:
    return [
        {"say": "A file of JSON for each visitor."},
        _works(12),
        *_writes("store.py", shop.STORE_WITHOUT_FOLDER, shop.TEST_STORE),
        {"say": "Done; the check will say whether it works."},
    ]


def _fixed() -> Steps:
    return [
        {"read": "feedback.md"},
        {"say": "The check says it: the folder may not be there yet."},
        *_writes("store.py", shop.STORE, shop.TEST_STORE),
        {"call": "./test"},
    ]


def _reports() -> Steps:
    return [
        {"say": "A line for each thing, with its price."},
        _works(9),
        *_writes("page.py", shop.PAGE, shop.TEST_PAGE),
        {"read": "prices.py"},
        {"say": "This is not my task, so I report it."},
        {
            "report": "bug",
            "text": BUG,
            "title": "Prices lose their cents",
            "evidence": ["prices.py:10"],
            "times": PATIENCE,
            "unless": _report("report", "TSK-003"),
        },
        {"call": "./test"},
    ]


def _mends_the_bug() -> Steps:
    """Who does what was reported."""
    from overmind_core.demo.project import KEPT_CENTS, LOST_CENTS, NEW_TEST, PRICES, TESTS  # noqa: PLC0415 - as below

    return [
        {"say": "`cents // 100` drops the cents."},
        _works(1),
        {"write": "prices.py", "text": PRICES.replace(LOST_CENTS, KEPT_CENTS)},
        {"write": "test_prices.py", "text": TESTS.rstrip("\n") + "\n" + NEW_TEST},
        {"call": "./test"},
    ]


def _changes_the_menu(name: str) -> Steps:
    """One of two who change one line; each goes on until somebody has noticed."""
    menu = shop.pages("prices", name)
    return [
        _works(1),
        {"write": "pages.py", "text": menu},
        {"say": f"The menu has the page {name}."},
        _until(_report("overlap", ""), "pages.py", menu),
    ]


def _merges() -> Steps:
    """The one of them that comes second merges what has landed, and keeps both."""
    return [
        {"read": "feedback.md"},
        {"say": "Somebody else has changed the menu, too: I merge, and keep both pages."},
        {"call": 'git merge -q --no-edit "spec/$OVERMIND_SPEC"'},
        _works(1),
        {"write": "pages.py", "text": shop.pages("prices", "cart", "checkout")},
        {"commit": "Merge the branch of the spec: the menu has both pages"},
        {"call": "./test"},
    ]


def _until(looks: str, name: str, text: str) -> dict[str, Any]:
    """Go on with a file of its own until something has happened."""
    return {"write": name, "text": text, "times": PATIENCE, "unless": looks}


def _report(kind: str, task: str, *words: str) -> str:
    """A line of shell that succeeds once the log has an event of a kind, about a task of this spec, with a word."""
    about = f'"name":"\'"$OVERMIND_SPEC"\'/{task}'
    parts = [f'grep -F \'"type":"{kind}"\'', f"grep -F '{about}'"]
    if words:
        parts.append("grep -F " + " ".join(f"-e {shlex.quote(one)}" for one in words))
    return f"{shlex.join(OVERMIND)} events --since {RECENT} | " + " | ".join(parts) + " | grep -q ."
