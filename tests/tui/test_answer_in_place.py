"""Questions are answered in place: where the keys go, what has to be in sight before, and what is said after it."""

from __future__ import annotations

import re
from functools import partial
from typing import ClassVar

import pytest

from overmind_core.errors import OvermindError
from overmind_core.view.actions import Context
from overmind_tui.pages.compose import Composer
from overmind_tui.pages.dialog import Dialog
from overmind_tui.pages.line import LineComposer
from overmind_tui.shell.messages import Happened, InboxChanged, RowsChanged
from tests.kit.cases import tabled
from tests.tui.conftest import later, picture, question_read, until
from tests.tui.test_line import put
from tests.tui.test_pictures import AGENTS, QUESTIONS, mission, settle
from tests.tui.test_pictures_talking import PLAN, SETUP, SEVERAL, Asking
from tests.tui.test_pictures_worktrees import CHANGES
from tests.tui.test_traps import run

API, PORT, REVIEW, DOCS = "00000002", "00000008", "00000004", "00000005"
LONG = {
    **QUESTIONS[0],
    "summary": "Bash: echo",
    "subject": {"command": "\n".join(f"echo line {number}" for number in range(60))},
}
NOT_READ = "this question just appeared: read it, then press the key again"
SMALL, MEDIUM, LARGE = (80, 24), (120, 40), (200, 60)


class Answering(Asking):
    """Writes down what is answered, and whether that is taken."""

    refusal: Exception | None = None

    def __init__(self, rows=AGENTS, questions=QUESTIONS, **how):
        super().__init__(rows, questions, **how)
        self.given: list[tuple[str, str, list[str]]] = []

    def request(self, command, requests, on_result):
        if command != "answer":
            super().request(command, requests, on_result)
            return
        (one,) = requests
        self.given.append((one["question"], one["behaviour"], one.get("options", [one.get("message")])))
        on_result([self.refusal or {}])
        if self.refusal is None:
            self.post_message(
                InboxChanged([asked for asked in self.fleet.questions if asked["question"] != one["question"]])
            )


def state(app, name):
    """The row of a mission as it is drawn."""
    return next((line for line in picture(app).split("\n") if f" {name} " in line[:26]), "")


def in_question(app):
    """Whether the keys are in the question."""
    return app.main.context is Context.NEEDS


def in_list(app):
    """Whether they are in the list."""
    return app.main.context is Context.MISSIONS


def burst(app, keys):
    """These keys at once, as one write of a terminal brings them."""
    put(app, *("enter" if key == "\n" else key for key in keys))


# acceptance 6


@pytest.mark.parametrize("size", [MEDIUM, LARGE], ids=str)
@pytest.mark.parametrize(
    ("mission", "keys", "given", "said"),
    [
        (API, "yy", (7, "allow", []), "allowed"),
        (API, "yn", (7, "deny", []), "denied"),
        (API, "\ny", (7, "allow", []), "allowed"),
        (PORT, "y2", (8, "allow", ["SQLite"]), "answered"),
    ],
)
def test_two_keys_in_one_write_answer_a_question_that_was_in_sight(mission, keys, given, said, size):
    async def scenario(app, pilot):
        assert app.main.select(mission)
        await question_read(app, pilot)
        burst(app, keys)
        assert app.given == [given]
        assert in_list(app), "the keys are back in the list"
        await settle(pilot)
        assert said in state(app, app.fleet.of(mission)["name"])
        await pilot.press("G")
        assert said not in state(app, app.fleet.of(mission)["name"]), "until it is left"

    run(Answering, scenario, size=size)


@pytest.mark.parametrize(
    ("mission", "keys", "given"),
    [
        (API, "yy", (7, "allow", [])),
        (API, "yn", (7, "deny", [])),
        (API, "\ny", (7, "allow", [])),
        (PORT, "y2", (8, "allow", ["SQLite"])),
    ],
)
def test_one_that_came_a_moment_ago_is_not_answered_and_that_is_said(mission, keys, given):
    async def scenario(app, pilot):
        assert app.main.select(mission)
        await settle(pilot)
        app.post_message(InboxChanged(QUESTIONS))
        await until(pilot, lambda: app.main.question.key == (mission, given[0]), what="the question")
        burst(app, keys)
        assert app.given == []
        assert app.notice.text == NOT_READ
        assert in_question(app)
        await question_read(app, pilot)
        burst(app, keys[1])
        assert app.given == [given], "the key again"

    run(lambda: Answering(questions=[]), scenario)


