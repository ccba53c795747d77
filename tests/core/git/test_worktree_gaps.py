"""Gaps of a worktree, which are known before one is made: filters without their programs, hooks that git ignores."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from overmind_core.domain.landing import MergeWay
from overmind_core.git.absent_filters import switched_off
from overmind_core.git.look import look_at
from overmind_core.git.merge import integrate, open_scratch
from overmind_core.git.worktree_gaps import absent_filters, filter_gaps, lost_hooks, untracked_hooks
from overmind_core.git.worktrees import add

GONE = "no-such-program"


def filtered(repo, **settings):
    """Two files have the filter `lost`; they were committed where its program was."""
    repo.commit("a.bin")
    repo.commit("b.bin")
    repo.commit(".gitattributes", "*.bin filter=lost\n")
    for key, value in settings.items():
        repo("config", f"filter.lost.{key}", value)


STAYS = "such files stay as committed"
REFUSES = f"{STAYS}, and the agent's own git refuses to add or check out any"
MAY = f"{STAYS}, and the agent's own git may refuse to add or check out any"
FILTERS = [
    ({"process": f"{GONE} filter-process", "required": "true"}, GONE, REFUSES),
    ({"process": f"{GONE} filter-process"}, GONE, MAY),
    ({"smudge": f"{GONE} smudge -- %f", "required": "true"}, GONE, REFUSES),
    ({"smudge": f"{GONE} smudge -- %f"}, GONE, STAYS),
    ({"smudge": "./gone.sh", "required": "true"}, "./gone.sh", REFUSES),
    ({"smudge": "cat", "required": "true"}, None, ""),
    ({"smudge": "git hash-object --stdin"}, None, ""),
    ({"smudge": f"$HOME/{GONE}"}, None, ""),
    ({"smudge": f"'{GONE}"}, None, ""),
    ({"clean": GONE}, None, ""),
    ({}, None, ""),
]


def gaps(repo):
    return filter_gaps(repo.git, repo.path, absent_filters(repo.git, repo.path))


@pytest.mark.parametrize(("settings", "program", "effect"), FILTERS, ids=str)
def test_a_filter_without_its_program_is_found_before_git_fails(repo, settings, program, effect):
    filtered(repo, **settings)
    about = f"a.bin and 1 more: git's filter lost needs {program}, which is not on PATH: {effect}"
    assert [one.text for one in gaps(repo)] == ([about] if program else [])


@pytest.mark.parametrize("settings", [row[0] for row in FILTERS if row[1]], ids=str)
def test_a_worktree_is_made_without_a_filter_whose_program_is_missing(repo, settings):
    filtered(repo, **settings)
    made = add(repo.git, repo.seen, repo.worktree(), ["mine"], None, False)
    assert made.notes == tuple(one.text for one in gaps(repo))
    path = repo.worktree()
    repo.write("new.txt", at=path)
    subprocess.run(["git", "add", "new.txt"], cwd=path, env=repo.git.environ, check=True)
    commit = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message=new"]
    subprocess.run(commit, cwd=path, env=repo.git.environ, check=True)  # as an agent, whose git knows of nothing
    for name in ("a.bin", "b.bin"):
        os.utime(os.path.join(path, name), (1, 1))  # git has to compare them
    assert look_at(repo.git, path).changed == ()
    repo.write("b.bin", "more\n", at=path)
    repo.git(path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--all", "--message=more")
    assert repo.git(path, "diff-tree", "--name-only", "--no-commit-id", "-r", "HEAD") == "b.bin"


def test_a_landing_takes_a_commit_whose_filter_is_missing(repo):
    filtered(repo)
    repo("checkout", "-q", "-b", "other")
    repo.commit("c.txt")
    repo("checkout", "-q", "main")
    repo.commit("d.txt")
    before = repo("rev-parse", "HEAD")
    repo("config", "filter.lost.process", GONE)
    repo("config", "filter.lost.required", "true")
    open_scratch(repo.git, repo.path, repo.worktree("scratch"), before)
    made = integrate(repo.git, repo.worktree("scratch"), MergeWay.MERGE, commit="other", target=before, message="both")
    assert repo("diff", "--name-only", before, made) == "c.txt"


def test_a_filter_counts_again_once_its_program_is_there(repo, tmp_path):
    filtered(repo, smudge=f"{GONE} now", clean="tr a-z A-Z", required="true")
    add(repo.git, repo.seen, repo.worktree(), ["mine"], None, False)
    environ = repo.git.environ
    assert switched_off(repo.worktree(), environ) == ["lost"]
    assert switched_off(repo.path, environ) == []
    program = tmp_path / GONE
    program.write_text("#!/bin/sh\ncat\n")
    program.chmod(0o755)
    assert switched_off(repo.worktree(), {**environ, "PATH": f"{tmp_path}:{environ['PATH']}"}) == []


def test_git_lfs_is_a_program_of_its_own(repo):
    filtered(repo, smudge="git lfs smudge -- %f")
    has_it = shutil.which("git-lfs", path=repo.git.environ["PATH"]) is not None
    assert [one.program for one in gaps(repo)] == ([] if has_it else ["git-lfs"])


def test_a_filter_that_no_file_has_is_no_gap(repo):
    repo("config", "filter.lost.process", GONE)
    assert gaps(repo) == []
    made = add(repo.git, repo.seen, repo.worktree(), ["mine"], None, False)
    assert made.notes == ()
    assert switched_off(repo.worktree(), repo.git.environ) == []


def hook(folder):
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "pre-commit")
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\nexit 1\n")
    os.chmod(path, 0o755)


def test_hooks_that_git_ignores_are_lost_in_a_worktree_until_somebody_puts_them_there(repo):
    repo.commit(".gitignore", ".husky/_\n")
    hook(f"{repo.path}/.husky/_")
    repo("config", "core.hooksPath", ".husky/_")
    assert untracked_hooks(repo.git, repo.path) == ".husky/_"
    path = repo.worktree()
    add(repo.git, repo.seen, path, ["overmind/api"], None, False)
    assert lost_hooks(repo.git, repo.path, path) == ".husky/_"
    hook(f"{path}/.husky/_")
    assert lost_hooks(repo.git, repo.path, path) is None


@pytest.mark.parametrize("folder", ["{top}/hooks", "~/hooks", "../hooks", "hooks", "nowhere", "", None])
def test_hooks_that_run_in_each_worktree_or_in_none_are_no_gap(repo, folder):
    hook(f"{repo.path}/hooks")
    repo("add", "--all")
    repo("commit", "-qm", "with hooks", "--no-verify")
    if folder is not None:
        repo("config", "core.hooksPath", folder.format(top=repo.path))
    assert untracked_hooks(repo.git, repo.path) is None
    path = repo.worktree()
    add(repo.git, repo.seen, path, ["overmind/api"], None, False)
    assert lost_hooks(repo.git, repo.path, path) is None
