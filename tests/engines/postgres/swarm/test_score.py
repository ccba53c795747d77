"""The order of the swarm is that of the queue, to the last bit."""

from __future__ import annotations

import itertools
import math
import time

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from overmind_core.domain.quests.quest import Goal, Priority, Quest, QueueState
from overmind_core.domain.quests.score import urgency_of
from tests.kit.swarm import swarm_in

NOW = 1_800_000_000.0
times = st.one_of(
    st.none(),
    st.floats(NOW - 20_000, NOW + 20_000, allow_nan=False),
    st.sampled_from([NOW, NOW - 3600, NOW - 7200, NOW + 900, NOW + 900.0000001, NOW - 1]),
)
posts = st.tuples(
    st.sampled_from(Priority), times, times, st.integers(0, 25), st.integers(0, 5), st.integers(0, 7)
)  # priority, able since, deadline, dependants, retries, spent


@pytest.fixture(scope="module")
def made(module_database_url):
    with swarm_in(module_database_url) as made:
        yield made


@pytest.fixture(scope="module")
def connection(made):
    with psycopg.connect(made.url, autocommit=True) as connection:
        yield connection


def of_queue(name, post):
    priority, able_at, deadline_at, dependants, retries, spent = post
    goal = Goal(priority=priority, deadline_at=deadline_at)
    queue = QueueState(able_at=0.0 if able_at is None else able_at, spent=spent)
    quest = Quest(name, name, "true", "/", "raw", 0.0, retries=retries, goal=goal, queue=queue)
    return urgency_of(quest, dependants, None if able_at is None else 0.0)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(post=posts)
def test_the_score_of_a_post_is_that_of_the_queue(connection, post):
    priority, able_at, deadline_at, dependants, retries, spent = post
    urgency = of_queue("a", post)
    row = connection.execute(
        "select overmind.fixed_score(%s, %s, %s, %s), overmind.score(overmind.fixed_score(%s, %s, %s, %s), %s::float8,"
        " %s::float8, %s::float8)",
        [
            priority.value,
            dependants,
            retries,
            spent,
            priority.value,
            dependants,
            retries,
            spent,
            able_at,
            deadline_at,
            NOW,
        ],
    ).fetchone()
    assert row == (urgency.fixed, -urgency.rank(NOW)[1])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(posts, min_size=1, max_size=40))
def test_posts_are_given_in_the_order_of_the_queue(made, connection, drawn):
    connection.execute("truncate overmind.posts cascade; truncate overmind.sessions; truncate overmind.hives")
    # Half a minute from a boundary of deadlines and ages, so that the moment of the claim decides nothing.
    shift = time.time() - NOW
    values = {}
    for number, (priority, able_at, deadline_at, dependants, retries, spent) in enumerate(drawn):
        name = f"{number:03d}"
        able = NOW if able_at is None else round(able_at / 60) * 60.0 + 30
        deadline = None if deadline_at is None else round(deadline_at / 60) * 60.0 + 30
        values[name] = (
            priority,
            able + shift,
            None if deadline is None else deadline + shift,
            dependants,
            retries,
            spent,
        )
        connection.execute(
            "insert into overmind.posts"
            " (id, kind, name, definition, priority, able_at, deadline_at, dependants, retries, spent)"
            " values (%s, 'quest', %s, '{}', %s, %s, %s, %s, %s, %s)",
            [name, name, priority.value, *values[name][1:]],
        )
    session = f"s{connection.execute('select nextval(%s)', ['overmind.numbers']).fetchone()[0]}"
    made.admin.join("one", "home", session, {"slots": 100})
    given_ = [one.id for one in made.admin.claim(session, 0, {"slots": 100}).claims]
    moment = time.time()
    ranks = {name: of_queue(name, post).rank(moment) for name, post in values.items()}
    assert sorted(given_) == sorted(values)
    for before, after in itertools.pairwise(given_):
        one, other = ranks[before], ranks[after]
        # Two whose scores differ by what a moment adds may stand either way; all else is the queue's.
        assert one[0] <= other[0]
        assert one < other or math.isclose(one[1], other[1], abs_tol=1e-4)
