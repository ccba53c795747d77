"""The help: the keys of a view in three columns, a word or two each, and below them the marks. Pure.

Which keys there are, and which of them end work, is read from the keymap; here stand the order of the rows and their
words. One row may stand for several actions. A view without rows of its own has the labels of its actions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from overmind_core.domain.missions.status_marks import (
    ATTACHED,
    FAILED,
    FROZEN,
    LIMITED,
    LOST,
    RESTARTING,
    STARTING,
    STOPPED,
    SUCCEEDED,
    WAITING,
    WORKING,
    YOUR_TURN,
    StatusMark,
)
from overmind_core.domain.operation import Danger
from overmind_core.domain.text.cells import pad, width
from overmind_core.view import keymap as keys
from overmind_core.view.actions import KEY_NAMES, Action, Context, allowed
from overmind_core.view.cells import Cell, clipped
from overmind_core.view.header_line import Line, size_of, whole
from overmind_core.view.hints import actions_of

COLUMNS = 3
WIDEST = 40
"""Cells of a column at most."""
ROOMY = 30
"""Cells of a column from which on its keys have more room."""
KEY, WIDE_KEY = 8, 10
"""Cells of the keys, with a blank behind them."""
GAP = 3
"""Cells between two marks."""
LEGEND = "marks"
ENDS = "*"
"""Behind the words of what ends work."""
NOTE = f" {ENDS} ends work or removes it: asks first"
_ARROWS = frozenset({"up", "down", "left", "right"})


class Entry(NamedTuple):
    """A row: the names of its actions, and its words."""

    actions: tuple[str, ...]
    words: str


def _entry(words: str, *actions: str) -> Entry:
    return Entry(actions, words)


MISSION: tuple[Entry, ...] = (
    _entry("open it", "open"), _entry("answer it", "question"), _entry("send a message", "message"),
    _entry("type into it", "attach"), _entry("log", "log"), _entry("diff", "changes"), _entry("describe", "describe"),
    _entry("shell there", "shell"), _entry("interrupt", "interrupt"), _entry("land its work", "land"),
    _entry("restart", "restart"), _entry("stop", "stop"), _entry("kill", "kill"),
)  # fmt: skip
"""Rows of the mission under the cursor."""
LIST: tuple[Entry, ...] = (
    _entry("move", "down", "up"), _entry("first, last", "first", "last"), _entry("fold, unfold", "fold", "unfold"),
    _entry("mark", "mark"), _entry("filter", "filter"), _entry("tree or flat", "flat"),
    _entry("sort", "sort-age", "sort-name", "sort-state", "sort-for"), _entry("more columns", "wide"),
    _entry("needs attention", "attention"), _entry("copy the id", "copy"), _entry("earlier run", "previous"),
    _entry("notes", "notes"), _entry("remove", "remove"),
)  # fmt: skip
"""Rows of a list."""
EVERYWHERE: tuple[Entry, ...] = (
    _entry("new mission", "new"), _entry("needs you", "inbox"), _entry("next of them", "next-need"),
    _entry("any command", "command"), _entry("turn the panel", "next-panel"), _entry("zoom, and back", "zoom"),
    _entry("earlier views", "history-back", "history-forward", "history-last"), _entry("all commands", "aliases"),
    _entry("draw again", "refresh"), _entry("back, quit", "back", "quit"), _entry("all keys", "help"),
)  # fmt: skip
"""Rows of every view."""
_OF_MISSIONS = (("this mission", MISSION), ("this list", LIST), ("everywhere", EVERYWHERE))
_TITLES = {
    Context.NEEDS: "question", Context.GIVEN: "note", Context.LOOKING: "terminal", Context.TYPING: "terminal",
    Context.HEALTH: "mission", Context.TIMELINE: "event", Context.LEARN: "lesson", Context.CHANGES: "diff",
    Context.SPECS: "spec",
}  # fmt: skip
"""The word for what is under the cursor, where that is not the context's own."""
TURNED = frozenset({Context.MISSIONS, Context.NEEDS, Context.LOG, Context.GIVEN, Context.LOOKING, Context.CHANGES})
"""Contexts of views that have several panels; in all others there is none to go to."""
_SERIES = {"option-": "choose", "range-": "the newest lines"}
"""The beginning of the names of actions that share a row → its words; their keys are digits that follow each other."""

