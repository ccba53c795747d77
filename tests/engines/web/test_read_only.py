"""A login that may only look, in the browser: no page offers what it may not do, and no key does it."""

from __future__ import annotations

import pytest

from tests.engines.web.conftest import DESK, PHONE
from tests.engines.web.test_looks import life  # noqa: F401 - a fixture
from tests.engines.web.test_missions import row
from tests.kit.waiting import eventually

OFFERED = """() => [...document.querySelectorAll("[data-verb]")].filter((one) => !one.disabled && one.checkVisibility())
    .map((one) => one.dataset.verb)"""
ROUTES = (
    "needs", "missions", "board", "plans", "quests", "queue", "rituals", "specs", "worktrees", "timeline", "events",
    "cost", "memory", "health", "doctor",
)  # fmt: skip
KEYS = ("x", "r", "n", "m", "i", "e", "s", "y", "Control+k", "Control+d", "Y", "C", "L", "P", "t", "1")
"""What acts on some page where somebody may act."""


@pytest.fixture
def looker(pages, om):
    """Opens a page of somebody who may only look."""

    def open_page(**how):
        page = pages.context(logged_in=False, **how).new_page()
        page.goto(om.ok("web", "link", "--read-only").strip().splitlines()[-1])
        page.locator(".live, .missions-head, .needs").first.wait_for()
        return page

    return open_page


@pytest.mark.parametrize("how", [DESK, PHONE], ids=["desk", "phone"])
def test_no_page_offers_a_button_that_this_login_may_not_use(looker, pages, life, om, how):  # noqa: F811
    page = looker(**how)
    tabs = ("log", "terminal", "changes", "stats", "events", "describe")
    changing = set(page.evaluate("() => []"))
    found = {}
    for route in (*ROUTES, *(f"m/{life.asking}/{tab}" for tab in tabs)):
        pages.go(page, route)
        eventually(lambda: len(page.locator("#main").inner_text()) > 10, timeout=20, what="something is drawn")
        offered = {verb for verb in page.evaluate(OFFERED) if not READING.issuperset({verb})} - changing
        if offered:
            found[route] = offered
    assert not found


READING = frozenset({"info", "logs", "quest_why", "health", "quest", "ritual", "ritual_history", "learn", "note"})
"""Verbs that change nothing."""


def test_keys_of_verbs_and_of_a_terminal_change_nothing(looker, pages, om, life):  # noqa: F811
    typed = om.mission("exec cat", "--type", "session", "--name", "typed")
    before = world(om)
    page = looker(**DESK)
    for route in (*ROUTES, f"m/{typed}/terminal", f"m/{life.asking}/log"):
        pages.go(page, route)
        eventually(lambda: len(page.locator("#main").inner_text()) > 10, timeout=20, what="something is drawn")
        for key in KEYS:
            page.keyboard.press(key)
            page.keyboard.press("Escape")
            if page.get_by_role("dialog").count():
                page.keyboard.press("Escape")
        if page.get_by_role("button", name="Type", exact=True).count():
            assert page.get_by_role("button", name="Type", exact=True).first.is_disabled()
    pages.go(page, f"m/{typed}/terminal")
    page.locator(".xterm-screen").click()
    page.keyboard.type("typed by a looker\n")
    pages.go(page, "missions")
    row(page, "typed").wait_for()
    assert world(om) == before
    assert "typed by a looker" not in om.logs(typed)


def world(om):
    """What somebody could have changed."""
    missions = {one["id"]: (one["status"], one["name"]) for one in om.api("ps", all=True)}
    quests = {one["id"]: one["status"] for one in om.api("quests")}
    questions = sorted(one["question"] for one in om.api("inbox"))
    return missions, quests, questions, om.api("queue")["paused"], [one["id"] for one in om.api("rituals")]
