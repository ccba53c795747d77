"""Rows of lessons, and above them how quests went. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from overmind_core.domain.text.cells import pad, width
from overmind_tui.missions.columns import By, Column
from overmind_tui.missions.describe import Lines, Rendering, clock, pairs
from overmind_tui.quests.rows import safe_lines, text_column
from overmind_tui.render import numbers
from overmind_tui.render.cells import Cell, Row, clipped, safe
from overmind_tui.render.tables import Orders

CHANGES = frozenset({"lesson", "quest"})
"""Kinds of events after which something else was learned."""
GROUPS = ("type", "provider", "model", "spec")
"""What quests are grouped by."""
MOST_GROUPS = 6
"""That are shown at once."""
_STATES = ("proposed", "accepted", "rests", "dropped")
_TONES = {"proposed": "wait", "accepted": "good", "rests": "slow", "dropped": "off"}
_NONE = "–"


def whole(answer: Row) -> list[Row]:
    """The answer itself: its lessons are made rows by `lessons`."""
    return [answer]


def lessons(answer: Row) -> list[Row]:
    """The lessons: those that a person is to decide on first, then the newest."""
    found = [{**one, "name": one["id"], "number": int(one["id"].rpartition("-")[2])} for one in answer["lessons"]]
    return sorted(found, key=lambda row: (_STATES.index(state(row)), -row["number"]))


def state(row: Row) -> str:
    """How a lesson stands."""
    return "rests" if row["rests"] else str(row["state"])


def _state(row: Row, _now: float) -> Cell:
    return Cell(state(row), _TONES[state(row)])


def _excerpt_cell(row: Row, _now: float) -> Cell:
    return Cell(safe(row["feedback"].partition("\n")[0]))


def _count(key: str, title: str) -> Column:
    return Column(key, title, len(title), 6, 5, lambda row, _now: Cell(str(row[key] or ""), "quiet"), right=True)


COLUMNS: tuple[Column, ...] = (
    Column("name", "LESSON", 6, 8, 0, lambda row, _now: Cell(row["name"])),
    Column("state", "STATE", 8, 8, 1, _state),
    _count("helped", "HELPED"),
    _count("hurt", "HURT"),
    text_column("failure", "CLASS", 8, 14, 4),
    text_column("quest", "QUEST", 8, 24, 6)._replace(wide=True),
    Column("files", "FILES", 8, 30, 9, lambda row, _now: Cell(safe(", ".join(row["files"])), "quiet"), wide=True),
    Column("says", "SAYS", 16, 0, 2, _excerpt_cell),
)
ORDERS: Orders = {
    "name": By(lambda row, _now: row["number"], rises=True),
    "age": By(lambda row, _now: row["at"]),
    "state": By(lambda row, _now: _STATES.index(state(row)), rises=True),
    "helped": By(lambda row, _now: row["helped"]),
    "hurt": By(lambda row, _now: row["hurt"]),
    "failure": By(lambda row, _now: row["failure"], rises=True),
    "quest": By(lambda row, _now: row["quest"].casefold(), rises=True),
}


def looked_in(row: Row) -> str:
    """What a plain word of a filter is looked for in."""
    parts = (row["id"], state(row), row["failure"], row["quest"], row["feedback"], *row["files"])
    return "\n".join(safe(part) for part in parts)


def description(row: Row, look: Rendering) -> Lines:
    """All of a lesson, as an agent is shown it."""
    lines = [
        [Cell(f" {row['id']} ", "accent"), Cell(state(row), _TONES[state(row)])],
        *pairs(
            ("class", row["failure"]),
            ("quest", row["quest"]),
            ("proposed", clock(row["at"], look)),
            ("helped", str(row["helped"])),
            ("hurt", str(row["hurt"])),
            ("repository", row["repository"]),
            ("files", "\n".join(map(safe, row["files"])) or None),
        ),
        [],
        [Cell(" feedback of the attempt that failed", "title")],
    ]
    return [*lines, *([Cell(f"  {line}")] for line in safe_lines(row["feedback"]))]


# how quests went


def share(value: float | None) -> str:
    """A part of 1: `.87`; `–` for none."""
    return _NONE if value is None else f"{value:.2f}".removeprefix("0")


def group_lines(groups: Sequence[Row], by: str, cells: int) -> Lines:
    """A line for each group of quests, the largest first, below a heading; of many only some."""
    if not groups:
        return []
    shown = groups[:MOST_GROUPS]
    most = max(cells // 3, 8)
    names = min(max(width(by), *(width(safe(one["key"]) or _NONE) for one in shown)), most)
    head = f" {pad(by.upper(), names)}  {'N':>5}  {'RATE':>4}  {'TRIES':>5}  {'COST':>7}  {'TIME':>5}  FAILED WITH"
    lines: Lines = [[Cell(head, "title")]]
    for one in shown:
        name = pad(clipped(safe(one["key"]) or _NONE, names), names)
        tries = _NONE if one["tries"] is None else f"{one['tries']:.1f}"
        cost = numbers.money(one["cost_usd"]) or _NONE
        took = _NONE if one["seconds"] is None else numbers.span(one["seconds"])
        figures = f"  {one['quests']:>5}  {share(one['rate']):>4}  {tries:>5}  {cost:>7}  {took:>5}  "
        failed = ", ".join(f"{safe(name)} {count}" for name, count in one["failures"].items())
        lines.append([Cell(f" {name}"), Cell(figures, "quiet"), Cell(failed, "bad")])
    more = len(groups) - len(shown)
    if more:
        lines.append([Cell(f" … {more} more: :learn --by {by} lists all", "faint")])
    return lines
