"""The board and the queue: what cards and rows say, where they stand, and walks through both views."""

from __future__ import annotations

import asyncio
import unicodedata
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.text.cells import width
from overmind_core.errors import OvermindError
from overmind_tui.board import rows as board_rows
from overmind_tui.board.page import BoardPage
from overmind_tui.inbox.page import NeedsPage
from overmind_tui.missions.describe import Rendering
from overmind_tui.missions.rows import Branch
from overmind_tui.pages.dialog import Dialog
from overmind_tui.pages.text import TextPage
from overmind_tui.quests import page as quests_page
from overmind_tui.quests import rows as quests_rows
from overmind_tui.queue import rows as queue_rows
from overmind_tui.render.layout import Panel
from overmind_tui.shell.actions import Context
from overmind_tui.shell.keymap import keymap
from overmind_tui.timeline.page import TimelinePage
from tests.tui.conftest import picture, until
from tests.tui.test_keys import ALL_KEYS
from tests.tui.test_pictures import NOW
from tests.tui.test_pictures_board import (
    BOARD,
    DETAILS,
    FLEET,
    LANDING,
    QUESTIONS,
    QUEUE,
    WHY,
    Boarded,
    NoQuests,
    at_once,
    in_queue,
    queued,
)
from tests.tui.test_pictures_worktrees import CHANGES
from tests.tui.test_plans import go, read

LOOK = Rendering(NOW)


def known(row):
    """A quest with what other parts of the program know of it."""
    (found,) = [dict(row)]
    quests_rows.learn([found], {one["id"]: one for one in FLEET}, QUESTIONS)
    return found


def said(cells):
    return "".join(cell.text for cell in cells)


# cards

BLOCKED = queued(1, "login/TSK-004", 3, "needs login/TSK-002 (failed: check_failed)", "blocked")
IN_LINE = queued(2, "chores", 6, "3 of 3 slots are taken; 2nd in line", "slots")
CARDS = [
    (in_queue(7, "api", "running", 125, phase="work", cost_usd=0.12), 40, "▶ api 2m $.12"),
    (in_queue(7, "api", "running", 125, phase="work", cost_usd=12.0), 40, "▶ api 2m $12.00"),
    (in_queue(7, "api", "running", 125, phase="work"), 40, "▶ api 2m"),
    (in_queue(7, "api", "running", 125, phase="check", cost_usd=0.12), 40, "▶ api checking 2m $.12"),
    (in_queue(7, "api", "running", 125, phase="landing"), 14, "▶ api landing"),
    (in_queue(7, "login/TSK-001", "running", 125, phase="work", cost_usd=0.12), 20, "▶ login/TSK-001 2m"),
    (in_queue(7, "login/TSK-001", "running", 125, phase="work"), 12, "▶ …n/TSK-001"),
    (in_queue(7, "a-long-name-of-one", "running", 125, phase="work"), 12, "▶ a-long-na…"),
    (BLOCKED, 59, "⊗ login/TSK-004 needs login/TSK-002 (failed: check_failed)"),
    (BLOCKED, 30, "⊗ login/TSK-004 needs login/T…"),
    (BLOCKED, 20, "⊗ login/TSK-004"),
    (IN_LINE, 50, "○ chores 2nd in line: 3 of 3 slots are taken"),
    (IN_LINE, 22, "○ chores 2nd in line"),
    (IN_LINE, 18, "○ chores slots"),
    (in_queue(7, "api", "failed", 9, 2, reason="retries_spent", exit_code=1, **{"class": "check_failed"}), 40,
     "✖ api check failed, exit 1"),
    (in_queue(7, "api", "failed", 9, 2, reason="exit", exit_code=3), 40, "✖ api exit 3"),
    (in_queue(7, "api", "cancelled", 9, 2, reason=None), 40, "– api 7s"),
    (in_queue(7, "api", "completed", 9, 2, cost_usd=0.5), 40, "✔ api 7s $.50"),
    (in_queue(7, "api", "review", 125), 40, "? api 2m"),
    (in_queue(0x56, "api-client", "running", 125, phase="work"), 40, "! api-client Bash: rm -rf build"),
    (queued(1, "[red]x[/]\x1b[2J", 1, "a\nb"), 40, "○ [red]x[/]\\x1b[2J a\\nb"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "cells", "text"), CARDS)
