"""`overmind why NAME` outside of a swarm: it finds what is named, whatever that is."""

from __future__ import annotations

from typing import Any

import pytest

NONE = [{"error": "not_found", "message": "There is none."}]
QUEST: dict[str, Any] = {
    "name": "login", "status": "queued", "code": "needs", "text": "waits for api (running)", "do": [], "score": None,
    "position": None, "queued": 0, "starts": [], "waiting_then": [],
}  # fmt: skip
AGENT: dict[str, Any] = {
    "attempt": 0, "reason": None, "exit_code": None, "result": None, "facts": {}, "waits_for": None, "outcome": None,
    "post": None,
}  # fmt: skip
PLAN = {
    "id": "a1b2c3d4", "name": "release", "type": "blueprint", "status": "running", "outcome": None, "exit_code": None,
    "reason": None,
    "agents": [
        {**AGENT, "name": "build", "stage": "succeeded", "outcome": "succeeded"},
        {**AGENT, "name": "web", "stage": "running"},
        {**AGENT, "name": "test", "stage": "waiting", "waits_for": "web (ready)"},
    ],
}  # fmt: skip
WAITS = "release (a1b2c3d4): running\n  web: running\n  test: waiting, waits for web (ready)\n"
FAILED = {**PLAN, "status": "stopped", "outcome": "failed", "exit_code": 1, "agents": [
    {**AGENT, "name": "db", "stage": "failed", "outcome": "failed", "reason": "not_ready", "exit_code": 1},
    {**AGENT, "name": "k", "stage": "failed", "outcome": "killed", "reason": "killed"},
    {**AGENT, "name": "s", "stage": "failed", "outcome": "stopped", "reason": "stopped", "exit_code": 143},
    {**AGENT, "name": "test", "stage": "skipped", "reason": "db failed"},
]}  # fmt: skip
WHY_FAILED = (
    "release (a1b2c3d4): failed (1)\n  db: failed, it did not become ready · exit 1\n  k: killed\n"
    "  s: stopped, exit 143\n  test: skipped, db failed\n"
    "See: overmind logs release\n"
)
MISSION = {"id": "a1b2c3d4", "name": "api", "type": "task", "status": "crashed", "outcome": "failed", "exit_code": 3,
           "reason": "restart_budget_spent", "max_restarts": 2, "max_seconds": 60.0}  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"quest_why": [{"ok": QUEST}]}, "waits for api (running)"),
        ({"info": [{"ok": PLAN}], "plan": [{"ok": PLAN}]}, WAITS),
        ({"info": [{"ok": FAILED}], "plan": [{"ok": FAILED}]}, WHY_FAILED),
        ({"info": [{"ok": MISSION}]}, "api (a1b2c3d4): failed (3): restarted 2 times in a minute, gave up\n"),
    ],
)
def test_what_is_named_is_found_whatever_it_is(overmind, answers, said):
    nothing: dict[str, list[dict[str, object]]] = {"ps": [{"ok": []}], "inbox": [{"ok": []}]}
    ran = overmind({"quest_why": NONE, "spec": NONE, "info": NONE, **nothing, **answers}, "why", "x")
    assert (ran.status, ran.err) == (0, "")
    assert said in ran.out


def test_a_mission_that_asks_is_shown_with_the_command_that_answers(overmind):
    live = {**MISSION, "status": "running", "outcome": None, "exit_code": None, "reason": None}
    row = {"id": "a1b2c3d4", "name": "api", "type": "task", "status": "running", "activity": "waiting", "children": []}
    question = {"id": "a1b2c3d4", "name": "api", "question": 3, "need": "permission", "attach_only": False,
                "options": []}  # fmt: skip
    ran = overmind(
        {"quest_why": NONE, "spec": NONE, "info": [{"ok": live}], "ps": [{"ok": [row]}], "inbox": [{"ok": [question]}]},
        "why", "api",
    )  # fmt: skip
    told = "  waits for you: question 3 (permission of api): overmind answer 3 allow\n"
    assert ran.out == f"api (a1b2c3d4): running\n{told}"


def test_a_spec_is_shown_as_spec_show_does(overmind, monkeypatch):
    monkeypatch.setattr("overmind_core.cli.specs.commands.spec_text", lambda spec: f"the spec {spec['slug']}")
    assert overmind({"quest_why": NONE, "spec": [{"ok": {"slug": "x"}}]}, "why", "x").out == "the spec x\n"


@pytest.mark.parametrize(
    ("quest", "code", "status"),
    [(NONE, "not_found: No quest, spec, plan or mission is named 'x'.", 1),
     ([{"error": "ambiguous", "message": "Two."}], "ambiguous: Two.", 1)],
)  # fmt: skip
def test_what_nobody_knows_is_said_and_what_could_be_several_things(overmind, quest, code, status):
    ran = overmind({"quest_why": quest, "spec": NONE, "info": NONE}, "why", "x")
    assert (ran.status, ran.out) == (status, "")
    assert code in ran.err
