"""Merging beside everybody's checkouts: the target is as before, or has all of it."""

from __future__ import annotations

import os

import pytest

from overmind_core.domain.checkout_collisions import Collisions
from overmind_core.domain.git_operations import GitOperation
from overmind_core.domain.landing import MergeWay
from overmind_core.git import merge as git_merge
from overmind_core.git.branches import commits_made
from overmind_core.git.merge import AlreadyMerged, MergeConflicts, TargetInUse, TargetMoved
from overmind_core.git.merge_tree import merged_tree
from overmind_core.git.operation import operation_of
from overmind_core.git.run import Git, GitFailed
from tests.kit.repositories import Repository


@pytest.fixture
def shop(tmp_path):
    """A shop with two branches that went apart: main has a file more, red two commits."""
    made = Repository(str(tmp_path / "shop"))
    made.commit("first", {"a": "1\n", "b": "1\n"})
    made.git("checkout", "-q", "-b", "red")
    made.commit("red: one", {"cart": "1\n"})
    made.commit("red: two", {"cart": "2\n"})
    made.git("checkout", "-q", "main")
    made.commit("meanwhile", {"street": "1\n"})
    return made


class Merging:
    """One merge of `red`, step by step."""

    def __init__(self, shop):
        self.shop = shop
        self.git = Git(shop.environ)
        self.scratch = f"{shop.folder} scratch"

    def target(self, branch="main"):
        found = git_merge.target_of(self.git, self.shop.folder, branch)
        assert found is not None
        return found

    def integrate(self, way=MergeWay.MERGE, branch="red"):
        target = self.target()
        git_merge.open_scratch(self.git, self.shop.folder, self.scratch, target.commit)
        commit = self.shop.git("rev-parse", branch)
        return git_merge.integrate(
            self.git, self.scratch, way, commit=commit, target=target.commit, message=f"# {way}\n\nbody\n"
        )

    def foresee(self):
        commit = self.shop.git("rev-parse", "red")
        return merged_tree(self.git, self.shop.folder, commit=commit, target=self.target().commit)

    def land(self, target, after):
        git_merge.land(self.git, self.shop.folder, target, after, "overmind: merge red")


@pytest.fixture
def merge(shop):
    return Merging(shop)


@pytest.mark.parametrize(
    ("way", "history"),
    [
        (MergeWay.MERGE, ["# merge", "red: two", "red: one", "meanwhile", "first"]),
        (MergeWay.SQUASH, ["# squash", "meanwhile", "first"]),
        (MergeWay.REBASE, ["red: two", "red: one", "meanwhile", "first"]),
    ],
)
def test_a_branch_lands_in_each_way_and_stays_as_it_is(shop, merge, way, history):
    for name, value in {"merge.ff": "false", "merge.autoStash": "true", "rebase.autoSquash": "true"}.items():
        shop.git("config", name, value)
    red, target, tree = shop.git("rev-parse", "red"), merge.target(), merge.foresee()
    after = merge.integrate(way)
    assert (shop.git("rev-parse", "main"), os.path.exists(shop.path("cart"))) == (target.commit, False)
    merge.land(target, after)
    git_merge.close_scratch(merge.git, shop.folder, merge.scratch)
    assert shop.git("log", "--topo-order", "--format=%s", "main").splitlines() == history
    assert (shop.read("cart"), shop.git("status", "--porcelain")) == ("2\n", ""), "the checkout has moved along"
    assert shop.git("rev-parse", "red") == red
    assert after in commits_made(merge.git, shop.folder, "refs/heads/main"), "forwarded there by us"
    assert tree == shop.git("rev-parse", "main^{tree}"), "as it was foreseen"
    with pytest.raises(AlreadyMerged):
        merge.foresee()
    assert len(shop.git("worktree", "list").splitlines()) == 1
    with pytest.raises(AlreadyMerged):
        merge.integrate(way)


OWN = ("commit", "-q", "--allow-empty", "-m", "own")
FIX = ("commit", "-q", "--allow-empty", "-m", "fix(start): fast-forward")
STOP = ("-c", "sequence.editor=printf 'break\\n' >", "rebase", "-q", "-i", "main")


def put(*how):
    """A commit of a tool of its own: git is told of the result alone."""
    words = " ".join(("!git update-ref", *how, "HEAD $(git commit-tree -p HEAD -m own 'HEAD^{tree}')"))
    return ("-c", f"alias.put={words}", "put")


