"""The queue: which quest begins when. It looks after a commit that concerns it, and at the next point of time.

Where each quest stands is in the registry; here is only who could start, in the order in which they would, so that a
step looks at a few of thousands.
"""

from __future__ import annotations

import asyncio
from bisect import insort
from dataclasses import replace
from heapq import heappop, heappush
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.admission import Limits, Owned, Pool, Waiter, ready
from overmind_core.domain.events import THE_QUEUE
from overmind_core.domain.quests.life import HAVE_SLOT, OWN, QuestState, is_done, is_refused, is_tried_again, state_of
from overmind_core.domain.quests.quest import Quest, QuestStatus
from overmind_core.quests.events import QueueChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from overmind_core.domain.quests.score import Urgency
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.database import MetaTable
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.keeper_client import CurrentKeeper
    from overmind_core.kernel.phase import Phase
    from overmind_core.missions.registry import Registry
    from overmind_core.quests.attempts import Attempts
    from overmind_core.quests.line import Line
    from overmind_core.quests.obstacles import Obstacles
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.system.machine import Clock

POOL = "queue"
"""The pool of all slots."""
PAUSED_KEY = "queue_paused"
SLOTS_KEY = "queue_slots"
"""Keys of the store's facts."""
FRESH_SECONDS = 1.0
"""How long an order is taken as it was computed: ages grow alike, deadlines near slowly."""
AHEAD = 8
"""How many of the next ones are looked ahead for."""
SPARE = 16
"""How many more than could have a slot are looked at next: others may own what those would."""
_HOLD = "queue"


class _Able(NamedTuple):
    """One in whose way nothing is but its turn."""

    urgency: Urgency
    waiter: Waiter


class _Place(NamedTuple):
    """Where one stands in the order."""

    rank: tuple[object, ...]
    id: str


