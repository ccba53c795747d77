"""Where landing works: a mission's folder, its repository, and git as it runs there."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from overmind_core.domain.isolation.isolation import reason_without_worktree
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.git.layout import GIT, worktree_of
from overmind_core.git.run import NO_ROOM, UMASK, Git, GitFailed, GitMissing
from overmind_core.isolation.errors import git_missing
from overmind_core.missions.lookup import find
from overmind_core.missions.private_files import STATES, private_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.domain.isolation.isolation import Isolation
    from overmind_core.domain.isolation.project import Project
    from overmind_core.isolation.workspace import Workspace
    from overmind_core.landing.store import LandingRow
    from overmind_core.missions.environment import Environments
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.spec import Environment
    from overmind_core.system.paths import Home


OUTPUT_KEPT = 16_000
"""Characters of what git or a hook has said that travel with a refusal, its end."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WorkLocation:
    """Where the work of a mission is, or that of another owner of a branch. Paths and names of git are the system's."""

    mission: str
    """Its id; that of the owner where it is no mission's, such as a spec's."""
    name: str
    git: Git
    folder: str
    """Its worktree; its working directory where it has none; "" for a branch that nobody works on."""
    source: str
    """Top of the person's checkout; the same as `folder` where it has no worktree."""
    repository: str
    """Git's common folder; "" when that was not looked up."""
    branch: str | None = None
    base: str | None = None
    base_commit: str | None = None
    project: Project | None = None
    """What the check of merged work needs beside what git has; None: as the mission's isolation says."""
    reference: str = ""
    """What a person types for the mission, where that was looked up; see `Workspace.reference`."""

    @property
    def word(self) -> str:
        """What a command is given that is about this work."""
        return self.reference or to_wire(self.name)

    @property
    def scratch(self) -> str:
        """Where its work is merged."""
        return scratch_of(self.source, self.mission)

    def has_folder(self) -> bool:
        """True while its folder is there.

        Raises:
            OvermindError: `gone`, it is no worktree of the repository any more: git would work in what is around it, or
                in another repository.
        """
        if not os.path.isdir(self.folder):
            return False
        if self.folder == self.source or worktree_of(self.folder) == os.path.realpath(self.repository):
            return True
        is_other = os.path.lexists(os.path.join(self.folder, GIT))
        aside = "Move the .git in it away, then restore it" if is_other else "Restore it"
        raise OvermindError(
            "gone",
            f"The folder of {self.name} is no longer a worktree: {to_wire(self.folder)}. Its commits are on "
            f"{to_wire(self.branch or '')}. {aside} with: git -C {shlex.quote(to_wire(self.source))} worktree repair",
        )


def states_of(home: Home, mission: str) -> str:
    """Return the path of the folder for what git keeps of the states of a mission's shared folder."""
    return f"{private_folder(home, mission)}/{STATES}"


WORKTREES = "/.overmind/worktrees/"
"""Between a checkout and what stands for a mission in it."""


def scratch_of(source: str, mission: str) -> str:
    """Return the path of the worktree in which a mission's work is merged."""
    return os.path.join(source, ".overmind", "worktrees", f"merge-{mission}")


def refused(error: GitFailed) -> OvermindError:
    """What git said, the whole of it beside the sentence."""
    reason = to_wire(error.reason).rstrip(".")
    if error.is_disk_full:
        return OvermindError("disk_full", f"The disk is full: {reason}.", output=to_wire(error.output)[-OUTPUT_KEPT:])
    return OvermindError("git_failed", f"Git refused: {reason}.", output=to_wire(error.output)[-OUTPUT_KEPT:])


def without_room(error: OSError) -> OvermindError:
    """What could not be written, as the disk is full."""
    return OvermindError("disk_full", f"The disk is full: {to_wire(str(error.filename))} can't be written.")