def test_a_card_is_its_mark_its_name_and_how_long_and_how_dear_it_is_or_why_it_waits(row, cells, text):
    assert said(board_rows.card(known(row), cells, NOW)) == text


ROOMY = [
    (queued(1, "a", 1, "waits for b", priority="critical"), "○ a      critical  waits for b"),
    (queued(1, "a", 1, "waits for b"), "○ a      waits for b"),
    (in_queue(7, "a", "running", 60, phase="work", tries=2, priority="low"), "▶ a      low  2/3  1m"),
    (in_queue(7, "a", "failed", 60, 1, reason="timeout", priority="high", tries=3), "✖ a      3/3  timeout"),
]


@pytest.mark.parametrize(("row", "text"), ROOMY)
def test_a_card_with_room_says_also_how_urgent_it_is_and_which_attempt_this_is(row, text):
    assert said(board_rows.card(known(row), 70, NOW, names=5)) == text


def test_in_the_lane_of_its_spec_a_quest_is_called_as_in_the_document():
    assert said(board_rows.card(known(BLOCKED), 12, NOW, by="spec")) == "⊗ TSK-004"
    assert board_rows.short_name(BLOCKED, "group") == "login/TSK-004"


def test_the_time_of_a_quest_that_works_is_that_of_its_attempt_and_not_that_of_its_waiting():
    row = in_queue(0x50, "login/TSK-001", "running", 7200, phase="work")
    assert quests_rows.works(known(row), NOW) == 240
    assert quests_rows.works(known({**row, "phase": "check"}), NOW) == 7200


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
quest_rows = st.builds(
    lambda name, status, phase, why, code, spec, group, priority, cost: in_queue(
        7, name, status, 300, None if status in {"queued", "running", "review"} else 20, why=why, code=code,
        phase=phase if status == "running" else None, spec=spec, group=group, priority=priority, cost_usd=cost,
        reason=why,
    ),
    names, st.sampled_from([one.value for one in QuestStatus]), st.sampled_from(["work", "check", "landing"]),
    st.none() | names, st.sampled_from([None, "needs", "slots", "blocked"]), st.none() | names, st.none() | names,
    st.sampled_from([None, *quests_rows.PRIORITIES]), st.none() | st.floats(0, 2000),
)  # fmt: skip


@given(quest_rows, st.integers(4, 120), st.sampled_from(board_rows.LANES), st.integers(0, 60))
def test_no_card_is_wider_than_its_column_or_shows_a_control_character(row, cells, by, longest):
    found = board_rows.card(known(row), cells, NOW, by=by, names=longest)
    assert width(said(found)) <= cells
    assert not [one for one in said(found) if unicodedata.category(one) == "Cc"]


# where they stand

placed = st.lists(
    st.tuples(quest_rows, st.integers(0, 4)).map(lambda one: {**one[0], board_rows.COLUMN: one[1]}), max_size=40
)


@given(placed, st.sampled_from(board_rows.LANES), st.booleans())
def test_each_card_stands_in_one_place_of_its_column_in_the_order_of_lanes(rows, by, apart):
    rows = board_rows.ordered(rows, by)
    grid = board_rows.grid(rows, by, apart=apart)
    places = {}
    for column in range(5):
        lines = grid.lines[column]
        assert list(lines) == sorted(set(lines))
        assert all(line < grid.height(column) for line in lines)
        for card, line in zip(grid.cards[column], lines, strict=True):
            assert rows[card][board_rows.COLUMN] == column
            assert grid.at(column, line) == card
            assert grid.beside(column, line) == card
            assert grid.place(card) == (column, card - grid.cards[column][0])
            places[card] = column, line
        if by:
            above = {line: max(one for one in grid.headings[column] if one < line) for line in lines}
            assert all(
                grid.headings[column][above[line]] == board_rows.lane(rows[grid.at(column, line)], by) for line in lines
            )
    assert len(places) == len(rows)
    assert by or all(lines == tuple(range(len(lines))) for lines in grid.lines)
    assert not grid.aligned or len(set(map(str, grid.headings))) == 1


