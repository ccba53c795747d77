"""Agents on the screen: what they do, what they ask, who is called to look, and what counts as seen."""

from __future__ import annotations

import pytest

from tests.kit import claude, sessions
from tests.kit.attached import Attached
from tests.kit.overmind import PROGRAM
from tests.kit.terminal import Terminal
from tests.tui.conftest import lists_needs, picture, until


@pytest.fixture
def om(om, tmp_path):
    """The command line in a world where `claude` is the stand-in, with a daemon in a home alone, too."""
    claude.at_hand(om, tmp_path)
    if om.holder("supervisor.lock") is None:
        om.ok("start")
    return om


@pytest.fixture
def planner(om):
    """A session that has answered once."""
    return sessions.greeted(om, "planner")


@pytest.fixture
def asking(om, planner):
    """The same, which asks whether it may."""
    sessions.asks(om, "planner", "!bash touch x")
    return planner


def header(app):
    return picture(app).split("\n")[0]


def state(app, mission):
    row = app.fleet.of(mission)
    return row and (row["activity"], row["need"])


def test_a_question_is_seen_in_the_tree_and_in_the_list_of_who_needs_the_person(om, opened, asking):
    async def scenario(app, pilot):
        await until(pilot, lambda: state(app, asking) == ("waiting", "permission"), what="waiting")
        await until(pilot, lambda: "Bash: touch x ?" in picture(app), what="the question")
        assert "$0.05" in picture(app)
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: "     touch x" in picture(app), what="the list")
        assert "1 needs you" in picture(app)
        om.api("answer", id="planner", behaviour="deny")
        await until(pilot, lambda: "     touch x" not in picture(app), what="answered")
        await pilot.press("q")
        await until(pilot, lambda: "your turn" in picture(app), what="your turn")

    opened({}, scenario)


def listed(person):
    """The lines of a terminal of 80x24 that a person sees first, and the names that stand there."""
    first = person.text().splitlines()[:5]
    return {name for name in WAITING if any(f"! {name} " in line for line in first)}


WAITING = ("api", "cart", "docs")


@pytest.mark.usefixtures("alone")
def test_of_forty_five_missions_the_three_that_wait_stand_in_the_first_lines(om):
    """Acceptance 1 of the screen: they were started last, behind some that run and many that have ended."""
    for number in range(42):
        command = "true" if number % 4 else "sleep 300"
        om.api("run", name=f"other-{number}", command=command, cwd=om.home, env=om.environment)
    for name in WAITING:
        sessions.begun(om, name)
        sessions.asks(om, name, "!bash touch x")
    with Attached(om, "tui", program=PROGRAM, size=(80, 24)) as person:
        person.until(lambda: listed(person) == set(WAITING), "all three")
        assert "3 need you" in person.text().splitlines()[0]


@pytest.mark.parametrize(("size", "stop"), [((80, 24), False), ((120, 40), True)])
def test_the_hints_stay_where_they_are_whatever_the_cursor_is_on(om, asking, size, stop):
    """Acceptance 2 of the screen: one that asks, one that is typed into, a task, and what has ended."""
    om.mission("cat", "--type", "session", "--name", "typed")
    om.mission("sleep 300", "--name", "task")
    om.finished("exit 3", "--name", "broken")
    om.finished("true", "--name", "done")
    with Attached(om, "tui", program=PROGRAM, size=size) as person:

        def cursor():
            return [line[4:].split()[0] for line in person.text().splitlines() if line.startswith("▌")]

        person.shows("1 ended: ")
        person.type(b"g")
        seen = set()
        for name in ("planner", "typed", "task", "broken", "ended:"):
            person.until(lambda: cursor() == [name], name)  # noqa: B023 - looked at here
            seen.add(person.text().splitlines()[-1])
            person.type(b"j")
        assert len(seen) == 1, "nothing of them but their tone changes"
        assert ("x stop" in seen.pop()) is stop


