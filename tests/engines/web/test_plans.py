"""Plans in Chromium: the list, the graph, the times of agents, on a desk and on a phone."""

from __future__ import annotations

import re

import pytest

from tests.engines.web.conftest import DESK, PHONE, press_until
from tests.kit.blueprints import applied
from tests.kit.waiting import eventually

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


def asked(page, *words: str):
    """The open question, with its focus on Cancel."""
    dialog = page.get_by_role("dialog")
    for one in words:
        dialog.filter(has_text=one).wait_for()
    assert dialog.get_by_role("button", name="Cancel").first.evaluate("(one) => one === document.activeElement")


def test_a_plan_and_one_of_its_agents_are_stopped_after_a_question(pages, site, tmp_path):
    plan = applied(site.om, tmp_path, RELEASE, "release")
    page = pages.open(f"plan/{plan}", **DESK)
    node(page, "lint").filter(has_text="working").wait_for()
    page.keyboard.press("j")
    press_until(page, "x", page.get_by_role("dialog"))
    asked(page, "stop lint")
    page.keyboard.press("y")
    node(page, "lint").filter(has_text="working").wait_for(state="detached")
    page.get_by_role("button", name="Stop plan").click()
    asked(page, "release", "ends with it: ")
    page.keyboard.press("y")
    site.om.wait_status(plan, "stopped", "crashed", "killed")
    eventually(lambda: "working" not in page.locator(".plan-state").inner_text(), what="it is seen to have ended")


@pytest.mark.parametrize(
    ("key", "what", "said"),
    [("r", "", "restarted release"), ("Control+d", "with those of its agents", "removed release")],
)
def test_a_plan_that_has_ended_is_started_again_or_removed_from_the_list(pages, site, tmp_path, key, what, said):
    plan = applied(site.om, tmp_path, '[agents.one]\ncommand = "true"\n', "release")
    site.om.wait_status(plan, "stopped")
    page = pages.open("plans", **DESK)
    page.get_by_role("row").filter(has_text="release").click()
    press_until(page, key, page.get_by_role("dialog"))
    asked(page, "release", what)
    page.keyboard.press("y")
    page.locator(".toast").filter(has_text=said).wait_for()


HALVES = """
[agents.good]
command = "echo good"
[agents.bad]
command = "test -e ok"
[agents.last]
command = "echo last"
depends_on = ["bad"]
"""


@pytest.mark.parametrize("how", [DESK, PHONE])
def test_a_file_is_applied_by_its_path_and_only_what_failed_runs_again(pages, site, tmp_path, how):
    path = tmp_path / "halves.toml"
    path.write_text(HALVES.replace("command", "comand", 1), encoding="utf-8")
    page = pages.open("plans", **how)
    page.get_by_role("button", name="Apply a file").first.click()
    dialog = page.get_by_role("dialog")
    applies = dialog.get_by_role("button", name="Apply", exact=True)
    dialog.get_by_label("File").fill("halves.toml")
    page.keyboard.press("Enter")
    dialog.filter(has_text="not an absolute path").wait_for()
    dialog.get_by_label("File").fill(str(path))
    page.keyboard.press("Enter")
    dialog.filter(has_text="Did you mean").wait_for()
    assert applies.is_disabled()
    path.write_text(HALVES, encoding="utf-8")
    dialog.get_by_role("button", name="Show the difference").click()
    dialog.locator(".apply-lines li").nth(2).wait_for()
    assert dialog.locator(".apply-lines").first.inner_text().split() == [
        "+",
        "new",
        "good",
        "+",
        "new",
        "bad",
        "+",
        "new",
        "last",
    ]
    assert not site.om.api("plans"), "nothing has begun"
    applies.click()
    page.wait_for_url(re.compile("#/plan/"))
    agent(page, "bad").filter(has_text="failed").wait_for()
    (tmp_path / "ok").touch()
    page.get_by_role("button", name="Run failed again").click()
    dialog.get_by_text("runs again").first.wait_for()
    assert "good" not in dialog.locator(".apply-lines").first.inner_text()
    dialog.get_by_role("button", name="Run again").click()
    agent(page, "last").filter(has_text="succeeded").wait_for()


def test_a_login_that_may_only_look_is_offered_no_file(pages, site, tmp_path):
    plan = applied(site.om, tmp_path, RELEASE, "release")
    page = pages.context(logged_in=False, **DESK).new_page()
    page.goto(site.om.ok("web", "link", "--read-only").strip().splitlines()[-1])
    page.locator("#main section").first.wait_for()
    pages.go(page, "plans")
    assert page.get_by_role("button", name="Apply a file").first.is_disabled()
    pages.go(page, f"plan/{plan}")
    agent(page, "types").wait_for()
    page.keyboard.press("B")
    assert not page.get_by_role("dialog").count()


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


FLAKY = """
[agents.flaky]
command = "exit 3"
retries = 3
backoff = "50s"
"""


def test_an_agent_that_is_tried_again_counts_down_and_its_mission_has_not_failed(pages, site, tmp_path):
    applied(site.om, tmp_path, FLAKY, "release")
    page = pages.open("plan/release", **DESK)
    why = agent(page, "flaky").locator(".plan-why")
    why.filter(has_text=re.compile(r"^try 2 · next try in \d\ds$")).wait_for()
    first = why.inner_text()
    eventually(lambda: why.inner_text() != first, what="it counts down")
    assert why.inner_text() < first
    page.goto(re.sub("#.*", "#/missions", page.url))
    row = page.locator("[role=row][aria-level='2']").filter(has_text="flaky")
    row.filter(has_text=re.compile(r"retry \d\ds")).wait_for()
    row.filter(has_text="tried again: its command failed (3)").wait_for()


def test_an_older_run_leads_to_the_newest_and_one_that_is_applied_from_its_page_is_shown(pages, site, tmp_path):
    first = applied(site.om, tmp_path, HALVES, "halves")
    site.om.wait_status(first, "crashed")
    page = pages.open(f"plan/{first}", **DESK)
    agent(page, "bad").filter(has_text="failed").wait_for()
    older = page.locator(".plan-older")
    assert older.is_hidden()
    second = applied(site.om, tmp_path, HALVES, "halves")
    assert second != first
    older.filter(has_text="the newest: failed").wait_for()
    older.click()
    page.wait_for_url(re.compile(f"#/plan/{second}"))
    agent(page, "bad").filter(has_text="failed").wait_for()
    older.wait_for(state="hidden")
    press_until(page, "B", page.get_by_role("dialog"))
    page.get_by_role("dialog").get_by_role("button", name="Apply", exact=True).click()
    page.wait_for_url(lambda url: "#/plan/" in url and second not in url)
