"""Conflicts of a mission's work, handed to its agent: the merge is begun in its worktree, and the session is told."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from overmind_core.domain.actor import PERSON
from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.agents.conversation import is_busy, is_handed_over
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
from overmind_core.git.run import GitFailed, GitMissing
from overmind_core.kernel.actor import actor
from overmind_core.landing import preview
from overmind_core.missions.callers import forbid_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal

    from overmind_core.agents.service import Agents
    from overmind_core.agents.submission import Submission
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.landing.answer_types import ResolvingWork
    from overmind_core.landing.locations import Locations, WorkLocation
    from overmind_core.missions.environment import SavedEnvironments
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
        environments: SavedEnvironments,
        check_restart: Callable[[Mission], None],
    ) -> None:
        """`check_restart`: refuses to start an ended mission that its plan or its quest starts."""
        self._registry = registry
        self._locations = locations
        self._agents = agents
        self._submission = submission
        self._restarts = restarts
        self._environments = environments
        self._check_restart = check_restart

    def takes_work(self, mission_id: str, *, inside: str | None) -> bool:
        """True of an agent whose conversation can go on; `inside`: where who asks is, see `hand_over`."""
        mission = self._registry.get(mission_id)
        if mission is None or not _is_agents_session(mission):
            return False
        try:
            self._check_goes_on(mission, inside)
        except OvermindError:
            return False
        return True

    async def hand_over(
        self, place: WorkLocation, into: str, request: str, *, inside: str | None, session: Mapping[str, str]
    ) -> ResolvingWork:
        """Begin the merge in the mission's worktree, and send its agent the task to finish it.

        A session that has ended is started again, with its conversation. A repeat with the same key changes nothing.

        Args:
            place: Where the work is.
            into: The branch that is to get it.
            request: The key.
            inside: The mission that who asks runs in; None: a person.
            session: The variables of a person's login session: one that is started again gets them.

        Raises:
            OvermindError: `not_session`, `busy`: it can't be handed over; `not_finished`, `forbidden`: it has ended,
                and `restart` is refused, too; `invalid`, `nothing_to_merge`, `dirty`, `git_failed`: there is nothing
                to hand over, or no merge can begin. Nothing was changed.
        """
        mission = await self._checked(place, into, request)
        self._check_goes_on(mission, inside)
        conflicting = await self._locations.run(_begun, place, from_wire(into))
        is_ended = not mission.is_live
        current = await self._started(mission, session) if is_ended else mission
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
            "waits_for": self._awaited_by(place.mission),
        }

    def _awaited_by(self, mission_id: str) -> Literal["thaw", "terminal"] | None:
        """The reason why a message waits though the agent is not busy."""
        mission, session = self._registry.get(mission_id), self._agents.of(mission_id)
        if mission is not None and mission.status is Status.PAUSED:
            return "thaw"
        return "terminal" if session is not None and is_handed_over(session.state) else None

    def _check_goes_on(self, mission: Mission, inside: str | None) -> None:
        """Refuse to start an ended one again for whom `restart` is refused.

        Raises:
            OvermindError: `forbidden`, `not_finished`.
        """
        if not mission.is_live:
            forbid_inside(inside, "restart missions")
            self._check_restart(mission)

    async def _started(self, mission: Mission, session: Mapping[str, str]) -> Mission:
        """Start it again, as `restart` does; return it once its conversation goes on, or could not."""
        if actor() == PERSON:
            self._environments.renew(mission.id, session)
        begun = await self._restarts.restart(mission)
        await self._registry.until(begun.id, lambda now: now.status is Status.RUNNING or not now.is_live)
        return self._registry.get(begun.id) or begun

    async def _checked(self, place: WorkLocation, into: str, request: str) -> Mission:
        """The mission of some work, whose agent can be sent more.

        Raises:
            OvermindError: `not_session`, `busy`.
        """
        mission = self._registry.get(place.mission)
        if mission is None or not _is_agents_session(mission):
            message = f"{place.name} is no session of an agent, so it takes no more work."
            if mission is None:
                message = f"The mission of {place.name} was removed: no agent is left."
            way, _ = await self._locations.run(_way_by_hand, place, into)
            raise OvermindError("not_session", f"{message} {way}")
        session = self._agents.of(mission.id)
        if session is None or not mission.is_live or self._submission.knows(request):
            return mission
        if is_busy(session.state):
            raise OvermindError("busy", f"{place.name} is working. Try again when its turn is over.")
        return mission


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


def _way_by_hand(place: WorkLocation, target: str) -> tuple[str, str]:
    """The sentence about how conflicts are resolved where the work is, and the command that begins the merge there.

    That is "" where something stands half done already: the sentence has the commands that finish it.

    Raises:
        GitFailed: git can't tell.
        GitMissing: there is none.
    """
    look, operation = look_at(place.git, place.folder), operation_of(place.git, place.folder)
    if operation is not None or look.conflicting:
        return merge.Unresolved(look.conflicting, operation).sentence(to_wire(place.name), place.folder), ""
    begin = shlex.join(("git", "-C", to_wire(place.folder), "merge", target))
    return f"Resolve them there with: {begin}, and merge again once that is committed", begin


def by_hand(error: OvermindError, place: WorkLocation) -> OvermindError:
    """Return a refusal for conflicts with the command that begins the merge where the work is: no agent takes it."""
    target = error.fields.get("target")
    if not isinstance(target, str) or not os.path.isdir(place.folder):
        return error
    try:
        way, begin = _way_by_hand(place, target)
    except (GitFailed, GitMissing):  # it conflicts all the same
        return error
    fields = error.fields | ({"resolve_with": begin} if begin else {})
    return OvermindError(error.code, with_hint(error.message, way), **fields)


def offer(error: OvermindError, name: str, into: str | None) -> OvermindError:
    """Return a refusal for conflicts with the command that hands them to the agent."""
    where = "" if into is None else f" --into {shlex.quote(into)}"
    files = error.fields.get("files")
    them = count_text(len(files), "conflict") if isinstance(files, list) else "them"
    way = f"Hand {them} to its agent with: overmind merge {name}{where} --resolve"
    return OvermindError(error.code, with_hint(error.message, way), **error.fields)
