"""First steps: told until they were done once, remembered, never in the way."""

from __future__ import annotations

import json

from overmind_tui.shell.coaching import STEPS
from tests.tui.conftest import picture, until
from tests.tui.test_coach import M


def test_a_new_user_is_led_through_three_steps_once(om, opened):
    async def first(app, pilot):
        await until(pilot, lambda: "1/3 ! lists agents that need you" in picture(app))
        await pilot.press("!")
        await until(pilot, lambda: "2/3" in picture(app))
        await pilot.press("escape")
        await until(pilot, lambda: "3/3 enter shows" in picture(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.context is not M)
        await pilot.press("escape")
        await until(pilot, lambda: "3/3" not in picture(app))
        await until(pilot, lambda: len(remembered(om)) == len(STEPS), what="it is remembered")

    async def again(app, pilot):
        assert "/3 " not in picture(app)

    opened({"api": "sleep 300"}, first, coached=False)
    opened({}, again, coached=False)


def remembered(om):
    try:
        with open(om.path("tui.json"), encoding="utf-8") as file:
            return json.load(file).get("coached", [])
    except FileNotFoundError:
        return []


def test_nobody_is_led_who_does_not_want_it(om, opened):
    with open(om.path("config.toml"), "w", encoding="utf-8") as file:
        file.write("[tui]\ncoach = false\n")

    async def scenario(app, pilot):
        await pilot.pause()
        assert "1/3" not in picture(app)

    opened({"api": "sleep 300"}, scenario, coached=False)


def test_without_missions_or_rights_there_is_nothing_to_try(program):
    assert program(coached=False).coaching.line(M) == ""
    reader = program(coached=False, read_only=True)
    reader.fleet.rows["x"] = {}
    assert reader.coaching.line(M) == ""
