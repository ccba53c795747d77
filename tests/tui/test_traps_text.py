"""What agents say, in every view: shown as it is, moving nothing, and without colours for who wants none."""

from __future__ import annotations

import re

import pytest

from overmind_core.client import terminal_stream as stream
from overmind_core.domain.text.cells import width
from overmind_core.errors import OvermindError
from overmind_core.logs.sanitise import Sanitiser
from overmind_core.terminal.screen import Screen
from overmind_tui.changes import page
from overmind_tui.missions import actions_start
from overmind_tui.shell.messages import Happened, LogShown
from tests.kit import torture
from tests.tui.conftest import picture, until
from tests.tui.test_pictures import AGENTS, NOW, QUESTIONS, Still, settle
from tests.tui.test_pictures_starting import AGENT
from tests.tui.test_pictures_worktrees import CHANGES, CONFLICTS, PREVIEW, UNMERGED, WORKTREES
from tests.tui.test_traps import Asked, run

WORDS = "[red]R[/red] [/] [b"
EVIL = f"{WORDS} \x1b[31m\x07\x9b5n\u202e\t日本語 e\u0301 👨‍👩‍👧 ❤️ |"
NEVER = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def evil(value):
    """The same value with hostile words in every text that is no name of ours."""
    kept = {"id", "parent", "status", "activity", "need", "type", "provider", "mode", "activity_since",
            "restart_policy", "reason"}  # fmt: skip
    if isinstance(value, dict):
        return {key: one if key in kept or key.endswith("_at") else evil(one) for key, one in value.items()}
    if isinstance(value, list):
        return [evil(one) for one in value]
    return EVIL if isinstance(value, str) else value


EVENT = {"seq": 9, "at": "2026-01-01T00:00:09.000Z", "type": "message", "mission": "00000002", "name": EVIL,
         "text": EVIL}  # fmt: skip
TERMINAL = f"\x1b]2;{WORDS}\x07{WORDS} \u202e日本語 e\u0301 👨‍👩‍👧 |\r\n"


def evil_answer(found):
    """The same answer of the supervisor with hostile words in it."""
    if isinstance(found, dict):
        return {key: value if key == "status" else evil_answer(value) for key, value in found.items()}
    if isinstance(found, list):
        return [evil_answer(one) for one in found]
    if isinstance(found, str):
        return f"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-{EVIL}\n+{EVIL}\n" if "diff" in found else EVIL
    return found


EVIL_WORKTREE = {**evil_answer(WORKTREES[0]), "mission": "0000000f", "status": None, "ports": {EVIL: 3100},
                 "containers": {EVIL: EVIL}}  # fmt: skip


class Evil(Asked):
    """Every word of every agent is hostile."""

    def __init__(self):
        asked = [{**evil(one), "need": one["need"], "name": EVIL} for one in QUESTIONS]
        super().__init__([{**evil(row), "tty": True, "interactive": True} for row in AGENTS], asked)
        self.main.terminal_panel.session.connect = self._connect  # type: ignore[method-assign]
        self.old = False
        """Whether the supervisor knows no changes, so that git itself is asked."""
        self.merge = evil_answer(PREVIEW)

    def _connect(self, *, read_only, size=None):
        screen = Screen(100, 30)
        screen.feed(TERMINAL.encode())
        self.main.terminal_panel.session._came(stream.Joined(screen, "00000002.1", not read_only, again=False))
        del size

    def _show_log(self, look):
        (line,) = Sanitiser().feed(f"{EVIL}\n".encode())
        self.post_message(LogShown(look, [(NOW - at, at % 2, line) for at in range(3)], partial=line, runs=(2, 2)))

    def request(self, command, requests, on_result):
        info = evil(AGENT)
        answers = {"info": info, "definition": {"definition": {"env": {}}}, "result": {"result": EVIL},
                   "top": [info], "cost": [{**info, "key": EVIL}], "worktrees": {"worktrees": [EVIL_WORKTREE]},
                   "changes": OvermindError("unknown_command") if self.old else evil_answer(CHANGES),
                   "discard": OvermindError("unmerged", EVIL, **evil_answer(UNMERGED.fields))}  # fmt: skip
        on_result([answers.get(command, {}) for _ in requests])

    def follow(self, command, request, each, on_result):
        del command, request, each
        on_result(self.merge)


async def flashed(app, _pilot):
    app.flash(EVIL)


async def asked_always(app, _pilot):
    app.action_groups.inbox.answer_actions.always(evil(QUESTIONS[0]))


async def happened(app, pilot):
    app.post_message(Happened([EVENT]))
    await pilot.press("colon", *"events", "enter")


async def pasted(app, pilot):
    await settle(pilot)
    app.screen.paste(EVIL)


async def changed(app, pilot):
    app.old = True
    await pilot.press("v")
    await until(pilot, lambda: "looking …" not in app.screen.shown_text(), what="git's answer")


async def conflicting(app, pilot):
    app.merge = OvermindError("conflicts", EVIL, **evil_answer(CONFLICTS.fields))
    await pilot.press("colon", *"wt", "enter", "L")


