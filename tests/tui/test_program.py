"""The program driven by Textual's pilot against a real supervisor: keys, what they do, what is drawn."""

from __future__ import annotations

from datetime import UTC

import pytest
from textual import events

from overmind_tui.actions import ACTIONS, Context, keymap
from overmind_tui.screens.dialog import Dialog
from overmind_tui.screens.form import Form
from overmind_tui.screens.text import TextPage
from tests.tui.conftest import picture, until

HOSTILE = "a [red]R[/red] [/] [b"


def names(app):
    return [branch.row["name"] for branch in app.main.table.branches]


def test_agent_text_is_literal_in_every_view(om, opened):
    """Whatever an agent writes is no markup: not in rows, logs, titles, dialogs, flashes or texts."""

    async def scenario(app, pilot):
        await until(pilot, lambda: HOSTILE in picture(app), what="its line")
        for keys in (["l"], ["z"], ["escape"], ["escape"], ["d"], ["q"], ["x"], ["n"], ["question_mark"], ["q"]):
            await pilot.press(*keys)
            await pilot.pause(0.2)
        for line in (f":{HOSTILE}", f"/{HOSTILE}", ":events", ":info"):
            app.to_root()
            await pilot.press(*("left_square_bracket" if one == "[" else one for one in line[:1]))
            app.screen.paste(line[1:])
            await pilot.press("enter")
            await pilot.pause(0.3)
        app.flash(HOSTILE)
        await pilot.pause()
        assert app.is_running

    opened({"alpha": ["sh", "-c", f"echo '{HOSTILE}'; sleep 300", HOSTILE]}, scenario)


def test_type_ahead_goes_where_it_belongs(opened):
    async def scenario(app, pilot):
        def write(text):
            for one in text:
                app.post_message(events.Key("enter" if one == "\r" else one, one))

        write("/bet\r")
        await until(pilot, lambda: names(app) == ["beta"], what="filtered")
        assert app.main.bar.sign == ""
        write("\x1b")
        write("nsleep 301\r")
        await until(pilot, lambda: len(app.fleet.rows) == 3, what="started by the form in one write")
        assert {row["command"] for row in app.fleet.rows.values()} >= {"sleep 301"}
        write(":events\r")
        await until(pilot, lambda: isinstance(app.screen, TextPage), what="events")
        write("q?")
        await until(pilot, lambda: isinstance(app.screen, TextPage) and app.screen.view == "help", what="help")

    opened({"alpha": "sleep 300", "beta": "sleep 300"}, scenario)


def test_a_paste_is_never_keys(om, opened):
    async def scenario(app, pilot):
        app.post_message(events.Paste("xyqn\r"))
        await pilot.pause(0.3)
        assert len(app.screen_stack) == 1
        await pilot.press("colon")
        app.post_message(events.Paste("stop\r\n"))
        await pilot.pause(0.2)
        assert app.main.bar.field.text == "stop"

    opened({"alpha": "sleep 300"}, scenario)


def test_a_key_that_ends_work_is_refused_when_the_row_has_just_moved(om, opened):
    async def scenario(app, pilot):
        app.main.table.move_to(1)
        om.ok("kill", "alpha")
        om.ok("rm", "alpha")
        await until(pilot, lambda: len(app.fleet.rows) == 1, what="alpha has left")
        await pilot.press("ctrl+k")
        assert "just changed" in app.notice.text
        await pilot.pause(0.7)
        await pilot.press("ctrl+k")
        await until(pilot, lambda: "killed beta" in app.notice.text, what="then it is killed")

    opened({"alpha": "sleep 300", "beta": "sleep 300"}, scenario)


def test_marked_rows_are_acted_on_together_with_one_flash(om, opened):
    async def scenario(app, pilot):
        await pilot.press("space", "space", "x")
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="asked")
        await pilot.press("y")
        await until(pilot, lambda: app.notice.text == "stopped 2 of 2", what="one flash")
        assert sorted(row["status"] for row in om.ps()) == ["running", "stopped", "stopped"]

    opened({"alpha": "sleep 300", "beta": "sleep 300", "gamma": "sleep 300"}, scenario)


