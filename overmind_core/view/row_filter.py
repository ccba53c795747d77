"""The filter behind `/`: which rows, or which lines of a text, it means.

Words are regular expressions, whatever their case, and all must match; `!word` must not; quotes keep blanks and take
from a word what it means else. Of rows also `state:crashed`, `hive:eu1`, `cpu>50`, `mem>=1.5g`, `age<5m`, `cost>$2`,
`label=x` look at one field, `unseen` keeps what nobody has looked at, and `-f word` matches letters in their order.
"""

from __future__ import annotations

import operator
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from overmind_core.domain.text.cells import shown_name
from overmind_core.system import time_budget
from overmind_core.view import missions as missions_rows
from overmind_core.view import numbers
from overmind_core.view.cells import Row
from overmind_core.view.hive_keys import HIVE, HIVES, LOCAL, bare_name

_COMPARED = re.compile(
    r"(cpu|mem|memory|restarts|exit|cost|age)(>=|<=|>|<)\$?([0-9]+(?:\.[0-9]*)?)([a-z%]*)", re.IGNORECASE
)
_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip
_SIZES = {unit + tail: scale for unit, scale in (("k", 1e3), ("m", 1e6), ("g", 1e9), ("t", 1e12)) for tail in ("", "b")}
_SPANS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_UNITS: Mapping[str, Mapping[str, float]] = {
    "cpu": {"%": 1.0}, "mem": {"b": 1.0, **_SIZES}, "memory": {"b": 1.0, **_SIZES}, "restarts": {}, "exit": {},
    "cost": {"usd": 1.0}, "age": _SPANS,
}  # fmt: skip
"""Name → unit → how many of a row's own unit (percent of a core, bytes, US dollars, seconds) it is; none is 1."""
_KEYS = {
    "cpu": "cpu_percent", "mem": "memory_bytes", "memory": "memory_bytes", "restarts": "restart_count",
    "exit": "exit_code", "cost": "cost_usd", "age": "uptime_seconds",
}  # fmt: skip


class Compared(NamedTuple):
    """One comparison: of what, how, with what (in the row's own unit)."""

    name: str
    sign: str
    limit: float

    def holds(self, value: float) -> bool:
        """Whether it is true of a value."""
        return _SIGNS[self.sign](value, self.limit)


def compared_quantity(text: str) -> Compared | None:
    """The comparison that a word is; None where it is none, and with a unit that makes no sense."""
    found = _COMPARED.fullmatch(text)
    if found is None:
        return None
    name, unit = found[1].lower(), found[4].lower()
    scale = 1.0 if not unit else _UNITS[name].get(unit)
    return None if scale is None else Compared(name, found[2], float(found[3]) * scale)


def of(row: Row, name: str, now: float | None) -> float | None:
    """A row's own number; None where it has none. The age is that since it was started first."""
    if name == "age" and now is not None:
        began = numbers.moment(row.get("started_at") or row.get("at"))
        return None if began is None else now - began
    value = row.get(_KEYS[name])
    return None if value is None else float(value)


Test = Callable[[Any], bool]
Searched = Callable[[Any], str]
Noted = Callable[[Row], str]
"""A word for the state of a row that is not in the row itself, such as `quiet`; "" for none."""
Clock = Callable[[], float]

UNSEEN = "unseen"
FUZZY = "-f"
TIME_BUDGET = 0.05
"""Seconds of computing that one filter may take for one row."""
TIME_BUDGET_EACH = 0.0002
"""Seconds more for each row, of many at once."""
SLICE, SLICE_BUDGET = 50, 0.025
"""Rows that are judged at once where a loop has other things to do, and seconds of computing that they may take."""
REMEMBERED = 20_000
"""Answers of a filter, and texts of missions."""
LONGEST = 4000
"""Characters of a row in which a word is looked for."""
_FIELD = re.compile(r"(state|agent|name|type|id|hive|cwd|command|reason):(.+)", re.IGNORECASE | re.DOTALL)
_LABEL = re.compile(r"label=([^=]+)(?:=(.*))?", re.DOTALL)
_QUOTES = "\"'"


class BrokenFilter(ValueError):
    """A text that is no filter, yet: the reason in words."""


