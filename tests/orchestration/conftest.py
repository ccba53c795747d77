"""Fixtures of the tests in which missions start missions."""

from __future__ import annotations

import pytest

from tests.kit.agents import Agents
from tests.kit.overmind import Overmind


@pytest.fixture
def agents(om: Overmind, tmp_path) -> Agents:
    """The stand-in as `claude`, in a home of its own."""
    return Agents(om, str(tmp_path / "bin"))
