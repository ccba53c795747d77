"""Points in time: RFC 3339 out, and several ways in."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.text.moment import TimeError, format_clock, format_time, format_whole, parse_later, parse_time
from tests.kit.cases import tabled

NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC).timestamp()
HOUR = 3600.0
KOLKATA = timezone(timedelta(hours=5, minutes=30))


def test_a_time_is_written_in_utc_with_milliseconds():
    assert format_time(NOON + 0.123) == "2026-11-20T12:00:00.123Z"
    assert format_time(0.0) == "1970-01-01T00:00:00.000Z"
    assert format_time(NOON + 0.9996) == "2026-11-20T12:00:01.000Z"


def test_a_clock_shows_the_time_of_day_where_the_person_is_and_the_date_of_another_day():
    assert format_clock(NOON + 0.9, NOON, zone=UTC) == "12:00:00"
    assert format_clock(NOON, NOON - HOUR, zone=KOLKATA) == "17:30:00"
    assert format_clock(NOON + 12 * HOUR, NOON, zone=UTC) == "2026-11-21 00:00:00"
    assert format_clock(NOON + 7 * HOUR, NOON, zone=KOLKATA) == "2026-11-21 00:30:00"
    assert format_clock(NOON, NOON - HOUR, zone=KOLKATA, how="%H:%M") == "17:30"
    assert format_clock(NOON + 7 * HOUR, NOON, zone=KOLKATA, how="%H:%M") == "2026-11-21 00:30"


def test_a_time_for_who_reads_it_elsewhere_has_its_date_and_its_zone_and_is_read_back():
    assert format_whole(NOON + 0.9, zone=UTC) == "2026-11-20 12:00:00+00:00"
    assert format_whole(NOON + 7 * HOUR, zone=KOLKATA) == "2026-11-21 00:30:00+05:30"
    assert parse_time(format_whole(NOON), 0.0, zone=KOLKATA) == NOON


@given(st.floats(0, 253_402_300_799))
def test_a_written_time_is_read_back_within_a_millisecond(wall):
    assert parse_time(format_time(wall), 0.0) == pytest.approx(wall, abs=0.001)


@tabled(
    ("text", "zone", "expected"),
    [
        ("2026-11-20T12:00:00Z", UTC, NOON),
        ("2026-11-20t12:00:00.5z", UTC, NOON + 0.5),
        ("2026-11-20 12:00:00,25Z", KOLKATA, NOON + 0.25),
        ("2026-11-20T13:00:00+01:00", UTC, NOON),
        ("2026-11-20T12:00", UTC, NOON),
        ("2026-11-20T17:30:00", KOLKATA, NOON),
        ("2026-11-20", UTC, NOON - 12 * HOUR),
        ("11:30", UTC, NOON - HOUR / 2),
        ("12:00", UTC, NOON),
        ("12:00:01", UTC, NOON + 1 - 24 * HOUR),
        ("23:00", UTC, NOON - 13 * HOUR),
        ("9:00", UTC, NOON - 3 * HOUR),
        ("17:00", KOLKATA, NOON - HOUR / 2),
        ("5m", UTC, NOON - 300),
        ("90", UTC, NOON - 90),
        (" 1.5h ", UTC, NOON - 1.5 * HOUR),
    ],
)
def test_a_time_is_understood(text, zone, expected):
    assert parse_time(text, NOON, zone=zone) == pytest.approx(expected)


def test_without_a_zone_the_machine_s_own_counts():
    local = datetime.fromtimestamp(NOON).astimezone()
    assert parse_time(f"{local:%Y-%m-%dT%H:%M:%S}", NOON) == NOON
    assert parse_time(f"{local:%H:%M}", NOON) == NOON


@tabled("text", ["", "yesterday", "25:00", "12:60", "2026-13-01", "2026-11-20T25:00:00Z", "2026-11-20T12:00:00+99:00"])
def test_any_other_time_is_refused_and_named(text):
    with pytest.raises(TimeError) as caught:
        parse_time(text, NOON)
    assert caught.value.text == text


@given(st.text(max_size=30))
def test_no_text_raises_anything_else(text):
    with contextlib.suppress(TimeError):
        assert isinstance(parse_time(text, NOON), float)


@tabled(
    ("text", "zone", "expected"),
    [
        ("5m", UTC, NOON + 300),
        (" 1.5h ", UTC, NOON + 1.5 * HOUR),
        ("90", UTC, NOON + 90),
        ("12:30", UTC, NOON + HOUR / 2),
        ("12:00", UTC, NOON + 24 * HOUR),
        ("11:59:59", UTC, NOON + 24 * HOUR - 1),
        ("18:00", KOLKATA, NOON + HOUR / 2),
        ("17:00", KOLKATA, NOON + 23.5 * HOUR),
        ("2026-11-20T13:00:00+01:00", UTC, NOON),
        ("2026-11-19", UTC, NOON - 36 * HOUR),
    ],
)
def test_a_time_to_come_is_understood(text, zone, expected):
    assert parse_later(text, NOON, zone=zone) == pytest.approx(expected)


@given(st.integers(0, 24 * 60 - 1), st.floats(NOON - 400 * 24 * HOUR, NOON + 400 * 24 * HOUR))
def test_a_time_of_day_to_come_is_the_next_one_also_when_the_clocks_change(minute, now):
    berlin = ZoneInfo("Europe/Berlin")
    found = parse_later(f"{minute // 60:02}:{minute % 60:02}", now, zone=berlin)
    assert 0 < found - now <= 25 * HOUR
    shown = datetime.fromtimestamp(found, berlin)
    assert (shown.hour * 60 + shown.minute) % 1440 == minute or shown.utcoffset() != (
        datetime.fromtimestamp(found - HOUR, berlin).utcoffset()
    ), "an hour that the clocks leave out"


@tabled("text", ["", "soon", "25:00", "-5m", "2026-13-01", "1:2", "12:00:60", "\0"])
def test_what_is_no_time_to_come_is_refused(text):
    with pytest.raises(TimeError):
        parse_later(text, NOON)
