"""The help: columns whose headings stay with their rows, of which one is chosen and done."""

from __future__ import annotations

from itertools import product

import pytest
from textual import events

from overmind_core.domain.missions import status_marks
from overmind_core.domain.missions.outcome import outcome_of_state
from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.schedules import RunStatus
from overmind_core.view import keys_help
from overmind_core.view import missions as missions_rows
from overmind_core.view import notes as notes_rows
from overmind_core.view import plans as plans_rows
from overmind_core.view import quests as quests_rows
from overmind_core.view import specs as specs_rows
from overmind_core.view import swarm as swarm_rows
from overmind_core.view import timeline as timeline_rows
from overmind_core.view.actions import Context
from overmind_core.view.hints import Part
from overmind_core.view.missions import Branch
from overmind_core.view.swarm import SwarmState
from overmind_tui.render import help as help_lines
from overmind_tui.render import texts
from overmind_tui.render.help import NARROWEST, Entry, Section, laid_out
from overmind_tui.widgets.table import ResourceTable
from tests.tui.conftest import lists_needs, until
from tests.tui.test_pictures import ROWS
from tests.tui.test_pictures_swarm import OfSwarm
from tests.tui.test_traps import Asked, run
from tests.tui.walks import walk


def sections(*counts):
    """Sections of so many rows each."""
    return [Section(f"part {at}", [Entry(f"{at}{row}", f"does {at}.{row}") for row in range(count)])
            for at, count in enumerate(counts)]  # fmt: skip


def said(sheet):
    return ["".join(cell.text for cell in line).rstrip() for line in sheet.lines]


@pytest.mark.parametrize(("cells", "columns"), [(39, 1), (78, 1), (117, 2), (197, 3)])
def test_as_many_columns_stand_side_by_side_as_fit(cells, columns):
    assert help_lines.columns_in(cells) == columns
    sheet = laid_out(sections(20, 20, 20), cells, 0)
    assert {place.column for place in sheet.places} == set(range(columns))
    assert all(len(line) <= cells for line in said(sheet))


@pytest.mark.parametrize("counts", [(3, 3), (1, 9, 1), (30,), (2, 2, 2, 2, 2), (17, 1, 16)])
def test_each_row_stands_below_its_heading_also_where_a_column_begins(counts):
    sheet = laid_out(sections(*counts), 2 * NARROWEST, 0)
    assert len(sheet.places) == sum(counts)
    lines = said(sheet)
    number = 0
    for at, count in enumerate(counts):
        for _ in range(count):
            place = sheet.places[number]
            above = [line[place.column * NARROWEST :][:NARROWEST].strip() for line in lines[: place.line]]
            heading = next(line for line in reversed(above) if line.startswith("part"))
            assert heading.removesuffix(" …") == f"part {at}"
            number += 1


@pytest.mark.parametrize("cells", [77, 117, 197])
@pytest.mark.parametrize("context", Context)
def test_no_row_of_the_help_is_cut_however_many_columns_there_are(context, cells):
    rows = texts.help_sections(context, read_only=False)
    sheet = laid_out(rows, cells, 0)
    room = cells // help_lines.columns_in(cells)
    columns = [" ".join(line[at : at + room] for line in said(sheet)) for at in range(0, cells, room)]
    shown = " ".join(" ".join(columns).split())
    for entry in (entry for section in rows for entry in section.entries):
        assert all(word in shown for word in [*entry.text.split(), *([f"({entry.note})"] if entry.note else [])])
        assert entry.text in shown, "its words stand together"


