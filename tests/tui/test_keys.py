"""The whole table of contexts and keys, walked over missions that never change; the empty cells too."""

from __future__ import annotations

import asyncio

import pytest
from textual import events

from overmind_core.client import terminal_stream as stream
from overmind_core.domain.operation import DANGERS
from overmind_core.domain.operations import OPERATIONS
from overmind_core.errors import OvermindError
from overmind_core.terminal.screen import Screen
from overmind_core.view import hints
from overmind_core.view.actions import TAKES_EVERYTHING, Context, shown_key
from overmind_core.view.hints import Part
from overmind_core.view.keymap import ACTIONS, keymap
from overmind_core.view.registry import VIEWS
from overmind_tui.changes import page as changes_page
from overmind_tui.command_line.verbs import ELSEWHERE, VERBS
from overmind_tui.missions.form import FormScreen
from overmind_tui.pages import compose
from overmind_tui.pages.compose import Composer
from overmind_tui.pages.dialog import Dialog
from overmind_tui.pages.page import Page
from overmind_tui.render.texts import help_lines
from overmind_tui.shell import clipboard, external
from overmind_tui.shell.messages import LogShown
from tests.kit.cases import tabled
from tests.tui.conftest import later, until
from tests.tui.test_pictures import AGENTS, QUESTIONS, settle
from tests.tui.test_pictures_log import SERVICE
from tests.tui.test_pictures_starting import AGENT
from tests.tui.test_pictures_tables import COST
from tests.tui.test_pictures_talking import ANSWER
from tests.tui.test_pictures_terminal import SHOWN
from tests.tui.test_pictures_worktrees import CHANGES
from tests.tui.test_traps import Asked

UNUSED = set("BEFGHKLPQRTUVWXZbquw")
ALL_KEYS = sorted({key for action in ACTIONS for key in action.keys} | UNUSED)
"""Every key of every context, and letters that none has."""
LEAVING = {"quit", "leave"}
"""Where nothing is open they end the program; others see to that."""
ELSEWHERE_WALKED = {
    Context.PLANS,
    Context.PLAN,
    Context.QUESTS,
    Context.BOARD,
    Context.QUEUE,
    Context.HIVES,
    Context.POSTS,
    Context.POST_BOARD,
    Context.FLEETS,
    Context.POOLS,
    Context.VAULT,
    Context.SPECS,
    Context.SPEC,
    Context.DOCUMENT,
    Context.HEALTH,
    Context.TIMELINE,
    Context.LEARN,
    Context.NOTES,
    Context.NOTE,
    Context.GIVEN,
    Context.RITUALS,
    Context.RUNS,
    Context.WORKTREES,
    Context.CHANGES,
    Context.CONVERSATIONS,
    Context.TRANSCRIPTS,
}
"""In test_plans, test_quests, test_hives, test_swarm, test_specs, test_watching, test_notes, test_landing and
test_conversations."""
REACHED = [one for one in Context if one not in TAKES_EVERYTHING | ELSEWHERE_WALKED and one is not Context.EVERYWHERE]
ASKING, BEFORE = "00000002", "00000001"
"""A mission that asks something, has a parent, a terminal and a log; and its parent."""


ANSWERS = {
    "info": AGENT, "definition": {"definition": {"env": {}}, "as_of": "b3fee44d8bbba9b7"}, "cost": COST,
    "result": {"result": ANSWER}, "changes": CHANGES,
}  # fmt: skip


class Walked(Asked):
    """Agents that never change, and all that is asked of the supervisor, of the machine and of the terminal."""

    def __init__(self):
        rows = [{**row, "tty": True, "interactive": True, "type": "session", "cwd": "/"} for row in AGENTS]
        super().__init__(rows, QUESTIONS)
        self.requested: list[str] = []
        """The requests among what was asked."""
        self.main.terminal_panel.session.connect = self._connect  # type: ignore[method-assign]

    def _connect(self, *, read_only, size=None):
        del size
        stay = self.main.terminal_panel.session
        stay._asked = not read_only
        screen = Screen(100, 30)
        screen.feed(SHOWN.encode())
        stay._came(stream.Joined(screen, f"{ASKING}.1", not read_only, again=False))

    def _show_log(self, look):
        self.asked.append(f"log {look}")
        self.post_message(LogShown(look, SERVICE, partial="listening …", runs=(3, 3)))

    def request(self, command, requests, on_result):
        self.asked.append(command)
        self.requested.append(command)
        if command in ANSWERS:
            on_result([ANSWERS[command] for _ in requests])
        elif command == "answer":  # else the question would be on its way out, and no further key could mean it
            on_result([OvermindError("busy") for _ in requests])

    def recorded(self, what):
        """A function that writes down that it was called."""
        return lambda *_words, **_how: self.asked.append(what)


