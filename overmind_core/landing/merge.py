"""One merge, from what there is to the target's step forward; nothing is left of it when that fails."""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from overmind_core.domain import landing
from overmind_core.domain.isolation.isolation import BRANCH_VARIABLE, OWN, WORKTREE_VARIABLE, port_variable
from overmind_core.domain.landing import VERIFY, MergeWay, commit_message
from overmind_core.domain.missions.mission import Cause
from overmind_core.domain.quests.quest import ConflictingFile, MetConflict
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.git import merge
from overmind_core.git.changes import commits_between
from overmind_core.git.merge import AlreadyMerged, MergeConflicts, TargetInUse, TargetMoved
from overmind_core.git.merge_tree import merged_tree
from overmind_core.git.run import MARK, NO_ROOM, GitFailed, GitMissing
from overmind_core.isolation.errors import git_missing
from overmind_core.kernel.actor import handed_on
from overmind_core.kernel.database import StoreError
from overmind_core.landing import answers, preview
from overmind_core.landing.locations import refused, without_room
from overmind_core.landing.preview import MergeCheck
from overmind_core.landing.progress import MergeJournal, MergeProgress, mark_of
from overmind_core.missions.spec import Environment, MissionSpec
from overmind_core.missions.validate import shell_definition
from overmind_core.system.disk import first_full
from overmind_core.system.sweep import end_stragglers

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.isolation.workspace import Workspace
    from overmind_core.kernel.journal import Journal
    from overmind_core.landing.answer_types import MergeItem, MergeResult
    from overmind_core.landing.locations import WorkLocation
    from overmind_core.landing.preview import MergePlan, MergeRequest
    from overmind_core.landing.store import LandingRow, LandingTable
    from overmind_core.missions.environment import Environments
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions

TRIES = 3
"""How often it is done again because somebody else moved the target meanwhile."""
_log = logging.getLogger(__name__)
T = TypeVar("T")


class MergeParts(NamedTuple):
    """What every merge works with."""

    merges: MergeJournal
    journal: Journal
    landing_table: LandingTable
    registry: Registry
    missions: Missions
    workspace: Workspace
    environments: Environments


