"""What happens to plans and their agents, as the log has it; `log_lines` words it."""

from __future__ import annotations

from overmind_core.domain.events import MissionAct, MissionEvent


class AgentAdvanced(MissionEvent, frozen=True, kw_only=True):
    """An agent of a plan has reached another stage."""

    agent: str
    """The agent's name in the plan."""
    stage: str
    child: str | None
    """The id of the agent's mission."""
    exit_code: int | None
    tried: str | None = None
    """The id of the mission of an attempt that is tried again, or that won't be any more: it stands otherwise now."""


class AgentPreparing(AgentAdvanced, frozen=True, tag="agent_preparing"):
    """The worktree, ports and services of an agent of a plan are being created."""


class AgentStarted(AgentAdvanced, frozen=True, tag="agent_started"):
    """An agent of a plan was started."""


class AgentPosted(AgentAdvanced, frozen=True, kw_only=True, tag="agent_posted"):
    """An agent of a plan waits in the swarm for a hive that takes it."""

    post: str
    """The id of its post."""


class AgentReady(AgentAdvanced, frozen=True, tag="agent_ready"):
    """An agent of a plan is ready: its probe has succeeded."""


class AgentStopping(AgentAdvanced, frozen=True, tag="agent_stopping"):
    """An agent of a plan is being stopped; the text gives the reason."""


class AgentEnded(AgentAdvanced, frozen=True, tag="agent_ended"):
    """An agent of a plan has ended."""


class AgentSkipped(AgentAdvanced, frozen=True, tag="agent_skipped"):
    """An agent of a plan will not run; the text gives the reason."""


class PlanNoted(MissionEvent, frozen=True, tag="plan_note"):
    """A note about the run of a plan, logged once."""


class PlanChanged(MissionAct, frozen=True, kw_only=True, tag="plan_changed"):
    """A changed plan was applied while the plan ran."""

    changes: tuple[str, ...]
    """One entry for each agent: a sign and the agent's name."""


class PlanEnded(MissionEvent, frozen=True, kw_only=True, tag="plan_ended"):
    """A plan has ended."""

    failed: tuple[str, ...]
    """The names of the failed agents."""
