"""The changes of a mission: read whole, commented on, committed, landed."""

from __future__ import annotations

import json
import os
import re

import pytest

from tests.engines.web.conftest import DESK, PHONE
from tests.kit.repositories import AUTHOR, Repository
from tests.kit.waiting import eventually

HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J"


@pytest.fixture
def shop(om, tmp_path) -> Repository:
    """A repository in which missions work; its agents work there."""
    om.environment |= AUTHOR
    made = Repository(str(tmp_path / "shop"))
    lines = "".join(f"line {number}\n" for number in range(1, 3001))
    made.commit("first", {"app.py": "one\ntwo\nthree\n", "long.txt": lines})
    return made


@pytest.fixture
def mission(agents, shop) -> str:
    """An isolated session, named checkout."""
    agents.work = shop.folder
    return str(agents.session("--name", "checkout", "--isolate"))


def folder(shop: Repository, mission: str) -> str:
    return shop.path(".overmind", "worktrees", mission)


def write(shop: Repository, mission: str, name: str, text: str) -> None:
    """Change a file of the worktree, as its agent would."""
    with open(os.path.join(folder(shop, mission), name), "w", encoding="utf-8") as file:
        file.write(text)


def line(page, path: str, number: int):
    """A line of the diff as it is now."""
    return page.locator(f"[data-line={json.dumps(f'{path}:{number}')}]")


def test_what_is_written_while_the_page_is_seen_comes_by_itself(pages, shop, mission):
    page = pages.open(f"changes/{mission}", **DESK)
    page.get_by_text("no changes compared with main").wait_for()
    write(shop, mission, "app.py", "one\nzwei\nthree\n")
    line(page, "app.py", 2).wait_for()


def test_comments_survive_a_reload_and_go_as_one_message(pages, agents, shop, mission):
    write(shop, mission, "app.py", "one\nzwei\nthree\n")
    page = pages.open(f"changes/{mission}", **DESK)
    line(page, "app.py", 2).click()
    page.get_by_role("textbox", name="Comment on app.py:2").fill("why not german everywhere?")
    page.get_by_role("button", name="Keep").click()
    line(page, "app.py", 3).click()
    page.get_by_role("textbox", name="Comment on app.py:3").fill("and here")
    page.reload()
    page.locator(".comment-text").first.wait_for()
    assert page.locator(".comment-text").all_inner_texts() == ["why not german everywhere?", "and here"]
    page.get_by_role("button", name="Send 2 comments").click()
    page.locator(".comment").first.wait_for(state="detached")
    agents.doing(mission, "idle")
    said = agents.om.ok("logs", mission)
    assert "app.py:2" in said
    assert "+zwei" in said
    assert "why not german everywhere?" in said
    page.reload()
    page.locator(".changes-file").wait_for()
    assert page.locator(".comment").count() == 0


def test_it_is_committed_and_landed_with_its_steps_in_view(pages, shop, mission):
    write(shop, mission, "app.py", "one\nzwei\nthree\n")
    page = pages.open(f"changes/{mission}", **DESK)
    page.locator(".changes-file").wait_for()
    page.keyboard.press("L")
    page.get_by_role("button", name="Commit first").click()
    page.get_by_role("textbox", name="Message of the commit").fill(f"german {HOSTILE}")
    page.get_by_role("button", name="Commit", exact=True).last.click()
    verify = page.get_by_label("Verify")
    verify.fill("test -s app.py")
    page.locator(".land-preview").get_by_text("1 commit · 1 file").wait_for()
    page.locator(".dialog").evaluate("() => new Promise((then) => setTimeout(then, 350))")
    page.locator(".dialog [data-verb=merge]").click()
    page.get_by_text("landed checkout: 1 commit on main").wait_for()
    assert shop.read("app.py") == "one\nzwei\nthree\n"


def test_a_check_that_fails_lands_nothing_and_its_log_is_one_press_away(pages, shop, mission):
    write(shop, mission, "app.py", "one\nzwei\nthree\n")
    Repository(folder(shop, mission)).git("commit", "-qam", "german")
    page = pages.open(f"changes/{mission}", **DESK)
    page.locator(".changes-file").wait_for()
    page.locator(".changes-foot [data-verb=merge]").click()
    page.get_by_label("Verify").fill("echo broken; false")
    page.locator(".land-preview").get_by_text("1 commit · 1 file").wait_for()
    page.locator(".dialog").evaluate("() => new Promise((then) => setTimeout(then, 350))")
    page.locator(".dialog [data-verb=merge]").click()
    page.get_by_role("link", name="Its log").click()
    page.get_by_text("broken", exact=True).first.wait_for()
    assert shop.read("app.py") == "one\ntwo\nthree\n"