def test_lanes_of_priorities_stand_in_their_order_and_what_belongs_to_none_is_last():
    rows = [{**in_queue(1, "x", "running", 1, priority=one), board_rows.COLUMN: 1} for one in ("low", "critical")]
    rows.append({**at_once(1, "x", "running", 1), board_rows.COLUMN: 0})
    grid = board_rows.grid(board_rows.ordered(rows, "priority"), "priority")
    assert list(grid.headings[0].values()) == ["critical", "low", "no priority"]


def cards(*columns):
    """Cards by their ids, a text for each column."""
    rows = [{"id": one, board_rows.COLUMN: at} for at, text in enumerate(columns) for one in text]
    return [Branch(row["id"], row) for row in rows], board_rows.grid(rows, "")


STAYS = [
    (("ab", "c", "", "", ""), "b", 0, 1, (0, "b")),
    (("ab", "c", "", "", ""), "b", 0, 0, (0, "b")),
    (("a", "cb", "", "", ""), "b", 0, 1, (0, "a")),  # it left: who looks at the column stays there
    (("", "cb", "", "", ""), "b", 0, 0, (1, "b")),  # nobody is left there: along with it
    (("", "", "", "cd", ""), "b", 0, 0, (3, "c")),
    (("a", "", "", "", "e"), "b", 3, 0, (4, "e")),
    (("", "bc", "", "", ""), None, 0, 0, (1, "b")),
]


@pytest.mark.parametrize(("columns", "wanted", "column", "at", "expected"), STAYS)
def test_the_cursor_stays_in_its_column_as_long_as_there_are_cards(columns, wanted, column, at, expected):
    branches, grid = cards(*columns)
    found, card = board_rows.cursor_place(branches, grid, wanted, column, at)
    assert (found, branches[card].id) == expected


def test_a_board_without_cards_has_a_cursor_on_none():
    assert board_rows.cursor_place([], board_rows.Grid(), "a", 2, 5) == (2, 0)
    assert board_rows.Grid().beside(0, 3) is None


@given(st.lists(st.integers(0, 20_000), min_size=5, max_size=5), st.integers(92, 400))
def test_columns_share_all_the_room_and_empty_ones_take_no_more_than_their_titles(counts, cells):
    found = board_rows.widths(counts, counts, cells)
    assert sum(found) == cells
    for place, count in enumerate(counts):
        if any(counts) and not count:
            assert found[place] == width(board_rows.title(place, counts)) + 1


@given(st.lists(st.integers(0, 99_999), min_size=5, max_size=5), st.integers(0, 4), st.integers(58, 100))
def test_one_at_a_time_all_counts_are_said(counts, chosen, cells):
    text = said(board_rows.headings(counts, chosen, cells))
    assert width(text) <= cells
    assert [int(word) for word in text.split() if word.isdigit()] == counts


# the queue


def test_the_queue_says_who_lands_then_whose_turn_it_is():
    rows = [known(row) for row in queue_rows.listed(QUEUE)]
    shown = [[column.cell(row, NOW).text for column in queue_rows.COLUMNS if not column.wide] for row in rows]
    assert shown[:3] == [
        ["", "", "checkout", "medium", "landing on main"],
        ["1", ".585", "login/TSK-003", "critical", "waits for login/TSK-001 (running 4m)"],
        ["2", ".5225", "port-the-parser-to-the-new-grammar", "high", "1st in line: 3 of 3 slots are taken"],
    ]
    assert queue_rows.Status.of(QUEUE).text == "running 3/3 · queued 6 · landing 1 · provider claude 1/2"
    assert queue_rows.Status.of({**QUEUE, "paused": True}).text.startswith("paused, s resumes · ")


DECIMALS = [(0.6475, ".6475"), (0.5, ".5"), (0, "0"), (1.25, "1.25"), (0.16254, ".1625")]


@pytest.mark.parametrize(("number", "text"), DECIMALS)
def test_a_score_is_as_short_as_it_can_be(number, text):
    assert queue_rows.decimal(number) == text


def test_each_order_sorts_all_rows():
    rows = [known(row) for column in BOARD["columns"] for row in column["quests"]]
    for orders in (quests_rows.ORDERS, queue_rows.ORDERS):
        for order in orders.values():
            assert len(sorted(order.key(row, NOW) for row in rows)) == len(rows)


# all about one


