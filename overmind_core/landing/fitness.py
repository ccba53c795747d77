"""The fitness of a quest's work to land: what a commit of it would leave out, or no target may get, is refused.

Blocks: runs git. Texts are the system's, but for those that people read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.git_operations import GitOperation
from overmind_core.domain.landing import LEFT_MARKS, count_text, list_text
from overmind_core.domain.quests.classes import CONFLICT_LEFT, UNFIT
from overmind_core.domain.quests.life import LEFT
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError
from overmind_core.git import conflict_marks, merge, repository
from overmind_core.git.changes import merge_base
from overmind_core.git.look import look_at, look_at_index
from overmind_core.git.nested import nested_repositories
from overmind_core.git.operation import operation_of
from overmind_core.git.run import GitFailed
from overmind_core.git.submodules import uncommitted_submodules, unpushed_submodules
from overmind_core.git.unsaved import hidden_changes
from overmind_core.landing import preview

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.git.look import IndexLook, WorktreeLook
    from overmind_core.landing.locations import WorkLocation

OURS = ".overmind"
"""What is below it belongs to people and to the engine: no quest lands it."""


def check_fit(place: WorkLocation, into: str) -> None:
    """Refuse work that can't land on a branch as it is, or of which its worktree shows less; nothing is committed.

    Raises:
        OvermindError: `output_invalid` or `conflict_left`, with `files`.
        GitFailed: git refused; there may be no such branch.
        GitMissing: there is none.
    """
    found = fit_work(place, into)
    if found is not None:
        if found[0].conflicting:
            refuse_left(place)
        _refuse_behind(place, found[0])
        refuse_left_out(place, *found)
    refuse_marks(place, into)


def fit_work(place: WorkLocation, into: str) -> tuple[WorktreeLook, IndexLook] | None:
    """The looks at a worktree whose files can be committed for a branch; None: it was deleted.

    Raises as `check_fit`.
    """
    git, folder = place.git, place.folder
    if not has_folder(place):
        _refuse_ours(place, _changed_ours(place, into, None))
        return None
    look, index = look_at(git, folder), look_at_index(git, folder)
    refuse_half_done(place, look)
    _refuse_elsewhere(place, look)
    _refuse_ours(place, _changed_ours(place, into, look))
    if inside := nested_repositories(git, folder, look, index):
        raise unfit(preview.nested(place, inside).message, inside)
    return look, index


def refuse_left_out(place: WorkLocation, look: WorktreeLook, index: IndexLook) -> None:
    """Refuse work of which a commit leaves something out; the looks are those before it."""
    git, folder = place.git, place.folder
    if look.changed and (left := uncommitted_submodules(git, folder)):
        raise unfit(preview.unsaved_within(place, left), left)
    if left := unpushed_submodules(git, folder):
        raise unfit(preview.unpushed(place, left), left)
    if hidden := hidden_changes(git, folder, index):
        raise unfit(preview.overlooked(place, hidden), hidden)


def has_folder(place: WorkLocation) -> bool:
    """True while the worktree is there; refuses what is none of its repository any more."""
    try:
        return place.has_folder()
    except OvermindError as error:
        raise unfit(error.message, ()) from None


def refuse_half_done(place: WorkLocation, look: WorktreeLook) -> None:
    """Refuse work in the middle of a rebase: its commits are on no branch, and the branch is as it was before."""
    operation = operation_of(place.git, place.folder)
    if operation in {GitOperation.REBASE, GitOperation.AM} or (operation is GitOperation.BISECT and look.changed):
        error = merge.Unresolved(look.conflicting, operation)
        raise unfit(error.sentence(place.name, place.folder), error.paths)


def _refuse_elsewhere(place: WorkLocation, look: WorktreeLook) -> None:
    """Refuse work that is on another branch than the one that lands: it would be left behind."""
    git, branch = place.git, place.branch or ""
    other, head = look.branch, look.head
    if other == branch:
        return
    if head is None or look.changed or not repository.is_ancestor(git, place.folder, head, repository.HEADS + branch):
        raise _elsewhere(place, look)


def _refuse_behind(place: WorkLocation, look: WorktreeLook) -> None:
    """Refuse a worktree at an earlier commit than its branch: what lands would not be what is there to be shown."""
    if look.branch != place.branch:
        tip = repository.resolve(place.git, place.source, repository.HEADS + (place.branch or ""))
        if tip != look.head:
            raise _elsewhere(place, look)


def _elsewhere(place: WorkLocation, look: WorktreeLook) -> OvermindError:
    there, branch = to_wire(look.branch or (look.head or "")[:12]), to_wire(place.branch or "")
    message = f"The worktree of {place.name} has {there} checked out"
    return unfit(f"{message}: only {branch} lands. Bring the work there, and check it out.", ())


def refuse_left(place: WorkLocation) -> None:
    """Refuse conflicts that stand in the files still."""
    if left := conflict_marks.unresolved(place.git, place.folder):
        marked = conflict_marks.marked(place.git, place.folder, left)
        raise unfit(_left(marked, left), left, CONFLICT_LEFT)


def refuse_marks(place: WorkLocation, into: str) -> None:
    """Refuse conflicts that were committed with their marks, by whoever was to resolve them."""
    own, target = repository.HEADS + (place.branch or ""), repository.HEADS + into
    if found := conflict_marks.committed_marks(place.git, place.source, own, target):
        raise unfit(_left(found, found), found, CONFLICT_LEFT)


def _refuse_ours(place: WorkLocation, ours: Sequence[str]) -> None:
    if ours:
        changed = f"{count_text(len(ours), 'file')} below {OURS}/ {'was' if len(ours) == 1 else 'were'} changed"
        named = list_text([to_wire(path) for path in ours])
        raise unfit(f"{changed} by {place.name}: {named}. Such changes never land: undo them.", ours)


def _changed_ours(place: WorkLocation, into: str, look: WorktreeLook | None) -> list[str]:
    """What of `OURS` is not as at the commit at which the branch and its target went apart; what was undone is."""
    git, source, branch = place.git, place.source, place.branch or ""
    target, tip = repository.resolve_all(git, source, repository.HEADS + into, repository.HEADS + branch)
    if target is None or tip is None:
        missing = branch if tip is None else into
        raise GitFailed(("merge", missing), None, f"there is no branch {missing!r} in {source}")
    since = target if target == tip else merge_base(git, source, target, tip)
    tracked, new = ((), ()) if look is None else (_ours(look.tracked), _ours(look.new))
    if since == (tip if look is None else look.head) and not tracked:
        return sorted(new)
    folder, now = (source, (tip,)) if look is None else (place.folder, ())
    words = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--ignore-submodules=none", since, *now)
    changed = git.run(folder, *words, "--", f":(top,literal){OURS}").out.split("\0")
    return sorted({path for path in (*changed, *new) if path})


def _ours(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(path for path in paths if f"{path}/".startswith(f"{OURS}/"))


def _left(marked: Sequence[str], left: Sequence[str]) -> str:
    """What a person reads of conflicts that were left, as it begins in `life.left_conflict`."""
    others = [path for path in left if path not in marked]
    parts = [f"{LEFT_MARKS.removeprefix('left ')}{list_text([to_wire(path) for path in marked])}"] if marked else []
    parts += [f"a conflict unresolved in {list_text([to_wire(path) for path in others])}"] if others else []
    return f"{LEFT}{' and '.join(parts)}."


def unfit(message: str, files: Sequence[str], code: str = UNFIT) -> OvermindError:
    """Return the refusal of work, with the files that it is about."""
    return OvermindError(code, message, files=[to_wire(path) for path in files])
