"""The line behind `:` in the program: every verb has its place, views come by one row, what is typed does it."""

from __future__ import annotations

import asyncio
import re
from functools import partial

import pytest

from overmind_core.view.actions import Context
from overmind_tui.command_line import parse
from overmind_tui.pages.dialog import Dialog
from overmind_tui.pages.table import TablePage
from overmind_tui.pages.text import TextPage
from overmind_tui.render.layout import Panel
from tests.tui.conftest import picture, until
from tests.tui.test_commands import view

KEYS = {":": "colon", "/": "slash", "?": "question_mark", " ": "space", "!": "exclamation_mark"}


async def write(pilot, text):
    """Type a text and then enter."""
    await pilot.press(text[:1] if text[:1] not in KEYS else KEYS[text[0]])
    pilot.app.screen.paste(text[1:])
    await pilot.press("enter")


def shows(app, name):
    """Whether this view is open."""
    return view(app) == name


def test_views_come_and_go_by_their_words_in_any_order(opened):
    async def scenario(app, pilot):
        for line, name in (
            (":top", "top"),
            (":e", "events"),
            (":cost day", "cost"),
            (":a", "commands"),
            (":m", "missions"),
        ):
            await write(pilot, line)
            await until(pilot, partial(shows, app, name), what=line)
            assert len(app.screen_stack) <= 2
        await write(pilot, ":/bet m")
        await until(pilot, lambda: [one.row["name"] for one in app.main.table.branches] == ["beta"], what="filtered")

    opened({"alpha": "sleep 300", "beta": "sleep 300"}, scenario)


def test_an_unknown_line_is_a_red_flash_and_changes_nothing(opened):
    async def scenario(app, pilot):
        await write(pilot, ":restrat --cascade")
        assert app.notice.tone == "bad"
        assert "'restart'?" in app.notice.text
        assert view(app) == "missions"
        assert [row["status"] for row in app.fleet.rows.values()] == ["running"]

    opened({"alpha": "sleep 300"}, scenario)


def test_verbs_mean_the_marked_rows_else_the_cursors(om, opened):
    async def scenario(app, pilot):
        await write(pilot, ":freeze")
        await until(pilot, lambda: om.info("alpha")["status"] == "paused", what="the cursor's row")
        assert om.info("beta")["status"] == "running"
        await pilot.press("space", "space")
        await write(pilot, ":thaw")
        await until(pilot, lambda: isinstance(app.screen, TextPage), what="that beta was not frozen")
        assert om.info("alpha")["status"] == "running"
        await pilot.press("escape")
        await write(pilot, ":stop --grace 1s")
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="ending asks")
        assert "stop --grace 1s alpha beta" in picture(app)
        await pilot.press("y")
        await until(
            pilot, lambda: [row["status"] for row in om.api("ps")] == ["stopped", "stopped", "running"], what="stopped"
        )

    opened({"alpha": "sleep 300", "beta": "sleep 300", "gamma": "sleep 300"}, scenario)


def test_a_verb_with_names_means_those(om, opened):
    async def scenario(app, pilot):
        await write(pilot, ":freeze beta")
        await until(pilot, lambda: om.info("beta")["status"] == "paused", what="beta")
        assert om.info("alpha")["status"] == "running"

    opened({"alpha": "sleep 300", "beta": "sleep 300"}, scenario)


def test_what_takes_long_shows_its_progress_and_can_be_cancelled(opened):
    async def scenario(app, pilot):
        await write(pilot, ":wait")
        await until(
            pilot, lambda: re.search(r"wait \d+s   ctrl-c cancels it", picture(app).splitlines()[-2]), what="progress"
        )
        await pilot.press("ctrl+c")
        await until(pilot, lambda: app.notice.text == "wait: cancelled", what="cancelled")
        assert app.is_running
        assert [row["status"] for row in app.fleet.rows.values()] == ["running"]

    opened({"alpha": "sleep 300"}, scenario)


def test_new_starts_a_command_or_a_shell_and_alone_asks(om, opened):
    async def scenario(app, pilot):
        await write(pilot, ":new sleep 302")
        await until(pilot, lambda: any(row["command"] == "sleep 302" for row in om.api("ps")), what="a command")
        await until(pilot, lambda: app.main.table.current.row["command"] == "sleep 302", what="the cursor goes there")
        await write(pilot, ":new shell")
        await until(pilot, lambda: any(row["type"] == "session" for row in om.api("ps")), what="a shell")
        await write(pilot, ":new")
        await until(pilot, lambda: len(app.screen_stack) == 2, what="the form")

    opened({"alpha": "sleep 300"}, scenario)


