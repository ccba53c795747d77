"""`specs`, `spec`, `spec_new`, `…_run`, `…_wait`, `…_sync`, `…_accept`, `…_archive`, `…_forget`: plans as documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from overmind_core.domain.specs.spec import PHASES, PhaseName
from overmind_core.domain.swarm.placement import Placement
from overmind_core.domain.text.problems import hinted
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles
from overmind_core.missions.callers import forbid_inside, mission_of
from overmind_core.specs import requests
from overmind_core.specs.ports import AttemptSource

if TYPE_CHECKING:
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.request import Caller, Stream
    from overmind_core.missions.registry import Registry
    from overmind_core.specs.answer_types import (
        SpecAccepted,
        SpecAdvanced,
        SpecArchived,
        SpecAttemptBrief,
        SpecAttemptItem,
        SpecBrief,
        SpecCreated,
        SpecDetails,
        SpecForgotten,
        SpecProgressItem,
        SpecRow,
        SpecSynced,
    )
    from overmind_core.specs.service import Specs
    from overmind_core.system.paths import Home


class SpecApi:
    """The requests about specs."""

    def __init__(self, *, specs: Specs, journal: Journal, missions: Registry, home: Home) -> None:
        self._specs = specs
        self._journal = journal
        self._missions = missions
        self._home = home

    @handles(requests.Specs)
    async def specs(self, request: requests.Specs, caller: Caller) -> list[SpecRow]:
        """The specs, by slug."""
        del caller
        if not self._specs.registry.all:
            return []
        return await self._specs.parts.views.rows(archived=request.all)

    @handles(requests.Spec)
    async def spec(self, request: requests.Spec, caller: Caller) -> SpecDetails:
        """Everything known of one spec."""
        del caller
        found = self._specs.registry.find(request.id)
        return await self._specs.parts.views.details(found)

    @handles(requests.SpecNew)
    async def spec_new(self, request: requests.SpecNew, caller: Caller) -> SpecCreated:
        """Create a spec. With a request key a repeat answers the same one."""
        del caller
        made = await self._specs.parts.creation.create(request)
        return {"id": made.spec.id, "slug": made.spec.slug, "folder": made.spec.folder, "hidden_by": made.hidden_by}

    @handles(requests.SpecRun)
    async def spec_run(self, request: requests.SpecRun, caller: Caller) -> SpecAdvanced:
        """Have a spec go on where it is."""
        del caller
        found = self._specs.registry.find(request.id)
        parts = self._specs.parts
        ended = parts.watchers.ended(found.id)
        first, last = _phase(request.first), _phase(request.last)
        if first is not None and last is not None and PHASES.index(last) < PHASES.index(first):
            raise OvermindError("invalid", f"--to {last} comes before --from {first}: nothing would run.")
        advance = await parts.progress.run(found.id, first=first, last=last, changes=self._changes(request))
        self._specs.go_on(found.id)
        return parts.views.advanced(found.id, advance, ended)

    @handles(requests.SpecWait)
    async def spec_wait(self, request: requests.SpecWait, caller: Caller) -> Stream[SpecBrief, SpecProgressItem]:
        """An item for each phase and task of a spec that ends, and last how the spec stands once nothing goes on."""
        del caller
        found = self._specs.registry.find(request.id)
        yield {"id": found.id, "slug": found.slug}
        async for item in self._specs.parts.watchers.follow(found.id, set(request.known)):
            yield item

    @handles(requests.SpecAttempt)
    async def spec_attempt(
        self, request: requests.SpecAttempt, caller: Caller
    ) -> Stream[SpecAttemptBrief, SpecAttemptItem]:
        """Have the swarm do the newest attempt of a quest: an item whenever it stands otherwise, and last its end.

        Only the program that waits for it, and a person, may ask.
        """
        elsewhere = self._specs.parts.elsewhere
        quest = elsewhere.attempt(request.quest)
        inside = mission_of(caller, self._missions, self._home.root)
        if inside != quest.id:
            forbid_inside(inside, "have the swarm do the work of others")
        yield {"quest": quest.id, "name": quest.name}
        async for item in elsewhere.follow(quest, AttemptSource(request.remote, request.commit, request.brought)):
            yield item

    def _changes(self, request: requests.SpecRun) -> dict[str, Any]:
        from overmind_core.specs.creation import checked_gates  # noqa: PLC0415 - git is for those who have specs

        given = {"threshold": request.threshold, "max_cost_usd": request.max_cost}
        changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if request.gates is not None:
            changes["gates"] = checked_gates(request.gates, ())
        if request.verify is not None:
            changes["verify"] = request.verify or None
        if request.placement is not None:
            changes["placement"] = self._placement(request, request.placement)
        return changes

    def _placement(self, request: requests.SpecRun, given: requests.SpecPlacement) -> Placement | None:
        """Where its phases and tasks are done.

        Raises:
            OvermindError: `no_swarm`; `invalid`, other machines can't have its code.
        """
        if given.here:
            return None
        spec = self._specs.registry.find(request.id)
        if spec.repository is None or spec.base is None:
            message = f"Spec {spec.slug} is in no git repository, or on no branch: other hives can't have its code"
            raise OvermindError("invalid", f"{message}. Omit --on.")
        self._specs.parts.elsewhere.check()
        secrets = tuple(sorted(set(given.secrets)))
        return Placement(given.on, given.cpu, given.memory, given.pack, given.on_lost, given.lease, secrets)

    @handles(requests.SpecSync)
    async def spec_sync(self, request: requests.SpecSync, caller: Caller) -> SpecSynced:
        """Bring the quests of a spec's tasks to what its document says, or tell what that would do."""
        del caller
        found = self._specs.registry.find(request.id)
        synced = await self._specs.parts.progress.sync(found.id, dry_run=request.dry_run)
        counts = synced.counts
        return {
            "id": found.id,
            "slug": found.slug,
            "dry_run": request.dry_run,
            "created": counts["created"],
            "updated": counts["updated"],
            "skipped": counts["skipped"],
            "conflicts": counts["conflicts"],
            "cancelled": counts["cancelled"],
            "steps": [{"action": one.action.value, "task": one.task, "quest": one.quest} for one in synced.steps],
        }

    @handles(requests.Spec)
    async def spec_accept(self, request: requests.Spec, caller: Caller) -> SpecAccepted:
        """Take the brief, the documents and the files that a spec is about as they are now."""
        del caller
        found = self._specs.registry.find(request.id)
        accepted = await self._specs.parts.upkeep.accept(found)
        await self._journal.saved()
        self._specs.go_on(found.id)
        return {
            "id": found.id,
            "slug": found.slug,
            "files": accepted.files,
            "phases": [one.value for one in accepted.phases],
            "tasks": accepted.tasks,
        }

    @handles(requests.SpecArchive)
    async def spec_archive(self, request: requests.SpecArchive, caller: Caller) -> SpecArchived:
        """Archive a spec, or take it back."""
        del caller
        found = self._specs.registry.find(request.id)
        quests = await self._specs.parts.upkeep.archive(found, archived=not request.undo, environment=dict(request.env))
        self._specs.go_on(found.id)  # or no longer: who waits for it is told
        return {"id": found.id, "slug": found.slug, "archived": not request.undo, "quests": quests}

    @handles(requests.SpecForget)
    async def spec_forget(self, request: requests.SpecForget, caller: Caller) -> SpecForgotten:
        """Forget an archived spec."""
        del caller
        found = self._specs.registry.find(request.id)
        quests = await self._specs.forget(found)
        return {"id": found.id, "slug": found.slug, "quests": len(quests)}


def _phase(word: str | None) -> PhaseName | None:
    if word is None:
        return None
    if word not in PHASES:
        raise OvermindError("not_found", hinted(f"No phase {word!r}. Known: {', '.join(PHASES)}", word, PHASES))
    return PhaseName(word)
