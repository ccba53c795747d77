"""The mouse: whatever is drawn and can be meant does, when it is clicked, what its key does."""

from __future__ import annotations

import pytest
from textual.events import MouseScrollDown, MouseScrollUp

from overmind_core.view.actions import Context
from overmind_core.view.cells import Cell
from overmind_tui.changes.page import ChangesPage
from overmind_tui.render.layout import Panel
from overmind_tui.shell.messages import LogShown
from tests.tui.conftest import lists_needs, until
from tests.tui.test_help import drawn, help_of
from tests.tui.test_pictures import AGENTS, NOW, ROWS, mission, settle
from tests.tui.test_pictures_worktrees import Isolated
from tests.tui.test_stats_panel import Long
from tests.tui.test_traps import Asked, run

LARGE = (200, 60)


def place(app, words, *, line=""):
    """The cell where some words begin, in the first line that has them, and `line` as well."""
    found = ((text.index(words), y) for y, text in enumerate(drawn(app)) if words in text and line in text)
    return next(found)


def test_a_click_on_a_face_turns_the_panel_to_it_and_the_keys_stay_in_the_list():
    rows = [{**row, "tty": True} for row in AGENTS]

    async def scenario(app, pilot):
        for size, word, face in (((120, 40), "stats", Panel.STATS), (LARGE, "log", Panel.LOG)):
            await pilot.resize_terminal(*size)
            await pilot.click(offset=place(app, word, line="diff  terminal"))
            assert (app.main.panels.face, app.main.panels.current) == (face, Panel.TABLE)
        await pilot.press("l")
        assert app.main.panels.current is Panel.LOG
        await pilot.click(offset=place(app, "stats", line="diff  terminal"))
        assert (app.main.panels.face, app.main.panels.current) == (Panel.STATS, Panel.TABLE)

    run(lambda: Asked(rows), scenario, (120, 40))


def test_a_click_on_a_face_that_the_mission_lacks_says_why_and_changes_nothing():
    rows = [{**row, "tty": False} for row in AGENTS]

    async def scenario(app, pilot):
        await pilot.click(offset=place(app, "terminal", line="diff  terminal"))
        assert app.main.panels.face is Panel.LOG
        assert app.notice.text == "no terminal: it runs on pipes"

    run(lambda: Asked(rows), scenario)


class Scrolled(Long):
    """Missions whose log, diff and stats are all longer than the panel."""

    def _show_log(self, look):
        self.post_message(LogShown(look, [(NOW, 0, f"line {at}") for at in range(200)], partial="", runs=(1, 1)))


@pytest.mark.parametrize("face", [Panel.LOG, Panel.DIFF, Panel.STATS])
def test_the_wheel_scrolls_the_face_below_the_mouse_and_the_keys_stay_in_the_list(face):
    async def scenario(app, pilot):
        app.main.panels.turn_to(face)
        await settle(pilot)
        main = app.main
        view = {Panel.LOG: main.log_view, Panel.DIFF: main.diff_view, Panel.STATS: main.stats}[face]
        there, back = (MouseScrollUp, MouseScrollDown) if face is Panel.LOG else (MouseScrollDown, MouseScrollUp)
        begin, under = view.scroll_offset.y, main.table.cursor_id
        await pilot._post_mouse_events([there], view, offset=(5, 2))
        await until(pilot, lambda: view.scroll_offset.y != begin, what="scrolled")
        assert (main.panels.current, main.table.cursor_id) == (Panel.TABLE, under)
        await pilot._post_mouse_events([back], view, offset=(5, 2))
        await until(pilot, lambda: view.scroll_offset.y == begin, what="and back")

    run(Scrolled, scenario, (80, 18))


def in_sight(view):
    """The lines of a text that are in sight."""
    top = view.scroll_offset.y
    return range(top, top + view.scrollable_content_region.height)


async def wheel(pilot, view, event, turns):
    for _ in range(turns):
        await pilot._post_mouse_events([event], view, offset=(5, 2))


