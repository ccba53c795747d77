"""A misspelled word is repaired from those that are known; a known one is never replaced."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.domain.memory.spelling import SHORTEST, corrections, distance, neighbours
from tests.kit.cases import tabled
from tests.kit.torture import examples

KNOWN = {"redis": 9, "reads": 30, "bucket": 4, "buckets": 2, "limiter": 3, "limited": 8, "configuration": 5, "e501": 2}


def near(word: str) -> dict[str, int]:
    return {known: many for known, many in KNOWN.items() if neighbours(known) & neighbours(word)}


@tabled(
    ("word", "meant"),
    [
        ("redsi", ["redis"]),
        ("rediss", ["redis"]),
        ("bukcet", ["bucket"]),
        ("bucketx", ["bucket", "buckets"]),
        ("limitex", ["limited", "limiter"]),
        ("confgiuraton", ["configuration"]),
        ("configurations", ["configuration"]),
        ("confgiurtaoin", []),
        ("redis", []),
        ("e502", []),
        ("ed", []),
        ("zzzzz", []),
    ],
)
def test_the_likeliest_word_is_meant(word, meant):
    assert corrections(word, near(word)) == meant


WORDS = st.text("abcé1", min_size=1, max_size=18)


def plain_distance(one: str, other: str) -> int:
    """By its definition, with nothing left out."""
    if not one or not other:
        return len(one) + len(other)
    least = min(
        plain_distance(one[1:], other) + 1,
        plain_distance(one, other[1:]) + 1,
        plain_distance(one[1:], other[1:]) + (one[0] != other[0]),
    )
    if one[1:2] == other[0] and other[1:2] == one[0]:
        least = min(least, plain_distance(one[2:], other[2:]) + 1)
    return least


@settings(max_examples=examples(600))
@given(st.text("abc", max_size=6), st.text("abc", max_size=5))
def test_the_distance_is_that_of_its_definition(one, other):
    assert distance(one, other) == plain_distance(one, other) == distance(other, one)


@settings(max_examples=examples(2000))
@given(WORDS, st.data())
def test_what_one_or_two_slips_make_of_a_word_is_its_neighbour(word, data):
    wrong = word
    slips = 2 if 8 <= len(word) <= 14 and data.draw(st.booleans()) else 1
    for _ in range(slips):
        at = data.draw(st.integers(0, len(wrong)))
        letter = data.draw(st.sampled_from("abcx"))
        wrong = data.draw(
            st.sampled_from(
                [
                    wrong[:at] + letter + wrong[at:],
                    wrong[:at] + wrong[at + 1 :],
                    wrong[:at] + letter + wrong[at + 1 :],
                    wrong[:at] + wrong[at : at + 2][::-1] + wrong[at + 2 :],
                ]
            )
        )
    assert neighbours(word) & neighbours(wrong)
    assert all(0 <= number < 1 << 40 for number in neighbours(word))
    found = corrections(wrong, {word: 1, "unlike": 9})
    digits_kept = [one for one in word if one == "1"] == [one for one in wrong if one == "1"]
    if wrong != word and slips == 1 and digits_kept and min(len(wrong), len(word)) >= SHORTEST:
        assert found == [word]
    assert corrections(wrong, {wrong: 1, word: 5}) == []
