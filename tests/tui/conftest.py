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
from textual import strip
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot

from overmind_core.system.paths import Home
from overmind_tui.app import OvermindApp
from overmind_tui.pages import dialog
from overmind_tui.shell.world import World
from tests.kit import idle
from tests.kit.overmind import REPOSITORY, Overmind
from tests.kit.pictures import SIZES, Album, compared
from tests.kit.shared_home import SharedHome, shared


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


@pytest.fixture(autouse=True)
def pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are kept where people look at them: in snapshots/."""

    def folder(_cls: type[SVGImageExtension], *, test_location: PyTestLocation) -> str:
        return str(Path(REPOSITORY, "snapshots", test_location.basename))

    monkeypatch.setattr(SVGImageExtension, "dirname", classmethod(folder))


@pytest.fixture(scope="session")
def album() -> Album:
    """Pictures whose tests are still to come."""
    return Album()


@pytest.fixture
def pictured(request: pytest.FixtureRequest, album: Album, snap_compare: Callable[..., bool]) -> Callable[..., bool]:
    """Whether a program looks in a size as it did when its picture was accepted.

    It begins afresh in each size where what is done, or was seen before, leaves something behind.
    """

    def shows(app, size, press, *, sizes=SIZES, afresh=False):
        among = {size: sizes[size]} if afresh else sizes
        return compared(snap_compare, app, album.take(request.node.nodeid, size, app, press, among))

    return shows


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


class _Forgetful:
    """All that a strip asks of its caches; keeps nothing."""

    def get(self, _key: object) -> None:
        pass

    def __setitem__(self, _key: object, _value: object) -> None:
        pass


@pytest.fixture(scope="session", autouse=True)
def strips_remember_nothing() -> Iterator[None]:
    """Each line of each frame makes seven caches; where a frame is hardly ever drawn twice, that is a fifth of all."""
    forgetful = _Forgetful()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strip, "FIFOCache", lambda _size: forgetful)
        yield


@pytest.fixture(scope="session", autouse=True)
def paced_by_events() -> Iterator[None]:
    """A key was taken when nothing is left to do, not when some time has gone by."""
    with pytest.MonkeyPatch.context() as patch:
        idle.install(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def questions_are_read_at_once() -> Iterator[None]:
    """Nobody here reads; that an answer waits until its question could be read is held by test_type_ahead."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dialog, "WEIGHTY", frozenset())
        yield


@pytest.fixture
def weighty_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers that end work or allow something wait until their question could be read, as they do for people."""
    monkeypatch.setattr(dialog, "WEIGHTY", frozenset({"bad", "slow"}))


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
    """Let the program work until `look` comes true; that is looked at often at first."""
    for number in range(tries):
        if look():
            return
        await pilot.pause(min(0.05, 0.005 * (number + 1)))
    raise AssertionError(f"not: {what or look}\n{picture(pilot.app)}")


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


def later(app):
    """As if the time had gone by in which typed text does nothing."""
    app.typed.quiet.until = float("-inf")


def picture(app):
    """What is on the screen, as text."""
    return "\n".join("".join(segment.text for segment in line) for line in app.screen._compositor.render_strips())
