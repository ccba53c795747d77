"""Which files of a project its patterns mean. Symbolic links are never followed, so nothing outside is found."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from overmind_core.projects.read import OURS

MOST_LOOKS = 500_000
"""Files and folders that are looked at for all patterns."""
_SIGNS = "*?["


class TooMany(Exception):
    """There are more files than anybody wants to wait for."""


class Match(NamedTuple):
    """Something that a pattern means: a file, a folder before what is in it, or a link."""

    path: str
    """Relative to the project; of the system."""
    facts: os.stat_result
    """Of itself, never of what a link names."""


class Matching:
    """Looks through one project.

    Args:
        source: Its top, a path of the system.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._looks = 0

    def matches(self, pattern: str) -> Iterator[Match]:
        """Give what a pattern means, as a shell would: `*` means no hidden file, `**` any folders in between.

        Raises:
            TooMany: more than `MOST_LOOKS` were looked at.
        """
        for path in self._expanded("", pattern.split("/")):
            yield from self._whole(path)

    def _expanded(self, folder: str, parts: list[str]) -> Iterator[str]:
        if not parts:
            yield folder
            return
        part, rest = parts[0], parts[1:]
        if part == "**":
            yield from self._expanded(folder, rest or ["*"])
            for name in self._names(folder):
                below = _joined(folder, name)
                if not name.startswith(".") and self._is_folder(below):
                    yield from self._expanded(below, parts)
            return
        if any(sign in part for sign in _SIGNS):
            found = [
                name
                for name in self._names(folder)
                if fnmatch.fnmatchcase(name, part) and (part.startswith(".") or not name.startswith("."))
            ]
        else:
            found = [part] if self._facts(_joined(folder, part)) is not None else []
        for name in found:
            below = _joined(folder, name)
            if name.lower() not in OURS and (not rest or self._is_folder(below)):
                yield from self._expanded(below, rest)

    def _whole(self, path: str) -> Iterator[Match]:
        """It, and when it is a folder all that is in it."""
        facts = self._facts(path)
        if facts is None:
            return
        yield Match(path, facts)
        if stat.S_ISDIR(facts.st_mode):
            for name in self._names(path):
                yield from self._whole(_joined(path, name))

    def _names(self, folder: str) -> list[str]:
        """What is in a folder, in order; nothing where it is gone or closed to us."""
        names: list[str] = []
        try:
            with os.scandir(self._full(folder) or ".") as entries:
                for entry in entries:
                    self._look()
                    if entry.name.lower() not in OURS:
                        names.append(entry.name)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return []
        return sorted(names)

    def _look(self) -> None:
        self._looks += 1
        if self._looks > MOST_LOOKS:
            raise TooMany

    def _is_folder(self, path: str) -> bool:
        facts = self._facts(path)
        return facts is not None and stat.S_ISDIR(facts.st_mode)

    def _facts(self, path: str) -> os.stat_result | None:
        self._look()
        try:
            return os.lstat(self._full(path))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _full(self, path: str) -> str:
        return os.path.join(self._source, path)


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