def test_all_about_a_quest_of_the_queue_says_what_it_needs_what_it_owns_and_how_its_attempts_went():
    text = read(quests_rows.quest(DETAILS, LOOK))
    assert text[:2] == [" login/TSK-002 00000052", " ✖ failed after 10m 00s  check failed, exit 1"]
    for line in (
        "  needs              login/TSK-001", "  owns               api/**", "                     web/login/*",
        "  lands on           main", "  tries              3 of 3", "  cost               $1.25",
        "  cost limit         $5.00", " attempts[3]", " brief", "          Not in [memory].",
        " feedback for the next attempt", "  report.md is empty",
    ):  # fmt: skip
        assert line in text
    assert [line.split("  ")[-1] for line in text if line.startswith(("    1", "    2"))] == [
        "exit 2", "check failed, exit 1",
    ]  # fmt: skip


def test_where_work_has_landed_is_said_with_both_commits():
    landed = {"branch": "main", "before": "a" * 40, "after": "b" * 40}
    assert "  landed             main  aaaaaaaa..bbbbbbbb" in read(
        quests_rows.quest({**DETAILS, "landed": landed}, LOOK)
    )


def test_why_a_quest_waits_is_what_the_command_line_says():
    assert read(quests_rows.why_text(WHY)) == [
        " login/TSK-004 is queued: blocked: needs login/TSK-002 (failed: check_failed)",
        "   go on with: overmind quest retry login/TSK-002",
        " score .6475 = .225 priority + .2 age + 0 deadline + 0 blocking + .05 retries, .6475 after 2h; 3 of 6",
        " completing it starts: login/TSK-005 · still waiting then: login/TSK-006 (login/TSK-003)",
    ]
    running = {**WHY, "status": "running", "code": None, "text": "working, attempt 1 of 3", "score": None,
               "position": None, "do": [], "starts": [], "waiting_then": []}  # fmt: skip
    assert read(quests_rows.why_text(running)) == [" login/TSK-004 is running: working, attempt 1 of 3"]


STANDS = [
    (BLOCKED, "login/TSK-004 · blocked, number 3 · needs login/TSK-002 (failed: check_failed)"),
    (queued(1, "a", 1, None, None, priority="high"), "a · queued, number 1, high"),
    (in_queue(1, "a", "running", 9, phase="check", tries=2), "a · checking, attempt 2 of 3"),
    (at_once(1, "a", "completed", 9, 2), "a · completed"),
]


@pytest.mark.parametrize(("row", "text"), STANDS)
def test_the_bottom_line_says_how_the_quest_under_the_cursor_stands(row, text):
    assert quests_rows.standing(known(row)) == text


# walks


class Asked(Boarded):
    """Keeps what it was asked."""

    answers: ClassVar[dict[str, Any]] = {
        **Boarded.answers, "changes": CHANGES, "queue_set": {"paused": True, "slots": 3, "running": 2},
    }  # fmt: skip

    def __init__(self, **how):
        super().__init__(**how)
        self.asked: list[tuple[str, Any]] = []
        self.ran: list[list[str]] = []
        self.refuses = False

        def start(_name, calls, _on_result):
            self.ran += [list(argv[4:]) for argv in calls]

        self.jobs.start = start  # type: ignore[method-assign]

    def request(self, command, requests, on_result):
        self.asked += [(command, dict(one)) for one in requests]
        if self.refuses:
            on_result([OvermindError("not_running", "It has ended.") for _ in requests])
        else:
            super().request(command, requests, on_result)


def walk(scenario, make=Asked, size=(120, 40), **how):
    async def whole():
        app = make(**how)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()

            async def press(*steps):
                await go(app, pilot, steps)
                await pilot.pause()

            await scenario(app, press)

    asyncio.run(whole())


def card_at(app):
    return app.screen.table.current.row["name"]


def table_of(app) -> Any:
    """What the page on top shows."""
    return app.screen.table


def test_left_and_right_go_to_the_columns_that_have_cards_and_up_and_down_stay_in_one():
    async def scenario(app, press):
        await press(":board")
        assert card_at(app) == "login/TSK-003"
        await press("down", "down", "right")
        assert card_at(app) == "backup/4", "as high as before"
        await press("right")
        assert card_at(app) == "login/TSK-004", "or as near to that as can be"
        await press("down", "down")
        assert card_at(app) == "login/TSK-004"
        await press("g", "right", "right", "right", "right", "G")
        assert card_at(app) == "old-idea"
        await press("left", "left", "left", "left", "left", "left", "pagedown")
        assert card_at(app) == "chores"
        await press("pageup")
        assert card_at(app) == "login/TSK-003"

    walk(scenario)


