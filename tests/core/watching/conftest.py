"""What tests of watching share: a home, and the environment of a stand-in agent."""

from __future__ import annotations

import pytest

from overmind_core.system.paths import Home
from tests.kit.in_process import world


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path / "home"))


@pytest.fixture
def environment(tmp_path):
    return world(str(tmp_path / "bin"), "claude")
