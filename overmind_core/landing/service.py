"""Merges under way: one at a time for each repository, each brought to its end or taken back, whoever dies meanwhile.

What a merge has begun with is written down before: the next supervisor ends its check, removes its scratch worktree,
and writes down a landing that was done but not recorded. The target itself moves in one step of git's.

What does it is loaded with the first merge: most supervisors never see one.

What another supervisor has begun to merge: taken back, or written down where it landed.

How far a merge is, as the next supervisor has to know. Texts are in wire form.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from overmind_core.domain.missions.mission import Cause
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.errors import OvermindError
from overmind_core.git import merge as git_merge
from overmind_core.git import repository as git_repository
from overmind_core.git.run import MARK, Git, GitFailed, GitMissing
from overmind_core.kernel.codec import Codec
from overmind_core.landing.locations import world
from overmind_core.landing.store import LandingRow
from overmind_core.missions.lookup import find
from overmind_core.system.sweep import end_stragglers

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.daemon.app import Supervisor
    from overmind_core.landing.locations import Place
    from overmind_core.landing.preview import Wish


LOOKS = 10
LOOK_SECONDS = 0.5
"""Between looks whether a git that the other supervisor began with still moves the target."""
_log = logging.getLogger(__name__)


async def settle(merger: MergeQueue, trace: Trace) -> None:
    """Leave nothing of a merge that was interrupted; its repository is ours until then."""
    core = merger.core
    git = world(core, trace.mission, trace.mark)
    await core.workspace.in_thread(end_stragglers, MARK, trace.mark)
    await merger.end(trace.verify)
    if await _has_landed(merger, git, trace):
        merger.record(trace)
    try:
        await core.workspace.in_thread(git_merge.close_scratch, git, from_wire(trace.source), from_wire(trace.scratch))
    except (GitFailed, GitMissing) as error:
        _log.warning("the scratch worktree %s is left: %s", trace.scratch, error)
        return
    merger.forget(trace.mission)


async def _has_landed(merger: MergeQueue, git: Git, trace: Trace) -> bool:
    """Whether the target has it, now or in a moment."""
    if not trace.landing:
        return False
    for _ in range(LOOKS):
        if await merger.core.workspace.in_thread(_has, git, trace):
            return True
        await asyncio.sleep(LOOK_SECONDS)
    return False


def _has(git: Git, trace: Trace) -> bool:
    source = from_wire(trace.source)
    try:
        now = git_repository.resolve(git, source, git_repository.HEADS + from_wire(trace.target))
        return now is not None and git_merge.contains(git, source, trace.after, now)
    except (GitFailed, GitMissing):
        return False


@dataclass(frozen=True, slots=True)
class Trace:
    """Replaced, never changed."""

    mission: str
    name: str
    source: str
    repository: str
    scratch: str
    branch: str
    target: str
    before: str
    """Where the target stands."""
    verify: str | None = None
    """The mission that checks it."""
    after: str = ""
    """Where the target is to stand; "" before that is known."""
    landing: bool = False
    """The target is being moved, and that it was is not written down yet."""

    @property
    def mark(self) -> str:
        """By which its processes of git are known."""
        return mark_of(self.mission)


def mark_of(mission: str) -> str:
    """Return by which the processes of git are known that merge a mission's work; they may be killed at any time."""
    return f"merge-{mission}"


KEY = "merging"
"""Of the store's fact that holds the traces."""
EVENT = "landed"
TRACES = Codec(dict[str, Trace])


class MergeQueue:
    """Used from the loop's thread."""

    def __init__(self, core: Supervisor) -> None:
        self.core = core
        self._traces: dict[str, Trace] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    def take_up(self) -> None:
        """Take back, or write down, what an earlier supervisor was at."""
        saved = self.core.state.meta.get(KEY)
        self._traces = TRACES.decode(saved) if saved else {}
        for trace in list(self._traces.values()):
            self.core.background(self._settle(trace))

    async def merge(self, place: Place, wish: Wish, say: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Land the work of a mission; `say` is told of each step.

        Raises:
            OvermindError: it did not land, and nothing was changed.
        """
        if self.core.phase.closing or self.core.phase.handing_over:
            raise OvermindError("busy", "The daemon is shutting down.")
        from overmind_core.landing.merge import Merge  # noqa: PLC0415 - see above

        turn = self._turn(place.repository)
        if turn.locked():
            say({"step": "waiting"})
        async with turn:
            return await Merge(self, place, wish, say).run()

    def keep(self, trace: Trace) -> Callable[[], None]:
        """Remember how far a merge is; what is returned writes it down, inside of a transaction."""
        self._traces[trace.mission] = trace
        return self._write()

    def forget(self, mission: str) -> None:
        """Nothing of the merge is left."""
        if self._traces.pop(mission, None) is not None:
            self.core.ledger.save(self._write())

    def record(self, trace: Trace) -> None:
        """It landed: that is written down together with its event, and once, whatever happens next."""
        now = self.core.clock.wall()
        landing = LandingRow(
            now, trace.repository, trace.mission, trace.name, trace.branch, trace.target, trace.before, trace.after
        )
        told = {name: getattr(landing, name) for name in ("mission", "name", "branch", "target", "before", "after")}
        with self.core.ledger.together():
            self.core.ledger.save(self.keep(replace(trace, landing=False)))
            self.core.ledger.save(lambda: self.core.state.landings.save(landing))
            self.core.book.event({"type": EVENT, **told})

    async def end(self, mission_id: str | None) -> None:
        """End the mission that checks a merge, if it is live."""
        if mission_id is None or mission_id not in self.core.book.live:
            return
        try:
            await self.core.missions.end(
                find(self.core.book, mission_id, live_first=True), Cause.KILL, cascade=True, grace=0.0
            )
        except OvermindError as error:
            _log.info("the check of a merge, mission %s: %s", mission_id, error.message)

    def _turn(self, repository_: str) -> asyncio.Lock:
        return self._turns.setdefault(repository_, asyncio.Lock())

    def _write(self) -> Callable[[], None]:
        text = TRACES.encode(self._traces)
        return lambda: self.core.state.meta.save(KEY, text)

    async def _settle(self, trace: Trace) -> None:
        """Bring to its end what another supervisor has begun."""
        async with self._turn(from_wire(trace.repository)):
            await settle(self, trace)