def test_the_list_of_nobody_says_so(om, opened):
    async def scenario(app, pilot):
        await pilot.press(":", *"inbox", "enter")
        await until(pilot, lambda: "Nobody needs you." in picture(app), what="nobody")
        await pilot.press("exclamation_mark")
        await pilot.pause()
        assert len(app.screen_stack) == 1
        assert lists_needs(app)

    opened({}, scenario)


@pytest.mark.usefixtures("alone")
def test_what_agents_cost_today_stands_in_the_header(om, opened, planner):
    async def scenario(app, pilot):
        await until(pilot, lambda: "$0.05 today" in picture(app), what="the cost")
        sessions.answer(om, planner, "again")
        await until(pilot, lambda: "$0.10 today" in picture(app), what="more cost")

    opened({}, scenario)


def test_an_answer_that_was_in_view_is_seen_once_the_cursor_leaves_it(om, opened, planner):
    def unseen():
        return next(row["unseen"] for row in om.api("ps", wide=True) if row["id"] == planner)

    async def scenario(app, pilot):
        await until(pilot, lambda: app.fleet.of(planner)["unseen"], what="news")
        app.main.select(planner)
        await until(pilot, lambda: app.seen_tracker.rested == planner, what="in view")
        app.seen_tracker.look()
        assert unseen()
        assert "1 needs you" in header(app)
        await pilot.press("j")
        await until(pilot, lambda: not unseen(), what="seen")
        await until(pilot, lambda: "nobody needs you" in header(app), what="no news")

    opened({"other": "sleep 300"}, scenario, size=(120, 40))


def test_what_nobody_looks_at_stays_news(om, opened, planner):
    async def scenario(app, pilot):
        await pilot.press("escape")
        await until(pilot, lambda: "1 needs you" in header(app) and "your turn" in picture(app), what="news")
        for _ in range(3):
            app._tick()
        await pilot.pause(0.3)
        assert om.api("ps", wide=True)[0]["unseen"]
        assert "1 needs you" in header(app)

    opened({}, scenario, size=(80, 24))


@pytest.mark.parametrize(("size", "rings"), [((80, 24), 1), ((120, 40), 0)])
def test_the_terminal_is_rung_unless_the_mission_is_in_view(om, opened, planner, monkeypatch, size, rings):
    async def scenario(app, pilot):
        rung: list[str] = []
        monkeypatch.setattr(app, "ring", rung.append)
        await pilot.press("escape")  # where there is little room it closes the panel
        await until(pilot, lambda: app.main.table.cursor_id == planner, what="the cursor")
        await until(pilot, lambda: (app.main.in_view == planner) == (rings == 0), what="its log in view, or not")
        sessions.say(om, planner, "!bash touch x")
        await until(pilot, lambda: any(event["type"] == "notification" for event in app.fleet.events), what="the event")
        assert len(rung) == rings
        assert rung in ([], ["overmind: planner · needs you · Bash: touch x"])

    opened({}, scenario, size=size)


def test_a_verb_with_words_goes_to_each_marked_mission(om, opened, planner):
    other = sessions.begun(om, "writer")

    async def scenario(app, pilot):
        await until(pilot, lambda: len(app.fleet.rows) == 2, what="rows")
        await pilot.press("*", ":", *"send", "space", *"go", "space", *"on", "enter")
        await until(
            pilot,
            lambda: all(sessions.messages(om, one)[-1] == "go on" for one in (planner, other)),
            what="two messages",
        )

    sessions.answer(om, other, "hello")
    opened({}, scenario)


def test_a_real_terminal_hears_a_bell_and_a_notification(om, planner):
    with Terminal(om, "tui", env={"TMUX": None}) as terminal:
        terminal.expect("planner")
        terminal.type("?")  # so that nobody sees its log
        terminal.shows("everywhere")
        sessions.say(om, planner, "!bash touch x")
        terminal.expect("\x07\x1b]9;overmind: planner · needs you · Bash: touch x\x07")
        terminal.type("qq")
        assert terminal.end() == 0
