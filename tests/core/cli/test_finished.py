"""The last line of a command that has waited: how that ended which has not succeeded, and what helps."""

from __future__ import annotations

import json
from typing import Any

import pytest

ID = "a1b2c3d4"
ENDED: dict[str, Any] = {
    "id": ID, "name": "api", "status": "crashed", "exit_code": 3, "reason": None, "outcome": "failed",
    "quest_state": None, "quest_text": None, "run_reason": None, "limit_seconds": None, "restart_policy": "never",
    "max_restarts": 0, "max_seconds": 60.0, "restart_count": 0,
}  # fmt: skip
AGAIN = "See: overmind logs api. Run it again with: overmind restart api"
LOG_IN = (
    "See: overmind logs api. Log in first: run claude in a terminal and type /login. Then run it again with: "
    "overmind restart api"
)
ENDS: list[tuple[dict[str, Any], str]] = [
    ({}, f"Mission {ID} (api) finished: crashed (exit code 3): failed. {AGAIN}"),
    (
        {"status": "stopped", "exit_code": 124, "reason": "timeout", "outcome": "timed out", "limit_seconds": 60.0},
        f"Mission {ID} (api) finished: stopped (exit code 124): timed out: it took longer than 1 minute. {AGAIN}",
    ),
    (
        {"status": "killed", "exit_code": None, "outcome": "killed"},
        f"Mission {ID} (api) finished: killed (no exit code). {AGAIN}",
    ),
    (
        {"exit_code": 1, "reason": "not_logged_in", "provider": "claude"},
        f"Mission {ID} (api) finished: crashed (exit code 1): failed: it is not logged in. {LOG_IN}",
    ),
    ({"status": "stopped", "exit_code": 0, "outcome": "succeeded"}, ""),
    ({"status": "restarting", "outcome": None}, ""),
]


def daemon(changes):
    """The answers of one whose mission ends so."""
    info = ENDED | changes
    log = {"missions": [{**info, "runs": [], "annotations": [], "type": "task"}], "seq": 1}
    return {
        "run": [{"ok": {"id": ID, "name": "api", "status": "starting"}}],
        "logs": [{"ok": log}, {"end": {}}],
        "info": [{"ok": info}],
        "rm": [{"ok": {"id": ID, "name": "api"}}],
    }


@pytest.mark.parametrize(("changes", "said"), ENDS)
def test_a_run_that_was_waited_for_says_at_its_end_how_it_failed_and_what_helps(overmind, changes, said):
    ran = overmind(daemon(changes), "run", "--wait", "./server")
    assert ran.err.splitlines()[1:] == ([said] if said else [])


def test_of_one_that_is_removed_no_command_is_named(overmind):
    ran = overmind(daemon({}), "run", "--rm", "--wait", "./server")
    assert ran.err.splitlines()[1:] == [f"Mission {ID} (api) finished: crashed (exit code 3): failed"]
    assert [name for name, _ in ran.requests][-2:] == ["info", "rm"]


def test_one_that_was_removed_meanwhile_is_not_missed(overmind):
    gone = {"error": "not_found", "message": "No mission"}
    ran = overmind(daemon({}) | {"info": [gone]}, "run", "--wait", "./server")
    assert (ran.status, ran.err.splitlines()[1:]) == (3, [])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "crashed (exit code 3): failed. See: overmind why api. Run what failed again with"),
        (
            {"status": "stopped", "exit_code": 1, "outcome": "stopped"},
            "stopped (exit code 1). See: overmind why api. Go on with",
        ),
    ],
    ids=["failed", "stopped"],
)
def test_a_plan_that_was_waited_for_says_how_it_goes_on(overmind, tmp_path, changes, said):
    path = tmp_path / "p.toml"
    path.write_text('[blueprint]\nname = "api"\n[agents.b]\ncommand = "true"\n')
    answer = {"id": ID, "name": "api", "status": "started", "changes": [], "kept": []}
    ran = overmind(daemon(changes) | {"plans": [{"ok": []}], "apply": [{"ok": answer}]}, "apply", str(path), "--wait")
    assert ran.err.splitlines()[-1] == f"Plan {ID} (api) finished: {said}: overmind apply {path} --rerun failed"


QUEST = {"id": ID, "name": "docs", "status": "failed", "reason": "check_failed", "exit_code": 4, "outcome": "failed"}
FAILED = f"Quest {ID} (docs) finished: failed (its check failed, exit code 4). See: overmind quest why docs"
DONE = {"status": "completed", "reason": None, "exit_code": 0, "outcome": "succeeded", "achieved": "checked"}


