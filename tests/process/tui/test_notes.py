"""Notes in the full-screen program: walks through their view and their panel."""

from __future__ import annotations

import shlex

from overmind_tui.notes.note_page import NotePage
from tests.kit.overmind import PROGRAM
from tests.tui.conftest import picture, until


def test_notes_of_a_home_are_found_given_judged_accepted_forgotten_and_written(alone, om, opened):
    om.ok("remember", "The rate limiter keeps its buckets in Redis", "--kind", "gotcha", "--pin")
    om.ok("run", "--memory", "--name", "reader", "--", "sleep", "300")
    om.mission(f"{shlex.join(PROGRAM)} remember 'for everybody' --scope global; sleep 300", "--name", "writer")

    async def scenario(app, pilot):
        await until(pilot, lambda: app.fleet.proposed == 1, what="the count of proposals")
        app.main.table.select(app.fleet.named("writer")["id"])
        await pilot.press("u")
        await until(pilot, lambda: "wrote  1 note" in picture(app), what="what it wrote")
        await pilot.press("tab", "down", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, NotePage), what="all about it")
        await until(pilot, lambda: "by mission writer" in picture(app), what="its author")
        await pilot.press("escape")
        app.main.table.select(app.fleet.named("reader")["id"])
        await until(pilot, lambda: "given  1 note" in picture(app), what="what the other one was given")
        await pilot.press("u")
        app.commands.run("notes")
        await until(pilot, lambda: "2 notes" in picture(app), what="both")
        assert "1 proposed: " in picture(app)
        pinned = next(row["id"] for row in app.screen.rows if row["pinned"])
        await pilot.press("slash", *"redsi", "enter")
        await until(pilot, lambda: "spelling (redsi: redis)" in app.screen.standing().text, what="it")
        await until(pilot, lambda: not app.screen.restless, what="it rests")
        await pilot.press("shift+up")
        await until(pilot, lambda: "+1 -0" in picture(app), what="the vote")
        await pilot.press("Y")
        await until(pilot, lambda: "• live" in picture(app), what="it without its pin")
        await pilot.press("Y")
        await until(pilot, lambda: "◆ pinned" in picture(app), what="it with its pin")
        await pilot.press("u")
        await until(pilot, lambda: app.screen_stack == [app.main], what="who was given it")
        assert [branch.row["name"] for branch in app.main.table.branches if branch.meant] == ["reader"]
        app.commands.run("notes proposed")
        await until(pilot, lambda: "for everybody" in picture(app), what="the proposal")
        await pilot.press("y")
        await until(pilot, lambda: "◇" not in picture(app), what="it accepted")
        await until(pilot, lambda: app.fleet.proposed == 0, what="nothing is proposed")
        app.commands.run("notes")
        await until(pilot, lambda: "2 notes" in picture(app), what="both")
        app.screen.table.select(pinned)
        await pilot.press("ctrl+d")
        await until(pilot, lambda: "1 note" in picture(app), what="one")
        await pilot.press("U")
        await until(pilot, lambda: "◆ pinned" in picture(app), what="both again, with its pin")
        await pilot.press("n", *"third", "enter")
        await until(pilot, lambda: "3 notes" in picture(app), what="the third")

    opened({}, scenario)
