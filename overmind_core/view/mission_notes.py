"""The notes that a mission was given and those that it wrote: the section of its description, and the panel. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from overmind_core.domain.text.cells import pad, width
from overmind_core.view.cells import Cell, safe

NotesOf = Mapping[str, Any]
"""`notes` of the answer to `info`."""
Wrote = Mapping[str, tuple[Cell, Cell]]
"""Id of a note that a mission wrote → how it stands, and its text in one line."""

NOTHING = Cell(""), Cell("")
PURGED = Cell("purged", "off"), Cell("")


class GivenLine(NamedTuple):
    """A line about a note; `note`: its id, None of a heading."""

    cells: list[Cell]
    note: str | None = None


def lines(notes: NotesOf | None, wrote: Wrote | None = None, *, kinds: bool = True) -> list[GivenLine]:
    """The lines of what it was given, then of what it wrote.

    Args:
        notes: None of what is given none.
        wrote: How each note that it wrote stands, but for those that are purged; None: that is not known.
        kinds: Whether there is room for the kinds of notes that it was given.
    """
    known = wrote or {}
    gone = PURGED if wrote is not None else NOTHING
    given = notes["given"] if notes else ()
    words = [safe(one["why"]) for one in given] + [state.text for state, _text in known.values()]
    column = max(map(width, words), default=0)
    if notes is None:
        told = "  notes are given to agents, and to commands with run --memory"
        return [GivenLine([Cell(told, "quiet")]), *_wrote(list(known), known, gone, column)]
    return [*_given(notes, column, kinds=kinds), *_wrote(notes["wrote"], known, gone, column)]


def summary(notes: NotesOf) -> str:
    """How much it was given: `3 notes, 812 tokens, 2 left out`."""
    count = len(notes["given"])
    parts = [f"{count} note{'s' * (count != 1)}", f"{notes['tokens']} tokens"] if count else []
    parts += [f"{notes['left_out']} left out"] if notes["left_out"] else []
    return ", ".join(parts)


def _given(notes: NotesOf, column: int, *, kinds: bool) -> Iterator[GivenLine]:
    nothing = "nothing: notes are off for it" if notes["inject"] == "off" else "nothing"
    only = ", pinned ones only" if notes["inject"] == "pinned" else ""
    yield GivenLine([Cell("  given  ", "quiet"), Cell((summary(notes) or nothing) + only)])
    for one in notes["given"]:
        kind = [Cell(f"{safe(one['kind']):<8} ", "quiet")] if kinds else []
        why = _padded(Cell(safe(one["why"]), "faint"), column)
        yield GivenLine([*_id(one["id"]), *kind, why, Cell(safe(one["text"]))], one["id"])


def _wrote(wrote: Sequence[str], known: Wrote, gone: tuple[Cell, Cell], column: int) -> Iterator[GivenLine]:
    if not wrote:
        return
    yield GivenLine([Cell("  wrote  ", "quiet"), Cell(f"{len(wrote)} note{'s' * (len(wrote) != 1)}")])
    for one in wrote:
        state, text = known.get(one, gone)
        yield GivenLine([*_id(one), _padded(state, column), text], one)


def _padded(cell: Cell, column: int) -> Cell:
    return Cell(pad(cell.text, column) + " ", cell.tone)


def _id(note: str) -> list[Cell]:
    return [Cell(f"    {safe(note)} ", "accent")]
