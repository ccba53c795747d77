"""Who needs the person: what is blocked until somebody helps, and whose turn is over with an answer that nobody saw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from overmind_core.domain.cells import pad, width
from overmind_core.domain.marks import CRASHED, LIMITED, WAITING, YOUR_TURN
from overmind_tui.view import amounts, missions
from overmind_tui.view.cells import Cell, Row, clipped, safe

Lines = list[list[Cell]]
Key = tuple[str, int]
"""A mission, and the number of what it asks; 0 where it asks nothing."""
SPENT = "restart_budget_spent"
"""The reason of one that nobody starts again."""
BLOCKED, TURN = "blocked", "your turn"
LONGEST_NAME = 24
"""Cells."""
ROOMY = 50
"""Cells from which on a line also says what kind of need it is."""
REASONS = {LIMITED: "limited", CRASHED: "crashed", WAITING: "waits", YOUR_TURN: ""}


class Need(NamedTuple):
    """One thing that needs the person; a mission that asks twice needs them twice."""

    row: Row
    asked: Row | None
    group: str
    since: float
    """Seconds since it began."""

    @property
    def key(self) -> Key:
        """What the cursor holds."""
        return self.row["id"], 0 if self.asked is None else int(self.asked["question"])

    @property
    def kind(self) -> str:
        """What is needed, in a word."""
        return safe(self.asked["need"]) if self.asked else REASONS.get(missions.mark(self.row), "")

    @property
    def said(self) -> str:
        """What it is about, in a line."""
        return safe(self.asked["summary"] if self.asked else self.row.get("now"))


def blocked(row: Row) -> bool:
    """Whether it goes no further without a person."""
    found = missions.mark(row)
    if found is LIMITED:
        return row.get("resume_at") is None and not row.get("attempt")
    return found is WAITING or (found is CRASHED and row.get("reason") == SPENT)


def your_turn(row: Row) -> bool:
    """Whether it has answered, and nobody has looked."""
    return missions.mark(row) is YOUR_TURN and bool(row.get("unseen"))


def needs(rows: Iterable[Row], questions: Sequence[Row], now: float) -> list[Need]:
    """Who is blocked, then whose turn is over; in each group those first that have waited longest.

    Args:
        rows: Missions.
        questions: As `inbox` has them.
        now: Seconds since the epoch.
    """
    found = []
    by_mission: dict[str, list[Row]] = {}
    for one in questions:
        by_mission.setdefault(one["id"], []).append(one)
    for row in rows:
        asked = by_mission.get(row["id"], ())
        if asked and missions.is_live(row):
            found += [Need(row, one, BLOCKED, _asked_for(one, row, now)) for one in asked]
        elif blocked(row):
            found.append(Need(row, None, BLOCKED, _held(row, now)))
        elif your_turn(row):
            found.append(Need(row, None, TURN, _held(row, now)))
    return sorted(found, key=lambda need: (need.group != BLOCKED, -need.since, need.key))


def _asked_for(asked: Row, row: Row, now: float) -> float:
    began = amounts.moment(asked["asked_at"])
    return _held(row, now) if began is None else max(0.0, now - began)


def _held(row: Row, now: float) -> float:
    """Seconds since it goes no further."""
    ended = amounts.moment(row.get("ended_at"))
    return missions.held(row, now) if ended is None or missions.is_live(row) else max(0.0, now - ended)


# the cursor


def place(found: Sequence[Need], wanted: Key | None, before: int) -> int:
    """Where the cursor stands now: where it did, else on what else blocks the same mission, else as near as can be."""
    keys = [need.key for need in found]
    if wanted in keys:
        return keys.index(wanted)
    same = [at for at, need in enumerate(found) if wanted and need.group == BLOCKED and need.key[0] == wanted[0]]
    return same[0] if same else max(0, min(before, len(found) - 1))


def moved(old: Sequence[Need], new: Sequence[Need], wanted: Key | None, at: int) -> bool:
    """Whether what is under the cursor has left, or stands elsewhere."""
    if wanted is None or not 0 <= at < len(old):
        return False
    return not (at < len(new) and new[at].key == wanted)


def after(found: Sequence[Need], wanted: Key | None) -> Need | None:
    """The next one, round and round; None where nobody needs anything."""
    keys = [need.key for need in found]
    return found[(keys.index(wanted) + 1) % len(found) if wanted in keys else 0] if found else None


# how it is drawn


def listing(found: Sequence[Need], cells: int, *, ascii_only: bool) -> list[tuple[list[Cell], int | None]]:
    """The lines of the list, each with the place of what it shows; None for a heading."""
    names = min(max((width(safe(need.row["name"])) for need in found), default=0), LONGEST_NAME, max(cells // 3, 1))
    shown: list[tuple[list[Cell], int | None]] = []
    for at, need in enumerate(found):
        if at == 0 or found[at - 1].group != need.group:
            shown += [([], None)] if at else []
            count = sum(one.group == need.group for one in found)
            shown.append(([Cell(f" {need.group}[{count}]", "title")], None))
        shown.append((_line(need, names, cells, ascii_only=ascii_only), at))
    return shown


def _line(need: Need, names: int, cells: int, *, ascii_only: bool) -> list[Cell]:
    mark = missions.mark(need.row)
    sign = Cell(f"  {mark.ascii if ascii_only else mark.mark} ", mark.tone)
    name = Cell(pad(clipped(safe(need.row["name"]), names), names + 2), "news")
    kind = Cell(f"{need.kind:<11}" if need.group == BLOCKED and cells >= ROOMY else "", "quiet")
    since = Cell(f"{amounts.span(need.since):>4}  ", "quiet")
    room = cells - sum(width(cell.text) for cell in (sign, name, kind, since)) - 1
    return [sign, name, kind, since, Cell(clipped(need.said, max(room, 0)), "wait" if need.asked else "")]


def strip(row: Row | None, questions: Sequence[Row], *, typing: bool = False) -> Cell:
    """What a mission asks, for a line somewhere on another screen; empty where it asks nothing.

    `typing`: the key that answers would be text.
    """
    asked = [] if row is None else [one for one in questions if one["id"] == row["id"]]
    if row is None or not asked:
        return Cell("")
    more = f" · {len(asked) - 1} more" if len(asked) > 1 else ""
    key = "" if typing else " · ! answers"
    return Cell(f"{safe(row['name'])} asks: {safe(asked[0]['summary'])}{more}{key}", "wait")