@pytest.mark.parametrize("how", [DESK, PHONE], ids=["desk", "phone"])
def test_a_long_diff_has_all_of_it_and_its_buttons_in_reach(pages, shop, mission, how):
    write(shop, mission, "long.txt", "".join(f"line {number} changed\n" for number in range(1, 2501)))
    page = pages.open(f"changes/{mission}", **how)
    line(page, "long.txt", 2500).wait_for(state="attached")
    assert page.locator(".diff-line").count() > 5000
    last = line(page, "long.txt", 2500)
    last.scroll_into_view_if_needed()
    assert last.is_visible()
    land = page.locator(".changes-foot [data-verb=merge]")
    box = land.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= page.viewport_size["height"]
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("how", [DESK, PHONE], ids=["desk", "phone"])
def test_a_text_is_found_in_the_diff_and_gone_through(pages, agents, shop, mission, how):
    write(shop, mission, "app.py", "one\nNeedle here\nthree\n")
    write(
        shop,
        mission,
        "long.txt",
        "".join(f"{'needle' if number in {5, 2500} else 'other'} {number}\n" for number in range(1, 3001)),
    )
    page = pages.open(f"changes/{mission}", **how)
    line(page, "app.py", 2).wait_for()
    found = page.locator(".changes-found")
    if how is PHONE:
        page.get_by_role("searchbox", name="Find in the changes").tap()
    else:
        page.keyboard.press("/")
    page.keyboard.type("needle")
    page.get_by_text("1 of 3").wait_for()
    assert page.locator(".diff-line.cursor").get_attribute("data-line") == "app.py:2"
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.get_by_text("3 of 3").wait_for()
    assert page.locator(".diff-line.cursor").get_attribute("data-line") == "long.txt:2500"
    assert page.locator(".diff-line.cursor").evaluate("(one) => one.getBoundingClientRect().bottom <= innerHeight")
    page.keyboard.press("Escape")
    assert not page.locator(".found").count()
    assert not found.inner_text()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    if how is DESK:
        page.keyboard.press("/")
        page.keyboard.type("Needle")  # with a capital the case counts
        page.get_by_text("1 of 1").wait_for()
        write(shop, mission, "app.py", "one\nNeedle here\nNeedle there\n")
        agents.post(mission, "go on")
        page.locator(".diff-line.found").nth(1).wait_for()


def test_hostile_names_and_texts_are_shown_and_nothing_runs(pages, shop, mission):
    name = "<img src=x onerror=alert(1)>.py"
    write(shop, mission, name, "<script>alert(1)</script>\n")
    repository = Repository(folder(shop, mission))
    repository.git("add", "-A")
    repository.git("commit", "-qm", HOSTILE)
    page = pages.open(f"changes/{mission}", **DESK)
    page.locator(".changes-fold").get_by_text(name).wait_for()
    assert page.locator(".diff-text").get_by_text("<script>alert(1)</script>").count() == 1
    assert page.locator(".changes-commits").inner_text().count("<img src=x onerror=alert(1)>\\x1b[2J") == 1
    assert page.locator("#main img, #main script").count() == 0


def test_a_change_of_the_agent_appears_by_itself_and_keeps_what_is_being_written(pages, agents, shop, mission):
    write(shop, mission, "app.py", "one\nzwei\nthree\n")
    page = pages.open(f"changes/{mission}", **DESK)
    line(page, "app.py", 2).click()
    box = page.get_by_role("textbox", name="Comment on app.py:2")
    box.fill("half a")
    write(shop, mission, "app.py", "one\nzwei\ndrei\n")
    agents.post(mission, "go on")
    page.locator(".diff-line.added").get_by_text("drei").wait_for()
    page.keyboard.type(" word")
    assert box.input_value() == "half a word"


def test_it_is_read_commented_and_landed_by_keys_alone(pages, shop, mission):
    write(shop, mission, "app.py", "one\nzwei\nthree\n")
    page = pages.open(f"changes/{mission}", **DESK)
    page.locator(".changes-file").wait_for()
    page.get_by_text("Press a line to comment on it.").wait_for()  # an agent that starts takes no messages yet
    page.keyboard.press("n")
    page.keyboard.press("j")
    page.keyboard.press("#")
    page.keyboard.type("by key")
    page.keyboard.press("Control+Enter")
    page.locator(".comment-text").get_by_text("by key").wait_for()
    page.keyboard.press("m")
    page.locator(".comment").wait_for(state="detached")
    page.keyboard.press("C")
    page.get_by_role("textbox", name="Message of the commit").wait_for()


def test_an_ended_one_is_discarded_after_it_says_what_is_lost(pages, om, shop, mission):
    write(shop, mission, "app.py", "one\nzwei\nthree\n")
    om.ok("stop", "checkout")
    page = pages.open(f"changes/{mission}", **DESK)
    page.locator(".changes-file").wait_for()
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("button", name=re.compile("Discard")).click()
    page.get_by_role("button", name=re.compile("^Discard y")).click()
    page.get_by_text("1 file only in this worktree:").wait_for()
    assert os.path.isdir(folder(shop, mission))
    page.get_by_role("button", name=re.compile("Discard it all")).click()
    eventually(lambda: not os.path.exists(folder(shop, mission)), what="its worktree is gone")


def test_who_may_only_look_reads_the_changes_and_changes_nothing(pages, om, shop, mission):
    write(shop, mission, "app.py", "one\nzwei\nthree\n")
    link = om.ok("web", "link", "--read-only").strip().splitlines()[-1]
    page = pages.context(logged_in=False, **DESK).new_page()
    page.goto(link)
    page.locator(".live, .missions-head").first.wait_for()
    pages.go(page, f"changes/{mission}")
    page.locator(".diff-line.added").get_by_text("zwei").wait_for()
    assert page.locator(".changes-foot [data-verb=commit]").is_disabled()
    page.keyboard.press("C")
    assert page.locator("dialog").count() == 0


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("how", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_in_changes(pages, judged, shop, mission, theme, how):
    write(shop, mission, "app.py", "one\nzwei\nthree\n")
    page = pages.open(f"changes/{mission}", theme=theme, **how)
    line(page, "app.py", 2).click()
    page.get_by_role("textbox", name="Comment on app.py:2").fill("why?")
    assert judged(page) == []
    page.get_by_role("button", name="Keep").click()
    assert judged(page) == []
