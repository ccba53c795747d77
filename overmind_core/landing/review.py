"""What the commands do that review, land and throw away the work of missions; see `api`."""

from __future__ import annotations

import asyncio
import os
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import msgspec

from overmind_core.domain.landing import MergeWay, list_text, why_kept
from overmind_core.domain.missions.mission import Kind
from overmind_core.domain.quests.attempt import can_retry
from overmind_core.domain.quests.checked_work import passed_state
from overmind_core.domain.quests.classes import both_succeed, own_verify
from overmind_core.domain.quests.hand_landing import is_unreviewed
from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.quests.shared_folder import compared_with, newest_state, shown_state
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.git import merge as git_merge
from overmind_core.git import repository, status
from overmind_core.git.changes import commit_changes
from overmind_core.git.look import look_at, look_at_index
from overmind_core.git.submodules import uncommitted_submodules, unpushed_submodules
from overmind_core.git.unsaved import hidden_changes
from overmind_core.landing import answers, preview, refused_merge
from overmind_core.landing.events import WorkCommitted
from overmind_core.landing.locations import states_of
from overmind_core.landing.preview import MergeRequest
from overmind_core.landing.quest_work import ComparedChanges, changed_since, compared_changes
from overmind_core.landing.resolving import by_hand, offer
from overmind_core.missions.callers import forbid_foreign, forbid_inside, mission_of
from overmind_core.missions.lookup import descends, find, line
from overmind_core.missions.validate import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from overmind_core.domain.isolation.isolation import Isolation
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.quests.quest import FolderState, Quest
    from overmind_core.git.changes import WorktreeChanges
    from overmind_core.git.worktree_removal import RemovedWorktree
    from overmind_core.isolation.service import IsolationService
    from overmind_core.isolation.workspace import Workspace
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.request import Caller, Stream
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.landing.answer_types import (
        CommittedWork,
        DiscardedWork,
        KeptWork,
        MergeItem,
        MergeResult,
        MissionChanges,
        MissionWork,
        PrunedWork,
        PrunedWorktrees,
        PushedBranch,
        WorktreeList,
    )
    from overmind_core.landing.answers import WorktreeInspector
    from overmind_core.landing.locations import Locations, WorkLocation
    from overmind_core.landing.requests import Commit, Discard, Merge, Push, WorktreesPrune
    from overmind_core.landing.requests import Worktrees as WorktreesRequest
    from overmind_core.landing.resolving import ConflictResolving
    from overmind_core.landing.service import MergeQueue
    from overmind_core.landing.store import LandingRow, LandingTable
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.requests import One
    from overmind_core.system.paths import Home

Result = TypeVar("Result")
TRIES = 3
"""How often work is merged that is committed to before its turn."""


def _changes(
    place: WorkLocation, landings: Sequence[LandingRow], state: FolderState | None, states: str
) -> ComparedChanges:
    compared = compared_changes(place, state, states)
    found = compared.found
    if found.files or found.commits or not landings:
        return compared
    is_all = landings[-1].tip == repository.resolve(place.git, place.folder, "HEAD")
    return compared._replace(found=_landed(place, landings)) if is_all else compared


def _landed(place: WorkLocation, landings: Sequence[LandingRow]) -> WorktreeChanges:
    """What of a mission's work has landed last."""
    *earlier, last = landings
    folder = place.source if os.path.isdir(place.source) else from_wire(last.repository)
    found = commit_changes(place.git, folder, last.before, last.after, tip=last.tip)
    notes = [found.cut] if found.cut else []
    if earlier:
        ranges = list_text([f"{one.before[:12]} {one.after[:12]}" for one in earlier])
        notes.append(f"This landed last. See what landed before with: git -C {shlex.quote(folder)} diff {ranges}")
    return replace(found, branch=from_wire(last.target), cut=" ".join(notes))


def _push(place: WorkLocation, remote: str | None) -> tuple[git_merge.Pushed, tuple[str, ...]]:
    branch = place.branch or ""
    chosen = remote or git_merge.remote_for(place.git, place.source, branch, place.base)
    left: tuple[str, ...] = ()
    if place.has_folder():
        look, index = look_at(place.git, place.folder), look_at_index(place.git, place.folder)
        left = status.uncommitted_files(place.git, place.folder, look, index)
    return git_merge.push(place.git, place.source, branch, chosen), left


def _hidden(place: WorkLocation) -> tuple[str, ...]:
    return hidden_changes(place.git, place.folder, look_at_index(place.git, place.folder))


