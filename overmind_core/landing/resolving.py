"""Conflicts of a mission's work, handed to its agent: the merge is begun in its worktree, and the session is told."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.agents.conversation import is_busy
from overmind_core.domain.git_operations import GitOperation
from overmind_core.domain.landing import count_text
from overmind_core.domain.missions.mission import Kind, Status
from overmind_core.domain.quests.briefing import conflicts_task
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError, with_hint
from overmind_core.git import merge, repository
from overmind_core.git.look import look_at
from overmind_core.git.merge import AlreadyMerged, MergeConflicts
from overmind_core.git.merge_tree import merged_tree
from overmind_core.git.operation import operation_of
from overmind_core.landing import preview

if TYPE_CHECKING:
    from overmind_core.agents.service import Agents
    from overmind_core.agents.submission import Submission
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.landing.answer_types import ResolvingWork
    from overmind_core.landing.locations import Locations, WorkLocation
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.restarts import Restarts


class ConflictResolving:
    """Hands conflicts to agents. Used from the loop's thread."""

    def __init__(
        self,
        *,
        registry: Registry,
        locations: Locations,
        agents: Agents,
        submission: Submission,
        restarts: Restarts,
    ) -> None:
        self._registry = registry
        self._locations = locations
        self._agents = agents
        self._submission = submission
        self._restarts = restarts

    def takes_work(self, mission_id: str) -> bool:
        """Whether a mission is an agent whose conversation can go on."""
        mission = self._registry.get(mission_id)
        return mission is not None and _is_agents_session(mission)

    async def hand_over(self, place: WorkLocation, into: str, request: str) -> ResolvingWork:
        """Begin the merge in the mission's worktree, and send its agent the task to finish it.

        A session that has ended is started again, with its conversation. A repeat with the same key changes nothing.

        Raises:
            OvermindError: `not_session`, `busy`: it can't be handed over; `invalid`, `nothing_to_merge`, `dirty`,
                `git_failed`: there is nothing to hand over, or no merge can begin. Nothing was changed.
        """
        mission = self._registry.get(place.mission)
        self._check(place, mission, into, request)
        assert mission is not None
        conflicting = await self._locations.run(_begun, place, from_wire(into))
        is_ended = not mission.is_live
        current = await self._started(mission) if is_ended else mission
        text = conflicts_task(into, conflicting)
        number = await self._submission.submit(current, text, queue=True, sender=None, request=request)
        return {
            "ok": True,
            "merged": False,
            "mission": place.mission,
            "name": place.name,
            "target": into,
            "resolving": conflicting,
            "message": number,
            "restarted": is_ended,
        }

    async def _started(self, mission: Mission) -> Mission:
        """Start it again; return it once its conversation goes on, or could not."""
        begun = await self._restarts.restart(mission)
        await self._registry.until(begun.id, lambda now: now.status is Status.RUNNING or not now.is_live)
        return self._registry.get(begun.id) or begun

    def _check(self, place: WorkLocation, mission: Mission | None, into: str, request: str) -> None:
        begin = shlex.join(("git", "-C", to_wire(place.folder), "merge", into))
        own = f"Resolve them there with: {begin}, and merge again once that is committed"
        if mission is None:
            raise OvermindError("not_session", f"The mission of {place.name} was removed: no agent is left. {own}")
        if not _is_agents_session(mission):
            message = f"{place.name} is no session of an agent, so it takes no more work."
            raise OvermindError("not_session", f"{message} {own}")
        session = self._agents.of(mission.id)
        if session is None or not mission.is_live or self._submission.knows(request):
            return
        if is_busy(session.state):
            raise OvermindError("busy", f"{place.name} is working. Try again when its turn is over.")


def _is_agents_session(mission: Mission) -> bool:
    return mission.definition.kind is Kind.SESSION and mission.definition.provider != RAW


def _begun(place: WorkLocation, into: str) -> list[str]:
    """Begin the merge, unless it was begun; return the files that conflict."""
    git, folder, name = place.git, place.folder, to_wire(place.name)
    target = repository.resolve(git, place.source, repository.HEADS + into)
    if target is None:
        raise OvermindError("invalid", f"There is no branch {to_wire(into)!r}. Choose another one with --into")
    look, operation = look_at(git, folder), operation_of(git, folder)
    if operation is GitOperation.MERGE and look.conflicting:
        return [to_wire(path) for path in look.conflicting]
    if operation is not None:
        raise OvermindError("git_failed", merge.Unresolved(look.conflicting, operation).sentence(name, folder))
    if look.branch != place.branch or look.head is None:
        other = to_wire(look.branch or "no branch")
        raise OvermindError(
            "invalid", f"The worktree of {name} has {other} checked out, not {to_wire(place.branch or '')}."
        )
    if look.changed:
        raise preview.uncommitted_work(place, look.changed)
    try:
        is_known = merged_tree(git, place.source, commit=look.head, target=target) is not None
    except AlreadyMerged:
        raise OvermindError("nothing_to_merge", f"{to_wire(into)} already has all changes of {name}.") from None
    except MergeConflicts:
        is_known = False
    if not is_known and (found := merge.begin(git, folder, target)):
        return [to_wire(path) for path in found]
    raise OvermindError("invalid", f"{name} has no conflicts with {to_wire(into)}. Merge it without --resolve")


def by_hand(error: OvermindError, place: WorkLocation) -> OvermindError:
    """Return a refusal for conflicts with the command that begins the merge where the work is: no agent takes it."""
    target = error.fields.get("target")
    if not isinstance(target, str) or not os.path.isdir(place.folder):
        return error
    begin = shlex.join(("git", "-C", to_wire(place.folder), "merge", target))
    way = f"Resolve them there with: {begin}, and merge again once that is committed"
    return OvermindError(error.code, with_hint(error.message, way), **error.fields | {"resolve_with": begin})


def offer(error: OvermindError, name: str, into: str | None) -> OvermindError:
    """Return a refusal for conflicts with the command that hands them to the agent."""
    where = "" if into is None else f" --into {shlex.quote(into)}"
    files = error.fields.get("files")
    them = count_text(len(files), "conflict") if isinstance(files, list) else "them"
    way = f"Hand {them} to its agent with: overmind merge {name}{where} --resolve"
    return OvermindError(error.code, with_hint(error.message, way), **error.fields)
