"""The types of answers about the daemon itself. Only annotations name them."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from overmind_core.quests.answer_types import QuestBrief


class Welcome(TypedDict):
    """The daemon that answers."""

    version: str
    pid: int
    home: str
    """Path of the home."""
    api: int
    """Version of the API."""


class MissionCounts(TypedDict):
    """The number of missions by status."""

    preparing: int
    starting: int
    paused: int
    restarting: int
    stopping: int
    stopped: int
    crashed: int
    killed: int
    running: int
    """All that live, whatever their status."""
    total: int
    lost: int
    """Crashed ones lost with their keeper, or with the machine, that `restart` with `lost` starts again."""


class KeeperStatus(TypedDict):
    """The keeper, which holds the missions' terminals."""

    pid: int
    version: str | None
    memory_bytes: int
    runs: int
    """Processes that it holds."""


class DaemonStatus(TypedDict):
    """The daemon, its keeper, and the number of missions by status."""

    pid: int
    version: str
    home: str
    """Path of the home."""
    started_at: str
    uptime_seconds: float
    memory_bytes: int
    missions: MissionCounts
    keeper: KeeperStatus | None
    """Null while there is none."""
    log_bytes: int
    """Of all logs together."""
    problems: list[str]
    """A sentence for each problem that a person has to fix."""


class CancelledQuest(QuestBrief):
    """A quest that was cancelled, as its missions were stopped."""

    can_retry: bool
    """Whether `quest retry` begins it again."""
    again: str | None
    """The command that begins again one that began at once, or a run of a ritual; null for one of the queue."""


class Departed(TypedDict):
    """The daemon leaves."""

    stopped: int
    """Missions that ended."""
    kept: int
    """Missions that live on."""
    cancelled: NotRequired[list[CancelledQuest]]
    """Only where some were: the quests that ran."""
    stopping: NotRequired[int]
    """Only with a swarm that does not answer: plans with agents on other hives. The next daemon ends them."""
    held: NotRequired[int]
    """Only on a full disk: runs whose end could not be saved. The keeper stays, and holds them for the next daemon."""
    note: NotRequired[str]
    """Only if something had to be killed after its grace, or not all has ended, or is saved, or the web server goes on:
    what, why, what stays, and what to do."""
