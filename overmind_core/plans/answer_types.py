"""The types of answers about plans and their agents. Only annotations name them."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from overmind_core.domain.missions.mission import Restart, Status
from overmind_core.domain.missions.outcome import Outcome
from overmind_core.domain.plans.blueprint import OnFailure, Until, When
from overmind_core.domain.plans.progress import AgentStage
from overmind_core.missions.answer_types import MissionBrief


class AgentChange(TypedDict):
    """One line of the difference between the current and the new version of a plan."""

    sign: str
    """`+` new, `~` changed, `-` gone."""
    agent: str | None
    """Null: the limits of the whole."""
    why: list[str]
    """The keys that differ; empty for an agent that is added or removed."""


class AppliedPlan(TypedDict):
    """The result of an `apply`."""

    id: str | None
    """Of the plan's mission; null: it was only planned."""
    name: str
    status: str
    """started, changed, unchanged or planned."""
    changes: list[AgentChange]
    kept: list[str]
    """Agents of an ended plan that don't run again."""


class DeletedPlan(MissionBrief):
    """A plan that was taken down."""

    status: Status
    note: NotRequired[str]
    """Only where an agent had to be killed after its grace."""


class AgentCounts(TypedDict):
    """How many agents of a plan stand at each stage."""

    waiting: int
    starting: int
    running: int
    stopping: int
    succeeded: int
    failed: int
    skipped: int
    cancelled: int


class PlanSummary(MissionBrief):
    """A plan in a list."""

    status: Status
    reason: str | None
    exit_code: int | None
    outcome: Outcome | None
    file: str
    """The blueprint's file, where it had one."""
    run: int
    """Number of its newest run."""
    started_at: str
    """Of its first run."""
    run_started_at: str | None
    """When its newest run began."""
    ended_at: str | None
    seconds: float
    """How long its newest run has taken, or took."""
    total: int
    """Agents."""
    counts: AgentCounts
    outcomes: dict[Outcome, int]
    """How many of its agents have ended how, each word as `outcome` of an agent has it."""


class AgentDependency(TypedDict):
    """A dependency of an agent."""

    agent: str
    until: Until


class AgentPost(TypedDict):
    """The post of the swarm that an attempt is."""

    id: str
    state: str | None
    """queued, claimed, lost, done, failed or cancelled, as of the last look; behind: it is posted once what is left of
    the agent's earlier attempts has ended; null: it is not known to be there yet."""
    hive: str | None
    """The hive that has it, or had it at its end; of one that is behind the hive of the earlier attempt."""
    ending: bool
    """Its hive is to end it."""


class AgentEnd(TypedDict):
    """How the newest attempt of an agent has ended; or its last run, while that waits for its restart."""

    reason: str | None
    run_reason: str | None
    """The reason of its last run, where its own is `restart_budget_spent`; null: that run had none."""
    limit_seconds: float | None
    """Of the limit of time or silence that ended it; null: none did."""
    exit_code: int | None


class PlannedAgent(AgentEnd):
    """Everything known about one agent of a plan."""

    name: str
    stage: AgentStage
    outcome: Outcome | None
    """How it ended; `stopped`: the plan ended it. Null: it has not, or it never ran."""
    waits_for: str | None
    """The reason it waits, while it waits."""
    next_try_at: str | None
    """When it is tried again, while it waits for that."""
    restart_policy: Restart
    max_restarts: int
    """Its limit of restarts, within `max_seconds`; 0: it has none."""
    max_seconds: float
    mission: str | None
    """Of the newest attempt."""
    next_restart_at: str | None
    """When that mission starts again, which has ended; null: it does not wait for that."""
    post: AgentPost | None
    """That is the newest attempt, of an agent of the swarm; null: it runs on this machine."""
    attempt: int
    """Number of the newest start; 0 before the first."""
    tries: int
    """Starts since it was last asked for: since the plan began, or a change of it let the agent run again."""
    ready: bool | None
    """Null where readiness is not looked for."""
    result: str | None
    """The last line it printed: its result."""
    facts: dict[str, str]
    """Its declared outputs."""
    depends_on: list[AgentDependency]
    when: When
    """After which end of what it depends on it runs; `always`: also when the plan is being ended."""
    stays: bool
    """It does not end on its own."""
    started_at: str | None
    ended_at: str | None
    seconds: float | None
    """How long the newest attempt has run, or ran."""


class PlanDetails(PlanSummary):
    """A plan with all its agents."""

    max_parallel: int
    """Agents that run at the same time; 0: no limit."""
    on_failure: OnFailure
    """The handling of the other agents after a failure."""
    vars: dict[str, str]
    """The variables that were given with `--var`, and their values."""
    critical_path: list[str]
    """The agents that decide how long it takes."""
    agents: list[PlannedAgent]
    """Dependencies first."""
