"""Needs: which quests have to complete before another one, what stands in its way, and what its end sets free. Pure.

A quest needs K of n others. A need counts once it has completed, which one that lands has only after it has landed; or
once a person has landed the work of one that has failed, or was cancelled, by hand: see `life.is_done`. Blocked is
derived and never stored: so many of the needs have failed, were cancelled or are blocked themselves that K can't be
reached; a retry of what has failed at the root of that, at whatever depth, undoes it all.

Whether the needs are met follows from them alone. `Needs` looks further; it is made for one look at the queue, and
finds out about each quest once, so that thousands in one chain cost no more than as many side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.admission import Wait, WaitCode
from overmind_core.domain.missions.reasons import BY_HAND, sentence
from overmind_core.domain.quests.attempt import began_at
from overmind_core.domain.quests.classes import last_failure
from overmind_core.domain.quests.life import done_at, is_done, landed_by_hand
from overmind_core.domain.quests.quest import Quest, QuestStatus
from overmind_core.domain.text.duration import format_uptime

if TYPE_CHECKING:
    from collections.abc import Mapping

    Get = Callable[[str], Quest | None]
    """The quest with an id; None: it was removed."""

MOST_NAMED = 5
"""Quests that a sentence names; then it counts."""
MOST_ROOTS = 100
"""Quests that are looked for at the root of what is blocked."""
_LOST = frozenset({QuestStatus.FAILED, QuestStatus.CANCELLED})


class Need(NamedTuple):
    """A quest that another one needs."""

    id: str
    quest: Quest | None
    """None: it was removed."""

    @property
    def name(self) -> str:
        """As people call it."""
        return self.id if self.quest is None else self.quest.name

    @property
    def is_done(self) -> bool:
        """Whether it counts."""
        return self.quest is not None and is_done(self.quest)

    @property
    def is_lost(self) -> bool:
        """Whether it can't be done any more, unless somebody retries it, or lands its work by hand."""
        return self.quest is None or (self.quest.status in _LOST and not is_done(self.quest))


class StillWaiting(NamedTuple):
    """One that needs others, too."""

    name: str
    needs: tuple[str, ...]
    """Their names."""


class SetFree(NamedTuple):
    """What follows from the completion of a quest."""

    starts: tuple[str, ...]
    """Names of those whose needs are met then."""
    waiting_then: tuple[StillWaiting, ...]


def needed(quest: Quest) -> int:
    """Return how many of its needs have to complete."""
    if quest.goal is None:
        return 0
    of = len(quest.goal.needs)
    return min(quest.goal.needs_min, of) or of


def needs_of(quest: Quest, get: Get) -> list[Need]:
    """Return what a quest needs."""
    return [] if quest.goal is None else [Need(one, get(one)) for one in quest.goal.needs]


def are_met(quest: Quest, get: Get) -> bool:
    """Return whether enough of its needs have completed."""
    if quest.goal is None or not quest.goal.needs:
        return True
    found = map(get, quest.goal.needs)
    return sum(one is not None and is_done(one) for one in found) >= needed(quest)


def met_at(quest: Quest, get: Get) -> float | None:
    """Return when its needs let it go, for its score, in seconds since the epoch.

    That is when the last of those completed that were enough; 0 when it needs none. Where all have ended and it is
    blocked: when the last one did. None: something that it needs goes on.
    """
    if quest.goal is None or not quest.goal.needs:
        return 0.0
    found, least = [get(one) for one in quest.goal.needs], needed(quest)
    done = sorted(done_at(one) for one in found if one is not None and is_done(one))
    if len(done) >= least:
        return done[least - 1]
    if all(one is None or one.is_over for one in found):
        return max(map(_ended_at, found))
    return None


def _ended_at(quest: Quest | None) -> float:
    return 0.0 if quest is None else quest.ended_at or 0.0


