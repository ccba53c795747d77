"""A worktree with work that is nowhere else stays, and says so, unless it is forced; no link is followed."""

from __future__ import annotations

import os
import shutil

import pytest

from overmind_core.git.run import GitFailed
from overmind_core.git.status import worktree_status
from overmind_core.git.worktree_removal import Locked, claimed_branch
from overmind_core.git.worktrees import Dirty, Unmerged, add, holds, remove


@pytest.fixture
def path(repo):
    add(repo.git, repo.seen, repo.worktree(), ["overmind/api"], None, False)
    return repo.worktree()


def discard(repo, *, force=False, branch="overmind/api", **base):
    return remove(repo.git, repo.seen.common, repo.worktree(), branch, force=force, **base)


def gone(repo):
    folder = f"{repo.path}/.overmind/worktrees"
    assert not os.path.isdir(folder) or not os.listdir(folder)
    assert repo("worktree", "list", "--porcelain").count("worktree ") == 1
    assert not repo("for-each-ref", "refs/heads/overmind")
    assert not repo("status", "--porcelain")
    return True


def test_what_has_no_work_goes_and_a_second_time_there_is_nothing(repo, path):
    assert discard(repo) == (True, "overmind/api", ())
    assert gone(repo)
    assert discard(repo) == (False, None, ())


def test_a_locked_one_stays_until_it_is_unlocked(repo, path):
    repo("worktree", "lock", "--reason", "I look at it", path)
    with pytest.raises(Locked, match=r"is locked \(I look at it\); unlock it with: git worktree unlock"):
        discard(repo)
    assert holds(repo.git, path, "overmind/api")
    repo("worktree", "unlock", path)
    assert discard(repo).worktree
    assert gone(repo)


def test_a_locked_one_goes_by_force(repo, path):
    repo("worktree", "lock", path)
    assert discard(repo, force=True).worktree
    assert gone(repo)


def test_uncommitted_work_is_named_and_stays(repo, path):
    repo.write("new dir/ü.txt", at=path)
    repo.write("first.txt", "other", at=path)
    with pytest.raises(Dirty) as refused:
        discard(repo)
    assert set(refused.value.files) == {"new dir/ü.txt", "first.txt"}
    assert not refused.value.commits
    assert holds(repo.git, path, "overmind/api")
    assert discard(repo, force=True) == (True, "overmind/api", ())
    assert gone(repo)


def test_commits_that_are_nowhere_else_are_named_and_stay(repo, path):
    commit = repo.commit("new.txt", at=path)
    with pytest.raises(Unmerged) as refused:
        discard(repo)
    assert refused.value.commits == ((commit, "change new.txt"),)
    shutil.rmtree(path)  # the branch has them without the folder too
    with pytest.raises(Unmerged):
        discard(repo)
    repo("merge", "-q", "overmind/api")
    assert discard(repo) == (False, "overmind/api", ())
    assert gone(repo)


def test_commits_of_the_branch_are_kept_when_another_is_checked_out(repo, path):
    commit = repo.commit("new.txt", at=path)
    repo.git(path, "checkout", "-q", "--detach", "main")
    with pytest.raises(Unmerged) as refused:
        discard(repo)
    assert refused.value.commits == ((commit, "change new.txt"),)
    with_nothing = repo.commit("loose.txt", at=path)
    with pytest.raises(Unmerged) as refused:
        discard(repo)
    assert {one for one, _ in refused.value.commits} == {commit, with_nothing}


def test_commits_without_a_branch_that_were_left_again_are_kept(repo, path):
    began = repo("rev-parse", "HEAD")
    repo.git(path, "checkout", "-q", "--detach")
    loose = repo.commit("loose.txt", at=path)
    repo.git(path, "checkout", "-q", "overmind/api")
    state = worktree_status(repo.git, path, "main", began)
    assert (state.merged, state.commits) == (False, ((loose, "change loose.txt"),))
    with pytest.raises(Unmerged) as refused:
        discard(repo, base="main", base_commit=began)
    assert refused.value.commits == ((loose, "change loose.txt"),)
    repo("merge", "-q", loose)
    assert worktree_status(repo.git, path, "main", began).merged
    assert discard(repo, base="main", base_commit=began).worktree