class Locations:
    """Finds where missions work, and runs git there."""

    def __init__(self, *, registry: Registry, workspace: Workspace, environments: Environments) -> None:
        self._registry = registry
        self._workspace = workspace
        self._environments = environments

    def anywhere(self, text: str) -> WorkLocation:
        """The place of any mission.

        Raises:
            OvermindError: `not_found`, `ambiguous`; `gone`, its worktree is not there.
        """
        try:
            return self.isolated(text)
        except OvermindError as error:
            if error.code != "not_isolated":
                raise
        mission = find(self._registry, text)
        folder = from_wire(mission.definition.cwd)
        if not os.path.isdir(folder):
            message = f"The folder {mission.definition.cwd} of {mission.definition.name} does not exist."
            if WORKTREES in mission.definition.cwd:
                record = self._workspace.records.get(mission.id)
                reason = (record and reason_without_worktree(record)) or "it was removed"
                message += f" It has no worktree: {reason}. Work that was merged is in the history of its repository."
            raise OvermindError("gone", message)
        return WorkLocation(mission.id, mission.definition.name, self.git_of(mission.id), folder, folder, "")

    def folder(self, mission: str, folder: str, environment: Environment) -> WorkLocation:
        """The folder in which a mission is about to work, there or not; texts in wire form."""
        path = from_wire(folder)
        return WorkLocation(mission, mission, self._git_in(environment, mission, UMASK), path, path, "")

    def isolated(self, text: str, *, there: bool = True, alone: bool = False) -> WorkLocation:
        """The place of a mission that has a worktree.

        Args:
            text: The mission.
            there: The worktree itself is needed; else its branch is enough.
            alone: It is changed; see `Workspace.find`.

        Raises:
            OvermindError: `not_found`, `ambiguous`, `not_isolated`; `gone`, its worktree is not there, or what is there
                is none of its repository; `work_lost`.
        """
        isolation = self._workspace.find(text, alone=alone)
        if isolation.lost:
            raise OvermindError(
                "work_lost",
                f"The worktree {isolation.worktree} of {isolation.name} and its branch were gone when the state was "
                f"recovered: its work is lost. See: overmind why {isolation.mission}",
            )
        reason = reason_without_worktree(isolation)
        if reason is not None or isolation.worktree is None:
            message = f"Mission {isolation.mission} ({isolation.name}) has no worktree: {reason}."
            raise OvermindError("not_isolated", message)
        place = replace(self.location_of(isolation), reference=self._workspace.reference(isolation))
        if there and not place.has_folder():
            message = f"The worktree of {place.name} is missing: {isolation.worktree}."
            raise OvermindError(
                "gone", f"{message} Its commits are on {isolation.branch}: use overmind merge or discard"
            )
        return place

    def location_of(self, isolation: Isolation, mark: str = "") -> WorkLocation:
        """The place that a record is about, made or not.

        Args:
            isolation: The record.
            mark: By which processes of git are known; the mission's id by default.
        """
        worktree = from_wire(isolation.worktree or isolation.source)
        mission = self._registry.get(isolation.mission)
        return WorkLocation(
            isolation.mission,
            isolation.name if mission is None else mission.definition.name,
            self.git_of(isolation.mission, mark),
            worktree,
            from_wire(isolation.source),
            from_wire(isolation.repository or ""),
            None if isolation.branch is None else from_wire(isolation.branch),
            None if isolation.base is None else from_wire(isolation.base),
            isolation.base_commit,
        )

    def landed(self, landing: LandingRow) -> WorkLocation:
        """The repository in which work has landed, whose worktree and branch may be gone."""
        common = from_wire(landing.repository)
        git, branch = self.git_of(landing.mission), from_wire(landing.branch)
        return WorkLocation(landing.mission, landing.name, git, common, common, common, branch)

    async def branch(
        self, owner: str, name: str, *, source: str, branch: str, environment: Environment
    ) -> WorkLocation:
        """The place of a branch that is no mission's, and that nobody works on. Texts in wire form.

        Args:
            owner: Id of whose it is; no mission has it.
            name: What it is called for people.
            source: A folder of the repository.
            branch: Its name.
            environment: In which git runs.

        Raises:
            OvermindError: `git_failed`, there is no repository; `invalid`, its .overmind.yml has mistakes.
        """
        from overmind_core.git.worktrees import exclude  # noqa: PLC0415 - for those who have such branches

        looked = await self._workspace.projects.inspect(source, environment.both)
        if looked.repository is None:
            raise OvermindError("git_failed", f"{source} is not in a git repository.")
        git = self._git_in(environment, owner, UMASK)
        await self.run(exclude, looked.repository.common)
        return WorkLocation(
            owner,
            name,
            git,
            folder="",
            source=looked.source,
            repository=looked.repository.common,
            branch=from_wire(branch),
            project=looked.found.project if looked.found is not None and looked.trusted else None,
        )

    def git_of(self, mission: str, mark: str = "") -> Git:
        """Git in the environment of a mission's caller; in ours where that is forgotten."""
        found = self._registry.get(mission)
        umask = UMASK if found is None else found.definition.umask
        return self._git_in(self._environments.of(mission), mark or mission, umask)

    def _git_in(self, environment: Environment, mark: str, umask: int) -> Git:
        known = {from_wire(name): from_wire(value) for name, value in environment.both.items()}
        return Git(known if "PATH" in known else {**os.environ, **known}, mark, umask, self._workspace.home)

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Call something that runs git, in a thread.

        Raises:
            OvermindError: `git_failed`; its field `output` has all that git, or a hook, has said.
        """
        try:
            return await self._workspace.in_thread(function, *arguments)
        except GitFailed as error:
            raise refused(error) from None
        except GitMissing:
            raise git_missing() from None
        except OSError as error:
            if error.errno in NO_ROOM:
                raise without_room(error) from None
            raise
