"""The hints of every part of the screen: nine at most, and each does what it says, by its key and by a click."""

from __future__ import annotations

import pytest

from overmind_core.domain.text.cells import width
from overmind_core.view import hints, keymap
from overmind_core.view.actions import Context, shown_key
from overmind_core.view.hints import Part
from overmind_tui.changes.page import ChangesPage
from overmind_tui.missions.task_line import TaskLine
from overmind_tui.pages.compose import Composer
from overmind_tui.pages.dialog import Dialog
from overmind_tui.render.layout import Panel
from overmind_tui.shell.help_page import HelpPage
from tests.kit.cases import tabled
from tests.tui.conftest import until
from tests.tui.test_handlers import in_program, pages
from tests.tui.test_keys import REACHED, go_to, key, walk, writing_down
from tests.tui.test_pictures import AGENTS, QUESTIONS
from tests.tui.test_traps import Asked, run

KEYS = {shown_key(name): name for action in keymap.ACTIONS for name in action.keys}
"""A key as people write it → Textual's name."""


def drawn(app):
    """The row of hints as it is on the screen."""
    return "".join(segment.text for segment in app.screen._compositor.render_strips()[-1])


def said(page, cells):
    """Each hint: its key by Textual's name, the name of its action, and the cell where it begins."""
    found = []
    begin = 1
    for one in hints._fitting(page.hint_part, cells, False, False):
        found.append((KEYS[one.key], one.action, begin))
        begin += width(one.key) + 1 + width(one.word) + hints.GAP
    return found


@pytest.mark.parametrize("context", REACHED)
def test_each_hint_on_the_screen_does_the_action_that_it_says_by_its_key_and_by_a_click(context, monkeypatch):
    async def scenario(app, pilot):
        await go_to(app, pilot, context)
        page, line = app.screen, drawn(app)
        shown = said(page, app.size.width)
        assert 1 <= len(shown) <= hints.MOST
        y = app.size.height - 1
        with monkeypatch.context() as patched:
            done: list[tuple[Context, str]] = []
            patched.setattr(type(page), "act", writing_down(done))
            for name, action, begin in shown:
                assert line[begin:].strip(), name
                assert line[begin - 1] == " ", "it begins there"
                del done[:]
                app.post_message(key(name))
                await pilot.pause()
                assert done == [(context, action)], name
                del done[:]
                await pilot.click(offset=(begin, y))
                assert done == [(context, action)], name

    walk(scenario, monkeypatch)


def test_on_every_page_there_are_nine_at_most_and_each_key_means_what_is_said():
    def look(app):
        for page in pages(app):
            part = page.hint_part
            for cells in (80, 120, 200):
                line = hints.hint_line(part, cells)
                assert sum(width(cell.text) for cell in line) == cells, "one row"
            shown = said(page, 2000)
            assert 1 <= len(shown) <= hints.MOST, page
            for name, action, _ in shown:
                meant = keymap.keymap(page.context).get(name)
                assert meant is not None, (page, name)
                assert meant.name == action, (page, name)

    in_program(look)


DOES = [
    ("question", lambda app: app.main.context is Context.NEEDS),
    ("open", lambda app: app.main.context in {Context.LOOKING, Context.LOG}),
    ("next-need", lambda app: app.screen is not app.main or app.main.table.cursor_id != "00000001"),
    ("message", lambda app: isinstance(app.screen, Composer) or app.main.bar.sign),
    ("log", lambda app: app.main.context is Context.LOG),
    ("changes", lambda app: isinstance(app.screen, ChangesPage) or app.main.panels.current is Panel.DIFF),
    ("stop", lambda app: isinstance(app.screen, Dialog)),
    ("next-panel", lambda app: app.main.panels.face is not Panel.LOG),
    ("help", lambda app: isinstance(app.screen, HelpPage)),
]


@tabled(("action", "happened"), DOES)
def test_each_hint_of_the_list_does_what_its_word_says(action, happened):
    async def scenario(app, pilot):
        assert app.main.hint_part is Part.LIST
        assert app.main.table.select("00000002" if action == "question" else "00000001")
        (name,) = (name for name, one, _ in said(app.main, 120) if one == action)
        await pilot.press(name)
        await until(pilot, lambda: happened(app), what=action)

    run(lambda: Asked(AGENTS, QUESTIONS), scenario)


def test_the_hints_of_the_list_are_all_walked():
    walked = {action for action, _ in DOES}
    assert {hint.action for hint in hints.PARTS[Part.LIST][1]} <= walked


def test_the_hints_of_a_home_with_nothing_in_it_do_what_they_say():
    async def scenario(app, pilot):
        assert app.main.hint_part is Part.FIRST
        assert drawn(app).strip() == "n new  ? keys  q quit"
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, TaskLine), what="a new mission")

    run(lambda: Asked([]), scenario)


def test_moving_the_cursor_changes_no_cell_of_the_hints():
    async def scenario(app, pilot):
        line = drawn(app)
        for _ in app.main.table.branches:
            await pilot.press("j")
            assert drawn(app) == line

    run(lambda: Asked(AGENTS), scenario)
