"""The words around what is asked: its title, the keys that answer it, and how it ended. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from overmind_core.domain.cells import width
from overmind_core.domain.marks import CRASHED
from overmind_tui.view import amounts, missions, subject
from overmind_tui.view.cells import Cell, Row, safe
from overmind_tui.view.choosing import Choosing
from overmind_tui.view.needs import BLOCKED, Need

NOBODY = "nobody needs you"
WHOLE = ("enter", "all of it")
_DONE = {"allow": "allowed", "deny": "denied", "always": "always allowed"}


def title(need: Need) -> str:
    """Who asks for what, and since when."""
    span = amounts.span(need.since)
    name = safe(need.row["name"])
    if need.asked is None:
        return f"{name} · {missions.mark(need.row).word} for {span}"
    kind = safe(need.asked["need"])
    tool = "" if kind in {"question", "plan", "setup"} else safe(need.asked["tool"])
    return " · ".join(filter(None, (name, f"{tool} {kind}".strip(), f"asked {span} ago")))


def keys(need: Need | None, choosing: Choosing | None, cells: int, *, read_only: bool, whole: bool) -> list[Cell]:
    """The keys that mean something now, as many as fit; the most important first.

    Args:
        need: What is under the cursor.
        choosing: What was chosen so far.
        cells: The width.
        read_only: Nothing is answered.
        whole: The question has the screen alone.
    """
    line: list[Cell] = []
    known = [("esc", "the list")] if whole else []
    for key, label in [*known, *_keys(need, choosing, read_only=read_only)]:
        if whole and (key, label) == WHOLE:
            continue
        more = [Cell(f" <{key}> ", "key"), Cell(f"{label} ", "label")]
        if sum(width(cell.text) for cell in (*line, *more)) > cells:
            break
        line += more
    return line


def _keys(need: Need | None, choosing: Choosing | None, *, read_only: bool) -> Iterator[tuple[str, str]]:
    if need is None:
        return
    asked = need.asked
    if not read_only:
        yield from _answers(asked, choosing) if asked else _helps(need.row)
    if asked is None or not asked["attach_only"]:
        yield WHOLE
        if missions.is_live(need.row):
            yield "a", "attach"
    yield "l", "logs"
    yield "d", "describe"


def _helps(row: Row) -> Iterator[tuple[str, str]]:
    yield ("m", "message") if missions.is_live(row) else ("r", "restart")


def _answers(asked: Row, choosing: Choosing | None) -> Iterator[tuple[str, str]]:
    if asked["attach_only"]:
        yield "a", "attach: only its own terminal takes the answer"
        yield WHOLE
        return
    if choosing is not None:
        yield "1-9", "mark" if choosing.several else "choose"
        if choosing.begun:
            yield "enter", "go on with these"
        yield "m", "own words"
    else:
        yield "y", "approve" if asked["need"] == "plan" else "allow"
    yield "n", "deny"
    if choosing is None:
        yield "m", "deny and say why"
    if asked["rule"]:
        yield "shift-y", "always"


def afterwards(asked: Row) -> subject.Lines:
    """What stands below a question."""
    if asked["attach_only"]:
        return [[], [Cell(" only its own terminal takes the answer: a opens it", "slow")]]
    if asked["rule"]:
        return [[], [Cell(f" always would store {safe(asked['rule'])}", "faint")]]
    return []


def about(need: Need, answer: str) -> subject.Lines:
    """What is known of one that asks nothing: its whole last answer, else its newest line, or why it ended."""
    if need.group != BLOCKED:
        return subject.plain(answer) or [[Cell(f" {need.said}")]]
    tone = "bad" if missions.mark(need.row) is CRASHED else "slow"
    said: subject.Lines = [[Cell(f" {need.said}", tone)]] if need.said else []
    if missions.mark(need.row) is CRASHED:
        return [*said, [], [Cell(" its restart budget is spent: nobody starts it again but you", "quiet")]]
    return [*said, [], [Cell(" nobody knows when it goes on by itself", "quiet")]]


def ended(question: int, events: Iterable[Row]) -> str:
    """Why a question is open no longer."""
    found = [one for one in events if one["type"] == "answered" and one.get("question") == question]
    if not found or found[-1].get("by") is None:
        name = f"{safe(found[-1].get('name'))}: " if found else ""
        return f"{name}the question is not asked any more"
    event = found[-1]
    return f"{safe(event.get('name'))}: {_DONE.get(str(event.get('behaviour')), 'answered')} by {safe(event['by'])}"
