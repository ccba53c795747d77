"""Steering: a story of samples, each with what follows from it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.replacing import replace
from overmind_core.domain.settings import GuardianSettings
from overmind_core.domain.watching import steering
from overmind_core.domain.watching.guardian import BASES, COSTS, Sample, Term
from overmind_core.domain.watching.steering import Capabilities, Judged, Outcome, Rung, Steer, SteeringState
from tests.kit.cases import tabled

ASK, AUTO, OFF = (GuardianSettings(steer=mode) for mode in ("ask", "auto", "off"))
TALKS, SILENT = Capabilities(takes_messages=True, is_queued=True), Capabilities(takes_messages=False, is_queued=True)


def sample(at, *holding, known=True):
    def term(name):
        if name in holding:
            return Term(name, COSTS[name], True, f"{name} shown")
        return Term(name, COSTS[name], False if known or name not in BASES else None, "")

    terms = tuple(map(term, COSTS))
    score = round(1.0 - sum(COSTS[name] for name in holding), 4)
    return Sample(at, terms, score if known else None, score)


def follow(state, found, capabilities, settings):
    return steering.follow(state, found, capabilities, settings)


def steers(state, settings, capabilities, *samples):
    """What follows from samples where each steer is carried out at once; a person who is asked allows it."""
    found = []
    for one in samples:
        state, _, steer = follow(state, one, capabilities, settings)
        if steer is not None:
            found.append((one.at, steer.rung, steer.ask))
            state = steering.withdrawn(steering.sent(state, steer.rung, one.score, one.at))
    return state, found


LOW = ("loop", "drift")


def test_when_it_is_low_a_person_is_asked_who_allows_it_once_and_none_comes_within_five_minutes_and_no_fourth():
    """Acceptance 46."""
    state, _, steer = follow(SteeringState(), sample(0.0, "loop"), TALKS, ASK)
    assert steer is None
    state, _, steer = follow(state, sample(15.0, *LOW), TALKS, ASK)
    assert (steer.rung, steer.ask, [term.term for term in steer.terms]) == (Rung.MESSAGE, True, ["loop", "drift"])
    for at in (30.0, 400.0, 4000.0):
        state, _, steer = follow(state, sample(at, *LOW), TALKS, ASK)
        assert steer is None, "the question is open"
    state = steering.sent(state, Rung.MESSAGE, 0.4, 4010.0)
    times = [4015.0 + 15.0 * number for number in range(200)]
    _, found = steers(state, ASK, TALKS, *(sample(at, *LOW) for at in times))
    assert found == [(4315.0, Rung.INTERRUPT, True), (4615.0, Rung.FREEZE, True)]


def test_by_itself_it_escalates_and_then_asks_once():
    times = [15.0 * number for number in range(400)]
    _, found = steers(SteeringState(), AUTO, TALKS, *(sample(at, *LOW) for at in times))
    assert found == [
        (0.0, Rung.MESSAGE, False),
        (300.0, Rung.INTERRUPT, False),
        (600.0, Rung.FREEZE, False),
        (900.0, Rung.END, True),
    ]


ESCALATIONS = [
    (TALKS, [Rung.MESSAGE, Rung.INTERRUPT, Rung.FREEZE, Rung.END]),
    (SILENT, [Rung.FREEZE, Rung.END]),
    (Capabilities(takes_messages=True, is_queued=False), [Rung.MESSAGE, Rung.INTERRUPT, Rung.FREEZE]),
    (Capabilities(takes_messages=False, is_queued=False), [Rung.FREEZE]),
]


@pytest.mark.parametrize(("capabilities", "escalation"), ESCALATIONS)
def test_who_takes_no_messages_is_frozen_at_once_and_only_an_attempt_can_end(capabilities, escalation):
    assert list(capabilities.escalation) == escalation
    most = GuardianSettings(steer="auto", most=9, pause=1.0)
    _, found = steers(SteeringState(), most, capabilities, *(sample(10.0 * number, *LOW) for number in range(6)))
    assert [rung for _, rung, _ in found] == [*escalation, *[escalation[-1]] * (6 - len(escalation))]


def test_a_frozen_one_is_not_steered_before_a_person_has_answered():
    state, _, steer = follow(SteeringState(), sample(0.0, *LOW), SILENT, AUTO)
    assert (steer.rung, steer.ask) == (Rung.FREEZE, False)
    state = steering.sent(state, Rung.FREEZE, 0.4, 0.0)
    assert follow(state, sample(9000.0, *LOW), SILENT, AUTO)[2] is None
    assert follow(steering.withdrawn(state), sample(9000.0, *LOW), SILENT, AUTO)[2].rung is Rung.END


def test_who_is_denied_leaves_it_alone_for_an_hour():
    state, _, steer = follow(SteeringState(), sample(0.0, *LOW), TALKS, ASK)
    assert steer is not None
    state = steering.denied(state, 10.0)
    assert follow(state, sample(3609.0, *LOW), TALKS, ASK)[2] is None
    state, _, steer = follow(state, sample(3610.0, *LOW), TALKS, ASK)
    assert (steer.rung, state.steers) == (Rung.MESSAGE, 0)


def test_one_term_alone_is_a_reason_once_it_has_held_for_four_samples():
    state, found = steers(SteeringState(), AUTO, TALKS, *(sample(15.0 * number, "overrun") for number in range(3)))
    assert found == []
    again, found = steers(state, AUTO, TALKS, sample(45.0), *(sample(60.0 + number, "overrun") for number in range(3)))
    assert (found, dict(again.held)) == ([], {"overrun": 3})
    _, found = steers(state, AUTO, TALKS, sample(45.0, "overrun", "thrash"))
    assert found == [(45.0, Rung.MESSAGE, False)]


def test_only_what_held_so_long_is_told():
    state, _ = steers(SteeringState(), AUTO, TALKS, *(sample(15.0 * number, "overrun") for number in range(3)))
    _, _, steer = follow(state, sample(45.0, "overrun", "thrash"), TALKS, AUTO)
    assert [term.term for term in steer.terms] == ["overrun"]


def test_one_that_is_stalled_is_steered_whatever_its_score():
    _, _, steer = follow(SteeringState(), sample(0.0, "silence"), TALKS, AUTO)
    assert [term.term for term in steer.terms] == ["silence"]
    _, _, steer = follow(SteeringState(), sample(0.0, "silence", known=False), TALKS, AUTO)
    assert [term.term for term in steer.terms] == ["silence"]


def test_one_that_is_silent_and_takes_no_messages_is_not_frozen_for_that():
    assert follow(SteeringState(), sample(0.0, "silence"), SILENT, AUTO)[2] is None
    assert follow(SteeringState(), sample(0.0, "silence", *LOW), SILENT, AUTO)[2].rung is Rung.FREEZE
    assert follow(SteeringState(), sample(0.0, "silence"), SILENT, ASK)[2].ask


APPROVED = [
    (Rung.MESSAGE, TALKS, Rung.MESSAGE),
    (Rung.INTERRUPT, TALKS, Rung.INTERRUPT),
    (Rung.FREEZE, TALKS, Rung.INTERRUPT),
    (Rung.END, TALKS, Rung.END),
    (Rung.FREEZE, SILENT, Rung.END),
    (Rung.END, SILENT, Rung.END),
    (Rung.FREEZE, Capabilities(takes_messages=False, is_queued=False), None),
    (Rung.FREEZE, Capabilities(takes_messages=True, is_queued=False), Rung.INTERRUPT),
]


@tabled(("rung", "capabilities", "done"), APPROVED)
def test_what_a_person_allows_is_told_to_its_agent_or_to_the_next_attempt(rung, capabilities, done):
    assert steering.on_approval(rung, capabilities) is done


def test_what_is_off_is_off():
    _, found = steers(SteeringState(), OFF, TALKS, *(sample(400.0 * number, *LOW) for number in range(9)))
    assert found == []


OUTCOMES = [
    (("loop", "drift"), (), Outcome.HELPED),
    (("silence",), (), Outcome.HELPED),
    (("loop", "drift"), ("loop", "drift"), Outcome.UNCHANGED),
    (("loop", "drift"), ("loop", "drift", "silence"), Outcome.WORSE),
    (("loop", "drift"), ("drift", "loop", "thrash"), Outcome.WORSE),
    (("loop", "silence"), ("loop", "overrun"), Outcome.UNCHANGED),
]


@tabled(("before", "after", "outcome"), OUTCOMES)
def test_two_samples_later_it_has_helped_or_not(before, after, outcome):
    state = steering.sent(SteeringState(), Rung.MESSAGE, sample(0.0, *before).score, 0.0)
    state, judged, _ = follow(state, sample(15.0), TALKS, OFF)
    assert (judged, state.pending.samples) == (None, 1)
    state, judged, _ = follow(state, sample(30.0, *after), TALKS, OFF)
    assert (judged, state.pending) == (Judged(Rung.MESSAGE, outcome), None)
    assert follow(state, sample(45.0, *after), TALKS, OFF)[1] is None


def test_a_mission_is_sampled_at_most_so_often():
    assert steering.is_due(SteeringState(), ASK, 0.0)
    sampled = replace(SteeringState(), sampled_at=100.0)
    assert [steering.is_due(sampled, ASK, now) for now in (114.9, 115.0, 50.0)] == [False, True, True]


def test_an_agent_is_told_of_each_term_with_what_shows_it():
    found = sample(0.0, "loop", "drift", "silence")
    said = [paragraph.split("\n") for paragraph in steering.message(found.holding).split("\n\n")]
    assert [quoted for _, quoted in said] == ["> loop shown", "> drift shown", "> silence shown"]
    assert 'overmind report missing "which file, and why"' in said[1][0]
    for term in COSTS:
        assert steering.message(sample(0.0, term).holding).endswith(f"\n> {term} shown")


moments = st.lists(st.tuples(st.floats(1, 500), st.sets(st.sampled_from(list(COSTS))), st.booleans()), max_size=60)


@given(moments, st.sampled_from([ASK, AUTO, OFF]), st.sampled_from([TALKS, SILENT]))
def test_it_is_never_steered_twice_in_five_minutes_and_never_more_than_three_times_unasked(
    story, settings, capabilities
):
    state, now = SteeringState(), 0.0
    acted: list[float] = []
    asked: list[float] = []
    for wait, holding, allowed in story:
        now += wait
        state, _, steer = follow(state, sample(now, *sorted(holding)), capabilities, settings)
        if steer is not None:
            (asked if steer.ask else acted).append(now)
            if allowed or not steer.ask:
                state = steering.withdrawn(steering.sent(state, steer.rung, 0.5, now))
            else:
                state = steering.denied(state, now)
    every = sorted([*acted, *asked])
    assert all(later - earlier >= settings.pause for earlier, later in pairwise(every))
    assert len(acted) <= settings.most
    assert not acted or settings is AUTO
    assert settings is not AUTO or len(asked) <= 1
    assert isinstance(state, SteeringState)


def test_values_have_defaults_so_that_old_rows_read_as_they_are():
    assert SteeringState() == SteeringState(0, None, 0.0, asking=False)
    assert Steer(Rung.MESSAGE, (), "", ask=False).terms == ()
