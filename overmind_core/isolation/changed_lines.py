"""The lines that missions have changed in worktrees of their own, counted by git, one worktree after another.

Nothing is counted unless somebody asks or a mission has come a step further, and no worktree more than once in some
seconds. A count that may be no longer true is not told: there is none until the next one.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.text.bytestrings import from_wire

if TYPE_CHECKING:
    from overmind_core.domain.isolation.isolation import Isolation
    from overmind_core.git.run import Git
    from overmind_core.isolation.workspace import Workspace
    from overmind_core.missions.answer_types import ChangedLines

SHORTEST = 5.0
"""Seconds between two counts in one worktree, at least."""
LONGEST, LONGEST_ENDED = 60.0, 300.0
"""Seconds after which a worktree is counted again that somebody looks at, though its mission did nothing that is known;
of a mission that runs, and of one that has ended."""
TRUE_FOR = 600.0
"""Seconds for which a count is told if its mission has done nothing since."""
TRUE_AFTER = 10.0
"""The same from its next step on."""
SHARE = 0.1
"""Of the time that goes by that git counts, at most."""
LONGEST_PAUSE = 10.0
"""Seconds between two counts that this makes, at most: one may have waited for a disk alone."""
PATIENCE = 20.0
"""Seconds until a worktree counts as one that does not answer: a mount may be hung."""


class _Count(NamedTuple):
    """What was counted.

    Attributes:
        lines: None where git could not say.
        at: When (seconds of the loop).
    """

    lines: ChangedLines | None
    at: float


class LineCounts:
    """Counts, and remembers what was counted. Used from the loop's thread."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._counted: dict[str, _Count] = {}
        self._touched: dict[str, float] = {}
        """Mission → when it did something first since it was counted."""
        self._due: dict[str, float] = {}
        """Mission → from when on it may be counted."""
        self._hung: set[str] = set()
        """Missions in whose worktrees git does not answer."""
        self._stir = asyncio.Event()
        self._works = False

    def of(self, mission: str) -> ChangedLines | None:
        """The lines, as far as they are known now; None without a worktree. Who asks has it counted again in time."""
        if self._place(mission) is None:
            return None
        now, count = _now(), self._counted.get(mission)
        touched = self._touched.get(mission)
        longest = LONGEST if mission in self._workspace.registry.live else LONGEST_ENDED
        if count is None or touched is not None or now - count.at >= longest:
            self._want(mission)
        if count is None or now - count.at >= TRUE_FOR or (touched is not None and now - touched >= TRUE_AFTER):
            return None
        return count.lines

    def touch(self, mission: str, *, is_step: bool) -> None:
        """The mission may have changed something; after a step it is counted though nobody asks."""
        if self._place(mission) is None:
            return
        self._touched.setdefault(mission, _now())
        if is_step:
            self._want(mission)

    def _place(self, mission: str) -> Isolation | None:
        """The isolation of a mission that has a whole worktree of its own."""
        found = self._workspace.records.get(mission)
        has_one = found is not None and found.worktree is not None and found.branch is not None and not found.half
        return found if has_one and found is not None and not found.lost else None

    def _want(self, mission: str) -> None:
        if mission in self._due or mission in self._hung:
            return
        count = self._counted.get(mission)
        self._due[mission] = _now() if count is None else max(_now(), count.at + SHORTEST)
        self._stir.set()
        if not self._works:
            self._works = True
            self._workspace.tasks.start(self._work())

    async def _work(self) -> None:
        """Count one after the other, what runs first, until nothing is due any more."""
        try:
            while self._due:
                now, live = _now(), self._workspace.registry.live
                mission = min(self._due, key=lambda one: (self._due[one] > now, one not in live, self._due[one]))
                if (left := self._due[mission] - now) > 0:
                    await self._pause(left)
                    continue
                del self._due[mission]
                await self._count(mission)
                await asyncio.sleep(min((_now() - now) * (1 / SHARE - 1), LONGEST_PAUSE))
        finally:
            self._works = False
        for known in (self._counted, self._touched):
            for mission in [one for one in known if one not in self._workspace.records]:
                del known[mission]

    async def _pause(self, seconds: float) -> None:
        """Wait until the next one is due, or another one has come."""
        self._stir.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stir.wait()

    async def _count(self, mission: str) -> None:
        isolation = self._place(mission)
        if isolation is None:
            return
        touched, began = self._touched.pop(mission, None), _now()
        worktree, base = from_wire(isolation.worktree or ""), from_wire(isolation.base or "")
        git = self._workspace.git(isolation)
        work = asyncio.ensure_future(
            self._workspace.in_thread(_counted, git, worktree, base, isolation.base_commit or "")
        )
        try:
            lines = await asyncio.wait_for(asyncio.shield(work), PATIENCE)
        except TimeoutError:
            self._hung.add(mission)
            work.add_done_callback(lambda _: self._hung.discard(mission))
            self._touched.setdefault(mission, began if touched is None else touched)
            lines = None
        self._counted[mission] = _Count(lines, began)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _counted(git: Git, worktree: str, base: str, base_commit: str) -> ChangedLines | None:
    from overmind_core.git.run import GitFailed, GitMissing  # noqa: PLC0415 - for those who have worktrees
    from overmind_core.git.status import line_counts  # noqa: PLC0415 - same

    try:
        added, removed = line_counts(git, worktree, base or None, base_commit)
    except (GitFailed, GitMissing, OSError):
        return None
    return {"added": added, "removed": removed}