class Needs:
    """What stands in the way of quests as they are at one moment."""

    def __init__(self, get: Get, now: float) -> None:
        """`now` in seconds since the epoch, for how long something has run."""
        self._get = get
        self._now = now
        self._roots: dict[str, tuple[Need, ...]] = {}
        """By quest: why it can't complete; nothing: it can."""

    def code(self, quest: Quest) -> WaitCode | None:
        """Return the code of what `wait` says."""
        if are_met(quest, self._get):
            return None
        return WaitCode.BLOCKED if self.roots(quest) else WaitCode.NEEDS

    def wait(self, quest: Quest) -> Wait | None:
        """Return why its needs keep a queued quest from starting; None: they don't."""
        if are_met(quest, self._get):
            return None
        roots = self.roots(quest)
        if roots:
            text = f"needs {_listed([f'{one.name} ({_state(one)})' for one in roots])}"
            return Wait(WaitCode.BLOCKED, text, tuple(one.name for one in roots))
        open_ = self.open(quest)
        left = needed(quest) - sum(one.is_done for one in needs_of(quest, self._get))
        some = f"{left} of " if left < len(open_) else ""
        listed = _listed([f"{one.name} ({self._standing(one)})" for one in open_])
        return Wait(WaitCode.NEEDS, f"waits for {some}{listed}", tuple(one.name for one in open_))

    def open(self, quest: Quest) -> list[Need]:
        """Return those of its needs that have not completed, and still can."""
        return [one for one in needs_of(quest, self._get) if not one.is_done and not one.is_lost and not self._why(one)]

    def roots(self, quest: Quest) -> tuple[Need, ...]:
        """Return what has failed, was cancelled or removed so that a queued quest can't start; nothing: it still can.

        Through any depth, in the order of its needs.
        """
        waiting = [quest]
        entered: set[str] = set()
        while waiting:
            one = waiting[-1]
            if one.id in self._roots:
                waiting.pop()
                continue
            deeper = [] if one.id in entered else self._unknown(one)
            entered.add(one.id)
            if deeper:
                waiting += (other for other in deeper if other.id not in entered)
            else:
                self._roots[one.id] = self._found(one)
        return self._roots[quest.id]

    def _unknown(self, quest: Quest) -> list[Quest]:
        """Those of its needs that wait themselves, and nobody has looked yet what for."""
        known, get = self._roots, self._get
        found = [get(one) for one in quest.goal.needs if one not in known] if quest.goal is not None else ()
        return [one for one in found if one is not None and one.status is QuestStatus.QUEUED]

    def _found(self, quest: Quest) -> tuple[Need, ...]:
        """Its roots, once those of its needs are known."""
        needs = () if quest.goal is None else quest.goal.needs
        whys = [why for one in needs if (why := self._roots.get(one) or self._why(Need(one, self._get(one))))]
        if len(needs) - len(whys) >= needed(quest):
            return ()
        roots: dict[str, Need] = {}
        for why in {id(why): why for why in whys}.values():
            roots.update((one.id, one) for one in why)
            if len(roots) >= MOST_ROOTS:
                break
        return whys[0] if len(roots) == len(whys[0]) else tuple(roots.values())[:MOST_ROOTS]

    def _why(self, need: Need) -> tuple[Need, ...]:
        """Why a need can't complete; nothing: it has, or still can."""
        return (need,) if need.is_lost else self._roots.get(need.id, ())

    def _standing(self, need: Need) -> str:
        quest = need.quest
        assert quest is not None
        if quest.status is QuestStatus.RUNNING:
            began = began_at(quest)
            return f"running {format_uptime(self._now - (quest.created_at if began is None else began))}"
        return quest.status.value


def _state(need: Need) -> str:
    if need.quest is None:
        return "removed"
    status, reason = need.quest.status.value, last_failure(need.quest)
    elsewhere = landed_by_hand(need.quest)
    there = "" if elsewhere is None else f"; {BY_HAND} on {elsewhere.branch}"
    return f"{status}: {sentence(reason, need.quest.limit)}{there}" if reason else f"{status}{there}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    shown = ", ".join(names[:MOST_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown


def set_free(quest: Quest, dependants: Iterable[Quest], get: Get) -> SetFree:
    """Return what follows once a quest completes.

    Args:
        quest: It has not completed.
        dependants: Queued quests that need it directly.
        get: Finds what these need, too.
    """
    starts, waiting = [], []
    for other in sorted(dependants, key=lambda one: one.name):
        missing = [one for one in needs_of(other, get) if one.id != quest.id and not one.is_done]
        least, of = needed(other), len(other.goal.needs) if other.goal is not None else 0
        if are_met(other, get):
            continue
        if of - len(missing) >= least:
            starts.append(other.name)
        else:
            waiting.append(StillWaiting(other.name, tuple(one.name for one in missing)))
    return SetFree(tuple(starts), tuple(waiting))


def cycle_of(start: str, needs_of_id: Callable[[str], Sequence[str]]) -> list[str]:
    """Return quests that need each other, `start` first; nothing when it is in no circle.

    Each needs the next, the last one needs the first: of several circles a shortest one.

    Args:
        start: The id of a quest whose needs are new.
        needs_of_id: The ids of what each needs.
    """
    before: dict[str, str] = {}
    waiting = [start]
    for one in waiting:  # grows as it is walked: the nearest first
        for need in needs_of_id(one):
            if need == start:
                return _back_to(start, one, before)
            if need not in before:
                before[need] = one
                waiting.append(need)
    return []


def cycle_among(quests: Collection[str], needs_of_id: Callable[[str], Sequence[str]]) -> list[str]:
    """Return some of these quests that need each other, as `cycle_of` does; nothing when there are none.

    Args:
        quests: Ids; only these can be in a circle.
        needs_of_id: The ids of what each needs.
    """
    needed_by: dict[str, list[str]] = {}
    left: dict[str, int] = {}
    for one in quests:
        inside = {need for need in needs_of_id(one) if need in quests}
        left[one] = len(inside)
        for need in inside:
            needed_by.setdefault(need, []).append(one)
    free = [one for one, needs in left.items() if not needs]
    for one in free:  # grows as it is walked
        for other in needed_by.get(one, ()):
            left[other] -= 1
            if not left[other]:
                free.append(other)
    if len(free) == len(left):
        return []
    bound = {one for one, needs in left.items() if needs}
    one, seen = min(bound), set()
    while one not in seen:  # each of these needs another one of them
        seen.add(one)
        one = next(need for need in needs_of_id(one) if need in bound)
    return cycle_of(one, needs_of_id)


def _back_to(start: str, last: str, before: Mapping[str, str]) -> list[str]:
    members = [last]
    while members[-1] != start:
        members.append(before[members[-1]])
    return members[::-1]