@pytest.mark.usefixtures("read_at_once")
@pytest.mark.parametrize("keys", ["yy", "yn", "y1", "\ny"])
def test_one_whose_panel_the_first_key_opened_is_not_answered(keys):
    async def scenario(app, pilot):
        assert app.main.select(API)
        await settle(pilot)
        assert not app.main.panels.shape.panel_lines
        burst(app, keys)
        assert app.given == []
        assert app.notice.text == NOT_READ
        assert app.main.panels.shape.panel_lines, "it is open now"
        await question_read(app, pilot)
        burst(app, "y")
        assert app.given == [(7, "allow", [])]
        await settle(pilot)
        assert app.main.panels.shape.panel_lines, "only a person closes it"
        await pilot.press("escape")
        assert not app.main.panels.shape.panel_lines

    run(Answering, scenario, size=SMALL)


def test_one_slip_does_nothing():
    async def scenario(app, pilot):
        assert app.main.select(API)
        await question_read(app, pilot)
        for key in ("y", "escape", "n", "escape", "y", "escape"):
            await pilot.press(key)
            await until(pilot, lambda: not app.typed._held, what="its screen")
        assert app.given == []
        assert in_list(app)

    run(Answering, scenario)


def test_a_question_that_takes_the_place_of_another_is_to_be_read_itself():
    async def scenario(app, pilot):
        assert app.main.select(API)
        await question_read(app, pilot)
        await pilot.press("y")
        app.post_message(InboxChanged([PLAN]))
        await until(pilot, lambda: app.main.question.key == (API, 11), what="the plan")
        burst(app, "y")
        assert app.given == []
        assert app.notice.text == NOT_READ

    run(Answering, scenario)


def test_a_question_whose_contents_change_is_to_be_read_anew():
    """The file that it would write anew is another one by now."""
    before, now = ({"state": "text", "bytes": 9, "text": text} for text in ("old\n", "somebody's\n"))
    write = {**QUESTIONS[0], "tool": "Write", "summary": "Write: notes.txt", "replaces": before,
             "subject": {"file_path": "notes.txt", "content": "new\n"}}  # fmt: skip

    async def scenario(app, pilot):
        assert app.main.select(API)
        await question_read(app, pilot)
        app.updates.take(InboxChanged([{**write, "replaces": now}]))
        burst(app, "yy")
        assert app.given == []
        assert app.notice.text == NOT_READ
        await question_read(app, pilot)
        assert "somebody's" in picture(app)
        burst(app, "y")
        assert app.given == [(7, "allow", [])]

    run(lambda: Answering(questions=[write]), scenario)


# acceptance 7


@pytest.mark.usefixtures("read_at_once")
@pytest.mark.parametrize("size", [MEDIUM, LARGE], ids=str)
def test_no_key_answers_a_question_of_sixty_lines_before_all_of_it_was_in_sight(size):
    async def scenario(app, pilot):
        assert app.main.select(API)
        await settle(pilot)
        assert "more lines: enter" in picture(app)
        await pilot.press("y")
        for key in "ynYm":
            burst(app, key)
            assert app.notice.text.startswith("not all of it was in sight: enter shows"), key
        assert app.given == []
        later(app)
        await pilot.press("enter")
        await settle(pilot)
        assert "line 20" in picture(app)
        await pilot.press("G")
        await settle(pilot)
        assert "line 59" in picture(app)
        await question_read(app, pilot)
        await pilot.press("y")
        assert app.given == [(7, "allow", [])]
        assert in_list(app)
        await settle(pilot)
        assert not app.main.question.whole

    run(lambda: Answering(questions=[LONG]), scenario, size=size)


@pytest.mark.usefixtures("read_at_once")
def test_one_of_two_hundred_lines_says_which_key_shows_what_was_not_in_sight():
    said = "not all of it was in sight: {} shows the rest, then press the key again".format

    async def scenario(app, pilot):
        assert app.main.select(API)
        await pilot.press("y", "enter")
        await settle(pilot)
        for key, shows in (("pagedown", "PgDn"), ("G", "PgUp")):
            await pilot.press(key)
            await settle(pilot)
            await pilot.press("y")
            assert app.notice.text == said(shows)
        assert app.given == []
        for _ in range(5):
            await pilot.press("pageup")
            await settle(pilot)
        await pilot.press("y")
        assert app.given == [(7, "allow", [])]

    command = "\n".join(f"echo line {number}" for number in range(200))
    run(lambda: Answering(questions=[{**LONG, "subject": {"command": command}}]), scenario)


