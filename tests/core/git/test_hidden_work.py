"""Work that git's own status does not show is work all the same: nothing of it goes with a worktree unasked."""

from __future__ import annotations

import os

import pytest

from overmind_core.domain.isolation.keep import KeepRules
from overmind_core.git.status import IgnoredWork, RemovalRefused, worktree_status
from overmind_core.git.worktrees import add, remove

ALLOWED = ("-c", "protocol.file.allow=always")


@pytest.fixture
def library(make_repo):
    return make_repo("library")


@pytest.fixture
def outer(repo, library):
    """A repository that ignores `vendor`, and has the submodule `library`."""
    repo.commit(".gitignore", "vendor/\n")
    repo(*ALLOWED, "submodule", "--quiet", "add", library.path, "library")
    repo("commit", "--quiet", "--message", "with a library")
    return repo


@pytest.fixture
def path(outer):
    add(outer.git, outer.seen, outer.worktree(), ["overmind/api"], None, False)
    return outer.worktree()


def discard(repo, since=1 << 62):
    """Remove the worktree unasked; `since`: when the work began, by default after all files that git ignores."""
    return remove(repo.git, repo.seen.common, repo.worktree(), "overmind/api", force=False, base="main",
                  keep=KeepRules(since))  # fmt: skip


def clone_with_a_submodule(repo, path, library):
    """A clone in an ignored folder, with `library` as a submodule of its own."""
    host = os.path.join(os.path.dirname(repo.path), "host")
    repo.git(os.path.dirname(repo.path), "clone", "--quiet", f"file://{library.path}", host)
    repo.git(host, *ALLOWED, "submodule", "--quiet", "add", library.path, "inner")
    repo.git(host, "commit", "--quiet", "--message", "with inner")
    repo.git(path, *ALLOWED, "clone", "--quiet", "--recurse-submodules", f"file://{host}", "vendor/host")
    return f"{path}/vendor/host"


def commit_aside(repo, folder):
    """A commit on a branch that is not checked out any more."""
    repo.git(folder, "checkout", "--quiet", "-b", "aside")
    repo.commit("own.txt", at=folder)
    repo.git(folder, "checkout", "--quiet", "--detach", "HEAD~1")


def in_a_submodule_of_an_ignored_clone(repo, path, library):
    commit_aside(repo, clone_with_a_submodule(repo, path, library) + "/inner")
    return "vendor/host/inner"


def in_a_repository_with_its_folder_beside_it(repo, path, library):
    del library
    os.makedirs(f"{path}/vendor")
    repo.git(path, "init", "--quiet", "--separate-git-dir=vendor/own.git", "vendor/own")
    repo.commit("own.txt", at=f"{path}/vendor/own")
    return "vendor/own"


def behind_a_pipe(repo, path, library):
    del repo, library
    os.makedirs(f"{path}/vendor/odd")
    os.mkfifo(f"{path}/vendor/odd/.git")
    return "vendor/odd"


def behind_a_dangling_link(repo, path, library):
    del repo, library
    os.makedirs(f"{path}/vendor/odd")
    os.symlink("/nowhere/at/all", f"{path}/vendor/odd/.git")
    return "vendor/odd"


def stashed_in_a_submodule(repo, path, library):
    del library
    repo.write("first.txt", "other\n", at=f"{path}/library")
    repo.git(f"{path}/library", "stash", "--quiet")
    return "library"


def committed_in_a_submodule_that_was_put_away(repo, path, library):
    del library
    commit_aside(repo, f"{path}/library")
    repo.git(path, "submodule", "--quiet", "deinit", "--force", "library")
    return "library"


def untracked_in_a_submodule_where_the_person_hides_them(repo, path, library):
    del library
    repo("config", "--global", "status.showUntrackedFiles", "no")
    repo.write("new.txt", at=f"{path}/library")
    return "library"


def assumed_to_be_unchanged(repo, path, library):
    del library
    repo.git(path, "update-index", "--assume-unchanged", "first.txt")
    repo.write("first.txt", "other\n", at=path)
    return "first.txt"


def skipped(repo, path, library):
    del library
    repo.git(path, "update-index", "--skip-worktree", "first.txt")
    repo.write("first.txt", "other\n", at=path)
    return "first.txt"


