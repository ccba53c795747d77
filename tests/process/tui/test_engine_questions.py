"""What the engine asks, answered in the full-screen program: also where no mission is."""

from __future__ import annotations

from functools import partial

import pytest

from overmind_core.domain.engine_questions import EngineNeed
from overmind_core.domain.missions.status_marks import WAITING
from overmind_tui.pages.line import LineComposer
from tests.kit.asking_daemon import AskingDaemon
from tests.tui.conftest import later, lists_needs, picture, question_read, until

SPEC = ("spec", "5b00c0de", "login")


@pytest.fixture
def om(alone):
    return alone


@pytest.fixture
def asking(om):
    with AskingDaemon(om) as daemon:
        yield daemon


def listed(app, count):
    return len(app.main.table.branches) == count


async def asked(app, pilot, count):
    await until(pilot, lambda: len(app.fleet.questions) == count, what="the questions")


async def read(app, pilot):
    """Until what is under the cursor may be answered."""
    await question_read(app, pilot)


def gate(asking, part="tasks", **more):
    return asking.ask("phase", *SPEC, f"{part} has passed", part=part, subject={"lines": ["TSK-001 add"]}, **more)


def test_a_question_without_a_mission_is_counted_in_the_header_with_its_event(asking, opened):
    """36: the header's count. 38: the count one less."""

    async def scenario(app, pilot):
        assert "needs you" not in picture(app)
        gate(asking)
        await until(pilot, lambda: "1 needs you" in picture(app), what="the count")
        await until(pilot, lambda: "login has no mission, and so no log" in picture(app), what="below its question")
        assert app.fleet.counts[WAITING] == 1
        kinds = ["asked", "notification"]
        await until(pilot, lambda: [event["type"] for event in app.fleet.events] == kinds, what="its events")
        asking.ask("budget", "queue", "queue", "queue", "$4.10 of $4.00 are spent")
        await until(pilot, lambda: "2 need you" in picture(app), what="two")
        asking.withdraw("5b00c0de")
        await until(pilot, lambda: "1 needs you" in picture(app), what="one less")

    opened({}, scenario)


@pytest.mark.parametrize(("keys", "acted"), [(["y"], ("allow", None)), (["n"], ("deny", None))])
def test_it_is_read_and_answered_among_those_who_need_the_person(asking, opened, keys, acted):
    """36: *needs you*."""
    gate(asking)

    async def scenario(app, pilot):
        await asked(app, pilot, 1)
        await pilot.press("exclamation_mark")
        assert lists_needs(app)
        await read(app, pilot)
        shown = picture(app)
        assert all(text in shown for text in ("── login ──", "tasks has passed", "TSK-001 add", "y  go on"))
        await pilot.press(*keys)
        await until(pilot, asking.acted, what="an answer")
        assert asking.acted() == [(1, "phase", *acted)]
        await asked(app, pilot, 0)
        await until(pilot, lambda: "Nobody needs you." in picture(app), what="it leaves the list")
        assert "login: go on" in picture(app) or "login: run this phase again" in picture(app)

    opened({}, scenario)


def test_a_text_goes_with_the_answer_that_it_belongs_to(asking, opened):
    gate(asking)
    asking.ask("stuck", "quest", "0a0b0c0d", "api", "it has failed")

    async def scenario(app, pilot):
        await asked(app, pilot, 2)
        await pilot.press("exclamation_mark")
        for left, text in ((1, "split"), (0, "mind")):
            await read(app, pilot)
            await pilot.press("m")
            await until(pilot, lambda: isinstance(app.screen, LineComposer), what="the line")
            await pilot.press(*text, "enter")
            await until(pilot, lambda: lists_needs(app), what="the list")
            await asked(app, pilot, left)
        assert asking.acted() == [(1, "phase", "deny", "split"), (2, "stuck", "allow", "mind")]

    opened({}, scenario)


def test_an_answer_that_is_refused_says_why_and_the_question_stays(asking, opened):
    gate(asking)

    async def scenario(app, pilot):
        await asked(app, pilot, 1)
        await pilot.press("exclamation_mark")
        await read(app, pilot)
        await pilot.press("m", *"refuse", "enter")
        await until(pilot, lambda: "That is no answer to this." in picture(app), what="why")
        assert app.screen.field.text == "refuse"

    opened({}, scenario)


def test_what_needs_a_mission_says_that_there_is_none(asking, opened):
    gate(asking)

    async def scenario(app, pilot):
        await asked(app, pilot, 1)
        await pilot.press("exclamation_mark")
        assert lists_needs(app)
        for key in ("a", "l"):
            await pilot.press(key)
            assert "login has no mission" in picture(app)
            later(app)
        await pilot.press("d", "r", "Y", "1", "slash", *"login", "enter")
        assert lists_needs(app)
        assert "tasks has passed" in picture(app)
        assert asking.acted() == []

    opened({}, scenario)


def test_about_a_mission_it_is_one_entry_and_the_row_needs_attention(om, asking, opened):
    async def scenario(app, pilot):
        (mission,) = app.fleet.rows
        asking.ask("steer", "mission", mission, "api", "the same error three times", subject={"lines": ["loop: 0.35"]})
        await asked(app, pilot, 1)
        await until(pilot, lambda: "the same error three times" in picture(app), what="what is asked")
        await pilot.press("ctrl+z")
        assert "1 of 1 need you" in picture(app)
        await pilot.press("exclamation_mark")
        await read(app, pilot)
        assert [entry.id for entry in app.main.table.branches] == [mission]
        om.api("answer", id=mission, behaviour="allow")
        await until(pilot, lambda: "api: allowed by a person" in picture(app), what="who was faster")

    opened({"api": "sleep 300"}, scenario)


def test_read_only_it_is_shown_and_not_answered(asking, opened):
    gate(asking)

    async def scenario(app, pilot):
        await asked(app, pilot, 1)
        await pilot.press("exclamation_mark")
        await read(app, pilot)
        await pilot.press("y", "n", "m")
        assert asking.acted() == []
        assert "tasks has passed" in picture(app)

    opened({}, scenario, read_only=True)


def test_a_question_of_any_need_is_in_the_inbox_among_those_who_need_the_person_and_in_the_count(om, asking, opened):
    """36: in `inbox`, *needs you* and the header's count."""

    async def scenario(app, pilot):
        await pilot.press("exclamation_mark")
        for count, need in enumerate(EngineNeed, 1):
            asking.ask(need.value, "quest", f"0000000{count}", f"{need.value}-quest", f"summary of {need.value}")
            await asked(app, pilot, count)
            await until(pilot, partial(listed, app, count), what="among those who need me")
            assert f"{need.value}-quest" in {one.row["name"] for one in app.main.table.branches}
            assert app.fleet.counts[WAITING] == count
            assert need.value in {one["need"] for one in om.api("inbox")}
        await pilot.press("escape")
        assert f"{len(EngineNeed)} need you" in picture(app)

    opened({}, scenario)
