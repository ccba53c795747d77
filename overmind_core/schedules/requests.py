"""The shapes of requests about rituals."""

from __future__ import annotations

from typing import Literal

from overmind_core.kernel.request import Args, RequestKey
from overmind_core.plans.requests import Apply
from overmind_core.quests.requests import Count, QuestRun


class RitualCreate(Args, frozen=True):
    """Run a quest or a plan on a schedule: a cron expression, `@daily` and similar words, `@every 10m`."""

    name: str
    schedule: str
    zone: str | None = None
    """Name of a time zone; null: the daemon's own."""
    overlap: Literal["skip", "queue"] = "skip"
    """The handling of a run that falls due while the previous one is still running."""
    catch_up: Literal["none", "one"] = "one"
    """The handling of runs missed while no daemon was running: skip them, or run once for all."""
    keep: Count = 10
    """Ended runs that are kept, with their missions and logs."""
    quest: QuestRun | None = None
    """Each run is this quest, called after the ritual and the number of the run."""
    apply: Apply | None = None
    """Each run is this plan."""
    request: RequestKey | None = None
    """A key of the caller's choice, without `:`; a repeat with the same key makes no second ritual."""


class Ritual(Args, frozen=True):
    """One ritual, by its name or id."""

    id: str


class RitualRun(Args, frozen=True):
    """Run a ritual now; with a `request` key a repeat makes no second run."""

    id: str
    request: RequestKey | None = None
