"""How many gits it takes: each costs whoever waits some milliseconds, and a quest that lands needs all of these."""

from __future__ import annotations

import dataclasses

import pytest

from overmind_core.domain.isolation.keep import KeepRules
from overmind_core.domain.landing import MergeWay
from overmind_core.git import merge
from overmind_core.git.merge_tree import MergeSide, conflicting_paths
from overmind_core.git.repository import find_repository, resolve, resolve_all
from overmind_core.git.run import Git
from overmind_core.git.status import is_untouched, worktree_status
from overmind_core.git.worktrees import add, holds, remove


@dataclasses.dataclass(frozen=True, slots=True)
class Counted(Git):
    """A git that remembers which commands were run."""

    words: list[str] = dataclasses.field(default_factory=list)

    def run(self, folder, *words, **how):
        self.words.append(next(word for word in words if word[0] != "-" and "=" not in word))
        return Git.run(self, folder, *words, **how)


@pytest.fixture
def git(repo):
    return Counted(**{field.name: getattr(repo.git, field.name) for field in dataclasses.fields(Git)})


def made(repo):
    seen = find_repository(repo.git, repo.path, branch="main")
    assert seen is not None
    return add(repo.git, seen, repo.worktree(), ["overmind/api"], "main", False)


def test_one_tells_where_a_repository_is_and_what_names_stand_for(repo, git):
    found = find_repository(git, repo.path, branch="main")
    assert found is not None
    assert found.asked == ("main", repo("rev-parse", "main"))
    assert git.words == ["rev-parse"]
    assert resolve(git, repo.path, repo("rev-parse", "HEAD"))
    assert all(resolve_all(git, repo.path, "HEAD", "main", "refs/heads/main"))
    assert git.words == ["rev-parse", "cat-file", "cat-file"]


@pytest.mark.parametrize("base", [None, "main"])
def test_two_make_a_worktree_in_a_repository_that_was_found(repo, git, base):
    seen = find_repository(repo.git, repo.path, branch=base)
    assert seen is not None
    made_ = add(git, seen, repo.worktree(), ["overmind/api"], base, False)
    assert (made_.base, made_.base_commit) == ("main", repo("rev-parse", "main"))
    assert git.words == ["update-ref", "worktree"]
    assert holds(git, repo.worktree(), "overmind/api")
    assert git.words == ["update-ref", "worktree"]


def test_one_tells_that_nothing_was_done_and_four_remove_the_worktree(repo, git):
    began = made(repo).base_commit
    assert is_untouched(git, repo.worktree(), "main", began)
    assert git.words == ["status"]
    keep = KeepRules(0, ())
    gone = remove(
        git, repo.path, repo.worktree(), "overmind/api", force=False, base="main", base_commit=began, keep=keep
    )
    assert (gone.worktree, gone.branch) == (True, "overmind/api")
    assert git.words == ["status", "status", "ls-files", "reflog", "branch"]


def test_a_worktree_with_work_is_told_of_and_removed_once_it_has_landed(repo, git):
    began = made(repo).base_commit
    repo.commit("b", at=repo.worktree())
    assert worktree_status(git, repo.worktree(), "main", began).ahead == 1
    assert git.words[:6] == ["status", "ls-files", "cat-file", "rev-list", "diff", "reflog"]
    repo("merge", "--quiet", "overmind/api")
    git.words.clear()
    assert remove(git, repo.path, repo.worktree(), "overmind/api", force=False, base_commit=began).branch
    assert git.words == ["status", "ls-files", "reflog", "cat-file", "log", "branch"]


def test_a_scratch_worktree_is_closed_without_git_and_a_landing_takes_few(repo, git):
    made(repo)
    tip = repo.commit("b", at=repo.worktree())
    repo("checkout", "-q", "--detach")
    target = merge.target_of(git, repo.path, "main")
    assert target is not None
    merge.check_free(git, target, tip)
    assert git.words == ["worktree", "show-ref"]
    git.words.clear()
    scratch = repo.worktree("merge-abc")
    merge.open_scratch(git, repo.path, scratch, target.commit)
    after = merge.integrate(git, scratch, MergeWay.MERGE, commit=tip, target=target.commit, message="both")
    assert git.words == ["worktree", "merge", "rev-parse"]
    merge.land(git, repo.path, target, after, "overmind: merge")
    merge.close_scratch(git, repo.path, scratch)
    assert git.words[3:] == ["worktree", "show-ref", "update-ref"]
    assert repo("rev-parse", "main") == after


def test_clean_worktrees_are_compared_as_their_commits(repo, git):
    made(repo)
    repo.commit("a", "theirs\n", at=repo.worktree())
    repo.commit("a", "ours\n")
    sides = MergeSide("HEAD", repo.worktree()), MergeSide("HEAD", repo.path)
    assert conflicting_paths(git, repo.path, *sides) == ("a",)
    assert git.words == ["status", "status", "merge-tree"]
    repo.write("b", at=repo.worktree())
    git.words.clear()
    assert conflicting_paths(git, repo.path, *sides) == ("a",)
    assert git.words == ["status", "add", "write-tree", "commit-tree", "status", "merge-tree"]
