"""Schedules: what is one, what is wrong with others, and when they come, on days when the clock jumps too."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from overmind_core.schedules.cron import NAMES, InvalidSchedule, UnknownZone, local, parse
from tests.kit.cases import tabled

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = "UTC", *, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def times(text: str, start: str, count: int, zone: str = "UTC") -> list[str]:
    schedule = parse(text, zone_name=zone, anchor=0.0)
    return [local(one, zone) for one in islice(schedule.upcoming(at(start, zone)), count)]


@tabled(
    ("text", "start", "expected"),
    [
        ("0 9 * * MON-FRI", "2026-11-20T09:00", ["2026-11-23 09:00", "2026-11-24 09:00"]),
        ("*/20 8-9 * * *", "2026-11-20T08:30", ["2026-11-20 08:40", "2026-11-20 09:00", "2026-11-20 09:20"]),
        ("0 0 * * 7", "2026-11-20", ["2026-11-22 00:00", "2026-11-29 00:00"]),
        ("0 0 * * 0", "2026-11-20", ["2026-11-22 00:00", "2026-11-29 00:00"]),
        ("0 0 * * sun", "2026-11-20", ["2026-11-22 00:00", "2026-11-29 00:00"]),
        ("15,45 0 1 jan,jul *", "2026-11-20", ["2027-01-01 00:15", "2027-01-01 00:45", "2027-07-01 00:15"]),
        ("0 0 29 2 *", "2026-11-20", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("0 0 31 * *", "2027-01-01", ["2027-01-31 00:00", "2027-03-31 00:00", "2027-05-31 00:00"]),
        ("0 12 13 * FRI", "2026-11-01", ["2026-11-06 12:00", "2026-11-13 12:00", "2026-11-20 12:00"]),
        ("5/15 3 * * *", "2026-11-20", ["2026-11-20 03:05", "2026-11-20 03:20", "2026-11-20 03:35"]),
        ("0 9-9/2 * * *", "2026-11-20", ["2026-11-20 09:00", "2026-11-21 09:00"]),
        ("0 0 * * MON-MON/2", "2026-11-20", ["2026-11-23 00:00", "2026-11-30 00:00"]),
        ("5,10-10/5 3 * * *", "2026-11-20", ["2026-11-20 03:05", "2026-11-20 03:10", "2026-11-21 03:05"]),
        ("0 0 L * *", "2026-11-20", ["2026-11-30 00:00", "2026-12-31 00:00"]),
        ("0 0 LW * *", "2026-11-20", ["2026-11-30 00:00", "2026-12-31 00:00", "2027-01-29 00:00"]),
        ("0 0 * * 5L", "2026-11-20", ["2026-11-27 00:00", "2026-12-25 00:00"]),
        ("0 0 * * FRI#2", "2026-11-20", ["2026-12-11 00:00", "2027-01-08 00:00"]),
        ("@hourly", "2026-11-20T08:30", ["2026-11-20 09:00", "2026-11-20 10:00"]),
        ("@daily", "2026-11-20T08:30", ["2026-11-21 00:00", "2026-11-22 00:00"]),
        ("@weekly", "2026-11-20T08:30", ["2026-11-22 00:00", "2026-11-29 00:00"]),
        ("@monthly", "2026-11-20T08:30", ["2026-12-01 00:00", "2027-01-01 00:00"]),
        ("@yearly", "2026-11-20T08:30", ["2027-01-01 00:00", "2028-01-01 00:00"]),
    ],
)
def test_a_schedule_comes_when_crontab_says(text, start, expected):
    assert times(text, start, len(expected)) == [f"{one} UTC" for one in expected]


@pytest.mark.parametrize(
    ("text", "zone", "start", "expected"),
    [
        pytest.param(
            "30 2 * * *", BERLIN, "2026-03-28T12:00", ["2026-03-29 03:00 CEST", "2026-03-30 02:30 CEST"],
            id="a time that spring skips comes right after the gap",
        ),
        pytest.param(
            "30 2 * * *", BERLIN, "2026-10-24T12:00", ["2026-10-25 02:30 CEST", "2026-10-26 02:30 CET"],
            id="a time that autumn shows twice comes once",
        ),
        pytest.param(
            "0 3 * * *", BERLIN, "2026-03-28T12:00", ["2026-03-29 03:00 CEST", "2026-03-30 03:00 CEST"],
            id="a time after the gap is not moved",
        ),
        pytest.param(
            "*/30 * * * *", BERLIN, "2026-03-29T01:00",
            ["2026-03-29 01:30 CET", "2026-03-29 03:00 CEST", "2026-03-29 03:30 CEST"],
            id="an interval follows the time that passes in spring",
        ),
        pytest.param(
            "*/30 * * * *", BERLIN, "2026-10-25T02:00",
            ["2026-10-25 02:30 CEST", "2026-10-25 02:00 CET", "2026-10-25 02:30 CET", "2026-10-25 03:00 CET"],
            id="an interval follows the time that passes in autumn",
        ),
        pytest.param(
            "@hourly", "America/New_York", "2026-11-01T00:30",
            ["2026-11-01 01:00 EDT", "2026-11-01 01:00 EST", "2026-11-01 02:00 EST"],
            id="every hour comes in both equal hours",
        ),
        pytest.param(
            "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00",
            ["2026-10-04 02:30 +11", "2026-10-05 02:15 +11"], id="a gap of half an hour",
        ),
        pytest.param(
            "*/20 11 * * *", "Australia/Lord_Howe", "2026-10-04T00:00",
            ["2026-10-04 11:00 +11", "2026-10-04 11:20 +11", "2026-10-04 11:40 +11", "2026-10-05 11:00 +11"],
            id="every twenty minutes, hours after a gap of half an hour",
        ),
        pytest.param(
            "0 */3 * * *", "Australia/Lord_Howe", "2026-10-04T00:00",
            ["2026-10-04 03:00 +11", "2026-10-04 06:00 +11"], id="every three hours over a gap of half an hour",
        ),
        pytest.param(
            "5 */3 * * *", "Australia/Lord_Howe", "2026-04-05T00:05",
            ["2026-04-05 03:05 +1030", "2026-04-05 06:05 +1030"], id="every three hours over half an hour shown twice",
        ),
        pytest.param(
            "*/15 */2 * * *", "Pacific/Chatham", "2026-09-27T02:30",
            ["2026-09-27 04:00 +1345", "2026-09-27 04:15 +1345", "2026-09-27 04:30 +1345", "2026-09-27 04:45 +1345",
             "2026-09-27 06:00 +1345"], id="a gap at a quarter to",
        ),
        pytest.param(
            "*/10 1 * * *", "Australia/Lord_Howe", "2026-04-05T01:40",
            ["2026-04-05 01:50 +11", "2026-04-05 01:30 +1030", "2026-04-05 01:40 +1030", "2026-04-05 01:50 +1030",
             "2026-04-06 01:00 +1030"], id="half an hour shown twice",
        ),
        pytest.param(
            "0 0 * * *", "Africa/Cairo", "2026-04-23T12:00",
            ["2026-04-24 01:00 EEST", "2026-04-25 00:00 EEST"], id="midnight itself is skipped",
        ),
    ],
)  # fmt: skip
def test_daylight_saving_is_as_cron_has_it(text, zone, start, expected):
    assert times(text, start, len(expected), zone) == expected


def test_in_the_second_of_two_equal_hours_the_first_is_over():
    schedule = parse("30 2 * * *", zone_name=BERLIN, anchor=0.0)
    late = at("2026-10-25T02:10", BERLIN, fold=1)
    following = schedule.after(late)
    assert following is not None
    assert local(following, BERLIN) == "2026-10-26 02:30 CET"


@tabled(
    ("text", "field"),
    [
        ("60 * * * *", "minute"),
        ("-1 * * * *", "minute"),
        ("*/0 * * * *", "minute"),
        ("5-1 * * * *", "minute"),
        ("1,,2 * * * *", "minute"),
        ("\u0661 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* x * * *", "hour"),
        ("* * 0 * *", "day-of-month"),
        ("* * 32 * *", "day-of-month"),
        ("0 0 30 2 *", "day-of-month"),
        ("* * * 13 *", "month"),
        ("* * * FOO *", "month"),
        ("* * * * 8", "day-of-week"),
        ("* * * * MO", "day-of-week"),
        ("* * * *", "schedule"),
        ("0 0 * * * *", "schedule"),
        ("", "schedule"),
        ("noon", "schedule"),
        ("@reboot", "schedule"),
        ("@daily @hourly", "schedule"),
        ("* * */20 * 1L", "schedule"),
        ("1," * 200 + "1 * * * *", "schedule"),
        ("@every", "@every"),
        ("@every 10 m", "@every"),
        ("@every soon", "@every"),
        ("@every 500ms", "@every"),
        ("@every 0s", "@every"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(text, field):
    with pytest.raises(InvalidSchedule) as raised:
        parse(text, zone_name="UTC", anchor=0.0)
    assert raised.value.field == field
    assert str(raised.value).startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 0 * * FRI-MON", "day-of-week: 'FRI-MON' runs backwards: write FRI-SAT,SUN-MON"),
        ("0 0 * * sat-sun", "day-of-week: 'sat-sun' runs backwards: write SAT,SUN"),
        ("0 22-2 * * *", "hour: '22-2' runs backwards: write 22-23,0-2"),
        ("0 0 1 nov-feb *", "month: 'nov-feb' runs backwards: write NOV-DEC,JAN-FEB"),
        ("0 0 * * FRI-FOO", "day-of-week: 'FRI-FOO' is not 0-7 or SUN-SAT"),
    ],
)
def test_a_range_that_runs_backwards_is_refused_with_the_one_that_does_not(text, said):
    with pytest.raises(InvalidSchedule, match=re.escape(said)):
        parse(text, zone_name="UTC", anchor=0.0)


@tabled("name", ["Mars/Olympus", "Europe", "../etc/passwd", "", "/etc/localtime", "a\0b"])
def test_an_unknown_time_zone_is_refused(name):
    with pytest.raises(UnknownZone):
        parse("@daily", zone_name=name, anchor=0.0)


@tabled("name", NAMES)
def test_every_name_stands_for_an_expression(name):
    assert parse(name, zone_name="UTC", anchor=0.0).after(0.0) is not None


@given(
    st.text(max_size=40) | st.lists(st.sampled_from(list("0123456789*/,-#LW@ SUNJANevery")), max_size=30).map("".join)
)
@example("* * L * *")
@example("0 0 LW * *")
@example("0 0 * * 5#3")
@example("0 0 * * 1-1/2")
def test_any_text_is_a_schedule_or_refused_by_name(text):
    try:
        schedule = parse(text, zone_name="UTC", anchor=0.0)
    except InvalidSchedule:
        return
    following = schedule.after(1_800_000_000.0)
    assert following is None or following > 1_800_000_000.0


def field(low: int, high: int, last: int | None = None) -> st.SearchStrategy[tuple[str, frozenset[int]]]:
    """A field as it is written, and the values that it means: single ones up to `high`, `*` up to `last`."""
    last = high if last is None else last
    every = frozenset(range(low, last + 1))
    number = st.integers(low, high)
    ranges = st.tuples(number, number).map(sorted)
    return st.one_of(
        st.just(("*", every)),
        st.integers(1, high).map(lambda step: (f"*/{step}", frozenset(range(low, last + 1, step)))),
        st.lists(number, min_size=1, max_size=3).map(lambda found: (",".join(map(str, found)), frozenset(found))),
        ranges.filter(lambda pair: pair[0] < pair[1]).map(
            lambda pair: (f"{pair[0]}-{pair[1]}", frozenset(range(pair[0], pair[1] + 1)))
        ),
    )


@settings(max_examples=60)
@given(field(0, 59), field(0, 23), field(1, 28, last=31), field(1, 12), field(0, 6), st.integers(0, 364))
def test_the_next_time_is_the_first_minute_that_fits(minute, hour, day, month, weekday, start):
    """Against a search of our own, minute by minute, over two days."""
    text = " ".join(one for one, _ in (minute, hour, day, month, weekday))
    begin = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=start, minutes=start)

    def fits(moment: datetime) -> bool:
        by_date, by_day = moment.day in day[1], (moment.weekday() + 1) % 7 in weekday[1]
        both = day[0].startswith("*") or weekday[0].startswith("*")
        on_day = (by_date and by_day) if both else (by_date or by_day)
        return on_day and moment.month in month[1] and moment.hour in hour[1] and moment.minute in minute[1]

    minutes = (begin + timedelta(minutes=number) for number in range(1, 2 * 24 * 60))
    expected = next((moment.timestamp() for moment in minutes if fits(moment)), None)
    found = parse(text, zone_name="UTC", anchor=0.0).after(begin.timestamp())
    assert found == expected if expected is not None else (found is None or found > begin.timestamp() + 2 * 86340)


@given(
    st.sampled_from(["30 2 * * *", "*/15 * * * *", "0 1-3 * * *", "@hourly", "0 0 * * *"]),
    st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "UTC"]),
    st.integers(0, 365 * 24 * 60),
)
@settings(max_examples=60)
def test_times_follow_each_other_wherever_one_begins(text, zone, minutes):
    schedule = parse(text, zone_name=zone, anchor=0.0)
    begin = at("2026-01-01") + 60.0 * minutes
    found = list(islice(schedule.upcoming(begin), 8))
    assert all(before < after for before, after in pairwise([begin, *found]))
    # Nothing is left out: from any moment between two times the next one is the same.
    assert [schedule.after(between) for between in (found[0] - 1.0, found[0])] == found[:2]


@given(
    field(0, 59).filter(lambda found: found[0].startswith("*")),
    field(0, 23),
    st.sampled_from([BERLIN, "Australia/Lord_Howe", "Pacific/Chatham", "Africa/Cairo", "America/St_Johns"]),
    st.sampled_from(["2026-03-29", "2026-04-05", "2026-04-24", "2026-09-27", "2026-10-04", "2026-10-25", "2026-11-01"]),
    st.integers(0, 24 * 60),
)
@settings(max_examples=60)
def test_what_comes_every_so_many_minutes_comes_whenever_the_clock_shows_it(minute, hour, zone, day, start):
    """Against a search of our own, minute by minute of the time that passes."""
    begin = at(day, zone) + 60.0 * start
    shown = (
        (begin + 60.0 * number, datetime.fromtimestamp(begin + 60.0 * number, ZoneInfo(zone)))
        for number in range(1, 26 * 60)
    )
    expected = next((moment for moment, clock in shown if clock.minute in minute[1] and clock.hour in hour[1]), None)
    assert parse(f"{minute[0]} {hour[0]} * * *", zone_name=zone, anchor=0.0).after(begin) == expected


# intervals


def test_an_interval_is_aligned_to_the_creation():
    schedule = parse("@every 10m", zone_name="UTC", anchor=1000.0)
    assert list(islice(schedule.upcoming(1000.0), 3)) == [1600.0, 2200.0, 2800.0]
    assert schedule.after(1600.0) == 2200.0
    assert schedule.after(0.0) == 400.0, "the clock was ahead then"


@given(st.floats(1.0, 1e6), st.floats(1e9, 2e9), st.floats(0, 1e8))
def test_an_interval_never_stands_still(period, anchor, later):
    schedule = parse(f"@every {period:.3f}s", zone_name="UTC", anchor=anchor)
    found = list(islice(schedule.upcoming(anchor + later), 3))
    assert all(before < after for before, after in pairwise([anchor + later, *found]))
    assert schedule.newest(anchor, found[0]) == found[0]


@tabled(
    ("text", "since", "until", "newest", "count"),
    [
        ("0 9 * * *", "2026-11-01T09:00", "2026-11-20T08:59", "2026-11-19T09:00", 18),
        ("0 9 * * *", "2026-11-19T09:00", "2026-11-20T08:59", None, 0),
        ("0 9 * * *", "2026-11-19T09:00", "2026-11-20T09:00", "2026-11-20T09:00", 1),
        ("0 0 1 1 *", "2020-06-01", "2026-06-01", "2026-01-01", 6),
        ("* * * * *", "2016-01-01", "2026-01-01T00:00:30", "2026-01-01", 50),
        ("@every 1h", "2026-11-20T08:00", "2026-11-20T11:59", "2026-11-20T11:00", 3),
        ("@every 1h", "2025-11-20T07:30", "2025-11-20T09:10", "2025-11-20T09:00", 2),
    ],
)
def test_the_newest_of_the_times_that_passed_is_found_without_walking_through_all(text, since, until, newest, count):
    schedule = parse(text, zone_name="UTC", anchor=at("2026-11-20T08:00"))
    found = schedule.newest(at(since), at(until))
    assert found == (None if newest is None else at(newest))
    assert schedule.count(at(since), at(until), 50) == count
