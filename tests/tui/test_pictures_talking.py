"""Pictures of who needs the person, of what is asked, and of the message box."""

from __future__ import annotations

from typing import Any

import pytest
from textual import events

from tests.kit.pictures import SIZES
from tests.tui.conftest import until
from tests.tui.test_pictures import AGENTS, QUESTIONS, Still, settle

ANSWER = """Two functions can go: `parse_header` and `legacy_login`.

- nobody calls parse_header since 2021 [red]not red[/red]
- legacy_login is only reached by a test that is skipped
"""
EDIT = {
    "question": 9, "id": "00000002", "name": "api", "need": "permission", "tool": "Edit", "options": [],
    "summary": "Edit: api/limits.py", "rule": "Edit(//srv/work/api/limits.py)", "attach_only": False,
    "asked_at": "2025-12-31T23:58:00.000Z",
    "subject": {
        "file_path": "/srv/work/api/limits.py",
        "old_string": "from shop import settings\n\nLIMIT = 10\n\n\ndef allowed(user):\n"
                      "    return user.calls < LIMIT\n",
        "new_string": "from shop import settings\n\nLIMIT = 20\nBURST = 5  # a comment that is so long that it is"
                      " continued in another row, also on a screen of a hundred and twenty columns\n"
                      "\n\ndef allowed(user):\n"
                      "\treturn user.calls < LIMIT + BURST\n",
    },
}  # fmt: skip
SEVERAL = {
    "question": 10, "id": "00000008", "name": "port", "need": "question", "tool": "AskUserQuestion", "options": [],
    "summary": "Which parts?", "rule": None, "attach_only": False, "asked_at": "2025-12-31T23:40:00.000Z",
    "subject": {"questions": [
        {"question": "Which parts are to be moved first?", "multiSelect": True, "options": [
            {"label": "orders", "description": "the tables that are written most"},
            {"label": "日本語 catalogue", "description": "read only"}, {"label": "sessions"}]},
        {"question": "And when?", "options": [{"label": "now"}, {"label": "at night", "description": "02:00"}]}]},
}  # fmt: skip
PLAN = {
    "question": 11, "id": "00000002", "name": "api", "need": "plan", "tool": "ExitPlanMode", "options": [],
    "summary": "Plan: split the module", "rule": None, "attach_only": False, "asked_at": "2025-12-31T23:58:00.000Z",
    "subject": {"plan": "# Split api.py\n\n1. move the routes\n2. move the models\n3. keep api.py as a facade"},
}  # fmt: skip
SETUP = {
    "question": 12, "id": "00000002", "name": "api", "need": "setup", "tool": "", "options": [],
    "summary": "Do you trust the files in this folder?", "rule": None, "attach_only": True,
    "asked_at": "2025-12-31T23:58:00.000Z", "subject": {"text": "Do you trust the files in this folder?\n/srv/work"},
}  # fmt: skip
ABOUT_SPEC = {"kind": "spec", "id": "5b00c0de", "name": "login"}
GATE = {
    "question": 13, "id": "5b00c0de", "name": "login", "about": ABOUT_SPEC, "part": "tasks", "need": "phase",
    "tool": "", "options": [], "choices": [], "rule": None, "replaces": None, "attach_only": False,
    "summary": "login: tasks passed with 0.95", "asked_at": "2025-12-31T23:30:00.000Z",
    "subject": {"hours": 6.5, "lines": [
        "3 tasks, 6.5 hours, about $1.20",
        "TSK-001  add the table of sessions  2 h", "TSK-002  [b]log in[/b] \x1b[2J  3 h", "TSK-003  日本語  1.5 h",
        "", "new commands:", "$ pytest -q tests/login"]},
}  # fmt: skip
STUCK = {
    "question": 14, "id": "00000007", "name": "deploy", "about": {"kind": "quest", "id": "00000007", "name": "deploy"},
    "part": "", "need": "stuck", "tool": "", "options": [], "choices": [], "rule": None, "replaces": None,
    "attach_only": False, "summary": "deploy has failed: check_failed, 3 of 3 attempts",
    "asked_at": "2025-12-31T23:59:00.000Z", "subject": {"lines": ["no cluster at 10.0.0.7", "exit 1"]},
}  # fmt: skip
BY_ENGINE = [GATE, STUCK, QUESTIONS[0]]


