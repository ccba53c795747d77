"""Whose size counts."""

from __future__ import annotations

import pytest

from overmind_core.keeper.viewers import Typists


class Person:
    def __init__(self, columns):
        self.size = None if columns is None else (columns, 24)


@pytest.fixture
def fitted():
    return []


@pytest.fixture
def typists(fitted):
    return Typists(lambda columns, _rows: fitted.append(columns))


def test_before_anybody_types_the_first_one_counts_and_nobody_answers(typists, fitted):
    first, second = Person(100), Person(200)
    typists.join(first)
    typists.join(second)
    assert (fitted, typists.newest) == ([100], None)


def test_who_types_counts_from_then_on(typists, fitted):
    first, second = Person(100), Person(200)
    typists.join(first)
    typists.join(second)
    typists.types(second)
    typists.types(second)
    assert (fitted, typists.newest) == ([100, 200], second)
    typists.types(first)
    assert (fitted, typists.newest) == ([100, 200, 100], first)


def test_the_size_of_somebody_else_waits_until_he_types(typists, fitted):
    first, second = Person(100), Person(200)
    typists.join(first)
    typists.join(second)
    second.size = (300, 24)
    typists.resized(second)
    assert fitted == [100]
    typists.types(second)
    assert fitted == [100, 300]


def test_when_the_newest_typist_goes_the_one_before_counts_and_nobody_answers(typists, fitted):
    people = [Person(width) for width in (100, 200, 300)]
    for person in people:
        typists.join(person)
    for person in people[:2]:
        typists.types(person)
    typists.leave(people[1])
    assert (fitted[-1], typists.newest) == (100, None)


def test_when_all_who_typed_are_gone_the_first_to_come_counts(typists, fitted):
    typist, early, late = Person(100), Person(200), Person(300)
    for person in (typist, early, late):
        typists.join(person)
    typists.types(typist)
    typists.leave(typist)
    assert fitted[-1] == 200


def test_who_says_no_size_changes_none(typists, fitted):
    typists.join(unknown := Person(None))
    typists.types(unknown)
    assert (fitted, typists.newest) == ([], unknown)


def test_a_stranger_changes_nothing(typists, fitted):
    typists.types(stranger := Person(100))
    typists.resized(stranger)
    typists.leave(stranger)
    assert (fitted, typists.newest) == ([], None)
