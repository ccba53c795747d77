"""The rules by which the title and the screen of a program on a terminal tell its state, and what a pattern may cost.

A program may show anything, for as long as it likes, and its patterns are looked for at each change. So the cost of a
person's own pattern is bounded before it is used, by its form alone: a look at a screen takes 5 ms at most.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from re import _constants as sre  # type: ignore[attr-defined] # the only way to see what a pattern consists of
from re import _parser as parser  # type: ignore[attr-defined] # same
from typing import Any, NamedTuple
from warnings import catch_warnings, simplefilter

from overmind_core.domain.agents.agent import ActivityKind, ActivitySource

WIDEST = 400
"""Characters of a line, or of a title, that are looked at."""
MOST_LINES = 60
"""Lines of a screen that a rule may look at."""
MOST_NANOSECONDS = 5_000_000
"""For a look at a screen, by all rules of a person's own for one program."""
_IGNORING_CASE = 3
"""Times as long as that it takes where large and small letters are the same."""
_VISIT, _TIGHT, _GROUP, _OVERHEAD = 15, 6, 20, 8000
"""Nanoseconds that the matcher takes for a place, for a character in a repeat, for one in a repeated group, for a line.
Measured with Python 3.11, rounded up."""
LONGEST_PATTERN = 500
"""Characters."""
STATES = (ActivityKind.WAITING, ActivityKind.WORKING, ActivityKind.IDLE, ActivityKind.LIMITED)
"""What a rule may tell."""


class Rule(NamedTuple):
    """The state that a pattern stands for."""

    state: ActivityKind
    pattern: str
    last: int = 0
    """In the last lines of the screen that are not empty, so many; 0: in the title."""
    also: str = ""
    """Another pattern that has to be found there, too; behind one of the title, at the end of the screen."""

    @property
    def source(self) -> ActivitySource:
        """The source of the state."""
        return ActivitySource.SCREEN if self.last else ActivitySource.TITLE


Item = tuple[Any, Any]
"""One item of a pattern as the parser has it: its kind, and what belongs to that."""


class Refused(ValueError):
    """A pattern can't be used; the text is the sentence about it."""


