"""The words for files that two missions change. Pure; nothing is imported, for the command line pays for it."""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_NAMED = 3
"""Files that a line names."""


def listed(files: Sequence[object], more: int = 0) -> str:
    """The first files, and how many others there are: `a, b, c and 2 more`; `more`: files that are not even listed."""
    left = max(len(files) - _NAMED, 0) + more
    return ", ".join(map(str, files[:_NAMED])) + (f" and {left} more" if left else "")


def overlap_words(name: object, files: Sequence[object], more: int = 0) -> str:
    """Say who changes the same files: `web changes a.py, b.py, too`."""
    return f"{name} changes {listed(files, more)}, too"


def overlaps(row: Mapping[str, Any]) -> list[str]:
    """Of a row of `health`: a clause for each mission that changes the same files; an older daemon names none."""
    return [overlap_words(one["name"], one["files"], one["more"]) for one in row.get("overlaps") or ()]