@pytest.mark.parametrize("size", [(40, 8), (59, 14), (60, 15), (80, 24), (81, 29), (100, 30), (160, 20)], ids=str)
def test_in_no_size_a_key_answers_what_was_not_on_the_screen(size):
    async def scenario(app, pilot):
        seen: set[str] = set()

        async def look():
            await settle(pilot)
            seen.update(re.findall(r"echo line \d+", picture(app)))

        assert app.main.select(API)
        await pilot.press("y")
        await look()
        await pilot.press("enter")
        await look()
        for _ in range(70):
            app.main.question._sight._complete_at = app.main.question._sight._complete_at and float("-inf")
            if app.main.question.may_answer:
                break
            await pilot.press("j")
            await look()
        assert app.main.question.may_answer
        assert len(seen) == 60
        burst(app, "y")
        assert app.given == [(7, "allow", [])]

    run(lambda: Answering(questions=[LONG]), scenario, size=size)


def test_another_width_is_to_be_read_again():
    async def scenario(app, pilot):
        assert app.main.select(API)
        await question_read(app, pilot)
        await pilot.press("y")
        await pilot.resize_terminal(100, 40)
        await settle(pilot)
        assert not app.main.question.may_answer
        await question_read(app, pilot)

    run(Answering, scenario)


@pytest.mark.parametrize("opening", ["y", "!"])
def test_where_there_is_no_room_nothing_is_answered_and_it_is_to_be_read_again(opening):
    async def scenario(app, pilot):
        assert app.main.select(API)
        await question_read(app, pilot)
        burst(app, opening)
        await pilot.resize_terminal(39, 7)
        await until(pilot, lambda: "39x7: too small" in picture(app), what="that it is too small")
        burst(app, "yn")
        assert app.given == []
        await pilot.resize_terminal(120, 40)
        assert not app.main.question.may_answer
        await question_read(app, pilot)
        burst(app, "y")
        assert app.given == [(7, "allow", [])]

    run(Answering, scenario)


def test_what_stands_behind_another_view_is_not_in_sight():
    async def scenario(app, pilot):
        assert app.main.select(API)
        await question_read(app, pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: app.screen is not app.main, what="the help")
        await pilot.press("escape")
        assert not app.main.question.may_answer
        await question_read(app, pilot)

    run(Answering, scenario)


# where y leads


@tabled(
    ("mission", "said"),
    [("00000001", "planner asks nothing"), ("00000003", "tests asks nothing"), ("00000007", "deploy asks nothing")],
)
def test_y_on_who_asks_nothing_says_so(mission, said):
    async def scenario(app, pilot):
        assert app.main.select(mission)
        await pilot.press("y")
        assert app.notice.text == said
        assert in_list(app)

    run(Answering, scenario)


@pytest.mark.parametrize(
    ("rows", "questions", "said"),
    [
        (AGENTS, QUESTIONS, "this row asks nothing · 4 need you: . goes there"),
        (AGENTS[:2], QUESTIONS[:1], "this row asks nothing · 1 needs you: . goes there"),
        (AGENTS[:1], [], "nothing needs your attention"),
    ],
)
def test_y_on_the_line_of_those_that_ended_says_who_else_needs_a_person(rows, questions, said):
    ended = mission(99, "unit", "stopped", exit_code=0, ended_at="2025-12-31T23:50:00.000Z")

    async def scenario(app, pilot):
        await pilot.press("G")
        await settle(pilot)
        assert app.main.table.on_fold
        await pilot.press("y")
        assert app.notice.text == said

    run(lambda: Answering([*rows, ended], questions), scenario)


@pytest.mark.parametrize("mission", [REVIEW, DOCS])
@pytest.mark.parametrize("key", ["y", "m"])
def test_y_on_a_turn_that_is_over_writes_to_it(mission, key):
    async def scenario(app, pilot):
        assert app.main.select(mission)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, Composer) or app.main.bar.sign, what="a line to type in")

    run(lambda: Answering([{**row, "type": "session"} for row in AGENTS]), scenario)


