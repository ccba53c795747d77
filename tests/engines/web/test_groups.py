"""The groups of the list of missions: who needs you, who runs, and those that ended, as in the full-screen program."""

from __future__ import annotations

import re

import pytest

from tests.engines.web.conftest import DESK, LAPTOP, PHONE
from tests.engines.web.test_missions import fold, row, unfold
from tests.engines.web.test_needs import asks
from tests.kit.waiting import eventually

LINES = """() => [...document.querySelectorAll(".table .row, .table .group-row")]
.sort((one, other) => one.getBoundingClientRect().y - other.getBoundingClientRect().y)
.map((one) => one.querySelector(".group-title, .name").textContent)"""
"""The lines of the list from the top: headings, names, and what those that ended are folded into."""


def lines_are(page, *wanted: str) -> None:
    eventually(lambda: page.evaluate(LINES) == list(wanted), timeout=20, what=f"the lines are {wanted}")


def ended(om, name: str, command: str = "true") -> str:
    return str(om.finished(["sh", "-c", command], "--name", name)["id"])


def test_who_needs_you_is_above_with_the_parent_then_who_runs_then_one_line(pages, agents):
    om = agents.om
    parent = om.mission("sleep 100", "--name", "release")
    child = agents.session("--name", "api", "--parent", parent)
    agents.post(child, "!bash touch it")
    agents.asked(child)
    ended(om, "bad", "exit 3")
    ended(om, "good")
    page = pages.open("missions", **DESK)
    lines_are(page, "needs you", "api", "1 running", "release", "bad", "1 ended: 1 succeeded")
    row(page, "api").filter(has_text="asks").filter(has_text="part of release").wait_for()
    row(page, "bad").filter(has_text="failed (3)").wait_for()
    page.get_by_role("group", name="Who needs you").filter(has_text=re.compile("1 needs you.*1 failed")).wait_for()
    assert [one.inner_text() for one in page.get_by_role("heading", level=2).all()][:2] == ["needs you", "1 running"]


@pytest.mark.parametrize("how", [DESK, LAPTOP, PHONE])
def test_the_line_of_those_that_ended_is_unfolded_and_stays_so(pages, site, how):
    site.om.mission("sleep 100", "--name", "worker")
    for name in ("one", "two"):
        ended(site.om, name)
    page = pages.open("missions", **how)
    lines_are(page, "1 running", "worker", "2 ended: 2 succeeded")
    assert fold(page).get_attribute("aria-expanded") == "false"
    unfold(page)
    lines_are(page, "1 running", "worker", "2 ended: 2 succeeded", "two", "one")
    page.reload()
    lines_are(page, "1 running", "worker", "2 ended: 2 succeeded", "two", "one")
    fold(page).click()
    lines_are(page, "1 running", "worker", "2 ended: 2 succeeded")


def test_by_keyboard_the_cursor_passes_headings_and_unfolds(pages, site):
    om = site.om
    for name in ("first", "second"):
        om.mission("sleep 100", "--name", name)
    ended(om, "over")
    page = pages.open("missions", **DESK)
    lines_are(page, "2 running", "first", "second", "1 ended: 1 succeeded")
    page.get_by_role("treegrid", name="missions").focus()
    page.keyboard.press("g")
    row(page, "first").and_(page.locator(".cursor")).wait_for()
    page.keyboard.press("k")
    row(page, "first").and_(page.locator(".cursor")).wait_for()
    page.keyboard.press("G")
    fold(page).and_(page.locator(".cursor")).wait_for()
    folded = ("2 running", "first", "second", "1 ended: 1 succeeded")
    for key, more in (("Enter", ["over"]), ("ArrowLeft", []), ("ArrowRight", ["over"]), ("Enter", [])):
        page.keyboard.press(key)
        lines_are(page, *folded, *more)
    page.keyboard.press("*")
    page.get_by_text("2 marked").wait_for()


