"""The program in a test, against missions that never change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.location import PyTestLocation
from textual import strip
from textual._compositor import Compositor
from textual.app import App
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot

from overmind_core.view import question_sight
from overmind_tui.missions import diff_panel, following
from overmind_tui.pages import dialog
from overmind_tui.widgets.lines import Lines
from tests.kit import idle
from tests.kit.overmind import REPOSITORY
from tests.kit.pictures import SIZES, Album, compared


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
def drawn_where_somebody_looks() -> Iterator[None]:
    """A frame that no test looks at is not drawn, a quarter of all work; the last one is, and fails if it can't be."""
    draw, shut_down = Compositor.render_update, App._shutdown

    def unseen(compositor: Compositor, *how: Any, **named: Any) -> Any:
        if any(how) or named.get("full") or named.get("screen_stack"):  # a picture, or one view on top of another
            return draw(compositor, *how, **named)
        compositor._dirty_regions.clear()
        for widget in compositor.visible_widgets:
            if isinstance(widget, Lines):  # how many they are is known when they are drawn
                widget.render_lines(widget.content_size.region)
        return None

    async def seen_last(app: App[Any]) -> None:
        if app._screen_stack and app.is_running:
            app.screen._compositor.render_strips()
        await shut_down(app)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Compositor, "render_update", unseen)
        patch.setattr(App, "_shutdown", seen_last)
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


@pytest.fixture(scope="session", autouse=True)
def panels_come_at_once() -> Iterator[None]:
    """The cursor need not rest before the panel comes to it; that it has to for people, test_following holds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(following, "REST_SECONDS", 0.0)
        patch.setattr(diff_panel, "ASK_SECONDS", 0.0)
        yield


@pytest.fixture
def weighty_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers that end work or allow something wait until their question could be read, as they do for people."""
    monkeypatch.setattr(dialog, "WEIGHTY", frozenset({"bad", "slow"}))


@pytest.fixture
def read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question may be answered as soon as all of it was drawn."""
    monkeypatch.setattr(question_sight, "LEAST_SECONDS", 0.0)


async def until(pilot: Pilot[Any], look: Callable[[], object], *, what: str = "", tries: int = 400) -> None:
    """Let the program work until `look` comes true; that is looked at often at first."""
    for number in range(tries):
        if look():
            return
        await pilot.pause(min(0.05, 0.005 * (number + 1)))
    raise AssertionError(f"not: {what or look}\n{picture(pilot.app)}")


def later(app):
    """As if the time had gone by in which typed text does nothing."""
    app.typed.quiet.until = float("-inf")


def lists_needs(app):
    """Whether only those are listed who need a person, with nothing before them."""
    return app.screen is app.main and app.main.needs_you.is_open


async def question_read(app, pilot, question=None):
    """Until this question (a number, or with its mission), or any, was on the screen for as long as one needs to read.

    All of it counts, as for people.
    """
    asked = app.main.question
    await until(
        pilot,
        lambda: asked.key is not None and question in {None, asked.key, asked.key[1]} and asked.may_answer
        and not app.main.restless,
        what=f"question {question or ''} read",
    )  # fmt: skip


def picture(app):
    """What is on the screen, as text."""
    return "\n".join("".join(segment.text for segment in line) for line in app.screen._compositor.render_strips())
