"""A spec in the browser: read, commented on line by line, its gate answered."""

from __future__ import annotations

import pytest

from tests.engines.web.conftest import DESK, PHONE, press_until
from tests.kit.specs import SpecWorld


@pytest.fixture
def world(om, site) -> SpecWorld:
    """A repository with a spec that waits at the gate of its requirements."""
    del site  # a server of the same home
    made = SpecWorld(om)
    made.new("Carts", "--gates", "requirements")
    made.run()
    made.asked("phase")
    return made


@pytest.mark.parametrize("how", [DESK, PHONE], ids=["desk", "phone"])
def test_comments_on_lines_deny_the_gate_and_the_phase_is_done_again(pages, world, how):
    first = world.asked("phase")["question"]
    page = pages.open("specs", **how)
    page.get_by_text("carts", exact=True).first.wait_for()
    pages.go(page, "spec/carts/requirements")
    line = page.locator('[data-line="requirements.md:1"]')
    line.click()
    page.get_by_role("textbox", name="Comment on requirements.md:1").fill("shorter, please")
    page.reload()
    page.locator(".comment-text").get_by_text("shorter, please").wait_for()
    page.get_by_role("button", name="Send 1 comment").click()
    page.locator(".comment").wait_for(state="detached")
    page.locator(f'article:not([data-key$=":{first}"])').first.wait_for()
    assert world.attempts().count("requirements 1") == 2  # a denial begins anew
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_a_gate_is_allowed_by_its_key(pages, world):
    page = pages.open("spec/carts", **DESK)
    page.locator("article").wait_for()
    page.locator("article").evaluate("() => new Promise((then) => setTimeout(then, 350))")
    page.keyboard.press("y")
    page.locator("article").wait_for(state="detached")
    assert world.states()["requirements"] == "passed"


def test_a_spec_is_archived_and_forgotten_from_the_list_after_a_question(pages, world):
    page = pages.open("specs", **DESK)
    row = page.get_by_role("row").filter(has_text="carts")
    row.click()
    dialog = page.get_by_role("dialog")
    press_until(page, "Control+d", dialog)
    dialog.get_by_text("Nothing of it starts any more.").wait_for()
    page.keyboard.press("n")
    dialog.wait_for(state="detached")
    assert world.om.api("specs")[0]["state"] != "archived"
    press_until(page, "Control+d", dialog)
    page.keyboard.press("y")
    page.locator(".toast").filter(has_text="archived carts").wait_for()
    row.wait_for(state="detached")
    page.get_by_label("Which specs").select_option("all")
    row.filter(has_text="archived").click()
    forget = page.get_by_role("button", name="Forget")
    forget.evaluate("() => new Promise((then) => setTimeout(then, 600))")  # what has only just appeared takes no press
    forget.click()
    dialog.get_by_text("Nothing brings it back.").wait_for()
    page.keyboard.press("y")
    page.locator(".toast").filter(has_text="forgot carts").wait_for()


@pytest.mark.parametrize("how", [DESK, PHONE], ids=["desk", "phone"])
def test_the_tasks_of_a_spec_are_drawn_as_a_graph_beside_their_list(pages, om, site, how, judged):
    del site
    world = SpecWorld(om)
    world.new("Carts", "--gates", "tasks")
    world.run()
    world.asked("phase")
    page = pages.open("spec/carts", **how)
    page.locator('[data-part="task:TSK-001"]').wait_for()
    page.keyboard.press("b")
    page.wait_for_url("**/spec/carts/graph")
    page.locator('.plan-node[data-id="task:TSK-002"]').wait_for()
    assert page.locator(".plan-node").count() == page.locator('[data-part^="task:"]').count()
    assert page.locator(".plan-edge").count() == 1
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert judged(page) == []
    page.locator('.plan-node[data-id="task:TSK-001"]').click()
    page.wait_for_url("**/spec/carts/tasks")
    page.locator('[data-line^="tasks.md:"]').first.wait_for()
    assert page.locator(".plan-graph").is_hidden()


@pytest.mark.parametrize("how", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_in_specs(pages, judged, world, how):
    del world
    page = pages.open("spec/carts/requirements", theme="light", **how)
    page.locator("[data-line]").first.wait_for()
    assert judged(page) == []


def test_hostile_documents_are_text(pages, world):
    hostile = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\x1b[31m\u202etxet"
    with open(f"{world.folder}/.overmind/specs/carts/brief.md", "a", encoding="utf-8") as file:
        file.write(f"\n{hostile}\n\n[link](javascript:alert(3))\n")
    page = pages.open("spec/carts/brief", **DESK)
    page.locator("[data-line]").get_by_text("onerror=alert(1)").first.wait_for()
    assert page.locator("#main img, #main script, #main a[href^=javascript]").count() == 0
    text = page.locator("#main").evaluate("(main) => main.textContent")
    assert "\x1b" not in text
    assert "\u202e" not in text
