"""The lines of a plan's own log: one for each thing that happens to an agent of it. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from overmind_core.domain.missions.facts import Note
from overmind_core.domain.plans.blueprint import LARGEST
from overmind_core.domain.plans.progress import AgentStage, EndReason, Node, Nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from overmind_core.domain.plans.blueprint import Blueprint, PlanAgent

NAMED = 5
"""Agents that the last line names."""
_WHY = {
    EndReason.DONE: "all others are done",
    EndReason.CANCEL: "the plan ends",
    EndReason.FAILURE: "another agent has failed",
    EndReason.AGAIN: "it was changed",
    EndReason.REMOVED: "it was removed from the plan",
}


def started(agent: PlanAgent, node: Node) -> Note:
    """An attempt runs."""
    tries = f", try {node.tries} of {agent.retries + 1}" if node.tries > 1 else ""
    return _agent_note("agent_started", agent.name, f"started ({node.mission}{tries})", node)


def preparing(name: str, node: Node) -> Note:
    """What an attempt is to have of its own is being made."""
    return _agent_note("agent_preparing", name, f"preparing ({node.mission})", node)


def ready(name: str, node: Node, seconds: float) -> Note:
    """Its probe has succeeded."""
    return _agent_note("agent_ready", name, f"ready after {lasted(seconds)}", node)


def stopping(name: str, node: Node, why: EndReason) -> Note:
    """The plan has told it to end."""
    return _agent_note("agent_stopping", name, f"stopping: {_WHY[why]}", node)


def ended(name: str, before: Node, after: Node, explained: str = "") -> Note:
    """An attempt is over; `explained`: why it could not even start."""
    how = {AgentStage.SUCCEEDED: "succeeded", AgentStage.CANCELLED: "cancelled"}.get(after.stage, "failed")
    if before.stopped is EndReason.DONE:
        how = "stopped"
    elif before.stopped is EndReason.AGAIN:
        how = "ended, to run anew"
    why = "" if how != "failed" else f" ({explained or _reason(after)})"
    took = "" if before.started_at is None or after.ended_at is None else lasted(after.ended_at - before.started_at)
    after_what = f" after {took}" if took else ""
    again = ": tried again" if how == "failed" and after.stage is AgentStage.WAITING else ""
    return _agent_note("agent_ended", name, f"{how}{why}{after_what}{again}", after)


def cut(name: str, outputs: Iterable[str]) -> Note:
    """It hands on more than may be handed on."""
    text = f"only the beginning of {', '.join(outputs)} is handed on: at most {LARGEST // 1024} KiB each"
    return Note("agent_output_cut", f"--- {name}: {text} ---", (("agent", name),))


def plan_note(sentence: str) -> Note:
    """Something that a person ought to know of the whole."""
    return Note("plan_note", f"--- {sentence.rstrip('.')} ---")


def skipped(name: str, node: Node) -> Note:
    """It will not run."""
    return _agent_note("agent_skipped", name, f"skipped: {node.reason}", node)


def changed(lines: Sequence[str]) -> Note:
    """It is another plan from now on; `lines` as `+ name` and the like."""
    more = f" and {len(lines) - NAMED} more" if len(lines) > NAMED else ""
    return Note("plan_changed", f"--- changed: {', '.join(lines[:NAMED])}{more} ---", (("changes", list(lines)),))


def over(blueprint: Blueprint, nodes: Nodes, seconds: float) -> Note:
    """The whole is over."""
    counts = Counter(nodes[agent.name].stage for agent in blueprint.agents)
    parts = [f"{count} {stage}" for stage in AgentStage if (count := counts.get(stage))]
    failed = [agent.name for agent in blueprint.agents if nodes[agent.name].stage is AgentStage.FAILED]
    more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
    named = f"; failed: {', '.join(failed[:NAMED])}{more}" if failed else ""
    text = f"--- {blueprint.name}: {', '.join(parts) or 'no agents'} in {lasted(seconds)}{named} ---"
    return Note("plan_ended", text, (("failed", failed),))


def lasted(seconds: float) -> str:
    """A duration for people."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _reason(node: Node) -> str:
    parts = [f"exit {node.exit_code}" if node.exit_code is not None else "", node.reason or ""]
    return ", ".join(part for part in parts if part) or "killed"


def _agent_note(kind: str, name: str, text: str, node: Node) -> Note:
    data = (("agent", name), ("stage", node.stage.value), ("child", node.mission), ("exit_code", node.exit_code))
    return Note(kind, f"--- {name}: {text} ---", data)
