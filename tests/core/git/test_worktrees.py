"""Worktrees: each on a branch of its own, invisible to the person, and nothing left of one that failed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from itertools import chain, count

import pytest

from overmind_core.git import run
from overmind_core.git.run import MARK, GitFailed, retry_while_locked
from overmind_core.git.status import worktree_status
from overmind_core.git.worktree_removal import CLAIM, claimed_branch
from overmind_core.git.worktrees import (
    LARGEST_EXCLUDE,
    NewWorktree,
    add,
    again,
    exclude,
    exclude_paths,
    holds,
    listed,
    new_links,
    remove,
)
from overmind_core.system.sweep import end_stragglers
from tests.kit import processes
from tests.kit.waiting import eventually


def names(name="overmind/api"):
    return chain([name], (f"{name}-{number}" for number in count(2)))


def made(repo, name="abc", branches=("overmind/api",), base=None, *, fetch=False):
    return add(repo.git, repo.seen, repo.worktree(name), branches, base, fetch)


def left(repo):
    """What is there of missions."""
    folder = f"{repo.path}/.overmind/worktrees"
    admins = f"{repo.path}/.git/worktrees"
    return (
        os.listdir(folder) if os.path.isdir(folder) else [],
        os.listdir(admins) if os.path.isdir(admins) else [],
        repo("for-each-ref", "--format=%(refname:short)", "refs/heads/overmind").split(),
    )


NOTHING: tuple[list[str], list[str], list[str]] = ([], [], [])


def test_a_worktree_is_on_a_branch_of_its_own_and_invisible_to_the_person(repo):
    added = made(repo)
    path = repo.worktree()
    assert added == NewWorktree("overmind/api", "main", repo("rev-parse", "HEAD"), "")
    assert repo.git(path, "status", "--porcelain", "--branch") == "## overmind/api"
    assert not repo("status", "--porcelain")
    assert holds(repo.git, path, "overmind/api")
    assert [(one.path, one.branch) for one in listed(repo.git, repo.seen.common)] == [(path, "overmind/api")]
    assert os.path.isfile(f"{path}/first.txt")


@pytest.mark.parametrize("name", [b"\xff \xfe", b"two\nlines", b"-x", b"'quo\"te$(touch x)"])
def test_a_repository_of_any_name_has_them(make_repo, name):
    repo = make_repo(os.fsdecode(name))
    added = made(repo)
    assert holds(repo.git, repo.worktree(), "overmind/api")
    assert [one.path for one in listed(repo.git, repo.seen.common)] == [repo.worktree()]
    assert worktree_status(repo.git, repo.worktree(), added.base, added.base_commit).merged
    assert remove(repo.git, repo.path, repo.worktree(), "overmind/api", force=False) == (True, "overmind/api", ())
    assert left(repo) == NOTHING


def test_a_detached_head_and_a_tag_are_bases_too(repo):
    first = repo("rev-parse", "HEAD")
    repo("tag", "v1")
    repo("checkout", "-q", "--detach", repo.commit("second.txt"))
    assert made(repo)[1:3] == (repo("rev-parse", "HEAD"),) * 2
    assert made(repo, "tagged", ["overmind/t"], "v1")[1:3] == ("v1", first)


@pytest.mark.parametrize("base", ["none", "--upload-pack=touch", "-x", "HEAD:first.txt"])
def test_a_base_that_is_none_is_named_and_nothing_is_left(repo, base):
    with pytest.raises(GitFailed, match="no branch, tag or commit"):
        made(repo, base=base)
    assert left(repo) == NOTHING


def test_without_commits_it_says_how_to_make_one(repo, tmp_path):
    repo.git(str(tmp_path), "init", "-q", "empty")
    empty = type(repo)(str(tmp_path / "empty"), repo.git)
    with pytest.raises(GitFailed, match="has no commits yet"):
        made(empty)


def test_a_bare_repository_has_worktrees_too(repo, tmp_path):
    bare = type(repo)(os.path.realpath(tmp_path / "bare.git"), repo.git)
    repo("clone", "-q", "--bare", repo.path, bare.path)
    made(bare)
    assert holds(repo.git, bare.worktree(), "overmind/api")
    assert remove(repo.git, bare.path, bare.worktree(), "overmind/api", force=False) == (True, "overmind/api", ())


def test_a_mission_may_begin_in_a_worktree(repo):
    repo("worktree", "add", "-q", "-b", "mine", f"{repo.path}/mine")
    inner = type(repo)(f"{repo.path}/mine", repo.git)
    commit = inner.commit("mine.txt")
    assert made(inner)[1:3] == ("mine", commit)
    assert not inner("status", "--porcelain")


@pytest.mark.parametrize(
    ("there", "got"),
    [
        (["overmind/api"], "overmind/api-2"),
        (["overmind/api", "overmind/api-2"], "overmind/api-3"),
        (["overmind/api/deep"], "overmind/api-2"),
    ],
)
def test_a_name_that_is_taken_is_passed_over(repo, there, got):
    for branch in there:
        repo("branch", branch)
    assert made(repo, branches=names()).branch == got
    assert repo.git(repo.worktree(), "rev-parse", "HEAD") == repo("rev-parse", "HEAD")


def test_a_branch_in_the_way_of_all_names_is_named_and_nothing_is_left(repo):
    repo("branch", "overmind")
    with pytest.raises(GitFailed, match="none below overmind/: rename that branch with: git branch -m overmind NAME"):
        made(repo, branches=names())
    assert left(repo) == ([], [], ["overmind"])
    assert made(repo, branches=chain(["overmind/api"], ["other"])).branch == "other"


@pytest.mark.parametrize("name", ["-x", "--force", "a..b", "", "HEAD", "@{-1}", "a b", "x.lock"])
def test_what_can_be_no_branch_is_refused(repo, name):
    with pytest.raises(GitFailed, match="can't be the name of a branch"):
        made(repo, branches=[name])
    assert left(repo) == NOTHING


def test_a_tag_of_the_branchs_name_misleads_nobody(repo):
    repo("tag", "overmind/api")
    commit = repo.commit("second.txt")
    made(repo)
    assert repo.git(repo.worktree(), "rev-parse", "HEAD") == commit
    assert repo.git(repo.worktree(), "symbolic-ref", "HEAD") == "refs/heads/overmind/api"


def test_twenty_at_once_all_succeed_with_a_branch_each(repo):
    seen = repo.seen
    got, failures = [], []
    barrier = threading.Barrier(20)

    def one(number):
        barrier.wait()
        try:
            got.append(add(repo.git, seen, repo.worktree(str(number)), names(), None, False).branch)
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(set(got)) == 20
    with open(f"{repo.path}/.git/info/exclude", "rb") as file:
        assert file.read().count(b".overmind/worktrees/") == 1
    assert len(listed(repo.git, seen.common)) == 20


OURS = b".overmind/worktrees/"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (None, OURS + b"\n"),
        (b"", OURS + b"\n"),
        (b"*.log", b"*.log\n" + OURS + b"\n"),
        (b"\xff\n\r\n", b"\xff\n\r\n" + OURS + b"\n"),
        (b"a\r\nb\r\n", b"a\r\nb\r\n" + OURS + b"\n"),
        # what was written earlier, in its place
        (b".overmind/\n", OURS + b"\n"),
        (b".overmind/", OURS),
        (b"# ours\n\n.overmind/\n*.log", b"# ours\n\n" + OURS + b"\n*.log"),
        (b"a\r\n.overmind/\r\n\xff\x0b.overmind/\n", b"a\r\n" + OURS + b"\r\n\xff\x0b.overmind/\n"),
        (b".overmind/\nb\n.overmind/\n", OURS + b"\nb\n"),
        (OURS + b"\nb\n.overmind/\n", OURS + b"\nb\n"),
        # a person's own, which hides as much or more
        (b"/.overmind/\n", b"/.overmind/\n"),
        (b".overmind/  \r\nmore", b".overmind/  \r\nmore"),
        (b"/" + OURS + b"\n", b"/" + OURS + b"\n"),
    ],
)
def test_the_folder_of_the_worktrees_is_excluded_once_and_nothing_else_of_the_file_changes(repo, text, after):
    common = repo.seen.common
    path = f"{common}/info/exclude"
    if text is not None:
        os.makedirs(f"{common}/info", exist_ok=True)
        with open(path, "wb") as file:
            file.write(text)
        os.chmod(path, 0o640)
    exclude(common)
    exclude(common)
    with open(path, "rb") as file:
        assert file.read() == after
    assert os.listdir(f"{common}/info") == ["exclude"]
    assert text is None or os.stat(path).st_mode & 0o777 == 0o640
    repo.write(".overmind/worktrees/x")
    assert ".overmind" not in repo("status", "--porcelain")


def test_what_is_not_a_worktree_is_the_persons_and_seen_by_git(repo):
    """Acceptance 21."""
    exclude(repo.seen.common)
    repo.write(".overmind/specs/cart/brief.md")
    repo.write(".overmind/worktrees/x")
    assert repo("status", "--porcelain", "--untracked-files=all") == "?? .overmind/specs/cart/brief.md"


ODD = ["plain", "deep/er", "two  ", "back\\slash", "a*b", "[x]", "!not", "#no"]


def test_paths_of_any_letters_are_excluded_as_they_are_and_once(repo):
    for name in (*ODD, "a-b", "sub/plain"):
        repo.write(name)
    for _ in range(2):
        exclude_paths(repo.seen.common, [*ODD, "two\nlines"])
    assert repo("status", "--porcelain", "--untracked-files=all").splitlines() == ["?? a-b", "?? sub/plain"]
    with open(f"{repo.seen.common}/info/exclude", encoding="utf-8") as file:
        assert len(file.read().splitlines()) == len(ODD)


def test_a_link_to_what_is_ignored_as_a_folder_alone_is_new_until_it_is_excluded(repo):
    repo.commit(".gitignore", "modules/\n*.env\n")
    made(repo)
    path, names = repo.worktree(), ["modules", "b.env", "seen", "gone"]
    repo.write("b.env")
    for name in ("modules", "seen"):
        os.mkdir(f"{repo.path}/{name}")
    for name in names[:3]:
        os.symlink(f"{repo.path}/{name}", f"{path}/{name}")
    assert new_links(repo.git, repo.path, path, names) == ["modules"]
    exclude_paths(repo.seen.common, ["modules"])
    assert new_links(repo.git, repo.path, path, names) == []
    assert repo.git(path, "status", "--porcelain") == "?? seen"


def test_an_exclude_file_that_is_a_link_stays_one(repo):
    path = f"{repo.seen.common}/info/exclude"
    repo.write("shared", ".overmind/\n*.log\n")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with suppress(FileNotFoundError):
        os.unlink(path)
    os.symlink("../../shared", path)
    exclude(repo.seen.common)
    assert os.readlink(path) == "../../shared"
    with open(f"{repo.path}/shared", "rb") as file:
        assert file.read() == OURS + b"\n*.log\n"


def test_an_exclude_file_that_can_not_be_written_is_named(repo):
    os.makedirs(f"{repo.path}/.git/info/exclude")
    with pytest.raises(GitFailed, match="exclude can't be written: it is not a file"):
        exclude(repo.seen.common)


def test_an_exclude_file_that_is_a_pipe_or_huge_is_named(repo, monkeypatch):
    path = f"{repo.seen.common}/info/exclude"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with suppress(FileNotFoundError):
        os.unlink(path)
    os.mkfifo(path)
    with pytest.raises(GitFailed, match="it is not a file"):
        exclude(repo.seen.common)
    os.unlink(path)
    with open(path, "wb") as file:
        file.truncate(LARGEST_EXCLUDE + 1)
    with pytest.raises(GitFailed, match="File too large"):
        exclude(repo.seen.common)


def test_worktrees_that_are_hidden_already_need_no_file_that_can_be_written(repo, monkeypatch):
    path = f"{repo.seen.common}/info/exclude"
    repo.write(".git/info/exclude", ".overmind/\n")

    def refused(*args, **how):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refused)
    exclude(repo.seen.common)
    with open(path, "rb") as file:
        assert file.read() == b".overmind/\n"
    repo.write(".git/info/exclude", "*.log\n")
    with pytest.raises(GitFailed, match="exclude can't be written: Permission denied"):
        exclude(repo.seen.common)


def test_it_begins_at_the_remotes_state_when_that_is_ahead(repo, make_repo):
    far = make_repo("far")
    repo("remote", "add", "origin", far.path)
    assert made(repo, "even", ["overmind/even"], fetch=True).fetched == "fetched origin: main is up to date"
    ahead = far.commit("far.txt")
    assert made(repo, "old", ["overmind/old"]).base_commit == repo("rev-parse", "HEAD")
    added = made(repo, fetch=True)
    assert added[1:4] == ("main", ahead, "fetched origin: started at origin/main, which is 1 commit ahead of main")
    assert repo("rev-parse", "main") != ahead
    assert "upstream" not in repo("config", "--list")
    own = repo.commit("own.txt")
    assert made(repo, "both", ["overmind/both"], fetch=True)[2:4] == (
        own,
        "fetched origin: main and origin/main have diverged; started at main",
    )


def test_a_branch_that_only_the_remote_has_is_a_base(repo, make_repo):
    far = make_repo("far")
    far("checkout", "-q", "-b", "feature")
    commit = far.commit("far.txt")
    repo("remote", "add", "up", far.path)
    assert made(repo, base="feature", fetch=True)[:3] == ("overmind/api", "up/feature", commit)
    assert made(repo, "other", ["o"], "up/feature")[1:3] == ("up/feature", commit)


def test_a_remote_that_is_not_there_says_how_to_go_on_and_leaves_nothing(repo):
    repo("remote", "add", "origin", f"{repo.path}/nowhere")
    with pytest.raises(GitFailed, match=r"origin can't be fetched: .*or set `fetch: false`"):
        made(repo, fetch=True)
    assert left(repo) == NOTHING
    assert made(repo).fetched == ""


def test_a_lock_that_stays_held_is_named(repo, monkeypatch):
    monkeypatch.setattr(run, "LOCK_LIMIT", 0.1)
    os.makedirs(f"{repo.path}/.git/refs/heads/overmind")
    lock = f"{repo.path}/.git/refs/heads/overmind/api.lock"
    with open(lock, "w"):
        pass
    with pytest.raises(GitFailed, match=r"api\.lock is held by another git.*remove the file"):
        made(repo)
    os.unlink(lock)
    assert left(repo) == NOTHING


def test_a_lock_that_is_let_go_is_waited_for(repo):
    lock = f"{repo.path}/.git/index.lock"
    attempts = []

    def attempt():
        attempts.append(1)
        if len(attempts) == 3:
            os.unlink(lock)
        return repo("add", "--all")

    with open(lock, "w"):
        pass
    retry_while_locked(attempt)
    assert len(attempts) == 3


def test_the_index_lock_of_the_person_hinders_nobody(repo):
    with open(f"{repo.path}/.git/index.lock", "w"):
        pass
    made(repo)
    assert remove(repo.git, repo.path, repo.worktree(), "overmind/api", force=False) == (True, "overmind/api", ())


def test_a_checkout_that_fails_leaves_nothing(repo):
    repo("config", "filter.broken.smudge", "false")
    repo("config", "filter.broken.required", "true")
    repo.write(".gitattributes", "*.big filter=broken\n")
    repo.write("x.big")
    repo("-c", "filter.broken.clean=cat", "add", "--all")
    repo("-c", "filter.broken.clean=cat", "commit", "-qm", "big")
    with pytest.raises(GitFailed, match=r"filter .* failed"):
        made(repo)
    assert left(repo) == NOTHING


def test_what_is_there_already_is_never_touched(repo):
    repo.write("kept.txt", at=repo.worktree())
    with pytest.raises(GitFailed, match="already exists"):
        made(repo)
    assert os.listdir(repo.worktree()) == ["kept.txt"]


def hook(repo, text):
    path = f"{repo.path}/.git/hooks/post-checkout"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\n{text}\n")
    os.chmod(path, 0o755)


def test_a_hook_runs_and_its_failure_is_none_of_the_worktree(repo):
    hook(repo, "echo hook > from-hook; exit 3")
    made(repo)
    assert os.path.isfile(repo.worktree() + "/from-hook")
    assert holds(repo.git, repo.worktree(), "overmind/api")


def test_one_that_was_killed_on_the_way_is_not_whole_and_its_branch_is_known(repo):
    hook(repo, "touch hooked; exec sleep 600")
    failures = []

    def attempt():
        try:
            made(repo)
        except GitFailed as error:
            failures.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    eventually(lambda: os.path.exists(repo.worktree() + "/hooked"))
    assert not holds(repo.git, repo.worktree(), "overmind/api")
    assert claimed_branch(repo.git, repo.path, repo.worktree()) == "overmind/api"
    for pid in sorted(processes.with_variable(MARK, repo.git.mission)):  # git before its hook
        os.kill(pid, signal.SIGKILL)
    thread.join()
    assert [error.code for error in failures] == [-signal.SIGKILL]
    # Whoever killed it may be at it still: it is cleaned up by whom that does not concern.
    assert claimed_branch(repo.git, repo.path, repo.worktree()) == "overmind/api"
    assert remove(repo.git, repo.path, repo.worktree(), "overmind/api", force=True) == (True, "overmind/api", ())
    assert left(repo) == NOTHING


KILLED = """
import os, sys
from overmind_core.git.repository import find_repository
from overmind_core.git.run import Git
from overmind_core.git.worktrees import add
git = Git({**os.environ, "VICTIM": str(os.getpid())}, sys.argv[1])
add(git, find_repository(git, sys.argv[2]), sys.argv[3], ["overmind/api"], None, False)
"""


def test_what_a_killed_supervisor_left_half_made_is_taken_away(repo):
    hook(repo, "kill -9 $VICTIM; exec sleep 600")
    words = [sys.executable, "-c", KILLED, repo.git.mission, repo.path, repo.worktree()]
    assert subprocess.run(words, env=repo.git.environ).returncode == -signal.SIGKILL
    assert end_stragglers(MARK, repo.git.mission) >= 1
    assert not holds(repo.git, repo.worktree(), "overmind/api")
    branch = claimed_branch(repo.git, repo.path, repo.worktree())
    assert remove(repo.git, repo.path, repo.worktree(), branch, force=True) == (True, "overmind/api", ())
    assert left(repo) == NOTHING


def test_a_claim_of_a_name_that_is_somebody_elses_is_none(repo):
    repo("branch", "overmind/api")
    os.makedirs(os.path.dirname(repo.worktree()))
    with open(repo.worktree() + CLAIM, "w", encoding="utf-8") as file:
        file.write("overmind/api")
    assert claimed_branch(repo.git, repo.path, repo.worktree()) is None
    assert claimed_branch(repo.git, repo.path, repo.worktree("other")) is None


def test_a_worktree_that_was_deleted_by_hand_is_made_again_with_its_commits(repo):
    made(repo)
    commit = repo.commit("work.txt", at=repo.worktree())
    shutil.rmtree(repo.worktree())
    again(repo.git, repo.seen, repo.worktree(), "overmind/api")
    assert holds(repo.git, repo.worktree(), "overmind/api")
    assert repo.git(repo.worktree(), "rev-parse", "HEAD") == commit
    with pytest.raises(GitFailed, match="already exists"):
        again(repo.git, repo.seen, repo.worktree(), "overmind/api")
    for branch in ("main", "none"):
        with pytest.raises(GitFailed, match=r"checked out|used by worktree|is gone"):
            again(repo.git, repo.seen, repo.worktree("other"), branch)
    assert repo.seen.branch == "main"


def test_a_new_worktree_may_take_the_place_of_one_that_was_deleted_by_hand(repo):
    made(repo)
    shutil.rmtree(repo.worktree())
    assert made(repo, branches=names()).branch == "overmind/api-2"


def test_it_holds_whatever_is_checked_out_in_it(repo):
    made(repo)
    repo.git(repo.worktree(), "checkout", "-q", "-b", "other")
    assert holds(repo.git, repo.worktree(), "overmind/api")
    assert not holds(repo.git, repo.worktree(), "overmind/other")
    assert not holds(repo.git, repo.worktree("none"), "overmind/api")
    assert not holds(repo.git, repo.path, "main")


@pytest.mark.parametrize("name", ["a..b", "a.lock", "a b", "@{1}", "a//b", "-x", "HEAD", "a/"])
def test_a_name_that_no_branch_can_have_is_refused_and_leaves_nothing(repo, name):
    with pytest.raises(GitFailed, match="can't be the name of a branch"):
        made(repo, "abc", [name])
    assert left(repo) == NOTHING