def test_a_column_without_cards_is_passed_over():
    class Two(Asked):
        answers: ClassVar[dict[str, Any]] = {
            **Boarded.answers,
            "board": {"columns": [
                {**column, "quests": [], "count": 0} if column["name"] in {"running", "blocked", "review"} else column
                for column in BOARD["columns"]
            ]},
        }  # fmt: skip

    async def scenario(app, press):
        await press(":board", "right")
        assert card_at(app) == "login/explore"
        await press("left")
        assert card_at(app) == "login/TSK-003"

    walk(scenario, Two)


def moved(*, name, into):
    """The board after a quest went to another column."""
    (row,) = [row for column in BOARD["columns"] for row in column["quests"] if row["name"] == name]
    columns = []
    for column in BOARD["columns"]:
        rest = [one for one in column["quests"] if one is not row]
        columns.append({**column, "quests": [row, *rest] if column["name"] == into else rest})
    return {"columns": columns}


def test_who_looks_at_a_column_stays_there_when_a_card_leaves_it_and_ends_nothing_by_a_slip():
    async def scenario(app, press):
        await press(":board", "right", "down")
        assert card_at(app) == "billing"
        app.answers = {**app.answers, "board": moved(name="billing", into="done")}
        app.screen.source.ask_again()
        assert card_at(app) == "backup/4"
        await press("x")
        assert app.notice.text == "the row under the cursor just changed: check it, then press the key again"

    walk(scenario)


def test_events_of_quests_ask_for_the_board_again_and_bursts_once():
    async def scenario(app, press):
        await press(":board")
        asked = len(app.asked)
        app.screen.happened({"line_written"})
        assert not app.screen.source.asking
        for kind in ("quest", "queue", "quest"):
            app.screen.happened({kind})
        assert app.screen.source.asking
        app.screen.source.ask_again()
        assert [one for one in app.asked[asked:] if one[0] == "board"] == [("board", {"limit": 100})]

    walk(scenario)


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
        assert app.notice.text == "login/TSK-002 is already failed"
        await press("down", "x")
        assert isinstance(app.screen, Dialog)
        assert "login/TSK-004  blocked for 8m 36s" in picture(app)
        await press("enter")
        assert "quest_cancel" not in [name for name, _ in app.asked], "the focus is on what ends nothing"
        await press("x", "y")
        assert ("quest_cancel", {"id": "00000054"}) in app.asked
        await press("left", "G", "shift+down")
        assert app.notice.text == "backup/4 began at once and has no priority"

    walk(scenario)


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

    walk(scenario)


def test_the_log_the_terminal_the_check_and_the_changes_are_those_of_its_mission():
    async def scenario(app, press):
        await press(":board", "l")
        assert app.notice.text == "login/TSK-003 has not started · waits for login/TSK-001 (running 4m)"
        await press("a", "V", "v")
        assert app.notice.text == "login/TSK-003 has no check yet"
        await press("right", "V")
        assert app.screen.crumbs[-1] != "board"
        await press("escape", "l")
        assert app.screen is app.main
        assert app.main.panels.current is Panel.LOG
        await press("escape")
        assert isinstance(app.screen, BoardPage)
        assert card_at(app) == "login/TSK-001"
        await press("down", "l")
        assert app.notice.text == "the mission of billing was removed"

    walk(scenario)


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

    walk(scenario)


@pytest.mark.parametrize("key", ["y", "n"])
def test_what_a_quest_asks_is_answered_where_it_can_be_read(key):
    async def scenario(app, press):
        await press(":board", key)
        assert app.notice.text == "nothing is asked about login/TSK-003"
        await press("right", "right", "right", "down", key)
        assert isinstance(app.screen, NeedsPage)
        page = app.screen
        assert page.current is not None
        assert page.current.key == ("00000056", 9)
        assert "answer" not in [name for name, _ in app.asked], "the key only shows it"
        page.answers.reading_delay._since = float("-inf")  # as if it had been read
        await press("n")
        assert ("answer", {"question": 9, "behaviour": "deny", "options": []}) in app.asked
        await press("escape")
        assert card_at(app) == "api-client"

    walk(scenario)


