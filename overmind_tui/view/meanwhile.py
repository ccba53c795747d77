"""What happened while nobody looked, in one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from overmind_core.domain.marks import CRASHED, WAITING
from overmind_tui.view import amounts, missions
from overmind_tui.view.cells import Row

FINISHED = frozenset({"turn_ended", "stopped"})
FAILED = frozenset({"crashed"})


def sentence(events: Sequence[Row], rows: Iterable[Row], cost: float, *, since: str) -> str:
    """How many finished, wait and crashed, and what it cost; "" when nothing of that happened.

    Args:
        events: What happened since then.
        rows: Missions as they are now: who waits is told by them, for a question may have been answered.
        cost: US dollars since then.
        since: When that was, in words.
    """
    touched = {event.get("mission") for event in events}
    now = {row["id"]: missions.mark(row) for row in rows if row["id"] in touched}
    waiting = {one for one, mark in now.items() if mark is WAITING}
    crashed = _of(events, FAILED) & {one for one, mark in now.items() if mark is CRASHED}
    finished = _of(events, FINISHED) - waiting - crashed
    parts = [
        *([f"{len(finished)} finished"] if finished else []),
        *([f"{len(waiting)} wait{'s' * (len(waiting) == 1)}"] if waiting else []),
        *([f"{len(crashed)} crashed"] if crashed else []),
        *([amounts.money(cost)] if cost else []),
    ]
    return f"since {since}: {', '.join(parts)}" if parts else ""


def _of(events: Iterable[Row], kinds: frozenset[str]) -> set[str]:
    return {event["mission"] for event in events if event["type"] in kinds and event.get("mission")}
