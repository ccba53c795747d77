"""`rituals`, `ritual`, `ritual_create`, `…_run`, `…_pause`, `…_resume`, `…_delete`, `…_history`: what comes again.

Also rituals and their runs as the API shows them: JSON-able, times in RFC 3339 and as local clocks show them.
"""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING, Literal

import msgspec

from overmind_core.agents.spec import spec_of
from overmind_core.domain.missions.mission import Mission, Status
from overmind_core.domain.missions.outcome import outcome_of_state
from overmind_core.domain.schedules import OPEN, Ritual, RitualRun, RunStatus
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles
from overmind_core.missions import requests, validate
from overmind_core.missions.answers import time
from overmind_core.quests.api import as_start
from overmind_core.schedules import requests as ritual_requests
from overmind_core.schedules.actions import parted
from overmind_core.schedules.registry import read
from overmind_core.system.machine import system_zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.request import Caller
    from overmind_core.missions.launcher import Launcher
    from overmind_core.missions.ports import Preparer
    from overmind_core.plans import requests as plan_requests
    from overmind_core.quests import requests as quest_requests
    from overmind_core.schedules.answer_types import (
        BegunRitualRun,
        DeletedRitual,
        RitualBrief,
        RitualDetails,
        RitualRunInfo,
        RitualSummary,
        UpcomingTime,
    )
    from overmind_core.schedules.cron import Schedule
    from overmind_core.schedules.service import Schedules
    from overmind_core.system.machine import Clock


SHOWN = 3
"""Times that are shown of what follows."""


def brief(ritual: Ritual) -> RitualBrief:
    """Id and name: the answer of commands that change a ritual."""
    return {"id": ritual.id, "name": ritual.name}


def row(ritual: Ritual, runs: Sequence[RitualRun], following: float | None) -> RitualSummary:
    """A ritual in a list: `runs` are those that are kept, oldest first; `following` is when the next one comes."""
    begun = [run for run in runs if run.started_at is not None]
    last = begun[-1] if begun else None
    return {
        **brief(ritual),
        "status": _status(ritual, runs),
        "schedule": ritual.schedule,
        "zone": ritual.zone,
        "paused": ritual.paused,
        "next_at": time(following),
        "next_local": None if following is None else _local(following, ritual.zone),
        "last_at": None if last is None else time(last.started_at),
        "last_local": None if last is None or last.started_at is None else _local(last.started_at, ritual.zone),
        "last_result": None if last is None else last.status,
        "last_outcome": None if last is None else outcome_of_state(last.status, last.reason),
        "last_id": None if last is None else last.mission,
        "last_number": None if last is None else last.number,
        "running": [run.mission for run in runs if run.status is RunStatus.RUNNING],
        "queued": _queued(runs),
        "command": ritual.command,
        "kind": "quest" if ritual.apply is None else "blueprint",
        "overlap": ritual.overlap,
        "catch_up": ritual.catch_up,
        "keep": ritual.keep,
        "created_at": format_time(ritual.created_at),
    }


def details(
    ritual: Ritual, runs: Sequence[RitualRun], following: float | None, schedule: Schedule, now: float
) -> RitualDetails:
    """A ritual, with the times that follow `now` (seconds since the epoch)."""
    quest = ritual.quest or {}
    shown = 0 if ritual.paused else SHOWN
    return {
        **row(ritual, runs, following),
        "upcoming": [moment(at, ritual.zone) for at in islice(schedule.upcoming(max(now, ritual.last)), shown)],
        "check": quest.get("check"),
        "retries": quest.get("retries", 0),
        "cwd": quest.get("cwd") or (ritual.apply or {}).get("cwd"),
        "runs": [run_row(run, ritual) for run in runs],
    }


def moment(at: float, zone: str) -> UpcomingTime:
    """A time on both clocks."""
    return {"at": format_time(at), "local": _local(at, zone)}