@pytest.mark.parametrize("back", [0, 10], ids=["down", "down and up"])
def test_the_wheel_takes_the_chosen_row_of_all_keys_along_and_enter_does_that_one(back):
    async def scenario(app, pilot):
        await help_of(app, pilot)
        await pilot.press("question_mark")
        page = app.screen
        done: list[object] = []
        await wheel(pilot, page.text, MouseScrollDown, 4 + 2 * back)
        await wheel(pilot, page.text, MouseScrollUp, back)
        assert page.text.scroll_offset.y > 0
        assert page._places[page._at].line in in_sight(page.text)
        chosen = page._entries[page._at]
        assert chosen.action is not None
        assert any(chosen.text[:20] in line for line in drawn(app))
        app.main.act = done.append
        await pilot.press("enter")
        assert done == [chosen.action]

    run(Asked, scenario, (80, 18))


def test_the_wheel_takes_the_cursor_of_a_diff_along_and_the_list_of_its_files():
    async def scenario(app, pilot):
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, ChangesPage) and app.screen._found, what="the changes")
        page = app.screen
        begin = page.path
        await wheel(pilot, page.text, MouseScrollDown, 20)
        top = page.text.scroll_offset.y
        assert page.text.at in in_sight(page.text)
        assert page.path != begin
        await until(pilot, lambda: page._here == page.path, what="its file marked")
        await pilot.press("j")
        assert page.text.scroll_offset.y == top, "nothing jumps back"

    run(Isolated, scenario, (80, 18))


def test_the_notes_of_another_mission_begin_in_sight_however_far_those_before_were_scrolled():
    async def scenario(app, pilot):
        app.main.panels.open_notes()
        view = app.main.notes_view
        view.show([[Cell(f"line {at}")] for at in range(100)])
        await settle(pilot)
        await wheel(pilot, view, MouseScrollDown, 4)
        assert view.at > 0
        assert view.at in in_sight(view)
        app.request = lambda *_asked: None  # those of the other one are on their way
        app.main.notes_panel.look_at("00000001")
        assert view.at == 0
        assert view.at in in_sight(view)

    run(Asked, scenario)


def test_a_click_on_an_event_goes_to_its_mission_unless_that_is_gone():
    async def scenario(app, pilot):
        app.main.table.select("00000001")
        await pilot.pause()
        at = place(app, "00:00  ", line=" api ")
        await pilot.click(offset=at)
        assert app.main.table.cursor_id == "00000002"
        app.fleet.events[-1]["mission"] = "0000abcd"
        app.main.tick()
        await pilot.pause()
        await pilot.click(offset=place(app, "00:00  ", line=" api "))
        assert app.main.table.cursor_id == "00000002"
        assert "removed" in app.notice.text

    run(Asked, scenario, LARGE)


def test_a_click_on_a_row_chooses_it_two_open_it_and_one_on_the_fold_turns_it():
    async def scenario(app, pilot):
        await pilot.click(offset=place(app, "planner", line="▶"))
        assert app.main.table.cursor_id == "00000001"
        x, y = place(app, " ended: ")
        await pilot.click(offset=(x, y))
        assert app.main.table_panel.unfolded
        await pilot.click(offset=(x, y))
        assert not app.main.table_panel.unfolded
        at = place(app, "planner", line="▶")
        await pilot.click(offset=at, times=2)
        await until(pilot, lambda: app.main.panels.current is not Panel.TABLE, what="its terminal or log")

    run(Asked, scenario)


def test_a_click_on_a_group_goes_to_its_first_row_and_ends_no_work():
    async def scenario(app, pilot):
        for words, first in (("running", "00000001"), ("needs you", "00000007")):
            app.main.table.select("00000005")
            await pilot.click(offset=place(app, words, line="running" if words == "running" else "STATE"), times=2)
            assert app.main.table.cursor_id == first
            assert (app.main.panels.current, app.main.table.sorted_by[0]) == (Panel.TABLE, "")
        await pilot.click(offset=place(app, "COST", line="needs you"))
        assert app.main.table.sorted_by[0] == "cost"
        assert app.asked == []

    run(lambda: Asked([*ROWS[:6], {**ROWS[6], "reason": "restart_budget_spent"}]), scenario)


