"""What a person's own pattern may cost is known before it is used, by its form alone."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.agents.terminal_rules import MOST_NANOSECONDS, Refused, nanoseconds_of

USED = [
    (r"(?m)^>   Type your message", 6),
    (r"(?m)^ +[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] .*esc to cancel\)", 8),
    (r"retrying in .* esc interrupt$", 3),
    (r"^[│ ]*● \d\. ", 16),
    (r"\$ ?\d+(\.\d+)?$", 3),
    (r"[✻✽✶] \w+… \(\d+s", 4),
    (r"(?i)waiting|approve", 20),
    (r"(?i)^ *[✻✽] working: ", 8),
    (r"\bfoo\b", 60),
    (r"^(?P<who>\w+): (?:yes|no)? *$", 10),
    (r"^[^:]*: [^:]*: x", 60),
    (r"\d+ tokens", 8),
    (r"a{3,}b", 8),
]


@pytest.mark.parametrize(("pattern", "lines"), USED)
def test_what_people_write_is_allowed(pattern, lines):
    assert nanoseconds_of(pattern, lines) <= MOST_NANOSECONDS


HUNG = [
    r"(a+)+$", r"(a|aa)*b", r"(.*)*x", r"(\w+\s?)+$", r"([a-z]+)*=", r"(a?){20}b", r"((ab)+c?)*d", r"(?:x*)*y",
    r"(?:(?:a{1,9}){1,9}){1,9}b", r"(?=a+)b", r"(?!x)b", r"(?<=x)b", r"(a)\1", r"(a)?(?(1)b|c)", "[", "(" * 400,
    "x" * 501, "^(?i:a*)A(?i:a*)A(?i:a*)A(?i:a*)!", "^(?i:a){1,9}A", "(?-i:a)", r"(?a)^\W*é\W*é\W*é!", r"^(?a:\W*é)!",
]  # fmt: skip


@pytest.mark.parametrize("pattern", HUNG)
def test_a_pattern_without_a_bound_is_refused(pattern):
    with pytest.raises(Refused):
        nanoseconds_of(pattern, 1)


DEAR = [
    ".*.*.*x", "^.*.*.*x", "a.*b.*c", "(?i)a+A+b", "(x*)(x*)y", "[ab]*[bc]*[cd]*e", "a?" * 14 + "b", ".*(foo|gaa|hii)x",
    r"^\w*[a-z_]*\w*:", "(?i)^i*İi*İi*İ!", "(?i)^ﬅ*ﬆﬅ*ﬆﬅ*ﬆ!", "(?i)aA*b", "(?i)^[q-u]*x?[Ű-Ɛ]*x?[q-u]*!",
]  # fmt: skip


@pytest.mark.parametrize("pattern", DEAR)
def test_a_pattern_that_takes_too_long_for_a_screen_costs_more_than_all_may(pattern):
    assert nanoseconds_of(pattern, 8) > MOST_NANOSECONDS


PIECES = st.sampled_from(["a", "b", ".", "a*", "a+", "b?", "[ab]", "[^a]*", "(a|b)", "(ab)*", "^", "$", r"\b", r"\w+"])


@given(st.lists(PIECES, max_size=8).map("".join), st.integers(1, 60))
def test_every_pattern_has_a_cost_or_a_reason(pattern, lines):
    try:
        assert nanoseconds_of(pattern, lines) > 0
    except Refused:
        return
    re.compile(pattern)


@given(st.text(max_size=60))
def test_no_text_makes_it_fail(pattern):
    with suppress(Refused):
        assert nanoseconds_of(pattern, 1) > 0
