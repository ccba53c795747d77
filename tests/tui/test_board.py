"""The board: what cards say, where they stand, and walks through the view."""

from __future__ import annotations

import asyncio
import unicodedata
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.quests.board import COLUMNS
from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.text.cells import width
from overmind_core.view import board as board_rows
from overmind_core.view import quests as quests_rows
from overmind_core.view.hive_keys import keyed
from overmind_core.view.missions import Branch
from overmind_tui.timeline.page import TimelinePage
from overmind_tui.widgets import table as table_widget
from tests.kit.cases import tabled
from tests.tui.conftest import picture, until
from tests.tui.quest_walks import ASKED_OF_SPEC, GATE, Long, RecordingBoard, card_at, known
from tests.tui.test_pictures import NOW
from tests.tui.test_pictures_board import (
    BOARD,
    WHY,
    Boarded,
    at_once,
    in_queue,
    queued,
)
from tests.tui.test_pictures_plans import at
from tests.tui.walks import go, walk


def said(cells):
    return "".join(cell.text for cell in cells)


def test_a_question_does_not_repeat_the_name_it_stands_beside():
    asked = [
        {"id": "1", "name": "docs", "summary": "docs has failed: check_failed"},
        {"id": "2", "name": "docs", "summary": "docsy things"},
    ]
    rows = [{"id": one["id"], "name": one["name"], "status": "failed"} for one in asked]
    quests_rows.learn(rows, {}, asked)
    assert [row[quests_rows.ASKED] for row in rows] == ["has failed: check_failed", "docsy things"]


def test_the_card_of_a_gate_leads_to_the_question_of_its_own_machine():
    elsewhere = keyed({**ASKED_OF_SPEC, "id": "77777777"}, "eu1")
    assert quests_rows.question_of(board_rows.gate_row(GATE), [elsewhere, ASKED_OF_SPEC]) is ASKED_OF_SPEC


def test_its_columns_are_those_of_the_domain():
    assert tuple(column.value for column in COLUMNS) == board_rows.NAMES


BLOCKED = queued(1, "login/TSK-004", 3, "needs login/TSK-002 (failed: check_failed)", "blocked")


IN_LINE = queued(2, "chores", 6, "3 of 3 slots are taken; 2nd in line", "slots")


CARDS = [
    (in_queue(7, "api", "running", 125, phase="work", cost_usd=0.12), 40, "▶ api 2m $0.12"),
    (in_queue(7, "api", "running", 125, phase="work", cost_usd=12.0), 40, "▶ api 2m $12.00"),
    (in_queue(7, "api", "running", 125, phase="work"), 40, "▶ api 2m"),
    (in_queue(7, "api", "running", 125, phase="check", cost_usd=0.12), 40, "▶ api checking 2m $0.12"),
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
     "✖ api its check failed, exit 1"),
    (in_queue(7, "api", "failed", 9, 2, reason="exit", exit_code=3), 40, "✖ api exit 3"),
    (in_queue(7, "api", "cancelled", 9, 2, reason=None), 40, "– api cancelled"),
    (in_queue(7, "api", "cancelled", 9, 2, reason=None, outcome="stopped"), 40, "■ api cancelled"),
    (in_queue(7, "api", "cancelled", 9, 2, reason=None, outcome="stopped", exit_code=143), 40,
     "■ api cancelled, exit 143"),
    (in_queue(7, "api", "completed", 9, 2, cost_usd=0.5), 40, "✔ api 7s $0.50"),
    (in_queue(7, "api", "completed", 9, 2, into="main"), 40, "✔ api nothing to land 7s"),
    (in_queue(7, "api", "completed", 9, 2, into="main"), 22, "✔ api nothing to land"),
    (in_queue(7, "api", "completed", 9, 2, into="main", landed={"branch": "main", "before": "1", "after": "2"}), 40,
     "✔ api 7s"),
    (in_queue(7, "api", "completed", 9, 2, achieved="landed on main after conflicts in a, b"), 50,
     "✔ api landed on main after conflicts in a, b 7s"),
    (in_queue(7, "api", "completed", 9, 2, achieved="landed on main after conflicts in a, b"), 46,
     "✔ api landed on main 7s"),
    (in_queue(7, "api", "completed", 9, 2, achieved="landed on main after conflicts in a, b"), 20, "✔ api landed 7s"),
    (in_queue(7, "api", "completed", 9, 2, achieved="landed on main"), 14, "✔ api landed"),
    (in_queue(7, "api", "failed", 9, 2, reason="no_change", exit_code=1), 50,
     "✖ api nothing was changed or committed"),
    (in_queue(7, "api", "review", 125), 40, "? api 2m"),
    (in_queue(0x56, "api-client", "running", 125, phase="work"), 40, "! api-client Bash: rm -rf build"),
    (queued(1, "[red]x[/]\x1b[2J", 1, "a\nb"), 40, "○ [red]x[/]\\x1b[2J a\\nb"),
]  # fmt: skip