@pytest.mark.parametrize("opening", ["y", "exclamation_mark"])
def test_whatever_is_marked_only_the_one_whose_turn_is_over_is_written_to(opening):
    async def scenario(app, pilot):
        await pilot.press("*")
        assert app.main.select(REVIEW)
        await pilot.press(opening)
        if opening != "y":
            assert app.main.select(REVIEW)
            await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, LineComposer), what="the line")
        await pilot.press(*"hi")
        assert f" › to {app.fleet.of(REVIEW)['name']}  hi▏" in picture(app)

    run(lambda: Answering([{**row, "type": "session"} for row in AGENTS]), scenario)


@pytest.mark.parametrize(("more", "said"), [
    ({"type": "session"}, "read-only: message is off"), ({"type": "task"}, "takes no messages"),
])  # fmt: skip
def test_where_nothing_can_be_written_that_is_said_and_what_is_typed_is_no_commands(more, said):
    async def scenario(app, pilot):
        assert app.main.select(REVIEW)
        burst(app, "y")
        assert said in app.notice.text
        assert app.typed.quiet.until > 0, "text for it is no commands"
        await settle(pilot)
        assert app.screen is app.main

    rows = [{**row, **more} for row in AGENTS]
    run(lambda: Answering(rows, read_only=said.startswith("read-only")), scenario)


def test_a_choice_of_several_is_marked_and_ended_by_enter():
    async def scenario(app, pilot):
        assert app.main.select(PORT)
        await question_read(app, pilot)
        burst(app, "y7")
        assert app.notice.text == "there is no option 7"
        burst(app, "y")
        assert "choose with 1-9" in app.notice.text
        await pilot.press("3", "1", "2", "2")
        assert "[x] orders" in picture(app)
        assert "[ ] 日本語 catalogue" in picture(app)
        burst(app, "\n1")
        assert app.given == [], "the next of several questions is to be read, too"
        assert app.notice.text == NOT_READ
        await until(pilot, lambda: "And when?" in picture(app), what="the next")
        await question_read(app, pilot)
        await pilot.press("1")
        assert app.given == [(10, "allow", ["1:orders", "1:sessions", "2:now"])]

    run(lambda: Answering(questions=[SEVERAL]), scenario)


def test_always_shows_its_rule_before_it_is_stored():
    async def scenario(app, pilot):
        assert app.main.select(API)
        await question_read(app, pilot)
        await pilot.press("y")
        assert "always: Bash(rm -rf build)" in picture(app)
        await pilot.press("Y")
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="the rule")
        assert app.given == []
        await pilot.press("enter")
        assert app.given == [(7, "always", [])]
        assert in_list(app)

    run(Answering, scenario)


@pytest.mark.parametrize(("words", "opens"), [(60, True), (2_000, False)])
def test_a_long_rule_is_shown_whole_before_it_is_stored_or_not_stored_from_here(words, opens):
    rule = f"Bash({' && '.join(f'echo {number}' for number in range(words))})"

    async def scenario(app, pilot):
        assert app.main.select(API)
        await question_read(app, pilot)
        await pilot.press("y")
        assert "allow once" in picture(app)
        await pilot.press("Y")
        assert isinstance(app.screen, Dialog) is opens
        if opens:
            assert f"echo {words - 1})" in picture(app)
        else:
            assert "too long to be read here" in app.notice.text
        assert app.given == []

    run(lambda: Answering(questions=[{**QUESTIONS[0], "rule": rule}]), scenario)


@pytest.mark.parametrize("size", [MEDIUM, LARGE], ids=str)
def test_own_words_say_why_in_the_line_below_the_question(size):
    async def scenario(app, pilot):
        assert app.main.select(API)
        await question_read(app, pilot)
        await pilot.press("y")
        before = picture(app).split("\n")
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, LineComposer), what="the line")
        await pilot.press(*"why")
        assert picture(app).split("\n")[-2].startswith(" › deny api, say why  why▏")
        assert picture(app).split("\n")[:-2] == before[:-2], "the question stays in sight"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.main, what="the list")
        assert app.given == [(7, "deny", ["why"])]
        assert in_list(app)
        assert "denied" in state(app, "api")

    run(Answering, scenario)


