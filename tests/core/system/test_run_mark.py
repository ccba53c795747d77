"""The number that a run's processes wear: no two keepers share one, and a dead keeper frees its own."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

from overmind_core.system.run_mark import (
    BLOCK_SIZE,
    DEFAULT_LIMIT,
    MARK_UNKNOWN,
    NO_MARK,
    MarkPool,
    clear_mark,
    mark_of,
    unmarked_limit,
)

pytestmark = pytest.mark.linux
TOP = DEFAULT_LIMIT


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "marks")


@pytest.fixture
def lease(folder):
    made = []

    def make(home, top=TOP):
        made.append(MarkPool(folder, home, top=top))
        return made[-1]

    yield make
    for marks in made:
        marks.close()


def test_no_mark_equals_what_an_unmarked_process_wears(lease):
    marks = lease("/a")
    assert [marks.take() for _ in range(3)] == [TOP - 1, TOP - 2, TOP - 3]


def test_two_keepers_of_one_user_never_share_a_number(lease):
    one, two = lease("/a"), lease("/b")
    taken = [{marks.take() for _ in range(BLOCK_SIZE + 5)} for marks in (one, two)]
    assert not taken[0] & taken[1]
    assert all(len(marks) == BLOCK_SIZE + 5 for marks in taken)


def test_two_keepers_of_the_same_home_never_share_a_number_either(lease):
    assert lease("/a").take() != lease("/a").take()


def test_the_number_returned_is_the_last_to_be_given_again(lease):
    marks = lease("/a")
    first = marks.take()
    marks.give_back(first)
    assert [marks.take() for _ in range(BLOCK_SIZE)][-1] == first


def test_to_return_no_mark_is_harmless(lease):
    marks = lease("/a")
    marks.give_back(NO_MARK)
    assert marks.take() == TOP - 1


def test_a_home_gets_its_own_block_again_and_avoids_what_others_used(lease):
    one, two = lease("/a"), lease("/b")
    first, second = one.take(), two.take()
    one.close()
    two.close()
    assert lease("/c").take() < second < first
    assert lease("/b").take() == second


def test_a_block_that_another_home_left_is_better_than_none(lease):
    small = 2 * BLOCK_SIZE * 2
    blocks = [lease(f"/{number}", top=small) for number in range(2)]
    taken = {marks.take() for marks in blocks}
    late = lease("/late", top=small)
    assert late.take() == NO_MARK
    blocks[0].close()
    assert late.take() in taken


def test_a_keeper_that_is_killed_frees_its_block(lease, folder):
    code = (
        f"from overmind_core.system.run_mark import MarkPool; import os; MarkPool({folder!r}, '/a').take(); os.abort()"
    )
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.getcwd()}, check=False)
    assert lease("/a", top=unmarked_limit()).take() == unmarked_limit() - 1


def test_where_no_folder_can_be_made_there_are_no_marks():
    assert MarkPool("/proc/nowhere", "/a", top=TOP).take() == NO_MARK


def test_a_limit_too_small_for_a_block_means_no_marks(lease):
    assert lease("/a", top=4000).take() == NO_MARK


def test_the_leases_are_private(lease, folder):
    lease("/a").take()
    assert os.stat(folder).st_mode & 0o777 == 0o700
    assert os.stat(f"{folder}/0").st_mode & 0o777 == 0o600


def test_who_is_gone_wears_nothing_known():
    process = subprocess.Popen(["true"])
    process.wait()
    assert mark_of(process.pid) == MARK_UNKNOWN


def test_a_zombie_still_wears_its_mark_and_env_i_does_not_shed_it():
    before = resource.getrlimit(resource.RLIMIT_MSGQUEUE)
    resource.setrlimit(resource.RLIMIT_MSGQUEUE, (4321, before[1]))
    try:
        pid = os.posix_spawnp("env", ["env", "-i", "true"], dict(os.environ))
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert mark_of(pid) == 4321
        clear_mark()
        assert mark_of(os.getpid()) == unmarked_limit()
    finally:
        resource.setrlimit(resource.RLIMIT_MSGQUEUE, before)
        os.waitpid(pid, 0)
