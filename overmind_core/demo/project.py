"""The demonstration: a row for each of its missions, and the folder that they work in, below the home.

The folder holds a small project under git, in which a price loses its cents, and the programs that work in it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time

from overmind_core.demo import stock

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from typing import Any


LABEL = "demo"
"""The key of the label that each of them has; its value is the part's name."""
SHOP = "shop"
"""Where all missions stand."""
AGENT = "bin/agent"
BASHRC = "bashrc"
LEARNER, READER = "learner", "reader"
AGENTS = {LEARNER: "bin/learner", READER: "bin/reader"}
"""The agents of the demonstration's notes."""
PROMPTS = {
    LEARNER: "Add tea to stock.json: 12 packets of a quarter of a kilogram",
    READER: "Add cocoa to stock.json: 8 packets of half a kilogram; ./check-stock must pass",
}
PROMPT = "The shop's prices lose their cents: fix that, and prove it with a test"


class DemoMission:
    """One mission.

    Args:
        name: The label's value; the mission's name is `demo-<name>` where that is free.
        about: What there is to see, in a few words.
        request: What the request `run` says of it.
        environment: Variables of this mission alone.
    """

    __slots__ = ("about", "environment", "name", "request")

    def __init__(
        self, name: str, about: str, request: Mapping[str, Any], environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.about = about
        self.request = request
        self.environment = environment or {}


def demo_missions(*, root: str, shell: str) -> tuple[DemoMission, ...]:
    """All that are started; the agent starts one more, `tests`, and the learner starts the reader.

    Args:
        root: The folder of the demonstration.
        shell: The program of the shell session, bash where there is one.
    """
    rc = ["--rcfile", f"../{BASHRC}"] if shell == "bash" else []
    return (
        DemoMission(
            "agent",
            "a scripted agent: works, asks you twice, answers messages",
            {"provider": "claude", "type": "session", "command": PROMPT, "restart": "on-failure"},
            {"OVERMIND_CLAUDE_BIN": f"{root}/{AGENT}"},
        ),
        DemoMission(
            LEARNER,
            "an agent that learns something; the next one, demo-reader, is given its note",
            {"provider": "claude", "command": PROMPTS[LEARNER]},
            {"OVERMIND_CLAUDE_BIN": f"{root}/{AGENTS[LEARNER]}"},
        ),
        DemoMission("build", "a build that shows its progress and succeeds", {"command": ["./build"]}),
        DemoMission("service", "a service that writes its log", {"command": ["./serve"], "restart": "always"}),
        DemoMission(
            "worker",
            "a flaky worker: it crashes now and then, and is restarted each time",
            {"command": ["./worker"], "restart": "on-failure", "backoff": 1500},
        ),
        DemoMission("shell", "a shell on a terminal", {"type": "session", "command": [shell, *rc]}),
    )


NAMES = frozenset({"agent", LEARNER, READER, "build", "service", "worker", "shell", "tests"})
"""Values of the label."""


def is_demo_mission(row: Mapping[str, Any], root: str) -> bool:
    """Whether a row of `ps` is one of ours: by label and by folder, for both names and labels are free to all."""
    return row["labels"].get(LABEL) in NAMES and (row["cwd"] == root or row["cwd"].startswith(f"{root}/"))


def free_name(part: str, taken: Container[str]) -> str:
    """`demo-build`, or with a number behind it."""
    number, name = 2, f"{LABEL}-{part}"
    while name in taken:
        name, number = f"{LABEL}-{part}-{number}", number + 1
    return name


PRICES = '''"""What things cost."""

PRICES = {"apple": 45, "bread": 319, "coffee": 1299}
"""Cents."""
FORMAT = "{amount} €"


def shown(cents: int) -> str:
    """A price as a customer reads it."""
    return FORMAT.format(amount=cents // 100)
'''

TESTS = '''"""What customers were promised."""

import unittest

from prices import PRICES, shown


class Prices(unittest.TestCase):
    def test_everything_costs_something(self):
        self.assertTrue(all(PRICES.values()))
'''

README = """# A shop

`prices.py` says what things cost, `./test` proves it.
"""

SOURCES = {
    "prices.py": PRICES,
    "test_prices.py": TESTS,
    "README.md": README,
    stock.STOCK: stock.SOURCE,
    ".gitignore": "dist/\n__pycache__/\n",
}
"""File → text, as they are when the demonstration begins."""

NEW_TEST = """
    def test_cents_are_shown(self):
        self.assertIn("3.19", shown(319))
"""
"""What the agent adds to the tests."""
LOST_CENTS = "amount=cents // 100"
KEPT_CENTS = 'amount=f"{cents / 100:.2f}"'
FORMAT = 'FORMAT = "{amount} €"'
FORMATS = {
    "3.19 €": ("symbol after the amount, as now", FORMAT),
    "€3.19": ("symbol before the amount", 'FORMAT = "€{amount}"'),
    "EUR 3.19": ("no symbol, for old tills", 'FORMAT = "EUR {amount}"'),
}
"""How a price may look → why, and the line that makes it so."""


SESSIONS = "sessions"
"""What the agent remembers."""
PROGRAMS = {
    f"{SHOP}/build": "build",
    f"{SHOP}/serve": "service",
    f"{SHOP}/worker": "worker",
    f"{SHOP}/test": "tests",
    f"{SHOP}/check-stock": "stock",
    AGENT: "agent",
    **{path: f"note_agent {role}" for role, path in AGENTS.items()},
}
"""File → the module that it runs."""

_BASHRC = r"""unset HISTFILE
PS1='\[\e[32m\]\W\[\e[0m\] ❯ '
printf 'A real shell in %s.\n' "$PWD"
git log --oneline 2>/dev/null
ls -C
"""
_GIT_SECONDS = 20.0
_DAY = 86400


def write(root: str, environ: Mapping[str, str]) -> None:
    """Make the folder as it is at the beginning; what is there already is overwritten.

    Raises:
        OSError: it can't be written.
    """
    for folder in (SESSIONS, os.path.dirname(AGENT)):
        os.makedirs(os.path.join(root, folder), mode=0o700, exist_ok=True)
    write_shop(root, SOURCES, PROGRAMS)
    put(os.path.join(root, BASHRC), _BASHRC)
    if not os.path.isdir(os.path.join(root, SHOP, ".git")):
        begin_history(os.path.join(root, SHOP), environ)


def write_shop(root: str, sources: Mapping[str, str], programs: Mapping[str, str]) -> None:
    """Write its sources, and the programs beside it: file below `root` → the module that it runs, and its words.

    Raises:
        OSError: they can't be written.
    """
    shop = os.path.join(root, SHOP)
    os.makedirs(shop, mode=0o700, exist_ok=True)
    for name, text in sources.items():
        put(os.path.join(shop, name), text)
    for name, module in programs.items():
        words = shlex.join([sys.executable, "-P", "-m", *shlex.split(f"overmind_core.demo.{module}")])
        put(os.path.join(root, name), f'#!/bin/sh\nexec {words} "$@"\n', mode=0o700)


def remove(root: str) -> bool:
    """Remove it; whether there was any."""
    there = os.path.isdir(root)
    shutil.rmtree(root, ignore_errors=True)
    return there


def put(path: str, text: str, *, mode: int = 0o600) -> None:
    """Write a file, whatever the umask is."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode)


def begin_history(shop: str, environ: Mapping[str, str], *, settings: Mapping[str, str] | None = None) -> bool:
    """Put it under git, with settings of its own, so that changes show; without git there are none to see."""
    git = shutil.which("git", path=environ.get("PATH"))
    if git is None:
        return False
    who = ["-c", "user.name=demo", "-c", "user.email=demo@localhost"]
    clean = {name: value for name, value in environ.items() if not name.startswith("GIT_")}
    yesterday = f"{int(time.time()) - _DAY} +0000"  # what the agent changes is new, this is not
    clean |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    clean |= {"GIT_AUTHOR_DATE": yesterday, "GIT_COMMITTER_DATE": yesterday}
    chosen = [["config", name, value] for name, value in (settings or {}).items()]
    first = [["add", "-A"], [*who, "commit", "-q", "-m", "the shop opens"]]
    for words in (["init", "-q", "-b", "main"], *chosen, *first):
        done = subprocess.run(
            [git, *words], cwd=shop, env=clean, capture_output=True, timeout=_GIT_SECONDS, check=False
        )
        if done.returncode:
            return False
    return True
