"""Branches of a remote that nothing here is configured for: what is there, what has landed, moving one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from overmind_core.git import remote
from overmind_core.git.run import Git, GitFailed
from tests.kit.repositories import Repository


class Shared:
    """A bare remote, one that works with it, and somebody else who does."""

    def __init__(self, tmp_path: Path) -> None:
        self.url = str(tmp_path / "shop.git")
        self.mine, self.other = Repository(str(tmp_path / "mine")), Repository(str(tmp_path / "other"))
        self.git = Git(self.mine.environ)
        self.mine.commit("first", {"app.py": "one\n"})
        self.mine.git("init", "-q", "--bare", "-b", "main", self.url)
        self.mine.git("push", "-q", self.url, "HEAD:refs/heads/main")
        self.fetch()

    def fetch(self) -> None:
        remote.fetch(self.git, self.mine.folder, self.url)

    def tip(self) -> str | None:
        return remote.tip_of(self.git, self.mine.folder, "main")

    def push(self, before: str, after: str) -> bool:
        return remote.push(self.git, self.mine.folder, self.url, "main", before=before, after=after)

    def move(self) -> str:
        """Somebody else lands something."""
        self.other.git("fetch", "-q", self.url, "main")
        self.other.git("checkout", "-q", "--detach", "FETCH_HEAD")
        commit = self.other.commit("theirs", {"theirs.py": "x\n"})
        self.other.git("push", "-q", self.url, "HEAD:refs/heads/main")
        return commit


@pytest.fixture
def shared(tmp_path):
    return Shared(tmp_path)


def test_a_branch_is_moved_once_and_known_as_moved(shared):
    before = shared.tip()
    after = shared.mine.commit("mine", {"app.py": "two\n"})
    assert shared.push(before, after)
    assert shared.tip() == after
    assert shared.mine.git("ls-remote", shared.url, "refs/heads/main").split()[0] == after


def test_what_somebody_else_has_moved_is_left_as_it_is(shared):
    before = shared.tip()
    theirs = shared.move()
    assert not shared.push(before, shared.mine.commit("mine", {"app.py": "two\n"}))
    shared.fetch()
    assert shared.tip() == theirs


def test_a_remote_that_refuses_says_why(shared):
    hook = Path(shared.url, "hooks", "pre-receive")
    hook.write_text("#!/bin/sh\necho frozen until Monday >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(GitFailed, match="frozen until Monday"):
        shared.push(shared.tip(), shared.mine.commit("mine", {"app.py": "two\n"}))


def test_a_branch_that_is_being_moved_at_this_moment_counts_as_moved(shared):
    Path(shared.url, "refs", "heads", "main.lock").touch()
    assert not shared.push(shared.tip(), shared.mine.commit("mine", {"app.py": "two\n"}))


def test_a_remote_that_is_not_there_is_an_error(shared):
    with pytest.raises(GitFailed):
        remote.fetch(shared.git, shared.mine.folder, f"{shared.url}.away")


def test_a_branch_that_is_not_there_has_no_tip(shared):
    assert remote.take(shared.git, shared.mine.folder, "gone") is None


@pytest.mark.parametrize(
    ("message", "quest", "found"),
    [
        ("Docs\n\nOvermind-Quest: 1a2b3c4d", "1a2b3c4d", True),
        ("Docs\n\nSigned-off-by: Ada\nOvermind-Quest: 1a2b3c4d", "1a2b3c4d", True),
        ("Docs\n\nOvermind-Quest: 1a2b3c4d", "1a2b3c4", False),
        ("Docs\n\nOvermind-Quest: 1a2b3c4d", "a2b3c4d", False),
        ("Revert what Overmind-Quest: 1a2b3c4d did", "1a2b3c4d", False),
        ("Docs", "1a2b3c4d", False),
    ],
)
def test_what_has_landed_is_known_by_its_trailer(shared, message, quest, found):
    before = shared.tip()
    after = shared.mine.commit(message, {"app.py": "two\n"})
    shared.push(before, after)
    assert remote.landed(shared.git, shared.mine.folder, "main", quest, since=before) == (after if found else None)


def test_what_is_older_than_the_work_is_not_looked_at(shared):
    before = shared.tip()
    after = shared.mine.commit("Docs\n\nOvermind-Quest: 1a2b3c4d", {"app.py": "two\n"})
    shared.push(before, after)
    assert remote.landed(shared.git, shared.mine.folder, "main", "1a2b3c4d", since=after) is None


def test_several_that_fetch_at_once_all_have_what_is_there(shared):
    """As quests of one repository do that begin and land at one hive: git itself fails all but the first."""
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            commit = shared.move()
            for one in [pool.submit(shared.fetch) for _ in range(4)]:
                one.result()
            assert shared.tip() == commit


def test_a_ref_that_stays_locked_is_said(shared):
    shared.move()
    lock = Path(shared.mine.git("rev-parse", "--absolute-git-dir"), f"{remote.REMOTE}main.lock")
    lock.touch()
    with pytest.raises(GitFailed, match="cannot lock ref"):
        shared.fetch()
    lock.unlink()
    shared.fetch()
