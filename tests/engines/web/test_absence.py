"""A page that was away: the network is lost and comes back, the server stands still, an answer never arrives.

The minutes are those of the page's own clock, which the test moves on; the network is a real one that can be cut.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.engines.web.conftest import DESK, LOST, PHONE, Watched
from tests.engines.web.test_lost import SAID
from tests.engines.web.test_missions import row
from tests.kit.cut_line import Line
from tests.kit.overmind import Overmind
from tests.kit.waiting import eventually
from tests.kit.web_site import Site

HIDDEN = """(hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""
SOCKETS = """() => {
    window.sockets = [];
    window.WebSocket = class extends WebSocket {
        constructor(...words) { super(...words); window.sockets.push(this); }
    };
}"""
OLD_WORD = """() => window.sockets.at(-1).dispatchEvent(new MessageEvent("message", { data: '{"t": "ping"}' }))"""
"""What the server sent before it stood still, and the page reads only now."""


class Far(NamedTuple):
    """Pages of a server that is reached over a line."""

    pages: Watched
    line: Line

    def open(self, route: str, **how):
        """A page with a clock that the test can move on; it goes on by itself otherwise."""
        page = self.pages.context(**how).new_page()
        page.clock.install()
        self.pages.go(page, route)
        return page

    def again(self, page):
        """The same page in another tab of that browser, over a line that passes again."""
        _, _, route = page.url.partition("#/")
        other = page.context.new_page()
        page.close()
        self.line.mend()
        self.line.hang_up()
        self.pages.go(other, route)
        return other


@pytest.fixture
def far(om: Overmind, agents, browser) -> Iterator[Far]:
    del agents  # whose program is in the server's world, too
    with Line() as line:
        site = Site(om, "--public-url", f"http://127.0.0.1:{line.port}")
        try:
            with open(om.path("web.json"), encoding="utf-8") as file:
                line.server = int(json.load(file)["url"].rpartition(":")[2])
            pages = Watched(browser, site)
            pages.tolerated = LOST
            try:
                yield Far(pages, line)
            finally:
                pages.close()
            assert not pages.problems, "\n".join(pages.problems)
        finally:
            site.close()


def banner(page):
    return page.locator(".banner").filter(has_text=SAID)


def test_after_a_minute_without_network_a_phone_that_is_looked_at_again_is_live_within_a_second(far, om):
    mission = om.mission("sleep 100", "--name", "worker")
    phone = far.open("missions", **PHONE)
    row(phone, "worker").filter(has_text="working").wait_for()
    phone.evaluate(HIDDEN, True)
    far.line.cut()
    om.ok("freeze", mission)
    phone.clock.run_for(60_000)
    far.line.mend()
    phone.clock.pause_at(phone.evaluate("() => Date.now() / 1000 + 1"))
    phone.evaluate(HIDDEN, False)
    live_within(phone, 1_000)
    row(phone, "worker").filter(has_text="frozen").wait_for()


def live_within(page, milliseconds: int) -> None:
    """The page says no more that it is not connected, and shows rows, with so little of its own time gone by."""
    banner(page).wait_for(state="hidden")
    page.locator("body:not(.lost)").wait_for()
    page.clock.run_for(milliseconds)
    page.clock.resume()


def test_a_page_that_lost_its_network_while_it_was_looked_at_says_so_and_comes_back_at_once(far, om):
    mission = om.mission("sleep 100", "--name", "worker")
    page = far.open("missions", **DESK)
    row(page, "worker").filter(has_text="working").wait_for()
    far.line.cut()
    om.ok("freeze", mission)
    page.clock.run_for(15_000)
    banner(page).wait_for()
    page.clock.run_for(45_000)  # it tries again, into nothing
    far.line.mend()
    page.clock.pause_at(page.evaluate("() => Date.now() / 1000 + 1"))
    page.evaluate("() => window.dispatchEvent(new Event('online'))")
    live_within(page, 1_000)
    row(page, "worker").filter(has_text="frozen").wait_for()


def test_a_page_whose_network_comes_back_without_a_word_finds_it_by_itself(far, om):
    mission = om.mission("sleep 100", "--name", "worker")
    page = far.open("missions", **DESK)
    row(page, "worker").filter(has_text="working").wait_for()
    far.line.cut()
    page.clock.run_for(60_000)
    banner(page).wait_for()
    om.ok("freeze", mission)
    far.line.mend()
    page.clock.run_for(20_000)
    banner(page).wait_for(state="hidden")
    row(page, "worker").filter(has_text="frozen").wait_for()


def test_a_server_that_stands_still_is_said_within_15_seconds_while_the_page_is_seen(pages, site):
    pages.tolerated = LOST
    site.om.mission("sleep 100", "--name", "worker")
    page = pages.context(**DESK).new_page()
    page.clock.install()
    pages.go(page, "missions")
    row(page, "worker").wait_for()
    site.stop()
    try:
        page.clock.run_for(15_000)
        assert banner(page).is_visible()
    finally:
        site.resume()
    banner(page).wait_for(state="hidden")


def test_a_server_that_stands_still_is_said_within_4_seconds_of_coming_back_to_the_page(pages, site):
    pages.tolerated = LOST
    site.om.mission("sleep 100", "--name", "worker")
    phone = pages.context(**PHONE).new_page()
    phone.add_init_script(f"({SOCKETS})()")
    phone.clock.install()
    pages.go(phone, "missions")
    row(phone, "worker").wait_for()
    phone.evaluate(HIDDEN, True)
    site.stop()
    try:
        phone.clock.run_for(5_000)
        assert not banner(phone).is_visible()
        phone.evaluate(HIDDEN, False)
        phone.evaluate(OLD_WORD)
        phone.clock.run_for(4_000)
        assert banner(phone).is_visible()
    finally:
        site.resume()
    banner(phone).wait_for(state="hidden")


def test_a_message_whose_answer_is_lost_is_one_message_though_it_is_sent_again(far, agents):
    mission = agents.session("--name", "helper")
    page = far.open(f"m/{mission}/describe", **DESK)
    box = page.get_by_role("textbox", name="Message")
    box.fill("once only")
    far.line.deafen()
    page.get_by_role("button", name="Send").click()
    eventually(lambda: agents.messages(mission), what="the daemon has it")
    page = far.again(page)  # it has forgotten what it asked for; its draft is there
    box = page.get_by_role("textbox", name="Message")
    page.locator("body:not(.lost) .mission").wait_for()
    assert box.input_value() == "once only"
    page.get_by_role("button", name="Send").click()
    eventually(lambda: box.input_value() == "", what="it is answered")
    assert len(agents.messages(mission)) == 1
    box.fill("once only")
    page.get_by_role("button", name="Send").click()
    eventually(lambda: len(agents.messages(mission)) == 2, what="the same words are said again later")


def test_a_message_whose_answer_is_lost_is_sent_again_by_itself_and_is_one(far, agents):
    mission = agents.session("--name", "helper")
    page = far.open(f"m/{mission}/describe", **PHONE)
    box = page.get_by_role("textbox", name="Message")
    box.fill("once only")
    far.line.deafen()
    page.get_by_role("button", name="Send").tap()
    eventually(lambda: agents.messages(mission), what="the daemon has it")
    far.line.mend()
    far.line.hang_up()
    eventually(lambda: box.input_value() == "", what="it is answered")
    assert len(agents.messages(mission)) == 1


def test_a_start_whose_answer_is_lost_and_that_is_pressed_again_is_one_mission(far, om):
    page = far.open("missions", **DESK)
    start(page)
    far.line.deafen()
    page.keyboard.press("Enter")
    eventually(lambda: om.api("ps"), what="it is started")
    page = far.again(page)
    start(page)
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for(state="detached")
    assert [one["name"] for one in om.api("ps", all=True)] == ["worker"]


def start(page) -> None:
    """Fill in the form of a new mission, up to its button."""
    page.get_by_role("button", name="New").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What").select_option("command")
    dialog.get_by_label("Command").fill("sleep 1000")
    dialog.get_by_label("Name").fill("worker")
    dialog.get_by_role("button", name="Start").focus()
