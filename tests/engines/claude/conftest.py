"""Each test of this folder runs twice: with the stand-in, and with the real program, where that is asked for.

A test that is marked with `claude` runs with the real one alone. `make test-claude` fetches that, names it in
OVERMIND_CLAUDE_BIN and sets OVERMIND_TEST_CLAUDE. Where OVERMIND_TEST_MUST names claude, it is asked for.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator

import pytest

from tests.kit import claude
from tests.kit.agent_world import AgentWorld
from tests.kit.agents import Agents
from tests.kit.engines import leave_out
from tests.kit.hook_log import HookLog
from tests.kit.messages_api import MessagesApi
from tests.kit.overmind import Overmind

REAL = pytest.param("real", marks=pytest.mark.claude)


@pytest.hookimpl(tryfirst=True)  # before its fixtures
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out a test with the real program, unless somebody asked for that."""
    if item.get_closest_marker("claude") and not os.environ.get("OVERMIND_TEST_CLAUDE"):
        leave_out("claude", "the real claude: make test-claude")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give `program` its two values, also to a test that uses it by way of another fixture."""
    if "program" in metafunc.fixturenames:
        real_only = metafunc.definition.get_closest_marker("claude") is not None
        metafunc.parametrize("program", [REAL] if real_only else ["stand-in", REAL], indirect=True)


@pytest.fixture
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Path of a `claude`."""
    if request.param == "real":
        return os.environ["OVERMIND_CLAUDE_BIN"]
    return claude.install(str(tmp_path_factory.mktemp("program")))


@pytest.fixture
def real(request: pytest.FixtureRequest) -> bool:
    """Whether this is the real program: for what the stand-in need not know."""
    return "real" in request.node.callspec.id.split("-")


@pytest.fixture
def api() -> Iterator[MessagesApi]:
    """The API that the real program talks to."""
    with MessagesApi() as running:
        yield running


@pytest.fixture
def make_world(program: str, api: MessagesApi, marker: str) -> Iterator[Callable[[], AgentWorld]]:
    """Make as many persons with a project as the test wants."""
    folders: list[tempfile.TemporaryDirectory[str]] = []

    def make() -> AgentWorld:
        folders.append(tempfile.TemporaryDirectory(prefix="om-claude-", dir="/tmp", ignore_cleanup_errors=True))
        return AgentWorld(folders[-1].name, program, api.url, marker)

    yield make
    for folder in folders:
        folder.cleanup()


@pytest.fixture
def world(make_world: Callable[[], AgentWorld]) -> AgentWorld:
    """A person with a project and the program."""
    return make_world()


@pytest.fixture
def hooks(world: AgentWorld) -> HookLog:
    """Hooks that write down what they are told."""
    return HookLog(os.path.dirname(world.work))


@pytest.fixture
def agents(om: Overmind, world: AgentWorld) -> Agents:
    """Missions with that program, in that person's project."""
    om.environment |= world.environment
    return Agents(om, os.path.dirname(world.work), program=world.program, work=world.work)
