"""Admission: who of those that wait may start now, and why each other may not. No clock, no IO.

It knows neither plans nor quests: whatever waits for its turn can ask. Whoever has something in its way that only the
caller knows brings that along (`Waiter.blocked`); times, who owns which paths, and slots are decided here.

Two that own paths of one repository which can meet never run together. One that could start but for this holds its own
paths against all that are ranked below it, so that a wide one is not passed by for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from heapq import nsmallest
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.text.moment import format_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.domain.text.globs import GlobIndex

QUEUE = "queue"
"""The pool whose name goes without saying."""


_RUNS = "runs"
_FIRST = "comes first"


class WaitCode(StrEnum):
    """Why something waits. Of several reasons the first in this order is given."""

    BLOCKED = "blocked"
    """What it needs can't complete any more."""
    NEEDS = "needs"
    """What it needs has not completed yet."""
    HELD = "held"
    """A person holds it back, or is to decide something first."""
    UNTIL = "until"
    """Its time has not come."""
    BUDGET = "budget"
    """The money is spent."""
    OWNS = "owns"
    """Somebody else owns paths that it would own."""
    SLOTS = "slots"
    """As many as may run at once do."""


class Wait(NamedTuple):
    """Why something waits."""

    code: WaitCode
    text: str
    """The rest of a sentence: `waits for api (running 4m)`."""
    by: tuple[str, ...] = ()
    """Names of those that are in its way; of a pool, where slots are."""
    do: tuple[str, ...] = ()
    """Commands with which a person lets it go on."""


class Waiter(NamedTuple):
    """Something that would like to start."""

    name: str
    rank: tuple[Any, ...] = ()
    """The lower, the sooner, as tuples compare; of equal ones the first given."""
    not_before: float = 0.0
    """Seconds since the epoch."""
    pools: tuple[str, ...] = ()
    """It takes a slot of each; one that has no limits is no limit."""
    owns: tuple[str, ...] = ()
    """Patterns of paths, see `domain.text.globs`."""
    repository: str | None = None
    """Where these are; None: nothing is owned."""
    blocked: Wait | None = None
    """What else is in its way."""
    attempt: str = ""
    """Said beside the time that it waits for: `attempt 2 of 3`."""


class Pool(NamedTuple):
    """Slots that some share."""

    at_once: int = 0
    """How many may be taken at the same time; 0 = no limit."""
    running: int = 0
    """How many are now."""

    @property
    def free(self) -> int | None:
        """How many are left; None: any number."""
        return max(0, self.at_once - self.running) if self.at_once else None


class Owned(NamedTuple):
    """What somebody owns who is no waiter any more."""

    repository: str
    patterns: tuple[str, ...]
    doing: str = _RUNS
    """A verb that says why: `runs`, `is in review`."""


class Limits(NamedTuple):
    """What bounds all of them together."""

    pools: Mapping[str, Pool] = {}
    owned: Mapping[str, Owned] = {}
    """By the name of who owns it."""


class Ready(NamedTuple):
    """Who starts, in this order; why each other waits."""

    start: tuple[str, ...]
    waiting: dict[str, Wait]
    next_at: float | None
    """When the first one's time comes that nothing else is in the way of, seconds since the epoch."""


_rank = attrgetter("rank")
_BEHIND_UNTIL = frozenset({WaitCode.BUDGET, WaitCode.OWNS, WaitCode.SLOTS})


def ready(
    waiters: Iterable[Waiter],
    now: float,
    limits: Limits,
    *,
    reasons: bool = True,
    time_text: Callable[[float], str] = format_time,
) -> Ready:
    """Return who starts at `now` (seconds since the epoch), and why each other does not.

    Args:
        waiters: In any order; names are unique.
        now: Decides about `not_before`.
        limits: As they are before anybody starts.
        reasons: Whether anybody wants to know; without them `waiting` stays empty, and it takes a part of the time.
        time_text: How a point of time is written.

    Raises:
        GlobError: of patterns that nobody has checked.
    """
    able: list[Waiter] = []
    waiting: dict[str, Wait] = {}
    next_at: float | None = None
    for waiter in waiters:
        blocked = waiter.blocked
        if blocked is None and waiter.not_before <= now:
            able.append(waiter)
            continue
        has_its_time = waiter.not_before > now and (blocked is None or blocked.code in _BEHIND_UNTIL)
        if has_its_time and (next_at is None or waiter.not_before < next_at):
            next_at = waiter.not_before
        if reasons:
            waiting[waiter.name] = _until(waiter, time_text) if has_its_time or blocked is None else blocked
    slots = _Slots(limits.pools, able)
    if not reasons:
        return Ready(tuple(_starting(able, slots, limits.owned)), waiting, next_at)
    return Ready(tuple(_explained(able, slots, limits.owned, waiting)), waiting, next_at)


def _explained(
    able: list[Waiter], slots: _Slots, owned: Mapping[str, Owned], waiting: dict[str, Wait]
) -> Iterable[str]:
    """Who starts; `waiting` gets a reason for each of the others."""
    owners = _Owners(owned)
    able.sort(key=_rank)
    for waiter in able:
        owner = owners.of(waiter)
        full = slots.full(waiter)
        if owner is not None:
            waiting[waiter.name] = owner
            if full is None:
                owners.add(waiter, _FIRST)
        elif full is not None:
            waiting[waiter.name] = full.queued()
        else:
            yield waiter.name
            slots.take(waiter)
            owners.add(waiter, _RUNS)


