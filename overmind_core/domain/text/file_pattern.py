"""Patterns of file names as in a `.gitignore`, relative to a folder. Pure: links are not followed.

`//abs/…` begins at the root, `~/…` at the home, all others at the folder. `*` and `?` stay within one name, `**`
spans names; a pattern that matches a folder matches all that is in it; one without `/` matches at every depth.
"""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase
from functools import lru_cache

_ESCAPED = re.compile(r"\\([*?\[\]\\])")
_SPECIAL = re.compile(r"([*?\[\\])")


def matches(pattern: str, path: str, *, folder: str, home: str = "") -> bool:
    """Whether `path` (absolute, or relative to `folder`) is what `pattern` describes."""
    base, names = _based(pattern, folder, home)
    absolute = posixpath.normpath(posixpath.join(folder, path))
    if base is None or not absolute.startswith("/"):
        return False
    inside = posixpath.relpath(absolute, base).split("/")
    if inside == ["."]:
        return not names  # the pattern is that folder itself, and all that is in it
    if inside[0] == "..":
        return False
    return _match(tuple(names), tuple(inside))


def exactly(path: str) -> str:
    """The pattern that matches `path` alone (and, should it be a folder, what is in it)."""
    escaped = _SPECIAL.sub(r"\\\1", posixpath.normpath(path))
    return f"/{escaped}" if escaped.startswith("/") else f"./{escaped}"


def unescaped(name: str) -> str:
    """Return one name of a pattern as `fnmatch` reads it: what has a backslash before it stands in brackets."""
    return _ESCAPED.sub(r"[\1]", name)


def _based(pattern: str, folder: str, home: str) -> tuple[str | None, list[str]]:
    """The folder at which a pattern begins, and its names; None: that folder is not known."""
    if pattern.startswith("//"):
        return "/", _names(pattern)
    if pattern.startswith("~/"):
        return home or None, _names(pattern[2:])
    return folder, names_of(pattern)


def names_of(pattern: str) -> list[str]:
    """The names of a pattern that begins at the folder."""
    names = _names(pattern)
    return names if "/" in pattern.rstrip("/") else ["**", *names]


def _names(pattern: str) -> list[str]:
    return [name for name in pattern.split("/") if name not in {"", "."}]


@lru_cache(maxsize=4096)
def _match(names: tuple[str, ...], inside: tuple[str, ...]) -> bool:
    """Whether a path is what the names describe, or in it: all ways to read `**` at once, as no pattern may be slow."""
    read = {0}
    for at, name in enumerate(names):
        if name != "**":
            read = {place + 1 for place in read if place < len(inside) and _one(name, inside[place])}
        elif at == len(names) - 1:
            return min(read) < len(inside)
        else:
            read = set(range(min(read), len(inside)))
        if not read:
            return False
    return True


def _one(name: str, given: str) -> bool:
    return fnmatchcase(given, unescaped(name))
