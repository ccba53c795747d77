"""The list of missions and the mission beside it: live, filtered, by keyboard alone."""

from __future__ import annotations

import re

import pytest

from tests.engines.web.conftest import DESK, PHONE, press_until
from tests.engines.web.test_needs import answered, asks
from tests.kit.waiting import eventually


def row(page, name: str):
    """The row of a mission, in whatever table."""
    return page.get_by_role("row").filter(has=page.locator(".name", has_text=re.compile(f"^{name}$")))


def fold(page):
    """The line of those that ended."""
    return page.locator(".fold-row")


def unfold(page) -> None:
    """Show those that ended."""
    fold(page).click()
    page.locator(".fold-row[aria-expanded=true]").wait_for()


def test_what_changes_is_seen_in_ten_tabs(pages, site):
    mission = site.om.mission("sleep 100", "--name", "worker")
    context = pages.context(**DESK)
    tabs = [context.new_page() for _ in range(10)]
    for page in tabs:
        pages.go(page, "missions")
        row(page, "worker").filter(has_text="working").wait_for()
    site.om.ok("freeze", mission)
    for page in tabs:
        row(page, "worker").filter(has_text="frozen").wait_for()


def test_a_range_is_marked_and_its_logs_are_read_as_one(pages, site):
    for name in ("alpha", "beta", "gamma", "other"):
        site.om.mission(f"echo says {name}; sleep 100", "--name", name)
    page = pages.open("missions?order=name", **DESK)
    row(page, "other").wait_for()
    for key in ("g", "Space", "j", "Control+Space"):
        page.keyboard.press(key)
    page.get_by_text("3 marked").wait_for()
    page.keyboard.press("l")
    page.get_by_role("heading", name="Log of 3 missions").wait_for()
    for name in ("alpha", "beta", "gamma"):
        page.locator(".log-line").filter(has_text=f"says {name}").wait_for()
    assert page.locator(".log-line").filter(has_text="says other").count() == 0
    page.reload()
    page.get_by_role("heading", name="Log of 3 missions").wait_for()
    page.locator(".log-line").filter(has_text="says gamma").wait_for()
    page.keyboard.press("Escape")
    row(page, "other").wait_for()


def test_how_a_mission_is_treated_is_changed_by_its_key(pages, site):
    mission = site.om.mission("sleep 100", "--name", "worker")
    page = pages.open("missions", **DESK)
    row(page, "worker").click()
    page.locator(".mission-actions .button").first.wait_for()
    page.keyboard.press("e")
    page.get_by_role("dialog").get_by_label("Restart", exact=True).select_option("always")
    page.get_by_role("dialog").get_by_role("button", name="Change").click()
    page.get_by_role("dialog").wait_for(state="detached")
    eventually(
        lambda: site.om.api("info", id=mission)["restart_policy"] == "always", timeout=30, what="it is treated so"
    )


def test_a_form_that_is_open_is_not_lost_to_another_version_of_the_server(pages, site):
    mission = site.om.mission("sleep 100", "--name", "worker")
    page = pages.context(**DESK).new_page()
    sockets = []

    def pass_on(socket):
        """Connect it; the second one is told of another version."""
        server = socket.connect_to_server()
        sockets.append(socket)
        if len(sockets) == 2:
            server.on_message(lambda text: socket.send(re.sub(r'"static":"[^"]*"', '"static":"other"', text)))

    page.route_web_socket(re.compile("/ws$"), pass_on)
    pages.go(page, "missions")
    row(page, "worker").click()
    page.locator(".mission-actions .button").first.wait_for()
    page.keyboard.press("e")
    page.get_by_label("Grace period").fill("7s")
    sockets[0].close()
    eventually(lambda: page.wait_for_timeout(100) or len(sockets) == 2, timeout=30, what="it is connected again")
    page.wait_for_timeout(1_500)
    page.get_by_role("dialog").get_by_role("button", name="Change").click()
    eventually(lambda: page.wait_for_timeout(100) or len(sockets) == 3, timeout=30, what="it is loaded anew")
    assert site.om.api("info", id=mission)["grace_seconds"] == 7


