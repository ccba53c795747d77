"""Where the agents of a plan stand, and where each stands after something has happened to it. No clock, no IO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from overmind_core.domain.missions.outcome import LOST, ON_PURPOSE, Outcome, failure_outcome
from overmind_core.domain.plans.blueprint import PlanAgent
from overmind_core.domain.replacing import replace


class AgentStage(StrEnum):
    """Where an agent of a plan stands."""

    WAITING = "waiting"
    STARTING = "starting"
    """To be started, or just being: saved before it is asked for, so that it is asked for once. With a mission that is
    prepared before it runs: its worktree, its services."""
    RUNNING = "running"
    STOPPING = "stopping"
    """The plan has asked it to end."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It can't run any more: what it waits for came out otherwise."""
    CANCELLED = "cancelled"
    """The plan stopped it after another one had failed, or was itself stopped."""


NEXT_TRY = "its next try"
"""What an agent waits for that has failed, during the pause."""
FREE_SLOT = "a free slot"
"""The beginning of what an agent waits for while as many run as may."""
HELD = "another agent has failed"
"""Why one was skipped that does not depend on what has failed. Books have it: it may run once nothing holds it."""
PLAN_ENDS = "the plan ends"
"""Why one was skipped that still waited. Books have it."""
FINAL = frozenset({AgentStage.SUCCEEDED, AgentStage.FAILED, AgentStage.SKIPPED, AgentStage.CANCELLED})
ACTIVE = frozenset({AgentStage.STARTING, AgentStage.RUNNING, AgentStage.STOPPING})


def missed(agent: str, stage: AgentStage) -> str:
    """The reason of one that was skipped, as it depends on an agent that has ended at this stage. Books have it."""
    return f"{agent} {stage}"


class EndReason(StrEnum):
    """Why the plan ends an agent."""

    DONE = "done"
    """It stays until it is ended, and all others are done."""
    CANCEL = "cancel"
    """The plan itself is being ended."""
    FAILURE = "failure"
    """Another agent has failed, after which the plan cancels what runs."""
    AGAIN = "again"
    """It is to run anew: it, or what it depends on, was changed."""
    REMOVED = "removed"


class PlanEnding(StrEnum):
    """How the plan itself is being ended."""

    NONE = "none"
    """It is not."""
    ORDERLY = "orderly"
    """Stopped, or its time is over: nothing new starts and what runs is stopped, but what cleans up runs."""
    AT_ONCE = "at_once"
    """Killed, or its clean-up took too long: all of it ends."""


LONGEST_PAUSE = 60.0
"""Seconds between two tries."""
NOT_READY = "not_ready"
"""The reason of an agent that never became ready."""
_CUT_SHORT = frozenset({EndReason.CANCEL, EndReason.FAILURE, EndReason.REMOVED})
_WITH_ITS_PLAN = frozenset({EndReason.CANCEL, EndReason.FAILURE})


BEHIND = "behind"
"""In the place of a post's state: it is not there, and is posted once what is left of earlier attempts has ended."""
NOT_POSTED = frozenset({"", BEHIND})
"""States in which nobody knows that a post is there."""


@dataclass(frozen=True, slots=True)
class AgentPost:
    """The post of the swarm that is an attempt."""

    id: str
    state: str = ""
    """As the swarm has told it last: queued, claimed, lost, done, failed or cancelled; "": it may not be there yet, or
    `BEHIND`."""
    hive: str | None = None
    """The hive that has it, or had it at its end; of a post that is `BEHIND` the hive of the earlier one."""
    is_ending: bool = False
    """The swarm knows that it is to end: its hive ends it as soon as it hears of that."""


MOST_TRIED = 200
"""Attempts that one agent keeps; then the oldest ones say again themselves how they ended."""