def walk(scenario, monkeypatch):
    """Run the scenario with a program whose machine only writes down what it is asked."""

    async def whole():
        app = Walked()
        for module, name in ((clipboard, "copy"), (clipboard, "save"), (clipboard, "save_lines"), (external, "run")):
            monkeypatch.setattr(module, name, app.recorded(name))
        monkeypatch.setattr(app.log_follower, "draw_ruler", app.recorded("a ruler"))
        monkeypatch.setattr(
            changes_page, "git_changes", lambda *_words, **_how: changes_page.Changes("main", (), "", "", "")
        )
        async with app.run_test(size=(120, 24)) as pilot:
            await until(pilot, lambda: app.fleet.loaded, what="rows")
            await scenario(app, pilot)

    asyncio.run(whole())


def key(name):
    """The event of a key, as the driver makes it."""
    return events.Key(name, name if len(name) == 1 else None)


VIEW = {Context.LOG: "logs", Context.TEXT: "describe", Context.TABLE: "cost", Context.NEEDS: "inbox",
        Context.HELP: "help"}  # fmt: skip


async def go_to(app, pilot, context):
    """Have the keys go where this context's count, and mean the mission that asks."""
    later(app)
    while isinstance(app.screen, Dialog | FormScreen | Composer):
        await pilot.press("escape")
    app.main.to_front()
    app.main.close_bar()
    while app.main.log_panel.search.close():
        continue
    app.main.act(keymap(Context.MISSIONS)["ctrl+backslash"])
    app.commands.run("missions")
    app.main.table.select(ASKING)
    await settle(pilot)
    if context is Context.LOOKING:
        app.main.terminal_panel.look(app.fleet.of(ASKING))
    else:
        app.commands.run(VIEW.get(context, "missions"))
    await until(pilot, lambda: getattr(app.screen, "context", None) is context, what=f"{context}")
    await settle(pilot)
    later(app)


def test_each_key_means_what_the_table_says_and_no_other_means_anything(monkeypatch):
    async def scenario(app, pilot):
        for context in REACHED:
            await go_to(app, pilot, context)
            with monkeypatch.context() as patched:
                done: list[tuple[Context, str]] = []
                patched.setattr(type(app.screen), "act", writing_down(done))
                for name in ALL_KEYS:
                    del done[:]
                    app.post_message(key(name))
                    await pilot.pause()
                    action = keymap(context).get(name)
                    meant = [] if action is None else [(context, action.name)]
                    if action is None and name.startswith("alt+"):  # esc, and a key close behind it
                        meant = [(context, "back")]
                        del done[1:]
                    assert done == meant, (context, name)
        assert {one.partition(" ")[0] for one in app.asked} <= {"log", *ANSWERS}, "only what the pages themselves read"

    walk(scenario, monkeypatch)


def writing_down(done):
    """Instead of doing what a key means."""

    def act(page, action):
        done.append((page.context, action.name))

    return act


SEARCHED = {Context.LOOKING: ["slash", *"step (1|50) ", "enter"], Context.LOG: ["slash", *"GET", "tab", "enter"],
            Context.TEXT: ["slash", "e", "enter"]}  # fmt: skip
FIRST = {
    "mark-none": ["*"], "clear-filter": ["slash", *"api", "enter"], "log-tail": ["1"], "half-down": ["1", "ctrl+u"],
    "half-up": ["0"], "text-half-up": ["ctrl+d"], "unfold": ["J", "left"], "back": ["z"], "wide": ["z"],
}  # fmt: skip
"""What is done first, so that there is something to be done."""
HIDING = {"header", "hints"}
"""What they hide is wanted again: what other keys say stands there."""
SILENT = {(Context.TABLE, "wide"), (Context.LOOKING, "send-detach-key")}
"""A table that has no more columns; and what goes to the program in the terminal, which shows it itself."""


