"""Thousands of missions and a million lines: a page holds a few rows of them, and any place is one step away."""

from __future__ import annotations

import pytest

from tests.engines.web.conftest import DESK, PHONE
from tests.engines.web.test_log import SCROLL, finished, until
from tests.engines.web.test_missions import row, unfold
from tests.kit.many_missions import with_ended
from tests.kit.waiting import eventually

LINES = 1_000_000


def grid(page):
    return page.get_by_role("treegrid", name="missions")


@pytest.mark.long
@pytest.mark.parametrize("count", [1_000, 10_000])
def test_so_many_missions_are_counted_filtered_ordered_and_a_few_rows_of_the_page(om, agents, pages, count):
    del agents
    with_ended(om, count)
    page = pages.open("missions?order=name", **DESK)
    page.get_by_text(f"{count + 1:,} ended").wait_for(timeout=60_000)
    unfold(page)
    eventually(lambda: int(grid(page).get_attribute("aria-rowcount")) >= count, timeout=60, what="all are counted")
    page.keyboard.press("G")
    row(page, f"m{count - 1:05}").and_(page.locator(".cursor")).wait_for()
    assert page.locator(".row").count() < 80
    middle = f"m{count // 2:05}"
    page.get_by_role("searchbox", name="Filter").fill(f"name:^{middle}$")
    row(page, middle).wait_for()
    assert page.locator(".row:not(.fold-row)").count() == 1
    page.get_by_role("searchbox", name="Filter").fill("")
    live = om.mission("sleep 100", "--name", "a-live-one")
    page.get_by_role("searchbox", name="Filter").fill("a-live")
    row(page, "a-live-one").filter(has_text="working").wait_for()
    om.ok("freeze", live)
    row(page, "a-live-one").filter(has_text="frozen").wait_for()


@pytest.mark.long
def test_a_million_lines_have_their_tail_any_place_a_search_from_the_newest_and_are_followed(om, pages):
    go = om.path("go")
    mission = om.mission(f"seq 1 {LINES}; while [ ! -e {go} ]; do sleep 0.05; done; echo it-goes-on; sleep 100")
    eventually(lambda: str(LINES) in om.ok("logs", mission, "--tail", "1"), timeout=60, what="all lines are there")
    page = pages.open(f"m/{mission}/log", **DESK)
    until(page, lambda lines: lines[-1] == str(LINES))
    for share in (0.5, 0.1, 0.9):
        page.evaluate(SCROLL, share)
        found = until(page, lambda lines, share=share: abs(int(lines[0]) / LINES - share) < 0.1)
        assert [int(line) for line in found] == list(range(int(found[0]), int(found[-1]) + 1))
    page.evaluate(SCROLL, 0)
    until(page, lambda lines: int(lines[0]) < 1_000)
    page.evaluate(SCROLL, 0)
    until(page, lambda lines: lines[0] == "1")
    assert page.locator(".log-line").count() < 3_000
    page.get_by_label("Search in the log").fill("4321$")
    hits = page.locator(".log-found .log-line")
    page.locator(".log-found .log-line").filter(has_text="994321").wait_for()
    newest = [int(line) for line in hits.all_inner_texts()]
    assert newest == list(range(newest[0], LINES, 10_000))
    assert newest[-1] == 994_321
    hits.filter(has_text="904321").first.wait_for()
    hits.filter(has_text="904321").click()
    page.locator(".log-here").wait_for()
    until(page, lambda lines: "904320" in lines and "904322" in lines)
    page.get_by_role("button", name="To the end").click()
    until(page, lambda lines: lines[-1] == str(LINES))
    with open(go, "w", encoding="utf-8"):
        pass
    until(page, lambda lines: lines[-1] == "it-goes-on")


def test_runs_are_chosen_and_several_missions_are_one_log(om, pages):
    again = finished(om, "echo begun-$OVERMIND_RUN-by-one")
    om.ok("restart", again)
    om.wait_status(again, "stopped")
    other = finished(om, "echo by-the-other")
    page = pages.open(f"m/{again}/log", **PHONE)
    until(page, lambda lines: sum("by-one" in line for line in lines) == 2)
    page.get_by_label("Run").select_option("Run 1")
    until(page, lambda lines: sum("by-one" in line for line in lines) == 1)
    page.get_by_label("Run").select_option("All runs")
    until(page, lambda lines: sum("by-one" in line for line in lines) == 2)
    both = pages.open("missions", **DESK)
    both.goto(f"{pages.site.url}#/log/{again}/{other}")
    said = until(both, lambda lines: sum("by-" in line for line in lines) == 3)
    assert [("other" in line) for line in said if "by-" in line] == [False, False, True]
