"""The language behind `/`: which rows are meant.

Words are regular expressions, whatever their case, and all must match; `!word` must not; `state:crashed`,
`cpu>50`, `label=x` look at one field; `-f word` matches letters in their order.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from overmind_tui.view import missions as view
from overmind_tui.view.cells import Row

Test = Callable[[Row], bool]

_FIELD = re.compile(r"(state|agent|name|type):(\S+)", re.IGNORECASE)
_LABEL = re.compile(r"label=([^=\s]+)(?:=(\S+))?")
_NUMBER = re.compile(r"(cpu|mem|restarts|exit)([<>])([0-9.]+)([kmg]?)", re.IGNORECASE)
_SCALE = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}
_KEYS = {"cpu": "cpu_percent", "mem": "memory_bytes", "restarts": "restart_count", "exit": "exit_code"}
FUZZY = "-f"


class BrokenFilter(ValueError):
    """A text that is no filter, yet: the reason in words."""


class Filter(NamedTuple):
    """A text and the test that it means."""

    text: str
    matches: Test

    def __bool__(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.text)


def parsed(text: str) -> Filter:
    """The filter that `text` means.

    Raises:
        BrokenFilter: a word is no regular expression.
    """
    words = text.split()
    fuzzy = words[:1] == [FUZZY]
    tests = [_fuzzy("".join(words[1:]))] if fuzzy else [_test(word) for word in words]
    return Filter(" ".join(words), lambda row: all(test(row) for test in tests))


def searched(row: Row) -> str:
    """What a plain word is looked for in."""
    labels = " ".join(f"{key}={value}" for key, value in (row.get("labels") or {}).items())
    parts = (row["name"], row["id"], view.mark(row).word, row["provider"], row["command"], labels, row.get("now") or "")
    return "\n".join(parts)


def _test(word: str) -> Test:
    if len(word) > 1 and word.startswith("!"):
        unwanted = _test(word[1:])
        return lambda row: not unwanted(row)
    if found := _FIELD.fullmatch(word):
        return _field(found[1].lower(), found[2])
    if found := _LABEL.fullmatch(word):
        return _label(found[1], found[2])
    if found := _NUMBER.fullmatch(word):
        return _number(found[1].lower(), found[2], float(found[3]) * _SCALE[found[4].lower()])
    pattern = _compiled(word)
    return lambda row: pattern.search(searched(row)) is not None


def _compiled(word: str) -> re.Pattern[str]:
    try:
        return re.compile(word, re.IGNORECASE | re.MULTILINE)
    except (re.error, OverflowError) as error:
        raise BrokenFilter(str(error)) from None


def _field(name: str, word: str) -> Test:
    pattern = _compiled(word)
    if name == "state":
        return lambda row: any(pattern.match(text) for text in (view.mark(row).word, row["status"]))
    key = "provider" if name == "agent" else name
    return lambda row: pattern.search(str(row.get(key) or "")) is not None


def _label(key: str, value: str | None) -> Test:
    return lambda row: key in (row.get("labels") or {}) and value in {None, row["labels"][key]}


def _number(name: str, sign: str, limit: float) -> Test:
    key = _KEYS[name]

    def compare(row: Row) -> bool:
        value = row.get(key)
        return value is not None and (value > limit if sign == ">" else value < limit)

    return compare


def _fuzzy(letters: str) -> Test:
    pattern = re.compile(".*?".join(map(re.escape, letters)), re.IGNORECASE | re.DOTALL)
    return lambda row: pattern.search(row["name"]) is not None
