"""The fleet of all tabs: missions as they are, what waits for a person, cost and load; and the figures of rows in view.

States come by events alone. Figures (load, the current line) are measured later than that, so they never carry a state;
they are asked for only of rows that somebody sees.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any, NamedTuple

from overmind_core.domain.engine_questions import is_for_all
from overmind_core.domain.missions.status_marks import WAITING
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.view import health as health_rows
from overmind_core.view.cells import Row
from overmind_core.view.fleet import Fleet
from overmind_core.view.head import head
from overmind_core.view.missions import is_live, mark
from overmind_core.view.numbers import Cost
from overmind_core.view.summary import EngineLoad
from overmind_web.supervisor import Supervisor

QUESTIONS = frozenset({"asked", "answered", "removed"})
"""Types of events after which other questions may wait than before."""
PAID = "turn_ended"
OF_ENGINE = frozenset({"quest", "queue", "health", "steer", "overlap", "started", "exited"})
"""Types after which the queue may be fuller or emptier, and missions may go together otherwise."""
OF_NOTES = frozenset({"note", "memory"})
"""Types after which more or fewer notes may wait to be accepted."""
FIGURES = ("cpu_percent", "memory_bytes", "output_bytes_per_second", "next_restart_at", "now", "changed_lines")
EVERY = 1.0
"""Seconds between two looks at figures."""
STEADY = 0.15
"""Seconds for which the same rows are in view before their figures are asked for."""
PAUSE = 1.0
"""Seconds after figures were refused."""
LOAD_EVERY = 15.0
"""Seconds between two looks at the load of all missions, for the sum at the top of every page."""
LOAD_SHARE = 0.01
"""Of its time that the daemon spends on those looks at most."""
COST_PAUSE = 2.0
"""Seconds between two questions about what was spent today."""
ENGINE_PAUSE = 1.0
"""Seconds between two questions about the queue."""
MOST = 1_000
"""Missions whose figures are asked for at once."""
HEAD_SHARE = 0.05
"""Of its time that the server spends on the head of pages at most."""
_log = logging.getLogger(__name__)


class FleetChange(NamedTuple):
    """Something is another way than before.

    Attributes:
        rows: Ids of missions that came, went or changed; None: all may have.
        figures: Ids of missions of which only figures changed.
        questions: Whether other questions wait.
    """

    rows: frozenset[str] | None = frozenset()
    figures: frozenset[str] = frozenset()
    questions: bool = False


class LiveFleet:
    """What is known of missions, once for all tabs.

    Args:
        supervisor: Asked for what events name.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self.fleet = Fleet()
        self.loads = 0
        """How often the load of all missions was looked at."""
        self._listeners: set[Callable[[FleetChange], None]] = set()
        self._watched: dict[Hashable, tuple[str, ...]] = {}
        self._rewatch = asyncio.Event()
        self._head: Mapping[str, object] = {}
        self._head_stale = True
        self._head_due = 0.0
        """When it may be computed again, by the loop's clock."""
        self._head_timer: asyncio.TimerHandle | None = None
        self._followers: list[asyncio.Task[None]] = []
        self._asking: dict[str, asyncio.Task[None]] = {}
        """What is asked for now, by its name."""
        self._again: set[str] = set()
        """What has to be asked for once more, as something happened meanwhile."""

    def subscribe(self, listener: Callable[[FleetChange], None]) -> Callable[[], None]:
        """Call `listener` after each change; return what ends this."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def start(self) -> None:
        """Begin to ask for figures."""
        loop = asyncio.get_running_loop()
        self._followers = [loop.create_task(work()) for work in (self._follow_figures, self._follow_load)]

    async def close(self) -> None:
        """Ask no more."""
        if self._head_timer is not None:
            self._head_timer.cancel()
        tasks = [*self._asking.values(), *self._followers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def head(self) -> Mapping[str, object]:
        """What stands at the top of every page: computed once for all tabs, and with many missions not too often.

        Who subscribes is told when it may be another one.
        """
        loop = asyncio.get_running_loop()
        if self._head_stale and loop.time() >= self._head_due:
            began = loop.time()
            self._head, self._head_stale = head(self.fleet, time.time()), False
            self._head_due = loop.time() + (loop.time() - began) / HEAD_SHARE
        elif self._head_stale and self._head_timer is None:
            self._head_timer = loop.call_at(self._head_due, self._head_again)
        return self._head

    def _head_again(self) -> None:
        self._head_timer = None
        self._tell(FleetChange())

    # what the feed tells

    async def reload(self, rows: Iterable[Row]) -> None:
        """All missions as they are: the daemon was reached anew."""
        questions = await self._questions()
        self.fleet.apply(list(rows), (), everything=True)
        self.fleet.questions = questions
        self._tell(FleetChange(rows=None, questions=True))
        self._rewatch.set()
        for ask in (self._ask_cost, self._ask_engine, self._ask_notes):
            self._begin(ask)

    async def apply(self, rows: Iterable[Row], removed: Collection[str], types: Collection[str]) -> None:
        """These changed or went, with events of these types; who waits is told with what is asked."""
        changed, kinds = list(rows), frozenset(types)
        known = {one["id"] for one in self.fleet.questions}
        joins = "quest" in kinds and any(map(is_for_all, self.fleet.questions))  # about whom it decides has changed
        asks = (
            joins or bool(kinds & QUESTIONS) or any(mark(row) is WAITING and row["id"] not in known for row in changed)
        )
        if asks:
            self.fleet.questions = await self._questions()
        before = self.fleet.rows
        costs_more = any(row.get("cost_usd") and row["cost_usd"] != _cost(before.get(row["id"])) for row in changed)
        self.fleet.apply(changed, removed, everything=False)
        ids = frozenset(str(row["id"]) for row in changed).union(removed)
        self._tell(FleetChange(rows=ids, questions=asks))
        for ask, wanted in (
            (self._ask_cost, PAID in kinds or costs_more),
            (self._ask_engine, bool(kinds & OF_ENGINE)),
            (self._ask_notes, bool(kinds & OF_NOTES)),
        ):
            if wanted:
                self._begin(ask)

    def saw(self, mission: str) -> None:
        """Somebody has looked at it."""
        if mission in self.fleet.rows:
            self.fleet.saw(mission)
            self._tell(FleetChange(rows=frozenset({mission})))

    # what is asked for

    def _begin(self, ask: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Ask, or once more where that is being done."""
        name = ask.__name__
        if name in self._asking:
            self._again.add(name)
            return
        self._asking[name] = asyncio.get_running_loop().create_task(self._ask(name, ask))

    async def _ask(self, name: str, ask: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            while True:
                self._again.discard(name)
                try:
                    await ask()
                except OvermindError as error:
                    _log.debug("%s was refused: %s", name, error)  # all is asked again once the daemon is reached
                except Exception:  # noqa: BLE001 - the boundary: what else there is goes on
                    _log.exception("%s failed", name)
                if name not in self._again:
                    return
        finally:
            del self._asking[name]

    async def _questions(self) -> Sequence[Row]:
        """What waits for a person."""
        found: Sequence[Row] = await self._supervisor.call("inbox")
        return found

    async def _ask_cost(self) -> None:
        sums = await self._supervisor.call("cost", {"by": "day", "since": format_time(midnight(time.time()))})
        self.fleet.pay("", Cost.sum_of(map(Cost.of, sums)))
        self._tell(FleetChange())
        await asyncio.sleep(COST_PAUSE)

    async def _ask_engine(self) -> None:
        queue = await self._supervisor.call("queue", {"limit": 1})
        health = await self._supervisor.call("health", {})
        self.fleet.engine = EngineLoad.of(queue, health["coherence"])
        before = self.fleet.health
        found = health_rows.listed(health, self.fleet.rows, time.time())
        self.fleet.health = {row["id"]: row for row in found}
        self._tell(FleetChange(figures=frozenset(_other_levels(before, self.fleet.health))))
        await asyncio.sleep(ENGINE_PAUSE)

    async def _ask_notes(self) -> None:
        try:
            answer = await self._supervisor.call("notes", {"proposed": True, "limit": 1})
        except OvermindError:  # memory is off
            answer = {"proposed": 0}
        self.fleet.proposed = answer["proposed"]
        self._tell(FleetChange())

    # figures

    def watch(self, who: Hashable, missions: Iterable[str]) -> None:
        """These are in view of `who`; none: nothing any more."""
        found = tuple(missions)
        before = self._watched.get(who, ())
        if found:
            self._watched[who] = found
        else:
            self._watched.pop(who, None)
        if set(found) != set(before):
            self._rewatch.set()

    def _in_view(self) -> list[str]:
        rows = self.fleet.rows
        known = dict.fromkeys(one for some in self._watched.values() for one in some if one in rows)
        return list(known)[:MOST]

    async def _follow_figures(self) -> None:
        while True:
            self._rewatch.clear()
            wanted = self._in_view()
            if not wanted or not self._supervisor.up:
                await self._rewatch.wait()
                continue
            reading = asyncio.get_running_loop().create_task(
                self._read_figures({"ids": wanted, "every": EVERY, "known": True})
            )
            changing = asyncio.get_running_loop().create_task(self._rewatch.wait())
            try:
                await asyncio.wait({reading, changing}, return_when=asyncio.FIRST_COMPLETED)
                if reading.done():
                    _log.debug("figures ended: %s", reading.exception())
                    with suppress(TimeoutError):
                        async with asyncio.timeout(PAUSE):  # `wait_for` of Python 3.11 can lose a cancellation
                            await self._rewatch.wait()
            finally:
                for task in (reading, changing):
                    task.cancel()
                await asyncio.gather(reading, changing, return_exceptions=True)
            await asyncio.sleep(STEADY)  # a list that is scrolled is not asked for at each step

    async def _follow_load(self) -> None:
        """Look at all that runs now and then, while anybody looks at missions."""
        loop = asyncio.get_running_loop()
        while True:
            live = [one for one, row in self.fleet.rows.items() if is_live(row)][:MOST]
            took = 0.0
            if live and self._watched and self._supervisor.up:
                began = loop.time()
                with suppress(OvermindError):
                    await self._read_figures({"ids": live, "known": True})
                    self.loads += 1
                took = loop.time() - began
            await asyncio.sleep(max(LOAD_EVERY, took / LOAD_SHARE))

    async def _read_figures(self, request: Mapping[str, object]) -> None:
        async with aclosing(self._supervisor.stream("figures", request)) as lines:
            async for kind, content in lines:
                if kind in {"ok", "item"}:
                    self._measured(content["missions"])

    def _measured(self, figures: Iterable[Row]) -> None:
        """Take over figures, and nothing else of a row."""
        rows = self.fleet.rows
        changed = [
            {**rows[one["id"]], **{key: one[key] for key in FIGURES if key in one}}
            for one in figures
            if one["id"] in rows
        ]
        if changed:
            self.fleet.apply(changed, (), everything=False, at=time.monotonic())
            self._tell(FleetChange(figures=frozenset(str(row["id"]) for row in changed)))

    def _tell(self, change: FleetChange) -> None:
        self._head_stale = True
        for listener in tuple(self._listeners):
            listener(change)


def _other_levels(before: Mapping[str, Row], after: Mapping[str, Row]) -> Iterator[str]:
    """Ids of those that are silent in another way than before."""
    for one in before.keys() | after.keys():
        old, new = before.get(one), after.get(one)
        if (old and old.get("level")) != (new and new.get("level")):
            yield one


def _cost(row: Row | None) -> float | None:
    return None if row is None else row.get("cost_usd")


def midnight(now: float) -> float:
    """When the day of `now` began here, both in seconds since the epoch."""
    day = time.localtime(now)
    return time.mktime((day.tm_year, day.tm_mon, day.tm_mday, 0, 0, 0, 0, 0, -1))