class Filter:
    """A filter: its text and the test that it means.

    A pattern that backtracks without end is given up once: from then on `slow` is set and everything matches. What was
    found out of a row is known until another takes its place, or something else is noted of it, unless the answer is a
    `passing` one.
    """

    __slots__ = ("_known", "_noted", "_passing", "_test", "slow", "text")

    def __init__(self, text: str, test: Test, *, passing: bool = False, noted: Noted | None = None) -> None:
        self.text = text
        self._test = test
        self._passing = passing
        self._noted = noted
        self._known: dict[tuple[int, str], tuple[object, bool]] = {}
        """Identity of a row, and what is noted of it → the row, held so that no other gets that, and the answer."""
        self.slow = False

    def matches(self, item: Any) -> bool:  # noqa: ANN401 - a row, or a line of a text
        """Whether it is meant."""
        if self.slow:
            return True
        known = self._known.get(self._key(item))
        if known is not None:
            return known[1]
        try:
            return time_budget.within(TIME_BUDGET, lambda: self._answer(item))
        except time_budget.BudgetExceeded:
            self.slow = True
            return True

    def learn(self, items: Sequence[Any], budget: float = TIME_BUDGET) -> None:
        """Find the answers for many at once; `slow` tells whether that took too long.

        Args:
            items: Rows, or lines of a text.
            budget: Seconds of computing, besides those that each of them gets.
        """
        try:
            time_budget.within(budget + TIME_BUDGET_EACH * len(items), lambda: [self._answer(item) for item in items])
        except time_budget.BudgetExceeded:
            self.slow = True

    def _answer(self, item: Any) -> bool:  # noqa: ANN401 - as above
        found = self._test(item)
        if not self._passing:
            if len(self._known) > REMEMBERED:
                self._known.clear()
            self._known[self._key(item)] = (item, found)
        return found

    def _key(self, item: Any) -> tuple[int, str]:  # noqa: ANN401 - as above
        return id(item), "" if self._noted is None else self._noted(item)

    def __bool__(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.text)


class Word(NamedTuple):
    """One word of the text; a quoted one is nothing but a pattern."""

    text: str
    unwanted: bool = False
    quoted: bool = False


def everything(_item: object) -> bool:
    """The test of no filter."""
    return True


NOTHING = Filter("", everything)
"""Leaves nothing out."""


_TEXTS: dict[str, tuple[Row, str]] = {}
"""Id of a mission → its row when it was looked at last, and the text in which words are looked for then."""


def searched(row: Row) -> str:
    """The text of a mission in which a plain word is looked for, cut to `LONGEST`.

    It is known until another row of the mission comes: each letter that is typed makes a filter of its own.
    """
    known = _TEXTS.get(row["id"])
    if known is None or known[0] is not row:
        if len(_TEXTS) >= REMEMBERED:
            _TEXTS.clear()
        known = _TEXTS[row["id"]] = row, _text(row)
    return known[1]


def _text(row: Row) -> str:
    """The facts of a mission, and the words of the list about it; last is the command, which may be long."""
    labels = " ".join(f"{key}={value}" for key, value in (row.get("labels") or {}).items())
    parts = (row["name"], row["id"], *_shown(row), row["provider"], labels, row.get("now") or "", row["command"])
    return "\n".join(dict.fromkeys(parts))[:LONGEST]


def _shown(row: Row) -> tuple[str, ...]:
    """The words of the list about a mission: its name, its state, its agent, and what goes on."""
    now = missions_rows.now_cell(row).text
    return (
        shown_name(bare_name(row), row.get("title")),
        *missions_rows.state_words(row),
        "plan" if row.get("type") == missions_rows.PLAN else "",
        missions_rows.why_failed(row, now),
    )


def parsed(
    text: str, *, looked_in: Searched = searched, now: Clock | None = None, noted: Noted | None = None
) -> Filter:
    """The filter of rows that `text` means.

    Args:
        text: What was typed after `/`.
        looked_in: What a plain word is looked for in.
        now: Seconds since the epoch, for `age>5m`; without it the age is the one that the row was told with.
        noted: What else the state of a row is called.

    Raises:
        BrokenFilter: a word is no regular expression, or no number where one belongs.
    """
    lead, _, rest = text.strip().partition(" ")
    if lead == FUZZY:
        return Filter(text.strip(), _fuzzy("".join(rest.split()), looked_in))
    found = list(words(text))
    look = _once(looked_in)
    tests = [_negated(word, _test_of(word, look, now, noted)) for word in found]
    passing = any((one := compared_quantity(word.text)) and one.name == "age" for word in found)
    return Filter(text.strip(), lambda row: all(test(row) for test in tests), passing=passing, noted=noted)


def tried(
    text: str, rows: Iterable[Row], *, looked_in: Searched = searched, now: Clock | None = None,
    noted: Noted | None = None,
) -> Filter:  # fmt: skip
    """As `parsed`, and refused when it takes too long with one of these rows.

    Raises:
        BrokenFilter: it makes no sense, or can't be used.
    """
    found = parsed(text, looked_in=looked_in, now=now, noted=noted)
    found.learn(list(rows))
    if found.slow:
        raise BrokenFilter("it takes too long")
    return found


def sieved(wanted: Filter, rows: Sequence[Row]) -> Iterator[list[str]]:
    """The ids of rows that a filter keeps, `SLICE` rows at once, so that a loop can do other things between.

    Raises:
        BrokenFilter: it takes too long.
    """
    for begin in range(0, len(rows), SLICE):
        some = rows[begin : begin + SLICE]
        wanted.learn(some, SLICE_BUDGET)
        kept = [row["id"] for row in some if wanted.matches(row)]
        if wanted.slow:
            raise BrokenFilter("it takes too long")
        yield kept


