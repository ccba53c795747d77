"""Who needs the person, answered in place."""

from __future__ import annotations

import json

import pytest

from overmind_tui.pages.compose import Composer
from overmind_tui.pages.dialog import Dialog
from tests.kit import claude, sessions
from tests.kit.raw_socket import RawSocket
from tests.tui.conftest import later, lists_needs, picture, question_read, until


@pytest.fixture
def om(om, tmp_path):
    """The command line in a world where `claude` is the stand-in."""
    return claude.at_hand(om, tmp_path)


@pytest.fixture
def planner(om):
    """A session that has answered once."""
    return sessions.greeted(om, "planner")


def decisions(om):
    """What was decided so far, by number of the question."""
    return {
        event["question"]: (event["behaviour"], event["by"])
        for event in sessions.events(om)
        if event["type"] == "answered"
    }


async def opened_on(app, pilot, question):
    """Open the page, and wait until its question has been read."""
    await until(pilot, lambda: any(one["question"] == question for one in app.fleet.questions), what="the question")
    if not lists_needs(app):
        await pilot.press("exclamation_mark")
    app.main.select(next(one["id"] for one in app.fleet.questions if one["question"] == question))
    await question_read(app, pilot, question)


async def decided(om, pilot, question):
    """What was decided about a question."""
    await until(pilot, lambda: question in decisions(om), what="a decision")
    return decisions(om)[question]


@pytest.mark.parametrize(("key", "behaviour", "said"), [("y", "allow", "allowed"), ("n", "deny", "denied")])
def test_a_permission_is_given_or_not(om, opened, planner, key, behaviour, said):
    question = sessions.asks(om, "planner", "!bash touch x")["question"]

    async def scenario(app, pilot):
        await opened_on(app, pilot, question)
        assert "1 needs you" in picture(app)
        assert "     touch x" in picture(app)
        await pilot.press(key)
        assert await decided(om, pilot, question) == (behaviour, "a person")
        await until(pilot, lambda: f"planner: {said}" in picture(app), what="told")
        assert f"planner              {said}" in picture(app), "in its row, too"
        await pilot.press("escape")
        await until(pilot, lambda: app.fleet.rows[planner]["activity"] == "idle", what="the turn is over")

    opened({}, scenario)


def test_always_shows_the_rule_and_enter_stores_it_once_it_was_read(om, opened, planner):
    asked = sessions.asks(om, "planner", "!bash touch x")

    async def scenario(app, pilot):
        await opened_on(app, pilot, asked["question"])
        await pilot.press("Y")
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="the rule")
        assert asked["rule"] in picture(app)
        await until(pilot, lambda: app.screen.reading_delay.enough, what="read")
        await pilot.press("enter")
        assert await decided(om, pilot, asked["question"]) == ("always", "a person")

    opened({}, scenario)
    sessions.answer(om, "planner", "!bash touch x")
    since = [by for question, (_, by) in decisions(om).items() if question >= asked["question"]]
    assert since == ["a person", f"rule {asked['rule']}"]


def test_a_rule_that_is_not_stored_leaves_the_question_open(om, opened, planner, weighty_answers):
    asked = sessions.asks(om, "planner", "!bash touch x")

    async def scenario(app, pilot):
        await opened_on(app, pilot, asked["question"])
        await pilot.press("Y", "enter", "n")
        assert lists_needs(app)
        assert "the question just opened: read it, then press enter" in picture(app)
        assert sessions.inbox(om)

    opened({}, scenario)


def test_a_number_chooses_an_option(om, opened, planner):
    question = sessions.asks(om, "planner", "!question")["question"]

    async def scenario(app, pilot):
        await opened_on(app, pilot, question)
        assert "1  Red    warm" in picture(app)
        await pilot.press("7")
        assert "there is no option 7" in picture(app)
        await pilot.press("y")
        assert "choose with 1-9" in picture(app)
        await pilot.press("2")
        assert await decided(om, pilot, question) == ("allow", "a person")
        await until(pilot, lambda: "planner: Blue" in picture(app), what="told")

    opened({}, scenario)
    assert "Blue" in om.logs("planner")


SEVERAL = {
    "questions": [
        {"question": "Which parts?", "header": "Parts", "multiSelect": True,
         "options": [{"label": "api", "description": ""}, {"label": "web", "description": ""},
                     {"label": "docs", "description": ""}]},
        {"question": "Now?", "header": "When", "multiSelect": False,
         "options": [{"label": "Yes", "description": ""}, {"label": "No", "description": ""}]},
    ]
}  # fmt: skip


def test_of_several_options_each_is_marked_and_enter_goes_on(om, opened, planner):
    question = sessions.asks(om, "planner", f"!question {json.dumps(SEVERAL)}")["question"]

    async def scenario(app, pilot):
        await opened_on(app, pilot, question)
        assert "1  [ ] api" in picture(app)
        await pilot.press("3", "1", "2", "2")
        assert "1  [x] api" in picture(app)
        assert "2  [ ] web" in picture(app)
        await pilot.press("enter")
        await question_read(app, pilot, question)
        await pilot.press("1")
        assert await decided(om, pilot, question) == ("allow", "a person")
        await until(pilot, lambda: "planner: api, docs, Yes" in picture(app), what="told")

    opened({}, scenario)


