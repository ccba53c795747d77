"""`overmind board`: every quest as a card in one of five columns."""

from __future__ import annotations

from overmind_core.cli.command import JSON, Command, argument, flag, option
from overmind_core.cli.context import Context
from overmind_core.cli.output import coloured, dumps, is_ascii_only, terminal_columns
from overmind_core.cli.quests.rows import ASKED, BLOCKING, phase_word, quest_mark, time_and_cost
from overmind_core.domain.missions.reasons import achievement_of, landing_waits, shortenings, why_failed, with_overdue
from overmind_core.domain.missions.status_marks import REVIEW
from overmind_core.domain.text.cells import cut, display_safe, shown_name, width

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    Row = Mapping[str, Any]
    Answer = Mapping[str, Any]
    Column = Mapping[str, Any]


CARDS = 20
"""Of a column; the rest is a number, unless all are asked for."""
STACKED_BELOW = 60
"""Cells: on a terminal that is narrower the columns stand below each other."""
_GAP = 2
_MARK = 2
"""Cells of a mark and the blank behind it. Measured here once: to measure what is not ASCII costs a short command."""
_SHORTEST_TAIL = 8
"""Cells in which the beginning of a reason still says something."""
_TONES = {"good": "32", "wait": "36", "slow": "33", "calm": "2", "bad": "31", "off": "35"}
"""What a mark means → SGR number, see ECMA-48."""
_BOLD = "1"
PRIORITIES = ("critical", "high", "medium", "low")
LANES = ("spec", "group", "priority")
EMPTY = "No quests. Add one with: overmind quest add 'Title' -- make test"


def board(args: Namespace, context: Context) -> int:
    """Print it once."""
    whole = args.all or args.json or args.by is not None  # a lane has twenty of a column, too
    request = {"spec": args.spec, "all": args.all, "limit": 0 if whole else CARDS}
    answer = context.client().call("board", {name: value for name, value in request.items() if value})
    if args.json:
        context.print(dumps(answer))
        return 0
    drawn = BoardDrawing(
        terminal_columns(),
        most=None if args.all else CARDS,
        ascii_only=is_ascii_only(),
        colours=coloured(context.environ),
    )
    columns = with_gates(_with_questions(answer["columns"], context), answer.get("gates", ()))
    context.print("\n".join(drawn.lines(columns, args.by)))
    if not any(column["count"] for column in columns):
        context.hint(EMPTY if args.spec is None else "No quests of this spec.")
    return 0


def _with_questions(columns: Sequence[Column], context: Context) -> Sequence[Column]:
    """The columns, with what a person is asked about the quests that wait for that."""
    if not any(column["name"] == REVIEW.word and column["quests"] for column in columns):
        return columns
    from overmind_core.domain.engine_questions import (
        asks,
        is_for_all,
        oldest_of,
    )  # start-up: only where something is asked

    asked = oldest_of(one for one in context.client().call("inbox") if not is_for_all(one))

    def noted(row: Row) -> Row:
        return {**row, ASKED: asks(asked[row["id"]], row["name"])} if row["id"] in asked else row

    return [
        {**column, "quests": [noted(row) for row in column["quests"]]} if column["name"] == REVIEW.word else column
        for column in columns
    ]


def with_gates(columns: Sequence[Column], gates: Sequence[Row]) -> Sequence[Column]:
    """Return the columns, with what specs wait for in review: at a gate the card of its quest, else one of its own."""
    if not gates:
        return columns
    from overmind_core.view.board import gate_row, gate_words  # start-up: only where a spec waits

    cards = [gate_row(dict(one)) for one in gates if one.get("quest") is None]
    words = gate_words(map(dict, gates))

    def noted(row: Row) -> Row:
        return {**row, **_AT_GATE, ASKED: words[row["id"]]} if row["id"] in words else row

    return [
        {**column, "count": column["count"] + len(cards), "quests": [*cards, *map(noted, column["quests"])]}
        if column["name"] == REVIEW.word
        else column
        for column in columns
    ]


_AT_GATE: Row = {"status": REVIEW.word, "outcome": None}
"""How the quest is drawn whose document waits at a gate."""


