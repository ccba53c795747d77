"""A terminal with room for one part: it is the one that has the keys, and what is said stands in the row of hints."""

from __future__ import annotations

import pytest

from overmind_core.view.actions import Context
from overmind_tui.render.layout import Panel
from tests.kit.cases import tabled
from tests.tui.conftest import picture, question_read, until
from tests.tui.test_answer_in_place import API, DOCS, Answering
from tests.tui.test_pictures import settle
from tests.tui.test_traps import run

SIZES = [(50, 12), (59, 40), (200, 14)]


def row_of_hints(app):
    """The lowest row as it is drawn."""
    return picture(app).split("\n")[app.size.height - 1].strip()


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("key", ["y", "enter", "!"])
def test_what_asks_is_shown_and_answered_where_only_one_part_has_room(size, key):
    async def scenario(app, pilot):
        assert app.main.select(API)
        listed = picture(app)
        await pilot.press(key)
        await settle(pilot)
        assert app.main.context is Context.NEEDS
        assert "May it run this?" in picture(app)
        if "more line" in picture(app):
            await pilot.press("enter")
        await question_read(app, pilot)
        await pilot.press("y")
        assert app.given == [(7, "allow", [])]
        await settle(pilot)
        await pilot.press(*["escape"] * (key == "!"))
        await until(pilot, lambda: app.main.context is Context.MISSIONS, what="the list again")
        assert picture(app).split("\n")[1] == listed.split("\n")[1], "the list is there again"

    run(Answering, scenario, size=size)


@tabled(("key", "panel"), [("l", Panel.LOG), ("u", Panel.NOTES)])
def test_each_part_that_gets_the_keys_is_shown_and_gives_the_list_back(key, panel):
    async def scenario(app, pilot):
        assert app.main.select(DOCS)
        await pilot.press(key)
        await settle(pilot)
        assert app.main.panels.current is panel
        assert app.main.panels.shape.panel_lines
        assert not app.main.panels.shape.list_lines
        await pilot.press("escape")
        await settle(pilot)
        assert app.main.panels.shape.list_lines

    run(Answering, scenario, size=(50, 12))


def test_what_a_key_says_stands_in_the_row_of_hints_until_the_next_key():
    async def scenario(app, pilot):
        hints = row_of_hints(app)
        assert "? keys" in hints
        await pilot.press("tab")
        assert row_of_hints(app).endswith("no room for a panel: l shows the log")
        assert app.main.panels.shape.list_lines
        await pilot.click(offset=(2, 11))
        assert app.main.context is Context.MISSIONS, "the hint below what is said is none"
        app.notice.until = 0.0  # in a picture it would stay
        await pilot.press("j")
        assert row_of_hints(app) == hints
        await pilot.press("+")
        assert row_of_hints(app).startswith("+ means nothing here")

    run(Answering, scenario, size=(50, 12))
