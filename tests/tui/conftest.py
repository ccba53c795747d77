"""The program in a test: against a real supervisor, or against missions that never change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.location import PyTestLocation
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot

from overmind_core.system.paths import Home
from overmind_tui.app import OvermindApp
from overmind_tui.shell.world import World
from tests.kit.overmind import REPOSITORY, Overmind


@pytest.fixture(autouse=True)
def pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are kept where people look at them: in snapshots/."""

    def folder(_cls: type[SVGImageExtension], *, test_location: PyTestLocation) -> str:
        return str(Path(REPOSITORY, "snapshots", test_location.basename))

    monkeypatch.setattr(SVGImageExtension, "dirname", classmethod(folder))


@pytest.fixture(scope="session", autouse=True)
def parsed_once() -> Iterator[None]:
    """Programs with the same theme share what was parsed: rules do not change."""
    parsed: dict[object, list[RuleSet]] = {}
    parse = Stylesheet._parse_rules

    def remembered(sheet: Stylesheet, *source: Any, **more: Any) -> list[RuleSet]:
        key = (source, tuple(more.items()), tuple(sheet._variables.items()))
        if key not in parsed:
            parsed[key] = parse(sheet, *source, **more)
        return parsed[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", remembered)
        yield


@pytest.fixture
def program(om: Overmind) -> Callable[..., OvermindApp]:
    """Make the program for the home of the test."""

    def make(*, coached: bool = True, **how: Any) -> OvermindApp:
        world = World(om.home, 0o022, om.environment)
        app = OvermindApp(Home(om.home), world, zone=UTC, **how)
        if coached:  # pictures are of what stays, not of the first minutes
            app.coaching.end()
        return app

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
