"""The hints of every part of the screen: nine at most, and each does what it says, by its key and by a click."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from overmind_core.domain.text.cells import width
from overmind_core.view import hints, keymap
from overmind_core.view.actions import Context, shown_key
from overmind_core.view.hints import Part
from overmind_tui.changes.page import ChangesPage
from overmind_tui.missions.describe_page import DescribePage
from overmind_tui.missions.form import FormScreen
from overmind_tui.missions.task_line import TaskLine
from overmind_tui.pages.compose import Composer
from overmind_tui.pages.dialog import Dialog
from overmind_tui.pages.table import TablePage
from overmind_tui.render.layout import Panel
from overmind_tui.shell import clipboard, external, world
from overmind_tui.shell.help_page import HelpPage
from tests.kit.cases import tabled
from tests.tui.conftest import picture, question_read, until
from tests.tui.quest_walks import GatedBoard, RecordingBoard
from tests.tui.test_handlers import in_program, pages
from tests.tui.test_keys import ANSWERS, REACHED, go_to, key, walk, writing_down
from tests.tui.test_line import Starting
from tests.tui.test_notes import RecordingNotes
from tests.tui.test_pictures import AGENTS, QUESTIONS
from tests.tui.test_pictures_plans import Planned
from tests.tui.test_pictures_swarm import OfSwarm
from tests.tui.test_pictures_worktrees import Isolated
from tests.tui.test_specs import RecordingSpecs
from tests.tui.test_traps import Asked, run
from tests.tui.test_watching import RecordingHealth
from tests.tui.walks import Recording
from tests.tui.walks import walk as walk_view


class RecordingPlans(Recording, Planned):
    """Plans and rituals that stand still."""


class RecordingSwarm(Recording, OfSwarm):
    """A swarm that stands still."""


class RecordingWorktrees(Recording, Isolated):
    """Worktrees that stand still."""


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
    ("open", lambda app: app.main.context is Context.LOG),
    ("next-need", lambda app: app.main.table.cursor_id == "00000008"),
    ("message", lambda app: isinstance(app.screen, Composer)),
    ("log", lambda app: app.main.context is Context.LOG),
    ("changes", lambda app: isinstance(app.screen, ChangesPage)),
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


OF_EVERYWHERE = {action.name for action in keymap.ACTIONS if action.context in {Context.EVERYWHERE, Context.TABLE}}
VIEWS = [
    (RecordingBoard, ":board", 15), (GatedBoard, ":board", 17), (RecordingBoard, ":queue", 7),
    (RecordingBoard, ":quests", 12), (RecordingNotes, ":notes", 5), (RecordingNotes, ":notes all", 5),
    (RecordingHealth, ":health", 5), (RecordingHealth, ":learn", 3), (RecordingSpecs, ":specs", 5),
    (RecordingPlans, ":plans", 3), (RecordingPlans, ":plan", 6), (RecordingPlans, ":rituals", 4),
    (RecordingWorktrees, ":worktrees", 6), (RecordingSwarm, ":swarm", 7), (RecordingSwarm, ":board swarm", 10),
    (RecordingSwarm, ":fleets", 2), (RecordingSwarm, ":vault", 2),
]  # fmt: skip
"""Program, view, and at least how many rows it has in all."""


@tabled(("make", "view", "rows"), VIEWS)
def test_a_bright_hint_on_a_row_does_something_there(make, view, rows):
    """Whatever opens something, or asks for something, is only written down: the page stays as it is."""

    async def scenario(app, press):
        with pytest.MonkeyPatch.context() as patched:
            await walked(app, press, patched)

    async def walked(app, press, monkeypatch):
        await press(view)
        page, seen = app.screen, 0
        done: list[object] = []
        assert isinstance(page, TablePage)

        def note(*words, **_how):
            done.append(words)

        for owner, name in (
            (app, "open"),
            (app, "request"),
            (app.commands, "run"),
            (app.main, "show_needs"),
            (app.main, "to_front"),
            (external, "run"),
            (clipboard, "copy"),
            (page, "open_bar"),
        ):
            monkeypatch.setattr(owner, name, note)
        monkeypatch.setattr(os.path, "lexists", lambda _path: True)  # documents that the supervisor knows of are there
        monkeypatch.setattr(app, "flash", lambda text, tone="": None if tone == "slow" else note(text))
        for at in range(len(page.table.branches)):
            page.table.move_to(at)
            seen += page.table.current is not None
            for action in bright(page) - OF_EVERYWHERE - {"lanes"}:
                del done[:]
                page.act(hints.actions_of(page.context)[action])
                assert done, (page.table.current, action)
        assert seen >= rows

    walk_view(scenario, make)


def bright(page):
    """Names of the actions whose hints are offered, and not faint."""
    return {one.action for one in hints._fitting(page.hint_part, 2000, False, False)} - page.unusable()


@tabled(("view", "shown"), [(":board", set()), (":queue", {"pause-queue"}), (":quests", set())])
def test_without_a_row_nothing_is_offered_that_is_done_to_one(view, shown):
    async def scenario(app, press):
        await press(view)
        await press("/", *"nosuchquest", "enter")
        assert app.screen.table.current is None
        assert bright(app.screen) - {"inbox", "quit", "lanes", "help"} == shown

    walk_view(scenario, RecordingBoard)


class Talking(Starting):
    """The same with questions, and a terminal that nobody joins."""

    def __init__(self, rows=AGENTS):
        rows = [{**row, "tty": True, "interactive": True} for row in rows]
        super().__init__(rows, questions=QUESTIONS if len(rows) > 1 else [])
        self.run_answer |= {"message": 1, "state": "delivered", "ahead": 0}
        self.left: list[str] = []
        self.quitting.ask = lambda: self.left.append("asked")  # type: ignore[method-assign]
        self.main.terminal_panel.session.connect = lambda **_how: None  # type: ignore[method-assign]

    def request(self, command, requests, on_result):
        if command in ANSWERS:
            on_result([ANSWERS[command] for _ in requests])
        else:
            super().request(command, requests, on_result)


def sent(app):
    return [one["text"] for command, one in app.requests if command == "send"]


def at_list(app):
    return app.screen is app.main and app.main.hint_part is Part.LIST


PARTS_DO = [
    (Part.QUESTION, "whole", "", lambda app: app.main.question.whole),
    (Part.QUESTION, "next-need", "", lambda app: app.main.table.cursor_id not in {None, "00000002"}),
    (Part.QUESTION, "attach", "", lambda app: app.main.panels.current is Panel.TERMINAL),
    (Part.QUESTION, "log", "", lambda app: app.main.context is Context.LOG),
    (Part.QUESTION, "changes", "", lambda app: isinstance(app.screen, ChangesPage)),
    (Part.QUESTION, "describe", "", lambda app: isinstance(app.screen, DescribePage)),
    (Part.QUESTION, "back", "", at_list),
    (Part.QUESTION, "help", "", lambda app: isinstance(app.screen, HelpPage)),
    (Part.NOBODY, "back", "", at_list),
    (Part.NOBODY, "help", "", lambda app: isinstance(app.screen, HelpPage)),
    (Part.NEW, "start", "make it", lambda app: app.runs == [("claude", "make it", "/srv/work")] and at_list(app)),
    (Part.NEW, "form", "make it", lambda app: isinstance(app.screen, FormScreen) and "make it" in picture(app)),
    (Part.NEW, "", "", lambda app: "› command in /srv/work" in picture(app)),
    (Part.NEW, "keep", "make it", lambda app: at_list(app) and app.remembered.get("new_task", "") == "make it"),
    (Part.COMMAND_ONLY, "start", "$ make", lambda app: app.runs == [("", "make", "/srv/work")] and at_list(app)),
    (Part.COMMAND_ONLY, "form", "make it", lambda app: isinstance(app.screen, FormScreen)),
    (Part.COMMAND_ONLY, "", "", lambda app: "› command in /srv/work" in picture(app)),
    (Part.COMMAND_ONLY, "keep", "make it", lambda app: at_list(app) and app.remembered.get("new_task", "")),
    (Part.MESSAGE, "send", "go on", lambda app: sent(app) == ["go on"] and at_list(app)),
    (Part.MESSAGE, "newline", "go on", lambda app: app.screen.field.text == "go on\n"),
    (Part.MESSAGE, "editor", "go on", lambda app: app.screen.field.text == "edited"),
    (Part.MESSAGE, "older", "", lambda app: app.screen.field.text == "said before"),
    (Part.MESSAGE, "cancel", "go on", lambda app: at_list(app) and "restores the text" in picture(app)),
    (Part.MESSAGE, "keep", "go on", lambda app: at_list(app) and "draft kept" in picture(app)),
    *((part, "run-row", "", lambda app: app.main.context in {Context.LOOKING, Context.LOG, Context.NEEDS})
      for part in (Part.HELP, Part.ALL_KEYS)),
    *((part, "filter", "", lambda app: app.screen.bar.sign == "/") for part in (Part.HELP, Part.ALL_KEYS)),
    (Part.HELP, "help", "", lambda app: app.screen.hint_part is Part.ALL_KEYS),
    (Part.ALL_KEYS, "help", "", lambda app: app.screen.hint_part is Part.HELP),
    *((part, "back", "", at_list) for part in (Part.HELP, Part.ALL_KEYS, Part.FINDING)),
    (Part.FINDING, "run-row", "research", lambda app: app.main.table.cursor_id == "00000006" and at_list(app)),
    (Part.FINDING, "row-below", "", lambda app: app.screen._at == 1),
    (Part.FINDING, "row-above", ["down"], lambda app: app.screen._at == 0),
    (Part.FIRST, "new", "", lambda app: isinstance(app.screen, TaskLine)),
    (Part.FIRST, "help", "", lambda app: isinstance(app.screen, HelpPage)),
    (Part.FIRST, "quit", "", lambda app: app.left == ["asked"]),
]  # fmt: skip
CALM = [row for row in AGENTS if row["id"] == "00000001"]
ROWS_OF = {Part.FIRST: [], Part.NOBODY: CALM}
"""Part → the rows with which it has the keys, where those are few."""
OPENED_BY = {
    Part.QUESTION: ["y"], Part.NOBODY: ["!"], Part.NEW: ["n"], Part.COMMAND_ONLY: ["n"], Part.MESSAGE: ["m"],
    Part.HELP: ["question_mark"], Part.ALL_KEYS: ["question_mark", "question_mark"], Part.FINDING: ["ctrl+p"],
    Part.FIRST: [],
}  # fmt: skip


async def to_part(app, pilot, part):
    """Have the keys in that part, by keys."""
    if part is Part.QUESTION:
        assert app.main.select("00000002")
        await question_read(app, pilot)
    elif part is Part.MESSAGE:
        assert app.main.table.select("00000001")
        await pilot.press("m", *"said", "space", *"before", "enter")
        await until(pilot, lambda: at_list(app), what="a message that was sent")
        app.requests.clear()
    for name in OPENED_BY[part]:
        await pilot.press(name)
        await until(pilot, lambda: not app.typed._held, what="its screen")
    await until(pilot, lambda: (app.screen.part if hasattr(app.screen, "part") else app.screen.hint_part) is part)


@pytest.fixture
def machine(monkeypatch):
    """One agent is installed, and the editor writes one word."""

    def edited(_shell, words, *, then, **_how):
        Path(words[-1]).write_text("edited", encoding="utf-8")
        then(0)

    monkeypatch.setattr(external, "run", edited)
    monkeypatch.setattr(world, "installed_agents", lambda _environ: {"claude": True})


CLICKED = [False, True]
"""Ways to use a hint: by its key, by a click on it."""


async def does(app, pilot, hint, keys, *, clicked):
    """Press the keys of a hint that is drawn, or click on it."""
    sought = f" {hint.key} {hint.word}"
    await until(pilot, lambda: sought in picture(app).splitlines()[-1], what="it is drawn")
    if clicked:
        await pilot.click(offset=(width(picture(app).splitlines()[-1].partition(sought)[0]) + 1, app.size.height - 1))
    else:
        await pilot.press(*keys)


@pytest.mark.usefixtures("machine")
@tabled(("clicked", "part", "action", "typed", "happened"), [(by, *row) for by in CLICKED for row in PARTS_DO])
def test_each_hint_of_each_other_part_does_what_its_word_says(clicked, part, action, typed, happened):
    async def scenario(app, pilot):
        await to_part(app, pilot, part)
        (hint,) = (one for one in hints._fitting(part, app.size.width, False, False) if one.action == action)
        await pilot.press(*("space" if one == " " else one for one in typed))
        assert not happened(app), "not before"
        await does(app, pilot, hint, [KEYS[hint.key]] if action else ["$", "space"], clicked=clicked)
        await until(pilot, lambda: happened(app), what=action)

    with pytest.MonkeyPatch.context() as patched:
        if part is Part.COMMAND_ONLY:
            patched.setattr(world, "installed_agents", lambda _environ: {"claude": False})
        run(lambda: Talking(ROWS_OF.get(part, AGENTS)), scenario)


@pytest.mark.usefixtures("machine")
def test_a_click_on_the_sign_of_a_command_makes_one_of_what_was_typed():
    async def scenario(app, pilot):
        await to_part(app, pilot, Part.NEW)
        await pilot.press(*"make")
        hint = next(one for one in hints._fitting(Part.NEW, app.size.width, False, False) if one.sign)
        for _ in range(2):
            await does(app, pilot, hint, (), clicked=True)
            assert (app.screen.field.text, app.screen.field.at) == ("$ make", 6), "one sign is enough"

    run(Talking, scenario)


BARS_DO = [
    (Part.COMMAND, "enter", "hel", lambda app: not app.main.bar.sign and "hel" in picture(app)),
    (Part.COMMAND, "tab", "hel", lambda app: app.main.bar.field.text == "help"),
    (Part.COMMAND, "up", "", lambda app: app.main.bar.field.text == "said before"),
    (Part.COMMAND, "escape", "hel", lambda app: at_list(app) and not app.main.bar.sign),
    (Part.FILTER, "enter", "api", lambda app: at_list(app) and "/ api   1 of" in picture(app)),
    (Part.FILTER, "up", "", lambda app: app.main.bar.field.text == "said before"),
    (Part.FILTER, "escape", "api", lambda app: at_list(app) and "/ api   1 of" in picture(app)),
    (Part.BROKEN_FILTER, "escape", "api(", lambda app: at_list(app) and "/ api   1 of" in picture(app)),
    (Part.BROKEN_FILTER, "enter", "api(", lambda app: at_list(app) and "/ api   1 of" in picture(app)),
    (Part.BROKEN_FILTER, "up", "(", lambda app: app.main.bar.field.text == "said before"),
]  # fmt: skip


@tabled(("clicked", "part", "name", "typed", "happened"), [(by, *row) for by in CLICKED for row in BARS_DO])
def test_each_hint_of_the_line_that_is_typed_into_does_what_its_word_says(clicked, part, name, typed, happened):
    async def scenario(app, pilot):
        before = drawn(app)
        for sign in ":/":
            app.typed_history.add(sign, "said before")
        await pilot.press("colon" if part is Part.COMMAND else "slash", *typed)
        (hint,) = (one for one in hints._fitting(part, app.size.width, False, False) if one.sign == name)
        assert f" {shown_key(name)} {hint.word}" in drawn(app)
        assert "y answer" not in drawn(app), "those of the list are not for now"
        assert not happened(app), "not before"
        await does(app, pilot, hint, [name], clicked=clicked)
        await until(pilot, lambda: happened(app), what=name)
        assert app.main.bar.sign or app.screen is not app.main or drawn(app) == before

    run(Talking, scenario)


def test_a_filter_is_said_to_be_kept_only_while_it_makes_sense():
    async def scenario(app, pilot):
        for typed, kept in (("slash", "it"), ("a", "it"), ("(", "what is shown"), (")", "it"), ("(", "what is shown")):
            await pilot.press(typed)
            assert f" enter keeps {kept} " in drawn(app)
        await pilot.press("enter")
        assert app.main.table_panel.filter.text == "a()"

    run(Talking, scenario)


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("keys", [["ctrl+k"], ["x"], ["n", "tab"]], ids=" ".join)
def test_before_a_dialog_or_a_form_nothing_of_the_list_is_offered(keys):
    async def scenario(app, pilot):
        before = picture(app).splitlines()[-2:]
        assert "1 of 3" in before[0]
        for name in keys:
            await pilot.press(name)
            await until(pilot, lambda: app.screen is not app.main and not app.typed._held, what="its screen")
        await until(pilot, lambda: isinstance(app.screen, (Dialog, FormScreen)), what="a box")
        assert not "".join(picture(app).splitlines()[-2:]).strip()
        await pilot.click(offset=(1, app.size.height - 1))
        assert isinstance(app.screen, (Dialog, FormScreen)), "a click on what is not offered does nothing"
        await pilot.press("escape")
        await until(pilot, lambda: at_list(app), what="the list again")
        assert "y answer" in drawn(app)

    run(Talking, scenario)


def test_the_hints_of_all_parts_are_all_walked():
    walked = {(part, action) for part, action, *_ in PARTS_DO} | {(Part.LIST, action) for action, _ in DOES}
    walked |= {(part, name) for part, name, *_ in BARS_DO}
    bars = {*hints.TYPED_AFTER.values(), Part.BROKEN_FILTER}
    assert walked == {
        (part, hint.sign if part in bars else hint.action) for part, (_, said) in hints.PARTS.items() for hint in said
    }


def test_a_home_with_nothing_in_it_hints_at_little():
    async def scenario(app, pilot):
        assert app.main.hint_part is Part.FIRST
        assert drawn(app).strip() == "n new  ? keys  q quit"

    run(lambda: Asked([]), scenario)


def test_moving_the_cursor_changes_no_cell_of_the_hints():
    async def scenario(app, pilot):
        line = drawn(app)
        for _ in app.main.table.branches:
            await pilot.press("j")
            assert drawn(app) == line

    run(lambda: Asked(AGENTS), scenario)
