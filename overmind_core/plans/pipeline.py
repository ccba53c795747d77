"""One live plan: what its agents report goes onto the board, a step of it decides, this saves that and acts on it.

Whatever a crash of ours interrupts is found again in the store: an agent that is `starting` is asked for once more by
the same request key, which makes no second mission; one that runs is looked at; one that was told to end is told again.

Agents that a live plan had, and has no longer: what runs of them is ended, and their attempts stay counted.

They stay in the store beside the others. Should one come back under its name, what it does now must not be taken for
what it did then, and it does not begin before that has ended.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from overmind_core.domain.missions.facts import EndAsked, Exited, Spawned
from overmind_core.domain.missions.mission import Cause, Mission, Status
from overmind_core.domain.plans import progress
from overmind_core.domain.plans.progress import ACTIVE, FINAL, AgentStage, AttemptEnd, EndReason, Node
from overmind_core.domain.plans.scheduler import PlanStep, Scheduler
from overmind_core.plans import bindings, log_lines, store
from overmind_core.plans.attempts import Attempts, request_key
from overmind_core.plans.store import PlanRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from overmind_core.daemon.app import Supervisor
    from overmind_core.domain.missions.facts import Note
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.plans.blueprint import Blueprint


class Removed:
    """Used from the loop's thread only."""

    def __init__(
        self, core: Supervisor, plan: str, nodes: Mapping[str, Node], tell_to_end: Callable[[str | None], None]
    ) -> None:
        self._core = core
        self._plan = plan
        self._nodes = dict(nodes)
        self._tell_to_end = tell_to_end

    @property
    def any_active(self) -> bool:
        """Whether anything of them runs, or may be about to."""
        return any(node.stage in ACTIVE for node in self._nodes.values())

    def put(self, name: str, node: Node) -> None:
        """This one is removed, and stands like that."""
        self._nodes[name] = node
        text = store.NODE.encode(node)
        self._core.ledger.save(lambda: self._core.state.plans.save_node(self._plan, name, text))

    def back(self, name: str) -> Node | None:
        """Where the agent stood that is part of the plan again; None when it never was before."""
        return self._nodes.pop(name, None)

    def take_up(self) -> None:
        """End what was not told to end before the supervisor died."""
        for name, node in list(self._nodes.items()):
            if node.stage in ACTIVE:
                self._settle(name, node)

    def has_begun(self, name: str, number: int, mission: Mission) -> None:
        """An attempt has become a mission, which is being ended."""
        node = self._nodes.get(name)
        if node is not None and node.attempt == number and node.stage is AgentStage.STARTING:
            self.put(name, replace(node, stage=AgentStage.STOPPING, mission=mission.id))
            self.changed(mission)

    def changed(self, mission: Mission) -> bool:
        """A mission below the plan has changed; whether it was one of these, and has ended."""
        if mission.is_live:
            return False
        mine = [name for name, node in self._nodes.items() if node.mission == mission.id and node.stage in ACTIVE]
        for name in mine:
            self.ended(name)
        return bool(mine)

    def ended(self, name: str) -> None:
        """Nothing runs of this one, and nothing will."""
        node = self._nodes.get(name)
        if node is not None and node.stage in ACTIVE:
            self.put(name, replace(node, stage=AgentStage.CANCELLED))

    def _settle(self, name: str, node: Node) -> None:
        mission = node.mission
        if node.stage is AgentStage.STARTING:
            row = self._core.state.missions.by_request(request_key(self._plan, name, node))
            mission = None if row is None else row.id
        if mission is not None and mission in self._core.book.live:
            self.put(name, replace(node, stage=AgentStage.STOPPING, mission=mission))
            self._tell_to_end(mission)
        else:
            self.ended(name)


FAILED, OK = 1, 0
"""Exit codes of a plan."""


