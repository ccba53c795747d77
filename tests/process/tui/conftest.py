"""The program in a test, against a real supervisor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any

import pytest

from overmind_core.system.paths import Home
from overmind_tui.app import OvermindApp
from overmind_tui.shell.world import World
from tests.kit.overmind import Overmind
from tests.kit.shared_home import SharedHome, shared
from tests.tui.conftest import (
    album,
    drawn_where_somebody_looks,
    paced_by_events,
    panels_come_at_once,
    parsed_once,
    pictured,
    pictures,
    questions_are_read_at_once,
    strips_remember_nothing,
    until,
    weighty_answers,
)

__all__ = [
    "album",
    "drawn_where_somebody_looks",
    "paced_by_events",
    "panels_come_at_once",
    "parsed_once",
    "pictured",
    "pictures",
    "questions_are_read_at_once",
    "strips_remember_nothing",
    "weighty_answers",
]


@pytest.fixture(scope="session")
def shared_home(marker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedHome]:
    """The home of all tests here that do not ask for one alone."""
    with shared(user_home=str(tmp_path_factory.mktemp("daemons")), marker=marker) as home:
        yield home


@pytest.fixture
def alone(make_home: Callable[[], Overmind]) -> Overmind:
    """A home for one test, where nothing runs and nothing has happened; who asks for it has it as `om`."""
    return make_home()


@pytest.fixture
def om(request: pytest.FixtureRequest) -> Iterator[Overmind]:
    """The command line in a home where a daemon runs and no mission is; what happened there before is on record."""
    if "alone" in request.fixturenames:
        yield request.getfixturevalue("alone")
        return
    shared_home: SharedHome = request.getfixturevalue("shared_home")
    with shared_home.lent(str(request.getfixturevalue("tmp_path"))) as overmind:
        yield overmind


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


SHELL = ["sh", "-c", "PS1='ready$ ' exec sh"]


@pytest.fixture
def session(om):
    """Start a session with this command."""

    def start(command=SHELL, name="shell", *options):
        return om.mission(command, "--type", "session", "--name", name, *options)

    return start


@pytest.fixture
def opened(om, program):
    """Run the program with these missions until they are shown, then the scenario."""

    def open_with(missions, scenario, size=(120, 40), **how):
        if missions and om.holder("supervisor.lock") is None:
            om.ok("start")
        for name, command in missions.items():
            om.api("run", name=name, command=command, cwd=om.home, env=om.environment)

        async def whole():
            app = program(**how)
            async with app.run_test(size=size) as pilot:
                await until(pilot, lambda: app.fleet.loaded and len(app.fleet.rows) >= len(missions), what="rows")
                await scenario(app, pilot)
            await asyncio.to_thread(app.quitting.on_exit)

        asyncio.run(whole())

    return open_with
