"""The missions screen at rest and at work: nothing moves without a reason, and nothing of it is forgotten."""

from __future__ import annotations

import asyncio
import json
import random
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.domain.text.cells import width
from overmind_core.view import screen_shape
from overmind_core.view.actions import Context
from overmind_core.view.question_sight import LEAST_SECONDS
from overmind_core.view.settling import CALM_SECONDS, HELD_SECONDS
from overmind_tui.missions import question
from overmind_tui.missions import table as table_panel
from overmind_tui.missions.question import NOT_READ
from overmind_tui.shell.messages import InboxChanged, RowsChanged
from tests.tui.conftest import picture, until
from tests.tui.test_pictures import Still, agent, mission, settle
from tests.tui.test_pictures_talking import BY_ENGINE


class Clock:
    """The time that the list knows."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """A clock that only a test moves."""
    found = Clock()
    monkeypatch.setattr(table_panel, "time", SimpleNamespace(monotonic=found.monotonic))
    return found


class Begun(Still):
    """The program with these missions, the cursor on the first of them."""

    def _start(self):
        self.fleet.apply(self._rows, (), everything=True)
        self.coaching.end()
        self.main.rearrange()


class Framed(Begun):
    """The same, which keeps each frame that a terminal would get, as text."""

    def __init__(self, rows, **how):
        super().__init__(rows, **how)
        self.frames: list[str] = []

    def _display(self, screen, renderable):
        super()._display(screen, renderable)
        if screen is self.main:
            self.frames.append(picture(self))


def play(scenario, rows, size=(120, 40), make=Begun, **how):
    async def whole():
        app: Any = make(rows, **how)
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            await scenario(app, pilot)

    asyncio.run(whole())


def lines_of(app):
    """Id → the line of its row."""
    table = app.main.table
    return {entry.id: table._place(entry.id) - table.scroll_offset.y for entry in table.branches}


async def came(app, pilot, rows, **how):
    """Rows came from the supervisor."""
    app.post_message(RowsChanged(rows, **how))
    await pilot.pause()


def asks(app, row, number=1, rule=None):
    """That a mission asks something."""
    question = {"question": number, "id": row["id"], "name": row["name"], "need": "permission", "tool": "Bash",
                "options": [], "summary": "Bash: make", "subject": {"command": "make"}, "rule": rule,
                "asked_at": "2025-12-31T23:59:00.000Z", "attach_only": False}  # fmt: skip
    waits = {**row, "activity": "waiting", "need": "permission", "now": "Bash: make"}
    app.post_message(RowsChanged([waits]))
    app.post_message(InboxChanged([question]))


# 3


@pytest.mark.parametrize("order", ["", "cpu:down", "cost:down", "memory:up"])
def test_sixty_seconds_of_output_move_no_row(clock, order):
    """Acceptance 3."""
    choice = random.Random(order)
    rows = [agent(at, f"agent-{at}", "working", "begins", 0.1 * at, cpu_percent=9.0 - at) for at in range(1, 10)]

    async def scenario(app, pilot):
        if order:
            app.main.table_panel.by_column(order.partition(":")[0])
        before = lines_of(app)
        for second in range(60):
            clock.now += 1
            figures = [
                {"cpu_percent": choice.uniform(0, 100), "cost_usd": choice.uniform(0, 9), "memory_bytes": at * 10**7}
                for at in choice.sample(range(9), 9)
            ]
            await came(app, pilot, [
                {**row, "now": f"step {second}", **figure} for row, figure in zip(rows, figures, strict=True)
            ])  # fmt: skip
            assert lines_of(app) == before, second
        assert "step 59" in picture(app), "what they say is shown all the same"

    play(scenario, rows)


# 4


@pytest.mark.parametrize("grows", [True, False])
def test_a_question_that_comes_while_a_key_is_held_moves_nothing(clock, grows):
    """Acceptance 4."""
    rows = [agent(at, f"agent-{at}", "working", "goes on", 0.1) for at in range(1, 30)]
    if grows:
        rows.append(agent(40, "waits", "waiting", "Bash: ls", 0.1, need="permission"))

    async def scenario(app, pilot):
        for step in range(10):
            app.main.press("j", "j")
            clock.now += 0.03
            await pilot.pause()
            if step == 5:
                before, under = lines_of(app), app.main.table.cursor_id
                asks(app, rows[20])
                await pilot.pause()
                assert lines_of(app) == before, "no row comes, goes or shifts"
                assert app.main.table.cursor_id == under
        held, line = app.main.table.cursor_id, lines_of(app)[app.main.table.cursor_id]
        app.main.press("y", "y")
        await pilot.pause()
        assert (app.screen, app.main.context) == (app.main, Context.MISSIONS), "it goes nowhere"
        assert app.notice.text == f"{app.fleet.of(held)['name']} asks nothing"
        assert app.main.table.cursor_id == held
        clock.now += CALM_SECONDS + 0.01
        app.main.rearrange()
        await pilot.pause()
        assert app.main.table.branches[0].id == rows[20]["id"] or grows
        assert rows[20]["id"] in [one.id for one in app.main.table.branches[:2]], "it stands above now"
        assert app.main.table.cursor_id == held
        assert lines_of(app)[held] >= line, "the cursor moves with its row"

    play(scenario, rows)


@pytest.mark.parametrize("steps", [0, 9])
def test_who_asks_above_the_cursor_is_in_sight_where_the_list_shows_its_beginning(clock, steps):
    rows = [agent(at, f"agent-{at}", "working", "goes on", 0.1) for at in range(1, 41)]

    async def scenario(app, pilot):
        await pilot.press(*"j" * steps)
        under = app.main.table.cursor_id
        clock.now += CALM_SECONDS + 0.01
        for number, row in enumerate((rows[20], rows[30]), 1):
            asks(app, row, number)
            await settle(pilot)
            clock.now += CALM_SECONDS + 0.01
        shown = picture(app)
        assert "more above" not in shown
        assert f"! {rows[20]['name']}" in shown
        assert app.main.table.cursor_id == under
        assert f"{app.fleet.of(under)['name']} " in shown

    play(scenario, rows, size=(80, 24))


def test_a_question_of_the_row_that_a_held_key_has_come_to_is_not_answered_unread(clock, monkeypatch):
    """Acceptance 4: where it is that row which asks, the keys go into its question, and none of them answers it."""
    monkeypatch.setattr(question, "time", SimpleNamespace(monotonic=clock.monotonic))
    rows = [agent(at, f"agent-{at}", "working", "goes on", 0.1) for at in range(1, 30)]

    async def scenario(app, pilot):
        asked = []
        monkeypatch.setattr(app, "request", lambda command, *_more: asked.append(command))
        for _ in range(10):
            app.main.press("j", "j")
            clock.now += 0.03
            await pilot.pause()
        under, before = app.main.table.cursor_id, lines_of(app)
        asks(app, app.fleet.of(under))
        await until(pilot, lambda: app.main.question.key is not None, what="its question")
        assert lines_of(app) == before, "the row stays on its line"
        clock.now += LEAST_SECONDS - 0.01
        for key in "yyny":
            app.main.press(key, key)
        await pilot.pause()
        assert "answer" not in asked
        assert app.notice.text == NOT_READ
        assert lines_of(app)[under] == before[under]
        clock.now += 0.02
        app.main.press("y", "y")
        assert "answer" in asked, "it could be read by now"

    play(scenario, rows)


def test_the_row_of_the_cursor_keeps_its_place_until_the_cursor_leaves(clock):
    rows = [agent(at, f"agent-{at}", "working", "goes on", 0.1) for at in range(1, 6)]

    async def scenario(app, pilot):
        app.main.table.select(rows[3]["id"])
        app.main.press("k", "k")
        clock.now += 1
        under = rows[2]
        assert app.main.table.cursor_id == under["id"]
        asks(app, under)
        await pilot.pause()
        assert [one.id for one in app.main.table.branches] == [row["id"] for row in rows], "it stays"
        app.main.press("j", "j")
        clock.now += 1
        await until(pilot, lambda: app.main.table.branches[0].id == under["id"], what="it went above")

    play(scenario, rows)


def test_a_question_that_nobody_asks_any_more_goes_where_the_cursor_can_go_nowhere_else(clock):
    question = BY_ENGINE[0]

    async def scenario(app, pilot):
        app.post_message(InboxChanged([question]))
        await until(pilot, lambda: "login: tasks passed" in picture(app), what="asked")
        await pilot.press("j")
        clock.now += CALM_SECONDS
        app.post_message(InboxChanged([]))
        await until(pilot, lambda: "asks no longer" in picture(app), what="said where it stands")
        assert "login                closed" in picture(app)
        assert "── login " in picture(app)
        clock.now += HELD_SECONDS
        app.main.rearrange()
        await until(pilot, lambda: "Nothing runs yet." in picture(app), what="nothing is there")

    play(scenario, [])


# 5


def test_the_child_of_a_plan_that_asks_stands_above_once_and_goes_back(clock):
    """Acceptance 5."""
    plan = mission(1, "release", "running", type="blueprint")
    child, other = agent(2, "release/cart", "working", "edits", 0.1, "00000001"), mission(3, "web", "running")

    def named(app):
        return [(one.group.value, one.name, one.parent) for one in app.main.table.branches]

    async def scenario(app, pilot):
        app.main.table.select("00000003")
        before = named(app)
        assert before == [("running", "release", ""), ("running", "cart", ""), ("running", "web", "")]
        clock.now += 1
        asks(app, child)
        await pilot.pause()
        assert named(app) == [("needs", "cart", "release"), ("running", "release", ""), ("running", "web", "")]
        shown = picture(app)
        assert "cart ‹ release" in shown
        assert app.main.table.cursor_id == "00000003"
        app.main.table.select("00000002")
        app.main.table_panel.pressed()
        clock.now += 1
        app.post_message(RowsChanged([child]))
        app.post_message(InboxChanged([]))
        await pilot.pause()
        assert named(app)[0] == ("needs", "cart", "release"), "the cursor is on it: it stays"
        app.main.press("j", "j")
        clock.now += 1
        await until(pilot, lambda: named(app) == before, what="it is back in its place")

    play(scenario, [plan, child, other])


# 8

WIDTHS = (40, 59, 60, 79, 80, 99, 100, 110, 116, 119, 120, 159, 160, 200, 220)
HEIGHTS = (8, 14, 15, 23, 24, 29, 30, 40, 60, 70)
RULE = f"Bash({'make all ' * 6}*)"


def stands_beside(shown):
    """Whether a panel is at the right of the list."""
    return any("│" in line[:-1] for line in shown.split("\n"))


def stands_below(shown):
    """The lines of titles of panels below the list."""
    return [at for at, line in enumerate(shown.split("\n")) if line.startswith("── ") and "log  diff" in line]


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("crowd", [5, 40])
def test_in_every_size_each_part_ends_where_the_next_one_begins(columns, crowd):
    """Acceptance 8."""
    rows = [agent(1, "asks", "waiting", "Bash: make", 0.1, need="permission")]
    rows += [mission(at, f"mission-{at}", "running", now="on and on " * 40) for at in range(2, crowd)]
    rows.append(mission(90, "gone", "stopped", exit_code=0))

    async def scenario(app, pilot):
        asks(app, rows[0], rule=RULE)
        await settle(pilot)
        for height in HEIGHTS:
            del app.frames[:]
            await pilot.resize_terminal(columns, height)
            await settle(pilot)
            assert app.frames
            assert not any(stands_beside(one) and stands_below(one) for one in app.frames), "of both shapes"
            lines = picture(app).split("\n")
            assert len(lines) == height
            assert {width(line) for line in lines} == {columns}, height
            main, shape = app.main, app.main.panels.shape
            assert shape == screen_shape.shape(columns, height, main.panels.wish), "it is folded in this frame"
            assert lines[-1].rstrip().endswith("? keys") or columns < 60
            below = stands_below(picture(app))
            assert stands_beside(picture(app)) is shape.is_beside, height
            assert len(below) == bool(shape.panel_lines and not shape.is_beside), height
            if below:
                assert below == [shape.header + shape.list_lines]
            parts = [one.region for one in (main.left, main.side) if one.display and one.region]
            assert all(one.right <= columns and one.bottom <= height for one in parts)
            assert not main.question_view.display or main.question_view.region.bottom <= main.side.region.bottom
            assert sum(one.area for one in parts) + shape.is_beside * shape.panel_lines == columns * (
                height - shape.header - shape.line - shape.hints
            ), height

    play(scenario, rows, size=(columns, 24), make=Framed)


@pytest.mark.parametrize("columns", [40, 59, 60, 70, 80, 120, 160])
def test_in_every_size_the_keys_of_a_question_are_in_sight(columns):
    """Acceptance 8: while they are in it."""
    rows = [agent(1, "asks", "waiting", "Bash: make", 0.1, need="permission")]
    rows += [mission(at, f"mission-{at}", "running") for at in range(2, 6)]

    async def scenario(app, pilot):
        asks(app, rows[0], rule=RULE)
        await settle(pilot)
        await pilot.press("y")
        for height in (8, 14, 15, 16, 17, 18, 24, 40):
            await pilot.resize_terminal(columns, height)
            await settle(pilot)
            assert app.main.context is Context.NEEDS
            shown = picture(app)
            for key in ("y  allow once", "n  deny", "m  deny, say why", "Y  always: Bash(make "):
                assert f" {key}" in shown, (height, key)
            (line,) = (line for line in shown.split("\n") if "always: " in line)
            assert "… " in line or " *)" in shown, height

    play(scenario, rows)


@pytest.mark.parametrize("crowd", [3, 40])
def test_no_frame_between_two_sizes_has_both_shapes(crowd):
    """Acceptance 8: as somebody draws the window wider and narrower."""
    rows = [mission(at, f"mission-{at}", "running") for at in range(1, crowd)]
    sizes = [(120, 40), (200, 60), (80, 24), (160, 24), (59, 20), (220, 70), (100, 29), (160, 30), (40, 8), (120, 30)]

    async def scenario(app, pilot):
        for size in sizes:
            del app.frames[:]
            await pilot.resize_terminal(*size)
            await settle(pilot)
            assert app.frames
            assert not any(stands_beside(one) and stands_below(one) for one in app.frames), size
            if app.main.panels.shape.panel_lines:
                assert stands_beside(app.frames[-1]) or stands_below(app.frames[-1]), size

    play(scenario, rows, make=Framed)


# 9


def test_a_killed_mission_is_counted_before_and_after_another_view_was_open():
    rows = [mission(1, "done", "stopped", exit_code=0), mission(2, "end", "killed", hidden=True, outcome="killed")]

    async def scenario(app, pilot):
        fold = "▸ 2 ended: 1 succeeded, 1 killed"
        assert fold in picture(app)
        app.commands.run("events")
        await pilot.pause()
        assert fold not in picture(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main, what="back")
        await settle(pilot)
        assert fold in picture(app)

    play(scenario, rows)


def test_what_ended_is_one_line_that_counts_right_and_a_failure_stays_above_until_it_was_seen(clock):
    """Acceptance 9."""
    rows = [mission(at, f"done-{at}", "stopped", exit_code=0, ended_at=f"2025-12-31T23:{at:02}:00.000Z")
            for at in range(10, 40)]  # fmt: skip
    rows += [
        mission(50, "halted", "stopped", outcome="stopped"),
        mission(51, "broken", "crashed", exit_code=3, unseen=True, now="exit 3: no space"),
        mission(52, "web", "running"),
    ]

    def above(app):
        return [one.row["name"] for one in app.main.table.branches]

    async def scenario(app, pilot):
        assert above(app) == ["web", "broken"]
        assert "▸ 31 ended: 30 succeeded, 1 stopped" in picture(app)
        app.main.table.select("00000033")
        clock.now += 5
        await pilot.pause()
        app.seen_tracker.look()
        assert app.fleet.rows["00000033"]["unseen"], "in view for less than a second"
        app.seen_tracker.look()
        assert not app.fleet.rows["00000033"]["unseen"]
        await pilot.pause()
        assert above(app) == ["web", "broken"], "the cursor is on it"
        app.main.press("k", "k")
        clock.now += 1
        await until(pilot, lambda: above(app) == ["web"], what="it is folded away")
        assert "▸ 32 ended: 30 succeeded, 1 failed, 1 stopped" in picture(app)

    play(scenario, rows)


# 10


def test_how_the_list_was_arranged_survives_a_restart(tmp_path):
    """Acceptance 10."""
    rows = [mission(1, "planner", "running"), mission(2, "api", "running", "00000001"), mission(3, "apt", "running"),
            mission(4, "lint", "stopped", exit_code=0)]  # fmt: skip

    def arranged(app):
        panel = app.main.table_panel
        return (panel.unfolded, panel.filter.text, set(app.main.table.marked), panel.grouped, panel.flat,
                str(panel.order))  # fmt: skip

    async def at_work(app, pilot):
        assert arranged(app)[:5] == (False, "", set(), True, False)
        app.main.table.select("00000003")
        for one in ("space", "G", "enter", "t", "A", "N"):
            app.main.press(one, one if len(one) == 1 else None)
            await pilot.pause()
        for one in ("/", "a", "p"):
            app.main.press(one, one)
        assert not json.loads(await kept(app))["filter"], "what is being typed is no filter yet"
        app.main.press("enter", None)
        await pilot.pause()
        found.append(arranged(app))
        await kept(app)

    async def again(app, pilot):
        await pilot.pause()
        assert arranged(app) == found[0]
        assert {one.row["name"] for one in app.main.table.branches} == {"api", "apt"}

    async def kept(app):
        app.remembered.save()
        return (tmp_path / "tui.json").read_text()

    found: list[Any] = []
    play(at_work, rows, home=tmp_path)
    unfolded, text, marks, grouped, flat, order = found[0]
    assert (unfolded, text, marks, grouped, flat) == (True, "ap", {"00000003"}, False, True)
    assert order.startswith("name")
    play(again, rows, home=tmp_path)


def test_marks_of_what_is_gone_are_forgotten(tmp_path):
    async def marks(app, pilot):
        app.main.press("space", " ")
        await pilot.pause()
        assert app.main.table.marked == {"00000001"}

    async def gone(app, pilot):
        await pilot.pause()
        assert app.main.table.marked == set()

    play(marks, [mission(1, "a", "running"), mission(2, "b", "running")], home=tmp_path)
    play(gone, [mission(2, "b", "running")], home=tmp_path)


# sentences


def test_a_sentence_changes_twice_a_second_at_most_and_the_last_one_is_said(clock):
    rows = [mission(1, "web", "running", now="begins")]

    async def scenario(app, pilot):
        said = []
        for step in range(40):
            clock.now += 0.05
            await came(app, pilot, [{**rows[0], "now": f"line {step:02}"}])
            (line,) = (line for line in picture(app).split("\n") if " web " in line and "working" in line)
            said.append(line.split("  ")[-1] if "line" not in line else line[line.index("line") :][:7])
        assert len(set(said)) <= 6, "in two seconds"
        clock.now += 1
        await until(pilot, lambda: "line 39" in picture(app), what="the last one")

    play(scenario, rows)


# the panel of few rows


def test_a_panel_of_few_rows_is_opened_and_closed_by_a_person_alone():
    few = [mission(at, f"mission-{at}", "running") for at in range(1, 4)]
    more = [mission(at, f"mission-{at}", "running") for at in range(4, 30)]

    async def grows(app, pilot):
        assert app.main.panels.shape.panel_lines, "three rows leave room for it"
        await came(app, pilot, more)
        assert len(app.main.table.branches) == 29
        assert app.main.panels.shape.panel_lines, "rows that come do not close it"
        app.main.press("escape", None)
        assert not app.main.panels.shape.panel_lines
        assert app.notice.text == "tab opens the panel again"
        await came(app, pilot, [], removed=[row["id"] for row in more])
        assert not app.main.panels.shape.panel_lines, "rows that go do not open it"

    async def shrinks(app, pilot):
        assert not app.main.panels.shape.panel_lines, "they need all the room"
        await came(app, pilot, [], removed=[row["id"] for row in more])
        assert not app.main.panels.shape.panel_lines
        app.main.press("tab", None)
        assert app.main.panels.shape.panel_lines

    play(grows, few, size=(80, 24))
    play(shrinks, [*few, *more], size=(80, 24))


def test_the_list_above_a_panel_is_lower_again_once_its_view_was_left():
    few = [mission(at, f"mission-{at}", "running") for at in range(1, 4)]
    more = [mission(at, f"mission-{at}", "running") for at in range(4, 16)]

    async def scenario(app, pilot):
        low = app.main.panels.shape.list_lines
        await came(app, pilot, more)
        high = app.main.panels.shape.list_lines
        assert high > low, "it grows at once"
        await came(app, pilot, [], removed=[row["id"] for row in more])
        assert app.main.panels.shape.list_lines == high, "and does not shrink"
        await pilot.press("question_mark")
        await until(pilot, lambda: app.screen is not app.main, what="the help")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main, what="the missions")
        await pilot.pause()
        assert app.main.panels.shape.list_lines == low

    play(scenario, few)
