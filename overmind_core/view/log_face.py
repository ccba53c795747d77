"""The log as a face of the panel: the minute where it changes, and each line below its own beginning. Pure.

Its lines are those of `logs.display`: what a program wrote and its notes. Of an agent's readable transcript a line is
told apart by its sign: a tool, a question, a failed turn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from overmind_core.domain.text.cells import width
from overmind_core.logs.display import NOTE, Line
from overmind_core.providers.lines import FAILED, GEAR, is_turn_summary
from overmind_core.view import log_lines
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import PLAIN, Cell, Row, TextStyle, stripped
from overmind_core.view.subject import wrapped

Lines = list[list[Cell]]
HUMAN = "[human] "
"""Before what a person said, in the note of the log."""
YOU = "you  "
OWN = "own"
"""The first word of a tone that is the look which the program itself gave its text: see `look_of`."""
_QUESTION = re.compile(r"( *)\? (?:permission|question|plan|setup|draft): (.*)", re.DOTALL)
_TOOL = re.compile(rf"( *)({GEAR} )(.*)", re.DOTALL)
_TRIES = re.compile(r"… .*: try \d+ of ")
_MINUTE, _SECOND = "%H:%M", "%H:%M:%S"
_LEAST_TEXT = 8
"""Cells that are left for what a line says."""
_MOST_LEAD = 20
"""Cells that a time and the sign of a line take at most, with the edge."""
_OF_ONE_MESSAGE = 200
"""Lines of a message above the one that is drawn, in which its first is looked for."""


class LogLook(NamedTuple):
    """How lines are drawn.

    Attributes:
        cells: The width.
        zone: None is the machine's.
        is_agent: They are a readable transcript; else what a program wrote.
        times: Each line has its time, with seconds.
        offset: Lines are cut, and begin at this cell; None: they are wrapped.
        asked: How many questions are open: the newest so many are in the tone of one that waits.
    """

    cells: int
    zone: tzinfo | None = None
    is_agent: bool = False
    times: bool = False
    offset: int | None = None
    asked: int = 0


class _Parts(NamedTuple):
    """The sign of a line, and its text behind it."""

    lead: Cell
    text: list[log_lines.StyledText]


def tail(lines: Sequence[Line], height: int, look: LogLook, *, above: int = 0) -> Lines:
    """The newest rows, at most `height`; `above`: so many rows are scrolled off below them."""
    found: Lines = []
    asked = look.asked
    for at in range(len(lines) - 1, -1, -1):
        asks = is_question(lines[at], look)
        found[:0] = rows(lines, at, look, is_open=asks and asked > 0)
        asked -= asks
        if len(found) >= height + above:
            break
    end = max(len(found) - above, min(height, len(found)))
    return found[max(end - height, 0) : end]


def rows(lines: Sequence[Line], at: int, look: LogLook, *, is_open: bool = False) -> Lines:
    """The rows of one of the lines. `is_open`: it is a question that waits."""
    time = Cell(f" {_time(lines, at, look)}  ", "faint")
    if log_lines.is_rule(lines[at]):
        return [_cells(log_lines.rule(lines[at], look.cells - 1, width(time.text)))]
    lead, text = _parts(lines, at, look, is_open=is_open)
    most = max(look.cells - 1 - width(time.text) - _LEAST_TEXT, 0)
    if width(lead.text) > most:  # of an indented tool the mark and its blank are left
        lead = lead._replace(text=lead.text.lstrip(" ").rjust(most))
    hang = width(time.text) + width(lead.text)
    if look.offset is not None:
        shown = log_lines.sideways(text, look.offset, max(look.cells - hang - 1, 1))
        return [[time, *([lead] if lead.text else []), *_cells(shown)]]
    first, *more = wrapped([[Cell(" " * hang), *_cells(text)]], look.cells - 1, hang)
    return [[time, *([lead] if lead.text else []), *first[1:]], *more]


def height(lines: Sequence[Line], at: int, look: LogLook) -> int:
    """The number of rows of one of the lines; at least one."""
    text = lines[at][2]
    if look.offset is not None or (len(text) < look.cells - _MOST_LEAD and text.isascii() and "\t" not in text):
        return 1
    return len(rows(lines, at, look))


def is_question(line: Line, look: LogLook) -> bool:
    """True of a line in which an agent asks something."""
    return look.is_agent and line[1] != NOTE and _QUESTION.match(stripped(line[2])) is not None


def nothing(row: Row) -> list[Cell]:
    """The line of a log without one."""
    return [Cell(f" has written nothing{' yet' * missions_rows.is_live(row)}", "quiet")]


def _time(lines: Sequence[Line], at: int, look: LogLook) -> str:
    """The minute of a line where the one before it has another; blanks as wide where it has the same."""
    wall = lines[at][0]
    blank = " " * (8 if look.times else 5)
    if not wall:
        return blank
    if look.times:
        return _clock(wall, look.zone, _SECOND)
    before = lines[at - 1][0] if at else 0.0
    own = _clock(wall, look.zone, _MINUTE)
    return blank if before and _clock(before, look.zone, _MINUTE) == own else own


def _clock(wall: float, zone: tzinfo | None, form: str) -> str:
    return datetime.fromtimestamp(wall, zone).strftime(form)


def _parts(lines: Sequence[Line], at: int, look: LogLook, *, is_open: bool) -> _Parts:
    line = lines[at]
    plain = log_lines.whole_text(line, None, times=False)[: log_lines.LONGEST]
    if line[1] == NOTE:
        if plain.startswith(HUMAN):
            return _Parts(Cell(YOU, "news"), [(plain.removeprefix(HUMAN), "news")])
        if _goes_on(lines, at):
            return _Parts(Cell(" " * len(YOU)), [(plain, "news")])
        return _Parts(Cell(""), [(plain, "quiet")])
    return _of_agent(line, plain, is_open=is_open) if look.is_agent else _Parts(Cell(""), _own(line))


def _of_agent(line: Line, plain: str, *, is_open: bool) -> _Parts:
    if tool := _TOOL.match(plain):
        return _Parts(Cell(tool[1] + tool[2], "quiet"), [(tool[3], "quiet")])
    if asked := _QUESTION.match(plain):
        tone = "wait" if is_open else "quiet"
        return _Parts(Cell(f"{asked[1]}! ", tone), [(f"asks: {asked[2]}", tone)])
    if plain.startswith(f"{FAILED} "):
        return _Parts(Cell(f"{FAILED} ", "bad"), [(plain[2:], "bad")])
    if is_turn_summary(plain):
        return _Parts(Cell(""), [(plain, "faint")])
    return _Parts(Cell(""), [(plain, "slow")] if _TRIES.match(plain) else _own(line))


def _own(line: Line) -> list[log_lines.StyledText]:
    """Its texts with the program's own looks; no stream has a colour of its own."""
    return [(text, tone if isinstance(tone, TextStyle) else "") for text, tone in log_lines.pieces(line)]


