"""Who starts now, and why others do not: rank, slots, what is in the way, whose time it is, who owns what."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.admission import Limits, Owned, Pool, Ready, Wait, WaitCode, Waiter, ordinal, ready
from overmind_core.domain.text.globs import GlobError, can_meet
from tests.kit.cases import tabled

NOW = 1000.0
NEEDS = Wait(WaitCode.NEEDS, "waits for b (queued)", ("b",))
BUDGET = Wait(WaitCode.BUDGET, "$4.10 of $4.00 are spent")
ONE, TWO = Limits({"queue": Pool(1)}), Limits({"queue": Pool(2, 1)})


def at(second: float) -> str:
    return f"{second:.0f}"


def waiter(name: str, rank: int = 0, *owns: str, **more: Any) -> Waiter:
    return Waiter(name, (rank,), pools=("queue",), owns=owns, repository="shop")._replace(**more)


def slots(text: str, pool: str = "queue") -> Wait:
    return Wait(WaitCode.SLOTS, text, (pool,))


def owned(text: str, by: str) -> Wait:
    return Wait(WaitCode.OWNS, text, (by,))


CASES = {
    "all start, in their order": ([waiter("a"), waiter("b")], Limits(), Ready(("a", "b"), {}, None)),
    "the lower rank first": ([waiter("a", 2), waiter("b", 1)], Limits(), Ready(("b", "a"), {}, None)),
    "who is blocked waits, with its reason": (
        [waiter("a", blocked=NEEDS), waiter("b")],
        Limits(),
        Ready(("b",), {"a": NEEDS}, None),
    ),
    "who has its time waits, and the first of the times is known": (
        [
            waiter("a", not_before=NOW + 5, attempt="attempt 2 of 3"),
            waiter("b", not_before=NOW + 2),
            waiter("c", not_before=NOW),
        ],
        Limits(),
        Ready(
            ("c",),
            {
                "a": Wait(WaitCode.UNTIL, "not before 1005 (attempt 2 of 3)"),
                "b": Wait(WaitCode.UNTIL, "not before 1002"),
            },
            NOW + 2,
        ),
    ),
    "what else is in its way comes before its time, and nobody wakes for it": (
        [waiter("a", not_before=NOW + 5, blocked=NEEDS)],
        Limits(),
        Ready((), {"a": NEEDS}, None),
    ),
    "its time comes before the money": (
        [waiter("a", not_before=NOW + 5, blocked=BUDGET), waiter("b", blocked=BUDGET)],
        Limits(),
        Ready((), {"a": Wait(WaitCode.UNTIL, "not before 1005"), "b": BUDGET}, NOW + 5),
    ),
    "slots are given by rank, and the others stand in line": (
        [waiter("a", 3), waiter("b", 1), waiter("c", 2)],
        TWO,
        Ready(
            ("b",),
            {"c": slots("2 of 2 slots are taken; 1st in line"), "a": slots("2 of 2 slots are taken; 2nd in line")},
            None,
        ),
    ),
    "who is blocked takes no slot": (
        [waiter("a", blocked=NEEDS), waiter("b", 1)],
        ONE,
        Ready(("b",), {"a": NEEDS}, None),
    ),
    "more may run than there are slots": (
        [waiter("a")],
        Limits({"queue": Pool(1, 3)}),
        Ready((), {"a": slots("3 of 1 slots are taken; 1st in line")}, None),
    ),
    "it needs a slot of each of its pools": (
        [
            waiter("a", 1, pools=("queue", "provider:claude")),
            waiter("b", 2, pools=("queue", "provider:claude")),
            waiter("c", 3),
        ],
        Limits({"queue": Pool(3), "provider:claude": Pool(1)}),
        Ready(
            ("a", "c"), {"b": slots("1 of 1 slots of provider claude are taken; 1st in line", "provider:claude")}, None
        ),
    ),
    "a pool without a limit is none": (
        [waiter("a", pools=("queue", "spec:login")), waiter("b")],
        Limits({"queue": Pool(0, 7)}),
        Ready(("a", "b"), {}, None),
    ),
    "who owns what another one owns waits for it": (
        [waiter("a", 1, "api/x.py"), waiter("b", 2, "web/**")],
        Limits(owned={"TSK-001": Owned("shop", ("api/**",))}),
        Ready(("b",), {"a": owned("api/** is owned by TSK-001, which runs", "TSK-001")}, None),
    ),
    "what is in review keeps what it owns": (
        [waiter("a", 1, "api/x.py")],
        Limits(owned={"TSK-001": Owned("shop", ("api/**",), "is in review")}),
        Ready((), {"a": owned("api/** is owned by TSK-001, which is in review", "TSK-001")}, None),
    ),
    "of two that own one path the first starts": (
        [waiter("a", 2, "src/**"), waiter("b", 1, "**/*.py")],
        Limits(),
        Ready(("b",), {"a": owned("**/*.py is owned by b, which runs", "b")}, None),
    ),
    "another repository is another place": (
        [
            waiter("a", 1, "src/**"),
            waiter("b", 2, "src/**", repository="forge"),
            waiter("c", 3, "src/**", repository=None),
        ],
        Limits(),
        Ready(("a", "b", "c"), {}, None),
    ),
    "one that only owners hold back holds its own paths against those below": (
        [waiter("wide", 1, "**"), waiter("low", 2, "web/**"), waiter("free", 3)],
        Limits({"queue": Pool(5)}, {"x": Owned("shop", ("api/**",))}),
        Ready(
            ("free",),
            {
                "wide": owned("api/** is owned by x, which runs", "x"),
                "low": owned("** is owned by wide, which comes first", "wide"),
            },
            None,
        ),
    ),
    "one that owners and slots hold back holds nothing": (
        [waiter("wide", 1, "**", pools=("queue", "small")), waiter("low", 2, "web/**")],
        Limits({"queue": Pool(5), "small": Pool(1, 1)}, {"x": Owned("shop", ("api/**",))}),
        Ready(("low",), {"wide": owned("api/** is owned by x, which runs", "x")}, None),
    ),
}


@tabled(("waiters", "limits", "expected"), CASES.values(), ids=CASES)
def test_who_starts_now_and_why_others_do_not(waiters, limits, expected):
    assert ready(waiters, NOW, limits, time_text=at) == expected
    assert ready(waiters, NOW, limits, time_text=at, reasons=False) == expected._replace(waiting={})


@tabled(
    ("number", "text"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (112, "112th"),
    ],
)
def test_places_in_line_are_counted_as_people_do(number, text):
    assert ordinal(number) == text


def test_a_time_is_written_in_utc_where_nobody_knows_better():
    assert (
        ready([waiter("a", not_before=NOW)], 0.0, Limits()).waiting["a"].text == "not before 1970-01-01T00:16:40.000Z"
    )


def test_a_broken_pattern_is_refused_and_not_passed_over():
    with pytest.raises(GlobError):
        ready([waiter("a", 1, "a"), waiter("b", 2, "[")], NOW, Limits())


GLOBS = ["src/**", "src/a/*.py", "/docs", "*.md", "web/**", "**"]
POOLS = st.sampled_from([("queue",), ("queue", "provider:claude"), ("queue", "spec:login"), ()])
WAITERS = st.lists(
    st.builds(
        Waiter,
        name=st.just(""),
        rank=st.tuples(st.integers(0, 3)),
        not_before=st.sampled_from([0.0, NOW, NOW + 1, NOW + 60]),
        pools=POOLS,
        owns=st.lists(st.sampled_from(GLOBS), max_size=2).map(tuple),
        repository=st.sampled_from(["shop", "forge", None]),
        blocked=st.sampled_from([None, None, None, NEEDS, BUDGET]),
    ),
    max_size=50,
).map(lambda found: [one._replace(name=f"w{number}") for number, one in enumerate(found)])
LIMITS = st.builds(
    Limits,
    st.fixed_dictionaries(
        {
            "queue": st.builds(Pool, st.integers(0, 5), st.integers(0, 5)),
            "provider:claude": st.builds(Pool, st.integers(0, 2), st.integers(0, 2)),
        }
    ),
    st.dictionaries(
        st.sampled_from("xyz"),
        st.builds(Owned, st.just("shop"), st.lists(st.sampled_from(GLOBS), max_size=2).map(tuple)),
        max_size=2,
    ),
)


def overlap(one: Waiter, repository: str | None, patterns: tuple[str, ...]) -> bool:
    return (
        one.repository is not None
        and one.repository == repository
        and any(can_meet(a, b) for a in one.owns for b in patterns)
    )


@given(WAITERS, LIMITS)
def test_who_starts_fits_into_the_slots_and_owns_nothing_that_is_owned(waiters, limits):
    """Acceptance 8 and 9, their pure part: never more than there are slots, never two that own one path."""
    found = ready(waiters, NOW, limits)
    by_name = {one.name: one for one in waiters}
    started = [by_name[name] for name in found.start]
    assert sorted([*found.start, *found.waiting]) == sorted(by_name)
    assert ready(waiters, NOW, limits, reasons=False) == Ready(found.start, {}, found.next_at)
    for name, pool in limits.pools.items():
        taken = sum(name in one.pools for one in started)
        assert not pool.at_once or taken <= max(0, pool.at_once - pool.running)
    for number, one in enumerate(started):
        assert one.blocked is None
        assert one.not_before <= NOW
        assert not any(overlap(one, other.repository, other.patterns) for other in limits.owned.values())
        assert not any(overlap(one, other.repository, other.owns) for other in started[:number])
        assert [other.rank for other in started[:number]] <= [one.rank] * number


@given(WAITERS, LIMITS)
def test_who_waits_could_not_have_started(waiters, limits):
    """Each reason holds; who is held back by owners alone is named by those that come first."""
    found = ready(waiters, NOW, limits)
    by_name = {one.name: one for one in waiters}
    for name, wait in found.waiting.items():
        one = by_name[name]
        match wait.code:
            case WaitCode.UNTIL:
                assert one.not_before > NOW
            case WaitCode.SLOTS:
                (pool,) = wait.by
                free = limits.pools[pool].free
                taken = sum(pool in by_name[other].pools for other in found.start)
                assert free is not None
                assert taken >= free
            case WaitCode.OWNS:
                (owner,) = wait.by
                place, patterns = (
                    (limits.owned[owner].repository, limits.owned[owner].patterns)
                    if owner in limits.owned
                    else (by_name[owner].repository, by_name[owner].owns)
                )
                assert overlap(one, place, patterns)
                assert owner in limits.owned or by_name[owner].rank <= one.rank
            case _:
                assert wait == one.blocked
    times = [one.not_before for one in waiters if one.not_before > NOW and one.blocked in {None, BUDGET}]
    assert found.next_at == min(times, default=None)


@given(st.lists(st.lists(st.sampled_from([*GLOBS, ""]), max_size=5), min_size=3, max_size=3))
def test_a_wide_one_is_not_passed_by_for_ever(arrivals):
    """Others that own less keep coming, ranked below it: it starts once all that ran before it have ended."""
    running = [waiter("x", 0, "src/**"), waiter("y", 0, "web/**"), waiter("z", 0, "/docs")]
    waiting = [waiter("wide", 1, "**")]
    started: tuple[str, ...] = ()
    for number, patterns in enumerate(arrivals):
        assert "wide" not in started
        del running[0]
        waiting += [waiter(f"{number}.{place}", 2, *filter(None, [one])) for place, one in enumerate(patterns)]
        owners = {one.name: Owned("shop", one.owns) for one in running if one.owns}
        started = ready(waiting, NOW, Limits({"queue": Pool(3, len(running))}, owners), reasons=False).start
        running += [one for one in waiting if one.name in started]
        waiting = [one for one in waiting if one.name not in started]
    assert "wide" in started


@given(st.lists(st.integers(0, 10_000), unique=True, max_size=200), st.integers(1, 200))
def test_the_first_of_many_start_in_the_order_of_their_rank(ranks, at_once):
    found = ready([waiter(str(rank), rank) for rank in ranks], NOW, Limits({"queue": Pool(at_once)}), reasons=False)
    assert [int(name) for name in found.start] == sorted(ranks)[:at_once]
