"""The targets that people and CI rely on."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from tests.kit.overmind import REPOSITORY


def make(*words: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *words], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
    ).stdout


def test_help_names_each_target_once():
    listed = re.findall(r"^ +make ([a-z-]+) ", make("help"), re.MULTILINE)
    expected = "help setup run test test-claude test-docker lint types imports bench docs check"
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
        "scripts/demo-isolation",
        "scripts/docker-engine",
        "scripts/first-run",
        "scripts/generate-docs",
        "scripts/install-claude",
        "scripts/test-docker",
        "scripts/test-images",
    ],
)
def test_a_script_is_executable_and_has_no_syntax_error(path):
    script = os.path.join(REPOSITORY, path)
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)


@pytest.mark.parametrize("target", ["test", "check", "test-claude", "test-docker"])
def test_ci_runs(target):
    with open(os.path.join(REPOSITORY, ".ci", "run")) as file:
        assert re.search(rf"^(make|steadily) {target} \|\|", file.read(), re.MULTILINE)


def test_the_suite_does_not_ask_for_the_real_program():
    assert not {"CLAUDE", "DOCKER"} & set(re.findall("[A-Z]+", make("--dry-run", "test")))
    assert "OVERMIND_TEST_CLAUDE=1" in make("--dry-run", "test-claude")
