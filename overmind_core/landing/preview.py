"""The plan of a merge: what is to be merged into what, and what git refuses, as people read it. Blocks: runs git."""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from overmind_core.domain.git_operations import GitOperation
from overmind_core.domain.landing import (
    ChangeAuthor,
    Landed,
    MergeWay,
    change_authors,
    conflicts_text,
    count_text,
    list_text,
    marks_text,
)
from overmind_core.domain.quests.classes import CONFLICT_LEFT
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError
from overmind_core.git import merge, repository, status
from overmind_core.git.branches import commits_made
from overmind_core.git.changes import ChangedFile, CommitLine, commits_between, merge_base, names_between
from overmind_core.git.conflict_marks import committed_marks
from overmind_core.git.look import look_at, look_at_index
from overmind_core.git.merge import AlreadyMerged, MergeConflicts, TargetBranch, TargetInUse
from overmind_core.git.merge_tree import conflicts_of_steps, merged_tree
from overmind_core.git.nested import added_gitlinks, nested_repositories
from overmind_core.git.operation import operation_of
from overmind_core.git.run import Git, GitFailed
from overmind_core.git.status import is_landed
from overmind_core.git.submodules import uncommitted_submodules
from overmind_core.landing.locations import WorkLocation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from overmind_core.domain.quests.quest import MetConflict, UndoingLanding
    from overmind_core.git.look import WorktreeLook
    from overmind_core.landing.store import LandingRow
    from overmind_core.missions.spec import Environment


REMEMBERED = 500
"""Landings that are looked at to find out whose a conflicting change is, the newest."""
MOST_STEPS, MOST_LOOKED_AT = 30, 1000
"""Landings, and commits of a person, of which it is looked at whether they conflict, as each takes two merges; and
those times the files, as each is read then. The repository's other merges wait meanwhile."""
_NO_COMMIT = "0" * 40


@dataclass(frozen=True, slots=True)
class MergeCheck:
    """As whom merged work is checked. Wire form."""

    name: str
    parent: str | None
    """Id of a mission."""
    labels: Mapping[str, str]
    environment: Environment


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """What is wanted of a merge. Texts are the system's."""

    into: str | None = None
    way: MergeWay = MergeWay.MERGE
    verify: str | None = None
    verify_timeout: float = 0.0
    """Seconds; 0 = for ever."""
    message: str | None = None
    preview: bool = False
    request: str | None = None
    """The caller's key."""
    why: str | None = None
    """Why it lands by itself; None: somebody has asked for it."""
    check: MergeCheck | None = None
    """As whom `verify` runs; None: as `<name>/verify`, a child of the mission whose work it is while that is live."""
    trailers: tuple[str, ...] = ()
    """Lines that end the message of the commit."""
    leased: bool = False
    """The work has a lease, which its check shares: that is a child of the mission in any case."""
    with_marks: bool = True
    """Files that were committed with the marks of a conflict land too. Those of a quest are refused before."""
    met: tuple[MetConflict, ...] = ()
    """Conflicts that the work has met before: what had landed then must not be undone."""
    allowed: UndoingLanding | None = None
    """What a person lets it undo all the same: in a new conflict in those files the work's own side counts."""
    denied: tuple[UndoingLanding, ...] = ()
    """Earlier landings of the work: what one of them would have undone must not be undone by this one."""
    tip: str | None = None
    """The commit of the work as it was judged, and no other lands; None: whichever its branch has by then."""


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What would be merged."""

    target: TargetBranch
    commit: str
    """Tip of the mission's branch."""
    since: str
    """Where both went apart."""
    commits: tuple[CommitLine, ...]
    uncommitted: tuple[str, ...]
    """Files that a merge leaves out."""
    refusal: str
    """Why only a preview may do so, for people; "" where nothing of the work is left out."""


