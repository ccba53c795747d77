"""The outcome of a headless run: the ends of its missions, or of each agent of a plan, whether it ran or not. Pure."""

from __future__ import annotations

from collections import Counter

from overmind_core.cli.context import exit_status
from overmind_core.domain.missions.outcome import ON_PURPOSE
from overmind_core.domain.missions.outcome import Outcome as Ending
from overmind_core.domain.missions.reasons import SPENT, ended_words, limit_of, why_beside
from overmind_core.domain.plans.progress import ORDER, AgentStage
from overmind_core.domain.text.graph_drawing import mermaid
from overmind_core.domain.text.moment import parse_time

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any


PROGRAM = "overmind"
_MINUTE = 60
_OUT_OF_TIME = "timeout"
"""The reason of what the limit of the whole run has ended."""


def out_of_time(row: Mapping[str, Any], mission: str | None, ended: Collection[str]) -> Mapping[str, Any]:
    """The row of a mission, or of a plan, with the limit of the whole run as what ended it.

    The supervisor only knows that it was asked to stop them. Agents stay what their plan calls them in its own log.

    Args:
        row: as `info` or `plan` answers it.
        mission: its id.
        ended: ids of the missions that ran when the time was over.
    """
    if mission not in ended or row.get("outcome") not in ON_PURPOSE:
        return row
    return {**row, "outcome": Ending.TIMED_OUT.value, "reason": _OUT_OF_TIME, "limit_seconds": None}


class Outcome:
    """The end of one mission.

    Args:
        info: as `overmind info` shows it.
        asked: it is what the run was for, not something that its missions have started.
        output: the last of it.
        dropped: characters before that.
    """

    __slots__ = (
        "asked", "command", "dropped", "exit_code", "id", "limit", "name", "outcome", "output", "reason", "restarts",
        "seconds", "started_at", "status",
    )  # fmt: skip

    def __init__(self, info: Mapping[str, Any], *, asked: bool = True, output: str = "", dropped: int = 0) -> None:
        self.id: str | None = info["id"]
        self.name = str(info["name"])
        self.asked = asked
        self.command = str(info["command"])
        self.status = str(info["status"])
        self.outcome: str | None = info["outcome"]
        self.exit_code: int | None = info["exit_code"]
        self.reason: str | None = info["reason"]
        self.limit = limit_of(info)
        self.restarts = int(info["restart_count"])
        self.seconds = _seconds_of_all_runs(info)
        self.started_at: str | None = info["started_at"]
        self.output = output
        self.dropped = dropped

    @property
    def exit_status(self) -> int:
        """What a shell would have got."""
        return exit_status(self.status, self.exit_code, self.reason)

    @property
    def failed(self) -> bool:
        """Whether something is wrong with it."""
        has_failed = self.status == "crashed" or (self.reason == SPENT and self.status != "killed")
        return self.exit_status != 0 if self.asked else has_failed

    @property
    def skipped(self) -> str:
        """Why it did not do what it was for, when that is nobody's fault; empty when it did, or failed."""
        return ""

    @property
    def detail(self) -> str:
        """What a report shows of its failure."""
        return self.command

    @property
    def state(self) -> str:
        """How it ended, or how it stands."""
        return self.outcome or self.status

    @property
    def why(self) -> str:
        """The sentence beside its state; empty when the state has said it."""
        return why_beside(self.reason, self.limit)

    @property
    def kind(self) -> str:
        """How it ended, in a word of the table of outcomes, for those that group failures."""
        return self.state

    @property
    def words(self) -> str:
        """The end in words, such as `failed (3): restarted 2 times in a minute, gave up, 2 restarts`."""
        happened = ended_words(self.state, self.exit_code, self.reason, self.limit)
        return f"{happened}, {self.restarts} restart{'s' if self.restarts > 1 else ''}" if self.restarts else happened


class Result:
    """The end of a headless run.

    Args:
        exit_status: what the process exits with.
        outcomes: the missions, those that were asked for first.
        trouble: why it ended, when that isn't the missions' doing, such as `interrupted by INT`.
        timed_out: ids of the missions that ran when the time of all of it was over.
    """

    __slots__ = ("exit_status", "outcomes", "timed_out", "trouble")

    def __init__(
        self,
        exit_status: int,
        outcomes: Sequence[Outcome],
        trouble: str = "",
        timed_out: Collection[str] = (),
    ) -> None:
        self.exit_status = exit_status
        self.outcomes = outcomes
        self.trouble = trouble
        self.timed_out = timed_out

    @property
    def name(self) -> str:
        """What it was about, in a word."""
        return self.outcomes[0].name if self.outcomes else PROGRAM

    @property
    def classname(self) -> str:
        """What its cases belong to."""
        return PROGRAM

    @property
    def noun(self) -> str:
        """What each outcome is of."""
        return "mission"

    @property
    def graph(self) -> str:
        """How they depend on each other, as a Mermaid graph; empty when they don't."""
        return ""

    @property
    def is_listed(self) -> bool:
        """Whether its outcomes are worth a table."""
        return len(self.outcomes) > 1

    @property
    def last_line(self) -> str:
        """What a person reads last; empty when there is nothing to say."""
        if len(self.outcomes) != 1:
            return self.trouble
        (one,) = self.outcomes
        return f"{one.name}: {one.words}, {lasted(one.seconds)}{self.because}"

    @property
    def because(self) -> str:
        """The trouble as a clause."""
        return f" ({self.trouble})" if self.trouble else ""

    def kind(self, outcome: Outcome) -> str:
        """How this outcome came about, for those that group failures: also what was stopped as the time was over."""
        is_cut_short = outcome.id in self.timed_out and outcome.kind in ON_PURPOSE
        return Ending.TIMED_OUT.value if is_cut_short else outcome.kind

    def failure(self, outcome: Outcome) -> str:
        """What is wrong with this outcome, in a few words; empty when nothing is."""
        if outcome.asked and self.trouble:
            return self.trouble if outcome.id in self.timed_out else f"{self.trouble}: {outcome.words}"
        return outcome.words if outcome.failed else ""

    def as_json(self) -> dict[str, Any]:
        """The summary of `--json`."""
        return {
            "exit_code": self.exit_status,
            "trouble": self.trouble or None,
            "missions": [
                {
                    "name": one.name,
                    "status": one.status,
                    "outcome": one.outcome,
                    "exit_code": one.exit_code,
                    "reason": one.reason,
                    "restart_count": one.restarts,
                    "uptime_seconds": one.seconds,
                }
                for one in self.outcomes
            ],
        }