def test_a_killed_row_stays_dimmed_until_all_is_asked_again(om, opened):
    async def scenario(app, pilot):
        om.ok("kill", "alpha")
        await until(pilot, lambda: app.main.table.branches[0].dimmed, what="dimmed")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: names(app) == ["beta"], what="gone")

    opened({"alpha": "sleep 300", "beta": "sleep 300"}, scenario)


def test_the_log_is_followed_and_reads_back_to_its_first_line(om, opened):
    async def scenario(app, pilot):
        view = app.main.log_view
        await until(pilot, lambda: "line 5000" in view.text(), what="the tail")
        assert "line 1\n" not in view.text()
        await pilot.press("l", "g")
        for _ in range(60):
            if view.text().startswith("line 1\n"):
                break
            await pilot.press("g")
            await pilot.pause(0.1)
        assert view.text().splitlines() == [f"line {number}" for number in range(1, 5001)]
        assert not view.following
        await pilot.press("s")
        assert view.following

    opened({"alpha": "i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo line $i; done; sleep 300"}, scenario)


def test_a_line_without_newline_is_shown(om, opened):
    async def scenario(app, pilot):
        await until(pilot, lambda: "password: " in app.main.log_view.text(), what="the prompt")

    opened({"alpha": "printf 'password: '; sleep 300"}, scenario)


SIZES = [(40, 8), (39, 8), (60, 15), (80, 24), (99, 29), (120, 40), (200, 60), (300, 100)]


def test_every_size_from_40x8_to_300x100_can_be_used(opened):
    async def scenario(app, pilot):
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await pilot.pause(0.1)
            shown = picture(app)
            assert ("too small" in shown) == (size[0] < 40 or size[1] < 8), size
            assert app.main.load.display == (size[0] >= 60 and size[1] >= 30), size
            assert app.main.log_view.display == (size[0] >= 100), size
            await pilot.press("tab")
            assert app.main.log_view.display
            await pilot.press("tab")

    opened({"alpha": "sleep 300"}, scenario)


def keys_to_press():
    fatal = {"quit", "leave", "back"}
    return {
        context: [key for key, action in keymap(context).items() if action.name not in fatal] for context in Context
    }


@pytest.mark.parametrize("context", [Context.MISSIONS, Context.LOG])
def test_each_key_of_the_table_does_something_or_nothing_but_never_fails(om, opened, context):
    async def scenario(app, pilot):
        for key in keys_to_press()[context]:
            app.to_root()
            app.main.to_panel(log=context is Context.LOG)
            character = key if len(key) == 1 else None
            app.post_message(events.Key(key, character))
            await pilot.pause(0.05)
            while isinstance(app.screen, Dialog | Form):
                await pilot.press("escape")
                await pilot.pause()
            app.main.close_bar()
            assert app.is_running, key

    opened({"alpha": "sleep 300", "beta": "echo done"}, scenario)


def test_each_action_of_the_table_is_done_by_somebody():
    from overmind_tui.deeds import Deeds
    from overmind_tui.screens.missions import ORDERS, MissionsScreen
    from overmind_tui.widgets.lines import Text
    from overmind_tui.widgets.log_view import LogView
    from overmind_tui.widgets.resource_table import ResourceTable

    moves = {"down", "up", "first", "last", "page-down", "page-up", "left", "right"}
    for action in ACTIONS:
        name = action.name.replace("-", "_")
        here = hasattr(MissionsScreen, f"do_{name}") or hasattr(Deeds, f"_{name}") or action.name in ORDERS
        drawn = action.context in {Context.LOG, Context.TEXT} or action.name in moves
        assert here or drawn, action
    assert all(hasattr(one, "press") for one in (Text, LogView, ResourceTable))


def test_the_feed_goes_on_after_its_supervisor_was_replaced(om, opened):
    async def scenario(app, pilot):
        om.ok("start", "--replace")
        om.mission("sleep 300", "--name", "beta")
        await until(pilot, lambda: names(app) == ["alpha", "beta"], what="beta")
        await until(pilot, lambda: not app.lost, what="no banner")

    opened({"alpha": "sleep 300"}, scenario)


def test_times_in_the_log_are_those_of_the_zone():
    from overmind_tui.view.loglines import stamp

    assert stamp(0.5, UTC) == "00:00:00 "
