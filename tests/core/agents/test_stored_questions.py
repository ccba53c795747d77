"""The rows of questions: those of agents and of the engine, and those that an earlier version has stored."""

from __future__ import annotations

import sqlite3

import pytest

from overmind_core.agents.store import QUESTION_OPEN, WITHDRAWN, QuestionRow
from overmind_core.daemon.state import State
from overmind_core.kernel.database import Database
from overmind_core.kernel.migrations import released

BEFORE = 9
"""The last schema in which only agents ask."""
MISSION = """INSERT INTO missions (id, name, live, hidden, parent, type, provider, status, request, created_at,
    ended_at, record) VALUES (?, ?, 1, 0, NULL, 'session', 'claude', 'running', NULL, 1.0, NULL, '{}')"""
QUESTION = """INSERT INTO questions (id, mission, run, state, asked_at, answered_at, by, decision, asked)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "state.db")


def stored_before(path, *questions, removed=()):
    """A home in which these were asked; the missions of `removed` are gone."""
    Database.open(path, migrations=released()[:BEFORE]).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA foreign_keys = ON")
        for mission in dict.fromkeys(question[1] for question in questions):
            database.execute(MISSION, (mission, f"name of {mission}"))
        database.executemany(QUESTION, questions)
        database.executemany("DELETE FROM missions WHERE id = ?", [(one,) for one in removed])
    database.close()


def test_questions_of_an_earlier_version_keep_their_numbers_and_are_about_their_missions(path):
    stored_before(
        path,
        (3, "m1", "m1.1", "open", 5.0, None, None, None, "[]"),
        (4, "m1", "m1.1", "answered", 6.0, 7.0, "a person", '["allow",null,[],[]]', "[1]"),
        (9, "m2", "m2.1", "open", 8.0, None, None, None, "[]"),
        removed=["m2"],
    )
    state = State.open(path)
    try:
        assert state.questions.open() == [
            QuestionRow(3, "m1", "m1.1", "mission", "m1", "open", 5.0, None, None, None, "[]")
        ]
        assert state.questions.get(4) == QuestionRow(
            4, "m1", "m1.1", "mission", "m1", "answered", 6.0, 7.0, "a person", '["allow",null,[],[]]', "[1]"
        )
        assert state.questions.get(9) is None
        assert state.questions.newest() == 9
        with state.transaction():
            state.questions.insert(QuestionRow(10, None, None, "quest", "q", "open", 9.0, None, None, None, "{}"))
        assert state.questions.newest() == 10
    finally:
        state.close()


def test_a_home_in_which_nothing_was_asked_begins_with_number_one(path):
    stored_before(path)
    state = State.open(path)
    assert state.questions.newest() == 0
    state.close()


def test_a_removed_mission_takes_what_it_asked_along_and_nothing_that_the_engine_asks_about_it(path):
    stored_before(path, (1, "m1", "m1.1", "open", 5.0, None, None, None, "[]"))
    state = State.open(path)
    try:
        with state.transaction():
            state.questions.insert(QuestionRow(2, None, None, "mission", "m1", "open", 6.0, None, None, None, "{}"))
        assert [row.id for row in state.questions.about("m1")] == [1, 2]
        assert [row.id for row in state.questions.open("m1")] == [1]
        assert state.questions.asked_about() == {"m1"}
        with state.transaction():
            state.missions.remove(["m1"])
        assert [row.id for row in state.questions.about("m1")] == [2]
    finally:
        state.close()


def test_the_first_word_about_a_question_counts(path):
    state = State.open(path)
    try:
        with state.transaction():
            state.questions.insert(QuestionRow(1, None, None, "spec", "s", QUESTION_OPEN, 1.0, None, None, None, "{}"))
            state.questions.note(1, "a person", "[]")
            state.questions.close(1, WITHDRAWN, 2.0)
            state.questions.close(1, "answered", 3.0, "a person", "[]")
            state.questions.note(1, "another", "[]")
        assert state.questions.get(1) == QuestionRow(1, None, None, "spec", "s", WITHDRAWN, 1.0, 2.0, None, None, "{}")
    finally:
        state.close()
