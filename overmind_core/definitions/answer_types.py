"""The types of answers about definitions. Only annotations name them."""

from __future__ import annotations

from typing import TypedDict

from overmind_core.domain.memory.giving import Injection
from overmind_core.domain.missions.mission import Kind
from overmind_core.missions.answer_types import MissionBrief


class AgentTerms(TypedDict):
    """The editable fields of an agent; see `overmind run --help`."""

    prompt: str | None
    """Null for a session, which takes messages with `send`."""
    model: str | None
    permission_mode: str | None
    allowed_tools: list[str]
    disallowed_tools: list[str]
    allow: list[str]
    deny: list[str]
    max_turns: int
    system_prompt: str | None
    append_system_prompt: str | None
    mcp_config: list[str]
    arguments: list[str]
    orchestrator: bool


class MissionTerms(TypedDict):
    """The editable fields of a mission: the argument `definition` of `redefine`. Durations are texts, `10s`."""

    name: str
    command: str | list[str] | None
    """A shell command, or the words of a command; null for an agent."""
    cwd: str
    columns: int
    rows: int
    labels: dict[str, str]
    env: dict[str, str]
    """Variables set for this mission alone."""
    restart: str
    """never, on-failure or always."""
    max_restarts: int
    max_seconds: str
    backoff: str
    activity_timeout: str
    stall_waiting: bool
    grace: str
    stop_signal: str
    """Its name without SIG."""
    timeout: str
    leave_background: bool
    max_children: int | None
    max_depth: int | None
    max_cost: float
    """US dollars; 0: no limit."""
    max_tokens: int
    """0: no limit."""
    notes: Injection | None
    """The notes that it is given at its beginning; null: an agent those of the configuration, a command none."""
    agent: AgentTerms | None
    """Null for a plain program."""


class MissionDefinition(MissionBrief):
    """The editable fields of a mission."""

    provider: str
    type: Kind
    live: bool
    as_of: str
    """Names this state of it, for `redefine`."""
    definition: MissionTerms
    restart_refused: str | None
    """Why nobody starts it again by hand, and what to do; null: they may."""


class RedefinedMission(MissionBrief):
    """A mission that is something else from its next run on."""

    changed: list[str]
    """Names of the terms that differ now."""


class MissionWorld(MissionBrief):
    """The folder, umask and environment of a mission's programs."""

    cwd: str
    umask: int
    inside: str | None
    """The mission as which a program with this environment is answered: one that a mission has started chose it."""
    env: dict[str, str]
