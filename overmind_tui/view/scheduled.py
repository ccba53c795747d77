"""Everything known about a quest, a ritual or one run of a ritual, for reading. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from overmind_tui.view import amounts, columns, missions, quests, rituals
from overmind_tui.view.cells import Cell, Row, safe
from overmind_tui.view.description import Lines, Look, clock, pairs
from overmind_tui.view.missions import Branch

Info = Mapping[str, Any]
LATE = {"one": "runs once for all that were missed", "none": "does not run"}
OVERLAP = {"skip": "is skipped", "queue": "waits for its end"}
"""What becomes of a time that comes while the run before goes on."""


def quest(info: Info, look: Look) -> Lines:
    """As the request `quest` answers."""
    row = dict(info)
    word = "checking" if row.get("phase") == "check" else missions.mark(row).word
    lasted = f"{'after' if row['ended_at'] else 'for'} {amounts.ticking(quests.lasted(row, look.now))}"
    return [
        _title(row["name"], row["id"]),
        _state(row, word, lasted, quests.why(row), look),
        *pairs(
            ("command", row["command"]),
            ("folder", row["cwd"]),
            ("program", None if row["provider"] == "raw" else row["provider"]),
            ("check", row["check"]),
            ("tries", f"{row['attempts']} of {row['retries'] + 1}" if row["retries"] else None),
            ("exit code", row["exit_code"]),
            ("began", clock(row["started_at"], look)),
            ("ended", clock(row["ended_at"], look)),
            ("ritual", row["ritual"]),
            ("mission", _mission(row)),
            ("mission of check", row["check_id"]),
        ),
    ]


def ritual(info: Info, look: Look) -> Lines:
    """As the request `ritual` answers."""
    row = dict(info)
    upcoming = [safe(one["local"]) for one in row.get("upcoming") or ()]
    left = rituals.left(row, look.now)
    due = f"· next in {rituals.countdown(left)}" if 1 <= left < float("inf") else ""
    kept = rituals.runs(row.get("runs") or ())
    return [
        _title(row["name"], ""),
        _state(row, rituals.state(row), due, "", look),
        *pairs(
            ("command", row["command"]),
            ("folder", row.get("cwd")),
            ("begins", f"a {row['kind']}"),
            ("check", row.get("check")),
            ("tries", row["retries"] + 1 if row.get("retries") else None),
            ("schedule", f"{row['schedule']}  {row['zone']}"),
            ("next", None if row["paused"] else "\n".join(upcoming) or row["next_local"] or "never"),
            ("while one runs", f"the next {OVERLAP.get(row['overlap'], row['overlap'])}"),
            ("late", LATE.get(row["catch_up"], row["catch_up"])),
            ("kept runs", row["keep"]),
            ("created", clock(row["created_at"], look)),
        ),
        *_runs(kept, look),
    ]


def run(info: Info, look: Look) -> Lines:
    """As `rituals.runs` has it."""
    row = dict(info)
    lasted = rituals.lasted(row, look.now) if row["started_at"] else 0.0
    said = f"{'after' if row['ended_at'] else 'for'} {amounts.ticking(lasted)}" if row["started_at"] else ""
    return [
        _title(row["name"], ""),
        _state(row, missions.mark(row).word, said, rituals.why(row), look),
        *pairs(
            ("run", row["number"]),
            ("due", row["due_local"]),
            ("begun by", row["trigger"].replace("_", "-")),
            ("began", clock(row["started_at"], look)),
            ("ended", clock(row["ended_at"], look)),
            ("exit code", row["exit_code"]),
            ("mission", row["mission"]),
        ),
    ]


def _title(name: str, mission: str) -> list[Cell]:
    return [Cell(f" {safe(name)} ", "accent"), Cell(safe(mission), "quiet")]


def _state(row: Row, word: str, lasted: str, why: str, look: Look) -> list[Cell]:
    mark = missions.mark(row)
    said = " ".join(filter(None, (mark.ascii if look.ascii_only else mark.mark, word, lasted)))
    return [Cell(f" {said}", mark.tone), Cell(f"  {why}" if why else "", "bad")]


def _mission(row: Row) -> str | None:
    return f"{row['mission']}  {row['mission_status']}" if row["mission"] else None


def _runs(kept: list[Row], look: Look) -> Lines:
    """A line for each run, the newest first."""
    if not kept:
        return []
    shown = [column for column in rituals.RUNS if not column.wide]
    table = columns.text(shown, [Branch(row["id"], row) for row in kept], look.now, ascii_only=look.ascii_only)
    header, *rest = table.splitlines()
    title = [Cell(f" runs[{len(kept)}]", "title")]
    return [[], title, [Cell(f"  {header}", "label")], *([Cell(f"  {one}")] for one in rest)]