class Asking(Still):
    """Agents, and what they ask."""

    def __init__(self, rows=AGENTS, questions=QUESTIONS, **how):
        super().__init__(rows, **how)
        self._asked = questions

    def _start(self):
        if self._rows:
            super()._start()
        self.fleet.apply(self._rows, (), everything=True)
        self.fleet.questions = self._asked
        self.main.rearrange()
        self.flash("")

    def request(self, command, requests, on_result):
        if command == "result":
            on_result([{"result": ANSWER}])
        elif command == "info":
            super().request(command, requests, on_result)


def pressing(*keys, paste=""):
    """Press these, once what is asked counts as read."""

    async def press(pilot):
        await until(pilot, lambda: pilot.app.fleet.loaded, what="rows")
        await settle(pilot)
        for key in keys:
            if key in {"Y", "1", "2"} or (key == "m" and pilot.app.main.question.has_keys):
                await until(pilot, lambda: pilot.app.main.question.may_answer, what="read")
            await pilot.press(key)
            await until(pilot, lambda: pilot.app.screen.is_mounted and not pilot.app.typed._held, what="its screen")
        if paste:
            pilot.app.typed.put(events.Paste(paste))
        await settle(pilot)

    return press


NEEDS = "exclamation_mark"
"""Opens at the row under the cursor: that of api."""
VIEWS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "needs_nobody": ({"rows": [], "questions": []}, [NEEDS]),
    "needs_question": ({}, [NEEDS, "k"]),
    "needs_diff": ({"questions": [EDIT, QUESTIONS[1]]}, [NEEDS]),
    "needs_whole": ({"questions": [EDIT, QUESTIONS[1]]}, [NEEDS, "enter"]),
    "needs_several": ({"questions": [QUESTIONS[0], SEVERAL]}, [NEEDS, "k", "2", "1"]),
    "needs_rule": ({"questions": [EDIT, QUESTIONS[1]]}, [NEEDS, "enter", "Y"]),
    "needs_plan": ({"questions": [PLAN, QUESTIONS[1]]}, [NEEDS]),
    "needs_setup": ({"questions": [SETUP, QUESTIONS[1]]}, [NEEDS]),
    "needs_crashed": ({}, [NEEDS, "j"]),
    "needs_turn": ({}, [NEEDS, "G"]),
    "needs_gate": ({"questions": BY_ENGINE}, [NEEDS, "g"]),
    "needs_stuck": ({"questions": BY_ENGINE}, [NEEDS, "j"]),
    "gate_and_missions": ({"questions": BY_ENGINE}, []),
    "box_gate": ({"questions": BY_ENGINE}, [NEEDS, "g", "enter", "m"]),
    "needs_light": ({"questions": [EDIT, QUESTIONS[1]], "theme": "light"}, [NEEDS]),
    "box": ({}, ["m"]),
    "box_words": ({"questions": [EDIT, QUESTIONS[1]]}, [NEEDS, "enter", "m"]),
    "box_many": ({}, ["*", "m"]),
}
PASTED = {
    "box": "please look at [red]this[/red]\x1b[2J once more:\n\n\tlimits.py\n\tlogin.py, 日本語 and "
    "a line that goes on " + "and on " * 20,
    "box_words": "twenty is too much: fifteen",
}


AFRESH = {"needs_whole", "needs_rule", "box_words", "box_gate"}
"""What was read in one size is to be read again in another."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
def test_talking(pictured, view, size):
    how, keys = VIEWS[view]
    press = pressing(*keys, paste=PASTED.get(view, ""))
    assert pictured(Asking(**how), size, press, afresh=view in AFRESH)