def test_a_click_on_a_call_of_the_header_shows_who_calls():
    failed = [mission(at, f"unit-{at}", "crashed", exit_code=1, unseen=at == 9) for at in (9, 10)]

    async def shows(app, pilot, words, view):
        await pilot.click(offset=place(app, words, line="overmind"))
        await until(pilot, lambda: getattr(app.screen, "view", "") == view, what=view)
        await settle(pilot)

    async def scenario(app, pilot):
        await pilot.click(offset=place(app, "1 failed"))
        assert app.main.table.listed == 1
        assert app.main.table.cursor_id == "00000009"
        await pilot.press("escape")
        await pilot.click(offset=place(app, "need you", line="overmind"))
        assert lists_needs(app)
        app.fleet.proposed = 2
        app.main.tick()
        await shows(app, pilot, "to accept", "notes")
        await shows(app, pilot, "cpu", "top")
        await shows(app, pilot, "overmind", "")
        assert {"notes", "top"} <= set(app.asked)

    run(lambda: Asked([*AGENTS, *failed]), scenario)


def test_a_click_on_what_the_line_offers_presses_its_key():
    async def scenario(app, pilot):
        await pilot.click(offset=place(app, "filter", line="command"))
        assert app.main.bar.sign == "/"
        await pilot.press(*"api", "enter")
        assert app.main.filtered.kept == 1
        await pilot.click(offset=place(app, "esc all"))
        assert app.main.filtered is None
        await pilot.click(offset=place(app, "command", line="filter"))
        assert app.main.bar.sign == ":"
        await pilot.press("escape")
        await pilot.click(offset=place(app, "new mission"))
        await until(pilot, lambda: app.screen is not app.main, what="the line of a new mission")
        assert app.screen.context is Context.TASK
        assert app.asked == []

    run(Asked, scenario)


CROWD = [*ROWS, *(mission(at, f"more-{at}", "running", now="on and on") for at in range(20, 80))]


@pytest.mark.parametrize("view", ["missions", "events"])
def test_the_wheel_takes_the_cursor_of_a_list_along_only_where_it_would_leave_sight(view):
    async def scenario(app, pilot):
        if view == "events":
            app.fleet.events.extend({**app.fleet.events[-1], "seq": 100 + at} for at in range(70))
            await pilot.press("colon", *"events", "enter")
            await settle(pilot)
        table = app.screen.table
        await pilot.press("g", *"jjjj")
        row = table.cursor_id
        assert row is not None
        await wheel(pilot, table, MouseScrollDown, 1)
        assert (table.cursor_id, table.scroll_offset.y) == (row, 3)
        await wheel(pilot, table, MouseScrollDown, 4)
        passed, top = table.cursor_id, table.scroll_offset.y
        assert (passed != row, top) == (True, 15)
        await pilot.press("j", "k")
        assert (table.cursor_id, table.scroll_offset.y) == (passed, top)
        await wheel(pilot, table, MouseScrollDown, 50)
        end, passed = table.scroll_offset.y, table.cursor_id
        await pilot.press("G")
        assert table.scroll_offset.y == end
        await wheel(pilot, table, MouseScrollUp, 50)
        assert table.scroll_offset.y == 0
        assert table.cursor_id not in {row, passed}

    run(lambda: Asked(CROWD), scenario, (80, 24))


def test_the_wheel_over_a_list_that_is_all_in_sight_does_nothing():
    async def scenario(app, pilot):
        table = app.main.table
        await pilot.press("j")
        row = table.cursor_id
        for event in (MouseScrollDown, MouseScrollUp):
            await wheel(pilot, table, event, 3)
            assert (table.scroll_offset.y, table.cursor_id) == (0, row)

    run(Asked, scenario, LARGE)