@pytest.mark.parametrize(
    ("context", "words"),
    [
        (Context.BOARD, {"queued", "blocked", "review", "succeeded"}),
        (Context.SPEC, {"queued", "blocked", "review", "stale"}),
        (Context.HEALTH, {"working", "frozen", "quiet", "stalled", "hung"}),
        (Context.MISSIONS, {"your turn", "frozen", "killed"}),
    ],
)
def test_the_help_of_a_view_says_what_the_marks_in_its_rows_mean_and_each_mark_means_one_thing(context, words):
    (marks,) = (section for section in texts.help_sections(context, read_only=False) if section.title == "marks")
    assert words <= {word for entry in marks.entries for word in entry.text.split(", ")}
    assert len({entry.keys for entry in marks.entries}) == len(marks.entries)


LANDED: tuple[dict[str, str] | None, ...] = (None, {})


def of_cards():
    """The marks that quests can have, and those at a gate."""
    for status, code, is_asked, why, reason, landed in product(
        QuestStatus, (None, "blocked"), (False, True), ("", "main is not committed"), (None, "timeout"), LANDED
    ):
        row = {
            "id": "a1b2c3d4", "status": status.value, "code": code, "why": why, "into": "main", "landed": landed,
            "outcome": outcome_of_state(status.value, reason), "reason": reason, "phase": "work",
            "activity": "waiting" if is_asked and status is QuestStatus.RUNNING else None,
        }  # fmt: skip
        yield quests_rows.mark(row)
        yield quests_rows.mark({**row, quests_rows.AT_GATE: "gate"})


def of_posts():
    for state, reason, is_asked in product(
        ("queued", "claimed", "lost", "failed", "cancelled", "done"), ("", "needs api"), (False, True)
    ):
        row = swarm_rows.as_row({"id": "1", "name": "api", "state": state, "reason": reason})
        swarm_rows.learn([row], [{"id": row["id"], "summary": "?"}] if is_asked else [], SwarmState(), {})
        yield missions_rows.mark(row)


def of_notes():
    for state, pinned, conflicts in product(("proposed", "live", "forgotten", "replaced"), (False, True), ([], ["b"])):
        yield notes_rows.mark({"state": state, "pinned": pinned, "conflicts": conflicts})


def of_runs():
    for status, outcome in product(RunStatus, (None, "succeeded", "failed", "timed out", "stopped", "killed", "lost")):
        yield missions_rows.mark({"status": status.value, "outcome": outcome})


def of_plain(*words):
    return (status_marks.mark_of(word) for word in words)


DRAWN = {
    **dict.fromkeys((Context.QUESTS, Context.BOARD, Context.QUEUE), of_cards),
    **dict.fromkeys((Context.POSTS, Context.POST_BOARD), of_posts),
    **dict.fromkeys((Context.NOTES, Context.NOTE, Context.LEARN, Context.GIVEN), of_notes),
    **dict.fromkeys((Context.SPECS, Context.SPEC), lambda: of_plain(
        *map(specs_rows.status_of, (*specs_rows._STATES, *specs_rows._SHOWN_AS, "stale")))),
    Context.RUNS: of_runs,
    Context.RITUALS: lambda: of_plain("running", "paused", "waiting"),
    Context.PLAN: lambda: of_plain(*plans_rows.SHOWN),
    Context.HEALTH: lambda: (*status_marks.MARKS, *status_marks.SILENT),
    **dict.fromkeys((Context.MISSIONS, Context.PLANS, Context.WORKTREES), lambda: status_marks.MARKS),
}  # fmt: skip
"""Context → the marks of all rows that its view can have."""


@pytest.mark.parametrize("context", DRAWN)
def test_each_mark_that_a_view_can_draw_stands_in_its_legend(context):
    lines = keys_help.legend(200, marks=texts.marks_of(context))
    explained = {(cell.text, cell.tone) for line in lines for cell in line}
    assert {(mark.mark, mark.tone) for mark in DRAWN[context]()} <= explained


