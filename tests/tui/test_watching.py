"""Health, timelines and lessons in the full-screen program: what rows say, and walks through the views."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.domain.missions.status_marks import LOST
from overmind_core.errors import OvermindError
from overmind_core.view import health as health_rows
from overmind_core.view import learning as learning_rows
from overmind_core.view import quests as quests_rows
from overmind_core.view import timeline as timeline_rows
from overmind_core.view.actions import Context
from overmind_core.view.describe import Rendering
from overmind_core.view.keymap import keymap
from overmind_core.view.prompt import Filtered
from overmind_tui.health.page import HealthPage
from overmind_tui.learning.page import LearnPage
from overmind_tui.notes.note_page import NotePage
from overmind_tui.pages.text import TextPage
from overmind_tui.render.layout import Panel
from overmind_tui.shell.messages import EngineStands
from overmind_tui.timeline.page import TimelinePage
from tests.kit.screen_edges import QUEUE
from tests.tui.conftest import lists_needs, picture
from tests.tui.test_keys import ALL_KEYS
from tests.tui.test_pictures import NOW
from tests.tui.test_pictures_board import Boarded
from tests.tui.test_pictures_watching import (
    FLEET,
    HEALTH,
    LEARNED,
    LESSONS,
    QUESTIONS,
    TIMELINE,
    Nothing,
    Watched,
)
from tests.tui.walks import Recording, read, walk


def cells(columns, row, now=NOW):
    return {column.key: column.cell(row, now).text for column in columns}


def healthy():
    fleet = {one["id"]: one for one in FLEET}
    found = health_rows.listed(HEALTH, fleet, NOW)
    health_rows.learn(found, fleet, QUESTIONS)
    return found


def test_a_row_of_health_says_its_level_beside_its_mark_and_what_is_asked_or_what_holds():
    rows = [cells(health_rows.COLUMNS, row, NOW + 60) for row in healthy()]
    assert [(row["level"], row["silent"], row["align"], row["steers"]) for row in rows] == [
        ("  ok", "1m", "0.40", "1/3"), ("z quiet", "3m", "1.00", ""), ("Z stalled", "6m", "0.90", ""),
        ("X hung", "16m", "–", ""), ("asks", "–", "0.65", ""),
    ]  # fmt: skip
    assert [row["why"] for row in rows] == [
        "send it: you have had the same error three times", "", "silence: no sign of life for 320 s", "",
        "loop: exit 2, three times",
    ]  # fmt: skip


def test_all_about_the_health_of_one_names_each_pattern_its_cost_and_its_evidence():
    text = read(health_rows.description(healthy()[0], Rendering(NOW)))
    assert "  steered            1 of 3 times" in text
    assert "  loop      0.35  yes AssertionError: [red]3 != 4[/] \\x1b[2J, three times" in text
    assert "  silence   0.10  no  looks for: no sign of life" in text
    waiting = read(health_rows.description(healthy()[4], Rendering(NOW)))
    assert waiting[1] == "  health             not watched while waiting"
    assert "  overrun   0.10  –   looks for: over twice its estimate" in waiting
    assert read(health_rows.description(healthy()[3], Rendering(NOW)))[-1].startswith(" alignment is known once")


def test_a_timeline_names_each_attempt_once_and_puts_marks_beside_their_words():
    rows = timeline_rows.rows(TIMELINE, None, NOW)
    assert [row["begins"] for row in rows] == ["", "", "1", "", "", "", "2", *[""] * 9]
    assert [timeline_rows.what(row).text for row in rows][:7] == [
        "  earlier", "○ queued", "▶ working", "✔ succeeded", "▶ checking", "○ queued", "▶ working",
    ]  # fmt: skip
    assert len({row["id"] for row in rows}) == len(rows)
    assert timeline_rows.what({"what": "of_a_later_version"}).text == "  of a later version"
    for word, shown in (("keeper_lost", "? keeper lost"), ("lost", "? lost")):
        assert timeline_rows.what({"what": word}) == (shown, LOST.tone), "not the mark of a silent post"


def test_lessons_that_wait_for_a_person_come_first_then_the_newest():
    shown = [(row["name"], cells(learning_rows.COLUMNS, row)["state"]) for row in learning_rows.lessons(LESSONS)]
    assert shown == [("N-0000000007", "◇ proposed"), ("N-0000000003", "• live"), ("N-0000000005", "• rests")]
    assert "kind" not in cells(learning_rows.COLUMNS, learning_rows.lessons(LESSONS)[0])


def test_groups_with_too_few_quests_have_counts_alone_and_of_many_some_are_shown():
    text = read(learning_rows.group_lines(LEARNED["groups"], "type", 78))
    assert text[0].split() == ["TYPE", "N", "RATE", "TRIES", "COST", "TIME", "FAILED", "WITH"]
    assert text[1].split() == ["feature", "24", "0.83", "1.4", "$0.42", "4m", "check_failed", "6,", "conflicts", "1"]
    assert text[3].split() == ["–", "2", "–", "–", "–", "–"]
    assert text[-1] == " … 3 more: :learn --by type lists all"
    assert learning_rows.group_lines([], "type", 78) == []


def test_each_order_sorts_all_rows():
    for orders, rows in (
        (health_rows.ORDERS, healthy()),
        (timeline_rows.ORDERS, timeline_rows.rows(TIMELINE, None, NOW)),
    ):
        for order in orders.values():
            assert len(sorted(order.key(row, NOW) for row in rows)) == len(rows)


class RecordingHealth(Recording, Watched):
    """Health, a timeline and lessons that stand still."""

    refusal = OvermindError("not_found", "There is none.")


def current(app) -> Any:
    """The row under the cursor."""
    return app.screen.table.current.row


FOR_ALL = [
    {"question": number, "id": "queue", "name": "queue", "need": "merge", "about": {"kind": "queue"}, "quests": [quest]}
    for number, quest in ((3, "a1"), (4, "b2"))
]


@pytest.mark.parametrize(("quest", "number"), [("a1", 3), ("b2", 4), ("c3", None)])
def test_a_timeline_leads_to_the_question_for_all_that_wait_where_the_quest_of_it_does(quest, number):
    shell = SimpleNamespace(fleet=SimpleNamespace(questions=FOR_ALL))
    page: Any = SimpleNamespace(_subject=quest, _name_of="work", shell=shell)
    (row,) = TimelinePage.chosen(page)
    assert (quests_rows.question_of(row, FOR_ALL) or {}).get("question") == number


def test_from_health_to_what_is_asked_to_the_patterns_to_the_timeline_to_the_log():
    async def scenario(app, press):
        await press(":hl")
        assert app.screen.subtitle() == "5 running · 1 low · 1 steered"
        for key in ("w", "enter"):
            await press(key)
            assert isinstance(app.screen, TextPage)
            assert "AssertionError: [red]3 != 4[/] \\x1b[2J" in picture(app)
            await press("escape")
        for key in ("y",):
            await press(key)
            assert lists_needs(app)
            assert "you have had the same error" in picture(app)
            await press("escape")
        await press("T")
        assert isinstance(app.screen, TimelinePage)
        assert app.of("timeline") == [{"id": "00000050"}]
        assert current(app)["what"] == "note", "the newest is the last one"
        await press("escape", "down", "y")
        assert app.notice.text == "nothing is asked about billing"
        await press("m")
        assert (
            app.notice.text
            == "billing is a task and takes no messages: its input is empty; --type session starts one that reads"
        )
        await press("l")
        assert app.screen is app.main
        assert app.main.context is Context.LOG
        await press("escape")
        assert isinstance(app.screen, HealthPage)

    walk(scenario, RecordingHealth)


def test_a_turn_is_interrupted_from_the_row_of_its_mission():
    async def scenario(app, press):
        await press(":health", "i")
        assert app.of("interrupt") == [{"id": "00000050"}]

    walk(scenario, RecordingHealth)


def test_describe_means_the_row_of_the_view_that_is_open():
    async def scenario(app, press):
        assert app.main.select("00000053")
        meant = []
        app.act = lambda name, rows: meant.append((name, [row["id"] for row in rows]))
        await press(":health", ":describe")
        assert meant == [("describe", ["00000050"])]
        await press(":learn", ":describe")
        assert meant[1:] == []
        assert app.notice.text.startswith("No mission is selected.")

    walk(scenario, RecordingHealth)


@pytest.mark.parametrize("view", ["board", "queue", "quests"])
def test_enter_on_a_quest_opens_its_timeline_and_esc_goes_back(view):
    class Quests(Boarded):
        def request(self, command, requests, on_result):
            if command == "timeline":
                on_result([TIMELINE for _ in requests])
            else:
                super().request(command, requests, on_result)

    async def scenario(app, press):
        await press(f":{view}")
        name = current(app)["name"]
        await press("enter")
        assert isinstance(app.screen, TimelinePage)
        assert app.screen.way_here == ("missions", "timeline", name)
        await press("escape")
        assert app.screen.view == view

    walk(scenario, Quests)


def test_a_timeline_is_opened_by_a_name_or_of_the_selected_mission():
    async def scenario(app, press):
        await press(":tl carts/TSK-009")
        assert app.of("timeline") == [{"id": "carts/TSK-009"}]
        await press(":timeline billing /check")
        assert app.of("timeline")[-1] == {"id": "billing"}, "the daemon says who that is, as for the command line"
        assert [branch.row["what"] for branch in app.screen.table.branches] == ["checking", "queued", "note"]
        await press(":missions", "down", ":timeline")
        assert app.of("timeline")[-1]["id"] == app.main.targets()[0]["id"]
        await press(":timeline billing --limit 3")
        assert app.ran == [["timeline", "billing", "--limit", "3"]]

    walk(scenario, RecordingHealth)


def test_keys_of_a_timeline_are_about_its_subject_whatever_row_the_cursor_is_on():
    async def scenario(app, press):
        await press(":timeline login/TSK-001", "g", "w")
        assert app.of("quest_why") == [{"id": "login/TSK-001"}]
        await press("escape", "y")
        assert lists_needs(app)
        await press("escape", "i")
        assert app.of("interrupt") == [{"id": "00000050"}]
        await press("down", "enter")
        assert isinstance(app.screen, TextPage)
        assert "waits for its turn" in picture(app)
        await press("escape", "l")
        assert app.main.panels.current is Panel.LOG

    walk(scenario, RecordingHealth)


def test_what_has_no_mission_says_so():
    async def scenario(app, press):
        await press(":timeline carts", "l")
        assert app.notice.text == "carts has no mission now, and so no log"
        await press("m")
        assert app.notice.text == "message: no mission is selected here"
        await press("y")
        assert app.notice.text == "nothing is asked about carts"
        app.refuses = True
        await press("w")
        assert app.notice.text == "There is none."
        await press(":timeline nothing")
        assert "There is none." in picture(app)

    walk(scenario, RecordingHealth)


@pytest.mark.parametrize(("subject", "has_log"), [("carts", False), ("login/TSK-001", True)])
def test_the_hints_of_a_timeline_look_for_its_mission_once(subject, has_log):
    async def scenario(app, press):
        await press(f":timeline {subject}")
        asked: list[str] = []
        named = app.fleet.named

        def counted(word):
            asked.append(word)
            return named(word)

        app.fleet.named = counted
        assert ("quest-log" not in app.screen.unusable()) is has_log
        assert asked == [subject]

    walk(scenario, RecordingHealth)


IDS = {number: f"N-000000000{number}" for number in (3, 5, 7)}
HERE = {"cwd": "/srv/work"}


def test_lessons_are_accepted_forgotten_and_taken_back():
    async def scenario(app, press):
        await press(":learn")
        assert app.of("notes") == [{"kind": "lesson", **HERE}]
        assert app.of("learn") == [{"by": "type"}]
        assert app.screen.subtitle() == "1 proposed: y accept · ctrl-d forget"
        await press("y")
        assert app.of("note_set") == [{"note": IDS[7], "change": "accept", **HERE}]
        assert app.notice.text == f"accepted {IDS[7]} · new conversations are given what fits"
        await press("down", "y")
        assert app.notice.text == f"{IDS[3]} is live: y accepts what is proposed"
        await press("down", "ctrl+d", "U")
        assert app.of("forget") == [{"notes": [IDS[5]], **HERE}]
        assert app.of("note_set")[1:] == [{"note": IDS[5], "change": "restore", **HERE}]
        await press("enter")
        assert app.of("note") == [{"note": IDS[5], "history": True, **HERE}]
        assert isinstance(app.screen, NotePage)
        await press("escape")
        app.refuses = True
        await press("ctrl+d")
        assert app.notice.text == "There is none."

    walk(scenario, RecordingHealth)


def test_quests_are_grouped_by_type_by_provider_by_model_and_by_spec():
    async def scenario(app, press):
        await press(":learn provider")
        assert app.of("learn") == [{"by": "provider"}]
        await press("b", "b", "b")
        assert [given["by"] for given in app.of("learn")] == ["provider", "model", "spec", "type"]
        await press(":learn --by model", ":learn accept", ":lessons")
        assert app.ran == [["learn", "--by", "model"], ["learn", "accept", IDS[7]]]
        assert isinstance(app.screen, LearnPage)

    walk(scenario, RecordingHealth)


def test_a_filter_keeps_those_that_become_quiet_though_nothing_else_changes():
    async def scenario(app, press):
        app.main.table_panel.narrow("quiet")
        assert app.main.filtered == Filtered("quiet", 0, 5)
        for level, kept in (("quiet", 2), ("ok", 0)):
            missions = [{**one, "level": level} for one in HEALTH["missions"] if one["level"] in {"quiet", "stalled"}]
            app.post_message(EngineStands(QUEUE, {**HEALTH, "missions": missions}))
            await press("up")
            assert app.main.filtered == Filtered("quiet", kept, 5)

    walk(scenario, RecordingHealth)


def test_read_only_looks_and_changes_nothing():
    async def scenario(app, press):
        await press(":learn", "y")
        assert app.notice.text == "read-only: accept is off"
        await press("ctrl+d", ":health", "m", "i", "y")
        assert lists_needs(app), "to look is allowed"
        assert {name for name, _ in app.asked} <= {"learn", "notes", "health"}

    walk(scenario, RecordingHealth, read_only=True)


@pytest.mark.parametrize("view", ["health", "timeline login", "learn"])
def test_no_key_is_a_mistake_where_there_is_nothing(view):
    context = {"health": Context.HEALTH, "learn": Context.LEARN}.get(view, Context.TIMELINE)

    async def scenario(app, press):
        for key in ALL_KEYS:
            meant = keymap(context).get(key)
            if meant is not None and meant.name not in {"quit", "leave", "back", "command", "filter", "save", "copy"}:
                if app.screen.context is not context:
                    await press(f":{view}")
                await press(key)

    walk(scenario, Nothing)
