"""Tiers: the folder of a test's file says with which target it runs, and each test runs with exactly one."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.kit import home as homes
from tests.kit import tiers
from tests.kit.cases import tabled
from tests.kit.keeper_client import KeeperProcess
from tests.kit.overmind import REPOSITORY

ENGINES = ("agents", "claude", "docker", "pools", "postgres", "web")
TARGETS = ("test", "test-process", "test-long", *(f"test-{engine}" for engine in ENGINES))
"""Each target that runs tests of its own; others run the same again. What is long beside an engine runs at night."""


def dry_run(target: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "--dry-run", target, "TESTS=", "ARGS=", "WORKERS="]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True).stdout


def collected(target: str) -> set[str]:
    """Return the files below `tests/` that a target collects: what it names without what it ignores."""
    words = dry_run(target)
    ignored = re.findall(r"--ignore=([\w/-]+)", words)
    named = re.findall(r"(?<![\w/=.-])tests(?:/[\w-]+)*(?![\w./-])", words)
    assert named, words
    return {file for file in FILES if _below(file, named) and not _below(file, ignored)}


def _below(file: str, folders: list[str]) -> bool:
    return any(file.startswith(f"{folder}/") for folder in folders)


FILES = sorted(str(path.relative_to(REPOSITORY)) for path in Path(REPOSITORY, "tests").rglob("test_*.py"))


def test_each_test_runs_with_exactly_one_target():
    runs = Counter(file for target in TARGETS for file in collected(target))
    at_night = {file for file in FILES if re.match("tests/engines/[a-z]+/long/", file)}
    assert not [file for file in FILES if runs[file] != (0 if file in at_night else 1)]


@tabled("target", TARGETS)
def test_a_target_collects_by_folder_alone(target):
    assert not re.search(r"pytest[^\n]* (-m|-k|--deselect)\b", dry_run(target).replace("-m pytest", "pytest"))


@tabled(
    ("file", "starts"),
    [
        ("core/keeper/test_loop.py", False),
        ("house/test_tiers.py", False),
        ("processes/test_x.py", False),
        ("process/core/test_hook.py", True),
        ("process/long/faults/test_campaign.py", True),
        ("walk/tui/test_plans.py", True),
        ("engines/web/test_log.py", True),
    ],
)
def test_the_folder_says_whether_our_programs_may_be_started(file, starts):
    assert tiers.may_start(os.path.join(REPOSITORY, "tests", file)) is starts


@pytest.mark.parametrize(
    "start",
    [lambda: homes.make(user_home="/", marker=""), lambda: KeeperProcess("/", marker="")],
    ids=["a home", "a keeper"],
)
def test_a_test_of_a_quick_room_that_starts_our_programs_fails_by_name(start):
    with pytest.raises(AssertionError, match=r"in a quick room: .* stands in tests/process/"):
        start()


def test_a_quick_room_has_no_fixture_of_homes(request):
    names = ("make_home", "om", "home", "shared_home", "site", "agents", "headless", "start_keeper")
    assert not [name for name in names if request._fixturemanager.getfixturedefs(name, request.node)]


def test_a_law_has_its_name_in_one_tier_alone():
    """A file and the other half of it, in another tier, hold different laws; at night there are more cases of one."""
    laws = {
        (re.sub("/long/", "/", file), law)
        for file in FILES
        for law in re.findall(r"^(?:async )?def (test_\w+)", Path(REPOSITORY, file).read_text(), re.MULTILINE)
    }
    named = Counter((re.sub("^tests/(?:process|walk|engines)/", "tests/", file), law) for file, law in laws)
    assert not [law for law, number in named.items() if number > 1]
