"""Finding by letters, and what was said last: rows that do what keys do, and nothing that ends work by a slip."""

from __future__ import annotations

import pytest

from overmind_core.domain.operation import Danger
from overmind_core.view import finding
from overmind_core.view.actions import Context
from overmind_core.view.finding import Kind
from overmind_core.view.keymap import keymap
from overmind_core.view.registry import VIEWS
from overmind_tui.command_line.verbs import VERBS
from overmind_tui.pages.dialog import Dialog
from overmind_tui.pages.table import TablePage
from overmind_tui.shell import find_page
from overmind_tui.shell.find_page import FindPage
from tests.kit.cases import tabled
from tests.tui.conftest import picture, until
from tests.tui.test_line import put
from tests.tui.test_pictures import AGENTS, settle
from tests.tui.test_traps import Asked, run

API = "00000002"


def agents():
    return Asked(AGENTS)


async def found(app, pilot, letters):
    await pilot.press("ctrl+p")
    await until(pilot, lambda: isinstance(app.screen, FindPage) and app.screen.bar.sign, what="what finds")
    await pilot.press(*("space" if one == " " else one for one in letters))
    await pilot.pause()


def rows(app):
    """What enter does, in the order of the rows."""
    return [(one.findable.kind, one.findable.name) for one in app.screen._targets]


def test_letters_find_what_can_be_done_missions_views_and_commands_the_best_first():
    async def scenario(app, pilot):
        await found(app, pilot, "")
        kinds = {kind for kind, _ in rows(app)}
        assert kinds == set(Kind), "all kinds, before a letter is typed"
        await pilot.press(*"research")
        assert rows(app)[0] == (Kind.MISSION, "research")
        await pilot.press(*["backspace"] * 8, *"quest why")
        assert (Kind.COMMAND, "quest why") in rows(app)
        await pilot.press("ctrl+u", *"zzz")
        assert "nothing matches" in picture(app)
        await pilot.press("enter")
        assert isinstance(app.screen, FindPage), "enter has nothing to do"
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main, what="closed by one key")

    run(agents, scenario)


def test_all_keys_views_and_commands_can_be_found():
    async def scenario(app, pilot):
        del pilot
        there = find_page.targets(app, app.main)
        of = {kind: {one.findable.name for one in there if one.findable.kind is kind} for kind in Kind}
        actions = {one.name for one in keymap(Context.MISSIONS).values()} - find_page.HERE
        done = [one for one in there if one.findable.kind in {Kind.ACTION, Kind.MOVE}]
        assert {getattr(one.entry.action, "name", None) for one in done} == actions
        assert of[Kind.VIEW] == set(VIEWS)
        assert of[Kind.COMMAND] == set(VERBS) - set(VIEWS)
        assert of[Kind.MISSION] == {row["name"] for row in AGENTS}

    run(agents, scenario)


def test_before_a_letter_is_typed_what_is_done_to_the_mission_stands_first_and_moves_last():
    async def scenario(app, pilot):
        await found(app, pilot, "")
        there = rows(app)
        kinds = list(dict.fromkeys(kind for kind, _ in there))
        assert kinds == [Kind.ACTION, Kind.VIEW, Kind.MISSION, Kind.COMMAND, Kind.MOVE]
        names = [name for kind, name in there if kind is Kind.ACTION]
        assert max(map(names.index, ("answer", "log", "stop"))) < min(map(names.index, ("new", "by cpu", "zoom")))
        moves = [one.entry.action for one in app.screen._targets if one.findable.kind is Kind.MOVE]
        assert {"down", "up", "next-panel"} <= {one.name for one in moves if one is not None}

    run(agents, scenario)


