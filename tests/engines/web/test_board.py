"""The board in Chromium: columns, cards that move by what is asked of them, and the tabs of a phone."""

from __future__ import annotations

import itertools
import re

import pytest

from tests.engines.web.conftest import DESK, PHONE, press_until
from tests.kit.queued_shop import Shop
from tests.kit.specs import SpecWorld
from tests.kit.waiting import eventually


def card(page, name: str):
    """A card."""
    return page.locator(".board-card").filter(has=page.get_by_role("link", name=name, exact=True))


def column(page, name: str):
    """A column."""
    return page.locator(f'.board-column[data-column="{name}"]')


def test_a_quest_is_seen_as_it_runs_is_cancelled_after_a_question_and_tried_again(pages, site):
    page = pages.open("board", **DESK)
    page.get_by_role("heading", name="No quests yet.").wait_for()
    site.om.ok("quest", "add", "Build the site", "--", "sleep", "600")
    column(page, "running").get_by_role("link", name="build-the-site").wait_for()
    dialog = page.get_by_role("dialog")
    press_until(page, "x", dialog)
    assert "build-the-site" in dialog.inner_text()
    assert dialog.get_by_role("button", name="Cancel").first.evaluate("(one) => one === document.activeElement")
    page.keyboard.press("y")
    retry = card(page, "build-the-site").get_by_role("button", name="Retry")
    retry.wait_for()
    running = column(page, "running").get_by_role("link", name="build-the-site")
    press = "(buttons) => buttons.forEach((button) => button.click())"
    eventually(lambda: retry.evaluate_all(press) or running.is_visible(), timeout=30, what="it runs again")


def test_keys_go_over_the_board_and_open_a_quest(pages, site):
    site.om.ok("queue", "pause")
    for name in ("Alpha", "Beta"):
        site.om.ok("quest", "add", name, "--", "true")
    page = pages.open("board", **DESK)
    page.locator(".board-card.cursor").filter(has_text="alpha").wait_for()
    page.keyboard.press("j")
    page.locator(".board-card.cursor").filter(has_text="beta").wait_for()
    page.keyboard.press("w")
    page.wait_for_url(re.compile("#/quests/.+/why"))
    page.go_back()
    page.locator(".board-card.cursor").filter(has_text="beta").wait_for()


def test_a_page_that_was_left_before_it_had_come_does_not_open_in_place_of_the_one_that_is_meant(pages, site):
    site.om.ok("quest", "add", "Alpha", "--", "sleep", "600")
    page = pages.open("board", **DESK)
    held = []
    page.route(re.compile("/pages/plans.js$"), lambda route: held.append(route))  # noqa: PLW0108 - it marks what it calls
    card(page, "alpha").wait_for()
    page.get_by_role("link", name="Plans").click()
    eventually(lambda: page.wait_for_timeout(20) or held, what="the page's module is asked for")
    page.go_back()
    page.wait_for_url(re.compile("#/board"))
    held[0].continue_()
    page.evaluate("(address) => import(address).then(() => null)", held[0].request.url)
    assert card(page, "alpha").is_visible()


KEEP_SENTENCES = """() => {
    window.sentences = [];
    const keep = (change) => change.addedNodes.forEach((node) => window.sentences.push(node.textContent));
    const toasts = document.querySelector(".toasts");
    new MutationObserver((changes) => changes.forEach(keep)).observe(toasts, { childList: true });
}"""


def pressed(page, button, until):
    """Press a button as soon as it takes an answer, until something holds; `until` is given all that the page said."""
    click = "(buttons) => buttons.forEach((button) => button.click())"
    page.evaluate(KEEP_SENTENCES)
    said: list[str] = []

    def look():
        button.evaluate_all(click)
        said[:] = page.evaluate("window.sentences")  # also what has faded since
        return until(said)

    try:
        eventually(look, timeout=30, what="the press is taken")
    except AssertionError as error:
        shown = page.locator("main").inner_text()
        raise AssertionError(f"{error}. The page said {said}, and shows {shown!r}") from None


@pytest.mark.parametrize("how", [DESK, PHONE], ids=["desk", "phone"])
def test_a_card_that_waits_for_a_checkout_is_in_review_and_lands_by_itself(pages, site, how):
    shop = Shop(site.om)
    shop.code.write({"b": "mine\n"})
    quest = shop.add("work", "echo 2 > b", into="main")
    shop.asked("merge")
    page = pages.open("board?column=review", **how)
    tab = page.get_by_role("tab").filter(has_text="review")
    if tab.is_visible():
        tab.tap()
    shown = column(page, "review").get_by_role("link", name="work", exact=True)
    shown.wait_for()
    shop.code.git("checkout", "-q", "b")
    shown.wait_for(state="detached")
    assert shop.ended(quest)["status"] == "completed"
    assert shop.code.read("b") == "2\n"


