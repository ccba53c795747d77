"""Merges under way: one at a time for each repository, each brought to its end or taken back, whoever dies meanwhile.

What a merge has begun with is recorded before: the next supervisor ends its check, removes its scratch worktree, and
records a landing that was done but not recorded. The target itself moves in one step of git's.

What does it is loaded with the first merge: most supervisors never see one.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from overmind_core.domain.actor import ENGINE
from overmind_core.domain.missions.mission import Cause
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.errors import OvermindError
from overmind_core.git.run import MARK, Git, GitFailed, GitMissing
from overmind_core.kernel.codec import Codec
from overmind_core.landing.events import WorkLanded
from overmind_core.landing.progress import MergeProgress
from overmind_core.landing.store import LandingRow
from overmind_core.missions.lookup import find
from overmind_core.system.sweep import end_stragglers

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.isolation.workspace import Workspace
    from overmind_core.kernel.database import MetaTable
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.landing.answer_types import MergeItem, MergeResult
    from overmind_core.landing.locations import Locations, WorkLocation
    from overmind_core.landing.preview import MergeRequest
    from overmind_core.landing.store import LandingTable
    from overmind_core.missions.environment import Environments
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.system.machine import Clock


LOOKS = 10
LOOK_SECONDS = 0.5
"""Between looks whether a git that the other supervisor began with still moves the target."""
_log = logging.getLogger(__name__)


def _has(git: Git, trace: MergeProgress) -> bool:
    from overmind_core.git import repository  # noqa: PLC0415 - see above

    source = from_wire(trace.source)
    try:
        now = repository.resolve(git, source, repository.HEADS + from_wire(trace.target))
        return now is not None and repository.is_ancestor(git, source, trace.after, now)
    except (GitFailed, GitMissing):
        return False


def _unheard(item: MergeItem) -> None:
    """Nobody listens."""


def _no_one(_landing: LandingRow) -> None:
    """Nobody has to know."""


KEY = "merging"
"""Of the store's fact that holds the traces."""
TRACES = Codec(dict[str, MergeProgress])