@dataclass(frozen=True, slots=True)
class TriedAttempt:
    """An attempt that has failed, and after which the plan tries the agent again."""

    mission: str
    number: int
    """Of the attempt: `AgentProgress.attempt` passes it as soon as the next one begins."""
    ended_at: float
    """Seconds since the epoch; a mission that has ended later was started again by a person."""
    exit_code: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AgentProgress:
    """Where one agent stands. Replaced, never changed."""

    stage: AgentStage = AgentStage.WAITING
    attempt: int = 0
    """Number of the newest start; 0 before the first."""
    tries: int = 0
    """Starts since it was last asked for; `Agent.retries` counts these."""
    mission: str | None = None
    """Of the newest attempt."""
    post: AgentPost | None = None
    """That is the newest attempt instead, of an agent of the swarm."""
    ready: bool = False
    stopped: EndReason | None = None
    exit_code: int | None = None
    reason: str | None = None
    result: str | None = None
    """The last line it printed: its result."""
    facts: dict[str, str] = field(default_factory=dict)
    output: str | None = None
    """The end of its log, of a post whose output others refer to: the log itself is at its hive."""
    started_at: float | None = None
    """Of the newest attempt, seconds since the epoch."""
    ended_at: float | None = None
    not_before: float = 0.0
    """When a waiting one may be tried again, seconds since the epoch."""
    run_reason: str | None = None
    """Why the last run of its last attempt ended, where the reason is that its restarts are used up."""
    limit: float | None = None
    """Seconds, of the limit of time or silence that ended its last attempt; None: none did, or nobody knows."""
    kept: bool = False
    """It has ended in an earlier run of the plan, of which others alone run again."""
    tried: tuple[TriedAttempt, ...] = ()
    """The attempts that were tried again, in all runs of the plan, oldest first; the newest one waits for that while
    its number is `attempt`. Posts are not among them."""

    @property
    def can_be_ended(self) -> bool:
        """Whether the newest attempt is somewhere where it can be ended."""
        return self.mission is not None or (self.post is not None and bool(self.post.state))

    @property
    def is_to_run_again(self) -> bool:
        """Whether all that the newest attempt has come to counts for nobody: it ends, and another one begins."""
        return self.stopped is EndReason.AGAIN and self.stage in ACTIVE


Nodes = Mapping[str, AgentProgress]


def outcome_of(node: AgentProgress) -> Outcome | None:
    """How an agent ended, in the word that its mission has too; None: it has not, or only its stage says it.

    A service that the plan ended on purpose has done what it was for, so its stage is `SUCCEEDED`; one that a person
    has ended, or that was lost, has not, so that is `FAILED`.
    """
    match node.stage:
        case AgentStage.SUCCEEDED:
            return Outcome.STOPPED if node.stopped is EndReason.DONE else Outcome.SUCCEEDED
        case AgentStage.FAILED:
            return failure_outcome(node.reason)
        case AgentStage.CANCELLED:
            return Outcome.STOPPED
    return None


ORDER = (
    *(stage for stage in AgentStage if stage not in FINAL),
    Outcome.SUCCEEDED,
    Outcome.STOPPED,
    Outcome.FAILED,
    Outcome.TIMED_OUT,
    Outcome.KILLED,
    Outcome.LOST,
    AgentStage.SKIPPED,
)
"""The words of `word_of`, as they are counted."""


def word_of(node: AgentProgress) -> str:
    """Where an agent stands, as people read it: its outcome, else its stage."""
    return outcome_of(node) or node.stage


def fresh(node: AgentProgress) -> AgentProgress:
    """The agent is to run as if it never had; its attempts stay counted."""
    return AgentProgress(attempt=node.attempt, tried=node.tried)


def run_again(node: AgentProgress) -> AgentProgress:
    """The agent is to run again after its end; an attempt that has failed counts as tried again."""
    again = fresh(node)
    if node.stage is not AgentStage.FAILED or node.mission is None or node.ended_at is None:
        return again
    failed = TriedAttempt(node.mission, node.attempt, node.ended_at, node.exit_code, node.reason)
    return replace(again, tried=(*node.tried, failed)[-MOST_TRIED:])


def given_up(node: AgentProgress, why: str) -> AgentProgress:
    """The waiting agent will not run after all, and is skipped; one that waits for its next try has failed for good."""
    left = replace(node, tried=tuple(one for one in node.tried if one.number < node.attempt))
    if not node.tries:
        return replace(left, stage=AgentStage.SKIPPED, reason=why)
    failed, last = replace(left, stage=AgentStage.FAILED), waiting_attempt(node)
    return failed if last is None else replace(failed, mission=last.mission, ended_at=last.ended_at)


def waiting_attempt(node: AgentProgress) -> TriedAttempt | None:
    """The attempt that waits for the next one; None: none does."""
    newest = node.tried[-1] if node.tried else None
    return newest if newest is not None and node.stage is AgentStage.WAITING and newest.number == node.attempt else None


