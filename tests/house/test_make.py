"""The targets that people and CI rely on."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.kit import torture
from tests.kit.cases import tabled
from tests.kit.overmind import REPOSITORY

GIVEN = ("MAKE", "MFLAGS", "TESTS", "ARGS", "WORKERS")
"""How the names begin by which a make that runs these tests tells another one what itself was given."""


def make(*words: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(GIVEN)}
    return subprocess.run(
        ["make", *words], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
    ).stdout


def test_help_names_each_target_once():
    listed = re.findall(r"^ +make ([a-z-]+) ", make("help"), re.MULTILINE)
    expected = "help setup run test test-process test-all test-long torture test-agents test-claude test-docker"
    expected += " test-postgres test-pools test-web lint types imports bench docs check"
    assert set(expected.split()) <= set(listed)
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("tool", ["ruff check", "ruff format --check", "mypy", "lint-imports"])
def test_check_runs_each_tool(tool):
    assert tool in make("--dry-run", "check")


@pytest.mark.parametrize(
    "path",
    [
        ".ci/run",
        "scripts/setup",
        "scripts/demo-engine",
        "scripts/demo-isolation",
        "scripts/demo-swarm",
        "scripts/docker-engine",
        "scripts/first-run",
        "scripts/generate-docs",
        "scripts/install-agents",
        "scripts/install-axe",
        "scripts/install-claude",
        "scripts/install-python-program",
        "scripts/install-slurm",
        "scripts/must",
        "scripts/postgres-server",
        "scripts/test-docker",
        "scripts/test-images",
        "scripts/test-pools",
        "scripts/test-postgres",
        "scripts/test-web",
    ],
)
def test_a_script_is_executable_and_has_no_syntax_error(path):
    script = os.path.join(REPOSITORY, path)
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)


def test_torture_has_all_rounds_and_the_suite_a_part_of_them():
    assert "OVERMIND_TEST_TORTURE=1" in make("--dry-run", "torture")
    importing = r"^(from tests.kit import .*\btorture\b|from hypothesis import .*\bgiven\b)"
    tests = Path(REPOSITORY, "tests")
    expected = {
        str(path.relative_to(REPOSITORY))
        for path in tests.rglob("test_*.py")
        if path.parts[len(tests.parts)] != "engines" and re.search(importing, path.read_text(), re.MULTILINE)
    }
    assert len(expected) > 10
    assert expected == set(re.findall(r"tests/\S+\.py", make("--dry-run", "torture")))
    assert "TORTURE" not in make("--dry-run", "test")
    assert (torture.portion(40), torture.portion(3), torture.some("abcdefgh")) == (
        (40, 3, list("abcdefgh")) if torture.WHOLE else (10, 1, ["a", "e"])
    )


@pytest.mark.linux
@tabled(
    ("target", "workers"),
    [
        ("test", lambda cores: cores + 1),
        ("test-process", lambda cores: cores * 3),
        ("test-agents", lambda cores: cores),
        ("test-claude", lambda cores: cores + 1),
        ("test-postgres", lambda cores: cores * 4),
        ("test-web", lambda cores: cores),
    ],
)
def test_a_target_has_as_many_workers_as_its_tests_wait(target, workers):
    number = re.compile(r"(?:-n |WORKERS=)(\d+)")
    assert number.findall(make("--dry-run", target)) == [str(workers(len(os.sched_getaffinity(0))))]
    assert number.findall(make("--dry-run", target, "WORKERS=7")) == ["7"]


def test_what_is_run_brings_only_what_it_needs_and_what_tests_it_the_rest():
    prepared = {target: make("--dry-run", "--always-make", target) for target in ("run", "test", "check", "setup")}
    assert {target: re.findall(r"scripts/setup (\w+)", steps) for target, steps in prepared.items()} == {
        "run": ["run"],
        "test": ["run", "all"],
        "check": ["run", "all"],
        "setup": ["run", "all"],
    }


def test_the_suite_does_not_ask_for_the_real_program():
    engines = {"AGENTS", "CLAUDE", "DOCKER", "POOLS", "POSTGRES"}
    assert not engines & set(re.findall("[A-Z]+", make("--dry-run", "test")))
    assert "OVERMIND_TEST_CLAUDE=1" in make("--dry-run", "test-claude")
