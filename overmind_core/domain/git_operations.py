"""Operations of git that wait to be continued, such as a rebase with a conflict: their names and the ways out. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from enum import StrEnum

from overmind_core.domain.landing import list_text


class GitOperation(StrEnum):
    """An operation that stands half done in a checkout, by the name of git's command."""

    REBASE = "rebase"
    AM = "am"
    MERGE = "merge"
    CHERRY_PICK = "cherry-pick"
    REVERT = "revert"
    BISECT = "bisect"

    @property
    def commits_elsewhere(self) -> bool:
        """Whether a commit that is made meanwhile is no ordinary one of the branch."""
        return self in {GitOperation.REBASE, GitOperation.AM, GitOperation.BISECT}

    @property
    def noun(self) -> str:
        """Its name in a sentence behind an article: `rebase`, `git am`."""
        return "git am" if self is GitOperation.AM else self.value

    def ways_out(self, folder: str) -> tuple[str, ...]:
        """Return the commands that finish it and that take it back, in a folder of the checkout."""
        ends = ("reset",) if self is GitOperation.BISECT else ("--continue", "--abort")
        return tuple(f"git -C {shlex.quote(folder)} {self.value} {end}" for end in ends)

    def advice(self, folder: str, conflicting: Sequence[str] = ()) -> str:
        """Return a sentence with both commands; `conflicting`: files to resolve and stage before it goes on."""
        finish, *take_back = self.ways_out(folder)
        back = "".join(f", or take it back with: {one}" for one in take_back)
        if not conflicting:
            return f"Finish it with: {finish}{back}"
        return f"{_resolve(folder, conflicting)}, then finish it with: {finish}{back}"


MOST_STAGED = 5
"""Files with conflicts that are named in a command; where there are more, it stages all that git knows."""


def _resolve(folder: str, conflicting: Sequence[str]) -> str:
    """Return the beginning of a sentence: git goes on only once each file is staged."""
    paths = ("-u",) if len(conflicting) > MOST_STAGED else ("--", *conflicting)
    return f"Resolve them, then stage them with: {shlex.join(('git', '-C', folder, 'add', *paths))}"


def unfinished(operation: GitOperation | None, name: str, folder: str, conflicting: Sequence[str] = ()) -> str:
    """Return what stands half done in the worktree of a mission, and the commands that help. Texts in wire form.

    Args:
        operation: It; None: there are only files with conflicts, as after `git stash pop`.
        name: The mission's.
        folder: Its worktree.
        conflicting: Files whose conflicts are not resolved.
    """
    where = f"the worktree of {name}"
    if operation is None:
        files = f"{where[0].upper()}{where[1:]} has unresolved conflicts: {list_text(conflicting)}"
        return f"{files}. {_resolve(folder, conflicting)}"
    if not conflicting:
        return f"A {operation.noun} in {where} is not finished. {operation.advice(folder)}"
    files = f"A {operation.noun} in {where} has unresolved conflicts: {list_text(conflicting)}"
    return f"{files}. {operation.advice(folder, conflicting)}"
