"""The timeline as a pure fold: events in, one entry for each thing that happened out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.watching.timeline import EARLIER, NO_LONGER_KEPT, WHAT, Timeline, newest
from tests.kit.cases import tabled

QUEST = "aaaaaaaa"


def fold(*events, subject=QUEST):
    timeline = Timeline(subject)
    for seq, event in enumerate(events, 1):
        timeline.apply(seq, float(seq), {"mission": QUEST, "name": "login", **event})
    return timeline.entries


def told(*events, **more):
    return [(one.attempt, one.what, one.by, one.text) for one in fold(*events, **more)]


def quest(status, phase=None, attempt=0, **more):
    return {"type": "quest", "status": status, "phase": phase, "attempt": attempt, "class": None, **more}


def test_the_attempts_of_a_quest_are_told_each_thing_once():
    assert told(
        quest("queued", by="person"),
        quest("running", "work", 1, by="engine", why="its turn has come"),
        {"type": "created", "run": 1},
        {"type": "started", "run": 1, "pid": 7},
        {"type": "exited", "run": 1, "exit_code": 0},
        {"type": "stopped", "run": 1, "reason": None, "exit_code": 0, "outcome": "succeeded"},
        quest("running", "check", 1, by="engine", why="its work has ended"),
        quest("queued", None, 1, by="engine", why="check_failed") | {"class": "check_failed"},
        quest("running", "work", 2, by="engine"),
        {"type": "started", "run": 2, "pid": 8},
        quest("completed", None, 2, by="engine", reason=None, exit_code=0, why="it is done"),
    ) == [
        (None, "queued", "person", "waits for its turn"),
        (1, "working", "engine", "attempt 1 begins"),
        (1, "exited", None, "exit code 0"),
        (1, "checking", "engine", "its work has ended"),
        (1, "queued", "engine", "attempt 1 has failed: its check failed"),
        (2, "working", "engine", "attempt 2 begins"),
        (2, "completed", "engine", "it is done"),
    ]


def test_the_work_of_a_quest_that_began_at_once_has_no_outcome_before_its_check():
    at_once = {"type": "quest", "status": "running", "phase": "work"}
    ended = {"type": "stopped", "run": 1, "reason": None, "exit_code": 0, "outcome": "succeeded"}
    begun = [at_once, {"type": "exited", "run": 1, "exit_code": 0}, ended, {**at_once, "phase": "check"}]
    failed = {"type": "quest", "status": "failed", "reason": "check_failed", "exit_code": 1}
    assert [what for _, what, _, _ in told(*begun, failed)] == ["working", "exited", "checking", "failed"]


def test_work_that_a_person_has_denied_is_tried_again_in_the_same_round():
    denied, failed = {"class": "review_denied"}, {"class": "check_failed"}
    assert told(
        quest("queued", None, 1, by="person") | denied,
        quest("queued", None, 3, by="person") | failed,
    ) == [
        (1, "queued", "person", "attempt 1 was denied: it is tried again"),
        (3, "queued", "person", "a new round of attempts"),
    ]


def test_the_runs_of_a_mission_are_its_attempts():
    assert told(
        {"type": "created", "run": 1, "by": "person"},
        {"type": "started", "run": 1, "pid": 7},
        {"type": "exited", "run": 1, "exit_code": 2},
        {"type": "restarting", "run": 1, "exit_code": 2, "delay_seconds": 1.0},
        {"type": "restart", "run": 2, "text": "--- restart #1 ---"},
        {"type": "started", "run": 2, "pid": 8},
        {"type": "stopping", "run": 2, "cause": "kill", "by": "person"},
        {"type": "exited", "run": 2, "exit_code": None},
        {"type": "killed", "run": 2, "reason": "killed", "exit_code": None},
    ) == [
        (1, "created", "person", ""),
        (1, "started", None, "run 1"),
        (1, "restarting", None, "exit code 2; again in 1s"),
        (2, "started", None, "run 2"),
        (2, "stopping", "person", "kill"),
        (2, "killed", None, "no exit code"),
    ]


def test_a_text_that_is_too_long_is_cut_between_two_words_with_a_mark():
    event = {"type": "stopping", "run": 1, "cause": "limit", "text": f"--- steered: {'not yours ' * 30}---"}
    ((_, _, _, text),) = told(event)
    assert text == f"steered: {'not yours ' * 18}not …"
    assert len(text) <= 200
    ((_, _, _, text),) = told({**event, "text": f"--- steered: {'x' * 300} ---"})
    assert text == f"steered: {'x' * 189}…"


def test_who_ends_a_run_for_a_limit_is_the_engine_whoever_has_allowed_it():
    event = {"type": "stopping", "run": 1, "cause": "limit", "text": "--- steered: carts.py is in api ---"}
    assert (
        told({**event, "by": "person"})
        == told(event)
        == [
            (1, "stopping", "engine", "steered: carts.py is in api"),
        ]
    )


def test_a_quest_that_began_at_once_is_told_with_its_run():
    assert told(
        {"type": "started", "run": 1, "pid": 7},
        {"type": "quest", "status": "running", "by": "person"},
        {"type": "quest", "status": "failed", "reason": "check_failed", "exit_code": 3},
    ) == [(1, "working", "person", "run 1"), (1, "failed", None, "its check failed (exit code 3)")]


@tabled(
    ("event", "text"),
    [
        ({"reason": "check_failed", "exit_code": 3}, "its check failed (exit code 3)"),
        ({"reason": "no_change", "exit_code": 1}, "nothing was changed or committed"),
        ({"reason": "output_invalid", "exit_code": 1}, "its result can't be taken over"),
        (
            {"reason": "conflict_left", "exit_code": 1, "why": "it left the marks of a conflict in a"},
            "it left the marks of a conflict in a",
        ),
        ({"reason": "conflicts", "exit_code": 1}, "its work conflicts with what has landed meanwhile"),
        ({"reason": "review_denied", "exit_code": 1}, "its review was denied"),
    ],
)
def test_an_exit_code_is_told_only_where_a_program_exited_with_it(event, text):
    assert told({"type": "quest", "status": "failed", **event}) == [(None, "failed", None, text)]


@tabled(
    ("event", "expected"),
    [
        ({"type": "health", "level": "stalled", "by": "engine", "why": "no sign of life for 5m"},
         ("health", "engine", "stalled: no sign of life for 5m")),
        ({"type": "steer", "rung": "message", "terms": ["loop", "drift"], "outcome": None, "by": "engine", "why": "x"},
         ("steer", "engine", "message (loop, drift): x")),
        ({"type": "steer", "rung": "end", "terms": ["loop", "drift"], "outcome": None, "by": "engine",
          "why": "loop: 3 times: ls; drift: app.py"}, ("steer", "engine", "end: loop: 3 times: ls; drift: app.py")),
        ({"type": "steer", "rung": "message", "terms": ["loop"], "outcome": "helped", "by": "engine", "why": "x"},
         ("steer", "engine", "message helped: x")),
        ({"type": "overlap", "other_name": "b", "files": ["1", "2", "3", "4"], "conflicts": ["1"], "by": "engine"},
         ("overlap", "engine", "b changes 1, 2, 3 and 1 more, too; conflicts: 1")),
        ({"type": "lesson", "lesson": "L-1", "state": "proposed", "class": "exit", "by": "engine"},
         ("lesson", "engine", "L-1 proposed: its command failed")),
        ({"type": "note", "note": "N-7f3k9c2m4q", "change": "proposed", "by": "engine", "why": "it failed (exit)"},
         ("note", "engine", "N-7f3k9c2m4q proposed: it failed (exit)")),
        ({"type": "report", "kind": "bug", "quest": "b", "question": None, "count": 1, "why": None, "by": QUEST},
         ("report", QUEST, "bug, queued as b")),
        ({"type": "report", "kind": "bug", "quest": "b", "question": None, "count": 2, "why": None},
         ("report", None, "bug, reported 2 times")),
        ({"type": "report", "kind": "question", "quest": None, "question": 4, "count": 1, "why": None},
         ("report", None, "question, asked as question 4")),
        ({"type": "asked", "question": 1, "need": "stuck", "summary": "failed", "about": {"kind": "quest"}},
         ("asked", "engine", "question 1 (stuck): failed")),
        ({"type": "asked", "question": 1, "need": "permission", "summary": "Bash: ls"},
         ("asked", None, "question 1 (permission): Bash: ls")),
        ({"type": "answered", "question": 1, "by": "a person", "behaviour": "allow"},
         ("answered", "person", "question 1: allow")),
        ({"type": "answered", "question": 1, "by": "a person", "behaviour": "allow", "answer": "no, never"},
         ("answered", "person", "question 1: no, never")),
        ({"type": "answered", "question": 1, "by": "a person", "behaviour": "allow", "options": ["Red", "Blue"]},
         ("answered", "person", "question 1: Red, Blue")),
        ({"type": "answered", "question": 1, "by": None, "behaviour": None},
         ("withdrawn", None, "question 1")),
        ({"type": "landed", "branch": "a", "target": "main", "before": "0" * 40, "after": "1" * 40, "by": "engine"},
         ("landed", "engine", "a on main: 0000000 to 1111111")),
        ({"type": "cost_warning", "cost_usd": 0.85},
         ("cost_warning", "engine", "$0.85 spent")),
        ({"type": "spec", "phase": None, "state": "working", "by": "engine"},
         ("spec", "engine", "working")),
        ({"type": "spec", "phase": "design", "state": "passed", "score": 0.93},
         ("phase", None, "design passed 0.93")),
        ({"type": "spec", "phase": "tasks", "state": "review", "score": 0.975},
         ("phase", None, "tasks review 0.975")),
        ({"type": "keeper_lost", "text": "--- lost ---"}, ("keeper_lost", None, "lost")),
    ],
)  # fmt: skip
def test_what_each_event_tells(event, expected):
    assert [one[1:] for one in told(event)] == [expected]


def test_entries_about_the_quests_of_a_spec_begin_with_their_names():
    spec = {"type": "spec", "mission": "bbbbbbbb", "name": "shop", "phase": None, "state": "working"}
    assert told(spec, quest("queued"), subject="bbbbbbbb") == [
        (None, "spec", None, "working"),
        (None, "queued", None, "login: waits for its turn"),
    ]


@tabled(
    ("cause", "text", "told_as"),
    [
        ("timeout", "--- timed out: ran longer than 2s ---", "timed out: ran longer than 2s"),
        ("timeout", "", "it took too long"),
        ("stalled", "--- timed out: no activity for 30s ---", "timed out: no activity for 30s"),
        ("stop", "", "stop"),
    ],
)
def test_why_a_run_is_ended_is_told_once_and_by_no_code(cause, text, told_as):
    assert told({"type": "stopping", "run": 1, "cause": cause, "text": text})[-1][3] == told_as


@tabled(
    ("event", "text"),
    [
        ({"error": "exited", "text": "--- message 1 was given up; again with: x ---"},
         "message 1 was given up; again with: x"),
        ({"error": "api_error", "text": None}, "message 1 failed: the service of its model answered with an error"),
        ({"error": "exited", "text": None}, None),
        ({"error": "interrupted", "text": None}, None),
    ],
)  # fmt: skip
def test_a_message_that_failed_is_told_unless_something_else_says_it(event, text):
    failed = {"type": "message_failed", "run": 1, "message": 1, **event}
    assert [one.text for one in fold(failed)] == ([] if text is None else [text])
    around = fold({"type": "exited", "run": 1, "exit_code": 1}, failed,
                  {"type": "restarting", "run": 1, "exit_code": 1, "delay_seconds": 1.0})  # fmt: skip
    assert [one.what for one in around] == ["restarting", *(() if text is None else ("message_failed",))]


def test_texts_of_others_are_one_line():
    (entry,) = fold({"type": "asked", "question": 1, "need": "question", "summary": "one\x1b[2J\ntwo"})
    assert "\n" not in entry.text


@tabled("kind", [*WHAT, "of_a_later_version"])
def test_an_event_that_can_not_be_read_tells_nothing(kind):
    fold({"type": kind}, {"type": kind, "status": 1, "files": 3, "cost_usd": "x", "before": None, "terms": 5})


@given(st.lists(st.integers(1, 3), max_size=8))
def test_every_attempt_that_began_has_one_entry_that_says_so(numbers):
    attempts = sorted(set(numbers))
    events = [one for number in attempts for one in (quest("running", "work", number), {"type": "started", "run": 1})]
    assert [one.attempt for one in fold(*events) if one.what == "working"] == attempts


@pytest.mark.parametrize(
    ("limit", "complete", "first"),
    [
        (10, True, None),
        (3, True, None),
        (2, True, "1 earlier entry is not shown."),
        (1, False, f"2 earlier entries are not shown. {NO_LONGER_KEPT}"),
        (10, False, NO_LONGER_KEPT),
    ],
)
def test_what_is_not_shown_is_said_first(limit, complete, first):
    entries = fold(*({"type": "started", "run": number} for number in (1, 2, 3)))
    shown = newest(entries, limit, complete=complete)
    if first is None:
        assert shown == entries
    else:
        assert (shown[0].what, shown[0].at, shown[0].text, shown[0].seq) == (EARLIER, None, first, shown[1].seq)
        assert shown[1:] == entries[-limit:]