def _goes_on(lines: Sequence[Line], at: int) -> bool:
    """True of a note that is a further line of a message; all lines of one have its time."""
    wall, _, text = lines[at]
    if stripped(text).startswith("--- "):
        return False
    for before in range(at - 1, max(at - _OF_ONE_MESSAGE, -1), -1):
        other = lines[before]
        if other[0] != wall or other[1] != NOTE:
            return False
        if stripped(other[2]).startswith(HUMAN):
            return True
    return False


# the program's own looks, as tones


def _cells(parts: Sequence[log_lines.StyledText]) -> list[Cell]:
    return [Cell(text, tone_of(tone) if isinstance(tone, TextStyle) else tone) for text, tone in parts]


def tone_of(look: TextStyle) -> str:
    """The look as a tone: `own bold text=1 ground=#202020`; "" for none."""
    if look == PLAIN:
        return ""
    colours = [f"{name}={one}" for name, one in (("text", look.text), ("ground", look.ground)) if one is not None]
    return " ".join((OWN, *look.attributes, *colours))


def look_of(tone: str) -> TextStyle | None:
    """The look that such a tone stands for; None where it is a tone of ours."""
    first, *words = tone.split(" ")
    if first != OWN:
        return None
    colours = dict(word.split("=", 1) for word in words if "=" in word)
    attributes = tuple(word for word in words if "=" not in word)
    return TextStyle(attributes, _colour(colours.get("text")), _colour(colours.get("ground")))


def _colour(text: str | None) -> int | str | None:
    return text if text is None or text.startswith("#") else int(text)
