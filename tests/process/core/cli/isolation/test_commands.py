"""`isolate`, `trust`, `ports` and the question of `run`, against a scripted daemon."""

from __future__ import annotations

import os
from typing import Any

import pytest

from overmind_core.system.paths import Home
from tests.core.cli.isolation.test_commands import FILE, SAFE, SUM, TRUSTED, UNTRUSTED
from tests.kit.fake_daemon import FakeDaemon
from tests.kit.terminal import Terminal

ANSWERS = [("y\n", True), ("yes\n", True), ("\n", False), ("n\n", False), ("\x04", False)]


@pytest.mark.parametrize(("typed", "agrees"), ANSWERS)
def test_on_a_terminal_the_person_sees_what_it_runs_and_decides(om, typed, agrees):
    trusted = []

    def answer(request):
        if request["cmd"] == "trust":
            trusted.append(request["args"])
            return [{"ok": TRUSTED}]
        return [{"ok": {"id": "a1b2c3d4", "name": "web"}}] if trusted else [{**UNTRUSTED, "changed": True}]

    with FakeDaemon(Home(om.home), answer) as daemon, Terminal(om, "run", "true") as person:
        person.expect(r"Trust this file\? \[y/N\] ")
        assert person.shown.startswith(f"{FILE} has changed since you trusted it.\nIt runs:\n  {SAFE}\n")
        person.type(typed)
        status = person.end()

    runs = [request["args"] for request in daemon.requests if request["cmd"] == "run"]
    assert (status, len(trusted), len(runs)) == ((0, 1, 2) if agrees else (1, 0, 1))
    assert ("Started mission a1b2c3d4 (web)" in person.shown) is agrees
    assert ("Error: untrusted_project: " in person.shown) is not agrees
    assert runs[-1] == runs[0]
    if agrees:
        assert (trusted[0]["cwd"], trusted[0]["sha256"]) == (os.path.dirname(FILE), SUM)


def test_a_terminal_shows_the_step_in_one_line_that_is_gone_when_the_mission_runs(om):
    place = {"worktree": "/w", "branch": "overmind/web", "step": "worktree"}
    steps = ["pulling redis:7", "set-up \x1b[2J"]
    events = [
        *({"seq": 8, "mission": "a1b2c3d4", "type": "preparing", "step": text} for text in steps),
        {"seq": 9, "mission": "a1b2c3d4", "type": "started"},
    ]
    answers: dict[str, list[dict[str, Any]]] = {
        "run": [{"ok": {"id": "a1b2c3d4", "name": "web", "status": "preparing"}}],
        "logs": [{"ok": {"seq": 7, "missions": [{"annotations": []}]}}],
        "info": [{"ok": {"status": "preparing", "reason": None, "exit_code": None, "isolation": place}}],
        "events": [{"ok": {}}, *({"item": event} for event in events)],
    }
    for colour in (True, False):
        env = {"NO_COLOR": None if colour else "1"}
        with (
            FakeDaemon(Home(om.home), lambda request: answers[request["cmd"]]),
            Terminal(om, "run", "true", env=env) as person,
        ):
            assert person.end() == 0
        begin = "\r\x1b[33mPreparing web\x1b[0m" if colour else "\rPreparing web"
        assert person.shown.count(begin) == 3
        assert f"{begin}: pulling redis:7\x1b[K" in person.shown
        assert f"{begin}: set-up \\x1b[2J\x1b[K" in person.shown
        rest = person.shown.rpartition("\r\x1b[K")[2]
        assert rest == "Started mission a1b2c3d4 (web)\nWorktree /w (branch overmind/web)\n"
