"""What is asked, as it is shown and chosen from; who needs the person, in which order; without a screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.missions.status_marks import WAITING
from overmind_core.domain.text.cells import width
from overmind_core.view import inbox as inbox_rows
from overmind_core.view import subject
from overmind_core.view.cells import Cell
from overmind_core.view.fleet import Fleet
from overmind_core.view.question_block import Asking, block
from overmind_core.view.subject import Choosing
from tests.kit.cases import tabled

NOW = 1_767_225_600.0
"""2026-01-01T00:00:00Z."""


def question(number=7, mission="a", **more):
    return {
        "question": number, "id": mission, "name": mission, "need": "permission", "tool": "Bash", "options": [],
        "summary": "Bash: make", "subject": {"command": "make"}, "rule": None, "attach_only": False,
        "asked_at": "2025-12-31T23:58:00.000Z", **more,
    }  # fmt: skip


def row(mission, activity=None, status="running", **more):
    return {
        "id": mission, "name": mission, "type": "session", "status": status, "activity": activity, "reason": None,
        "started_at": "2025-12-31T23:00:00.000Z", "ended_at": None, "now": None, **more,
    }  # fmt: skip


def texts(lines):
    return ["".join(cell.text for cell in line) for line in lines]


SHOWN = [
    ({"command": "echo [red]\x1b[2J\nls"}, [" $ echo [red]\\x1b[2J", " > ls"]),
    ({"command": "ls", "description": "[b]look[/b]"}, [" $ ls", " description: [b]look[/b]"]),
    (
        {"file_path": "/a.py", "old_string": "one\ntwo\nthree", "new_string": "one\n2\nthree"},
        [" /a.py", "   one", " - two", " + 2", "   three"],
    ),
    (
        {"file_path": "/a.py", "old_string": "x", "new_string": "y", "replace_all": True},
        [" /a.py", " - x", " + y", " replaces every occurrence in the file"],
    ),
    ({"file_path": "/a.py", "old_string": "x", "new_string": "y", "replace_all": False}, [" /a.py", " - x", " + y"]),
    ({"file_path": "/new.py", "content": "one\n\ttwo"}, [" /new.py", " + one", " +     two"]),
    (
        {"file_path": "/a", "edits": [{"old_string": "1", "new_string": "2"}, {"old_string": "", "new_string": "3"}]},
        [" /a", " - 1", " + 2", " + 3"],
    ),
    ({"plan": "# first\nthen"}, [" # first", " then"]),
    ({"url": "https://example.com", "content": 5}, [" url: https://example.com", " content: 5"]),
    ({}, ["Bash: make"]),
]


@tabled(("asked", "lines"), SHOWN)
def test_all_of_a_subject_is_shown_literally(asked, lines):
    assert texts(subject.lines(question(subject=asked))) == lines


def test_only_what_is_around_a_change_is_shown():
    old = "\n".join(f"line {number}" for number in range(40))
    asked = {"file_path": "/a", "old_string": old, "new_string": old.replace("line 20", "twenty")}
    shown = texts(subject.lines(question(subject=asked)))
    assert shown[:3] == [" /a", " ⋯", "   line 17"]
    assert " - line 20" in shown
    assert len(shown) == 10


def test_a_change_of_very_many_lines_is_shown_without_comparing():
    asked = {"file_path": "/a", "old_string": "x\n" * 1500, "new_string": "x\n" * 1500}
    shown = texts(subject.lines(question(subject=asked)))
    assert (shown.count(" - x"), shown.count(" + x")) == (1500, 1500)


ROWS = st.lists(st.text(st.sampled_from("ab 日\u0301\U0001f600"), max_size=40), min_size=1, max_size=3)


@given(ROWS, st.integers(8, 30))
def test_wrapping_loses_nothing_and_fits(parts, cells):
    line = [Cell("  1  ", "key"), *(Cell(part) for part in parts)]
    rows = texts(subject.wrapped([line], cells))
    assert all(width(one) <= max(cells, 13) for one in rows)
    assert "".join(rows).replace(" ", "") == "".join(cell.text for cell in line).replace(" ", "")


WRAPPED = [
    ([Cell(" the daemon could not go on: internal")], 16, [" the daemon", " could not go", " on: internal"]),
    ([Cell(" $  ", "key"), Cell("make the whole of it")], 14, [" $  make the", "    whole of", "    it"]),
    ([Cell(" a "), Cell("0123456789012345678")], 10, [" a", " 012345678", " 901234567", " 8"]),
    ([Cell(" $  ", "key"), Cell("0123456789")], 12, [" $  01234567", "    89"]),
    ([Cell("both halves of"), Cell("a-word", "bad")], 14, ["both halves of", " a-word"]),
    ([Cell("ends at blank ")], 13, ["ends at blank"]),
]


@tabled(("line", "cells", "rows"), WRAPPED)
def test_rows_end_between_words_and_only_a_word_that_is_longer_than_a_row_is_broken(line, cells, rows):
    assert [one.rstrip() for one in texts(subject.wrapped([line], cells))] == rows


# choices

ONE = {"questions": [{"question": "Which?", "options": [{"label": "A", "description": "first"}, {"label": "B"}]}]}
SEVERAL = {"questions": [{"question": "Which?", "multiSelect": True, "options": [{"label": "A"}, {"label": "B"}]},
                         {"question": "When?", "options": [{"label": "now"}, {"label": "A"}]}]}  # fmt: skip


def chosen(asked, *keys):
    one = Choosing.of(asked)
    for key in keys:
        assert one is not None
        one = one.confirmed() if key == "enter" else one.pressed(key)
    return one


CHOICES = [
    (ONE, (2,), ["B"], True),
    (ONE, (), [], False),
    (SEVERAL, (1, 2, 1), ["1:B"], False),
    (SEVERAL, (2, 1, "enter"), ["1:A", "1:B"], False),
    (SEVERAL, (2, 1, "enter", 1), ["1:A", "1:B", "2:now"], True),
]


@pytest.mark.parametrize(("asked", "keys", "labels", "complete"), CHOICES)
def test_options_are_chosen_by_number(asked, keys, labels, complete):
    found = chosen(asked, *keys)
    assert (found.labels, found.complete) == (labels, complete)


@pytest.mark.parametrize("number", [0, 3, 9])
def test_an_option_that_is_not_there_is_not_chosen(number):
    assert chosen(ONE, number) is None


@pytest.mark.parametrize("asked", [{}, {"questions": []}, {"questions": "?"}, {"questions": [1]}])
def test_what_is_no_question_has_no_options(asked):
    assert Choosing.of(asked) is None


def test_options_stand_below_their_question_with_what_was_chosen():
    assert texts(subject.lines(question(subject=SEVERAL), chosen(SEVERAL, 2))) == [
        " Which?  choose one or more",
        "   1  [ ] A",
        "   2  [x] B",
        "",
        " When?",
        "   1  now",
        "   2  A",
    ]


# who needs the person


def found(rows, questions=()):
    return inbox_rows.needs(rows, questions, NOW)


def test_those_that_wait_now_stand_above_those_that_crashed_long_ago_and_in_each_group_who_has_waited_longest():
    rows = [
        row("done", "idle", unseen=True, activity_since="2025-12-31T23:00:00.000Z"),
        row("late", "waiting", need="permission"),
        row("dead", None, "crashed", reason="restart_budget_spent", ended_at="2025-12-31T20:00:00.000Z"),
        row("early", "waiting", need="permission"),
        row("busy", "working"),
    ]
    asked = [question(1, "early", asked_at="2025-12-31T23:00:00.000Z"), question(2, "late"), question(3, "early")]
    assert [need.key for need in found(rows, asked)] == [
        ("early", 1),
        ("early", 3),
        ("late", 2),
        ("dead", 0),
        ("done", 0),
    ]


def engine_question(number, id_, **more):
    about = {"kind": "spec", "id": id_, "name": id_}
    return question(number, id_, **{"about": about, "part": "", "need": "phase", "tool": "", "rule": None, **more})


def test_what_the_engine_asks_needs_the_person_also_without_a_mission():
    early = "2025-12-31T23:00:00.000Z"
    rows = [row("api", "waiting", need="permission"), row("build", None, "stopped")]
    asked = [question(1, "api"), engine_question(2, "login", asked_at=early), engine_question(3, "build")]
    needs = found(rows, asked)
    assert [need.key for need in needs] == [("login", 2), ("api", 1), ("build", 3)]
    assert [need.mission and need.mission["id"] for need in needs] == [None, "api", "build"]
    assert {need.mark for need in needs} == {WAITING}
    assert {need.group for need in needs} == {inbox_rows.BLOCKED}


def test_a_mission_that_waits_for_an_answer_to_the_engine_is_one_entry():
    assert [need.key for need in found([row("api", "waiting")], [engine_question(4, "api")])] == [("api", 4)]


@pytest.mark.parametrize(
    ("rows", "asked", "count"),
    [
        ([], [engine_question(1, "login")], 1),
        ([row("api", "waiting")], [engine_question(1, "api")], 1),
        ([row("api", "working")], [engine_question(1, "api"), engine_question(2, "login")], 2),
        ([row("api", "waiting", need="permission")], [question(1, "api")], 1),
    ],
)
def test_what_the_engine_asks_counts_as_one_that_waits(rows, asked, count):
    fleet = Fleet()
    fleet.apply([{"parent": None, **one} for one in rows], (), everything=True)
    before = fleet.counts.get(WAITING, 0)
    assert before <= count
    fleet.questions = asked
    assert fleet.counts[WAITING] == count


def test_a_question_of_a_later_version_is_shown_with_the_keys_that_answer_it():
    (need,) = found([], [engine_question(5, "login", need="orbit", subject={"lines": ["$ x", 1, None]})])
    assert texts(subject.lines(need.asked)) == [" Bash: make", " $ x", " 1", " None"]
    shown = texts(block(Asking(need.asked, NOW), 80, 30, has_keys=True).lines)
    assert shown == [
        "", " Bash: make   asked 2m ago", "", " $ x", " 1", " None", "",
        "  y  allow    n  deny    m  deny, and say why", "",
    ]  # fmt: skip


# words

ENDINGS = [
    ([], "the question is no longer open"),
    ([{"type": "answered", "question": 7, "by": None, "name": "api"}], "api: the question is no longer open"),
    (
        [{"type": "answered", "question": 7, "by": "rule Bash(ls)", "behaviour": "allow", "name": "api"}],
        "api: allowed by rule Bash(ls)",
    ),
    (
        [{"type": "answered", "question": 7, "by": "web:a", "behaviour": "allow", "name": "api", "answer": "no"}],
        "api: answered by web:a: no",
    ),
    ([{"type": "answered", "question": 8, "by": "a person"}], "the question is no longer open"),
]


DONE = [
    # who asks what, how it is answered, what was done
    ("permission", "allow", "allowed"),
    ("permission", "deny", "denied"),
    ("permission", "always", "always allowed from now on"),
    ("question", "allow", "answered"),
    ("question", "deny", "no answer given"),
    ("plan", "allow", "plan approved"),
    ("plan", "deny", "goes on planning"),
    ("a need that this version does not know", "deny", "denied"),
]


@pytest.mark.parametrize(("need", "behaviour", "said"), DONE)
def test_what_an_answer_has_done_is_said_in_the_words_of_its_question(need, behaviour, said):
    assert inbox_rows.done({"need": need, "subject": None}, behaviour) == said


def test_what_an_answer_to_the_engine_has_done_is_what_was_chosen():
    asked = {"need": "phase", "part": "tasks", "subject": {}, "about": {"kind": "spec"}}
    assert [inbox_rows.done(asked, one) for one in ("allow", "deny")] == ["go on", "run this phase again"]


@pytest.mark.parametrize(("events", "said"), ENDINGS)
def test_how_a_question_ended_is_said(events, said):
    assert inbox_rows.ended(7, events) == said
