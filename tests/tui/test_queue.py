"""The queue: whose turn it is, what its rows say, and walks through the view."""

from __future__ import annotations

import pytest

from overmind_core.domain.text.decimals import shortest_decimal
from overmind_core.view import queue as queue_rows
from overmind_tui.pages import dialog
from overmind_tui.pages.dialog import Dialog
from overmind_tui.shell.messages import RowsChanged
from tests.tui.conftest import picture
from tests.tui.quest_walks import RecordingBoard, known
from tests.tui.test_pictures import NOW, mission
from tests.tui.test_pictures_board import (
    LANDING,
    QUEUE,
    in_queue,
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


@pytest.mark.usefixtures("weighty_answers")
@pytest.mark.parametrize("view", ["queue", "quests"])
def test_the_question_about_a_quest_that_begins_meanwhile_says_so_and_is_to_be_read_anew(view, monkeypatch):
    name, number = "login/TSK-003", 0x40
    begun = in_queue(number, name, "running", 5, phase="work")

    async def scenario(app, press):
        await press(f":{view}")
        page = app.screen
        assert page.table.select(begun["id"])
        await press("x")
        assert f"{name}  queued for" in picture(app)
        monkeypatch.setattr(dialog, "MOMENT", 60.0)
        waiting = [row for row in QUEUE["quests"] if row["id"] != begun["id"]]
        quests = [begun if row["id"] == begun["id"] else row for row in app.answers["quests"]]
        app.answers = {**app.answers, "queue": {**QUEUE, "quests": waiting}, "quests": quests}
        page.source.ask_again()
        app.updates.take(RowsChanged([mission(number, name, "running")]))
        await press("f9")  # nothing: it is drawn meanwhile
        assert f"{name}  working for" in picture(app)
        await press("y")
        assert isinstance(app.screen, Dialog)
        assert app.notice.text == "the question just changed: read it, then press y"
        assert "quest_cancel" not in [command for command, _ in app.asked]

    walk(scenario, RecordingBoard)