@tabled(("row", "cells", "text"), CARDS)
def test_a_card_is_its_mark_its_name_and_how_long_and_how_dear_it_is_or_why_it_waits(row, cells, text):
    assert said(board_rows.card(known(row), cells, NOW)) == text


ROOMY = [
    (queued(1, "a", 1, "waits for b", priority="critical"), "○ a      critical  waits for b"),
    (queued(1, "a", 1, "waits for b"), "○ a      waits for b"),
    (in_queue(7, "a", "running", 60, phase="work", tries=2, priority="low"), "▶ a      low  2/3  1m"),
    (
        in_queue(7, "a", "completed", 60, 1, achieved=f"landed on main after a conflict in {'a' * 60}"),
        "✔ a      landed on main 59s",
    ),
    (in_queue(7, "a", "failed", 60, 1, reason="timeout", priority="high", tries=3), "✖ a      3/3  it took too long"),
]


@pytest.mark.parametrize(("row", "text"), ROOMY)
def test_a_card_with_room_says_also_how_urgent_it_is_and_which_attempt_this_is(row, text):
    assert said(board_rows.card(known(row), 70, NOW, names=5)) == text


def test_in_the_lane_of_its_spec_a_quest_is_called_as_in_the_document():
    assert said(board_rows.card(known(BLOCKED), 12, NOW, by="spec")) == "⊗ TSK-004"
    assert board_rows.short_name(BLOCKED, "group") == "login/TSK-004"


@pytest.mark.parametrize("phase", ["work", "check"])
def test_the_time_of_a_quest_is_that_since_its_first_attempt_began_and_not_that_of_its_waiting(phase):
    row = known(in_queue(7, "api", "running", 7200, phase=phase, began_at=at(300)))
    assert said(board_rows.card(row, 40, NOW)).split()[-1] == "5m"
    assert quests_rows.quest_lasted(row, NOW) == 300


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


@tabled(("columns", "wanted", "column", "at", "expected"), STAYS)
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
    assert [int(word.replace(",", "")) for word in text.split() if word[0].isdigit()] == counts


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

    walk(scenario, RecordingBoard)


def test_a_column_without_cards_is_passed_over():
    class Two(RecordingBoard):
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


def test_who_looks_at_a_column_stays_there_when_a_card_leaves_it_and_does_nothing_by_a_slip(monkeypatch):
    monkeypatch.setattr(table_widget, "RESTLESS_SECONDS", float("inf"))

    async def scenario(app, press):
        await press(":board", "right", "down")
        assert card_at(app) == "billing"
        app.answers = {**app.answers, "board": moved(name="billing", into="done")}
        app.screen.source.ask_again()
        assert card_at(app) == "backup/4"
        for key in ("x", "r", "shift+up", "shift+down"):
            app.flash("")
            await press(key)
            assert app.notice.text == "the row under the cursor just changed: check it, then press the key again", key

    walk(scenario, RecordingBoard)


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

    walk(scenario, RecordingBoard)


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

    walk(scenario, RecordingBoard)


