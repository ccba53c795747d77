"""Which program calls its person, and what the terminal outside says."""

from __future__ import annotations

import asyncio

import pytest

from tests.kit import claude, sessions
from tests.kit.terminal import Terminal
from tests.tui.conftest import until


@pytest.fixture
def om(om, tmp_path):
    """The command line in a world where `claude` is the stand-in."""
    return claude.at_hand(om, tmp_path)


@pytest.fixture
def planner(om):
    """A session that is idle."""
    return claude.idle(om, "planner")


def ask(om, text):
    return sessions.asks(om, "planner", f"!bash touch {text}")


class Watched:
    """A program: what it rings, and the times of its use that the supervisor has heard of."""

    def __init__(self, app, pilot):
        self.app, self.pilot = app, pilot
        self.rung: list[str] = []
        self.known: list[float] = []
        self._request = app.request
        app.request, app.ring = self._asked, self.rung.append

    def _asked(self, command, requests, on_result):
        at = self.app.presence._used_at

        def heard(answers):
            on_result(answers)
            if command == "used":
                self.known.append(at)

        self._request(command, requests, heard)

    async def connected(self):
        await until(self.pilot, lambda: self.app.presence._viewer and self.app.fleet.rows, what="connected")

    async def look_away(self):
        """Close the panel: nothing of any mission is in view but its row."""
        await self.pilot.press("escape")
        await until(self.pilot, lambda: not self.app.main.panels.shape.panel_lines, what="no panel")
        await until(self.pilot, lambda: self.app.presence._reported_view is None, what="nothing is in its view")
        await self._use_is_known()

    async def used(self):
        await self.pilot.press("j")
        await self._use_is_known()

    async def _use_is_known(self):
        await until(self.pilot, lambda: self.app.presence._used_at in self.known, what="the use is known")

    async def notified(self, count):
        def notifications():
            return sum(event["type"] == "notification" for event in self.app.fleet.events)

        await until(self.pilot, lambda: notifications() == count, what="the notification")


def two_open(program, sizes, scenario):
    """Run two programs in one loop."""

    async def whole():
        apps = [program(), program()]
        async with apps[0].run_test(size=sizes[0]) as first, apps[1].run_test(size=sizes[1]) as second:
            both = [Watched(app, pilot) for app, pilot in zip(apps, (first, second), strict=True)]
            for one in both:
                await one.connected()
            await scenario(*both)
        for app in apps:
            await asyncio.to_thread(app.quitting.on_exit)

    asyncio.run(whole())


@pytest.mark.usefixtures("planner")
def test_of_two_open_programs_the_one_used_last_rings(om, program):
    async def scenario(one, other):
        for both in (one, other):
            await both.look_away()
        for count, (used, text) in enumerate(((one, "x"), (other, "y")), 1):
            await used.used()
            await asyncio.to_thread(ask, om, text)
            await one.notified(count)
            await other.notified(count)
            await asyncio.to_thread(om.api, "answer", id="planner", behaviour="deny")
        assert one.rung == ["overmind: planner · needs you · Bash: touch x"]
        assert other.rung == ["overmind: planner · needs you · Bash: touch y"]

    two_open(program, [(80, 24), (80, 24)], scenario)


def test_what_one_program_shows_rings_in_none(om, program, planner):
    async def scenario(looking, other):
        await until(looking.pilot, lambda: looking.app.presence._reported_view == planner, what="its view is known")
        await other.look_away()
        await other.used()
        await asyncio.to_thread(ask, om, "x")
        await looking.notified(1)
        await other.notified(1)
        assert looking.rung == other.rung == []

    two_open(program, [(120, 40), (80, 24)], scenario)


@pytest.mark.usefixtures("planner")
def test_the_title_of_the_terminal_counts_who_needs_the_person_and_is_given_back(om):
    with Terminal(om, "tui") as terminal:
        terminal.expect("\x1b\\[22;2t\x1b\\]2;overmind\x07")
        ask(om, "x")
        terminal.expect("\x1b\\]2;overmind !1\x07")
        terminal.expect("\x1b\\]7501;state=blocked:kind=question:app=overmind:id=overmind:msg=MSBuZWVkcyB5b3U=\x07")
        terminal.type("q")
        assert terminal.end() == 0
    assert terminal.shown.rstrip().count("\x1b]2;\x07\x1b[23;2t") == 1
    assert terminal.shown.count("\x1b]7501;state=clear:app=overmind:id=overmind\x07") == 1