def plan_merge(place: WorkLocation, wish: MergeRequest) -> MergePlan:
    """Return what is to be done.

    Raises:
        OvermindError: `invalid`, `dirty`, `gone`, `nothing_to_merge`, `conflict_left`: it can't be done so; `changed`:
            the work is not what was judged.
        GitFailed: git refused.
    """
    git, name = place.git, to_wire(place.name)
    into = wish.into or place.base or ""
    target = merge.target_of(git, place.source, into)
    if target is None:
        message = f"There is no branch {to_wire(into)!r} in {to_wire(place.source)} to merge into"
        began = "" if wish.into is not None else f"; {name} started there"
        raise OvermindError("invalid", f"{message}{began}. Choose another one with --into")
    if into == place.branch:
        raise OvermindError(
            "invalid", f"{to_wire(into)!r} is the branch of {name} itself. Choose another one with --into"
        )
    look, uncommitted, refusal = _left_out(place)
    if refusal is not None and not wish.preview:
        raise refusal
    if look is not None and look.branch == place.branch:  # nothing was committed since it was found clean
        commit = look.head
    else:
        commit = repository.resolve(git, place.source, repository.HEADS + (place.branch or ""))
    if commit is None:
        raise OvermindError("git_failed", f"The branch {to_wire(place.branch or '')} of {name} is gone.")
    if wish.tip not in {None, commit}:
        raise OvermindError("changed", f"{name} was committed to after it was looked at.")
    if links := added_gitlinks(git, place.source, target.commit, commit):
        raise nested(place, links)
    since = merge_base(git, place.source, target.commit, commit)
    if since == commit or is_landed(git, place.source, commit, target.commit, fork=since):
        raise refusal or OvermindError("nothing_to_merge", _nothing(place, target))
    if not wish.with_marks and (marked := committed_marks(git, place.source, commit, target.commit)):
        files = [to_wire(path) for path in marked]
        raise OvermindError(
            CONFLICT_LEFT, marks_text(name, files, f"overmind merge {place.word} --with-marks"), files=files
        )
    commits = commits_between(git, place.source, target.commit, commit)
    return MergePlan(target, commit, since, commits, uncommitted, "" if refusal is None else refusal.message)


def _left_out(place: WorkLocation) -> tuple[WorktreeLook | None, tuple[str, ...], OvermindError | None]:
    """The look at a worktree, the files that a merge leaves out, and why it is refused; none where it was deleted."""
    git, folder = place.git, place.folder
    if not place.has_folder():
        return None, (), None
    look, index = look_at(git, folder), look_at_index(git, folder)
    inside = nested_repositories(git, folder, look, index)
    uncommitted = status.uncommitted_files(git, folder, look, index)
    refusal = nested(place, inside) if inside else _half_done(place, uncommitted, look)
    return look, uncommitted, refusal or (_dirty(place, uncommitted, look) if uncommitted else None)


def _half_done(place: WorkLocation, uncommitted: Sequence[str], look: WorktreeLook) -> OvermindError | None:
    """Work is in the middle of an operation of git's: a commit would not be what helps. None: it is not."""
    operation = operation_of(place.git, place.folder)
    is_apart = operation in {GitOperation.REBASE, GitOperation.AM}  # the branch is not what is there
    if not (is_apart or look.conflicting or (operation is not None and uncommitted)):
        return None
    error = merge.Unresolved(look.conflicting, operation)
    files = [to_wire(path) for path in uncommitted]
    return OvermindError("dirty", error.sentence(to_wire(place.name), place.folder), files=files)


def _dirty(place: WorkLocation, uncommitted: Sequence[str], look: WorktreeLook) -> OvermindError:
    """A merge would leave work out; the command that helps depends on where it is."""
    files = [to_wire(path) for path in uncommitted]
    if not look.changed:
        message = unpushed(place, uncommitted)
    elif set(uncommitted) <= set(inside := uncommitted_submodules(place.git, place.folder)):
        message = unsaved_within(place, inside)
    else:
        return uncommitted_work(place, uncommitted)
    return OvermindError("dirty", message, files=files)


def uncommitted_work(place: WorkLocation, uncommitted: Sequence[str]) -> OvermindError:
    """Files of a mission's worktree are not committed."""
    files, name = [to_wire(path) for path in uncommitted], to_wire(place.name)
    are = "is" if len(files) == 1 else "are"
    message = f"{count_text(len(files), 'file')} of {name} {are} not committed: {list_text(files)}."
    return OvermindError("dirty", f"{message} Commit with: overmind commit {place.word} -m …", files=files)


def nested(place: WorkLocation, paths: Sequence[str]) -> OvermindError:
    """Folders of the worktree are repositories of their own."""
    names = [to_wire(path) for path in paths]
    message = f"{list_text(names)} in the worktree of {to_wire(place.name)}"
    is_, its = ("is a git repository", "its") if len(names) == 1 else ("are git repositories", "their")
    advice = (
        f"git would keep only the hash of {its} commit, not {its} files. Remove {names[0]}/.git to make {its} files"
        f" part of this repository, or register it with: git submodule add URL {names[0]}"
    )
    return OvermindError("invalid", f"{message} {is_} of {its} own: {advice}", files=names)