@pytest.mark.parametrize(("goal", "button", "said"), [
    ({"into": "main"}, "Land", "work: it lands"),
    ({}, "Accept", "work: accepted"),
])  # fmt: skip
def test_work_in_review_is_accepted_on_its_card_which_says_whether_it_lands(pages, site, goal, button, said):
    shop = Shop(site.om)
    quest = shop.add("work", "echo 2 > b", review="person", **goal)
    shop.asked("review")
    page = pages.open("board", **DESK)
    accept = card(page, "work").get_by_role("button", name=button, exact=True)
    accept.wait_for()
    pressed(page, accept, lambda sentences: any(said in one for one in sentences))
    assert shop.ended(quest)["status"] == "completed"


class Wire:
    """What a page and its server say on their socket; the answer to a press, and all that follows it, is held."""

    def __init__(self, page):
        self.sent, self.held, self.content = [], [], ""
        page.route_web_socket(re.compile("/ws$"), self._open)

    def _open(self, tab):
        self.say = tab.send
        self._server = tab.connect_to_server()
        self._server.on_message(self._take)
        tab.on_message(self._send)

    def _send(self, text):
        self.sent.append(text)
        self._server.send(text)

    def _take(self, text):
        if self.asked():
            self.held.append(text)
            return
        self.say(text)
        if '"t":"content"' in text and '"columns"' in text:
            self.content = text

    def asked(self):
        """How often an answer was sent."""
        return sum('"verb":"answer"' in text for text in self.sent)


def test_a_press_is_sent_once_though_its_card_changes_under_the_finger(pages, site):
    shop = Shop(site.om)
    quest = shop.add("work", "echo 2 > b", review="person", into="main")
    shop.asked("review")
    page = pages.context(**DESK).new_page()
    wire = Wire(page)
    pages.go(page, "board")
    land = card(page, "work").get_by_role("button", name="Land", exact=True)
    land.wait_for()
    turns = itertools.count()

    def pongs():
        return sum('"t":"pong"' in text for text in wire.sent)

    def change():
        before = pongs()
        wire.say(re.sub('"state":"[^"]*"', f'"state":"turn {next(turns)}"', wire.content))
        wire.say('{"t":"ping"}')
        eventually(lambda: page.wait_for_timeout(10) or pongs() > before, what="the page has read it")

    def press():
        land.hover()
        page.mouse.down()
        change()
        page.mouse.up()
        change()
        return wire.asked()

    eventually(press, timeout=30, what="the press is sent")
    eventually(lambda: page.wait_for_timeout(10) or '"t":"did"' in str(wire.held), what="it is answered")
    assert land.get_attribute("aria-disabled") == "true"
    land.evaluate_all("(buttons) => buttons.forEach((button) => button.click())")
    page.keyboard.press("y")
    change()
    for text in wire.held:
        wire.say(text)
    page.locator(".toast").filter(has_text="work: it lands").wait_for()
    assert wire.asked() == 1
    assert shop.ended(quest)["status"] == "completed"


def test_work_that_waits_for_a_checkout_is_left_on_the_card_of_what_needs_you(pages, site):
    shop = Shop(site.om)
    shop.code.write({"b": "mine\n"})
    quest = shop.add("work", "echo 2 > b", into="main")
    question = shop.asked("merge")
    page = pages.open("needs", **DESK)
    shown = page.locator(f'article[data-key$=":{question["question"]}"]')
    shown.get_by_role("button", name=re.compile("try again now", re.IGNORECASE)).wait_for()
    leave = shown.get_by_role("button", name=re.compile("leave the work of all that wait for it", re.IGNORECASE))
    pressed(page, leave, lambda _: not shown.count())
    eventually(lambda: shop.info(quest)["status"] != "running", what="it is left")
    assert shop.code.read("b") == "mine\n"


def test_the_gate_of_a_spec_is_a_card_in_review_that_opens_its_document(pages, site):
    world = SpecWorld(site.om)
    world.new("Carts", "--gates", "requirements")
    world.run()
    world.asked("phase")
    page = pages.open("board", **DESK)
    gate = column(page, "review").locator(".board-card").filter(has_text="carts/requirements gate")
    gate.get_by_role("link", name="Read").click()
    page.wait_for_url(re.compile("#/spec/[^/]+/requirements"))
    page.locator('[data-line="requirements.md:1"]').wait_for()
    assert not page.locator("article").get_by_role("link", name="Read").count()


def test_a_phone_shows_one_column_at_a_time_and_nothing_runs_out_of_sight(pages, site):
    site.om.ok("queue", "pause")
    site.om.ok("quest", "add", "Alpha", "--", "true")
    page = pages.open("board", **PHONE)
    tab = page.get_by_role("tab").filter(has_text="blocked")
    tab.tap()
    column(page, "blocked").get_by_role("link", name="alpha").wait_for()
    assert column(page, "running").is_hidden()
    assert tab.bounding_box()["height"] >= 44
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("how", [DESK, PHONE])
def test_axe_finds_nothing_on_the_board(pages, site, judged, theme, how):
    site.om.ok("quest", "add", "Works", "--", "sleep", "600")
    site.om.ok("quest", "add", "Fails", "--", "false")
    page = pages.open("board", theme=theme, **how)
    page.locator(".board-card").first.wait_for()
    assert not judged(page)