def tagged_in_an_ignored_clone(repo, path, library):
    repo.git(path, "clone", "--quiet", f"file://{library.path}", "vendor/one")
    commit_aside(repo, f"{path}/vendor/one")
    repo.git(f"{path}/vendor/one", "tag", "mine", "aside")
    return "vendor/one"


def left_in_a_submodule(repo, path, library):
    del library
    repo.git(f"{path}/library", "checkout", "--quiet", "--detach")
    repo.commit("own.txt", at=f"{path}/library")
    repo.git(path, "submodule", "--quiet", "update")
    return "library"


def pushed_into_a_bare_repository(repo, path, library):
    del library
    repo.git(path, "init", "--quiet", "--bare", "vendor/own.git")
    repo.git(path, "push", "--quiet", "vendor/own.git", "HEAD")
    return "vendor/own.git"


def skipped_in_an_ignored_clone(repo, path, library):
    repo.git(path, "clone", "--quiet", f"file://{library.path}", "vendor/one")
    skipped(repo, f"{path}/vendor/one", library)
    return "vendor/one"


@pytest.mark.parametrize(
    "work",
    [
        in_a_submodule_of_an_ignored_clone,
        in_a_repository_with_its_folder_beside_it,
        behind_a_pipe,
        behind_a_dangling_link,
        stashed_in_a_submodule,
        committed_in_a_submodule_that_was_put_away,
        untracked_in_a_submodule_where_the_person_hides_them,
        assumed_to_be_unchanged,
        skipped,
        skipped_in_an_ignored_clone,
        tagged_in_an_ignored_clone,
        left_in_a_submodule,
        pushed_into_a_bare_repository,
    ],
    ids=lambda work: work.__name__,
)
def test_work_that_a_status_does_not_show_stays(outer, path, library, work):
    named = work(outer, path, library)
    assert named in worktree_status(outer.git, path, "main", "main", keep=KeepRules(1 << 62)).dirty
    with pytest.raises(RemovalRefused) as refused:
        discard(outer)
    assert named in refused.value.files
    assert os.path.isdir(path)


def test_a_folder_that_nobody_may_read_stays(outer, path, monkeypatch):
    outer.write("closed/new.txt", at=path)
    os.chmod(f"{path}/closed", 0o000)
    if os.geteuid() == 0:  # root may read all, and so may its git: both are told that they may not
        scandir = os.scandir
        outer.write(".git/info/exclude", "closed/\n.overmind/worktrees/\n")

        def refused(folder):
            if str(folder).endswith("closed"):
                raise PermissionError(13, "Permission denied", folder)
            return scandir(folder)

        monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(RemovalRefused) as stays:
        discard(outer)
    assert stays.value.files == ("closed",)
    os.chmod(f"{path}/closed", 0o700)


def test_what_a_repository_in_an_ignored_folder_ignores_stays(outer, path, library):
    outer.git(path, "clone", "--quiet", f"file://{library.path}", "vendor/one")
    outer.write(".git/info/exclude", "*.sqlite\n", at=f"{path}/vendor/one")
    outer.write("data.sqlite", at=f"{path}/vendor/one")
    with pytest.raises(IgnoredWork) as refused:
        discard(outer, since=0)
    assert refused.value.files == ("vendor/one/data.sqlite",)


def test_what_a_rebase_has_put_aside_stays(outer, path):
    outer.commit("mine.txt", at=path)
    outer.write("first.txt", "other\n", at=path)
    stops = {"GIT_SEQUENCE_EDITOR": "sed -i 1s/^pick/edit/"}
    outer.git.run(path, "rebase", "--interactive", "--autostash", "HEAD~1", variables=stops)
    assert outer.git(path, "status", "--porcelain") == ""
    outer("merge", "--quiet", "overmind/api")
    with pytest.raises(RemovalRefused):
        discard(outer)


def test_a_sparse_checkout_without_work_goes(outer, path):
    outer.commit("deep/down.txt", at=path)
    outer("merge", "--quiet", "overmind/api")
    outer.git(path, "sparse-checkout", "set", "nothing")
    assert not os.path.exists(f"{path}/deep")
    assert discard(outer).worktree