def test_each_mark_of_a_timeline_stands_in_its_legend():
    lines = keys_help.legend(200, marks=texts.marks_of(Context.TIMELINE))
    explained = {(cell.text, cell.tone) for line in lines for cell in line}
    words = {*timeline_rows.SHOWN, *timeline_rows._SHOWN_AS, *timeline_rows._HAVE_MARKS}
    for cell in (timeline_rows.what({"what": word}) for word in words):
        if not cell.text.startswith(" "):
            tones = {cell.tone, "wait"} if cell.tone == "quiet" else {cell.tone}  # a call that is over is none
            assert explained & {(cell.text[0], tone) for tone in tones}


def test_a_view_whose_rows_have_no_marks_explains_none():
    of_kept = Context.CONVERSATIONS, Context.TRANSCRIPTS
    for context in (Context.HIVES, Context.FLEETS, Context.POOLS, Context.VAULT, Context.TABLE, *of_kept):
        assert keys_help.legend(80, marks=texts.marks_of(context)) == []
        assert not [one for one in texts.help_sections(context, read_only=False) if one.title == "marks"]


def test_a_marked_row_of_a_view_whose_rows_have_no_marks_is_explained():
    async def scenario(app, press):
        await press(":fleets", "space", "?")
        assert " * marked" in drawn(app)

    walk(scenario, OfSwarm)


def test_what_is_filtered_keeps_its_headings():
    kept = help_lines.kept(sections(2, 2), [False, True, False, False])
    assert [(one.title, [entry.keys for entry in one.entries]) for one in kept] == [("part 0", ["01"])]


def test_sideways_is_the_row_beside():
    places = laid_out(sections(8, 8), 2 * NARROWEST, 0).places
    assert places[help_lines.step(places, 2, sideways=1)] == places[2]._replace(column=1)
    assert help_lines.step(places, 2, sideways=-1) == 2


def test_enter_closes_the_help_and_does_what_the_row_says():
    async def scenario(app, pilot):
        for one in "?/":
            app.post_message(events.Key(one, one))
        await until(pilot, lambda: getattr(app.screen, "view", "") == "help" and app.screen.bar.sign, what="its filter")
        await pilot.press(*"describe it", "enter")
        assert "mission" in app.screen.text.shown_text(), "headings stay with their rows"
        await pilot.press("enter")
        await until(pilot, lambda: app.described, what="the description is asked for")

    class Asking(Asked):
        described = False

        def request(self, command, requests, on_result):
            self.described |= command == "info"
            if command != "info":
                super().request(command, requests, on_result)

    run(Asking, scenario)


def drawn(app):
    """The lines of the screen."""
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in line).rstrip() for line in strips]


async def help_of(app, pilot, *keys):
    await pilot.press(*keys, "question_mark")
    await until(pilot, lambda: getattr(app.screen, "view", "") == "help", what="the help")
    await pilot.pause()


@pytest.mark.parametrize("ascii_only", [False, True])
def test_every_mark_of_the_table_is_in_the_help_at_80x24_without_scrolling(ascii_only):
    class Plain(Asked):
        ascii_only = False

    Plain.ascii_only = ascii_only

    async def scenario(app, pilot):
        await help_of(app, pilot)
        assert app.screen.text.virtual_size.height == app.screen.text.scrollable_content_region.height
        shown = "\n".join(drawn(app))
        for mark in (*status_marks.MARKS, status_marks.ATTACHED, keys_help.NEWS, keys_help.PART, keys_help.FOLDED):
            assert f" {mark.ascii if ascii_only else mark.mark} " in shown, mark
        for outcome in status_marks.OUTCOMES:
            assert outcome.word in shown

    run(Plain, scenario, (80, 24))


def test_a_mark_that_a_row_has_now_and_that_has_no_place_gets_one():
    rows = [*ROWS, {**ROWS[0], "id": "00000099", "name": "waits", "status": "queued"},
            {**ROWS[5], "id": "00000098", "name": "reviewed", "outcome": None, "quest_state": "review"}]  # fmt: skip

    async def scenario(app, pilot):
        await help_of(app, pilot)
        assert "○ queued   ? review" in "\n".join(drawn(app)[-7:])
        assert not any(mark.tone == "wait" for mark in texts.drawn_marks(Context.MISSIONS, app.fleet)), "as in the list"

    run(lambda: Asked(rows), scenario, (80, 24))


