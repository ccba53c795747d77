"""What is due: a table, laws over any history, and a whole year on a clock that is moved by hand."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.schedules.cron import parse
from overmind_core.schedules.due import (
    CORRECTION,
    LONGEST_QUEUE,
    TOLERANCE,
    CatchUp,
    DueAction,
    Overlap,
    Policy,
    Standing,
    decide,
)
from tests.kit.clock import FakeClock

HOUR = 3600.0
NOON = 1_800_000_000.0 - 1_800_000_000.0 % 86400 + 12 * HOUR
"""A noon in UTC."""
HOURLY = parse("@hourly", zone_name="UTC", anchor=NOON)
QUEUE, SKIP, NONE = Policy(Overlap.QUEUE), Policy(Overlap.SKIP), Policy(catch_up=CatchUp.NONE)
START, MISS = DueAction.START, DueAction.MISS


@pytest.mark.parametrize(
    ("policy", "standing", "now", "outcome", "due", "late", "missed"),
    [
        pytest.param(SKIP, Standing(NOON), NOON + 3599.9, None, None, False, 0, id="too early"),
        pytest.param(SKIP, Standing(NOON), NOON + HOUR, START, NOON + HOUR, False, 0, id="on time"),
        pytest.param(SKIP, Standing(NOON + HOUR), NOON + HOUR, None, None, False, 0, id="once per time"),
        pytest.param(NONE, Standing(NOON), NOON + HOUR + 30, START, NOON + HOUR, False, 0, id="a little late"),
        pytest.param(SKIP, Standing(NOON), NOON + HOUR + 600, START, NOON + HOUR, True, 0, id="caught up"),
        pytest.param(NONE, Standing(NOON), NOON + HOUR + 600, MISS, NOON + HOUR, True, 0, id="not caught up"),
        pytest.param(SKIP, Standing(NOON), NOON + 5.5 * HOUR, START, NOON + 5 * HOUR, True, 4, id="one for all"),
        pytest.param(NONE, Standing(NOON), NOON + 5.5 * HOUR, MISS, NOON + 5 * HOUR, True, 4, id="none of all"),
        pytest.param(NONE, Standing(NOON), NOON + 5 * HOUR, START, NOON + 5 * HOUR, False, 4, id="but the one of now"),
        pytest.param(SKIP, Standing(NOON, busy=True), NOON + HOUR, DueAction.SKIP, NOON + HOUR, False, 0, id="overlap"),
        pytest.param(QUEUE, Standing(NOON, busy=True), NOON + HOUR, DueAction.QUEUE, NOON + HOUR, False, 0, id="queue"),
        pytest.param(
            QUEUE, Standing(NOON, True, LONGEST_QUEUE), NOON + HOUR, DueAction.SKIP, NOON + HOUR, False, 0, id="full"
        ),
        pytest.param(SKIP, Standing(NOON), NOON - 60, None, None, False, 0, id="the clock went back a little"),
    ],
)
def test_what_is_due(policy, standing, now, outcome, due, late, missed):
    decision = decide(HOURLY, policy, standing, now)
    assert (decision.outcome, decision.due, decision.late, decision.missed) == (outcome, due, late, missed)
    assert decision.last == (due if due is not None else standing.last)


def test_a_clock_that_was_far_ahead_stops_nothing():
    wrong = NOON + 10 * 24 * HOUR
    decision = decide(HOURLY, SKIP, Standing(wrong), NOON)
    assert (decision.outcome, decision.last) == (None, NOON)
    assert decide(HOURLY, SKIP, Standing(decision.last), NOON + HOUR).outcome is START


def test_a_clock_that_goes_back_within_limits_repeats_nothing():
    last = NOON + HOUR
    assert decide(HOURLY, SKIP, Standing(last), last - CORRECTION + 1).outcome is None
    assert decide(HOURLY, SKIP, Standing(last), last).outcome is None


@given(st.lists(st.floats(0.1, 3 * HOUR), min_size=1, max_size=40), st.sampled_from([QUEUE, SKIP, NONE]))
def test_each_time_is_dealt_with_once_and_none_before_it_comes(gaps, policy):
    now = last = NOON
    dues: list[float] = []
    dealt = 0
    for gap in gaps:
        now += gap
        decision = decide(HOURLY, policy, Standing(last), now)
        if decision.due is not None:
            assert last < decision.due <= now
            dues.append(decision.due)
            dealt += 1 + decision.missed
        last = decision.last
    assert all(before < after for before, after in pairwise(dues))
    assert dealt == (now - NOON) // HOUR


# a year


class World:
    """A machine with a clock, a schedule, and a supervisor that looks as the product's does."""

    def __init__(self, text: str, *, zone: str, policy: Policy, begin: datetime) -> None:
        self.clock = FakeClock(wall=begin.timestamp())
        self.zone = ZoneInfo(zone)
        self.schedule = parse(text, zone_name=zone, anchor=self.clock.wall())
        self.policy = policy
        self.last = self.clock.wall()
        self.started: list[tuple[datetime, datetime]] = []
        """When, and for which time."""
        self.missed = 0

    def look(self) -> None:
        decision = decide(self.schedule, self.policy, Standing(self.last), self.clock.wall())
        self.last = decision.last
        self.missed += decision.missed + (decision.outcome is DueAction.MISS)
        if decision.outcome is START and decision.due is not None:
            self.started.append((self.now(), datetime.fromtimestamp(decision.due, self.zone)))

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.wall(), self.zone)

    def live_until(self, end: datetime) -> None:
        """Look at each due time, as a supervisor that is always there."""
        while (following := self.schedule.after(self.last)) is not None and following <= end.timestamp():
            self.clock.advance(max(0.0, following - self.clock.wall()))
            self.look()
        self.clock.advance(max(0.0, end.timestamp() - self.clock.wall()))

    def sleep_until(self, end: datetime) -> None:
        """The machine sleeps, or no supervisor is there; on waking somebody looks."""
        self.clock.sleep(max(0.0, end.timestamp() - self.clock.wall()))
        self.look()


