"""The whole table of contexts and keys, walked against a real supervisor; the empty cells too."""

from __future__ import annotations

import pytest
from textual import events

from overmind_tui.command_line.verbs import ELSEWHERE, VERBS
from overmind_tui.inbox.page import NeedsPage
from overmind_tui.missions.form import FormScreen
from overmind_tui.pages.compose import Box
from overmind_tui.pages.dialog import Dialog
from overmind_tui.pages.page import Page
from overmind_tui.render.texts import help_lines
from overmind_tui.shell.actions import TAKES_EVERYTHING, Context, Danger
from overmind_tui.shell.keymap import ACTIONS, keymap
from overmind_tui.shell.registry import VIEWS
from tests.tui.conftest import until

UNUSED = set("BEFGHKLPQRTUVWXZbquw")
ALL_KEYS = sorted({key for action in ACTIONS for key in action.keys} | UNUSED)
"""Every key of every context, and letters that none has."""
FATAL = {"quit", "leave", "back"}
MISSIONS = {"alpha": "sleep 300", "beta": "echo done"}
AT_ONCE = {"send-detach-key"}
"""What the pane does before any table is asked."""
SHELL = "trap '' QUIT INT; exec cat"  # the key that leaves a terminal may be sent to it
PLANNED = {
    Context.PLANS,
    Context.PLAN,
    Context.QUESTS,
    Context.RITUALS,
    Context.RUNS,
    Context.WORKTREES,
    Context.CHANGES,
}
"""These are walked without a supervisor, in test_plans and test_landing."""
REACHED = [one for one in Context if one not in TAKES_EVERYTHING | PLANNED and one is not Context.EVERYWHERE]


def key(name):
    """The event of a key, as the driver makes it."""
    return events.Key(name, name if len(name) == 1 else None)


async def go_to(app, pilot, context, after=""):
    """Have the keys go where this context's count."""
    app.to_root()
    app.main.close_bar()
    if context in {Context.LOOKING, Context.TYPING}:
        app.commands.run("missions")
        app.main.table.select(next(row["id"] for row in app.fleet.rows.values() if row["name"] == "shell"))
        await until(pilot, lambda: app.main.context is Context.MISSIONS, what="the table")
        await pilot.press("a" if context is Context.TYPING else "enter")
    else:
        app.commands.run({Context.LOG: "logs", Context.TEXT: "describe", Context.TABLE: "cost",
                          Context.NEEDS: "inbox"}.get(context, "missions"))  # fmt: skip
    await until(pilot, lambda: getattr(app.screen, "context", None) is context, what=f"{context} after {after}")


@pytest.mark.parametrize("context", REACHED)
def test_each_key_means_what_the_table_says_and_no_other_means_anything(context, om, opened, monkeypatch):
    done = []

    async def scenario(app, pilot):
        await go_to(app, pilot, context)
        with monkeypatch.context() as patched:
            patched.setattr(type(app.screen), "act", lambda page, action: done.append((page.context, action.name)))
            for name in ALL_KEYS:
                del done[:]
                app.post_message(key(name))
                await pilot.pause()
                action = keymap(context).get(name)
                meant = [] if action is None or action.name in AT_ONCE else [(context, action.name)]
                if action is None and name.startswith("alt+"):  # esc, and a key close behind it
                    meant = [(context, "back")]
                    del done[1:]
                assert done == meant, name
        assert {row["status"] for row in om.ps()} == {"running", "stopped"}

    om.ok("run", "--json", "--name", "shell", "--type", "session", SHELL)
    opened(MISSIONS, scenario)


@pytest.mark.parametrize("context", REACHED)
def test_each_action_is_done_and_nothing_fails(context, om, opened):
    async def scenario(app, pilot):
        after = ""
        for name, action in keymap(context).items():
            if action.name in FATAL or (action.context is not context and context is not Context.MISSIONS):
                continue
            await go_to(app, pilot, context, after)
            after = name
            app.post_message(key(name))
            await pilot.pause(0.02)
            while isinstance(app.screen, Dialog | FormScreen | Box):
                await pilot.press("escape")
                await pilot.pause()
            assert app.is_running, name
            if action.danger is not Danger.NONE and "running" not in {row["status"] for row in om.ps()}:
                om.ok("restart", "shell")

    om.ok("run", "--json", "--name", "shell", "--type", "session", SHELL)
    opened(MISSIONS, scenario)


@pytest.mark.parametrize("opening", ["m", "n", ":", "/"])
def test_where_text_is_typed_every_letter_is_text(opening, om, opened, monkeypatch):
    done = []

    async def scenario(app, pilot):
        app.main.table.select(next(row["id"] for row in app.fleet.rows.values() if row["name"] == "shell"))
        app.post_message(key(opening))
        await until(pilot, lambda: app.main.bar.sign or app.screen is not app.main, what="something to type into")
        monkeypatch.setattr(Page, "act", lambda _page, action: done.append(action.name))
        for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.!?<>*-[]0123456789":
            app.post_message(key(letter))
        await pilot.pause(0.1)
        assert done == []
        assert {row["status"] for row in om.ps()} == {"running", "stopped"}

    om.ok("run", "--json", "--name", "shell", "--type", "session", SHELL)
    opened(MISSIONS, scenario)


@pytest.mark.parametrize("context", list(Context))
def test_the_help_of_a_context_names_each_of_its_keys(context):
    shown = "\n".join("".join(cell.text for cell in line) for line in help_lines(context, read_only=False))
    for action in keymap(context).values():
        assert action.summary in shown, action


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


def test_needs_you_is_a_page_of_its_own(opened):
    async def scenario(app, pilot):
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: isinstance(app.screen, NeedsPage), what="the page")
        await pilot.press("q")
        await until(pilot, lambda: app.screen is app.main, what="back")

    opened(MISSIONS, scenario)