NEWS = StatusMark("•", "o", "news, not seen yet", "accent")
PART = StatusMark("‹", "<", "part of", "faint")
FOLDED = StatusMark("▸", "+", "folded", "faint")
UNFOLDED = StatusMark("▾", "-", "unfolded", "faint")
MARKED = StatusMark("*", "*", "marked", "accent")
MARKS: tuple[tuple[tuple[StatusMark, str], ...], ...] = (
    ((WAITING, "asks you"), (YOUR_TURN, "your turn"), (WORKING, "works"), (RESTARTING, "tries again"),
     (LIMITED, "limited"), (STARTING, "starts")),
    ((SUCCEEDED, "succeeded"), (FAILED, "failed, timed out"), (STOPPED, "stopped, killed"), (LOST, "lost"),
     (FROZEN, "frozen")),
    ((NEWS, NEWS.word), (ATTACHED, "somebody types into it"), (PART, PART.word), (FOLDED, FOLDED.word)),
)  # fmt: skip
"""The marks of missions with their words, line by line; marks that look alike share one."""


class HelpRow(NamedTuple):
    """A row as it is drawn: where it stands, and what `enter` on it does.

    Attributes:
        column: From 0.
        line: Of the page, from 0.
        action: The first of its actions.
    """

    column: int
    line: int
    action: Action


class HelpPage(NamedTuple):
    """The lines of the help, and its rows from the first column down to the last one."""

    lines: list[Line]
    rows: list[HelpRow]


class _Row(NamedTuple):
    actions: tuple[Action, ...]
    keys: str
    words: str


def help_page(
    context: Context,
    cells: int,
    height: int,
    *,
    read_only: bool = False,
    ascii_only: bool = False,
    marks: Sequence[StatusMark] | None = None,
    drawn: Iterable[StatusMark] = (),
) -> HelpPage:
    """The page in exactly `height` lines, the marks at its foot.

    Args:
        context: The one whose keys are shown.
        cells: The width.
        height: Lines that there are.
        read_only: Actions that change something are left out.
        ascii_only: Keys and marks are written in ASCII.
        marks: The marks of the view; None: those of missions.
        drawn: Marks that are on the screen now; those that have no place in the legend get one.
    """
    named = _rows_of(context, read_only=read_only, ascii_only=ascii_only)
    foot = legend(cells, ascii_only=ascii_only, marks=marks, drawn=drawn)
    has_note = any(_ends_work(row.actions) for _, found in named for row in found)
    room = max(height - len(foot) - 1 - has_note, 1)
    lines, places = _columns(named, cells, room)
    lines += [[Cell(NOTE, "quiet")]] * has_note
    lines += [[] for _ in range(height - len(lines) - len(foot))]
    return HelpPage([*lines, *foot][:height], places)


def _rows_of(context: Context, *, read_only: bool, ascii_only: bool) -> list[tuple[str, list[_Row]]]:
    """The columns: their titles, and the rows that mean something in the context."""
    known = {name: one for name, one in actions_of(context).items() if allowed(one, read_only=read_only)}
    titled = _OF_MISSIONS if context is Context.MISSIONS else _derived(context, known)
    found = []
    for title, entries in titled:
        rows = []
        for entry in entries:
            actions = tuple(known[name] for name in entry.actions if name in known)
            if actions:
                star = f" {ENDS}" if _ends_work(actions) else ""
                rows.append(_Row(actions, _keys(actions, context, ascii_only=ascii_only), entry.words + star))
        found.append((title, rows))
    return [(title, rows) for title, rows in found if rows]


def _derived(context: Context, known: Mapping[str, Action]) -> tuple[tuple[str, Sequence[Entry]], ...]:
    """Columns of a view that has no rows of its own: all actions of its context, by the labels of the keymap."""
    of_all = {Context.EVERYWHERE, Context.TABLE, Context.TEXT} - {context}
    mine = [one for one in known.values() if one.context not in of_all]
    own = [_entry(one.label, one.name) for one in mine if not one.name.startswith(tuple(_SERIES))]
    for series, words in _SERIES.items():
        if names := [one.name for one in mine if one.name.startswith(series)]:
            own.append(Entry(tuple(names), words))
    shown = {name for entry in own for name in entry.actions}
    if "next-panel" not in shown:
        shown.add("next-panel")  # the words of the list are for the missions, whose one panel turns
        own += [_entry("next panel", "next-panel")] * (context in TURNED)
    rest = tuple(
        tuple(Entry(tuple(name for name in entry.actions if name not in shown), entry.words) for entry in entries)
        for entries in (LIST, EVERYWHERE)
    )
    is_list = Context.TABLE in keys.chain(context)
    title = f"this {_TITLES.get(context, context.value)}"
    return (title, own), ("this list" if is_list else "this view", rest[0]), ("everywhere", rest[1])


def _ends_work(actions: Iterable[Action]) -> bool:
    return any(one.danger is Danger.ENDS_WORK for one in actions)


def _keys(actions: Sequence[Action], context: Context, *, ascii_only: bool) -> str:
    """The keys of a row: letters and signs, then arrows; the first key of an action that has neither."""
    each = [_own_keys(action, context, ascii_only=ascii_only) for action in actions]
    turns = [some[place] for place in range(max(map(len, each))) for some in each if place < len(some)]
    if len(turns) > 1 and all(key.isdigit() for key in turns):
        return f"{turns[0]}-{turns[-1]}"
    return " ".join(written(key, ascii_only=ascii_only) for key in sorted(turns, key=lambda key: key in _ARROWS))