def treat(page, limit: str) -> None:
    """Give the mission beside the list another timeout."""
    page.keyboard.press("e")
    page.get_by_label("Timeout of a run").fill(limit)
    page.get_by_role("dialog").get_by_role("button", name="Change").click()
    page.get_by_label("Timeout of a run").wait_for(state="detached")


def test_a_timeout_without_a_unit_is_seconds_and_one_that_is_past_is_asked_about(pages, site):
    mission = site.om.mission("sleep 100", "--name", "worker")
    page = pages.open("missions", **DESK)
    row(page, "worker").click()
    page.locator(".mission-actions .button").first.wait_for()
    treat(page, "600")
    eventually(lambda: site.om.api("info", id=mission)["timeout_ms"] == 600_000, timeout=30, what="it is treated so")
    treat(page, "1ms")
    page.get_by_role("dialog").get_by_text("with this timeout it is ended at once").wait_for()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").wait_for(state="detached")
    assert site.om.api("info", id=mission)["timeout_ms"] == 600_000


def test_the_timeout_of_a_new_mission_is_in_seconds_without_a_unit(pages, site):
    page = pages.open("missions", **DESK)
    page.get_by_role("button", name="New").first.click()
    page.get_by_label("What").select_option("command")
    page.get_by_role("textbox", name="Command").fill("sleep 100")
    page.locator("dialog summary").click()
    page.get_by_label("Timeout", exact=True).fill("600")
    page.get_by_role("button", name="Start").click()
    page.locator("dialog").wait_for(state="detached")
    (started,) = site.om.api("ps")
    assert site.om.api("info", id=started["id"])["timeout_ms"] == 600_000


def test_back_reload_and_deep_link_keep_page_filter_and_row(pages, site):
    for name in ("alpha", "beta", "gamma"):
        site.om.mission("sleep 100", "--name", name)
    page = pages.open("missions", **DESK)
    row(page, "gamma").wait_for()
    page.get_by_role("searchbox", name="Filter").fill("!alpha")
    row(page, "alpha").wait_for(state="detached")
    row(page, "gamma").click()
    page.wait_for_url(re.compile("(?=.*filter=)(?=.*row=)"))
    page.get_by_role("link", name="Events").first.click()
    page.get_by_role("heading", name="Events").wait_for()
    page.go_back()
    assert_same(page)
    page.reload()
    assert_same(page)
    other = page.context.new_page()
    other.goto(page.url)
    assert_same(other)


def assert_same(page) -> None:
    """The filter, its rows and the cursor are as they were."""
    row(page, "gamma").and_(page.locator(".cursor")).wait_for()
    assert page.get_by_role("searchbox", name="Filter").input_value() == "!alpha"
    assert row(page, "alpha").count() == 0
    assert row(page, "beta").count() == 1


def test_a_broken_filter_keeps_the_rows_and_says_what_is_wrong(pages, site):
    site.om.mission("sleep 100", "--name", "worker")
    page = pages.open("missions", **DESK)
    row(page, "worker").wait_for()
    page.get_by_role("searchbox", name="Filter").fill("[")
    page.get_by_role("alert").filter(has_text=re.compile(".")).first.wait_for()
    page.get_by_role("searchbox", name="Filter").fill("work")
    row(page, "worker").wait_for()


def test_by_keyboard_alone_a_mission_starts_is_filtered_described_and_stopped(pages, site):
    page = pages.open("missions", **DESK)
    page.get_by_role("heading", name="No missions yet.").wait_for()
    page.keyboard.press("n")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("command")
    page.keyboard.press("Tab")
    page.keyboard.type("sleep 1000")
    page.keyboard.press("Tab")
    page.keyboard.type("by-keys")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Enter")
    dialog.wait_for(state="detached")
    row(page, "by-keys").filter(has_text="working").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("by-k")
    page.keyboard.press("Enter")
    page.keyboard.press("d")
    page.locator(".description").filter(has_text="sleep 1000").wait_for()
    question = page.get_by_role("dialog")
    press_until(page, "x", question)
    assert "by-keys is working for" in question.inner_text()
    assert question.get_by_role("button", name="Cancel").evaluate("(button) => button === document.activeElement")
    page.keyboard.press("n")
    question.wait_for(state="detached")
    assert site.om.api("ps")[0]["status"] == "running"
    page.keyboard.press("x")
    question.wait_for()
    page.keyboard.press("y")
    row(page, "by-keys").filter(has_text="stopped").wait_for()


