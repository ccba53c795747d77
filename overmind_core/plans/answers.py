"""Plans and their agents as the API shows them: JSON-able, times in RFC 3339, absent things null. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from overmind_core.domain.missions.mission import Status
from overmind_core.domain.missions.outcome import outcome_of
from overmind_core.domain.missions.reasons import kept_limit
from overmind_core.domain.plans import progress
from overmind_core.domain.plans.progress import FINAL, AgentProgress, AgentStage
from overmind_core.domain.text.moment import format_time
from overmind_core.missions import answers
from overmind_core.plans.store import Outline

if TYPE_CHECKING:
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.plans.answer_types import (
        AgentChange,
        AgentCounts,
        AgentEnd,
        AgentPost,
        AppliedPlan,
        PlannedAgent,
        PlanSummary,
    )
    from overmind_core.plans.service import Applied
    from overmind_core.plans.state import PlanState


def outline(plan: PlanState) -> Outline:
    """How a plan in memory stands."""
    stages = Counter(node.stage.value for node in plan.nodes.values())
    outcomes = Counter(filter(None, map(progress.outcome_of, plan.nodes.values())))
    return Outline(plan.id, plan.file, len(plan.nodes), stages, outcomes)


def applied(outcome: Applied) -> AppliedPlan:
    """The result of an `apply`."""
    changes: list[AgentChange] = [
        {"sign": change.sign, "agent": change.agent, "why": list(change.why)} for change in outcome.changes
    ]
    return {
        "id": outcome.id,
        "name": outcome.name,
        "status": outcome.status,
        "changes": changes,
        "kept": list(outcome.kept),
    }


def summary(mission: Mission, plan: Outline, now: float) -> PlanSummary:
    """A plan in a list; `now` in seconds since the epoch."""
    return {
        **answers.brief(mission),
        "status": mission.status,
        "reason": mission.reason,
        "exit_code": answers.exit_code(mission),
        "outcome": outcome_of(mission),
        "file": plan.file,
        "run": mission.run,
        "started_at": format_time(mission.started_at or mission.created_at),
        "run_started_at": answers.time(mission.run_started_at),
        "ended_at": answers.time(mission.ended_at) if not mission.is_live else None,
        "seconds": round(answers.uptime(mission, now), 3),
        "total": plan.total,
        "counts": _counted(plan),
        "outcomes": dict(sorted(plan.outcomes.items())),
    }


def _counted(plan: Outline) -> AgentCounts:
    """Agents of which nothing is known yet wait."""

    def at(stage: AgentStage) -> int:
        return plan.stages.get(stage, 0)

    return {
        "waiting": at(AgentStage.WAITING) + plan.total - sum(plan.stages.values()),
        "starting": at(AgentStage.STARTING),
        "running": at(AgentStage.RUNNING),
        "stopping": at(AgentStage.STOPPING),
        "succeeded": at(AgentStage.SUCCEEDED),
        "failed": at(AgentStage.FAILED),
        "skipped": at(AgentStage.SKIPPED),
        "cancelled": at(AgentStage.CANCELLED),
    }


def agent(plan: PlanState, name: str, now: float, *, mission: Mission | None = None) -> PlannedAgent:
    """Everything known about one agent of a plan; `mission`: of its newest attempt, while that lives."""
    node = plan.nodes[name]
    planned = plan.agents[name]
    waits_for = plan.scheduler.waits_for(name) if node.stage is AgentStage.WAITING else None
    return {
        "name": name,
        "stage": node.stage,
        "outcome": progress.outcome_of(node),
        "waits_for": waits_for,
        "next_try_at": answers.time(node.not_before) if waits_for == progress.NEXT_TRY else None,
        **_end(node, mission),
        "restart_policy": planned.restart_policy,
        "max_restarts": planned.restart_limit[0],
        "max_seconds": planned.restart_limit[1],
        "mission": node.mission,
        "next_restart_at": _next_restart(mission),
        "post": _post(node),
        "attempt": node.attempt,
        "tries": node.tries,
        "ready": node.ready if planned.ready is not None else None,
        "result": node.result,
        "facts": node.facts,
        "depends_on": [{"agent": one.agent, "until": one.until} for one in planned.depends_on],
        "when": planned.when,
        "stays": planned.stays,
        "started_at": answers.time(node.started_at),
        "ended_at": answers.time(node.ended_at) if node.stage in FINAL else None,
        "seconds": seconds(node, now),
    }


def _end(node: AgentProgress, mission: Mission | None) -> AgentEnd:
    """Why and how an attempt of an agent has ended; while that waits for its restart, why and how its last run has."""
    ended = node if mission is None or mission.status is not Status.RESTARTING else mission
    return {
        "reason": ended.reason,
        "run_reason": ended.run_reason,
        "limit_seconds": kept_limit(ended.run_reason or ended.reason, ended.limit),
        "exit_code": ended.exit_code,
    }


def _next_restart(mission: Mission | None) -> str | None:
    if mission is None or mission.status is not Status.RESTARTING:
        return None
    return answers.time(mission.next_restart_at)


def _post(node: AgentProgress) -> AgentPost | None:
    if node.post is None:
        return None
    return {
        "id": node.post.id,
        "state": node.post.state or None,
        "hive": node.post.hive,
        "ending": node.post.is_ending and node.stage not in FINAL,
    }


def seconds(node: AgentProgress, now: float) -> float | None:
    """How long the newest attempt has run, or ran."""
    if node.started_at is None:
        return None
    until = node.ended_at if node.ended_at is not None and node.stage in FINAL else now
    return round(max(0.0, until - node.started_at), 3)
