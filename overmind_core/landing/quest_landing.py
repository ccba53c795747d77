"""The landing of quests: what one has made is committed, merged, verified, and its worktree goes; once, whoever dies.

What has landed is known by the key of the request. So a repeat, also by the next daemon, finds it; or it commits what
is not committed yet, and merges what has not landed.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from overmind_core.domain.isolation.isolation import Removal
from overmind_core.domain.isolation.project import Teardown
from overmind_core.domain.landing import VERIFY_LIMIT, list_text
from overmind_core.domain.quests.classes import UNFIT_TO_LAND
from overmind_core.domain.quests.quest import MOST_NOT_OWNED, LandedWork
from overmind_core.domain.quests.shared_folder import Basis, ShownChanges
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.git.run import MARK
from overmind_core.landing.locations import states_of
from overmind_core.missions.validate import seconds

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from overmind_core.domain.landing import BegunMerge, LeftWork, RemoteTarget
    from overmind_core.domain.quests.quest import FolderState, MetConflict, UndoingLanding
    from overmind_core.isolation.service import IsolationService
    from overmind_core.isolation.workspace import Workspace
    from overmind_core.kernel.journal import Journal
    from overmind_core.landing.answer_types import MergeItem, MergeResult
    from overmind_core.landing.locations import Locations, WorkLocation
    from overmind_core.landing.preview import MergeRequest
    from overmind_core.landing.service import MergeQueue
    from overmind_core.landing.store import LandingTable
    from overmind_core.missions.spec import Environment
    from overmind_core.system.paths import Home

WHY = "the quest's work has passed"
ROUNDS = 10
"""How often work is merged again, because others have moved the remote's branch or committed to it meanwhile."""
STATE_SECONDS = 10.0
"""For one git that looks how a shared folder is: an attempt waits for it."""
_log = logging.getLogger(__name__)


class LandingWish(Protocol):
    """What is to land, and how. Texts in wire form."""

    @property
    def mission(self) -> str:
        """Id of the quest's mission, which has ended."""

    @property
    def into(self) -> str:
        """The branch."""

    @property
    def message(self) -> str:
        """Of the commit of what is not committed yet."""

    @property
    def verify(self) -> str | None:
        """A shell command that has to succeed on the merged work."""

    @property
    def request(self) -> str:
        """A repeat with the same key answers what came of the first."""

    @property
    def remote(self) -> RemoteTarget | None:
        """Where the branch is; None: here."""

    @property
    def allow_empty(self) -> bool:
        """Whether it is fine when nothing was changed."""

    @property
    def met(self) -> tuple[MetConflict, ...]:
        """Conflicts that it has met before: what had landed then must not be undone."""

    @property
    def allowed(self) -> UndoingLanding | None:
        """What a person lets it undo all the same."""

    @property
    def denied(self) -> tuple[UndoingLanding, ...]:
        """Earlier landings of it: what one of them would have undone must not be undone by this one."""

    @property
    def shown(self) -> FolderState | None:
        """How its worktree was as it was shown to its reviewer, and nothing else lands; None: to nobody."""

    @property
    def checked(self) -> FolderState | None:
        """How it was as it passed its check; anything else is checked once it is merged. None: nobody knows."""

    @property
    def check(self) -> str | None:
        """The shell command that checks."""


class _Committed(NamedTuple):
    """Work as it was committed."""

    tip: str | None
    """The commit, and no other lands; None: its branch is gone."""
    check: str | None
    """The command by which it is still to be checked; None: it has passed, has none, or has landed already."""


