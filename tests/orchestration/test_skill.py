"""Our instructions for orchestrators: they are printed, and each command in them is one that works."""

from __future__ import annotations

import re
import shlex

import pytest

from overmind_core.cli.command import find
from overmind_core.cli.parser import parse
from overmind_core.client import skill
from overmind_core.domain.agents.agent import Agent
from overmind_core.domain.agents.permission import permits
from overmind_core.errors import CODES

LINES = [
    line.strip().split("    ")[0] for line in skill.instructions().splitlines() if line.startswith("    overmind ")
]
COMMANDS = [f"{line}\n…\nEOF" if line.endswith("<<'EOF'") else line for line in LINES]


def test_there_are_examples():
    assert len(COMMANDS) > 10


@pytest.mark.parametrize("command", COMMANDS)
def test_each_example_runs_unasked(command):
    assert permits(command, Agent(orchestrator=True), "/work")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_example_is_understood(command):
    words = shlex.split(command.split(" <<")[0])[1:]
    name = "claude run" if words[0] == "claude" else words[0]
    parse(find(name), words[len(name.split()) :])


def test_each_option_that_is_named_exists():
    known = {name for command in ("claude run", "wait", "send", "ps", "logs", "kill") for one in find(command).options
             for name in one.names}  # fmt: skip
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", skill.instructions())) <= known


def test_each_error_that_is_explained_exists():
    table = skill.instructions().partition("| symptom |")[2]
    codes = set(re.findall(r"`([a-z_]+)`", table)) - {"crashed", "waiting", "limited"}
    assert codes <= set(CODES)
