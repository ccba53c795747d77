"""The order of answers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.domain.memory.ranking import Hits, Ranked, Weight, alike, factor, grams, rank, route
from tests.kit.cases import tabled
from tests.kit.torture import examples

ASKED = "why does redis stop here"
"""Words and meaning count the same."""
PLAIN = Weight(0, stale=False, edited_at=1.0)


def ids(found: list[Ranked]) -> str:
    return "".join(one.id for one in found)


@tabled(
    ("question", "words", "first"),
    [
        ("why do the tests need redis", 0.5, False),
        ("the tests need redis?", 0.5, False),
        ("Should tests need redis", 0.5, False),
        ("rate limiter keeps buckets", 0.7, False),
        ("however one does it", 0.7, False),
        ("getUserName", 0.7, True),
        ("api/limits/user/x.py", 0.7, True),
        ("redis server", 0.7, True),
        ("redis?", 0.7, True),
        ("", 0.7, True),
    ],
)
def test_a_question_is_weighed_by_its_look(question, words, first):
    way = route(question)
    assert (way.words, way.words_first) == (words, first)
    assert way.words + way.meaning == pytest.approx(1)


@tabled(
    ("hits", "order", "why"),
    [
        (Hits(ASKED, words="ab"), "ab", ("words",)),
        (Hits(ASKED, words="ab", meaning="b"), "ba", ("words", "meaning")),
        (Hits(ASKED, words="ab", meaning="cb"), "bac", ("words", "meaning")),
        (Hits("redis limiter", words="ab", meaning="cb"), "bac", ("words", "meaning")),
        (Hits("redis", words="b", meaning="ac"), "bac", ("words",)),
        (Hits(ASKED, words="abc", keys="c"), "cab", ("words", "key")),
        (Hits("c", words="ab", keys="c"), "cab", ("key",)),
        (Hits(ASKED, words="ab", spelled="a", plain="b"), "ab", ("spelling",)),
        (Hits(ASKED, words="ab", spelled="a", plain="ab"), "ab", ("words", "spelling")),
        (Hits(ASKED, words="xay"), "a", ("words",)),  # x and y may not be answered
        (Hits(ASKED), "", None),
    ],
)
def test_lists_of_hits_become_one(hits, order, why):
    found = rank([hits], dict.fromkeys("abc", PLAIN))
    assert ids(found) == order
    assert (found[0].why if found else None) == why


def test_what_answers_both_questions_is_first():
    found = rank([Hits(ASKED, words="abc"), Hits("how is redis begun", words="cb")], dict.fromkeys("abc", PLAIN))
    assert ids(found) == "cba"


def test_votes_and_lost_files_weigh_in():
    weights = {"a": PLAIN._replace(votes=-2), "b": PLAIN, "c": PLAIN._replace(stale=True), "d": PLAIN._replace(votes=5)}
    assert ids(rank([Hits(ASKED, words="abcd")], weights)) == "dbac"
    assert [factor(PLAIN._replace(votes=votes)) for votes in (-99, -1, 0, 5, 99)] == [0.5, 0.9, 1.0, 1.5, 1.5]


def test_of_equally_good_ones_the_newer_is_first_then_the_smaller_id():
    weights = {"a": PLAIN, "b": PLAIN._replace(edited_at=2.0), "c": PLAIN, "d": PLAIN}
    assert ids(rank([Hits("x", keys="dcba")], weights)) == "bacd"
    assert ids(rank([Hits("one two three", words="a"), Hits("one two four", words="b")], weights)) == "ba"


@tabled(
    ("one", "other", "are"),
    [
        ("tests need redis", "tests do not need redis", True),
        ("The tests need redis.", "the tests  need redis", True),
        ("start it with: make redis", "start it with: make redis-server", True),
        ("tests need redis", "tests need postgres", False),
        ("The rate limiter keeps its buckets in Redis", "The limiter of rates lives in api/limits.py", False),
        ("do not", "never", False),
        ("", "", True),
    ],
)
def test_texts_are_alike_that_say_nearly_the_same_or_the_opposite(one, other, are):
    assert alike(grams(one), grams(other)) is are


LISTS = st.lists(st.sampled_from("abcdefgh"), unique=True)
WEIGHTS = st.fixed_dictionaries(
    {name: st.builds(Weight, st.integers(-9, 9), st.booleans(), st.sampled_from([1.0, 2.0])) for name in "abcdef"}
)


@settings(max_examples=examples(1000))
@given(st.lists(st.builds(Hits, st.sampled_from([ASKED, "redis", "one two three"]), LISTS, meaning=LISTS)), WEIGHTS)
def test_each_note_is_answered_once_and_a_vote_never_puts_it_down(hits, weights):
    found = rank(hits, weights)
    assert sorted(one.id for one in found) == sorted(
        {*weights} & {id_ for one in hits for id_ in (*one.words, *one.meaning)}
    )
    assert all(one.why for one in found)
    for place, one in enumerate(found):
        better = {**weights, one.id: weights[one.id]._replace(votes=weights[one.id].votes + 1)}
        assert ids(rank(hits, better)).index(one.id) <= place