@pytest.mark.parametrize(
    ("changes", "said"), [({}, FAILED), (DONE, f"Quest {ID} (docs) finished: completed (exit code 0): checked")]
)
def test_a_quest_that_was_waited_for_says_it_in_the_words_of_its_wait(overmind, changes, said):
    waited = [{"ok": {"missions": [{"id": ID, "name": "docs"}]}}, {"item": QUEST | changes}, {"end": {}}]
    added = {"quest_add": [{"ok": {"quests": [{"id": ID, "name": "docs"}]}}], "quest_wait": waited}
    assert overmind(added, "quest", "add", "--wait", "Docs", "make").err.splitlines()[1:] == [said]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["api"], "See: overmind logs api. Start again what was lost with: overmind restart api"),
        (["api", "web"], "See: overmind logs api web. Start again what was lost with: overmind restart --lost"),
        (["ci/unit"], "See: overmind logs ci/unit. See how it goes on: overmind why ci/unit"),
    ],
)
def test_a_person_who_has_waited_for_what_was_lost_reads_how_it_is_started_again(overmind, monkeypatch, names, said):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    ids = {name: f"{number:08x}" for number, name in enumerate(names)}
    lost = ENDED | {"outcome": "lost", "reason": "keeper_lost", "exit_code": None, "shell_exit": 1}
    ends = [{"item": lost | {"id": id_, "name": name}} for name, id_ in ids.items()]
    begun = {"ok": {"missions": [{"id": id_, "name": name} for name, id_ in ids.items()]}}
    assert overmind({"wait": [begun, *ends, {"end": {}}]}, "wait", *names).err.splitlines() == [said]


WAITS = {
    # words of the command, the request that it waits by, one end, and what a person reads behind that
    "a mission": (("wait", "api"), "wait", ENDED, "See: overmind logs api"),
    "a quest": (("quest", "wait", "docs"), "quest_wait", QUEST, "See: overmind quest why docs"),
}


@pytest.mark.parametrize(("words", "request_name", "end", "said"), WAITS.values(), ids=WAITS)
@pytest.mark.parametrize("outcome", ["failed", "succeeded"])
def test_a_person_reads_behind_the_ends_what_shows_why(overmind, monkeypatch, words, request_name, end, said, outcome):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    answer = {"missions": [{"id": ID, "name": end["name"]}]}
    waited = [{"ok": answer}, {"item": end | {"outcome": outcome}}, {"end": {}}]
    ran = overmind({request_name: waited}, *words)
    assert ran.err.splitlines() == ([said] if outcome == "failed" else [])


GOES_ON = ENDED | {"name": "docs", "status": "stopped", "exit_code": 0, "outcome": None, "quest_state": "checking"}


def waited(end):
    return [{"ok": {"missions": [{"id": ID, "name": end["name"]}]}}, {"item": end}, {"end": {}}]


@pytest.mark.parametrize(("changes", "status"), [({}, 4), ({"exit_code": 0}, 1), (DONE, 0)])
def test_a_wait_goes_on_with_the_quest_of_what_has_ended_and_exits_by_that(overmind, changes, status):
    answers = {"wait": waited(GOES_ON), "quest": [{"ok": QUEST}], "quest_wait": waited(QUEST | changes)}
    ran = overmind(answers, "wait", "docs")
    assert ran.status == status
    first, second = ran.out.splitlines()
    assert first == f"Mission {ID} finished: stopped (exit code 0): its quest goes on"
    assert second.startswith(f"Quest {ID} finished: {'completed' if changes == DONE else 'failed'} (")
    shown = overmind(answers, "wait", "docs", "--json").out.splitlines()
    assert [json.loads(line).get("quest_state") for line in shown] == ["checking", None]


@pytest.mark.parametrize(
    ("state", "text"),
    [("queued", "tried again: its command failed (3)"), ("tried again", "failed (3), tried again")],
)
def test_of_an_attempt_that_is_tried_again_that_is_said_for_it_may_be_of_a_plan(overmind, state, text):
    end = ENDED | {"name": "release/flaky", "outcome": None, "quest_state": state, "quest_text": text}
    unknown = [{"error": "not_found", "message": "No quest"}]
    ran = overmind({"wait": waited(end), "quest": unknown}, "wait", "release/flaky")
    assert (ran.status, ran.out) == (3, f"Mission {ID} finished: crashed (exit code 3): {text}\n")


def test_the_wait_for_a_quest_has_the_time_that_is_left(overmind, monkeypatch):
    until = []

    def follow(_client, request, *, deadline, beat):
        del beat
        until.append(deadline)
        yield "ok", {"missions": [{"id": ID, "name": "docs"}]}
        yield "item", {"wait": GOES_ON, "quest_wait": QUEST}[request()[0]]

    monkeypatch.setattr("overmind_core.cli.missions.watch.follow", follow)
    overmind({"quest": [{"ok": QUEST}]}, "wait", "docs", "--timeout", "1m")
    assert len(until) == 2
    assert until[0] == until[1]


@pytest.mark.parametrize("words", [("--any",), ()])
def test_a_wait_ends_with_what_it_was_asked_for_where_that_is_no_quest_or_one_end_is_enough(overmind, words):
    """A check that another one has followed goes on in its quest, and is none."""
    unknown = [{"error": "not_found", "message": "No quest"}]
    ran = overmind({"wait": waited(GOES_ON), "quest": unknown}, "wait", *words, "docs")
    assert (ran.status, len(ran.out.splitlines())) == (0, 1)


def test_what_failed_behind_its_program_is_no_success_of_a_wait(overmind):
    end = GOES_ON | {"outcome": "failed", "quest_state": "failed", "quest_text": "failed: its check failed"}
    ran = overmind({"wait": waited(end)}, "wait", "docs")
    assert (ran.status, ran.out) == (1, f"Mission {ID} finished: stopped (exit code 0): failed: its check failed\n")
