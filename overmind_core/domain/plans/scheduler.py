"""The scheduler of a plan: who starts, is skipped, is stopped, and whether all is over. No clock, no IO.

Each change looks only at those that it may concern, so that a plan of thousands takes no longer for each of its steps.
The supervisor saves what a step says before it acts on it. Who of those that could start has a slot is for `admission`
to say: one pool, in the order of the file.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import assert_never

from overmind_core.domain.admission import Limits, Pool, Waiter, ready
from overmind_core.domain.plans.blueprint import Blueprint, Dependency, OnFailure, PlanAgent, Until, When
from overmind_core.domain.plans.progress import (
    ACTIVE,
    FINAL,
    FREE_SLOT,
    HELD,
    LONGEST_PAUSE,
    NEXT_TRY,
    PLAN_ENDS,
    AgentProgress,
    AgentStage,
    EndReason,
    PlanEnding,
    missed,
)

_POOL = "plan"
_POOLS = (_POOL,)
_HANDLES_FAILURE = frozenset({When.FAILURE, When.ALWAYS})
_AFTER_FAILURE = frozenset({Until.FINISHED, Until.FAILURE})
_WENT_WRONG = frozenset({AgentStage.FAILED, AgentStage.CANCELLED, AgentStage.SKIPPED})
_BESIDE = frozenset({Until.STARTED, Until.READY})
"""The other one goes on beside whoever waits for this."""
_NOT_YET = frozenset({AgentStage.WAITING, AgentStage.STARTING})


@dataclass(frozen=True, slots=True)
class PlanStep:
    """What is to be done now."""

    start: tuple[str, ...] = ()
    skip: dict[str, str] = field(default_factory=dict)
    """Agent → why it can't run any more. These come first: what follows from them is in the next step."""
    stop: dict[str, EndReason] = field(default_factory=dict)
    """Who depends on another one ends before it."""
    over: bool = False
    """Nothing runs, and nothing will."""
    look_again: float | None = None
    """When the next one may be tried again, seconds since the epoch; None: nobody waits for a time."""


NEXT = 4
"""Agents behind another one that are looked at: it may have thousands."""


