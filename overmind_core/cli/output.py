"""How answers look: tables that no character breaks, compact JSON, colour where a person looks, trees, a live view."""

from __future__ import annotations

import os
import sys
import time

from overmind_core.domain.text.cells import cut, display_safe, pad, width
from overmind_core.domain.text.decimals import dollars
from overmind_core.domain.text.duration import format_uptime
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, NoReturn

    Row = Mapping[str, Any]


ABSENT = "-"
"""What a table shows where there is nothing."""
COMMAND_CELLS = 40
TEXT_CELLS = 60
_GAP = "  "

UNSAFE = "[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
"""Pattern of controls that JSON doesn't spell out by itself, and those that turn the reading direction."""

STATUS_COLOURS = {
    "preparing": "33",
    "starting": "33",
    "running": "32",
    "paused": "36",
    "restarting": "33",
    "stopping": "33",
    "stopped": "2",
    "crashed": "31",
    "killed": "35",
}
"""Status → SGR number, see ECMA-48."""

_UNITS = ("B", "KB", "MB", "GB", "TB")


class JsonText(str):
    """JSON, and the value of which it was made: whoever prints it may print that in another format."""

    __slots__ = ("value",)

    value: object


def dumps(value: object, *, indent: int | None = None) -> JsonText:
    """Return `value` as JSON that no terminal acts on: one compact line, or many with `indent`."""
    import json  # start-up: tables need none
    import re

    separators = (",", ":") if indent is None else None
    text = json.dumps(value, ensure_ascii=is_ascii_only(), separators=separators, indent=indent)
    made = JsonText(re.sub(UNSAFE, lambda found: f"\\u{ord(found[0]):04x}", text))
    made.value = value
    return made


UNWRITABLE = "Standard output can't be written: {}."


def write_out(text: str | bytes, *, flush: bool = True) -> None:
    """Write to stdout, at once with `flush`: a text, or bytes as they are.

    Raises:
        OvermindError: `internal`, it can't be written; nobody is to take that for a full disk of ours.
    """
    try:
        if isinstance(text, str):
            sys.stdout.write(text)
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(text)
        if flush:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OvermindError("internal", UNWRITABLE.format(error.strerror)) from None


def safe_text(text: str) -> str:
    """Return what an agent wrote as it may stand on stdout: as it is, but harmless where a person looks."""
    if not sys.stdout.isatty():
        return text
    from overmind_core.logs.sanitise import Sanitiser  # start-up: few commands need it

    sanitiser = Sanitiser(colour=coloured())
    return "\n".join((*sanitiser.feed(text.encode(errors="replace")), *sanitiser.flush()))


