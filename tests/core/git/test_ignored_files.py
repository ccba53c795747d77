"""Files that git ignores: those of the set-up are told from those of an agent, whose files are never thrown away."""

from __future__ import annotations

import os

import pytest

from overmind_core.domain.isolation.keep import KeepRules
from overmind_core.git import ignored_files as subject
from overmind_core.git.ignored_files import IgnoredFiles, ignored_files, moment
from overmind_core.git.look import look_at
from overmind_core.git.status import IgnoredWork, worktree_status
from overmind_core.git.worktrees import add, remove


@pytest.fixture
def path(repo):
    """A worktree that was set up, with files and folders that git ignores."""
    repo.commit(".gitignore", "out/\n*.log\n.env\nvendor/\n")
    add(repo.git, repo.seen, repo.worktree(), ["overmind/api"], None, False)
    for name in (".env", "out/deep/a.js", "set.log"):
        repo.write(name, at=repo.worktree())
    return repo.worktree()


def rename(path, old, new):
    os.makedirs(os.path.dirname(os.path.join(path, new)), exist_ok=True)
    os.rename(os.path.join(path, old), os.path.join(path, new))


def ancient(path, name):
    os.utime(os.path.join(path, name), (1, 1))


def pipe(path):
    os.mkfifo(path)


WORK = {
    "a new file": (lambda repo, path: repo.write("out/new.js", at=path), ("out/new.js",)),
    "a new file beside tracked ones": (lambda repo, path: repo.write("new.log", at=path), ("new.log",)),
    "one in a folder of untracked files": (lambda repo, path: repo.write("new/x.log", at=path), ("new/x.log",)),
    "a copied file that was edited": (lambda repo, path: repo.write(".env", "other\n", at=path), (".env",)),
    "an edited one with the time of before": (
        lambda repo, path: (repo.write(".env", "other\n", at=path), ancient(path, ".env")),
        (".env",),
    ),
    "one with another name": (lambda _repo, path: rename(path, "set.log", "out/is.log"), ("out/is.log",)),
    "a link": (lambda _repo, path: os.symlink("/nowhere", f"{path}/x.log"), ("x.log",)),
    "a folder that was moved here": (
        lambda _repo, path: os.rename(os.path.join(os.path.dirname(path), "before"), f"{path}/out/moved"),
        ("out/moved/deep/old.txt",),
    ),
    "a folder that nobody may read": (
        lambda _repo, path: os.mkdir(f"{path}/out/closed", 0o000),
        ("out/closed",) if os.geteuid() else (),
    ),
    "nothing": (lambda _repo, _path: None, ()),
    "a folder": (lambda _repo, path: os.makedirs(f"{path}/out/new/empty"), ()),
    "a pipe": (lambda _repo, path: os.mkfifo(f"{path}/out/pipe"), ()),
    "a pipe in the place of a cache's tag": (
        lambda repo, path: [repo.write("out/c/made.js", at=path), pipe(f"{path}/out/c/CACHEDIR.TAG")],
        ("out/c/made.js",),
    ),
    "a file that is gone": (lambda _repo, path: os.unlink(f"{path}/set.log"), ()),
    "what python compiles": (lambda repo, path: repo.write("out/__pycache__/a.pyc", at=path), ()),
    "a cache that says so": (
        lambda repo, path: repo.write("out/.cache/CACHEDIR.TAG", subject._SIGNATURE.decode(), at=path),
        (),
    ),
    "another name of an old file": (lambda _repo, path: os.link(f"{path}/out/deep/a.js", f"{path}/../a.js"), ()),
}


@pytest.mark.parametrize("name", WORK)
def test_the_agents_files_are_told_from_those_of_the_set_up(repo, path, name):
    work, expected = WORK[name]
    repo.write("before/deep/old.txt", at=os.path.dirname(path))
    rules = KeepRules(moment(path))
    work(repo, path)
    try:
        assert found(repo, path, rules) == IgnoredFiles(expected, ())
    finally:
        if os.path.isdir(f"{path}/out/closed"):
            os.chmod(f"{path}/out/closed", 0o700)


def test_a_worktree_with_an_agents_ignored_files_is_removed_by_force_alone_or_as_the_rules_say(repo, path):
    since = moment(path)
    for name in ("out/a.js", "out/b.js", "x.log"):
        repo.write(name, at=path)
    rules = KeepRules(since, ("*", "!out"))
    assert worktree_status(repo.git, path, "main", "main", keep=rules).ignored == (("x.log",), ("out/a.js", "out/b.js"))
    for kept, patterns in ((("out/a.js", "out/b.js", "x.log"), ("*",)), (("x.log",), ("*", "!out"))):
        with pytest.raises(IgnoredWork) as refused:
            discard(repo, KeepRules(since, patterns))
        assert refused.value.files == kept
    assert os.path.isfile(f"{path}/x.log")
    os.unlink(f"{path}/x.log")
    assert discard(repo, rules).ignored == ("out/a.js", "out/b.js")
    assert not os.path.exists(path)


def found(repo, path, rules):
    return ignored_files(repo.git, path, rules, look_at(repo.git, path, ignored=True))


def discard(repo, rules):
    where = repo.seen.common, repo.worktree(), "overmind/api"
    return remove(repo.git, *where, force=False, base="main", keep=rules)


def test_very_many_files_are_named_in_part(repo, path, monkeypatch):
    monkeypatch.setattr(subject, "MOST", 3)
    since = moment(path)
    for number in range(5):
        repo.write(f"out/{number}", at=path)
    assert len(found(repo, path, KeepRules(since)).kept) == 3
    assert len(found(repo, path, KeepRules(since, ())).dropped) == 3


def test_the_files_of_a_repository_within_are_judged_with_it_and_those_of_a_submodule_are_the_agents(repo, path):
    repo.git(path, "init", "--quiet", "vendor/own")
    repo.git(path, "init", "--quiet", "lib")
    repo.commit("own.txt", at=f"{path}/lib")
    repo.write(".git/info/exclude", "made\n", at=f"{path}/lib")
    repo.write(".gitmodules", '[submodule "lib"]\npath = lib\nurl = ../lib\n', at=path)
    since = moment(path)
    repo.write("vendor/own/a", at=path)
    repo.write("lib/made", at=path)
    assert found(repo, path, KeepRules(since)).kept == ("lib/made",)


def test_a_moment_is_after_what_was_done_and_before_what_will_be(repo, path):
    for number in range(20):
        repo.write(f"{number}.log", at=path)
        now = moment(path)
        assert os.stat(f"{path}/{number}.log").st_ctime_ns < now
        repo.write(f"later{number}.log", at=path)
        assert os.stat(f"{path}/later{number}.log").st_ctime_ns >= now
    before = os.stat(path).st_mtime_ns
    moment(path)
    assert os.stat(path).st_mtime_ns == before