class Scheduler:
    """Where each agent stands. `nodes` is to be read; it changes through `put`."""

    def __init__(self, blueprint: Blueprint, nodes: Mapping[str, AgentProgress]) -> None:
        self.blueprint = blueprint
        self.agents = blueprint.by_name
        self.nodes: dict[str, AgentProgress] = {}
        self._order = {agent.name: number for number, agent in enumerate(blueprint.agents)}
        self._dependents: dict[str, list[str]] = {name: [] for name in self.agents}
        for agent in blueprint.agents:
            for dependency in agent.depends_on:
                self._dependents[dependency.agent].append(agent.name)
        self._needed_beside = {
            one.agent for agent in blueprint.agents for one in agent.depends_on if one.until in _BESIDE
        }
        """Agents beside which others run: these wait for their start, not for their end."""
        self._by_stage: dict[AgentStage, set[str]] = {stage: set() for stage in AgentStage}
        self._failed: set[str] = set()
        """Those that have failed, and were not kept so from an earlier run."""
        self._doubtful: set[str] = set()
        """Waiting ones of which something that they depend on has changed."""
        self._startable: list[int] = []
        """Places in the blueprint of those in whose way nothing is but a free slot; sorted."""
        self._blocked: dict[str, str] = {}
        """What the other waiting ones wait for."""
        self._delayed: set[str] = set()
        """Those of them that wait for nothing but a time."""
        self._slots = 0
        self._unfinished = sum(not agent.stays for agent in blueprint.agents)
        """Agents that end by themselves, and have not."""
        for name in self.agents:
            self.put(name, nodes[name])

    @property
    def has_failed(self) -> bool:
        """Whether any agent has failed for good, in this run of the plan."""
        return bool(self._failed)

    @property
    def went_well(self) -> bool:
        """Whether nothing has failed for good, and nothing was cut short."""
        return not self._by_stage[AgentStage.FAILED] and not self._by_stage[AgentStage.CANCELLED]

    def put(self, name: str, node: AgentProgress) -> None:
        """An agent stands like this from now on."""
        before, failed = self.nodes.get(name), self.has_failed
        self.nodes[name] = node
        if before is not None:
            self._by_stage[before.stage].discard(name)
            self._count(name, before, -1)
        self._by_stage[node.stage].add(name)
        self._failed.discard(name)
        if node.stage is AgentStage.FAILED and not node.kept:
            self._failed.add(name)
        self._count(name, node, 1)
        self._forget_wait(name)
        if node.stage is AgentStage.WAITING:
            self._doubtful.add(name)
        waiting = self._by_stage[AgentStage.WAITING]
        self._doubtful.update(other for other in self._behind(name) if other in waiting)
        if self.has_failed is not failed:
            self._doubtful |= waiting

    def _behind(self, name: str) -> Iterator[str]:
        """Those that depend on an agent, also through such as were kept from an earlier run."""
        seen, left = {name}, [name]
        while left:
            for other in self._dependents[left.pop()]:
                if other in seen:
                    continue
                seen.add(other)
                yield other
                if other in self.nodes and self.nodes[other].kept:
                    left.append(other)

    def _needs(self, agent: PlanAgent) -> Iterator[Dependency]:
        """The dependencies of an agent, and the services that run again for it behind agents that were kept."""
        yield from agent.depends_on
        seen, left = set[str](), [one.agent for one in agent.depends_on if self.nodes[one.agent].kept]
        while left:
            name = left.pop()
            for one in self.agents[name].depends_on if name not in seen else ():
                if self.nodes[one.agent].kept:
                    left.append(one.agent)
                elif self.agents[one.agent].stays:
                    yield one
            seen.add(name)

    def waits_for(self, name: str) -> str:
        """What a waiting agent waits for, as of the last step."""
        return self._blocked.get(name) or f"{FREE_SLOT}: {self.blueprint.max_parallel} run at a time"

    def is_start_of_interest(self, name: str) -> bool:
        """Whether something may follow from the start of an agent, and not only from its end."""
        agent = self.agents[name]
        asked_to_end = self.has_failed or self.nodes[name].stopped is not None
        return agent.ready is not None or agent.stays or name in self._needed_beside or asked_to_end

    def next_behind(self, name: str) -> list[str]:
        """Some waiting agents that may begin when this one ends: all else that they depend on is reached, or active."""
        waiting = self._by_stage[AgentStage.WAITING]
        return [
            other
            for other in self._dependents[name][:NEXT]
            if other in waiting
            and all(
                self.nodes[one.agent].stage in ACTIVE or _is_reached(one, self.nodes[one.agent])
                for one in self.agents[other].depends_on
            )
        ]

    def step(
        self, now: float, *, ending: PlanEnding = PlanEnding.NONE, unreachable: Collection[str] = frozenset()
    ) -> PlanStep:
        """What is to be done at `now` (seconds since the epoch).

        Args:
            now: For those that have a time.
            ending: How the plan itself is being ended.
            unreachable: Those that can't be ended for now: where the plan ends, those behind them don't wait for that.
        """
        self._doubtful |= {name for name in self._delayed if self._wait_left(name, now) <= 0}
        skip = dict.fromkeys(self._given_up(ending), PLAN_ENDS) or self._settle_doubtful(now)
        if skip:
            return PlanStep(skip=dict(sorted(skip.items(), key=lambda one: self._order[one[0]])))
        pool = Pool(self.blueprint.max_parallel, self._slots)
        agents = self.blueprint.agents
        head = [Waiter(agents[place].name, (place,), pools=_POOLS) for place in islice(self._startable, pool.free)]
        start = ready(head, now, Limits({_POOL: pool}), reasons=False).start if head else ()
        over = all(not self._by_stage[stage] for stage in AgentStage if stage not in FINAL)
        waits = [self._wait_left(name, now) for name in self._delayed]
        return PlanStep(
            start, stop=self._stops(ending, unreachable), over=over, look_again=now + min(waits) if waits else None
        )

    def _given_up(self, ending: PlanEnding) -> list[str]:
        """Those that wait in a plan that is being ended, but for what cleans up."""
        if ending is PlanEnding.NONE:
            return []
        at_once = ending is PlanEnding.AT_ONCE
        return [name for name in self._by_stage[AgentStage.WAITING] if at_once or not self.agents[name].cleans_up]

    def _wait_left(self, name: str, now: float) -> float:
        """Seconds until it may be tried again; a clock that was set back makes nobody wait longer than for a try."""
        left = self.nodes[name].not_before - now
        return left if left <= LONGEST_PAUSE else 0.0

    def _count(self, name: str, node: AgentProgress, by: int) -> None:
        agent = self.agents[name]
        if node.stage in ACTIVE and not (agent.stays and node.ready):
            self._slots += by
        if node.stage in FINAL and not agent.stays:
            self._unfinished -= by

    def _forget_wait(self, name: str) -> None:
        self._blocked.pop(name, None)
        self._delayed.discard(name)
        self._doubtful.discard(name)
        at = bisect_left(self._startable, self._order[name])
        if at < len(self._startable) and self._startable[at] == self._order[name]:
            del self._startable[at]

    def _settle_doubtful(self, now: float) -> dict[str, str]:
        """Look at those anew whose chances may have changed; returns who has none any more, and why."""
        skip = {}
        # A set of its own each time: one that was large once is walked as a large one for ever.
        doubtful, self._doubtful = self._doubtful, set()
        for name in doubtful:
            verdict = self._obstacle(self.agents[name])
            self._forget_wait(name)
            if verdict.never:
                skip[name] = verdict.blocked
                self._doubtful.add(name)  # until it is skipped
            elif verdict.blocked:
                self._blocked[name] = verdict.blocked
            elif self._wait_left(name, now) > 0:
                self._blocked[name] = NEXT_TRY
                self._delayed.add(name)
            else:
                insort(self._startable, self._order[name])
        return skip

    def _obstacle(self, agent: PlanAgent) -> _Obstacle:
        still_open, never = [], []
        for dependency in self._needs(agent):
            met = _is_reached(dependency, self.nodes[dependency.agent])
            if met is None:
                still_open.append(dependency)
            elif not met:
                never.append(dependency)
        if agent.when is When.SUCCESS and never:
            return _Obstacle(_is_missed(never[0], self.nodes[never[0].agent]), never=True)
        if self._is_held(agent):
            return _Obstacle(HELD, never=True)
        if still_open:
            return _Obstacle(", ".join(map(_wanted, still_open)))
        if agent.when is When.FAILURE and not any(self._went_wrong(one, never) for one in agent.depends_on):
            return _Obstacle("none of its dependencies failed", never=True)
        return _Obstacle()

    def _went_wrong(self, dependency: Dependency, never: Iterable[Dependency]) -> bool:
        return self.nodes[dependency.agent].stage in _WENT_WRONG or dependency in never

    def _is_held(self, agent: PlanAgent) -> bool:
        """Whether a failure keeps it from starting: not those that are there for a failure."""
        stops = self.blueprint.on_failure is not OnFailure.CONTINUE and self.has_failed
        return stops and not self._handles_failure(agent)

    def _handles_failure(self, agent: PlanAgent) -> bool:
        """Whether it runs, or will, because another one has failed."""
        return agent.when in _HANDLES_FAILURE or any(
            one.until in _AFTER_FAILURE and self.nodes[one.agent].stage is AgentStage.FAILED for one in agent.depends_on
        )

    def _stops(self, ending: PlanEnding, unreachable: Collection[str]) -> dict[str, EndReason]:
        """Who is to be ended now."""
        running = self._by_stage[AgentStage.RUNNING]
        preparing = [name for name in self._by_stage[AgentStage.STARTING] if self.nodes[name].can_be_ended]
        if ending is not PlanEnding.NONE or (self.has_failed and self.blueprint.on_failure is OnFailure.CANCEL):
            spared = self._spared(ending)
            cancelled = [name for name in (*running, *preparing) if name not in spared]
            why = EndReason.FAILURE if ending is PlanEnding.NONE else EndReason.CANCEL
            if stops := dict.fromkeys(self._leaves(cancelled, () if ending is PlanEnding.NONE else unreachable), why):
                return stops
        if self._unfinished or any(self._by_stage[stage] for stage in _NOT_YET):
            return {}
        if running and all(agent.stays for agent in self.blueprint.agents):
            return {}  # a plan of services alone is there to stay
        return dict.fromkeys(self._leaves(running), EndReason.DONE)

    def _spared(self, ending: PlanEnding) -> set[str]:
        """Who runs on when all others are ended: what handles that end, and the services that it needs."""
        if ending is PlanEnding.AT_ONCE:
            return set()
        handles = self._handles_failure if ending is PlanEnding.NONE else _cleans_up
        spared = {one.name for one in self.blueprint.agents if handles(one) and self.nodes[one.name].stage not in FINAL}
        left = list(spared)
        while left:
            needed = {one.agent for one in self.agents[left.pop()].depends_on if one.until in _BESIDE} - spared
            spared |= needed
            left += needed
        return spared

    def _leaves(self, running: Iterable[str], aside: Collection[str] = ()) -> list[str]:
        """Those of `running` that no active agent but those `aside` depends on, in the order of the blueprint."""
        dependents = self._dependents
        leaves = [
            name
            for name in running
            if not any(self.nodes[one].stage in ACTIVE and one not in aside for one in dependents[name])
        ]
        return sorted(leaves, key=self._order.__getitem__)


