"""`restart`, `stop`, `kill`, `signal`, `freeze`, `thaw`, `update`, `rm`, `prune`: what is done to missions."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from overmind_core.domain.actor import PERSON
from overmind_core.domain.landing import list_text
from overmind_core.domain.missions.facts import Frozen, Thawed
from overmind_core.domain.missions.lost import plan_again
from overmind_core.domain.missions.mission import Cause, Kind, Mission, Status
from overmind_core.domain.missions.reasons import CONVERSATION_LOST
from overmind_core.domain.missions.tree import levels
from overmind_core.errors import OvermindError
from overmind_core.kernel.actor import actor
from overmind_core.kernel.request import handles
from overmind_core.missions import answers, left_processes, validate
from overmind_core.missions.callers import forbid_foreign, forbid_inside, mission_of
from overmind_core.missions.lookup import above_live, find, find_live
from overmind_core.missions.requests import Kill, One, Prune, RestartArgs, Signal, Stop, Update
from overmind_core.missions.restarts import Restarts, ended_meanwhile
from overmind_core.missions.retention import folder_size

if TYPE_CHECKING:
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.request import Caller
    from overmind_core.missions.answer_types import (
        KilledMissions,
        LostMissions,
        MissionBrief,
        PrunedMissions,
        RemovedMission,
        RestartedMission,
        StoppedMission,
    )
    from overmind_core.missions.environment import SavedEnvironments
    from overmind_core.missions.left_processes import LeftProcesses
    from overmind_core.missions.lost import LostLookup
    from overmind_core.missions.output_progress import OutputProgress
    from overmind_core.missions.ports import MissionEdits, MissionKeeper, PlanRunner
    from overmind_core.missions.process_trees import ProcessTrees
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.retention import Retention
    from overmind_core.missions.service import Missions
    from overmind_core.missions.unseen import Unseen
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home

HAS_PROCESS = frozenset({Status.RUNNING, Status.PAUSED, Status.STOPPING})
_BY_SOMEBODY = frozenset({Cause.STOP, Cause.KILL})
"""Ends that a restart does not undo which was asked for before."""


class LifecycleApi:
    """The requests that begin, end, change and remove missions."""

    def __init__(
        self,
        *,
        home: Home,
        clock: Clock,
        registry: Registry,
        journal: Journal,
        environments: SavedEnvironments,
        unseen: Unseen,
        missions: Missions,
        restarts: Restarts,
        trees: ProcessTrees,
        progress: OutputProgress,
        retention: Retention,
        plans: PlanRunner,
        quests: MissionKeeper,
        edits: MissionEdits,
        lost: LostLookup,
        left_processes: LeftProcesses,
    ) -> None:
        self._home = home
        self._clock = clock
        self._registry = registry
        self._journal = journal
        self._environments = environments
        self._unseen = unseen
        self._missions = missions
        self._restarts = restarts
        self._trees = trees
        self._progress = progress
        self._retention = retention
        self._plans = plans
        self._quests = quests
        self._edits = edits
        self._lost = lost
        self._left_processes = left_processes

    @handles(RestartArgs)
    async def restart(self, request: RestartArgs, caller: Caller) -> RestartedMission | LostMissions:
        """Stop what runs, then start the same mission again."""
        del caller
        if request.lost and request.id is not None:
            raise OvermindError("invalid", "All lost missions, or one: --lost goes without an id.")
        if request.lost:
            return await self._restart_lost(dry_run=request.dry_run)
        if request.id is None:
            raise OvermindError("invalid", "Missing id: name a mission to restart.")
        mission = find(self._registry, request.id)
        self.check_restart(mission)
        if mission.definition.kind is Kind.BLUEPRINT:
            mission = await self._checked_plan(mission)
        if actor() == PERSON:
            self._environments.renew(mission.id, request.session_env)
        before, began = self._unseen.has_lost_conversation(mission.id), self._clock.wall()
        restarted = await self._restarts.restart(mission, fresh=request.fresh, force=request.force)
        is_new = self._unseen.has_lost_conversation(mission.id) and not before
        lost = f"{mission.definition.name}: {CONVERSATION_LOST}" if is_new else None
        answer = answers.restarted_mission(restarted)
        if (note := answers.notes([restarted] if mission.is_live else [], began, lost)) is not None:
            answer["note"] = note
        return answer

    async def _checked_plan(self, plan: Mission) -> Mission:
        """Look whether what a plan starts could begin; return it as it is then, as that takes a moment.

        Raises:
            OvermindError: as `PlanRunner.check_restart`; `not_running`, somebody has stopped or killed it meanwhile;
                as `find` and `check_restart`.
        """
        may_end = plan.is_live and _end_of(plan) not in _BY_SOMEBODY
        await self._plans.check_restart(plan, self._environments.of(plan.id).inherited)
        plan = find(self._registry, plan.id)
        if may_end and _end_of(plan) in _BY_SOMEBODY:
            raise ended_meanwhile(plan)
        self.check_restart(plan)
        return plan

    def check_restart(self, mission: Mission) -> None:
        """Refuse to start by hand what its plan or its quest starts.

        Raises:
            OvermindError: `not_finished`.
        """
        self._check_not_planned(mission)
        if (refusal := self._quests.runs_by_itself(mission)) is not None:
            raise OvermindError("not_finished", refusal)

    async def _restart_lost(self, *, dry_run: bool) -> LostMissions:
        begun, problems = [], []
        for mission in self._lost.all():
            try:
                if not dry_run:
                    await self._restarts.restart(mission)
            except OvermindError as error:  # its folder may be gone; that is no reason to leave the others
                problems.append(error.message)
            else:
                begun.append(answers.brief(mission))
        return {"missions": begun, "problems": problems}

    @handles(Stop)
    async def stop(self, request: Stop, caller: Caller) -> StoppedMission:
        """End one mission by its stop signal; answers when nothing of it lives."""
        mission = find(self._registry, request.id, live_first=True)
        forbid_foreign(self._inside(caller), mission, self._registry, "stop")
        grace = None if request.grace is None else validate.seconds(request.grace, "--grace")
        began = self._clock.wall()
        self._check_goes_on(mission, cascade=request.cascade)
        ended = await self._missions.end(mission, Cause.STOP, cascade=request.cascade, grace=grace)
        final = next((one for one in ended if one.id == mission.id), mission)
        also = [answers.brief(one) for one in ended if one.id != mission.id]
        about = answers.brief(final)
        answer: StoppedMission = {"id": about["id"], "name": about["name"], "status": final.status, "also": also}
        unsaved = self._missions.end_marks.note(one.id for one in ended)
        if (note := answers.notes(self._missions.with_agents(ended), began, unsaved)) is not None:
            answer["note"] = note
        return answer

    @handles(Kill)
    async def kill(self, request: Kill, caller: Caller) -> KilledMissions:
        """End one mission, or all, at once; answers when nothing of them lives."""
        inside = self._inside(caller)
        if request.all:
            forbid_inside(inside, "kill everything")
            ended = await self._missions.end_all(Cause.KILL, 0.0)
            self._registry.check_not_held_up(ended)
            return self._killed(ended)
        if request.id is None:
            raise OvermindError("invalid", "Missing id: name a mission to kill, or use --all.")
        mission = find(self._registry, request.id, live_first=not request.alone, alone=request.alone)
        forbid_foreign(inside, mission, self._registry, "kill")
        left = await self._left_processes.of(self._killed_with(mission, cascade=request.cascade))
        mission = find(self._registry, mission.id)  # once more: it took a moment
        self._check_goes_on(mission, cascade=request.cascade)
        was_killed = mission.is_killed
        ended = await self._missions.end(mission, Cause.KILL, cascade=request.cascade, grace=0.0)
        answer = self._killed(ended)
        if was_killed:
            answer["already"] = [mission.id]
        if left:
            answer["background"] = [line for one in left for line in one.processes]
        return answer

    def _check_goes_on(self, mission: Mission, *, cascade: bool) -> None:
        """Refuse to end what has ended, and to hide it, while its quest goes on: that would still land.

        Raises:
            OvermindError: `not_running`.
        """
        ends = self._killed_with(mission, cascade=cascade)
        if any(one in self._registry.live for one in ends) or (on := self._quests.goes_on(mission.id)) is None:
            return
        work = f"The work of mission {mission.id} ({mission.definition.name}) has ended."
        raise OvermindError("not_running", f"{work} {on}")

    def _killed_with(self, mission: Mission, *, cascade: bool) -> list[str]:
        """What ends with a mission that is killed: a plan always takes along what it has started."""
        if not cascade and mission.definition.kind is not Kind.BLUEPRINT:
            return [mission.id]
        return [one for level in levels([mission.id], self._registry.parents()) for one in level]

    def _killed(self, missions: list[Mission]) -> KilledMissions:
        answer: KilledMissions = {
            "killed": [answers.brief(one) for one in missions],
            "hidden": [one.id for one in missions if not one.is_killed],
        }
        if (note := self._missions.end_marks.note(one.id for one in missions)) is not None:
            answer["note"] = note
        return answer

    @handles(Signal)
    async def signal(self, request: Signal, caller: Caller) -> MissionBrief:
        """Send a signal to the whole tree; the mission's state is its processes' business."""
        del caller
        number = validate.signal_number(request.signal)
        mission = self._with_process(request.id)
        await self._trees.send(mission, (number,))
        return answers.brief(mission)

    @handles(One)
    async def freeze(self, request: One, caller: Caller) -> MissionBrief:
        """SIGSTOP the whole tree."""
        del caller
        mission = self._running(request.id)
        await self._progress.look()
        mission = self._running(mission.id)  # once more: it took a moment
        self._registry.apply(mission, Frozen())
        await self._journal.saved()
        mission = self._frozen(mission.id)
        await self._trees.freeze(mission)
        current = self._registry.live.get(mission.id)
        if current is not None and current.status is Status.STOPPING:
            await self._trees.thaw(mission)  # it was asked to end meanwhile, which nothing can that is frozen
        return answers.brief(self._frozen(mission.id))

    @handles(One)
    async def thaw(self, request: One, caller: Caller) -> MissionBrief:
        """SIGCONT the whole tree."""
        del caller
        mission = self._frozen(request.id)
        await self._trees.thaw(mission)
        await self._progress.look()
        mission = self._frozen(mission.id)  # once more: a signal that came while it was frozen may have ended it
        self._registry.apply(mission, Thawed(self._progress.of(mission.run_id).last))
        await self._journal.saved()
        return answers.brief(mission)

    @handles(Update)
    async def update(self, request: Update, caller: Caller) -> MissionBrief:
        """Change a mission's definition without a restart; a run that is past its new limit ends."""
        del caller
        mission = find(self._registry, request.id)
        definition = validate.updated(mission.definition, request)
        if replace(definition, labels=mission.definition.labels) != mission.definition:
            validate.check_editable(mission)
        if definition.name != mission.definition.name:
            self._missions.check_name_free(definition.name)
        self._edits.redefine(mission, definition)
        return answers.brief(await self._missions.redefine(mission, definition))

    @handles(One)
    async def rm(self, request: One, caller: Caller) -> RemovedMission:
        """Remove a finished mission's record and log."""
        del caller
        wanted = find(self._registry, request.id, alone=True)
        behind = await self._retention.left_by([one.id for one in self._missions.with_agents([wanted])])
        mission = find(self._registry, wanted.id)  # once more: it took a moment
        if mission.is_live:
            raise OvermindError("not_finished", f"{_is(mission)} Stop or kill it first.")
        plan = self._plans.name_of(mission.definition.parent)
        if plan is not None:
            raise OvermindError(
                "not_finished", f"Mission {mission.id} is part of the plan {plan}, which is still running."
            )
        removed = [mission.id, *self._agents_of(mission)]
        for one in removed:
            if (refusal := self._quests.kept_for(one, mission.definition.parent)) is not None:
                raise OvermindError("not_finished", refusal)
        above = above_live(self._registry)
        if below := [above[one] for one in removed if one in above]:
            name = mission.definition.name
            way = f"Stop it first, with all below {name}: overmind stop {mission.id} --cascade"
            raise OvermindError("not_finished", f"{_is(below[0])} It descends from {name}. {way}")
        if behind:
            raise left_processes.removal_refusal(behind, request.id)
        kept = await self._retention.remove(removed)
        if (again := self._registry.live.get(mission.id)) is not None:
            raise OvermindError("not_finished", f"{_is(again)} It was started again meanwhile. Stop or kill it first.")
        about = answers.brief(mission)
        answer: RemovedMission = {"id": about["id"], "name": about["name"]}
        if kept:
            answer["note"] = "\n".join(kept)
        return answer

    def _check_not_planned(self, mission: Mission) -> None:
        """Refuse to start an ended agent beside its live plan, which would not know of it, and run it once more."""
        plan = None if mission.is_live else self._plans.name_of(mission.definition.parent)
        if plan is not None:
            file = self._plans.file_of(mission.definition.parent)
            again = plan_again(plan, file or "FILE")
            message = (
                f"Mission {mission.id} ({mission.definition.name}) is part of the plan {plan}, which is still running."
            )
            raise OvermindError("not_finished", f"{message} Run it again with: {again}")

    def _agents_of(self, plan: Mission) -> list[str]:
        """The missions that a plan has started as its agents; none of another mission.

        Raises:
            OvermindError: `not_finished`, one of them runs again.
        """
        if plan.definition.kind is not Kind.BLUEPRINT:
            return []
        agents = [one for one, parent in self._registry.parents().items() if parent == plan.id]
        for one in agents:
            if (live := self._registry.live.get(one)) is not None:
                message = (
                    f"Mission {one} ({live.definition.name}) of this plan is {live.status}. Stop or kill it first."
                )
                raise OvermindError("not_finished", message)
        return agents

    @handles(Prune)
    async def prune(self, request: Prune, caller: Caller) -> PrunedMissions:
        """Remove all missions that ended long enough ago, or only list them; those that something needs stay."""
        del caller
        now = self._clock.wall()
        as_of = now if request.as_of is None else min(request.as_of, now)
        ended = self._registry.finished_before(as_of - validate.seconds(request.older, "--older"))
        waiting = [row.name for row in ended if self._retention.is_asked_about(row.id, None)]
        above = above_live(self._registry)
        elders = [row.name for row in ended if row.id in above]
        unneeded = self._retention.unneeded(ended)
        behind = await self._retention.left_by([row.id for row in unneeded])
        left = {one.mission for one in behind}
        rows = [row for row in unneeded if row.id not in left]
        ids = [row.id for row in rows]
        size = await asyncio.to_thread(lambda: sum(folder_size(f"{self._home.logs}/{one}") for one in ids))
        kept = left_processes.kept(behind)
        if waiting:
            kept.append(f"Kept, as they wait for your answer: {list_text(waiting)}. See: overmind inbox")
        if elders:
            kept.append(f"Kept, as missions below them live: {list_text(elders)}. See: overmind ps --all --tree")
        if not request.dry_run:
            kept += await self._retention.remove(ids)
            # One may have been started meanwhile, or something below it.
            rows = [row for row in rows if self._registry.get(row.id) is None]
        answer: PrunedMissions = {
            "missions": [{"id": row.id, "name": row.name} for row in rows],
            "bytes": size,
            "as_of": as_of,
        }
        if kept:
            answer["note"] = "\n".join(kept)
        return answer

    def _inside(self, caller: Caller) -> str | None:
        return mission_of(caller, self._registry, self._home.root)

    def _with_process(self, text: str) -> Mission:
        mission = find_live(self._registry, text)
        if mission.status not in HAS_PROCESS or mission.pid is None:
            raise OvermindError("not_running", f"{_is(mission)} It has no process right now.")
        return mission

    def _running(self, text: str) -> Mission:
        mission = self._with_process(text)
        if mission.status is not Status.RUNNING:
            raise OvermindError("paused" if mission.status is Status.PAUSED else "not_running", _is(mission))
        return mission

    def _frozen(self, text: str) -> Mission:
        mission = self._with_process(text)
        if mission.status is not Status.PAUSED:
            raise OvermindError("not_running", f"{_is(mission)} It is not frozen.")
        return mission


def _end_of(mission: Mission) -> Cause | None:
    """Why its newest run ends, or has ended; None: it does not."""
    return mission.ended_by if mission.ending is None else mission.ending.cause


def _is(mission: Mission) -> str:
    return f"Mission {mission.id} ({mission.definition.name}) is {mission.status}."
