"""The board: cards of quests, in columns and lanes, and where the cursor stands. Pure.

A card stands in a column, on a line of it, both from 0. Without lanes the lines of a column are its cards, and columns
are scrolled apart; lanes are the same lines in all columns, so those are scrolled together.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from overmind_core.domain.engine_questions import gate_name
from overmind_core.domain.missions.reasons import achievement_of, landing_waits, shortenings
from overmind_core.domain.text.cells import pad, width
from overmind_core.view import numbers
from overmind_core.view import quests as quests_rows
from overmind_core.view.cells import Cell, Row, clipped, safe
from overmind_core.view.missions import Branch

NAMES = ("queued", "running", "blocked", "review", "done")
"""Of the columns, from left to right; the words of `Column`, whose module takes longer to load than a frame to draw."""
REVIEW = "review"
COLUMN = "column"
"""Noted in the row of a quest: the place of its column."""
LANES = ("", "spec", "group", "priority")
"""What lanes are made of; "" is none."""
GUIDE = " │"
"""Between two columns."""
ROOMY = 60
"""Cells of a card from which on it says more, and its parts stand below those of others."""
LONGEST_NAME = 40
"""Cells that a name takes in such a card."""
SHORT_NAME = 3
"""Letters of a column's name where there is no room for more."""
UNSAYING = frozenset({"blocked", "needs", "owns", "until"})
"""Reasons whose word alone says nothing: the beginning of the sentence says more."""
SHORTEST_TAIL = 8
"""Cells in which the beginning of a reason still says something."""


class Counted(NamedTuple):
    """An answer: quests with their columns, and how many there are in each."""

    rows: list[Row]
    counts: tuple[int, ...]


def whole(answer: Row) -> list[Row]:
    """The answer itself: its quests are made rows by `counted`."""
    return [answer]


def counted(answer: Row) -> Counted:
    """The quests of an answer, and in review what specs wait for; a gate has the card of its quest, if it has one."""
    columns = {column["name"]: column for column in answer["columns"]}
    gates = answer.get("gates") or ()
    above = {REVIEW: [gate_row(one) for one in gates if one.get("quest") is None]}
    words = gate_words(gates)
    found = [(name, columns[name]["quests"] if name in columns else ()) for name in NAMES]
    rows = [
        {**row, COLUMN: place, **({quests_rows.AT_GATE: words[row["id"]]} if row["id"] in words else {})}
        for place, (name, quests) in enumerate(found)
        for row in (*above.get(name, ()), *quests)
    ]
    counts = (columns[name]["count"] if name in columns else 0 for name in NAMES)
    return Counted(rows, tuple(count + len(above.get(name, ())) for name, count in zip(NAMES, counts, strict=True)))


def gate_row(gate: Row) -> Row:
    """The card of what a spec waits for: it stands among quests, and is none."""
    return {
        "id": f"gate:{gate['question']}",
        "name": gate_name(gate["name"], gate["phase"]),
        quests_rows.GATE: gate,
        quests_rows.ASKED: gate_word(gate),
        "status": REVIEW,
        "title": gate["title"],
        "spec": gate["name"],
        "priority": gate["priority"],
        "started_at": gate["asked_at"],
        "command": gate["summary"],
        **_NO_QUEST,
    }


def gate_words(gates: Iterable[Row]) -> dict[str, str]:
    """By its id what each quest waits for whose document is at a gate."""
    return {gate["quest"]: gate_word(gate) for gate in gates if gate.get("quest") is not None}


def gate_word(gate: Row) -> str:
    """What stands behind the name of such a card: `gate`, `merge`."""
    return "gate" if gate["need"] == "phase" else str(gate["need"])


_NO_QUEST: Row = {
    "activity": None, "phase": None, "attempts": 0, "retries": 0, "reason": None, "exit_code": None, "check": None,
    "check_id": None, "cwd": "", "provider": "", "ritual": None, "mission": None, "mission_status": None,
    "ended_at": None, "duration_seconds": 0.0, "group": None, "cost_usd": None,
}  # fmt: skip
"""Fields of a quest that a gate has not."""


