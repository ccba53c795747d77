"""How pages look and can be used: nothing that axe finds, nothing sideways on a phone, targets for fingers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.engines.web.conftest import DESK, LAPTOP, PHONE
from tests.kit.blueprints import applied
from tests.kit.repositories import Repository
from tests.kit.specs import SpecWorld

WIDTHS = {"desk": DESK, "laptop": LAPTOP, "phone": PHONE}
BY_DAY = [("desk", "dark"), ("phone", "light")]
"""Width and theme in which axe looks at pages and dialogs; at all others it looks at night: `long/test_looks.py`."""
MANY_PAGES = 600
"""Seconds for a test that opens three dozen pages, on a machine that does much else."""
SMALL = """() => [...document.querySelectorAll("button, a, input, select, textarea, summary")].filter((one) => {
    const box = (one.closest("label") ?? one).getBoundingClientRect();
    const drawn = one.checkVisibility({ visibilityProperty: true }) && box.width;
    const seen = drawn && box.right > 0 && box.left < innerWidth;
    return seen && !one.closest(".skip, .hidden-text") && (box.height < 44 || box.width < 44);
}).map((one) => `${one.outerHTML.slice(0, 160)} ${JSON.stringify(one.getBoundingClientRect())}`)"""


DRAWN = (
    ".row, .card, .stat, .description, .log-line, .xterm-screen, .terminal-over, .plan-agent, .board-card, [data-line],"
    " .chapter, .moment, .finding, .lines, .nothing"
)
"""What a page has once its first data is there."""
PLAN = """
[agents.fetch]
command = "echo fetched"
[agents.types-of-a-name-that-is-long]
command = "sleep 600"
depends_on = ["fetch"]
[agents.build]
command = "exit 3"
depends_on = ["fetch"]
"""
FILES = {"api/prices.py": "cents // 100\n", "README.md": "A shop\n"}


class Life(NamedTuple):
    """What is there: ids of missions, a plan, a quest and a note."""

    asking: str
    isolated: str
    plan: str
    quest: str
    note: str


def questions(agents) -> str:
    """Agents that ask: a permission, several choices at once, a plan; one is done. Returns the first."""
    asking = agents.session("--name", "checkout")
    agents.post(asking, "!bash make release")
    agents.asked(asking)
    several = agents.session("--name", "planner")
    options = [{"label": "PostgreSQL", "description": "a server"}, {"label": "SQLite", "description": "a file"}]
    asked = [{"question": "Which?", "header": "H", "multiSelect": many, "options": options} for many in (False, True)]
    agents.post(several, f"!question {json.dumps({'questions': asked})}")
    agents.asked(several)
    designer = agents.session("--name", "designer", "--permission-mode", "plan")
    agents.post(designer, "!plan First the tests, then the rest")
    agents.asked(designer)
    agents.doing(agents.session("--name", "helper", prompt="hello"), "idle")
    return str(asking)


def worktree(agents, om, tmp_path) -> str:
    """A session in a worktree of its own, with a change, and a spec that waits at a gate."""
    world = SpecWorld(om)
    world.new("Carts", "--gates", "requirements")
    world.run()
    world.asked("phase")
    shop = Repository(str(tmp_path / "prices"))
    shop.commit("first", FILES)
    agents.work = shop.folder
    isolated = agents.session("--name", "prices", "--isolate")
    with open(shop.path(".overmind", "worktrees", isolated, "api", "prices.py"), "w", encoding="utf-8") as file:
        file.write("cents / 100\n" + "a long line " * 40 + "\n")
    return str(isolated)


@pytest.fixture
def life(agents, site, tmp_path) -> Life:
    """Something on every page: agents that ask, a worktree, a spec, a plan, quests in a queue, a ritual, notes."""
    om = site.om
    isolated = worktree(agents, om, tmp_path)
    agents.work = om.home
    asking = questions(agents)
    om.mission("sleep 1000", "--name", "a-long-name-of-a-mission-that-takes-much-room", "--parent", asking)
    om.finished("exit 3", "--name", "importer")
    om.ok("quest", "add", "Build the site", "--", "sleep", "600")
    om.ok("queue", "pause")
    om.ok("quest", "add", "A second one with a name that is far too long for any column", "--", "true")
    om.ok("ritual", "create", "nightly", "0 3 * * *", "true")
    om.ok("ritual", "run", "nightly")
    plan = applied(om, tmp_path, PLAN, "release")
    note = om.json("remember", "A price is in cents, `everywhere`", "--json")
    quest = om.json("quest", "list", "--json")[0]["id"]
    return Life(asking, isolated, plan, str(quest), str(note["id"]))


def routes(life: Life) -> list[str]:
    """Every page, and what can be opened on it."""
    lists = [
        "quests", "queue", "rituals", "memory", "worktrees", "cost", "health", "plans", "board", "specs", "timeline",
    ]  # fmt: skip
    tabs = [f"m/{life.asking}/{tab}" for tab in ("log", "terminal", "describe", "stats", "events")]
    about = [
        f"quests/{life.quest}", f"quests/{life.quest}/why", "rituals/nightly", "rituals/nightly/runs",
        f"memory/{life.note}", f"timeline/{life.asking}", f"plan/{life.plan}", "spec/carts", "spec/carts/requirements",
        f"changes/{life.isolated}", f"m/{life.isolated}/changes", f"health/{life.asking}",
    ]  # fmt: skip
    return ["needs", "missions", "events", "doctor", *lists, *tabs, *about]


def shown(pages, page, route: str) -> None:
    """Have a page show a route, with its first data there."""
    pages.go(page, route)
    page.locator(DRAWN).locator("visible=true").first.wait_for()


@pytest.mark.timeout(MANY_PAGES)
@pytest.mark.parametrize(("width", "theme"), BY_DAY)
def test_axe_finds_nothing_on_any_page(pages, life, judged, width, theme):
    look_at_pages(pages, life, judged, width, theme)


def look_at_pages(pages, life: Life, judged, width: str, theme: str) -> None:
    """Have axe look at every page."""
    page = pages.open(theme=theme, **WIDTHS[width])
    found = {}
    for route in routes(life):
        shown(pages, page, route)
        if problems := judged(page):
            found[route] = problems
    assert not found, json.dumps(found, indent=1)


def dialogs(page, life: Life) -> dict[str, tuple[str, Callable[[], None]]]:
    """What opens → the page on which it does, and how."""

    def button(name: str) -> Callable[[], None]:
        def press() -> None:
            page.get_by_role("button", name=name).locator("visible=true").first.click()

        return press

    return {
        "new": ("missions", button("New")),
        "of the list": ("missions", button("More of this list")),
        "of a mission": (f"m/{life.asking}/log", button("More of this mission")),
        "a quest": ("quests", button("New")),
        "a quest that runs now": ("quests", button("Run now")),
        "a ritual": ("rituals", button("New")),
        "a note": ("memory", button("New")),
        "a spec": ("specs", button("New")),
        "a card": ("board", button("More of build-the-site")),
        "of a plan": (f"plan/{life.plan}", button("More of this plan")),
        "landing": (f"changes/{life.isolated}", button("Land")),
        "commit": (f"changes/{life.isolated}", button("Commit")),
        "slots": ("queue", button("Slots")),
    }


@pytest.mark.timeout(MANY_PAGES)
@pytest.mark.parametrize(("width", "theme"), BY_DAY)
def test_axe_finds_nothing_in_dialogs_and_fingers_hit_their_buttons(pages, life, judged, width, theme):
    look_at_dialogs(pages, life, judged, width, theme)


def look_at_dialogs(pages, life: Life, judged, width: str, theme: str) -> None:
    """Have axe look at every dialog, and on a phone measure what a finger presses."""
    page = pages.open(theme=theme, **WIDTHS[width])
    found = {}
    opened = dialogs(page, life) | {
        "keys": ("missions", lambda: page.locator("body").press("?")),
        "pages": ("missions", lambda: page.locator("body").press(":")),
    }
    for name, (route, press) in opened.items():
        shown(pages, page, route)
        press()
        page.get_by_role("dialog").wait_for()
        small = page.evaluate(SMALL) if width == "phone" else []
        if problems := [*judged(page), *small]:
            found[name] = problems
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="detached")
    assert not found, json.dumps(found, indent=1)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_in_settings_and_outside(pages, site, judged, theme):
    page = pages.open("missions", theme=theme, **DESK)
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("dialog").wait_for()
    found = judged(page)
    outside = pages.context(theme=theme, logged_in=False, **PHONE).new_page()
    outside.goto(site.url)
    outside.get_by_role("heading").wait_for()
    found += judged(outside)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_where_nothing_is_yet(pages, site, judged, theme):
    page = pages.open(theme=theme, **PHONE)
    found = {}
    for route in ("needs", "missions", "quests", "queue", "rituals", "memory", "worktrees", "cost", "board", "specs"):
        shown(pages, page, route)
        if problems := [*judged(page), *page.evaluate(SMALL)]:
            found[route] = problems
    assert not found, json.dumps(found, indent=1)


@pytest.mark.timeout(MANY_PAGES)
def test_nothing_scrolls_sideways_on_a_phone_and_fingers_hit_every_target(pages, life):
    phone = pages.open(**PHONE)
    found = {}
    for route in routes(life):
        shown(pages, phone, route)
        wide = phone.evaluate("() => document.scrollingElement.scrollWidth - innerWidth")
        problems = phone.evaluate(SMALL) + ([f"{wide} px sideways"] if wide > 0 else [])
        if problems:
            found[route] = problems
    assert not found, json.dumps(found, indent=1)


def test_the_title_says_who_waits(pages, life):
    page = pages.open("missions", **DESK)
    page.locator("nav .count.waits").first.wait_for()
    assert page.title() == "!4 ❯1 overmind"


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
