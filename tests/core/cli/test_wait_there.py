"""`quest wait`, `wait` and `quest why` of what the swarm alone has: the names that `quest add --on` prints lead on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from overmind_core.cli.swarm import wait_there
from overmind_core.system.paths import Home

NONE = [{"error": "not_found", "message": "No quest named 'docs'. See them with: overmind quest list"}]
NO_MISSION = [{"error": "not_found", "message": "No mission named 'docs'. See them with: overmind ps --all"}]
NO_POST = [{"error": "not_found", "message": "The swarm has no post 'docs'."}]
POST: dict[str, Any] = {
    "id": "76fe62e3", "kind": "quest", "name": "docs", "state": "done", "hive": "eu1", "exit_code": 0, "reason": None,
    "ended_at": "2026-01-01T00:00:00Z",
}  # fmt: skip
WHY: dict[str, Any] = {
    "id": "76fe62e3", "name": "docs", "state": "done", "summary": "it is done", "blocked": False, "hives": [],
    "pools": [],
}  # fmt: skip
QUESTION: dict[str, Any] = {
    "question": 3, "id": "76fe62e3", "name": "docs", "need": "review", "attach_only": False, "options": [],
    "choices": [],
}  # fmt: skip


@pytest.fixture
def in_swarm(overmind, monkeypatch):
    """Run a command line in a home that is in a swarm."""
    monkeypatch.setattr(Home, "is_in_swarm", property(lambda _home: True))
    monkeypatch.setattr(wait_there, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(wait_there, "PAUSE", 0.01)
    return overmind


def answers(*whys: dict[str, Any], posts=(POST,), questions=()):
    """A daemon that has nothing of that name, and a swarm whose post stands so at each look; the first finds it."""
    left = [whys[0], *whys]
    return {
        "quest_wait": NONE, "wait": NO_MISSION, "quest_why": NONE,
        "swarm_why": lambda _: [{"ok": left.pop(0) if len(left) > 1 else left[0]}],
        "swarm_posts": [{"ok": list(posts)}], "swarm_inbox": [{"ok": list(questions)}],
    }  # fmt: skip


@pytest.mark.parametrize(
    "words", [("quest", "wait", "docs"), ("quest", "wait", "swarm/docs"), ("wait", "docs"), ("wait", "76fe62e3")]
)
def test_what_the_swarm_has_is_waited_for(in_swarm, words):
    running = {**WHY, "state": "claimed", "summary": "eu1 has it"}
    ran = in_swarm(answers({**WHY, "state": "queued", "summary": "yes"}, running, running, WHY), *words)
    assert (ran.status, ran.out) == (0, "Quest 76fe62e3 (docs) finished on eu1: succeeded\n")
    assert ran.err == "waits: docs is queued: a hive that fits takes it\nwaits: docs: eu1 has it\n"


ENDS = [
    ({"state": "failed", "exit_code": 3, "reason": "check_failed"}, 3, "failed (3): its check failed"),
    ({"state": "failed", "exit_code": None, "reason": "failed"}, 1, "failed"),
    ({"state": "cancelled", "exit_code": None, "reason": "cancelled"}, 1, "stopped"),
    ({"state": "done", "kind": "run"}, 0, "succeeded"),
]


@pytest.mark.parametrize(("end", "status", "words"), ENDS)
def test_its_end_is_said_and_counts(in_swarm, end, status, words):
    row = {**POST, **end}
    ran = in_swarm(answers({**WHY, "state": row["state"]}, posts=[row]), "quest", "wait", "docs")
    what = "Quest" if row["kind"] == "quest" else "Run"
    assert (ran.status, ran.out) == (status, f"{what} 76fe62e3 (docs) finished on eu1: {words}\n")
    shown = in_swarm(answers({**WHY, "state": row["state"]}, posts=[row]), "quest", "wait", "docs", "--json")
    assert json.loads(shown.out) == row


def test_a_question_is_named_with_the_command_that_answers_it(in_swarm):
    running = {**WHY, "state": "claimed", "summary": "eu1 has it"}
    ran = in_swarm(answers(running, WHY, questions=[QUESTION]), "quest", "wait", "docs")
    assert ran.err == "waits for you: question swarm/3 (review of docs): overmind answer swarm/3 allow or deny\n"


def test_what_a_failed_one_is_in_the_way_of_waits_for_a_person(in_swarm):
    summary = "waits: needs api (failed). Go on with: overmind quest retry swarm/api"
    blocked = {**WHY, "state": "queued", "summary": summary, "blocked": True}
    ran = in_swarm(answers(blocked), "quest", "wait", "docs")
    said = "needs api (failed). Go on with: overmind quest retry swarm/api"
    assert (ran.status, ran.out, ran.err) == (3, "", f"waits for you: docs is queued: {said}\n")
    ran = in_swarm(answers(blocked), "quest", "wait", "docs", "--keep-waiting", "--timeout", "0.1s")
    assert (ran.status, ran.err.splitlines()[-1]) == (124, "Error: timeout: Not ended within 0.1s: docs.")


def test_a_silent_database_is_waited_for(in_swarm):
    looks: list[dict[str, Any]] = [
        {"ok": {**WHY, "state": "claimed"}}, {"error": "swarm_silent", "message": "It does not answer."}, {"ok": WHY},
    ]  # fmt: skip
    ran = in_swarm({**answers(WHY), "swarm_why": lambda _: [looks.pop(0)]}, "quest", "wait", "docs")
    assert (ran.status, ran.err) == (0, "waits: It does not answer.\n")


def test_what_nobody_has_is_an_error_that_names_both_lists(in_swarm, overmind, monkeypatch):
    said = "Error: not_found: No quest named 'docs'. See them with: overmind quest list"
    both = f"{said}, and those of the swarm with: overmind quest list -H swarm\n"
    nobody = {**answers(WHY), "swarm_why": NO_POST, "quest": NONE, "quest_cancel": NONE, "spec": NONE, "info": NONE}
    for command in ("wait", "why", "info", "cancel"):
        ran = in_swarm(nobody, "quest", command, "docs")
        assert (ran.status, ran.err) == (1, both)
    monkeypatch.setattr(Home, "is_in_swarm", property(lambda _home: False))
    for command in ("wait", "why", "info"):
        answers_here = {"quest_wait": NONE, "quest_why": NONE, "quest": NONE, "spec": NONE, "info": NONE}
        assert overmind(answers_here, "quest", command, "docs").err == f"{said}\n"


def test_why_it_waits_is_found_in_the_swarm(in_swarm):
    ran = in_swarm(answers({**WHY, "state": "claimed", "summary": "eu1 has it"}), "quest", "why", "docs")
    assert (ran.status, ran.out) == (0, "docs (76fe62e3): eu1 has it\n")


def test_what_is_posted_says_where_it_waits_and_how_to_wait_for_it(in_swarm, monkeypatch):
    monkeypatch.setattr("overmind_core.cli.swarm.quest_on.source_around", lambda *_: None)
    added = [{"ok": {"quests": [{"id": "76fe62e3", "name": "docs"}]}}]
    ran = in_swarm({"swarm_add": added}, "quest", "add", "Docs", "--on", "any", "--", "make")
    assert ran.out == "Quest queued: 76fe62e3 (docs), in the swarm\n"
    assert ran.err == "Wait for it with: overmind quest wait swarm/docs\n"


@pytest.mark.parametrize(("words", "again"), [(("quest", "wait"), "quest wait"), (("wait",), "wait")])
def test_who_leaves_with_ctrl_c_is_told_how_to_wait_again(in_swarm, monkeypatch, words, again):
    def leave(_seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr("overmind_core.cli.swarm.wait_there.time.sleep", leave)
    running = {**WHY, "state": "claimed", "summary": "eu1 has it"}
    ran = in_swarm(answers(running), *words, "docs")
    assert ran.status == 130
    assert ran.err.splitlines()[-1] == (
        f"docs is not waited for any longer. Wait for it again with: overmind {again} swarm/docs"
    )