def unpushed(place: WorkLocation, paths: Sequence[str]) -> str:
    """Submodules have commits that are in this worktree alone: the target would name them, and they would be lost."""
    names = [to_wire(path) for path in paths]
    has = "has" if len(names) == 1 else "have"
    message = f"{list_text(names)} of {to_wire(place.name)} {has} commits that neither its origin nor your checkout has"
    own, persons = (os.path.join(folder, paths[0]) for folder in (place.folder, place.source))
    inside, refs = shlex.quote(to_wire(own)), shlex.quote(f"HEAD:refs/heads/{to_wire(place.branch or 'overmind')}")
    ways = [f"git -C {inside} push origin {refs}"]
    if os.path.lexists(os.path.join(persons, ".git")):
        ways.append(f"git -C {shlex.quote(to_wire(persons))} fetch {inside} {refs}")
    return f"{message}. Push or fetch them first: {' or: '.join(ways)}"


def unsaved_within(place: WorkLocation, paths: Sequence[str]) -> str:
    """Submodules have files that are not committed in them: a commit of the worktree leaves them out."""
    names = [to_wire(path) for path in paths]
    are = "is a submodule" if len(names) == 1 else "are submodules"
    message = f"{list_text(names)} of {to_wire(place.name)} {are} with files that are not committed there"
    inside = shlex.quote(to_wire(os.path.join(place.folder, paths[0])))
    return f"{message}. Commit them first: git -C {inside} add --all, then: git -C {inside} commit"


def overlooked(place: WorkLocation, files: Sequence[str]) -> str:
    """Git was told to overlook the changes of these files, so it commits none of them."""
    message = (
        f"Git is told to overlook changes of {list_text([to_wire(file) for file in files])} in {to_wire(place.name)}"
    )
    where, names = shlex.quote(to_wire(place.folder)), " ".join(shlex.quote(to_wire(file)) for file in files)
    command = f"git -C {where} update-index --no-assume-unchanged {names}"
    return f"{message}. Let it look first: {command} (or --no-skip-worktree)"


def _nothing(place: WorkLocation, target: TargetBranch) -> str:
    message = (
        f"{to_wire(target.branch)} has all commits of {to_wire(place.name)} ({to_wire(place.branch or '')}) already."
    )
    other = repository.branch_of(place.git, place.folder) if os.path.isdir(place.folder) else place.branch
    if other != place.branch:
        return f"{message} Its worktree has {to_wire(other or 'no branch')} checked out: that work is not included."
    return message


def check_free(place: WorkLocation, target: TargetBranch, after: str, before: str | None = None) -> None:
    """See that the target may be moved to a commit; see `merge.check_free`.

    Raises:
        OvermindError: `dirty`.
        GitFailed: git can't tell.
    """
    try:
        merge.check_free(place.git, target, after, before=before)
    except TargetInUse as error:
        raise occupied(target, error) from None


def occupied(target: TargetBranch, error: TargetInUse) -> OvermindError:
    """The target is in use; its fields say where, and which commands help."""
    use = error.use(target.branch)
    return OvermindError("dirty", use.sentence, **use.fields)


def obstacle(place: WorkLocation, into: str) -> OvermindError | None:
    """Return why a branch can't be moved to what is to land on it; None: nothing of its checkout is in the way.

    Raises:
        GitFailed: git can't tell.
        GitMissing: there is none.
    """
    git, source = place.git, place.source
    target = merge.target_of(git, source, into)
    commit = repository.resolve(git, source, repository.HEADS + (place.branch or ""))
    if target is None or commit is None:
        return None
    try:
        after = merged_tree(git, source, commit=commit, target=target.commit)
        since = merge_base(git, source, target.commit, commit) if after is None else None
        check_free(place, target, after or commit, since)
    except (AlreadyMerged, MergeConflicts):
        return None
    except OvermindError as error:
        return error
    return None


def files_of(place: WorkLocation, before: str, after: str) -> tuple[ChangedFile, ...]:
    """Return what changes on the target."""
    return names_between(place.git, place.source, before, after)


