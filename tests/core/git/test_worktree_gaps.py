"""Gaps of a worktree, which are known before one is made: filters without their programs, hooks that git ignores."""

from __future__ import annotations

import os

import pytest

from overmind_core.git.worktree_gaps import lost_hooks, missing_filters, untracked_hooks
from overmind_core.git.worktrees import add

GONE = "no-such-program"


def filtered(repo, **settings):
    """Two files have the filter `lost`; they were committed where its program was."""
    repo.commit("a.bin")
    repo.commit("b.bin")
    repo.commit(".gitattributes", "*.bin filter=lost\n")
    for key, value in settings.items():
        repo("config", f"filter.lost.{key}", value)


@pytest.mark.parametrize(
    ("settings", "required"),
    [
        ({"process": f"{GONE} filter-process", "required": "true"}, [True]),
        ({"process": f"{GONE} filter-process"}, [True]),
        ({"smudge": f"{GONE} smudge -- %f", "required": "true"}, [True]),
        ({"smudge": f"{GONE} smudge -- %f"}, [False]),
        ({"smudge": "./gone.sh", "required": "true"}, [True]),
        ({"smudge": "cat", "required": "true"}, []),
        ({"smudge": "git hash-object --stdin"}, []),
        ({"smudge": f"$HOME/{GONE}"}, []),
        ({"smudge": f"'{GONE}"}, []),
        ({"clean": GONE}, []),
        ({}, []),
    ],
    ids=str,
)
def test_a_filter_without_its_program_is_found_before_git_fails(repo, settings, required):
    filtered(repo, **settings)
    found = missing_filters(repo.git, repo.path)
    assert [one.is_required for one in found] == required
    program = "./gone.sh" if "./gone.sh" in settings.values() else GONE
    assert {one.text for one in found} <= {f"a.bin and 1 more: git's filter lost needs {program}, which is not on PATH"}


def test_a_filter_that_no_file_has_is_no_gap(repo):
    repo("config", "filter.lost.process", GONE)
    assert missing_filters(repo.git, repo.path) == []


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