def test_a_mission_that_is_found_has_the_cursor_a_view_is_opened_and_an_action_done():
    async def scenario(app, pilot):
        await found(app, pilot, "api")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.main, what="back")
        assert app.main.table.cursor_id == API
        await found(app, pilot, "tree or flat")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.main, what="back")
        assert app.main.table_panel.flat
        await found(app, pilot, "cost")
        while app.screen._targets[app.screen._at].findable != finding.Findable(
            Kind.VIEW, "cost", " ".join(VIEWS["cost"].aliases), VIEWS["cost"].summary
        ):
            await pilot.press("down")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TablePage), what="the view")

    run(agents, scenario)


ENDING = sorted({one.name for one in keymap(Context.MISSIONS).values() if one.danger is Danger.ENDS_WORK} - {"edit"})
"""Without the one that opens an editor outside, and restarts only after that."""


@tabled("name", ENDING)
def test_what_ends_work_asks_first_as_its_key_does(name):
    action = next(one for one in keymap(Context.MISSIONS).values() if one.name == name)

    async def scenario(app, pilot):
        assert app.main.table.select(API)
        await pilot.press(action.keys[0])
        await settle(pilot)
        by_key = type(app.screen), list(app.asked), app.notice.text
        if isinstance(app.screen, Dialog):
            await pilot.press("escape")
        app.asked.clear()
        app.flash("")
        await found(app, pilot, "")
        target = next(one for one in app.screen._targets if one.entry.action is action)
        app.screen._go_to(app.screen._targets.index(target))
        await pilot.press("enter")
        await settle(pilot)
        assert (type(app.screen), app.asked, app.notice.text) == by_key
        assert not {"stop", "kill", "remove", "restart"} & set(app.asked)

    run(agents, scenario)


def test_a_command_is_typed_into_the_line_and_not_run():
    async def scenario(app, pilot):
        put(app, "ctrl+p", *"quest cancel", "enter")
        await until(pilot, lambda: app.screen is app.main and app.main.bar.sign, what="the line")
        assert (app.main.bar.sign, app.main.bar.field.text) == (":", "quest cancel ")
        assert app.asked == []

    run(agents, scenario)


def test_the_rows_are_chosen_with_arrows_while_letters_are_typed_and_the_past_of_filters_stays_out_of_it():
    async def scenario(app, pilot):
        await found(app, pilot, "s")
        first = app.screen._at
        await pilot.press("down", "down", "up")
        assert app.screen._at == first + 1
        assert app.screen.bar.field.text == "s"
        await pilot.press("escape")
        assert app.typed_history.of("/") == []

    run(agents, scenario)


@pytest.mark.parametrize("size", [(40, 8), (80, 24), (120, 40), (200, 60)])
def test_what_finds_fits_each_size(size):
    async def scenario(app, pilot):
        await found(app, pilot, "st")
        lines = picture(app).splitlines()
        assert len(lines) == size[1]
        assert any("stop" in line for line in lines)

    run(agents, scenario, size)


def test_who_only_reads_finds_nothing_that_changes_something():
    async def scenario(app, pilot):
        await found(app, pilot, "")
        assert {one.entry.note for one in app.screen._targets} == {""}

    run(lambda: Asked(AGENTS, read_only=True), scenario)


LONG = "merge of api is refused: " + "3 files conflict, shift-l shows which ones they are and who changed them; " * 3


def test_what_was_said_last_is_shown_whole():
    async def scenario(app, pilot):
        await pilot.press("ctrl+o")
        assert app.screen is app.main or "nothing was said" in picture(app)
        app.flash(LONG, "bad")
        await pilot.press("j", "ctrl+o")
        await until(pilot, lambda: getattr(app.screen, "view", "") == "said", what="what was said")
        shown = " ".join(app.screen.shown_text().split())
        assert shown.partition(" ")[2] == LONG.strip()
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main, what="closed")

    run(agents, scenario, (80, 24))


def test_ctrl_l_draws_again():
    async def scenario(app, pilot):
        await pilot.press("ctrl+l")
        await until(pilot, lambda: "refreshed" in picture(app), what="drawn again")

    run(agents, scenario)
