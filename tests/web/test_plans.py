"""Plans in Chromium: the list, the graph, the times of agents, on a desk and on a phone."""

from __future__ import annotations

import re

import pytest

from tests.kit.blueprints import applied
from tests.kit.waiting import eventually
from tests.web.conftest import DESK, PHONE

RELEASE = """
[agents.fetch]
command = "echo fetched"
[agents.lint]
command = "sleep 600"
depends_on = ["fetch"]
[agents.types]
command = "while [ ! -e go ]; do sleep 0.05; done; echo typed"
depends_on = ["fetch"]
[agents.build]
command = "sleep 600"
depends_on = ["types"]
"""


def node(page, name: str):
    """An agent in the graph."""
    return page.locator(f'.plan-node[data-id="{name}"]')


def agent(page, name: str):
    """An agent in the list."""
    return page.locator(f'.plan-agent[data-id="{name}"]')


def test_a_plan_opens_from_the_list_and_its_graph_goes_on_in_place(pages, site, tmp_path):
    applied(site.om, tmp_path, RELEASE, "release")
    page = pages.open("plans", **DESK)
    page.get_by_role("row").filter(has_text="release").dblclick()
    page.wait_for_url(re.compile("#/plan/"))
    node(page, "types").filter(has_text="working").wait_for()
    agent(page, "build").filter(has_text="waits for types").wait_for()
    assert page.locator(".plan-edge").count() == 3
    before = node(page, "build").bounding_box()
    (tmp_path / "go").touch()
    node(page, "build").filter(has_text="working").wait_for()
    assert node(page, "build").bounding_box() == before
    node(page, "types").click()
    page.wait_for_url(re.compile("#/m/.+/log"))


def test_a_plan_is_stopped_after_a_question(pages, site, tmp_path):
    plan = applied(site.om, tmp_path, RELEASE, "release")
    page = pages.open(f"plan/{plan}", **DESK)
    node(page, "types").filter(has_text="working").wait_for()
    page.keyboard.press("x")
    dialog = page.get_by_role("dialog")
    dialog.filter(has_text="release").wait_for()
    assert dialog.get_by_role("button", name="Cancel").first.evaluate("(one) => one === document.activeElement")
    page.keyboard.press("y")
    site.om.wait_status(plan, "stopped", "crashed", "killed")
    eventually(lambda: "working" not in page.locator(".plan-state").inner_text(), what="it is seen to have ended")


def test_a_phone_has_the_list_with_depths_and_nothing_runs_out_of_sight(pages, site, tmp_path):
    plan = applied(site.om, tmp_path, RELEASE, "release")
    page = pages.open(f"plan/{plan}", **PHONE)
    agent(page, "build").filter(has_text="waits for types").wait_for()
    assert page.locator(".plan-graph").is_hidden()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    agent(page, "types").get_by_role("link").tap()
    page.wait_for_url(re.compile("#/m/.+/log"))


def test_a_plan_that_is_not_there_says_so(pages):
    page = pages.open("plan/nobody", **DESK)
    page.locator("#main .tone-bad").filter(has_text="nobody").wait_for()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("how", [DESK, PHONE])
def test_axe_finds_nothing_on_a_plan(pages, site, judged, theme, how, tmp_path):
    plan = applied(site.om, tmp_path, RELEASE, "release")
    page = pages.open(f"plan/{plan}", theme=theme, **how)
    agent(page, "types").wait_for()
    assert not judged(page)
