"""The shapes of requests about rituals."""

from __future__ import annotations

from typing import Literal

from overmind_core.kernel.request import Args
from overmind_core.plans.requests import Apply
from overmind_core.quests.requests import Count, QuestRun


class RitualCreate(Args, frozen=True):
    """Have a quest, or a plan, come again by a schedule: a cron expression, `@daily` and the like, `@every 10m`."""

    name: str
    schedule: str
    zone: str | None = None
    """Name of a time zone; null: the daemon's own."""
    overlap: Literal["skip", "queue"] = "skip"
    """What becomes of a time that comes while the run before goes on."""
    catch_up: Literal["none", "one"] = "one"
    """What becomes of times at which no daemon was there: nothing, or one run for all of them."""
    keep: Count = 10
    """Ended runs that are kept, with their missions and logs."""
    quest: QuestRun | None = None
    """Each run is this quest, called after the ritual and the number of the run."""
    apply: Apply | None = None
    """Each run is this plan."""
    request: str | None = None
    """A key of the caller's choice: a repeat with the same key makes no second ritual."""


class Ritual(Args, frozen=True):
    """One ritual, by its name or id."""

    id: str


class RitualRun(Args, frozen=True):
    """Run a ritual now; with a `request` key a repeat makes no second run."""

    id: str
    request: str | None = None
