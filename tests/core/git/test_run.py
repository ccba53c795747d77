"""Running git: what it says, what it refuses, and what it leaves running."""

from __future__ import annotations

import os
import threading
import uuid

import pytest

from overmind_core.git import run
from overmind_core.git.run import MARK, Git, GitFailed, GitMissing
from overmind_core.system.sweep import end_stragglers
from tests.kit.cases import tabled
from tests.kit.processes import with_word
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually


@pytest.fixture
def git():
    """For a mission of this test alone: what its git leaves behind is ended."""
    one = Git(dict(os.environ), uuid.uuid4().hex)
    yield one
    end_stragglers(MARK, one.mission)


def test_what_a_command_leaves_running_is_not_waited_for(git, tmp_path):
    assert git(str(tmp_path), "-c", "alias.leave=!sleep 300 & echo said", "leave") == "said"
    assert end_stragglers(MARK, git.mission) == 1


@pytest.fixture(params=["its file descriptor", "threads"])
def waited_by(request, monkeypatch):
    """By what an end is waited for."""
    if request.param == "threads":
        monkeypatch.delattr(os, "pidfd_open")


def test_what_takes_too_long_is_ended_with_all_that_it_started(git, tmp_path, waited_by):
    stay = f"sleep 300.{uuid.uuid4().int}"
    with pytest.raises(GitFailed, match=r"more than 0\.2 s") as caught:
        git(str(tmp_path), "-c", f"alias.stay=!{stay}", "stay", seconds=0.2)
    assert caught.value.code is None
    eventually(lambda: not with_word(stay), what="all of it is gone: a process that is killed lives on for a moment")


def test_what_takes_too_long_is_told_as_that_however_late_the_thread_that_ends_it_goes_on(git, tmp_path, monkeypatch):
    monkeypatch.delattr(os, "pidfd_open")
    killpg = os.killpg

    def slow(group, number):
        killpg(group, number)
        gone_on.wait(10)

    gone_on = threading.Event()
    monkeypatch.setattr(os, "killpg", slow)
    with pytest.raises(GitFailed, match=r"more than 0\.1 s") as caught:
        git(str(tmp_path), "-c", "alias.stay=!sleep 300", "stay", seconds=0.1)
    gone_on.set()
    assert caught.value.code is None


def test_a_refusal_says_what_git_said(git, tmp_path, waited_by):
    with pytest.raises(GitFailed) as caught:
        git(str(tmp_path), "no-such-command")
    assert (caught.value.code, "no-such-command" in caught.value.reason) == (1, True)


def test_a_filter_whose_program_is_missing_is_named_with_the_file(git, tmp_path):
    git(str(tmp_path), "init", "--quiet")
    for name, text in ((".gitattributes", "*.bin filter=lost\n"), ("a.bin", "1\n")):
        (tmp_path / name).write_text(text)
    for key, value in (("clean", "no-such-program"), ("required", "true")):
        git(str(tmp_path), "config", f"filter.lost.{key}", value)
    with pytest.raises(GitFailed) as caught:
        git(str(tmp_path), "add", ".")
    assert caught.value.reason.startswith("a.bin: clean filter 'lost' failed: ")
    assert "no-such-program" in caught.value.reason


SAID = {
    "a filter that git heard of first": (
        ["fatal: the remote end hung up unexpectedly", "lfs-not-here filter-process: 1: lfs-not-here: not found"],
        "lfs-not-here filter-process: 1: lfs-not-here: not found: the remote end hung up unexpectedly",
    ),
    "a filter behind what git does": (
        [
            "Preparing worktree (new branch 'x')",
            "error: packet write with format failed",
            "sh: 1: lfs: not found",
            "fatal: x.bin: smudge filter lfs failed",
        ],
        "x.bin: smudge filter lfs failed: sh: 1: lfs: not found: packet write with format failed",
    ),
    "ssh behind what git does": (
        [
            "Cloning into 'cam'...",
            "ssh: Could not resolve hostname d: Name or service not known",
            "fatal: Could not read from remote repository.",
            "Please make sure you have the correct access rights",
        ],
        "ssh: Could not resolve hostname d: Name or service not known: Could not read from remote repository.",
    ),
    "names of files behind an error are no cause": (
        ["error: Your local changes would be overwritten by merge:", "\ta.txt", "Please commit", "Aborting"],
        "Your local changes would be overwritten by merge:",
    ),
    "only progress before an error": (["Cloning into 'x'...", "fatal: no"], "no"),
}


@pytest.mark.parametrize(("lines", "reason"), SAID.values(), ids=SAID)
def test_the_reason_begins_with_the_line_that_names_the_cause(lines, reason):
    assert GitFailed(("worktree", "add"), 128, "\n".join(lines)).reason == reason


def test_an_expected_status_is_an_answer(git, tmp_path):
    answer = git.run(str(tmp_path), "-c", "alias.three=!echo out; echo err >&2; exit 3", "three", expected=(3,))
    assert answer == (3, "out\n", "err\n")


