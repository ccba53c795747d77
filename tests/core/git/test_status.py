"""How a worktree stands: its work counted, and whether that is elsewhere; a look changes nothing."""

from __future__ import annotations

import os

import pytest

from overmind_core.git.run import GitFailed
from overmind_core.git.status import folder_size, line_counts, worktree_status
from overmind_core.git.worktrees import add


@pytest.fixture
def path(repo):
    add(repo.git, repo.seen, repo.worktree(), ["overmind/api"], None, False)
    return repo.worktree()


@pytest.fixture
def look(repo, path):
    began = repo("rev-parse", "HEAD")
    return lambda base="main": worktree_status(repo.git, path, base, began)


def test_nothing_done_is_merged(repo, look):
    found = look()
    assert (found.ahead, found.behind, found.files, found.dirty, found.commits) == (0, 0, 0, (), ())
    assert (found.branch, found.merged) == ("overmind/api", True)


def test_work_is_counted_with_what_is_not_committed(repo, path, look):
    commit = repo.commit("two.txt", "1\n2\n3\n", at=path)
    repo.commit("other.txt")
    repo.write("first.txt", "", at=path)
    repo.write("d/new.txt", at=path)
    repo.write(".git-not", at=path)
    found = look()
    assert (found.ahead, found.behind, found.head) == (1, 1, commit)
    assert (found.files, found.insertions, found.deletions) == (4, 5, 1)
    assert line_counts(repo.git, path, "main", "main") == (5, 1)
    assert line_counts(repo.git, path, "gone", repo("rev-parse", "main")) == (5, 1)
    assert found.dirty == ("first.txt", ".git-not", "d/new.txt")
    assert found.commits == ((commit, "change two.txt"),)
    assert not found.merged


def test_what_git_ignores_is_no_work(repo, path, look):
    repo.write(".gitignore", "*.log\n", at=path)
    repo.commit("x", at=path)
    repo.write("a.log", at=path)
    assert not look().dirty


def test_a_look_changes_nothing_and_waits_for_nobody(repo, path, look):
    index = f"{repo.path}/.git/worktrees/abc/index"
    os.utime(f"{path}/first.txt", (1, 1))
    with open(f"{index}.lock", "wb"):
        pass
    before = os.stat(index).st_mtime_ns
    assert not look().dirty
    assert os.stat(index).st_mtime_ns == before


def merge(repo):
    repo("merge", "-q", "--no-ff", "-m", "merge", "overmind/api")


def fast_forward(repo):
    repo("merge", "-q", "--ff-only", "overmind/api")


def squash(repo):
    repo("merge", "-q", "--squash", "overmind/api")
    repo("commit", "-qm", "squashed")


def squash_then_more(repo):
    squash(repo)
    repo.commit("one.txt", "text\nmore\n")


def pick(repo):
    repo.commit("between.txt")
    repo("cherry-pick", "main..overmind/api")


def pick_then_more(repo):
    pick(repo)
    repo.commit("one.txt", "text\nmore\n")


def another_branch(repo):
    repo("branch", "kept", "overmind/api")


def another_branch_and_squash(repo):
    another_branch(repo)
    squash(repo)


def at_a_remote(repo):
    repo("update-ref", "refs/remotes/origin/kept", "overmind/api")


def squashed_at_a_remote(repo):
    repo("checkout", "-q", "--detach")
    squash(repo)
    repo("update-ref", "refs/remotes/origin/main", "HEAD")
    repo("checkout", "-q", "main")


def nothing(repo):
    pass


def half(repo):
    repo("cherry-pick", "overmind/api~1")


def pushed_under_its_own_name(repo):
    repo("update-ref", "refs/remotes/origin/overmind/api", "overmind/api")


def another_change_of_the_file(repo):
    repo.commit("one.txt", "mine\n")