def test_up_and_down_recall_what_was_typed_also_the_next_time(program, om):
    om.ok("start")

    async def session(lines, keys, wanted):
        app = program()
        async with app.run_test(size=(120, 40)) as pilot:
            for line in lines:
                await write(pilot, line)
                app.main.to_front()
            await pilot.press("colon", *keys)
            await until(pilot, lambda: app.screen.bar.field.text == wanted, what=wanted)
            await pilot.pause()
        await asyncio.to_thread(app.remembered.save)
        await asyncio.to_thread(app.quitting.on_exit)

    asyncio.run(session([":top", ":ns", ":top"], ["up", "up"], "ns"))
    asyncio.run(session([], ["t", "up"], "top"))
    asyncio.run(session([], ["t", "up", "up", "down", "down"], "t"))


def test_ghost_text_is_taken_by_tab_right_or_ctrl_f(opened):
    async def scenario(app, pilot):
        for key in ("tab", "right", "ctrl+f"):
            await pilot.press("colon", *"sto", key, "space", *"alp", key, "space", *"--ca", key)
            assert app.screen.bar.field.text == "stop alpha --cascade"
            await pilot.press("escape")

    opened({"alpha": "sleep 300"}, scenario)


def test_brackets_and_minus_go_through_the_views_that_were_open(opened):
    async def scenario(app, pilot):
        for line in (":m", ":top", ":e"):
            await write(pilot, line)
        steps = (("left_square_bracket", "top"), ("left_square_bracket", "missions"), ("right_square_bracket", "top"),
                 ("minus", "missions"), ("minus", "top"), ("right_square_bracket", "events"))  # fmt: skip
        for key, name in steps:
            await pilot.press(key)
            await until(pilot, partial(shows, app, name), what=f"{key}: {name}")

    opened({"alpha": "sleep 300"}, scenario)


def test_the_last_view_comes_back_and_an_asked_one_wins(program, om):
    om.ok("start")

    async def session(wanted, line="", *keys, **how):
        app = program(**how)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: view(app) == wanted, what=wanted)
            if line:
                await write(pilot, line)
            await pilot.press(*keys)
            await pilot.pause()
        await asyncio.to_thread(app.remembered.save)
        await asyncio.to_thread(app.quitting.on_exit)

    asyncio.run(session("missions", ":cost"))
    asyncio.run(session("cost", ":top", "escape"))
    asyncio.run(session("missions", ":logs", "escape"))
    asyncio.run(session("missions", ":doctor"))
    asyncio.run(session("top", view="top"))
    asyncio.run(session("missions", view="m"))


def test_a_view_of_the_command_line_that_is_none_is_said(program, om):
    om.ok("start")

    async def session():
        app = program(view="nonsense")
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: "unknown view 'nonsense'" in app.notice.text, what="said")
        await asyncio.to_thread(app.quitting.on_exit)

    asyncio.run(session())


def test_read_only_runs_nothing_that_changes(om, opened):
    async def scenario(app, pilot):
        for line in (":stop", ":kill alpha", ":send hello", ":new sleep 303", ":demo", ":start"):
            await write(pilot, line)
            assert "read-only" in app.notice.text, line
        assert [row["status"] for row in om.api("ps")] == ["running"]

    opened({"alpha": "sleep 300"}, scenario, read_only=True)


def test_top_shows_live_missions_and_their_keys_act(om, opened):
    async def scenario(app, pilot):
        await write(pilot, ":top")
        await until(
            pilot, lambda: isinstance(app.screen, TablePage) and len(app.screen.table.branches) == 2, what="rows"
        )
        page = app.screen
        await pilot.press("N")
        assert [one.row["name"] for one in page.table.branches] == ["alpha", "beta"]
        await pilot.press("N")
        assert [one.row["name"] for one in page.table.branches] == ["beta", "alpha"]
        await pilot.press("slash", *"alph", "enter")
        assert [one.row["name"] for one in page.table.branches] == ["alpha"]
        assert "alpha" in page.shown_text()
        await pilot.press("left", "h", "right", "t", "J")
        assert app.screen is page, "a table has no tree"
        await pilot.press("ctrl+k")
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="asked")
        await pilot.press("y")
        await until(pilot, lambda: om.info("alpha")["status"] == "killed", what="killed from here")
        await pilot.press("escape")
        await until(pilot, lambda: [one.row["name"] for one in page.table.branches] == ["beta"], what="gone")
        await pilot.press("l")
        await until(pilot, lambda: view(app) == "missions" and app.main.context is Context.LOG, what="its log")

    opened({"alpha": "sleep 300", "beta": "sleep 300"}, scenario)