def begun(node: AgentProgress, post: str | None = None) -> AgentProgress:
    """Its next attempt is about to be asked for; `post`: the id of the post that it is to be, of one of the swarm."""
    return AgentProgress(
        AgentStage.STARTING,
        attempt=node.attempt + 1,
        tries=node.tries + 1,
        post=None if post is None else AgentPost(post),
        tried=node.tried,
    )


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """How an attempt ended."""

    ok: bool
    at: float
    exit_code: int | None = None
    reason: str | None = None
    result: str | None = None
    facts: dict[str, str] = field(default_factory=dict)
    output: str | None = None
    run_reason: str | None = None
    """Why its last run ended, where the reason is that its restarts are used up."""
    limit: float | None = None
    """Seconds, of the limit of time or silence that ended it; None: none did, or nobody knows."""


def pause_before_retry(agent: PlanAgent, tries: int) -> float:
    """Seconds between the try of this number, which has failed, and the next one."""
    return min(agent.backoff * 2.0 ** min(tries - 1, 30), LONGEST_PAUSE)


def ended(agent: PlanAgent, node: AgentProgress, end: AttemptEnd) -> AgentProgress:
    """Where the agent stands after this end: also `WAITING`, for its next try."""
    if node.stopped is EndReason.AGAIN:
        return fresh(node)
    final = ended_for_good(node, end)
    if final.stage is AgentStage.FAILED and node.tries <= agent.retries and end.reason not in ON_PURPOSE:
        return replace(
            fresh(node),
            tries=node.tries,
            exit_code=end.exit_code,
            reason=end.reason,
            ended_at=end.at,
            run_reason=end.run_reason,
            limit=end.limit,
            not_before=end.at + pause_before_retry(agent, node.tries),
            tried=_tried(node, end),
        )
    return final


def ended_for_good(node: AgentProgress, end: AttemptEnd) -> AgentProgress:
    """Where the agent stands after this end where no other attempt can follow."""
    known = replace(
        node,
        exit_code=end.exit_code,
        reason=end.reason,
        result=end.result,
        facts=end.facts,
        output=end.output,
        ended_at=end.at,
        run_reason=end.run_reason,
        limit=end.limit,
    )
    if node.stopped in _CUT_SHORT:
        return replace(known, stage=AgentStage.CANCELLED, reason=node.stopped.value)
    is_well = node.stopped is EndReason.DONE or end.ok
    return replace(known, stage=AgentStage.SUCCEEDED if is_well else AgentStage.FAILED)


def ended_beside_its_plan(agent: PlanAgent, node: AgentProgress) -> AgentProgress:
    """Where an agent stands that ended while its plan was being ended: who ended a service then meant all of that."""
    is_meant = agent.stays and node.stage is AgentStage.FAILED and node.reason in ON_PURPOSE
    return replace(node, stopped=EndReason.CANCEL) if is_meant else node


def is_cut_short_when_ready(node: AgentProgress) -> bool:
    """True of one that was ready, and ended only as its plan did, or was lost: for a service that is no failure."""
    is_cut_short = node.stopped in _WITH_ITS_PLAN or node.reason in LOST
    return node.ready and is_cut_short and node.stage in {AgentStage.CANCELLED, AgentStage.FAILED}


def served(node: AgentProgress) -> AgentProgress:
    """The service has done what it was for, as one that the plan ends when nobody needs it any more."""
    return replace(node, stage=AgentStage.SUCCEEDED, stopped=EndReason.DONE, reason=None)


def outlived_its_plan(node: AgentProgress, end: AttemptEnd | None, plan_ended_at: float) -> AgentProgress:
    """Where an agent stands that an older program left active in a plan that has ended.

    `end`: Of its newest attempt; None: nobody knows, or it ended after the plan, as what a person has started again.
    """
    if end is None or end.at > plan_ended_at:
        return replace(node, stage=AgentStage.CANCELLED, reason=EndReason.CANCEL.value, ended_at=plan_ended_at)
    return ended_for_good(node, end)


def _tried(node: AgentProgress, end: AttemptEnd) -> tuple[TriedAttempt, ...]:
    if node.mission is None:
        return node.tried
    return (*node.tried, TriedAttempt(node.mission, node.attempt, end.at, end.exit_code, end.reason))[-MOST_TRIED:]