def _own_keys(action: Action, context: Context, *, ascii_only: bool) -> list[str]:
    held = keys.keymap(context)
    live = [key for key in action.keys if held.get(key) is action]
    short = [key for key in live if len(key) == 1 or (key in _ARROWS and not ascii_only)]
    return short or live[:1]


def written(key: str, *, ascii_only: bool = False) -> str:
    """A key in a narrow column: a capital letter as itself."""
    plain = key.replace("+", "-")
    name = key if len(key) == 1 else KEY_NAMES.get(key, plain)
    return plain if ascii_only and not name.isascii() else name


def _columns(named: Sequence[tuple[str, Sequence[_Row]]], cells: int, room: int) -> tuple[list[Line], list[HelpRow]]:
    """The columns beside each other, with `room` rows at most below their titles."""
    column = _column_cells(cells)
    lead = KEY if column < ROOMY else WIDE_KEY
    height = min(max((len(rows) for _, rows in named), default=0), room)
    lines: list[Line] = [[Cell(" "), *(Cell(pad(clipped(title, column), column), "title") for title, _ in named)]]
    lines += [[Cell(" ")] for _ in range(height)]
    places = []
    for number, (_, rows) in enumerate(named):
        for place in range(height):
            row = rows[place] if place < len(rows) else _Row((), "", "")
            if place == height - 1 and len(rows) > height:
                row = _Row((), "", f"… {len(rows) - place} more: ?")
            lines[place + 1] += _drawn(row, lead, column)
            if row.actions:
                places.append(HelpRow(number, place + 1, row.actions[0]))
    return [whole(line, cells) for line in lines], places


def _column_cells(cells: int) -> int:
    return max(min((cells - 2) // COLUMNS, WIDEST), KEY + 2)


def column_at(x: int, cells: int) -> int:
    """The column that a cell belongs to, from 0; `cells`: the width of the page."""
    return (x - 1) // _column_cells(cells)


def chosen(line: Line, column: int) -> Line:
    """The line with the row of one of its columns as the one that `enter` does."""
    place = 1 + 2 * column
    key, words = line[place : place + 2]
    text = words.text.rstrip()
    blank = " " * (len(words.text) - len(text))
    return [*line[:place], Cell(key.text, "key cursor"), Cell(text, "cursor"), Cell(blank), *line[place + 2 :]]


def _drawn(row: _Row, lead: int, column: int) -> Line:
    key = pad(row.keys, max(lead, width(row.keys) + 1))
    rest = column - width(key)
    return [Cell(key, "key"), Cell(pad(clipped(row.words, rest - 1), rest), "" if row.actions else "faint")]


def legend(
    cells: int,
    *,
    ascii_only: bool = False,
    marks: Sequence[StatusMark] | None = None,
    drawn: Iterable[StatusMark] = (),
) -> list[Line]:
    """A rule, then each mark with its word; nothing where none can be drawn.

    Args:
        cells: The width; a line that is longer goes on below.
        ascii_only: Marks are written in ASCII.
        marks: The marks of the view; None: those of missions.
        drawn: Marks that are on the screen now.
    """
    own = [list(line) for line in MARKS] if marks is None else [_alike(marks)]
    looks = {(mark.mark, mark.tone) for line in own for mark, _ in line}
    more = _alike([mark for mark in drawn if (mark.mark, mark.tone) not in looks])
    groups = [group for group in (*own, more) if group]
    if not groups:
        return []
    rule = f" {'─' * max(cells - len(LEGEND) - 5, 0)}"
    lines = [whole([Cell("── ", "rule"), Cell(LEGEND, "title"), Cell(rule, "rule")], cells)]
    for group in groups:
        line: Line = [Cell(" ")]
        for mark, word in group:
            cell = [Cell(mark.ascii if ascii_only else mark.mark, mark.tone), Cell(f" {word}", "quiet")]
            if size_of([*line, *cell]) + GAP > cells and len(line) > 1:
                lines.append(whole(line, cells))
                line = [Cell(" ")]
            line += [*([Cell(" " * GAP)] if len(line) > 1 else []), *cell]
        lines.append(whole(line, cells))
    return lines


def _alike(marks: Iterable[StatusMark]) -> list[tuple[StatusMark, str]]:
    """Marks with their words; those that look alike together, under the first of them."""
    firsts: dict[tuple[str, str], StatusMark] = {}
    words: dict[tuple[str, str], dict[str, None]] = {}
    for mark in marks:
        look = mark.mark, mark.tone
        firsts.setdefault(look, mark)
        words.setdefault(look, {})[mark.word] = None
    return [(mark, ", ".join(words[look])) for look, mark in firsts.items()]
