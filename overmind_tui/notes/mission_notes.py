"""The notes that a mission was given and those that it wrote: the section of its description, and the panel. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from overmind_tui.render.cells import Cell, safe

NotesOf = Mapping[str, Any]
"""`notes` of the answer to `info`."""


class GivenLine(NamedTuple):
    """A line about a note; `note`: its id, None of a heading."""

    cells: list[Cell]
    note: str | None = None


def lines(notes: NotesOf | None, texts: Mapping[str, str] | None = None) -> list[GivenLine]:
    """The lines of what it was given, then of what it wrote.

    Args:
        notes: None of what is given none.
        texts: Id of a note that it wrote → its text, as far as that is known.
    """
    known = texts or {}
    if notes is None:
        told = "  notes are given to agents, and to commands with run --memory"
        return [GivenLine([Cell(told, "quiet")]), *_wrote(list(known), known)]
    return [*_given(notes), *_wrote(notes["wrote"], known)]


def summary(notes: NotesOf) -> str:
    """How much it was given: `3 notes, 812 tokens, 2 left out`."""
    count = len(notes["given"])
    parts = [f"{count} note{'s' * (count != 1)}", f"{notes['tokens']} tokens"] if count else []
    parts += [f"{notes['left_out']} left out"] if notes["left_out"] else []
    return ", ".join(parts)


def _given(notes: NotesOf) -> Iterator[GivenLine]:
    nothing = "nothing: notes are off for it" if notes["inject"] == "off" else "nothing"
    only = ", pinned ones only" if notes["inject"] == "pinned" else ""
    yield GivenLine([Cell("  given  ", "quiet"), Cell((summary(notes) or nothing) + only)])
    for one in notes["given"]:
        kind, why = f"{safe(one['kind']):<8} ", f"{safe(one['why']):<10} "
        yield GivenLine([*_id(one["id"]), Cell(kind, "quiet"), Cell(why, "faint"), Cell(safe(one["text"]))], one["id"])


def _wrote(wrote: Sequence[str], texts: Mapping[str, str]) -> Iterator[GivenLine]:
    if not wrote:
        return
    yield GivenLine([Cell("  wrote  ", "quiet"), Cell(f"{len(wrote)} note{'s' * (len(wrote) != 1)}")])
    for one in wrote:
        first = texts.get(one, "").strip().partition("\n")[0]
        yield GivenLine([*_id(one), Cell(safe(first))], one)


def _id(note: str) -> list[Cell]:
    return [Cell(f"    {safe(note)}  ", "accent")]
