"""Another git in the way is waited for, on a clock of the test's own; a lock that stays is named, with what to do."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from overmind_core.git import run
from overmind_core.git.run import GitFailed, held_lock, retry_while_locked
from tests.kit.cases import tabled

HELD = "fatal: Unable to create '/shop/.git/index.lock': File exists.\n\nAnother git process seems to be running"
PASSING = [
    HELD,
    "error: could not lock config file .git/config: File exists",
    "fatal: failed to read /shop/.git/worktrees/a/commondir: Success",
    "fatal: bad object worktrees/a/HEAD",
    "fatal: Invalid path '/shop/.git/worktrees/a': No such file or directory",
    "fatal: could not create leading directories of '/shop/.git/worktrees/a/.git': File exists",
    "error: cannot lock ref 'refs/heads/a': unable to resolve reference 'refs/heads/a'",
    "error: cannot lock ref 'refs/heads/a': is at 1234 but expected 5678",
    "fatal: cannot update ref 'refs/heads/a': trying to write non-commit object",
]
LASTING = [
    "fatal: not a git repository",
    "error: cannot lock ref 'refs/heads/a': 'refs/heads' exists; cannot create 'refs/heads/a'",
    "fatal: Unable to create '/shop/.git/index.lock': Permission denied",
    "",
]


@pytest.fixture
def clock(monkeypatch):
    made = SimpleNamespace(now=50.0, slept=[])

    def sleep(seconds):
        made.slept.append(seconds)
        made.now += seconds

    monkeypatch.setattr(run, "time", SimpleNamespace(monotonic=lambda: made.now, sleep=sleep))
    return made


class Attempt:
    """An attempt that fails so often, with these words."""

    def __init__(self, output, times):
        self.output, self.left, self.tries = output, times, 0

    def __call__(self):
        self.tries += 1
        if self.left > 0:
            self.left -= 1
            raise GitFailed(("commit",), 128, self.output)
        return "done"


@tabled("output", PASSING)
def test_what_passes_is_tried_again(output):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda _: None))
        attempt = Attempt(output, 3)
        assert (retry_while_locked(attempt), attempt.tries) == ("done", 4)


@tabled("output", LASTING)
def test_what_stays_is_tried_once(output):
    attempt = Attempt(output, 3)
    with pytest.raises(GitFailed) as failed:
        retry_while_locked(attempt)
    assert (attempt.tries, failed.value.output) == (1, output)


def test_a_lock_is_waited_for_longer_than_a_large_commit_takes_and_not_for_ever(clock):
    attempt = Attempt(HELD, 10_000)
    with pytest.raises(GitFailed) as failed:
        retry_while_locked(attempt)
    assert 5.0 <= clock.now - 50.0 <= 10.0
    assert failed.value.output.startswith("fatal: /shop/.git/index.lock is held by another git, or was left by one")
    assert (failed.value.words, failed.value.code) == (("commit",), 128)


def test_pauses_grow_so_that_a_short_lock_costs_little_and_a_long_one_few_tries(clock):
    with pytest.raises(GitFailed):
        retry_while_locked(Attempt(HELD, 10_000), seconds=2.0)
    assert clock.slept[0] < 0.05
    assert clock.slept == sorted(clock.slept)
    assert 0.2 <= clock.slept[-1] <= 0.5
    assert 2.0 <= clock.now - 50.0 <= 2.5
    assert len(clock.slept) < 15


def test_without_patience_it_is_tried_once(clock):
    attempt = Attempt(HELD, 3)
    with pytest.raises(GitFailed):
        retry_while_locked(attempt, seconds=0.0)
    assert (attempt.tries, clock.slept) == (1, [])


def test_what_no_lock_explains_is_told_as_git_told_it(clock):
    with pytest.raises(GitFailed) as failed:
        retry_while_locked(Attempt("fatal: bad object worktrees/a/HEAD", 10_000))
    assert failed.value.output == "fatal: bad object worktrees/a/HEAD"


def test_the_file_that_is_held_is_found_in_gits_words():
    assert held_lock(HELD) == "/shop/.git/index.lock"
    assert held_lock("error: could not lock config file .git/config: File exists") == ".git/config.lock"
    assert held_lock("fatal: not a git repository") is None
