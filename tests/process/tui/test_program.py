"""The program driven by Textual's pilot against a real supervisor: keys, what they do, what is drawn."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

from textual import events

from overmind_core.log_pages.paged_log import PagedLog
from overmind_core.view import missions
from overmind_core.view.actions import Context
from overmind_core.view.hive_keys import SILENT_SINCE
from overmind_tui.events.page import EventsPage
from overmind_tui.missions.describe_page import DescribePage
from overmind_tui.pages.dialog import Dialog
from overmind_tui.pages.text import TextPage
from overmind_tui.render.layout import Panel
from overmind_tui.shell.keys import PASTE_LIMIT
from tests.tui.conftest import picture, until

HOSTILE = "a [red]R[/red] [/] [b"


def names(app):
    return [branch.row["name"] for branch in app.main.table.branches]


def test_agent_text_is_literal_in_every_view(om, opened):
    """Whatever an agent writes is no markup: not in rows, logs, titles, dialogs, flashes or texts."""

    async def scenario(app, pilot):
        async def literal(what):
            await until(pilot, lambda: HOSTILE in picture(app), what=f"its words after {what}")

        await literal("the start")
        for key in ("l", "z", "escape", "escape"):
            await pilot.press(key)
            await literal(key)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, DescribePage), what="the description")
        await literal("d")
        await pilot.press("q")
        await until(pilot, lambda: app.screen is app.main, what="the missions")
        await literal("q")
        for line in (f":{HOSTILE}", f"/{HOSTILE}", ":events", ":info"):
            app.main.to_front()
            await pilot.press({":": "colon", "/": "slash"}[line[0]])
            app.post_message(events.Paste(line[1:]))
            if HOSTILE in line:
                await literal(f"{line} was typed")
            await pilot.press("enter")
            await until(pilot, lambda: not app.typed._held, what="what that opens")
        await literal(":info")
        app.main.to_front()
        app.flash(HOSTILE)
        await literal("a flash")

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
        write("n$ sleep 301\r")
        await until(pilot, lambda: len(app.fleet.rows) == 3, what="started by the form in one write")
        assert {row["command"] for row in app.fleet.rows.values()} >= {"sleep 301"}
        write(":events\r")
        await until(pilot, lambda: isinstance(app.screen, EventsPage), what="events")
        write("q?")
        await until(pilot, lambda: isinstance(app.screen, TextPage) and app.screen.view == "help", what="help")

    opened({"alpha": "sleep 300", "beta": "sleep 300"}, scenario)


def test_esc_with_a_key_close_behind_is_both_but_never_ends_work(om, opened):
    """Over a network the two arrive together, as alt and the key would."""

    async def scenario(app, pilot):
        await pilot.press("l", "alt+:")
        await until(pilot, lambda: app.main.bar.sign == ":", what="the line after the colon")
        assert app.main.panels.current is Panel.TABLE
        await pilot.press("escape")
        for key, name in (("x", "x"), ("ctrl+k", "ctrl-k"), ("q", "q"), ("ctrl+c", "ctrl-c")):
            await pilot.press("l", f"alt+{key}")
            assert app.screen is app.main
            assert app.main.panels.current is Panel.TABLE
            assert app.notice.text == f"{name}: not done, it came together with esc · press it again"
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="the question")
        await pilot.press("alt+l")
        assert app.screen is app.main
        assert app.main.context is Context.LOG
        assert om.api("ps")[0]["status"] == "running"

    opened({"alpha": "sleep 300"}, scenario)


def test_no_timer_is_left_out_however_late_it_is(opened, monkeypatch):
    """Not that of the program, of a page, of a box or of a log: each is waited for, by keys or by what is drawn."""

    async def late(pump):
        fired = asyncio.Event()
        one = pump.set_timer(0.004, fired.set)
        given = iter((1000.0, 1010.0, 1020.0))
        now, ours = time.monotonic, threading.get_ident()

        def is_its_own():
            return threading.get_ident() == ours and asyncio.current_task() is one._task

        with monkeypatch.context() as patch:
            clock = "textual.timer._time.get_time"
            patch.setattr(clock, lambda: next(given, now()) if is_its_own() else now())
            await asyncio.wait_for(fired.wait(), 5.0)

    async def scenario(app, pilot):
        for pump in (app, app.main, app.main.log_view):
            await late(pump)
        await pilot.press("n")
        await late(app.screen)

    opened({"alpha": "sleep 300"}, scenario)


def test_a_log_that_comes_when_it_is_late_already_is_shown(opened):
    async def scenario(app, pilot):
        view = app.main.log_view
        late: list[Callable[[], None]] = []

        def set_timer(_seconds, then):
            late.append(then)
            return SimpleNamespace(stop=lambda: None)

        view.set_timer = set_timer
        view.start(None, "nothing yet")
        came = PagedLog()
        view.show(came)
        late[0]()
        assert view.paged_log is came
        view.start(None, "nothing yet")
        late[1]()
        assert view.paged_log is not came

    opened({"alpha": "sleep 300"}, scenario)


def test_a_paste_is_never_keys(om, opened):
    async def scenario(app, pilot):
        app.post_message(events.Paste("xyqn\r"))
        await pilot.pause()
        assert len(app.screen_stack) == 1
        await pilot.press("colon")
        app.post_message(events.Paste("stop\r\n"))
        await until(pilot, lambda: app.main.bar.field.text == "stop", what="the first line of it")
        await pilot.press("escape")
        app.post_message(events.Paste("x" * PASTE_LIMIT))
        await until(pilot, lambda: "its end is missing" in app.notice.text, what="what was cut off is told")

    opened({"alpha": "sleep 300"}, scenario)


def test_a_key_that_ends_work_is_refused_when_the_row_has_just_moved(om, opened):
    async def scenario(app, pilot):
        await pilot.press("j")
        om.ok("kill", "alpha")
        om.ok("rm", "alpha")
        await until(pilot, lambda: names(app) == ["beta"], what="alpha has left")
        await pilot.press("ctrl+k")
        assert "just changed" in app.notice.text
        await until(pilot, lambda: not app.main.restless, what="it rests")
        await pilot.press("ctrl+k")
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="asked")
        await pilot.press("y")
        await until(pilot, lambda: "killed beta" in app.notice.text, what="then it is killed")

    opened({"alpha": "sleep 300", "beta": "sleep 300"}, scenario)


def test_marked_rows_are_acted_on_together_with_one_flash(om, opened):
    async def scenario(app, pilot):
        await pilot.press("space", "space", "x")
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="asked")
        await pilot.press("y")
        await until(pilot, lambda: app.notice.text == "stopped 2 of 2", what="one flash")
        assert sorted(row["status"] for row in om.api("ps")) == ["running", "stopped", "stopped"]

    opened({"alpha": "sleep 300", "beta": "sleep 300", "gamma": "sleep 300"}, scenario)


def test_a_killed_row_is_counted_among_those_that_ended_once_all_is_asked_again(om, opened):
    async def scenario(app, pilot):
        om.ok("kill", "alpha")
        await until(pilot, lambda: app.main.table.branches[0].dimmed, what="dimmed")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: names(app) == ["beta"], what="folded away")
        await until(pilot, lambda: "1 ended: 1 killed" in picture(app), what="counted")
        om.ok("rm", "alpha")
        await until(pilot, lambda: "killed" not in picture(app), what="removed")

    opened({"alpha": "sleep 300", "beta": "sleep 300"}, scenario)


def test_the_log_is_followed_and_reads_back_to_its_first_line(om, opened):
    async def scenario(app, pilot):
        view = app.main.log_view
        await until(pilot, lambda: "line 5000" in view.text(), what="the tail")
        assert "line 1\n" not in view.text()
        await pilot.press("l", "g")
        await until(pilot, lambda: "  line 1 " in picture(app), what="the first line")
        for at in range(2, 6):
            await pilot.press("pagedown")
            wanted = f"line {at * 25} "
            await until(pilot, lambda: wanted in picture(app), what="the next page")  # noqa: B023 - looked at here
        assert not view.following
        await pilot.press("s")
        assert view.following

    opened({"alpha": "i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo line $i; done; sleep 300"}, scenario)


def test_a_line_without_newline_is_shown(om, opened):
    async def scenario(app, pilot):
        await until(pilot, lambda: "password: " in app.main.log_view.text(), what="the prompt")

    opened({"alpha": "printf 'password: '; sleep 300"}, scenario)


def has(app, size):
    return lambda: tuple(app.main.size) == size


SIZES = [(40, 8), (39, 8), (60, 15), (80, 24), (99, 29), (120, 40), (200, 60), (300, 100)]


def test_every_size_from_40x8_to_300x100_can_be_used(opened):
    async def scenario(app, pilot):
        panels = app.main.panels
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await until(pilot, has(app, size), what="the size")
            await pilot.pause()
            columns, rows = size
            shown = picture(app)
            assert ("too small" in shown) == (columns < 40 or rows < 8), size
            tiny = columns < 60 or rows < 15
            assert ("alpha" in shown) == (columns >= 40), size
            assert ("log  diff" in shown) == bool(panels.shape.panel_lines) == (not tiny), size
            assert ("│" in shown) == panels.shape.is_beside == (columns >= 160), size
            for key in ("tab", "shift+tab", "l"):
                await pilot.press(key)
            assert tiny or "log  diff" in picture(app), size
            await pilot.press("escape")
            assert panels.current is Panel.TABLE, size

    opened({"alpha": "sleep 300"}, scenario)


def test_below_40x8_every_page_says_so_and_nothing_is_done_unseen(om, opened):
    om.mission("cat", "--type", "session", "--name", "alpha")

    async def scenario(app, pilot):
        await until(pilot, lambda: app.main.table.current, what="its row")
        for keys in ("question_mark", "d", "m", "n", "x"):
            await pilot.press(keys)
            await until(pilot, lambda: len(app.screen_stack) == 2, what=keys)
            await pilot.resize_terminal(39, 7)
            await until(pilot, lambda: "39x7: too small" in picture(app), what=f"{keys}: that it is too small")
            assert "esc" in picture(app)
            if keys == "x":
                await pilot.press("y")
            await pilot.resize_terminal(80, 24)
            await until(pilot, lambda: "too small" not in picture(app), what=f"{keys}: room again")
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is app.main, what="back")
        await pilot.resize_terminal(39, 7)
        await until(pilot, lambda: "q quits" in picture(app), what="how to leave")
        await pilot.press("ctrl+k")
        assert "terminal too small" in app.notice.text
        assert om.info("alpha")["status"] == "running"

    opened({}, scenario)


def test_tab_turns_the_faces_that_are_there_and_gives_the_keys_back(om, opened):
    om.mission("cat", "--type", "session", "--name", "typed")

    async def scenario(app, pilot):
        panels = app.main.panels

        async def round_trip(key):
            found = []
            for _ in range(4):
                await pilot.press(key)
                found.append(panels.shown.value)
                assert panels.current is Panel.TABLE, "the keys stay in the list"
            return found

        await until(pilot, lambda: names(app) == ["typed", "alpha", "beta"], what="its row")
        assert await round_trip("tab") == ["diff", "terminal", "stats", "logs"]
        assert await round_trip("shift+tab") == ["stats", "terminal", "diff", "logs"]
        await pilot.press("j")
        assert app.main.table.current.row["name"] == "alpha"
        om.ok("kill", "alpha")
        await until(pilot, lambda: app.main.table.current.dimmed, what="it has ended")
        assert await round_trip("tab") == ["diff", "stats", "logs", "diff"], "it has no terminal any more"
        await pilot.press("j")
        assert panels.shown is Panel.DIFF, "it stays turned while the cursor moves"
        await pilot.press("l", "z")
        await pilot.pause()
        assert panels.current is Panel.LOG
        assert [app.main.left.display, app.main.log_view.display] == [False, True], "the log alone"
        await pilot.press("escape")
        assert [app.main.left.display, app.main.log_view.display] == [True, True]
        await pilot.press("tab")
        assert app.main.context is Context.MISSIONS, "from within, it gives the keys back"
        await pilot.resize_terminal(120, 29)
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert not panels.shape.panel_lines, "where there is little room it can be closed"
        await pilot.press("tab")
        await pilot.pause()
        assert panels.shape.panel_lines
        assert app.main.context is Context.MISSIONS

    opened({"alpha": "sleep 300", "beta": "sleep 300"}, scenario)


def test_the_feed_goes_on_after_its_supervisor_was_replaced(om, opened):
    async def scenario(app, pilot):
        om.ok("start", "--replace")
        om.mission("sleep 300", "--name", "beta")
        await until(pilot, lambda: names(app) == ["alpha", "beta"], what="beta")
        await until(pilot, lambda: not app.fleet.lost, what="no banner")

    opened({"alpha": "sleep 300"}, scenario)


def test_what_a_shutdown_ends_is_shown_as_it_ended_and_what_it_keeps_as_not_known(om, opened):
    async def scenario(app, pilot):
        om.ok("shutdown", "--keep")
        await until(pilot, lambda: app.fleet.lost_since is not None, what="no daemon")
        (row,) = app.fleet.rows.values()
        assert (row["status"], missions.silent_for(row, app.now())[:10]) == ("running", "no daemon ")
        om.ok("start")
        await until(pilot, lambda: app.fleet.lost_since is None, what="a daemon")
        await until(pilot, lambda: SILENT_SINCE not in next(iter(app.fleet.rows.values())), what="its word")
        om.ok("shutdown", "-y")
        await until(pilot, lambda: app.fleet.lost_since is not None, what="no daemon")
        (row,) = app.fleet.rows.values()
        assert (row["status"], row["outcome"], app.fleet.live) == ("stopped", "stopped", 0)
        assert SILENT_SINCE not in row

    opened({"alpha": "sleep 300"}, scenario)
