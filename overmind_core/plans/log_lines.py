"""The lines of a plan's own log: one for each thing that happens to an agent of it. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from overmind_core.domain.missions.lost import KEEPER_LOST, plan_again
from overmind_core.domain.missions.mission import Restart
from overmind_core.domain.missions.outcome import ON_PURPOSE, Outcome, failure_outcome
from overmind_core.domain.missions.reasons import SPENT, sentence, time_limit, why_run_ended
from overmind_core.domain.plans.progress import (
    ORDER,
    AgentProgress,
    AgentStage,
    EndReason,
    Nodes,
    waiting_attempt,
    word_of,
)
from overmind_core.plans.events import (
    AgentAdvanced,
    AgentEnded,
    AgentPosted,
    AgentPreparing,
    AgentReady,
    AgentSkipped,
    AgentStarted,
    AgentStopping,
    PlanChanged,
    PlanEnded,
    PlanNoted,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.domain.missions.reasons import Limit
    from overmind_core.domain.plans.blueprint import Blueprint, PlanAgent

AgentEvent = TypeVar("AgentEvent", bound=AgentAdvanced)
NAMED = 5
"""Agents that the last line names."""
_WHY = {
    EndReason.DONE: "all other agents are done",
    EndReason.CANCEL: "the plan is ending",
    EndReason.FAILURE: "another agent has failed",
    EndReason.AGAIN: "it was changed",
    EndReason.REMOVED: "it was removed from the plan",
}


def started(agent: PlanAgent, node: AgentProgress) -> AgentStarted:
    """An attempt runs."""
    if node.post is not None:
        return _agent_event(AgentStarted, agent.name, f"started on {node.post.hive} ({node.post.id})", node)
    text = f"started ({node.mission}{_tries(agent, node)})"
    return _agent_event(AgentStarted, agent.name, text, node, _newest_tried(node))


def posted(agent: PlanAgent, node: AgentProgress) -> AgentPosted:
    """An attempt waits in the swarm."""
    assert node.post is not None
    text = f"--- {agent.name}: posted to the swarm ({node.post.id}{_tries(agent, node)}) ---"
    return AgentPosted(
        text=text,
        agent=agent.name,
        stage=node.stage.value,
        child=None,
        exit_code=None,
        tried=_newest_tried(node),
        post=node.post.id,
    )


def _tries(agent: PlanAgent, node: AgentProgress) -> str:
    return f", try {node.tries} of {agent.retries + 1}" if node.tries > 1 else ""


def preparing(name: str, node: AgentProgress) -> AgentPreparing:
    """What an attempt is to have of its own is being made."""
    return _agent_event(AgentPreparing, name, f"preparing ({node.mission})", node, _newest_tried(node))


def ready(name: str, node: AgentProgress, seconds: float) -> AgentReady:
    """Its probe has succeeded."""
    return _agent_event(AgentReady, name, f"ready after {lasted(seconds)}", node)


def stopping(name: str, node: AgentProgress, why: EndReason) -> AgentStopping:
    """The plan ends it."""
    return _agent_event(AgentStopping, name, f"stopping: {_WHY[why]}", node)


def ended(agent: PlanAgent, before: AgentProgress, after: AgentProgress, explained: str = "") -> AgentEnded:
    """An attempt is over; `explained`: why it could not even start."""
    how = {AgentStage.SUCCEEDED: "succeeded", AgentStage.CANCELLED: "stopped"}.get(after.stage, "failed")
    if before.stopped is EndReason.DONE:
        how = "stopped"
    elif before.stopped is EndReason.AGAIN:
        how = "ended, to run again"
    reason = explained or _reason(after, agent) if how == "failed" else ""
    why = f" ({reason})" if reason else ""
    word = failure_outcome(after.reason) if how == "failed" and not explained else how
    took = "" if before.started_at is None or after.ended_at is None else lasted(after.ended_at - before.started_at)
    after_what = f" after {took}" if took else ""
    again = ": retrying" if how == "failed" and after.stage is AgentStage.WAITING else ""
    tried = before.mission if again else None
    return _agent_event(AgentEnded, agent.name, f"{word}{why}{after_what}{again}", after, tried)


def plan_note(sentence: str) -> PlanNoted:
    """Something that a person ought to know of the whole."""
    return PlanNoted(text=f"--- {sentence.rstrip('.')} ---")


def skipped(name: str, before: AgentProgress, after: AgentProgress, why: str) -> AgentSkipped:
    """It will not run, or not again."""
    waited = waiting_attempt(before)
    tried = None if waited is None else waited.mission
    how = "not tried again" if after.stage is AgentStage.FAILED else "skipped"
    return _agent_event(AgentSkipped, name, f"{how}: {sentence(why)}", after, tried)


def changed(lines: Sequence[str]) -> PlanChanged:
    """It is another plan from now on; `lines` as `+ name` and the like."""
    more = f" and {len(lines) - NAMED} more" if len(lines) > NAMED else ""
    return PlanChanged(text=f"--- changed: {', '.join(lines[:NAMED])}{more} ---", changes=tuple(lines))


def over(blueprint: Blueprint, nodes: Nodes, seconds: float, file: str = "") -> PlanEnded:
    """The whole is over; agents that did not run this time are counted, but not how they had ended.

    `file`: of the blueprint, for the command that goes on where agents were lost with their keeper.
    """
    names = [agent.name for agent in blueprint.agents]
    counts = Counter(word_of(nodes[name]) for name in names if not nodes[name].kept)
    parts = [f"{counts[word]} {word}" for word in ORDER if counts[word]]
    kept = sum(nodes[name].kept for name in names)
    parts += [f"{kept} kept"] if kept else []
    failed = [name for name in names if nodes[name].stage is AgentStage.FAILED]
    named = _named("failed", [name for name in failed if not nodes[name].kept])
    named += _named("failed before", [name for name in failed if nodes[name].kept])
    cut_short = [name for name in names if nodes[name].stage is AgentStage.CANCELLED and nodes[name].kept]
    named += _named("stopped before", cut_short)
    if any(nodes[name].reason == KEEPER_LOST for name in failed if not nodes[name].kept):
        named += f"; go on with: {plan_again(blueprint.name, file, blueprint.given_variables)}"
    text = f"--- {blueprint.name}: {', '.join(parts) or 'no agents'} in {lasted(seconds)}{named} ---"
    return PlanEnded(text=text, failed=tuple(failed))


def _named(how: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"; {how}: {', '.join(names[:NAMED])}{more}" if names else ""


def lasted(seconds: float) -> str:
    """A duration for people."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _reason(node: AgentProgress, agent: PlanAgent) -> str:
    """Why it has failed, as far as the word of its outcome does not say it; "": that says all."""
    outcome = failure_outcome(node.reason)
    limit = _limit(node, agent)
    is_said = outcome in ON_PURPOSE or (outcome is Outcome.TIMED_OUT and not limit)
    code = "" if node.exit_code is None else f"exit {node.exit_code}"
    parts = [code, "" if is_said else sentence(node.reason, limit)]
    return ", ".join(part for part in parts if part) or ("" if outcome in ON_PURPOSE else "killed")


def _limit(node: AgentProgress, agent: PlanAgent) -> Limit | None:
    if node.reason == SPENT:
        return (*agent.restart_limit, why_run_ended(node.run_reason, node.limit))
    return time_limit(node.reason, node.limit, is_restarted=agent.restart_policy is not Restart.NEVER)


def _newest_tried(node: AgentProgress) -> str | None:
    newest = node.tried[-1] if node.tried else None
    return newest.mission if newest is not None and newest.number == node.attempt - 1 else None


def _agent_event(
    kind: type[AgentEvent], name: str, text: str, node: AgentProgress, tried: str | None = None
) -> AgentEvent:
    return kind(
        text=f"--- {name}: {text} ---",
        agent=name,
        stage=node.stage.value,
        child=node.mission,
        exit_code=node.exit_code,
        tried=tried,
    )
