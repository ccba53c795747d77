"""The changes of a checkout since a moment, by whomever, and without a trace of that moment in it."""

from __future__ import annotations

import os
import subprocess

import pytest

from overmind_core.git import changes, checkout_state
from overmind_core.git.checkout_state import changes_since, take_state
from overmind_core.git.run import Git, GitFailed
from tests.kit.repositories import Repository


class Shop(Repository):
    """A checkout in which a person has edits, and the folder for what is kept of its states."""

    def __init__(self, tmp_path):
        super().__init__(str(tmp_path / "shop: a"))
        self.objects = str(tmp_path / "home" / "states")
        self.git_of_quest = Git(self.environ)
        self.commit("first", {"kept": "1\n", "edited": "1\n", "gone": "1\n", ".gitignore": "*.log\n"})
        self.write({"edited": "1\nby the person\n", "new": "by the person\n", "some.log": "x\n"})

    def state(self, folder=""):
        return take_state(self.git_of_quest, self.path(folder), self.objects)

    def since(self, state, folder=""):
        return changes_since(self.git_of_quest, self.path(folder), state, self.objects)

    def statuses(self, state):
        return {one.path: one.status for one in self.since(state).files}


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def test_only_what_came_later_is_shown_and_nobody_sees_that_it_was_looked(shop):
    before = shop.traces(), shop.git("status", "--porcelain")
    state = shop.state()
    assert (shop.since(state).files, shop.since(state).diff, shop.since(state).commits) == ((), "", ())
    assert (shop.traces(), shop.git("status", "--porcelain")) == before, "no object, no name, no index, no lock"
    shop.write({"edited": "1\nby the person\nby the quest\n", "sub/made": "2\n", "other.log": "y\n"})
    os.unlink(shop.path("gone"))
    os.rename(shop.path("new"), shop.path("moved"))
    found = shop.since(state)
    assert {one.path: one.status for one in found.files} == {"edited": "M", "gone": "D", "moved": "R", "sub/made": "?"}
    assert "+by the quest\n" in found.diff
    assert "+by the person" not in found.diff
    assert (found.branch, found.since, found.cut) == ("main", state.head, "")


def undo(shop):
    shop.git("checkout", "-q", "edited")


def commit(shop):
    shop.write({"kept": "2\n"})
    shop.commit("by the quest", {})


def stage(shop):
    shop.write({"kept": "2\n"})
    shop.git("add", "kept")


def amend(shop):
    shop.git("commit", "-q", "--amend", "--allow-empty", "-m", "another")


def ignore(shop):
    shop.write({".gitignore": "*.log\nnew\n"})


def ignore_and_edit(shop):
    shop.write({".gitignore": "*.log\nnew\n", "new": "by the quest\n"})


def force(shop):
    shop.git("add", "-f", "some.log")


def turn_into_a_folder(shop):
    os.unlink(shop.path("new"))
    shop.write({"new/inside": "1\n"})


def branch(shop):
    shop.git("stash", "-q")
    shop.git("checkout", "-q", "-b", "other")
    shop.git("stash", "pop", "-q")


@pytest.mark.parametrize(
    ("act", "statuses", "subjects"),
    [
        (undo, {"edited": "M"}, []),
        (commit, {"kept": "M"}, ["by the quest"]),
        (stage, {"kept": "M"}, []),
        (amend, {}, ["another"]),
        (ignore, {".gitignore": "M"}, []),
        (ignore_and_edit, {".gitignore": "M", "new": "M"}, []),
        (force, {"some.log": "A"}, []),
        (turn_into_a_folder, {"new": "D", "new/inside": "?"}, []),
        (branch, {}, []),
    ],
)
def test_a_file_has_changed_when_its_content_has_whatever_git_calls_it(shop, act, statuses, subjects):
    state = shop.state()
    act(shop)
    found = shop.since(state)
    assert {one.path: one.status for one in found.files} == statuses
    assert [one.subject for one in found.commits] == subjects


def test_each_state_is_kept_beside_the_earlier_ones(shop):
    first = shop.state()
    shop.write({"new": "in attempt 1\n"})
    second = shop.state()
    shop.write({"more": "in attempt 2\n"})
    assert shop.statuses(first) == {"new": "M", "more": "?"}
    assert shop.statuses(second) == {"more": "?"}


