"""Operations of git that wait to be continued, such as a rebase with a conflict: their names and the ways out. Pure."""

from __future__ import annotations

import shlex
from enum import StrEnum


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

    def advice(self, folder: str) -> str:
        """Return a sentence with both commands."""
        finish, *take_back = self.ways_out(folder)
        return f"Finish it with: {finish}{''.join(f', or take it back with: {one}' for one in take_back)}"
