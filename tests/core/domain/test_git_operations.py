"""What stands half done in a checkout: its name, and the ways out."""

from __future__ import annotations

import pytest

from overmind_core.domain.git_operations import GitOperation, unfinished


@pytest.mark.parametrize(
    ("operation", "ends"),
    [
        (GitOperation.REBASE, ("rebase --continue", "rebase --abort")),
        (GitOperation.AM, ("am --continue", "am --abort")),
        (GitOperation.MERGE, ("merge --continue", "merge --abort")),
        (GitOperation.CHERRY_PICK, ("cherry-pick --continue", "cherry-pick --abort")),
        (GitOperation.REVERT, ("revert --continue", "revert --abort")),
        (GitOperation.BISECT, ("bisect reset",)),
    ],
)
def test_each_operation_has_the_commands_that_end_it(operation, ends):
    assert operation.ways_out("/my shop") == tuple(f"git -C '/my shop' {end}" for end in ends)
    for command in operation.ways_out("/my shop"):
        assert command in unfinished(operation, "red", "/my shop")


@pytest.mark.parametrize(
    ("operation", "files", "said"),
    [
        (GitOperation.REBASE, (), "A rebase in the worktree of red is not finished. Finish it with: "),
        (
            GitOperation.MERGE,
            ("a", "b c"),
            ("A merge in the worktree of red has unresolved conflicts: a, b c. Resolve them, then stage them with: "
            "git -C /shop add -- a 'b c', then finish it with: git -C /shop merge --continue, or take it back with: "),
        ),
        (
            GitOperation.AM,
            ("a",),
            ("A git am in the worktree of red has unresolved conflicts: a. Resolve them, then stage them with: "
            "git -C /shop add -- a, then finish it with: git -C /shop am --continue, or "),
        ),
        (
            GitOperation.REBASE,
            tuple("abcdef"),
            ("A rebase in the worktree of red has unresolved conflicts: a, b, c, d, e and 1 more. "
            "Resolve them, then stage them with: git -C /shop add -u, then finish it with: git -C /shop rebase "),
        ),
        (
            None,
            ("a b",),
            ("The worktree of red has unresolved conflicts: a b. Resolve them, then stage them with: "
            "git -C /shop add -- 'a b'"),
        ),
    ],
)  # fmt: skip
def test_what_is_not_finished_is_called_what_it_is(operation, files, said):
    assert unfinished(operation, "red", "/shop", files).startswith(said)