def test_it_reads_what_it_is_given(git, tmp_path):
    assert (
        git.run(str(tmp_path), "hash-object", "--stdin", text="text").out
        == "f3a34851d44d6b97c90fbb99dd3d18c261b9a237\n"
    )


def test_no_git_and_no_folder_are_told_apart(tmp_path):
    with pytest.raises(GitMissing):
        Git({"PATH": str(tmp_path)})(str(tmp_path), "version")
    with pytest.raises(GitFailed, match="does not exist"):
        Git(dict(os.environ))(str(tmp_path / "no"), "version")


def test_the_callers_own_repository_is_not_meant(tmp_path):
    environ = {**os.environ, "GIT_DIR": "/nowhere", "GIT_INDEX_FILE": "/nowhere", "GIT_AUTHOR_NAME": "Ada"}
    said = Git(environ)(str(tmp_path), "-c", "alias.env=!env", "env")
    assert "GIT_DIR=/nowhere" not in said
    assert "GIT_INDEX_FILE" not in said
    assert "GIT_AUTHOR_NAME=Ada" in said


def test_a_git_in_a_missions_worktree_does_not_look_at_the_checkout_around_it(git, tmp_path):
    shop = Repository(str(tmp_path / "shop"))
    shop.commit("first", {"a": "1\n", "sub/.overmind/b": "1\n"})
    shop.git("worktree", "add", "-q", ".overmind/worktrees/abc")
    own = shop.path(".overmind", "worktrees", "abc")
    for folder in (own, f"{own}/sub", f"{own}/sub/.overmind"):
        assert git(folder, "rev-parse", "--show-toplevel") == os.path.realpath(own)
    os.unlink(f"{own}/.git")
    for folder in (own, f"{own}/sub"):
        with pytest.raises(GitFailed, match="not a git repository"):
            git(folder, "add", "-A")
    assert git(shop.path("sub"), "rev-parse", "--show-toplevel") == os.path.realpath(shop.folder)


def test_a_lookup_is_started_by_no_other_program(tmp_path, monkeypatch):
    shop = Repository(str(tmp_path / "shop"))
    head = shop.commit("first", {"a": "1\n"})
    started = []

    def refuse(argv, **_how):
        started.append(argv)
        raise OSError("not here")

    monkeypatch.setattr(run, "start_own", refuse)
    git = Git(shop.environ)
    assert git(shop.folder, "rev-parse", "--verify", "HEAD") == head
    assert git(shop.folder, "symbolic-ref", "--quiet", "HEAD") == "refs/heads/main"
    assert not started
    for words in (("status",), ("rev-parse", "HEAD^{tree}"), ("-c", "alias.rev-parse=!true", "log")):
        with pytest.raises(GitFailed, match="not here"):
            git(shop.folder, *words)
    assert len(started) == 3


def test_a_lookup_fetches_nothing_with_what_the_settings_name(tmp_path):
    told = tmp_path / "told"
    shop = Repository(str(tmp_path / "shop"))
    shop.commit("first", {"a": "1\n"})
    for name, value in (
        ("core.repositoryFormatVersion", "1"), ("extensions.partialClone", "evil"), ("remote.evil.promisor", "true"),
        ("remote.evil.url", f"ext::touch {told}"), ("protocol.ext.allow", "always"), ("protocol.allow", "always"),
    ):  # fmt: skip
        shop.git("config", name, value)
    shop.write({".git/refs/heads/gone": "1" * 40 + "\n"})
    lookup = ("rev-parse", "--quiet", "--verify", "refs/heads/gone^{commit}")
    with pytest.raises(AssertionError):
        shop.git(*lookup)
    assert told.exists(), "git alone runs it"
    told.unlink()
    with pytest.raises(GitFailed):
        Git(shop.environ)(shop.folder, *lookup)
    assert not told.exists()


@tabled(
    ("said", "reason"),
    [
        ("git-lfs-not-here filter-process: 1: git-lfs-not-here: not found\nfatal: the remote end hung up unexpectedly",
         "git-lfs-not-here filter-process: 1: git-lfs-not-here: not found: the remote end hung up unexpectedly"),
        ("Preparing worktree (new branch 'x')\nfatal: 'x' is already used", "'x' is already used"),
        ("Cloning into '/a'...\nfatal: repository '/b' does not exist", "repository '/b' does not exist"),
        ("ssh: connect to host h port 22: refused\nfatal: Could not read from remote repository.",
         "ssh: connect to host h port 22: refused: Could not read from remote repository."),
        ("fatal: bad revision 'x'", "bad revision 'x'"),
        ("error: first\nfatal: second", "first"),
        ("hook says no", "hook says no"),
        ("", "it exited with 1"),
    ],
)  # fmt: skip
def test_the_reason_names_what_the_program_said_that_git_ran(said, reason):
    assert GitFailed(("worktree", "add"), 1, said).reason == reason