def is_more(request, danger):
    """Whether a request does more to work than that."""
    return DANGERS.index(OPERATIONS[request].danger) > DANGERS.index(danger)


def seen(app):
    """All that a key can change: what is on the screen, and what was asked of anybody."""
    return (app.screen._compositor.render_strips(), app.screen, list(app.asked))


@pytest.mark.parametrize("context", REACHED)
def test_each_action_shows_something_or_asks_somebody_and_for_no_more_than_its_row_says(context, monkeypatch):
    silent = []
    overdone: list[tuple[str, str]] = []

    async def scenario(app, pilot):
        for name, action in keymap(context).items():
            if action.name in LEAVING or (action.context is not context and context is not Context.MISSIONS):
                continue
            await go_to(app, pilot, context)
            first = SEARCHED[context] if action.name.endswith("-match") else FIRST.get(action.name, ())
            await pilot.press(*("space" if one == " " else one for one in first))
            await pilot.press(*{"next-match": "NN", "previous-match": "nn"}.get(action.name, ""))
            app.flash("")
            await settle(pilot)
            before = seen(app)
            app.requested.clear()
            app.post_message(key(name))
            await settle(pilot)
            await until(pilot, lambda: not app.typed._held, what="the screen that the next key is for")
            overdone.extend((action.name, one) for one in app.requested if is_more(one, action.danger))
            assert app.is_running, name
            if seen(app) == before and (context, action.name) not in SILENT:
                silent.append((name, action.name))
            if action.name in HIDING:
                await pilot.press(name)

    walk(scenario, monkeypatch)
    assert silent == []
    assert overdone == [], "it asks for more than its operation does"


def written(app):
    """What is typed just now."""
    if app.main.bar.sign:
        return app.main.bar.field.text
    return app.screen.state.text("text") if isinstance(app.screen, FormScreen) else app.screen.field.text


@pytest.mark.parametrize("opening", ["m", "n", ":", "/"])
def test_where_text_is_typed_every_letter_is_text(opening, monkeypatch):
    typed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.!?<>*-[]0123456789"

    async def scenario(app, pilot):
        await go_to(app, pilot, Context.MISSIONS)
        app.post_message(key(opening))
        await until(pilot, lambda: app.main.bar.sign or app.screen is not app.main, what="something to type into")
        await until(pilot, lambda: not app.typed._held, what="it takes keys")
        asked = len(app.asked)
        done: list[tuple[Context, str]] = []
        monkeypatch.setattr(Page, "act", writing_down(done))
        for letter in typed:
            app.post_message(key(letter))
        await pilot.pause()
        assert done == []
        assert not [one for one in app.asked[asked:] if not one.startswith("log ")], "a filter moves the cursor"
        assert written(app).endswith(typed)

    walk(scenario, monkeypatch)


@tabled("context", list(Context))
def test_the_help_of_a_context_names_each_of_its_keys(context):
    shown = "\n".join("".join(cell.text for cell in line) for line in help_lines(context, read_only=False))
    for action in keymap(context).values():
        assert action.summary in shown, action


def test_the_keys_of_a_box_are_those_of_its_hints():
    named = dict(part.split(" ", 1) for part in compose.HELP.format(verb="send").split(" · "))
    known = {shown_key(action.keys[0]): action.name for action in hints.actions_of(Context.BOX).values()}
    assert [known[key] for key in named] == ["send", "newline", "editor", "keep"]
    assert named["ctrl-j"] == next(hint.word for hint in hints.PARTS[Part.MESSAGE][1] if hint.action == "newline")


def test_where_there_are_no_arrows_they_are_words_in_the_help():
    lines = help_lines(Context.TABLE, read_only=False, ascii_only=True)
    keys = [line[0].text for line in lines if line and line[0].tone == "key"]
    assert all(key.isascii() for key in keys)
    assert {"   left ", "   < shift-left "} <= {key.rstrip() + " " for key in keys}


def test_each_action_has_a_key_and_a_twin_among_verbs_or_a_reason():
    for action in ACTIONS:
        assert action.keys, action
        assert bool(action.verb) != bool(action.alone), action
        assert not action.verb or action.verb in VERBS or action.verb in ELSEWHERE or action.verb in VIEWS, action
