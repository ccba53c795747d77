"""The work around the caller, sent to a hive: its commit, and with --dirty what is not committed, too."""

from __future__ import annotations

import os
import time
from typing import Any, NamedTuple

from overmind_core.client.daemon import prepare_home
from overmind_core.client.hives.git_link import HiveRepository
from overmind_core.domain.landing import count_text, list_text
from overmind_core.domain.sent_work import KEY_RANDOM, new_key, repository_name, sent_branch
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.gate.server import facts_of_machine
from overmind_core.git.look import look_at
from overmind_core.git.merge import NestedRepositories, Unresolved
from overmind_core.git.repository import HEADS, Repository, find_repository, resolve
from overmind_core.git.run import Git, GitFailed, GitMissing
from overmind_core.git.sent_branches import commit_of_all

TYPE_CHECKING = False

if TYPE_CHECKING:
    from overmind_core.cli.context import Context
    from overmind_core.client.hives.hive import Hive


class SourceRepository(NamedTuple):
    """The repository around the caller's folder, and what it is called on other hives."""

    git: Git
    repository: Repository
    name: str

    def on(self, hive: Hive) -> HiveRepository:
        """Return it as it is on a hive."""
        return HiveRepository(hive, self.name, self.git, self.repository.top)


def source_repository(context: Context) -> SourceRepository:
    """Return the repository that the caller stands in.

    Raises:
        OvermindError: `invalid`, there is none; `git_failed`.
    """
    prepare_home(context.home)  # it may be the first command of all
    git = Git(os.environ, home=context.home.root)
    folder = os.getcwd()
    try:
        found = find_repository(git, folder)
    except GitFailed as error:
        raise OvermindError("git_failed", f"Git refused: {to_wire(error.reason)}.") from None
    except GitMissing:
        raise OvermindError("git_failed", "git is not installed here. Install it first.") from None
    if found is None:
        where = to_wire(folder)
        raise OvermindError("invalid", f"{where} is not in a git repository. Go to one, or name a folder there: --cwd")
    owner = str(facts_of_machine(context.home)["id"])
    near = found.main or found.top
    return SourceRepository(git, found, repository_name(os.path.basename(near), owner, found.common))


def send(hive: Hive, context: Context, *, base: str | None, dirty: bool) -> dict[str, Any]:
    """Push a commit to a hive; return the arguments of `run` that begin there in a worktree at that commit.

    Args:
        hive: Where to.
        context: Of the command.
        base: The branch here that is sent; None: what is checked out.
        dirty: Send what is not committed, too.

    Raises:
        OvermindError: `dirty`, something is not committed and would stay here; `invalid`, there is nothing to send;
            `git_failed`; `hive_silent`, or what the gate said.
    """
    source = source_repository(context)
    try:
        commit, branch = _chosen(source, base, dirty=dirty)
        _check_folder(source, commit)
        there = source.on(hive)
        sent = sent_branch(new_key(time.time(), os.urandom(KEY_RANDOM)), branch)
        there.push(f"{commit}:{HEADS}{sent}")
    except GitFailed as error:
        raise OvermindError("git_failed", f"Git refused: {to_wire(error.reason)}.") from None
    path, inside = there.check_out(commit), to_wire(source.repository.subfolder)
    return {"cwd": f"{path}/{inside}" if inside else path, "isolate": True, "base": to_wire(sent)}


def _chosen(source: SourceRepository, base: str | None, *, dirty: bool) -> tuple[str, str | None]:
    """Return the commit that is sent, and the branch that it is of."""
    git, repository = source.git, source.repository
    where = to_wire(repository.top)
    if base is not None:
        if dirty:
            raise OvermindError("invalid", "--base sends a branch as it was committed: leave out --dirty or --base.")
        name = from_wire(base)
        commit = resolve(git, repository.top, HEADS + name)
        if commit is None:
            raise OvermindError("invalid", f"There is no branch {base!r} in {where}. See: git branch")
        return commit, name
    if repository.head is None:
        raise OvermindError("invalid", f"{where} has no commits yet: there is nothing to send. Commit first.")
    if repository.main is None and repository.top == repository.common:
        return repository.head, repository.branch  # a bare one: nothing is uncommitted
    look = look_at(git, repository.top)
    if not look.changed:
        return repository.head, repository.branch
    names = [to_wire(path) for path in look.changed]
    if not dirty:
        are = "is" if len(names) == 1 else "are"
        message = f"{count_text(len(names), 'file')} of {where} {are} not committed: {list_text(names)}. Commit first"
        raise OvermindError("dirty", f"{message}, or send this work, too: --dirty", files=names)
    try:
        return commit_of_all(git, repository.top, look, "Uncommitted work, as it was sent"), repository.branch
    except Unresolved as error:
        files = list_text([to_wire(path) for path in error.args[0]])
        raise OvermindError("conflicts", f"Files have conflicts: {files}. Resolve them first.") from None
    except NestedRepositories as error:
        files = list_text([to_wire(path) for path in error.args[0]])
        message = f"{files}: git can't send what is a repository of its own. Ignore it, or make it a submodule."
        raise OvermindError("invalid", message) from None


def _check_folder(source: SourceRepository, commit: str) -> None:
    """See that the caller's folder is part of what is sent."""
    inside, top = source.repository.subfolder, source.repository.top
    if inside and source.git.run(top, "cat-file", "-e", f"{commit}:{inside}", expected=(0, 1, 128)).code:
        message = f"The folder {inside} is not part of the commit that is sent. Start from {top}"
        raise OvermindError("cwd_not_found", to_wire(message))
