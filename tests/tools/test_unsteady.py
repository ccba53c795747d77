"""The list of unsteady tests: its rows, what is wrong with it, and how its tests are repeated at night."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta

import pytest

from scripts.landing import unsteady
from scripts.landing.unsteady import TIMES, Row, find_target, judge, read_row, read_rows, write_row
from tests.kit.cases import tabled
from tests.kit.overmind import REPOSITORY

TODAY = date(2026, 3, 20)


def listed(name, days_ago):
    return Row(f"tests/test_a.py::{name}", TODAY - timedelta(days_ago), "no")


@tabled(
    "row",
    [
        Row("tests/test_a.py::test_it", TODAY, "AssertionError: no"),
        Row("tests/test_a.py::TestIt::test_it[a b]", TODAY, "no", "OVERMIND_TEST_SEED=12"),
        Row("tests/test_a.py::test_it[a | [b] | c]", TODAY, "this | that", "--hypothesis-seed=12"),
        Row("tests/test_a.py::test_it", TODAY, ""),
    ],
)
def test_a_row_is_read_as_it_is_written(row):
    assert read_row(write_row(row)) == row


def test_a_long_message_is_cut():
    row = read_row(write_row(Row("tests/test_a.py::test_it", TODAY, "x" * 500)))
    assert row is not None
    assert row.message == "x" * 160 + "…"


def test_comments_and_empty_lines_are_no_rows_and_what_else_is_none_is_named():
    rows, wrong = read_rows("# why\n\nt.py::a | 2026-03-20 | no | -\nt.py::b\nt.py::c | 2026-02-30 | no | -\n")
    assert [row.name for row in rows] == ["t.py::a"]
    assert wrong == ["t.py::b", "t.py::c | 2026-02-30 | no | -"]


@pytest.mark.parametrize(
    ("rows", "earlier", "expected"),
    [
        ([], [], []),
        ([listed("a", 0), listed("b", 14)], [], []),
        ([listed("a", 15)], [], ["tests/test_a.py::a is listed since 2026-03-05, 15 days."]),
        ([listed("a", -1)], [], ["tests/test_a.py::a has a date that is not there yet: 2026-03-21."]),
        ([listed(name, 1) for name in "abcde"], [], []),
        ([listed(name, 1) for name in "abcdef"], [], ["The list has 6 rows, 5 at most are allowed."]),
        (
            [listed("a", 0), listed("b", 3), listed("a", 14)],
            [],
            ["tests/test_a.py::a is listed twice within 14 days: 2026-03-06, 2026-03-20."],
        ),
        (
            [listed("a", 0), listed("a", 0)],
            [],
            ["tests/test_a.py::a is listed twice within 14 days: 2026-03-20, 2026-03-20."],
        ),
        ([listed("a", 0)], [listed("a", 0), listed("b", 1)], []),
        ([listed("a", 0)], [listed("a", 15)], []),
        ([], [listed("a", 3), listed("a", 4)], []),
        (
            [listed("a", 0)],
            [listed("a", 0), listed("a", 9)],
            ["tests/test_a.py::a is listed twice within 14 days: 2026-03-11, 2026-03-20."],
        ),
    ],
    ids=[
        "empty", "young", "old", "of tomorrow", "five", "six", "twice", "twice a day", "its own history", "long ago",
        "mended", "came back",
    ],
)  # fmt: skip
def test_the_list_is_judged(rows, earlier, expected):
    assert judge(rows, earlier=earlier, today=TODAY) == expected


def test_a_line_that_is_no_row_is_wrong():
    assert judge([], ["t.py::b"], today=TODAY) == ["This line is no row: t.py::b"]


@tabled(
    ("name", "target"),
    [
        ("tests/core/test_a.py::test_it", "test"),
        ("tests/walk/test_a.py::test_it[tests/process/x]", "test"),
        ("tests/process/contract/test_a.py::test_it", "test-process"),
        ("tests/engines/postgres/swarm/test_a.py::test_it", "test-postgres"),
        ("tests/engines/web/test_a.py::test_it", "test-web"),
    ],
)
def test_the_folder_of_a_test_names_its_target(name, target):
    assert find_target(name) == target


@pytest.fixture
def repository(tmp_path):
    """A repository with a list that had other rows before."""

    def git(*words):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=tmp_path, check=True)

    (tmp_path / ".ci").mkdir()
    git("init", "--quiet")
    for number, lines in enumerate([["tests/test_a.py::test_it | 2026-03-11 | no | -"], [], ["# none"]]):
        (tmp_path / unsteady.PATH).write_text("".join(f"{line}\n" for line in lines) or f"# {number}\n")
        git("add", ".")
        git("commit", "--quiet", "--message", f"test: {number}")
    return tmp_path


def run_unsteady(folder, *words, **environment):
    environ = {**os.environ, "PYTHONPATH": REPOSITORY, **environment}
    command = [sys.executable, "-m", "scripts.landing.unsteady", *words]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60)


def test_the_command_judges_the_list_with_its_history(repository):
    assert run_unsteady(repository, "judge", "2026-03-20").returncode == 0
    (repository / unsteady.PATH).write_text("tests/test_a.py::test_it | 2026-03-20 | no | -\n")
    finished = run_unsteady(repository, "judge", "2026-03-20")
    assert finished.returncode == 1
    assert finished.stdout == (
        ".ci/unsteady: tests/test_a.py::test_it is listed twice within 14 days: 2026-03-11, 2026-03-20.\n"
    )
    assert run_unsteady(repository).returncode == 2


TESTS = """
import pytest
@pytest.mark.parametrize("word", ["a-1", "b"])
def test_it(word): print("RUN", word)
def test_plain(): print("RUN plain")
def test_other(): assert False
"""


@pytest.fixture
def repeated(tmp_path):
    """Listed tests, and a `make` that runs pytest as the Makefile does."""

    def run(*names):
        (tmp_path / ".ci").mkdir()
        rows = "".join(f"tests/test_a.py::{name} | 2026-03-20 | no | -\n" for name in names)
        (tmp_path / unsteady.PATH).write_text(rows)
        (tmp_path / "tests").mkdir()
        (tmp_path / "tests" / "test_a.py").write_text(TESTS)
        words = f"-q -s -p no:cacheprovider -c /dev/null --rootdir={tmp_path}"
        program = tmp_path / "make"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m pytest {words} "${{2#TESTS=}}" ${{3#ARGS=}}\n')
        program.chmod(0o700)
        path = f"{tmp_path}:{os.environ['PATH']}"
        return run_unsteady(tmp_path, "repeat", PATH=path, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")

    return run


def test_each_listed_test_runs_twenty_times_and_no_other(repeated):
    finished = repeated("test_it[a-1]", "test_plain")
    assert finished.returncode == 0, finished.stdout
    assert finished.stdout.count("RUN a-1") == finished.stdout.count("RUN plain") == TIMES == 20
    assert "RUN b" not in finished.stdout


@pytest.mark.parametrize("name", ["test_other", "test_gone"], ids=["fails", "is missing"])
def test_a_listed_test_that_fails_or_is_missing_is_red(repeated, name):
    assert repeated("test_plain", name).returncode == 1


def test_an_empty_list_repeats_nothing(repeated):
    finished = repeated()
    assert (finished.returncode, finished.stdout) == (0, "")
