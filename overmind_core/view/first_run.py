"""Sentences in the place of the list while it has no row: a fact, and the keys that go on from there. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from overmind_core.domain.text.cells import pad, width
from overmind_core.view.actions import Context, shown_key
from overmind_core.view.cells import Cell, safe
from overmind_core.view.header_line import Line, whole
from overmind_core.view.hints import actions_of

ROOMY = 100
"""Cells from which on the text stands further from the edge."""
INDENT, WIDE_INDENT = 4, 8
KEY = 9
"""Cells of what is typed, or of the name of a fact."""
LONGEST_KEY = 24
"""Cells of what is typed from which on the words behind it stand in no column."""
YES = "✔"


class Agent(NamedTuple):
    """A program that can be an agent.

    Attributes:
        name: As missions call it.
        installed: Its program is found.
    """

    name: str
    installed: bool


class Folder(NamedTuple):
    """The folder of the start.

    Attributes:
        path: As people write it: `~/shop`.
        branch: Of its repository; "" where it is in none.
        changed: Files that differ from the last commit; None while nobody has looked.
    """

    path: str
    branch: str = ""
    changed: int | None = None

    @property
    def standing(self) -> str:
        """How it stands in git: `(git, main, clean)`; "" where it is in none."""
        if not self.branch:
            return ""
        words = () if self.changed is None else (f"{self.changed:,} changed" if self.changed else "clean",)
        return f"({', '.join(('git', safe(self.branch), *words))})"


def first_run(
    cells: int, height: int, agents: Sequence[Agent] | None, folder: Folder, *, read_only: bool = False
) -> list[Line]:
    """Everything there is to know and to do while there is no mission at all, in exactly `height` lines.

    Args:
        cells: The width.
        height: Lines that there are; blank ones go first where there are too few.
        agents: Those that we know; None while nobody has looked.
        folder: Of the start.
        read_only: Leave out what starts something.
    """
    start = [
        _way(_key("new"), "give an agent a task, or run a command"),
        _way(":demo", "see it alive: eight missions, nothing leaves this machine"),
    ]
    facts = [_fact("agents", _agents(agents))] if agents else []
    text: list[Line] = [
        [],
        [Cell("Nothing runs yet.", "title")],
        [],
        *([] if read_only else start),
        _way(":doctor", "which agents are installed, and what is missing"),
        _way(_key("help"), "all keys"),
        [],
        *facts,
        _fact("folder", [Cell(safe(folder.path)), Cell(f" {folder.standing}" if folder.standing else "", "faint")]),
        [],
        [Cell(f"Missions go on when you leave: {_key('quit')} quits, overmind brings them back.", "quiet")],
    ]
    if len(text) > height:
        text = [line for line in text if line]
    before = Cell(" " * indent(cells))
    shown = [whole([before, *line], cells) if line else [] for line in text[:height]]
    return [*shown, *([] for _ in range(height - len(shown)))]


def _key(action: str) -> str:
    return shown_key(actions_of(Context.MISSIONS)[action].keys[0])


def _way(typed: str, words: str, cells: int = KEY) -> Line:
    return [Cell(pad(typed, cells) if cells else f"{typed}   ", "key"), Cell(words)]


def _fact(name: str, cells: Sequence[Cell]) -> Line:
    return [Cell(f"{name:<{KEY}}", "faint"), *cells]


def _agents(agents: Sequence[Agent]) -> list[Cell]:
    """Those that are installed, with a tick; then the others."""
    found: list[Cell] = []
    for agent in sorted(agents, key=lambda one: not one.installed):
        gap = "   " if found else ""
        if agent.installed:
            found += [Cell(f"{gap}{safe(agent.name)} "), Cell(YES, "good")]
        else:
            found += [Cell(f"{gap}{safe(agent.name)} ", "quiet"), Cell("not installed", "faint")]
    return found


def nobody_needs_you(running: int, ended: int, since: float, zone: tzinfo | None) -> str:
    """The sentence of a list of those that need a person, while there are none.

    Args:
        running: Missions that run.
        ended: Those that ended since then.
        since: Seconds since the epoch.
        zone: Of the time; None is the machine's.
    """
    runs = f"{running:,} running" if running else "nothing runs"
    more = f", {ended:,} ended since {datetime.fromtimestamp(since, zone):%H:%M}" if ended else ""
    return f"Nobody needs you. {runs[0].upper()}{runs[1:]}{more}."


def in_place(said: Sequence[str]) -> list[Line]:
    """The lines in the place of a list that has no row.

    Args:
        said: A sentence; then what is typed, three blanks and what that does, a line each, or further sentences.
    """
    first, *others = said
    parts = [line.partition("   ") for line in others]
    typed = max((width(key) for key, gap, _ in parts if gap), default=0)
    lead = max(KEY, typed + 2) if typed <= LONGEST_KEY else 0
    ways = [_way(key, words, lead) if gap else [Cell(key, "quiet")] for key, gap, words in parts]
    return [[Cell(first, "title")], *([[], *ways] if ways else [])]


def indent(cells: int) -> int:
    """Cells before a sentence in the place of a list of so many cells."""
    return INDENT if cells < ROOMY else WIDE_INDENT


def nothing_matches(text: str, total: int) -> str:
    """The sentence of a list whose filter keeps no row: `nothing matches api: esc shows all 12`."""
    return f"nothing matches {safe(text)}: esc shows all {total:,}"


def nobody_among(total: int) -> str:
    """The sentence of a list that shows only what needs a person, while nothing of it does."""
    return f"nobody needs you: {_key('attention')} shows all {total:,}"
