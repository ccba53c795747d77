"""First steps: told until they were done once, remembered, never in the way."""

from __future__ import annotations

import json

from overmind_tui.shell.coaching import STEPS
from tests.kit import claude, sessions
from tests.tui.conftest import picture, until
from tests.tui.test_coach import M


def test_a_new_user_is_led_through_three_steps_once(om, opened, tmp_path):
    claude.at_hand(om, tmp_path)
    sessions.greeted(om, "planner")
    sessions.asks(om, "planner", "!bash touch x")

    async def first(app, pilot):
        async def told(words):
            await until(pilot, lambda: words in picture(app), what=words)

        await told("1 of 3: y answers who asks")
        await pilot.press("!")
        while app.fleet.questions:  # it counts once the question could be read
            await pilot.press("y")
            await pilot.pause(0.1)
        await pilot.press("escape")
        await told("2 of 3: tab turns the panel")
        await pilot.press("tab")
        await told("3 of 3: n starts one of your own")
        await pilot.press("n", "escape")
        await until(pilot, lambda: " of 3: " not in picture(app), what="no step is left")
        await until(pilot, lambda: len(remembered(om)) == len(STEPS), what="it is remembered")

    async def again(app, pilot):
        assert " of 3: " not in picture(app)

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
        assert " of 3: " not in picture(app)

    opened({"api": "sleep 300"}, scenario, coached=False)


def test_without_missions_or_rights_there_is_nothing_to_try(program):
    assert program(coached=False).coaching.line(M) == ""
    reader = program(coached=False, read_only=True)
    reader.fleet.rows["x"] = {}
    assert reader.coaching.line(M) == ""
