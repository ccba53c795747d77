"""The worktrees of missions, files, commits and changes as the API shows them.

All worktrees are inspected side by side, and a broken one says so itself. Texts of the system become those of the wire.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from overmind_core.domain.landing import RemovalCandidate
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.git import status
from overmind_core.isolation.steps.containers import with_engine
from overmind_core.isolation.steps.worktree import keep_rules
from overmind_core.missions.answers import outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Coroutine, Iterable, Mapping, Sequence

    from overmind_core.containers.engine import Engine
    from overmind_core.domain.isolation.isolation import Isolation
    from overmind_core.domain.isolation.keep import KeepRules
    from overmind_core.git.changes import ChangedFile, WorktreeChanges
    from overmind_core.git.status import WorktreeStatus
    from overmind_core.git.worktree_removal import RemovedWorktree
    from overmind_core.isolation.workspace import Workspace
    from overmind_core.landing.answer_types import CommitInfo, DiscardedWork, FileChange, MissionChanges, WorktreeInfo
    from overmind_core.landing.locations import Locations, WorkLocation
    from overmind_core.missions.ports import Standings
    from overmind_core.missions.registry import Registry


PATIENCE = 20.0
"""Seconds for one worktree; its disk may not answer at all."""


class InspectedWorktree(NamedTuple):
    """A worktree as it was found."""

    isolation: Isolation
    state: WorktreeStatus | None
    """None: nobody can tell, see `problem`."""
    size: int | None
    """Bytes, when that was asked for."""
    containers: dict[str, str]
    """Service → running, healthy, exited …"""
    problem: str
    """"" when there is none."""

    def elsewhere(self) -> list[str]:
        """The other branches that have its commits, which have not landed."""
        return [] if self.state is None else list(map(to_wire, self.state.elsewhere))

    def depends_on(self, gone: Collection[str]) -> bool:
        """True where it may stand otherwise without these branches of its repository."""
        if self.state is None or not gone:
            return False
        return self.state.baseless or not {self.isolation.base, *self.elsewhere()}.isdisjoint(gone)

    def standing(self, *, live: bool) -> RemovalCandidate:
        """What it stands for when it is to be removed; `live`: its mission is."""
        state = self.state
        if state is None:
            return RemovalCandidate(live, problem=self.problem)
        unmerged = () if state.merged else tuple(to_wire(subject) for _, subject in state.commits)
        return RemovalCandidate(
            live, tuple(map(to_wire, state.dirty)), unmerged, tuple(map(to_wire, state.ignored.kept))
        )

    def digest(self, run: int) -> str:
        """Another text for other work that would be lost with it; `run`: the number of its mission's newest. Blocks.

        Files are told apart by their sizes and the times at which they were written.
        """
        state = self.state
        if state is None:
            lost: tuple[object, ...] = ()
        else:
            written = [_written(self.isolation, path) for path in (*state.dirty, *state.ignored.kept)]
            lost = (state.dirty, () if state.merged else state.commits, state.ignored.kept, written)
        return hashlib.sha256(repr((run, lost, self.problem)).encode()).hexdigest()


def _written(isolation: Isolation, path: str) -> tuple[int, int] | None:
    with suppress(OSError):
        found = os.lstat(os.path.join(from_wire(isolation.worktree or ""), path))
        return found.st_size, found.st_mtime_ns
    return None


class _Wanted(NamedTuple):
    sizes: bool
    whole: bool
    keep: KeepRules | None
    """None: there is nothing for which it would be kept, or nobody has to know."""
    passing: Collection[str] = ()
    """Branches that keep nothing for good."""


def _stand(place: WorkLocation, wanted: _Wanted) -> tuple[WorktreeStatus, int | None]:
    def look(keep: KeepRules | None) -> WorktreeStatus:
        base, commit, passing = place.base, place.base_commit or "", [*map(from_wire, wanted.passing)]
        return status.worktree_status(
            place.git, place.folder, base, commit, keep=keep, own=place.branch, passing=passing
        )

    first = wanted.keep if wanted.whole else None
    state = look(first)
    if first is not wanted.keep and state.merged and not state.dirty:  # it seems to hold nothing, and is there
        state = look(wanted.keep)
    return state, status.folder_size(place.folder) if wanted.sizes else None


MOST = 12 * 1024 * 1024
"""Bytes of a diff as JSON: what is escaped in it may take six times its size."""


def commits(found: Iterable[tuple[str, str]]) -> list[CommitInfo]:
    """Hashes and subjects."""
    return [{"hash": number, "subject": to_wire(subject)} for number, subject in found]


def files(found: Iterable[ChangedFile]) -> list[FileChange]:
    """Files with what became of them."""
    return [
        {
            "path": to_wire(one.path),
            "old_path": None if one.old_path is None else to_wire(one.old_path),
            "status": one.status,
            "added": one.added,
            "removed": one.removed,
            "binary": one.binary,
        }
        for one in found
    ]


def changes(place: WorkLocation, found: WorktreeChanges, base: str = "", note: str = "") -> MissionChanges:
    """All that is in a worktree, or has changed in a shared folder; `base`: since when, `note`: a sentence about it."""
    diff, cut = to_wire(found.diff), to_wire(found.cut)
    while len(msgspec.json.encode(diff)) > MOST:
        diff = diff[: diff.rfind("\n", 0, len(diff) // 2) + 1]
        cut = f"The output is truncated. See all changes with: git -C {to_wire(found.top)} diff {found.since[:12]}"
    return {
        "mission": place.mission,
        "name": place.name,
        "path": to_wire(found.top),
        "branch": None if found.branch is None else to_wire(found.branch),
        "base": base or ("HEAD" if place.base is None else to_wire(place.base)),
        "merge_base": found.since,
        "commits": commits(found.commits),
        "files": files(found.files),
        "diff": diff,
        "cut": cut,
        "note": note,
    }


def discarded(
    isolation: Isolation, removed: RemovedWorktree | None = None, elsewhere: Sequence[str] = ()
) -> DiscardedWork:
    """The parts that a mission has of its own.

    Args:
        isolation: The mission's.
        removed: What of its worktree was there, and is gone.
        elsewhere: Other branches that have its commits, which have not landed.
    """
    has_folder, branch = isolation.branch is not None, isolation.branch
    if removed is not None:
        has_folder, branch = removed.worktree, None if removed.branch is None else to_wire(removed.branch)
    found: DiscardedWork = {
        "mission": isolation.mission,
        "name": isolation.name,
        "worktree": isolation.worktree if has_folder else None,
        "branch": branch,
        "containers": sorted(isolation.containers.values()),
        "volumes": list(isolation.volumes),
    }
    if elsewhere:
        found["elsewhere"] = list(elsewhere)
    return found


class WorktreeInspector:
    """Looks at the worktrees of missions."""

    def __init__(self, *, locations: Locations, workspace: Workspace, registry: Registry, standings: Standings) -> None:
        self._locations = locations
        self._standings = standings
        self._workspace = workspace
        self._registry = registry

    def of(self, ids: Sequence[str] | None) -> list[Isolation]:
        """Those that have a worktree, in the order in which their missions began; of `ids` alone where those are given.

        Raises:
            OvermindError: `not_found`, `ambiguous`, `not_isolated`.
        """
        found = self._workspace.records.values() if ids is None else [self._workspace.find(text) for text in ids]
        return [one for one in found if one.branch is not None and one.worktree is not None]

    async def for_removal(
        self, found: Sequence[Isolation], gone: Mapping[str | None, Collection[str]] | None = None
    ) -> AsyncIterator[InspectedWorktree]:
        """Look through all of them, to remove one after the other.

        The branch of a live mission keeps nothing of another one, unless that began there: its agent may take it back.

        Args:
            found: Which.
            gone: Repository → its branches that are gone once the next one is asked for, or would be.
        """
        live: dict[str | None, set[str]] = {}
        for record in self._workspace.records.values():
            if record.branch is not None and self._is_worked_in(record):
                live.setdefault(record.repository, set()).add(record.branch)

        def look(one: Isolation, without: Collection[str] = ()) -> Coroutine[None, None, InspectedWorktree]:
            passing = {*without, *(live.get(one.repository, set()) - {one.base})}
            return self._inspect(one, _Wanted(sizes=False, whole=True, keep=keep_rules(one), passing=passing))

        for looked in await asyncio.gather(*map(look, found)):
            before = (gone or {}).get(looked.isolation.repository, ())
            yield await look(looked.isolation, before) if looked.depends_on(before) else looked

    def _is_worked_in(self, record: Isolation) -> bool:
        return record.mission in self._registry.live or self._workspace.guest(record) is not None

    async def inspect(
        self, found: Sequence[Isolation], *, sizes: bool = False, whole: bool = False
    ) -> list[InspectedWorktree]:
        """Look at all of them at once.

        Args:
            found: Which.
            sizes: Whether to measure them.
            whole: Whether to look through what git ignores, too. Where a mission has ended and left nothing else,
                that is done anyway.
        """
        wanted = [
            _Wanted(sizes, whole, keep_rules(one) if whole or one.mission not in self._registry.live else None)
            for one in found
        ]
        return list(await asyncio.gather(*map(self._inspect, found, wanted)))

    def is_on_the_move(self, looked: InspectedWorktree) -> bool:
        """Whether nobody could tell how it stands because it is being made or taken away, or is gone by now."""
        if not looked.problem:
            return False
        mission = looked.isolation.mission
        now = self._workspace.records.get(mission)
        return now is None or now.worktree is None or self._workspace.turn(mission).locked()

    def row(self, looked: InspectedWorktree) -> WorktreeInfo:
        """The answer's row about one."""
        one, state = looked.isolation, looked.state
        mission = self._registry.get(one.mission)
        standing = None if mission is None else self._standings.of([mission]).get(mission.id)
        return {
            "mission": one.mission,
            "name": one.name if mission is None else mission.definition.name,
            "status": None if mission is None else mission.status,
            "outcome": None if mission is None else outcome(mission, standing),
            "quest_state": None if standing is None else standing.state,
            "source": one.source,
            "path": one.worktree,
            "branch": one.branch,
            "base": one.base,
            "ahead": None if state is None else state.ahead,
            "behind": None if state is None else state.behind,
            "files": None if state is None else state.files,
            "insertions": None if state is None else state.insertions,
            "deletions": None if state is None else state.deletions,
            "dirty": None if state is None else bool(state.dirty),
            "operation": None if state is None else state.operation,
            "merged": None if state is None else state.merged,
            "elsewhere": None if state is None else looked.elsewhere(),
            "ignored": one.ignored if state is None else len(state.ignored.kept),
            "ports": self._workspace.ports.held_by(one.mission),
            "containers": looked.containers,
            "size_bytes": looked.size,
            "problem": looked.problem or None,
        }

    async def _inspect(self, one: Isolation, wanted: _Wanted) -> InspectedWorktree:
        state, size, problem = None, None, ""
        try:
            async with asyncio.timeout(PATIENCE):
                state, size = await self._locations.run(_stand, self._locations.location_of(one), wanted)
        except OvermindError as error:
            problem = error.message.rstrip(".")
        except TimeoutError:
            problem = f"{one.worktree} does not answer: a mount may be hung"
        return InspectedWorktree(one, state, size, await self._containers(one), problem)

    async def _containers(self, one: Isolation) -> dict[str, str]:
        if not one.containers:
            return {}

        def ask(engine: Engine) -> dict[str, str]:
            states = {service: engine.state(name) for service, name in one.containers.items()}
            return {
                service: (state.health or "running") if state.running else "exited" if state.exists else "gone"
                for service, state in states.items()
            }

        try:
            async with asyncio.timeout(PATIENCE):
                return await with_engine(self._workspace, one, ask)
        except (OvermindError, TimeoutError):
            return dict.fromkeys(one.containers, "unknown")
