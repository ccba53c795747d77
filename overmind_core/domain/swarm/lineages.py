"""A lineage: a name whose runs are generations of one agent, of which at most one lives. Pure.

A generation goes on with the conversation of the last one where that lies; elsewhere it begins a new one, and is told
the last result. In both cases it is given what earlier ones have written down.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

LARGEST_NOTES = 16 * 1024
"""Bytes of the notes that are handed on; older ones go first."""
LARGEST_RESULT = 64 * 1024
"""Bytes of the last answer that is handed on."""
RESULT, NOTES = "result.md", "notes.md"
"""The files in which they are handed on."""
MARK = "[lineage]"
"""How a line of a log about them begins."""


class Last(NamedTuple):
    """The last generation that has run to an end."""

    number: int
    hive: str
    state: str
    """`done`, `failed` or `cancelled`."""


class Known(NamedTuple):
    """What this hive has of the mission of the last generation, and what the next one is to be."""

    is_there: bool
    """Its record is."""
    is_live: bool = False
    """Somebody has started it again."""
    has_conversation: bool = False
    providers: tuple[str, str] = ("", "")
    """Its own, and that of the next."""
    folders: tuple[str, str] = ("", "")
    """Where it worked, and where the next one works."""


class Beginning(NamedTuple):
    """How a generation begins."""

    is_new: bool
    why: str
    """Why its conversation is a new one although there was one, or ""."""


def beginning(last: Last | None, known: Known, hive: str) -> Beginning:
    """Return whether a generation begins a new conversation at `hive`."""
    if last is None:
        return Beginning(is_new=True, why="")
    its = f"that of generation {last.number}"
    before, now = known.providers
    problems = (
        (last.hive != hive, f"{its} lies on {last.hive}"),
        (not known.is_there, f"the record of generation {last.number} was removed here"),
        (known.is_live, f"generation {last.number} was started again, and lives"),
        (not known.has_conversation, f"generation {last.number} has not come to have one"),
        (before != now, f"{its} is one of {before}, and this is {now}"),
        (known.folders[0] != known.folders[1], f"{its} belongs to the folder {known.folders[0]}"),
    )
    why = next((sentence for fails, sentence in problems if fails), "")
    return Beginning(is_new=bool(why), why=why)


def log_line(lineage: str, number: int, last: Last | None, begun: Beginning) -> str:
    """Return the line of the log that says how a generation begins."""
    it = f"{MARK} generation {number} of {lineage}"
    if last is None:
        return it
    if begun.is_new:
        return f"{it} begins a new conversation: {begun.why}"
    return f"{it} goes on with the conversation of generation {last.number}"


class Told(NamedTuple):
    """What a generation is told of those before it."""

    last: Last | None = None
    result_of: int = 0
    """The generation whose result it is; 0: there is none."""
    result: str = ""
    notes: str = ""


def task(lineage: str, number: int, told: Told, begun: Beginning, prompt: str) -> str:
    """Return the prompt with which a generation begins: its task, and below it what it is told of earlier ones."""
    last = told.last
    if last is None and not told.notes:
        return prompt
    parts = [f"You are generation {number} of {lineage}."]
    if last is not None:
        parts[0] += f" Generation {last.number} has ended on {last.hive} ({last.state})."
        if not begun.is_new:
            parts[0] += " This is its conversation, which goes on."
    if told.result_of and (begun.is_new or last is None or told.result_of != last.number):
        parts.append(f"The result of generation {told.result_of}:\n\n{told.result}")
    if told.notes:
        parts.append(f"Notes of earlier generations:\n\n{told.notes}")
    return "\n\n".join([prompt, "---", *parts])


def handed_on_notes(before: str, written: Sequence[str]) -> str:
    """Return the notes for the next generation: those that this one was given, and what it has written itself.

    What is the same stands once; of more than `LARGEST_NOTES` the oldest are left out.
    """
    lines = [*before.splitlines(), *(f"- {' '.join(one.split())}" for one in written)]
    kept: list[str] = []
    left = LARGEST_NOTES
    for line in reversed(list(dict.fromkeys(line for line in lines if line))):
        left -= len(line.encode()) + 1
        if left < 0:
            break
        kept.append(line)
    return "\n".join(reversed(kept))