def test_work_that_was_squashed_into_its_base_goes(repo, path):
    began = repo("rev-parse", "HEAD")
    repo.commit("one.txt", at=path)
    repo.commit("two.txt", at=path)
    repo("merge", "-q", "--squash", "overmind/api")
    repo("commit", "-qm", "both")
    repo.commit("one.txt", "text\nlater\n")
    assert discard(repo, base="main", base_commit=began) == (True, "overmind/api", ())


@pytest.mark.parametrize("packed", [False, True])
def test_one_that_was_begun_on_a_branch_that_is_gone_keeps_what_that_had(repo, packed):
    repo("checkout", "-q", "-b", "red")
    work = repo.commit("work.txt")
    repo("checkout", "-q", "main")

    def begun():
        made = add(repo.git, repo.seen, repo.worktree(), ["overmind/api"], "red", False)
        return {"base": made.base, "base_commit": made.base_commit}

    known = begun()
    if packed:
        repo("pack-refs", "--all")
    assert worktree_status(repo.git, repo.worktree(), **known).merged
    assert discard(repo, **known).branch == "overmind/api", "its base has all of it"
    known = begun()
    repo("branch", "-q", "-D", "red")
    state = worktree_status(repo.git, repo.worktree(), **known)
    assert (state.merged, state.ahead, state.commits) == (False, 1, ((work, "change work.txt"),))
    with pytest.raises(Unmerged) as refused:
        discard(repo, **known)
    assert refused.value.commits == state.commits
    repo("merge", "-q", work)
    assert worktree_status(repo.git, repo.worktree(), **known).merged
    assert discard(repo, **known).branch == "overmind/api"


def test_a_branch_that_somebody_else_has_checked_out_stays(repo, path):
    repo.git(path, "checkout", "-q", "--detach")
    repo("checkout", "-q", "overmind/api")
    assert discard(repo) == (True, None, ())
    assert repo.seen.branch == "overmind/api"


def test_a_branch_that_is_being_rebased_elsewhere_stays(repo, path):
    repo.commit("first.txt", "theirs", at=path)
    repo.git(path, "checkout", "-q", "--detach")
    repo.commit("first.txt", "mine")
    with pytest.raises(GitFailed):
        repo("rebase", "-q", "main", "overmind/api")
    assert discard(repo, force=True) == (True, None, ())


def test_without_a_branch_it_stays(repo, path):
    assert discard(repo, branch=None) == (True, None, ())
    assert repo("branch", "--list", "overmind/api")


def lock(repo, path):
    repo("worktree", "lock", path)


def delete_by_hand(repo, path):
    shutil.rmtree(path)


def lose_the_link(repo, path):
    os.unlink(f"{path}/.git")


def break_gits_folder(repo, path):
    admin = f"{repo.path}/.git/worktrees/abc"
    shutil.rmtree(admin)
    os.mkdir(admin)


def lose_gits_folder(repo, path):
    shutil.rmtree(f"{repo.path}/.git/worktrees")


def interrupt_a_removal(repo, path):
    os.rename(path, path + ".removed")


def take_write_permission(repo, path):
    os.makedirs(f"{path}/a/b")
    repo.write("a/b/c", at=path)
    os.chmod(f"{path}/a/b/c", 0o400)
    os.chmod(f"{path}/a/b", 0o500)
    os.chmod(f"{path}/a", 0)


def leave_locks(repo, path):
    for name in ("index.lock", "HEAD.lock"):
        with open(f"{repo.path}/.git/worktrees/abc/{name}", "w", encoding="ascii"):
            pass


def hide_a_repository(repo, path):
    repo.git(path, "init", "-q", "inner")
    repo.commit("x", at=f"{path}/inner")


