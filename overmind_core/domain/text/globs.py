r"""Whether two patterns can name one path: decided exactly, both walked side by side as automata. Pure.

The patterns are those of `file_pattern`, relative to the top of a repository. What that means for who owns what:

* A pattern that names a folder owns all below it: `src/api` and `src/api/` as much as `src/api/**`.
* One without a `/` inside holds at every depth: `docs` owns `web/docs/index.md`. `/docs` is the one at the top.
* `*` and `?` stay within a name, `**` spans names, `[a-z]` and `[!a-z]` are one character, `\*` is a star itself.

Names are compared as bytes are: case counts. What can't be meant is refused before it is compared, see `glob_problem`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from overmind_core.domain.text.file_pattern import unescaped

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_GLOB = 512
"""Characters; two of that length are decided in a part of a second."""

_Characters = tuple[tuple[int, int], ...]
"""Ranges of code points, both ends included; in order, and apart from each other."""
_Name = tuple[_Characters | None, ...]
"""What one name of a path may be, character by character; None: any number of any characters."""
_Names = tuple[_Name | None, ...]
"""What a path may be, name by name; None: any number of any names."""

_ANY: _Characters = ((0x01, 0x2E), (0x30, 0x10FFFF))
"""What a name may consist of: all but `/` and NUL."""
_ANY_NAME: _Name = (None,)
_DOT = ord(".")

Owner = TypeVar("Owner")


class GlobError(ValueError):
    """A text that is no pattern of paths in a repository. Its message names it and says why."""

    def __init__(self, pattern: str, problem: str) -> None:
        super().__init__(f"{pattern[:80]!r} {problem}")
        self.pattern = pattern
        self.problem = problem


class _Glob(NamedTuple):
    """A pattern, ready to be compared."""

    names: _Names
    """With at least one name, and any number behind the last: what owns a folder owns what is in it."""
    prefix: tuple[str, ...]
    """The names with which every path begins that it matches."""


def glob_problem(pattern: str) -> str | None:
    """Return what is wrong with a pattern, as the rest of a sentence that begins with it; None when nothing is."""
    try:
        _compiled(pattern)
    except GlobError as error:
        return error.problem
    return None


def beginning(pattern: str) -> tuple[str, ...]:
    """Return the plain names with which every path begins that a pattern matches, from the top of the repository.

    Raises:
        GlobError: it is no pattern.
    """
    return _compiled(pattern).prefix


def can_meet(one: str, other: str) -> bool:
    """Return whether there is a path that both patterns match.

    Raises:
        GlobError: one of them is no pattern.
    """
    return one == other or _can_meet(one, other)


class GlobIndex(Generic[Owner]):
    """Patterns with their owners; finds one that meets another pattern without comparing it with all of them.

    Two patterns can meet only when the plain names with which one begins are the beginning of the other's.
    """

    def __init__(self) -> None:
        self._top: _Node[Owner] = _Node({}, {})

    def add(self, pattern: str, owner: Owner) -> None:
        """Have it found from now on; of owners of one pattern the first stays.

        Raises:
            GlobError: it is no pattern.
        """
        node = self._top
        for name in _compiled(pattern).prefix:
            node = node.below.setdefault(name, _Node({}, {}))
        node.owners.setdefault(pattern, owner)

    def find(self, pattern: str) -> tuple[str, Owner] | None:
        """Return a pattern that meets this one, and its owner; None when none does.

        Raises:
            GlobError: it is no pattern.
        """
        for found, owner in self._near(_compiled(pattern).prefix):
            if can_meet(found, pattern):
                return found, owner
        return None

    def _near(self, prefix: tuple[str, ...]) -> Iterator[tuple[str, Owner]]:
        """All that begin with a part of these names, or go on from them."""
        node = self._top
        for name in prefix:
            yield from node.owners.items()
            if name not in node.below:
                return
            node = node.below[name]
        waiting = [node]
        while waiting:
            node = waiting.pop()
            yield from node.owners.items()
            waiting += node.below.values()


class _Node(NamedTuple, Generic[Owner]):
    """Where patterns with the same plain beginning stand."""

    owners: dict[str, Owner]
    below: dict[str, _Node[Owner]]


# reading


@lru_cache(maxsize=16384)
def _compiled(pattern: str) -> _Glob:
    for forbidden, problem in _FORBIDDEN:
        if forbidden.search(pattern):
            raise GlobError(pattern, problem)
    written = [name for name in pattern.split("/") if name not in {"", "."}]
    if "/" not in pattern.rstrip("/"):
        written.insert(0, "**")
    names = [None if name == "**" else _name(pattern, name) for name in written]
    if names[-1:] in ([], [None]):
        names.append(_ANY_NAME)  # `**` at the end is what is in a folder, not the folder
    prefix = []
    for name in names:
        plain = None if name is None else _plain(name)
        if plain is None:
            break
        prefix.append(plain)
    return _Glob((*names, None), tuple(prefix))


_FORBIDDEN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\A\s*\Z"), "is empty"),
    (re.compile(rf"(?s)\A.{{{LONGEST_GLOB + 1}}}"), f"is longer than {LONGEST_GLOB} characters"),
    (re.compile(r"\0"), "has a NUL in it"),
    (re.compile(r"\A(//|~/)"), "begins outside the repository: write a path from its top"),
    (re.compile(r"(\A|/)\.\.(/|\Z)"), "leads out of its folder with '..'"),
    (
        re.compile(r"\{[^{}]*,[^{}]*\}"),
        "has braces in it, which are no pattern: write one for each; [{] is a brace itself",
    ),
)
"""What no pattern of a repository has in it, and what is said of it."""


def _name(pattern: str, name: str) -> _Name:
    """One name of a pattern. It is read as `fnmatch` does, which matches it against real ones."""
    text = unescaped(name)
    found: list[_Characters | None] = []
    at = 0
    while at < len(text):
        character, at = text[at], at + 1
        if character == "*":
            if found[-1:] != [None]:
                found.append(None)
        elif character == "?":
            found.append(_ANY)
        elif character == "[":
            # A bracket that closes one stands at least one character behind its beginning.
            end = text.find("]", at + (2 if text[at : at + 1] == "!" else 1))
            if end < 0:
                raise GlobError(pattern, "has a [ without its ]; [[] is a bracket itself")
            found.append(_class(pattern, text[at:end]))
            at = end + 1
        else:
            found.append(((ord(character), ord(character)),))
    read = tuple(found)
    if not _names_meet(read, _ANY_NAME):
        raise GlobError(pattern, f"has {name} in it, which names no file")
    return read


def _class(pattern: str, inside: str) -> _Characters:
    """What stands between brackets."""
    negated = inside.startswith("!")
    members = inside[negated:]
    ranges = []
    at = 0
    while at < len(members):
        is_range = members[at + 1 : at + 2] == "-" and at + 2 < len(members)  # a dash at the end is one itself
        last = members[at + 2] if is_range else members[at]
        if members[at] > last:
            raise GlobError(pattern, f"has [{inside}] in it, where a range runs backwards")
        ranges.append((ord(members[at]), ord(last)))
        at += 3 if is_range else 1
    listed = _joined(ranges)
    return _common(_others(listed) if negated else listed, _ANY)


def _joined(ranges: list[tuple[int, int]]) -> _Characters:
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return tuple(found)


def _others(ranges: _Characters) -> _Characters:
    ends = [-1, *(high for _, high in ranges)]
    begins = [*(low for low, _ in ranges), 0x110000]
    return tuple((end + 1, begin - 1) for end, begin in zip(ends, begins, strict=True) if end + 1 < begin)


def _plain(name: _Name) -> str | None:
    """The one name that it is; None: there are others."""
    if any(one is None or len(one) > 1 or one[0][0] != one[0][1] for one in name):
        return None
    return "".join(chr(one[0][0]) for one in name if one is not None)


# comparing


@lru_cache(maxsize=65536)
def _can_meet(one: str, other: str) -> bool:
    first, second = _compiled(one), _compiled(other)
    if any(a != b for a, b in zip(first.prefix, second.prefix, strict=False)):
        return False
    left, right = first.names, second.names
    waiting = [(0, 0)]
    seen = set(waiting)
    while waiting:
        i, j = waiting.pop()
        if i == len(left) and j == len(right):
            return True
        for place in _following(left, right, i, j):
            if place not in seen:
                seen.add(place)
                waiting.append(place)
    return False


def _following(left: _Names, right: _Names, i: int, j: int) -> Iterator[tuple[int, int]]:
    """Where two walks may stand after one of them has left a `**`, or after both have taken the same name."""
    if i < len(left) and left[i] is None:
        yield i + 1, j
    if j < len(right) and right[j] is None:
        yield i, j + 1
    if i == len(left) or j == len(right):
        return
    a, b = left[i], right[j]
    if _names_meet(_ANY_NAME if a is None else a, _ANY_NAME if b is None else b):
        yield i + (a is not None), j + (b is not None)


@lru_cache(maxsize=16384)
def _names_meet(one: _Name, other: _Name) -> bool:
    """Whether both can be one name: not empty, and neither `.` nor `..`, which no path has."""
    waiting = [(0, 0, 0)]
    seen = set(waiting)
    while waiting:
        i, j, begun = waiting.pop()
        if i == len(one) and j == len(other) and begun == _A_NAME:
            return True
        for place in _after_a_character(one, other, i, j, begun):
            if place not in seen:
                seen.add(place)
                waiting.append(place)
    return False


_A_NAME = 3
"""What a walk has seen of a name: 0 nothing, 1 `.`, 2 `..`, 3 anything else."""


def _after_a_character(one: _Name, other: _Name, i: int, j: int, begun: int) -> Iterator[tuple[int, int, int]]:
    if i < len(one) and one[i] is None:
        yield i + 1, j, begun
    if j < len(other) and other[j] is None:
        yield i, j + 1, begun
    if i == len(one) or j == len(other):
        return
    a, b = one[i], other[j]
    both = _common(_ANY if a is None else a, _ANY if b is None else b)
    place = i + (a is not None), j + (b is not None)
    if any(low <= _DOT <= high for low, high in both):
        yield (*place, min(begun + 1, _A_NAME))
    if any((low, high) != (_DOT, _DOT) for low, high in both):
        yield (*place, _A_NAME)


@lru_cache(maxsize=4096)
def _common(one: _Characters, other: _Characters) -> _Characters:
    """The characters that both have."""
    return tuple(
        (max(low, bottom), min(high, top))
        for low, high in one
        for bottom, top in other
        if max(low, bottom) <= min(high, top)
    )