class BoardDrawing:
    """Draws columns of cards.

    Args:
        columns: How wide it may be, in cells.
        most: Cards of each column; None: all.
        ascii_only: Marks are letters.
        colours: Marks have the colour of their tone, and titles are bold.
    """

    def __init__(
        self, columns: int, *, most: int | None = CARDS, ascii_only: bool = False, colours: bool = False
    ) -> None:
        self._columns = columns
        self._most = most
        self._ascii_only = ascii_only
        self._colours = colours

    def lines(self, columns: Sequence[Column], by: str | None = None) -> Iterator[str]:
        """Yield the lines of the board; with `by` a part for each value of that field of a quest, its lane."""
        if self._columns < STACKED_BELOW:
            yield from self._stacked(columns, by)
            return
        wide = shares([self._wanted(column, by) for column in columns], self._columns - _GAP * (len(columns) - 1))
        yield self._side_by_side(list(map(self._title, columns, wide)), wide)
        for name, lane in lanes(columns, by):
            yield from self._heading(name)
            spec = name if by == "spec" else None
            cards = [list(self._cards(column, cells, spec=spec)) for column, cells in zip(lane, wide, strict=True)]
            for place in range(max(map(len, cards), default=0)):
                parts = [column[place] if place < len(column) else (0, "") for column in cards]
                yield self._side_by_side(parts, wide)

    def _wanted(self, column: Column, by: str | None) -> int:
        """The cells in which all of a column could be read."""
        found = [self._title(column, self._columns)]
        for name, (part,) in lanes([column], by):
            found += self._cards(part, self._columns, spec=name if by == "spec" else None)
        return max(cells for cells, _ in found)

    def _stacked(self, columns: Sequence[Column], by: str | None) -> Iterator[str]:
        for column in columns:
            yield self._title(column, self._columns)[1]
            for name, (part,) in lanes([column], by):
                yield from self._heading(name)
                cards = self._cards(part, self._columns, spec=name if by == "spec" else None)
                yield from (text.rstrip() for _, text in cards)

    def _heading(self, lane: str | None) -> Iterator[str]:
        if lane is not None:
            yield self._painted(cut(display_safe(lane), self._columns), _BOLD)

    def _title(self, column: Column, cells: int) -> tuple[int, str]:
        plain = cut(f"{column['name'].upper()} {column['count']}", cells)
        return width(plain), self._painted(plain, _BOLD)

    def _cards(self, column: Column, cells: int, *, spec: str | None) -> Iterator[tuple[int, str]]:
        """Yield how many cells each card takes, and the card."""
        rows = column["quests"] if self._most is None else column["quests"][: self._most]
        for row in rows:
            mark = quest_mark(row)
            sign = mark.ascii if self._ascii_only else mark.mark
            text = card_text(row, cells - _MARK, spec=spec)
            yield _MARK + width(text), f"{self._painted(sign, _TONES[mark.tone])} {text}"
        if (more := column["count"] - len(rows)) > 0:
            dots = (_DOTS if self._ascii_only else "…")[:cells]
            count = cut(f" {more} more", cells - len(dots))
            yield len(dots) + len(count), dots + count

    @staticmethod
    def _side_by_side(parts: Sequence[tuple[int, str]], wide: Sequence[int]) -> str:
        padded = [text + " " * (cells - taken) for (taken, text), cells in zip(parts, wide, strict=True)]
        return (" " * _GAP).join(padded).rstrip()

    def _painted(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colours else text


def shares(wanted: Sequence[int], room: int) -> list[int]:
    """Return how many of `room` cells each column gets: no more than it wants, and what it leaves is for the others."""
    found = [0] * len(wanted)
    left = max(room, 0)
    for rank, place in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        found[place] = min(wanted[place], left // (len(wanted) - rank))
        left -= found[place]
    return found


def card_text(row: Row, cells: int, *, spec: str | None = None) -> str:
    """Return a card without its mark: the name, and behind it the time and cost, or why it waits, as far as that fits.

    Of a name that is too long the end is shown where it is one of several of a spec: that tells them apart. `spec`: the
    one in whose part of the board it stands; there it is called as in its document.
    """
    name = display_safe(shown_name(row["name"].removeprefix(f"{spec}/") if spec else row["name"], row.get("title")))
    if width(name) > cells:
        return _end_of(name, cells) if "/" in row["name"] else cut(name, cells)
    room = cells - width(name) - 1
    tails = [display_safe(tail) for tail in _tails(row) if tail]
    fitting = next((tail for tail in tails if width(tail) <= room), None)
    if fitting is None and tails and room >= _SHORTEST_TAIL:
        fitting = cut(tails[-1], room)
    return f"{name} {fitting}" if fitting else name


def _tails(row: Row) -> tuple[str, ...]:
    """What stands behind a name, best first."""
    status = row["status"]
    if row.get(ASKED):
        return (row[ASKED],)
    if status == "queued":
        # Its column says that it is blocked, and `needs` without a name says nothing.
        owner = row["why"].partition(f" is {_OWNED}")[2].partition(",")[0] if row["code"] == "owns" else ""
        code = "" if row["code"] in _UNSAID else row["code"] or ""
        why = with_overdue(row["why"] or "", overdue=bool(row.get("overdue")))
        moment = row["why"].partition(" (")[0] if row["code"] == "until" else ""
        return why, moment or (f"{_OWNED}{owner}" if owner else code)
    if status in {"failed", "cancelled"}:
        return (achievement_of(row) or why_failed(row) or status,)
    if waits := landing_waits(row):
        return (waits,)
    phase = phase_word(row)
    about = time_and_cost(row)
    if achieved := achievement_of(row):
        shorter = shortenings(achieved)
        return *(f"{one} {about}" for one in shorter), *shorter
    return (f"{phase} {about}" if phase not in {"", "working"} else about, about, phase)


_UNSAID = frozenset({BLOCKING, "needs"})
"""Codes that alone say nothing on a card."""
_OWNED = "owned by "
"""Before the name of the quest that owns what another one waits for, in the sentence about that."""
_DOTS = "..."


def _end_of(name: str, cells: int) -> str:
    """The last cells of a name, behind dots."""
    room = cells - len(_DOTS)
    if room < 1:
        return cut(name, cells)
    end = name
    while width(end) > room:
        end = end[1:]
    return _DOTS + end


def lanes(columns: Sequence[Column], by: str | None) -> list[tuple[str | None, list[Column]]]:
    """Return the columns in parts, one for each value of a field of the quests; without `by` they are one part.

    Priorities come in their order, specs and groups by name; quests without a value come last.
    """
    if by is None:
        return [(None, list(columns))]
    parts: dict[str | None, list[Column]] = {}
    for place, column in enumerate(columns):
        for row in column["quests"]:
            if row[by] not in parts:
                parts[row[by]] = [{"name": one["name"], "quests": []} for one in columns]
            parts[row[by]][place]["quests"].append(row)
    return [
        (f"no {by}" if value is None else value, [{**part, "count": len(part["quests"])} for part in parts[value]])
        for value in sorted(parts, key=_place)
    ]


def _place(value: str | None) -> tuple[bool, int, str]:
    return value is None, PRIORITIES.index(value) if value in PRIORITIES else 0, value or ""


BOARD = Command(
    name="board",
    arguments=[argument("spec", "only quests of this spec", nargs="?")],
    options=[
        option("--by", "FIELD", "a part for each spec, group or priority", choices=LANES),
        flag("--all", "all cards, and all quests that have ended", short="-a"),
        JSON,
    ],
    examples=["overmind board", "overmind board login", "overmind board --by priority", "overmind board --all"],
    notes=(
        "Queued and running: nobody has to act, unless a budget is spent. Review: waiting for a person. Blocked: "
        "failed, until a person has decided about it, or kept from starting until somebody acts; see overmind quest "
        "why. Done: completed, cancelled, and failed with nothing left to decide, as `quest run` and runs of rituals "
        "are, which ask nothing: see overmind quest list --status failed. Quests move by themselves: `quest retry`, "
        "`quest edit`, `quest cancel`."
    ),
    run=board,
)

COMMANDS = (BOARD,)
