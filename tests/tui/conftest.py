"""The program in a test: against a real supervisor, or against missions that never change."""

from __future__ import annotations

import asyncio
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


@pytest.fixture
def opened(om, program):
    """Run the program with these missions until they are shown, then the scenario."""

    def open_with(missions, scenario, size=(120, 40), **how):
        for name, command in missions.items():
            om.mission(command, "--name", name)

        async def whole():
            app = program(**how)
            async with app.run_test(size=size) as pilot:
                await until(pilot, lambda: app.fleet.loaded and len(app.fleet.rows) >= len(missions), what="rows")
                await scenario(app, pilot)
            await asyncio.to_thread(app.departure.last_rites)

        asyncio.run(whole())

    return open_with


def picture(app):
    """What is on the screen, as text."""
    return "\n".join("".join(segment.text for segment in line) for line in app.screen._compositor.render_strips())
