"""The hints: the lowest row of the screen, nothing but keys and words, in one order for each part of it. Pure.

Keys come from the keymap; here stands which of them are said, in which order, and with which word. A key that the row
under the cursor can't use is faint in its place, so that moving the cursor changes a tone and no cell.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from overmind_core.domain.missions.status_marks import WAITING, YOUR_TURN
from overmind_core.domain.text.cells import width
from overmind_core.view import keymap as keys
from overmind_core.view import missions as rows
from overmind_core.view.actions import NO_MISSION, TAKES_EVERYTHING, Action, Context, Needs, allowed, shown_key
from overmind_core.view.cells import Cell, Row
from overmind_core.view.header_line import Line, whole

MOST = 9
"""Hints of a row."""
GAP = 2
"""Cells between two hints."""
HELP, STOP, MESSAGE, WHOLE, NEXT, TYPE = "help", "stop", "message", "whole", "next-need", "attach"
OF_QUESTIONS = frozenset({WHOLE, "question", "open"})
"""Actions that a question has, be it of a mission or not, and whatever is marked."""
SAID_BY_THE_LINE = frozenset({"filter", "command"})
"""Actions whose keys the line says while it is at rest."""
TAKES_TEXT = frozenset({"send", "start"})
"""Actions that take what was typed, as far as it is fit."""
TO_AGENTS = frozenset({MESSAGE, "comment"})
"""Actions that only those who read messages can use."""


class Part(StrEnum):
    """A part of the screen that has the keys, and hints of its own; all others have those of their context."""

    LIST = "list"
    QUESTION = "question"
    NOBODY = "nobody"
    """The list of those who need a person, while nobody does."""
    FIRST = "first run"
    NEW = "new mission"
    COMMAND_ONLY = "new mission without an agent"
    MESSAGE = "message"
    HELP = "help"
    ALL_KEYS = "all keys"
    FINDING = "finding"
    COMMAND = "command"
    FILTER = "filter"
    BROKEN_FILTER = "broken filter"
    """The text of a filter while it makes no sense: what is shown is of the text before."""


class Hint(NamedTuple):
    """One hint: the action whose key it says, and its word.

    Attributes:
        action: Name of the action; "" where something is typed instead.
        word: A word, or a few.
        sign: The text that is typed, or a key of the line by Textual's name.
    """

    action: str
    word: str
    sign: str = ""


_HELP = Hint(HELP, "keys")
PARTS: Mapping[Part, tuple[Context, tuple[Hint, ...]]] = {
    Part.LIST: (Context.MISSIONS, (
        Hint("question", "answer"), Hint("open", "open"), Hint("next-need", "next"), Hint(MESSAGE, "message"),
        Hint("log", "log"), Hint("changes", "diff"), Hint(STOP, "stop"), Hint("next-panel", "panel"), _HELP,
    )),
    Part.QUESTION: (Context.NEEDS, (
        Hint(WHOLE, "whole"), Hint("next-need", "next"), Hint("attach", "type"), Hint("log", "log"),
        Hint("changes", "diff"), Hint("describe", "describe"), Hint("back", "list"), _HELP,
    )),
    Part.NOBODY: (Context.NEEDS, (Hint("back", "back"), _HELP)),
    Part.FIRST: (Context.MISSIONS, (Hint("new", "new"), _HELP, Hint("quit", "quit"))),
    Part.NEW: (Context.TASK, (
        Hint("start", "starts it"), Hint("form", "name, folder, worktree, model"), Hint("", "a command", "$"),
        Hint("keep", "keeps the text"),
    )),
    Part.COMMAND_ONLY: (Context.TASK, (
        Hint("", "a command", "$"), Hint("start", "starts it"), Hint("form", "name, folder"),
        Hint("keep", "keeps the text"),
    )),
    Part.MESSAGE: (Context.BOX, (
        Hint("send", "sends it"), Hint("newline", "new line"), Hint("editor", "editor"), Hint("older", "sent before"),
        Hint("cancel", "drops it"), Hint("keep", "keeps the text"),
    )),
    Part.HELP: (Context.HELP, (
        Hint("run-row", "does the row"), Hint("filter", "find"), Hint(HELP, "all keys"), Hint("back", "back"),
    )),
    Part.FINDING: (Context.FINDING, (
        Hint("run-row", "does the row"), Hint("row-below", "next"), Hint("row-above", "before"), Hint("back", "back"),
    )),
    Part.ALL_KEYS: (Context.HELP, (
        Hint("run-row", "does the row"), Hint("filter", "find"), Hint(HELP, "columns"), Hint("back", "back"),
    )),
    Part.COMMAND: (Context.FIELD, (
        Hint("", "runs it", "enter"), Hint("", "completes it", "tab"), Hint("", "typed before", "up"),
        Hint("", "drops it", "escape"),
    )),
    Part.FILTER: (Context.FIELD, (
        Hint("", "keeps it", "enter"), Hint("", "typed before", "up"), Hint("", "keeps it, too", "escape"),
    )),
    Part.BROKEN_FILTER: (Context.FIELD, (
        Hint("", "keeps what is shown", "enter"), Hint("", "typed before", "up"), Hint("", "keeps it, too", "escape"),
    )),
}  # fmt: skip
"""Part → the context that has its keys, and its hints in their order."""
SAYS: Mapping[Part, str] = {Part.BROKEN_FILTER: "not a valid filter yet"}
"""Part → what is said before its hints, in words that nobody needs a colour for."""
TYPED_AFTER: Mapping[str, Part] = {":": Part.COMMAND, "/": Part.FILTER}
"""First sign of a typed line → the part that has the keys then."""


@lru_cache
def actions_of(context: Context) -> Mapping[str, Action]:
    """The actions of a context by their names."""
    return {action.name: action for action in keys.keymap(context).values()}


class Hit(NamedTuple):
    """The hint at a cell: the name of its action, or what its key is called; both are "" where none stands."""

    action: str = ""
    sign: str = ""


class _Said(NamedTuple):
    """A hint as it is drawn."""

    action: str
    key: str
    word: str
    sign: str

    @property
    def cells(self) -> int:
        """Cells with the gap before it."""
        return GAP + width(self.key) + 1 + width(self.word)


def typed_after(sign: str, part: Part | Context, *, broken: bool = False) -> Part | Context:
    """The part whose hints are shown while the line is typed into after a sign; "" is nothing: those of `part`.

    `broken`: what is typed makes no sense.
    """
    context = PARTS[part][0] if isinstance(part, Part) else part
    typed = part if not sign or context in TAKES_EVERYTHING else TYPED_AFTER[sign]
    return Part.BROKEN_FILTER if broken and typed is Part.FILTER else typed


def hint_line(
    part: Part | Context,
    cells: int,
    *,
    unusable: Collection[str] = (),
    read_only: bool = False,
    ascii_only: bool = False,
) -> Line:
    """The hints in exactly `cells` cells.

    Args:
        part: The part that has the keys; a context where it is none of the screen's own.
        cells: The width.
        unusable: Names of actions that the row under the cursor can't use.
        read_only: Actions that change something are left out.
        ascii_only: Keys are written in ASCII.
    """
    says = _says(part)
    line: Line = [Cell(f" {says}")] if says else []
    for said in _fitting(part, cells, read_only, ascii_only):
        faint = said.action in unusable
        line += [Cell(" " * (GAP if line else 1)), Cell(said.key, "faint" if faint else "key")]
        line.append(Cell(f" {said.word}", "faint" if faint else "quiet"))
    return whole(line, cells)


def hit_at(part: Part | Context, cells: int, at: int, *, read_only: bool = False, ascii_only: bool = False) -> Hit:
    """The hint that stands at a cell, for the mouse."""
    says = _says(part)
    begin = 1 + (width(says) + GAP if says else 0)
    for said in _fitting(part, cells, read_only, ascii_only):
        end = begin + said.cells - GAP
        if begin <= at < end:
            return Hit(said.action, said.sign)
        begin = end + GAP
    return Hit()


@lru_cache(maxsize=256, typed=True)  # a part may be called as a context is
def _fitting(part: Part | Context, cells: int, read_only: bool, ascii_only: bool) -> tuple[_Said, ...]:  # noqa: FBT001
    """The hints that fit: `stop` goes first, then from the end; the way to all keys stays."""
    said, says = list(_said(part, read_only=read_only, ascii_only=ascii_only)), _says(part)
    room = cells - (1 + width(says) if says else 0)
    while sum(one.cells for one in said) > room and len(said) > (not says):
        places = [place for place, one in enumerate(said) if one.action == STOP]
        others = [place for place, one in enumerate(said[:-1] if len(said) > 1 else said) if one.action != HELP]
        del said[(places or others[-1:] or [len(said) - 1])[0]]
    return tuple(said)


def _says(part: Part | Context) -> str:
    return SAYS.get(part, "") if isinstance(part, Part) else ""


def _said(part: Part | Context, *, read_only: bool, ascii_only: bool) -> Sequence[_Said]:
    if isinstance(part, Part):
        context, wanted = PARTS[part]
    else:
        context, wanted = part, _of_context(part, read_only=read_only)
    known = actions_of(context)
    found = []
    for hint in wanted:
        action = known.get(hint.action)
        if hint.sign:
            found.append(_Said("", shown_key(hint.sign, ascii_only=ascii_only), hint.word, hint.sign))
        elif action is not None and allowed(action, read_only=read_only):
            key = next(key for key in action.keys if keys.keymap(context).get(key) is action)
            found.append(_Said(action.name, shown_key(key, ascii_only=ascii_only), hint.word, ""))
    return found[:MOST]


def _of_context(context: Context, *, read_only: bool) -> tuple[Hint, ...]:
    """The hints of a part that has none of its own: its most used keys, and the way to all others."""
    actions = keys.hints(context, read_only=read_only)
    if not actions:
        actions = tuple(dict.fromkeys(keys.keymap(context).values()))
    chosen = [Hint(one.name, one.label) for one in actions if one.name not in {HELP, *SAID_BY_THE_LINE}][: MOST - 1]
    return (*chosen, _HELP)


def unusable(
    found: Sequence[Row],
    asked: Collection[str],
    context: Context = Context.MISSIONS,
    *,
    has_row: bool = True,
    is_asked: bool = False,
    is_needed: bool = True,
) -> frozenset[str]:
    """Names of the actions that would be refused of all these rows.

    Args:
        found: Rows that an action would be for: the marked ones, else the one under the cursor, if any.
        asked: Ids of those of which something is asked: not all that need a person ask.
        context: The one that has the keys.
        has_row: The cursor is on a row.
        is_asked: The row under the cursor asks something, be it a mission or not: that can be gone to, and shown whole.
        is_needed: Somebody else needs a person, and can be gone to.
    """
    live = [row for row in found if {"type", "status"} <= row.keys() and rows.is_live(row)]
    typed_into = [row for row in live if not (context is Context.LOOKING and rows.takes_no_input(row))]
    held = {
        **dict.fromkeys(NO_MISSION, bool(found)),
        Needs.ROW: has_row,
        Needs.MISSION: bool(found),
        Needs.LIVE: bool(typed_into),
        Needs.QUESTION: any(row["id"] in asked for row in found) or any(map(_answers, live)),
        Needs.WORKTREE: any(
            (row.get("isolation") or row).get(place) for row in found for place in ("worktree", "path")
        ),
    }
    names = refused({action.name: held.get(action.needs, True) for action in actions_of(context).values()})
    talks = any(row["type"] == "session" for row in live)
    names -= OF_QUESTIONS if is_asked else frozenset[str]()
    names |= refused({NEXT: is_needed, TYPE: bool(live)})
    return names if talks else names | TO_AGENTS


def refused(usable: Mapping[str, bool]) -> frozenset[str]:
    """Names of the actions that can't be done; `usable`: name → whether it can."""
    return frozenset(name for name, can in usable.items() if not can)


def _answers(row: Row) -> bool:
    """Whether one that lives asks something, or can be written to because it is the person's turn."""
    return rows.mark(row) in {WAITING, YOUR_TURN}