def lines(text: str) -> Filter:
    """The filter of lines of a text; there are no fields in them.

    Raises:
        BrokenFilter: a word is no regular expression.
    """
    tests = [_negated(word, _pattern(word.text, _once(str))) for word in words(text)]
    return Filter(text.strip(), lambda line: all(test(line) for test in tests), passing=True)


def words(text: str) -> Iterator[Word]:
    """The words of a text. A quote that is not closed yet reaches to the end, for it is being typed."""
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        unwanted = text[at] == "!" and at + 1 < len(text) and not text[at + 1].isspace()
        at += unwanted
        if text[at] in _QUOTES:
            end = text.find(text[at], at + 1)
            end = len(text) if end < 0 else end
            if quoted := text[at + 1 : end]:
                yield Word(quoted, unwanted, quoted=True)
            at = end + 1
        else:
            word, at = _unquoted(text, at)
            yield Word(word, unwanted)


def _unquoted(text: str, at: int) -> tuple[str, int]:
    """A word that begins at `at` and where it ends; the value of a field may be quoted: `now:"a b"`."""
    begun = re.compile(r"(\w+[:=])([\"'])").match(text, at)
    if begun is not None:
        end = text.find(begun[2], begun.end())
        end = len(text) if end < 0 else end
        return begun[1] + text[begun.end() : end], end + 1
    end = next((place for place in range(at, len(text)) if text[place].isspace()), len(text))
    return text[at:end], end


def _once(looked_in: Searched) -> Searched:
    """The same, cut to `LONGEST`, and put together once for all words that are looked for in one row."""
    last: tuple[object, str] = (None, "")

    def look(item: Any) -> str:  # noqa: ANN401 - a row, or a line of a text
        nonlocal last
        if last[0] is not item:
            last = item, looked_in(item)[:LONGEST]
        return last[1]

    return look


def _negated(word: Word, test: Test) -> Test:
    return (lambda item: not test(item)) if word.unwanted else test


def _test_of(word: Word, looked_in: Searched, now: Clock | None, noted: Noted | None) -> Test:
    if word.quoted:
        return _pattern(word.text, looked_in, noted)
    if word.text.lower() == UNSEEN:
        return lambda row: bool(row.get("unseen"))
    if found := _FIELD.fullmatch(word.text):
        return _field(found[1].lower(), found[2], noted)
    if found := _LABEL.fullmatch(word.text):
        return _label(found[1], found[2])
    if compared := compared_quantity(word.text):
        return _number(compared, now)
    return _pattern(word.text, looked_in, noted)


def _pattern(text: str, looked_in: Searched, noted: Noted | None = None) -> Test:
    pattern = _compiled(text)
    if noted is None:
        return lambda item: pattern.search(looked_in(item)) is not None
    return lambda item: pattern.search(looked_in(item)) is not None or pattern.search(noted(item)) is not None


def _compiled(word: str) -> re.Pattern[str]:
    try:
        with warnings.catch_warnings():  # of what an expression will mean one day, on the terminal that shows us
            warnings.simplefilter("ignore")
            return re.compile(word, re.IGNORECASE | re.MULTILINE)
    except (re.error, OverflowError, RecursionError) as error:
        raise BrokenFilter(str(error) or "too deep") from None


def _field(name: str, word: str, noted: Noted | None) -> Test:
    pattern = _compiled(word)
    if name == "state":
        return lambda row: any(pattern.match(text) for text in _states(row, noted))
    if name == HIVE:  # whole: eu1 is not eu10
        return lambda row: any(pattern.fullmatch(one) for one in _hives(row))
    key = "provider" if name == "agent" else name
    return lambda row: pattern.search(str(row.get(key) or "")) is not None


def _hives(row: Row) -> Sequence[str]:
    """The names of the hives that a row is about; of one of this home that has no others, this home's."""
    found = row.get(HIVES)
    return [LOCAL if row.get(HIVE) is None else str(row[HIVE])] if found is None else found


_STATES = ("state", "level")
"""Fields in which rows that are no missions have the word that their table shows."""


def _states(row: Row, noted: Noted | None) -> Iterator[str]:
    """All that the state of a row is called, by whatever table."""
    if "status" not in row:
        return
    yield from missions_rows.state_words(row)
    yield row["status"]
    yield from (text for text in map(row.get, _STATES) if isinstance(text, str))
    phase = row.get("phase")
    if phase in missions_rows.PHASE_WORDS and not row.get("activity"):
        yield missions_rows.PHASE_WORDS[phase]
    if noted is not None and (word := noted(row)):
        yield word


def _label(key: str, value: str | None) -> Test:
    return lambda row: key in (row.get("labels") or {}) and value in {None, "", row["labels"][key]}


def _number(compared: Compared, now: Clock | None) -> Test:
    def test(row: Row) -> bool:
        value = of(row, compared.name, None if now is None else now())
        return value is not None and compared.holds(value)

    return test


def _fuzzy(letters: str, looked_in: Searched) -> Test:
    wanted = letters.casefold()

    def test(row: Row) -> bool:
        rest = iter(str(row.get("name") or looked_in(row)[:LONGEST]).casefold())
        return all(letter in rest for letter in wanted)

    return test
