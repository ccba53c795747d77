"""Rituals and their runs: work that comes again by a schedule. Values only: what is due is `schedules.due`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Trigger(StrEnum):
    """Why a run began, or was to begin."""

    SCHEDULE = "schedule"
    CATCH_UP = "catch_up"
    """Late, for times at which nobody was there."""
    MANUAL = "manual"


class RunStatus(StrEnum):
    """How a run stands."""

    STARTING = "starting"
    """It is saved that it is due; what it starts has a key, so that it comes once."""
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    """The run before went on."""
    MISSED = "missed"


MOST_MISSED = 1000
"""Missed times are counted up to here."""


def missed_text(count: int) -> str:
    """How many times were missed, for people: those that were not counted are a `+`."""
    return f"{count}+" if count >= MOST_MISSED else str(count)


OPEN = frozenset({RunStatus.STARTING, RunStatus.QUEUED, RunStatus.RUNNING})
UNBEGUN = frozenset({RunStatus.SKIPPED, RunStatus.MISSED})


@dataclass(frozen=True, slots=True)
class RitualRun:
    """One time that was due."""

    ritual: str
    """Id of the ritual."""
    number: int
    """From 1."""
    status: RunStatus
    trigger: Trigger
    due_at: float
    """Seconds since the epoch, as all times here."""
    missed: int = 0
    """Times before this one of which nothing came, at most `MOST_MISSED`."""
    mission: str | None = None
    """What it started: a quest's mission, or a plan."""
    name: str | None = None
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    reason: str | None = None
    """A code: why it failed, or never began."""
    text: str | None = None
    """The sentence to that, for people."""
    request: str | None = None
    """The key of whoever asked for it."""


@dataclass(frozen=True, slots=True)
class Ritual:
    """What comes again."""

    id: str
    name: str
    schedule: str
    """As it was written."""
    zone: str
    created_at: float
    command: str
    """One line for people."""
    last: float
    """The newest time that was dealt with: run, skipped or missed."""
    overlap: str = "skip"
    catch_up: str = "one"
    keep: int = 10
    """Ended runs that are kept."""
    paused: bool = False
    number: int = 0
    """Of the newest run."""
    quest: dict[str, Any] | None = None
    """The fields of a request `quest_run`, without environments; None when it applies a blueprint."""
    apply: dict[str, Any] | None = None
    """The fields of a request `apply`, without environments."""
    request: str | None = None
    """The key of whoever created it."""
