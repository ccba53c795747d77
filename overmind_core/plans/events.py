"""What happens to plans and their agents, as the log has it; `log_lines` words it."""

from __future__ import annotations

from overmind_core.domain.events import MissionAct, MissionEvent


class AgentAdvanced(MissionEvent, frozen=True, kw_only=True):
    """An agent of a plan stands somewhere else now."""

    agent: str
    """Its name in the plan."""
    stage: str
    child: str | None
    """The id of the mission that it is, or was."""
    exit_code: int | None


class AgentPreparing(AgentAdvanced, frozen=True, tag="agent_preparing"):
    """What an agent of a plan is to have of its own is being made."""


class AgentStarted(AgentAdvanced, frozen=True, tag="agent_started"):
    """An agent of a plan was started."""


class AgentReady(AgentAdvanced, frozen=True, tag="agent_ready"):
    """The probe of an agent of a plan has succeeded."""


class AgentStopping(AgentAdvanced, frozen=True, tag="agent_stopping"):
    """An agent of a plan was told to end; the text says why."""


class AgentEnded(AgentAdvanced, frozen=True, tag="agent_ended"):
    """An agent of a plan has ended."""


class AgentSkipped(AgentAdvanced, frozen=True, tag="agent_skipped"):
    """An agent of a plan will not run; the text says why."""


class PlanNoted(MissionEvent, frozen=True, tag="plan_note"):
    """A plan has something to say of how it runs, once."""


class PlanChanged(MissionAct, frozen=True, kw_only=True, tag="plan_changed"):
    """Another version of a plan was applied while it ran."""

    changes: tuple[str, ...]
    """One for each agent: a sign, and its name."""


class PlanEnded(MissionEvent, frozen=True, kw_only=True, tag="plan_ended"):
    """A plan is over."""

    failed: tuple[str, ...]
    """Names of agents."""
