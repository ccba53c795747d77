"""A run of a plan: what its agents report goes into the scheduler, a step of it decides, this saves and acts.

Whatever a crash of ours interrupts is found again in the store: an agent that is `starting` is asked for once more by
the same request key, which makes no second mission; one that runs is looked at; one that was asked to end is asked
again.

Agents that were removed from a live plan are ended, and their attempts stay counted. They stay in the store beside the
others: should one come back under its name, what it does now must not be taken for what it did then, and it does not
begin before that has ended.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from overmind_core.domain.missions.facts import EndAsked, Exited, Spawned
from overmind_core.domain.missions.mission import UNFORGIVING, Cause, Ending, Mission, Status
from overmind_core.domain.plans import progress
from overmind_core.domain.plans.progress import (
    ACTIVE,
    BEHIND,
    FINAL,
    NOT_POSTED,
    AgentProgress,
    AgentStage,
    AttemptEnd,
    EndReason,
    PlanEnding,
)
from overmind_core.errors import FAILED
from overmind_core.plans import log_lines, store
from overmind_core.plans.attempt_start import request_key
from overmind_core.plans.state import PlanState
from overmind_core.plans.store import PlanRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from overmind_core.domain.events import MissionEvent
    from overmind_core.domain.plans.blueprint import Blueprint
    from overmind_core.domain.plans.progress import AgentPost
    from overmind_core.domain.plans.scheduler import PlanStep
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.phase import Phase
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.plans.attempts import AttemptListener, Attempts
    from overmind_core.plans.store import PlanTable
    from overmind_core.system.machine import Clock

_BEGUN = frozenset({AgentStage.RUNNING, AgentStage.STOPPING})
ENDED_LATER = "Its agents on other hives are ended once the swarm answers."
CLEAN_UP_SECONDS = 300.0
"""How long what cleans up may go on, after the grace, once a plan is being ended."""


def plan_ending(ending: Ending, now: float) -> tuple[PlanEnding, float]:
    """How a plan is to end at `now` (monotonic seconds), and for how many seconds that holds."""
    left = ending.deadline_mono + CLEAN_UP_SECONDS - now
    orderly = ending.cause not in UNFORGIVING and left > 0
    return (PlanEnding.ORDERLY, left) if orderly else (PlanEnding.AT_ONCE, 0.0)


class RemovedAgents:
    """Agents that a live plan had, and has no longer. Used from the loop's thread only."""

    def __init__(
        self,
        plan: str,
        nodes: Mapping[str, AgentProgress],
        *,
        registry: Registry,
        missions: Missions,
        save: Callable[[str, AgentProgress], None],
        stop: Callable[[str | None], None],
        end_post: Callable[[str, AgentPost], None],
    ) -> None:
        """`save` stores where one stands; `stop` tells a mission to end, `end_post` the post of an agent."""
        self._registry = registry
        self._missions = missions
        self._plan = plan
        self._nodes = dict(nodes)
        self._save = save
        self._stop = stop
        self._end_post = end_post

    @property
    def active(self) -> list[AgentProgress]:
        """Those of which anything runs, or may be about to."""
        return [node for node in self._nodes.values() if node.stage in ACTIVE]

    def put(self, name: str, node: AgentProgress) -> None:
        """This one is removed, and stands like that."""
        self._nodes[name] = node
        self._save(name, node)

    def restore(self, name: str) -> AgentProgress | None:
        """Where the agent stood that is part of the plan again; None when it never was before."""
        return self._nodes.pop(name, None)

    def resume(self) -> None:
        """End what was not asked to end before the daemon died."""
        for name, node in list(self._nodes.items()):
            if node.stage in ACTIVE:
                self._resume_one(name, node)

    def on_start(self, name: str, number: int, mission: Mission) -> None:
        """An attempt has become a mission, which is being ended."""
        node = self._nodes.get(name)
        if node is not None and node.attempt == number and node.stage is AgentStage.STARTING:
            self.put(name, replace(node, stage=AgentStage.STOPPING, mission=mission.id))
            self.on_change(mission)

    def on_post(self, name: str, post: AgentPost) -> None:
        """An attempt that is a post stands so; one that is there is being ended."""
        node = self._nodes.get(name)
        if node is None or node.stage not in ACTIVE or node.post is None or node.post.id != post.id:
            return
        is_new = node.stage is AgentStage.STARTING
        self.put(name, replace(node, stage=AgentStage.STOPPING, post=post))
        if is_new:
            self._end_post(name, post)

    def on_change(self, mission: Mission) -> bool:
        """A mission below the plan has changed; whether it was one of these, and has ended."""
        if mission.is_live:
            return False
        mine = [name for name, node in self._nodes.items() if node.mission == mission.id and node.stage in ACTIVE]
        for name in mine:
            self.on_end(name)
        return bool(mine)

    def on_end(self, name: str) -> None:
        """Nothing runs of this one, and nothing will."""
        node = self._nodes.get(name)
        if node is not None and node.stage in ACTIVE:
            self.put(name, replace(node, stage=AgentStage.CANCELLED))

    def _resume_one(self, name: str, node: AgentProgress) -> None:
        mission = node.mission
        if node.post is not None:
            self.put(name, replace(node, stage=AgentStage.STOPPING))
            self._end_post(name, node.post)
            return
        if node.stage is AgentStage.STARTING:
            begun = self._missions.by_request(request_key(self._plan, name, node))
            mission = None if begun is None else begun.id
        if mission is not None and mission in self._registry.live:
            self.put(name, replace(node, stage=AgentStage.STOPPING, mission=mission))
            self._stop(mission)
        else:
            self.on_end(name)


