"""Coming in by a link, and what is seen by who is not logged in."""

from __future__ import annotations

import re

import pytest

from tests.engines.web.conftest import DESK, PHONE
from tests.kit.processes import with_word

REFUSED = "This link does not open the dashboard."


@pytest.fixture
def outsider(pages):
    return pages.context(logged_in=False, **DESK).new_page()


def test_a_fresh_link_shows_rows_and_its_token_stands_nowhere(pages, site, outsider):
    site.om.mission("sleep 100", "--name", "worker")
    token = site.first_link.partition("#")[2].rpartition("=")[2]
    outsider.goto(site.first_link)
    outsider.get_by_role("row").filter(has_text="worker").wait_for()
    assert token not in outsider.url
    outsider.reload()
    outsider.get_by_role("row").filter(has_text="worker").wait_for()
    assert token not in outsider.evaluate("JSON.stringify(Object.entries(localStorage))")
    outsider.go_back()
    assert token not in outsider.url
    assert token not in site.log()
    assert not with_word(token)


def test_a_link_works_once_and_its_page_says_how_to_make_another(pages, site, outsider):
    pages.tolerated = ("401",)
    outsider.goto(site.first_link)
    outsider.locator(".missions-head").wait_for()
    other = pages.context(logged_in=False, **PHONE).new_page()
    other.goto(site.first_link)
    other.get_by_role("heading", name=REFUSED).wait_for()
    assert "overmind web link" in other.locator("main").inner_text()


def test_a_preview_of_a_link_uses_nothing_up(site, outsider, pages):
    preview = outsider.request.get(site.first_link)
    assert preview.ok
    outsider.goto(site.first_link)
    outsider.locator(".missions-head").wait_for()


def test_whoever_has_no_login_is_told_what_to_do(site, outsider):
    outsider.goto(site.url)
    outsider.get_by_role("heading", name="You are not logged in.").wait_for()
    assert outsider.locator("nav:visible").count() == 0


def test_a_link_can_be_pasted(site, outsider):
    outsider.goto(site.url)
    box = outsider.get_by_label("Or paste a link here")
    box.fill("what is this")
    outsider.get_by_role("button", name="Log in").click()
    outsider.get_by_role("alert").filter(has_text="no link of this server").wait_for()
    box.fill(site.first_link)
    outsider.get_by_role("button", name="Log in").click()
    outsider.locator(".missions-head").wait_for()


def test_logging_out_ends_the_login_here_and_there(pages, site):
    page = pages.open("missions", **DESK)
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("heading", name="You are logged out.").wait_for()
    page.reload()
    page.get_by_role("heading", name="You are not logged in.").wait_for()


def test_a_login_that_the_server_has_not_ended_is_not_called_ended(pages, site):
    pages.tolerated = ("503",)
    page = pages.open("missions", **DESK)
    page.route("**/logout", lambda route: route.fulfill(status=503, json={"message": "The daemon does not answer."}))
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("heading", name="Only this browser is logged out.").wait_for()
    page.get_by_text("The daemon does not answer. The login itself has not ended").wait_for()
    page.get_by_text("overmind web revoke browser").wait_for()


def test_the_server_takes_another_link(pages, site, outsider):
    outsider.goto(site.link())
    outsider.locator(".missions-head").wait_for()


def test_a_link_pasted_into_a_page_that_is_logged_in_leaves_the_address(pages, site):
    page = pages.open("events", **DESK)
    page.goto(site.link())
    page.locator(".missions-head").wait_for()
    assert "link" not in page.url
    page.go_back()
    page.get_by_role("heading", name="Events").wait_for()
    page.go_forward()
    page.locator(".missions-head").wait_for()
    assert "link" not in page.url


def test_a_used_link_pasted_into_a_page_that_is_logged_in_changes_nothing(pages, site):
    pages.tolerated = ("401",)
    page = pages.open("events", **DESK)
    page.goto(site.first_link)
    page.locator(".toast").filter(has_text="has been used").wait_for()
    page.locator(".missions-head").wait_for()
    assert "link" not in page.url


@pytest.mark.parametrize("how", ["box", "address"])
def test_whoever_logged_out_comes_back_in_the_same_tab(pages, site, how):
    site.om.mission("sleep 100", "--name", "worker")
    page = pages.open("missions", **DESK)
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("heading", name="You are logged out.").wait_for()
    if how == "address":
        page.goto(site.link())
    else:
        page.get_by_label("Or paste a link here").fill(site.link())
        page.get_by_role("button", name="Log in").click()
    page.get_by_role("row").filter(has_text="worker").wait_for()


@pytest.mark.long
@pytest.mark.parametrize("ends", ["revoked", "runs out"])
def test_a_login_that_is_revoked_or_runs_out_leaves_nothing_on_the_page(pages, site, om, outsider, ends):
    pages.tolerated = ("401",)  # by which the page learns that its login is over
    mission = om.mission("echo private; exec cat", "--type", "session", "--name", "worker")
    lasting = ("--for", "1m") if ends == "runs out" else ()  # the shortest that there is
    outsider.goto(om.ok("web", "link", "--name", "phone", *lasting).strip().splitlines()[-1])
    outsider.locator(".missions-head").wait_for()
    pages.go(outsider, f"m/{mission}/terminal")
    outsider.locator(".xterm").wait_for()
    if ends == "revoked":
        om.ok("web", "revoke", "phone")
    over = outsider.get_by_role("heading", name=re.compile("This login (was ended|has ended)."))
    over.wait_for(timeout=120_000)
    assert outsider.locator("nav:visible, .xterm, .row").count() == 0
    assert "private" not in outsider.locator("body").inner_text()
    outsider.reload()
    outsider.get_by_role("heading", name="You are not logged in.").wait_for()
