"""Pictures of the tables and texts that `:` opens, and of the line itself, in 80x24 and 120x40."""

from __future__ import annotations

import json
import tomllib
from typing import Any, ClassVar

import pytest

from overmind_tui.command_line.jobs import Outcome
from overmind_tui.shell import settings
from tests.kit.pictures import SIZES
from tests.tui.conftest import until
from tests.tui.test_pictures import AGENTS, INFO, ROWS, Still, settle

KEYS = {":": "colon", "/": "slash", "?": "question_mark", " ": "space", "(": "left_parenthesis", "-": "minus"}
TOP: list[Any] = [
    {"id": row["id"], "name": row["name"], "status": row["status"], "cpu_percent": row["cpu_percent"],
     "memory_bytes": row["memory_bytes"], "output_bytes_per_second": 312 * at, "processes": 1 + at,
     "cost_usd": row.get("cost_usd"), "tokens": {"input": 120_000 * at, "output": 800} if row.get("cost_usd") else None}
    for at, row in enumerate(ROWS)
    if row["status"] in {"running", "restarting", "paused"}
]  # fmt: skip
COST: list[Any] = [
    {"key": row["id"], "name": row["name"], "cost_usd": row["cost_usd"], "turns": 3 + at,
     "input_tokens": 12_000 * (at + 1), "output_tokens": 900 * at}
    for at, row in enumerate(AGENTS)
    if row.get("cost_usd")
]  # fmt: skip
HOSTILE: Any = {"seq": 9, "at": "2026-01-01T00:00:09.000Z", "type": "message", "mission": "00000005",
                "name": "日本-worker", "text": "a [red]R[/red] [/] [b \x1b[31m \u202e evil"}  # fmt: skip
DOCTOR = [
    {"check": "python", "status": "ok", "found": "3.11.7 (/usr/bin/python3)", "mend": None},
    {"check": "git", "status": "ok", "found": "git version 2.39.5", "mend": None},
    {"check": "claude", "status": "warn", "found": "not found on PATH",
     "mend": "to use it: npm install -g @anthropic-ai/claude-code"},
    {"check": "tmux set-clipboard", "status": "warn", "found": "external", "mend": "set -g set-clipboard on"},
    {"check": "home", "status": "fail", "found": "/srv/[red]home[/red], mode 0755", "mend": "chmod 700 it"},
]  # fmt: skip
OWN = """
[tui.hotkeys]
f2 = "top"
"ctrl-t" = { line = "events /crashed", context = "missions" }
[tui.aliases]
mine = "missions label=owner=me"
"""


LINK = {"url": "http://127.0.0.1:7600/#link=2VEhJ5XMvkOqjGMAwo9s3p-saIAlmUieHbZn4kb7e9U", "name": None,
        "read_only": False, "expires_at": "2026-01-01T00:10:00.000Z"}  # fmt: skip


def looked(name, calls, on_result):
    """The doctor's answer, or a link, at once."""
    del name
    on_result(Outcome(json.dumps(LINK), 0) if "web" in calls[0] else Outcome(json.dumps(DOCTOR), 1))


class Tables(Still):
    """The program with answers of its own for each table."""

    other_answer: ClassVar[Any] = []
    answers: ClassVar[dict[str, Any]] = {"top": TOP, "cost": COST, "info": INFO}

    def _start(self):
        super()._start()
        self.fleet.events.append(HOSTILE)
        self.notice.clear()
        self.live.now = settings.read(tomllib.loads(OWN)["tui"])
        self.jobs.start = looked  # type: ignore[method-assign]


class Nothing(Tables):
    """The same with nothing in any table."""

    answers: ClassVar[dict[str, Any]] = {"info": INFO}

    def _start(self):
        super()._start()
        self.fleet.events.clear()


async def typed(pilot, *parts):
    """Lines and keys, one after the other."""
    await settle(pilot)
    for part in parts:
        if part[0] in ":/":
            await pilot.press(KEYS[part[0]])
            await settle(pilot)
            pilot.app.screen.paste(part[1:])
        else:
            await pilot.press(part)
        await settle(pilot)


VIEWS = {
    "top": (":top", "enter"),
    "top_wide_filtered": (":top", "enter", "space", "/a", "enter"),
    "cost": (":cost", "enter"),
    "cost_by_name": (":cost day", "enter", ">", "<", "O"),
    "events": (":events", "enter"),
    "events_filtered": (":events /crashed", "enter"),
    "event": (":events", "enter", "enter"),
    "doctor": (":doctor", "enter"),
    "web": (":web", "enter"),
    "aliases": ("ctrl+a",),
    "aliases_filtered": ("ctrl+a", "/stop", "enter"),
    "help": ("question_mark",),
    "help_of_a_table": (":events", "enter", "question_mark"),
    "ghost": (":top", "enter", ":restart --l"),
    "unknown": (":top", "enter", ":restrat", "enter"),
    "broken": (":top", "enter", "/(a"),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
def test_table(pictured, view, size):
    async def press(pilot):
        await typed(pilot, *VIEWS[view])

    assert pictured(Tables(), size, press)


def _is_empty(app):
    return app.screen is not app.main and not app.screen.is_filling


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", ["top", "cost", "events"])
def test_empty(pictured, view, size):
    async def press(pilot):
        await typed(pilot, f":{view}", "enter")
        await until(pilot, lambda: _is_empty(pilot.app), what="that nothing came")

    assert pictured(Nothing(), size, press)


@pytest.mark.parametrize("view", ["top", "events", "aliases"])
def test_light(snap_compare, view):
    async def press(pilot):
        await typed(pilot, f":{view}", "enter")

    assert snap_compare(Tables(theme="light"), terminal_size=(120, 40), run_before=press)
