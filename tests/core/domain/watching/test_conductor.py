"""The conductor: coherence, twins, and whose worktrees are merged aside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.watching import conductor
from overmind_core.domain.watching.conductor import MOST_PAIRS, Coherence, Member, Pair


def member(name, *changed, alignment=1.0, steered=False, repository="/repo/.git", isolated=True):
    return Member(name, alignment, steered, repository, frozenset(changed), isolated)


COHERENCES = [
    pytest.param([member("a"), member("b", alignment=0.5, steered=True)], 0.5, "0.50", "fair", id="one steered"),
    pytest.param([member("a")], 1.0, "1.00", "good", id="all well"),
    pytest.param([], None, "idle", "", id="nobody lives"),
    pytest.param([member("a", alignment=None)], None, "–", "", id="nobody is known"),
    pytest.param([member("a"), member("b", alignment=None)], 1.0, "1.00", "good", id="over those that are known"),
    pytest.param([member("a"), member("b", alignment=None, steered=True)], 0.85, "0.85", "good", id="shares of all"),
    pytest.param([member("a", alignment=0.59)], 0.39, "0.39", "low", id="a low one"),
    pytest.param([member("a", alignment=0.6)], 0.6, "0.60", "fair", id="just not"),
    pytest.param([member("a", "x"), member("b", "x")], 0.9, "0.90", "good", id="both change one file"),
    pytest.param([member("a", "x"), member("b", "x", repository="/b")], 1.0, "1.00", "good", id="of two repositories"),
    pytest.param([member("a", "x"), member("b", "x", repository=None)], 1.0, "1.00", "good", id="of none"),
    pytest.param([member("a", "x", alignment=0.0, steered=True)], 0.0, "0.00", "critical", id="never below 0"),
]


@pytest.mark.parametrize(("members", "value", "text", "grade"), COHERENCES)
def test_coherence_is_the_mean_alignment_less_what_goes_wrong(members, value, text, grade):
    """Acceptance 47."""
    assert conductor.coherence(members) == Coherence(value, text, grade)


GRADES = [(0.0, "critical"), (0.29, "critical"), (0.3, "low"), (0.5, "fair"), (0.8, "fair"), (0.81, "good")]


@pytest.mark.parametrize(("value", "grade"), GRADES)
def test_a_coherence_has_a_word(value, grade):
    assert conductor.grade(value) == grade


def test_it_is_counted_why():
    found = [member("a", "x"), member("b", "x", alignment=None), member("c", alignment=0.2, steered=True)]
    assert conductor.counts(found) == {"live": 3, "known": 2, "low": 1, "steered": 1, "sharing": 2}


TWINS = [
    ("abc", "abc", True),
    ("abcd", "abcx", True),
    ("abcd", "abyz", False),
    ("abc", "abx", True),
    ("abcde", "abxyz", False),
    ("ab", "ab", False),
    ("ab", "abc", False),
]


@pytest.mark.parametrize(("one", "other", "are"), TWINS)
def test_twins_change_mostly_the_same_files_and_three_at_least(one, other, are):
    found = [member("a", *one), member("b", *other)]
    assert bool(conductor.twins(found)) is are
    assert not conductor.twins(found, reported=[("a", "b")]), "they are reported once"


def test_a_pair_is_named_with_the_files_that_both_change():
    found = [member("b", "x", "y", "z"), member("a", "y", "x"), member("c", "z"), member("d", "q")]
    assert conductor.pairs(found) == [Pair("a", "b", ("x", "y")), Pair("b", "c", ("z",))]


def test_each_mission_knows_who_else_changes_its_files_those_with_the_most_first():
    found = [member("b", "x", "y", "z"), member("a", "y", "x"), member("c", "z"), member("d", "q")]
    assert conductor.overlaps(found) == {
        "a": [("b", ("x", "y"))], "b": [("a", ("x", "y")), ("c", ("z",))], "c": [("b", ("z",))],
    }  # fmt: skip
    assert conductor.sharing(found) == conductor.overlaps(found).keys(), "who is counted is named"


def test_only_worktrees_of_their_own_are_merged_aside_and_each_pair_once_a_minute():
    found = [member("a", "x"), member("b", "x"), member("c", "x", isolated=False)]
    (pair,) = conductor.to_merge(found, {}, 100.0)
    assert pair == Pair("a", "b", ("x",))
    assert conductor.to_merge(found, {("a", "b"): 100.0}, 159.9) == []
    assert conductor.to_merge(found, {("a", "b"): 100.0}, 160.0) == [pair]
    assert conductor.to_merge(found, {("a", "b"): 100.0}, 50.0) == [pair], "the clock was set back"


def test_all_pairs_have_their_turn_twenty_at_a_time():
    found = [member(f"m{number}", "x") for number in range(10)]
    merged: dict[tuple[str, str], float] = {}
    now = 0.0
    for _ in range(3):
        chosen = conductor.to_merge(found, merged, now)
        assert len(chosen) == min(MOST_PAIRS, 45 - len(merged))
        merged |= {(pair.one, pair.other): now for pair in chosen}
        now += 1.0
    assert len(merged) == 45
    oldest = conductor.to_merge(found, merged, 100.0)
    assert {merged[pair.one, pair.other] for pair in oldest} == {0.0}


def test_an_overlap_is_told_once_for_each_file():
    pair = Pair("a", "b", ("x", "y"))
    assert list(conductor.new_overlaps([pair], {})) == [pair]
    assert list(conductor.new_overlaps([pair], {("a", "b"): frozenset("xyz")})) == []
    assert list(conductor.new_overlaps([pair], {("a", "b"): frozenset("x")})) == [pair]


def test_a_file_that_everybody_changes_costs_no_more_than_a_few_pairs():
    found = [member(f"m{number:04}", "x") for number in range(500)]
    assert len(conductor.pairs(found)) == conductor.MOST_PAIRS_SEEN
    assert conductor.coherence(found).value == 0.9


members = st.lists(
    st.builds(
        Member,
        st.uuids().map(str),
        st.none() | st.floats(0, 1),
        st.booleans(),
        st.sampled_from([None, "/a", "/b"]),
        st.frozensets(st.sampled_from("abcdef")),
        st.booleans(),
    ),
    max_size=12,
)


@given(members)
def test_coherence_lies_between_0_and_1_and_a_steer_never_makes_it_better(found):
    judged = conductor.coherence(found)
    if judged.value is None:
        assert judged.text == ("–" if found else "idle")
        return
    assert 0.0 <= judged.value <= 1.0
    steered = [Member(one.id, one.alignment, True, one.repository, one.changed) for one in found]
    assert (conductor.coherence(steered).value or 0.0) <= judged.value


@given(members)
def test_who_shares_a_file_is_in_a_pair_and_twins_are_pairs(found):
    pairs = conductor.pairs(found)
    assert conductor.sharing(found) == {name for pair in pairs for name in (pair.one, pair.other)}
    assert set(conductor.twins(found)) <= set(pairs)
    assert all(pair.one < pair.other and pair.files for pair in pairs)
