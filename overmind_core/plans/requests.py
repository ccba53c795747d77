"""The shapes of requests about plans, quests and rituals: what agents are to do together, once, or again and again."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from overmind_core.domain.plans.blueprint import Blueprint
from overmind_core.missions.requests import Args, Start, Whole

Count = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
"""How many of something that is kept or shown."""


class Apply(Args, frozen=True):
    """A plan, checked as far as a file can be: see docs/blueprints.md. `rerun`: of an ended one, what failed."""

    blueprint: Blueprint
    cwd: str
    file: str = ""
    env: dict[str, str] = {}
    """The caller's environment: of the plan, and of each of its agents."""
    umask: Whole = 0o022
    dry_run: bool = False
    rerun: Literal["failed"] | None = None
    request: str | None = None
    """As with `run`: a new plan is made once, however often it is asked for."""


class Plan(Args, frozen=True):
    """One plan, by the id or name of its mission."""

    id: str


class QuestRun(Start, frozen=True):
    """`run`, for work that is to be done once: a quest. Its restarts are its retries: `restart` stays never."""

    check: str | None = None
    """A shell command, run after the work has ended well: done is what makes this exit 0."""
    retries: Whole = 0
    """How often it is tried again after the work or the check has failed."""


class Quests(Args, frozen=True):
    """The newest quests, at most `limit`, oldest of them first; no `status` means any."""

    status: list[str] = []
    limit: Count = 1000


class Quest(Args, frozen=True):
    """One quest: its id, its name, or at least 3 characters of the id."""

    id: str


class QuestWait(Args, frozen=True):
    """Tell as each quest ends; `any`: only the first."""

    ids: list[str]
    any: bool = False


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
