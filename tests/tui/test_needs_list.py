"""Only those are listed who need a person: the first group alone, and the way back; and what the engine asks."""

from __future__ import annotations

from typing import Any

import pytest

from overmind_core.view import inbox, prompt
from overmind_core.view.actions import Context, Needs
from overmind_core.view.keymap import keymap
from overmind_core.view.prompt import Where
from overmind_tui.missions.question import NOT_READ
from overmind_tui.render.layout import Panel
from overmind_tui.shell.messages import InboxChanged, RowsChanged
from tests.tui.conftest import later, lists_needs, picture, question_read, until
from tests.tui.test_answer_in_place import (
    API,
    LARGE,
    MEDIUM,
    PORT,
    SMALL,
    Answering,
    burst,
    in_list,
    in_question,
    state,
)
from tests.tui.test_pictures import AGENTS, QUESTIONS, Still, mission, settle
from tests.tui.test_pictures_talking import BY_ENGINE
from tests.tui.test_traps import run
from tests.tui.walks import walk

REVIEW = "00000004"


ENDED = mission(99, "unit", "stopped", exit_code=0, ended_at="2025-12-31T23:50:00.000Z")
OF_ROW = {"mark", "panel-up", "panel-down"}
ON_ROW = sorted({action.keys[0] for action in keymap(Context.MISSIONS).values()
                 if action.needs is not Needs.NOTHING or action.name in OF_ROW})  # fmt: skip


@pytest.mark.parametrize("key", ON_ROW)
@pytest.mark.parametrize("unfolded", [False, True])
def test_each_key_on_the_line_of_those_that_ended_does_something_or_says_why_not(key, unfolded):
    async def scenario(app, pilot):
        app.main.table_panel.unfolded = unfolded
        app.main.rearrange(asked=True)
        await pilot.press("G")
        while not app.main.table.on_fold:
            await pilot.press("k")
        await settle(pilot)
        before = picture(app)
        app.main.press(key, key if len(key) == 1 else None)
        assert app.notice.text or picture(app) != before or app.screen is not app.main

    run(lambda: Answering([*AGENTS, ENDED]), scenario)


@pytest.mark.parametrize("opening", ["", "y", "exclamation_mark"])
def test_the_key_to_the_next_says_where_there_is_no_other(opening):
    async def scenario(app, pilot):
        assert app.main.select(API)
        for key in (*([opening] if opening else []), "full_stop"):
            await pilot.press(key)
        assert app.notice.text == "nobody else needs you"
        assert in_list(app) is not bool(opening)

    run(lambda: Answering(AGENTS[:2], QUESTIONS[:1]), scenario)


@pytest.mark.parametrize(("key", "said"), [("left", "nothing to fold here"), ("right", "nothing to unfold here")])
def test_a_row_with_nothing_below_it_says_so(key, said):
    async def scenario(app, pilot):
        assert app.main.select(AGENTS[0]["id"])
        await pilot.press(key)
        assert app.notice.text == said

    run(lambda: Answering(AGENTS[:1], []), scenario)


def test_what_could_not_be_unfolded_is_not_there_to_be_folded():
    async def scenario(app, pilot):
        assert app.main.select(AGENTS[0]["id"])
        await pilot.press("right", "left")
        assert app.notice.text == "nothing to fold here"

    run(lambda: Answering(AGENTS[:1], []), scenario)


@pytest.mark.parametrize("size", [SMALL, MEDIUM, LARGE], ids=str)
def test_who_needs_a_person_is_the_first_group_alone_with_the_keys_in_its_question(size):
    async def scenario(app, pilot):
        assert app.main.select(PORT)
        await pilot.press("exclamation_mark")
        await settle(pilot)
        assert lists_needs(app)
        shown = picture(app)
        assert "› needs you" in shown
        assert "running" not in shown
        assert "Which database?" in shown
        assert app.main.table.cursor_id == PORT
        await question_read(app, pilot)
        await pilot.press("2")
        assert app.given == [(8, "allow", ["SQLite"])]
        (port,) = (row for row in AGENTS if row["id"] == PORT)
        app.post_message(RowsChanged([{**port, "activity": "working", "need": None}], []))
        await settle(pilot)
        assert lists_needs(app)
        assert in_question(app)
        assert "answered" in state(app, "port"), "it stays until it is left"
        await pilot.press("j")
        assert app.main.question.key == (API, 7)
        await until(pilot, lambda: not state(app, "port"), what="it goes")
        await pilot.press("escape")
        assert not lists_needs(app)
        assert in_list(app)
        assert app.main.table.cursor_id == API

    run(Answering, scenario, size=size)


