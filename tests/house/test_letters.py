"""One key, one meaning: in each view of the full-screen program, in its dialogs, and on each page of the browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from overmind_core.domain.operations import OPERATIONS, web_verbs
from overmind_core.view.actions import TAKES_EVERYTHING, Context
from overmind_core.view.keymap import ACTIONS, keymap
from overmind_core.view.letters import LETTERS, MODE_OF, MODES, PAGE_MODES, Mode, meaning_of
from tests.kit.cases import tabled

STATIC = Path(__file__).parents[2] / "overmind_web" / "static"
SCRIPTS = sorted([*STATIC.glob("*.js"), *STATIC.glob("lib/*.js"), *STATIC.glob("pages/*.js")])
PLAIN = {
    "enter", "escape", "tab", "shift+tab", "left", "right", "up", "down", "home", "end", "pageup", "pagedown",
    "shift+left", "shift+right", "ctrl+@", "ctrl+tab",
}  # fmt: skip
"""Keys that open, close and move wherever they are."""
ROW = re.compile(r"""\["(?P<keys>[^"]+)", "(?P<text>[^"]+)", (?:\(|\w+\(|show\b|again\b)""")
"""A row of keys: `["x", "stop the agent", press("stop")]`."""
BUTTON = re.compile(r"""label: [^{}"]*"(?P<text>[^"]+)"[^{}]*?\bkey: "(?P<keys>[^"]+)\"""")
"""A button or an entry of a menu with its key."""
ABOUT = re.compile(r"""title: "(?P<text>[^"]+)", key: "(?P<keys>[^"]+)\"""")
TERMINAL_KEYS = "xterm-touch.js"
"""Its keys are those of a keyboard on glass, which the program in the terminal gets."""


def _is_pressed(key):
    return len(key) == 1 or "+" in key or key == "space"


def browser_keys():
    """Every key of the browser: its file, the key, and the text beside it."""
    for path in SCRIPTS:
        if path.name in {TERMINAL_KEYS, "keys.js"}:
            continue
        source = path.read_text(encoding="utf-8")
        for pattern in (ROW, BUTTON, ABOUT):
            for found in pattern.finditer(source):
                for key in found["keys"].split(" "):
                    name = {"^d": "ctrl+d", "^k": "ctrl+k", "ctrl+\\\\": "ctrl+backslash"}.get(key, key)
                    if found["text"] and name not in PLAIN and _is_pressed(name):
                        yield path.name, name, found["text"]


@tabled("context", [(one.name.lower(), one) for one in Context if one not in TAKES_EVERYTHING])
def test_each_key_of_a_view_has_its_one_meaning(context):
    mode = MODE_OF.get(context, Mode.LIST)
    wrong = []
    for key, action in keymap(context).items():
        if key in PLAIN:
            continue
        meaning = meaning_of(key, mode)
        if meaning is None or action.name not in meaning.actions:
            wrong.append(f"{key} is {action.name}, and means: {meaning.text if meaning else 'nothing'}")
    assert not wrong


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_each_key_of_a_page_in_the_browser_has_its_one_meaning(path):
    mode = PAGE_MODES.get(path.name, Mode.LIST)
    wrong = []
    for name, key, text in browser_keys():
        if name != path.name:
            continue
        meaning = meaning_of(key, mode)
        if meaning is None or not text.lower().startswith(meaning.browser or ("?",)):
            wrong.append(f"{key} is {text!r}, and means: {meaning.text if meaning else 'nothing'}")
    assert not wrong


def test_keys_of_the_browser_are_found_at_all():
    found = {(name, key) for name, key, _text in browser_keys()}
    assert {
        ("missions.js", "S"), ("spec.js", "#"), ("queue.js", "H"), ("plan.js", "B"), ("rituals.js", "R"),
        ("quests.js", "w"), ("quests.js", "shift+up"), ("card.js", "y"), ("list.js", "d"), ("terminal.js", "i"),
        ("missions.js", "t"),
    } <= found  # fmt: skip


def test_the_key_of_an_operation_means_what_it_does():
    wrong = []
    for one in OPERATIONS.values():
        if one.key and one.key not in PLAIN:
            meaning = meaning_of(one.key, Mode.LIST)
            if meaning is None or not one.label.startswith(meaning.browser):
                wrong.append(f"{one.name}: {one.key} is {one.label!r}, and means: {meaning and meaning.text}")
    assert not wrong


def test_an_action_is_meant_by_one_key_only_unless_it_is_the_same_in_two():
    by_action: dict[str, set[str]] = {}
    for meanings in (LETTERS, *MODES.values()):
        for meaning in meanings.values():
            for action in meaning.actions:
                by_action.setdefault(action, set()).add(meaning.text)
    several = {action: texts for action, texts in by_action.items() if len(texts) > 1}
    assert set(several) == {"describe-row", "type"}, several


def test_the_table_has_no_action_that_is_gone():
    known = {action.name for action in ACTIONS}
    named = {
        action for meanings in (LETTERS, *MODES.values()) for meaning in meanings.values() for action in meaning.actions
    }
    assert named <= known


def test_the_meanings_of_all_keys_differ():
    texts = [meaning.text for meaning in LETTERS.values()]
    assert sorted({text for text in texts if texts.count(text) > 1}) == ["draw again", "no filter"]


def test_few_keys_differ_in_a_mode():
    differing = {mode: [key for key in keys if key in LETTERS] for mode, keys in MODES.items()}
    assert differing == {
        Mode.LIST: [],
        Mode.QUESTION: ["n"],
        Mode.READING: ["n", "N", "ctrl+d", "ctrl+u"],
        Mode.LOG: ["n", "N", "ctrl+d", "ctrl+u", "f", "m", "s", "t", "w", "C", "R"],
        Mode.TERMINAL: ["n", "N", "ctrl+d", "ctrl+u", "i", "R", "space", "ctrl+backslash"],
    }


def test_pausing_and_running_now_are_asked_in_the_words_of_their_operations():
    rows = {row["name"]: row for row in web_verbs()}
    asked = {name for name, row in rows.items() if row["asks"] and row["danger"] != "ends work"}
    assert asked == {"ritual_run", "ritual_pause", "queue_pause"}
    assert all(rows[name]["questions"] for name in asked)
    assert all(row["asks"] for row in rows.values() if row["danger"] == "ends work")
