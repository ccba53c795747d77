"""Where programs of this kind go wrong: rows that move under a key, text taken for markup, keys of somebody else."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys

import pytest
from textual import constants, events
from textual.drivers.web_driver import WebDriver

from overmind_core.domain.operation import Danger
from overmind_core.view.actions import Context, acts_on_row
from overmind_core.view.keymap import keymap
from overmind_tui.command_line.verbs import VERBS
from overmind_tui.shell import driver
from overmind_tui.shell.find_page import FindPage
from overmind_tui.shell.keys import Token, Tokenizer, TokenKind
from overmind_tui.shell.messages import InboxChanged, RowsChanged
from overmind_tui.widgets import missions_list, table
from tests.kit import torture
from tests.kit.overmind import REPOSITORY
from tests.tui.conftest import later, lists_needs, until
from tests.tui.test_pictures import AGENTS, QUESTIONS, ROWS, Still, mission, settle
from tests.tui.test_pictures_talking import PLAN, SETUP, SEVERAL, Asking

JUST_CHANGED = "the row under the cursor just changed"


@pytest.fixture
def long_unrest(monkeypatch):
    """A row that moved has just done so for as long as the test takes."""
    for where in (table, missions_list):
        monkeypatch.setattr(where, "RESTLESS_SECONDS", float("inf"))


def run(make, scenario, size=(120, 40)):
    """The program with missions that never change, once they are drawn."""

    async def whole():
        app = make()
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: app.fleet.loaded, what="rows")
            await settle(pilot)
            await scenario(app, pilot)

    asyncio.run(whole())


class Asked(Asking):
    """Writes down what it is asked to do."""

    def __init__(self, rows=ROWS, questions=(), **how):
        super().__init__(rows, questions, **how)
        self.asked: list[str] = []

    def _start(self):
        super()._start()
        self.jobs.start = self._start_job  # type: ignore[method-assign]

    def _start_job(self, name, calls, on_result):
        del calls, on_result
        self.asked.append(name)

    def request(self, command, requests, on_result):
        if command not in {"seen", "result", "changes"}:
            self.asked.append(command)
        super().request(command, requests, on_result)


# the cursor's row moves under the key


async def on_a_row_that_left(app, pilot):
    """The cursor stood on `api`; another mission is under it now, by itself."""
    assert app.main.table.select("00000002")
    app.post_message(RowsChanged([], ["00000002"]))
    await until(pilot, lambda: "00000002" not in app.fleet.rows, what="it has left")
    assert app.main.table.cursor_id not in {None, "00000002"}
    assert app.main.table.restless


ENDING = sorted(key for key, one in keymap(Context.MISSIONS).items() if one.danger is Danger.ENDS_WORK)
ACTING = ["L", "i"]
"""Keys that change something and open no line, which would name the row first."""


def test_each_key_that_acts_on_a_row_is_tried():
    acting = {key for key, one in keymap(Context.MISSIONS).items() if acts_on_row(one)}
    assert acting == {*ENDING, *ACTING}


@pytest.mark.usefixtures("long_unrest")
@pytest.mark.parametrize("key", [*ENDING, *ACTING])
def test_no_key_that_acts_on_a_row_meets_one_that_has_just_come_under_the_cursor(key):
    async def scenario(app, pilot):
        await on_a_row_that_left(app, pilot)
        await pilot.press(key)
        assert JUST_CHANGED in app.notice.text
        assert app.screen is app.main
        assert app.asked == []
        app.flash("")
        await pilot.press("j", "k", key)
        assert JUST_CHANGED not in app.notice.text, "a row that the person went to is the one that is meant"

    run(Asked, scenario)


MEANT = sorted(
    verb.name
    for verb in VERBS.values()
    if verb.danger is Danger.ENDS_WORK and (verb.takes_missions or verb.one or verb.inside)
)


@pytest.mark.usefixtures("long_unrest")
def test_no_verb_that_ends_work_means_a_row_that_has_just_come_under_the_cursor():
    async def scenario(app, pilot):
        await on_a_row_that_left(app, pilot)
        for verb in MEANT:
            app.flash("")
            app.commands.run(f"{verb} TERM" if verb == "signal" else verb)
            assert JUST_CHANGED in app.notice.text, verb
            assert app.screen is app.main, verb
        assert app.asked == []

    run(Asked, scenario)


ANSWERING = sorted(
    key for key, one in keymap(Context.NEEDS).items() if one.context is Context.NEEDS and one.danger is not Danger.NONE
)
NEXT = {"question": SEVERAL, "permission": {**QUESTIONS[0], "question": 13}, "plan": PLAN, "setup": SETUP, "turn": None}


@pytest.mark.usefixtures("long_unrest")
@pytest.mark.parametrize("following", NEXT)
def test_no_key_answers_what_has_just_come_under_the_cursor(following):
    rows = [row for row in AGENTS if row["name"] in {"planner", "api", "port", "review"}]
    left = NEXT[following]
    idle = [{**row, "activity": "idle", "need": None, "unseen": row["name"] == "review"} for row in rows]
    gone = {**rows[1], "id": "00000009", "name": "gone", "parent": None}

    async def scenario(app, pilot):
        assert app.main.select(gone["id"])
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: lists_needs(app) and app.main.question.key == (gone["id"], 3), what="the first")
        app.post_message(RowsChanged([], [gone["id"]]))
        app.post_message(InboxChanged([] if left is None else [left]))
        await until(pilot, lambda: app.main.restless, what="another one")
        assert app.main.table.cursor_id in {"00000002", "00000004", "00000008"}
        for key in ANSWERING:
            app.flash("")
            later(app)
            await pilot.press(key)
            assert JUST_CHANGED in app.notice.text, key
            assert lists_needs(app), key
        assert app.asked == []

    first = {**QUESTIONS[1], "id": gone["id"], "question": 3, "asked_at": "2025-12-31T20:00:00.000Z"}
    there = idle if left is None else rows
    run(lambda: Asked([*there, gone], [first, *([] if left is None else [left])]), scenario)


# what is drawn again in parts

WALK = [
    "j",
    "k",
    "g",
    "G",
    "pagedown",
    "pageup",
    "space",
    "*",
    "ctrl+backslash",
    "ctrl+w",
    "t",
    "left",
    "right",
    "z",
    "N",
]


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(torture.portion(3)))
def test_what_is_drawn_in_parts_is_what_would_be_drawn_anew(seed):
    crowd = [
        mission(
            at,
            f"m{at}",
            "running",
            f"{at - 1:08x}" if at % 3 else None,
            now=f"step {at}",
            cpu_percent=1.0,
            memory_bytes=9,
        )
        for at in range(1, 150)
    ]
    choice = random.Random(seed)

    async def scenario(app, pilot):
        for _ in range(25):
            await pilot.press(*choice.choices(WALK, k=3))
            await settle(pilot)
            in_parts = app.screen._compositor.render_strips()
            app.main.table.notify_style_update()
            for widget in app.screen.query("*"):
                widget._styles_cache.clear()
                widget.refresh()
            await settle(pilot)
            assert in_parts == app.screen._compositor.render_strips()

    run(lambda: Still(crowd), scenario)


# foreign keys and widgets


def test_no_binding_of_the_library_is_ever_met():
    async def scenario(app, pilot):
        for opening in ("", "colon", "slash", "n", "m", "exclamation_mark"):
            if opening:
                await pilot.press(opening)
                await until(
                    pilot, lambda: app.main.bar.sign or app.screen is not app.main or lists_needs(app), what=opening
                )
            stack, sign = list(app.screen_stack), app.main.bar.sign
            await pilot.press("ctrl+p")
            await settle(pilot)
            finds = isinstance(app.screen, FindPage)
            assert finds is (opening in {"", "exclamation_mark"}), "our own; where text is typed none"
            await pilot.press(*(["escape"] if finds else []), "ctrl+q", "f1")
            await settle(pilot)
            assert app.is_running, opening
            assert app.screen_stack == stack, opening
            assert app.main.bar.sign == sign, opening
            app.main.to_front(for_good=True)
            app.main.close_bar()
            await settle(pilot)

    run(lambda: Asked(AGENTS), scenario)


def sources():
    for folder, _, files in os.walk(os.path.join(REPOSITORY, "overmind_tui")):
        for name in files:
            if name.endswith(".py"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    yield name, file.read()


def test_nothing_is_drawn_by_widgets_that_read_markup_or_draw_all_rows():
    assert [name for name, text in sources() if "textual.widgets" in text or "app.notify(" in text] == []


def test_no_glyph_asks_for_a_width_that_terminals_disagree_on():
    assert [name for name, text in sources() if "\ufe0f" in text] == []


def test_in_a_browser_the_terminal_is_not_ours(monkeypatch):
    monkeypatch.setattr(constants, "DRIVER", "textual.drivers.web_driver:WebDriver")
    assert Still().get_driver_class() is WebDriver


def test_the_program_starts_with_what_keys_and_threads_need():
    """Set before Textual reads it; what only some need is imported later."""
    probe = (
        "import sys, gc, overmind_tui.__main__ as program; loaded = program._loaded\n"
        "class App:\n"
        "  settings, return_code = type('Settings', (), {'mouse': False}), 0\n"
        "  def __init__(self, *_, **__): pass\n"
        "  call_later = __init__\n"
        "  def run(self, **_): from textual import constants; print(\n"
        "    sys.getswitchinterval(), constants.DISABLE_KITTY_KEY, constants.MAX_FPS, gc.isenabled(), *sys.modules)\n"
        "program._loaded = lambda: (App, loaded()[1])\n"
        "program.main()"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", probe], env={"PATH": os.environ["PATH"], "PYTHONPATH": REPOSITORY, "HOME": "/"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    interval, kitty, frames, collects, *modules = done.stdout.split()
    assert (float(interval), kitty, frames, collects) == (0.001, "True", "250", "False")
    assert not {"msgspec", "sqlite3", "overmind_core.daemon", "overmind_core.kernel"} & set(modules)


# sequences over a network


@pytest.mark.parametrize("name", ["SSH_CONNECTION", "SSH_TTY", "MOSH_SERVER_PID"])
def test_over_a_network_a_sequence_that_takes_a_tenth_of_a_second_is_one(monkeypatch, name):
    for other in ("SSH_CONNECTION", "SSH_TTY", "MOSH_SERVER_PID"):
        monkeypatch.delenv(other, raising=False)
    assert driver.escape_seconds() == 0.025
    monkeypatch.setenv(name, "1")
    tokenizer = Tokenizer(driver.escape_seconds())
    found = [*tokenizer.feed("\x1b", 0.0), *tokenizer.tick(0.1), *tokenizer.feed("[A", 0.1), *tokenizer.tick(9.0)]
    assert found == [Token(TokenKind.SEQUENCE, "\x1b[A")]
    assert driver.escape_seconds(40) == 0.04, "what is configured counts everywhere"


def test_keys_that_are_pressed_while_a_screen_opens_are_for_it():
    async def scenario(app, pilot):
        for one in ("x", "n", "?"):
            app.post_message(events.Key(one, one))
        await until(pilot, lambda: getattr(app.screen, "view", "") == "help", what="help, over no question")
        assert app.asked == []

    run(Asked, scenario)