def _seconds_of_all_runs(info: Mapping[str, Any]) -> float:
    """Return how long a mission took, through its restarts; `uptime_seconds` is about its newest run."""
    newest = float(info["uptime_seconds"])
    began, ended = info["started_at"], info.get("ended_at")
    if not info["restart_count"] or began is None or ended is None:
        return newest
    return max(newest, round(parse_time(ended, 0.0) - parse_time(began, 0.0), 3))


def lasted(seconds: float) -> str:
    """Return a duration as a person reads it: `0.4s`, `12.3s`, `5m 12s`, `1h 2m`."""
    if seconds < _MINUTE:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes}m {rest}s" if minutes < _MINUTE else f"{minutes // _MINUTE}h {minutes % _MINUTE}m"


SHOWN_LINES = 40
"""Of a failed agent's log, in a report."""
_UNTOUCHED = frozenset({AgentStage.SUCCEEDED, AgentStage.SKIPPED, AgentStage.WAITING})
"""Where an agent stands whom whatever ended the whole did no harm."""
_NOT_DONE = frozenset({AgentStage.SKIPPED, AgentStage.WAITING, AgentStage.CANCELLED})


class AgentOutcome(Outcome):
    """The end of one agent of a plan.

    Args:
        agent: as the answer to `plan` has it.
        mission: the end of its newest attempt; None when there was none.
    """

    __slots__ = ("stage",)

    def __init__(self, agent: Mapping[str, Any], mission: Outcome | None) -> None:
        self.stage = AgentStage(agent["stage"])
        again = max(0, int(agent["tries"]) - 1)
        info = {
            **agent,
            "id": agent["mission"],
            "command": "" if mission is None else mission.command,
            "status": self.stage.value,
            "outcome": agent.get("outcome"),  # a daemon of an earlier version says none
            "restart_count": again + (0 if mission is None else mission.restarts),
            "uptime_seconds": agent["seconds"] or 0.0,
        }
        output, dropped = ("", 0) if mission is None else (mission.output, mission.dropped)
        super().__init__(info, asked=self.stage not in _UNTOUCHED, output=output, dropped=dropped)

    @property
    def failed(self) -> bool:
        """Whether it has failed for good."""
        return self.stage is AgentStage.FAILED

    @property
    def skipped(self) -> str:
        """Why it did not run, or not to its end, when another one is to blame."""
        return self.words if self.stage in _NOT_DONE else ""

    @property
    def kind(self) -> str:
        """Its plan has stopped an agent that was cancelled."""
        return Ending.STOPPED.value if self.state == AgentStage.CANCELLED else self.state

    @property
    def detail(self) -> str:
        """The last lines of its log."""
        return "\n".join(self.output.splitlines()[-SHOWN_LINES:]) or self.command


class PlanResult(Result):
    """The end of a headless plan; what ended it that was none of its agents is its trouble.

    Args:
        found: the ends of all missions, the plan's own among them.
        plan: as the answer to `plan` has it.
    """

    __slots__ = ("_agents", "plan")

    def __init__(self, found: Result, plan: Mapping[str, Any]) -> None:
        by_id = {one.id: one for one in found.outcomes}
        trouble, timed_out = found.trouble, found.timed_out
        own = None if trouble else by_id.get(plan["id"])
        has_failed = any(agent["stage"] == AgentStage.FAILED for agent in plan["agents"])
        told = {Ending.SUCCEEDED, Ending.FAILED} if has_failed else {Ending.SUCCEEDED}
        if own is not None and own.state not in told:  # no agent is to blame for that
            trouble = ended_words(own.state, own.exit_code, own.reason, own.limit)
            if own.state == Ending.TIMED_OUT:
                timed_out = [agent["mission"] for agent in plan["agents"] if agent["stage"] == AgentStage.CANCELLED]
        self.plan = out_of_time(plan, plan["id"], timed_out)
        self._agents = [AgentOutcome(agent, by_id.get(agent["mission"])) for agent in plan["agents"]]
        others = [one for one in found.outcomes if one.id != plan["id"] and not one.name.startswith(f"{self.name}/")]
        super().__init__(found.exit_status, [*self._agents, *others], trouble, timed_out)

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
        return mermaid(edges, {one.name: one.state for one in self._agents})

    @property
    def is_listed(self) -> bool:
        """Always."""
        return True

    @property
    def last_line(self) -> str:
        """How many agents stand where, and how long it took."""
        counts = Counter(one.state for one in self._agents)
        parts = [f"{counts[word]} {word}" for word in ORDER if counts[word]]
        return f"{self.name}: {', '.join(parts)}, {lasted(self.plan['seconds'])}{self.because}"

    def as_json(self) -> dict[str, Any]:
        """The summary of `--json`."""
        return {"exit_code": self.exit_status, "trouble": self.trouble or None, "plan": dict(self.plan)}
