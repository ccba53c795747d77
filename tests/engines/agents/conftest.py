"""Each test of this folder runs once with each real program that npm could fetch: `make test-agents` fetches them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.engines import leave_out
from tests.kit.messages_api import MessagesApi
from tests.kit.model_api import ModelApi
from tests.kit.overmind import Overmind
from tests.kit.own_screens import LOOKS, OwnScreen
from tests.kit.real_agents import SET_UPS, RealAgents


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test each program, unless it names those that it is for."""
    named = {mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")}
    for name, programs in (("provider", SET_UPS), ("program", LOOKS)):
        if name in metafunc.fixturenames and name not in named:
            metafunc.parametrize(name, list(programs))


@pytest.fixture
def api() -> Iterator[ModelApi]:
    """The models that the programs talk to."""
    with ModelApi() as running:
        yield running


@pytest.fixture
def agents(om: Overmind, provider: str, api: ModelApi, tmp_path: Path) -> RealAgents:
    """Missions with that program, in a project of their own."""
    programs = os.environ.get("OVERMIND_TEST_AGENTS", "")
    if not os.access(os.path.join(programs, provider), os.X_OK):
        leave_out("agents", f"the real {provider}: make test-agents")
    return RealAgents(om, str(tmp_path / "agents"), provider, programs, api)


@pytest.fixture
def screen(om: Overmind, program: str, tmp_path: Path) -> Iterator[OwnScreen]:
    """That program on its own screen."""
    path = os.path.join(os.environ.get("OVERMIND_TEST_AGENTS", ""), program)
    if program == "claude":
        path = os.environ.get("OVERMIND_CLAUDE_BIN", "")
    if not os.access(path, os.X_OK):
        leave_out("agents", f"the real {program}: make test-agents")
    with MessagesApi() if program == "claude" else ModelApi() as models:
        yield OwnScreen(om, str(tmp_path / "agents"), path, models)
        models.rest.set()
