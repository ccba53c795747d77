"""`:demo` in the full-screen program: everything alive on the screen that one looks at, and gone again."""

from __future__ import annotations

import os

import pytest

from tests.tui.conftest import picture, until


async def entered(pilot, text):
    await pilot.press(":", *("space" if one == " " else one for one in text), "enter")


def names(app):
    return {row["name"] for row in app.fleet.rows.values()}


@pytest.mark.usefixtures("alone")
def test_the_demonstration_begins_and_ends_where_one_looks(om, opened):
    async def scenario(app, pilot):
        await until(pilot, lambda: ":demo" in picture(app), what="the empty screen names it")
        await entered(pilot, "demo")
        await until(pilot, lambda: names(app) >= {"demo-agent", "demo-build", "demo-service", "demo-shell"})
        await until(pilot, lambda: app.fleet.questions, what="a question")
        assert app.screen is app.main
        await until(pilot, lambda: "demo-tests" in picture(app))
        await until(pilot, lambda: "demo-reader" in names(app))
        await entered(pilot, "demo stop")
        await until(pilot, lambda: "Removed 8 demo missions" in picture(app))
        await until(pilot, lambda: not app.fleet.rows, what="all is gone")

    opened({}, scenario)
    assert not os.path.exists(om.path("demo"))


def test_a_second_one_says_that_it_is_there(om, opened):
    om.ok("demo")

    async def scenario(app, pilot):
        await until(pilot, lambda: "demo-shell" in names(app))
        await entered(pilot, "demo")
        await until(pilot, lambda: "Already running" in picture(app))
        om.ok("demo", "stop")

    opened({}, scenario)


@pytest.mark.usefixtures("alone")
def test_the_demonstration_of_a_spec_begins_and_ends_there_too(om, opened):
    async def scenario(app, pilot):
        await until(pilot, lambda: ":demo" in picture(app), what="the empty screen names it")
        await entered(pilot, "demo spec")
        await until(pilot, lambda: "carts/explore" in names(app), what="the first phase runs")
        await entered(pilot, "demo spec stop")
        await until(pilot, lambda: "Removed the demo spec" in picture(app))
        await until(pilot, lambda: not app.fleet.rows, what="all is gone")

    opened({}, scenario)
    assert not os.path.exists(om.path("demo-spec"))
