"""The checkout around a folder is found, whatever it is called and however it is reached."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from overmind_core.git.repository import checked_out, find_repository, resolve, resolve_all
from overmind_core.git.run import Git, GitFailed, GitMissing
from tests.kit.checkouts import world


def seen(git, folder):
    found = find_repository(git, folder)
    assert found is not None
    return found


def test_a_checkout_is_found_from_any_of_its_folders(repo):
    os.makedirs(f"{repo.path}/a/b")
    found = seen(repo.git, f"{repo.path}/a/b")
    assert found.top == found.main == repo.path
    assert (found.common, found.subfolder, found.branch) == (f"{repo.path}/.git", "a/b", "main")
    assert found.head == repo("rev-parse", "HEAD")


def test_no_repository_is_no_error(repo, tmp_path):
    assert find_repository(repo.git, str(tmp_path)) is None


def test_a_folder_that_is_not_there_is_one(repo):
    with pytest.raises(GitFailed, match="does not exist"):
        find_repository(repo.git, f"{repo.path}/none")


def test_without_git_that_is_said(repo, tmp_path):
    with pytest.raises(GitMissing):
        find_repository(Git({**repo.git.environ, "PATH": str(tmp_path)}), repo.path)


def test_a_worktree_inside_a_worktree_knows_the_main_checkout(repo):
    inner = f"{repo.path}/one/two"
    repo("worktree", "add", "-q", "-b", "one", f"{repo.path}/one")
    repo("worktree", "add", "-q", "--detach", inner)
    found = seen(repo.git, inner)
    assert (found.top, found.main, found.common) == (inner, repo.path, f"{repo.path}/.git")
    assert found.branch is None
    assert found.head == repo("rev-parse", "HEAD")


def test_a_link_to_a_checkout_is_the_checkout(repo, tmp_path):
    os.mkdir(f"{repo.path}/sub")
    os.symlink(f"{repo.path}/sub", tmp_path / "link")
    found = seen(repo.git, str(tmp_path / "link"))
    assert (found.top, found.subfolder) == (repo.path, "sub")


@pytest.mark.parametrize("name", [b"line\nend\n", b"\xff\xfe", b" space ", "日本".encode(), b"-x", b'quo"te'])
def test_any_name_of_a_folder_does(make_repo, name):
    repo = make_repo(os.fsdecode(name))
    assert repo.seen.top == repo.seen.main == repo.path
    path = os.path.join(repo.path, os.fsdecode(name))
    repo("worktree", "add", "-q", "-b", "one", "--", path)
    assert (seen(repo.git, path).top, seen(repo.git, path).main) == (path, repo.path)
    assert checked_out(repo.git, repo.path, "one") == path


def test_a_repository_without_commits_has_a_branch_and_no_head(repo, tmp_path):
    repo.git(str(tmp_path), "init", "-q", "empty")
    found = seen(repo.git, str(tmp_path / "empty"))
    assert (found.branch, found.head) == ("main", None)


def test_a_bare_repository_has_no_checkout(repo, tmp_path):
    bare = os.path.realpath(tmp_path / "bare.git")
    repo("clone", "-q", "--bare", repo.path, bare)
    assert (seen(repo.git, bare).main, seen(repo.git, bare).top) == (None, bare)
    repo.git(bare, "worktree", "add", "-q", "-b", "one", f"{bare}-one")
    found = seen(repo.git, f"{bare}-one")
    assert (found.main, found.top, found.common) == (None, f"{bare}-one", bare)


def test_gits_own_folder_belongs_to_the_checkout(repo):
    found = seen(repo.git, f"{repo.path}/.git/objects")
    assert (found.top, found.main, found.subfolder) == (repo.path, repo.path, "")


def test_a_submodule_is_a_repository_of_its_own(repo, make_repo):
    outer = make_repo("outer")
    outer("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", repo.path, "lib")
    found = seen(outer.git, f"{outer.path}/lib")
    assert found.top == found.main == f"{outer.path}/lib"
    assert found.common == f"{outer.path}/.git/modules/lib"
    outer.git(found.top, "worktree", "add", "-q", "-b", "one", f"{outer.path}/lib-one")
    assert seen(outer.git, f"{outer.path}/lib-one").main == found.top


def test_a_repository_of_somebody_else_is_refused_with_gits_reason(repo):
    fake = {**repo.git.environ, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    other = _Unfiltered(fake)
    with pytest.raises(GitFailed, match=r"dubious ownership|unsafe repository"):
        find_repository(other, repo.path)


class _Unfiltered(Git):
    """Passes git's own switch for its tests on."""

    def _environ(self):
        return {**super()._environ(), "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}


def test_a_broken_worktree_is_not_taken_for_none(repo, tmp_path):
    os.mkdir(tmp_path / "broken")
    (tmp_path / "broken" / ".git").write_text("gitdir: /nowhere/at/all\n")
    with pytest.raises(GitFailed, match="not a git repository: /nowhere"):
        find_repository(repo.git, str(tmp_path / "broken"))


def test_a_branch_comes_before_a_tag_of_its_name(repo):
    repo("tag", "same")
    repo("branch", "same", repo.commit("second.txt"))
    assert resolve(repo.git, repo.path, "same") == repo("rev-parse", "refs/heads/same")
    repo("checkout", "-q", "same", "--")
    assert repo.seen.branch == "same"


@pytest.mark.parametrize(
    "name", ["", "-x", "--upload-pack=x", "--all", "none", "a\0b", "HEAD:first.txt", "x y", "@{9}"]
)
def test_what_is_no_commit_resolves_to_none(repo, name):
    assert resolve(repo.git, repo.path, name) is None


def test_a_branch_whose_name_looks_like_an_option_is_a_branch(repo):
    repo("update-ref", "refs/heads/--all", "HEAD")
    assert resolve(repo.git, repo.path, "--all") == repo("rev-parse", "HEAD")


def test_where_a_branch_is_checked_out_is_known(repo):
    assert checked_out(repo.git, repo.path, "main") == repo.path
    assert checked_out(repo.git, repo.path, "none") is None


@pytest.mark.parametrize("link", [False, True])
def test_a_checkout_whose_repository_lies_elsewhere_has_its_branch_checked_out(repo, tmp_path, link):
    away = str(tmp_path / "repository")
    if link:
        os.rename(f"{repo.path}/.git", away)
        os.symlink(away, f"{repo.path}/.git")
    else:
        repo("init", "--quiet", f"--separate-git-dir={away}")
    assert checked_out(repo.git, repo.path, "main") == repo.path


def test_the_persons_language_changes_nothing(repo, tmp_path):
    german = replace(repo.git, environ=world(str(tmp_path), LANGUAGE="de", LANG="de_DE.UTF-8", LC_ALL="de_DE.UTF-8"))
    assert find_repository(german, str(tmp_path)) is None


def test_several_names_are_resolved_at_once_each_for_itself(repo):
    first = repo("rev-parse", "HEAD")
    repo("branch", "same")
    repo("tag", "same", repo.commit("a"))
    repo("branch", "refs/heads/main", repo.commit("b"))
    second = repo("rev-parse", "HEAD")
    asked = (
        "HEAD",
        "none",
        "same",
        "",
        "two\nlines",
        "\0",
        "refs/heads/main",
        first,
        "-x",
        "a b",
        "main^{tree}",
        "same",
    )
    found = resolve_all(repo.git, repo.path, *asked)
    assert found == [second, None, first, None, None, None, second, first, None, None, None, first]
    assert found == [resolve(repo.git, repo.path, name) for name in asked]


def test_a_damaged_name_hides_no_other_one(repo):
    head = repo("rev-parse", "HEAD")
    lost = "ab" * 20
    repo.write(".git/refs/heads/lost", f"{lost}\n")
    repo.write(".git/refs/heads/torn", "no hash\n")
    assert resolve_all(repo.git, repo.path, "lost", "torn", lost, "main") == [None, None, None, head]


@pytest.mark.parametrize("name", ["none", "main~1", "main^{}", "v1", "a\nb", "\0", "*", "", "-x", "HEAD", "main"])
def test_a_branch_that_is_asked_for_is_told_with_the_repository_and_what_is_none_is_not(repo, name):
    repo("tag", "v1", repo.commit("a"))
    found = find_repository(repo.git, repo.path, branch=name)
    assert found == replace(
        seen(repo.git, repo.path), asked=("main", repo("rev-parse", "main")) if name == "main" else None
    )