class MergeQueue:
    """Used from the loop's thread."""

    def __init__(
        self,
        *,
        journal: Journal,
        events: EventLog,
        clock: Clock,
        tasks: Tasks,
        phase: Phase,
        registry: Registry,
        missions: Missions,
        workspace: Workspace,
        environments: Environments,
        locations: Locations,
        meta_table: MetaTable,
        landing_table: LandingTable,
    ) -> None:
        self._journal = journal
        self._events = events
        self._clock = clock
        self._tasks = tasks
        self._phase = phase
        self._registry = registry
        self._missions = missions
        self._workspace = workspace
        self._environments = environments
        self._locations = locations
        self._meta_table = meta_table
        self._landing_table = landing_table
        self.on_landed_by_hand: Callable[[LandingRow], None] = _no_one
        """Called with a landing that a person has asked for, in the commit that saves it."""
        self._traces: dict[str, MergeProgress] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    def resume(self) -> None:
        """Take back, or write down, what an earlier supervisor was at."""
        saved = self._meta_table.get(KEY)
        self._traces = TRACES.decode(saved) if saved else {}
        for trace in list(self._traces.values()):
            self._tasks.start(self._settle(trace))

    async def merge(
        self, place: WorkLocation, wish: MergeRequest, report: Callable[[MergeItem], object] | None = None
    ) -> MergeResult:
        """Land the work of a mission or of a branch; `say` gets each step, None: nobody listens.

        Merges of one repository wait for each other, in the order in which they were asked for; a preview waits for
        none of them, where git can tell it without a worktree.

        Raises:
            OvermindError: it did not land, and nothing was changed.
        """
        if self._phase.closing or self._phase.handing_over:
            raise OvermindError("busy", "The daemon is shutting down.")
        from overmind_core.landing.merge import MergeParts, MergeRun  # noqa: PLC0415 - see above

        post = report or _unheard
        parts = MergeParts(
            self,
            self._journal,
            self._landing_table,
            self._registry,
            self._missions,
            self._workspace,
            self._environments,
        )
        if wish.preview and (foreseen := await MergeRun(parts, place, wish, post).foreseen()) is not None:
            return foreseen
        turn = self._turn(place.repository)
        if turn.locked():
            post({"step": "waiting"})
        async with turn:
            return await MergeRun(parts, place, wish, post).run()

    def recorded(self, request: str | None) -> LandingRow | None:
        """What came of a request when it was sent before: whoever was to answer may have died."""
        if request is None:
            return None
        self._journal.flush()
        return self._landing_table.by_request(request)

    def keep(self, trace: MergeProgress) -> Callable[[], None]:
        """Remember how far a merge is; what is returned writes it down, inside of a transaction."""
        self._traces[trace.mission] = trace
        return self._write()

    def forget(self, mission: str) -> None:
        """Nothing of the merge is left."""
        if self._traces.pop(mission, None) is not None:
            self._journal.save(self._write())

    def record(self, trace: MergeProgress) -> None:
        """It landed: that is written down together with its event, and once, whatever happens next."""
        now = self._clock.wall()
        landing = LandingRow(
            now,
            trace.repository,
            trace.mission,
            trace.name,
            trace.branch,
            trace.target,
            trace.before,
            trace.after,
            trace.request,
            trace.tip,
        )
        landed = WorkLanded(
            mission=trace.mission,
            name=trace.name,
            branch=trace.branch,
            target=trace.target,
            before=trace.before,
            after=trace.after,
        )
        if trace.lines is not None:
            landed = msgspec.structs.replace(landed, added=trace.lines[0], removed=trace.lines[1])
        if trace.why is not None:
            landed = msgspec.structs.replace(landed, by=ENGINE, why=trace.why)
        with self._journal.together():
            self._journal.save(self.keep(replace(trace, landing=False)))
            self._journal.save(lambda: self._landing_table.save(landing))
            self._events.record(landed)
            if trace.why is None:
                self.on_landed_by_hand(landing)

    async def end(self, mission_id: str | None) -> None:
        """End the mission that checks a merge, if it is live."""
        if mission_id is None or mission_id not in self._registry.live:
            return
        try:
            await self._missions.end(
                find(self._registry, mission_id, live_first=True), Cause.KILL, cascade=True, grace=0.0
            )
        except OvermindError as error:
            _log.info("the check of a merge, mission %s: %s", mission_id, error.message)

    def _turn(self, repository_: str) -> asyncio.Lock:
        return self._turns.setdefault(repository_, asyncio.Lock())

    def _write(self) -> Callable[[], None]:
        text = TRACES.encode(self._traces)
        return lambda: self._meta_table.save(KEY, text)

    async def _settle(self, trace: MergeProgress) -> None:
        """Bring to its end what another supervisor has begun."""
        from overmind_core.git import merge as git_merge  # noqa: PLC0415 - see above

        async with self._turn(from_wire(trace.repository)):
            git = self._locations.git_of(trace.mission, trace.mark)
            await self._workspace.in_thread(end_stragglers, MARK, trace.mark)
            await self.end(trace.verify)
            if await self._has_landed(git, trace):
                self.record(trace)
            source, scratch = from_wire(trace.source), from_wire(trace.scratch)
            try:
                await self._workspace.in_thread(git_merge.close_scratch, git, source, scratch)
            except (GitFailed, GitMissing) as error:
                _log.warning("the temporary worktree %s could not be removed: %s", trace.scratch, error)
                return
            self.forget(trace.mission)

    async def _has_landed(self, git: Git, trace: MergeProgress) -> bool:
        """Whether the target has it, now or in a moment."""
        if not trace.landing:
            return False
        for _ in range(LOOKS):
            if await self._workspace.in_thread(_has, git, trace):
                return True
            await asyncio.sleep(LOOK_SECONDS)
        return False