def _starting(able: list[Waiter], slots: _Slots, owned: Mapping[str, Owned]) -> Iterable[str]:
    """Who starts, as `_explained` does, and no look at those for whom no slot is left."""
    if slots.are_enough(able) and not any(waiter.owns for waiter in able):
        yield from (waiter.name for waiter in sorted(able, key=_rank))
        return
    if not slots.any_left():
        return
    owners = _Owners(owned)
    for waiter in _in_order(able):
        if slots.full(waiter) is not None:
            continue
        if owners.of(waiter) is not None:
            owners.add(waiter, _FIRST)
            continue
        yield waiter.name
        slots.take(waiter)
        if not slots.any_left():
            return
        owners.add(waiter, _RUNS)


def _in_order(able: list[Waiter]) -> Iterable[Waiter]:
    """All by their rank; who asks for the first ones only has not paid for the others."""
    if len(able) > _HEAD:
        yield from nsmallest(_HEAD, able, key=_rank)
    able.sort(key=_rank)
    yield from able[_HEAD:] if len(able) > _HEAD else able


_HEAD = 32
"""Waiters of which most often enough start."""


def _until(waiter: Waiter, time_text: Callable[[float], str]) -> Wait:
    attempt = f" ({waiter.attempt})" if waiter.attempt else ""
    return Wait(WaitCode.UNTIL, f"not before {time_text(waiter.not_before)}{attempt}")


class _Line:
    """Those that stand before a pool."""

    __slots__ = ("by", "left", "place", "pool", "text")

    def __init__(self, name: str, pool: Pool, left: int) -> None:
        self.by = (name,)
        self.pool = pool
        self.left = left
        """Slots that nobody has taken yet."""
        self.place = 0
        """How many stand in line."""
        self.text = ""
        """How their reasons begin, once one is given."""

    def queued(self) -> Wait:
        """Why the next one waits."""
        if not self.place:
            (name,), pool = self.by, self.pool
            whose = "" if name == QUEUE else f" of {name.replace(':', ' ', 1)}"
            self.text = f"{max(pool.running, pool.at_once)} of {pool.at_once} slots{whose} are taken; "
        self.place += 1
        return Wait(WaitCode.SLOTS, f"{self.text}{ordinal(self.place)} in line", self.by)


class _Slots:
    """The pools that have a limit."""

    def __init__(self, pools: Mapping[str, Pool], able: Iterable[Waiter]) -> None:
        self._lines = {name: _Line(name, pool, free) for name, pool in pools.items() if (free := pool.free) is not None}
        self._wanted = {waiter.pools for waiter in able}
        """The sets of pools of which somebody wants a slot each."""

    def are_enough(self, able: list[Waiter]) -> bool:
        """Whether all of these get a slot of each pool that they want, even if they all want the same."""
        lines = self._lines
        return all(len(able) <= lines[name].left for pools in self._wanted for name in pools if name in lines)

    def any_left(self) -> bool:
        """Whether anybody could still get a slot of each pool that it wants."""
        full = {name for name, line in self._lines.items() if not line.left}
        self._wanted = {pools for pools in self._wanted if full.isdisjoint(pools)}
        return bool(self._wanted)

    def full(self, waiter: Waiter) -> _Line | None:
        """The first pool that has no slot for it; None: each has one."""
        lines = self._lines
        for name in waiter.pools:
            if name in lines and not lines[name].left:
                return lines[name]
        return None

    def take(self, waiter: Waiter) -> None:
        """One of each, which it then holds."""
        for name in waiter.pools:
            if name in self._lines:
                self._lines[name].left -= 1


class _Owners:
    """Who owns which paths."""

    def __init__(self, owned: Mapping[str, Owned]) -> None:
        self._by_repository: dict[str, GlobIndex[tuple[str, str]]] = {}
        for name, one in owned.items():
            self._add(one.repository, one.patterns, (name, one.doing))

    def of(self, waiter: Waiter) -> Wait | None:
        """Who owns what this one would own; None: nobody does."""
        index = self._by_repository.get(waiter.repository) if waiter.owns and waiter.repository is not None else None
        if index is None:
            return None
        for pattern in waiter.owns:
            found = index.find(pattern)
            if found is not None:
                owned, (name, doing) = found
                return Wait(WaitCode.OWNS, f"{owned} is owned by {name}, which {doing}", (name,))
        return None

    def add(self, waiter: Waiter, doing: str) -> None:
        if waiter.owns and waiter.repository is not None:
            self._add(waiter.repository, waiter.owns, (waiter.name, doing))

    def _add(self, repository: str, patterns: Iterable[str], owner: tuple[str, str]) -> None:
        from overmind_core.domain.text.globs import GlobIndex  # noqa: PLC0415 - for those who own files

        index = self._by_repository.setdefault(repository, GlobIndex())
        for pattern in patterns:
            index.add(pattern, owner)


def ordinal(number: int) -> str:
    """Return `1st`, `2nd`, `3rd`, `11th`."""
    return f"{number}{_ENDINGS[number % 100]}"


_ENDINGS = tuple(
    "th" if number // 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") for number in range(100)
)
