"""The help of a view: keys in three columns, marks below them, all of it on the smallest usual screen."""

from __future__ import annotations

import re

import pytest

from overmind_core.domain.missions import status_marks
from overmind_core.domain.operation import Danger
from overmind_core.view import hints, keymap, keys_help, mission_list, missions
from overmind_core.view.actions import TAKES_EVERYTHING, Context
from overmind_core.view.cells import Cell
from overmind_core.view.header_line import size_of
from tests.kit.cases import tabled
from tests.kit.screen_pictures import SIZES, texts

OF_THE_SMALL = 21
"""Lines between the header and the line, at 24 rows."""
VIEWS = [one for one in Context if one not in TAKES_EVERYTHING]
ONLY_WITH_ALL_KEYS = {
    "page-down", "page-up", "panel-down", "panel-up", "previous-panel", "save", "header", "hints", "leave",
    "mark-range", "mark-all", "mark-none", "sort-left", "sort-right", "sort-chosen", "clear-filter", "as-toml", "edit",
    "parent", "sort-cpu", "sort-memory", "sort-cost", "find", "said", "fork",
}  # fmt: skip
"""Actions of missions that only the second page has."""


def page(context=Context.MISSIONS, cells=80, height=OF_THE_SMALL, **more):
    return keys_help.help_page(context, cells, height, **more)


def text(found):
    return "\n".join(texts(found.lines))


def test_each_action_of_missions_is_a_row_or_left_for_all_keys():
    rows = {name for _, entries in keys_help._OF_MISSIONS for entry in entries for name in entry.actions}
    assert rows <= set(hints.actions_of(Context.MISSIONS))
    assert set(hints.actions_of(Context.MISSIONS)) - rows == ONLY_WITH_ALL_KEYS


def test_each_row_does_what_its_key_does():
    found = page()
    for row in found.rows:
        line = found.lines[row.line]
        key = line[1 + 2 * row.column].text.split()[0]
        names = {keys_help.written(one) for one in row.action.keys}
        assert key in names or row.action.name in {"fold", "down"}


def test_a_star_is_behind_each_row_that_ends_work_and_behind_no_other():
    found = page(cells=120)
    for row in found.rows:
        words = found.lines[row.line][2 + 2 * row.column].text.strip()
        assert words.endswith(" *") is (row.action.danger is Danger.ENDS_WORK), words


@pytest.mark.parametrize("ascii_only", [False, True])
def test_every_mark_of_the_table_has_its_word_at_80x24(ascii_only):
    shown = text(page(ascii_only=ascii_only))
    for mark in (*status_marks.MARKS, status_marks.ATTACHED, keys_help.NEWS, keys_help.PART, keys_help.FOLDED):
        sign = mark.ascii if ascii_only else mark.mark
        assert f" {sign} " in shown, mark
    for mark in status_marks.OUTCOMES:
        assert mark.word in shown


def test_a_mark_that_is_drawn_and_has_no_place_gets_one():
    drawn = [*status_marks.MARKS, *status_marks.PLANNED, *status_marks.OF_WORK]
    lines = texts(keys_help.legend(80, drawn=drawn))
    assert lines[:4] == texts(keys_help.legend(80))
    assert lines[4] == " ○ waiting, queued   ⊘ skipped, missed   – cancelled   ? review   ⊗ blocked"
    assert lines[5] == " ○ to land   ↻ tried again"
    assert len(page(drawn=drawn).lines) == OF_THE_SMALL


LISTED = [keys_help.NEWS, keys_help.PART, keys_help.FOLDED, keys_help.UNFOLDED, keys_help.MARKED]
"""The marks that the list of missions has beside those of missions."""


def test_each_sign_of_the_list_has_a_mark():
    signs = {mission_list.NEWS, mission_list.PART_OF, missions.FOLDED, mission_list.UNFOLDED, mission_list.MARKED}
    assert {mark.mark for mark in LISTED} == signs


@pytest.mark.parametrize("ascii_only", [False, True])
def test_what_is_marked_and_what_is_unfolded_has_its_word_while_it_is_on_the_screen(ascii_only):
    lines = texts(keys_help.legend(80, ascii_only=ascii_only, drawn=LISTED))
    assert lines[-1] == (" - unfolded   * marked" if ascii_only else " ▾ unfolded   * marked")
    assert lines[:-1] == texts(keys_help.legend(80, ascii_only=ascii_only))
    whole = text(page(drawn=LISTED, ascii_only=ascii_only))
    assert whole.index(keys_help.NOTE) < whole.index(keys_help.LEGEND) < whole.index("* marked")


@pytest.mark.parametrize("context", VIEWS, ids=str)
def test_no_word_of_a_key_is_cut_at_80x24(context):
    assert [line for line in texts(page(context).lines) if re.search(r"\w…", line)] == []


def test_a_view_without_marks_of_its_own_explains_what_is_drawn_beside_its_rows():
    lines = texts(keys_help.legend(80, marks=(), drawn=iter([keys_help.MARKED])))
    assert lines[1:] == [" * marked"]


def test_other_views_have_their_own_marks():
    lines = texts(keys_help.legend(80, marks=(status_marks.QUEUED, status_marks.FAILED, status_marks.TIMED_OUT)))
    assert lines[1:] == [" ○ queued   ✖ failed, timed out"]


@pytest.mark.parametrize("size", [(40, 5), *((columns, rows - 3) for columns, rows in SIZES)], ids=str)
@pytest.mark.parametrize("context", VIEWS, ids=str)
def test_each_view_has_its_keys_in_the_room_that_there_is(context, size):
    found = page(context, *size)
    assert len(found.lines) == size[1]
    assert all(size_of(line) in {0, size[0]} for line in found.lines if line != [Cell(keys_help.NOTE, "quiet")])
    assert found.rows or size[1] < OF_THE_SMALL


@pytest.mark.parametrize("context", VIEWS, ids=str)
def test_no_key_of_a_view_has_two_rows(context):
    rows = keys_help._rows_of(context, read_only=False, ascii_only=False)
    keys = [key for _, found in rows for row in found for key in row.keys.split(" ")]
    assert sorted(keys) == sorted(set(keys))
    held = {keys_help.written(key) for key in keymap.keymap(context)}
    assert set(keys) <= held | {"1-9", "2-6"}


@tabled(
    ("context", "titles"),
    [
        (Context.MISSIONS, ["this mission", "this list", "everywhere"]),
        (Context.QUESTS, ["this quest", "this list", "everywhere"]),
        (Context.LOG, ["this log", "this view", "everywhere"]),
        (Context.NEEDS, ["this question", "this view", "everywhere"]),
    ],
)
def test_columns_are_named_by_what_they_act_on(context, titles):
    assert [cell.text.strip() for cell in page(context).lines[0] if cell.tone == "title"] == titles


def test_read_only_shows_nothing_that_changes():
    found = page(read_only=True)
    assert all(row.action.danger is Danger.NONE for row in found.rows)
    assert "*" not in text(found)


def test_more_rows_than_there_is_room_for_say_so():
    found = page(height=12)
    assert "… 8 more: ?" in text(found)
    assert len(found.lines) == 12


def test_arrows_are_left_out_where_only_ascii_is_drawn():
    lines = texts(page(ascii_only=True).lines)
    assert all(line.isascii() for line in lines[1:15])
    assert "j k     move" in lines[1]
    assert "h right fold, unfold" in lines[3]
