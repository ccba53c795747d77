"""Views without rows: a sentence and what to type, once, in the place of the rows; and what a filter leaves of them."""

from __future__ import annotations

import pytest

from overmind_core.domain.text.cells import width
from overmind_core.view import tables
from overmind_core.view.registry import RUNS, SWARM_QUEUE, VIEWS
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.table import TablePage
from tests.kit.pictures import SIZES
from tests.tui.conftest import picture
from tests.tui.test_pictures import EVENTS, Still
from tests.tui.test_traps import run

TABLES = [view for view in (*VIEWS.values(), RUNS, SWARM_QUEUE) if view.fetch and view.columns]


class Silent(Still):
    """A program that nobody answers."""

    def request(self, command, requests, on_result):
        del command, requests, on_result


async def opened(app, pilot, view, rows):
    page = TablePage(view, Show(""))
    app.open(page)
    await pilot.pause()
    page.take(rows)
    await pilot.pause()
    return page


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", TABLES, ids=lambda view: view.name)
def test_a_view_without_rows_says_so_once_with_what_to_type_and_nothing_is_cut(view, size):
    sentence, *ways = view.empty.split("\n")

    async def scenario(app, pilot):
        page = await opened(app, pilot, view, [])
        lines = picture(app).split("\n")
        assert {width(line) for line in lines} == {SIZES[size][0]}
        body = lines[1:-2]
        assert sum(sentence in line for line in body) == 1
        shown = " ".join(" ".join(body).split())
        for way in ways:
            assert " ".join(way.split()) in shown
        assert "…" not in shown
        assert page.table.title == "", "the sentence says how many there are"
        assert not any(f"0 {view.noun}" in line for line in body)

    run(Silent, scenario, SIZES[size])


def test_a_filter_stays_in_sight_and_says_how_many_rows_it_keeps_of_all():
    view = VIEWS["events"]

    async def scenario(app, pilot):
        page = await opened(app, pilot, view, tables.events(EVENTS))
        assert page.table.title == "4 events"
        page.narrow("re")
        await pilot.pause()
        assert page.table.title == "2 of 4 events"
        assert picture(app).split("\n")[-2].startswith(" / re   2 of 4   esc all")
        page.narrow("zzz")
        await pilot.pause()
        shown = picture(app)
        assert "nothing matches zzz: esc shows all 4" in shown
        assert page.table.title == ""
        await pilot.press("escape")
        assert page.table.title == "4 events"
        assert app.screen is page

    run(Silent, scenario)