def brought(place: WorkLocation, into: str, others: Sequence[WorkLocation]) -> str | None:
    """Return the mission of the first of some other works of which a merge into a branch would bring commits.

    Those of a work are the commits that were made on its branch or in its worktree, wherever they have got since.

    Raises:
        GitFailed: git refused.
    """
    git, source = place.git, place.source
    target, tip = repository.resolve_all(git, source, repository.HEADS + into, repository.HEADS + (place.branch or ""))
    fresh = merge.commits_between(git, source, target, tip) if target is not None and tip is not None else frozenset()
    return next((one.mission for one in others if fresh and not fresh.isdisjoint(_made(git, one))), None)


def _made(git: Git, place: WorkLocation) -> frozenset[str]:
    """The commits that were made on its branch, and in its worktree while that is there; none that git can't name."""
    found: frozenset[str] = frozenset()
    for folder, name in ((place.source, repository.HEADS + (place.branch or "")), (place.folder, "HEAD")):
        with suppress(GitFailed):
            found |= commits_made(git, folder, name)
    return found


def known_landings(place: WorkLocation, since: str, until: str, landings: Sequence[LandingRow]) -> list[LandingRow]:
    """Return those landings of a repository that a branch has got between two commits, the oldest first.

    Raises:
        GitFailed: git refused.
    """
    fresh = merge.commits_between(place.git, place.source, since, until)
    return [one for one in landings[-REMEMBERED:] if one.after in fresh and one.before != _NO_COMMIT]


def conflict(
    place: WorkLocation, plan: MergePlan, paths: Sequence[str], landings: Sequence[LandingRow]
) -> OvermindError:
    """Return the refusal that names whose changes meet in each file."""
    git, source, target = place.git, place.source, plan.target
    rows = known_landings(place, plan.since, target.commit, landings)
    known = [
        Landed(ChangeAuthor(one.mission, one.name), merge.commits_between(git, source, one.before, one.after))
        for one in rows
    ]
    own = ChangeAuthor(place.mission, place.name)
    changed = merge.commits_of(git, source, plan.since, target.commit, paths)
    steps = [((row.before, row.after), one.commits) for row, one in zip(rows, known, strict=True)]
    conflicting = _conflicting(place, plan, changed, steps)
    meet = {to_wire(path): change_authors(own, commits, known) for path, commits in conflicting.items()}
    message = f"{count_text(len(paths), 'file')} of {to_wire(place.name)} conflict{'s' if len(paths) == 1 else ''} with"
    return OvermindError(
        "conflicts",
        f"{message} {to_wire(target.branch)}. Nothing was changed: {conflicts_text(meet)}.",
        target=to_wire(target.branch),
        files=[{"path": path, "missions": [side._asdict() for side in who]} for path, who in meet.items()],
        before=target.commit,
        tip=plan.commit,
    )


_Step = tuple[tuple[str, str], frozenset[str]]
"""The commits of a branch from which and to which it was moved, and those that it got."""


def _conflicting(
    place: WorkLocation, plan: MergePlan, changed: Mapping[str, set[str]], landed: Sequence[_Step]
) -> Mapping[str, set[str]]:
    """The same commits without those that change a file elsewhere than where it conflicts, as far as git can tell.

    Args:
        place: Of the work.
        plan: Of its merge.
        changed: Path → the target's commits that have changed it.
        landed: What has landed there, the oldest first; all other commits are a person's, one by one.
    """
    left = {commit for commits in changed.values() for commit in commits}
    steps: list[_Step] = []
    for step, commits in landed:
        if left & commits:
            steps.append((step, frozenset(left & commits)))
            left -= commits
    steps += [((f"{commit}^", commit), frozenset({commit})) for commit in sorted(left)]
    is_clear = all(sum(bool(commits & own) for _, own in steps) <= 1 for commits in changed.values())
    if is_clear or len(steps) > MOST_STEPS or len(steps) * len(changed) > MOST_LOOKED_AT:
        return changed
    found = None
    with suppress(GitFailed):  # the files conflict all the same
        found = conflicts_of_steps(place.git, place.source, [step for step, _ in steps], commit=plan.commit)
    if found is None:
        return changed
    parts = [(commits, paths) for (_, commits), paths in zip(steps, found, strict=True)]
    return {
        path: commits & {one for own, paths in parts if path in paths for one in own} or commits
        for path, commits in changed.items()
    }
