"""The registry of missions: the live ones in memory, the rest in the store; the one place where a fact becomes a state.

`apply` decides (`lifecycle.next_state`), queues the save, and publishes each effect once it is saved. Finished missions
are read from the store; nothing of them stays in memory. A name belongs to a live mission, or to one about to be.
"""

from __future__ import annotations

import asyncio
import logging
from collections import ChainMap
from collections.abc import Callable, Collection, Container, Iterable
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from overmind_core.domain.events import MissionEvent
from overmind_core.domain.missions import restart_policy
from overmind_core.domain.missions.events import BackgroundEnded, MissionCreated, RunExited
from overmind_core.domain.missions.facts import EndAsked, KeeperLost, Now
from overmind_core.domain.missions.lifecycle import next_state
from overmind_core.domain.missions.mission import UNFORGIVING, Cause, Mission, Run, Status
from overmind_core.domain.missions.outcome import with_true_status
from overmind_core.domain.missions.references import SHORTEST_PREFIX
from overmind_core.domain.missions.transitions import IllegalTransition
from overmind_core.domain.missions.tree import children_of
from overmind_core.domain.replacing import replace
from overmind_core.errors import OvermindError
from overmind_core.kernel.codec import Codec
from overmind_core.missions.changes import EffectDue, EndHeldUp, MissionChanged, RunConcluded
from overmind_core.missions.store import MissionRow, RunRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from overmind_core.domain.missions.facts import Effect, Fact
    from overmind_core.kernel.bus import Bus
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.journal import Change, Journal
    from overmind_core.missions.changes import OutputGrew
    from overmind_core.missions.store import MissionTable, RunTable
    from overmind_core.system.machine import Clock


class NameIndex:
    """Who is there, in memory only. `live` is to be read; it changes through the methods."""

    def __init__(self) -> None:
        self.live: dict[str, Mission] = {}
        self.some_live = asyncio.Event()
        """Set while any mission lives: who looks at them now and then rests until then."""
        self._names: dict[str, str] = {}
        self._held: dict[str, str] = {}
        """Name → id of a mission that is to come, such as a queued quest's: nobody else gets either."""
        self._held_ids: dict[str, str] = {}

    @property
    def names(self) -> Container[str]:
        """The names in use."""
        return ChainMap(self._names, self._held) if self._held else self._names.keys()

    def holder(self, name: str) -> str | None:
        """The id of the mission that has this name, or will."""
        return self._names.get(name) or self._held.get(name)

    def hold(self, name: str, mission_id: str) -> None:
        """Nobody else gets this name and this id, whether the mission lives or not, until they are let go."""
        self.let_go(mission_id)
        self._held[name] = mission_id
        self._held_ids[mission_id] = name

    def let_go(self, mission_id: str) -> None:
        """The name and the id are free, but for a mission that lives."""
        name = self._held_ids.pop(mission_id, None)
        if name is not None:
            del self._held[name]

    def is_held(self, mission_id: str) -> bool:
        """Whether the id is held."""
        return mission_id in self._held_ids

    def held(self, text: str) -> tuple[str, str] | None:
        """The id and the name that are held and that `text` is one of, or the beginning of the id."""
        if (mission_id := self._held.get(text)) is not None:
            return mission_id, text
        if text in self._held_ids:
            return text, self._held_ids[text]
        if len(text) < SHORTEST_PREFIX:
            return None
        found = [one for one in self._held_ids if one.startswith(text)]
        return (found[0], self._held_ids[found[0]]) if len(found) == 1 else None

    def put(self, mission: Mission) -> None:
        """The mission is live, and like this."""
        before = self.live.get(mission.id)
        if before is not None:
            self._free(before.definition.name, mission.id)
        self.live[mission.id] = mission
        self.some_live.set()
        self._names[mission.definition.name] = mission.id

    def remove(self, mission_id: str) -> None:
        """The mission isn't live, perhaps wasn't before."""
        mission = self.live.pop(mission_id, None)
        if mission is not None:
            self._free(mission.definition.name, mission_id)
            if not self.live:
                self.some_live.clear()

    @contextmanager
    def reserved(self, name: str, mission_id: str) -> Iterator[None]:
        """Nobody else gets this name inside of the block; afterwards the mission has it if it is live."""
        self._names[name] = mission_id
        try:
            yield
        finally:
            if mission_id not in self.live:
                self._free(name, mission_id)

    def _free(self, name: str, mission_id: str) -> None:
        if self._names.get(name) == mission_id:
            del self._names[name]


