"""A git that only looks runs no program that the repository names; what a filter is, it is for the mission."""

from __future__ import annotations

import os

import pytest

from overmind_core.git.changes import names_between, worktree_changes
from overmind_core.git.checkout_state import changes_since, take_state
from overmind_core.git.conflict_marks import conflicting
from overmind_core.git.ignored import ignored
from overmind_core.git.look import look_at, look_at_index
from overmind_core.git.merge import TargetInUse, check_free, commit, remote_for, target_of
from overmind_core.git.nested import added_gitlinks, nested_repositories
from overmind_core.git.repository import checked_out, find_repository, is_ancestor
from overmind_core.git.run import HOME, MARK, Git, command_of
from overmind_core.git.status import is_landed, is_untouched, uncommitted_files, unmerged_commits, worktree_status
from overmind_core.git.unsaved import unsaved_repositories
from tests.kit.repositories import Repository

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""Git knows it everywhere."""
HOOKS = (
    "fsmonitor-watchman", "post-checkout", "post-commit", "post-index-change", "post-merge", "pre-auto-gc",
    "pre-commit", "pre-push", "prepare-commit-msg", "query-watchman", "reference-transaction",
)  # fmt: skip
SETTINGS = (
    "core.askPass", "core.editor", "core.fsmonitor", "core.pager", "core.sshCommand", "credential.helper",
    "diff.external", "diff.trap.command", "diff.trap.textconv", "filter.trap.clean", "filter.trap.smudge",
    "gpg.program", "interactive.diffFilter", "merge.trap.driver", "pager.diff", "pager.log", "pager.status",
    "sequence.editor",
)  # fmt: skip
FILTERS = {"filter.trap.clean", "filter.trap.smudge"}
TRAP = """\
#!/bin/sh
echo "${OVERMIND_GIT_FOR-} ${OVERMIND_HOME-}" > '%s'
cat
"""


@pytest.fixture
def trapped(tmp_path):
    """A repository in which every setting and hook that names a program names one that leaves its name in a folder."""
    one = Repository(str(tmp_path / "shop"))
    first = one.commit("first", {"a.txt": "one\n", "b.bin": "\0\n"})
    side = one.worktree("side")
    for checkout in (one, side):
        checkout.write({".gitattributes": "* diff=trap filter=trap merge=trap\n"})
    traps = tmp_path / "traps"
    traps.mkdir()
    for folder, names in ((one.path(".git", "hooks"), HOOKS), (str(traps), SETTINGS)):
        os.makedirs(folder, exist_ok=True)
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(TRAP % (tmp_path / f"ran-{name}"))
            os.chmod(path, 0o700)
    one.git("config", "core.hooksPath", one.path(".git", "hooks"))
    one.git("config", "log.showSignature", "true")
    for name in SETTINGS:
        one.git("config", name, str(traps / name))
    for checkout in (one, side):
        checkout.write({"a.txt": "two\n", "new.txt": "new\n"})
        os.utime(checkout.path("b.bin"), (1, 1))  # git has to look whether it has changed
    return one, first


def ran(folder):
    return {name.removeprefix("ran-") for name in os.listdir(folder) if name.startswith("ran-")}


def test_a_look_runs_no_hook_and_no_program_of_the_settings_but_filters(trapped, tmp_path):
    shop, first = trapped
    git = Git(shop.environ, "abcdefgh", home="/the/home")
    top, side = shop.folder, f"{shop.folder} side"
    found = find_repository(git, top)
    assert found is not None
    worktree_changes(git, top, "main")
    changes_since(git, top, take_state(git, top, str(tmp_path / "states")), str(tmp_path / "states"))
    worktree_status(git, side, "main", first)
    names_between(git, top, first, "HEAD")
    unmerged_commits(git, top, [first], ours=["main"], base=None, began=None)
    is_landed(git, top, first, first)
    look, index = look_at(git, top, ignored=True), look_at_index(git, top)
    nested_repositories(git, top, look, index)
    uncommitted_files(git, top, look, index)
    is_untouched(git, side, "main", first)
    unsaved_repositories(git, top)
    added_gitlinks(git, top, first, "HEAD")
    ignored(git, top, ["a.txt"])
    checked_out(git, top, "main")
    conflicting(git, top)
    is_ancestor(git, top, first, "main")
    shop.git("remote", "add", "origin", "/nowhere")
    remote_for(git, top, "main", None)
    target = target_of(git, top, "main")
    assert target is not None
    with pytest.raises(TargetInUse):
        check_free(git, target, EMPTY_TREE)
    assert ran(tmp_path) <= FILTERS
    shop.git("status")
    assert {"core.fsmonitor", "post-index-change"} <= ran(tmp_path)  # they are no duds


def test_a_commit_runs_the_hooks_as_ever_for_its_mission_and_its_home(trapped, tmp_path):
    shop, _ = trapped
    commit(Git({**shop.environ, HOME: "/another"}, "abcdefgh", home="/the/home"), shop.folder, "second")
    assert {"pre-commit", "post-commit", "filter.trap.clean"} <= ran(tmp_path)
    assert "core.fsmonitor" not in ran(tmp_path)
    assert "core.editor" not in ran(tmp_path)
    assert (tmp_path / "ran-pre-commit").read_text() == "abcdefgh /the/home\n"
    assert MARK == "OVERMIND_GIT_FOR"


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (("status",), "status"),
        (("-c", "a=b", "merge", "--abort"), "merge"),
        (("--git-dir=/x", "rev-list", "main"), "rev-list"),
        (("-c", "alias.x=!y", "-c", "commit", "push"), "push"),
        ((), ""),
    ],
)
def test_the_command_is_found_behind_its_options(words, command):
    assert command_of(words) == command