async def refused(app, pilot):
    app.merge = OvermindError("git_failed", EVIL)
    await pilot.press("colon", *"wt", "enter", "L")


async def looked_at(app, _pilot):
    app.main.terminal_panel.look(app.main.table.current.row)


async def untrusted(app, _pilot):
    fields = {"path": EVIL, "sha256": "1", "commands": [EVIL]}
    actions_start.ask(app, OvermindError("untrusted_project", EVIL, **fields), lambda: None)


VIEWS = {
    "table": ([], None), "wide": (["ctrl+w", "z"], None), "log": (["l", "t"], None), "wrapped": (["l", "w", "f"], None),
    "looking": ([], looked_at), "typing": (["a"], None), "needs": (["exclamation_mark"], None),
    "whole question": (["exclamation_mark", "enter"], None), "the rule": ([], asked_always),
    "box": (["m"], None), "written in the box": (["m"], pasted), "in own words": (["exclamation_mark", "m"], None),
    "worktrees": (["colon", *"wt", "enter"], None), "review": (["v"], None), "conflicts": ([], conflicting),
    "land?": (["colon", *"wt", "enter", "L"], None), "no landing": ([], refused), "untrusted": ([], untrusted),
    "discard?": (["colon", *"wt", "enter", "ctrl+d"], None), "lost?": (["colon", *"wt", "enter", "ctrl+d", "y"], None),
    "comment": (["v", "n", "j", "j", "c"], None), "commit": (["colon", *"wt", "enter", "C"], pasted),
    "describe": (["d"], None), "definition": (["E"], None), "question": (["y"], None),
    "changes": ([], changed), "events": ([], happened),
    "stop?": (["x"], None), "kill?": (["*", "ctrl+k"], None), "flash": ([], flashed), "form": (["n"], pasted),
    "filter": (["slash"], pasted), "command": (["colon"], pasted), "top": ([":", *"top", "enter"], None),
    "cost": ([":", *"cost", "enter"], None), "a filter nobody matches": (["slash", *"zzz", "enter"], None),
}  # fmt: skip
OTHERS_FIRST = [*list(VIEWS)[2:], *list(VIEWS)[:2]]
"""So that a part of the views without colours are others than a part of those with colours."""
LARGE, SMALL = (200, 60), (80, 24)
WITHOUT_AGENTS = {"a filter nobody matches", "definition"}


@pytest.fixture
def evil_changes(monkeypatch):
    """What git says of the folder is hostile too."""
    diff = f"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-{EVIL}\n+{EVIL}\n"
    found = page.Changes(EVIL, (EVIL,), f" M {EVIL}\0", diff, "more than 2 MB")
    monkeypatch.setattr(page, "git_changes", lambda _folder, _environ, *, since: found)  # noqa: ARG005 - as git has it


async def opened_view(app, pilot, view):
    keys, more = VIEWS[view]
    for key in keys:
        await pilot.press(key)
        await until(pilot, lambda: app.screen.is_mounted and not app.typed._held, what="its screen")
    if more is not None:
        await more(app, pilot)
    await settle(pilot)
    await settle(pilot)


@pytest.mark.torture
@pytest.mark.usefixtures("evil_changes")
@pytest.mark.parametrize("view", torture.some(VIEWS))
def test_what_agents_say_is_shown_as_it_is_and_moves_nothing(view):
    async def scenario(app, pilot):
        await opened_view(app, pilot, view)
        lines = picture(app).splitlines()
        assert view in WITHOUT_AGENTS or any(WORDS in line for line in lines), "\n".join(lines)
        assert_harmless(lines, LARGE)
        await pilot.resize_terminal(*SMALL)
        await settle(pilot)
        assert_harmless(picture(app).splitlines(), SMALL)

    run(Evil, scenario, LARGE)


def assert_harmless(lines, size):
    assert len(lines) == size[1]
    assert {width(line) for line in lines} == {size[0]}
    assert not [line for line in lines if NEVER.search(line)]
    assert not [line for line in lines if "\ufe0f" in line and "❤" not in line]


@pytest.mark.torture
@pytest.mark.usefixtures("evil_changes")
@pytest.mark.parametrize("view", torture.some(OTHERS_FIRST))
def test_who_wants_no_colours_gets_none_in_any_view(view, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    async def scenario(app, pilot):
        await opened_view(app, pilot, view)
        styles = {style for line in app.screen._compositor.render_strips() for _, style, _ in line if style is not None}
        coloured = [one for one in styles if not (_is_plain(one.color) and _is_plain(one.bgcolor))]
        assert not coloured

    run(Evil, scenario)


def _is_plain(colour):
    return colour is None or colour.is_default


def test_without_colours_the_cursor_is_still_seen(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    async def scenario(app, _pilot):
        lines = app.screen._compositor.render_strips()
        reversed_ = ["".join(text for text, _, _ in line) for line in lines if any(s and s.reverse for _, s, _ in line)]
        assert [line for line in reversed_ if app.main.table.current.row["name"] in line]

    run(lambda: Still(AGENTS), scenario)
