"""Notes by each key and each verb, in small and large terminals; and what is said where something is missing."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from overmind_core.errors import OvermindError
from overmind_core.view.actions import Context
from overmind_core.view.keymap import keymap
from overmind_tui.notes.note_page import NotePage
from overmind_tui.pages.compose import Composer
from overmind_tui.shell import external
from overmind_tui.shell.messages import Happened
from tests.tui.conftest import picture
from tests.tui.noted import NOTES, WHOLE
from tests.tui.test_notes import FIRST, PINNED_ONE, RecordingNotes, changes
from tests.tui.walks import walk

BY_KEY: dict[str, tuple[str, Any]] = {
    "open-note": ("note", {"note": FIRST, "history": True}),
    "accept-note": ("note_set", {"note": FIRST, "change": "accept"}),
    "pin-note": ("note_set", {"note": FIRST, "change": "pin"}),
    "note-helped": ("outcome", {"notes": [FIRST], "helped": True}),
    "note-hurt": ("outcome", {"notes": [FIRST], "helped": False}),
    "note-users": ("note", {"note": FIRST, "history": True}),
    "forget-note": ("forget", {"notes": [FIRST]}),
    "restore-note": ("note_set", {"note": FIRST, "change": "restore"}),
}
OPENS = {"new-note": Composer, "open-note": NotePage}
BY_VERB = {
    "note accept": "", "note pin": "", "note unpin": "", "note restore": "", "note promote": "--to global",
    "note edit": "--text x", "helped": "", "hurt": "-m 'too old'", "forget": "",
}  # fmt: skip
"""Verb → the words behind it."""
SMALL_AND_LARGE = [(80, 24), (200, 60)]


@pytest.mark.parametrize("size", SMALL_AND_LARGE)
def test_each_action_on_notes_has_a_key_and_a_verb_which_the_list_a_note_and_the_panel_take(size, monkeypatch):
    edited: list[str] = []
    monkeypatch.setattr(external, "run", lambda _shell, argv, **_how: edited.append(argv[-1]))
    acts = [action for action in keymap(Context.NOTES).values() if action.context is Context.NOTES]
    assert {action.name for action in acts} == {*BY_KEY, *OPENS, "edit-note"}
    assert {action.verb for action in acts} <= {*BY_VERB, "note", "remember"}

    async def scenario(app, press):
        async def verbs(note):
            del app.ran[:], edited[:]
            await press(*(f":{verb} {words}" for verb, words in BY_VERB.items()), ":note edit", f":note {note}")
            named = [[*verb.split(), note, *shlex.split(words)] for verb, words in BY_VERB.items()]
            assert app.ran == [*named, ["note", note]]
            assert edited == [note]

        for action in acts:
            await press(":notes")
            del app.asked[:], edited[:]
            await press(action.keys[0])
            if action.name in BY_KEY:
                command, wanted = BY_KEY[action.name]
                assert app.of(command)[0].items() >= wanted.items(), action.name
            assert action.name != "edit-note" or edited == [FIRST]
            assert isinstance(app.screen, OPENS.get(action.name, object))
            app.main.to_front()
        await press(":notes")
        await verbs(FIRST)
        await press("enter")
        await verbs(WHOLE["id"])
        del app.asked[:], edited[:]
        await press("y", "Y", "shift+up", "shift+down", "e")
        assert changes(app) == [(WHOLE["id"], "pin")], "it is no proposal"
        assert [given["helped"] for given in app.of("outcome")] == [True, False]
        assert edited == [WHOLE["id"]]
        await press("escape", "escape", "u", *([] if size[1] < 30 else ["tab"]), "down")
        await verbs(PINNED_ONE)
        del app.ran[:]
        await press("up", ":note pin", ":memory used")
        assert app.ran == [["memory", "used", "00000002"]], "a heading is no note"
        assert app.screen is app.main

    walk(scenario, RecordingNotes, size=size)


def test_the_page_of_a_note_shows_what_became_of_it_meanwhile_and_asks_one_thing_at_a_time():
    async def scenario(app, press):
        await press(":notes", "enter")
        del app.asked[:]
        app.post_message(Happened([{"type": "exited"}]))
        await press("x")
        assert app.of("note") == []
        app.answers = {**app.answers, "note": {**WHOLE, "text": "Money is in euros"}}
        app.post_message(Happened([{"type": "note"}]))
        await press("x")
        assert len(app.of("note")) == 1
        assert "Money is in euros" in picture(app)
        app.holds = True
        await press("ctrl+r", "ctrl+r", "ctrl+r")
        assert len(app.of("note")) == 2
        app.holds = False
        app.waiting.pop()()
        assert len(app.of("note")) == 3, "once more for what happened meanwhile"
        await press("/", *"nowhere")
        assert "no line matches · esc shows all lines" in picture(app)

    class Holding(RecordingNotes):
        holds = False

        def __init__(self, **how):
            super().__init__(**how)
            self.waiting: list[Any] = []

        def request(self, command, requests, on_result):
            if self.holds:
                self.asked += [(command, dict(one)) for one in requests]
                self.waiting.append(lambda: on_result([self.answers[command]]))
            else:
                super().request(command, requests, on_result)

    walk(scenario, Holding, size=(80, 24))


def test_the_list_says_what_is_to_be_done_and_why_nobody_is_given_notes():
    async def scenario(app, press):
        await press(":notes")
        assert app.screen.standing().text == "proposed: given to nobody until y accepts it"
        await press("down")
        assert app.screen.standing().text == ""
        await press("down")
        assert app.screen.standing().text.startswith("conflict: enter shows")
        app.answers = {**app.answers, "notes": {"notes": NOTES[1:2], "proposed": 2}}
        await press(":notes stale")
        assert app.screen.subtitle() == "2 proposed: :notes proposed lists them"
        for memory, why in (({"on": False}, "memory is off: nobody is given notes · :memory on"),
                            ({"on": True, "inject": "off"}, 'nobody is given notes: [memory] inject = "off"'),
                            ({"on": True, "inject": "auto"}, "2 proposed")):  # fmt: skip
            app.answers = {**app.answers, "memory": memory}
            app.post_message(Happened([{"type": "memory"}]))
            await press("x")
            assert why in picture(app)
        app.answers = {**app.answers, "notes": {"notes": [], "proposed": 0}}
        await press(":notes")
        assert "No notes yet in /srv/work." in picture(app)
        assert ":notes all   lists those of all folders" in picture(app)

    walk(scenario, RecordingNotes, size=(80, 24))


LONG = "Memory is off: /srv/a/long/path/memory.db is damaged. Take over what can be read with: overmind memory reindex"


@pytest.mark.parametrize("size", SMALL_AND_LARGE)
def test_why_there_are_no_notes_is_said_to_its_end_in_the_list_in_the_panel_and_in_the_box(size):
    class Damaged(RecordingNotes):
        refusal = OvermindError("memory_off", LONG)

    def shows(app):
        return LONG.replace(" ", "") in "".join(picture(app).split()).replace("│", "")

    async def scenario(app, press):
        app.refuses = True
        await press(":notes")
        app.notice.put("", "")
        assert shows(app)
        await press("n", "x", "enter")
        assert picture(app).count("reindex") == 2
        await press("escape", "escape", "u")
        assert "reindex" in picture(app)

    walk(scenario, Damaged, size=size)


def test_a_line_of_the_panel_that_is_cut_says_so_until_it_is_seen_to_its_end():
    async def scenario(app, press):
        await press("u", "tab", "down")
        line = next(line for line in picture(app).split("\n") if PINNED_ONE in line)
        assert line.rstrip().endswith("…")
        await press(*["right"] * 9)
        line = next(line for line in picture(app).split("\n") if "make redis" in line)
        assert "…" not in line

    walk(scenario, RecordingNotes, size=(80, 40))
