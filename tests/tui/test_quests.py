"""Quests wherever they are shown: all about one, and what their keys do on the board, in the queue and in the list."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.quests.quest import Priority
from overmind_core.view import missions as missions_rows
from overmind_core.view import quests as quests_rows
from overmind_core.view import queue as queue_rows
from overmind_core.view.actions import Context
from overmind_core.view.board import gate_row
from overmind_core.view.describe import Rendering
from overmind_core.view.keymap import keymap
from overmind_tui.board.page import BoardPage
from overmind_tui.pages.dialog import Dialog
from overmind_tui.pages.text import TextPage
from overmind_tui.quests import page as quests_page
from overmind_tui.render.layout import Panel
from tests.tui.conftest import lists_needs, picture
from tests.tui.quest_walks import (
    ASKED_OF_SPEC,
    GATE,
    MERGE,
    GatedBoard,
    GatedQuest,
    Long,
    RecordingBoard,
    card_at,
    known,
)
from tests.tui.test_keys import ALL_KEYS
from tests.tui.test_pictures import NOW
from tests.tui.test_pictures_board import (
    BLOCKED,
    BOARD,
    DETAILS,
    WHY,
    NoQuests,
    at_once,
    in_queue,
    queued,
)
from tests.tui.test_pictures_plans import at
from tests.tui.walks import read, walk


def test_its_priorities_are_those_of_the_domain():
    assert tuple(one.value for one in Priority) == quests_rows.PRIORITIES


def test_each_order_sorts_all_rows():
    rows = [known(row) for column in BOARD["columns"] for row in column["quests"]]
    for orders in (quests_rows.ORDERS, queue_rows.ORDERS):
        for order in orders.values():
            assert len(sorted(order.key(row, NOW) for row in rows)) == len(rows)


LOOK = Rendering(NOW)


def test_all_about_a_quest_of_the_queue_says_what_it_needs_what_it_owns_and_how_its_attempts_went():
    text = read(quests_rows.quest(DETAILS, LOOK))
    assert text[:2] == [" login/TSK-002 00000052", " ✖ failed after 10m 00s  its check failed, exit 1"]
    for line in (
        "  needs              login/TSK-001", "  owns               api/**", "                     web/login/*",
        "  lands on           main", "  tries              3 of 3", "  cost               $1.25",
        "  cost limit         $5.00", " 3 attempts", " brief", "          Not in [memory].",
        " feedback for the next attempt", "  report.md is empty",
    ):  # fmt: skip
        assert line in text
    assert [line.split("  ")[-1] for line in text if line.startswith(("    1", "    2"))] == [
        "exit 2", "its check failed, exit 1",
    ]  # fmt: skip


TIMES = [
    (in_queue(7, "a", "running", 90, phase="work", began_at=at(60)), " ▶ working for 1m 00s", "1m 00s"),
    (in_queue(7, "a", "completed", 90, 10, exit_code=0, began_at=at(30)), " ✔ succeeded after 20s", "20s"),
    (queued(0x24E, "a", 1, None), " ○ queued for 10s", "10s"),
    (in_queue(7, "a", "queued", 90, began_at=at(60)), " ○ queued · 1m 00s since it began", "1m 00s"),
    (in_queue(7, "a", "running", 90, phase="landing"), " ▶ landing · 1m 30s since it began", "1m 30s"),
    (
        in_queue(7, "a", "running", 90, phase="landing", why="a is not committed"),
        " ○ to land · 1m 30s since it began",
        "1m 30s",
    ),
    (in_queue(7, "a", "review", 90), " ? review · 1m 30s since it began", "1m 30s"),
    (in_queue(7, "a", "running", 90, phase="work", attempts=2), " ▶ working · 1m 30s since it began", "1m 30s"),
    (
        in_queue(
            7,
            "a",
            "running",
            90,
            phase="work",
            attempts=2,
            attempt_list=[
                {
                    "attempt": 2,
                    "started_at": at(20),
                    "ended_at": None,
                    "class": None,
                    "exit_code": None,
                    "cost_usd": None,
                },
            ],
        ),
        " ▶ working for 20s",
        "1m 30s",
    ),
    (in_queue(7, "a", "cancelled", 90, 10, reason=None, outcome="stopped"), " ■ stopped after 1m 20s", "1m 20s"),
    (in_queue(7, "a", "cancelled", 90, 10, began_at=None), " – cancelled", ""),
    (at_once(7, "a", "running", 42, phase="work"), " ▶ working for 42s", "42s"),
]


@pytest.mark.parametrize(("row", "state", "shown"), TIMES)
def test_a_quest_lasts_since_it_began_and_one_that_has_not_says_how_long_it_waits(row, state, shown):
    text = read(quests_rows.quest({**DETAILS, "attempt_list": [], **row}, LOOK))
    assert text[1].partition("  ")[0] == state
    (for_,) = (column for column in quests_rows.COLUMNS if column.key == "for")
    assert for_.cell(row, NOW).text == shown


def test_all_about_a_quest_has_the_mark_and_the_state_of_its_row():
    """Its time is that since its first attempt, and none in which it was asked about."""
    row = in_queue(7, "a", "running", 90, phase="landing", why="a person decides: it would undo what has landed")
    asked = [{"id": row["id"], "name": "a", "summary": "a can't land on main"}]
    quests_rows.learn([row], {}, asked)
    assert (quests_rows.state(row), missions_rows.mark(row).mark) == ("asks", "!")
    text = read(quests_rows.quest({**DETAILS, **row}, LOOK))
    assert text[1] == " ! asks · 1m 30s since it began  can't land on main"
    assert quests_rows.at_stake(row, NOW) == "a  asks · 1m 30s since it began"


CUT = {"attempt": 3, "started_at": at(60), "ended_at": at(10), "class": None, "cost_usd": None}


@pytest.mark.parametrize(("code", "said"), [(0, "cancelled"), (None, "cancelled"), (143, "exit 143")])
def test_what_was_cancelled_after_its_work_says_so_and_no_exit_code(code, said):
    row = in_queue(7, "a", "cancelled", 90, 10, reason=None, outcome="stopped", exit_code=code or None)
    text = read(quests_rows.quest({**DETAILS, **row, "attempt_list": [{**CUT, "exit_code": code}]}, LOOK))
    why = f"cancelled, {said}" if code else "cancelled"
    assert text[1] == f" ■ stopped after 1m 20s  {why}"
    assert [line.rsplit("  ", 1)[-1] for line in text if line.startswith("    3")] == [said]
    assert quests_rows.why(row) == why


def test_all_about_a_quest_says_when_it_was_added_and_when_it_started():
    def moments(**of):
        return [line.split()[0] for line in read(quests_rows.quest({**DETAILS, **of}, LOOK))
                if line.split()[:1] in (["added"], ["started"], ["ended"])]  # fmt: skip

    assert moments() == ["added", "started", "ended"]
    assert moments(began_at=None, ended_at=None) == ["added"]
    assert moments(priority=None) == ["started", "ended"], "it began at once"


def test_where_work_has_landed_is_said_with_both_commits():
    landed = {"branch": "main", "before": "a" * 40, "after": "b" * 40}
    assert "  landed             main  aaaaaaaa..bbbbbbbb" in read(
        quests_rows.quest({**DETAILS, "landed": landed}, LOOK)
    )


def test_why_a_quest_waits_is_what_the_command_line_says():
    assert read(quests_rows.why_text(WHY)) == [
        " login/TSK-004 is queued: blocked: needs login/TSK-002 (failed: check_failed)",
        "   go on with: overmind quest retry login/TSK-002",
        " score 0.6475 = 0.225 priority + 0.2 age + 0 deadline + 0 blocking + 0.05 retries, 0.6475 after 2h; 3 of 6",
        " completing it starts: login/TSK-005 · still waiting then: login/TSK-006 (login/TSK-003)",
    ]
    running = {**WHY, "status": "running", "code": None, "text": "working, attempt 1 of 3", "score": None,
               "position": None, "do": [], "starts": [], "waiting_then": []}  # fmt: skip
    assert read(quests_rows.why_text(running)) == [" login/TSK-004 is running: working, attempt 1 of 3"]


STANDS = [
    (BLOCKED[1], "login/TSK-004 · blocked, number 3 · needs login/TSK-002 (failed: check_failed)"),
    (queued(1, "a", 1, None, None, priority="high"), "a · queued, number 1, high"),
    (in_queue(1, "a", "running", 9, phase="check", tries=2), "a · checking, attempt 2 of 3"),
    (at_once(1, "a", "completed", 9, 2), "a · succeeded"),
    (in_queue(0x5B, "carts/tasks", "completed", 9, 2), "carts/tasks · succeeded, attempt 1 of 3"),
]


@pytest.mark.parametrize(("row", "text"), STANDS)
def test_the_bottom_line_says_how_the_quest_under_the_cursor_stands(row, text):
    assert quests_rows.standing(known(row)) == text


def test_the_bottom_line_says_what_a_quest_asks_and_the_key_that_answers():
    asked = {**ASKED_OF_SPEC, "quests": ["0000005b"]}
    row: Any = in_queue(0x5B, "carts/tasks", "completed", 9, 2)
    quests_rows.learn([row], {}, [asked])
    asks = "y answers: tasks passed with 0.95"
    assert quests_rows.standing(row) == f"carts/tasks · succeeded, attempt 1 of 3 · {asks}"
    assert quests_rows.standing({**row, quests_rows.AT_GATE: "gate"}).endswith(f"· review, attempt 1 of 3 · {asks}")
    assert quests_rows.standing(gate_row(MERGE)) == "carts · review · y answers: Land spec/carts on main"


def test_the_card_at_a_gate_is_that_of_the_quest_whose_keys_mean_what_they_mean_of_any():
    async def scenario(app, press):
        await press(":board", "right", "right", "right")
        assert card_at(app) == "carts"
        await press("down")
        assert card_at(app) == "carts/tasks"
        assert [row["name"] for row in app.screen.rows].count("carts/tasks") == 1
        assert "? carts/tasks gate" in picture(app)
        assert "y answers: tasks passed with 0.95" in picture(app)
        await press("r")
        assert app.notice.text.startswith("carts/tasks is in review: ")
        await press("y")
        assert lists_needs(app)
        assert app.main.question.key == (GATE["spec"], GATE["question"])

    walk(scenario, GatedQuest)


def test_a_quest_is_retried_made_more_urgent_and_cancelled_after_a_question():
    async def scenario(app, press):
        await press(":board", "shift+up")
        assert app.notice.text == "login/TSK-003 is critical already"
        await press("shift+down", "down", "shift+up")
        edits = [one for one in app.asked if one[0] == "quest_edit"]
        assert edits == [
            ("quest_edit", {"id": "00000040", "priority": "high"}),
            ("quest_edit", {"id": "00000041", "priority": "critical"}),
        ]
        assert app.notice.text == "raised port-the-parser-to-the-new-grammar to critical"
        await press("r")
        assert app.notice.text.endswith("is queued: r retries what has failed or was cancelled")
        await press("right", "right", "g", "r")
        assert ("quest_retry", {"id": "00000052"}) in app.asked
        assert app.notice.text == "queued login/TSK-002 again"
        await press("shift+up")
        assert app.notice.text == "login/TSK-002 has ended: its priority means nothing any more"
        await press("x")
        assert app.notice.text == "login/TSK-002 has ended: failed"
        await press("down", "x")
        assert isinstance(app.screen, Dialog)
        assert "login/TSK-004  blocked for 8m 36s" in picture(app)
        await press("enter")
        assert "quest_cancel" not in [name for name, _ in app.asked], "the focus is on what ends nothing"
        await press("x", "y")
        assert ("quest_cancel", {"id": "00000054"}) in app.asked
        await press("left", "G", "shift+down")
        assert app.notice.text == "backup/4 began at once and has no priority"
        await press("r")
        again = "overmind quest run --cwd /srv/work 'make backup/4'"
        assert app.notice.text == f"backup/4 began at once. Begin it again, adding any other options, with: {again}"
        assert not [one for name, one in app.asked if name == "quest_retry" and one["id"] != "00000052"]

    walk(scenario, RecordingBoard)


def test_what_is_done_to_marked_cards_is_done_to_all_of_them_and_refusals_are_counted():
    async def scenario(app, press):
        await press(":board", "down", "space", "space", "shift+down")
        edits = [given["id"] for name, given in app.asked if name == "quest_edit"]
        assert edits == ["00000041", "00000042"]
        assert app.notice.text == "lowered 2 of 2"
        app.refuses = True
        await press("shift+down")
        assert app.notice.text.startswith("lowered 0 of 2 · port-the-parser")
        app.refuses = False
        await press("escape")
        assert not app.screen.table.marked

    walk(scenario, RecordingBoard)


def test_the_log_the_terminal_the_check_and_the_changes_are_those_of_its_mission():
    async def scenario(app, press):
        await press(":board", "l")
        assert app.notice.text == "login/TSK-003 has not started · waits for login/TSK-001 (running 4m)"
        await press("a", "v", "V")
        assert app.notice.text == "login/TSK-003 has no check yet"
        await press("right", "v")
        assert app.screen.way_here[-1] != "board"
        await press("escape", "l")
        assert app.screen is app.main
        assert app.main.panels.current is Panel.LOG
        await press("escape")
        assert isinstance(app.screen, BoardPage)
        assert card_at(app) == "login/TSK-001"
        await press("down", "l")
        assert app.notice.text == "the mission of billing was removed"

    walk(scenario, RecordingBoard)


def test_why_a_quest_waits_is_shown_and_a_refusal_is_said():
    async def scenario(app, press):
        await press(":board", "right", "right", "down", "w")
        assert isinstance(app.screen, TextPage)
        assert "go on with: overmind quest retry login/TSK-002" in picture(app)
        await press("escape", "d")
        assert "Sessions survive a restart" in picture(app)
        await press("escape")
        app.refuses = True
        await press("w")
        assert app.notice.text == "It has ended."

    walk(scenario, RecordingBoard)


class Describing(RecordingBoard):
    """The same, where all about the quest that asks is known."""

    answers: ClassVar[dict[str, Any]] = {
        **RecordingBoard.answers,
        "quest": {**DETAILS, "attempt_list": [], **in_queue(0x56, "api-client", "running", 120, phase="work")},
    }


def test_a_quest_that_asks_waits_in_its_row_in_all_about_it_and_where_its_cancelling_is_asked_about():
    async def scenario(app, press):
        await press(":board", "right", "right", "right", "down", "d")
        assert "! asks · 2m 00s since it began" in picture(app)
        await press("escape", "x")
        assert "api-client  asks · 2m 00s since it began" in picture(app)
        await press("escape", ":missions", ":quest cancel api-client")
        assert "api-client  asks · 2m 00s since it began" in picture(app)

    walk(scenario, Describing)


@pytest.mark.usefixtures("read_at_once")
def test_what_a_quest_asks_is_answered_where_it_can_be_read():
    async def scenario(app, press):
        await press(":board", "y")
        assert app.notice.text == "nothing is asked about login/TSK-003"
        await press("right", "right", "right", "down", "y")
        assert lists_needs(app)
        page = app.main.question
        assert page.key == ("00000056", 9)
        assert "answer" not in [name for name, _ in app.asked], "the key only shows it"
        assert page.may_answer
        await press("n")
        assert ("answer", {"question": 9, "behaviour": "deny", "options": []}) in app.asked
        await press("escape")
        assert card_at(app) == "api-client"

    walk(scenario, RecordingBoard)


@pytest.mark.parametrize("view", ["board", "queue"])
def test_of_thousands_as_many_are_asked_for_as_the_person_comes_near_to(view):
    async def scenario(app, press):
        def limits():
            return [given["limit"] for name, given in app.asked if name == view]

        await press(f":{view}")
        assert limits() == [100]
        await press("down")
        assert limits() == [100]
        await press(*["pagedown"] * 3)
        assert limits() == [100, 400]
        await press("G")
        assert limits()[-1] == 0
        assert card_at(app) == "quest-9999", "the last one is that of all"
        await press("g")
        app.screen.source.ask_again()
        assert limits()[-1] == 100
        assert len(app.screen.rows) < 200, "and again as few as are near"
        await press("/", *"quest-7777")
        assert limits()[-1] == 0, "a filter is about all of them"
        await press("enter")
        assert card_at(app) == "quest-7777"
        assert app.screen.shown_count == 1

    walk(scenario, Long)


@given(st.integers(0, 100_000))
def test_enough_rows_are_asked_for_to_see_beyond_the_cursor(at):
    limit = quests_page.portion(at)
    assert limit == 0 or limit >= at + quests_page.NEAR
    assert limit <= quests_page.MOST


def test_the_command_line_means_the_card_under_the_cursor():
    async def scenario(app, press):
        await press(":board", "right", ":quest edit --priority low", ":quest why", ":queue", ":quest retry -m again")
        assert app.ran == [
            ["quest", "edit", "00000050", "--priority", "low"],
            ["quest", "why", "00000050"],
            ["quest", "retry", "0000005a", "-m", "again"],
        ]

    walk(scenario, RecordingBoard)


READS = frozenset({"queue", "board", "changes"})
"""The lists, and what the mission under the cursor changed, which its question and its stats have."""


def test_read_only_changes_nothing():
    async def scenario(app, press):
        await press(":queue", "H")
        assert app.notice.text == "read-only: pause is off"
        await press(":board", "r", "x", "shift+up")
        assert app.notice.text == "read-only: urgent is off"
        assert {name for name, _ in app.asked} <= READS
        await press("right", "right", "right", "down", "y")
        assert lists_needs(app), "to look is allowed"

    walk(scenario, RecordingBoard, read_only=True)


def test_a_gate_is_a_card_in_review_that_leads_to_its_question_and_is_no_quest():
    async def scenario(app, press):
        await press(":board", "right", "right", "right")
        assert card_at(app) == "carts/tasks"
        for key in ("l", "r", "x", "v", "V", "shift+up"):
            await press(key)
            assert app.notice.text == "carts/tasks is a gate and no quest: enter shows what is asked"
        await press("down")
        assert card_at(app) == "carts"
        assert {name for name, _ in app.asked} <= READS
        for key in ("enter", "d", "w", "y"):
            await press(key)
            assert lists_needs(app), key
            assert app.main.question.key == (MERGE["spec"], MERGE["question"])
            await press("escape")

    walk(scenario, GatedBoard)


def test_nothing_is_done_where_there_is_no_card():
    async def scenario(app, press):
        await press(":board", "right", "down", "enter", "w", "l", "a", "v", "V", "b", "G", "space")
        assert app.screen.view == "board"
        await press("x")
        assert app.notice.text == "cancel: no quest is selected here"
        await press(":queue", "enter", "w", "down", "G", "r")
        assert app.notice.text == "retry: no quest is selected here"
        await press("c")  # last of all: what was copied is told once it is written

    walk(scenario, NoQuests)


OPENED = {Context.BOARD: ":board", Context.QUEUE: ":queue", Context.QUESTS: ":quests"}


@pytest.mark.parametrize("context", OPENED)
def test_each_key_means_what_the_table_says_and_each_action_is_done(context, monkeypatch):
    async def scenario(app, press):
        await press(OPENED[context])
        meant = []
        pressed = [key for key in ALL_KEYS if not key.startswith("alt+")]
        with monkeypatch.context() as patched:
            patched.setattr(type(app.screen), "act", lambda page, action: meant.append((page.context, action.name)))
            for key in pressed:
                app.screen.press(key, key if len(key) == 1 else None)
        keys = keymap(context)
        assert meant == [(context, keys[key].name) for key in pressed if key in keys]
        for key, action in keys.items():
            if action.context is context:
                await press(OPENED[context], key)
                app.main.to_front()

    walk(scenario, RecordingBoard)


class Counted(list[Any]):
    """Rows that count how often all of them are looked at."""

    looked = 0

    def __iter__(self):
        self.looked += 1
        return super().__iter__()


def test_a_moved_cursor_composes_the_hints_once_and_looks_at_all_rows_only_while_some_are_marked():
    async def scenario(app, press):
        await press(":quests")
        page, unusable = app.screen, app.screen.unusable
        composed: list[int] = []
        page.refresh_status = lambda: None  # no second goes by

        def counted():
            composed.append(page.table.at)
            return unusable()

        page.unusable = counted
        await press("down")
        assert composed == [1]
        rows = page.table.branches = Counted(page.table.branches)
        assert page.chosen() == [page.current]
        assert rows.looked == 0
        page.table.marked = {rows[2].id}
        assert page.chosen() == [rows[2].row]
        page.table.marked = {"gone"}
        assert page.chosen() == [], "what is marked and not shown is not what the cursor is on"

    walk(scenario, RecordingBoard)


class Titled(NoQuests):
    """Quests whose names have lost letters of their titles."""

    rows: ClassVar[list[Any]] = [
        queued(0x40, "quest-5dabb79e", 1, "waits", title="日本語の題", command="make"),
        queued(0x41, "zwei", 2, "waits", title="日本語の題 zwei"),
        queued(0x42, "grosse-prufen", 3, "waits", title="Größe prüfen"),
    ]
    answers: ClassVar[dict[str, Any]] = {
        **NoQuests.answers, "quests": rows, "queue": {**NoQuests.answers["queue"], "count": 3, "quests": rows},
    }  # fmt: skip


@pytest.mark.parametrize("view", [":quests", ":queue"])
def test_a_quest_whose_name_has_lost_letters_is_shown_by_its_title(view):
    async def scenario(app, press):
        await press(view)
        shown = picture(app)
        for title in ("日本語の題 ", "日本語の題 zwei", "grosse-prufen"):
            assert title in shown
        assert "quest-5dabb79e" not in shown

    walk(scenario, Titled)
