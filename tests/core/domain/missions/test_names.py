"""Names: what a person may choose, and what we choose."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.missions.names import ADJECTIVES, NOUNS, generate, is_id, name_problem
from tests.kit.cases import tabled


@tabled("name", ["a", "api", "API-2", "web.server_1", "0", "a" * 63, "deadbee", "deadbeef0", "x.lock.d"])
def test_a_name_may_be(name):
    assert name_problem(name) is None


@tabled(
    "name",
    [
        "",
        "-a",
        ".a",
        "_a",
        "a b",
        "a/b",
        "a..b",
        "a.",
        "a.lock",
        "deadbeef",
        "DEADBEEF",
        "12345678",
        "a" * 64,
        "ä",
        "a\n",
        "a\0",
    ],
)
def test_a_name_may_not_be(name):
    assert name_problem(name) is not None


@tabled(
    ("text", "expected"),
    [
        ("deadbeef", True),
        ("01234567", True),
        ("DEADBEEF", False),
        ("deadbee", False),
        ("deadbeef0", False),
        ("", False),
    ],
)
def test_an_id_is_eight_lowercase_hex_digits(text, expected):
    assert is_id(text) is expected


def test_there_are_more_than_4096_pairs_of_plain_words():
    assert len(set(ADJECTIVES)) * len(set(NOUNS)) >= 4096
    assert len(set(ADJECTIVES)) == len(ADJECTIVES)
    assert len(set(NOUNS)) == len(NOUNS)
    assert all(word.isascii() and word.isalpha() and word.islower() for word in ADJECTIVES + NOUNS)


@given(st.integers())
def test_a_generated_name_is_a_pair_that_a_person_could_have_chosen(seed):
    name = generate(set(), random.Random(seed))
    adjective, noun = name.split("-")
    assert adjective in ADJECTIVES
    assert noun in NOUNS
    assert name_problem(name) is None


def test_seven_thousand_names_are_distinct_though_there_are_fewer_pairs():
    source = random.Random(7)
    taken: set[str] = set()
    for _ in range(7000):
        name = generate(taken, source)
        assert name not in taken
        assert name_problem(name) is None
        taken.add(name)


class First:
    """Always takes the first, so that every draw is the same."""

    def choice(self, seq: Sequence[str], /) -> str:
        return seq[0]


def test_an_end_is_found_even_when_every_draw_is_taken():
    taken: set[str] = set()
    for _ in range(5):
        taken.add(generate(taken, First()))
    stem = f"{ADJECTIVES[0]}-{ADJECTIVES[0]}-{NOUNS[0]}"
    assert taken == {f"{ADJECTIVES[0]}-{NOUNS[0]}", stem, f"{stem}-2", f"{stem}-3", f"{stem}-4"}
