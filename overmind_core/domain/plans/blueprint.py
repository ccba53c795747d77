"""A blueprint: the agents of a plan, what each waits for and what it hands on, and the limits of the whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from overmind_core.domain.missions.mission import Restart, RestartPolicy
from overmind_core.domain.plans.genome import Genome
from overmind_core.domain.text.duration import parse_duration


class Until(StrEnum):
    """How far another agent must have come."""

    STARTED = "started"
    READY = "ready"
    SUCCESS = "success"
    FINISHED = "finished"
    FAILURE = "failure"


ENDS: Mapping[Until, str] = {Until.SUCCESS: "success", Until.FINISHED: "end", Until.FAILURE: "failure"}
"""Those for which the other agent must have ended, and the end in a word."""


class When(StrEnum):
    """After which end of what it depends on an agent runs."""

    SUCCESS = "success"
    FAILURE = "failure"
    ALWAYS = "always"
    """Also when the plan is being ended: it cleans up."""


class OnFailure(StrEnum):
    """The handling of the other agents after a failure."""

    STOP = "stop"
    """Nothing new starts; what runs goes on."""
    CONTINUE = "continue"
    """Whatever does not depend on it runs."""
    CANCEL = "cancel"
    """Nothing new starts, and what runs is stopped."""


class ProbeKind(StrEnum):
    """How readiness is seen."""

    TCP = "tcp"
    HTTP = "http"
    EXEC = "exec"
    LOG = "log"
    IDLE = "idle"


_PORTS = frozenset({ProbeKind.TCP, ProbeKind.HTTP})
"""What is ready when it listens is a service."""


@dataclass(frozen=True, slots=True)
class Probe:
    """When an agent is ready."""

    kind: ProbeKind
    target: str
    """`port` or `host:port`; a URL; a shell command; a regular expression over its output; seconds of silence."""
    timeout: float = 60.0
    """Seconds from its start after which it counts as failed."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """Another agent, and how far it must have come."""

    agent: str
    until: Until = Until.SUCCESS


@dataclass(frozen=True, slots=True)
class PlanMerge:
    """Which agents' work lands where."""

    agents: tuple[str, ...]
    """In this order; each has a worktree of its own."""
    into: str | None = None
    """A branch; None: for each the one that its own began at."""
    verify: str | None = None
    """A shell command that has to succeed on the merged work of each."""
    squash: bool = False
    rebase: bool = False


BACKOFF = 1.0
"""Seconds before the second try."""
MOST_RETRIES = 100
"""Of one agent: whoever fails so often has another problem."""


@dataclass(frozen=True, slots=True)
class PlanAgent:
    """One step of a plan."""

    name: str
    start: dict[str, Any]
    """The fields of a `run` request but `name`, `parent`, `request`, `env` (the caller's) and `umask`, which are the
    plan's; references stand in them as they were written."""
    depends_on: tuple[Dependency, ...] = ()
    """Those of references included."""
    outputs: tuple[str, ...] = ()
    ready: Probe | None = None
    when: When = When.SUCCESS
    retries: int = 0
    """How often it is tried again after it has failed."""
    backoff: float = BACKOFF
    """Seconds before it is tried again; doubles with each try up to `progress.LONGEST_PAUSE`."""
    clean_env: bool = False
    """Of the caller's variables it gets only those that every login has: `environment.login_variables`."""
    merge: PlanMerge | None = None
    """What it does instead of running a command."""
    service: bool | None = None
    """Whether it does not end by itself, where the file says so."""
    genome: Genome | None = None
    """The file in git from which it was taken."""
    on: dict[str, str] | None = None
    """Labels that the hive of the swarm must have to which it is posted; None: it runs on this machine."""
    cpu: float = 0.0
    """Processors that are reserved for it there."""
    memory: int = 0
    """Bytes, likewise."""

    @property
    def is_posted(self) -> bool:
        """Whether it runs on a hive of the swarm."""
        return self.on is not None

    @property
    def isolated(self) -> bool:
        """Whether it has a worktree, ports and services of its own."""
        return self.start.get("isolate") is True

    @property
    def cleans_up(self) -> bool:
        """Whether it runs also when the plan is being ended."""
        return self.when is When.ALWAYS and not self.stays

    @property
    def restart_policy(self) -> Restart:
        """When an attempt is started again by itself."""
        wanted = str(self.start.get("restart")).replace("-", "_")
        return next((one for one in Restart if one == wanted), Restart.NEVER)

    @property
    def restart_limit(self) -> tuple[int, float]:
        """The most restarts of one attempt, and the seconds within which they count."""
        policy = RestartPolicy()
        window = self.start.get("max_seconds", policy.window)
        seconds = parse_duration(window) if isinstance(window, str) else float(window)
        return self.start.get("max_restarts", policy.max_restarts), seconds

    @property
    def stays(self) -> bool:
        """Whether it does not end by itself: the plan stops it when all others are done."""
        if self.service is not None:
            return self.service
        listens = self.ready is not None and self.ready.kind in _PORTS
        return listens or self.start.get("type") == "session" or self.start.get("restart") == "always"


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A whole plan."""

    name: str
    agents: tuple[PlanAgent, ...]
    """In the order of the file."""
    max_parallel: int = 0
    """Agents that run at the same time; 0 = no limit. Those that stay count until they are ready."""
    on_failure: OnFailure = OnFailure.STOP
    timeout: float = 0.0
    """Seconds for the whole; 0 = none."""
    variables: dict[str, str] = field(default_factory=dict)
    """What `${vars.x}` stands for."""
    given: tuple[str, ...] | None = None
    """Names of those that the caller gave, over the file's; None: it does not say."""

    @property
    def given_variables(self) -> dict[str, str]:
        """The variables that the caller gave, with their values."""
        return {name: self.variables[name] for name in self.given or () if name in self.variables}

    @property
    def by_name(self) -> dict[str, PlanAgent]:
        """The agents by their names."""
        return {agent.name: agent for agent in self.agents}

    @property
    def edges(self) -> dict[str, list[str]]:
        """Agent → those that it depends on, in the order of the file."""
        return {agent.name: [one.agent for one in agent.depends_on] for agent in self.agents}


FOLDER = "OVERMIND_OUTPUT_DIR"
"""The variable that tells an agent where to put it: into a file for each, called as the output is."""
RESERVED = frozenset({"result", "output", "exit_code"})
"""What every agent hands on anyway."""
LARGEST = 64 * 1024
"""Bytes of one value: it has to fit into a variable of the environment."""
LONGEST_NAME = 63
"""Characters."""


def name_problem(name: str) -> str | None:
    """Return what is wrong with the name of an output, as a sentence without its full stop; None when nothing is."""
    if re.fullmatch("[A-Za-z0-9_][A-Za-z0-9_-]*", name) is None:
        return f"{name!r} is not an output name: use ASCII letters, digits, '_' and '-', not beginning with '-'"
    if len(name) > LONGEST_NAME:
        return f"The name of an output has at most {LONGEST_NAME} characters"
    if name in RESERVED:
        return f"An output can't be called {name!r}: {name!r} is built in for every agent"
    return None
