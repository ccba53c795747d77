"""The rules by which files that git ignores keep a worktree. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

ALL = ("*",)
EXCEPT = "!"
"""Before a pattern: what it means is removed with the worktree."""
CACHES = frozenset({"__pycache__"})
"""Folders that hold nothing but what is made anew from sources; others say so themselves, by a `CACHEDIR.TAG`."""


@dataclass(frozen=True, slots=True)
class KeepRules:
    """Of one mission."""

    since: int
    """Nanoseconds on the clock of the worktree's file system: what has not changed since was there before the work."""
    patterns: tuple[str, ...] = ALL
    """The last one that means a file decides; one without `/` means any file or folder of that name."""

    def keep(self, path: str) -> bool:
        """Whether this file, relative to the top of the worktree, is kept."""
        parts = path.split("/")
        kept = False
        for pattern in self.patterns:
            wanted = not pattern.startswith(EXCEPT)
            if wanted is not kept and _matches(pattern.removeprefix(EXCEPT).split("/"), parts):
                kept = wanted
        return kept


def _matches(words: Sequence[str], parts: Sequence[str]) -> bool:
    if len(words) == 1 and words[0] != "**":
        return any(fnmatchcase(part, words[0]) for part in parts)
    return _leads(words, parts)


def _leads(words: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether the pattern means the file, or a folder that it is in."""
    if not words:
        return True
    if words[0] == "**":
        return any(_leads(words[1:], parts[first:]) for first in range(len(parts)))
    return bool(parts) and fnmatchcase(parts[0], words[0]) and _leads(words[1:], parts[1:])
