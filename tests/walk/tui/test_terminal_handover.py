"""A headless session taken over in the pane: the turn ends first, and it is handed back when the pane is left."""

from __future__ import annotations

import asyncio
import time

import pytest

from overmind_tui.render.layout import Panel
from overmind_tui.terminal.keys import READ_SECONDS
from overmind_tui.terminal.pane import Mode
from tests.kit import claude
from tests.kit.agents import Agents
from tests.kit.waiting import eventually
from tests.tui.conftest import picture, until


@pytest.fixture
def agents(om, tmp_path):
    """The stand-in as `claude`; the person has set it up and trusts the home."""
    claude.settle(om, om.home)
    return Agents(om, str(tmp_path / "bin"))


def mode(agents, mission):
    info = agents.om.info(mission)
    return info["mode"], info["status"], info["handover"]


async def comes(agents, mission, wanted):
    """Wait, beside the program, until it is in this mode."""
    await asyncio.to_thread(eventually, lambda: mode(agents, mission) == wanted, timeout=20, what=str(wanted))


def test_an_idle_one_is_there_at_once_and_goes_back_when_the_pane_is_left(agents, opened):
    mission = agents.session("--name", "api")
    agents.say(mission, "remember me")

    async def scenario(app, pilot):
        await until(pilot, lambda: app.main.table.current is not None)
        await pilot.press("enter")
        await until(pilot, lambda: app.main.panels.current is Panel.LOG)
        await pilot.press("escape", "a")
        await until(pilot, lambda: app.main.terminal_panel.session.writes, what="its terminal")
        await comes(agents, mission, ("interactive", "running", "handed_over"))
        await pilot.press("ctrl+backslash")
        await pilot.pause(0.2)
        assert mode(agents, mission) == ("interactive", "running", "handed_over")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.main.panels.current is Panel.TABLE)
        await comes(agents, mission, ("headless", "running", None))

    opened({}, scenario)


def test_a_working_one_finishes_its_turn_and_esc_gives_up(agents, opened):
    mission = agents.session("--name", "api", "--allowed-tools", "Bash")
    gate = agents.gate()
    agents.post(mission, gate.prompt)
    gate.runs()

    async def scenario(app, pilot):
        await until(pilot, lambda: app.main.table.current is not None)
        await pilot.press("a")
        await until(pilot, lambda: "finishing the turn (" in picture(app) and "i interrupt now" in picture(app))
        await pilot.press("x", "q", "k")
        assert app.main.terminal_panel.mode is Mode.TYPING
        await pilot.press("escape")
        assert app.main.panels.current is Panel.TABLE
        gate.open()
        await comes(agents, mission, ("headless", "running", None))

    opened({}, scenario)


def test_a_working_one_is_interrupted_with_i(agents, opened):
    mission = agents.session("--name", "api", "--allowed-tools", "Bash")
    gate = agents.gate()
    agents.post(mission, gate.prompt)
    gate.runs()

    async def scenario(app, pilot):
        await until(pilot, lambda: app.main.table.current is not None)
        await pilot.press("a")
        await until(pilot, lambda: "i interrupt now" in picture(app))
        await pilot.press("i")  # too early: it may have been typed before the offer was there
        side = app.main.terminal_panel
        await until(pilot, lambda: time.monotonic() > side.session.finishing_since + READ_SECONDS)
        await pilot.press("i")
        await until(pilot, lambda: app.main.terminal_panel.session.writes, what="its terminal")

    opened({}, scenario)


def test_keep_leaves_it_in_its_terminal(agents, opened):
    mission = agents.session("--name", "api")
    agents.say(mission, "remember me")

    async def scenario(app, pilot):
        await until(pilot, lambda: app.main.table.current is not None)
        await pilot.press("a")
        await until(pilot, lambda: app.main.terminal_panel.session.writes, what="its terminal")
        await pilot.press("ctrl+backslash", ":", *"keep", "enter")
        await until(pilot, lambda: "stays in its terminal" in picture(app))
        await pilot.pause(0.5)
        await pilot.press("escape", "escape")
        await pilot.pause(1.0)
        assert mode(agents, mission)[0] == "interactive"

    opened({}, scenario)