def test_lanes_go_round_and_leave_out_what_no_quest_has():
    async def scenario(app, press):
        await press(":board", "right")
        seen = []
        for _ in range(4):
            await press("b")
            seen.append(app.screen.subtitle())
            assert card_at(app) == "login/TSK-001"
        assert seen == ["lanes by spec", "lanes by group", "lanes by priority", ""]
        assert ("board", {"limit": 0}) in app.asked, "lanes are of all cards"
        await press("b", "left", "right", "down", "up", "G", "g")
        assert app.screen.table.press("sideways") is False

    walk(scenario)


def test_a_board_without_specs_and_groups_has_no_lanes_of_them():
    class Plain(Asked):
        answers: ClassVar[dict[str, Any]] = {**Boarded.answers, "board": {"columns": [
            {**column, "quests": [{**row, "spec": None, "group": None} for row in column["quests"]]}
            for column in BOARD["columns"]
        ]}}  # fmt: skip

    async def scenario(app, press):
        await press(":board", "b")
        assert app.screen.subtitle() == "lanes by priority"
        await press("b")
        assert app.screen.subtitle() == ""

    walk(scenario, Plain)


class Long(Asked):
    """The same with ten thousand quests that wait."""

    rows: ClassVar[list[Any]] = [
        queued(at, f"quest-{at}", at + 1, "3 of 3 slots are taken; 5th in line", "slots") for at in range(10_000)
    ]

    def request(self, command, requests, on_result):
        self.asked += [(command, dict(one)) for one in requests]
        (given,) = requests
        some = [dict(row) for row in self.rows[: given.get("limit") or None]]
        first = {**BOARD["columns"][0], "count": len(self.rows), "quests": some}
        on_result([
            {"columns": [first, *BOARD["columns"][1:]]} if command == "board"
            else {**QUEUE, "count": len(self.rows), "quests": some}
        ])  # fmt: skip


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


def test_the_board_of_a_spec_is_asked_for_by_its_name_and_all_that_have_ended_by_a_word():
    async def scenario(app, press):
        await press(":board login")
        assert ("board", {"limit": 100, "spec": "login"}) in app.asked
        assert app.screen.crumbs[-1] == "board login"
        await press(":kb all")
        assert ("board", {"limit": 100, "all": True}) in app.asked
        await press(":kanban login /TSK")
        assert app.screen.filtering.filter.text == "TSK"
        await press(":board --by spec", ":board login shop")
        assert app.ran == [["board", "--by", "spec"], ["board", "login", "shop"]], "the command line says what it takes"

    walk(scenario)


def test_a_spec_that_is_not_there_is_said_in_the_place_of_cards():
    async def scenario(app, press):
        app.refuses = True
        await press(":board nothing")
        assert "It has ended." in picture(app)

    walk(scenario)


def test_the_command_line_means_the_card_under_the_cursor():
    async def scenario(app, press):
        await press(":board", "right", ":quest edit --priority low", ":quest why", ":queue", ":quest retry -m again")
        assert app.ran == [
            ["quest", "edit", "00000050", "--priority", "low"],
            ["quest", "why", "00000050"],
            ["quest", "retry", "0000005a", "-m", "again"],
        ]

    walk(scenario)


def test_the_queue_is_paused_and_resumed():
    async def scenario(app, press):
        await press(":queue", "s")
        assert ("queue_set", {"paused": True}) in app.asked
        assert app.notice.text == "queue paused: 2 run on"
        app.answers = {
            **app.answers,
            "queue": {**QUEUE, "paused": True},
            "queue_set": {"paused": False, "slots": 3, "running": 1},
        }
        app.screen.source.ask_again()
        assert app.screen.subtitle().startswith("paused, s resumes")
        await press("s")
        assert ("queue_set", {"paused": False}) in app.asked
        assert app.notice.text == "queue resumed"
        app.refuses = True
        await press("s")
        assert app.notice.text == "It has ended."

    walk(scenario)


def test_read_only_changes_nothing():
    async def scenario(app, press):
        await press(":queue", "s")
        assert app.notice.text == "read-only: pause is off"
        await press(":board", "r", "x", "shift+up")
        assert app.notice.text == "read-only: urgent is off"
        assert {name for name, _ in app.asked} <= {"queue", "board"}
        await press("right", "right", "right", "down", "y")
        assert isinstance(app.screen, NeedsPage), "to look is allowed"

    walk(scenario, read_only=True)


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


