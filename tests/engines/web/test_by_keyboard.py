"""A mission's whole life by keyboard alone: started, answered, written to, landed, stopped."""

from __future__ import annotations

import re

import pytest

from tests.engines.web.conftest import DESK
from tests.engines.web.test_missions import focus_by_tab, row
from tests.kit.repositories import AUTHOR, Repository
from tests.kit.waiting import eventually


def choose(page, field, letters: str) -> None:
    """Go to a field by tab, and type into it."""
    focus_by_tab(page, field)
    page.keyboard.type(letters)


def press(page, name: str) -> None:
    """Go to a button of the dialog by tab; press it until it takes the key: what has just appeared takes none."""
    dialog = page.get_by_role("dialog")
    button = dialog.get_by_role("button", name=name, exact=True)
    focus_by_tab(page, button)
    eventually(lambda: page.keyboard.press("Enter") or not dialog.is_visible(), timeout=30, what=f"{name} is taken")


@pytest.fixture
def shop(om, tmp_path) -> Repository:
    """A project, and somebody who commits: both are there before the servers start."""
    om.environment |= AUTHOR
    made = Repository(str(tmp_path / "shop"))
    made.commit("first", {"app.py": "one\n"})
    return made


def test_an_agent_is_started_answered_written_to_landed_and_stopped(shop, om, agents, pages):
    page = pages.open("missions", **DESK)
    page.get_by_role("heading", name="No missions yet.").wait_for()

    page.keyboard.press("n")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    page.keyboard.type("!bash echo two > app.py")
    choose(page, dialog.get_by_label("Name"), "by-keys")
    folder = dialog.get_by_label("Folder")
    focus_by_tab(page, folder)
    page.keyboard.press("Control+a")
    page.keyboard.type(shop.folder)
    focus_by_tab(page, dialog.locator("summary"))
    page.keyboard.press("Enter")
    choose(page, dialog.get_by_label("Isolate"), "yes")
    focus_by_tab(page, dialog.get_by_role("button", name="Start"))
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"#/m/.+/log"))
    (mission,) = [one["id"] for one in om.api("ps")]

    (question,) = agents.asked(mission)
    assert "echo two" in str(question)
    page.keyboard.press("!")
    card = page.get_by_role("article").filter(has=page.get_by_role("heading", name="by-keys", exact=True))
    card.filter(has_text="echo two > app.py").wait_for()
    eventually(lambda: page.keyboard.press("y") or not agents.om.api("inbox"), timeout=30, what="it is allowed")
    agents.doing(mission, "idle")

    page.keyboard.press("Escape")
    page.wait_for_url(re.compile("#/missions"))
    row(page, "by-keys").and_(page.locator(".cursor")).wait_for()
    page.keyboard.press("m")
    page.get_by_role("textbox", name="Message").and_(page.locator(":focus")).wait_for()
    page.keyboard.type("and now this")
    page.keyboard.press("Enter")
    eventually(lambda: "echo: and now this" in om.logs(mission), timeout=20, what="it answers")
    agents.doing(mission, "idle")
    page.keyboard.press("Escape")  # out of the box

    page.keyboard.press("v")
    page.locator(".changes-file").first.wait_for()
    page.keyboard.press("C")
    page.get_by_role("textbox", name="Message of the commit").wait_for()
    page.keyboard.type("two")
    page.keyboard.press("Control+Enter")
    dialog.wait_for(state="detached")
    page.keyboard.press("L")
    dialog.get_by_text("1 commit · 1 file").wait_for()
    press(page, "Land")
    eventually(lambda: shop.read("app.py") == "two\n", timeout=30, what="it is landed")

    page.keyboard.press("x")
    dialog.filter(has_text="by-keys").wait_for()
    page.keyboard.press("y")
    om.wait_status(mission, "stopped", "killed", "crashed")