def reported(kind):
    about = {"kind": "mission", "id": API, "name": "api"}
    subject = {"kind": kind, "lines": ["Drop the table?"]}
    return {**QUESTIONS[0], "part": "", "need": "report", "tool": "", "rule": None, "about": about, "subject": subject,
            "summary": "Drop the table?"}  # fmt: skip


def test_m_on_the_row_of_a_task_that_asks_for_words_takes_the_answer_and_says_so():
    async def scenario(app, pilot):
        assert app.main.select(API)
        await question_read(app, pilot)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, LineComposer), what="the line")
        await pilot.press(*"never", "enter")
        await until(pilot, lambda: app.screen is app.main, what="the list")
        assert app.given == [(7, "allow", ["never"])]
        assert app.notice.text == "api: answered"
        assert "answered" in state(app, "api")

    run(lambda: Answering(questions=[reported("question")]), scenario)


def test_m_on_the_row_of_a_task_that_asks_for_more_than_words_says_where_they_go():
    async def scenario(app, pilot):
        assert app.main.select(API)
        await question_read(app, pilot)
        burst(app, "mno")
        assert app.notice.text.startswith("api asks something: y goes to its question")
        await settle(pilot)
        assert (app.screen, app.given) == (app.main, [])

    rows = [{**row, "type": "task"} for row in AGENTS]
    run(lambda: Answering(rows, questions=[reported("bug")]), scenario)


def test_words_that_are_not_sent_are_kept_for_this_question_and_a_refusal_stands_in_the_line():
    async def scenario(app, pilot):
        assert app.main.select(PORT)
        await question_read(app, pilot)
        await pilot.press("y", "m")
        await until(pilot, lambda: isinstance(app.screen, LineComposer), what="the line")
        assert " › answer port  ▏" in picture(app)
        await pilot.press(*"half", "escape")
        await until(pilot, lambda: app.screen is app.main, what="closed")
        assert app.notice.text == "draft kept: m opens it again"
        app.refusal = OvermindError("gone", "It was answered elsewhere.")
        await pilot.press("m", "enter")
        assert " › answer port  half▏" in picture(app)
        assert "It was answered elsewhere." in picture(app)
        assert app.given == [(8, "allow", ["half"])]

    run(Answering, scenario)


def test_what_only_its_terminal_takes_is_said():
    async def scenario(app, pilot):
        assert app.main.select(API)
        await question_read(app, pilot)
        burst(app, "yy")
        assert app.notice.text == "answer api in its terminal: a opens it"
        assert app.given == []

    run(lambda: Answering(questions=[SETUP]), scenario)


def test_a_reader_looks_at_questions_and_answers_none():
    async def scenario(app, pilot):
        assert app.main.select(API)
        await question_read(app, pilot)
        burst(app, "yyn1mY")
        assert in_question(app)
        assert app.given == []
        await settle(pilot)
        assert "read-only: nothing is answered from here" in picture(app)
        assert " allow once" not in picture(app)

    run(lambda: Answering(read_only=True), scenario)


def test_a_dot_goes_to_the_next_and_takes_the_keys_along():
    async def scenario(app, pilot):
        assert app.main.select("00000001")
        await pilot.press("full_stop")
        assert app.main.table.cursor_id == PORT
        assert in_list(app)
        await pilot.press("y", "full_stop")
        assert app.main.question.key == (API, 7)
        assert in_question(app)
        await pilot.press("full_stop")
        assert in_list(app), "who asks nothing has no question for them"
        await pilot.press("full_stop", "full_stop")
        assert app.main.table.cursor_id == PORT, "round and round"

    run(Answering, scenario)


def test_two_questions_of_one_mission_are_one_row_and_asked_one_after_the_other():
    async def scenario(app, pilot):
        assert "2 questions:" in state(app, "api")
        assert app.main.select(API)
        await question_read(app, pilot, 7)
        await pilot.press("y", "full_stop")
        assert app.main.question.key == (API, 11), "a dot goes to the other one first"
        await question_read(app, pilot, 11)
        await pilot.press("n")
        await until(pilot, lambda: app.main.question.key == (API, 7), what="the one that is left")
        assert "asks" in state(app, "api")
        assert app.given == [(11, "deny", [])]

    run(lambda: Answering(questions=[QUESTIONS[0], {**PLAN, "asked_at": "2025-12-31T23:59:00.000Z"}]), scenario)


