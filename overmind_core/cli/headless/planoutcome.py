"""What became of a plan: of each of its agents, whether it ran or not. Pure."""

from __future__ import annotations

from overmind_core.cli.headless.outcome import Outcome, Result, lasted
from overmind_core.domain.plan.mermaid import mermaid
from overmind_core.domain.plan.progress import Stage, Why

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SHOWN_LINES = 40
"""Of a failed agent's log, in a report."""
_UNTOUCHED = frozenset({Stage.SUCCEEDED, Stage.SKIPPED, Stage.WAITING})
"""Where an agent stands whom whatever ended the whole did no harm."""
_BY_PLAN = {Why.CANCEL: "the plan was ended", Why.FAILURE: "another agent has failed"}
_NOT_DONE = frozenset({Stage.SKIPPED, Stage.WAITING, Stage.CANCELLED})


class AgentOutcome(Outcome):
    """The end of one agent of a plan.

    Args:
        agent: as the answer to `plan` has it.
        mission: the end of its newest attempt; None when there was none.
    """

    __slots__ = ("stage",)

    def __init__(self, agent: Mapping[str, Any], mission: Outcome | None) -> None:
        self.stage = Stage(agent["stage"])
        tries = max(0, int(agent["attempt"]) - 1)
        info = {
            **agent,
            "id": agent["mission"],
            "command": "" if mission is None else mission.command,
            "status": self.stage.value,
            "reason": _BY_PLAN.get(agent["reason"], agent["reason"]),
            "restart_count": tries + (0 if mission is None else mission.restarts),
            "uptime_seconds": agent["seconds"] or 0.0,
        }
        output, dropped = ("", 0) if mission is None else (mission.output, mission.dropped)
        super().__init__(info, asked=self.stage not in _UNTOUCHED, output=output, dropped=dropped)

    @property
    def failed(self) -> bool:
        """Whether it has failed for good."""
        return self.stage is Stage.FAILED

    @property
    def skipped(self) -> str:
        """Why it did not run, or not to its end, when another one is to blame."""
        return self.words if self.stage in _NOT_DONE else ""

    @property
    def detail(self) -> str:
        """The last lines of its log."""
        return "\n".join(self.output.splitlines()[-SHOWN_LINES:]) or self.command


class PlanResult(Result):
    """The end of a headless plan.

    Args:
        found: the ends of all missions, the plan's own among them.
        plan: as the answer to `plan` has it.
    """

    __slots__ = ("plan",)

    def __init__(self, found: Result, plan: Mapping[str, Any]) -> None:
        self.plan = plan
        by_id = {one.id: one for one in found.outcomes}
        agents = [AgentOutcome(agent, by_id.get(agent["mission"])) for agent in plan["agents"]]
        others = [one for one in found.outcomes if one.id != plan["id"] and not one.name.startswith(f"{self.name}/")]
        super().__init__(found.exit_status, [*agents, *others], found.trouble)

    @property
    def name(self) -> str:
        """The plan's."""
        return str(self.plan["name"])

    @property
    def classname(self) -> str:
        """The plan's name: its agents are its cases."""
        return self.name

    @property
    def noun(self) -> str:
        """What each outcome is of."""
        return "agent"

    @property
    def graph(self) -> str:
        """Its agents, what each depends on, and where they stand."""
        edges = {agent["name"]: [one["agent"] for one in agent["depends_on"]] for agent in self.plan["agents"]}
        return mermaid(edges, {agent["name"]: agent["stage"] for agent in self.plan["agents"]})

    @property
    def is_listed(self) -> bool:
        """Always."""
        return True

    @property
    def last_line(self) -> str:
        """How many agents stand where, and how long it took."""
        counts = [f"{count} {stage}" for stage, count in self.plan["counts"].items() if count]
        return f"{self.name}: {', '.join(counts)}, {lasted(self.plan['seconds'])}{self.because}"

    def as_json(self) -> dict[str, Any]:
        """The summary of `--json`."""
        return {"exit_code": self.exit_status, "trouble": self.trouble or None, "plan": dict(self.plan)}