def test_the_board_as_text_says_all_columns_whole():
    async def scenario(app, press):
        await press(":board")
        text = app.screen.shown_text().splitlines()
        assert text[:2] == ["QUEUED 5", "  ○ login/TSK-003 waits for login/TSK-001 (running 4m)"]
        assert text[-2:] == ["  – old-idea stopped, exit 143", "  … 1014 more"]
        await press("b")
        assert app.screen.shown_text().splitlines()[:3] == [
            "QUEUED 5", " login", "  ○ TSK-003 waits for login/TSK-001 (running 4m)",
        ]  # fmt: skip

    walk(scenario)


@pytest.mark.parametrize(("size", "columns"), [((120, 40), 5), ((80, 24), 1), ((60, 15), 1)])
def test_below_a_hundred_columns_one_column_is_shown_with_all_counts(size, columns):
    async def scenario(app, press):
        await press(":board", "right")
        shown = picture(app)
        assert ("login/TSK-003" in shown) is (columns > 1)
        assert "login/TSK-001" in shown
        for text in ("QUEUED 5", "RUNNING 3", "BLOCKED 2", "REVIEW 2", "DONE 1017"):
            assert text in shown

    walk(scenario, size=size)


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

    walk(scenario)


def test_a_click_chooses_a_card_two_show_it_and_one_on_a_heading_goes_to_its_column():
    async def whole():
        app = Asked()
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            await go(app, pilot, [":board"])
            await pilot.pause()
            table = table_of(app)
            await pilot.click(table, offset=(30, 3))
            assert card_at(app) == "billing"
            await pilot.click(table, offset=(110, 1))
            assert card_at(app) == "login/explore"
            await pilot.click(table, offset=(30, 30))
            assert card_at(app) == "login/explore", "where no card is"
            await pilot.click(table, offset=(5, 2), times=2)
            await until(pilot, lambda: isinstance(app.screen, TimelinePage), what="what happened to it")

    asyncio.run(whole())


def test_the_wheel_scrolls_the_column_below_the_mouse_alone():
    async def scenario(app, press):
        await press(":board")
        table = app.screen.table
        before = picture(app)
        table._scroll(0, 3)
        table.tick()
        assert "quest-3 " in picture(app).splitlines()[5]
        assert picture(app) != before
        assert "login/TSK-001" in picture(app), "the others stay"
        table._scroll(0, -3)
        table.tick()
        assert picture(app) == before

    walk(scenario, Long)


LIVE = "until test -e {gate}; do sleep 0.05; done"


@pytest.mark.usefixtures("alone")
def test_what_a_supervisor_tells_is_what_is_shown_and_it_is_shown_as_it_happens(om, opened, tmp_path):
    gate = tmp_path / "gate"
    om.ok("start")
    om.ok("queue", "slots", "1")
    om.ok("quest", "add", "Build", "--", LIVE.format(gate=gate))
    om.ok("quest", "add", "Docs", "--needs", "build", "--", LIVE.format(gate=f"{gate}2"))
    om.ok("quest", "add", "Site", "--retries", "0", "--", "exit 3")

    async def scenario(app, pilot):
        async def shown(*texts):
            await until(pilot, lambda: all(text in picture(app) for text in texts), what=str(texts))

        app.commands.run("board")
        await shown("QUEUED 2", "RUNNING 1", "▶ build", "○ docs", "○ site")
        app.commands.run("queue")
        await shown("running 1/1 · queued 2", "waits for build (running", "1st in line")
        app.screen.act(keymap(Context.QUEUE)["s"])
        await shown("paused, s resumes", "queue paused: 1 runs on")
        app.screen.act(keymap(Context.QUEUE)["s"])
        await shown("queue resumed")
        app.commands.run("board")
        await shown("RUNNING 1")
        gate.touch()
        await shown("BLOCKED 1", "✖ site", "DONE 1", "✔ build", "▶ docs")

    opened({}, scenario)


def test_a_landing_quest_says_where():
    assert queue_rows.COLUMNS[-1].cell(known(LANDING), NOW).text == "landing on main"