def _cleans_up(agent: PlanAgent) -> bool:
    return agent.cleans_up


@dataclass(frozen=True, slots=True)
class _Obstacle:
    """What is in an agent's way; `never`: for good."""

    blocked: str = ""
    never: bool = False


def _is_reached(dependency: Dependency, node: AgentProgress) -> bool | None:
    """Whether the other has come so far; None: it still may."""
    if node.is_to_run_again:
        return None
    match dependency.until:
        case Until.STARTED:
            met = node.started_at is not None and node.stage is not AgentStage.STARTING
        case Until.READY:
            met = node.ready and node.stage in {AgentStage.RUNNING, AgentStage.STOPPING, AgentStage.SUCCEEDED}
        case Until.SUCCESS:
            met = node.stage is AgentStage.SUCCEEDED
        case Until.FINISHED:
            met = node.stage in {AgentStage.SUCCEEDED, AgentStage.FAILED}
        case Until.FAILURE:
            met = node.stage is AgentStage.FAILED
        case _:
            assert_never(dependency.until)
    return True if met else (False if node.stage in FINAL else None)


def _is_missed(dependency: Dependency, node: AgentProgress) -> str:
    unready = dependency.until is Until.READY and node.stage is AgentStage.SUCCEEDED
    return f"{dependency.agent} ended before it was ready" if unready else missed(dependency.agent, node.stage)


def _wanted(dependency: Dependency) -> str:
    return dependency.agent if dependency.until is Until.SUCCESS else f"{dependency.agent} ({dependency.until})"
