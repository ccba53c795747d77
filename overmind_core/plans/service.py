"""All live plans, and what reaches them: their own missions' lives, and the ends of those below them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.missions.mission import Kind, Mission
from overmind_core.domain.plans.progress import Node
from overmind_core.plans import store
from overmind_core.plans.pipeline import PlanRun

if TYPE_CHECKING:
    from overmind_core.daemon.app import Supervisor
    from overmind_core.domain.plans.blueprint import Blueprint
    from overmind_core.missions.changes import MissionChanged


class Plans:
    """Used from the loop's thread only; `live` is to be read."""

    def __init__(self, core: Supervisor) -> None:
        self._core = core
        self.live: dict[str, PlanRun] = {}
        self._adopted: set[str] = set()

    def load(self) -> None:
        """Take up what the store says is live."""
        for mission in list(self._core.book.live.values()):
            if mission.definition.kind is Kind.BLUEPRINT and (pipeline := self.stored(mission.id)) is not None:
                self._put(pipeline)
                pipeline.take_up()

    def named(self, name: str) -> PlanRun | None:
        """The live plan of this name."""
        mission = self._core.book.roster.holder(name)
        return None if mission is None else self.live.get(mission)

    def stored(self, mission_id: str) -> PlanRun | None:
        """A plan as the store has it; None when the mission is none."""
        self._core.ledger.flush()
        row = self._core.state.plans.get(mission_id)
        if row is None:
            return None
        blueprint = store.BLUEPRINT.decode(row.blueprint)
        known = {name: store.NODE.decode(text) for name, text in self._core.state.plans.nodes(mission_id).items()}
        nodes = {**{agent.name: Node() for agent in blueprint.agents}, **known}
        return PlanRun(self._core, mission_id, row.file, blueprint, nodes)

    def create(self, mission_id: str, file: str, blueprint: Blueprint) -> PlanRun:
        """A new plan; its mission is about to be saved."""
        pipeline = PlanRun(self._core, mission_id, file, blueprint, {agent.name: Node() for agent in blueprint.agents})
        self._put(pipeline)
        return pipeline

    def adopt(self, pipeline: PlanRun) -> None:
        """A plan that had ended is about to run again: what has been put back of it."""
        self._adopted.add(pipeline.id)
        self._put(pipeline)

    def forget(self, mission_id: str) -> None:
        """It could not be saved."""
        self.live.pop(mission_id, None)
        self._tell_need()

    def begin(self, mission: Mission) -> None:
        """Another run of a plan was asked for: of one that was adopted it is known what, else all of it."""
        pipeline = self.live.get(mission.id) or self.stored(mission.id)
        if pipeline is None:
            return
        self._put(pipeline)
        if mission.id not in self._adopted:
            pipeline.again()
        self._adopted.discard(mission.id)
        pipeline.take_up()

    def id_of(self, name: str) -> str | None:
        """The id of the plan of this name that runs."""
        plan = self.named(name)
        return None if plan is None else plan.id

    def name_of(self, mission_id: str | None) -> str | None:
        """The name of the blueprint of a plan that runs; None for every other mission."""
        plan = None if mission_id is None else self.live.get(mission_id)
        return None if plan is None else plan.blueprint.name

    def on_change(self, change: MissionChanged) -> None:
        """A state of a mission was saved."""
        self.changed(change.current)

    def changed(self, mission: Mission) -> None:
        """A mission has changed: a plan, or perhaps an agent of one."""
        pipeline = self.live.get(mission.id)
        if pipeline is not None:
            if mission.is_live:
                pipeline.look()
            else:
                self.live.pop(mission.id).close()
                self._tell_need()
        elif mission.definition.parent in self.live:
            self.live[mission.definition.parent].changed(mission)

    def _put(self, pipeline: PlanRun) -> None:
        self.live[pipeline.id] = pipeline
        self._tell_need()

    def _tell_need(self) -> None:
        self._core.custody.need("plans", on=bool(self.live))

    def close(self) -> None:
        """Another supervisor goes on."""
        for pipeline in self.live.values():
            pipeline.close()