class Queue:
    """The queue. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        quests: QuestRegistry,
        attempts: Attempts,
        obstacles: Obstacles,
        journal: Journal,
        clock: Clock,
        phase: Phase,
        settings: Settings,
        line: CurrentKeeper,
        registry: Registry,
        meta_table: MetaTable,
        events: EventLog,
    ) -> None:
        self._events = events
        self._quests = quests
        self._attempts = attempts
        self._obstacles = obstacles
        self._journal = journal
        self._clock = clock
        self._phase = phase
        self._settings = settings
        self._line = line
        self._registry = registry
        self._meta_table = meta_table
        self.alone: list[Callable[[Quest], str | None]] = []
        """Features of which some quests run one at a time: each names the pool that such a quest shares."""
        self._lone: set[str] = set()
        """Those pools, as far as a quest has asked for one."""
        self.paused = False
        self.slots = settings.queue.slots
        self._doubtful: set[str] = set()
        """Queued quests whose obstacles may have changed."""
        self._able: dict[str, _Able] = {}
        """Quests that wait for nothing but their turn."""
        self._elsewhere: dict[str, Waiter] = {}
        """Those of them whose attempts are posts of the swarm: they need no slot."""
        self._timed: list[tuple[float, str]] = []
        """A heap: when the others that wait for a time only may begin."""
        self._latest = float("-inf")
        """The time of the newest look."""
        self._order: list[_Place] = []
        self._ordered_at = float("-inf")
        self._running: dict[str, Quest] = {}
        """Those that have a slot."""
        self._landing: set[str] = set()
        """Those that land, but for those about which a person decides."""
        self._owned: dict[str, Owned] = {}
        """What those own that run, or are in review."""
        self._expected = 0
        """How many were said to follow those that run, when we looked ahead."""
        self._looks_ahead = False
        """Whether that is about to be done."""
        self.has_set_slots = False
        """Whether a person has set its slots, whatever is configured."""
        self._scheduled = False
        self._timer: asyncio.TimerHandle | None = None

    def load(self) -> None:
        """Load the queue into memory; nothing starts yet."""
        self.paused = self._meta_table.get(PAUSED_KEY) is not None
        saved = self._meta_table.get(SLOTS_KEY)
        self.slots = int(saved) if saved is not None else self._settings.queue.slots
        self.has_set_slots = saved is not None
        self._quests.on_put = self._on_put
        self._quests.on_amend = self._concern
        for quest in list(self._quests.live.values()):
            self._on_put(None, quest)

    def resume(self) -> None:
        """Begin to start what may."""
        self.look_soon()

    def close(self) -> None:
        """Start nothing more."""
        self._stop_timer()

    # what a person sets

    def pause(self, *, on: bool) -> None:
        """Start nothing any more, or again."""
        self.paused = on
        if on:
            self._journal.save(lambda: self._meta_table.save(PAUSED_KEY, "1"))
        else:
            self._journal.save(lambda: self._meta_table.remove(PAUSED_KEY))
        self._record()
        self.look_soon()

    def set_slots(self, slots: int) -> None:
        """Let so many run at once."""
        self.slots = slots
        self.has_set_slots = True
        self._journal.save(lambda: self._meta_table.save(SLOTS_KEY, str(slots)))
        self._record()
        self.look_soon()

    def _record(self) -> None:
        about = THE_QUEUE
        self._events.record(QueueChanged(mission=about.id, name=about.name, paused=self.paused, slots=self.slots))

    async def saved(self) -> None:
        """Wait until what was set is saved; raises as `Journal.saved` does."""
        await self._journal.saved()

    # who could start

    def reconsider(self, quests: Iterable[str]) -> None:
        """Something that is in the way of these may have changed."""
        self._doubtful.update(quests)
        self.look_soon()

    def look_soon(self) -> None:
        """Look, once, before the commit of what is being decided."""
        if not self._scheduled:
            self._scheduled = True
            self._journal.decide(self._look)

    def _on_put(self, before: Quest | None, quest: Quest) -> None:
        """A quest is about to be saved as it is now."""
        if quest.queue is None:
            self._concern(before, quest)
            return
        state = state_of(quest)
        if quest.is_over:
            self._registry.index.let_go(quest.id)
        elif before is None or before.is_over or before.name != quest.name:
            self._registry.index.hold(quest.name, quest.id)
        if state in HAVE_SLOT and quest.queue.elsewhere is None:
            self._running[quest.id] = quest
        elif self._running.pop(quest.id, None) is not None:
            self._doubtful.update(self._obstacles.money.postponed())
        if state is QuestState.LANDING and (not is_refused(quest) or is_tried_again(quest)):
            self._landing.add(quest.id)
        else:
            self._landing.discard(quest.id)
        owner = _owner(quest)
        if owner is not None:
            self._owned[quest.name] = owner
        else:
            self._owned.pop(quest.name, None)
        if quest.status is QuestStatus.QUEUED:
            self._doubtful.add(quest.id)
        else:
            self._able.pop(quest.id, None)
            self._elsewhere.pop(quest.id, None)
            self._doubtful.discard(quest.id)
        if before is None or before.is_over is not quest.is_over or before.goal is not quest.goal:
            self._doubtful.update(need for need in _needs(before, quest) if need in self._able)  # who blocks is sooner
        self._concern(before, quest)
        self.look_soon()

    def _concern(self, before: Quest | None, quest: Quest) -> None:
        """Those that need it may start."""
        if not is_done(quest) or (before is not None and is_done(before)):
            return
        dependants = self._quests.dependants(quest.id)
        if dependants:
            self._doubtful.update(dependants)
            self.look_soon()

    def _settle(self, now: float) -> None:
        """Work out the obstacles of the doubtful quests again."""
        doubtful, self._doubtful = self._doubtful, set()
        for quest_id in doubtful:
            self._able.pop(quest_id, None)
            self._elsewhere.pop(quest_id, None)
            quest = self._quests.live.get(quest_id)
            if quest is None or quest.queue is None or quest.status is not QuestStatus.QUEUED:
                continue
            if not self._obstacles.may_start(quest):
                continue
            quest = self._paused_no_longer(quest, now)
            assert quest.queue is not None
            if quest.queue.not_before > now:
                heappush(self._timed, (quest.queue.not_before, quest_id))
                continue
            if not self._obstacles.money.admits(quest):
                continue
            urgency = self._obstacles.urgency(quest)
            # Of one moment: else the last one to come had waited longer.
            waiter = self._waiter(quest, urgency.rank(self._ordered_at))
            if quest.queue.elsewhere is not None:
                self._elsewhere[quest_id] = waiter
                continue
            self._able[quest_id] = _Able(urgency, waiter)
            insort(self._order, _Place(waiter.rank, quest_id))

    def _paused_no_longer(self, quest: Quest, now: float) -> Quest:
        """The quest, whose next attempt waits from now for no longer than its pause: the clock may be set back."""
        queue = quest.queue
        if queue is None or not queue.pause or queue.not_before <= now + queue.pause:
            return quest
        capped = replace(quest, queue=replace(queue, not_before=now + queue.pause, able_at=now + queue.pause))
        self._quests.put(capped)
        return capped

    def _apply_due(self, now: float) -> None:
        """Look again at those whose waiting time has passed, and at all once the clock was set back."""
        if now < self._latest:
            self._doubtful.update(quest_id for _, quest_id in self._timed)
            self._timed.clear()
        self._latest = now
        while self._timed and self._timed[0][0] <= now:
            self._doubtful.add(heappop(self._timed)[1])

    def _waiter(self, quest: Quest, rank: tuple[object, ...]) -> Waiter:
        assert quest.goal is not None
        assert quest.queue is not None
        return Waiter(
            quest.name,
            rank,
            pools=() if quest.queue.elsewhere else (POOL, f"provider:{quest.provider}", *self._pools_alone(quest)),
            owns=quest.goal.owns,
            repository=quest.queue.repository,
        )

    def _pools_alone(self, quest: Quest) -> list[str]:
        """Pools of which a quest takes the only slot."""
        found = [name for name_of in self.alone if (name := name_of(quest)) is not None]
        self._lone.update(found)
        return found

    # starting

    def _look(self) -> None:
        """Start whoever's turn it is."""
        self._scheduled = False
        if self._phase.closing or self._phase.handing_over:
            return
        if self.paused:  # who could start is looked for when somebody may
            self._stop_timer()
            self._hold_daemon()
            return
        now = self._clock.wall()
        self._apply_due(now)
        if now - self._ordered_at > FRESH_SECONDS or now < self._ordered_at:
            self._sort(now)
        self._settle(now)
        self._start(self._startable_elsewhere(now))
        while not self._start(self._startable(now)):
            pass  # somebody else may have the slot of one for whom there is no money
        if (self._running or self._expected) and not self._looks_ahead:
            self._looks_ahead = True
            self._journal.save(_nothing, self._look_ahead_soon)
        self._wait_for_time(now)
        self._hold_daemon()

    def _look_ahead_soon(self) -> None:
        """What was decided is saved: look ahead once all has followed that somebody waits for."""
        asyncio.get_running_loop().call_soon(self._look_ahead)

    def _look_ahead(self) -> None:
        """Have done for those that are next what can be done before their turn."""
        self._looks_ahead = False
        if self._phase.closing or self._phase.handing_over:
            return
        self._expected = len(self._quests.live) - len(self._running) if self._running else 0
        self._attempts.look_ahead(self._expected, islice(self._next(), AHEAD))

    def _next(self) -> Iterator[Quest]:
        """Those that are next in line, then those that wait for nobody but who runs."""
        for place in islice(self._places(), AHEAD):
            yield self._quests.live[place.id]
        for running in self._running:
            for quest_id in islice(self._quests.dependants(running), AHEAD):  # of one there may be thousands
                quest = self._quests.live[quest_id]
                needs = () if quest.goal is None else quest.goal.needs
                others = (need for need in needs if need not in self._running)
                if quest.status is QuestStatus.QUEUED and not any(need in self._quests.live for need in others):
                    yield quest

    def _start(self, quests: Iterable[Quest]) -> bool:
        """Start these; whether there was money for all of them."""
        self._scheduled = True  # who gets a slot sets nobody free: that is no reason to look again
        started = True
        try:
            for quest in quests:
                if self._obstacles.money.admits(quest):
                    self._attempts.lease(quest)
                else:
                    started = False
                    self._able.pop(quest.id, None)
                    self._elsewhere.pop(quest.id, None)
        finally:
            self._scheduled = False
        return started

    def _startable_elsewhere(self, now: float) -> list[Quest]:
        """Those that start now as posts of the swarm: what they own is free."""
        if not self._elsewhere:
            return []
        waiters = sorted(self._elsewhere.values(), key=lambda one: one.rank)
        names = {waiter.name: quest_id for quest_id, waiter in self._elsewhere.items()}
        return [self._quests.live[names[name]] for name in ready(waiters, now, self.limits(), reasons=False).start]

    def _startable(self, now: float) -> list[Quest]:
        """Those that start now, in their order."""
        limits = self.limits()
        free = limits.pools[POOL].free
        if not self._able or free == 0:
            return []
        left = next((at for at, place in enumerate(self._order) if self._holds(place)), len(self._order))
        del self._order[:left]
        head = SPARE if free is None else free
        places = self._places()
        chosen: list[Waiter] = []
        by_name: dict[str, str] = {}
        while True:
            more = list(islice(places, head))
            for place in more:
                waiter = self._able[place.id].waiter
                by_name[waiter.name] = place.id
                chosen.append(waiter)
            found = ready(chosen, now, limits, reasons=False).start
            if len(more) < head or (free is not None and len(found) >= free):
                return [self._quests.live[by_name[name]] for name in found]
            head = 2 * head + SPARE

    def _places(self) -> Iterator[_Place]:
        """Those that could start, in their order; a place that somebody has left is passed over."""
        seen: set[str] = set()
        for place in self._order:
            if place.id not in seen and self._holds(place):
                seen.add(place.id)
                yield place

    def _holds(self, place: _Place) -> bool:
        able = self._able.get(place.id)
        return able is not None and able.waiter.rank == place.rank

    def _sort(self, now: float) -> None:
        for quest_id, (urgency, waiter) in self._able.items():
            self._able[quest_id] = _Able(urgency, waiter._replace(rank=urgency.rank(now)))
        self._order = sorted(_Place(able.waiter.rank, one) for one, able in self._able.items())
        self._ordered_at = now

    def limits(self) -> Limits:
        """What bounds all of them together, as it is."""
        providers = self._settings.queue.providers
        pools = {POOL: Pool(self.slots, len(self._running))}
        for provider, at_once in providers.items():
            running = sum(one.provider == provider for one in self._running.values())
            pools[f"provider:{provider}"] = Pool(at_once, running)
        if self._lone:
            taken = [name for one in self._running.values() for name in self._pools_alone(one)]
            pools.update((name, Pool(1, taken.count(name))) for name in sorted(self._lone))
        return Limits(pools, self._owned)

    def _wait_for_time(self, now: float) -> None:
        while self._timed and not self._waits_until(*self._timed[0]):
            heappop(self._timed)
        self._stop_timer()
        if self._timed:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, self._timed[0][0] - now), self.look_soon)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _hold_daemon(self) -> None:
        """Keep the daemon running, or have it started again, while a quest runs or can start without a person."""
        goes_on = bool(self._running or self._landing) or (not self.paused and bool(self._able or self._timed))
        self._line.hold(_HOLD, on=goes_on)

    def _waits_until(self, at: float, quest_id: str) -> bool:
        """Whether it is still this point of time that a quest waits for."""
        quest = self._quests.live.get(quest_id)
        if quest is None or quest.queue is None or quest.status is not QuestStatus.QUEUED:
            return False
        return quest.queue.not_before == at

    # what is shown

    def having_slots(self) -> Collection[Quest]:
        """Those that have a slot."""
        return self._running.values()

    @property
    def running(self) -> int:
        """How many have a slot."""
        return len(self._running)

    def line(self, now: float) -> Line:
        """The queued ones as they stand in line at `now`, which may be another time."""
        from overmind_core.quests.line import Line  # noqa: PLC0415 - for those who look at quests

        live = self._quests.live.values()
        return Line(
            (one for one in live if one.status is QuestStatus.QUEUED and one.queue is not None),
            self._obstacles,
            now,
            paused=self.paused,
            waiter=self._waiter,
            limits=self.limits,
        )


def _nothing() -> None:
    return


def _needs(*quests: Quest | None) -> Iterator[str]:
    for quest in quests:
        if quest is not None and quest.goal is not None:
            yield from quest.goal.needs


def _owner(quest: Quest) -> Owned | None:
    """What a quest owns that runs, or is in review."""
    if quest.goal is None or quest.queue is None or not quest.goal.owns or quest.queue.repository is None:
        return None
    state = state_of(quest)
    if state not in OWN:
        return None
    return Owned(quest.queue.repository, quest.goal.owns, _DOING.get(state, "runs"))


_DOING = {QuestState.REVIEW: "is in review", QuestState.LANDING: "is landing"}