class QuestLanding:
    """Used from the loop's thread."""

    def __init__(
        self,
        *,
        queue: MergeQueue,
        locations: Locations,
        workspace: Workspace,
        isolation: IsolationService,
        journal: Journal,
        landing_table: LandingTable,
        is_fenced: Callable[[str], bool],
        home: Home,
    ) -> None:
        """`is_fenced`: whether the lease of a mission has ended: nothing of it may land any more."""
        self._queue = queue
        self._locations = locations
        self._workspace = workspace
        self._isolation = isolation
        self._journal = journal
        self._landing_table = landing_table
        self._is_fenced = is_fenced
        self._home = home
        self._pushed: dict[str, LandedWork] = {}
        """Key of a request → what it has landed on a remote."""
        self._turns: dict[str, asyncio.Lock] = {}
        self._met: set[str] = set()
        """Those of an earlier daemon's missions of which none of its git is left."""

    async def land(self, request: LandingWish) -> LandedWork | None:
        """Commit, verify and merge a mission's work; None when there was nothing to land.

        In one repository one after the other, in the order in which they were asked for. Then its worktree and branch
        go, unless something would be lost with them.

        Raises:
            OvermindError: nothing has landed. The work is at fault: `no_change`; `output_invalid` with `files`;
                `conflicts`; `verify_failed` with the `mission` that checked. It waits for a person: `undoes_landed`
                with `dropped`; `changed` with `files`, it is not what was shown. Its target is at fault:
                `dirty`, `busy`, `git_failed` and others. `not_isolated`: it never had a worktree. `fenced`: somebody
                else may land it now.
        """
        landed = self.landed(request.request)
        await self._finish_removal(request.mission)
        place = None if landed is not None else self._place(request.mission)
        if place is not None:
            async with self._turns.setdefault(place.repository, asyncio.Lock()):
                if request.remote is None:
                    landed = await self._merge(place, request) or self._by_hand(request)
                else:
                    landed = await self._land_remotely(place, request, request.remote)
        await self._clear(request.mission)
        return landed

    def worktree(self, mission: str) -> str | None:
        """The folder of a mission's worktree; None: it has none."""
        return self._workspace.worktree_of(mission)

    async def is_unchanged(self, mission: str) -> bool:
        """Whether a mission's branch and worktree have the files that they began with; False where none can tell."""
        try:
            return await self._is_unchanged(self._locations.isolated(mission, there=False))
        except OvermindError as error:
            _log.debug("whether %s changed anything can't be told: %s", mission, error.message)
            return False

    async def _is_unchanged(self, place: WorkLocation) -> bool:
        from overmind_core.landing import quest_work  # noqa: PLC0415 - most daemons land nothing

        return await self._locations.run(quest_work.is_unchanged, place)

    async def is_on(self, mission: str, into: str) -> bool:
        """Tell whether `into` has all commits of a mission's branch, and that has some; False where git can't say."""
        from overmind_core.landing import quest_work  # noqa: PLC0415 - most daemons land nothing

        if (place := self._worktree_place(mission)) is None or place.branch is None:
            return False
        try:
            return await self._locations.run(quest_work.is_on, place, from_wire(into))
        except OvermindError as error:
            _log.debug("whether %s has the work of %s can't be told: %s", into, mission, error.message)
            return False

    async def conflict_sides(self, mission: str, into: str) -> str:
        """Both sides of each conflict with a branch as text, at most 16 KiB; "" where nothing conflicts.

        Raises:
            OvermindError: `not_isolated`, `git_failed`.
        """
        place = self._locations.isolated(mission, there=False)
        from overmind_core.landing import quest_work  # noqa: PLC0415 - most daemons land nothing

        return await self._locations.run(quest_work.conflicts_text, place, into)

    async def begin_merge(self, mission: str, into: str, remote: RemoteTarget | None) -> BegunMerge:
        """Merge the branch on which a mission's work is to land into its worktree.

        Raises:
            OvermindError: `not_isolated`, `git_failed`: nothing was begun.
        """
        from overmind_core.landing import quest_work  # noqa: PLC0415 - most daemons land nothing

        place = self._locations.isolated(mission)
        target = await self._target(place, into, remote)
        return await self._locations.run(quest_work.begin_merge, place, target)

    async def begin_anew(self, mission: str, into: str, remote: RemoteTarget | None, attempt: int) -> LeftWork | None:
        """Have a mission begin at the branch on which its work is to land, if it has left conflicts; else return None.

        The work of that attempt is kept on a branch.

        Raises:
            OvermindError: `not_isolated`, `git_failed`: nothing was begun.
        """
        from overmind_core.landing import quest_work  # noqa: PLC0415 - most daemons land nothing

        place = self._locations.isolated(mission)
        target = await self._target(place, into, remote)
        left = await self._locations.run(quest_work.begin_anew, place, target, attempt)
        if left is not None:
            self._workspace.put(replace(self._workspace.records[mission], base_commit=target))
        return left

    async def set_aside(self, mission: str, into: str, remote: RemoteTarget | None, attempt: int) -> str | None:
        """Have a mission begin at the branch on which its work is to land, and keep that of an attempt on a branch.

        Return that branch, in wire form; None: nothing of the work is missing on the target, or it has no worktree.

        Raises:
            OvermindError: `output_invalid`, `git_failed`: the worktree has the work still.
        """
        from overmind_core.landing import quest_work  # noqa: PLC0415 - most daemons land nothing

        if self.worktree(mission) is None:
            return None
        place = self._locations.isolated(mission)
        target = await self._target(place, into, remote)
        kept = await self._locations.run(quest_work.set_aside, place, target, attempt)
        self._workspace.put(replace(self._workspace.records[mission], base_commit=target))
        return None if kept is None else to_wire(kept)

    async def _target(self, place: WorkLocation, into: str, remote: RemoteTarget | None) -> str:
        """The commit of the branch on which work is to land, which is fetched first if it is elsewhere."""
        from overmind_core.git import remote as git_remote  # noqa: PLC0415 - for quests of a swarm
        from overmind_core.git import repository  # noqa: PLC0415 - most daemons land nothing

        run, git, source, branch = self._locations.run, place.git, place.source, from_wire(into)
        if remote is None:
            target = await run(repository.resolve, git, source, repository.HEADS + branch)
        else:
            await run(git_remote.fetch, git, source, from_wire(remote.url))
            target = await run(git_remote.take, git, source, branch)
        if target is None:
            raise OvermindError("git_failed", f"There is no branch {into!r} to merge.")
        return target

    async def until_free(
        self,
        request: LandingWish,
        report: Callable[[OvermindError], object],
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Return once nothing in the checkout of its target is in the way of a mission's work.

        `report` is called with what is in the way, each time that git was asked; `pause` waits before the next look.

        Raises:
            OvermindError: `not_isolated`, `git_failed`: nobody can tell.
        """
        place = self._place(request.mission)
        if place is not None:
            await self.until_branch_free(place, request.into, report, pause)

    async def until_branch_free(
        self,
        place: WorkLocation,
        into: str,
        report: Callable[[OvermindError], object],
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Do the same for the work of a branch; raises the same."""
        from overmind_core.landing.checkout_watch import until_free  # noqa: PLC0415 - for those who wait

        await until_free(self._locations, place, from_wire(into), report, pause)

    async def shown_changes(self, mission: str, state: FolderState | None) -> ShownChanges:
        """What a mission has changed and not landed, as text of at most 64 KiB.

        `state`: how its folder was as its attempt began, where it has no worktree.
        """
        from overmind_core.landing import quest_work  # noqa: PLC0415 - most daemons land nothing

        try:
            place = self._locations.anywhere(mission)
            return await self._locations.run(quest_work.shown_changes, place, state, states_of(self._home, mission))
        except OvermindError as error:
            return ShownChanges("", Basis.UNKNOWN, (error.message,))

    async def work_state(self, mission: str, into: str | None = None) -> FolderState | None:
        """How a mission's worktree, or the folder that it shares, is now; None: nobody can tell.

        A merge that stands half done in a worktree, with its conflicts resolved, is committed before: what is shown is
        then what lands. `into`: where it is to, so that nobody is asked about work that can't.

        Raises:
            OvermindError: `output_invalid`, `conflict_left`: it can't land there as it is.
        """
        from overmind_core.landing import fitness, quest_work  # noqa: PLC0415 - most daemons land nothing

        if (place := self._any_place(mission)) is None:
            return None
        if place.branch is not None:
            git = replace(place.git, mission=f"commit-{place.mission}")
            try:
                await self._locations.run(quest_work.finish_merge, replace(place, git=git))
                if into is not None:
                    await self._locations.run(fitness.check_fit, place, from_wire(into))
            except OvermindError as error:  # its landing will say so
                if into is not None and error.code in UNFIT_TO_LAND:
                    raise
                _log.info("the merge in the worktree of %s can't be committed: %s", mission, error.message)
        state = await self._locations.run(quest_work.folder_state, place, states_of(self._home, mission))
        return None if state.tree is None else state

    async def changed_since(self, mission: str, state: FolderState) -> tuple[str, ...]:
        """The files of that folder that are not as they were then, committed or not. Wire form.

        Raises:
            OvermindError: `git_failed`, nobody can tell.
        """
        from overmind_core.landing import quest_work  # noqa: PLC0415 - most daemons land nothing

        if (place := self._any_place(mission)) is None:
            return ()
        return await self._locations.run(quest_work.changed_since, place, state, states_of(self._home, mission))

    def _any_place(self, mission: str) -> WorkLocation | None:
        """The worktree of a mission, else the folder in which it works; None: neither is there."""
        if (place := self._worktree_place(mission)) is not None:
            return place
        try:
            place = self._locations.anywhere(mission)
        except OvermindError:
            return None
        return replace(place, git=replace(place.git, limit=STATE_SECONDS))

    def _worktree_place(self, mission: str) -> WorkLocation | None:
        record = self._workspace.records.get(mission)
        return None if record is None or record.half else self._locations.location_of(record)

    async def folder_state(
        self, mission: str, folder: str, environment: Environment, *, isolated: bool
    ) -> FolderState | None:
        """How the folder is in which a mission is about to work; None: it gets a worktree. Texts in wire form.

        `isolated`: it has been, or will be, isolated, which mostly is a worktree.
        """
        if isolated and (self.worktree(mission) is not None or await self._gets_worktree(folder, environment)):
            return None
        from overmind_core.landing import quest_work  # noqa: PLC0415 - most daemons land nothing

        place = self._locations.folder(mission, folder, environment)
        place = replace(place, git=replace(place.git, limit=STATE_SECONDS))
        return await self._locations.run(quest_work.folder_state, place, states_of(self._home, mission))

    async def _gets_worktree(self, folder: str, environment: Environment) -> bool:
        looked = await self._workspace.projects.inspect(folder, environment.both)
        return looked.repository is not None and (looked.found is None or looked.found.project.worktree)

    async def not_owned(self, mission: str, owns: tuple[str, ...], landed: LandedWork | None) -> tuple[str, ...]:
        """The files among what has landed, or else among what is to, that no pattern names; () where none can tell."""
        from overmind_core.domain.watching.guardian import files_outside  # noqa: PLC0415 - for those that own some
        from overmind_core.landing import quest_work  # noqa: PLC0415 - most daemons land nothing

        if (place := self._worktree_place(mission)) is None:
            return ()
        try:
            found = await self._locations.run(quest_work.changed_names, place, landed)
        except OvermindError as error:
            _log.debug("the files of %s can't be named: %s", mission, error.message)
            return ()
        return files_outside(owns, to_wire(place.source), frozenset(map(to_wire, found)))[:MOST_NOT_OWNED]

    async def ensure_branch(self, source: str, name: str, base: str, *, owner: str, environment: Environment) -> str:
        """See that an owner, such as a spec, has a branch, and return its name; asked again, it is the same one.

        Args:
            source: A folder of the repository.
            name: As wanted; with `-2`, `-3` … where somebody else has it.
            base: The branch or commit that a new one begins at.
            owner: The owner's id.
            environment: In which git runs.

        Raises:
            OvermindError: `git_failed`: there is no repository or base, or git refused.
        """
        place = await self._locations.branch(owner, owner, source=source, branch=name, environment=environment)
        from overmind_core.landing import quest_work  # noqa: PLC0415 - most daemons land nothing

        return to_wire(await self._locations.run(quest_work.ensure_branch, place, from_wire(base)))

    async def land_branch(
        self, place: WorkLocation, wish: MergeRequest, report: Callable[[MergeItem], object] | None = None
    ) -> MergeResult:
        """Merge a branch that is no mission's, see `Locations.branch`; a preview moves nothing.

        `report` is called with each step.

        Raises:
            OvermindError: it did not land, and nothing was changed; `nothing_to_merge`, the target has all of it.
        """
        return await self._queue.merge(place, wish, report)

    def landed(self, request: str) -> LandedWork | None:
        """Where work has landed that was asked to with this key; None: it has not."""
        if request in self._pushed:
            return self._pushed[request]
        self._journal.flush()
        row = self._landing_table.by_request(request)
        return None if row is None else LandedWork(row.target, row.before, row.after)

    def _by_hand(self, request: LandingWish) -> LandedWork | None:
        """Where a person has landed work of which nothing is left to land; None: it never changed anything."""
        self._journal.flush()
        rows = [one for one in self._landing_table.of_mission(request.mission) if one.target == request.into]
        return LandedWork(rows[-1].target, rows[-1].before, rows[-1].after, by_hand_at=rows[-1].at) if rows else None

    async def _finish_removal(self, mission: str) -> None:
        """Bring to its end what an earlier daemon was at: nobody looks for work in a worktree that is being removed."""
        record = self._workspace.records.get(mission)
        if record is not None and record.removal is not Removal.NONE:
            await self._isolation.over(mission)

    def _place(self, mission: str) -> WorkLocation | None:
        """Where the work is; None when nothing of it is left, as nothing was in it.

        Raises:
            OvermindError: `not_isolated`, there was never anything; `work_lost`, nobody knows where it is.
        """
        record = self._workspace.records.get(mission)
        if record is not None and record.worktree is not None and record.branch is None and not record.lost:
            return None
        return self._locations.isolated(mission, there=False)

    async def _to_check(self, place: WorkLocation, wish: LandingWish) -> _Committed:
        """As `_commit`; what a person has landed already needs neither a reviewer nor a check."""
        from overmind_core.git import repository  # noqa: PLC0415 - most daemons land nothing

        try:
            return await self._commit(place, wish)
        except OvermindError as error:
            if error.code != "changed":
                raise
            branch = repository.HEADS + (place.branch or "")
            tip = await self._locations.run(repository.resolve, place.git, place.source, branch)
            if not await self._is_landed(place, wish, tip):
                raise
            return _Committed(tip, None)

    async def _is_landed(self, place: WorkLocation, wish: LandingWish, tip: str | None) -> bool:
        from overmind_core.landing.preview import MergeRequest  # noqa: PLC0415 - same

        try:
            await self._queue.merge(place, MergeRequest(into=from_wire(wish.into), preview=True, tip=tip))
        except OvermindError as error:
            return error.code == "nothing_to_merge"
        return False

    async def _commit(self, place: WorkLocation, wish: LandingWish) -> _Committed:
        """Commit it, and see that it is what was shown."""
        from overmind_core.landing import quest_work  # noqa: PLC0415 - most daemons land nothing
        from overmind_core.system.sweep import end_stragglers  # noqa: PLC0415 - same

        git = replace(place.git, mission=f"commit-{place.mission}")
        if place.mission in self._workspace.inherited - self._met:
            await self._workspace.in_thread(end_stragglers, MARK, git.mission)
            self._met.add(place.mission)
        message = from_wire(wish.message.replace("\0", "").strip() or place.name)
        tip = await self._locations.run(quest_work.commit, replace(place, git=git), from_wire(wish.into), message)
        # Also what was committed may be other than what was there: a hook of the repository has its say.
        objects = states_of(self._home, place.mission)
        compare = partial(self._locations.run, quest_work.changed_since, place)
        if wish.shown is not None and (changed := await compare(wish.shown, objects)):
            raise OvermindError("changed", f"{list_text(changed)} changed since it was shown.", files=list(changed))
        is_checked = wish.checked is None or not await compare(wish.checked, objects)
        return _Committed(tip, None if is_checked else wish.check)

    async def _land_remotely(self, place: WorkLocation, wish: LandingWish, remote: RemoteTarget) -> LandedWork | None:
        """Merge into the branch as the remote has it, and move that; anew where somebody else was faster."""
        from overmind_core.git import remote as git_remote  # noqa: PLC0415 - for quests of a swarm

        run, git, source = self._locations.run, place.git, place.source
        url, into = from_wire(remote.url), from_wire(wish.into)
        for _ in range(ROUNDS):
            await run(git_remote.fetch, git, source, url)
            tip = await run(git_remote.take, git, source, into)
            if tip is None:
                raise OvermindError("git_failed", f"There is no branch {wish.into!r} on {remote.url} to land on.")
            found = await run(partial(git_remote.landed, since=remote.since), git, source, into, remote.quest)
            if found is not None:
                return LandedWork(wish.into, tip, found)
            merged = await self._merge(place, wish, tip)
            if merged is None:
                return None
            if self._is_fenced(place.mission):
                raise OvermindError("fenced", f"The claim of {place.name} is over: another hive may have it.")
            moved = partial(git_remote.push, before=merged.before, after=merged.after)
            if await self._finished(run(moved, git, source, url, into), wish.request, merged):
                return merged
        raise OvermindError("busy", f"{wish.into} on {remote.url} was moved {ROUNDS} times in the meantime.")

    async def _finished(self, push: Awaitable[bool], request: str, merged: LandedWork) -> bool:
        """Whether it was pushed; once begun, nobody calls it off."""
        work = asyncio.ensure_future(push)
        try:
            pushed = await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            if work.exception() is None and work.result():
                self._pushed[request] = merged
            raise
        if pushed:
            self._pushed[request] = merged
        return pushed

    async def _merge(self, place: WorkLocation, wish: LandingWish, tip: str | None = None) -> LandedWork | None:
        """Commit and merge it here, again where it is committed to before its turn: that was shown to nobody.

        `tip`: of the remote's branch, which is moved there next.
        """
        for _ in range(ROUNDS):
            found = await (self._to_check(place, wish) if tip is None else self._commit(place, wish))
            try:
                return await self._merge_as(found, place, wish, tip)
            except OvermindError as error:
                if error.code != "changed":
                    raise
        raise OvermindError("busy", f"{place.name} was committed to {ROUNDS} times in the meantime.")

    async def _merge_as(
        self, found: _Committed, place: WorkLocation, wish: LandingWish, tip: str | None
    ) -> LandedWork | None:
        """Merge it as it was committed; raises `changed` where it is not that any more."""
        from overmind_core.domain.quests.classes import both_succeed  # noqa: PLC0415 - most daemons land nothing
        from overmind_core.git.remote import TRAILER  # noqa: PLC0415 - same
        from overmind_core.landing.preview import MergeRequest  # noqa: PLC0415 - same

        if not wish.allow_empty and await self._is_unchanged(place):
            raise OvermindError("no_change", "Nothing was changed or committed.")
        verify = both_succeed([*filter(None, (found.check, wish.verify))])
        request = MergeRequest(
            into=from_wire(wish.into),
            verify=None if verify is None else from_wire(verify),
            verify_timeout=seconds(VERIFY_LIMIT, "--verify-timeout"),
            request=wish.request if tip is None else f"{wish.request}:{tip}",
            why=WHY,
            trailers=() if wish.remote is None else (f"{TRAILER}: {wish.remote.quest}",),
            leased=wish.remote is not None,
            met=wish.met,
            allowed=wish.allowed,
            denied=wish.denied,
            tip=found.tip,
        )
        try:
            done = await self._queue.merge(place, request)
        except OvermindError as error:
            if error.code == "nothing_to_merge":
                return None
            if error.code == "invalid":  # what the work could be blamed for was looked at before
                raise OvermindError("git_failed", error.message, **error.fields) from None
            if error.code == "dirty" and "folder" not in error.fields:  # not its target, but its own worktree
                raise OvermindError("output_invalid", error.message, **error.fields) from None
            raise
        return LandedWork(done["target"], done["before"], done["after"] or "")

    async def _clear(self, mission: str) -> None:
        """Remove worktree and branch, unless something would be lost, or a person wants them kept in any case."""
        record = self._workspace.records.get(mission)
        if record is None or record.branch is None or record.project.teardown is Teardown.KEEP:
            return
        try:
            await self._isolation.discard(record, force=False)
        except OvermindError as error:
            _log.info("the worktree of quest %s is kept: %s", mission, error.message)