def very_deep(repo, path):
    here = os.open(path, os.O_RDONLY)
    for _ in range(600):
        os.mkdir("deep-folder", dir_fd=here)
        inner = os.open("deep-folder", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)


def odd_names(repo, path):
    for name in (b"-rf", b"\xff\xfe", b"new\nline", b"--", b" "):
        with open(os.path.join(os.fsencode(path), name), "wb"):
            pass


def replace_the_repository(repo, path):
    os.unlink(f"{path}/.git")
    repo.git(path, "init", "-q")


def empty_the_link(repo, path):
    os.unlink(f"{path}/.git")
    os.mkdir(f"{path}/.git")


@pytest.mark.parametrize("harm", [lose_the_link, empty_the_link, break_gits_folder, replace_the_repository])
def test_when_git_can_not_say_what_is_work_all_of_it_is(repo, path, harm):
    harm(repo, path)
    with pytest.raises(Dirty) as refused:
        discard(repo)
    assert "first.txt" in refused.value.files
    assert os.path.isfile(f"{path}/first.txt")


def test_a_repository_around_a_lost_one_is_left_alone(repo, path, tmp_path):
    inner = f"{repo.path}/inner"
    os.mkdir(inner)
    assert remove(repo.git, inner, f"{inner}/.overmind/worktrees/x", "overmind/api", force=True) == (False, None, ())
    assert repo("branch", "--list", "overmind/api")


@pytest.mark.parametrize(
    "harm",
    [lock, delete_by_hand, lose_the_link, break_gits_folder, lose_gits_folder, interrupt_a_removal,
     take_write_permission, leave_locks, hide_a_repository, very_deep, odd_names],
)  # fmt: skip
def test_whatever_became_of_it_force_removes_it(repo, path, harm):
    harm(repo, path)
    assert discard(repo, force=True).branch == "overmind/api"
    assert gone(repo)


def test_no_link_is_followed(repo, path, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o500)
    (tmp_path / "file").write_text("kept")
    os.symlink(outside, f"{path}/folder")
    os.symlink(tmp_path / "file", f"{path}/file")
    os.symlink(f"{path}/none", f"{path}/broken")
    discard(repo, force=True)
    assert (tmp_path / "file").read_text() == "kept"
    assert outside.stat().st_mode & 0o777 == 0o500
    assert gone(repo)


def test_a_link_in_its_place_goes_and_what_it_leads_to_stays(repo, path):
    shutil.rmtree(path)
    os.symlink(f"{repo.path}/.git", path)
    discard(repo, force=True)
    assert gone(repo)


def test_only_its_own_worktree_goes(repo, path):
    add(repo.git, repo.seen, repo.worktree("other"), ["overmind/other"], None, False)
    add(repo.git, repo.seen, repo.worktree("broken"), ["overmind/broken"], None, False)
    os.unlink(f"{repo.path}/.git/worktrees/broken/gitdir")
    repo("worktree", "add", "-q", "-b", "away", f"{repo.path}-away")
    os.rename(f"{repo.path}-away", f"{repo.path}-unmounted")
    discard(repo)
    assert "abc" not in os.listdir(f"{repo.path}/.git/worktrees")
    assert len(os.listdir(f"{repo.path}/.git/worktrees")) == 3
    assert holds(repo.git, repo.worktree("other"), "overmind/other")


def test_the_settings_of_its_branch_go_too(repo, path):
    repo("config", "branch.overmind/api.remote", "origin")
    discard(repo)
    assert "overmind/api" not in repo("config", "--list")
    assert claimed_branch(repo.git, repo.path, path) is None


def test_when_the_repository_is_gone_the_folder_goes(repo, path):
    shutil.rmtree(f"{repo.path}/.git")
    os.rename(path, f"{repo.path}-left")
    assert remove(repo.git, f"{repo.path}/.git", f"{repo.path}-left", "overmind/api", force=True) == (True, None, ())
    assert os.listdir(os.path.dirname(path)) == ["abc.branch"]
