"""The oracle says what the database does: a post that fits a hive is given to it, and no other is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.domain.swarm.beginnings import could_meet
from overmind_core.domain.swarm.fits import Answer
from overmind_core.swarm import oracle
from tests.kit.swarm import swarm_in

GIB = 1 << 30
labels = st.dictionaries(st.sampled_from(["gpu", "region"]), st.sampled_from(["a", "b"]), max_size=2)
wants = st.fixed_dictionaries(
    {},
    optional={
        "labels": labels,
        "cpu": st.sampled_from([0, 1, 2.5, 8]),
        "memory": st.sampled_from([0, GIB, 8 * GIB]),
        "provider": st.sampled_from(["claude", "codex"]),
        "secrets": st.lists(st.sampled_from(["A", "B"]), unique=True, max_size=2),
        "format": st.sampled_from([1, 2]),
    },
)
hives = st.fixed_dictionaries(
    {
        "labels": labels,
        "slots": st.sampled_from([0, 1, 4]),
        "free_slots": st.sampled_from([0, 1]),
        "cpu": st.just(8),
        "free_cpu": st.sampled_from([0, 2, 8]),
        "memory": st.just(8 * GIB),
        "free_memory": st.sampled_from([GIB, 8 * GIB]),
        "providers": st.lists(st.sampled_from(["claude", "codex"]), unique=True, max_size=2),
        "format": st.sampled_from([1, 2]),
    }
)


@pytest.fixture(scope="module")
def made(module_database_url):
    with swarm_in(module_database_url) as made:
        yield made, made.hive("eu1"), made.member("alice")


@settings(max_examples=150, deadline=None)
@given(post=wants, about=hives, sealed=st.lists(st.sampled_from(["A", "B"]), unique=True), drains=st.booleans())
def test_what_the_oracle_calls_fitting_is_given_and_nothing_else(made, post, about, sealed, drains):
    swarm, hive, _ = made
    swarm.sql("delete from overmind.posts; delete from overmind.secrets")
    for name in sealed:
        swarm.admin.put_secret(name, hive.name, b"sealed")
    swarm.admin.drain(hive.name, undo=not drains)
    hive.beat(**about)
    given_ = swarm.post(**post)
    (seen,) = swarm.admin.hives()
    verdict = oracle.why(swarm.find(given_), [seen], swarm.admin.posts(), swarm.admin.refusals())
    slots = about["free_slots"] if about["slots"] else 0
    claims = hive.ask(slots, cpu=about["free_cpu"], memory=about["free_memory"]).claims
    assert [one.id for one in claims] == ([given_] if verdict.lines[0].fit.answer is Answer.YES else []), verdict


def test_why_says_a_line_for_each_hive(swarm):
    first = swarm.hive("eu1", cpu=8, labels={"gpu": "yes"})
    second = swarm.hive("eu2", cpu=2)
    for hive in (first, second):
        hive.beat(free_slots=1, free_cpu=8, free_memory=GIB)
    swarm.post("first", labels={"gpu": "yes"}, priority="high")
    post = swarm.post("docs", labels={"gpu": "yes"}, cpu=4)
    found = oracle.why(swarm.find(post), swarm.admin.hives(), swarm.admin.posts())
    assert [(one.hive, one.text) for one in found.lines] == [
        (first.name, "yes, 2nd in line"), (second.name, "no: label gpu=yes"),
    ]  # fmt: skip
    claim = first.claim(2)[1]
    first.swarm.give_back(first.session, post, claim.fence, "not_pushed")
    found = oracle.why(swarm.find(post), swarm.admin.hives(), swarm.admin.posts(), swarm.admin.refusals())
    assert (found.lines[0].text, found.summary) == ("waits: given back: not_pushed", "waits: given back: not_pushed")


beginnings = st.lists(
    st.lists(st.sampled_from(["a", "b", "ab"]), max_size=3).map("/".join), max_size=3
)  # as `beginnings` has them


@settings(max_examples=100, deadline=None)
@given(mine=beginnings, theirs=beginnings)
def test_the_database_and_the_rule_agree_on_what_could_meet(made, mine, theirs):
    ((found,),) = made[0].sql("select overmind.could_meet(%s::text[], %s::text[])", mine, theirs)
    assert found is could_meet(mine, theirs)