def test_a_state_is_of_the_whole_checkout_also_before_the_first_commit(tmp_path):
    shop = Repository(str(tmp_path / "empty"))
    shop.write({"sub/mine": "1\n"})
    git, objects = Git(shop.environ), str(tmp_path / "states")
    state = take_state(git, shop.path("sub"), objects)
    assert state.head is None
    shop.write({"sub/mine": "1\n2\n"})
    shop.commit("first", {"beside": "1\n"})
    found = changes_since(git, shop.path("sub"), state, objects)
    assert {one.path: one.status for one in found.files} == {"beside": "A", "sub/mine": "M"}


def test_a_worktree_an_unfinished_merge_and_a_submodule_have_states_too(shop, tmp_path):
    module = Repository(str(tmp_path / "module"))
    module.commit("first", {"m": "1\n"})
    shop.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", module.folder, "module")
    shop.commit("all of it", {})
    worktree = Repository(shop.folder).worktree("side")
    worktree.commit("on the side", {"kept": "side\n"})
    shop.commit("on main", {"kept": "main\n"})
    subprocess.run(["git", "merge", "-q", "side"], cwd=shop.folder, env=shop.environ, check=False, capture_output=True)
    state = shop.state()
    assert shop.statuses(state) == {}
    shop.write({"kept": "both\n"})
    inner = Repository(shop.path("module"))
    inner.environ = module.environ
    inner.commit("within", {"m": "2\n"})
    assert shop.statuses(state) == {"kept": "M", "module": "M"}
    beside = take_state(shop.git_of_quest, worktree.folder, shop.objects)
    worktree.write({"kept": "more\n"})
    found = changes_since(shop.git_of_quest, worktree.folder, beside, shop.objects)
    assert [one.path for one in found.files] == ["kept"]


def test_a_large_file_is_known_by_its_size_and_time(shop, monkeypatch):
    monkeypatch.setattr(changes, "LARGE", 100)
    shop.write({"same": "s" * 101, "other": "o" * 101, "small": "s" * 99, "leaves": "l" * 101})
    state = shop.state()
    assert sorted(state.large) == ["leaves", "other", "same"]
    assert shop.statuses(state) == {}
    shop.write({"other": "o" * 102, "came": "c" * 101, "small": "s" * 101})
    os.unlink(shop.path("leaves"))
    found = shop.since(state)
    assert {one.path: one.status for one in found.files} == {"came": "?", "leaves": "D", "other": "?", "small": "?"}
    assert found.cut == "Too large to show: came, leaves, other, small."
    shop.git("add", "same")
    assert "same" not in shop.statuses(state)


def test_too_many_large_files_are_no_state(shop, monkeypatch):
    monkeypatch.setattr(checkout_state, "MOST_KEPT", 10)
    monkeypatch.setattr(checkout_state, "MOST_LARGE", 2)
    shop.write({f"data {number}": "x" * 11 for number in range(3)})
    with pytest.raises(GitFailed, match="large uncommitted files"):
        shop.state()


def test_a_git_that_takes_too_long_is_ended(shop):
    shop.git("config", "filter.slow.clean", "sleep 1000")
    shop.write({".gitattributes": "slow filter=slow\n", "slow": "x\n"})
    with pytest.raises(GitFailed, match=r"git (status|add) took more than 1 s"):
        take_state(Git(shop.environ, limit=1.0), shop.folder, shop.objects)


@pytest.mark.parametrize("damage", ["folder", "tree"])
def test_a_state_that_is_gone_is_no_answer(shop, damage):
    state = shop.state()
    if damage == "folder":
        subprocess.run(["rm", "-rf", shop.objects], check=True)
    else:
        state = state._replace(tree="0" * 39 + "1")
    with pytest.raises(GitFailed):
        shop.since(state)


def test_a_folder_in_no_repository_has_none(tmp_path, shop):
    with pytest.raises(GitFailed, match="not a git repository"):
        take_state(shop.git_of_quest, str(tmp_path), shop.objects)
    assert not os.path.exists(shop.objects)


def test_a_file_that_nobody_may_read_hides_no_other_one(shop):
    subprocess.run(["git", "init", "-q", "nested"], cwd=shop.folder, env=shop.environ, check=True)
    state = shop.state()
    shop.write({"kept": "2\n"})
    found = shop.since(state)
    assert [one.path for one in found.files] == ["kept"]
    assert "nested" in found.cut
