"""Which uncommitted files a landing meets, and what a person reads of it."""

from __future__ import annotations

import pytest

from overmind_core.domain.checkout_collisions import (
    CheckoutEdits,
    Collisions,
    PathChange,
    PathKind,
    TargetUse,
    collisions,
    in_the_way,
)
from overmind_core.domain.git_operations import GitOperation

NOTHING, FILE, SUBMODULE = PathKind.NOTHING, PathKind.FILE, PathKind.SUBMODULE


def changed(path):
    return PathChange(path, FILE, FILE)


def new(path):
    return PathChange(path, NOTHING, FILE)


def gone(path):
    return PathChange(path, FILE, NOTHING)


def edited(*paths):
    return CheckoutEdits(edited=paths)


def loose(*paths):
    return CheckoutEdits(loose=paths)


def within(*paths):
    return CheckoutEdits(submodules=paths)


@pytest.mark.parametrize(
    ("changes", "edits", "met"),
    [
        ([changed("a")], edited(), ((), ())),
        ([changed("a")], edited("b"), ((), ())),
        ([changed("a")], edited("a"), (("a",), ())),
        ([changed("a")], edited("a.py", "A", "d/a"), ((), ())),
        ([changed("b"), changed("a")], edited("b", "x", "a"), (("a", "b"), ())),
        ([gone("a")], edited("a"), (("a",), ())),
        ([new("a")], edited("a"), (("a",), ())),
        ([new("d/a")], edited("d"), (("d",), ())),
        ([new("d")], edited("d/a"), (("d/a",), ())),
        ([changed("d/a")], edited("d/b", "d2/a"), ((), ())),
        ([new("a/b/c")], edited("a/b", "a", "b"), (("a", "a/b"), ())),
        ([changed("a")], loose("a", "b"), ((), ())),
        ([new("a")], loose("a", "b"), ((), ("a",))),
        ([new("d/a")], loose("d", "d/b"), ((), ("d",))),
        ([new("d")], loose("d/x/y", "e/d"), ((), ("d/x/y",))),
        ([new("d")], loose("d/"), ((), ("d/",))),
        ([gone("a")], loose("a/b"), ((), ())),
        ([gone("d/a"), new("d")], loose("d/b"), ((), ("d/b",))),
        ([changed("a"), new("n")], CheckoutEdits(["a"], [], ["n"]), (("a",), ("n",))),
        ([new("n")], CheckoutEdits(["n"], [], ["n"]), (("n",), ())),
        ([PathChange("lib", SUBMODULE, SUBMODULE)], within("lib"), ((), ())),
        ([PathChange("lib", SUBMODULE, SUBMODULE)], edited("lib"), (("lib",), ())),
        ([PathChange("lib", SUBMODULE, NOTHING), new("lib/a")], within("lib"), (("lib",), ())),
        ([PathChange("lib", SUBMODULE, NOTHING)], within("lib"), (("lib",), ())),
        ([PathChange("lib", SUBMODULE, FILE)], loose("lib/a"), ((), ("lib/a",))),
        ([PathChange("lib", FILE, SUBMODULE)], loose("lib/a"), ((), ("lib/a",))),
        ([changed("a")], within("lib"), ((), ())),
    ],
)
def test_a_landing_meets_the_same_paths_and_what_would_be_their_folder(changes, edits, met):
    assert collisions(changes, edits) == Collisions(*met)


def test_a_conflict_anywhere_in_the_checkout_is_in_the_way():
    edits = CheckoutEdits(["b", "a"], [], [], ["b", "a"])
    assert collisions([changed("c")], edits) == Collisions((), (), ("a", "b"))


@pytest.mark.parametrize(
    ("files", "operation", "unmerged", "words"),
    [
        (["a"], None, False, "a is not committed"),
        (["a", "b", "c"], None, False, "a and 2 more are not committed"),
        (["a"], None, True, "a has unresolved conflicts"),
        (["a", "b"], None, True, "a and 1 more have unresolved conflicts"),
        (["a"], "merge", False, "a merge is not finished"),
        ([], None, False, ""),
    ],
)
def test_few_words_say_what_is_in_the_way(files, operation, unmerged, words):
    assert in_the_way(files, operation, unmerged=unmerged) == words