MADE = [
    # what is done on a branch that began before main's newest commit, how many commits are made by it
    ([("merge", "-q", "main")], 0),
    ([("reset", "-q", "--hard", "main")], 0),
    ([("rebase", "-q", "main")], 0),
    ([("rebase", "-q", "--apply", "main")], 0),
    ([("cherry-pick", "--ff", "main")], 0),
    ([("pull", "-q", ".", "main")], 0),
    ([OWN, ("cherry-pick", "main")], 2),
    ([OWN, (*OWN, "--amend")], 2),
    ([OWN, ("merge", "-q", "--no-edit", "main")], 2),
    ([OWN, ("pull", "-q", "--no-rebase", "--no-edit", ".", "main")], 2),
    ([OWN, ("rebase", "-q", "main")], 2),
    ([OWN, ("pull", "-q", "--rebase", ".", "main")], 2),
    ([("revert", "--no-edit", "HEAD")], 1),
    ([("checkout", "-q", "-B", "own", "main")], 0),
    ([("switch", "-q", "--detach"), ("branch", "-q", "-f", "own", "main"), ("switch", "-q", "own")], 0),
    ([("fetch", "-q", "--update-head-ok", ".", "main:own")], 0),
    ([OWN, STOP, ("rebase", "--abort")], 1),
    ([OWN, ("branch", "-m", "other"), ("branch", "-m", "own")], 1),
    ([FIX, ("rebase", "-q", "main")], 2),
    ([put()], 1),
    ([put("-m", "'a tool: step 1'")], 1),
]


@pytest.mark.parametrize(("steps", "made"), MADE)
def test_the_logs_of_a_branch_and_its_worktree_tell_what_was_made_there_from_what_it_was_moved_to(shop, steps, made):
    shop.git("worktree", "add", "-q", "-b", "own", shop.path("tree"), "main~1")
    tree = Repository(shop.path("tree"))
    for number, words in enumerate(steps):
        tree.environ["GIT_COMMITTER_DATE"] = f"2030-01-01T00:00:0{number}Z"  # or what is made anew may be the same
        tree.git(*words)
    for name in ("refs/heads/own", "HEAD"):
        found = commits_made(Git(tree.environ), tree.folder, name)
        assert (len(found), tree.git("rev-parse", "HEAD") in found) == (made, made > 0), name
    assert commits_made(Git(shop.environ), shop.folder, "refs/heads/none") == frozenset()


@pytest.mark.parametrize("way", list(MergeWay))
def test_conflicts_are_named_and_nothing_is_left_of_them(shop, merge, way):
    shop.git("config", "rerere.enabled", "true")
    shop.commit("against it", {"cart": "other\n"})
    before = shop.git("for-each-ref")
    with pytest.raises(MergeConflicts) as conflicts:
        merge.foresee()
    assert conflicts.value.args == (("cart",),)
    with pytest.raises(MergeConflicts) as conflicts:
        merge.integrate(way)
    assert conflicts.value.args == (("cart",),)
    git_merge.close_scratch(merge.git, shop.folder, merge.scratch)
    assert (shop.git("for-each-ref"), os.path.exists(merge.scratch)) == (before, False)
    assert not os.path.exists(shop.path(".git/rr-cache")) or not os.listdir(shop.path(".git/rr-cache"))


def test_other_branches_below_are_not_moved_by_a_rebase(shop, merge):
    shop.git("config", "rebase.updateRefs", "true")
    shop.git("branch", "child", "red~1")
    before = shop.git("rev-parse", "child")
    merge.integrate(MergeWay.REBASE)
    assert shop.git("rev-parse", "child") == before


def test_a_hook_that_refuses_is_no_conflict(shop, merge):
    shop.write({".git/hooks/pre-merge-commit": "#!/bin/sh\necho not today >&2\nexit 1\n"})
    os.chmod(shop.path(".git/hooks/pre-merge-commit"), 0o755)
    with pytest.raises(GitFailed, match="not today"):
        merge.integrate()


@pytest.mark.parametrize("way", list(MergeWay))
def test_a_hook_that_fails_after_what_is_done_stops_no_merge(shop, merge, way):
    for name in ("post-checkout", "post-commit", "post-merge", "post-rewrite"):
        shop.write({f".git/hooks/{name}": "#!/bin/sh\nexit 1\n"})
        os.chmod(shop.path(f".git/hooks/{name}"), 0o755)
    target = merge.target()
    merge.land(target, merge.integrate(way))
    assert shop.read("cart") == "2\n"


