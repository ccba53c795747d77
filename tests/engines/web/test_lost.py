"""What a page says and keeps when its server, the daemon or the network is gone, and how it comes back."""

from __future__ import annotations

import re

from tests.engines.web.conftest import DESK, LOST, PHONE
from tests.engines.web.test_missions import row
from tests.kit.killing import kill_supervisor
from tests.kit.waiting import eventually

SAID = re.compile("Not connected")


def test_a_killed_daemon_is_said_and_no_row_is_stale_afterwards(pages, site):
    mission = site.om.mission("sleep 100", "--name", "worker")
    page = pages.open("missions", **DESK)
    row(page, "worker").filter(has_text="working").wait_for()
    watch = page.evaluate_handle(
        """() => { const seen = []; new MutationObserver(() => seen.push(document.querySelector(".banner").innerText))
           .observe(document.querySelector(".banner"), { childList: true, attributes: true }); return seen; }"""
    )
    kill_supervisor(site.om)
    site.om.ok("freeze", mission)
    row(page, "worker").filter(has_text="frozen").wait_for()
    page.locator(".banner").wait_for(state="hidden")
    assert any("Agents run on" in words or "agents run on" in words for words in watch.json_value())


def test_a_killed_server_comes_back_to_the_same_page_draft_and_login(pages, agents, site):
    pages.tolerated = LOST
    mission = agents.session("--name", "helper")
    page = pages.open(f"m/{mission}/describe", **DESK)
    box = page.get_by_role("textbox", name="Message")
    box.fill("half a senten")
    site.kill()
    page.locator(".banner").filter(has_text=SAID).wait_for()
    assert page.get_by_role("button", name="Send").is_disabled()
    site.start_again()
    page.locator(".banner").wait_for(state="hidden")
    assert box.input_value() == "half a senten"
    assert f"#/m/{mission}/describe" in page.url
    box.fill("a whole sentence")
    page.get_by_role("button", name="Send").click()
    eventually(lambda: "echo: a whole sentence" in agents.om.logs(mission), timeout=20, what="it answers")


def test_a_server_that_answers_no_more_is_noticed_when_somebody_comes_back_to_it(pages, site):
    pages.tolerated = LOST
    site.om.mission("sleep 100", "--name", "worker")
    phone = pages.open("missions", **PHONE)
    row(phone, "worker").wait_for()
    site.stop()
    try:
        phone.evaluate("() => window.dispatchEvent(new Event('pageshow'))")
        phone.locator(".banner").filter(has_text=SAID).wait_for(timeout=10_000)
    finally:
        site.resume()
    phone.locator(".banner").wait_for(state="hidden")


def test_what_was_not_sent_says_so_and_goes_when_the_server_is_back(pages, agents, site):
    pages.tolerated = LOST
    mission = agents.session("--name", "helper")
    page = pages.open(f"m/{mission}/describe", **PHONE)
    page.get_by_role("textbox", name="Message").fill("once only")
    site.stop()
    page.get_by_role("button", name="Send").tap()
    site.kill()
    page.locator(".banner").filter(has_text=SAID).wait_for()
    site.start_again()
    page.locator(".banner").wait_for(state="hidden")
    eventually(lambda: agents.om.logs(mission).count("echo: once only") == 1, timeout=20, what="it is sent")
    assert len(agents.messages(mission)) == 1


def test_a_page_that_the_server_does_not_send_says_so_and_is_loaded_again(pages, site):
    pages.tolerated = LOST
    page = pages.open("missions", **DESK)
    page.get_by_text("No missions yet.").wait_for()
    site.kill()
    page.locator(".banner").filter(has_text=SAID).wait_for()
    page.evaluate("() => { location.hash = '#/cost'; }")
    page.get_by_text("This page could not be loaded.").wait_for()
    back(page, site)
    press = "() => document.querySelector('main button')?.click()"  # some ask for it again by themselves
    page.evaluate(press)
    page.get_by_role("heading", name="Cost", exact=True).wait_for()


def test_where_somebody_is_in_the_page_stays_when_the_server_is_back(pages, site):
    pages.tolerated = LOST
    page = pages.open("missions", **DESK)
    page.get_by_text("No missions yet.").wait_for()
    site.kill()
    page.locator(".banner").filter(has_text=SAID).wait_for()
    page.evaluate("() => { location.hash = '#/cost'; }")
    page.get_by_role("button", name="Load again").focus()
    back(page, site)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Cost", exact=True).wait_for()
    page.get_by_role("link", name="Missions").focus()
    site.kill()
    page.locator(".banner").filter(has_text=SAID).wait_for()
    back(page, site)
    page.keyboard.press("Enter")
    page.get_by_text("No missions yet.").wait_for()


def back(page, site) -> None:
    """Start the server again, and wait until the page has it, and has done what follows from that."""
    site.start_again()
    page.locator(".banner").wait_for(state="hidden")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
