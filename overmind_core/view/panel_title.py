"""The title of the panel: whose it is, its faces, the load of the last minutes, and how far it follows.

Below the list it is a rule; beside it, a line without one. While a terminal is typed into, it is one green line.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from overmind_core.domain.text.cells import width
from overmind_core.view import load_graph
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Cell, Row, clipped, fitted, safe
from overmind_core.view.hive_keys import SILENT_SINCE
from overmind_core.view.summary import CORE, Sample

LOG, DIFF, TERMINAL, STATS = "log", "diff", "terminal", "stats"
FACES = (LOG, DIFF, TERMINAL, STATS)
"""In the order in which `tab` turns them."""
FOLLOWS = "follows"
"""Beside a log whose newest line is in sight."""
ITS_END = "its end"
"""Beside the log of what has ended, where its last line is in sight."""
ROOMY = 96
"""Cells from which on the load stands in the title."""
BARS = 12
NO_TERMINAL = "no terminal: it runs on pipes"
SHORTEST_NAME = 8
"""Cells that a name keeps."""


class TitleLoad(NamedTuple):
    """The load of a mission that runs.

    Attributes:
        cpu: Percent of one core, a sample every five seconds, the newest last.
        memory: Bytes; None: nobody knows.
    """

    cpu: tuple[float, ...] = ()
    memory: float | None = None


class PanelTitle(NamedTuple):
    """The words of the title.

    Attributes:
        name: Of the mission.
        face: The one that is shown; "": there is no choice of them.
        note: On the face: `follows`, `3 files +46`, `80x24, its end`.
        has_keys: The keys are in the panel.
        load: None where it does not run.
        shorter: Other notes for where there is no room for this one: the first that fits is said.
        search: What is looked for, and behind the last colon how often it is there; "" is nothing. It has its room
            before the note, and before the rest of a long name.
    """

    name: str
    face: str = LOG
    note: str = ""
    has_keys: bool = False
    load: TitleLoad | None = None
    shorter: Sequence[str] = ()
    search: str = ""


def load_of(row: Row, samples: Sequence[Sample]) -> TitleLoad | None:
    """The load for the title; None of a mission that does not run, or of which no figures are known."""
    if not missions_rows.is_live(row) or SILENT_SINCE in row or row.get("cpu_percent") is None:
        return None
    return TitleLoad(tuple(one.cpu for one in samples), row.get("memory_bytes"))


def lacking(row: Row) -> frozenset[str]:
    """The faces that a mission does not have."""
    if row["type"] == missions_rows.PLAN:
        return frozenset({DIFF, TERMINAL})
    return frozenset() if row.get("tty") else frozenset({TERMINAL})


def turned(face: str, without: Collection[str] = (), *, back: bool = False) -> str:
    """The face that `tab` turns to, or with `back` `shift-tab`.

    Args:
        face: The one that is shown.
        without: Those that the mission lacks: they are passed over.
        back: The other way round.
    """
    order = FACES[::-1] if back else FACES
    at = order.index(face) + 1
    return next((one for one in (*order[at:], *order[:at]) if one not in without), face)


def line(title: PanelTitle, cells: int, *, beside: bool) -> list[Cell]:
    """The title in exactly so many cells. `beside`: the list is at its left, and not above it."""
    edge, close = (" ", "") if beside else ("── ", "──")
    faces = _faces(title.face)
    tail = _tail(title, cells)
    room = cells - width(edge) - width(close) - _sum(faces)
    tails = (tail, *map(_note, (title.note, *title.shorter)))
    least = min(width(safe(title.name)), SHORTEST_NAME) if title.search else SHORTEST_NAME
    sought = _search(title.search, room - least)
    tail = next((one for one in tails if _sum(one) <= room - least - width(sought)), [])
    name = clipped(safe(title.name), max(room - _sum(tail) - width(sought), 1)) + sought
    gap = room - width(name) - _sum(tail)
    fill = (" " if beside else "─") * max(gap, 0)
    shown = [
        Cell(edge, "rule"), Cell(name, "accent" if title.has_keys else "title"), *faces, Cell(fill, "rule"), *tail,
        Cell(close, "rule"),
    ]  # fmt: skip
    return [cell for cell in shown if cell.text]


def face_at(shown: Sequence[Cell], x: int) -> str:
    """The face whose word stands at a cell of a title, for the mouse; "" for none."""
    begin = 0
    for place, cell in enumerate(shown):
        end = begin + width(cell.text)
        if begin <= x < end:
            return cell.text if place > 1 and cell.text in FACES else ""  # before them stand the edge and a name
        begin = end
    return ""


def _faces(face: str) -> list[Cell]:
    if not face:
        return [Cell(" ")]
    named = [cell for one in FACES for cell in (Cell(one, "news" if one == face else "faint"), Cell("  "))]
    return [Cell("   "), *named]


def _search(search: str, room: int) -> str:
    """The search, behind a name; of a text that is too long the end goes, and not the count."""
    if not search:
        return ""
    text, colon, count = search.rpartition(": ")
    return f" · {clipped(text, max(room - width(colon + count) - len(' · '), 1))}{colon}{count}"


def _note(note: str) -> list[Cell]:
    return [Cell(f" {note} ", "faint")] if note else []


def _tail(title: PanelTitle, cells: int) -> list[Cell]:
    note = _note(title.note)
    if title.load is None or not title.face or cells < ROOMY or not title.load.cpu:
        return note
    found = load_graph.graph(title.load.cpu, BARS, full=CORE)
    shown = [Cell(" cpu ", "faint")]
    if found.bars or found.is_steady:
        shown.append(Cell(f"{found.bars or load_graph.STEADY} ", "graph" if found.bars else "quiet"))
    shown.append(Cell(load_graph.percent(title.load.cpu[-1]), "quiet"))
    if title.load.memory is not None:
        shown.append(Cell(f" {load_graph.size(title.load.memory)}", "quiet"))
    shown.append(Cell(f" {load_graph.ago(found.seconds)} " if found.bars else " ", "faint"))
    return [*shown, Cell("·", "faint"), *note] if note else shown


def terminal_note(columns: int, rows: int, first: int, shown: int, written: int) -> str:
    """The size of a terminal and the part of it that is in sight, where that is not all that it says.

    Args:
        columns: Of the terminal.
        rows: Likewise.
        first: The first row in sight, from 0.
        shown: How many are.
        written: Its rows down to the last one that says something.
    """
    at_end = first + shown >= written
    if first == 0 and at_end:
        return f"{columns}x{rows}"
    return f"{columns}x{rows}, {ITS_END if at_end else 'its middle' if first else 'its beginning'}"


def first_row(rows: int, cursor: int, shown: int) -> int:
    """The first row of a terminal that is in sight, from 0: its end, unless its cursor would be above that.

    Args:
        rows: Of the terminal, down to the last one that says something.
        cursor: The row of its cursor.
        shown: How many rows there is room for.
    """
    return max(0, min(rows - shown, cursor))


def typing_line(
    name: str, needing: int, cells: int, *, called: str = "", leaving: Sequence[str] = ("ctrl-\\",)
) -> list[Cell]:
    """The line above a terminal that is typed into.

    Args:
        name: Of the mission.
        needing: How many others need a person.
        cells: The width.
        called: What its program calls itself; left out where there is no room.
        leaving: The keys that leave it, as people write them.
    """
    how = f"typing · {' or '.join(leaving)} leaves"
    right = f"{needing} need{'s' * (needing == 1)} you: ctrl-\\ . " if needing else ""
    left, longer = (f" {' · '.join(filter(None, parts))}" for parts in ((safe(name), how), (safe(name), called, how)))
    left = longer if width(longer) + width(right) < cells else left
    gap = cells - width(left) - width(right)
    text = f"{left}{' ' * gap}{right}" if gap > 1 else left
    return [Cell(fitted(text, cells), "typing")]


def _sum(cells: Sequence[Cell]) -> int:
    return sum(width(cell.text) for cell in cells)