class PlanRun:
    """One live plan. Used from the loop's thread only."""

    def __init__(
        self,
        state: PlanState,
        removed: Mapping[str, AgentProgress],
        *,
        journal: Journal,
        clock: Clock,
        phase: Phase,
        registry: Registry,
        missions: Missions,
        plan_table: PlanTable,
        attempts: Callable[[PlanState, AttemptListener], Attempts],
    ) -> None:
        """`removed`: agents that it had before, and where they stand; `attempts` makes what carries its agents out."""
        self._journal = journal
        self._clock = clock
        self._phase = phase
        self._registry = registry
        self._plan_table = plan_table
        self.state = state
        self.id = state.id
        self._names = {
            node.mission: name for name, node in (*state.nodes.items(), *removed.items()) if node.mission is not None
        }
        """Mission → the agent that it is an attempt of."""
        self._concluded: set[str] = set()
        """Newest runs of missions whose end was taken in before it was saved."""
        self._attempts = attempts(state, self)
        self._scheduled = False
        self._timer: asyncio.TimerHandle | None = None
        """Of the next thing that is due by itself."""
        self._removed = RemovedAgents(
            self.id,
            removed,
            registry=registry,
            missions=missions,
            save=self._save,
            stop=self._stop_mission,
            end_post=self._attempts.end_post,
        )

    @property
    def blueprint(self) -> Blueprint:
        """What it is."""
        return self.state.blueprint

    @property
    def nodes(self) -> Mapping[str, AgentProgress]:
        """Where its agents stand."""
        return self.state.nodes

    def resume(self) -> None:
        """Go on where it stood."""
        for name, node in list(self.nodes.items()):
            if node.stage is AgentStage.STARTING:
                self._attempts.begin(name)
            elif node.stage in ACTIVE:
                self._attempts.check(name)
        self._removed.resume()
        self.schedule()

    def schedule(self) -> None:
        """Something has changed: decide anew, once for all that changes in this turn of the loop."""
        if not self._scheduled:
            self._scheduled = True
            self._journal.decide(self._decide)

    def on_unsaved_end(self, mission: Mission) -> None:
        """A mission below the plan has ended; whoever comes next is saved together with that, unless it takes long."""
        name = self._names.get(mission.id, "")
        node = self.nodes.get(name)
        if node is None or node.mission != mission.id or node.stage not in _BEGUN:
            return
        if self._attempts.conclude_now(name, mission):
            self._concluded.add(mission.run_id)

    def on_change(self, mission: Mission) -> None:
        """A mission below the plan has changed."""
        if mission.run_id in self._concluded and not mission.is_live:
            self._concluded.discard(mission.run_id)
            return
        name = self._names.get(mission.id, "")
        node = self.nodes.get(name)
        mine = node is not None and node.mission == mission.id
        if mission.is_live:
            if (
                node is not None
                and mine
                and node.stage is AgentStage.STARTING
                and not self._attempts.is_preparing(mission)
            ):
                self.on_start(name, node.attempt, mission)
            return
        if self._removed.on_change(mission):
            self.schedule()
        if mine:
            self._attempts.check(name)

    def close(self) -> None:
        """It is over, or another daemon goes on with it."""
        self._set_timer(None)
        self._attempts.close()
        self._registry.hold_up(self.id, None)

    def restart(self) -> None:
        """All of it runs anew."""
        self._reset(self.nodes)

    def change(self, blueprint: Blueprint, again: Iterable[str]) -> None:
        """Be another plan from now on: agents come, go, and run anew where they, or what they depend on, changed."""
        names = {agent.name for agent in blueprint.agents}
        for name in self.nodes.keys() - names:
            self._remove_agent(name)
        back = {name: node for name in names if (node := self._removed.restore(name)) is not None}
        new = names - self.nodes.keys()
        self.state.become(
            blueprint, {name: self.nodes.get(name) or back.get(name) or AgentProgress() for name in names}
        )
        self._attempts.forget_ahead()
        for name in new:
            self.put(name, self.nodes[name])
        self._reset({*again, *back})
        row = PlanRow(self.id, self.state.file, store.BLUEPRINT.encode(blueprint))
        self._journal.save(lambda: self._plan_table.save(row))
        self.schedule()

    def count_as_served(self, names: Iterable[str]) -> None:
        """These services ended only as the plan did, and nobody needs them once more."""
        for name in self.nodes.keys() & names:
            self.put(name, progress.served(self.nodes[name]))

    def keep(self, names: Iterable[str]) -> None:
        """These stand as an earlier run has left them while the others run again."""
        for name in names:
            if self.nodes[name].stage in FINAL:
                self.put(name, replace(self.nodes[name], kept=True))

    def _remove_agent(self, name: str) -> None:
        """The plan has this agent no longer."""
        node = self.nodes[name]
        if _can_be_stopped(node):
            self._stop(name, EndReason.REMOVED)
        elif node.stage in ACTIVE:
            self.put(name, replace(node, stopped=EndReason.REMOVED))
        elif progress.waiting_attempt(node) is not None:
            left = progress.given_up(node, EndReason.REMOVED.value)
            self.put(name, left, log_lines.skipped(name, node, left, EndReason.REMOVED.value))
        self._removed.put(name, self.nodes[name])

    def _reset(self, names: Iterable[str]) -> None:
        """These run anew; one that is active ends first."""
        for name in list(names):
            node = self.nodes[name]
            if _can_be_stopped(node):
                self._stop(name, EndReason.AGAIN)
            elif node.stage in ACTIVE:
                self.put(name, replace(node, stopped=EndReason.AGAIN))
            elif node.stage in FINAL:
                self.put(name, progress.run_again(node))

    # reports of its attempts

    def on_start(self, name: str, number: int, mission: Mission) -> None:
        """An attempt has become a mission that runs, or is prepared; it is ended when nobody waits for it any more."""
        node = self.nodes.get(name)
        if node is None or node.attempt != number or node.stage is not AgentStage.STARTING:
            self._names[mission.id] = name
            self._removed.on_start(name, number, mission)
            self._stop_mission(mission.id)
            return
        if self._attempts.is_preparing(mission):
            self._on_preparing(name, node, mission)
            return
        agent = self.state.agents[name]
        began = self._start_time(mission)
        known = replace(node, stage=AgentStage.RUNNING, mission=mission.id, started_at=began, ready=agent.ready is None)
        self._names[mission.id] = name
        self.put(name, known, log_lines.started(agent, known))
        if known.stopped is not None:
            self._stop(name, known.stopped)
        plan = self._registry.live.get(self.id)
        ending = plan is None or plan.ending is not None
        if ending or not mission.is_live or self.state.scheduler.is_start_of_interest(name):
            self._attempts.check(name)

    def on_post(self, name: str, post: AgentPost, *, has_begun: bool = False) -> None:
        """An attempt is a post of the swarm, and stands so; it is ended when nobody waits for it any more."""
        node = self.nodes.get(name)
        if node is None or node.stage not in ACTIVE or node.post is None or node.post.id != post.id:
            self._removed.on_post(name, post)
            return
        agent = self.state.agents[name]
        is_new = node.post.state in NOT_POSTED and post.state not in NOT_POSTED
        known = replace(node, post=post)
        if is_new:
            self.put(name, known, log_lines.posted(agent, known))
        if has_begun and known.started_at is None:
            stage = AgentStage.RUNNING if node.stage is AgentStage.STARTING else node.stage
            known = replace(known, stage=stage, started_at=self._clock.wall(), ready=agent.ready is None)
            self.put(name, known, log_lines.started(agent, known))
        elif not is_new:
            self.put(name, known)
        if known.stopped is not None and (is_new or post.state == BEHIND):
            self._stop(name, known.stopped)
        self.schedule()

    def _look_ahead(self, name: str) -> None:
        """The keeper starts an agent: whatever can be known of those behind it is worked out while nobody waits."""
        node = self.nodes.get(name)
        if node is not None and node.stage in ACTIVE:
            for other in self.state.scheduler.next_behind(name):
                self._attempts.look_ahead(other)

    def _on_preparing(self, name: str, node: AgentProgress, mission: Mission) -> None:
        """Its attempt has not begun before what it is to have of its own is there."""
        known = replace(node, mission=mission.id)
        self._names[mission.id] = name
        if node.mission is None:
            self.put(name, known, log_lines.preparing(name, known))
        if known.stopped is not None:
            self._stop(name, known.stopped)
        if not mission.is_live:
            self._attempts.check(name)

    def _start_time(self, mission: Mission) -> float:
        """When its work began: what prepared it was no part of that."""
        run = self._registry.runs.get(mission.id)
        if mission.definition.isolated and run is not None and run.started_at:
            return run.started_at
        return mission.started_at or mission.created_at

    def on_ready(self, name: str, mission_id: str) -> None:
        """Its probe has succeeded."""
        node = self.nodes.get(name)
        if node is not None and node.mission == mission_id and node.stage in {AgentStage.RUNNING, AgentStage.STOPPING}:
            known = replace(node, ready=True)
            took = self._clock.wall() - (node.started_at or self._clock.wall())
            self.put(name, known, log_lines.ready(name, known, took))
            self.schedule()

    def on_end(self, name: str, end: AttemptEnd, explained: str = "") -> None:
        """An attempt is over; `explained`: why it did not even start, in words."""
        node = self.nodes.get(name)
        if node is None or node.stage not in ACTIVE:
            self._removed.on_end(name)
            self.schedule()
            return
        self.schedule()  # first, so that what follows from it is in the same commit
        after = progress.ended(self.state.agents[name], node, end)
        plan = self._registry.live.get(self.id)
        if plan is not None and plan.ending is not None:
            after = progress.ended_beside_its_plan(self.state.agents[name], after)
        ended = replace(
            after,
            mission=node.mission,
            exit_code=end.exit_code,
            reason=end.reason,
            ended_at=end.at,
            run_reason=end.run_reason,
            limit=end.limit,
        )
        self.put(name, after, log_lines.ended(self.state.agents[name], node, ended, explained))

    def put(
        self, name: str, node: AgentProgress, event: MissionEvent | None = None, after: Callable[[], None] | None = None
    ) -> None:
        """Save where an agent stands; what is to be done about it follows the commit."""
        self.state.scheduler.put(name, node)
        self._save(name, node, after)
        if event is not None:
            self.record(event)

    def record(self, event: MissionEvent) -> None:
        """Say something in the plan's own log."""
        mission = self._registry.live.get(self.id)
        if mission is not None:
            self._registry.record(mission, event)

    def _save(self, name: str, node: AgentProgress, after: Callable[[], None] | None = None) -> None:
        text = store.NODE.encode(node)
        self._journal.save(lambda: self._plan_table.save_node(self.id, name, text), after)

    # deciding

    def _decide(self) -> None:
        self._scheduled = False
        mission = self._registry.live.get(self.id)
        if mission is None:
            return
        now = self._registry.now()
        if mission.status is Status.STARTING:
            self._registry.apply(mission, Spawned(None, now.wall, now.mono))
        elif mission.status is Status.STOPPING:
            self._wind_down(mission)
            self._registry.hold_up(mission.id, self._held_up_by())
        elif mission.status is Status.RUNNING and not self._phase.closing:
            self._advance(mission)

    def _wind_down(self, mission: Mission) -> None:
        """It was asked to end: its agents with it, after what cleans up."""
        assert mission.ending is not None
        if mission.ending.cause not in UNFORGIVING:
            ending, left = plan_ending(mission.ending, self._clock.mono())
            self._advance(mission, ending, left)
            return
        self._step(PlanEnding.AT_ONCE)
        for name, node in list(self.nodes.items()):  # missions are killed by who kills the plan
            if node.post is not None and _can_be_stopped(node):
                self._stop(name, EndReason.CANCEL)
        if not any(self._delays_end(node) for node in self.nodes.values()):
            self._let_go()
            self._finish(mission)

    def _let_go(self) -> None:
        """Their hives end the posts of which the swarm knows that they are to end: nobody waits for that."""
        for name, node in list(self.nodes.items()):
            if node.post is not None and node.stage in ACTIVE:
                self.put(name, replace(node, stage=AgentStage.CANCELLED, reason=EndReason.CANCEL.value))

    def _held_up_by(self) -> str | None:
        """Why it can't end yet, where all that is left of it are posts and the swarm does not answer; else None."""
        unanswered = self._attempts.unanswered
        if not unanswered:
            return None
        left = [*(node for node in self.nodes.values() if node.stage in ACTIVE), *self._removed.active]
        why = ["" if node.post is None else unanswered.get(node.post.id, "") for node in left]
        return f"{why[0].rstrip('.')}. {ENDED_LATER}" if why and all(why) else None

    def _delays_end(self, node: AgentProgress) -> bool:
        """Whether the plan's end waits for the agent's: it is being ended too, has ended, or may be about to begin."""
        if node.stage not in ACTIVE:
            return False
        if node.post is not None:
            return not node.post.is_ending
        if node.mission is None:
            return node.stage is AgentStage.STARTING
        mission = self._registry.live.get(node.mission)
        return mission is None or mission.ending is not None

    def _unreachable(self) -> frozenset[str]:
        """Those that can't be ended now: posts, while the swarm does not answer."""
        unanswered = self._attempts.unanswered
        if not unanswered:
            return frozenset()
        return frozenset(name for name, node in self.nodes.items() if node.post and node.post.id in unanswered)

    def _step(self, ending: PlanEnding) -> PlanStep:
        """What is to be done, once those are skipped that can't run any more."""
        wall = self._clock.wall()
        while (step := self.state.scheduler.step(wall, ending=ending, unreachable=self._unreachable())).skip:
            for name, why in step.skip.items():
                node = progress.given_up(self.nodes[name], why)
                self.put(name, node, log_lines.skipped(name, self.nodes[name], node, why))
        return step

    def _advance(
        self, mission: Mission, ending: PlanEnding = PlanEnding.NONE, seconds_left: float | None = None
    ) -> None:
        """Do what is to be done now; look again when something else is due, in `seconds_left` at the latest."""
        step = self._step(ending)
        for name in step.start:
            # Saved before it is asked for, without waiting for that: what is queued first is never committed later.
            node = progress.begun(self.nodes[name], self._attempts.new_post(name))
            self.put(name, node, after=partial(self._look_ahead, name))
            self._attempts.begin(name, is_new=True)
        for name, why in step.stop.items():
            self._stop(name, why)
        if step.over and not self._removed.active:
            self._finish(mission)
            return
        waits = [] if seconds_left is None or seconds_left <= 0 else [seconds_left]
        if step.look_again is not None:  # which may have come while this was done
            waits.append(max(step.look_again - self._clock.wall(), 0.0))
        self._set_timer(min(waits, default=None))

    def _set_timer(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else asyncio.get_running_loop().call_later(seconds, self.schedule)

    def _finish(self, mission: Mission) -> None:
        now = self._registry.now()
        lasted = max(0.0, now.mono - mission.run_started_mono)
        self._registry.record(mission, log_lines.over(self.blueprint, self.nodes, lasted, self.state.file))
        # Whoever ends it before its time does not get all of it, also where nothing of it ran just then.
        code = 0 if self.state.scheduler.went_well and mission.ending is None else FAILED
        self._registry.apply_if_legal(mission, Exited(code, now.wall, left=False), urgent=True)

    # ending agents

    def _stop(self, name: str, why: EndReason) -> None:
        node = replace(self.nodes[name], stage=AgentStage.STOPPING, stopped=why)
        self.put(name, node, log_lines.stopping(name, node, why), after=lambda: self._stop_attempt(name, node))

    def _stop_attempt(self, name: str, node: AgentProgress) -> None:
        if node.post is not None:
            self._attempts.end_post(name, node.post)
        else:
            self._stop_mission(node.mission)

    def _stop_mission(self, mission_id: str | None) -> None:
        mission = None if mission_id is None else self._registry.live.get(mission_id)
        if mission is None or (mission.ending is not None and not mission.ending.is_of_run_only):
            return
        plan = self._registry.live.get(self.id)
        given = None if plan is None or plan.ending is None else plan.ending.grace
        grace = mission.definition.grace if given is None else given
        self._registry.apply_if_legal(mission, EndAsked(Cause.STOP, grace, given=given), urgent=True)


def _can_be_stopped(node: AgentProgress) -> bool:
    """Whether there is a mission, or a post, that can be ended."""
    return node.stage is AgentStage.RUNNING or (node.stage is AgentStage.STARTING and node.can_be_ended)
