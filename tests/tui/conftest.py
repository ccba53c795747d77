"""The program in a test: against a real supervisor, or against missions that never change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.location import PyTestLocation
from textual.pilot import Pilot

from overmind_core.system.paths import Home
from overmind_tui.app import OvermindApp
from overmind_tui.world import World
from tests.kit.overmind import REPOSITORY, Overmind


@pytest.fixture(autouse=True)
def pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are kept where people look at them: in snapshots/."""

    def folder(_cls: type[SVGImageExtension], *, test_location: PyTestLocation) -> str:
        return str(Path(REPOSITORY, "snapshots", test_location.basename))

    monkeypatch.setattr(SVGImageExtension, "dirname", classmethod(folder))


@pytest.fixture
def program(om: Overmind) -> Callable[..., OvermindApp]:
    """Make the program for the home of the test."""

    def make(**how: Any) -> OvermindApp:
        world = World(om.home, 0o022, om.environment)
        return OvermindApp(Home(om.home), world, zone=UTC, **how)

    return make


async def until(pilot: Pilot[Any], look: Callable[[], object], *, what: str = "", tries: int = 400) -> None:
    """Let the program work until `look` comes true."""
    for _ in range(tries):
        if look():
            return
        await pilot.pause(0.05)
    raise AssertionError(f"not: {what or look}")
