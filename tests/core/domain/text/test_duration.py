"""Durations and sizes: what is understood, what is refused, and what is shown."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.text.duration import (
    LONGEST,
    UNITS,
    DurationError,
    SizeError,
    format_uptime,
    parse_duration,
    parse_size,
)
from tests.kit.cases import tabled


@tabled(
    ("text", "unit", "seconds"),
    [
        ("5m", "s", 300.0),
        ("1.5h", "s", 5400.0),
        ("250ms", "s", 0.25),
        ("2d", "s", 172_800.0),
        ("1h30m", "s", 5400.0),
        (" 10s ", "s", 10.0),
        ("60", "s", 60.0),
        ("1000", "ms", 1.0),
        ("0", "ms", 0.0),
        ("1.", "s", 1.0),
    ],
)
def test_a_duration_is_a_number_with_a_unit(text, unit, seconds):
    assert parse_duration(text, default_unit=unit) == pytest.approx(seconds)


@tabled(
    "text", ["", "x", "5x", "-1", "-5m", "1e5", "inf", "nan", "5 m", "m", "1h 30m", "٣s", "5M", "9" * 400, "200000d"]
)
def test_anything_else_is_refused_and_named(text):
    with pytest.raises(DurationError) as caught:
        parse_duration(text)
    assert caught.value.text == text
    assert repr(text) in str(caught.value)


@given(st.integers(0, 10**6), st.sampled_from(sorted(UNITS)))
def test_number_and_unit_multiply(number, unit):
    if number * UNITS[unit] <= LONGEST:
        assert parse_duration(f"{number}{unit}") == pytest.approx(number * UNITS[unit])
        assert parse_duration(str(number), default_unit=unit) == parse_duration(f"{number}{unit}")


@given(st.text(max_size=12))
def test_no_text_raises_anything_else(text):
    with contextlib.suppress(DurationError):
        assert 0 <= parse_duration(text) <= LONGEST


@tabled(
    ("seconds", "shown"),
    [
        (-3.0, "0s"),
        (0.0, "0s"),
        (12.9, "12s"),
        (59.99, "59s"),
        (60.0, "1m"),
        (3599.0, "59m"),
        (3 * 3600.0 + 1, "3h"),
        (86_399.0, "23h"),
        (2 * 86_400.0, "2d"),
        (400 * 86_400.0, "400d"),
    ],
)
def test_an_uptime_shows_whole_units_of_the_largest_that_fits(seconds, shown):
    assert format_uptime(seconds) == shown


@given(st.floats(0, LONGEST))
def test_an_uptime_is_read_back_as_no_more_than_it_was(seconds):
    read = parse_duration(format_uptime(seconds))
    assert read <= seconds < 2 * read + 1


@tabled(
    ("text", "size"),
    [
        ("0", 0),
        ("4096", 4096),
        ("100MB", 100_000_000),
        ("100mb", 100_000_000),
        ("10 GB", 10_000_000_000),
        ("1.5 GiB", 1_610_612_736),
        ("64k", 64_000),
        ("1TiB", 1 << 40),
        ("999999999999999999", 999_999_999_999_999_999),
    ],
)
def test_a_size_is_a_number_with_a_unit(text, size):
    assert parse_size(text) == size


@tabled("text", ["", "MB", "-1", "1XB", "1 M B", "1e3", "9" * 19, "1000001TB"])
def test_any_other_size_is_refused_and_named(text):
    with pytest.raises(SizeError) as caught:
        parse_size(text)
    assert caught.value.text == text
