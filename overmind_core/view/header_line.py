"""The header: one line that says who needs a person, and at its right the queue, the cost of today and the load. Pure.

Numbers that stand here stand nowhere else on the screen. The right end goes part by part where it gets narrow; the call
for a person stays, and the name of the program, the owner of the missions and the place give way to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from overmind_core.domain.text.cells import width
from overmind_core.view import numbers
from overmind_core.view.cells import Cell, clipped_line, fitted, safe
from overmind_core.view.fleet import Fleet
from overmind_core.view.summary import Load

Line = list[Cell]
LOGO, NAME = "⬢", "overmind"
GAP = 3
"""Cells between two parts of one end."""
APART = 7
"""Cells between the two ends, at least."""
NO_DAEMON = "no daemon: it starts with your first mission"
"""A note for the right end while nothing runs."""
FOLLOWS = "› "
"""Before the place."""
NEEDS = "needs"
"""The part about those who need a person, who have a key of their own."""
SHOWN_BY: Mapping[str, str] = {
    "failed": "missions /unseen state:failed|timed|lost", "sharing": "health", "hives": "hives",
    "notes": "notes proposed", "queue": "queue", "cost": "cost", "cpu": "top", "memory": "top",
}  # fmt: skip
"""Any other part → what is typed behind `:` to see all of what it counts."""


class Part(NamedTuple):
    """A part of the header, for who draws it elsewhere.

    Attributes:
        key: What it is about: `needs`, `failed`, `sharing`, `hives`, `notes`, `queue`, `cost`, `cpu`, `memory`, or
            `note`, the sentence while nothing runs.
        cell: Its words and their tone.
    """

    key: str
    cell: Cell


class HeaderFacts(NamedTuple):
    """The facts of the header.

    Attributes:
        asking: Missions that need a person: the rows of the first group of the list.
        failed: Missions that ended not well, that nobody has looked at, and that need nobody.
        sharing: Agents that change the same files.
        queued: Quests that wait.
        paused: Nothing of the queue starts.
        today: US dollars since midnight; 0 is not shown.
        tokens: Tokens of agents that name no price, shown where nothing has one; 0 is not shown.
        load: Percent of a core and bytes, of all missions together.
        missions: Missions that are known; 0 is the first run.
        place: Name of the view outside the missions; "" is the missions.
        owner: Name of the home or of the host, where it is not the usual one.
        read_only: Nothing can be changed from here.
        lost: The reason why no supervisor answers; "" while one does.
        as_of: When what is shown was so, where none answers: `as of 13:42`; "" is now.
        note: A sentence for the right end while nothing runs, such as `NO_DAEMON`.
        reached: How many other hives answer, and how the swarm stands; "" where there are none.
        is_unreached: Some of them don't, which is said beside the call for a person.
        proposed: Notes that wait to be accepted, which is quiet: nothing stands still for them.
        is_estimated, is_partial: As of a cost: what is known of `today`.
    """

    asking: int = 0
    failed: int = 0
    sharing: int = 0
    queued: int = 0
    paused: bool = False
    today: float = 0.0
    tokens: int = 0
    load: Load = Load(0.0, 0.0)
    missions: int = 0
    place: str = ""
    owner: str = ""
    read_only: bool = False
    lost: str = ""
    as_of: str = ""
    note: str = ""
    reached: str = ""
    is_unreached: bool = False
    proposed: int = 0
    is_estimated: bool = False
    is_partial: bool = False

    @classmethod
    def of(cls, fleet: Fleet, asking: int) -> HeaderFacts:
        """The facts that the fleet knows; the rest is the caller's to replace.

        Args:
            fleet: As the supervisor told it.
            asking: Rows of the first group of the list.
        """
        engine, paid = fleet.engine, fleet.paid
        return cls(
            asking, fleet.failed, engine.sharing, engine.queued, engine.paused, paid.usd or 0.0, fleet.tokens,
            fleet.load, len(fleet.rows), lost=fleet.lost, proposed=fleet.proposed,
            is_estimated=paid.is_estimated, is_partial=paid.is_partial,
        )  # fmt: skip


def header_line(facts: HeaderFacts, cells: int) -> Line:
    """The header in exactly `cells` cells."""
    if facts.lost:
        said = f" {facts.as_of}" if facts.as_of else ""
        return [Cell(fitted(f"{said} · {safe(facts.lost)}" if said else f" {safe(facts.lost)}", cells), "bad bold")]
    left = next((one for one in _lefts(facts) if size_of(one) < cells), _lefts(facts)[-1])
    right = _right(facts, cells - size_of(left) - APART - 1)
    return spread(left, [Cell(right, "quiet" if facts.missions else "faint")] if right else [], cells)


def _lefts(facts: HeaderFacts) -> list[Line]:
    """The left end, from the whole one to the call for a person alone."""
    logo, name = Cell(f" {LOGO}", "accent"), Cell(f" {NAME}", "accent")
    owner = [Cell(f"  {text}", "quiet") for text in ("read-only" * facts.read_only, safe(facts.owner)) if text]
    place = [Cell(f" {FOLLOWS}{safe(facts.place)}", "accent")] if facts.place else []
    apart, near = Cell(" " * GAP), Cell(" ")
    call = joined([part.cell for part in call_parts(facts)])
    return [
        [logo, name, *owner, *place, apart, *call],
        [logo, *owner, *place, apart, *call],
        [logo, *place, apart, *call],
        [logo, near, *call],
        [near, *call],
    ]


def step_at(line: Sequence[Cell], at: int) -> int | None:
    """The step of the way here that stands at a cell, for the mouse: 0 is the missions; None: none does."""
    begin = 0
    for cell in line:
        end = begin + width(cell.text)
        if begin <= at < end and cell.tone == "accent":
            steps = cell.text.split(FOLLOWS)
            before = (width(FOLLOWS.join(steps[:count])) for count in range(2, len(steps)))
            return sum(at - begin >= cells for cells in before) + (len(steps) > 1)
        begin = end
    return None


def part_at(facts: HeaderFacts, cells: int, at: int) -> str:
    """The key of the part that stands at a cell of the header, for the mouse; "": none does."""
    keys = {part.cell.text: part.key for part in (*call_parts(facts), *figure_parts(facts))}
    end = 0
    for cell in header_line(facts, cells):
        for text in cell.text.split(" " * GAP):  # the figures are one cell
            begin, end = end, end + width(text)
            if begin <= at < end:
                return keys.get(text, "")
            end += GAP
        end -= GAP
    return ""


def call_parts(facts: HeaderFacts) -> list[Part]:
    """Everything that a person is called for; a word where that is nothing."""
    if not facts.missions and not facts.asking:
        return [Part(NEEDS, Cell("nothing runs", "quiet")), *_unreached(facts)]
    found = [Part(NEEDS, Cell(needing(facts.asking), "wait bold" if facts.asking else "quiet"))]
    if facts.failed:
        found.append(Part("failed", Cell(f"{facts.failed:,} failed", "bad")))
    if facts.sharing > 1:
        found.append(Part("sharing", Cell(f"{facts.sharing} agents change the same files", "slow")))
    return [*found, *_unreached(facts)]


def _unreached(facts: HeaderFacts) -> list[Part]:
    return [Part("hives", Cell(safe(facts.reached), "slow"))] if facts.is_unreached else []


def needing(asking: int) -> str:
    """The count of those that need a person, in words."""
    return f"{asking:,} need{'s' * (asking == 1)} you" if asking else "nobody needs you"


def _right(facts: HeaderFacts, room: int) -> str:
    """As many parts as there is room for, the first ones."""
    parts = [part.cell.text for part in figure_parts(facts)]
    for count in range(len(parts), 0, -1):
        text = (" " * GAP).join(parts[:count])
        if width(text) <= room:
            return text
    return ""


def figure_parts(facts: HeaderFacts) -> list[Part]:
    """The right end: figures, or a note while nothing runs; where it gets narrow they go from the last one on."""
    found = _figures(facts) if facts.missions else [("note", safe(facts.note))]
    if facts.proposed:
        found.insert(0, ("notes", f"{numbers.counted(facts.proposed, 'note')} to accept"))
    if facts.reached and not facts.is_unreached:
        found.insert(0, ("hives", safe(facts.reached)))
    return [Part(key, Cell(text, "quiet")) for key, text in found if text]


def _figures(facts: HeaderFacts) -> list[tuple[str, str]]:
    queue = "queue paused" if facts.paused else f"{facts.queued:,} queued" if facts.queued else ""
    tokens = f"{numbers.size(facts.tokens)} tokens today" if facts.tokens else ""
    today = numbers.Cost(facts.today, facts.is_estimated, facts.is_partial)
    cost = f"{numbers.cost(today)} today" if facts.today else tokens
    load = facts.load
    used = [("cpu", f"cpu {percent_words(load.cpu)}"), ("memory", f"mem {memory_words(load.memory)}")]
    return [("queue", queue), ("cost", cost), *(used if load.memory else [])]


def percent_words(value: float) -> str:
    """Percent of a core, as a sentence has it: `34 %`."""
    return f"{value:.0f} %"


def memory_words(count: float) -> str:
    """Bytes, as a sentence has them: `2.1 GB`, `78 MB`, `512 B`."""
    short = numbers.size(count)
    digits = short.rstrip("KMGT")
    return f"{digits} {short.removeprefix(digits).replace('K', 'k')}B"


def size_of(line: Iterable[Cell]) -> int:
    """Cells that a line takes."""
    return sum(width(cell.text) for cell in line)


def joined(parts: Sequence[Cell], gap: int = GAP) -> Line:
    """The cells with a gap between each two."""
    return [cell for place, part in enumerate(parts) for cell in ((Cell(" " * gap), part) if place else (part,))]


def spread(left: Sequence[Cell], right: Sequence[Cell], cells: int) -> Line:
    """Two ends of a line of exactly `cells` cells; the right one, with a blank behind it, goes where it has no room."""
    gap = cells - size_of(left) - size_of(right) - 1
    if right and gap > 1:
        return [*left, Cell(" " * gap), *right, Cell(" ")]
    return whole(left, cells)


def whole(line: Sequence[Cell], cells: int) -> Line:
    """The line in exactly `cells` cells: cut with `…`, or padded."""
    found: Line = clipped_line(line, cells)
    room = cells - sum(width(cell.text) for cell in found)
    return [*found, Cell(" " * room)] if room > 0 else found
