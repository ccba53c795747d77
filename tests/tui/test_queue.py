"""The queue: whose turn it is, what its rows say, and walks through the view."""

from __future__ import annotations

import pytest

from overmind_core.domain.text.decimals import shortest_decimal
from overmind_core.view import queue as queue_rows
from tests.tui.quest_walks import RecordingBoard, known
from tests.tui.test_pictures import NOW
from tests.tui.test_pictures_board import (
    LANDING,
    QUEUE,
)
from tests.tui.walks import walk


def test_the_queue_says_who_lands_then_whose_turn_it_is():
    rows = [known(row) for row in queue_rows.listed(QUEUE)]
    shown = [[column.cell(row, NOW).text for column in queue_rows.COLUMNS if not column.wide] for row in rows]
    assert shown[:3] == [
        ["", "", "checkout", "medium", "landing on main"],
        ["1", "0.585", "login/TSK-003", "critical", "waits for login/TSK-001 (running 4m)"],
        ["2", "0.5225", "port-the-parser-to-the-new-grammar", "high", "1st in line: 3 of 3 slots are taken"],
    ]
    assert queue_rows.Status.of(QUEUE).text == "running 3/3 · queued 6 · landing 1 · provider claude 1/2"
    assert queue_rows.Status.of({**QUEUE, "paused": True}).text.startswith("paused, shift-h resumes · ")


DECIMALS = [(0.6475, "0.6475"), (0.5, "0.5"), (0, "0"), (1.25, "1.25"), (0.16254, "0.1625")]


@pytest.mark.parametrize(("number", "text"), DECIMALS)
def test_a_score_is_as_short_as_it_can_be(number, text):
    assert shortest_decimal(number, 4) == text


def test_a_landing_quest_says_where():
    assert queue_rows.COLUMNS[-1].cell(known(LANDING), NOW).text == "landing on main"


def test_the_queue_is_paused_and_resumed():
    async def scenario(app, press):
        await press(":queue", "H")
        await press("y")
        assert ("queue_set", {"paused": True}) in app.asked
        assert app.notice.text == "queue paused: 2 run on"
        app.answers = {
            **app.answers,
            "queue": {**QUEUE, "paused": True},
            "queue_set": {"paused": False, "slots": 3, "running": 1},
        }
        app.screen.source.ask_again()
        assert app.screen.subtitle().startswith("paused, shift-h resumes")
        await press("H")
        assert ("queue_set", {"paused": False}) in app.asked
        assert app.notice.text == "queue resumed"
        app.refuses = True
        await press("H")
        assert app.notice.text == "It has ended."

    walk(scenario, RecordingBoard)
