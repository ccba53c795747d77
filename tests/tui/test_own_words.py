"""A message to an agent that waits for words is the answer to its question, as the panel says of that key."""

from __future__ import annotations

import pytest

from overmind_core.view.actions import Context
from overmind_tui.pages.line import LineComposer
from overmind_tui.shell.messages import Happened, InboxChanged
from tests.tui.conftest import question_read, until
from tests.tui.test_answer_in_place import API, PORT, Answering
from tests.tui.test_pictures import AGENTS, QUESTIONS, settle
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


ELSEWHERE = {"seq": 9, "at": "2026-01-01T00:00:00.000Z", "type": "answered", "mission": PORT, "name": "port",
             "question": 8, "behaviour": "allow", "by": "web:phone"}  # fmt: skip


@pytest.mark.parametrize("ends", ["before esc", "after esc", "before esc, as its row leaves"])
def test_words_to_a_question_that_ends_elsewhere_are_there_for_another_one(ends):
    async def scenario(app, pilot):
        assert app.main.select(PORT)
        await question_read(app, pilot)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, LineComposer), what="the line")
        await pilot.press(*"neither")
        what_came = [Happened([ELSEWHERE])] if "row" not in ends else [InboxChanged([QUESTIONS[0]])]
        for step in ("esc", "came") if ends == "after esc" else ("came", "esc"):
            if step == "came":
                for message in what_came:
                    app.updates.take(message)
                continue
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is app.main, what="closed")
            kept = "draft kept: m opens it again" if ends == "after esc" else "kept: m, then up, restores it"
            assert app.notice.text == kept
        drafts = app.action_groups.messages.drafts
        assert drafts.draft(["question 8"]) == ""
        assert drafts.sent[-1] == "neither"

    run(Words, scenario)


class Words(Answering):
    """The same, and writes down what else it is asked."""

    def __init__(self):
        super().__init__([{**row, "interactive": True} for row in AGENTS])
        self.asked: list[str] = []

    def request(self, command, requests, on_result):
        self.asked.append(command)
        super().request(command, requests, on_result)