def _why_not_shown(as_shown: Mapping[str, str] | None, mission: str, digest: str, loss: str) -> str:
    """Why a worktree stays that nobody was shown, or not with the work that it has now; "": it was, or may go unseen.

    `as_shown`: what the person was shown: mission → digest of its work; None: all may go. `loss`: that of now.
    """
    if as_shown is None or as_shown.get(mission) == digest:
        return ""
    why = "it has changed since it was asked about" if mission in as_shown else "nobody was asked about it"
    return f"{why} ({loss})" if loss else why


def _is_merge_step(mission: Mission) -> bool:
    """Whether it is what a plan runs for an agent that is a merge."""
    return "merge-step" in mission.definition.argv[1:]


def _verify(wanted: str | None, own: str | None, *, inside: str | None) -> str | None:
    """The command that has to succeed on merged work: a person's own in place of the quest's, a mission's beside it."""
    if wanted is None or own is None or inside is None:
        return own if wanted is None else wanted
    return both_succeed((own, wanted))


def _os(text: str | None) -> str | None:
    return None if text is None else from_wire(text)


class LandingReview:
    """What is asked about the work of missions, answered."""

    def __init__(
        self,
        *,
        landing: MergeQueue,
        locations: Locations,
        worktrees: WorktreeInspector,
        workspace: Workspace,
        isolation: IsolationService,
        registry: Registry,
        tasks: Tasks,
        home: Home,
        journal: Journal,
        events: EventLog,
        landing_table: LandingTable,
        resolving: ConflictResolving,
        quest: Callable[[str], Quest | None],
        question_of: Callable[[str], int | None],
    ) -> None:
        """`quest`: the one with this id. `question_of`: the number of the one that asks whether its work lands."""
        self._question_of = question_of
        self._resolving = resolving
        self._landing = landing
        self._journal = journal
        self._events = events
        self._landing_table = landing_table
        self._locations = locations
        self._worktrees = worktrees
        self._workspace = workspace
        self._pushes: dict[tuple[str, str], asyncio.Lock] = {}
        """Checkout and branch → held while it is pushed."""
        self._tasks = tasks
        self._registry = registry
        self._isolation = isolation
        self._home = home
        self._quest = quest

    async def worktrees(self, request: WorktreesRequest) -> WorktreeList:
        """The worktrees of missions, also of removed ones, with how each stands to its base."""
        found = await self._within(self._worktrees.of(request.ids), request.cwd)
        looked = await self._worktrees.inspect(found, sizes=request.sizes)
        return {"worktrees": [self._worktrees.row(one) for one in looked if not self._worktrees.is_on_the_move(one)]}

    async def changes(self, request: One) -> MissionChanges:
        """What a mission has changed since its branch began, or what of it has landed, once that is all.

        Without a worktree, what is not committed; of a quest that is reviewed, what changed since its attempt began.
        """
        try:
            place = self._locations.anywhere(request.id)
        except OvermindError as error:
            removed = self._removed(request.id) if error.code == "gone" else None
            landed = [] if removed is None else self._landings_of(removed.mission)
            if removed is None or not landed:
                raise
            found = await self._locations.run(_landed, removed, landed)
            return await self._workspace.in_thread(answers.changes, removed, found)
        quest = self._quest(place.mission) if place.branch is None else None
        landings, states = self._landings_of(place.mission), states_of(self._home, place.mission)
        compared = await self._locations.run(_changes, place, landings, newest_state(quest), states)
        base, said = compared_with(quest, compared.basis, is_empty=not compared.found.files)
        note = " ".join(filter(None, (said, compared.problem)))
        return await self._workspace.in_thread(answers.changes, place, compared.found, base, note)

    def _landings_of(self, mission: str) -> list[LandingRow]:
        self._journal.flush()
        return self._landing_table.of_mission(mission)

    def _removed(self, text: str) -> WorkLocation | None:
        """Where a mission has worked whose worktree and branch were removed; None while one of them is left."""
        mission = find(self._registry, text)
        record = self._workspace.records.get(mission.id)
        return None if record is None or record.branch is not None else self._locations.location_of(record)

    async def commit(self, request: Commit, caller: Caller) -> CommittedWork:
        """Commit everything in a mission's worktree; it may run meanwhile."""
        place = self._locations.isolated(request.id, alone=True)
        self._forbid_landing(caller, place.mission, "commit the work of")
        if not request.message.strip() or "\0" in request.message:
            raise OvermindError("invalid", "Missing message: describe the commit with -m.")
        try:
            done = await self._locations.run(git_merge.commit, place.git, place.folder, from_wire(request.message))
        except git_merge.NothingToCommit:
            message = f"{place.name} has nothing to commit."
            if inside := await self._locations.run(uncommitted_submodules, place.git, place.folder):
                message = preview.unsaved_within(place, inside)
            elif left := await self._locations.run(unpushed_submodules, place.git, place.folder):
                message = preview.unpushed(place, left)
            elif hidden := await self._locations.run(_hidden, place):
                message = preview.overlooked(place, hidden)
            raise OvermindError("nothing_to_commit", message) from None
        except git_merge.Unresolved as error:
            code = "conflicts" if error.paths else "git_failed"
            raise OvermindError(code, error.sentence(place.name, place.folder)) from None
        except git_merge.NestedRepositories as error:
            raise preview.nested(place, error.args[0]) from None
        commit, subject, files = done.commit, to_wire(done.subject), done.files
        self._events.record(
            WorkCommitted(mission=place.mission, name=place.name, commit=commit, subject=subject, files=files)
        )
        return {"mission": place.mission, "name": place.name, "commit": commit, "subject": subject, "files": files}

    def _place_to_merge(self, request: Merge) -> WorkLocation:
        """Where the work is; for a request that has landed, and is sent again, where it landed."""
        try:
            return self._locations.isolated(request.id, there=request.resolve, alone=True)
        except OvermindError as error:
            landed = self._landing.recorded(request.request)
            if landed is None or error.code not in {"not_isolated", "not_found"}:
                raise
            return self._locations.landed(landed)

    async def merge(self, request: Merge, caller: Caller) -> Stream[MissionWork, MergeItem]:
        """Merge a mission's work into a branch: an item for each step, the last one with the result."""
        if request.squash and request.rebase:
            raise OvermindError("invalid", "--squash and --rebase can't be combined.")
        if request.verify is not None and not request.verify.strip():
            raise OvermindError("empty_command", "--verify needs a command.")
        place, inside = self._place_to_merge(request), mission_of(caller, self._registry, self._home.root)
        self._forbid_landing(caller, place.mission, "merge the work of")
        if not request.preview:
            self._forbid_target(caller, place, request)
        if request.resolve:
            self._forbid_foreign(caller, place.mission, "hand work to")
            yield {"mission": place.mission, "name": place.name}
            into, key = request.into or to_wire(place.base or ""), request.request or f"resolve:{os.urandom(8).hex()}"
            session = request.session_env
            yield await self._resolving.hand_over(place, into, key, inside=inside, session=session)
            return
        wish = await self._judged(place, request, inside)
        items: asyncio.Queue[MergeItem | Exception | None] = asyncio.Queue()

        async def work() -> None:
            try:
                done = await self._merged(place, request, inside=inside, wish=wish, report=items.put_nowait)
                items.put_nowait(await self._foretold(place, request, wish, done))
            except Exception as error:  # noqa: BLE001 - reported to whoever asked, at the boundary
                items.put_nowait(error)
            finally:
                items.put_nowait(None)

        task = self._tasks.hand_on(work())
        try:
            yield {"mission": place.mission, "name": place.name}
            while (item := await items.get()) is not None:
                if isinstance(item, Exception):
                    raise await self._explained(item, place, request, inside)
                yield item
        finally:
            task.cancel()  # nobody waits for it any more, or it is done

    async def _judged(self, place: WorkLocation, request: Merge, inside: str | None) -> MergeRequest:
        """The merge that is wanted, once the work of a quest was judged: no other commit of that lands by it.

        Raises:
            OvermindError: `unreviewed`; `invalid`, the limit is no time.
        """
        tip, quest = None, self._quest(place.mission)
        if not request.preview and quest is not None:
            branch = repository.HEADS + (place.branch or "")
            tip = await self._locations.run(repository.resolve, place.git, place.source, branch)
        if not request.preview and not (request.unreviewed and inside is None):
            await self._check_reviewed(place, request)
        verify = _verify(request.verify, await self._own_verify(place), inside=inside)
        undoes = request.undo_landed and inside is None
        queue = None if quest is None or undoes else quest.queue
        way = MergeWay.SQUASH if request.squash else MergeWay.REBASE if request.rebase else MergeWay.MERGE
        return MergeRequest(
            into=_os(request.into),
            way=way,
            verify=_os(verify),
            verify_timeout=seconds(request.verify_timeout, "--verify-timeout"),
            message=_os(request.message),
            preview=request.preview,
            request=request.request,
            with_marks=request.with_marks,
            met=() if queue is None else queue.met,
            allowed=None if queue is None else queue.allowed,
            denied=() if queue is None else queue.denied,
            tip=tip,
        )

    async def _merged(
        self,
        place: WorkLocation,
        request: Merge,
        *,
        inside: str | None,
        wish: MergeRequest,
        report: Callable[[MergeItem], object],
    ) -> MergeResult:
        """Merge work as it was judged; what was committed while the merge waited for its turn is judged too.

        Raises:
            OvermindError: as `_judged` and `MergeQueue.merge`.
        """
        for _ in range(TRIES):
            try:
                return await self._landing.merge(place, wish, report)
            except OvermindError as error:
                if error.code == "dirty" and request.preview and not request.unreviewed:
                    await self._check_reviewed(place, request)  # the merge itself would say that first
                if error.code != "changed":
                    raise
            wish = await self._judged(place, request, inside)
        raise OvermindError("busy", f"{place.name} was committed to {TRIES} times in the meantime. Try again.")

    async def _check_reviewed(self, place: WorkLocation, request: Merge) -> None:
        """Refuse work whose review nobody has accepted.

        Raises:
            OvermindError: `unreviewed`.
        """
        quest = await self._unreviewed(place, request.into)
        if quest is None:
            return
        record = None if quest.id == place.mission else self._workspace.records.get(quest.id)
        other = None if record is None else self._workspace.reference(record)
        why, may_retry = refused_merge.unreviewed_text(quest, place.name, place.mission), self._may_retry(quest)
        asked = self._question_of(quest.id)
        raise refused_merge.unreviewed(quest, place.word, request, asked, why=why, may_retry=may_retry, other=other)

    async def _foretold(
        self, place: WorkLocation, request: Merge, wish: MergeRequest, done: MergeResult
    ) -> MergeResult:
        """A result; that of a preview says what the merge itself runs first, and where it would be refused."""
        quest = await self._unreviewed(place, request.into) if done["preview"] else None
        why = None if quest is None else refused_merge.unreviewed_text(quest, place.name, place.mission)
        done = done if why is None else {**done, "unreviewed": why}
        return {**done, "runs": to_wire(wish.verify)} if done["preview"] and wish.verify else done

    async def _unreviewed(self, place: WorkLocation, into: str | None) -> Quest | None:
        """The quest whose work it is, or another one with commits in it, if nobody has accepted that as it is."""
        quest = self._quest(place.mission)
        wanted = quest is not None and quest.goal is not None and quest.goal.review is not None
        if wanted and (is_unreviewed(quest) or await self._is_changed(place, shown_state(quest))):
            return quest
        near = [one for one in self._workspace.records.values() if one.repository == to_wire(place.repository)]
        near = [one for one in near if one.mission != place.mission and one.branch is not None]
        others = [self._locations.location_of(one) for one in near if is_unreviewed(self._quest(one.mission))]
        branch = place.base if into is None else from_wire(into)
        found = await self._locations.run(preview.brought, place, branch or "", others) if others else None
        return None if found is None else self._quest(found)

    async def _own_verify(self, place: WorkLocation) -> str | None:
        """The command of its quest that has to succeed on the merged work; None: there is none."""
        quest = self._quest(place.mission)
        return own_verify(quest, is_changed=await self._is_changed(place, passed_state(quest)))

    async def _is_changed(self, place: WorkLocation, state: FolderState | None) -> bool:
        """Whether its files are not as they were in a state, or nobody can tell; False where that is None."""
        if state is None:
            return False
        try:
            return bool(await self._locations.run(changed_since, place, state, states_of(self._home, place.mission)))
        except OvermindError as error:
            if error.code != "git_failed":
                raise
            return True  # what git had kept of the state goes with its mission

    async def _explained(self, error: Exception, place: WorkLocation, request: Merge, inside: str | None) -> Exception:
        """Return why it did not land, with the command that helps: to resolve conflicts, or merge all the same."""
        if not isinstance(error, OvermindError):
            return error
        if error.code == "conflicts":
            takes_work = self._resolving.takes_work(place.mission, inside=inside)
            if takes_work:
                return offer(error, place.word, request.into)
            return await self._locations.run(by_hand, error, place)
        quest = self._quest(place.mission)
        asked = self._question_of(place.mission)
        work = refused_merge.RefusedWork(place.name, place.word, quest, asked, may_retry=self._may_retry(quest))
        return refused_merge.explained(error, work, request, is_person=inside is None)

    def _may_retry(self, quest: Quest | None) -> bool:
        """Tell whether `quest retry` would take it."""
        return quest is not None and can_retry(quest, has_mission=self._registry.get(quest.id) is not None)

    async def push(self, request: Push) -> PushedBranch:
        """Push a mission's branch under its own name, never by force."""
        place = self._locations.isolated(request.id, there=False, alone=True)
        try:
            done, uncommitted = await self._while_here(self._push_in_turn(place, _os(request.remote)))
        except git_merge.NoRemote as error:
            known = [to_wire(name) for name in error.args[0]]
            message = f"{to_wire(place.source)} has several remotes: {list_text(known)}. Choose one with --remote"
            none = f"{to_wire(place.source)} has no remote. Add one: git remote add origin URL"
            raise OvermindError("git_failed", message if known else none) from None
        return {
            "mission": place.mission,
            "name": place.name,
            "remote": to_wire(done.remote),
            "branch": to_wire(place.branch or ""),
            "commit": done.commit,
            "uncommitted": [to_wire(path) for path in uncommitted],
        }

    async def _push_in_turn(self, place: WorkLocation, remote: str | None) -> tuple[git_merge.Pushed, tuple[str, ...]]:
        """Push once nobody else pushes that branch, a daemon that was killed included."""
        await self._workspace.left_programs_ended()
        turn = self._pushes.setdefault((place.source, place.branch or ""), asyncio.Lock())
        async with turn:
            return await self._locations.run(_push, place, remote)

    async def _while_here(self, work: Coroutine[None, None, Result]) -> Result:
        """Bring work for somebody to its end, unless the daemon ends first: its programs end with it.

        Raises:
            OvermindError: `daemon_lost`; and as `work`.
        """
        task, leaving = asyncio.ensure_future(work), asyncio.ensure_future(self._workspace.phase.leaving.wait())
        try:
            await asyncio.wait([task, leaving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
        if not task.done() and not self._workspace.phase.handing_over:
            task.cancel()
            raise OvermindError("daemon_lost", "Cancelled: the daemon was shut down before git had ended.")
        return await task

    async def discard(self, request: Discard, caller: Caller) -> DiscardedWork:
        """Remove the worktree, the branch, the containers and the volumes of an ended mission."""
        isolation = self._workspace.find(request.id, alone=True)
        self._forbid_foreign(caller, isolation.mission, "discard the work of")
        live = self._registry.live.get(isolation.mission)
        if live is not None:
            message = f"Mission {live.id} ({live.definition.name}) is {live.status}."
            raise OvermindError("not_finished", f"{message} Stop it first with: overmind stop {live.definition.name}")
        if wanted := self._wanted_by(isolation.mission):
            raise OvermindError(
                "not_finished", f"{wanted}. Cancel it first with: overmind quest cancel {isolation.name}"
            )
        elsewhere = [] if request.force else await self._check_loss(isolation)
        removed = await self._isolation.discard(isolation, force=request.force)
        return answers.discarded(isolation, removed, elsewhere)

    async def worktrees_prune(self, request: WorktreesPrune) -> PrunedWorktrees:
        """Discard what ended missions have of their own, but for work that is nowhere else."""
        removed: list[PrunedWork] = []
        kept: list[KeptWork] = []
        as_shown: dict[str, str] = {}
        branches: dict[str | None, set[str]] = {}
        """Repository → branches that are gone, or would be: none of them keeps what another worktree has."""
        found = await self._within(self._worktrees.of(None), request.cwd)
        async for looked in self._worktrees.for_removal(found, branches):
            isolation = looked.isolation
            mission = self._registry.get(isolation.mission)
            digest = await self._workspace.in_thread(looked.digest, 0 if mission is None else mission.run)
            before = branches.setdefault(isolation.repository, set())
            stands = looked.standing(live=isolation.mission in self._registry.live)
            why = why_kept(stands, force=request.force) or self._wanted_by(isolation.mission)
            why = why or _why_not_shown(request.as_shown, isolation.mission, digest, stands.loss)
            gone: RemovedWorktree | None = None
            if not why and not request.dry_run:
                try:
                    gone = await self._isolation.discard(isolation, force=request.force)
                except OvermindError as error:  # something has changed just now
                    why = error.message
            if why:
                kept.append({**answers.discarded(isolation), "why": why})
            else:
                removed.append({
                    **answers.discarded(isolation, gone, looked.elsewhere()), "lost": stands.loss,
                })  # fmt: skip
                before.update(filter(None, [removed[-1]["branch"]]))
                as_shown[isolation.mission] = digest
        return {"removed": removed, "kept": kept, "as_shown": as_shown}

    def _wanted_by(self, mission: str) -> str:
        """Why the work of an ended mission is needed yet: its quest has not ended; "" where it is not."""
        quest = self._quest(mission)
        if quest is None or quest.is_over:
            return ""
        how = "in review" if quest.status is QuestStatus.REVIEW else quest.status.value
        return f"Quest {quest.name} is {how}, and its work is in that worktree"

    async def _within(self, found: list[Isolation], cwd: str | None) -> list[Isolation]:
        """Those of the repository that a folder is in; all of them when none is named."""
        if cwd is None:
            return found
        missions = await self._workspace.around(cwd)
        return [one for one in found if one.mission in missions]

    async def _check_loss(self, isolation: Isolation) -> list[str]:
        """Refuse to lose work, naming all of it; return the other branches that keep what has not landed.

        Raises:
            OvermindError: `unmerged`.
        """
        if isolation.branch is None:
            return []
        (looked,) = [one async for one in self._worktrees.for_removal([isolation])]
        stands = looked.standing(live=False)
        why = why_kept(stands, force=False)
        if not why:
            return looked.elsewhere()
        commits = () if looked.state is None else answers.commits(looked.state.commits)
        named = [*stands.uncommitted, *stands.unmerged, *stands.ignored]
        what = f"{why} ({list_text(named)})" if named else why
        only_ignored = bool(stands.ignored) and not (stands.uncommitted or stands.unmerged)
        see = f"See: overmind changes {self._workspace.reference(isolation)}"
        look = f"Look in {isolation.worktree}" if only_ignored else see
        raise OvermindError(
            "unmerged",
            f"{isolation.name} has {what} that would be lost. {look}, or discard with --force"
            if named
            else f"The worktree of {isolation.name} is kept because {why}. Remove it anyway with --force",
            files=[*stands.uncommitted, *stands.ignored],
            commits=commits if stands.unmerged else [],
        )

    def _forbid_foreign(self, caller: Caller, mission_id: str, what: str) -> None:
        """A process inside a mission may do it to that one's descendants."""
        inside = mission_of(caller, self._registry, self._home.root)
        mission = self._registry.get(mission_id)
        if mission is None:
            forbid_inside(inside, f"{what} missions that were removed")
        else:
            forbid_foreign(inside, mission, self._registry, what)

    def _forbid_landing(self, caller: Caller, mission_id: str, what: str) -> None:
        """As a step of a plan, a mission may land what others of its plan have done."""
        inside = mission_of(caller, self._registry, self._home.root)
        plans = [one.id for one in line(self._registry, inside) if one.definition.kind is Kind.BLUEPRINT]
        mission = self._registry.get(mission_id)
        if mission is None or not any(descends(mission, plan, self._registry) for plan in plans):
            self._forbid_foreign(caller, mission_id, what)

    def _forbid_target(self, caller: Caller, place: WorkLocation, request: Merge) -> None:
        """A mission moves its own branch and those of the missions above it; into any other one a person merges.

        So nothing reaches a branch around the checks and reviews of whatever it runs for. What a person's own plan
        says lands where it says.

        Raises:
            OvermindError: `forbidden`.
        """
        inside, target = mission_of(caller, self._registry, self._home.root), request.into or to_wire(place.base or "")
        if inside is None:
            return
        above = list(line(self._registry, inside))
        if [one.definition.kind for one in above[1:]] == [Kind.BLUEPRINT] and _is_merge_step(above[0]):
            return
        records = [self._workspace.records.get(one.id) for one in above]
        own = list(dict.fromkeys(one.branch for one in records if one is not None and one.branch is not None))
        if target in own:
            return
        allowed = f"only into {' or '.join(own)}" if own else "into no branch, since it has none of its own"
        raise OvermindError(
            "forbidden",
            f"A process inside a mission ({inside}) may merge {allowed}. A person can land it: "
            f"{refused_merge.merge_command(place.word, msgspec.structs.replace(request, into=target))}",
        )
