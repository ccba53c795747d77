"""How pages look and can be used: nothing that axe finds, nothing sideways on a phone, targets for fingers."""

from __future__ import annotations

import json

import pytest

from tests.web.conftest import DESK, LAPTOP, PHONE

WIDTHS = {"desk": DESK, "laptop": LAPTOP, "phone": PHONE}
SMALL = """() => [...document.querySelectorAll("button, a, input, select, textarea, summary")].filter((one) => {
    const box = (one.closest("label") ?? one).getBoundingClientRect();
    const drawn = one.checkVisibility({ visibilityProperty: true }) && box.width;
    const seen = drawn && box.right > 0 && box.left < innerWidth;
    return seen && !one.closest(".skip, .hidden-text") && (box.height < 44 || box.width < 44);
}).map((one) => `${one.outerHTML.slice(0, 160)} ${JSON.stringify(one.getBoundingClientRect())}`)"""


@pytest.fixture
def life(agents, site):
    """Missions in several states: one asks, one is done, one works, one has crashed."""
    asking = agents.session("--name", "checkout")
    agents.post(asking, "!bash make release")
    agents.asked(asking)
    several = agents.session("--name", "planner")
    options = [{"label": "PostgreSQL", "description": "a server"}, {"label": "SQLite", "description": "a file"}]
    asked = {"questions": [{"question": "Which?", "header": "H", "multiSelect": False, "options": options}]}
    agents.post(several, f"!question {json.dumps(asked)}")
    agents.asked(several)
    done = agents.session("--name", "helper", prompt="hello")
    agents.doing(done, "idle")
    site.om.mission("sleep 1000", "--name", "a-long-name-of-a-mission-that-takes-much-room", "--parent", done)
    site.om.finished("exit 3", "--name", "importer")
    site.om.ok("quest", "add", "Build the site", "--", "sleep", "600")
    site.om.ok("queue", "pause")
    site.om.ok("quest", "add", "A second one", "--", "true")
    site.om.ok("ritual", "create", "nightly", "0 3 * * *", "true")
    return asking


DRAWN = ".row:visible, .card:visible, .stat, .description, .log-line, .xterm-screen, .nothing:visible"
"""What a page has once its first data is there."""


def routes(mission: str) -> list[str]:
    """Every page that this version has something to show on."""
    lists = ["quests", "queue", "rituals", "memory", "worktrees", "cost", "health"]
    tabs = [f"m/{mission}/{tab}" for tab in ("log", "terminal", "describe", "stats", "events")]
    return ["needs", "missions", "events", *lists, *tabs]


def show(pages, page, route: str) -> None:
    """Show a route from its beginning, lest what the one before it has drawn is taken for its data."""
    page.goto("about:blank")
    pages.go(page, route)
    page.locator(DRAWN).first.wait_for()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_on_any_page(pages, life, judged, theme, width):
    page = pages.open(theme=theme, **WIDTHS[width])
    found = {}
    for route in routes(life):
        show(pages, page, route)
        if problems := judged(page):
            found[route] = problems
    assert not found, json.dumps(found, indent=1)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_in_dialogs_and_outside(pages, life, judged, theme):
    page = pages.open("missions", theme=theme, **DESK)
    found = []
    page.get_by_role("button", name="New").first.click()
    page.get_by_role("dialog").wait_for()
    found += judged(page)
    page.keyboard.press("Escape")
    page.locator("body").press("?")
    page.get_by_role("dialog").wait_for()
    found += judged(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("dialog").wait_for()
    found += judged(page)
    outside = pages.context(theme=theme, logged_in=False, **PHONE).new_page()
    outside.goto(pages.site.url)
    outside.get_by_role("heading").wait_for()
    found += judged(outside)
    assert not found, "\n".join(found)


def test_nothing_scrolls_sideways_on_a_phone_and_fingers_hit_every_target(pages, life):
    phone = pages.open(**PHONE)
    found = {}
    for route in routes(life):
        show(pages, phone, route)
        wide = phone.evaluate("() => document.scrollingElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{route}: {wide} px"
        if small := phone.evaluate(SMALL):
            found[route] = small
    assert not found, json.dumps(found, indent=1)


def test_the_title_says_who_waits(pages, life):
    page = pages.open("missions", **DESK)
    page.locator("nav .count.waits").first.wait_for()
    assert page.title() == "!2 ❯1 overmind"


def test_the_theme_is_chosen_and_kept(pages, site):
    page = pages.open("missions", theme="dark", **DESK)
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("radio", name="light").check()
    assert page.locator("html").get_attribute("data-theme") == "light"
    page.reload()
    page.locator(".missions-head").wait_for()
    assert page.locator("html").get_attribute("data-theme") == "light"


def test_without_motion_nothing_moves(pages, site):
    page = pages.context(reduced_motion="reduce", **DESK).new_page()
    pages.go(page, "missions")
    page.get_by_role("button", name="New").first.click()
    assert page.get_by_role("dialog").evaluate("(dialog) => getComputedStyle(dialog).animationName") == "none"
