"""Fixtures of the tests that talk to agents."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.agents import Agents
from tests.kit.cases import Cases
from tests.kit.overmind import Overmind


@pytest.fixture
def agents(om: Overmind, tmp_path) -> Agents:
    """The stand-in as `claude`, in a home of its own."""
    return Agents(om, str(tmp_path / "bin"))


@pytest.fixture
def cases() -> Iterator[Cases]:
    """A table of cases in one home."""
    table = Cases()
    yield table
    table.verdict()
