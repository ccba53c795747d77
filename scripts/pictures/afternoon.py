"""What else the dashboard shows of an afternoon: agents that ask, have spent or wait, and work of every kind."""

from __future__ import annotations

from typing import Any

from scripts.pictures.agents import scripted, until_asked
from scripts.pictures.colony import Colony

TABLES = [
    {"label": "PostgreSQL", "description": "a server that all instances of the shop share"},
    {"label": "SQLite", "description": "a file beside the shop; one writer at a time"},
]
KEPT = [
    {"label": "Baskets", "description": "so that a customer finds them again"},
    {"label": "Searches", "description": "for a week, without names"},
    {"label": "Vouchers", "description": "which customer has used which"},
]
PLAN = """Move the prices into a table of their own

1. A test that shows what is wrong today: 3.19 € is shown as 3 €
2. `prices.py` reads the table once, and keeps cents as whole numbers
3. The importer writes the table; the old file stays for a week
4. The shop's pages change last, each with its test"""
SCRIPT: dict[str, Any] = {
    "quests": {
        "database": [
            {"say": "The shop keeps its baskets in a file today, and two servers overwrite each other's."},
            {"cost": 0.84},
            {"ask": "AskUserQuestion", "input": {"questions": [
                {"question": "Where are baskets kept?", "header": "Store", "multiSelect": False, "options": TABLES},
                {"question": "What else belongs there?", "header": "More", "multiSelect": True, "options": KEPT},
            ]}},
        ],
        "prices": [
            {"tool": "Read", "file": "prices.py", "result": "ok"},
            {"cost": 0.31},
            {"ask": "ExitPlanMode", "input": {"plan": PLAN}},
        ],
        "publisher": [
            {"tool": "Bash", "command": "./build", "result": "shop-1.4.0.whl"},
            {"cost": 0.12},
            {"ask": "Bash", "command": "twine upload --repository shop dist/shop-1.4.0.whl && git push origin v1.4.0"},
        ],
        "reviewer": [{"say": "I have read half of the change."}, {"cost": 1.9}, {"limit": 7200}],
        "search": [
            {"tool": "Grep", "input": {"pattern": "def search"}, "result": "3 files"},
            {"cost": 0.57},
            {"say": "Done: the search finds umlauts without their dots, 12 tests pass. Shall I do the same for names?"},
            {"listen": True},
        ],
    }
}  # fmt: skip
ASKING = {"database", "prices", "publisher"}
"""Agents that ask, sooner or later."""
GATES = {"carts"}
"""The spec, whose tasks are to be read by a person."""
QUESTS = (
    ("Vouchers that customers type in", "sleep 900", ("--priority", "high")),
    ("Prices in two currencies", "sleep 900", ()),
    ("Export the stock as a table", "echo 212 articles", ()),
    ("Import the old shop's customers", "echo row 17 has no name; exit 3", ("--retries", "0")),
    ("Show who bought what, with a name that is longer than any card of the board is wide", "sleep 900", ()),
    ("Mails that are sent when a parcel leaves", "sleep 900", ("--priority", "low")),
)


def begin(here: Colony) -> None:
    """Start all of it, and wait until its agents ask."""
    until_asked(here, GATES)  # before quests take the slots that the spec needs
    _agents(here)
    for title, command, options in QUESTS:
        here.overmind("quest", "add", *options, title, "--", "sh", "-c", command)
    here.overmind("run", "--name", "importer", "--", "sh", "-c", "echo row 17 has no name; exit 3")
    for name, when in (("nightly", "0 3 * * *"), ("stock-taking", "0 18 * * fri")):
        here.overmind("ritual", "create", name, when, "--", "sh", "-c", "echo 212 articles, all there")
    here.overmind("ritual", "run", "nightly")
    until_asked(here, ASKING)


def _agents(here: Colony) -> None:
    prompts = {
        "database": "Baskets get lost between the two servers: find out why",
        "prices": "Plan how prices get a table of their own",
        "publisher": "Publish 1.4.0 of the shop",
        "reviewer": "Review what the others changed since noon",
        "search": "The search misses Käse when I type Kase",
    }
    played = scripted(here, SCRIPT)
    for name, prompt in prompts.items():
        played.overmind("claude", "run", "--type", "session", "--name", name, "--cwd", here.project, prompt)
