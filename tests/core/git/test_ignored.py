"""What git ignores: as git says it, within a bounded time, and without running what a repository names."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from overmind_core.git import ignored as subject
from overmind_core.git.ignored import hiding_rule, ignored
from overmind_core.git.run import Git

NAMES = (".env", ".env.local", ".env.prod", "node_modules", "a\nb")
PATTERNS = {
    "nothing": ("", set()),
    "a comment": ("# .env\n", set()),
    "a name": (".env\n", {".env"}),
    "a name at the top": ("/.env\n", {".env"}),
    "a name below": ("x/.env\n", set()),
    "a name anywhere": ("**/.env\n", {".env"}),
    "a folder": (".env/\nnode_modules/\n", {"node_modules"}),
    "what a folder holds": ("node_modules/*\n", set()),
    "a sign of any kind": (".env*\n!.env.prod\n", {".env", ".env.local"}),
    "the last line counts": ("!.env\n.env\n", {".env"}),
    "a class": (".env.[a-m]*\n", {".env.local"}),
    "blanks at the end": (".env  \n", {".env"}),
    "a blank that is meant": (".env\\ \n", set()),
    "a name of two lines": ("a?b\n", {"a\nb"}),
}


@pytest.fixture(params=["a repository", "no repository"])
def project(request, tmp_path, repo):
    """A folder with all the names, and git for it."""
    folder = repo.path if request.param == "a repository" else str(tmp_path / "plain")
    os.makedirs(os.path.join(folder, "node_modules"))
    for name in NAMES:
        if name != "node_modules":
            write(folder, name)
    return folder, repo.git


def write(folder, name, text=""):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


@pytest.mark.parametrize("case", PATTERNS)
def test_what_a_line_means_git_says(project, case):
    folder, git = project
    text, expected = PATTERNS[case]
    write(folder, ".gitignore", text)
    before = set(os.listdir(folder))
    assert ignored(git, folder, NAMES) == expected
    assert set(os.listdir(folder)) == before


def test_what_is_tracked_is_not_ignored_and_what_only_this_clone_leaves_out_is(repo):
    write(repo.path, ".env")
    write(repo.path, ".gitignore", ".env\n")
    repo.git(repo.path, "add", "-f", ".env")
    os.makedirs(os.path.join(repo.path, ".git", "info"), exist_ok=True)
    write(repo.path, ".git/info/exclude", "node_modules\n")
    os.mkdir(os.path.join(repo.path, "node_modules"))
    assert ignored(repo.git, repo.path, NAMES) == {"node_modules"}


def test_a_name_that_is_no_utf_8_is_told_as_it_is(repo):
    name = os.fsdecode(b".env.\xff")
    write(repo.path, name)
    write(repo.path, ".gitignore", ".env*\n")
    assert ignored(repo.git, repo.path, [name]) == {name}


def test_a_repository_that_git_does_not_look_into_is_judged_by_its_file(tmp_path, world):
    write(tmp_path, ".git", "gitdir: /nowhere\n")
    write(tmp_path, ".gitignore", ".env\n")
    assert ignored(Git(world), str(tmp_path), NAMES) == {".env"}


def test_nothing_runs_that_a_repository_names(repo, tmp_path):
    mark, program = str(tmp_path / "ran"), str(tmp_path / "monitor")
    write(tmp_path, "monitor", f"#!/bin/sh\necho ran >> {mark}\nexit 1\n")
    os.chmod(program, 0o755)
    write(repo.path, ".gitignore", ".env\n")
    repo.git(repo.path, "config", "core.fsmonitor", program)
    repo.git(repo.path, "update-index", "--fsmonitor")
    for command in (["status"], ["check-ignore", ".env"]):
        subprocess.run(["git", *command], cwd=repo.path, env=repo.git.environ, check=True, stdout=subprocess.DEVNULL)
        os.remove(mark)  # asked without care, git has run it
    assert ignored(repo.git, repo.path, NAMES) == {".env"}
    assert not os.path.exists(mark)


def test_a_file_that_never_ends_holds_nobody_up(repo, monkeypatch):
    monkeypatch.setattr(subject, "SECONDS", 0.3)
    os.mkfifo(os.path.join(repo.path, ".gitignore"))
    began = time.monotonic()
    assert ignored(repo.git, repo.path, NAMES) == set()
    assert time.monotonic() - began < 10


def test_without_git_or_the_folder_nothing_is_ignored(repo, tmp_path):
    write(repo.path, ".gitignore", ".env\n")
    assert ignored(Git({"PATH": str(tmp_path)}), repo.path, NAMES) == set()
    assert ignored(repo.git, str(tmp_path / "gone"), NAMES) == set()


def test_git_is_not_asked_about_nothing(tmp_path):
    assert ignored(Git({"PATH": str(tmp_path)}), "/nowhere", []) == set()


SPEC = ".overmind/specs/cart/"


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        (".gitignore", "*.log\n.overmind/\n", ".gitignore:2: .overmind/"),
        (".gitignore", "/.overmind/*\r\n", ".gitignore:1: /.overmind/*"),
        (".overmind/.gitignore", "specs\n", ".overmind/.gitignore:1: specs"),
        (".git/info/exclude", "# mine\n\n.overmind/specs/\n", ".git/info/exclude:3: .overmind/specs/"),
        (".gitignore", ".overmind/*\n!.overmind/specs/\n", None),
        (".gitignore", ".overmind/worktrees/\n", None),
        (".gitignore", "*.md\n", None),
    ],
)
@pytest.mark.parametrize("there", [False, True])
def test_the_line_that_hides_a_folder_is_named(repo, file, text, told, there):
    for name in (file, *([f"{SPEC}brief.md"] if there else [])):
        os.makedirs(os.path.dirname(os.path.join(repo.path, name)), exist_ok=True)
        write(repo.path, name, text)
    rule = hiding_rule(repo.git, repo.path, SPEC)
    assert (None if rule is None else rule.text) == told


def test_a_line_of_the_persons_own_settings_is_named_by_its_whole_path(repo, tmp_path):
    write(tmp_path, "mine", ".overmind\n")
    repo.git(repo.path, "config", "core.excludesFile", str(tmp_path / "mine"))
    rule = hiding_rule(repo.git, repo.path, SPEC)
    assert rule is not None
    assert rule.text == f"{tmp_path}/mine:1: .overmind"


def test_nothing_hides_a_path_where_git_can_not_say(repo, tmp_path):
    assert hiding_rule(repo.git, str(tmp_path), SPEC) is None
    assert hiding_rule(repo.git, repo.path, "../elsewhere/") is None
