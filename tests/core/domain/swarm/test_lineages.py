"""Generations of a lineage: how each begins, and what it is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.swarm.lineages import (
    LARGEST_NOTES,
    Beginning,
    Known,
    Last,
    Told,
    beginning,
    handed_on_notes,
    log_line,
    task,
)

HERE = Known(is_there=True, has_conversation=True, providers=("claude", "claude"), folders=("/home/ada", "/home/ada"))
LAST = Last(1, "eu1", "done")
NEW = Beginning(is_new=True, why="that of generation 1 lies on eu1")
GOES_ON = Beginning(is_new=False, why="")


@pytest.mark.parametrize(
    ("hive", "known", "why"),
    [
        ("eu1", HERE, ""),
        ("eu2", HERE, "that of generation 1 lies on eu1"),
        ("eu1", Known(is_there=False), "the record of generation 1 was removed here"),
        ("eu1", HERE._replace(is_live=True), "generation 1 was started again, and lives"),
        ("eu1", HERE._replace(has_conversation=False), "generation 1 has not come to have one"),
        (
            "eu1",
            HERE._replace(providers=("codex", "claude")),
            "that of generation 1 is one of codex, and this is claude",
        ),
        ("eu1", HERE._replace(folders=("/src", "/home/ada")), "that of generation 1 belongs to the folder /src"),
    ],
)
def test_a_generation_goes_on_with_the_conversation_of_the_last_one_or_says_why_not(hive, known, why):
    assert beginning(LAST, known, hive) == Beginning(is_new=bool(why), why=why)


def test_the_first_generation_begins_a_conversation_and_there_is_nothing_to_say_about_that():
    assert beginning(None, Known(is_there=False), "eu1") == Beginning(is_new=True, why="")


@pytest.mark.parametrize(
    ("last", "begun", "line"),
    [
        (None, Beginning(is_new=True, why=""), "[lineage] generation 2 of ada"),
        (LAST, NEW, "[lineage] generation 2 of ada begins a new conversation: that of generation 1 lies on eu1"),
        (LAST, GOES_ON, "[lineage] generation 2 of ada goes on with the conversation of generation 1"),
    ],
)
def test_the_log_says_how_a_generation_begins(last, begun, line):
    assert log_line("ada", 2, last, begun) == line


def test_the_first_generation_is_told_its_task_alone():
    assert task("ada", 1, Told(), Beginning(is_new=True, why=""), "look") == "look"


def test_a_new_conversation_begins_with_the_last_result_and_the_notes():
    told = Told(LAST, 1, "all is well", "- redis is needed")
    assert task("ada", 2, told, NEW, "look") == (
        "look\n\n---\n\nYou are generation 2 of ada. Generation 1 has ended on eu1 (done).\n\n"
        "The result of generation 1:\n\nall is well\n\n"
        "Notes of earlier generations:\n\n- redis is needed"
    )


def test_a_conversation_that_goes_on_has_the_last_result_already():
    said = task("ada", 2, Told(LAST, 1, "all is well", "- redis is needed"), GOES_ON, "look")
    assert "This is its conversation, which goes on." in said
    assert "all is well" not in said
    assert "- redis is needed" in said


def test_the_result_of_an_earlier_one_is_told_where_the_last_has_none():
    said = task("ada", 3, Told(LAST._replace(number=2, state="failed"), 1, "all is well", ""), GOES_ON, "look")
    assert "Generation 2 has ended on eu1 (failed)." in said
    assert "The result of generation 1:\n\nall is well" in said


@given(st.text(max_size=50), st.lists(st.text(max_size=9000), max_size=6))
def test_notes_that_are_handed_on_stay_within_their_limit_and_the_newest_stay(before, written):
    found = handed_on_notes(before, written)
    assert len(found.encode()) <= LARGEST_NOTES
    lines = [f"- {' '.join(one.split())}" for one in written]
    if lines and len(lines[-1].encode()) < LARGEST_NOTES:
        assert lines[-1] in found.splitlines()


def test_notes_are_handed_on_each_once_and_in_their_order():
    first = handed_on_notes("", ["the tests\nneed redis", "make is slow"])
    assert first == "- the tests need redis\n- make is slow"
    assert handed_on_notes(first, ["make is slow", "new"]) == "- the tests need redis\n- make is slow\n- new"