def focus_by_tab(page, wanted) -> None:
    """Press tab until the focus is on it."""
    wanted.wait_for()
    for _ in range(60):
        if wanted.evaluate("(one) => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"tab never comes to {wanted}")


def test_by_keyboard_alone_a_shell_starts_is_typed_into_and_stopped(pages, site):
    page = pages.open("missions", **DESK)
    page.get_by_role("heading", name="No missions yet.").wait_for()
    page.keyboard.press("n")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("shell")
    page.keyboard.press("Tab")
    focus_by_tab(page, dialog.get_by_role("button", name="Start"))
    page.keyboard.press("Enter")
    dialog.wait_for(state="detached")
    page.wait_for_url(re.compile("/terminal"))
    words = page.locator(".terminal-words")
    words.filter(has_text="looking ·").wait_for()
    page.keyboard.press("i")
    words.filter(has_text="typing").wait_for()
    page.keyboard.type("echo typed-$((40 + 2))\n")
    (mission,) = [one["id"] for one in site.om.api("ps")]
    eventually(lambda: "typed-42" in site.om.logs(mission), timeout=20, what="the shell answers")
    page.keyboard.press("Control+Backslash")
    words.filter(has_text="looking ·").wait_for()
    press_until(page, "x", dialog)
    page.keyboard.press("y")
    site.om.wait_status(mission, "stopped", "crashed", "killed")


def test_keys_do_nothing_while_somebody_types(pages, site):
    site.om.mission("sleep 100", "--name", "worker")
    page = pages.open("missions", **DESK)
    row(page, "worker").click()
    page.get_by_role("searchbox", name="Filter").click()
    page.keyboard.type("xnq?")
    assert page.get_by_role("dialog").count() == 0
    assert page.get_by_role("searchbox", name="Filter").input_value() == "xnq?"


def test_a_message_goes_to_a_session_and_its_draft_outlives_a_reload(pages, agents):
    mission = agents.session("--name", "helper")
    page = pages.open(f"m/{mission}/describe", **PHONE)
    box = page.get_by_role("textbox", name="Message")
    box.fill("hello there")
    page.reload()
    assert box.input_value() == "hello there"
    page.get_by_role("button", name="Send").tap()
    eventually(lambda: "echo: hello there" in agents.om.logs(mission), timeout=20, what="it answers")
    eventually(lambda: box.input_value() == "", what="the box is empty")


def test_a_refused_start_says_so_beside_its_field_and_keeps_what_was_typed(pages, site):
    site.om.mission("sleep 100", "--name", "taken")
    page = pages.open("missions", **DESK)
    page.get_by_role("button", name="New").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What").select_option("command")
    dialog.get_by_label("Command").fill("sleep 5")
    dialog.get_by_label("Name").fill("taken")
    dialog.get_by_role("button", name="Start").click()
    dialog.locator('[data-field="name"] .problem').filter(has_text="taken").wait_for()
    assert dialog.get_by_label("Command").input_value() == "sleep 5"


def test_several_marked_ones_get_one_question_and_one_sentence(pages, site):
    for name in ("one", "two"):
        site.om.mission("sleep 100", "--name", name)
    page = pages.open("missions", **DESK)
    row(page, "two").wait_for()
    page.get_by_role("treegrid", name="missions").focus()
    page.keyboard.press("*")
    dialog = page.get_by_role("dialog")
    press_until(page, "x", dialog)
    assert "one is working" in dialog.inner_text()
    assert "two is working" in dialog.inner_text()
    page.keyboard.press("y")
    page.locator(".toast").filter(has_text="stopped 2 of 2").wait_for()


def test_it_is_said_what_hangs_on_a_mission_before_it_is_ended(pages, site):
    parent = site.om.mission("sleep 100", "--name", "release")
    site.om.mission("sleep 100", "--name", "api", "--parent", parent)
    page = pages.open("missions", **DESK)
    row(page, "release").click()
    dialog = page.get_by_role("dialog")
    press_until(page, "x", dialog)
    dialog.get_by_text("1 live child keeps running: api.").wait_for()


def test_what_the_daemon_notes_about_an_end_is_said(pages, site):
    site.om.mission("trap '' TERM; while :; do sleep 0.1; done", "--name", "deaf", "--grace", "200ms")
    page = pages.open("missions", **DESK)
    row(page, "deaf").click()
    dialog = page.get_by_role("dialog")
    press_until(page, "x", dialog)
    page.keyboard.press("y")
    page.locator(".toast").filter(has_text="deaf: stopped · ").filter(has_text=re.compile("killed|SIGKILL")).wait_for()


def test_finished_missions_that_are_removed_are_counted(pages, site):
    for name in ("one", "two"):
        site.om.finished(["true"], "--name", name)
    page = pages.open("missions", **DESK)
    page.get_by_role("button", name="More of this list").click()
    page.get_by_role("button", name="Remove finished missions").click()
    page.get_by_role("dialog").filter(has_text="All finished missions are removed").wait_for()
    page.keyboard.press("y")
    page.locator(".toast").filter(has_text="removed 2 finished missions").wait_for()


def test_an_interruption_without_a_turn_says_that_there_was_none(pages, agents):
    mission = agents.session("--name", "helper", prompt="hello")
    agents.doing(mission, "idle")
    page = pages.open(f"m/{mission}/describe", **DESK)
    page.locator(".mission-actions").get_by_role("button", name="Interrupt").click()
    page.locator(".toast").filter(has_text="helper: no turn in progress").wait_for()


def test_a_thousand_missions_are_a_few_rows_of_the_page(pages, site):
    for number in range(60):
        site.om.mission("true", "--name", f"m{number:04}")
    page = pages.open("missions", **DESK)
    grid = page.get_by_role("treegrid", name="missions")
    unfold(page)
    eventually(lambda: int(grid.get_attribute("aria-rowcount") or 0) >= 40, what="the rows are counted")
    page.keyboard.press("G")
    page.locator(".row.cursor").wait_for()
    assert page.locator(".row").count() < 40


@pytest.mark.parametrize("how", [DESK, PHONE])
def test_stats_and_events_of_one_mission(pages, site, how):
    mission = site.om.mission("while true; do echo x; sleep 0.2; done", "--name", "busy")
    page = pages.open(f"m/{mission}/stats", **how)
    page.get_by_role("heading", name="Processor").wait_for()
    page.get_by_role("link", name="Events", exact=True).last.click()
    page.get_by_role("row").filter(has_text="started").first.wait_for()


def strip(page):
    """The first question, above the list."""
    return page.get_by_role("group", name="The first question")


def test_the_first_question_is_answered_above_the_list(pages, agents):
    mission = asks(agents, "!bash git status && ./test", "checkout")
    other = asks(agents, "!bash touch second", "planner")
    page = pages.open("missions", **DESK)
    shown = strip(page)
    shown.filter(has_text="checkout asks:").wait_for()
    assert "git status && ./test" in shown.inner_text()
    assert "Bash permission" in shown.inner_text()
    shown.evaluate("() => new Promise((then) => setTimeout(then, 350))")
    shown.get_by_role("button", name="Allow once").click()
    page.locator(".toast").filter(has_text="checkout: allowed").wait_for()
    shown.filter(has_text="planner asks:").wait_for()
    assert answered(agents, mission)["behaviour"] == "allow"
    agents.om.api("answer", question=agents.asked(other)[0]["question"], behaviour="deny")
    page.locator(".toast").filter(has_text="planner: denied by").wait_for()
    shown.wait_for(state="hidden")


def test_a_question_that_took_the_place_of_another_is_not_answered_by_the_same_click(pages, agents):
    first = asks(agents, "!bash touch first", "first")
    second = asks(agents, "!bash touch second", "second")
    page = pages.open("missions", **DESK)
    strip(page).filter(has_text="first asks:").wait_for()
    strip(page).evaluate("() => new Promise((then) => setTimeout(then, 350))")
    page.evaluate(
        """() => new MutationObserver((_, watch) => {
            const strip = document.querySelector(".strip");
            if (strip.textContent.includes("second asks:")) {
                watch.disconnect();
                strip.querySelector("button.primary").click();
            }
        }).observe(document.querySelector(".strip"), { childList: true, subtree: true })"""
    )
    agents.om.api("answer", question=agents.asked(first)[0]["question"], behaviour="allow")
    page.locator(".toast").filter(has_text="moved under your finger").wait_for()
    assert agents.asked(second)


def test_a_question_with_options_is_read_whole_before_it_is_answered(pages, agents):
    mission = asks(agents, "!question", "planner")
    page = pages.open("missions", **DESK)
    read = strip(page).get_by_role("link", name="Answer")
    read.wait_for()
    assert strip(page).get_by_role("button").count() == 0
    read.click()
    page.wait_for_url(re.compile("#/needs"))
    page.locator(f'article[data-key^="{mission}:"]').first.wait_for()


def test_a_new_mission_that_is_asked_for_twice_at_once_is_started_once(pages, site):
    page = pages.open("missions", **DESK)
    page.get_by_role("button", name="New").first.click()
    page.get_by_label("What").select_option("command")
    page.get_by_role("textbox", name="Command").fill("sleep 100")
    twice = "for (const _ of [1, 2]) box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', ctrlKey: true}))"
    page.get_by_role("textbox", name="Command").evaluate(f"(box) => {{ {twice} }}")
    page.locator(".toast").filter(has_text="started").wait_for()
    assert len(site.om.api("ps")) == 1


def test_what_was_typed_for_a_new_mission_outlives_its_form(pages, site):
    page = pages.open("missions", **DESK)
    page.get_by_role("button", name="New").first.click()
    page.locator("dialog textarea").fill("a long prompt")
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    page.reload()
    page.get_by_role("button", name="New").first.click()
    assert page.locator("dialog textarea").input_value() == "a long prompt"


@pytest.mark.parametrize(("label", "text", "words"), [("Name", "no blanks", "A name"), ("Timeout", "soon", "'soon'")])
def test_a_refusal_of_a_new_mission_stands_beside_its_field(pages, site, label, text, words):
    page = pages.open("missions", **DESK)
    page.get_by_role("button", name="New").first.click()
    page.get_by_label("What").select_option("command")
    page.get_by_role("textbox", name="Command").fill("sleep 100")
    page.locator("dialog summary").click()
    page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Start").click()
    problem = page.locator(f"dialog .form-row[data-field={label.lower()}] .problem")
    problem.filter(has_text=words).wait_for()
    assert "--" not in problem.inner_text()


@pytest.mark.parametrize("route", ["settings", "quest/x", "log", "terminal", "constructor"])
def test_an_address_without_a_page_says_so(pages, route):
    page = pages.open("missions", **DESK)
    page.goto(f"{page.url.partition('#')[0]}#/{route}")
    page.get_by_role("heading", name="There is no such page.").wait_for()


def test_a_message_sent_by_a_double_click_is_one(pages, site, agents):
    mission = agents.session(prompt="hello")
    page = pages.open(f"m/{mission}/log", **DESK)
    page.get_by_role("textbox", name="Message").fill("once, please")
    page.get_by_role("button", name="Send").dblclick()
    eventually(lambda: any(one["text"] == "once, please" for one in agents.messages(mission)), what="it arrived")
    page.get_by_role("textbox", name="Message").fill("and this")
    page.get_by_role("button", name="Send").click()
    eventually(lambda: any(one["text"] == "and this" for one in agents.messages(mission)), what="it arrived")
    assert [one["text"] for one in agents.messages(mission)].count("once, please") == 1


def test_what_is_written_while_a_message_is_sent_stays_and_is_sent_too(pages, site, agents):
    mission = agents.session(prompt="hello")
    page = pages.open(f"m/{mission}/log", **DESK)
    box, send = page.get_by_role("textbox", name="Message"), page.get_by_role("button", name="Send")
    box.fill("first")
    site.stop()  # it takes the messages, and answers nothing
    try:
        send.click()
        box.fill("second")
        send.click()
        box.fill("third, not sent")
    finally:
        site.resume()
    eventually(lambda: {"first", "second"} <= {one["text"] for one in agents.messages(mission)}, what="both arrived")
    page.wait_for_function("() => !Object.keys(localStorage).some((name) => name.endsWith(':unanswered'))")
    assert box.input_value() == "third, not sent"


def test_an_address_with_a_mission_s_name_becomes_that_of_its_id(pages, site):
    mission = site.om.mission("sleep 100", "--name", "worker")
    page = pages.open("m/worker/events", **DESK)
    page.wait_for_url(f"**/m/{mission}/events*")
    site.om.ok("freeze", "worker")
    page.locator(".side").get_by_text("paused", exact=True).first.wait_for()
    site.om.ok("rm", "--force", "worker")
    page.get_by_role("heading", name="This mission is not there.").wait_for()


def test_a_refused_form_comes_back_with_what_was_written_and_why(pages, site):
    page = pages.open("queue", **DESK)
    page.get_by_role("button", name="New").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill("a quest")
    dialog.get_by_label("Command").fill("make something that took long to type")
    dialog.get_by_label("Folder").fill("/nowhere/at/all")
    dialog.get_by_role("button", name="Add").click()
    dialog.get_by_role("alert").filter(has_text="/nowhere/at/all").wait_for()
    assert dialog.get_by_label("Command").input_value() == "make something that took long to type"
    dialog.get_by_label("Folder").fill(site.om.home)
    dialog.get_by_role("button", name="Add").click()
    dialog.wait_for(state="detached")
    page.get_by_role("row").filter(has_text="a-quest").wait_for()
    page.get_by_role("button", name="New").first.click()
    assert dialog.get_by_label("Command").input_value() == ""


NUMBERS = {
    "slots": ("queue", "Slots", "Quests that run at once", "Set"),
    "retries": ("quests", "Run now", "Retries", "Run"),
}
"""A page, its button, the field of that form that takes a number, and what sends it."""


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_that_is_none_is_said_in_its_form_and_nothing_is_asked_for(pages, site, name):
    route, button, label, send = NUMBERS[name]
    page = pages.open(route, **DESK)
    page.get_by_role("button", name=button, exact=True).click()
    dialog = page.get_by_role("dialog")
    if route == "quests":
        dialog.get_by_label("Command").fill("true")
    dialog.get_by_label(label).fill("many")
    dialog.get_by_role("button", name=send, exact=True).click()
    dialog.get_by_role("alert").filter(has_text="write a whole number").wait_for()
    assert dialog.get_by_label(label).input_value() == "many"
    assert site.om.api("quests") == []
    dialog.get_by_label(label).fill("2")
    dialog.get_by_role("button", name=send, exact=True).click()
    dialog.wait_for(state="detached")
    page.locator(".toast").filter(has_text=re.compile("2 at once|started ")).wait_for()


def test_back_closes_what_stands_over_the_page_that_is_left(pages):
    page = pages.open("missions", **PHONE)
    page.get_by_role("link", name="Needs").click()
    page.get_by_role("heading", name="Needs you", exact=True).wait_for()
    page.get_by_role("button", name="More").last.click()
    page.get_by_role("dialog").wait_for()
    page.go_back()
    page.get_by_role("dialog").wait_for(state="detached")
    page.locator(".missions-head").wait_for()


@pytest.mark.parametrize("name", ["plans", "quests", "queue", "rituals", "memory"])
def test_the_key_on_the_button_of_something_new_is_pressed(pages, name):
    page = pages.open(name, **DESK)
    page.locator(".tools kbd").filter(has_text="n").first.wait_for()
    page.keyboard.press("n")
    page.get_by_role("dialog").wait_for()