_Waiter = tuple[Callable[[Mission], bool], "asyncio.Future[Mission]"]
_BY_ITSELF = frozenset({Cause.EXITED, Cause.CHANGE_OVER})
_OF_MISSION = frozenset({Cause.STOP, Cause.KILL})
_HAS_RUN = frozenset({Status.PREPARING, Status.STARTING, Status.RUNNING, Status.PAUSED, Status.STOPPING})
_log = logging.getLogger(__name__)
MISSION = Codec(Mission)
RUN = Codec(Run)


class Registry:
    """Used from the loop's thread only."""

    def __init__(
        self,
        *,
        bus: Bus,
        journal: Journal,
        clock: Clock,
        boot: str,
        missions: MissionTable,
        runs: RunTable,
        events: EventLog,
    ) -> None:
        """`boot`: the machine's, for monotonic times mean nothing after it."""
        self._bus = bus
        self.mission_table = missions
        self._run_table = runs
        self._events = events
        self.journal = journal
        self._clock = clock
        self.boot = boot
        self.index = NameIndex()
        self.live = self.index.live
        self.runs: dict[str, Run] = {}
        """The newest run of each live mission, by mission."""
        self.keeper_pid: int | None = None
        """Of the keeper that holds the runs; of the last one while there is none."""
        self._unsaved: dict[str, Mission] = {}
        """Missions that have ended, until that is on disk."""
        self._last_runs: dict[str, Run] = {}
        """Their last runs."""
        self.on_end: list[Callable[[Mission], None]] = []
        """Called with a mission that has ended, before that is saved: what is decided then is saved with it."""
        self.on_end_asked: list[Callable[[str], None]] = []
        """Called with the id of a mission that somebody stops or kills."""
        self._waiters: dict[str, list[_Waiter]] = {}
        self._held_up: dict[str, str] = {}

    def now(self) -> Now:
        """This moment on both clocks."""
        return Now(self._clock.wall(), self._clock.mono())

    def load(self) -> None:
        """Bring what the store says is live into memory, with its clocks moved to this boot."""
        now = self.now()
        for row in self.mission_table.live():
            mission = decode_mission(row)
            self.index.put(restart_policy.rebase(mission, boot=self.boot, wall=now.wall, mono=now.mono))
        self.runs = {row.mission: run_of(row) for row in self._run_table.latest_of_live()}
        self._store_true_statuses()

    def _store_true_statuses(self) -> None:
        """Store the status of its end for each mission that an older program called `killed` to hide it.

        So that what is counted and chosen by its stored status is what lists show.
        """
        for row in self.mission_table.killed_otherwise(UNFORGIVING):
            mission = decode_mission(row)
            if mission.status != row.status:
                true_row = _row(mission, row.request)
                self.journal.save(partial(self.mission_table.save, true_row))

    def get(self, mission_id: str) -> Mission | None:
        """The mission of this exact id, live or finished."""
        mission = self.known(mission_id)
        if mission is not None:
            return mission
        row = self.mission_table.get(mission_id)  # what is neither live nor about to be saved is saved
        return None if row is None else decode_mission(row)

    def known(self, mission_id: str) -> Mission | None:
        """The mission of this exact id when more is known of it than is saved: a live one, or an end on a full disk."""
        return self.live.get(mission_id) or self._unsaved.get(mission_id)

    def finished_before(self, wall: float) -> list[MissionRow]:
        """The missions that ended before `wall`, oldest end first; on a full disk also those whose end is not saved."""
        self.journal.flush()
        saved = self.mission_table.finished_before(wall)
        known = {row.id for row in saved}
        ended = [one for one in self._unsaved.values() if one.ended_at is not None and one.ended_at < wall]
        return [*saved, *(_row(one, None) for one in ended if one.id not in known)]

    def knows(self, mission_id: str) -> bool:
        """Whether a mission of this exact id is on the books. Commits nothing: one that isn't saved yet is live."""
        index = self.index
        return mission_id in self.live or index.is_held(mission_id) or self.mission_table.get(mission_id) is not None

    def add(self, mission: Mission, extra: Callable[[], None], request: str | None) -> tuple[Change, ...]:
        """Put a new mission on the books, together with what `extra` writes; returns what can still be withdrawn."""
        if mission.boot != self.boot:
            mission = replace(mission, boot=self.boot)
        self.index.put(mission)
        row = _row(mission, request)

        def write() -> None:
            self.mission_table.insert(row)
            extra()

        return self.journal.save(write), self.record(mission, MissionCreated())

    def drop(self, mission: Mission) -> None:
        """Forget a mission that never came to be: its row, its runs and what was queued for it are removed."""
        self.index.remove(mission.id)
        self.runs.pop(mission.id, None)

        def write() -> None:
            self._run_table.remove_of(mission.id)
            self.mission_table.remove([mission.id])

        self.journal.save(write)
        self.journal.flush()  # whoever looks finds it no more

    def apply(self, mission: Mission, fact: Fact, *, urgent: bool = False) -> Mission:
        """Let `fact` happen to the mission; what follows from it is done after the commit.

        What counts is the mission as the books have it now: whoever has waited meanwhile may hold an older copy.

        Raises:
            IllegalTransition: the fact means nothing to it, or it has ended meanwhile, or runs again; nothing changed.
        """
        mission = self._current(mission, fact)
        after, effects = next_state(mission, fact, self.now())
        if isinstance(fact, EndAsked) and fact.cause in _OF_MISSION:
            for tell in self.on_end_asked:
                tell(mission.id)
        self._conclude_run(mission, after, _why(mission, fact))
        if after.run != mission.run:
            effects = self._record_last_end(mission, effects)
        self.put(after, effects, urgent=urgent)
        return after

    def _current(self, mission: Mission, fact: Fact) -> Mission:
        """The mission of the books of which this is a copy; one that has ended, and is not live again, is as given."""
        current = self.live.get(mission.id, None if mission.is_live else mission)
        if current is None or current.run != mission.run:
            raise IllegalTransition(mission.status if current is None else current.status, type(fact).__name__)
        return current

    def _record_last_end(self, mission: Mission, effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
        """Record how the run before ended as its own event; what is left is about the next one."""
        ends = [effect for effect in effects if isinstance(effect, RunExited)]
        for end in ends:
            self.record(mission, end)
        return tuple(effect for effect in effects if effect not in ends)

    def apply_if_legal(self, mission: Mission, fact: Fact, *, urgent: bool = False) -> Mission:
        """`apply`, but a fact that comes too late or twice is dropped."""
        try:
            return self.apply(mission, fact, urgent=urgent)
        except IllegalTransition as error:
            _log.debug("dropped for %s: %s", mission.id, error)
            return mission

    def put(self, mission: Mission, effects: Iterable[Effect] = (), *, urgent: bool = False) -> None:
        """Save the mission as it is now; effects follow the commit."""
        if mission.boot != self.boot:
            mission = replace(mission, boot=self.boot)
        row = _row(mission, None)
        actions = []
        for effect in effects:
            if isinstance(effect, MissionEvent):
                self.record(mission, effect)
            else:
                actions.append(effect)
        if mission.is_live:
            self.index.put(mission)
        else:
            self.index.remove(mission.id)
            if (run := self.runs.pop(mission.id, None)) is not None:
                self._last_runs[mission.id] = run
            self._unsaved[mission.id] = mission

        def after() -> None:
            for action in actions:
                self._bus.publish(EffectDue(mission, action))
            self._bus.publish(MissionChanged(mission, self.live.get(mission.id, mission)))
            self._wake(mission)

        self.journal.save(lambda: self.mission_table.save(row), after, urgent=urgent)
        if not mission.is_live:
            self._ended(mission)

    def _ended(self, mission: Mission) -> None:
        """It is about to be saved that it has."""
        self.journal.save(lambda: None, lambda: self._saved(mission))
        for decide in self.on_end:
            try:
                decide(mission)
            except Exception:  # noqa: BLE001 - each feature is a boundary of its own; it is told again after the commit
                _log.exception("a feature could not decide together with the end of %s", mission.id)

    def _saved(self, final: Mission) -> None:
        if self._unsaved.get(final.id) is final:
            del self._unsaved[final.id]
            self._last_runs.pop(final.id, None)

    def record(self, mission: Mission, event: MissionEvent) -> Change:
        """Append an event about the mission, in the same commit as what it tells of."""
        about = {"mission": mission.id, "name": mission.definition.name}
        if not mission.run:
            return self._events.record(msgspec.structs.replace(event, **about))
        run = self.runs.get(mission.id) if mission.is_live else self.newest_run(mission.id)
        known = run if run is not None and run.number == mission.run else None
        reached = (known.out, known.err) if known else (0, 0)
        out = reached[0] if event.out is None else event.out
        event = msgspec.structs.replace(event, **about, run=mission.run, out=out, err=reached[1])
        return self._events.record(event, run=mission.run_id)

    def has_event(self, mission: Mission, kind: type[MissionEvent]) -> bool:
        """Whether an event of this type is stored about the mission's newest run."""
        return self._events.has(kind, mission.id, mission.run_id)

    def put_run(self, run: Run) -> None:
        """Save what is known of a run."""
        current = self.runs.get(run.mission)
        new = run.mission in self.live and (current is None or current.number < run.number)
        if new or (current is not None and current.number == run.number):
            self.runs[run.mission] = run
        row = _run_row(run)
        self.journal.save(lambda: self._run_table.insert(row) if new else self._run_table.save(row))

    def insert_run(self, run: Run) -> None:
        """Save a run that is over and was on no books."""
        row = _run_row(run)
        self.journal.save(lambda: self._run_table.insert(row))

    def newest_run(self, mission_id: str) -> Run | None:
        """The newest run of a mission, also of one whose end is not saved yet."""
        run = self.runs.get(mission_id) or self._last_runs.get(mission_id)
        if run is not None:
            return run
        row = self._run_table.latest(mission_id)
        return None if row is None else run_of(row)

    def run(self, run_id: str) -> Run | None:
        """The run of this exact id."""
        self.journal.flush()
        row = self._run_table.get(run_id)
        return None if row is None else run_of(row)

    def on_output(self, grew: OutputGrew) -> None:
        """The newest run of a mission has written more; how far its log is, is saved with its next change."""
        run, extent = grew
        mission_id = run.partition(".")[0]
        known = self.runs.get(mission_id)
        if known is not None and known.id == run:
            self.runs[mission_id] = replace(known, out=extent.out, err=extent.err)

    async def ended(self, mission_id: str) -> Mission:
        """Wait until the mission is final, through all its restarts; at once when it is.

        Raises:
            OvermindError: `gone`, it is not on the books.
        """
        return await self.until(mission_id, lambda mission: not mission.is_live)

    async def until(self, mission_id: str, holds: Callable[[Mission], bool]) -> Mission:
        """Wait until `holds` is true of the mission; on a full disk what must happen anyway counts before it is saved.

        Raises:
            OvermindError: `gone`, it is not on the books.
        """
        self.journal.flush()
        mission = self.get(mission_id)
        if mission is None:
            raise OvermindError("gone", f"Mission {mission_id} was removed.")
        if holds(mission):
            return mission
        waiter: asyncio.Future[Mission] = asyncio.get_running_loop().create_future()
        entry = (holds, waiter)
        self._waiters.setdefault(mission_id, []).append(entry)
        try:
            return await waiter
        finally:
            self._forget_waiter(mission_id, entry)

    async def ended_or_held_up(self, mission_id: str, run: int | None = None) -> Mission:
        """As `ended`, but a live mission is returned once its end is held up, or that of this run, or it has another.

        Raises:
            OvermindError: `gone`, it is not on the books.
        """

        def holds(mission: Mission) -> bool:
            is_past = run is not None and mission.run != run
            return not mission.is_live or is_past or mission.id in self._held_up

        return await self.until(mission_id, holds)

    def hold_up(self, mission_id: str, why: str | None) -> None:
        """A live mission that was asked to end can't, for nothing of it is here and somebody elsewhere does not answer.

        Args:
            mission_id: Of the mission.
            why: A sentence for whoever waits for its end; None: it goes on.
        """
        if why == self._held_up.get(mission_id):
            return
        if why is None:
            del self._held_up[mission_id]
        else:
            self._held_up[mission_id] = why
        self._bus.publish(EndHeldUp(mission_id))
        if (mission := self.live.get(mission_id)) is not None:
            self._wake(mission)

    def check_not_held_up(self, missions: Iterable[Mission]) -> None:
        """Refuse to say that these have ended while the end of one is held up.

        Raises:
            OvermindError: `swarm_silent`.
        """
        for one in missions:
            if one.is_live and (why := self._held_up.get(one.id)) is not None:
                raise OvermindError("swarm_silent", f"{one.definition.name} is being ended. {why}")

    def held_up(self, mission_id: str) -> str | None:
        """Why the end of a mission is held up, as a sentence; None: it is not."""
        return self._held_up.get(mission_id)

    def parents(self) -> dict[str, str | None]:
        """The parent of every mission, live and finished, by id."""
        self.journal.flush()
        found: dict[str, str | None] = self.mission_table.parents()
        found.update((mission.id, mission.definition.parent) for mission in self.live.values())
        return found

    def with_survivors(self) -> list[Mission]:
        """The missions of which something could not be ended."""
        self.journal.flush()
        ended = map(decode_mission, self.mission_table.with_survivors())
        return [*ended, *(one for one in self.live.values() if one.survivors)]

    def forget_survivors(self, run_id: str) -> None:
        """Nothing lives any more of what could not be ended of a run: its mission no longer names it."""
        mission = self.get(run_id.partition(".")[0])
        if mission is not None and mission.run_id == run_id and mission.survivors:
            self.record(mission, BackgroundEnded(text=f"--- gone by now: {', '.join(mission.survivors)} ---"))
            self.put(replace(mission, survivors=()))

    def children(self, missions: Collection[str]) -> dict[str, list[str]]:
        """The children of these missions, live and finished, oldest first, by parent; none for one that has none."""
        self.journal.flush()
        found: dict[str, str | None] = self.mission_table.parents_below(missions)
        live = ((mission.id, mission.definition.parent) for mission in self.live.values())
        found.update((child, parent) for child, parent in live if parent in missions)
        return children_of(found)

    def _forget_waiter(self, mission_id: str, entry: _Waiter) -> None:
        entries = self._waiters.get(mission_id, [])
        if entry in entries:
            entries.remove(entry)
        if not entries:
            self._waiters.pop(mission_id, None)

    def runs_of(self, mission_id: str) -> list[Run]:
        """All runs of a mission, oldest first; of a live one's newest also what it has written by now."""
        self.journal.flush()
        return self._with_newest(mission_id, self._run_table.of(mission_id))

    def all_runs(self) -> dict[str, list[Run]]:
        """The same of every mission that has any."""
        self.journal.flush()
        by_mission = groupby(self._run_table.all(), key=lambda row: row.mission)
        return {mission: self._with_newest(mission, rows) for mission, rows in by_mission}

    def _with_newest(self, mission_id: str, rows: Iterable[RunRow]) -> list[Run]:
        found = [run_of(row) for row in rows]
        newest = self.runs.get(mission_id)
        return [newest if newest is not None and one.number == newest.number else one for one in found]

    def restarted_ends(self, mission: Mission) -> list[Run]:
        """The runs after each of which its policy started it again, or will, oldest first; a set-up is none."""
        count = mission.restart_count + (mission.status is Status.RESTARTING)
        return [run for run in self.runs_of(mission.id) if run.ended_at is not None][-count:] if count else []

    def _wake(self, mission: Mission) -> None:
        for holds, waiter in list(self._waiters.get(mission.id, ())):
            if not waiter.done() and holds(mission):
                waiter.set_result(mission)

    def _conclude_run(self, before: Mission, after: Mission, reason: str | None) -> None:
        """The run is over and nothing of it is left: the keeper may forget it once that is saved."""
        run = self.runs.get(before.id)
        if before.status not in _HAS_RUN or run is None or run.number != before.run:
            return
        if after.run == before.run and after.status in _HAS_RUN:
            return
        ended = after.ended_at if after.run == before.run and after.ended_at else self._clock.wall()
        why = run.reason if run.swept else reason
        self.put_run(replace(run, ended_at=run.ended_at or ended, swept=True, reason=why))
        spared = before.definition.leave_background and (before.ending is None or before.ending.cause in _BY_ITSELF)
        self.journal.save(lambda: None, lambda: self._bus.publish(RunConcluded(run.id, spared, run.out, run.err)))


def _why(mission: Mission, fact: Fact) -> str | None:
    """Why the run ended, other than by itself."""
    if isinstance(fact, KeeperLost):
        return Cause.KEEPER_LOST.value
    ending = mission.ending
    if ending is None or ending.cause is Cause.EXITED:
        return None
    return ending.reason if ending.cause is Cause.LIMIT else ending.cause.value


def decode_mission(row: MissionRow) -> Mission:
    """The mission that a row of the store holds."""
    return with_true_status(MISSION.decode(row.record))


def run_of(row: RunRow) -> Run:
    """The run that a row of the store holds."""
    return RUN.decode(row.state)


def _run_row(run: Run) -> RunRow:
    return RunRow(run.id, run.mission, run.number, run.started_at, run.ended_at, run.swept, RUN.encode(run))


def _row(mission: Mission, request: str | None) -> MissionRow:
    definition = mission.definition
    return MissionRow(
        id=mission.id,
        name=definition.name,
        live=mission.is_live,
        hidden=mission.hidden or mission.status is Status.KILLED,
        parent=definition.parent,
        type=definition.kind.value,
        provider=definition.provider,
        status=mission.status.value,
        request=request,
        created_at=mission.created_at,
        ended_at=None if mission.is_live else mission.ended_at,
        record=MISSION.encode(mission),
    )
