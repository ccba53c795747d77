"""The types of answers about rituals. Only annotations name them. `…_local`: as clocks of the ritual's zone show it."""

from __future__ import annotations

from typing import Literal, TypedDict

from overmind_core.domain.missions.outcome import Outcome
from overmind_core.domain.schedules import RunStatus, Trigger


class RitualBrief(TypedDict):
    """A ritual by its id and name."""

    id: str
    name: str


class DeletedRitual(RitualBrief):
    """A ritual that was deleted."""

    queued: int
    """Runs that waited for the one before: they will not begin."""


class RitualSummary(RitualBrief):
    """A ritual in a list."""

    status: Literal["running", "paused", "waiting"]
    schedule: str
    """As it was written."""
    zone: str
    """The time zone in which it counts."""
    paused: bool
    next_at: str | None
    """Null for a ritual that is paused, or never comes again."""
    next_local: str | None
    """The same, as clocks of its zone show it."""
    last_at: str | None
    last_local: str | None
    last_result: RunStatus | None
    last_outcome: Outcome | None
    """How the newest run that began has ended, in the words of all that ends; null while it has not."""
    last_id: str | None
    """The mission of the newest run that began."""
    last_number: int | None
    running: list[str | None]
    """Missions of the runs that go on."""
    queued: int
    """Runs that wait for the one before."""
    command: str
    """One line for people."""
    kind: Literal["quest", "blueprint"]
    overlap: str
    """skip or queue: the handling of a run that falls due while the previous one is still running."""
    catch_up: str
    """none or one: the handling of runs missed while no daemon was running."""
    keep: int
    """Ended runs that are kept."""
    created_at: str


class UpcomingTime(TypedDict):
    """A time on both clocks."""

    at: str
    local: str
    """As clocks of the ritual's zone show it."""


class RitualRunInfo(TypedDict):
    """One run of a ritual, or a time of which no run came."""

    number: int
    """From 1."""
    status: RunStatus
    trigger: Trigger
    due_at: str
    due_local: str
    """The same, as clocks of its zone show it."""
    missed: int
    """Times before this one of which nothing came."""
    id: str | None
    """Of the mission that it started."""
    name: str | None
    started_at: str | None
    ended_at: str | None
    duration_seconds: float | None
    exit_code: int | None
    outcome: Outcome | None
    """How it ended, in the words of all that ends; null while it has not, and for one that never began."""
    reason: str | None
    """A code: why it failed, or never began."""
    text: str | None
    """The sentence to that."""


class BegunRitualRun(RitualRunInfo):
    """A run that was asked for."""

    ritual: RitualBrief


class RitualDetails(RitualSummary):
    """A ritual, with its next times and its runs."""

    upcoming: list[UpcomingTime]
    check: str | None
    """Of its quests."""
    retries: int
    cwd: str | None
    runs: list[RitualRunInfo]
    """Those that are kept, oldest first."""