def test_a_question_is_answered_in_own_words(om, opened, planner):
    question = sessions.asks(om, "planner", "!question")["question"]

    async def scenario(app, pilot):
        await opened_on(app, pilot, question)
        await pilot.press("m", *"green", "enter")
        await until(pilot, lambda: not isinstance(app.screen, Composer), what="no box")
        assert await decided(om, pilot, question) == ("allow", "a person")

    opened({}, scenario)
    assert "green" in om.logs("planner")


def test_a_plan_is_shown_whole_and_sent_back_with_words(om, opened, planner):
    question = sessions.asks(om, "planner", "!plan first this, then that")["question"]

    async def scenario(app, pilot):
        await opened_on(app, pilot, question)
        assert "first this, then that" in picture(app)
        assert "y  approve the plan" in picture(app)
        await pilot.press("m", *"shorter", "enter")
        assert await decided(om, pilot, question) == ("deny", "a person")

    opened({}, scenario)


def test_the_change_of_a_file_is_a_diff(om, opened, planner):
    edit = {"file_path": "/srv/limits.py", "old_string": "A = 1\nLIMIT = 10", "new_string": "A = 1\nLIMIT = 20"}
    question = sessions.asks(om, "planner", f"!ask Edit {json.dumps(edit)}")["question"]

    async def scenario(app, pilot):
        await opened_on(app, pilot, question)
        assert "May it change /srv/limits.py?" in picture(app)
        assert " - LIMIT = 10" in picture(app)
        assert " + LIMIT = 20" in picture(app)
        assert "   A = 1" in picture(app)
        await pilot.press("n")
        await decided(om, pilot, question)

    opened({}, scenario)


def test_enter_shows_the_whole_question_and_esc_goes_back_step_by_step(om, opened, planner):
    command = " && ".join(f"echo line-{number}" for number in range(400))
    question = sessions.asks(om, "planner", f"!ask Bash {json.dumps({'command': command})}")["question"]

    async def scenario(app, pilot):
        await until(pilot, lambda: app.fleet.questions, what="the question")
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: app.main.question.key == (planner, question), what="its question")
        assert "line-399" not in picture(app)
        await pilot.press("enter", "G")
        await until(pilot, lambda: "line-399" in picture(app), what="the end of it")
        assert "STATE" not in picture(app)
        await pilot.press("escape")
        assert "STATE" in picture(app)
        await pilot.press("escape")
        assert not lists_needs(app)

    opened({}, scenario)


def test_what_was_typed_before_the_question_was_seen_answers_nothing(om, opened, planner):
    sessions.asks(om, "planner", "!bash touch x")

    async def scenario(app, pilot):
        await until(pilot, lambda: app.fleet.questions, what="the question")
        await pilot.press("exclamation_mark", "y")
        assert "this question just appeared" in picture(app)
        assert sessions.inbox(om)

    opened({}, scenario)


def test_an_answer_from_elsewhere_is_told_and_the_next_row_is_not_answered_by_the_same_key(om, opened, planner):
    sessions.greeted(om, "writer")
    first = sessions.asks(om, "planner", "!bash touch x")["question"]
    second = sessions.asks(om, "writer", "!bash touch y")["question"]

    async def scenario(app, pilot):
        await opened_on(app, pilot, first)
        om.api("answer", question=first, behaviour="deny")
        await until(pilot, lambda: "planner: denied by a person" in picture(app), what="told")
        await until(pilot, lambda: app.fleet.of(planner)["activity"] == "idle", what="its turn is over")
        app._tick()
        app._tick()
        assert app.main.table.cursor_id == planner, "it needs its person, and stays"
        om.ok("seen", "planner")
        await until(pilot, lambda: app.main.question.key and app.main.question.key[1] == second, what="the next")
        await pilot.press("y")
        assert "check it, then press the key again" in picture(app)
        assert [one["question"] for one in sessions.inbox(om)] == [second]

    opened({}, scenario)


def test_an_answer_of_a_browser_is_told_with_its_name(om, opened, planner):
    question = sessions.asks(om, "planner", "!bash touch x")["question"]

    async def scenario(app, pilot):
        await opened_on(app, pilot, question)
        with RawSocket.connect(om.home, by="web:phone") as phone:
            phone.ok("answer", question=question, behaviour="deny")
        await until(pilot, lambda: "planner: denied by web:phone" in picture(app), what="who has answered")
        await pilot.press("colon", *"events", "enter")
        await until(pilot, lambda: "by=web:phone" in picture(app), what="the event")

    opened({}, scenario)


def test_who_answers_too_late_hears_who_was_faster(om, opened, planner):
    question = sessions.asks(om, "planner", "!bash touch x")["question"]

    async def scenario(app, pilot):
        await opened_on(app, pilot, question)
        await pilot.press("m", *"no")
        om.api("answer", question=question, behaviour="allow")
        await pilot.press("enter")
        await until(pilot, lambda: "already answered by a person" in picture(app), what="too late")
        assert app.screen.field.text == "no"

    opened({}, scenario)


