"""First steps: said until they were done once, remembered, never in the way."""

from __future__ import annotations

import pytest

from overmind_core.view import prompt
from overmind_core.view.actions import Context
from overmind_core.view.hints import actions_of
from overmind_tui.shell.coaching import ANSWERS, COACHED, STEPS, step_of
from tests.kit.cases import tabled
from tests.tui.conftest import until
from tests.tui.test_pictures import AGENTS, QUESTIONS
from tests.tui.test_traps import Asked, run

M, N = Context.MISSIONS, Context.NEEDS

DONE = [
    ("a move is no step", M, "down", ""),
    ("its question", M, "question", "question"),
    ("it was answered in the list of those who ask", N, "allow", "question"),
    ("or one of its options was chosen", N, "option-2", "question"),
    ("moving in that list is no answer", N, "down", ""),
    ("leaving it is none either", N, "back", ""),
    ("the panel was turned", M, "next-panel", "next-panel"),
    ("or turned back", M, "previous-panel", "next-panel"),
    ("tab elsewhere turns no panel", Context.DOCUMENT, "next-panel", ""),
    ("a mission was begun", M, "new", "new"),
]


@tabled(("what", "context", "action", "step"), DONE)
def test_a_step_is_done_by_the_name_of_its_action(what, context, action, step):
    del what
    assert step_of(context, action) == step


def test_every_action_that_counts_is_in_the_table_of_keys():
    assert set(actions_of(M)) >= STEPS
    assert set(actions_of(N)) >= ANSWERS


class Coached(Asked):
    """A program of a person who has done these steps already."""

    def __init__(self, rows=AGENTS, questions=QUESTIONS, *, done=()):
        super().__init__(rows, questions)
        self.remembered.put(**{COACHED: list(done)})
        self.coaching.__init__(self, self.remembered)  # type: ignore[misc] # as in the next program

    def line(self):
        return "".join(cell.text for line in self.main.line.lines(self.size.width) for cell in line)


def test_the_line_goes_from_step_to_step_and_what_was_done_is_remembered():
    async def scenario(app, pilot):
        assert "1 of 3: y answers who asks" in app.line()
        app.coaching.did(M, "question")
        assert "2 of 3: tab turns the panel" in app.line()
        await pilot.press("tab")
        assert "3 of 3: n starts one of your own" in app.line()
        await pilot.press("n", "escape")
        await until(pilot, lambda: app.screen is app.main, what="the missions")
        app.notice.clear()
        assert " of 3" not in app.line()
        assert set(app.remembered.get(COACHED, [])) == STEPS

    run(Coached, scenario)


@pytest.mark.parametrize(
    ("done", "line"), [(["question"], "2 of 3: tab"), (["needs", "answer", "dance"], "1 of 3: y"), (sorted(STEPS), "")]
)
def test_what_was_done_in_an_earlier_life_counts_and_what_means_nothing_now_does_not(done, line):
    async def scenario(app, pilot):
        del pilot
        said = app.coaching.line(M)
        assert said.startswith(line) if line else not said

    run(lambda: Coached(done=done), scenario)


def test_nobody_is_told_to_answer_where_nobody_asks():
    async def scenario(app, pilot):
        del pilot
        assert app.coaching.line(M).startswith("1 of 3: tab turns the panel")
        app.fleet.questions = QUESTIONS
        assert app.coaching.line(M).startswith("1 of 3: y answers who asks"), "the number never falls"

    run(lambda: Coached(questions=()), scenario)


def test_nothing_is_said_where_its_key_means_something_else():
    async def scenario(app, pilot):
        for context in Context:
            assert bool(app.coaching.line(context)) is (context is M), context
        await pilot.press("question_mark")
        await until(pilot, lambda: getattr(app.screen, "view", "") == "help", what="the help")
        assert app.coaching.line(M) == ""

    run(Coached, scenario)


@pytest.mark.parametrize("why", ["coach", "read_only", "rows"])
def test_nothing_is_said_to_whom_it_is_of_no_use(why):
    async def scenario(app, pilot):
        del pilot
        if why == "coach":
            app.live.now = app.settings._replace(coach=False)
        app.read_only = why == "read_only"
        assert app.coaching.line(M) == ""

    run(lambda: Coached([] if why == "rows" else AGENTS), scenario)


def test_what_is_over_comes_back_nowhere_once_the_list_has_let_it_go():
    async def scenario(app, pilot):
        app.flash("api: allowed")
        assert "api: allowed" in app.line()
        app.notice.until = 0.0  # in a picture it would stay
        await pilot.press("l")
        assert app.main.context is Context.LOG
        assert "api: allowed" not in app.line(), "in the list a step stands in its place"
        await pilot.press("escape")
        app.coaching.end()
        assert "api: allowed" not in app.line()
        assert app.notice.said.text == "api: allowed", "ctrl-o shows it"
        app.flash("api: denied")
        app.notice.until = 0.0
        app.notice.clear()
        assert "api: denied" in app.line(), "faint, while nothing else is to be said"
        app.main.meaningless = "+"
        assert "api: denied" not in app.line()
        app.main.meaningless = ""
        assert "api: denied" not in app.line()

    run(Coached, scenario)


@tabled("cells", range(20, 130))
def test_the_step_gives_way_to_what_is_said(cells):
    said = prompt.Said("stopped lint", 0.0)
    lines = prompt.resting(prompt.RestFacts("~/shop", said=said, step=prompt.first_step(())), cells, 1.0)
    shown = "".join(cell.text for line in lines for cell in line)
    assert "stopped lint" in shown
    assert " of 3" not in shown