def new_year(year: int, zone: str) -> datetime:
    return datetime(year, 1, 1, tzinfo=ZoneInfo(zone))


def days(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + timedelta(days=number) for number in range((date(year + 1, 1, 1) - first).days)]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Sydney"])
@pytest.mark.parametrize(
    ("text", "is_day"),
    [
        ("30 2 * * *", lambda _: True),
        ("0 0 31 * *", lambda day: day.day == 31),
        ("15 2 29 2 *", lambda day: (day.month, day.day) == (2, 29)),
        ("0 9 * * MON-FRI", lambda day: day.weekday() < 5),
        ("59 23 28-31 * *", lambda day: day.day >= 28),
        ("@monthly", lambda day: day.day == 1),
    ],
)
def test_over_a_leap_year_each_day_that_is_meant_comes_once(text, is_day, zone):
    begin = new_year(2028, zone) - timedelta(minutes=1)
    world = World(text, zone=zone, policy=SKIP, begin=begin)
    world.live_until(new_year(2029, zone) - timedelta(minutes=1))
    assert [due.date() for _, due in world.started] == [day for day in days(2028) if is_day(day)]
    assert all(started == due for started, due in world.started)
    assert world.missed == 0


@pytest.mark.parametrize("text", ["@every 6h", "0 */6 * * *"])
def test_over_a_year_what_comes_every_so_often_follows_the_time_that_passes(text):
    world = World(text, zone="Europe/Berlin", policy=SKIP, begin=new_year(2027, "Europe/Berlin"))
    world.live_until(new_year(2028, "Europe/Berlin"))
    if text.startswith("@every"):
        gaps = Counter(after.timestamp() - before.timestamp() for (_, before), (_, after) in pairwise(world.started))
        assert gaps == {6 * HOUR: 365 * 4 - 1}
    else:
        assert len(world.started) == 365 * 4
        assert {due.hour for _, due in world.started} == {0, 6, 12, 18}


@pytest.mark.parametrize(("policy", "runs", "missed"), [(SKIP, 365, 0), (NONE, 0, 365)])
def test_a_machine_that_sleeps_at_night_catches_up_once_in_the_morning(policy, runs, missed):
    zone = "Europe/Berlin"
    world = World("0 3 * * *", zone=zone, policy=policy, begin=new_year(2027, zone) - timedelta(hours=3))
    for day in days(2027):
        morning = datetime(day.year, day.month, day.day, 7, tzinfo=ZoneInfo(zone))
        world.sleep_until(morning)
        world.live_until(morning + timedelta(hours=14))
    assert (len(world.started), world.missed) == (runs, missed)
    assert {started.hour for started, _ in world.started} <= {7}


def test_after_a_month_away_one_run_stands_for_all_and_the_rest_goes_on_as_before():
    zone = "Europe/Berlin"
    world = World("0 9 * * *", zone=zone, policy=SKIP, begin=new_year(2027, zone))
    world.live_until(datetime(2027, 3, 10, 12, tzinfo=ZoneInfo(zone)))
    world.sleep_until(datetime(2027, 4, 9, 12, tzinfo=ZoneInfo(zone)))
    world.live_until(datetime(2027, 4, 12, 12, tzinfo=ZoneInfo(zone)))
    dues = [due.date() for _, due in world.started]
    assert dues[:69] == days(2027)[:69]
    assert dues[69:] == [date(2027, 4, 9), date(2027, 4, 10), date(2027, 4, 11), date(2027, 4, 12)]
    assert world.missed == 29


def test_a_supervisor_that_starts_again_and_again_begins_nothing_by_that():
    world = World("0 9 * * *", zone="UTC", policy=SKIP, begin=new_year(2027, "UTC"))
    for _ in range(24 * 4):
        world.clock.advance(HOUR / 4)
        world.look()
        world.look()
    assert [due.hour for _, due in world.started] == [9]


def test_what_begins_within_a_minute_is_on_time():
    assert decide(HOURLY, NONE, Standing(NOON), NOON + HOUR + TOLERANCE).outcome is START
    assert decide(HOURLY, NONE, Standing(NOON), NOON + HOUR + TOLERANCE + 1).outcome is MISS
