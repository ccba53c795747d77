"""The leases of missions: until when the work of each is ours, so that it ends before another machine may begin it.

The keeper holds the lease of each run and ends it by itself. This is the supervisor's side: it gives each run its lease
at its start, moves the leases of many in one message, tells a new keeper, and fences missions that have no run while
theirs ends. A mission lends its lease to all that it has started: of a whole line the earliest counts.

Leases are of ids: that of a mission, or of one that is to come, such as a queued quest's. Moments are in seconds of the
boot clock.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.missions.facts import EndAsked
from overmind_core.domain.missions.mission import Cause, Kind
from overmind_core.errors import OvermindError
from overmind_core.wire.keeper import LEASE

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from overmind_core.domain.missions.events import MissionRemoved
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.database import MetaTable
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.keeper_client import CurrentKeeper
    from overmind_core.missions.registry import Registry

LEASES_FACT = "leases"
"""Key of the store's fact that tells the leases."""
SLACK = 0.5
"""Seconds behind the end of a lease at which the supervisor ends what the keeper has not."""
SOONEST = 0.01
"""Seconds between two looks, also where a timer comes a hair too early."""
LOOK = 1.0
"""Seconds between two looks at the boot clock: the loop's own clock stands still while the machine sleeps."""
LONGEST_LINE = 64
"""Missions above one another that are looked at; limits of trees keep lines far shorter."""
FENCED_TEXT = "--- killed: its lease has ended ---"
_OLD_KEEPER = (
    "The keeper was started by an older Overmind, and holds no leases. Replace it, which ends what runs: "
    "overmind shutdown"
)
_log = logging.getLogger(__name__)


class MissionFenced(OvermindError):
    """The mission may not run: its lease has ended."""

    def __init__(self, mission: Mission) -> None:
        about = f"{mission.id} ({mission.definition.name})"
        super().__init__("fenced", f"The lease of mission {about} has ended: another machine may have taken its work.")


class StoredLeases(msgspec.Struct, frozen=True):
    """The leases as the store has them."""

    boot: str
    until: dict[str, float]