def test_a_dot_goes_from_one_to_the_next_and_round(om, opened, planner):
    sessions.greeted(om, "writer")
    questions = [sessions.asks(om, name, "!bash touch x")["question"] for name in ("planner", "writer")]

    async def scenario(app, pilot):
        await until(pilot, lambda: len(app.fleet.questions) == 2, what="the questions")
        await pilot.press("exclamation_mark", "g")
        seen = [app.main.question.key[1]]
        for _ in range(2):
            await pilot.press("full_stop")
            seen.append(app.main.question.key[1])
        assert seen == [*questions, questions[0]]
        await pilot.press("escape", "full_stop")
        assert app.main.question.key[1] == questions[1]
        assert app.main.table.cursor_id == app.main.question.key[0]

    opened({}, scenario)


def test_a_dot_says_when_nobody_needs_the_person(om, opened):
    async def scenario(app, pilot):
        await pilot.press("full_stop")
        assert "nothing needs your attention" in picture(app)
        await pilot.press("exclamation_mark")
        assert "Nobody needs you." in picture(app)
        await pilot.press("y", "m", "1", "enter", "j", "tab", "Y")
        assert lists_needs(app)

    opened({}, scenario)


def test_whose_turn_is_over_shows_the_whole_answer_and_takes_a_message(om, opened, planner):
    sessions.answer(om, planner, "!long 5")

    async def scenario(app, pilot):
        await until(pilot, lambda: app.fleet.of(planner)["unseen"], what="news")
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: "line 5" in picture(app), what="the answer")
        assert "your turn" in picture(app)
        await pilot.press("y")
        await until(pilot, lambda: app.screen is not app.main or app.main.bar.sign, what="a line to type in")
        await pilot.press(*"thanks", "enter")
        await until(pilot, lambda: sessions.messages(om, planner)[-1] == "thanks", what="a message")

    opened({}, scenario, size=(80, 24))


def test_what_crashed_for_good_has_a_group_of_its_own_and_its_log_is_one_key_away(om, opened):
    om.mission("exit 3", "--name", "flaky", "--restart", "always", "--max-restarts", "1", "--backoff", "10ms")
    om.wait_status("flaky", "crashed")

    async def scenario(app, pilot):
        await until(pilot, lambda: app.fleet.rows, what="rows")
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: "failed (3)" in picture(app), what="listed")
        assert "no automatic restarts left · r restarts it" in picture(app)
        await pilot.press("m")
        assert "flaky asks nothing: r restarts it" in picture(app)
        later(app)
        await pilot.press("l")
        assert app.screen is app.main
        assert app.main.panels.current == "logs"
        await pilot.press("full_stop", "r")
        await until(pilot, lambda: len(om.info("flaky")["runs"]) > 2, what="another run")

    opened({}, scenario)


def test_a_filter_narrows_who_is_listed_and_esc_takes_it_off(om, opened, planner):
    sessions.greeted(om, "writer")
    for name in ("planner", "writer"):
        sessions.asks(om, name, f"!bash touch {name}.txt")

    async def scenario(app, pilot):
        await until(pilot, lambda: len(app.fleet.questions) == 2, what="the questions")
        await pilot.press("exclamation_mark", "slash", *"writer", "enter")
        assert [entry.row["name"] for entry in app.main.table.branches] == ["writer"]
        assert "/ writer   1 of 2   esc all" in picture(app)
        await pilot.press("slash", *"nobody", "enter")
        assert "esc shows all 2" in picture(app)
        await pilot.press("escape")
        assert len(app.main.table.branches) == 2

    opened({}, scenario)


def test_a_opens_the_terminal_of_the_mission_that_asks(om, opened, planner):
    claude.settle(om, om.home)
    question = sessions.asks(om, "planner", "!bash touch x")["question"]

    async def scenario(app, pilot):
        await opened_on(app, pilot, question)
        await pilot.press("a")
        assert app.screen is app.main
        assert app.main.panels.current == "terminal"
        assert app.main.terminal_panel.session.name == "planner"
        await until(pilot, lambda: app.main.terminal_panel.session.writes, what="it is there")

    opened({}, scenario)


def test_a_reader_answers_nothing(om, opened, planner):
    question = sessions.asks(om, "planner", "!question")["question"]

    async def scenario(app, pilot):
        await opened_on(app, pilot, question)
        await pilot.press("y", "n", "1", "m", "Y")
        assert lists_needs(app)
        assert sessions.inbox(om)

    opened({}, scenario, read_only=True)


def test_a_waiting_mission_in_the_list_shows_its_question_in_its_row(om, opened, planner):
    sessions.asks(om, "planner", "!bash touch x")

    async def scenario(app, pilot):
        await until(pilot, lambda: app.fleet.questions, what="the question")
        await until(pilot, lambda: "Bash: touch x ?" in picture(app).split("\n")[2], what="it above all others")

    opened({}, scenario, size=(80, 24))
