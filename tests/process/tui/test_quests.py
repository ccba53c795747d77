"""Quests wherever they are shown: all about one, and what their keys do on the board, in the queue and in the list."""

from __future__ import annotations

import pytest

from overmind_core.view.actions import Context
from overmind_core.view.keymap import keymap
from overmind_tui.pages.dialog import Dialog
from tests.tui.conftest import picture, until

LIVE = "until test -e {gate}; do sleep 0.05; done"


@pytest.mark.usefixtures("alone")
def test_what_a_supervisor_tells_is_what_is_shown_and_it_is_shown_as_it_happens(om, opened, tmp_path):
    gate = tmp_path / "gate"
    om.ok("start")
    om.ok("queue", "slots", "1")
    om.ok("quest", "add", "Build", "--", LIVE.format(gate=gate))
    om.ok("quest", "add", "Docs", "--needs", "build", "--", LIVE.format(gate=f"{gate}2"))
    om.ok("quest", "add", "Site", "--retries", "0", "--", "exit 3")

    async def scenario(app, pilot):
        async def shown(*texts):
            await until(pilot, lambda: all(text in picture(app) for text in texts), what=str(texts))

        app.commands.run("board")
        await shown("QUEUED 2", "RUNNING 1", "▶ build", "○ docs", "○ site")
        app.commands.run("queue")
        await shown("running 1/1 · queued 2", "waits for build (running", "1st in line")
        app.screen.act(keymap(Context.QUEUE)["H"])
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="it asks")
        await pilot.press("y")
        await shown("paused, shift-h resumes", "queue paused: 1 runs on")
        app.screen.act(keymap(Context.QUEUE)["H"])
        await shown("queue resumed")
        app.commands.run("board")
        await shown("RUNNING 1")
        gate.touch()
        await shown("BLOCKED 1", "✖ site", "DONE 1", "✔ build", "▶ docs")

    opened({}, scenario)