class MergeRun:
    """Under way. Nobody else merges in its repository."""

    def __init__(
        self, parts: MergeParts, place: WorkLocation, wish: MergeRequest, report: Callable[[MergeItem], object]
    ) -> None:
        self._merger = parts.merges
        self._journal = parts.journal
        self._landing_table = parts.landing_table
        self._registry = parts.registry
        self._missions = parts.missions
        self._workspace = parts.workspace
        self._environments = parts.environments
        self._place = replace(place, git=replace(place.git, mission=mark_of(place.mission)))
        self._wish = wish
        self._post = report
        self._verify: str | None = None
        self._port_holder = f"{landing.SCRATCH}{place.mission}"
        """Whose the port is of its check: it goes with this merge, also if the daemon dies."""
        self._won: MetConflict | None = None
        """The conflict in which the work's own side counts."""

    async def run(self) -> MergeResult:
        """Do it; return what came of it.

        Raises:
            OvermindError: nothing was changed.
        """
        if (landed := self._merger.recorded(self._wish.request)) is not None:
            return await self._recorded_result(landed)
        for _ in range(TRIES):
            try:
                return await self._once()
            except TargetMoved:
                continue
        name = to_wire(self._wish.into or self._place.base or "")
        raise OvermindError("busy", f"{name} was moved {TRIES} times in the meantime. Try again.")

    async def foreseen(self) -> MergeResult | None:
        """A preview that waits for no other merge of the repository; None: git can't tell it without a worktree.

        Raises:
            OvermindError: it can't be merged.
        """
        is_plain = self._wish.way is not MergeWay.REBASE and self._wish.allowed is None
        if not is_plain or self._merger.recorded(self._wish.request) is not None:
            return None
        # Whoever calls it off ends its git alone, and not that of a merge of the same work.
        mark = f"preview-{self._place.mission}-{os.urandom(4).hex()}"
        self._place = replace(self._place, git=replace(self._place.git, mission=mark))
        plan = await self._asking(preview.plan_merge, self._place, self._wish)
        self._post({"step": "merging", "target": to_wire(plan.target.branch)})
        place = self._place

        def work() -> str | None:
            return merged_tree(place.git, place.source, commit=plan.commit, target=plan.target.commit)

        tree = await self._combine(plan, work)
        if tree is None:
            return None
        await self._check_kept(plan, tree)
        return await self._result(plan, tree)

    async def _recorded_result(self, landed: LandingRow) -> MergeResult:
        place = self._place
        files = await self._asking(preview.files_of, place, landed.before, landed.after)
        until = landed.tip or landed.after
        commits = await self._asking(commits_between, place.git, place.source, landed.before, until)
        return {
            "ok": True,
            "merged": True,
            "preview": False,
            "mission": landed.mission,
            "name": landed.name,
            "target": landed.target,
            "before": landed.before,
            "after": landed.after,
            "commits": answers.commits(commits),
            "files": answers.files(files),
            "uncommitted": [],
            "verify": None,
        }

    async def _once(self) -> MergeResult:
        self._won = None
        plan = await self._asking(preview.plan_merge, self._place, self._wish)
        self._post({"step": "merging", "target": to_wire(plan.target.branch)})
        trace = self._trace(plan)
        try:
            self._journal.save(self._merger.keep(trace))
            await self._journal.saved()
            after = await self._integrated(plan)
            await self._check_kept(plan, after)
            if not self._wish.preview:
                await self._asking(preview.check_free, self._place, plan.target, after)
            result = await self._result(plan, after)
            if not self._wish.preview:
                await self._checked(trace)
                lines = sum(one["added"] for one in result["files"]), sum(one["removed"] for one in result["files"])
                begun = replace(trace, verify=self._verify, after=after, landing=True, lines=lines)
                await self._landed(plan, begun)
        finally:
            await self._clean(trace)
        return {**result, "verify": self._verify}

    async def _check_kept(self, plan: MergePlan, after: str) -> None:
        """See that work that has met a conflict undoes nothing that had landed; `after`: a commit, or only a tree.

        Raises:
            OvermindError: `undoes_landed`.
        """
        if not (self._wish.met or self._wish.denied):
            return
        from overmind_core.landing import kept_sides  # noqa: PLC0415 - for work that has met a conflict

        self._journal.flush()
        known = self._landing_table.of(to_wire(self._place.repository))
        look = partial(
            kept_sides.check,
            allowed=self._wish.allowed,
            denied=self._wish.denied,
            won=self._won,
            landings=known,
        )
        await self._asking(look, self._place, self._wish.met, plan.target.commit, after)

    async def _result(self, plan: MergePlan, after: str) -> MergeResult:
        """What comes of it; `after`: a commit, or only a tree for what is not to land."""
        files = await self._asking(preview.files_of, self._place, plan.target.commit, after)
        found: MergeResult = {
            "ok": True,
            "merged": not self._wish.preview,
            "preview": self._wish.preview,
            "mission": self._place.mission,
            "name": self._place.name,
            "target": to_wire(plan.target.branch),
            "before": plan.target.commit,
            "after": None if self._wish.preview else after,
            "commits": answers.commits(plan.commits),
            "files": answers.files(files),
            "uncommitted": [to_wire(path) for path in plan.uncommitted],
            "verify": None,
        }
        if self._wish.preview and (refusal := await self._refusal(plan, after)):
            found["refused"] = refusal
        return found

    async def _refusal(self, plan: MergePlan, after: str) -> str:
        """Why the merge of a preview would be refused: what it leaves out, and what its target can't be moved for."""
        found = [plan.refusal] if plan.refusal else []
        try:
            await self._asking(preview.check_free, self._place, plan.target, after)
        except OvermindError as error:
            if error.code != "dirty":
                raise
            found.append(error.message)
        return " ".join(found)

    def _trace(self, plan: MergePlan) -> MergeProgress:
        place = self._place
        return MergeProgress(
            place.mission,
            place.name,
            source=to_wire(place.source),
            repository=to_wire(place.repository),
            scratch=to_wire(place.scratch),
            branch=to_wire(place.branch or ""),
            target=to_wire(plan.target.branch),
            before=plan.target.commit,
            request=self._wish.request,
            tip=plan.commit,
            why=self._wish.why,
        )

    async def _integrated(self, plan: MergePlan) -> str:
        return await self._combine(plan, self._integrate, plan)

    async def _combine(self, plan: MergePlan, function: Callable[..., T], *arguments: object) -> T:
        """Bring both sides together.

        Raises:
            OvermindError: `nothing_to_merge`, `conflicts`, `git_failed`.
        """
        try:
            return await self._asking(function, *arguments)
        except AlreadyMerged:
            message = f"{to_wire(plan.target.branch)} already has all changes of {self._place.name}."
            raise OvermindError("nothing_to_merge", message) from None
        except MergeConflicts as error:
            self._journal.flush()
            landings = self._landing_table.of(to_wire(self._place.repository))
            raise await self._asking(preview.conflict, self._place, plan, error.args[0], landings) from None

    def _integrate(self, plan: MergePlan) -> str:
        place, wish = self._place, self._wish
        merge.open_scratch(place.git, place.source, place.scratch, plan.target.commit)
        subjects = [one.subject for one in plan.commits]
        text = wish.message or commit_message(
            wish.way, place.branch or "", plan.target.branch, from_wire(place.name), subjects
        )
        text += "".join(f"{line}\n" for line in wish.trailers)
        bring = partial(
            merge.integrate, place.git, place.scratch, wish.way,
            commit=plan.commit, target=plan.target.commit, message=text,
        )  # fmt: skip
        try:
            return bring()
        except MergeConflicts as error:
            may_win = set() if wish.allowed is None else set(map(from_wire, wish.allowed.paths))
            if not may_win.issuperset(error.args[0]):
                raise
            files = tuple(ConflictingFile(to_wire(path)) for path in error.args[0])
            self._won = MetConflict(plan.target.commit, plan.commit, files)  # what that undoes is looked at
            return bring(own_wins=True)

    # the check

    async def _checked(self, trace: MergeProgress) -> None:
        """Run the check on what was merged, as a mission.

        Raises:
            OvermindError: `verify_failed`; `disk_full`, it failed without room; or why it could not begin.
        """
        if self._wish.verify is None:
            return
        self._post({"step": "verifying"})
        await self._asking(self._furnish)
        spec = self._check_spec(self._wish.verify, self._wish.check or await self._own_check())
        begun = await self._missions.start_child(spec, also=lambda mission: self._linked(trace, mission), limited=False)
        self._verify = begun.mission.id
        self._post({"verify": self._verify})
        ended = await self._registry.ended(begun.mission.id)
        if ended.shell_exit != 0:
            option = " (--verify-timeout)" if self._wish.why is None else ""  # what lands by itself has none
            late = f"took more than {self._wish.verify_timeout:g} s{option}"
            how = late if ended.reason == Cause.TIMEOUT else f"failed (exit {ended.shell_exit})"
            message = f"The check of {self._place.name} on {trace.target} {how}:"
            # Asked before the scratch worktree goes, which may take all the room that there was.
            full = await asyncio.to_thread(first_full, [from_wire(spec.definition.cwd)])
            code, disk = ("verify_failed", "") if full is None else ("disk_full", "The disk is full. ")
            raise OvermindError(
                code,
                f"{disk}{message} nothing was changed. See its output with: overmind logs {ended.id}",
                mission=ended.id,
                name=ended.definition.name,
                exit_code=ended.shell_exit,
            )

    def _furnish(self) -> None:
        """Give the scratch worktree what git ignores but the work needs."""
        isolation = self._workspace.records.get(self._place.mission)
        project = self._place.project if isolation is None else isolation.project
        if project is None or not (project.copy or project.link):
            return
        from overmind_core.isolation.copy_files import PlacingFailed, copy_and_link  # noqa: PLC0415 - for those who want it

        try:
            copy_and_link(self._place.source, self._place.scratch, project.copy, project.link)
        except PlacingFailed as error:
            raise OvermindError("invalid", to_wire(str(error))) from None

    async def _own_check(self) -> MergeCheck:
        """A mission like the one whose work it is, with a port of its own: the other's services serve its worktree.

        Raises:
            OvermindError: `port_range_exhausted`.
        """
        place, mission = self._place, self._registry.get(self._place.mission)
        isolation = self._workspace.records.get(place.mission)
        world = self._environments.elsewhere(place.mission)
        own = {} if isolation is None or isolation.branch is None else {BRANCH_VARIABLE: isolation.branch}
        if isolation is not None and OWN in isolation.ports:
            alone = replace(isolation.project, services=())
            ports = await self._workspace.ports.reserve(self._port_holder, alone, {})
            own |= {port_variable(key): str(port) for key, port in ports.items()}
        return MergeCheck(
            name=f"{place.name}/{VERIFY}",
            parent=place.mission if self._wish.leased or place.mission in self._registry.live else None,
            labels={} if mission is None else mission.definition.labels,
            environment=world._replace(chosen={**own, **world.chosen}),
        )

    def _check_spec(self, command: str, check: MergeCheck) -> MissionSpec:
        place, mission = self._place, self._registry.get(self._place.mission)
        isolation = self._workspace.records.get(place.mission)
        inside = "" if isolation is None else from_wire(isolation.subfolder)
        cwd = os.path.join(place.scratch, inside) if inside else place.scratch
        definition = shell_definition(
            to_wire(command),
            name=check.name,
            parent=check.parent,
            cwd=to_wire(cwd if os.path.isdir(cwd) else place.scratch),
            umask=0o022 if mission is None else mission.definition.umask,
            timeout=self._wish.verify_timeout,
            labels=dict(check.labels),
        )
        caller, chosen = check.environment
        inherited = caller or {to_wire(name): to_wire(value) for name, value in place.git.environ.items()}
        environment = Environment(inherited, {**chosen, WORKTREE_VARIABLE: to_wire(place.scratch)})
        key = f"{landing.SCRATCH}{place.mission}:{os.urandom(8).hex()}"
        return MissionSpec(definition, environment, isolate=False, request=key)

    def _linked(self, trace: MergeProgress, mission: Mission) -> Callable[[], None]:
        """Have the trace know its check in the commit that makes it."""
        self._verify = mission.id
        return self._merger.keep(replace(trace, verify=mission.id))

    # the end

    async def _landed(self, plan: MergePlan, trace: MergeProgress) -> None:
        """Move the target and write it down: once begun, nobody calls it off."""
        self._post({"step": "landing"})
        self._journal.save(self._merger.keep(trace))
        await self._journal.saved()
        work = asyncio.ensure_future(handed_on(self._land(plan, trace)))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            raise

    async def _land(self, plan: MergePlan, trace: MergeProgress) -> None:
        place = self._place
        git = replace(place.git, mission=f"land-{place.mission}")  # no mark by which it would be killed
        reason = f"overmind: {self._wish.way} {place.branch}"
        try:
            await self._workspace.in_thread(merge.land, git, place.source, plan.target, trace.after, reason)
        except TargetInUse as error:
            raise preview.occupied(plan.target, error) from None
        except GitFailed as error:
            raise refused(error) from None
        self._merger.record(trace)
        try:
            await self._journal.saved()
        except StoreError as error:  # it landed all the same, and is written down as soon as that is possible
            _log.warning("the record of a merge is not saved yet: %s", error)

    async def _clean(self, trace: MergeProgress) -> None:
        await self._merger.end(self._verify)
        self._workspace.ports.drop(self._port_holder)
        place = self._place
        try:
            await self._workspace.in_thread(merge.close_scratch, place.git, place.source, place.scratch)
        except (GitFailed, GitMissing) as error:  # the next supervisor tries again
            _log.warning("the temporary worktree %s could not be removed: %s", place.scratch, error)
            return
        self._merger.forget(trace.mission)

    async def _asking(self, function: Callable[..., T], *arguments: object) -> T:
        """Call something that runs git, in a thread; when it is called off, that git is ended first.

        Raises:
            OvermindError: `git_failed`, or what `function` raises itself.
        """
        work = asyncio.ensure_future(self._workspace.in_thread(function, *arguments))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            while not work.done():
                # Not among the threads that wait for git: those may all be waiting.
                await asyncio.to_thread(end_stragglers, MARK, self._place.git.mission)
                await asyncio.wait([work], timeout=0.1)
            if not work.cancelled():
                work.exception()  # nobody wants to know
            raise
        except GitFailed as error:
            raise refused(error) from None
        except GitMissing:
            raise git_missing() from None
        except OSError as error:
            if error.errno in NO_ROOM:
                raise without_room(error) from None
            raise