def test_what_the_list_draws_beside_the_marks_of_rows_has_its_word_only_while_it_does():
    async def scenario(app, pilot):
        await help_of(app, pilot)
        assert not {"unfolded", "marked"} & set("\n".join(drawn(app)[-7:]).split())
        await pilot.press("escape", "G", "enter", "g", "space")
        await help_of(app, pilot)
        assert drawn(app)[-3] == " ▾ unfolded   * marked"

    run(Asked, scenario, (80, 24))


def test_a_table_names_what_it_draws_beside_the_marks_of_its_rows():
    table = ResourceTable(())
    table.branches, table.marked = [Branch("a", {"unseen": True, "attached": 1}, folded=2)], {"a"}
    assert table.signs == [keys_help.NEWS, status_marks.ATTACHED, keys_help.FOLDED, keys_help.MARKED]
    table.branches = [Branch("b", {"unseen": False})]
    assert table.signs == []


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_the_columns_are_first_and_the_same_key_shows_all_keys_and_the_columns_again(size):
    async def scenario(app, pilot):
        await help_of(app, pilot)
        page = app.screen
        columns = drawn(app)
        assert "this mission" in columns[1 + (size[1] >= 30)]
        assert "everywhere" in columns[1 + (size[1] >= 30)]
        assert columns[-2].startswith(" › / find a key or a word")
        assert columns[-1] == " enter does the row  / find  ? all keys  esc back"
        await pilot.press("question_mark")
        assert page.hint_part is Part.ALL_KEYS
        assert "its question, or its terminal (view only)" in page.text.shown_text()
        await pilot.press("question_mark")
        assert drawn(app)[:-2] == columns[:-2]
        await pilot.press("escape")
        assert app.screen is app.main, "one key leaves"

    run(Asked, scenario, size)


def test_what_is_looked_for_is_found_in_all_keys_and_the_columns_are_back_without_it():
    async def scenario(app, pilot):
        await help_of(app, pilot)
        page = app.screen
        await pilot.press("slash", *"describe", "enter")
        assert [entry.text for entry in page._entries] == ["describe it"]
        assert "/ describe   1 of " in drawn(app)[-2]
        await pilot.press("escape")
        assert "this mission" in drawn(app)[1]
        await pilot.press("slash", *"nosuch", "enter")
        assert "esc shows all" in page.text.shown_text()
        await pilot.press("enter")
        assert app.screen is page, "there is nothing to do"

    run(Asked, scenario, (80, 24))


def test_the_chosen_row_of_the_columns_is_done_by_enter_and_by_two_clicks():
    async def scenario(app, pilot):
        await help_of(app, pilot)
        page = app.screen
        await pilot.press("right", "right", "j", "j", "j")
        (row,) = (line for line in page.text.lines if any("cursor" in cell.tone for cell in line))
        assert [cell.text.strip() for cell in row if "cursor" in cell.tone] == [":", "any command"]
        await pilot.press("enter")
        assert (app.screen, app.screen.bar.sign) == (app.main, ":")
        await pilot.press("escape")
        await help_of(app, pilot)
        page = app.screen
        lines = drawn(app)
        (y,) = (at for at, line in enumerate(lines) if "needs you" in line and "!" in line and "next" not in line)
        await pilot.click(offset=(lines[y].index("needs you"), y))
        assert app.screen is page, "one click chooses"
        await pilot.click(offset=(lines[y].index("needs you"), y), times=2)
        await until(pilot, lambda: lists_needs(app), what="the list of those")

    run(Asked, scenario, (80, 24))


def test_all_keys_are_in_the_text_that_is_saved():
    lines = texts.help_lines(Context.MISSIONS, read_only=False)
    assert sum("restart" in "".join(cell.text for cell in line) for line in lines) >= 1