def test_a_file_that_the_landing_changes_and_a_person_too_stops_it(shop, merge):
    shop.git("checkout", "-q", "red")
    shop.commit("red: a", {"a": "red\n"})
    shop.git("checkout", "-q", "main")
    target, after = merge.target(), merge.integrate()
    shop.write({"a": "mine\n"})
    with pytest.raises(TargetInUse) as occupied:
        git_merge.check_free(merge.git, target, after)
    assert (occupied.value.folder, occupied.value.found) == (shop.folder, Collisions(("a",), ()))
    with pytest.raises(TargetInUse):
        merge.land(target, after)
    assert (shop.git("rev-parse", "main"), shop.read("a")) == (target.commit, "mine\n")


def test_a_conflict_of_a_stash_in_another_file_stops_it_until_it_is_resolved(shop, merge):
    """Nothing is half done by git's word, and git moves nothing there."""
    shop.write({"a": "mine\n"})
    shop.git("stash", "push", "-q")
    shop.commit("theirs", {"a": "theirs\n"})
    with pytest.raises(AssertionError, match="CONFLICT"):
        shop.git("stash", "pop")
    target, after = merge.target(), merge.integrate()
    with pytest.raises(TargetInUse) as occupied:
        merge.land(target, after)
    assert (occupied.value.folder, occupied.value.found) == (shop.folder, Collisions((), (), ("a",)))
    shop.git("add", "--", "a")
    merge.land(target, after)
    assert shop.git("rev-parse", "main") == after


def test_what_a_person_has_changed_elsewhere_stays_and_the_clean_files_follow(shop, merge):
    target, after = merge.target(), merge.integrate()
    shop.write({"a": "mine\n", "b": "staged\n"})
    shop.git("add", "b")
    merge.land(target, after)
    assert (shop.git("rev-parse", "main"), shop.read("cart"), shop.read("a")) == (after, "2\n", "mine\n")
    assert shop.git("diff", "--cached", "--name-only") == "b"


def test_a_change_that_git_alone_has_seen_is_named_as_well(shop, merge, monkeypatch):
    """Between our look and git's."""
    target, after = merge.target(), merge.integrate()
    shop.write({"cart": "just now\n"})
    monkeypatch.setattr(git_merge, "check_free", lambda *_: None)
    with pytest.raises(TargetInUse) as occupied:
        merge.land(target, after)
    assert occupied.value.found == Collisions((), ("cart",))
    os.unlink(shop.path("cart"))
    shop.git("checkout", "-q", "red")
    shop.git("checkout", "-q", "-B", "main", "red~1")
    shop.write({"cart": "edited just now\n"})
    with pytest.raises(TargetInUse) as occupied:
        git_merge.land(merge.git, shop.folder, merge.target(), shop.git("rev-parse", "red"), "test")
    assert occupied.value.found == Collisions(("cart",), ())
    assert shop.read("cart") == "edited just now\n"


def test_an_untracked_file_in_the_way_stops_it_and_others_do_not(shop, merge):
    target, after = merge.target(), merge.integrate()
    shop.write({"cart": "precious\n", "other": "x\n"})
    with pytest.raises(TargetInUse) as untracked:
        merge.land(target, after)
    assert (untracked.value.folder, untracked.value.found) == (shop.folder, Collisions((), ("cart",)))
    assert (shop.git("rev-parse", "main"), shop.read("cart")) == (target.commit, "precious\n")
    os.unlink(shop.path("cart"))
    merge.land(target, after)
    assert shop.git("rev-parse", "main") == after


@pytest.mark.parametrize("mine", ["cart", "cart/deep/notes"])
def test_a_file_that_git_ignores_is_not_overwritten_either(shop, merge, mine):
    shop.commit("ignores", {".gitignore": "cart\n"})
    target, after = merge.target(), merge.integrate()
    shop.write({mine: "precious\n"})
    with pytest.raises(TargetInUse) as untracked:
        merge.land(target, after)
    assert (untracked.value.folder, untracked.value.found) == (shop.folder, Collisions((), (mine,)))
    assert (shop.git("rev-parse", "main"), shop.read(mine)) == (target.commit, "precious\n")


def test_a_target_that_moved_is_not_moved_again(shop, merge):
    target, after = merge.target(), merge.integrate()
    later = shop.commit("just now", {"a": "2\n"})
    with pytest.raises(TargetMoved):
        merge.land(target, after)
    assert shop.git("rev-parse", "main") == later


