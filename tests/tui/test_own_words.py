"""A message to an agent that waits for words is the answer to its question, as the panel says of that key."""

from __future__ import annotations

import pytest

from overmind_core.view.actions import Context
from overmind_tui.pages.line import LineComposer
from tests.tui.conftest import question_read, until
from tests.tui.test_answer_in_place import API, PORT, Answering
from tests.tui.test_pictures import AGENTS, settle
from tests.tui.test_traps import run


@pytest.mark.parametrize("size", [(50, 12), (80, 24), (120, 40), (200, 60)], ids=str)
def test_words_to_one_that_asks_with_choices_are_its_answer(size):
    async def scenario(app, pilot):
        assert app.main.select(PORT)
        await settle(pilot)
        if not app.main.panels.shape.panel_lines:
            await pilot.press("m", *"1 no commands")
            await settle(pilot)
            assert app.main.context is Context.NEEDS, "first it is shown what is asked"
            assert app.given == []
            app.typed.quiet.until = float("-inf")  # a pause
        await question_read(app, pilot)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, LineComposer), what="the line")
        await pilot.press(*"neither", "enter")
        await until(pilot, lambda: app.given, what="an answer")
        assert [(behaviour, words) for _, behaviour, words in app.given] == [("allow", ["neither"])]
        assert not [one for one in app.asked if one == "send"]

    run(Words, scenario, size=size)


@pytest.mark.parametrize("marked", [False, True])
def test_to_all_others_it_is_a_message(marked):
    async def scenario(app, pilot):
        assert app.main.select(API if not marked else PORT)
        await pilot.press(*["space"] * marked, "m")
        await until(pilot, lambda: isinstance(app.screen, LineComposer), what="the line")
        assert app.screen.lead == ("to port" if marked else "to api")
        assert app.screen.purpose.verb == "send"
        await pilot.press(*"go", "enter")
        await until(pilot, lambda: "send" in app.asked, what="a message")
        assert app.given == []

    run(Words, scenario)


class Words(Answering):
    """The same, and writes down what else it is asked."""

    def __init__(self):
        super().__init__([{**row, "interactive": True} for row in AGENTS])
        self.asked: list[str] = []

    def request(self, command, requests, on_result):
        self.asked.append(command)
        super().request(command, requests, on_result)
