"""The files of a folder as a tree, and whether a pattern describes any of them. Pure.

The same patterns as `file_pattern` reads, relative to that folder: a tree answers without a look at each file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import translate

from overmind_core.domain.text.file_pattern import names_of, unescaped

MOST_STEPS = 200_000
"""Of one tree for all its patterns, about a fifth of a second."""

Folder = dict[str, "Folder"]
"""What is in a folder, by name; a file has nothing in it."""
Test = Callable[[str], object]


class FileTree:
    """Files and folders."""

    def __init__(self, names: Iterable[str]) -> None:
        """`names`: their paths, relative to the top."""
        self._top: Folder = {}
        self.steps = 0
        """That were taken so far."""
        self._known: dict[str, bool] = {}
        for name in names:
            folder = self._top
            for part in name.split("/"):
                folder = folder.setdefault(part, {})

    def may_have(self, pattern: str) -> bool:
        """Whether a pattern describes a file or a folder; also True once too much was looked at to tell."""
        if pattern not in self._known:
            self._known[pattern] = self._has(pattern)
        return self._known[pattern]

    def _has(self, pattern: str) -> bool:
        if pattern.startswith(("//", "~/")):  # it begins somewhere else
            return False
        names = names_of(pattern)
        if names[-1:] == ["**"]:  # something is in there
            names[-1] = "*"
        tests = [_test(name) for name in names]
        seen: set[tuple[int, int]] = set()
        todo = [(self._top, 0)]
        while todo:
            folder, at = todo.pop()
            if at == len(names) or self.steps > MOST_STEPS:
                return True
            if (id(folder), at) not in seen:
                seen.add((id(folder), at))
                todo += self._next(folder, at, names[at], tests[at])
        return False

    def _next(self, folder: Folder, at: int, name: str, test: Test | None) -> list[tuple[Folder, int]]:
        """Where the rest of a pattern may begin behind one of its names, each with the place of what comes then."""
        self.steps += 1
        if name == "**":
            return [(folder, at + 1), *((inner, at) for inner in folder.values() if inner)]
        if test is None:
            return [(folder[name], at + 1)] if name in folder else []
        self.steps += len(folder)
        return [(inner, at + 1) for one, inner in folder.items() if test(one)]


def _test(name: str) -> Test | None:
    """What tells whether a name is as one of a pattern; None: it is equal to it."""
    return re.compile(translate(unescaped(name))).match if set(name) & set("*?[\\") else None