def nanoseconds_of(pattern: str, lines: int) -> int:
    """Return about how long it takes at most to look for a pattern in so many lines, whatever they hold.

    Raises:
        Refused: it is no pattern, or nothing bounds what it costs.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise Refused(f"write a pattern of at most {LONGEST_PATTERN} characters")
    try:
        with catch_warnings():
            simplefilter("ignore")  # about forms that later versions may read otherwise
            parsed = parser.parse(pattern)
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise Refused(f"{pattern!r} is no pattern: {error}") from None
    if parsed.state.flags & re.ASCII:
        raise Refused("write a pattern without the flag (?a)")
    ignores_case = bool(parsed.state.flags & re.IGNORECASE)
    items = list(parsed)
    cost = _Cost(tuple(_probes(items)), ignores_case=ignores_case)
    _, work = cost.of(items)
    if not _is_anchored(items):
        work = work * cost.starts(items) // 2  # behind the middle of a line less of it is left
    return lines * (_OVERHEAD + work * (_IGNORING_CASE if ignores_case else 1))


class _Cost:
    """Counts the ways in which a backtracking matcher can go through a pattern from one place of a line.

    A repeat is no choice where what follows can't begin with what it takes: `[^:]*:` ends in one place.
    """

    def __init__(self, probes: Sequence[str], *, ignores_case: bool) -> None:
        self._probes = probes
        self._ignores_case = ignores_case

    def of(self, items: Sequence[Item], after: Sequence[Item] = ()) -> tuple[int, int]:
        """Return the ways through items in a row, and the time of all of them; `after`: what follows them."""
        ways, work, place = 1, _VISIT, 0
        while place < len(items) and work <= MOST_NANOSECONDS:  # it only grows, and more is refused
            word = self._word(items[place:])
            if word:
                # In several places of a text a word is not nearly there in all of them, unless it repeats itself.
                work += _VISIT * len(word) if ways == 1 else ways * _VISIT // 2 * (1 + len(word) // _period(word))
                place += len(word)
                continue
            more, time = self._one(items[place], [*items[place + 1 :], *after])
            work += ways * time
            ways *= more
            place += 1
        return ways, work

    def _one(self, item: Item, after: Sequence[Item]) -> tuple[int, int]:
        kind, value = item
        if kind in _REPEATS:
            least, most, body = value
            return self._repeat(least, most, list(body), after)
        if kind is sre.SUBPATTERN:
            return self.of(list(value[3]), after)
        if kind is sre.ATOMIC_GROUP:
            return self.of(list(value), after)
        if kind is sre.BRANCH:
            found = [self.of(list(one), after) for one in value[1]]
            return sum(ways for ways, _ in found), sum(work for _, work in found)
        if kind in _ALONE or kind is sre.AT:
            return 1, _VISIT
        raise Refused("write a pattern without (?=…), (?!…), (?<…) and references such as \\1")

    def _repeat(self, least: int, most: int, items: Sequence[Item], after: Sequence[Item]) -> tuple[int, int]:
        if most <= 1:
            ways, work = self.of(items, after)
            return ways + 1 - least, work + _VISIT
        single = _fixed(items)
        if single is None:
            raise Refused("write a pattern without a repeat or a choice inside of a repeat, such as (a+)+ or (a|bc)*")
        times = min(most, WIDEST // len(single))
        time = times * (_TIGHT if len(items) == 1 and items[0][0] in _ALONE else _GROUP * len(single))
        if times <= least:
            return 1, time
        if not self._may_begin(single[0], after):
            return 1, time + times * _failed_try(after)
        return times - least + 1, time

    def _may_begin(self, one: Item, after: Sequence[Item]) -> bool:
        """Tell whether something that matches `one` can stand where `after` begins; without that all is over."""
        taken = [char for char in self._probes if self._takes(one, char)]
        return any(self._takes(first, char) for first in _firsts(after)[0] for char in taken)

    def starts(self, items: Sequence[Item]) -> int:
        """Return in how many places of a line a pattern can begin; one with a word first, as often as that fits."""
        word = self._word(items)
        if not word:
            return WIDEST
        if word[0] and not self._is_taken(items[1:], chr(word[0])):
            return 2  # no way goes past the next place: all of them together are as long as a line
        return WIDEST // _period(word)

    def _is_taken(self, items: Sequence[Item], char: str) -> bool:
        """Tell whether any item of a pattern takes a character."""
        for kind, value in items:
            if kind in _ALONE:
                if self._takes((kind, value), char):
                    return True
                continue
            if kind is not sre.AT and any(self._is_taken(row, char) for row in _rows(kind, value)):
                return True
        return False

    def _word(self, items: Sequence[Item]) -> list[int]:
        """Return the characters with which a pattern begins, in small letters where both are the same; 0: any."""
        word = [value for _, value in takewhile(lambda item: item[0] is sre.LITERAL, items)]
        if not self._ignores_case:
            return word
        return [ord(chr(one).lower()) for one in word] if _is_ascii(word) else [0] * len(word)

    def _takes(self, item: Item, char: str) -> bool:
        if self._ignores_case and not _is_ascii(_codes(item)):
            return True  # more than two of such letters may be the same, and some are the same as a letter of ASCII
        chars = {char, char.lower(), char.upper(), char.casefold()} if self._ignores_case else {char}
        return any(_takes(item, one) for one in chars if len(one) == 1)


_ALONE = frozenset({sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN, sre.RANGE, sre.CATEGORY, sre.NEGATE})
"""Items that take one character."""
_ENDS = frozenset({sre.AT_END, sre.AT_END_STRING})
_REPEATS = frozenset({sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT})
_INNER = _REPEATS | {sre.BRANCH, sre.SUBPATTERN, sre.ATOMIC_GROUP}
"""Items with rows of others inside."""
_CLASSES: dict[Any, Callable[[str], bool]] = {
    sre.CATEGORY_DIGIT: str.isdecimal,
    sre.CATEGORY_NOT_DIGIT: lambda char: not char.isdecimal(),
    sre.CATEGORY_SPACE: str.isspace,
    sre.CATEGORY_NOT_SPACE: lambda char: not char.isspace(),
    sre.CATEGORY_WORD: lambda char: char.isalnum() or char == "_",
    sre.CATEGORY_NOT_WORD: lambda char: not (char.isalnum() or char == "_"),
}
_SAMPLES = "a Z0_-.\t\u00e9\u0663\u00a0\u2819\U0001f41d\x00"
"""Characters of each class."""


def _takes(item: Item, char: str) -> bool:
    """Tell whether an item that takes one character takes this one."""
    kind, value = item
    if kind is sre.LITERAL:
        return bool(ord(char) == value)
    if kind is sre.NOT_LITERAL:
        return bool(ord(char) != value)
    if kind is sre.RANGE:
        return bool(value[0] <= ord(char) <= value[1])
    if kind is sre.CATEGORY:
        return _CLASSES[value](char)
    if kind is sre.IN:
        is_negated = value[0][0] is sre.NEGATE
        return any(_takes(one, char) for one in value if one[0] is not sre.NEGATE) is not is_negated
    return True


def _firsts(items: Sequence[Item]) -> tuple[list[Item], bool]:
    """Return the items that take the first character of a row, and whether the row may take none."""
    found: list[Item] = []
    for kind, value in items:
        if kind in _ALONE:
            return [*found, (kind, value)], False
        if kind is sre.AT:
            if value in _ENDS:
                return found, False
            continue
        inner = [_firsts(row) for row in _rows(kind, value)]
        found += [item for items, _ in inner for item in items]
        is_left_out = kind in _REPEATS and not value[0]
        if not is_left_out and not any(is_empty for _, is_empty in inner):
            return found, False
    return found, True


def _failed_try(items: Sequence[Item]) -> int:
    """Return the nanoseconds in which a row of items is found not to be in a place; a character is seen at once."""
    time = 0
    for item in items:
        if item[0] is sre.LITERAL and not time:
            break
        time += _VISIT if item[0] in _ALONE else 2 * _VISIT
        if not _firsts([item])[1]:
            break
    return time


def _probes(items: Iterable[Item]) -> set[str]:
    """Return characters of which each set of the pattern takes some: those that it names, their neighbours, samples."""
    found = set(_SAMPLES)
    for kind, value in items:
        if kind in {sre.LITERAL, sre.NOT_LITERAL}:
            found |= _around(value)
        elif kind is sre.RANGE:
            found |= _around(value[0]) | _around(value[1])
        elif kind is sre.IN:
            found |= _probes(value)
        elif kind in _INNER:
            found |= {char for row in _rows(kind, value) for char in _probes(row)}
    return found


def _around(code: int) -> set[str]:
    return {chr(one) for one in (code - 1, code, code + 1) if 0 <= one <= 0x10FFFF}  # noqa: PLR2004 - the last code point


def _fixed(items: Sequence[Item]) -> list[Item] | None:
    """Return the single characters of a row of items that always takes as many; None: it is another one."""
    found: list[Item] = []
    for kind, value in items:
        if kind in _ALONE:
            found.append((kind, value))
        elif kind is sre.SUBPATTERN and (inner := _fixed(list(value[3]))) is not None:
            found += inner
        else:
            return None
    return found or None


def _is_anchored(items: Sequence[Item]) -> bool:
    """Tell whether a pattern can begin at the beginning of a line alone."""
    if not items:
        return False
    kind, value = items[0]
    if kind is sre.SUBPATTERN:
        return _is_anchored(list(value[3]))
    if kind is sre.BRANCH:
        return all(_is_anchored(list(one)) for one in value[1])
    return kind is sre.AT and value in {sre.AT_BEGINNING, sre.AT_BEGINNING_STRING}


def _rows(kind: object, value: Any) -> list[list[Item]]:  # noqa: ANN401 - of the private parser
    """Return the rows of items inside of an item; one with flags of its own is refused."""
    if kind is sre.BRANCH:
        return [list(row) for row in value[1]]
    if kind is sre.SUBPATTERN and (value[1] or value[2]):
        raise Refused("write a flag for the whole pattern, such as (?i) at its beginning: none is for a part of it")
    inside = value if kind is sre.ATOMIC_GROUP else value[3] if kind is sre.SUBPATTERN else value[2]
    return [list(inside)]


def _codes(item: Item) -> Iterable[int]:
    """Return the characters that an item which takes one character names."""
    kind, value = item
    if kind in {sre.LITERAL, sre.NOT_LITERAL}:
        return (value,)
    if kind is sre.RANGE:
        return value  # type: ignore[no-any-return] # of the private parser
    return [code for one in value for code in _codes(one)] if kind is sre.IN else ()


def _is_ascii(codes: Iterable[int]) -> bool:
    return all(code < 128 for code in codes)  # noqa: PLR2004 - the end of ASCII


def _period(word: Sequence[int]) -> int:
    """Return how far apart two places of a text are in which a word stands, at the least."""
    return next((shift for shift in range(1, len(word)) if word[shift:] == word[:-shift]), len(word))
