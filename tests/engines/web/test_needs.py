"""What needs a person: read whole, answered once, and gone when somebody else was faster."""

from __future__ import annotations

import json
import os

import pytest

from tests.engines.web.conftest import DESK, PHONE
from tests.kit.killing import kill_keeper
from tests.kit.queued_shop import Shop
from tests.kit.waiting import eventually

QUESTIONS = {
    "questions": [
        {"question": "Which database should the orders live in?", "header": "Database", "multiSelect": False,
         "options": [{"label": "PostgreSQL", "description": "a server"}, {"label": "SQLite", "description": "a file"}]},
        {"question": "Which checks?", "header": "Checks", "multiSelect": True,
         "options": [{"label": "ruff", "description": ""}, {"label": "mypy", "description": "strict"},
                     {"label": "pytest", "description": ""}]},
    ]
}  # fmt: skip


def asks(agents, what: str, name: str) -> str:
    """A session that asks this; its id."""
    mission = agents.session("--name", name)
    agents.post(mission, what)
    agents.asked(mission)
    return str(mission)


def edit(folder: str, old: str, new: str) -> str:
    """What has an agent ask to change a file, which is there."""
    path = os.path.join(folder, "prices.py")
    with open(path, "w", encoding="utf-8") as file:
        file.write(old)
    return "!tool Edit " + json.dumps({"file_path": path, "old_string": old, "new_string": new})


def card(page, name: str):
    """The card of a mission."""
    return page.get_by_role("article").filter(has=page.get_by_role("heading", name=name, exact=True))


def question(page, mission: str):
    """The card of what a mission asks, which is no card of its turn."""
    return page.locator(f'article[data-key^="{mission}:"]:not([data-key$=":0"])')


def answered(agents, mission: str) -> dict[str, object]:
    """How its question was answered."""
    return dict(agents.until(mission, lambda _: (agents.events(mission, "answered") or [None])[-1], what="answered"))


def test_allow_on_a_phone_goes_on_with_the_agent(pages, agents):
    mission = asks(agents, "!bash touch done-by-agent", "checkout")
    phone = pages.open("needs", **PHONE)
    shown = card(phone, "checkout")
    assert "touch done-by-agent" in shown.inner_text()
    press(shown, "Allow once")
    agents.doing(mission, "idle")
    question(phone, mission).wait_for(state="detached")
    assert answered(agents, mission)["behaviour"] == "allow"


def test_who_hears_the_page_is_told_how_many_need_somebody_after_each_answer(pages, agents):
    command = "!bash sleep 60"  # whose turn goes on after the answer: one that is over would need somebody, too
    missions = [asks(agents, command, f"cleaner-{number}") for number in (1, 2)]
    page = pages.open("needs", **DESK)
    spoken = page.locator('.hidden-text[role="status"]')
    press(question(page, missions[0]), "Allow once")
    spoken.get_by_text("1 mission needs you").wait_for(state="attached")


def press(shown, name: str) -> None:
    """Tap a button of a card, once it takes an answer: until then it says that it has just appeared."""
    shown.evaluate("() => new Promise((then) => setTimeout(then, 350))")
    button = shown.get_by_role("button", name=name)
    if shown.page.viewport_size["width"] < 640 and not button.is_visible():
        shown.get_by_role("button", name="More", exact=True).tap()
    button.click()


def test_a_denial_carries_words(pages, agents):
    mission = asks(agents, "!bash rm -rf build", "cleaner")
    page = pages.open("needs", **DESK)
    shown = card(page, "cleaner")
    press(shown, "Deny with a reason")
    shown.get_by_role("textbox").fill("use make clean")
    shown.get_by_role("button", name="Deny with this reason").click()
    agents.doing(mission, "idle")
    found = answered(agents, mission)
    assert found["behaviour"] == "deny"
    assert "use make clean" in agents.om.logs(mission)


def test_the_button_that_sends_words_to_the_engine_says_what_they_do(pages, site):
    shop = Shop(site.om)
    shop.add("carts", "echo carts > a", into="main", review="person", retries=0)
    shop.asked("review", "carts")
    shown = card(pages.open("needs", **DESK), "carts")
    press(shown, "Type the feedback, which its command")
    box = shown.get_by_role("textbox")
    assert box.get_attribute("placeholder") == "the feedback, which its command has to read from feedback.md"
    box.fill("no tests")
    shown.locator(".words-row").get_by_role("button", name="Fail this attempt").click()
    shop.asked("stuck", "carts")


