"""Whose size counts."""

from __future__ import annotations

import pytest

from overmind_core.keeper.viewers import ActiveWriter


class Person:
    def __init__(self, columns):
        self.size = None if columns is None else (columns, 24)


@pytest.fixture
def fitted():
    return []


@pytest.fixture
def active_writer(fitted):
    return ActiveWriter(lambda columns, _rows: fitted.append(columns))


def test_before_anybody_types_the_first_one_counts_and_nobody_answers(active_writer, fitted):
    first, second = Person(100), Person(200)
    active_writer.join(first)
    active_writer.join(second)
    assert (fitted, active_writer.current) == ([100], None)


def test_who_types_counts_from_then_on(active_writer, fitted):
    first, second = Person(100), Person(200)
    active_writer.join(first)
    active_writer.join(second)
    active_writer.on_input(second)
    active_writer.on_input(second)
    assert (fitted, active_writer.current) == ([100, 200], second)
    active_writer.on_input(first)
    assert (fitted, active_writer.current) == ([100, 200, 100], first)


def test_the_size_of_somebody_else_waits_until_he_types(active_writer, fitted):
    first, second = Person(100), Person(200)
    active_writer.join(first)
    active_writer.join(second)
    second.size = (300, 24)
    active_writer.on_resize(second)
    assert fitted == [100]
    active_writer.on_input(second)
    assert fitted == [100, 300]


def test_when_the_newest_typist_goes_the_one_before_counts_and_nobody_answers(active_writer, fitted):
    people = [Person(width) for width in (100, 200, 300)]
    for person in people:
        active_writer.join(person)
    for person in people[:2]:
        active_writer.on_input(person)
    active_writer.leave(people[1])
    assert (fitted[-1], active_writer.current) == (100, None)


def test_when_all_who_typed_are_gone_the_first_to_come_counts(active_writer, fitted):
    writer, early, late = Person(100), Person(200), Person(300)
    for person in (writer, early, late):
        active_writer.join(person)
    active_writer.on_input(writer)
    active_writer.leave(writer)
    assert fitted[-1] == 200


def test_who_says_no_size_changes_none(active_writer, fitted):
    active_writer.join(unknown := Person(None))
    active_writer.on_input(unknown)
    assert (fitted, active_writer.current) == ([], unknown)


def test_a_stranger_changes_nothing(active_writer, fitted):
    active_writer.on_input(stranger := Person(100))
    active_writer.on_resize(stranger)
    active_writer.leave(stranger)
    assert (fitted, active_writer.current) == ([], None)
