"""Health, timelines and lessons in the full-screen program: what rows say, and walks through the views."""

from __future__ import annotations

from tests.tui.conftest import picture, until


def test_the_health_and_the_timeline_of_a_mission_that_runs(om, opened):
    async def scenario(app, pilot):
        app.commands.run("health")
        await until(pilot, lambda: "1 mission" in picture(app) and "api" in picture(app), what="its health")
        assert "1 running" in picture(app)
        await pilot.press("T")
        await until(pilot, lambda: "created" in picture(app), what="its beginning")
        om.ok("stop", "api")
        await until(pilot, lambda: "stopped" in picture(app), what="its end")

    opened({"api": "while :; do echo x; sleep .1; done"}, scenario)


def header(app):
    return picture(app).split("\n")[0]


def test_the_header_says_how_full_the_queue_is(om, opened):
    om.ok("queue", "slots", "1")

    async def scenario(app, pilot):
        assert "queue" not in header(app)
        om.ok("quest", "add", "One", "--", "sleep", "300")
        om.ok("quest", "add", "Two", "--", "true")
        await until(pilot, lambda: "1 queued" in header(app), what="who waits in it")
        om.ok("queue", "pause")
        await until(pilot, lambda: "queue paused" in header(app), what="the pause")

    opened({}, scenario)
    om.ok("queue", "resume")
    om.ok("quest", "cancel", "two", "one")
