"""Texts to read: what is known about a mission, what happened, the keys, the commands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from overmind_core.domain.marks import MARKS
from overmind_tui import actions, registry
from overmind_tui.actions import Context
from overmind_tui.view.cells import Cell, Row, safe

Lines = list[list[Cell]]

LABEL = 26
"""Cells of a name before its value."""
_FIRST = ("name", "id", "status", "reason", "now", "command", "cwd", "os_pid", "parent", "children", "labels",
          "started_at", "ended_at", "exit_code", "restart_count", "next_restart_at")  # fmt: skip


def describe(info: Mapping[str, Any]) -> Lines:
    """Everything that `info` says, the interesting first, and the runs as a table; what is not set is left out."""
    keys = [key for key in _FIRST if key in info]
    keys += sorted(key for key in info if key not in {*_FIRST, "runs"})
    lines = [_pair(key, info[key]) for key in keys if info[key] not in (None, "", [], {})]
    lines += [[], [Cell("  runs", "title")]]
    for run in reversed(info.get("runs", [])):
        ended = f"{run['ended_at']}  exit {safe(run['exit_code'])}" if run["ended_at"] else f"now, pid {run['os_pid']}"
        text = f"  {run['number']:>4}  {safe(run['started_at'])} – {ended}  {safe(run['reason'])}"
        lines.append([Cell(text, "bad" if run["exit_code"] else "")])
    return lines


def events(items: Iterable[Row]) -> Lines:
    """One line per event, the newest last."""
    return [_event(item) for item in items]


def help_lines(context: Context, *, read_only: bool) -> Lines:
    """The keys of a context, then those of everywhere, and what the marks mean."""
    lines: Lines = []
    order = dict.fromkeys((context, Context.TABLE, Context.EVERYWHERE))
    shown = [one for one in order if one is not Context.TABLE or context is Context.MISSIONS]
    for one in shown:
        lines += [[Cell(f" {one.value}", "title")]]
        for action in actions.ACTIONS:
            if action.context is one and actions.allowed(action, read_only=read_only):
                keys = " ".join(actions.shown_key(key) for key in action.keys)
                danger = "" if action.danger is actions.Danger.NONE else f"  ({action.danger.value})"
                lines.append([Cell(f"   {keys:<14}", "key"), Cell(action.summary), Cell(danger, "slow")])
        lines.append([])
    lines.append([Cell(" marks", "title")])
    lines += [[Cell(f"   {mark.mark} {mark.ascii}           ", mark.tone), Cell(mark.word)] for mark in MARKS]
    lines += [[], [Cell("   shift and drag selects text with the terminal's own mouse", "quiet")]]
    return lines


def aliases(*, read_only: bool) -> Lines:
    """What `:` takes."""
    lines: Lines = [[Cell(" views", "title")]]
    for view in registry.VIEWS.values():
        lines.append(
            [Cell(f"   :{view.name:<14}", "key"), Cell(f"{view.summary}  "), Cell(", ".join(view.aliases), "quiet")]
        )
    lines += [
        [],
        [Cell(" verbs, as on the command line; without ids they mean the marked rows, else the cursor's", "title")],
    ]
    for verb in actions.VERBS.values():
        if not read_only or verb.danger is actions.Danger.NONE:
            danger = "" if verb.danger is actions.Danger.NONE else f"  ({verb.danger.value})"
            lines.append([Cell(f"   :{verb.name:<14}", "key"), Cell(verb.summary), Cell(danger, "slow")])
    return lines


def plain(text: str) -> Lines:
    """What a program printed, literally."""
    return [[Cell(safe(line.expandtabs()))] for line in text.splitlines()]


def _pair(key: str, value: object) -> list[Cell]:
    return [Cell(f"  {key:<{LABEL}}", "quiet"), Cell(safe(_said(value)))]


def _said(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.15g}"
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


def _event(item: Row) -> list[Cell]:
    known = {"seq", "at", "type", "mission", "name", "run", "out", "err", "text"}
    more = "  ".join(f"{key}={safe(value)}" for key, value in item.items() if key not in known and value is not None)
    tone = {"crashed": "bad", "spawn_failed": "bad", "restart": "slow", "restarting": "slow"}.get(
        item["type"], "accent"
    )
    return [
        Cell(f" {safe(item['at'])[11:19]} ", "faint"),
        Cell(f"{item['type']:<14}", tone),
        Cell(f" {safe(item.get('name')):<22} "),
        Cell(safe(item.get("text")) or more, "quiet"),
    ]
