"""A quest in one line: its status, mark, score, time and cost, as the list, the queue and the board show them."""

from __future__ import annotations

from overmind_core.cli.output import ABSENT, command_cell, cost
from overmind_core.domain.missions.reasons import landing_waits, nothing_landed
from overmind_core.domain.missions.status_marks import BLOCKED, LANDS_LATER, NOTHING_LANDED, StatusMark, mark_of
from overmind_core.domain.text.decimals import shortest_decimal
from overmind_core.domain.text.duration import format_uptime

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Row = Mapping[str, Any]


COLOURS = {
    "running": "32",
    "review": "36",
    "completed": "2",
    "failed": "31",
    "cancelled": "35",
    "waiting": "2",
    "paused": "36",
    "queued": "33",
    "starting": "33",
    "skipped": "33",
    "missed": "33",
    "succeeded": "2",
    "timed out": "31",
    "stopped": "35",
    "killed": "35",
    "lost": "33",
}
"""Status of a quest, a ritual, or a run of one, or how that ended → SGR number, see ECMA-48."""
BLOCKING = "blocked"
"""The code of a quest that can't start, whatever it waits for."""
ASKED = "asked"
"""Noted in the row of a quest: what a person is asked about it."""
_PHASES = {"work": "working", "check": "checking"}
"""Phase → its word, where that is another one."""
_DIGITS = 4
"""Of a score, behind the point."""


def quest_mark(row: Row) -> StatusMark:
    """Return the mark of a quest."""
    if is_blocked(row):
        return BLOCKED
    if landing_waits(row) and not row.get(ASKED):
        return LANDS_LATER
    if nothing_landed(row):
        return NOTHING_LANDED
    return mark_of(row["status"], "waiting" if row.get(ASKED) else None, row.get("outcome"))


def is_blocked(row: Row) -> bool:
    """Whether it is queued, and can't start before somebody does something."""
    return bool(row["status"] == "queued" and row.get("code") == BLOCKING)


def phase_word(row: Row) -> str:
    """Return what a quest that runs is doing; "" for one that doesn't."""
    phase = row["phase"] or ""
    return _PHASES.get(phase, phase)


def score_cell(row: Row) -> str:
    """Return its score; `-` when it isn't queued."""
    return ABSENT if row.get("score") is None else shortest_decimal(row["score"], _DIGITS)


def title_cell(row: Row) -> str:
    """Return its title as it was written, at most 40 cells; `-` for one that began at once."""
    return ABSENT if row.get("title") is None else command_cell(row["title"])


def seconds_cell(seconds: float | None) -> str:
    """Return how long something took."""
    return ABSENT if seconds is None else format_uptime(seconds)


def time_and_cost(row: Row) -> str:
    """Return how long it takes and what that costs: `2m $0.12`; without a cost that nobody knows."""
    dollars = f" {cost(row)}" if row.get("cost_usd") else ""
    return f"{lasted_cell(row)}{dollars}"


def lasted_cell(row: Row) -> str:
    """Return how long it takes or took, without its time in the queue; of one that has not begun, how long it waits."""
    lasted = row.get("lasted_seconds", row["duration_seconds"])  # an older daemon says the latter alone
    return seconds_cell(row["duration_seconds"] if lasted is None and row["status"] == "queued" else lasted)