class Leases:
    """Used from the loop's thread."""

    def __init__(
        self,
        *,
        registry: Registry,
        journal: Journal,
        meta_table: MetaTable,
        line: CurrentKeeper,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], float],
    ) -> None:
        """`clock`: seconds of the boot clock."""
        self._registry = registry
        self._journal = journal
        self._meta_table = meta_table
        self._line = line
        self._loop = loop
        self._clock = clock
        self._until: dict[str, float] = {}
        self._stored: dict[str, float] = {}
        self._over: set[str] = set()
        """Those of them that have ended, and whose missions were fenced then."""
        self._forgotten: set[str] = set()
        """Ids whose leases have ended, and are kept no more: those are over all the same."""
        self._handle: asyncio.TimerHandle | None = None
        self._closed = False

    def load(self) -> None:
        """Read the leases of the supervisor before us; after a restart of the machine all of them have ended."""
        text = self._meta_table.get(LEASES_FACT)
        if text is None:
            return
        stored = msgspec.json.decode(text, type=StoredLeases)
        same = stored.boot == self._registry.boot
        self._until = {one: until if same else 0.0 for one, until in stored.until.items()}
        self._stored = dict(self._until)

    # for whoever holds the claim on the work

    def hold(self, mission_id: str, until: float) -> None:
        """Give a mission a lease, in place of the one that it has; one that is to come begins with it.

        Raises:
            OvermindError: `busy`, the keeper is an older program.
        """
        if self._line.hello and "leases" not in self._line.hello:
            raise OvermindError("busy", _OLD_KEEPER)
        self._until[mission_id] = until
        self._over.discard(mission_id)
        self._forgotten.discard(mission_id)
        self._save()
        self._send_changed([mission_id])

    def renew(self, deadlines: Mapping[str, float]) -> None:
        """Move the leases of these, in one message to the keeper: later, or earlier. One that has ended stays ended."""
        now = self._clock()
        moved = {one: until for one, until in deadlines.items() if self._until.get(one, 0.0) > now}
        self._until.update(moved)
        if any(self._is_stale(one, now) for one in moved):
            self._save()
        self._send_changed(moved)

    def release(self, missions: Iterable[str]) -> None:
        """Take the leases off: nothing ends these any more."""
        ids = list(missions)
        self._forgotten.difference_update(ids)
        held = [one for one in ids if self._until.pop(one, None) is not None]
        if held:
            self._over.difference_update(held)
            self._save()
            self._send_changed(held)
            ended = [self._registry.newest_run(one) for one in held if one not in self._registry.live]
            self._post({run.id: None for run in ended if run is not None})  # what such a run has left behind may stay

    def until(self, mission: Mission) -> float | None:
        """When the lease of a mission ends, its own or one that is lent to it; None: it has none."""
        if not self._until:
            return None
        return min((self._until[one] for one in self._line_of(mission) if one in self._until), default=None)

    def has_ended(self, mission: Mission) -> bool:
        """Whether the mission has a lease that is over: nothing of it is started any more."""
        until = self.until(mission)
        return until is not None and until <= self._clock()

    def is_over(self, mission_id: str) -> bool:
        """Whether the lease of this one is over, be it a mission or to come; False: it goes on, or there is none."""
        until = self._until.get(mission_id)
        return mission_id in self._forgotten or (until is not None and until <= self._clock())

    @property
    def held(self) -> Mapping[str, float]:
        """All leases, by id."""
        return self._until

    # for the parts that start, adopt and end missions

    def adopt(self, held: Mapping[str, Mapping[str, Any]]) -> None:
        """Learn from the keeper's rows, by run: it was told each move, the store not. Then tell it what it lacks."""
        for run, row in held.items():
            mission = self._registry.live.get(run.partition(".")[0])
            until = row.get("lease")
            if until is None or mission is None or mission.run_id != run:
                continue
            line = [one for one in self._line_of(mission) if one in self._until]
            for one in line or [mission.id]:  # what was lent is no later than the lease that it was lent from
                self._until[one] = max(self._until.get(one, 0.0), until)
                self._over.discard(one)
        self._send_changed(self._until)
        self._watch()

    def confirm(self, mission: Mission, sent: float | None) -> None:
        """A run was started with this lease: tell the keeper where it was moved meanwhile."""
        if self.until(mission) != sent:
            self._send([mission])

    def fence(self, mission: Mission) -> Mission:
        """The lease of a mission has ended: so does the mission, once; return what it is then."""
        if mission.ending is not None and mission.ending.cause is Cause.FENCED:
            return mission
        _log.warning("mission %s is fenced: its lease has ended", mission.id)
        return self._registry.apply_if_legal(mission, EndAsked(Cause.FENCED, 0.0, FENCED_TEXT), urgent=True)

    def on_removal(self, removed: MissionRemoved) -> None:
        """A mission was removed."""
        if removed.mission is not None:
            self.release([removed.mission])

    def cancel(self) -> None:
        """End nothing any more."""
        self._closed = True
        if self._handle is not None:
            self._handle.cancel()

    def _line_of(self, mission: Mission) -> Iterator[str]:
        """The ids of a mission and of those that it was started by, upwards."""
        yield mission.id
        above = mission.definition.parent
        for _ in range(LONGEST_LINE):
            if above is None:
                return
            yield above
            known = self._registry.live.get(above) or self._registry.get(above)
            above = None if known is None else known.definition.parent

    def _send_changed(self, changed: Iterable[str]) -> None:
        """Tell the keeper of the runs of these missions and of all that they have started."""
        ids = set(changed)
        live = self._registry.live
        self._send(one for one in list(live.values()) if not ids.isdisjoint(self._line_of(one)))
        self._watch()

    def _send(self, missions: Iterable[Mission]) -> None:
        processes = [one for one in missions if one.run and one.definition.kind is not Kind.BLUEPRINT]
        self._post({one.run_id: self.until(one) for one in processes})

    def _post(self, runs: Mapping[str, float | None]) -> None:
        if runs and self._line.is_settled:
            self._line.post(LEASE, runs=runs)

    def _is_stale(self, one: str, now: float) -> bool:
        """Whether the store knows a later moment, or less than half of the time that is left."""
        stored, until = self._stored.get(one, 0.0), self._until[one]
        return stored > until or stored - now < (until - now) / 2

    def _prune(self) -> None:
        """Forget the leases that have ended of missions that have, too, and that no quest starts again."""
        now, index = self._clock(), self._registry.index
        for one in [one for one, until in self._until.items() if until <= now and one not in index.live]:
            if not index.is_held(one) and self._registry.get(one) is not None:
                del self._until[one]
                self._over.discard(one)
                self._forgotten.add(one)

    def _save(self) -> None:
        self._prune()
        self._stored = dict(self._until)
        text = msgspec.json.encode(StoredLeases(self._registry.boot, self._stored)).decode()
        self._journal.save(lambda: self._meta_table.save(LEASES_FACT, text))

    def _watch(self) -> None:
        """Look again when the next lease has ended, or soon; not at all while none goes on."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        due = min((until for one, until in self._until.items() if one not in self._over), default=None)
        if due is not None and not self._closed:
            wait = min(max(due + SLACK - self._clock(), SOONEST), LOOK)
            self._handle = self._loop.call_later(wait, self._look)

    def _look(self) -> None:
        """Fence what the keeper has not: it stands still, or there is no run that it could end."""
        late = self._clock() - SLACK
        over = {one for one, until in self._until.items() if until <= late} - self._over
        if over:
            self._over |= over
            for mission in list(self._registry.live.values()):
                if not over.isdisjoint(self._line_of(mission)):
                    self.fence(mission)
        self._watch()