def _local(at: float, zone: str) -> str:
    """A time as the clocks of a zone show it."""
    from overmind_core.schedules.cron import local  # noqa: PLC0415 - for those who have rituals

    return local(at, zone)


def run_row(run: RitualRun, ritual: Ritual) -> RitualRunInfo:
    """One run, or a time of which no run came."""
    ended, started = run.ended_at, run.started_at
    lasted = None if ended is None or started is None else round(max(0.0, ended - started), 3)
    return {
        "number": run.number,
        "status": run.status,
        "trigger": run.trigger,
        "due_at": format_time(run.due_at),
        "due_local": _local(run.due_at, ritual.zone),
        "missed": run.missed,
        "id": run.mission,
        "name": run.name,
        "started_at": time(run.started_at),
        "ended_at": time(run.ended_at),
        "duration_seconds": lasted,
        "exit_code": run.exit_code,
        "outcome": outcome_of_state(run.status, run.reason),
        "reason": run.reason,
        "text": run.text,
    }


def _status(ritual: Ritual, runs: Sequence[RitualRun]) -> Literal["running", "paused", "waiting"]:
    if ritual.paused:  # also while a run goes on: `running` names it
        return "paused"
    return "running" if any(run.status in OPEN and run.status is not RunStatus.QUEUED for run in runs) else "waiting"


def _queued(runs: Iterable[RitualRun]) -> int:
    return sum(run.status is RunStatus.QUEUED for run in runs)


_MILLISECOND = 3
"""Digits: an interval counts from a time that people can read."""


def _what(request: ritual_requests.RitualCreate) -> quest_requests.QuestRun | plan_requests.Apply:
    if request.quest is not None:
        return request.quest
    assert request.apply is not None
    return msgspec.structs.replace(request.apply, dry_run=False, rerun=None)


