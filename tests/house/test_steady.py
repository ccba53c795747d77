"""Tests wait for facts, and own everything outside of the process that they look at: what holds that of all of them."""

from __future__ import annotations

import ast
import os
import pwd
import subprocess
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.kit.overmind import REPOSITORY

TESTS = os.path.join(REPOSITORY, "tests")
KIT = os.path.join("tests", "kit", "")
SLEEPS = {
    "stage.py": 1,
    "test_campaign.py": 2,
    "test_client.py": 1,
    "test_conversations.py": 5,
    "test_five.py": 2,
    "test_handover.py": 2,
    "test_homes.py": 1,
    "test_isolation.py": 3,
    "test_keeper_killed.py": 1,
    "test_lease_watchdog.py": 1,
    "test_logs.py": 1,
    "test_merge.py": 1,
    "test_notes_killed.py": 2,
    "test_output.py": 1,
    "test_plans.py": 1,
    "test_queue_killed.py": 3,
    "test_queue_moments.py": 1,
    "test_rituals.py": 1,
    "test_signals.py": 4,
    "test_slow_terminal.py": 1,
    "test_spec_killed.py": 2,
    "test_supervisor_killed.py": 3,
    "test_sync_killed.py": 1,
    "test_worst_moments.py": 7,
}
"""How often a test's file outside of the kit sleeps. A number only falls: wait for the fact, by `eventually`.

Most of these choose the moment at which something is killed.
"""
ABSENT = "/non" + "existent"
"""The home of accounts that have none; on some machines it is there. The fixture `absent` is a path for that."""


def files() -> Iterator[tuple[str, str]]:
    """Name below the repository, and text, of each file of the tests."""
    for folder, _, names in os.walk(TESTS):
        for name in names:
            if name.endswith((".py", ".json", ".toml", ".txt")):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    yield os.path.relpath(path, REPOSITORY), file.read()


def sleeps(text: str) -> Iterator[int]:
    """The lines of a module that sleep for real: not for 0, and not on the clock of `in_process`, which is free."""
    modules = {"time"} if "in_process" in text else {"time", "asyncio"}
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Call(func=ast.Attribute(ast.Name(module), "sleep"), args=[seconds]) if module in modules:
                if not (isinstance(seconds, ast.Constant) and seconds.value == 0):
                    yield node.lineno


def test_a_test_waits_for_facts_and_no_more_of_them_sleep_than_did():
    places = defaultdict(list)
    for name, text in files():
        if ".sleep(" in text and name.endswith(".py") and not name.startswith(KIT):
            for line in sleeps(text):
                places[os.path.basename(name)].append(f"{name}:{line}")
    found = {name: len(lines) for name, lines in places.items()}
    more = {name: places[name] for name in found if found[name] > SLEEPS.get(name, 0)}
    assert not more, "a test sleeps: wait for the fact, by `eventually`"
    fewer = {name: found.get(name, 0) for name in SLEEPS if found.get(name, 0) < SLEEPS[name]}
    assert not fewer, "fewer sleep now: lower the number in SLEEPS"


def test_no_test_takes_a_path_for_absent_that_a_machine_may_have():
    assert [name for name, text in files() if ABSENT in text] == []


def test_the_person_who_runs_the_tests_is_nobody_of_this_machine():
    home = os.environ["HOME"]
    assert home != pwd.getpwuid(os.getuid()).pw_dir
    listed = subprocess.run(["git", "config", "--list", "--show-origin"], cwd="/", capture_output=True, text=True)
    origins = {line.partition("\t")[0] for line in listed.stdout.splitlines()}
    assert origins == {f"file:{home}/.gitconfig"}
    said = subprocess.run(["git", "var", "GIT_COMMITTER_IDENT"], cwd="/", capture_output=True, text=True, check=True)
    assert said.stdout.startswith("Tess <tess@example.com> ")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("import time\ntime.sleep(0.1)", [2]),
        ("time.sleep(PAUSE)", [1]),
        ("async def one():\n    await asyncio.sleep(random.random())", [2]),
        ("from tests.kit import in_process\nasyncio.sleep(3)\ntime.sleep(3)", [3]),
        ("asyncio.sleep(0); clock.sleep(5); sleep = 'sleep(5)'", []),
    ],
)
def test_a_sleep_is_seen_however_it_is_written(text, lines):
    assert list(sleeps(text)) == lines
