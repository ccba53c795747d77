"""Budgets: a story of costs, and what follows from each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.watching import budget
from overmind_core.domain.watching.budget import BudgetMarks, BudgetStep, Refused, Spending, spending
from tests.kit.cases import tabled


def steps(limit, *totals):
    marks, found = BudgetMarks(), []
    for total in totals:
        marks, step = budget.follow(marks, spending(total), limit)
        found.append("".join(name[0] for name in BudgetStep._fields if getattr(step, name)))
    return found


def test_it_is_warned_once_at_80_percent_asked_once_at_100_and_stopped_at_120():
    """Acceptance 49."""
    costs = ([0.40], [0.40, 0.45], [0.40, 0.46], [0.5, 0.5], [1.0, 0.1], [1.0, 0.2], [1.0, 0.3])
    assert steps(1.0, *costs) == ["", "w", "", "a", "", "s", "s"]


def test_at_100_percent_nothing_more_begins_and_once_it_is_raised_it_does():
    """Acceptance 49."""
    assert budget.lease("spec login", spending([0.40, 0.45]), [], None, 1.0) is None
    spent = spending([0.40, 0.45, 0.15])
    assert budget.lease("spec login", spent, [], None, 1.0) == Refused(
        "$1.00 of $1.00 of spec login are spent", ask=True
    )
    assert budget.lease("spec login", spent, [], None, budget.raised(1.0)) is None


def test_a_raised_limit_is_warned_of_again():
    marks, _ = budget.follow(BudgetMarks(), Spending(1.0, 0), 1.0)
    marks, step = budget.follow(marks, Spending(1.1, 0), 1.5)
    assert step == BudgetStep()
    assert budget.follow(marks, Spending(1.2, 0), 1.5)[1] == BudgetStep(warn=True)


def test_an_unknown_cost_is_null_and_counted():
    """Acceptance 49."""
    assert spending([None, None]) == Spending(None, 2)
    assert spending([0.5, None]) == Spending(0.5, 1)
    assert spending([]) == Spending(0.0, 0)
    assert spending([None]).known == 0.0
    assert budget.lease("this day", spending([None]), [None], None, 1.0) is None


UNKNOWN = [
    ([], "$0.00 of $1.00 of this day are spent"),
    ([0.5], "$0.50 of $1.00 of this day are spent"),
    ([0.5, None], "$0.50 + ? of $1.00 of this day are spent"),
    ([None, None], "no cost of this day is known, its limit is $1.00"),
]


@tabled(("costs", "used"), UNKNOWN)
def test_a_cost_that_nobody_knows_is_not_shown_as_nothing(costs, used):
    refused = budget.lease("this day", spending(costs), [], 2.0, 1.0)
    assert refused == Refused(f"{used}, and $2.00 would follow", ask=True)


LEASES = [
    (0.5, [], 0.5, None),
    (0.5, [0.3], 0.2, None),
    (0.5, [0.3], 0.3, Refused("$0.50 of $1.00 of spec s are spent, and $0.60 would follow", ask=False)),
    (0.5, [], 0.6, Refused("$0.50 of $1.00 of spec s are spent, and $0.60 would follow", ask=True)),
    (0.5, [None], 0.6, Refused("$0.50 of $1.00 of spec s are spent, and $0.60 would follow", ask=False)),
    (1.1, [0.2], None, Refused("$1.10 of $1.00 of spec s are spent", ask=True)),
    (0.1 + 0.2, [0.3], 0.4, None),
]


@tabled(("spent", "running", "own", "expected"), LEASES)
def test_what_runs_and_what_would_begin_count_by_their_estimates(spent, running, own, expected):
    assert budget.lease("spec s", Spending(spent, 0), running, own, 1.0) == expected


def test_without_a_limit_nothing_is_held():
    assert steps(0.0, [1e9]) == [""]
    assert budget.lease("this day", Spending(1e9, 0), [1e9], 1e9, 0.0) is None


RAISED = [
    ("", 6.0),
    ("go on", 6.0),
    ("$2", 6.0),
    ("$ 2.50 more", 6.5),
    ("another 3 dollars please", 7.0),
    ("1.25 USD", 5.25),
    ("10$", 14.0),
    ("  8 ", 12.0),
    ("finish the 3 tasks", 6.0),
    ("$0", 6.0),
    ("-5", 6.0),
]


@tabled(("text", "limit"), RAISED)
def test_a_person_raises_it_by_half_or_by_the_dollars_that_the_text_names(text, limit):
    assert budget.raised(4.0, text) == limit


def test_dollars_that_a_person_names_come_on_top_of_what_is_spent():
    assert budget.raised(0.04, "$0.10", spent=0.26) == 0.36
    assert budget.raised(4.0, "$2", spent=1.0) == 6.0


AMOUNTS = st.floats(0.0, 1e4)


@given(st.floats(0.01, 1e4), AMOUNTS, st.lists(AMOUNTS, max_size=3), AMOUNTS | st.none())
def test_a_raised_limit_lets_the_next_attempt_begin_however_much_is_spent(limit, spent, running, own):
    expected = spending([*running, own]).known
    now = budget.raised(limit, spent=spent, expected=expected)
    assert budget.lease("this day", Spending(spent, 0), running, own, now) is None
    assert budget.lease("this day", Spending(spent, 0), running, own, float(f"{now:.10g}")) is None
    assert not budget.follow(BudgetMarks(), Spending(spent, 0), now)[1].stop


@given(st.floats(0.01, 1e6), st.text(max_size=40) | st.from_regex(r"\$?\d{1,12}(\.\d+)?( dollars)?", fullmatch=True))
def test_a_raised_limit_is_always_higher(limit, text):
    assert budget.raised(limit, text) > limit


BERLIN = ZoneInfo("Europe/Berlin")
DAYS = [
    (datetime(2026, 11, 22, 5, tzinfo=UTC), UTC, 24.0),
    (datetime(2026, 11, 22, 0, tzinfo=UTC), UTC, 24.0),
    (datetime(2026, 11, 22, 23, 59, 59, tzinfo=timezone(timedelta(hours=-8))), timezone(timedelta(hours=-8)), 24.0),
    (datetime(2026, 3, 29, 12, tzinfo=BERLIN), BERLIN, 23.0),
    (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN), BERLIN, 25.0),
    (datetime(2026, 10, 25, 23, 30, tzinfo=BERLIN), BERLIN, 25.0),
]


@tabled(("moment", "zone", "hours"), DAYS)
def test_a_day_goes_from_local_midnight_to_local_midnight(moment, zone, hours):
    now = moment.timestamp()
    begin, end = budget.day_begin(now, zone), budget.next_midnight(now, zone)
    assert begin <= now < end
    assert (end - begin) / 3600 == hours
    assert datetime.fromtimestamp(begin, zone).time() == datetime.fromtimestamp(end, zone).time()
    assert datetime.fromtimestamp(begin, zone).date() == moment.date()


def test_known_costs_are_added_up_and_unknown_ones_counted():
    assert spending([0.5, None, 0.25]) == Spending(0.75, 1)


@given(st.lists(st.floats(0, 3), max_size=30), st.floats(0.1, 2))
def test_warnings_come_once_for_each_limit_and_before_the_question(costs, limit):
    total, found = 0.0, []
    marks = BudgetMarks()
    for cost in costs:
        total += cost
        marks, step = budget.follow(marks, Spending(total, 0), limit)
        found.append(step)
    assert sum(step.warn for step in found) <= 1
    assert sum(step.ask for step in found) <= 1
    warned = next((place for place, step in enumerate(found) if step.warn), len(found))
    asked = next((place for place, step in enumerate(found) if step.ask), len(found))
    stopped = next((place for place, step in enumerate(found) if step.stop), len(found))
    assert warned <= asked <= stopped
