"""Homes for tests that start our programs. The rooms of the quick tier have none of these fixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kit import home as homes
from tests.kit.agents import Agents
from tests.kit.overmind import Overmind
from tests.kit.shared_home import FAILED, SharedHome, shared


@pytest.fixture
def make_home(marker: str, tmp_path: Path) -> Iterator[Callable[[], Overmind]]:
    """Make as many homes as the test wants, side by side."""
    made: list[Overmind] = []

    def make() -> Overmind:
        made.append(homes.make(user_home=str(tmp_path), marker=marker))
        return made[-1]

    yield make
    left = [f"{overmind.home}: {what}" for overmind in made for what in homes.end(overmind)]
    assert not left, "left after the test:\n" + "\n".join(left)


@pytest.fixture(scope="session")
def shared_home(marker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedHome]:
    """One home for all tests of this test process that are marked `shared_home`."""
    with shared(user_home=str(tmp_path_factory.mktemp("daemons")), marker=marker) as home:
        yield home


@pytest.fixture
def om(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Overmind]:
    """The command line in an empty home: of its own, unless the test is marked `shared_home` and not `own_home`."""
    if not _shares(request.node):
        yield request.getfixturevalue("make_home")()
        return
    lender: SharedHome = request.getfixturevalue("shared_home")
    overmind = lender.lend(str(tmp_path))
    yield overmind
    left = lender.take_back(overmind, failed=request.node.stash.get(FAILED, False))
    assert not left, "left after the test:\n" + "\n".join(left)


def _shares(test: pytest.Item) -> bool:
    return bool(test.get_closest_marker("shared_home")) and not test.get_closest_marker("own_home")


@pytest.fixture
def home(om: Overmind) -> str:
    """The path of that home."""
    return om.home


@pytest.fixture
def agents(om: Overmind, tmp_path: Path) -> Agents:
    """The stand-in as `claude`, in a home of its own."""
    return Agents(om, str(tmp_path / "bin"))
