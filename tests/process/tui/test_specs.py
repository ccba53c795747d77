"""Specs in the full-screen program: all of them, the phases and tasks of one, its documents, comments and gates."""

from __future__ import annotations

import pytest

from overmind_tui.pages.compose import Composer
from overmind_tui.specs.page import SpecPage
from tests.kit.specs import SpecWorld
from tests.tui.conftest import lists_needs, picture, question_read, until
from tests.tui.test_pictures_specs import specified

__all__ = ["specified"]
pytestmark = pytest.mark.usefixtures("specified")


@pytest.fixture
def om(alone):
    return alone


@pytest.mark.own_home
def test_from_a_gate_that_is_commented_on_to_work_that_has_landed(om, opened):
    world = SpecWorld(om)
    world.new("Carts", "--brief", "Visitors want carts.")
    world.run()
    world.asked("phase")

    async def allow(app, pilot):
        await pilot.press("y")
        await until(pilot, lambda: lists_needs(app), what="the question")
        await question_read(app, pilot)
        await pilot.press("y")
        await until(pilot, lambda: not app.fleet.questions, what="the answer")
        await pilot.press("escape")

    async def scenario(app, pilot):
        app.commands.run("specs")
        await until(pilot, lambda: "tasks review 1.00" in picture(app), what="the gate")
        await pilot.press("enter")
        await until(pilot, lambda: "TSK-002" in picture(app), what="tasks before they are queued")
        await pilot.press("G", "enter")
        await until(pilot, lambda: "### TSK-002 Store carts" in picture(app), what="the document")
        await pilot.press("#", *"split it", "escape")
        await until(pilot, lambda: "1 comment not sent" in picture(app), what="a comment")
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, Composer), what="the comments")
        first = app.fleet.questions[0]["question"]
        await pilot.press("enter")
        await until(pilot, lambda: app.fleet.questions and app.fleet.questions[0]["question"] != first, what="again")
        assert sum(one.startswith("tasks") for one in world.attempts()) == 2
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, SpecPage), what="the spec")
        await until(pilot, lambda: "review" in picture(app), what="the new document")
        await allow(app, pilot)
        await until(pilot, lambda: app.fleet.questions, what="both tasks are done", tries=1200)
        await until(pilot, lambda: picture(app).count("✔ TSK-") == 2, what="both are seen")
        await allow(app, pilot)
        await until(pilot, lambda: "done · tasks 2/2" in picture(app), what="landed", tries=1200)

    opened({}, scenario)
    assert world.states() == dict.fromkeys(("explore", "requirements", "design", "tasks", "sync"), "passed")