def test_three_questions_at_once_are_three_cards_with_whole_texts(pages, agents):
    long = "touch " + " ".join(f"word-{number}" for number in range(400))
    asks(agents, f"!bash {long}", "first")
    asks(agents, f"!question {json.dumps(QUESTIONS)}", "second")
    asks(agents, "!plan 1. Look\n2. Change nothing\n3. Say so", "third")
    phone = pages.open("needs", **PHONE)
    card(phone, "third").wait_for()
    assert phone.get_by_role("article").count() == 3
    assert long in card(phone, "first").inner_text().replace("\n", "")
    for words in ("Which database should the orders live in?", "SQLite", "a file", "Which checks?", "strict"):
        assert words in card(phone, "second").inner_text()
    assert "3. Say so" in card(phone, "third").inner_text()


def test_one_that_is_answered_elsewhere_leaves_and_names_who(pages, agents):
    mission = asks(agents, "!bash touch here", "checkout")
    page = pages.open("needs", **DESK)
    card(page, "checkout").wait_for()
    agents.om.api("answer", question=agents.asked(mission)[0]["question"], behaviour="allow")
    question(page, mission).wait_for(state="detached")
    page.locator(".toast").filter(has_text="checkout").wait_for()
    assert "checkout: allowed by " in page.locator(".toasts").inner_text()


def test_of_two_pages_one_answers_and_the_other_is_told(pages, agents):
    mission = asks(agents, "!bash touch twice", "checkout")
    one, other = pages.open("needs", **DESK), pages.open("needs", **DESK)
    for page in (one, other):
        card(page, "checkout").wait_for()
    press(card(one, "checkout"), "Allow once")
    question(other, mission).wait_for(state="detached")
    other.locator(".toast").filter(has_text="allowed by").wait_for()
    assert "checkout: allowed" in one.locator(".toasts").inner_text()


def test_a_change_of_2000_lines_is_shown_whole_with_its_buttons_in_reach(pages, agents, om):
    old = "\n".join(f"before {number}" for number in range(1000))
    new = "\n".join(f"after {number}" for number in range(1000))
    asks(agents, edit(om.home, old, new), "rewriter")
    phone = pages.open("needs", **PHONE)
    shown = card(phone, "rewriter")
    shown.wait_for()
    text = shown.evaluate("(card) => card.textContent")
    assert all(f"before {number}" in text and f"after {number}" in text for number in (0, 499, 999))
    for share in (0, 0.5, 1):
        shown.evaluate(
            """(card, share) => {
                const box = card.closest(".needs");
                box.scrollTop = share * (card.offsetHeight - box.clientHeight);
            }""",
            share,
        )
        assert shown.get_by_role("button", name="Allow once").evaluate(
            """(button) => {
                const { top, bottom } = button.getBoundingClientRect();
                return top >= 0 && bottom <= innerHeight;
            }"""
        )


def test_always_shows_the_rule_before_it_is_stored(pages, agents):
    mission = asks(agents, "!bash git status", "runner")
    rule = agents.asked(mission)[0]["rule"]
    page = pages.open("needs", **DESK)
    press(card(page, "runner"), "Always …")
    dialog = page.get_by_role("dialog")
    assert rule in dialog.inner_text()
    dialog.get_by_role("button", name="Cancel").click()
    assert agents.asked(mission)
    press(card(page, "runner"), "Always …")
    dialog.get_by_role("button", name="Store the rule and allow").click()
    assert answered(agents, mission)["behaviour"] == "always"


def test_several_questions_and_several_choices_are_answered_together(pages, agents):
    mission = asks(agents, f"!question {json.dumps(QUESTIONS)}", "planner")
    page = pages.open("needs", **DESK)
    shown = card(page, "planner")
    press(shown, "Send")
    page.locator(".toast").filter(has_text="Choose an option first.").wait_for()
    assert agents.asked(mission)
    shown.get_by_text("SQLite").click()
    shown.get_by_text("ruff").click()
    shown.get_by_text("pytest").click()
    shown.get_by_role("button", name="Send").click()
    found = answered(agents, mission)
    assert found["options"] == ["1:SQLite", "2:ruff", "2:pytest"]


def test_number_keys_choose_and_y_sends(pages, agents):
    mission = asks(agents, f"!question {json.dumps(QUESTIONS)}", "planner")
    page = pages.open("needs", **DESK)
    card(page, "planner").wait_for()
    page.keyboard.press("1")
    page.keyboard.press("2")
    page.keyboard.press("3")
    card(page, "planner").evaluate("() => new Promise((then) => setTimeout(then, 350))")
    page.keyboard.press("y")
    assert answered(agents, mission)["options"] == ["1:PostgreSQL", "2:mypy", "2:pytest"]


def test_a_tap_right_after_a_card_appeared_answers_nothing(pages, agents):
    page = pages.open("needs", **PHONE)
    page.get_by_role("heading", name="Nothing needs your attention.").wait_for()
    page.evaluate(
        """() => new MutationObserver((_, watch) => {
            const button = [...document.querySelectorAll(".card button.primary")][0];
            if (button) { watch.disconnect(); button.click(); }
        }).observe(document.body, { childList: true, subtree: true })"""
    )
    mission = asks(agents, "!bash touch careful", "checkout")
    page.locator(".toast").filter(has_text="press again").wait_for()
    assert agents.asked(mission)