@pytest.mark.parametrize(
    ("done", "merged", "elsewhere"),
    [
        *((way, True, ()) for way in (merge, fast_forward, squash, squash_then_more, pick, pick_then_more)),
        *((way, True, ()) for way in (another_branch_and_squash, squashed_at_a_remote)),
        (another_branch, True, ("kept",)),
        (at_a_remote, True, ("origin/kept",)),
        *((way, False, ()) for way in (nothing, half, pushed_under_its_own_name, another_change_of_the_file)),
    ],
)
def test_whether_its_work_is_elsewhere(repo, path, look, done, merged, elsewhere):
    repo.commit("one.txt", at=path)
    repo.commit("two.txt", at=path)
    done(repo)
    assert (look().merged, look().elsewhere) == (merged, elsewhere)


@pytest.mark.parametrize("way", [("--detach",), ("-b", "side"), ("-b", "side", "overmind/api~1")])
def test_its_own_branch_is_none_of_the_others_that_keep_its_work(repo, path, way):
    began = repo("rev-parse", "main")
    repo.commit("one.txt", at=path)
    repo.commit("two.txt", at=path)
    repo.git(path, "checkout", "-q", *way)

    def look(*passing):
        found = worktree_status(repo.git, path, "main", began, own="overmind/api", passing=passing)
        return found.merged, found.elsewhere

    assert look() == (False, ())
    repo("branch", "kept", "overmind/api")
    assert look() == (True, ("kept",))
    assert look("kept") == (False, ()), "it may go"
    repo("branch", "-q", "-D", "kept")
    repo("checkout", "-q", "overmind/api")
    assert look() == (True, ("overmind/api",)), "it stays where somebody has it checked out"


def test_a_base_that_is_to_go_keeps_nothing(repo, path):
    began = repo.git(path, "rev-parse", "HEAD")
    own = repo.commit("one.txt", at=path)
    repo("branch", "red", own)
    for passing, merged, commits in (((), True, ()), (("red",), False, ((own, "change one.txt"),))):
        found = worktree_status(repo.git, path, "red", began, passing=passing)
        assert (found.merged, found.commits, found.baseless) == (merged, commits, not merged)


def test_work_that_was_undone_again_is_in_no_other_place(repo, path, look):
    repo.commit("one.txt", at=path)
    repo.git(path, "revert", "--no-edit", "HEAD")
    repo.commit("other.txt")
    assert not look().merged


def test_a_merge_with_work_of_its_own_is_seen(repo, path, look):
    repo.commit("one.txt", at=path)
    repo("cherry-pick", "overmind/api")
    repo.commit("other.txt")
    repo.git(path, "merge", "-q", "--no-commit", "--no-ff", "main")
    repo.commit("hidden.txt", at=path)
    assert not look().merged


@pytest.mark.parametrize("base", [None, "gone", "-x", "--all"])
def test_without_a_base_it_is_what_it_began_at(repo, path, look, base):
    repo.commit("one.txt", at=path)
    found = look(base)
    assert (found.ahead, found.behind, found.merged) == (1, 0, False)


def test_a_detached_worktree_has_no_branch(repo, path, look):
    repo.git(path, "checkout", "-q", "--detach")
    commit = repo.commit("one.txt", at=path)
    found = look()
    assert (found.branch, found.head, found.merged) == (None, commit, False)


def test_names_come_as_the_system_has_them(repo, path, look):
    with open(os.fsencode(path) + b"/\xff\n -> x", "wb"):
        pass
    assert look().dirty == (os.fsdecode(b"\xff\n -> x"),)


def test_without_its_link_neither_what_is_around_nor_another_repository_is_taken_for_it(repo, path, look):
    os.unlink(f"{path}/.git")
    with pytest.raises(GitFailed, match="is no longer a worktree"):
        look()
    os.mkdir(f"{path}/.git")
    with pytest.raises(GitFailed, match="is no longer a worktree"):
        look()
    repo.git(path, "init", "-q")
    repo.commit("new.txt", at=path)
    with pytest.raises(GitFailed, match="is no longer a worktree"):
        look()


def test_a_size_counts_each_file_once_and_follows_no_link(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_bytes(b"x" * 100_000)
    before = folder_size(str(tmp_path / "a"))
    assert 100_000 <= before < 150_000
    os.link(tmp_path / "a" / "one", tmp_path / "a" / "two")
    os.symlink("/usr", tmp_path / "a" / "usr")
    assert folder_size(str(tmp_path / "a")) < before + 10_000
    assert folder_size(str(tmp_path / "none")) == 0