# where cards stand


class Grid(NamedTuple):
    """Where cards stand.

    Attributes:
        cards: Of each column the places of its cards among all, from the top.
        lines: Of each column the lines that these stand on.
        headings: Of each column line → the lane that begins there.
        aligned: Whether lanes are the same lines in all columns, which are scrolled together then.
    """

    cards: tuple[tuple[int, ...], ...] = ((),) * len(NAMES)
    lines: tuple[tuple[int, ...], ...] = ((),) * len(NAMES)
    headings: tuple[Mapping[int, str], ...] = ({},) * len(NAMES)
    aligned: bool = False

    def height(self, column: int) -> int:
        """Lines of a column; of all of them, where they are scrolled together."""
        seen = self.lines if self.aligned else self.lines[column : column + 1]
        return max((lines[-1] + 1 for lines in seen if lines), default=0)

    def at(self, column: int, line: int) -> int | None:
        """The card that stands there; None where none does."""
        lines = self.lines[column]
        found = bisect_left(lines, line)
        return self.cards[column][found] if found < len(lines) and lines[found] == line else None

    def place(self, card: int) -> tuple[int, int]:
        """The column of a card, and which of its cards it is."""
        for column, cards in enumerate(self.cards):
            if cards and cards[0] <= card <= cards[-1]:
                return column, card - cards[0]
        raise IndexError(card)

    def beside(self, column: int, line: int) -> int | None:
        """The card of a column that is nearest to a line; None where it has none."""
        lines = self.lines[column]
        if not lines:
            return None
        after = min(bisect_left(lines, line), len(lines) - 1)
        before = max(bisect_right(lines, line) - 1, 0)
        return self.cards[column][before if line - lines[before] <= lines[after] - line else after]


def lane(row: Row, by: str) -> str:
    """The lane that a quest belongs to."""
    return safe(row.get(by)) or f"no {by}"


def _lane_order(row: Row, by: str) -> tuple[int, str]:
    """Priorities in their order, others by name; what belongs to none comes last."""
    found = row.get(by)
    if found is None:
        return len(quests_rows.PRIORITIES) + 1, ""
    return (quests_rows.PRIORITIES.index(found), "") if by == "priority" else (0, str(found))


def ordered(rows: Sequence[Row], by: str) -> list[Row]:
    """The cards column by column, in each by lanes; those of a lane stay in their order."""
    return sorted(rows, key=lambda row: (row[COLUMN], _lane_order(row, by) if by else (0, "")))


def grid(rows: Sequence[Row], by: str, *, apart: bool = False) -> Grid:
    """Where cards stand.

    Args:
        rows: As `ordered` has them.
        by: What lanes are made of.
        apart: Lanes need not be the same lines in all columns: only one of these is seen at a time.
    """
    cards: list[list[int]] = [[] for _ in NAMES]
    for at, row in enumerate(rows):
        cards[row[COLUMN]].append(at)
    columns = tuple(map(tuple, cards))
    if not by:
        return Grid(columns, tuple(tuple(range(len(column))) for column in columns))
    if not apart:
        lines, headings = _lanes(rows, columns, by)
        return Grid(columns, lines, (headings,) * len(NAMES), aligned=True)
    each = [_lanes(rows, (column,), by) for column in columns]
    return Grid(columns, tuple(lines[0] for lines, _ in each), tuple(headings for _, headings in each))


def _lanes(
    rows: Sequence[Row], columns: Sequence[Sequence[int]], by: str
) -> tuple[tuple[tuple[int, ...], ...], dict[int, str]]:
    """The lines of the cards of these columns, side by side; and the line with the name of each lane."""
    keys = [[_lane_order(rows[card], by) for card in column] for column in columns]
    heights = [Counter(column) for column in keys]
    names = {_lane_order(row, by): lane(row, by) for row in rows}
    tops: dict[tuple[int, str], int] = {}
    top = 0
    for key in sorted({key for column in keys for key in column}):
        tops[key] = top
        top += max(count[key] for count in heights) + 1
    lines = []
    for column in keys:
        seen: Counter[tuple[int, str]] = Counter()
        found = []
        for key in column:
            seen[key] += 1
            found.append(tops[key] + seen[key])
        lines.append(tuple(found))
    return tuple(lines), {line: names[key] for key, line in tops.items()}


