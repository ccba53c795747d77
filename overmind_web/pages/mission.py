"""One mission: who it is and what can be asked of it, its description, its load, and what a new one begins with."""

from __future__ import annotations

import os
import shutil
import time
from typing import Any

from overmind_core.domain.agents.agent import RAW
from overmind_core.errors import OvermindError
from overmind_core.providers import registry
from overmind_core.view import describe, numbers
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.describe import Rendering
from overmind_web.live.feed import Change
from overmind_web.live.messages import Open
from overmind_web.live.pane import ContentPane, PaneContext
from overmind_web.pages.arguments import text

AGENTS = registry.names()[1:]
"""Agents whose programs can be started; those that are installed are named first."""
_RUNS = frozenset({"running", "paused"})
"""Status of one whose timeout counts."""
_FULL_CORE = 100.0
"""Percent: the top of the curve of the processor, where it isn't higher."""


def started_in() -> str:
    """Return the folder in which the server was started; in the background it runs in `/`, and PWD has it."""
    folder = os.getcwd()
    return os.environ.get("PWD", folder) if folder == "/" else folder


def _named(args: dict[str, Any]) -> str:
    """The mission that a pane is about.

    Raises:
        OvermindError: `invalid`, it names none.
    """
    named = args.get("id")
    if not isinstance(named, str) or not named:
        raise OvermindError("invalid", "Name a mission.")
    return named


def toned(lines: list[list[Cell]]) -> list[list[tuple[str, str]]]:
    """Lines of cells as a page draws them: pairs of a text and its tone."""
    return [[(cell.text, cell.tone or "") for cell in line] for line in lines]


class OfMission(ContentPane):
    """A pane about one mission, loaded again when that changed. Args of the page: `id`, its id or name."""

    def __init__(self, context: PaneContext, opened: Open) -> None:
        super().__init__(context, opened)
        self.mission = text(self.args, "id")
        """Its id, once it was loaded."""

    def concerns(self, change: Change) -> bool:
        """Whether it may show something else."""
        return change.everything or self.mission in change.missions


class MissionPane(OfMission):
    """The head of a mission: name, state and since when, cost, and what can be asked of it now."""

    async def load(self) -> object:
        """Return it."""
        named = _named(self.args)
        rows: list[Row] = await self.context.call("ps", {"ids": [named]})
        self.mission = str(rows[0]["id"])
        return head(rows[0], time.time())


def head(row: Row, now: float) -> dict[str, object]:
    """The facts at the head of a mission's page. Pure; `now` in seconds since the epoch."""
    mark = missions_rows.mark(row)
    live = missions_rows.is_live(row)
    return {
        "id": row["id"],
        "name": safe(row["name"]),
        "mark": mark.word,
        "tone": missions_rows.tone(row),
        "state": missions_rows.state(row, now),
        "since": now - missions_rows.held(row, now) if live else None,
        "run_since": now - missions_rows.lasted(row, now) if row["status"] in _RUNS else None,
        "cost": numbers.cost_of(row),
        "live": live,
        "session": row["type"] == "session",
        "agent": row["provider"] != RAW,
        "frozen": row["status"] == "paused",
        "terminal": bool(row["tty"]) or bool(row["interactive"]),
        "worktree": bool(row.get("isolation")),
        "folder": row["cwd"],
    }


class DescribePane(OfMission):
    """All that is known of a mission, in the words of the full-screen program; no values of its environment."""

    async def load(self) -> object:
        """Return its lines."""
        info = await self.context.call("info", {"id": _named(self.args)})
        self.mission = str(info["id"])
        return {"lines": toned(describe.lines(info, None, Rendering(time.time())))}


class StatsPane(OfMission):
    """The load of a mission in the last minutes."""

    async def load(self) -> object:
        """Return each figure with its curve."""
        rows: list[Row] = await self.context.call("ps", {"ids": [_named(self.args)], "wide": True, "history": True})
        self.mission = str(rows[0]["id"])
        return stats(rows[0], time.time())


def stats(row: Row, now: float) -> dict[str, object]:
    """Processor, memory and output with their samples, the newest last, and other figures. Pure."""
    history = row["history"]
    output = numbers.size(row.get("output_bytes_per_second") or None) or "0"
    figures = [
        {"title": "Processor", "value": numbers.percent(row.get("cpu_percent")) or "0%", "tone": "good",
         "samples": history["cpu_percent"], "top": _FULL_CORE},
        {"title": "Memory", "value": numbers.size(row.get("memory_bytes") or None) or "0", "tone": "calm",
         "samples": history["memory_bytes"], "top": 0},
        {"title": "Output", "value": f"{output}B/s", "tone": "slow",
         "samples": history["output_bytes_per_second"], "top": 0},
    ]  # fmt: skip
    tokens = row.get("tokens")
    facts = [
        ("state", missions_rows.since(row, now)),
        ("restarts", str(row["restart_count"] or "")),
        ("exit code", "" if row["exit_code"] is None else str(row["exit_code"])),
        ("cost", numbers.cost_of(row)),
        ("tokens", "" if not tokens else f"{numbers.size(tokens['input'])} in, {numbers.size(tokens['output'])} out"),
        ("command", safe(row["command"])),
        ("folder", safe(row["cwd"])),
    ]
    return {"figures": figures, "facts": [(label, value) for label, value in facts if value]}


class NewPane(ContentPane):
    """What the form of a new mission begins with: agents, and a folder."""

    async def load(self) -> object:
        """Return it."""
        programs = {name: os.environ.get(f"OVERMIND_{name.upper()}_BIN") or name for name in AGENTS}
        found = {name: shutil.which(program) is not None for name, program in programs.items()}
        agents = [
            {"name": name, "missing": not there} for name, there in sorted(found.items(), key=lambda one: not one[1])
        ]
        return {"agents": agents, "folder": started_in()}