@pytest.mark.usefixtures("alone")
def test_events_are_filtered_live_and_enter_shows_one_as_json(om, opened):
    async def scenario(app, pilot):
        await write(pilot, ":events /created")
        await until(pilot, lambda: isinstance(app.screen, TablePage) and app.screen.table.branches, what="earlier ones")
        page = app.screen
        om.mission("sleep 300", "--name", "beta")
        await until(pilot, lambda: page.table.branches[-1].row["name"] == "beta", what="the newest is the last")
        assert {one.row["type"] for one in page.table.branches} == {"created"}
        await write(pilot, ":/killed")
        await until(pilot, lambda: not page.table.branches, what="a filter alone is for the page that is open")
        await write(pilot, ":/created")
        await until(pilot, lambda: page.table.branches, what="the old filter")
        assert page.table.current.row["name"] == "beta"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TextPage), what="its JSON")
        assert '"type": "created"' in picture(app)
        await pilot.press("escape")
        await pilot.press("slash", *"[")
        assert page.bar.broken
        assert page.table.branches

    opened({"alpha": "sleep 300"}, scenario)


def test_the_doctor_looks_again_and_knows_all_mistakes_of_the_settings(om, opened):
    async def scenario(app, pilot):
        await write(pilot, ":doctor")
        await until(pilot, lambda: "python" in picture(app), what="findings")
        assert "line 2: tui.theme" in picture(app)
        assert "line 3: tui.mouse" in picture(app)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "checking again" in app.notice.text, what="again")

    with open(om.path("config.toml"), "w", encoding="utf-8") as file:
        file.write("[tui]\ntheme = 1\nmouse = 2\n")
    opened({"alpha": "sleep 300"}, scenario)


def test_an_expression_without_end_freezes_nothing(opened):
    async def scenario(app, pilot):
        name = "a" * 60
        await pilot.press("slash")
        app.screen.paste("(a+)+$")
        await pilot.press("enter")
        await until(pilot, lambda: app.fleet.rows, what="it goes on")
        assert [one.row["name"] for one in app.main.table.branches] == [name]

    opened({"a" * 60: ["sleep", "300", "b" * 40 + "!", "a" * 60 + "!"]}, scenario)


def test_a_line_is_understood_as_the_program_has_it(program, om):
    found = program().commands.language
    assert parse.parsed("cost day", found) == parse.Show("cost", None, ("day",))


def test_what_makes_no_sense_is_named_with_what_to_do_and_changes_nothing(opened):
    async def scenario(app, pilot):
        for line, said in (
            (":events /(", "/( is not a valid filter: missing ), "),
            (":logs /[", "/[ is not a valid filter: "),
            (":logs nosuch", "logs: no mission named 'nosuch' · :missions lists them"),
            (":attach alfa", "attach: no mission named 'alfa', 'alpha'? · :missions lists them"),
            (":describe nosuch", "describe: no mission named 'nosuch' · :missions lists them"),
            (":q x", "q takes no arguments, got 'x' · use :q alone"),
        ):
            await write(pilot, line)
            assert app.notice.text.startswith(said), app.notice.text
            assert (app.notice.tone, app.screen, app.main.panels.current) == ("bad", app.main, Panel.TABLE)

    opened({"alpha": "sleep 300"}, scenario)


def test_what_was_flashed_is_kept_among_the_events(om, opened):
    async def scenario(app, pilot):
        await write(pilot, ":stop nosuch")
        await until(pilot, lambda: "nosuch" in app.notice.text and app.notice.tone == "bad", what="refused, unasked")
        said = app.notice.text
        await write(pilot, ":events /flash")
        await until(pilot, lambda: said[:30] in picture(app), what="what was said")

    opened({"alpha": "sleep 300"}, scenario)


def test_a_question_behind_the_colon_says_what_would_end_and_how_long_it_ran(om, opened):
    async def scenario(app, pilot):
        await write(pilot, ":stop alpha")
        await until(pilot, lambda: "working for" in picture(app), what="the question")
        await pilot.press("escape")
        assert om.api("ps")[0]["status"] == "running"

    opened({"alpha": "sleep 300"}, scenario)
