"""The blueprints that we hand out are right."""

from __future__ import annotations

import glob
import os
import subprocess
import sys
from typing import Any

import pytest

from overmind_core.cli.context import Context
from overmind_core.cli.init import example
from overmind_core.cli.plans.blueprint import load
from overmind_core.domain.text.graph import order
from tests.kit.blueprint_texts import blueprint
from tests.kit.overmind import REPOSITORY

EXAMPLES = sorted(glob.glob("*.toml", root_dir=os.path.join(REPOSITORY, "examples")))


def loaded(name):
    return load(os.path.join(REPOSITORY, "examples", name), [], Context({"HOME": "/"}))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_right_without_a_warning(name, capsys):
    assert loaded(name).agents
    assert capsys.readouterr().err == ""


def test_all_that_are_promised_are_there():
    with open(os.path.join(REPOSITORY, "examples", "README.md"), encoding="utf-8") as file:
        told = file.read()

    assert {
        "linear.toml",
        "diamond.toml",
        "service.toml",
        "data.toml",
        "failure.toml",
        "ci.toml",
        "claude.toml",
    } == set(EXAMPLES)
    assert all(f"[{name}]({name})" in told for name in EXAMPLES)


def test_the_pipeline_tests_in_parallel_between_lint_and_build():
    found = loaded("ci.toml")
    names = order({agent.name: [one.agent for one in agent.depends_on] for agent in found.agents})

    assert names == ["lint", "test-words", "test-command", "build", "report"]
    assert [[one.agent for one in agent.depends_on] for agent in found.agents[1:3]] == [["lint"], ["lint"]]


def test_the_project_that_is_built_passes_its_own_checks(tmp_path):
    project = os.path.join(REPOSITORY, "examples", "ci-project")
    how: dict[str, Any] = {
        "cwd": project,
        "env": {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        "capture_output": True,
        "text": True,
    }

    lint = subprocess.run([sys.executable, "-W", "error", "scripts/lint.py", "tally", "tests"], **how)
    tests = subprocess.run([sys.executable, "-m", "unittest"], **how)

    assert (lint.returncode, lint.stdout) == (0, "6 files, 0 problems\n")
    assert (tests.returncode, tests.stderr.splitlines()[-1]) == (0, "OK")


def test_what_init_writes_is_right_and_shows_every_part():
    found = blueprint(example().decode(), name="blueprint")

    assert not found.by_name["check"].stays
    assert found.by_name["service"].ready is not None
    assert [one.agent for one in found.by_name["check"].depends_on] == ["count", "service", "measure"]
