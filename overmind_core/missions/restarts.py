"""Restarts that somebody asks for: what runs is stopped, then the same mission starts again.

A stop or a kill that comes after the restart was asked for overrides it: the mission is not started again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.missions.facts import EndAsked, StartAsked
from overmind_core.domain.missions.mission import FINAL, Cause, Mission, Status
from overmind_core.domain.missions.run_end import FENCED
from overmind_core.errors import OvermindError
from overmind_core.missions.leases import MissionFenced

if TYPE_CHECKING:
    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.leases import Leases
    from overmind_core.missions.ports import Preparer, Runner
    from overmind_core.missions.registry import Registry


class Restarts:
    """Used from the loop's thread."""

    def __init__(
        self, *, registry: Registry, journal: Journal, leases: Leases, runner: Runner, preparer: Preparer
    ) -> None:
        self._registry = registry
        self._journal = journal
        self._leases = leases
        self._runner = runner
        self._preparer = preparer
        self._waiting: dict[str, set[object]] = {}
        """Mission → the restarts that wait for its end, and still start it then."""
        registry.on_end_asked.append(self._override)

    def _override(self, mission_id: str) -> None:
        """Somebody ends this mission: restarts that were asked for before start it no more."""
        self._waiting.pop(mission_id, None)

    async def restart(self, mission: Mission, *, fresh: bool = False, force: bool = False) -> Mission:
        """Stop what runs, then start the same mission again; `fresh`: with a new worktree, ports and services.

        Raises:
            OvermindError: `name_taken`; `forbidden` when a limit of it is used up; `fenced` when its lease has ended;
                `not_isolated`, `dirty` or `unmerged` where it is to be fresh; why it could not start, as
                `cwd_not_found`, where it has ended so; `swarm_silent`, it begins anew once the swarm answers;
                `not_running`, somebody has ended it meanwhile.
        """
        mission = self._registry.get(mission.id) or mission
        spent = self._runner.spent(mission)
        if spent is not None:
            raise OvermindError("forbidden", spent.sentence)
        self._check_lease(mission)
        if fresh:
            await self._remove_own(mission, force=force)
            mission = self._registry.get(mission.id) or mission
        if mission.is_live:
            mission = await self._ended(mission, Cause.RESTART)
        if mission.status in FINAL:
            self._check_lease(mission)
            self._check_own_name_free(mission)
            self._runner.check_alone(mission)
            mission = self._registry.apply(mission, StartAsked())
        await self._journal.saved()
        await self._registry.until(mission.id, lambda now: now.status is not Status.STARTING)
        begun = self._registry.get(mission.id) or mission
        self._check_begun(begun)
        return begun

    async def _ended(self, mission: Mission, cause: Cause) -> Mission:
        """Have what runs end; return the mission once it has, or has another run.

        Raises:
            OvermindError: `swarm_silent`; `not_running`, somebody has stopped or killed it meanwhile.
        """
        number, ours = mission.run, object()
        self._registry.apply(mission, EndAsked(cause, mission.definition.grace), urgent=cause is Cause.STOP)
        self._waiting.setdefault(mission.id, set()).add(ours)
        try:
            mission = await self._registry.ended_or_held_up(mission.id, run=number)
            is_overridden = ours not in self._waiting.get(mission.id, ())
        finally:
            waiting = self._waiting.get(mission.id, set())
            waiting.discard(ours)
            if not waiting:
                self._waiting.pop(mission.id, None)
        if mission.is_live and mission.run == number:
            self._registry.check_not_held_up([mission])
        if is_overridden and not mission.is_live:
            raise ended_meanwhile(mission)
        return mission

    def _check_lease(self, mission: Mission) -> None:
        if mission.reason == FENCED or self._leases.has_ended(mission):
            raise MissionFenced(mission)

    def _check_begun(self, mission: Mission) -> None:
        """Refuse one whose newest run could not start: there is none with that number, though others may follow."""
        if mission.status not in {Status.CRASHED, Status.RESTARTING} or mission.reason is None:
            return
        run = self._registry.newest_run(mission.id)
        if run is None or run.number != mission.run:
            about = f"{mission.id} ({mission.definition.name})"
            again = ", and is tried again" if mission.status is Status.RESTARTING else ""
            message = f"Mission {about} could not start{again}. See: overmind logs {mission.id}"
            raise OvermindError(mission.reason, message)

    async def _remove_own(self, mission: Mission, *, force: bool) -> None:
        """End it, and remove what it has of its own: it gets all of that anew, unless it can't be started again."""
        await self._preparer.check(mission.id, force=force)
        if mission.is_live:
            await self._ended(mission, Cause.STOP)
            await self._preparer.calm([mission.id])
        ended = self._registry.get(mission.id) or mission
        if not ended.is_live:
            self._check_own_name_free(ended)
        await self._preparer.remove(mission.id, force=force)

    def _check_own_name_free(self, mission: Mission) -> None:
        holder = self._registry.index.holder(mission.definition.name)
        if holder is not None:
            name = mission.definition.name
            if holder == mission.id:
                message = f"The queue starts quest {mission.id} ({name}). See: overmind quest why {name}"
                raise OvermindError("not_running", message)
            raise OvermindError(
                "name_taken", f"A live mission has the name {name!r} now. Rename one of them: overmind update --name"
            )


def ended_meanwhile(mission: Mission) -> OvermindError:
    """The refusal of a restart that was asked for before somebody stopped or killed the mission."""
    about = f"{mission.id} ({mission.definition.name})"
    return OvermindError("not_running", f"Mission {about} was ended meanwhile, and is not started again.")