def test_a_board_without_specs_and_groups_has_no_lanes_of_them():
    class Plain(RecordingBoard):
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


def test_the_board_of_a_spec_is_asked_for_by_its_name_and_all_that_have_ended_by_a_word():
    async def scenario(app, press):
        await press(":board login")
        assert ("board", {"limit": 100, "spec": "login"}) in app.asked
        assert app.screen.way_here[-1] == "board login"
        await press(":kb all")
        assert ("board", {"limit": 100, "all": True}) in app.asked
        await press(":kanban login /TSK")
        assert app.screen.filtering.filter.text == "TSK"
        await press(":board --by spec", ":board login shop")
        assert app.ran == [["board", "--by", "spec"], ["board", "login", "shop"]], "the command line says what it takes"

    walk(scenario, RecordingBoard)


def test_a_spec_that_is_not_there_is_said_in_the_place_of_cards():
    async def scenario(app, press):
        app.refuses = True
        await press(":board nothing")
        assert "It has ended." in picture(app)

    walk(scenario, RecordingBoard)


def test_the_board_as_text_says_all_columns_whole():
    async def scenario(app, press):
        await press(":board")
        text = app.screen.shown_text().splitlines()
        assert text[:2] == ["QUEUED 5", "  ○ login/TSK-003 waits for login/TSK-001 (running 4m)"]
        assert text[-2:] == ["  – old-idea it was stopped, exit 143", "  … 1,014 more"]
        await press("b")
        assert app.screen.shown_text().splitlines()[:3] == [
            "QUEUED 5", " login", "  ○ TSK-003 waits for login/TSK-001 (running 4m)",
        ]  # fmt: skip

    walk(scenario, RecordingBoard)


@pytest.mark.parametrize(("size", "columns"), [((120, 40), 5), ((80, 24), 1), ((60, 15), 1)])
def test_below_a_hundred_columns_one_column_is_shown_with_all_counts(size, columns):
    async def scenario(app, press):
        await press(":board", "right")
        shown = picture(app)
        assert ("login/TSK-003" in shown) is (columns > 1)
        assert "login/TSK-001" in shown
        for text in ("QUEUED 5", "RUNNING 3", "BLOCKED 2", "REVIEW 2", "DONE 1,017"):
            assert text in shown

    walk(scenario, RecordingBoard, size=size)


def test_a_click_chooses_a_card_two_show_it_and_one_on_a_heading_goes_to_its_column():
    async def whole():
        app = RecordingBoard()
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            await go(app, pilot, [":board"])
            await pilot.pause()
            table = table_of(app)
            await pilot.click(table, offset=(29, 2))
            assert card_at(app) == "billing"
            await pilot.click(table, offset=(109, 0))
            assert card_at(app) == "login/explore"
            await pilot.click(table, offset=(29, 29))
            assert card_at(app) == "login/explore", "where no card is"
            await pilot.click(table, offset=(4, 1), times=2)
            await until(pilot, lambda: isinstance(app.screen, TimelinePage), what="what happened to it")

    asyncio.run(whole())


def test_an_answer_that_comes_late_opens_over_no_line_that_is_typed():
    class Late(RecordingBoard):
        def request(self, command, requests, on_result):
            if command == "quest_why":
                self.heard = on_result
            else:
                super().request(command, requests, on_result)

    async def scenario(app, press):
        await press(":board")
        page = app.screen
        await press("w", "/", "l")
        app.heard([WHY])
        assert app.screen is page
        await press("escape", "w")
        app.heard([WHY])
        assert app.screen is not page

    walk(scenario, Late)


def test_the_wheel_scrolls_the_column_below_the_mouse_alone():
    async def scenario(app, press):
        await press(":board")
        table = app.screen.table
        before = picture(app)
        table._scroll(0, 3)
        table.tick()
        assert "quest-3 " in picture(app).splitlines()[4]
        assert picture(app) != before
        assert "login/TSK-001" in picture(app), "the others stay"
        table._scroll(0, -3)
        table.tick()
        assert picture(app) == before

    walk(scenario, Long)