@pytest.mark.parametrize("key", ["y", "m", "n", "Y", "2"])
def test_a_key_right_behind_the_cursor_is_for_its_row(key):
    """The panel comes a moment later: what it showed before is neither written to nor answered."""

    async def scenario(app, pilot):
        await pilot.press("exclamation_mark")
        app.main.select(REVIEW)
        await settle(pilot)
        assert app.main.following.mission == REVIEW
        burst(app, f"kk{key}")
        await settle(pilot)
        assert app.main.table.cursor_id != REVIEW
        assert not app.typed.is_waiting, "nothing is written to anybody"
        assert app.notice.text == NOT_READ
        assert app.given == []

    run(Answering, scenario)


def test_its_log_is_one_key_away_and_esc_goes_back_to_it():
    async def scenario(app, pilot):
        await pilot.press("exclamation_mark", "l")
        assert app.main.panels.current is Panel.LOG
        await pilot.press("escape")
        assert lists_needs(app)
        assert in_question(app)
        await pilot.press("escape")
        assert in_list(app)

    run(Answering, scenario)


def test_the_line_offers_no_new_mission_while_n_denies():
    async def scenario(app, pilot):
        def offers():
            return "n new in" in picture(app).splitlines()[-2]

        assert offers()
        for way in (["exclamation_mark"], ["y"]):
            assert app.main.select(API)
            await pilot.press(*way)
            assert in_question(app)
            assert not offers()
            await pilot.press("escape")
            assert in_list(app)
            assert offers()

    run(Answering, scenario, size=SMALL)


def test_since_no_earlier_than_the_first_start_missions_have_ended():
    async def scenario(app, press):
        await press("!")
        assert "Nobody needs you. 5 running, 2 ended since 23:57." in picture(app)

    walk(scenario, Still)


def test_nobody_needs_a_person():
    async def scenario(app, pilot):
        await pilot.press("exclamation_mark")
        assert "Nobody needs you. Nothing runs" in picture(app) or "Nobody needs you. 1 running" in picture(app)
        for key in ("y", "1", "enter", "j", "tab", "Y", "full_stop"):
            app.notice.clear()
            await pilot.press(key)
            assert lists_needs(app)
            assert app.notice.text in {inbox.NOBODY, ""}, key
        await pilot.press("m", "y")
        assert app.notice.text == prompt.unheard(inbox.NOBODY)
        assert app.given == []
        await pilot.press("escape")
        assert not lists_needs(app)

    run(lambda: Answering([AGENTS[0]], []), scenario)


def test_its_filter_is_its_own():
    async def scenario(app, pilot):
        await pilot.press("slash", *"docs", "enter", "exclamation_mark")
        assert "4 need you" in picture(app)
        await pilot.press("slash", *"database", "enter")
        await settle(pilot)
        assert "1 of 4 need you" in picture(app)
        assert "/ database   1 of 4   esc all" in picture(app)
        await pilot.press("slash", *"xyz", "enter")
        await settle(pilot)
        assert "nothing matches databasexyz: esc shows all 4" in picture(app)
        await pilot.press("escape")
        assert lists_needs(app)
        assert len(app.main.table.branches) == 4
        await pilot.press("escape")
        await settle(pilot)
        assert [entry.row["name"] for entry in app.main.table.branches] == ["docs"]

    run(Answering, scenario)


def test_what_failed_for_good_says_how_it_goes_on():
    async def scenario(app, pilot):
        await pilot.press("exclamation_mark")
        assert app.main.select("00000007")
        await settle(pilot)
        assert "no automatic restarts left · r restarts it" in picture(app)
        await pilot.press("y")
        assert app.notice.text == "deploy asks nothing: r restarts it"
        await pilot.press("m")
        assert app.notice.text == "deploy asks nothing: r restarts it"

    run(Answering, scenario)


@pytest.mark.parametrize("view", ["board", "plans", "events"])
def test_esc_goes_back_to_the_page_that_it_was_opened_from(view):
    async def scenario(app, pilot):
        app.commands.run(view)
        await until(pilot, lambda: app.screen is not app.main, what=view)
        page = app.screen
        for key in ("exclamation_mark", "full_stop"):
            await pilot.press(key)
            await until(pilot, lambda: lists_needs(app), what="who needs me")
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is page, what="back")

    run(Answering, scenario)