class RitualApi:
    """The requests about rituals."""

    def __init__(
        self,
        *,
        schedules: Schedules,
        clock: Clock,
        settings: Settings,
        launcher: Launcher,
        preparer: Preparer,
        journal: Journal,
    ) -> None:
        self._schedules = schedules
        self._clock = clock
        self._settings = settings
        self._launcher = launcher
        self._preparer = preparer
        self._journal = journal

    @handles(ritual_requests.RitualCreate)
    async def ritual_create(self, request: ritual_requests.RitualCreate, caller: Caller) -> RitualDetails:
        """Have something come again; answers it with the next times. A repeat with the same key answers the same."""
        del caller
        earlier = next(
            (one for one in self._schedules.rituals.all.values() if request.request and one.request == request.request),
            None,
        )
        if earlier is None:
            earlier = await self._create(request)
        return self._details(earlier)

    async def _create(self, request: ritual_requests.RitualCreate) -> Ritual:
        name = validate.checked_name(request.name)
        self._check_free(name)
        now = round(self._clock.wall(), _MILLISECOND)
        schedule = read(request.schedule, request.zone or system_zone(os.environ), now)
        command = await self._checked(request)
        self._check_free(name)  # once more: it took a moment
        fields, environment = parted(_what(request))
        ritual = Ritual(
            id=self._new_id(),
            name=name,
            schedule=schedule.text,
            zone=schedule.zone,
            created_at=now,
            command=command,
            last=now,
            overlap=request.overlap,
            catch_up=request.catch_up,
            keep=request.keep,
            quest=fields if request.quest is not None else None,
            apply=fields if request.quest is None else None,
            request=request.request,
        )
        await self._schedules.create(ritual, environment)
        return ritual

    async def _checked(self, request: ritual_requests.RitualCreate) -> str:
        """Refuse now what could never start; one line that says what comes again."""
        if (request.quest is None) is (request.apply is None):
            raise OvermindError(
                "empty_command", "Missing command: give a command to run on schedule, or a blueprint with --apply."
            )
        if request.apply is not None:
            return f"apply {request.apply.file or request.apply.blueprint.name}"
        assert request.quest is not None
        if request.quest.parent is not None:
            raise OvermindError("invalid", "--parent: runs of a ritual have no parent.")
        start = as_start(request.quest)
        spec = spec_of(start, self._settings, name=request.name)
        if spec.agent is None or not spec.agent.program:
            mission = Mission("00000000", spec.definition, 0.0, Status.STARTING)
            await self._launcher.check(mission, spec.environment)
        await self._preparer.planned(spec)
        return spec.definition.command

    @handles(requests.Nothing)
    async def rituals(self, request: requests.Nothing, caller: Caller) -> list[RitualSummary]:
        """All rituals, by name."""
        del request, caller
        rituals = self._schedules.rituals
        found = sorted(rituals.all.values(), key=lambda one: one.name)
        return [row(one, rituals.runs(one), rituals.following(one)) for one in found]

    @handles(ritual_requests.Ritual)
    async def ritual(self, request: ritual_requests.Ritual, caller: Caller) -> RitualDetails:
        """Everything known of one ritual, with its next times and its runs."""
        del caller
        return self._details(self._schedules.rituals.find(request.id))

    @handles(ritual_requests.Ritual)
    async def ritual_history(self, request: ritual_requests.Ritual, caller: Caller) -> list[RitualRunInfo]:
        """The runs of a ritual that are kept, oldest first."""
        del caller
        found = self._schedules.rituals.find(request.id)
        return [run_row(run, found) for run in self._schedules.rituals.runs(found)]

    @handles(ritual_requests.RitualRun)
    async def ritual_run(self, request: ritual_requests.RitualRun, caller: Caller) -> BegunRitualRun:
        """Run a ritual now; answers the run once it has begun, or waits for the one before."""
        del caller
        found = self._schedules.rituals.find(request.id)
        run = await self._schedules.run_now(found, request.request)
        return {"ritual": brief(found), **run_row(run, found)}

    @handles(ritual_requests.Ritual)
    async def ritual_pause(self, request: ritual_requests.Ritual, caller: Caller) -> RitualDetails:
        """Pause its schedule."""
        del caller
        return await self._paused(request.id, paused=True)

    @handles(ritual_requests.Ritual)
    async def ritual_resume(self, request: ritual_requests.Ritual, caller: Caller) -> RitualDetails:
        """Resume its schedule; runs missed while paused are not made up."""
        del caller
        return await self._paused(request.id, paused=False)

    async def _paused(self, text: str, *, paused: bool) -> RitualDetails:
        changed = self._schedules.pause(self._schedules.rituals.find(text), paused=paused)
        await self._journal.saved()
        return self._details(changed)

    @handles(ritual_requests.Ritual)
    async def ritual_delete(self, request: ritual_requests.Ritual, caller: Caller) -> DeletedRitual:
        """Delete a ritual and its history; runs already started continue, queued ones do not begin."""
        del caller
        found = self._schedules.rituals.find(request.id)
        queued = _queued(self._schedules.rituals.open_runs(found.id).values())
        self._schedules.forget(found)
        await self._journal.saved()
        return {**brief(found), "queued": queued}

    def _details(self, found: Ritual) -> RitualDetails:
        rituals = self._schedules.rituals
        if found.id not in rituals.all:
            raise OvermindError("not_found", f"The ritual {found.name!r} has been deleted meanwhile.")
        now = self._clock.wall()
        return details(found, rituals.runs(found), rituals.following(found), rituals.schedule(found), now)

    def _check_free(self, name: str) -> None:
        holder = self._schedules.rituals.named(name)
        if holder is not None:
            raise OvermindError(
                "name_taken", f"The name {name!r} is taken by another ritual."
                f" Delete it first: overmind ritual delete {name}",
                id=holder.id,
            )  # fmt: skip

    def _new_id(self) -> str:
        while (fresh := os.urandom(4).hex()) in self._schedules.rituals.all:
            pass
        return fresh
