"""What changed between two arrangements of rows: so that a key never acts on a row that moved under the finger."""

from __future__ import annotations

from collections.abc import Sequence

from overmind_tui.view.missions import Branch


def place(branches: Sequence[Branch], wanted: str | None, before: int) -> int:
    """Where the cursor stands now: on the row with the id `wanted`, else as near to where it stood as can be."""
    for at, branch in enumerate(branches):
        if branch.id == wanted:
            return at
    return max(0, min(before, len(branches) - 1))


def moved(old: Sequence[Branch], new: Sequence[Branch], wanted: str | None, at: int) -> bool:
    """Whether the row under the cursor left, or stands elsewhere in the table."""
    if wanted is None or not 0 <= at < len(old):
        return False
    return not (at < len(new) and new[at].id == wanted)
