"""Pictures of notes, of one with its history, and of the panel of a mission's notes, in 80x24 and 120x40."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, ClassVar

import pytest

from overmind_core.view.summary import EngineLoad
from tests.kit.pictures import SIZES
from tests.tui.noted import FOUND, GIVEN, LISTED, NOTES, WHOLE
from tests.tui.test_pictures import AGENTS, Still
from tests.tui.test_pictures_plans import press
from tests.tui.test_pictures_starting import AGENT

TEXTS: Any = {"notes": NOTES[:1], "proposed": 1}
"""Of the notes that a mission has written."""


class Noted(Still):
    """The program with notes that stand still."""

    other_answer: ClassVar[Any] = {}
    answers: ClassVar[dict[str, Any]] = {
        "notes": LISTED, "search": FOUND, "note": WHOLE, "info": {**AGENT, "notes": GIVEN},
        "definition": {"definition": {"env": {}}, "as_of": "b3fee44d8bbba9b7"},
    }  # fmt: skip

    written: ClassVar[Any] = TEXTS

    def __init__(self, **how):
        super().__init__(AGENTS, **how)

    def answer(self, command, given):
        return deepcopy(self.written) if command == "notes" and "mission" in given else super().answer(command, given)


class NoNotes(Noted):
    """The same where nobody has remembered anything."""

    written: ClassVar[Any] = {"notes": [], "proposed": 0}

    answers: ClassVar[dict[str, Any]] = {
        **Noted.answers, "notes": {"notes": [], "proposed": 0}, "search": {"notes": [], "episodes": []},
        "info": {**AGENT, "notes": None},
    }  # fmt: skip


VIEWS = {
    "notes": (":notes", "enter"),
    "search": (":notes", "enter", "/redsi", "enter"),
    "note": (":note", "enter", "enter"),
    "described": ("d", "G"),
    "given": ("u",),
    "given_with_keys": ("u", "tab", "tab", "down"),
    "given_of_a_log": ("l", "u"),
}
ONCE = {
    "notes_wide": (":notes", "enter", "ctrl+w"),
    "notes_help": (":notes", "enter", "question_mark"),
    "new": (":notes", "enter", "n"),
    "nothing_found": (":notes", "enter", "/x", "enter"),
    "none_proposed": (":notes proposed", "enter"),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
def test_view(pictured, view, size):
    assert pictured(Noted(), size, press(*VIEWS[view]), afresh=True)


@pytest.mark.parametrize("view", ONCE)
def test_once(snap_compare, view):
    program = (NoNotes if view.startswith("no") and not view.startswith("notes") else Noted)()
    assert snap_compare(program, terminal_size=SIZES["80x24"], run_before=press(*ONCE[view]))


@pytest.mark.parametrize("size", SIZES)
def test_empty(pictured, size):
    assert pictured(NoNotes(), size, press(":notes", "enter"))


@pytest.mark.parametrize("size", SIZES)
def test_header(pictured, size):
    program = Noted()
    program.fleet.proposed = 3
    program.fleet.engine = EngineLoad(2, 3, 7)
    assert pictured(program, size, press("down"))


def test_light_on_a_large_terminal(snap_compare):
    assert snap_compare(Noted(theme="light"), terminal_size=(200, 60), run_before=press(":notes", "enter"))


def test_given_in_a_high_narrow_terminal(snap_compare):
    assert snap_compare(Noted(), terminal_size=(80, 40), run_before=press("u", "tab", "tab", "down"))


def test_ascii(snap_compare):
    program = Noted()
    program.appearance.ascii_only = True
    assert snap_compare(program, terminal_size=SIZES["80x24"], run_before=press(":notes", "enter"))


@pytest.mark.parametrize("size", ["60x15", "40x8"])
def test_small(snap_compare, size):
    columns, rows = map(int, size.split("x"))
    assert snap_compare(Noted(), terminal_size=(columns, rows), run_before=press(":notes", "enter"))
