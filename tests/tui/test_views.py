"""Every view of the registry: reached by its words, left by esc, in a small and in a usual terminal."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from overmind_core.domain.text.cells import width
from overmind_core.view import describe
from overmind_core.view.actions import Context
from overmind_core.view.registry import VIEWS
from overmind_tui.log.panel import WAYS
from overmind_tui.missions.describe_page import DescribePage
from overmind_tui.render.layout import Panel
from tests.kit.cases import tabled
from tests.kit.overmind import REPOSITORY
from tests.kit.pictures import SIZES
from tests.tui.conftest import picture
from tests.tui.test_pictures import settle
from tests.tui.test_pictures_board import Boarded
from tests.tui.test_pictures_specs import Specified
from tests.tui.test_pictures_tables import Tables
from tests.tui.test_pictures_watching import Watched
from tests.tui.walks import walk

ENGINE = {
    "board": Boarded, "queue": Boarded, "quests": Boarded, "specs": Specified, "spec": Specified, "health": Watched,
    "timeline": Watched, "learn": Watched,
}  # fmt: skip
"""The views of the engine, each with a program that has something to show there."""
NAMED = {"spec": "carts", "timeline": "login/TSK-001"}
"""What is named behind the word of a view that is about one thing."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", ENGINE)
def test_every_view_is_reached_by_each_of_its_words_left_by_esc_and_fits(view, size):
    """Acceptance 50."""
    columns, rows = SIZES[size]

    async def whole():
        app = ENGINE[view]()
        async with app.run_test(size=(columns, rows)) as pilot:
            await settle(pilot)
            for word in (view, *VIEWS[view].aliases):
                app.commands.run(f"{word} {NAMED.get(view, '')}")
                await settle(pilot)
                page: Any = app.screen
                assert page.context is VIEWS[view].context
                lines = picture(app).split("\n")
                assert len(lines) == rows
                assert {width(line) for line in lines} == {columns}
                assert page.table.branches, "its rows are shown"
                assert "›" in lines[0], "the header says where this is"
                assert lines[-1].rstrip().endswith("? keys")
                await pilot.press("escape")
                await settle(pilot)
                assert app.screen is app.main
                assert app.main.context is Context.MISSIONS

    asyncio.run(whole())


@tabled("view", ENGINE)
def test_every_view_of_the_engine_has_its_pictures_in_both_sizes(view):
    """Acceptance 50."""
    name = {"quests": "quests_of_the_queue"}.get(view, view)
    folders = [os.path.join(REPOSITORY, "snapshots", f"test_pictures_{one}") for one in ("board", "specs", "watching")]
    kept = {file for folder in folders for file in os.listdir(folder)}
    assert {f"test_view[{name}-{size}].svg" for size in SIZES} <= kept


@pytest.mark.parametrize("view", ["missions", "quests", "board"])
def test_after_a_filter_without_a_match_the_cursor_stands_where_it_stood(view):
    async def scenario(app, press):
        await press(*([] if view == "missions" else [f":{view}"]), "down", "down")
        table = app.screen.table
        before = table.cursor_id
        assert before != table.branches[0].id
        await press("/", *"e0zz")
        assert (len(table.branches), table.cursor_id) == (0, None)
        await press("escape", "escape")
        assert table.branches
        assert table.cursor_id == before

    walk(scenario, Boarded)


def test_where_no_mission_is_selected_the_log_names_no_run():
    async def scenario(app, press):
        await press("down")
        panel = app.main.log_panel
        panel.runs = (4, 4)
        assert panel.title().endswith(" · run 4")
        await press("/", *"e0zz")
        assert panel.title() == "no mission is selected"

    walk(scenario, Boarded)


def test_from_a_mission_in_a_table_to_its_log_whatever_the_list_shows():
    async def scenario(app, press):
        app.main.narrow("deploy")
        await press(":top")
        page = app.screen
        mission = page.table.current.id
        assert mission not in {one.id for one in app.main.table.branches}
        await press("l")
        assert (app.screen, app.main.panels.current) == (app.main, Panel.LOG)
        assert app.main.table.cursor_id == mission
        await press(":top")
        app.fleet.apply([], [mission], everything=False)
        assert app.screen.table.select(mission)
        await press("l")
        assert app.screen is not app.main
        assert app.notice.text.endswith(" has been removed")

    walk(scenario, Tables)


def test_a_long_command_of_a_description_goes_on_below_its_beginning():
    command = " ".join(f"word-{number}" for number in range(30))

    async def scenario(app, _press):
        row = next(iter(app.fleet.rows.values()))
        page = DescribePage(row, describe.pairs(("command", command)))
        app.open(page)
        while not hasattr(page, "text") or not page.text.lines:  # noqa: ASYNC110 - it is about to be
            await asyncio.sleep(0)
        first, *more = ["".join(cell.text for cell in line) for line in page.text.lines]
        assert first.startswith("  command ")
        assert more
        assert all(line.startswith(" " * describe.VALUE + "word-") for line in more)
        assert " ".join(" ".join([first, *more]).split()) == f"command {command}"

    walk(scenario, Boarded, size=(80, 24))


def test_ctrl_a_opens_what_its_name_says():
    async def scenario(app, press):
        await press("ctrl+a")
        assert "› commands" in picture(app).split("\n")[0]

    walk(scenario, Boarded)


def test_a_mission_that_did_well_has_done_so():
    async def scenario(app, press):
        row = {**next(iter(app.fleet.rows.values())), "status": "stopped", "outcome": "succeeded", "name": "ridge"}
        app.act("attach", [row])
        assert app.notice.text == "ridge has succeeded: r restarts it, l shows its log"

    walk(scenario, Boarded)


def test_a_search_in_a_log_says_how_it_is_typed_while_there_is_room():
    async def scenario(app, press):
        await press("l", "/")
        bar = picture(app).split("\n")[-2]
        assert bar.startswith(" / ")
        assert bar.endswith(f" {WAYS} ")
        app.screen.bar.insert("x" * 20)
        assert WAYS not in picture(app)

    walk(scenario, Boarded, size=(80, 24))
