"""The service of isolation: what each isolated mission has, what prepares it, and what becomes of it when it ends.

What makes and takes away is loaded with the first of them: a supervisor without any does without its memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from overmind_core.domain.isolation.isolation import Removal
from overmind_core.domain.missions.mission import Status
from overmind_core.errors import OvermindError
from overmind_core.isolation import store, stray_containers
from overmind_core.isolation.changed_lines import LineCounts
from overmind_core.isolation.preparations import Preparations, is_next, is_unfinished
from overmind_core.missions.spec import Fork

if TYPE_CHECKING:
    from overmind_core.domain.events import MissionEvent
    from overmind_core.domain.isolation.isolation import Isolation
    from overmind_core.domain.landing import KeptWork
    from overmind_core.domain.missions.mission import Definition, Mission
    from overmind_core.git.worktree_removal import RemovedWorktree
    from overmind_core.isolation.container_watch import ContainerWatch
    from overmind_core.isolation.plan import Planned
    from overmind_core.isolation.workspace import Workspace
    from overmind_core.missions.answer_types import ChangedLines, IsolationSummary
    from overmind_core.missions.changes import MissionChanged, OutputGrew
    from overmind_core.missions.service import Missions
    from overmind_core.missions.spec import MissionSpec
    from overmind_core.probes.poll import Observer

_log = logging.getLogger(__name__)
T = TypeVar("T")


_TIDIED = 20
"""Worktrees, at a start: no more than that were about to be removed when a supervisor died."""


class IsolationService:
    """Used from the loop's thread."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._preparations = Preparations(workspace, self.over)
        self._watch: ContainerWatch | None = None
        self._line_counts = LineCounts(workspace)
        self._resumed = False

    def keep_while(self, is_needed: Callable[[str], bool]) -> None:
        """An ended mission's worktree stays, untouched or not, while this holds of it; see `no_longer_needed`."""
        self._workspace.is_needed = is_needed

    def serve_while(self, is_served: Callable[[str], bool]) -> None:
        """An ended mission's services run on, and its ports stay held, while this holds of it; see `look_again`."""
        self._workspace.is_served = is_served

    def look_again(self, mission: str | None) -> None:
        """What holds of a mission in `serve_while` may be over: then what it held is let go."""
        isolation = None if mission is None else self._workspace.records.get(mission)
        if mission is None or isolation is None or isolation.ended or mission in self._workspace.registry.live:
            return
        if not self._workspace.is_served(mission):
            self._workspace.tasks.start(self.over(mission))

    def verify_while(self, is_verified: Callable[[str], bool]) -> None:
        """Say of a mission's work, while this holds of it, that merging it runs a check of its own."""
        self._workspace.is_verified = is_verified

    def no_longer_needed(self, mission: str) -> None:
        """What held of a mission in `keep_while` does not any more."""
        if mission in self._workspace.records and mission not in self._workspace.registry.live:
            self._workspace.with_guests.add(mission)
            self._workspace.tasks.start(self._guest_gone(mission))

    def bind(self, missions: Missions, observer: Observer) -> None:
        """Have these start services: the one binding that comes late, for missions are prepared by isolation."""
        self._workspace.missions = missions
        self._workspace.observer = observer

    def load(self) -> None:
        """Bring into memory what is there."""
        self._workspace.records = store.isolations(self._workspace.isolation_table.all())
        self._workspace.inherited = frozenset(self._workspace.records)
        self._workspace.find_guests()
        self._workspace.ports.load()

    def resume(self) -> None:
        """Go on with what an earlier supervisor left in the middle, and take away what nobody has any more."""
        self._resumed = True
        self._preparations.resume()
        for isolation in list(self._workspace.records.values()):
            left = not isolation.ended or isolation.removal is not Removal.NONE
            if left and isolation.mission not in self._workspace.registry.live and not is_unfinished(isolation):
                self._workspace.tasks.start(self.over(isolation.mission))
            if isolation.containers:
                self._watch_containers()
        for host in list(self._workspace.with_guests):  # its guest may have ended while nobody supervised
            self._workspace.tasks.start(self._guest_gone(host))
        self._workspace.tasks.start(stray_containers.clean(self._workspace))

    def tidy_again(self, ended_at: Callable[[str], float | None]) -> None:
        """Look once more at worktrees that were kept for what is over by now: its end may not have been seen to.

        Args:
            ended_at: Of a mission: when that was over, in seconds since the epoch; None: nothing was.
        """
        kept = [
            (when, one.mission)
            for one in self._workspace.records.values()
            if one.ended and one.ready_once and one.branch is not None and (when := ended_at(one.mission)) is not None
        ]
        for _, mission in sorted(kept, reverse=True)[:_TIDIED]:
            self.no_longer_needed(mission)

    async def suspend(self) -> None:
        """Another supervisor takes over."""
        await self._preparations.suspend()

    def close(self) -> None:
        """Wait for nobody: the next supervisor goes on."""
        self._preparations.close()

    async def planned(self, spec: MissionSpec) -> Planned | None:
        """How a mission is to be isolated; None when it is not to be."""
        if spec.isolate is False or (spec.isolate is None and not await self.has_file(spec.definition.cwd)):
            return None
        forked = spec.origin.point.mission if isinstance(spec.origin, Fork) else None
        source = None if forked is None else self._workspace.records.get(forked)
        if source is not None:
            from overmind_core.isolation import plan  # noqa: PLC0415 - see above

            return await plan.planned_copy(self._workspace, source, spec.environment.both)
        return await self.planned_in(spec.definition.cwd, spec.environment.both, base=spec.base)

    async def planned_in(self, folder: str, environ: Mapping[str, str], *, base: str | None = None) -> Planned:
        """How a mission that works in a folder would be isolated; see `plan.planned`."""
        from overmind_core.isolation import plan  # noqa: PLC0415 - see above

        return await plan.planned(self._workspace, folder, environ, base=base)

    async def record(self, planned: Planned, mission: Mission) -> Callable[[], None]:
        """Reserve what the mission is to have; see `creating.record`."""
        from overmind_core.isolation import plan  # noqa: PLC0415 - see above

        return await plan.record(self._workspace, planned, mission.id, mission.definition.name)

    async def check(self, mission: str, *, force: bool) -> None:
        """Refuse to lose work, unless `force`; see `release.check`."""
        from overmind_core.isolation import release  # noqa: PLC0415 - see above

        isolation = self._workspace.find(mission)
        if not force:
            await release.check(self._workspace, isolation)

    async def kept_work(self, mission: str) -> KeptWork | None:
        """What would be lost with a mission's worktree; None: nothing, or nobody can tell."""
        from overmind_core.isolation import release  # noqa: PLC0415 - see above

        isolation = self._workspace.records.get(mission)
        try:
            return None if isolation is None else await release.kept_work(self._workspace, isolation)
        except OvermindError as error:
            _log.debug("whether work of mission %s is kept can't be told: %s", mission, error.message)
            return None

    async def remove(self, mission: str, *, force: bool) -> None:
        """Remove everything that an ended mission has of its own."""
        await self.discard(self._workspace.find(mission), force=force)

    def begin(self, mission: str) -> None:
        """The mission and its record are saved: prepare it."""
        self._preparations.drive(mission)

    def prepare(self, mission: str) -> None:
        """The mission is to be started again, or its set-up is over."""
        self._preparations.prepare(mission)

    def drives(self, mission: Mission) -> bool:
        """Whether its next step is ours: no process of it can be there."""
        isolation = self._workspace.records.get(mission.id)
        return isolation is not None and is_next(isolation, mission)

    async def has_file(self, folder: str) -> bool:
        """Whether the project that a folder is in says how its missions are isolated."""
        return await self._workspace.projects.has_file(folder)

    def environment(self, mission_id: str) -> dict[str, str]:
        """What isolation adds to the environment of a mission."""
        return self._workspace.environment(mission_id)

    def shared(self, definition: Definition) -> dict[str, str]:
        """What a mission that has nothing of its own has from the one in whose worktree it runs."""
        return self._workspace.shared(definition)

    def project_folder(self, mission: str) -> str | None:
        """The folder that an isolated mission was started in, in its project; None: nothing is known of it."""
        isolation = self._workspace.records.get(mission)
        return None if isolation is None else isolation.project_folder

    def services_of(self, mission: str) -> Collection[str]:
        """Ids of the missions that are services of this one."""
        return self._workspace.services_of(mission)

    def shown(self, mission: str) -> IsolationSummary | None:
        """What the API tells of a mission's isolation."""
        return self._workspace.shown(mission)

    def changed_lines(self, mission: str) -> ChangedLines | None:
        """The lines that a mission has changed in a worktree of its own; None: nobody knows, or it has none."""
        return self._line_counts.of(mission)

    def step_of(self, mission: str) -> str | None:
        """The step at which its preparation is, for people."""
        return self._workspace.steps.get(mission)

    def drop(self, mission: str) -> None:
        """Nothing came of the mission: it was never saved."""
        self._workspace.drop(mission)

    def on_change(self, change: MissionChanged) -> None:
        """A state of a mission was saved."""
        self._line_counts.touch(change.current.id, is_step=True)
        self.changed(change.current)

    def on_output(self, grown: OutputGrew) -> None:
        """A run has written more: it may have changed files, too."""
        self._line_counts.touch(grown.run.partition(".")[0], is_step=False)

    def on_work(self, event: MissionEvent) -> None:
        """A turn has ended, or work was committed or has landed."""
        self._line_counts.touch(event.mission or "", is_step=True)

    def changed(self, mission: Mission) -> None:
        """A state of the mission was saved."""
        isolation = self._workspace.records.get(mission.id)
        if isolation is not None and isolation.name != mission.definition.name:
            isolation = replace(isolation, name=mission.definition.name)
            self._workspace.put(isolation)
        for host in self._workspace.hosts(mission) if self._resumed and not mission.is_live else ():
            self._workspace.tasks.start(self._guest_gone(host))
        if isolation is None or self._preparations.on_mission_changed(mission.id):
            return
        if not self._resumed:
            return  # `resume` sees to it, when all is known that may need it
        if not mission.is_live and not isolation.ended:
            self._workspace.tasks.start(self.over(mission.id))
        if isolation.containers and (mission.status is Status.RUNNING or self._workspace.is_served(mission.id)):
            self._watch_containers()

    def _watch_containers(self) -> None:
        """A mission with containers runs, or they serve what follows it."""
        if self._watch is None:
            from overmind_core.isolation.container_watch import ContainerWatch  # noqa: PLC0415 - see above

            self._watch = ContainerWatch(self._workspace)
        self._watch.begin()

    async def calm(self, missions: Iterable[str]) -> None:
        """Wait until nothing of these ended missions runs any more: services, containers, preparations."""
        known = [one for one in missions if one in self._workspace.records]
        await asyncio.gather(*(self.over(one, at_once=True) for one in known))

    async def over(self, mission: str, *, at_once: bool = False) -> None:
        """Let go of what the mission held while it lived, unless it lives again; see `release.over`."""
        from overmind_core.isolation import release  # noqa: PLC0415 - see above

        await self._preparations.done(mission)
        async with self._workspace.turn(mission):
            if not self._preparations.suspended:
                with self._preparations.needed():
                    await release.over(self._workspace, mission, at_once=at_once)

    async def _guest_gone(self, host: str) -> None:
        from overmind_core.isolation import release  # noqa: PLC0415 - see above

        async with self._workspace.turn(host):
            if not self._preparations.suspended:
                with self._preparations.needed():
                    await release.guest_gone(self._workspace, host)

    async def discard(self, isolation: Isolation, *, force: bool, is_removed: bool = False) -> RemovedWorktree | None:
        """Remove everything of an ended mission; `is_removed`: the mission itself is removed, too.

        Returns:
            What was there of its worktree, and is gone; None: it had none any more.

        Raises:
            OvermindError: `unmerged` or `dirty`, work would be lost and `force` is not set; `not_finished`.
        """
        from overmind_core.isolation import release  # noqa: PLC0415 - see above

        async with self._workspace.turn(isolation.mission):
            with self._preparations.needed():
                known = self._workspace.records.get(isolation.mission, isolation)
                return await release.discard(self._workspace, known, force=force, is_removed=is_removed)

    async def calm_all(self) -> None:
        """As `calm`, for every mission that has something of its own."""
        await self.calm(list(self._workspace.records))

    async def release(self, missions: Sequence[str]) -> list[str]:
        """These missions are removed: so is what they had of their own, but for work that would be lost.

        Returns:
            What was kept, and why, for people.
        """
        from overmind_core.isolation.release import BY_FORCE  # noqa: PLC0415 - see above

        kept: list[str] = []
        for mission in missions:
            isolation = self._workspace.records.get(mission)
            if isolation is None:
                continue
            try:
                await self.discard(isolation, force=False, is_removed=True)
            except OvermindError as error:
                _log.info("kept the resources of mission %s: %s", mission, error.message)
                what = "What" if isolation.worktree is None else f"The worktree {isolation.worktree} of"
                had = f"{isolation.name} had of its own" if isolation.worktree is None else isolation.name
                why, remove = error.message, f"overmind discard {mission} --force"
                if why.endswith(BY_FORCE):
                    why = f"{why.removesuffix(BY_FORCE)}remove it with: {remove}"
                else:
                    why = f"{why} Remove it with: {remove}"
                kept.append(f"{what} {had} is kept. {why}")
            else:
                self._workspace.forget(mission)
        return kept

    def setup(self, mission: Mission) -> Definition:
        """The definition of the run that sets the mission's project up."""
        from overmind_core.isolation.steps.services import set_up  # noqa: PLC0415 - see above

        return set_up(mission.definition, self._workspace.records[mission.id])
