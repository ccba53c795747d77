"""The text of a question beside its buttons: it is read at every width, and no button is cut off."""

from __future__ import annotations

import json
import re

import pytest

from overmind_core.domain import engine_questions
from overmind_core.domain.engine_questions import AGENT_EFFECTS, EFFECTS, STEERS, AnswerEffects
from tests.engines.web.conftest import DESK, PHONE
from tests.engines.web.test_needs import asks
from tests.kit.queued_shop import Shop
from tests.kit.specs import SpecWorld

WIDTHS = (900, 1100, 1300, 1440, 1700)
LEAST = 200
"""Pixels of a text that can be read."""
ALONE = [one for one in vars(engine_questions).values() if isinstance(one, AnswerEffects)]
LABELS = sorted(
    {(one.deny, one.allow) for one in (*EFFECTS.values(), *AGENT_EFFECTS.values(), *STEERS.values(), *ALONE)}
)
"""What both buttons of every kind of question say."""
ROOM = """({ box, text, labels, least }) => {
    const buttons = [...box.querySelectorAll('button[data-verb="answer"]')].slice(0, 2);
    const row = buttons[0].parentElement, link = document.createElement("a"); // to what is read first, as some have
    if (row.matches(".card-actions")) row.prepend(Object.assign(link, { className: "button", textContent: "Changes" }));
    const found = [];
    for (const [deny, allow] of labels) {
        [deny, allow].forEach((label, at) => (buttons[at].querySelector("span").textContent = label));
        const outer = box.getBoundingClientRect(), read = box.querySelector(text).getBoundingClientRect();
        if (read.width < least) found.push(`${allow}: the text has ${read.width} px`);
        for (const button of [...box.querySelectorAll(".button")].filter((one) => one.checkVisibility())) {
            const { left, right, top } = button.getBoundingClientRect();
            const cut = left < outer.left || right > outer.right + 0.5 || right > innerWidth;
            const over = button.scrollWidth > button.clientWidth || button.scrollHeight > button.clientHeight;
            if (cut || over) found.push(`${allow}: ${button.textContent} is cut off`);
            if (top < read.top - 40) found.push(`${allow}: ${button.textContent} stands above the text`);
        }
    }
    link.remove();
    return found;
}"""
"""What has no room in a box with a text and two answers, for each pair of labels."""


def crowded(page, box: str, text: str) -> list[str]:
    """What has no room in this box of a page."""
    how = {"text": text, "labels": LABELS, "least": LEAST}
    page.locator(box).first.wait_for()
    run = f"(how) => ({ROOM})({{ ...how, box: document.querySelector({json.dumps(box)}) }})"
    return list(page.evaluate(run, how))


def at_each_width(pages, route: str, box: str, text: str, widths=WIDTHS) -> dict[int, list[str]]:
    """What has no room there, by the width of the window."""
    page = pages.open(route, **DESK)
    found = {}
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        page.locator(box).first.wait_for()
        if problems := crowded(page, box, text):
            found[width] = problems
    return found


def test_the_banner_shows_what_is_asked_beside_buttons_of_any_length(pages, agents):
    mission = asks(agents, "!bash touch here", "checkout")
    agents.om.mission("sleep 100", "--name", "other")
    widths = (1100, 1300, 1440, 1700)
    assert at_each_width(pages, f"m/{mission}/log", ".strip", ".strip-text", widths) == {}
    assert at_each_width(pages, "missions", ".strip", ".strip-text", widths) == {}


def test_a_card_shows_what_is_asked_above_buttons_of_any_length(pages, agents):
    asks(agents, "!bash touch here", "checkout")
    assert at_each_width(pages, "needs", ".card", ".card-body") == {}
    assert crowded(pages.open("needs", **PHONE), ".card", ".card-body") == []


@pytest.fixture
def world(om, site) -> SpecWorld:
    """A repository with a spec that goes on to its gates by itself."""
    del site  # a server of the same home
    return SpecWorld(om)


def test_a_gate_beside_its_document_has_room_for_buttons_of_any_length(pages, world):
    world.new("Carts", "--gates", "requirements")
    world.run()
    world.asked("phase")
    assert at_each_width(pages, "spec/carts", ".card", ".card-body") == {}
    assert crowded(pages.open("spec/carts", **PHONE), ".card", ".card-body") == []


def test_work_that_would_undo_what_has_landed_is_read_whole_from_the_banner_and_from_its_card(pages, site):
    shop = Shop(site.om)
    shop.add("carts", f"echo carts > a; {shop.held('work')}", into="main")
    shop.await_at("work")
    shop.add("vouchers", f"echo vouchers > a; [ $OVERMIND_ATTEMPT != 1 ] || {shop.held('other')}", into="main")
    shop.await_at("other")
    shop.go("work")
    shop.ended("carts")
    shop.go("other")
    question = shop.asked("merge", "vouchers")["question"]
    page = pages.open("missions", viewport={"width": 1300, "height": 900})
    strip = page.get_by_role("group", name="The first question").filter(has_text="vouchers asks: ")
    strip.get_by_role("link", name="Read").wait_for()
    assert strip.get_by_role("button").count() == 0
    pages.go(page, "board")
    shown = page.locator(".board-card").filter(has=page.get_by_role("link", name="vouchers", exact=True))
    shown.get_by_role("link", name="Read").wait_for()
    assert shown.get_by_role("button", name="Land").count() == 0
    shown.get_by_role("link", name="Read").click()
    page.wait_for_url(re.compile(f"#/needs.*q={question}"))
    whole = page.locator(f'article[data-key$=":{question}"]')
    whole.get_by_role("button", name=re.compile("Land its worktree as it is")).wait_for()
    assert "- carts" in whole.inner_text()


def test_what_lands_a_spec_is_read_whole_before_it_is_answered(pages, world):
    world.new("Carts")
    world.run()
    world.asked("phase")
    world.answer("allow")
    question = world.asked("merge")["question"]
    page = pages.open("missions", viewport={"width": 1300, "height": 900})
    strip = page.get_by_role("group", name="The first question")
    strip.wait_for()
    assert "carts asks: " in strip.inner_text()
    assert strip.get_by_role("button").count() == 0
    strip.get_by_role("link", name="Read").click()
    page.wait_for_url(re.compile(f"#/needs.*q={question}"))
    page.locator(f'article[data-key$=":{question}"]').get_by_role("button", name=re.compile("Land it")).wait_for()
    assert world.asked("merge")["question"] == question