def test_a_tap_right_after_a_card_moved_answers_nothing(pages, agents):
    first = asks(agents, "!bash touch first", "first")
    second = asks(agents, "!bash touch second", "second")
    page = pages.open("needs", **PHONE)
    card(page, "second").evaluate("() => new Promise((then) => setTimeout(then, 350))")
    page.evaluate(
        """(mission) => new MutationObserver((_, watch) => {
            const top = document.querySelector(".card");  // the first one may be below it again: its turn is over
            if (!top.dataset.key.startsWith(mission)) return;
            watch.disconnect();
            top.querySelector("button.primary").click();
        }).observe(document.querySelector(".cards"), { childList: true, subtree: true })""",
        second,
    )
    agents.om.api("answer", question=agents.asked(first)[0]["question"], behaviour="allow")
    page.locator(".toast").filter(has_text="moved under your finger").wait_for()
    assert agents.asked(second)


def test_a_key_right_after_a_card_took_the_place_of_another_answers_nothing(pages, agents):
    first = asks(agents, "!bash touch first", "first")
    second = asks(agents, "!bash sleep 60", "second")  # whose turn goes on after the answer: no card is left of it
    page = pages.open("needs", **DESK)
    card(page, "first").wait_for()
    page.keyboard.press("j")
    page.locator(f'article.cursor[data-key^="{second}:"]').wait_for()
    page.evaluate("() => new Promise((then) => setTimeout(then, 600))")
    page.evaluate(
        """(mission) => new MutationObserver((_, watch) => {
            if (!document.querySelector(".card.cursor")?.dataset.key.startsWith(mission)) return;
            watch.disconnect();
            document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "y", bubbles: true }));
        }).observe(document.querySelector(".cards"), { attributes: true, childList: true, subtree: true })""",
        first,
    )
    agents.om.api("answer", question=agents.asked(second)[0]["question"], behaviour="allow")
    page.locator(".toast").filter(has_text="press again").wait_for()
    assert agents.asked(first)
    eventually(lambda: page.keyboard.press("y") or not agents.om.api("inbox"), timeout=30, what="a later one answers")


def test_a_mission_that_was_lost_is_started_again_alone(pages, site):
    one, two = (site.om.mission("sleep 600", "--name", name) for name in ("one", "two"))
    kill_keeper(site.om)
    for mission in (one, two):
        assert site.om.wait_status(mission, "crashed")["reason"] == "keeper_lost"
    page = pages.open("needs", **DESK)
    page.locator(".need-row").filter(has=page.get_by_text("two", exact=True)).click()
    press(card(page, "two"), "Restart")
    page.locator(".toast").filter(has_text="two: restarted").wait_for()
    site.om.wait_status(two, "running")
    assert [site.om.info(mission)["status"] for mission in (one, two)] == ["crashed", "running"]


def test_whose_turn_is_over_can_be_replied_to(pages, agents):
    mission = agents.session("--name", "helper", prompt="hello")
    agents.doing(mission, "idle")
    page = pages.open("needs", **DESK)
    shown = card(page, "helper")
    assert "echo: hello" in shown.inner_text()
    shown.get_by_role("button", name="Reply").click()
    shown.get_by_role("textbox").fill("and now this")
    shown.get_by_role("button", name="Send").click()
    eventually(lambda: "echo: and now this" in agents.om.logs(mission), timeout=20, what="it answers")


@pytest.mark.parametrize(
    "text", ["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "\x1b[31mred", "\u202etxet"]
)
def test_hostile_text_is_shown_and_nothing_of_it_runs(pages, agents, text):
    arguments = json.dumps({"command": f"make {text}"})
    asks(agents, f"!tool Bash {arguments}", "hostile")
    page = pages.open("needs", **DESK)
    page.on("dialog", lambda dialog: pages.problems.append(f"a dialog opened: {dialog.message}"))
    shown = card(page, "hostile")
    shown.wait_for()
    assert page.locator("main img, main script").count() == 0
    found = shown.evaluate("(card) => card.textContent")
    assert "\x1b" not in found
    assert "\u202e" not in found


@pytest.mark.parametrize("how", [DESK, PHONE], ids=["desk", "phone"])
def test_a_link_to_a_question_that_was_answered_chooses_no_other(pages, agents, how):
    asks(agents, "!bash touch a", "first")
    page = pages.open("needs?q=999", **how)
    page.locator(".toast").filter(has_text="question 999 is no longer open").wait_for()
    assert page.locator("article.cursor").count() == 0
    page.keyboard.press("j")
    page.locator("article.cursor").wait_for()