def is_ascii_only() -> bool:
    """Whether stdout may not take every character."""
    return (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"


_PLAIN = {ord("·"): "-", ord("…"): "...", ord("×"): "x"}
"""Signs of ours → what is said where stdout takes ASCII only."""


def ascii_text(text: str) -> str:
    """Return `text` with our own signs as stdout takes them."""
    return text.translate(_PLAIN) if is_ascii_only() else text


PIPE_COLUMNS = 100
"""Of a drawing, or the board, that goes to no terminal."""


def terminal_columns() -> int:
    """Return how wide something may be on stdout, in cells."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or PIPE_COLUMNS
    except (OSError, ValueError):
        return PIPE_COLUMNS


def coloured(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether stdout is a person's terminal who didn't say NO_COLOR (no-color.org)."""
    return sys.stdout.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def table(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    colours: Mapping[str, str] | None = None,
    stays: str = "",
) -> str:
    """Return a table with aligned columns; cells are made safe for a terminal.

    Args:
        titles: The first line.
        rows: As many cells each.
        colours: Cells of the column STATUS that are exactly such a word get this SGR number.
        stays: Title of the column that is left out last; then those in which nothing stands are left out first.

    On a terminal the widest columns are cut until a row is a line, and where that is not enough, those at the right are
    left out; what else reads it gets all.
    """
    safe = [[display_safe(cell) for cell in row] for row in rows]
    widths, gap = [max(map(width, column)) for column in zip(titles, *safe, strict=True)], _GAP
    if (room := _terminal_room()) is not None:
        least, leaving = _least(widths, titles, stays), _leaving(titles, safe, stays)
        shown, gap = fitting(widths, least, leaving, room)
        safe = [[cut(row[at], most) for at, most in shown.items()] for row in safe]
        titles, widths = [titles[at] for at in shown], list(shown.values())
    painted = titles.index("STATUS") if colours and "STATUS" in titles else -1
    lines = [_line(titles, widths, gap)]
    for row in safe:
        code = (colours or {}).get(row[painted]) if painted >= 0 else None
        lines.append(_line(row, widths, gap) if code is None else _line(row, widths, gap, painted=painted, code=code))
    return "\n".join(lines)


def _terminal_room() -> int | None:
    """The width of the terminal on stdout; None where it is none."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    except (OSError, ValueError):
        return None


_NAMING = 2
"""Columns at the left that say which row it is, and are typed elsewhere: they stay whole."""
_LEAST = 8
"""Cells in which the beginning of a text still says something."""
_LEAST_OF_STAYING = 16
"""The same, of a sentence."""


def _least(widths: Sequence[int], titles: Sequence[str], stays: str) -> list[int]:
    """Cells that each column needs at least: a title stays whole."""
    least = [max(width(title), _LEAST_OF_STAYING if title == stays else _LEAST) for title in titles]
    return [one if at < _NAMING else min(one, least[at]) for at, one in enumerate(widths)]


def _leaving(titles: Sequence[str], rows: Sequence[Sequence[str]], stays: str) -> list[int]:
    """Places of the columns that may be left out, the first to go first."""
    places = list(range(len(titles) - 1, _NAMING - 1, -1))
    if stays not in titles:
        return places

    def rank(at: int) -> int:
        return 2 if titles[at] == stays else int(any(row[at] != ABSENT for row in rows))

    return sorted(places, key=rank)


def fitting(
    widths: Sequence[int], least: Sequence[int], leaving: Sequence[int], room: int
) -> tuple[dict[int, int], str]:
    """Return place → width of the columns, and what stands between two of them, with which a row is a line.

    Args:
        widths: Of the columns, as their cells need.
        least: To which they may be cut.
        leaving: Places of those that may be left out, in this order.
        room: Cells of a line.
    """
    gap = _GAP if sum(least) + len(_GAP) * (len(least) - 1) <= room else " "
    found = dict(enumerate(widths))
    for at in leaving:
        if sum(least[one] for one in found) + len(gap) * (len(found) - 1) <= room:
            break
        del found[at]
    over = sum(found.values()) + len(gap) * (len(found) - 1) - room
    for _ in range(over):
        spare = [(one, at) for at, one in found.items() if one > least[at]]
        if not spare:
            break
        found[max(spare)[1]] -= 1
    return found, gap


def _line(cells: Sequence[str], widths: Sequence[int], gap: str, *, painted: int = -1, code: str = "") -> str:
    padded = [pad(cell, cells_wide) for cell, cells_wide in zip(cells, widths, strict=True)]
    padded[-1] = cells[-1]
    if painted >= 0:
        padded[painted] = f"\x1b[{code}m{padded[painted]}\x1b[0m"
    return gap.join(padded).rstrip()


def or_absent(value: object) -> str:
    """Return the text of `value`, `-` when there is none."""
    return ABSENT if value is None or value == "" else str(value)


def command_cell(command: str) -> str:
    """Return a command as a table shows it: safe, at most 40 cells."""
    return cut(display_safe(command), COMMAND_CELLS)


def text_cell(text: str) -> str:
    """Return a text of any length as a table shows it: one safe line, at most 60 cells."""
    return cut(display_safe(text), TEXT_CELLS)


def labels_cell(labels: Mapping[str, str]) -> str:
    """Return the labels of a hive or pool as a table shows them, `-` when there are none: others choose them."""
    return text_cell(or_absent(",".join(f"{name}={value}" for name, value in sorted(labels.items()))))


def activity_cell(row: Row) -> str:
    """Return what a mission is doing: `working`, `waiting:permission`, `limited 4m` until its next try, `idle?`."""
    if guess := row.get("activity_guess"):
        return f"{guess}?"
    if row.get("activity") == "limited" and row.get("resume_at"):
        from overmind_core.domain.text.moment import parse_time  # start-up: few rows need it

        now = time.time()
        return f"limited {format_uptime(parse_time(row['resume_at'], now) - now)}"
    return ":".join(filter(None, (row.get("activity"), row.get("need")))) or ABSENT


def money(usd: float | None) -> str:
    """Return US dollars: `$0.12`, with four digits where two would say nothing."""
    return ABSENT if usd is None else dollars(usd)


def cost(row: Mapping[str, Any]) -> str:
    """Return the cost of a row: `$0.12`, `~$0.12` where it is estimated, `$0.12 + ?` where a part is unknown."""
    from overmind_core.view import numbers  # start-up: few commands show any

    return numbers.cost(numbers.Cost.of(row), money) or ABSENT


def tokens(count: float | None) -> str:
    """Return a number of tokens: `840`, `12.3k`, `1.2M`."""
    if count is None:
        return ABSENT
    if count < 1000:  # noqa: PLR2004  (decimal units)
        return str(count)
    return f"{count / 1e3:.1f}k" if count < 1e6 else f"{count / 1e6:.1f}M"  # noqa: PLR2004  (decimal units)


def size(count: float | None) -> str:
    """Return bytes as a person reads them: `0 B`, `1.5 KB`, `230 MB`."""
    if count is None:
        return ABSENT
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:  # noqa: PLR2004  (decimal units)
        count /= 1000
        unit += 1
    few = unit > 0 and count < 10  # noqa: PLR2004  (one more digit while there is one only)
    return f"{count:.1f} {_UNITS[unit]}" if few else f"{count:.0f} {_UNITS[unit]}"


FORK = "├─ "
LAST = "└─ "
PASSING = "│  "
EMPTY = "   "


def branches(rows: Sequence[Row]) -> list[tuple[str, Row]]:
    """Return each row once, with the branch to draw before its name.

    A row whose parent is not among `rows` is a root. The order among siblings stays. Rows that are their own
    ancestors, which nothing can make, still appear.
    """
    children: dict[str | None, list[Row]] = {}
    known = {row["id"] for row in rows}
    for row in rows:
        children.setdefault(row["parent"] if row["parent"] in known else None, []).append(row)
    drawn: dict[str, tuple[str, Row]] = {}
    for root in (*children.get(None, ()), *rows):
        for prefix, row in _descend(root, children, drawn):
            drawn[row["id"]] = (prefix, row)
    return list(drawn.values())


def _descend(
    root: Row, children: Mapping[str | None, Sequence[Row]], drawn: Mapping[str, object]
) -> Iterator[tuple[str, Row]]:
    """Walk depth first, without recursion: a chain may be a thousand deep."""
    waiting = [("", "", root)]
    while waiting:
        prefix, below, row = waiting.pop()
        if row["id"] in drawn:
            continue
        yield prefix, row
        brood = children.get(row["id"], ())
        for place, child in enumerate(reversed(brood)):
            ends = place == 0
            waiting.append((below + (LAST if ends else FORK), below + (EMPTY if ends else PASSING), child))


INTERVAL = 1.0
"""Seconds between two drawings."""
_CLEAR = "\x1b[2J"
_HOME = "\x1b[H"
_REST_OF_LINE = "\x1b[K"
_REST_OF_SCREEN = "\x1b[J"


def redraw(draw: Callable[[], str], rendered: Callable[[str], str]) -> NoReturn:
    """Show what `draw` returns, as `rendered`, each second: in place on a terminal, below each other in a pipe."""
    screen = sys.stdout.isatty()
    if screen:
        sys.stdout.write(_CLEAR)
    while True:
        text = rendered(draw())
        write_out(_in_place(text) if screen else f"{text}\n")
        time.sleep(INTERVAL)


def _in_place(text: str) -> str:
    """Overwrite the last drawing line by line: clearing first would flicker."""
    lines = text.split("\n")[: os.get_terminal_size(sys.stdout.fileno()).lines - 1]
    return _HOME + "".join(f"{line}{_REST_OF_LINE}\r\n" for line in lines) + _REST_OF_SCREEN
