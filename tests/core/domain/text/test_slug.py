"""A title becomes a name that can be typed, that nobody has, and that a mission may have."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.missions.names import name_problem
from overmind_core.domain.text.slug import LONGEST_SLUG, slug_of
from tests.kit.cases import tabled

SLUGS = [
    ("carts", "carts"),
    ("Add a login page", "add-a-login-page"),
    ("  --Add__a/login.page!  ", "add-a-login-page"),
    ("Don't repeat the user\u2019s name", "dont-repeat-the-users-name"),
    ("Über Straße, naïve café", "uber-strasse-naive-cafe"),
    ("\U0001d400dd \uff21\uff11", "add-a1"),
    ("HTTP/2 & TLS 1.3", "http-2-tls-1-3"),
    ("カートを作る", "untitled"),
    ("", "untitled"),
    ("\0\x1b[31m../../etc\ud800", "31m-etc"),
    ("deadbeef", "deadbeef-2"),
    ("2024", "2024"),
    ("x" * 41, "x" * 40),
    ("A login page with two-factor authentication and more", "a-login-page-with-two-factor"),
    ("authentication-" + "y" * 60, "authentication-" + "y" * 25),
    ("a" * 39 + " b", "a" * 39),
]


@tabled(("title", "slug"), SLUGS)
def test_a_title_becomes_words_joined_by_dashes(title, slug):
    assert slug_of(title, ()) == slug


TAKEN = [
    ("carts", {"carts"}, "carts-2"),
    ("carts", {"carts", "carts-2", "carts-4"}, "carts-3"),
    ("カート", {"untitled"}, "untitled-2"),
    ("x" * 40, {"x" * 40}, "x" * 38 + "-2"),
    ("x" * 40, {"x" * 40, *(f"{'x' * 38}-{n}" for n in range(2, 10))}, "x" * 37 + "-10"),
    ("deadbeef", {"deadbeef-2"}, "deadbeef-3"),
]


@tabled(("title", "taken", "slug"), TAKEN)
def test_one_that_is_taken_gets_the_next_number(title, taken, slug):
    """21, the part of the slugs: two specs with one title."""
    assert slug_of(title, taken) == slug
    assert slug_of(title, lambda name: name in taken) == slug


@given(st.text(), st.integers(0, 12))
def test_a_slug_is_short_typeable_free_and_a_name_of_a_mission(title, before):
    taken: set[str] = set()
    for _ in range(before):
        taken.add(slug_of(title, taken))
    slug = slug_of(title, taken)
    assert len(taken) == before
    assert slug not in taken
    assert len(slug) <= LONGEST_SLUG
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert name_problem(slug) is None
    assert slug_of(slug, ()) == slug


def test_a_huge_title_costs_no_more_than_a_long_one():
    assert slug_of("word " * 1_000_000, ()) == "-".join(["word"] * 8)
