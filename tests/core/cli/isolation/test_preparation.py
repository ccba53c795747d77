"""What `run` shows and says of a mission that is prepared before it runs, against a scripted daemon."""

from __future__ import annotations

import json

import pytest

from overmind_core.cli import progress
from overmind_core.cli.progress import Progress

RUN = {"id": "a1b2c3d4", "name": "web", "status": "preparing"}
PLACE = {"worktree": "/src/shop/.overmind/worktrees/a1b2c3d4", "branch": "overmind/web", "step": None}
SOMEBODY_ELSE = {"mission": "ffffffff", "type": "started"}


def daemon(*events, status="preparing", annotations=(), isolation=PLACE, run=RUN, **more):
    """One on which these events follow the answer to `run`."""
    facts = {"status": status, "reason": None, "exit_code": None, "isolation": isolation, **more}
    numbered = ({"item": {"seq": 8 + number, "mission": RUN["id"], **one}} for number, one in enumerate(events))
    return {
        "run": [{"ok": run}],
        "quest_run": [{"ok": run}],
        "logs": [{"ok": {"seq": 7, "missions": [{"annotations": list(annotations)}]}}],
        "info": [{"ok": facts}],
        "events": [{"ok": {}}, *numbered],
    }


def step(text):
    return {"type": "preparing", "step": text}


FAILED = {"type": "spawn_failed", "text": "--- could not start: Nothing listens at 3101. ---"}
CRASHED = {"type": "crashed", "reason": "not_ready", "exit_code": None}
HOW_TO_GO_ON = "See its log: overmind logs web. Check the set-up: overmind isolate --check\n"


@pytest.mark.parametrize(("command", "told"), [("run", "Started mission {}\n"), ("quest run", "Quest started: {}\n")])
def test_it_is_said_to_be_started_when_it_runs_and_where(overmind, command, told):
    ran = overmind(daemon(step("worktree"), SOMEBODY_ELSE, {"type": "started"}), *command.split(), "true")

    place = "Worktree /src/shop/.overmind/worktrees/a1b2c3d4 (branch overmind/web)\n"
    assert (ran.status, ran.out, ran.err) == (0, told.format("a1b2c3d4 (web)"), place)
    assert dict(ran.requests)["events"] == {"since": 7, "follow": True}


def test_json_tells_the_id_and_waits_in_the_same_way(overmind):
    ran = overmind(daemon(FAILED, CRASHED), "run", "--json", "true")

    assert (ran.status, json.loads(ran.out)) == (1, {"id": "a1b2c3d4", "name": "web"})
    assert ran.err.startswith("Error: not_ready: ")


SET_UP_FAILED = {"type": "crashed", "reason": "setup_failed", "exit_code": 2}
FAILURES = [
    (({**FAILED, "text": "--- could not start: See: x ---"}, CRASHED), "Error: not_ready: See: x. " + HOW_TO_GO_ON),
    ((FAILED, CRASHED), "Error: not_ready: Nothing listens at 3101. " + HOW_TO_GO_ON),
    (
        ({**FAILED, "text": "--- could not start: No. See: overmind logs web/db ---"}, CRASHED),
        "Error: not_ready: No. See: overmind logs web/db. Check the set-up: overmind isolate --check\n",
    ),
    ((SET_UP_FAILED,), "Error: setup_failed: The project's set-up failed. " + HOW_TO_GO_ON),
    (({"type": "killed"},), "Error: exited: Mission a1b2c3d4 (web) was killed before it ran.\n"),
    ((FAILED, {"type": "killed"}), "Error: exited: Mission a1b2c3d4 (web) was killed before it ran.\n"),
    (({"type": "stopped"},), "Error: exited: Mission a1b2c3d4 (web) was stopped before it ran.\n"),
]


@pytest.mark.parametrize(("events", "said"), FAILURES)
def test_what_can_not_be_prepared_is_told_with_how_to_go_on(overmind, events, said):
    ran = overmind(daemon(step("set-up"), *events), "run", "true")

    assert (ran.status, ran.out, ran.err) == (1, "", said)


NOTE = {"kind": "spawn_failed", "text": FAILED["text"]}
LATE = [
    ({"status": "running"}, 0),
    ({"status": "stopped", "exit_code": 0}, 0),
    ({"status": "crashed", "reason": "exit_code", "exit_code": 3}, 0),
    ({"status": "crashed", "reason": "not_ready", "annotations": [NOTE]}, 1),
    ({"status": "crashed", "reason": "setup_failed", "exit_code": 2}, 1),
    ({"status": "killed"}, 1),
]


@pytest.mark.parametrize(("facts", "expected"), LATE)
def test_who_comes_late_learns_it_all_the_same(overmind, facts, expected):
    ran = overmind(daemon(**facts), "run", "true")

    assert ran.status == expected
    assert "events" not in dict(ran.requests)


def test_a_daemon_that_is_replaced_meanwhile_is_not_noticed(overmind):
    answers = daemon()
    left = [None, [{"ok": {}}, {"item": {"seq": 9, "mission": RUN["id"], "type": "started"}}]]
    ran = overmind({**answers, "events": lambda _args: left.pop(0)}, "run", "true")

    assert (ran.status, ran.out) == (0, "Started mission a1b2c3d4 (web)\n")


def test_a_note_of_the_daemon_is_passed_on(overmind):
    ran = overmind({"run": [{"ok": {"id": "a", "name": "n", "note": "not isolated: \x1b[2J"}}]}, "run", "true")

    assert (ran.out, ran.err) == ("Started mission a (n)\n", "not isolated: \\x1b[2J\n")


WISHES = [([], None), (["--isolate"], True), (["--no-isolate"], False)]


@pytest.mark.parametrize("command", [["run"], ["quest", "run"], ["claude", "run"]])
@pytest.mark.parametrize(("words", "wish"), WISHES)
def test_the_wish_travels_to_the_daemon(overmind, command, words, wish):
    ran = overmind({name: [{"ok": {"id": "a", "name": "n"}}] for name in ("run", "quest_run")}, *command, *words, "x")

    assert ran.requests[0][1].get("isolate") is wish


def test_both_wishes_are_none(overmind):
    assert overmind({}, "run", "--isolate", "--no-isolate", "true")[0] == 2


def test_without_a_terminal_only_long_steps_are_told_and_each_once(capsys):
    now = [0.0]
    shown = Progress("Preparing web\x1b", lambda: now[0])
    times = [
        ("worktree", 0.2), ("pulling redis:7", 0.6), ("pulling redis:7 3 %", 1.0), ("pulling redis:7 40 %", 1.8),
        ("set-up", 2.2), ("set-up", 3.0), ("set-up", 9.0), ("ready\x07", 9.5),
    ]  # fmt: skip
    for text, at in times:
        now[0] = at
        shown.step(text)
        shown.tick()
    shown.close()

    told = ["Preparing web\\x1b: pulling redis:7", "Preparing web\\x1b: set-up"]
    assert capsys.readouterr().err.splitlines() == told


def test_a_terminal_without_abilities_gets_plain_lines(monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)

    assert type(progress.progress_of("x", {"TERM": "dumb"})) is Progress
    assert type(progress.progress_of("x", {"TERM": "xterm"})) is progress.LiveProgress
