"""Notes in the full-screen program: walks through their view and their panel."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from overmind_core.errors import OvermindError
from overmind_core.view.actions import JUST_CHANGED, Context
from overmind_core.view.keymap import keymap
from overmind_tui.notes.actions import remembered
from overmind_tui.notes.note_page import NotePage
from overmind_tui.pages.compose import Composer
from overmind_tui.pages.dialog import Dialog
from overmind_tui.render.layout import Panel
from overmind_tui.shell import external
from overmind_tui.widgets import table
from tests.tui.conftest import picture
from tests.tui.noted import NOTES
from tests.tui.test_keys import ALL_KEYS
from tests.tui.test_pictures_notes import NoNotes, Noted
from tests.tui.test_pictures_starting import AGENT
from tests.tui.walks import Recording, walk


class RecordingNotes(Recording, Noted):
    """Notes that stand still."""

    answers: ClassVar[dict[str, Any]] = {
        **Noted.answers,
        "note_set": {"note": NOTES[0], "changed": True},
        "outcome": {"notes": [{"id": NOTES[1]["id"], "helped": 5, "hurt": 0}]},
        "forget": {"notes": [{"id": NOTES[0]["id"], "still_in": []}]},
        "remember": {"id": "N-1", "version": 1, "state": "live", "kind": "fact", "scope": "repo", "new": True,
                     "similar": [], "redacted": 0},
    }  # fmt: skip
    refusal = OvermindError("memory_off", "Memory is off: [red]the disk is full[/]\x1b[2J.")


HERE = {"cwd": "/srv/work"}
FIRST, PINNED_ONE = NOTES[0]["id"], NOTES[1]["id"]


def changes(app):
    """What notes were asked to become."""
    assert all(given["cwd"] == "/srv/work" for given in app.of("note_set"))
    return [(given["note"], given["change"]) for given in app.of("note_set")]


def test_notes_are_accepted_pinned_judged_forgotten_and_taken_back():
    async def scenario(app, press):
        await press(":akasha")
        assert app.of("notes") == [HERE]
        assert app.screen.subtitle() == "1 proposed: y accept · ctrl-d forget"
        await press("y")
        assert changes(app) == [(FIRST, "accept")]
        assert app.notice.text == f"accepted {FIRST} · new conversations are given what fits"
        await press("down", "y")
        assert app.notice.text == f"{PINNED_ONE} is pinned: y accepts what is proposed"
        await press("Y", "shift+up", "shift+down")
        assert changes(app)[1:] == [(PINNED_ONE, "unpin")]
        assert app.of("outcome") == [{"notes": [PINNED_ONE], "helped": helped, **HERE} for helped in (True, False)]
        assert app.notice.text == f"{PINNED_ONE}: helped 5, hurt 0"
        await press("*", "Y")
        assert changes(app)[2:] == [(row["id"], "pin") for row in NOTES[:6] if not row["pinned"]]
        await press("escape", "U")
        assert app.notice.text == "nothing was forgotten here · :notes all shows what was forgotten before"
        assert "restore-note" in app.screen.unusable()
        await press("ctrl+d", "down", "ctrl+d")
        assert "restore-note" not in app.screen.unusable()
        assert app.of("forget") == [{"notes": [PINNED_ONE], **HERE}, {"notes": [NOTES[2]["id"]], **HERE}]
        assert app.notice.text == f"forgot {NOTES[2]['id']} · shift-u takes it back"
        del app.asked[:]
        await press("U", "U", "U")
        assert changes(app) == [(NOTES[2]["id"], "restore"), (PINNED_ONE, "restore")]
        app.refuses = True
        await press("ctrl+d")
        assert app.notice.text == "Memory is off: [red]the disk is full[/]\\x1b[2J."
        del app.asked[:]
        await press("U")
        assert changes(app) == [], "what was not forgotten is not taken back"

    walk(scenario, RecordingNotes)


def test_a_key_that_is_pressed_twice_decides_on_no_note_that_has_just_come_under_the_cursor(monkeypatch):
    monkeypatch.setattr(table, "RESTLESS_SECONDS", float("inf"))
    second = {**NOTES[0], "id": "N-zc15bfy0yn"}

    async def scenario(app, press):
        app.answers = {**app.answers, "notes": {"notes": [NOTES[0], second], "proposed": 2}}
        await press(":notes proposed")
        app.answers = {**app.answers, "notes": {"notes": [second], "proposed": 1}}
        await press("y")
        for key in ("y", "ctrl+d", "shift+up", "shift+down"):
            app.flash("")
            await press(key)
            assert app.notice.text == JUST_CHANGED, key
        assert changes(app) == [(FIRST, "accept")]
        assert [*app.of("forget"), *app.of("outcome")] == []
        await press("g", "y")
        assert changes(app)[1:] == [(second["id"], "accept")], "it was gone to"

    walk(scenario, RecordingNotes)


class OneRefused(RecordingNotes):
    """The same, where the first note of several is refused."""

    def request(self, command, requests, on_result):
        if command == "note_set" and len(requests) > 1:
            on_result([self.refusal, *(self.answer(command, one) for one in requests[1:])])
        else:
            super().request(command, requests, on_result)


def test_where_one_of_several_notes_is_refused_the_others_are_said_to_be_done():
    async def scenario(app, press):
        await press(":notes", "*", "Y")
        assert app.notice.text == "4 of 5 notes done · Memory is off: [red]the disk is full[/]\\x1b[2J."

    walk(scenario, OneRefused)


def test_of_the_notes_of_all_folders_all_that_are_proposed_are_counted():
    both = [NOTES[0], {**NOTES[0], "id": "N-zc15bfy0yn"}]

    class All(RecordingNotes):
        answers: ClassVar[dict[str, Any]] = {**RecordingNotes.answers, "notes": {"notes": both, "proposed": 1}}

    async def scenario(app, press):
        await press(":notes all")
        assert app.screen.subtitle() == "2 proposed: y accept · ctrl-d forget"

    walk(scenario, All)


def test_what_is_forgotten_under_the_cursor_is_taken_back():
    class All(RecordingNotes):
        answers: ClassVar[dict[str, Any]] = {**RecordingNotes.answers, "notes": {"notes": NOTES[6:], "proposed": 0}}

    async def scenario(app, press):
        await press(":notes all", "ctrl+d")
        assert app.of("notes") == [{"all": True, **HERE}]
        assert app.notice.text == f"{NOTES[6]['id']} is forgotten already"
        await press("U")
        assert changes(app) == [(NOTES[6]["id"], "restore")]

    walk(scenario, All)


def test_a_note_is_written_in_a_box_that_keeps_what_was_not_taken():
    async def scenario(app, press):
        await press(":notes", "n", *"Redis ", "enter")
        (asked,) = app.of("remember")
        assert {key: asked[key] for key in ("text", "cwd")} == {"text": "Redis ", **HERE}
        assert asked["redacted"] == 0
        assert asked["request"]
        assert app.notice.text == "remembered N-1 (fact, repo)"
        app.refuses = True
        await press("n", "x", "enter")
        assert isinstance(app.screen, Composer), "it stays with the reason"
        assert "Memory is off: [red]the disk is full[/]\\x1b[2J." in picture(app)
        await press("escape", "n")
        assert app.screen.field.text == "x"

    walk(scenario, RecordingNotes)


SECRET = "hunter2-hunter2"


class Secretive(RecordingNotes):
    """The same for a person whose environment has a secret."""

    def __init__(self, **how):
        super().__init__(**how)
        self.world = self.world._replace(environ={**self.world.environ, "SHOP_TOKEN": SECRET})


def test_what_the_environment_keeps_secret_is_sent_to_nobody():
    async def scenario(app, press):
        await press(":notes", "n", *SECRET, "enter", "/", *f"a {SECRET}", "enter")
        assert app.of("remember")[0]["text"] == "[redacted: variable]"
        assert app.of("remember")[0]["redacted"] == 1
        assert app.of("search")[-1]["words"] == "a [redacted: variable]"
        await press(f":notes /{SECRET}")
        assert app.of("search")[-1]["words"] == "[redacted: variable]"
        assert SECRET not in str(app.asked)

    walk(scenario, Secretive)


REMEMBERED = [
    ({"new": False}, "already known: N-1"),
    ({"state": "proposed", "redacted": 2}, "proposed N-1 (fact, repo) · 2 secrets redacted"),
    ({"similar": [{"id": "N-2", "text": "[b]\x07" + "x" * 99}]},
     f"remembered N-1 (fact, repo) · similar: N-2 [b]\\x07{'x' * 32}…"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "text"), REMEMBERED)
def test_it_is_said_what_became_of_a_note(more, text):
    assert remembered({**RecordingNotes.answers["remember"], **more}) == text


def test_a_note_is_edited_by_the_command_line_which_opens_the_editor(monkeypatch):
    ran: list[Any] = []
    monkeypatch.setattr(external, "run", lambda _shell, argv, **how: ran.append((argv, how)))

    async def scenario(app, press):
        await press(":notes", "e")
        argv, how = ran[0]
        assert argv[-3:] == ["note", "edit", FIRST]
        asked = len(app.of("notes"))
        how["then"](0)
        assert len(app.of("notes")) == asked + 1
        how["then"](1)
        assert app.notice.text == f"{FIRST} was not changed"
        await press(":note edit", ":note edit --text x", ":note accept", ":note promote --to global")
        await press(":forget --purge")
        assert isinstance(app.screen, Dialog), "nothing brings back what is purged"
        await press("y")
        assert [argv[-1] for argv, _ in ran] == [FIRST, FIRST], "the verb alone does what the key does"
        assert app.ran == [
            ["note", "edit", FIRST, "--text", "x"], ["note", "accept", FIRST],
            ["note", "promote", FIRST, "--to", "global"], ["forget", "-y", FIRST, "--purge"],
        ]  # fmt: skip

    walk(scenario, RecordingNotes)


def test_a_slash_asks_as_recall_does_and_after_tab_it_filters():
    async def scenario(app, press):
        await press(":notes", "/", *"redsi", "enter")
        assert [given["words"] for given in app.of("search")] == ["r", "re", "red", "reds", "redsi"]
        assert app.screen.narrowed == " for redsi"
        await press("/")
        assert app.screen.subtitle() == "tab turns the search into a filter"
        await press("enter")
        assert app.screen.subtitle() != "tab turns the search into a filter"
        assert app.screen.standing().text == "words, spelling (redsi: redis)"
        await press("down")
        assert app.screen.standing().text == "words"
        await press("escape")
        assert app.screen.narrowed == ""
        assert app.screen.shown_count == 6
        await press("/", "tab", *"state.*|cents", "enter")
        assert app.notice.text == "filter: only matching rows"
        assert [branch.id for branch in app.screen.table.branches] == [NOTES[2]["id"]]
        await press("/", "tab", "enter")
        assert app.of("search")[-1] == {"words": "state.*|cents", **HERE}
        await press("escape", "escape")
        assert app.screen is app.main

    walk(scenario, RecordingNotes)


def test_a_search_begins_with_a_line_and_is_among_what_the_view_is_of():
    async def scenario(app, press):
        await press(":notes proposed /redis")
        assert app.of("search") == [{"words": "redis", **HERE}]
        assert app.screen.table.branches == [], "neither of them is proposed"
        assert "Nothing was found for 'redis'" in picture(app)
        app.refuses = True
        await press("/", "x", "enter")
        assert app.notice.text.startswith("Memory is off")

    walk(scenario, RecordingNotes)


class Late(RecordingNotes):
    """Its answers to searches come when they are let."""

    def __init__(self, **how):
        super().__init__(**how)
        self.waiting: list[Any] = []

    def request(self, command, requests, on_result):
        if command == "search":
            self.asked.append((command, dict(requests[0])))
            self.waiting.append(lambda: on_result([self.answers["search"]]))
        else:
            super().request(command, requests, on_result)


def test_one_question_is_on_its_way_however_fast_somebody_types_and_the_last_one_is_answered():
    async def scenario(app, press):
        await press(":notes", "/", *"redis")
        assert [given["words"] for given in app.of("search")] == ["r"]
        app.waiting.pop()()
        assert [given["words"] for given in app.of("search")] == ["r", "redis"]
        app.waiting.pop()()
        assert app.waiting == []
        assert app.screen.shown_count == 2

    walk(scenario, Late)


def test_all_about_a_note_is_opened_and_asked_again_and_who_was_given_it_is_shown_in_their_list():
    async def scenario(app, press):
        await press(":note", "enter")
        assert isinstance(app.screen, NotePage)
        assert app.of("note") == [{"note": FIRST, "history": True, **HERE}]
        assert "Money is in tenths of cents" in picture(app)
        await press("ctrl+r", "escape", "u")
        assert app.screen_stack == [app.main]
        assert [branch.id for branch in app.main.table.branches if branch.meant] == ["00000002"]
        await press("-", ":notes")
        app.answers = {**app.answers, "note": {**NOTES[0], "used_by": []}}
        await press("u")
        assert app.notice.text == f"{FIRST}: no mission was given it yet"
        app.refuses = True
        await press("enter")
        assert app.notice.text.startswith("Memory is off")

    walk(scenario, RecordingNotes)


def test_read_only_looks_and_changes_nothing():
    async def scenario(app, press):
        await press(":notes", *"ypehH", "ctrl+d", "U", "n")
        assert app.notice.text == "read-only: new is off"
        assert {name for name, _ in app.asked} == {"notes", "memory"}
        await press("enter")
        assert isinstance(app.screen, NotePage)

    walk(scenario, RecordingNotes, read_only=True)


def test_no_key_is_a_mistake_where_there_are_no_notes():
    leaves = {"quit", "leave", "back", "command", "filter", "save", "copy", "new-note"}

    async def scenario(app, press):
        for key in ALL_KEYS:
            meant = keymap(Context.NOTES).get(key)
            if meant is not None and meant.name not in leaves:
                if app.screen.context is not Context.NOTES:
                    app.main.to_front()
                    await press(":notes")
                await press(key)

    walk(scenario, NoNotes)


def face(app):
    """The face that the panel is turned to."""
    return app.main.panels.face


def has_keys(app, panel):
    """Whether a panel of the missions screen has the keys."""
    return app.main.panels.current is panel


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (120, 24), (80, 40), (200, 60)])
def test_the_panel_opens_follows_the_cursor_and_closes(size):
    roomy = size[1] >= 30

    async def scenario(app, press):
        panels = app.main.panels
        await press("u")
        assert face(app) is Panel.NOTES
        assert panels.shape.panel_lines
        assert has_keys(app, Panel.TABLE if roomy else Panel.NOTES)
        assert app.of("info") == [{"id": "00000002"}]
        assert app.of("notes") == [{"mission": "00000002", "all": True}]
        assert "notes · api" in picture(app)
        assert "The rate limiter keeps" in picture(app)
        if roomy:
            await press("down")
            below = app.main.table.cursor_id
            assert below != "00000002"
            assert app.of("info")[-1] == {"id": below}
            await press("tab")
        assert has_keys(app, Panel.NOTES)
        await press("enter")
        assert app.screen is app.main, "a heading is no note"
        await press("down", "enter")
        assert isinstance(app.screen, NotePage)
        assert app.of("note")[-1]["note"] == PINNED_ONE
        await press("escape", "u")
        assert face(app) is Panel.LOG
        assert bool(panels.shape.panel_lines) is roomy
        assert has_keys(app, Panel.TABLE)
        await press("u", "escape")
        assert face(app) is Panel.LOG
        del app.asked[:]
        await press("down")
        assert app.asked == []

    walk(scenario, RecordingNotes, size=size)


def test_the_panel_goes_back_to_the_log_it_was_opened_from():
    async def scenario(app, press):
        await press("l", "u")
        assert has_keys(app, Panel.NOTES)
        await press("z", "z", "shift+tab", "tab", "u")
        assert has_keys(app, Panel.LOG)
        await press("escape")
        assert has_keys(app, Panel.TABLE)

    walk(scenario, RecordingNotes, size=(80, 24))


def test_the_panel_shows_the_newest_of_what_it_asked_however_fast_the_cursor_goes_and_what_happens():
    class Slow(RecordingNotes):
        def __init__(self, **how):
            super().__init__(**how)
            self.waiting: list[Any] = []

        def request(self, command, requests, on_result):
            self.asked += [(command, dict(one)) for one in requests]
            self.waiting.append(lambda: on_result([self.answers[command]]))

    async def scenario(app, press):
        await press("u", "down", "down", "down")
        assert app.of("info") == [{"id": "00000002"}]
        app.waiting.pop(0)()
        app.waiting.pop(0)()
        last = app.main.table.cursor_id
        assert app.of("info") == [{"id": "00000002"}, {"id": last}]
        assert app.of("notes") == [{"mission": "00000002", "all": True}]
        while app.waiting:
            app.waiting.pop(0)()
        del app.asked[:]
        app.main.notes_panel.happened([{"type": "exited"}])
        assert app.asked == []
        app.main.notes_panel.happened([{"type": "notes_given"}])
        app.main.notes_panel.happened([{"type": "voted"}])
        assert app.of("info") == [{"id": last}]
        while app.waiting:
            app.waiting.pop(0)()
        assert app.of("info") == [{"id": last}] * 2, "once more for what happened meanwhile"

    walk(scenario, Slow)


def test_the_panel_says_why_there_are_no_notes():
    async def scenario(app, press):
        await press("u")
        assert "notes are given to agents, and to commands with run --memory" in picture(app)

    walk(scenario, NoNotes)

    class Plain(RecordingNotes):
        answers: ClassVar[dict[str, Any]] = {**RecordingNotes.answers, "info": {**AGENT, "notes": None}}

    async def wrote(app, press):
        await press("k", "u")
        assert "notes are given to agents" in picture(app)
        assert "wrote  1 note" in picture(app)

    walk(wrote, Plain)

    async def refused(app, press):
        app.refuses = True
        await press("u")
        assert "Memory is off: [red]the disk is full[/]\\x1b[2J." in picture(app)

    walk(refused, RecordingNotes)
