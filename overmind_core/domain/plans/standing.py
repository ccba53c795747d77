"""How the mission of a plan's agent stands: the one place that knows what the end of an attempt means for its agent.

Each attempt is a mission of its own. One that has failed is the end of its agent only where no other attempt follows:
until then it waits for that, and afterwards it is one that was tried again. An attempt may also have failed although
its program ended well: it did not become ready, or did not hand in what it was to. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.missions.mission import shell_code
from overmind_core.domain.missions.outcome import ON_PURPOSE, Outcome, failure_outcome
from overmind_core.domain.missions.outcome import outcome_of as outcome_of_mission
from overmind_core.domain.missions.reasons import ended_words, sentence
from overmind_core.domain.missions.standing import TRIED_AGAIN, WorkStanding
from overmind_core.domain.plans.progress import AgentStage, outcome_of, waiting_attempt

if TYPE_CHECKING:
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.plans.progress import AgentProgress, TriedAttempt


def standing_of(node: AgentProgress, mission: Mission, *, is_live: bool) -> WorkStanding | None:
    """Return how an ended attempt of an agent stands; None: it says itself how.

    Args:
        node: Where its agent stands.
        mission: Of one of the agent's attempts. One that a person has started again since is no attempt any more.
        is_live: Whether the plan runs: nothing is tried again in one that has ended.
    """
    if mission.is_live:
        return None
    if node.mission == mission.id:
        return _failed(node) if _was_judged(node, mission) else None
    attempt = next((one for one in reversed(node.tried) if one.mission == mission.id), None)
    if attempt is None or mission.ended_at != attempt.ended_at:
        return None
    if attempt.number < node.attempt:
        return WorkStanding(TRIED_AGAIN, None, f"{_how(attempt)}, {TRIED_AGAIN}")
    if is_live and waiting_attempt(node) == attempt:
        return WorkStanding("queued", None, f"{TRIED_AGAIN}: {_why(attempt)}", node.not_before or None)
    return None


def standing_of_plan(name: str, node: AgentProgress) -> WorkStanding:
    """Return how a plan stands that has failed because of the agent of this name.

    Args:
        name: Of the agent.
        node: Where it stands: it failed before it had a mission, or somebody has stopped or killed that.
    """
    how = outcome_of(node)
    if how in ON_PURPOSE:
        return WorkStanding(None, Outcome.FAILED, f"{name} was {how}")
    return WorkStanding(None, Outcome.FAILED, ": ".join(filter(None, ("failed", name, sentence(node.reason)))))


def _was_judged(node: AgentProgress, mission: Mission) -> bool:
    """Whether its program ended well, and the plan has found that it has failed all the same."""
    is_newest = node.stage is AgentStage.FAILED and node.ended_at == mission.ended_at
    return is_newest and outcome_of_mission(mission) is Outcome.SUCCEEDED


def _failed(node: AgentProgress) -> WorkStanding:
    reason, outcome = node.reason or "failed", outcome_of(node)
    failure = reason if outcome is Outcome.FAILED else None
    return WorkStanding(None, outcome, f"failed: {sentence(reason)}", failure=failure)


def _how(attempt: TriedAttempt) -> str:
    return ended_words(failure_outcome(attempt.reason), _code(attempt), attempt.reason)


def _why(attempt: TriedAttempt) -> str:
    code = _code(attempt)
    return sentence(attempt.reason or (f"exit {code}" if code else "exit"))


def _code(attempt: TriedAttempt) -> int | None:
    return None if attempt.exit_code is None else shell_code(attempt.exit_code)
