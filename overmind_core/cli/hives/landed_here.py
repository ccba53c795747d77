"""The work of a mission elsewhere, brought back: its branch is fetched, and merged here as any other mission's.

Nobody but git is asked here: it is merged in a scratch worktree, and the target moves in one step at the end, or not at
all. Then the hive is told what landed, by the branch at which the mission began there: its worktree counts as merged.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict
from typing import Any

from overmind_core.cli.hives.sent_work import SourceRepository, source_repository
from overmind_core.domain.landing import (
    ChangeAuthor,
    MergeWay,
    change_authors,
    commit_message,
    conflicts_text,
    count_text,
    marks_text,
)
from overmind_core.domain.quests.classes import CONFLICT_LEFT
from overmind_core.domain.sent_work import branch_of_sent, is_sent
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError, UsageError
from overmind_core.git import merge
from overmind_core.git.changes import ChangedFile, commits_between, merge_base, names_between
from overmind_core.git.conflict_marks import committed_marks
from overmind_core.git.merge import AlreadyMerged, MergeConflicts, TargetBranch, TargetInUse, TargetMoved
from overmind_core.git.repository import HEADS, resolve
from overmind_core.git.run import Git, GitFailed
from overmind_core.git.status import is_landed

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from overmind_core.cli.context import Context
    from overmind_core.client.hives.git_link import HiveRepository
    from overmind_core.client.hives.hive import Hive

    Row = Mapping[str, Any]

TRIES = 3
"""How often it is done again because somebody else moved the target meanwhile."""


def merge_sent(args: Namespace, context: Context, hive: Hive) -> dict[str, Any]:
    """Merge what a mission of a hive has committed into a branch here; return what came of it, as `merge` has it.

    Args:
        args: Of `merge`.
        context: Of the command.
        hive: Whose mission.

    Raises:
        OvermindError: nothing was changed; the codes are those of `merge`.
        UsageError: options that are for a mission of this machine.
    """
    if args.verify is not None or args.verify_timeout is not None:
        raise UsageError("--verify runs on this machine, as a mission of it. Check the work there: overmind run -H")
    row = context.client().call("worktrees", {"ids": [args.id]})["worktrees"][0]
    name = f"{hive.name}/{row['name']}"
    if row["problem"]:
        raise OvermindError("git_failed", f"The worktree of {name} can't be looked at: {row['problem']}.")
    source = source_repository(context)
    there = source.on(hive)
    _check_sent(row, name, there)
    if row["dirty"] and not args.preview:
        advice = f"Commit there with: overmind commit {hive.name}/{row['mission']} -m …"
        raise OvermindError("dirty", f"{name} has files that are not committed. {advice}")
    work = _Fetched(args, source, hive, row)
    try:
        try:
            there.fetch(f"+{HEADS}{from_wire(row['branch'])}:{work.ref}")
            done = work.land()
        finally:
            work.forget()
    except GitFailed as error:
        raise OvermindError("git_failed", f"Git refused: {to_wire(error.reason)}.") from None
    if done["merged"]:
        _record_there(there, row, done["after"], context)
    return done


def _check_sent(row: Row, name: str, there: HiveRepository) -> None:
    base, branch = row["base"] or "", row["branch"] or ""
    if row["source"] != there.checkout or not is_sent(base):
        where = f"{name} works in {row['source']}, which was not sent from the repository around this folder"
        raise OvermindError("invalid", f"{where}. Go to the one that it was sent from, or merge it on that machine.")
    if not branch or branch.startswith(("-", "/")) or any(one in branch for one in ":*?[\\^~ \n\0"):
        raise OvermindError("invalid", f"The branch of {name} has a name that git would not take: {branch!r}.")


def _record_there(there: HiveRepository, row: Row, after: str, context: Context) -> None:
    """Have the hive know what landed; it is done here in any case."""
    try:
        there.push(f"+{after}:{HEADS}{from_wire(row['base'])}")
    except OvermindError as error:
        context.note(f"{row['name']} still counts as unmerged there: {error.message}")


class _Fetched:
    """A mission's branch, fetched under a name of ours, and what is to be done with it."""

    def __init__(self, args: Namespace, source: SourceRepository, hive: Hive, row: Row) -> None:
        self._args = args
        self._git: Git = source.git
        self._top = source.repository.top
        self._row = row
        self._name = f"{hive.name}/{row['name']}"
        self._way = MergeWay.SQUASH if args.squash else MergeWay.REBASE if args.rebase else MergeWay.MERGE
        self.ref = f"refs/overmind/sent/{hive.name}/{os.urandom(8).hex()}"

    def land(self) -> dict[str, Any]:
        """Merge it; see `merge_sent`."""
        for _ in range(TRIES):
            try:
                return self._once()
            except TargetMoved:
                continue
        raise OvermindError("busy", f"{self._into()} was moved {TRIES} times in the meantime. Try again.")

    def forget(self) -> None:
        """Remove the name under which it was fetched."""
        self._git.run(self._top, "update-ref", "-d", self.ref, expected=(0, 1, 128))

    def _into(self) -> str:
        into: str | None = self._args.into or branch_of_sent(self._row["base"])
        if into is None:
            message = f"{self._name} began at a commit without a branch. Choose a branch of this repository with --into"
            raise OvermindError("invalid", message)
        return into

    def _once(self) -> dict[str, Any]:
        git, top, into = self._git, self._top, self._into()
        target = merge.target_of(git, top, from_wire(into))
        if target is None:
            where = f"There is no branch {into!r} in {to_wire(top)} to merge into"
            raise OvermindError("invalid", f"{where}. Choose another one with --into")
        commit = resolve(git, top, self.ref)
        if commit is None:
            raise OvermindError("git_failed", f"The branch of {self._name} was not fetched.")
        since = merge_base(git, top, target.commit, commit)
        if since == commit or is_landed(git, top, commit, target.commit, fork=since):
            raise self._nothing(target)
        if not self._args.with_marks and (marked := committed_marks(git, top, commit, target.commit)):
            named = [to_wire(path) for path in marked]
            raise OvermindError(
                CONFLICT_LEFT, marks_text(self._name, named, f"overmind merge {self._name} --with-marks"), files=named
            )
        commits = commits_between(git, top, target.commit, commit)
        after = self._integrated(target, commit, [one.subject for one in commits])
        files = names_between(git, top, target.commit, after)
        if not self._args.preview:
            self._move(target, after)
        return {
            "ok": True,
            "merged": not self._args.preview,
            "preview": bool(self._args.preview),
            "mission": self._row["mission"],
            "name": self._name,
            "target": into,
            "before": target.commit,
            "after": None if self._args.preview else after,
            "commits": [{"hash": one.hash, "subject": to_wire(one.subject)} for one in commits],
            "files": [_file(one) for one in files],
            "uncommitted": [],
            "verify": None,
        }

    def _integrated(self, target: TargetBranch, commit: str, subjects: list[str]) -> str:
        git, top = self._git, self._top
        since = merge_base(git, top, target.commit, commit)
        given = "\n\n".join(self._args.message or ())
        own = f"{self._name} ({self._row['branch']})"
        message = from_wire(given) or commit_message(self._way, from_wire(own), target.branch, self._name, subjects)
        with tempfile.TemporaryDirectory(prefix="overmind-merge-", ignore_cleanup_errors=True) as folder:
            scratch = os.path.join(os.path.realpath(folder), "work")
            try:
                merge.open_scratch(git, top, scratch, target.commit)
                return merge.integrate(git, scratch, self._way, commit=commit, target=target.commit, message=message)
            except AlreadyMerged:
                raise self._nothing(target) from None
            except MergeConflicts as error:
                raise self._conflict(target, since, error.args[0]) from None
            finally:
                merge.close_scratch(git, top, scratch)

    def _conflict(self, target: TargetBranch, since: str, paths: tuple[str, ...]) -> OvermindError:
        own = ChangeAuthor(self._row["mission"], self._name)
        changed = merge.commits_of(self._git, self._top, since, target.commit, paths)
        meet = {to_wire(path): change_authors(own, commits, []) for path, commits in changed.items()}
        message = f"{count_text(len(paths), 'file')} of {self._name} conflict{'s' if len(paths) == 1 else ''} with"
        return OvermindError(
            "conflicts",
            f"{message} {to_wire(target.branch)}. Nothing was changed: {conflicts_text(meet)}.",
            target=to_wire(target.branch),
            files=[{"path": path, "missions": [side._asdict() for side in who]} for path, who in meet.items()],
        )

    def _nothing(self, target: TargetBranch) -> OvermindError:
        return OvermindError("nothing_to_merge", f"{to_wire(target.branch)} already has all changes of {self._name}.")

    def _move(self, target: TargetBranch, after: str) -> None:
        try:
            merge.land(self._git, self._top, target, after, f"overmind: {self._way} {self._name}")
        except TargetInUse as error:
            use = error.use(target.branch)
            raise OvermindError("dirty", use.sentence, **use.fields) from None


def _file(one: ChangedFile) -> dict[str, Any]:
    old = None if one.old_path is None else to_wire(one.old_path)
    return {**asdict(one), "path": to_wire(one.path), "old_path": old}
