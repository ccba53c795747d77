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
    if "/" not in pattern.rstrip("/"):
        return folder, ["**", *_names(pattern)]
    return folder, _names(pattern)


def _names(pattern: str) -> list[str]:
    return [name for name in pattern.split("/") if name not in {"", "."}]


@lru_cache(maxsize=4096)
def _match(names: tuple[str, ...], inside: tuple[str, ...]) -> bool:
    if not names:
        return True
    if names[0] == "**":
        if len(names) == 1:
            return bool(inside)
        return any(_match(names[1:], inside[at:]) for at in range(len(inside)))
    return bool(inside) and _one(names[0], inside[0]) and _match(names[1:], inside[1:])


def _one(name: str, given: str) -> bool:
    return fnmatchcase(given, unescaped(name))