def cursor_place(branches: Sequence[Branch], found: Grid, wanted: str | None, column: int, at: int) -> tuple[int, int]:
    """The column of the cursor and its card among all: where it did stand, else as near to that as can be.

    Who looks at a column stays there when its card leaves it, unless none is left there.

    Args:
        branches: All cards.
        found: Where they stand.
        wanted: The id of the card that the cursor was on; None: it was on none.
        column: The column that it was in.
        at: Which card of the column it was on.
    """
    cards = found.cards[column]
    for card in cards:
        if branches[card].id == wanted:
            return column, card
    if cards:
        return column, cards[max(0, min(at, len(cards) - 1))]
    elsewhere = next((card for card, branch in enumerate(branches) if branch.id == wanted), None)
    if elsewhere is not None:
        return found.place(elsewhere)[0], elsewhere
    near = sorted((one for one, there in enumerate(found.cards) if there), key=lambda one: (abs(one - column), one))
    return (near[0], found.cards[near[0]][0]) if near else (column, 0)


# what is drawn


def widths(counts: Sequence[int], shown: Sequence[int], cells: int) -> list[int]:
    """Cells of each column: one without cards gets what its title needs, the others share the rest.

    Args:
        counts: How many quests each has.
        shown: How many of these are shown.
        cells: Of all of them, without what stands between.
    """
    least = [width(title(place, counts)) + 1 for place in range(len(counts))]
    full = [place for place, count in enumerate(shown) if count] or list(range(len(counts)))
    rest = cells - sum(least[place] for place in range(len(counts)) if place not in full)
    each, over = divmod(max(rest, 0), len(full))
    given = {place: each + (number < over) for number, place in enumerate(full)}
    return [given.get(place, least[place]) for place in range(len(counts))]


def title(place: int, counts: Sequence[int]) -> str:
    """The heading of a column."""
    return f"{NAMES[place].upper()} {counts[place]:,}"


def headings(counts: Sequence[int], chosen: int, cells: int) -> list[Cell]:
    """The headings of all columns in a line, of which one is shown; shorter where they do not fit."""
    return [Cell(" "), *(Cell(text, "chosen" if at == chosen else "title" if counts[at] else "quiet")
                         for at, text in enumerate(_headings(counts, cells)))]  # fmt: skip


def heading_ends(counts: Sequence[int], cells: int) -> list[int]:
    """Where each of them ends."""
    return list(accumulate(width(text) for text in _headings(counts, cells)))


def _headings(counts: Sequence[int], cells: int) -> list[str]:
    whole_ = [f" {title(place, counts)} " for place in range(len(counts))]
    if sum(map(width, whole_)) < cells:
        return whole_
    return [f"{NAMES[place][:SHORT_NAME].upper()} {count:,} " for place, count in enumerate(counts)]


def more(count: int, shown: int) -> str:
    """What stands below the cards of a column that has others; "" where it has none."""
    return f"… {count - shown:,} more" if count > shown else ""


def time_and_cost(row: Row, now: float) -> str:
    """How long it takes and what that costs: `2m $0.12`."""
    return " ".join(filter(None, (numbers.span(quests_rows.quest_lasted(row, now)), quests_rows.cost(row))))


def tails(row: Row, now: float) -> tuple[str, ...]:
    """What stands behind a name, the best first; what is cut is the last."""
    about = time_and_cost(row, now)
    match row["status"]:
        case _ if asks := row.get(quests_rows.AT_GATE) or row.get(quests_rows.ASKED):
            return (asks,)
        case "queued":
            why = quests_rows.why(row)
            code = "" if row.get("code") in UNSAYING else safe(row.get("code"))
            return why, why.partition(": ")[0] if row.get("code") == "slots" else "", code
        case "completed" if achieved := safe(achievement_of(row)):
            shorter = shortenings(achieved)
            return *(f"{one} {about}" for one in shorter), *shorter
        case status if status in {"failed", "cancelled", "unheard"} or landing_waits(row):
            return (quests_rows.why(row) or (status if status == quests_rows.CANCELLED else about),)
        case "running" if row["phase"] not in {None, "work"}:
            return f"{quests_rows.state(row)} {about}", quests_rows.state(row)
    return about, numbers.span(quests_rows.quest_lasted(row, now))