def test_the_key_to_the_next_is_offered_while_it_leads_back_to_the_first_of_two_questions():
    async def scenario(app, pilot):
        def offered():
            return "next-need" not in app.main.unusable()

        assert app.main.select(API)
        await question_read(app, pilot, 7)
        assert not offered(), "nobody else needs you"
        await pilot.press("y", "full_stop")
        assert (app.main.question.key, offered()) == ((API, 11), True)
        await pilot.press("escape")
        assert in_list(app)
        assert (app.main.question.key, offered()) == ((API, 11), True)
        await pilot.press("full_stop")
        assert (app.main.question.key, offered()) == ((API, 7), False)

    run(lambda: Answering(AGENTS[:2], [QUESTIONS[0], {**PLAN, "asked_at": "2025-12-31T23:59:00.000Z"}]), scenario)


def test_who_was_faster_is_said_and_the_keys_go_back():
    answered = {"seq": 9, "at": "2026-01-01T00:00:00.000Z", "type": "answered", "mission": API, "name": "api",
                "question": 7, "behaviour": "deny", "by": "web:phone"}  # fmt: skip

    async def scenario(app, pilot, *, is_late):
        assert app.main.select(API)
        await question_read(app, pilot)
        await pilot.press("y")
        what_came = [Happened([answered]), InboxChanged([QUESTIONS[1]])]
        for message in reversed(what_came) if is_late else what_came:
            app.post_message(message)
        await until(pilot, lambda: in_list(app), what="the keys are back")
        await until(pilot, lambda: app.notice.text == "api: denied by web:phone", what="who it was")
        assert app.main.table.cursor_id == API

    for is_late in (False, True):
        run(Answering, partial(scenario, is_late=is_late))


def test_a_refused_answer_leaves_the_question_where_it_was():
    async def scenario(app, pilot):
        app.refusal = OvermindError("conflict", "already answered by a person")
        assert app.main.select(API)
        await question_read(app, pilot)
        burst(app, "yy")
        await settle(pilot)
        assert app.notice.text == "already answered by a person"
        assert "asks" in state(app, "api")
        assert app.main.question.key == (API, 7)

    run(Answering, scenario)


def test_a_row_that_just_came_under_the_cursor_is_no_target():
    async def scenario(app, pilot):
        assert app.main.select("00000001")
        app.post_message(RowsChanged([], ["00000001"]))
        await until(pilot, lambda: app.main.restless, what="another row")
        burst(app, "y")
        assert "just changed" in app.notice.text
        assert in_list(app)

    run(Answering, scenario)


def test_a_click_moves_the_keys_into_a_question_and_answers_with_its_buttons():
    async def scenario(app, pilot):
        assert app.main.select(API)
        await question_read(app, pilot)
        lines = picture(app).split("\n")
        y = next(place for place, line in enumerate(lines) if "y answers, then" in line)
        await pilot.click(offset=(3, y))
        assert in_question(app)
        await settle(pilot)
        lines = picture(app).split("\n")
        y = next(place for place, line in enumerate(lines) if "allow once" in line)
        await pilot.click(offset=(lines[y].index("deny"), y))
        assert app.given == [(7, "deny", [])]

    run(Answering, scenario)


def test_a_question_says_in_which_changes_it_would_happen_once_they_are_known():
    class Changed(Answering):
        counted: ClassVar[list[tuple[str, object]]] = []

        def request(self, command, requests, on_result):
            if command == "changes":
                self.counted.append((requests[0]["id"], on_result))
            else:
                super().request(command, requests, on_result)

    async def scenario(app, pilot):
        assert app.main.select(API)
        await question_read(app, pilot)
        assert [mission for mission, _ in app.counted] == [API], "of no other one, and once"
        before = picture(app)
        assert " in /srv/work" in before
        assert "files" not in before
        app.counted[0][1]([CHANGES])
        await until(pilot, lambda: " files" in picture(app), what="the changes")
        assert " 3 commits: +10 −5 in 5 files" in " ".join(picture(app).split())
        burst(app, "yy")
        assert app.given == [(7, "allow", [])], "what came behind the question does not make it unread"
        app.post_message(Happened([{"type": "committed"}]))
        await settle(pilot)
        assert len(app.counted) == 1, "nothing is asked of who asks nothing any more"

    Changed.counted.clear()
    run(Changed, scenario)
