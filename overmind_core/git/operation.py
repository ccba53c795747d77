"""Operations that stand half done in a checkout: read from git's own files, without running git.

Source: git's wt-status.c, wt_status_get_state. A rebase picks and merges as it goes, so it is looked for first.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from overmind_core.domain.git_operations import GitOperation
from overmind_core.git.layout import git_folders
from overmind_core.system.small_file import read_small_file

if TYPE_CHECKING:
    from overmind_core.git.run import Git

_MARKS: tuple[tuple[str, GitOperation], ...] = (
    ("rebase-merge", GitOperation.REBASE),
    ("rebase-apply/applying", GitOperation.AM),
    ("rebase-apply", GitOperation.REBASE),
    ("MERGE_HEAD", GitOperation.MERGE),
    ("CHERRY_PICK_HEAD", GitOperation.CHERRY_PICK),
    ("REVERT_HEAD", GitOperation.REVERT),
)
"""What is in git's folder of a checkout while an operation is under way there, in the order of their weight."""
_TODO = "sequencer/todo"
"""The rest of several picks or reverts, between two of them."""
_BISECT = "BISECT_LOG"
_LARGEST = 1 << 20
MARKS = (*(name for name, _ in _MARKS), _TODO, _BISECT)
"""Names in git's folder of a checkout that come or go with an operation."""


def operation_of(git: Git, folder: str) -> GitOperation | None:
    """Return the operation that stands half done in the checkout whose top is `folder`; None: there is none.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git, and it is needed.
    """
    own = git_folders(git, folder).own
    for name, operation in _MARKS:
        if os.path.lexists(os.path.join(own, name)):
            return operation
    return _between_two(own) or (GitOperation.BISECT if os.path.lexists(os.path.join(own, _BISECT)) else None)


def _between_two(own: str) -> GitOperation | None:
    try:
        todo = read_small_file(os.path.join(own, _TODO), _LARGEST, links=False)
    except OSError:
        return None
    if not todo:
        return None
    return GitOperation.REVERT if todo.startswith(b"revert") else GitOperation.CHERRY_PICK
