"""The texts of the header and of the load panel: who needs somebody, costs, load, and the most used keys.

The header names as many keys as it has room for, in one line or in columns. Load is a sparkline for each figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from overmind_core.domain.missions.status_marks import (
    FROZEN,
    KILLED,
    MARKS,
    PREPARING,
    RESTARTING,
    STARTING,
    STOPPED,
    STOPPING,
    SUCCEEDED,
    StatusMark,
)
from overmind_core.domain.text.cells import width
from overmind_core.view import missions as missions_rows
from overmind_core.view import missions as rows
from overmind_core.view import numbers
from overmind_core.view.actions import Action, shown_key
from overmind_core.view.cells import Cell, Row, clipped, safe
from overmind_core.view.hive_keys import SILENT_SINCE
from overmind_core.view.note_marks import PROPOSED

HELP = "help"
"""The action whose hint stays longest."""
GAP = 3
"""Cells between two columns."""


@lru_cache(maxsize=64)
def hint_line(hints: tuple[Action, ...], room: int) -> list[Cell]:
    """As many as fit, the most used first; the way to all others is the last to go."""
    texts = {action.name: (f"<{shown_key(action.keys[0])}>", f"{action.label} ") for action in hints}
    needs = {name: width(key) + width(label) for name, (key, label) in texts.items()}
    kept = [name for name in texts if name == HELP and needs[name] <= room]
    room -= sum(needs[name] for name in kept)
    for name in texts:
        if name in kept:
            continue
        if needs[name] > room:
            break
        kept.append(name)
        room -= needs[name]
    shown = [texts[name] for name in texts if name in kept]
    return [cell for key, label in shown for cell in (Cell(key, "key"), Cell(label, "label"))]


@lru_cache(maxsize=64)
def hint_columns(hints: tuple[Action, ...], room: int, lines: int) -> list[list[Cell]]:
    """As many columns of `lines` hints as fit; the way to all others stays with the last of them.

    Returns:
        The cells of each line; without any where not even one column fits.
    """
    count = -(-len(hints) // lines)
    while count:
        shown = _chosen(hints, count * lines)
        groups = [shown[at : at + lines] for at in range(0, len(shown), lines)]
        drawn = [_column(group, lines) for group in groups]
        if sum(size for _, size in drawn) + GAP * (count - 1) <= room:
            return [_joined([column[at] for column, _ in drawn]) for at in range(lines)]
        count -= 1
    return [[] for _ in range(lines)]


@lru_cache(maxsize=64)
def needed(hints: tuple[Action, ...], lines: int) -> int:
    """Cells that all of them take in columns."""
    groups = [hints[at : at + lines] for at in range(0, len(hints), lines)]
    return sum(_column(group, lines)[1] for group in groups) + GAP * max(len(groups) - 1, 0)


def _chosen(hints: Sequence[Action], count: int) -> list[Action]:
    """The first `count`, the way to all others among them."""
    shown = list(hints[:count])
    left = [action for action in hints[count:] if action.name == HELP]
    return [*shown[: count - len(left)], *left]


def _column(group: Sequence[Action], lines: int) -> tuple[list[list[Cell]], int]:
    """The cells of each line, all of one width, and that width."""
    keys = [f"<{shown_key(action.keys[0])}>" for action in group]
    key = max(map(width, keys))
    label = max(width(action.label) for action in group)
    drawn = [
        [Cell(f"{one:<{key}} ", "key"), Cell(f"{action.label:<{label}}", "label")]
        for one, action in zip(keys, group, strict=True)
    ]
    blank = [[Cell(" " * (key + 1 + label))]] * (lines - len(group))
    return [*drawn, *blank], key + 1 + label


def _joined(parts: Sequence[Sequence[Cell]]) -> list[Cell]:
    return [cell for place, part in enumerate(parts) for cell in ((Cell(" " * GAP), *part) if place else part)]


LEAST_HINTS, LEAST_COLUMNS = 36, 60
"""Cells that hints have in one line, and in columns, before the queue is told beside them."""
SEPARATOR = Cell(" │ ", "guide")
LEAST_TELLING = (KILLED, STOPPED, SUCCEEDED, FROZEN, STOPPING, PREPARING, STARTING, RESTARTING)
"""Counts that are left out, in this order, where not even the counts fit."""
_JUMP, _JUMP_PART = 5.0, 0.1
"""Percent of a core, and the part of the load, below which nobody calls it a change."""


class Load(NamedTuple):
    """What all missions use together."""

    cpu: float
    memory: float

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Load:
        """The sum over live missions."""
        live = [row for row in rows if missions_rows.is_live(row)]
        return cls(
            sum(row.get("cpu_percent") or 0.0 for row in live), sum(row.get("memory_bytes") or 0 for row in live)
        )


class EngineLoad(NamedTuple):
    """How full the queue is, and whether agents work against each other.

    Attributes:
        used: Slots that are taken.
        slots: How many there are.
        queued: Quests that wait.
        paused: Whether nothing starts.
        sharing: Agents that change the same files.
    """

    used: int = 0
    slots: int = 0
    queued: int = 0
    paused: bool = False
    sharing: int = 0

    @classmethod
    def of(cls, queue: Row, coherence: Row) -> EngineLoad:
        """As the requests `queue` and `health` answer."""
        used = next((pool["used"] for pool in queue["pools"] if pool["name"] == "queue"), 0)
        return cls(used, queue["slots"], queue["count"], queue["paused"], coherence["sharing"])

    @property
    def cells(self) -> list[Cell]:
        """What the header says: `queue 2/3 +7`, nothing of an empty queue; who changes the same files, and the view."""
        found: list[Cell] = []
        if self.used or self.queued or self.paused:
            paused, more = "paused " if self.paused else "", f" +{self.queued}" if self.queued else ""
            found += [Cell("queue ", "label"), Cell(paused, "slow"), Cell(f"{self.used}/{self.slots}{more}")]
        if self.sharing > 1:
            told = f"{self.sharing} agents change the same files"
            found += [Cell(" · ", "label"), Cell(told, "slow")] if found else [Cell(told, "slow")]
            found += [Cell(" <:health>", "key")]
        return found

    @property
    def words(self) -> str:
        """The same without keys."""
        return "".join(cell.text for cell in self.cells if cell.tone != "key")


class Facts(NamedTuple):
    """The facts that the header is made of.

    Attributes:
        counts: How many missions show each mark.
        version: Of the program.
        now: The load.
        before: The load a moment ago.
        today: US dollars that agents have cost today; 0 is not shown.
        tokens: What those agents have used that name no price; 0 is not shown.
        ascii_only: Draw marks with ASCII.
        read_only: Nothing can be changed from here.
        engine: How full the queue is, and how missions go together.
        proposed: How many notes wait for a person to accept them; 0 is not shown.
        hives: How many hives answer, and what the swarm holds; nothing where there is only this one.
        as_of: When all that was so, where no daemon answers; "" is now.
    """

    counts: Mapping[StatusMark, int]
    version: str
    now: Load = Load(0.0, 0.0)
    before: Load = Load(0.0, 0.0)
    today: float = 0.0
    tokens: int = 0
    ascii_only: bool = False
    read_only: bool = False
    engine: EngineLoad = EngineLoad()
    proposed: int = 0
    hives: tuple[Cell, ...] = ()
    as_of: str = ""


Parts = dict[str, list[Cell]]


def header(facts: Facts, hints: tuple[Action, ...], cells: int, lines: int = 1) -> list[list[Cell]]:
    """The header in so many lines of `cells` cells.

    What is narrow drops proposals, then the queue, then hints, logo, hives, load and cost; counts stay.
    """
    return [_one_line(facts, hints, cells)] if lines == 1 else _block(facts, hints, cells, lines)


def _one_line(facts: Facts, hints: tuple[Action, ...], cells: int) -> list[Cell]:
    parts = _parts(facts)
    for drop in ("notes", "engine"):
        if cells - _length(parts) < LEAST_HINTS:
            parts.pop(drop, None)
    for drop in ("logo", "hives", "load", "cost"):
        if _length(parts) < cells:
            break
        parts.pop(drop, None)
    if len(parts) == 1:
        parts["counts"] = _counts(facts, room=cells - 1)
    line = [] if "logo" in parts else [Cell(" ")]
    line += [cell for place, part in enumerate(parts.values()) for cell in ((SEPARATOR, *part) if place else part)]
    found = hint_line(hints, cells - _cells_of_parts(line) - width(SEPARATOR.text))
    return [*line, SEPARATOR, *found] if found else line


def _block(facts: Facts, hints: tuple[Action, ...], cells: int, lines: int) -> list[list[Cell]]:
    """Who we are and how it goes at the left; the keys in columns at the right; words of counts give way to keys."""
    left = _left(facts, cells, words=True)
    if _room(left) + needed(hints, lines) > cells:
        left = _left(facts, cells, words=False)
    room = _room(left)
    columns = hint_columns(hints, cells - room, lines)
    return [
        [*own, Cell(" " * (room - _cells_of_parts(own))), *right] if right else own
        for own, right in zip(left, columns, strict=True)
    ]


def _left(facts: Facts, cells: int, *, words: bool) -> list[list[Cell]]:
    parts = _parts(facts)
    load = [cell for name in ("cost", "load") if name in parts for cell in (SEPARATOR, *parts[name])][1:]
    own = [parts["logo"], [Cell(" "), *_counts(facts, words=words, room=cells - 1)], [Cell(" "), *load]]
    for name in ("hives", "engine", "notes"):
        if name in parts:
            beside = [*own[0], SEPARATOR, *parts[name]]
            if cells - max(_room(own), _cells_of_parts(beside) + GAP) < LEAST_COLUMNS:
                break  # else the short one of proposals would stay where the queue has no room
            own[0] = beside
    return own


def _room(left: Iterable[Sequence[Cell]]) -> int:
    return max(map(_cells_of_parts, left)) + GAP


def _parts(facts: Facts) -> Parts:
    now, before = facts.now, facts.before
    memory = numbers.size(now.memory) or "0"
    cost = _cost(facts)
    return {
        "logo": [
            Cell(f" {'*' if facts.ascii_only else '⬢'} overmind {facts.version}", "accent"),
            *([Cell(" read-only", "wait")] if facts.read_only else []),
        ],
        "counts": _counts(facts),
        **({"cost": cost} if cost else {}),
        "load": _dated(facts, [
            Cell("cpu ", "label"), Cell(numbers.percent(now.cpu)), _delta(before.cpu, now.cpu),
            Cell(" mem ", "label"), Cell(memory), _delta(before.memory / 1e7, now.memory / 1e7),
        ]),
        **({"hives": list(facts.hives)} if facts.hives else {}),
        **({"engine": _dated(facts, facts.engine.cells)} if facts.engine.cells else {}),
        **({"notes": _proposals(facts)} if facts.proposed else {}),
    }  # fmt: skip


def _proposals(facts: Facts) -> list[Cell]:
    """How many notes wait to be accepted, behind their mark."""
    return [Cell(f"{PROPOSED.ascii if facts.ascii_only else PROPOSED.mark} ", PROPOSED.tone), Cell(str(facts.proposed))]


def _cost(facts: Facts) -> list[Cell]:
    """What agents have cost today; what those have used that name no price."""
    figures = [numbers.money(facts.today)] if facts.today else []
    figures += [f"{numbers.size(facts.tokens)} tokens"] if facts.tokens else []
    return [Cell(" · ".join(figures)), Cell(" today", "label")] if facts.today else [Cell(one) for one in figures]


def _length(parts: Parts) -> int:
    return sum(map(_cells_of_parts, parts.values())) + width(SEPARATOR.text) * (len(parts) - 1)


def _cells_of_parts(cells: Iterable[Cell]) -> int:
    return sum(width(cell.text) for cell in cells)


def _counts(facts: Facts, *, words: bool = False, room: int | None = None) -> list[Cell]:
    """Each mark and how many show it; where there is no `room` for all, the most telling ones.

    Without words one sign is one count: of those that have failed and of those that ran out of time.
    """
    counted = dict(facts.counts) if words else _by_sign(facts.counts)
    lead = [Cell(f"{facts.as_of} ", "slow")] if facts.as_of else []
    room = None if room is None else room - _cells_of_parts(lead)
    dropped = list(reversed(LEAST_TELLING))
    shown = _counted(counted, ascii_only=facts.ascii_only, words=words)
    while room is not None and _cells_of_parts(shown) > room and dropped:
        counted.pop(dropped.pop(), None)
        shown = _counted(counted, ascii_only=facts.ascii_only, words=words)
    return [*lead, *_dated(facts, shown)] if shown else [Cell("no missions", "quiet")]


def _dated(facts: Facts, cells: list[Cell]) -> list[Cell]:
    """What may no longer be so is faint."""
    return [cell if cell.tone == "key" else cell._replace(tone="faint") for cell in cells] if facts.as_of else cells


def _by_sign(counts: Mapping[StatusMark, int]) -> dict[StatusMark, int]:
    """The counts of all that look the same together, under the first of them."""
    firsts: dict[str, StatusMark] = {}
    found: dict[StatusMark, int] = {}
    for mark in MARKS:
        if mark in counts:
            first = firsts.setdefault(mark.mark, mark)
            found[first] = found.get(first, 0) + counts[mark]
    return found


def _counted(counted: dict[StatusMark, int], *, ascii_only: bool, words: bool) -> list[Cell]:
    found: list[Cell] = []
    for mark in MARKS:
        if mark in counted:
            gap = ("  " if words else " ") if found else ""
            found.append(Cell(f"{gap}{mark.ascii if ascii_only else mark.mark} ", mark.tone))
            found.append(Cell(str(counted[mark])))
            found += [Cell(f" {mark.word}", "label")] if words else []
    return found


def _delta(before: float, now: float) -> Cell:
    if abs(now - before) < max(_JUMP, before * _JUMP_PART):
        return Cell("")
    return Cell("↑", "slow") if now > before else Cell("↓", "calm")


class Sample(NamedTuple):
    """The load of one mission at one time."""

    cpu: float = 0.0
    memory: float = 0.0
    output: float = 0.0


NO_LOAD = "-"
"""In the place of a figure of what has ended."""
LEAD = 14
"""Cells before the bars: a name and the newest figure."""
CORE = 100.0
"""Percent: a full bar is one core at least, so that next to nothing looks like that."""


def stats(row: Row | None, samples: Sequence[Sample], cells: int, now: float, *, height: int = 1) -> list[list[Cell]]:
    """The facts, then cpu, memory and output in graphs of `height` lines each; what has ended uses nothing any more.

    Args:
        row: The mission; None when there is none under the cursor.
        samples: The newest last.
        cells: The width.
        now: Seconds since the epoch.
        height: Lines of each graph.
    """
    if row is None:
        return [[Cell(" the load of the mission under the cursor", "quiet")]]
    newest = samples[-1] if samples else Sample()
    output = f"{numbers.size(newest.output) or 0}B/s"
    figures = (numbers.percent(newest.cpu), numbers.size(newest.memory) or "0", output)
    is_known = rows.is_live(row) and SILENT_SINCE not in row
    cpu, memory, output = figures if is_known else (NO_LOAD,) * len(figures)
    return [
        _facts(row, cells, now),
        *_sparkline("cpu", [one.cpu for one in samples], cpu, cells, height, top=CORE),
        *_sparkline("mem", [one.memory for one in samples], memory, cells, height),
        *_sparkline("out", [one.output for one in samples], output, cells, height),
    ]


def _sparkline(
    name: str, values: Sequence[float], newest: str, cells: int, height: int, *, top: float | None = None
) -> list[list[Cell]]:
    drawn = numbers.sparkline(values, max(cells - LEAD - 1, 1), height, top=top)
    heads = [[Cell(f" {name} ", "title"), Cell(f"{newest:>8} ")], *[[Cell(" " * LEAD)]] * (height - 1)]
    return [[*head, Cell(bars, f"graph-{name}")] for head, bars in zip(heads, drawn, strict=True)]


def _facts(row: Row, cells: int, now: float) -> list[Cell]:
    facts = [rows.since(row, now)]
    if row["restart_count"]:
        facts.append(f"restarts {row['restart_count']}")
    if row["exit_code"] is not None:
        facts.append(f"exit {row['exit_code']}")
    facts.append(safe(row["command"]))
    return [Cell(" " + clipped(" · ".join(facts), cells - 2), "quiet")]
