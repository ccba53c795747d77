"""What no terminal shows is drawn late, and a fault in drawing fails a test all the same."""

from __future__ import annotations

import asyncio

import pytest
from textual.app import App
from textual.screen import Screen
from textual.widget import Widget

from tests.kit import torture, unseen


class Sign(Widget):
    """Counts how often it is drawn; `broken`, it can't be."""

    drawn = 0
    broken = False

    def render(self) -> str:
        self.drawn += 1
        if self.broken:
            raise ValueError("this can not be drawn")
        return f"drawn {self.drawn}"


class Signed(Screen[None]):
    """A screen with a sign."""

    def compose(self):
        yield Sign()


@pytest.fixture(autouse=True)
def drawn_late(monkeypatch):
    unseen.install(monkeypatch)


def piloted(scenario):
    """Do this with a program and its pilot; nobody looks at a screen but the scenario."""

    async def whole():
        async with App[None]().run_test() as pilot:
            await pilot.app.push_screen(Signed())
            await scenario(pilot, pilot.app.screen.query_one(Sign))

    asyncio.run(whole())


def test_it_is_drawn_when_somebody_looks():
    async def look(pilot, sign):
        for _ in range(5):
            sign.refresh()
            await pilot.pause()
        assert torture.WHOLE or not sign.drawn
        assert "drawn" in pilot.app.export_screenshot()

    piloted(look)


def test_what_can_not_be_drawn_is_found_when_the_program_leaves():
    async def leave(pilot, sign):
        await pilot.pause()
        sign.broken = True
        sign.refresh()

    with pytest.raises(ValueError, match="this can not be drawn"):
        piloted(leave)


def test_what_can_not_be_drawn_is_found_when_its_screen_is_closed():
    async def close(pilot, sign):
        await pilot.pause()
        sign.broken = True
        sign.refresh()
        await pilot.app.pop_screen()
        await pilot.pause()

    with pytest.raises(ValueError, match="this can not be drawn"):
        piloted(close)
