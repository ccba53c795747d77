"""Attempts of a plan's agents as missions: they are started, become ready and end, which is reported to the plan."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.isolation.saga import SagaPhase
from overmind_core.domain.missions.facts import EndAsked
from overmind_core.domain.missions.mission import Cause, Mission, Status, shell_code
from overmind_core.domain.missions.outcome import ON_PURPOSE, Outcome, outcome_of
from overmind_core.domain.missions.reasons import exits
from overmind_core.domain.plans import progress
from overmind_core.domain.plans.progress import BEHIND, NOT_POSTED, NOT_READY, AgentStage, AttemptEnd
from overmind_core.domain.text.cells import cut
from overmind_core.errors import OvermindError
from overmind_core.kernel.api_server import HandingOver
from overmind_core.kernel.database import StoreError
from overmind_core.plans.attempt_start import request_key
from overmind_core.plans.posted_attempts import PostedAttempts
from overmind_core.probes.probe import NotReady, is_occupied, until_ready, was_ready

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from overmind_core.domain.plans.blueprint import PlanAgent, Probe
    from overmind_core.domain.plans.progress import AgentPost, AgentProgress
    from overmind_core.isolation.workspace import Workspace
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.environment import Environments
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.spec import Environment, MissionSpec
    from overmind_core.plans.attempt_start import AttemptStarter
    from overmind_core.plans.outputs import AgentOutputs
    from overmind_core.plans.ports import SwarmPosts
    from overmind_core.plans.post_watch import PostWatch
    from overmind_core.plans.state import PlanState
    from overmind_core.plans.values import Values
    from overmind_core.probes.poll import Observer
    from overmind_core.system.machine import Clock


_REFUSAL = re.compile(r"Error: ([a-z_]+): (.+)")
"""The last line of one of our commands that failed."""
AHEAD = 8
"""Agents for which that is worked out while they wait."""
LAST_LINE_CELLS = 200
"""Of what a command wrote last, where it stands in a sentence."""
RETRY_SECONDS = 1.0
"""Pause before an agent is asked for again that could not be saved (a full disk)."""


class AttemptListener(Protocol):
    """The plan, as far as its attempts report to it."""

    def on_start(self, name: str, number: int, mission: Mission) -> None:
        """An attempt has become a mission that runs, or is prepared."""

    def on_ready(self, name: str, mission_id: str) -> None:
        """Its probe has succeeded."""

    def on_post(self, name: str, post: AgentPost, *, has_begun: bool = False) -> None:
        """An attempt is a post of the swarm, and stands so; `has_begun`: a hive runs it, or has."""

    def on_end(self, name: str, end: AttemptEnd, explained: str = "") -> None:
        """An attempt is over; `explained`: why it did not even start, in words."""

    def schedule(self) -> None:
        """Something has changed: decide anew."""


class Attempts:
    """Does one thing at a time for each agent of one plan, and reports to it."""

    def __init__(
        self,
        plan: PlanState,
        listener: AttemptListener,
        *,
        clock: Clock,
        phase: Phase,
        tasks: Tasks,
        registry: Registry,
        environments: Environments,
        workspace: Workspace,
        observer: Observer,
        starter: AttemptStarter,
        values: Values,
        outputs: AgentOutputs,
        swarm: SwarmPosts,
        watch: PostWatch,
    ) -> None:
        self._plan = plan
        self._listener = listener
        self._clock = clock
        self._phase = phase
        self._tasks = tasks
        self._registry = registry
        self._environments = environments
        self._workspace = workspace
        self._observer = observer
        self._starter = starter
        self._values = values
        self._outputs = outputs
        self._posted = PostedAttempts(plan, listener, clock=clock, starter=starter, swarm=swarm, watch=watch)
        self._under_way: dict[str, asyncio.Task[Any]] = {}
        self._unready: dict[str, str] = {}
        """Why a mission did not become ready in time, as a clause."""
        self._occupied: set[str] = set()
        """Agents at whose port somebody listened before their newest attempt was started."""
        self._applied: Environment | None = None
        self._ahead: dict[str, tuple[PlanAgent, MissionSpec]] = {}
        """What the next attempt of a waiting agent is to be, and of which agent as the blueprint has it."""

    def begin(self, name: str, *, is_new: bool = False) -> None:
        """Ask for the agent's newest attempt; whether it was asked for before, nobody needs to know.

        `is_new`: it was decided just now, so it was not.
        """
        node = self._plan.nodes[name]
        if node.post is not None:
            self._begin_work(name, self._guarded(name, self._post(name, is_new=is_new)))
        else:
            self._begin_work(name, self._begin(name, is_new=is_new))

    def new_post(self, name: str) -> str | None:
        """The id of the post that the agent's next attempt is to be; None: it is to be a mission."""
        if not self._plan.agents[name].is_posted:
            return None
        return self._posted.new_id(request_key(self._plan.id, name, progress.begun(self._plan.nodes[name])))

    def end_post(self, name: str, post: AgentPost) -> None:
        """Have an attempt end that is a post: of an agent of the plan, or of one that is no longer."""
        if post.state == BEHIND:  # nobody has posted it
            self._cancel_work(name)
            self._fail(name, "cancelled", "")
            return
        self._posted.end(post.id)
        task = asyncio.current_task()
        if task is None or self._under_way.get(name) is not task:  # else it is just being followed
            self.follow(name, post.id)

    @property
    def unanswered(self) -> Mapping[str, str]:
        """Post → why the swarm does not answer what is asked about it, as a sentence."""
        return self._posted.unanswered

    def follow(self, name: str, post: str) -> None:
        """Report how a post goes on."""
        self._begin_work(name, self._guarded(name, self._posted.follow(name, post)))

    def look_ahead(self, name: str) -> None:
        """Work out what the next attempt of a waiting agent is to be, if that can be known already."""
        agent, node = self._plan.agents[name], self._plan.nodes[name]
        if name in self._ahead:
            return
        spec = self._starter.spec_ahead(self._plan, agent, progress.begun(node), self._environment())
        if spec is not None:
            self._ahead[name] = (agent, spec)
        if len(self._ahead) > AHEAD:  # the oldest one waits for something else, or for nothing more
            del self._ahead[next(iter(self._ahead))]

    def forget_ahead(self) -> None:
        """The plan is another one, perhaps of another caller: what was worked out may be wrong."""
        self._ahead.clear()
        self._applied = None

    def check(self, name: str) -> None:
        """Find out how the mission of an agent's newest attempt stands."""
        node = self._plan.nodes[name]
        if node.post is not None:
            self._check_post(name, node.post, node.stage)
            return
        mission = None if node.mission is None else self._registry.get(node.mission)
        if mission is None:
            self._listener.on_end(name, AttemptEnd(ok=False, at=self._clock.wall(), reason="removed"))
        elif not mission.is_live:
            if node.stage is AgentStage.STARTING and not self.is_preparing(mission):  # it ran before anybody could look
                self._listener.on_start(name, node.attempt, mission)
                return
            self._conclude(name, mission)
        elif node.stage is AgentStage.STOPPING and (mission.ending is None or mission.ending.is_of_run_only):
            self._registry.apply_if_legal(mission, EndAsked(Cause.STOP, mission.definition.grace), urgent=True)
        elif node.stage is AgentStage.RUNNING and not node.ready:
            self._begin_work(name, self._probe(name, mission))
        self._listener.schedule()

    def _check_post(self, name: str, post: AgentPost, stage: AgentStage) -> None:
        if stage is AgentStage.STOPPING:
            self.end_post(name, post)
        else:
            self.follow(name, post.id)

    def conclude_now(self, name: str, mission: Mission) -> bool:
        """Report an end that is not saved yet; False when more has to be done for it, which follows its commit."""
        if mission.definition.isolated or mission.definition.provider != RAW or self._has_to_be_read(name, mission):
            return False
        self._report_end(name, mission)
        return True

    def is_preparing(self, mission: Mission) -> bool:
        """Whether what it is to have of its own is still being made, or could not be."""
        isolation = self._workspace.records.get(mission.id)
        if isolation is None or not mission.definition.isolated:
            return False
        return mission.status in {Status.PREPARING, Status.STARTING} or isolation.saga.phase is not SagaPhase.DONE

    def close(self) -> None:
        """Nothing is under way any more."""
        for task in list(self._under_way.values()):
            task.cancel()
        self._under_way.clear()

    # posts

    async def _post(self, name: str, *, is_new: bool) -> None:
        agent, node = self._plan.agents.get(name), self._plan.nodes.get(name)
        if agent is None or node is None or node.post is None:
            self._fail(name, "removed", "")
        elif agent.is_posted or node.post.state not in NOT_POSTED:
            await self._posted.begin(agent, node, self._environment(), is_new=is_new)
        else:  # it was changed since, so that nobody can post what it was
            await self._posted.follow(name, node.post.id)

    async def _guarded(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Do it; what it raises is the end of the attempt, unless the next daemon goes on."""
        try:
            await work
        except OvermindError as error:
            if not self._phase.closing:
                self._fail(name, error.code, error.message)
        except Exception as error:
            # Whatever it is: a plan with an agent that is for ever about to start would never end.
            self._fail(name, "internal", f"{type(error).__name__}: {error}")
            raise

    # beginning

    async def _begin(self, name: str, *, is_new: bool) -> None:
        agent, node = self._plan.agents.get(name), self._plan.nodes.get(name)
        if agent is None or node is None:
            self._fail(name, "removed", "")
            return
        child = await self._mission_of(agent, node, is_new=is_new)
        mission = None if child is None else self._registry.get(child)
        if mission is not None:
            self._listener.on_start(name, node.attempt, mission)

    async def _mission_of(self, agent: PlanAgent, node: AgentProgress, *, is_new: bool) -> str | None:
        """The mission of this attempt; None when there will be none."""
        planned, spec = self._ahead.pop(agent.name, (None, None))
        if planned is not agent:
            spec = None
        while True:
            try:
                if agent.ready is not None and self._starter.begun(self._plan, agent, node) is None:
                    await self._look_at_port(agent.name, agent.ready)
                return await self._starter.start(
                    self._plan, agent, node, self._environment(), is_new=is_new, ahead=spec
                )
            except HandingOver:
                return None
            except StoreError:
                is_new = False
                await asyncio.sleep(RETRY_SECONDS)
            except OvermindError as error:
                if not self._goes_on_later:
                    self._fail(agent.name, error.code, error.message)
                return None
            except Exception as error:
                # Whatever it is: a plan with an agent that is for ever about to start would never end.
                self._fail(agent.name, "internal", f"{type(error).__name__}: {error}")
                raise

    async def _look_at_port(self, name: str, probe: Probe) -> None:
        """Whoever listens there before the agent is started is somebody else."""
        if await is_occupied(probe):
            self._occupied.add(name)
        else:
            self._occupied.discard(name)

    @property
    def _goes_on_later(self) -> bool:
        """Whether the next daemon begins what is not begun: this one leaves, and the plan lives on."""
        plan = self._registry.live.get(self._plan.id)
        return self._phase.closing and plan is not None and plan.ending is None

    def _fail(self, name: str, reason: str, explained: str) -> None:
        self._listener.on_end(name, AttemptEnd(ok=False, at=self._clock.wall(), reason=reason), explained)

    def _environment(self) -> Environment:
        """The environment of whoever applied the plan."""
        if self._applied is None:
            self._applied = self._environments.of(self._plan.id)
        return self._applied

    # becoming ready

    async def _probe(self, name: str, mission: Mission) -> None:
        probe = self._plan.agents[name].ready
        assert probe is not None
        try:
            bound = await self._values.bind_probe(self._plan, probe, self._environment())
            occupied = name in self._occupied
            await until_ready(self._observer, mission, bound.probe, bound.variables, occupied=occupied)
        except NotReady as error:
            why = await self._why_not_ready(mission.id, str(error))
            self._unready[mission.id] = why
            self._not_ready(mission, why)
        else:
            self._listener.on_ready(name, mission.id)

    async def _why_not_ready(self, mission_id: str, seen: str) -> str:
        """Why it did not become ready, as a clause: how its command ended each time, else what its probe has seen."""
        mission = self._registry.live.get(mission_id)
        ends = [] if mission is None else self._registry.restarted_ends(mission)
        if mission is None or not ends:
            return seen
        how = exits([None if run.code is None else shell_code(run.code) for run in ends])
        text = await self._outputs.log_text(replace(mission, run=ends[-1].number))
        last = cut(text.rstrip().rpartition("\n")[2].strip(), LAST_LINE_CELLS)
        runs = mission.status is Status.RUNNING  # nothing can listen where nothing runs
        about = f"{how}{': ' if last else ''}{last}; see: overmind logs {mission.definition.name}"
        return f"{seen}; {about}" if runs else about

    def _not_ready(self, mission: Mission, why: str) -> None:
        """It had its time: it has failed, and ends."""
        current = self._registry.live.get(mission.id)
        if current is not None:
            ask = EndAsked(Cause.LIMIT, current.definition.grace, f"--- not ready: {why} ---", reason=NOT_READY)
            self._registry.apply_if_legal(current, ask, urgent=True)

    # ending

    def _conclude(self, name: str, mission: Mission) -> None:
        """It has ended: at once, unless something that it hands on has to be read first, or its probe was slower."""
        if self._has_to_be_read(name, mission):
            self._begin_work(name, self._read(name, self._plan.agents[name], mission))
        else:
            self._report_end(name, mission)

    def _has_to_be_read(self, name: str, mission: Mission) -> bool:
        agent = self._plan.agents[name]
        refused = agent.merge is not None and not self._end(mission).ok
        return refused or name in self._plan.results or bool(agent.outputs) or self._is_unproved(name, mission)

    def _report_end(self, name: str, mission: Mission) -> None:
        self._cancel_work(name)
        self._listener.on_end(name, self._end(mission), self._explained(mission))

    def _is_unproved(self, name: str, mission: Mission) -> bool:
        """Whether it ended well, by itself, and nobody knows that it was ready by then."""
        node = self._plan.nodes[name]
        has_probe = self._plan.agents[name].ready is not None
        return has_probe and not node.ready and node.stopped is None and self._end(mission).ok

    async def _was_ready(self, name: str, agent: PlanAgent, mission: Mission) -> bool:
        assert agent.ready is not None
        try:
            bound = await self._values.bind_probe(self._plan, agent.ready, self._environment())
        except NotReady:
            return False
        occupied = name in self._occupied
        return await was_ready(self._observer, mission, bound.probe, bound.variables, occupied=occupied)

    def _explained(self, mission: Mission) -> str:
        """Why it could not be prepared, or did not become ready; "" for anything else."""
        if mission.reason == NOT_READY and mission.id in self._unready:
            return f"not ready: {self._unready.pop(mission.id)}"
        if mission.reason == "setup_failed":
            return f"setup_failed; see: overmind logs {mission.definition.name}"
        isolation = self._workspace.records.get(mission.id)
        if isolation is None or isolation.saga.error is None or isolation.saga.error != mission.reason:
            return ""
        return f"{isolation.saga.error}: {isolation.saga.message}"

    async def _read(self, name: str, agent: PlanAgent, mission: Mission) -> None:
        folder = self._outputs.folder(self._plan.id, name, self._plan.nodes[name])
        wanted = ("result",) if name in self._plan.results else ()
        try:
            unproved = self._is_unproved(name, mission)
            ready = unproved and await self._was_ready(name, agent, mission)
            outputs = await self._outputs.read(mission, folder, wanted, agent.outputs)
            refusal = None if agent.merge is None else await self._refusal(mission)
        except Exception as error:
            # Whatever it is: a plan with an agent that is for ever about to end would never end.
            self._fail(name, "internal", f"its outputs can't be read: {error}")
            raise
        if ready:
            self._listener.on_ready(name, mission.id)
        end = replace(self._end(mission), result=outputs.result, facts=dict(outputs.facts))
        explained = self._explained(mission)
        if end.ok and unproved and not ready:
            end = replace(end, ok=False, reason=NOT_READY)
            explained = "it ended before it was ready"
        elif end.ok and outputs.problem is not None:
            reason, explained = outputs.problem
            end = replace(end, ok=False, reason=reason)
        elif not end.ok and refusal is not None and not end.reason:
            end, explained = replace(end, reason=refusal[1]), f"{refusal[1]}: {refusal[2].rstrip('.')}"
        self._listener.on_end(name, end, explained)

    async def _refusal(self, mission: Mission) -> re.Match[str] | None:
        """Why a merge was refused, in the words that its command ended with: the code, and a sentence."""
        text = await self._outputs.log_text(mission)
        return _REFUSAL.fullmatch(text.rstrip().rpartition("\n")[2].strip())

    def _end(self, mission: Mission) -> AttemptEnd:
        return attempt_end(mission, self._clock.wall())

    def _begin_work(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Do something for an agent beside everything else; it takes the place of what was being done for it."""
        self._cancel_work(name)
        task = self._under_way[name] = self._tasks.start(work)
        task.add_done_callback(lambda _: self._under_way.pop(name, None) if self._under_way.get(name) is task else None)

    def _cancel_work(self, name: str) -> None:
        """What is being done for the agent is of no use any more."""
        before = self._under_way.pop(name, None)
        if before is not None and before is not asyncio.current_task():
            before.cancel()


def attempt_end(mission: Mission, now: float) -> AttemptEnd:
    """How the mission of an attempt ended; one that a person stopped has failed, whatever its exit code."""
    outcome = outcome_of(mission)
    return AttemptEnd(
        ok=outcome is Outcome.SUCCEEDED,
        at=mission.ended_at or now,
        exit_code=mission.exit_code,
        reason=outcome.value if outcome in ON_PURPOSE else mission.reason,
        run_reason=mission.run_reason,
        limit=mission.limit,
    )