# what the engine asks


def test_what_the_engine_asks_has_a_row_and_is_answered_there():
    async def scenario(app, pilot):
        assert "asks" in state(app, "login")
        for key in ("x", "m", "v"):
            assert app.main.select("5b00c0de")
            await pilot.press(key)
            assert app.screen is app.main, "it is no mission"
            later(app)
        await pilot.press("l")
        assert app.notice.text == "login has no mission, and so no log"
        await question_read(app, pilot, 13)
        assert "── login " in picture(app)
        burst(app, "yy")
        assert [one[:2] for one in app.given] == [(13, "allow")]
        await settle(pilot)
        assert "answered" in state(app, "login") or "go on" in state(app, "login")

    run(lambda: Answering(questions=BY_ENGINE), scenario)


def test_a_gate_shows_the_mission_that_made_what_is_asked_about():
    made = {**AGENTS[0], "id": "000000a1", "name": "login/tasks", "status": "stopped", "activity": None}
    gate = {**BY_ENGINE[0], "quests": [made["id"]]}

    async def scenario(app, pilot):
        assert "asks" in state(app, "login/tasks")
        assert app.main.select(gate["id"])
        await question_read(app, pilot, gate["question"])
        assert app.main.log_panel.look.missions == (made["id"],), "below its question"
        assert "no mission" not in picture(app)
        shown: list[Any] = []
        app.actions.handlers |= {"describe": shown.append, "changes": shown.append}
        await pilot.press("d", "v")
        assert [[row["id"] for row in rows] for rows in shown] == [[made["id"]]] * 2
        await pilot.press("l")
        assert app.main.panels.current is Panel.LOG
        await pilot.press("escape")
        await question_read(app, pilot, gate["question"])
        burst(app, "yy")
        assert [one[:2] for one in app.given] == [(gate["question"], "allow")]

    run(lambda: Answering([*AGENTS, made], [gate]), scenario)


def test_the_log_below_a_gate_is_that_of_the_gate_that_asks_now():
    made = [{**AGENTS[0], "id": one, "name": f"login/{part}", "status": "stopped", "activity": None}
            for one, part in (("000000a1", "tasks"), ("000000a2", "merge"))]  # fmt: skip
    tasks, merge = ({**BY_ENGINE[0], "question": 13 + at, "quests": [row["id"]], "part": row["name"][6:]}
                    for at, row in enumerate(made))  # fmt: skip

    async def scenario(app, pilot):
        assert app.main.select(tasks["id"])
        await settle(pilot)
        assert app.main.log_panel.look.missions == ("000000a1",)
        app.post_message(InboxChanged([merge]))
        await until(pilot, lambda: app.main.log_panel.look.missions == ("000000a2",), what="its log")

    run(lambda: Answering([*AGENTS, *made], [tasks]), scenario)


def test_what_the_engine_asks_is_shown_where_there_is_no_mission():
    async def scenario(app, pilot):
        assert "asks" in state(app, "login")
        await question_read(app, pilot)
        assert app.main.log_panel.look.missions == (), "no log is asked for"
        assert " y answer  enter open " in picture(app).splitlines()[-1], "how it is answered stands below"
        assert app.main.where is Where.LIST

    run(lambda: Answering([], [BY_ENGINE[0]]), scenario)


def test_no_filter_puts_the_keys_into_the_question_of_another_mission():
    async def scenario(app, pilot):
        await pilot.press("exclamation_mark", "slash", *"database", "enter")
        await settle(pilot)
        assert [entry.id for entry in app.main.table.branches] == [PORT]
        await pilot.press("question_mark")
        await until(pilot, lambda: app.screen is not app.main, what="a page")
        await pilot.press("full_stop")
        await until(pilot, lambda: lists_needs(app), what="who needs me")
        assert app.main.table.cursor_id == API
        assert app.main.question.key == (API, 7)
        assert in_question(app)

    run(Answering, scenario)


def test_a_question_that_is_no_longer_open_gives_the_keys_to_no_other():
    async def scenario(app, pilot):
        app.main.show_needs(("00000009", 3))
        await settle(pilot)
        assert app.notice.text == inbox.NO_LONGER_OPEN
        assert in_list(app)
        assert not lists_needs(app)

    run(Answering, scenario)
