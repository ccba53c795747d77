"""Budgets of specs, and of all quests in a day: when to warn, when nothing more begins, when what runs is ended. Pure.

Costs are US dollars. A cost that nobody knows is None: it is left out of sums and counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.replacing import replace
from overmind_core.domain.text.decimals import dollars

if TYPE_CHECKING:
    from collections.abc import Iterable

WARNED = 0.8
STOPPED = 1.2
"""Parts of the limit at which it is warned, and at which what runs is ended."""
HALF_AGAIN = 1.5
"""What a limit is multiplied with when a person raises it without saying how far."""
_ROUNDING = 1e-9
"""Sums of fractions of a cent miss by less than this."""


class Spending(NamedTuple):
    """What was spent."""

    usd: float | None
    """None: nothing is known of any."""
    unknown: int
    """How many costs are not in it, for nobody knows them."""

    @property
    def known(self) -> float:
        """What is known to be spent."""
        return self.usd or 0.0

    @property
    def text(self) -> str:
        """The amount for people: `$0.12`, `$0.12 + ?` where a part is unknown, `?` where nobody knows any."""
        return "?" if self.usd is None else f"{dollars(self.usd)}{' + ?' if self.unknown else ''}"


def spending(costs: Iterable[float | None]) -> Spending:
    """Add up costs."""
    known, unknown = [], 0
    for cost in costs:
        if cost is None:
            unknown += 1
        else:
            known.append(cost)
    return Spending(sum(known) if known or not unknown else None, unknown)


@dataclass(frozen=True, slots=True)
class BudgetMarks:
    """What was done about a budget; each is done once for each limit."""

    warned: float = 0.0
    """The limit that it was warned of."""
    asked: float = 0.0
    """The limit that a person was asked about."""


class BudgetStep(NamedTuple):
    """What is to be done about a budget now."""

    warn: bool = False
    ask: bool = False
    stop: bool = False
    """End what runs in it, with the reason `max_cost`."""


def follow(marks: BudgetMarks, spent: Spending, limit: float) -> tuple[BudgetMarks, BudgetStep]:
    """What follows from what is spent; a limit of 0 is none."""
    if not limit:
        return marks, BudgetStep()
    part = spent.known / limit + _ROUNDING
    warn = part >= WARNED and marks.warned != limit
    ask = part >= 1.0 and marks.asked != limit
    marks = replace(marks, warned=limit if warn else marks.warned, asked=limit if ask else marks.asked)
    return marks, BudgetStep(warn, ask, part >= STOPPED)


class Refused(NamedTuple):
    """Nothing more begins in a budget."""

    text: str
    """For people: `$4.10 of $4.00 of spec login are spent`."""
    ask: bool
    """Whether only a person can change that; else what runs may cost less than it is estimated to."""


def lease(of: str, spent: Spending, running: Iterable[float | None], own: float | None, limit: float) -> Refused | None:
    """Whether one more attempt may begin in a budget; None: it may.

    Args:
        of: What the budget is of, for people: `spec login`, `this day`.
        spent: In it, by what runs as well.
        running: What each attempt that runs is estimated to cost beyond what it has; None: nobody knows.
        own: The same of the one that would begin.
        limit: US dollars; 0: none.
    """
    if not limit:
        return None
    planned = list(running)
    expected = spending([*planned, own]).known
    used = f"{spent.text} of {dollars(limit)} of {of} are spent"
    if spent.known >= limit - _ROUNDING:
        return Refused(used, ask=True)
    if spent.known + expected > limit + _ROUNDING:
        if spent.usd is None:
            used = f"no cost of {of} is known, its limit is {dollars(limit)}"
        return Refused(f"{used}, and {dollars(expected)} would follow", ask=not planned)
    return None


_AMOUNT = r"(\d{1,9}(?:\.\d{1,6})?)"
_DOLLARS = re.compile(rf"\$ ?{_AMOUNT}|(?<![\d.]){_AMOUNT} ?(?:\$|usd\b|dollars?\b)|\A\s*{_AMOUNT}\s*\Z", re.IGNORECASE)


def raised(limit: float, text: str = "", *, spent: float = 0.0, expected: float = 0.0) -> float:
    """The limit after a person has allowed more: by the dollars that the text names, else so that work goes on.

    Args:
        limit: As it is.
        text: Of the person. Dollars in it come on top of the limit, or of what is spent where that is more.
        spent: In the budget so far.
        expected: What the attempts that run are estimated to cost beyond that, together with the next one.
    """
    found = _DOLLARS.search(text)
    more = float(next(filter(None, found.groups()))) if found else 0.0
    if more:
        return round(max(limit, spent) + more, 6)
    usual, needed = limit * HALF_AGAIN, spent + expected
    return round(usual if usual > needed + _ROUNDING else needed * HALF_AGAIN, 6)


def day_begin(now: float, zone: tzinfo) -> float:
    """The last local midnight, in seconds since the epoch."""
    return _midnight(datetime.fromtimestamp(now, zone), 0)


def next_midnight(now: float, zone: tzinfo) -> float:
    """The next local midnight, in seconds since the epoch; a day may have 23 or 25 hours."""
    return _midnight(datetime.fromtimestamp(now, zone), 1)


def _midnight(moment: datetime, days: int) -> float:
    day = moment.date() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, tzinfo=moment.tzinfo).timestamp()