def test_sort_filter_and_one_list_keep_the_groups_or_leave_them(pages, site):
    om = site.om
    for name in ("beta", "alpha"):
        om.mission("sleep 100", "--name", name)
    ended(om, "gamma")
    page = pages.open("missions", **DESK)
    lines_are(page, "2 running", "beta", "alpha", "1 ended: 1 succeeded")
    page.get_by_role("treegrid", name="missions").focus()
    page.keyboard.press("N")
    lines_are(page, "2 running", "alpha", "beta", "1 ended: 1 succeeded")
    page.get_by_role("searchbox", name="Filter").fill("beta")
    lines_are(page, "1 of 2 running", "beta")
    page.get_by_role("searchbox", name="Filter").fill("")
    page.get_by_role("treegrid", name="missions").focus()
    page.keyboard.press("A")
    lines_are(page, "3 missions", "beta", "alpha", "gamma")
    page.reload()
    lines_are(page, "3 missions", "beta", "alpha", "gamma")


def test_a_member_that_ended_is_shown_in_place_by_its_family(pages, site):
    om = site.om
    root = om.mission("sleep 100", "--name", "root")
    om.finished(["true"], "--name", "part", "--parent", root)
    page = pages.open("missions", **DESK)
    lines_are(page, "1 running", "root")
    row(page, "root").filter(has_text="1 done").wait_for()
    row(page, "root").locator(".twist").click()
    lines_are(page, "1 running", "root", "part")
    row(page, "root").locator(".twist").click()
    lines_are(page, "1 running", "root")


def test_a_row_under_the_pointer_stays_where_it_is_and_then_goes(pages, site):
    om = site.om
    first, _ = (om.mission("sleep 100", "--name", name) for name in ("first", "second"))
    page = pages.open("missions", **DESK)
    lines_are(page, "2 running", "first", "second")
    row(page, "second").click()
    row(page, "first").hover()
    om.ok("kill", first)
    row(page, "first").filter(has_text="killed").wait_for()
    lines_are(page, "1 running", "first", "second")
    page.get_by_role("searchbox", name="Filter").hover()
    lines_are(page, "1 running", "second", "1 ended: 1 killed")


def test_what_comes_above_leaves_the_row_on_its_line_where_the_list_can_scroll(pages, agents):
    om = agents.om
    for number in range(40):
        om.mission("sleep 100", "--name", f"m{number:02}")
    page = pages.open("missions", **DESK)
    row(page, "m05").click()
    before = row(page, "m05").bounding_box()
    asks(agents, "!bash touch it", "api")
    page.mouse.move(*(before[side] + 5 for side in ("x", "y")))
    eventually(lambda: page.get_by_role("treegrid").get_attribute("aria-rowcount") == "44", timeout=20, what="it asks")
    assert row(page, "m05").bounding_box()["y"] == pytest.approx(before["y"], abs=2)


def test_a_list_that_nobody_has_moved_stands_at_its_top_below_the_question_that_came(pages, agents):
    for number in range(40):
        agents.om.mission("sleep 100", "--name", f"m{number:02}")
    asks(agents, "!bash touch it", "api")
    page = pages.open("missions", **DESK)
    page.get_by_role("group", name="The first question").filter(has_text="api asks:").wait_for()
    row(page, "api").and_(page.locator(".cursor")).wait_for()
    page.evaluate("() => new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)))")
    assert page.get_by_role("treegrid").evaluate("(list) => list.scrollTop") == 0


def test_y_goes_to_the_question_of_a_row(pages, agents):
    mission = asks(agents, "!bash touch it", "api")
    page = pages.open("missions", **DESK)
    row(page, "api").filter(has_text="asks").click()
    page.keyboard.press("y")
    page.locator(f'article.cursor[data-key^="{mission}:"]').wait_for()
    assert agents.asked(mission)


@pytest.mark.parametrize("how", [DESK, PHONE])
def test_what_the_header_counts_is_one_click_away(pages, agents, how):
    om = agents.om
    om.mission("sleep 100", "--name", "worker")
    ended(om, "good")
    ended(om, "bad", "exit 3")
    asks(agents, "!bash touch it", "api")
    page = pages.open("missions?order=name", **how)
    head = page.get_by_role("group", name="Who needs you")
    head.get_by_role("link", name="1 failed").click()
    lines_are(page, "0 of 1 need you", "0 of 1 running", "bad")
    assert page.get_by_role("searchbox", name="Filter").input_value() == "state:failed|timed|lost"
    assert "order=name" in page.url
    page.go_back()
    row(page, "worker").wait_for()
    head.get_by_role("link", name="1 needs you").click()
    page.get_by_role("heading", name=re.compile("Needs you")).first.wait_for()