FOLDER = "/src/my shop"


@pytest.mark.parametrize(
    ("use", "sentence", "commands"),
    [
        (
            TargetUse("main", FOLDER, found=Collisions(("a",), ())),
            ("main is checked out in /src/my shop, where 1 file that the landing changes is not committed: a. "
            "Nothing was changed. Commit it there, or stash it with: git -C '/src/my shop' stash push -- a"),
            ("git -C '/src/my shop' stash push -- a",),
        ),
        (
            TargetUse("main", FOLDER, found=Collisions(("a b", "c"), ("n",))),
            ("main is checked out in /src/my shop, where 2 files that the landing changes are not committed: a b, c. "
            "In /src/my shop are untracked files where main gets new files: n. Nothing was changed. "
            "Commit them there, or stash them with: git -C '/src/my shop' stash push -- 'a b' c; "
            "move it away with: mv -n '/src/my shop/n' '/src/my shop/n.mine'"),
            ("git -C '/src/my shop' stash push -- 'a b' c", "mv -n '/src/my shop/n' '/src/my shop/n.mine'"),
        ),
        (
            TargetUse("main", "/S", found=Collisions((), ("N", "n"))),
            ("In /S are untracked files where main gets new files: N, n. Nothing was changed. "
            "Move each away as with: mv -n /S/N /S/N.mine"),
            ("mv -n /S/N /S/N.mine", "mv -n /S/n /S/n.mine"),
        ),
        (
            TargetUse("main", FOLDER, missing=True),
            ("main is checked out in /src/my shop, which is missing: its disk may not be mounted. "
            "Nothing was changed. Mount it, or give that checkout up with: git worktree unlock '/src/my shop'"),
            (),
        ),
        (
            TargetUse("main", FOLDER, found=Collisions(("a b",), ("n",), ("a b", "c"))),
            ("main is checked out in /src/my shop, which has 2 files with unresolved conflicts: a b, c. "
            "Nothing was changed. Resolve them there, and tell git so with: git -C '/src/my shop' add -- 'a b' c"),
            ("git -C '/src/my shop' add -- 'a b' c",),
        ),
        (
            TargetUse("main", FOLDER, GitOperation.CHERRY_PICK),
            ("main is in use in /src/my shop, where a cherry-pick is not finished. Nothing was changed. "
            "Finish it with: git -C '/src/my shop' cherry-pick --continue, "
            "or take it back with: git -C '/src/my shop' cherry-pick --abort"),
            ("git -C '/src/my shop' cherry-pick --continue", "git -C '/src/my shop' cherry-pick --abort"),
        ),
    ],
)  # fmt: skip
def test_a_person_reads_what_is_in_the_way_and_the_commands_that_help(use, sentence, commands):
    assert (use.sentence, use.commands) == (sentence, commands)
    assert use.fields["do"] == list(commands)


def test_of_many_files_that_are_in_the_way_few_commands_are_given():
    many = tuple(f"f{number}" for number in range(100))
    use = TargetUse("main", "/s", found=Collisions(many, many))
    assert use.commands[0] == "git -C /s stash push"
    assert len(use.commands) == 5
    assert use.sentence.endswith("with: git -C /s stash push; move each away as with: mv -n /s/f0 /s/f0.mine")
    unresolved = TargetUse("main", "/s", found=Collisions(unmerged=many)).sentence
    assert unresolved.endswith("so with git add. See them with: git -C /s diff --name-only --diff-filter=U")
    assert use.fields["files"] == [*many, *many]
    use = TargetUse("main", "/s", found=Collisions((), (), many))
    assert use.commands == ("git -C /s diff --name-only --diff-filter=U",), "they are listed"
    assert use.fields["files"] == [*many]