class PlanRun:
    """Used from the loop's thread only."""

    def __init__(
        self, core: Supervisor, mission_id: str, file: str, blueprint: Blueprint, nodes: Mapping[str, Node]
    ) -> None:
        self._core = core
        self.id = mission_id
        self.file = file
        self._names = {node.mission: name for name, node in nodes.items() if node.mission is not None}
        """Mission → the agent that it is an attempt of."""
        self.attempts = Attempts(core, self)
        self._soon = False
        agents = blueprint.by_name
        gone = {name: node for name, node in nodes.items() if name not in agents}
        self._removed = Removed(core, mission_id, gone, self._tell_to_end)
        self._is_to(blueprint, nodes)

    def _is_to(self, blueprint: Blueprint, nodes: Mapping[str, Node]) -> None:
        self.board = Scheduler(blueprint, nodes)
        self.wanted = {agent.name: bindings.wanted(agent) for agent in blueprint.agents}
        """What each agent refers to."""
        self.results = {
            other
            for wanted in self.wanted.values()
            for source, other, field in wanted
            if source == "agents" and field == "result"
        }
        """Agents whose results others refer to."""

    @property
    def blueprint(self) -> Blueprint:
        """What it is."""
        return self.board.blueprint

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Where its agents stand."""
        return self.board.nodes

    def take_up(self) -> None:
        """Go on where it stood."""
        for name, node in list(self.nodes.items()):
            if node.stage is AgentStage.STARTING:
                self.attempts.begin(name)
            elif node.stage in ACTIVE:
                self.attempts.look_at(name)
        self._removed.take_up()
        self.look()

    def look(self) -> None:
        """Something has changed: decide anew, once for all that changes in this turn of the loop."""
        if not self._soon:
            self._soon = True
            asyncio.get_running_loop().call_soon(self._turn)

    def changed(self, mission: Mission) -> None:
        """A mission below the plan has changed."""
        name = self._names.get(mission.id, "")
        node = self.nodes.get(name)
        mine = node is not None and node.mission == mission.id
        if mission.is_live:
            if (
                node is not None
                and mine
                and node.stage is AgentStage.STARTING
                and not self.attempts.is_unbegun(mission)
            ):
                self.has_begun(name, node.attempt, mission)
            return
        if self._removed.changed(mission):
            self.look()
        if mine:
            self.attempts.look_at(name)

    def close(self) -> None:
        """It is over, or another supervisor goes on with it."""
        self.attempts.close()

    def again(self) -> None:
        """All of it runs anew."""
        self._put_back(self.nodes)

    def change(self, blueprint: Blueprint, again: Iterable[str]) -> None:
        """Be another plan from now on: agents come, go, and run anew where they, or what they depend on, changed."""
        names = {agent.name for agent in blueprint.agents}
        for name in self.nodes.keys() - names:
            self._remove(name)
        back = {name: node for name in names if (node := self._removed.back(name)) is not None}
        new = names - self.nodes.keys()
        self._is_to(blueprint, {name: self.nodes.get(name) or back.get(name) or Node() for name in names})
        for name in new:
            self.put(name, self.nodes[name])
        self._put_back({*again, *back})
        row = PlanRow(self.id, self.file, store.BLUEPRINT.encode(blueprint))
        self._core.ledger.save(lambda: self._core.state.plans.save(row))
        self.look()

    def _remove(self, name: str) -> None:
        """The plan has this agent no longer."""
        node = self.nodes[name]
        if _can_be_told(node):
            self._stop(name, EndReason.REMOVED)
        elif node.stage in ACTIVE:
            self.put(name, replace(node, stopped=EndReason.REMOVED))
        self._removed.put(name, self.nodes[name])

    def _put_back(self, names: Iterable[str]) -> None:
        """These run anew; one that is active ends first."""
        for name in list(names):
            node = self.nodes[name]
            if _can_be_told(node):
                self._stop(name, EndReason.AGAIN)
            elif node.stage in ACTIVE:
                self.put(name, replace(node, stopped=EndReason.AGAIN))
            elif node.stage in FINAL:
                self.put(name, progress.fresh(node))

    # what the attempts report

    def has_begun(self, name: str, number: int, mission: Mission) -> None:
        """An attempt has become a mission that runs, or is prepared; it is ended when nobody waits for it any more."""
        node = self.nodes.get(name)
        if node is None or node.attempt != number or node.stage is not AgentStage.STARTING:
            self._names[mission.id] = name
            self._removed.has_begun(name, number, mission)
            self._tell_to_end(mission.id)
            return
        if self.attempts.is_unbegun(mission):
            self._prepares(name, node, mission)
            return
        agent = self.board.agents[name]
        began = self._began(mission)
        known = replace(node, stage=AgentStage.RUNNING, mission=mission.id, started_at=began, ready=agent.ready is None)
        self._names[mission.id] = name
        self.put(name, known, log_lines.started(agent, known))
        if known.stopped is not None:
            self._stop(name, known.stopped)
        self.attempts.look_at(name)

    def _prepares(self, name: str, node: Node, mission: Mission) -> None:
        """Its attempt has not begun before what it is to have of its own is there."""
        known = replace(node, mission=mission.id)
        self._names[mission.id] = name
        if node.mission is None:
            self.put(name, known, log_lines.preparing(name, known))
        if known.stopped is not None:
            self._stop(name, known.stopped)
        if not mission.is_live:
            self.attempts.look_at(name)

    def _began(self, mission: Mission) -> float:
        """When its work began: what prepared it was no part of that."""
        run = self._core.book.runs.get(mission.id)
        if mission.definition.isolated and run is not None and run.started_at:
            return run.started_at
        return mission.started_at or mission.created_at

    def is_ready(self, name: str, mission_id: str) -> None:
        """Its probe has succeeded."""
        node = self.nodes.get(name)
        if node is not None and node.mission == mission_id and node.stage in {AgentStage.RUNNING, AgentStage.STOPPING}:
            known = replace(node, ready=True)
            took = self._core.clock.wall() - (node.started_at or self._core.clock.wall())
            self.put(name, known, log_lines.ready(name, known, took))
            self.look()

    def ended(self, name: str, end: AttemptEnd, explained: str = "") -> None:
        """An attempt is over; `explained`: why it did not even start, in words."""
        node = self.nodes.get(name)
        if node is None or node.stage not in ACTIVE:
            self._removed.ended(name)
            self.look()
            return
        self.look()  # first, so that what follows from it is in the same commit
        after = progress.ended(self.board.agents[name], node, end)
        told = replace(after, mission=node.mission, exit_code=end.exit_code, reason=end.reason, ended_at=end.at)
        self.put(name, after, log_lines.ended(name, node, told, explained))

    def put(self, name: str, node: Node, note: Note | None = None, after: Callable[[], None] | None = None) -> None:
        """Save where an agent stands; what is to be done about it follows the commit."""
        self.board.put(name, node)
        text = store.NODE.encode(node)
        self._core.ledger.save(lambda: self._core.state.plans.save_node(self.id, name, text), after)
        if note is not None:
            self.note(note)

    def note(self, note: Note) -> None:
        """Say something in the plan's own log."""
        mission = self._core.book.live.get(self.id)
        if mission is not None:
            self._core.book.note(mission, note)

    # deciding

    def _turn(self) -> None:
        self._soon = False
        mission = self._core.book.live.get(self.id)
        if mission is None:
            return
        now = self._core.book.now()
        if mission.status is Status.STARTING:
            self._core.book.tell(mission, Spawned(None, now.wall, now.mono))
        elif mission.status is Status.STOPPING:
            self._see_out(mission)
        elif mission.status is Status.RUNNING and not self._core.phase.closing:
            self._go_on(mission)

    def _see_out(self, mission: Mission) -> None:
        """It was told to end: its agents with it, unless it was killed alone."""
        assert mission.ending is not None
        if mission.ending.cause is not Cause.KILL:
            self._go_on(mission, ending=True)
            return
        self._step(ending=True)
        if not any(self._ends_soon(node) for node in self.nodes.values()):
            self._over(mission)

    def _ends_soon(self, node: Node) -> bool:
        """Whether the plan's end waits for the agent's: it is being ended too, or not known to have begun."""
        mission = None if node.mission is None else self._core.book.live.get(node.mission)
        asked_for = node.stage is AgentStage.STARTING and node.mission is None
        return asked_for or (mission is not None and mission.ending is not None)

    def _step(self, *, ending: bool) -> PlanStep:
        """What is to be done, once those are skipped that can't run any more."""
        wall = self._core.clock.wall()
        while (step := self.board.step(wall, ending=ending)).skip:
            for name, why in step.skip.items():
                node = replace(self.nodes[name], stage=AgentStage.SKIPPED, reason=why)
                self.put(name, node, log_lines.skipped(name, node))
        return step

    def _go_on(self, mission: Mission, *, ending: bool = False) -> None:
        step = self._step(ending=ending)
        for name in step.start:
            # Saved before it is asked for, without waiting for that: what is queued first is never committed later.
            self.put(name, progress.begun(self.nodes[name]))
            self.attempts.begin(name)
        for name, why in step.stop.items():
            self._stop(name, why)
        if step.over and not self._removed.any_active:
            self._over(mission)

    def _over(self, mission: Mission) -> None:
        now = self._core.book.now()
        lasted = max(0.0, now.mono - mission.run_started_mono)
        self._core.book.note(mission, log_lines.over(self.blueprint, self.nodes, lasted))
        code = OK if self.board.went_well else FAILED
        self._core.book.tell_if_legal(mission, Exited(code, now.wall, left=False), urgent=True)

    # ending agents

    def _stop(self, name: str, why: EndReason) -> None:
        node = replace(self.nodes[name], stage=AgentStage.STOPPING, stopped=why)
        self.put(name, node, log_lines.stopping(name, node, why), after=lambda: self._tell_to_end(node.mission))

    def _tell_to_end(self, mission_id: str | None) -> None:
        mission = None if mission_id is None else self._core.book.live.get(mission_id)
        if mission is not None and mission.ending is None:
            self._core.book.tell_if_legal(mission, EndAsked(Cause.STOP, mission.definition.grace), urgent=True)


def _can_be_told(node: Node) -> bool:
    """Whether there is a mission that can be told to end."""
    return node.stage is AgentStage.RUNNING or (node.stage is AgentStage.STARTING and node.mission is not None)