def test_a_target_that_nobody_has_checked_out_is_moved_by_its_name(shop, merge):
    shop.git("checkout", "-q", "--detach")
    target, after = merge.target(), merge.integrate()
    assert target.folder is None
    merge.land(target, after)
    assert (shop.git("rev-parse", "main"), shop.git("rev-parse", "HEAD")) == (after, target.commit)
    assert shop.git("reflog", "-1", "--format=%gs", "main") == "overmind: merge red"


def test_a_target_that_is_locked_on_a_disk_that_is_not_there_is_not_moved_and_a_deleted_one_is(shop, merge):
    shop.git("checkout", "-q", "--detach")
    disk = f"{shop.folder} disk"
    shop.git("worktree", "add", "-q", disk, "main")
    shop.git("worktree", "lock", disk)
    os.rename(disk, f"{disk} away")
    target, after = merge.target(), merge.integrate()
    with pytest.raises(TargetInUse) as away:
        merge.land(target, after)
    assert (away.value.folder, away.value.missing, away.value.found) == (disk, True, Collisions())
    assert shop.git("rev-parse", "main") == target.commit
    shop.git("worktree", "unlock", disk)
    assert merge.target().folder is None
    merge.land(merge.target(), after)
    assert shop.git("rev-parse", "main") == after


def half_done(shop, words):
    """Begin something of git's that stops with a conflict, in the checkout of main."""
    shop.git("branch", "upstream", "red")
    shop.git("checkout", "-q", "upstream")
    shop.commit("against", {"street": "other\n"})
    shop.git("format-patch", "-q", "-1", "-o", "..")
    shop.git("checkout", "-q", "main")
    with pytest.raises(AssertionError):
        shop.git(*words)


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (GitOperation.REBASE, ("rebase", "upstream")),
        (GitOperation.REBASE, ("rebase", "--apply", "upstream")),
        (GitOperation.MERGE, ("merge", "upstream")),
        (GitOperation.CHERRY_PICK, ("cherry-pick", "upstream")),
        (GitOperation.REVERT, ("revert", "--no-edit", "red~2")),
        (GitOperation.AM, ("am", "../0001-against.patch")),
    ],
)
def test_where_something_stands_half_done_the_target_is_left_alone_and_that_is_named(shop, merge, operation, words):
    if operation is GitOperation.REVERT:
        shop.git("merge", "-q", "--no-edit", "red")
        shop.git("checkout", "-q", "-B", "red", "red")
        shop.commit("red: three", {"a": "3\n"})
        shop.git("checkout", "-q", "main")
    after = merge.integrate()
    half_done(shop, words)
    before = shop.git("status", "--porcelain")
    target = merge.target()
    with pytest.raises(TargetInUse) as occupied:
        git_merge.check_free(merge.git, target, after)
    assert (occupied.value.folder, occupied.value.operation) == (shop.folder, operation)
    assert occupied.value.use("main").sentence.startswith(f"main is in use in {shop.folder}, where a {operation.noun} ")
    with pytest.raises(TargetInUse):
        merge.land(target, after)
    assert (shop.git("rev-parse", "main"), shop.git("status", "--porcelain")) == (target.commit, before)


def test_while_a_person_looks_for_a_bad_commit_the_target_moves(shop, merge):
    shop.git("bisect", "start", "main", "main~1")
    assert operation_of(merge.git, shop.folder) is GitOperation.BISECT
    target, after = merge.target(), merge.integrate()
    merge.land(target, after)
    assert shop.git("rev-parse", "main") == after
    shop.git("bisect", "reset")
    assert shop.read("cart") == "2\n"


def test_what_is_no_branch_is_no_target(shop, merge):
    shop.git("tag", "v1")
    for name in ("v1", "nosuch", "-D", "", "a b", "main~1", "\0"):
        assert git_merge.target_of(merge.git, shop.folder, name) is None, name


def test_which_commits_changed_a_file(shop, merge):
    shop.commit("odd", {"*": "x\n"})
    base = shop.git("merge-base", "main", "red")
    odd, before = shop.git("rev-parse", "main"), shop.git("rev-parse", "main~1")
    assert git_merge.commits_between(merge.git, shop.folder, base, "main") == {odd, before}
    assert git_merge.commits_of(merge.git, shop.folder, base, "main", ["*", "b"]) == {"*": {odd}, "b": set()}
    assert git_merge.commits_of(merge.git, shop.folder, base, "main", ["b"] * 500 + ["street"])["street"] == {before}