def card(row: Row, cells: int, now: float, *, by: str = "", names: int = 0, ascii_only: bool = False) -> list[Cell]:
    """A card: its mark, its name, and behind that the time and cost, or why it waits, as far as that fits.

    Of a name that is too long the end is shown where it is one of several of a spec: that tells them apart.

    Args:
        row: A quest.
        cells: The width.
        now: Seconds since the epoch.
        by: What the lanes are made of: in that of its spec it is called as in the spec's document.
        names: Cells that the names around it take, where there is room to put what follows below each other.
        ascii_only: Draw the mark with ASCII.
    """
    mark = quests_rows.mark(row)
    sign = Cell(f"{mark.ascii if ascii_only else mark.mark} ", mark.tone)
    name, room = short_name(row, by), cells - 2
    if width(name) > room:
        return [sign, Cell(_end_of(name, room) if "/" in row["name"] else clipped(name, room), "name")]
    if cells >= ROOMY:
        return [sign, *_roomy(row, name, room, min(max(names, width(name)), LONGEST_NAME), now)]
    room -= width(name) + 1
    known = [tail for tail in tails(row, now) if tail]
    fitting = next((tail for tail in known if width(tail) <= room), None)
    if fitting is None and known and room >= SHORTEST_TAIL:
        fitting = clipped(known[0], room)
    return [sign, Cell(name, "name"), *([Cell(f" {fitting}", quests_rows.why_tone(row))] if fitting else [])]


def _roomy(row: Row, name: str, room: int, names: int, now: float) -> list[Cell]:
    """Also how urgent it is, and which attempt this is."""
    known = [tail for tail in tails(row, now) if tail]
    tried = quests_rows.tries(row) if row["status"] not in {"queued", "completed"} else ""
    urgent = quests_rows.priority_cell(row, now)
    usual = urgent.text in {"", "medium"} or row["status"] in quests_rows.ENDED
    parts = [Cell(pad(clipped(name, names), names + 2), "name")]
    parts += [] if usual else [Cell(f"{urgent.text}  ", urgent.tone)]
    parts += [Cell(f"{tried}  ", "quiet")] if tried else []
    left = max(room - sum(width(part.text) for part in parts), 0)
    shorter = known if row["status"] == "completed" else known[:1]
    tail = next((tail for tail in shorter if width(tail) <= left), clipped(known[0], left) if known else "")
    return [*parts, Cell(tail, quests_rows.why_tone(row))]


def short_name(row: Row, by: str) -> str:
    """What a quest is called in its lane."""
    name = quests_rows.called(row)
    return name.removeprefix(f"{safe(row['spec'])}/") if by == "spec" and row.get("spec") else name


def _end_of(name: str, cells: int) -> str:
    """The last cells of a name, behind an ellipsis."""
    end = name
    while end and width(end) > cells - 1:
        end = end[1:]
    return f"…{end}"[: max(cells, 0)]


def text(rows: Sequence[Row], counts: Sequence[int], now: float, *, by: str, ascii_only: bool) -> str:
    """The board as plain text, a column below the other, each card whole."""
    lines = []
    for place in range(len(NAMES)):
        lines.append(title(place, counts))
        shown = [row for row in rows if row[COLUMN] == place]
        last = None
        for row in shown:
            if by and lane(row, by) != last:
                last = lane(row, by)
                lines.append(f" {last}")
            mark = quests_rows.mark(row)
            about = next(iter(tails(row, now)), "")
            parts = [f"  {mark.ascii if ascii_only else mark.mark}", short_name(row, by), about]
            lines.append(" ".join(filter(None, parts)))
        if left := more(counts[place], len(shown)):
            lines.append(f"  {left}")
    return "\n".join(lines) + "\n"
