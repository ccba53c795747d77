"""Health: a table of beats with a clock of its own, and the laws behind it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.agents.agent import ActivityKind
from overmind_core.domain.missions.mission import Status
from overmind_core.domain.settings import HealthSettings
from overmind_core.domain.watching import health
from overmind_core.domain.watching.health import HealthLevel, HungAction, Liveness
from tests.kit.cases import tabled

SETTINGS = HealthSettings()
OK, QUIET, STALLED, HUNG = HealthLevel
SILENCE = None


def after(*beats, settings=SETTINGS, liveness=None):
    """The liveness after these beats: each what was used of the CPU since the one before, or "byte"."""
    liveness = liveness or health.begin(0.0)
    for one in beats:
        now = liveness.looked_at + settings.beat
        heard = now - 1.0 if one == "byte" else None
        liveness = health.beat(liveness, now, heard_at=heard, cpu_percent=None if one == "byte" else one)
    return liveness


def levels(beats, settings=SETTINGS, liveness=None):
    ends = range(1, len(beats) + 1)
    return [health.level(after(*beats[:end], settings=settings, liveness=liveness), settings) for end in ends]


def test_silence_without_cpu_is_quiet_stalled_and_hung_in_this_order_and_with_cpu_it_is_ok():
    """Acceptance 45."""
    assert levels([0.0] * 22) == [OK] * 2 + [QUIET] * 7 + [STALLED] * 10 + [HUNG] * 3
    assert levels([99.0] * 22) == [OK] * 22


WATCHED = [
    (Status.RUNNING, None, False, True),
    (Status.RUNNING, ActivityKind.WORKING, False, True),
    (Status.RUNNING, ActivityKind.UNKNOWN, False, True),
    (Status.RUNNING, ActivityKind.WAITING, False, False),
    (Status.RUNNING, ActivityKind.LIMITED, False, False),
    (Status.RUNNING, ActivityKind.IDLE, False, False),
    (Status.RUNNING, ActivityKind.WORKING, True, False),
    (Status.PAUSED, ActivityKind.WORKING, False, False),
    (Status.RESTARTING, None, False, False),
    (Status.STOPPED, None, False, False),
]


@tabled(("status", "activity", "held", "expected"), WATCHED)
def test_silence_of_one_that_asks_is_limited_idle_frozen_or_held_means_nothing(status, activity, held, expected):
    """Acceptance 45."""
    assert health.is_watched(status, activity, held=held) is expected


ONE_BEAT = [
    ("byte", 0),
    (1.0, 0),
    (100.0, 0),
    (0.99, 1),
    (0.0, 1),
    (None, 1),
]


@tabled(("sign", "missed"), ONE_BEAT)
def test_a_byte_or_one_percent_of_a_core_is_a_sign_of_life(sign, missed):
    assert after(sign).missed == missed


def test_the_cpu_of_one_that_is_not_silent_need_not_be_looked_at():
    liveness = after("byte")
    assert not health.is_silent(liveness, liveness.looked_at + 0.1)
    assert health.is_silent(liveness, liveness.looked_at)
    assert health.is_silent(liveness, None)


def test_a_machine_that_slept_has_missed_one_beat():
    liveness = health.beat(after(), 1e6, heard_at=None)
    assert (liveness.missed, health.level(liveness, SETTINGS)) == (1, OK)
    assert liveness.silent_seconds(1e6) == 1e6


def test_after_a_steer_fewer_beats_are_waited_for_and_a_sign_ends_that():
    stalled = health.steered(after(*[0.0] * 10))
    assert levels([0.0] * 3, liveness=stalled) == [STALLED, HUNG, HUNG]
    assert levels(["byte", *[0.0] * 11], liveness=stalled) == [OK] * 3 + [QUIET] * 7 + [STALLED] * 2
    early = health.steered(after(0.0))
    assert levels([0.0] * 12, liveness=early)[-4:] == [STALLED, STALLED, HUNG, HUNG]


def test_a_sign_is_as_old_as_it_is():
    liveness = health.beat(health.begin(0.0), 30.0, heard_at=12.0)
    assert liveness.silent_seconds(30.0) == 18.0
    assert health.beat(health.begin(0.0), 30.0, heard_at=45.0).alive_at == 30.0, "a clock of the future"
    assert health.begin(50.0).silent_seconds(40.0) == 0.0


def test_a_sign_since_the_newest_beat_counts_at_once():
    silent = after(0.0, 0.0, 0.0)
    heard = health.as_heard(silent, silent.looked_at + 7.0)
    assert (heard.silent_seconds(silent.looked_at + 9.0), health.level(heard, SETTINGS)) == (2.0, OK)
    assert health.as_heard(silent, silent.looked_at) == health.as_heard(silent, None) == silent


HUNG_ACTIONS = [
    ("auto", True, HungAction.END_ATTEMPT),
    ("auto", False, HungAction.FREEZE_AND_ASK),
    ("ask", True, HungAction.ASK),
    ("ask", False, HungAction.ASK),
    ("off", True, HungAction.NOTHING),
    ("off", False, HungAction.NOTHING),
]


@tabled(("steer", "is_queued", "action"), HUNG_ACTIONS)
def test_what_follows_when_it_is_hung(steer, is_queued, action):
    assert health.on_hung(steer, is_queued=is_queued) is action


signs = st.one_of(st.just("byte"), st.none(), st.floats(0, 400))
settings_of = st.builds(
    lambda quiet, more, hung: HealthSettings(quiet=quiet, stalled=quiet + more, hung=hung),
    st.integers(1, 5),
    st.integers(1, 8),
    st.integers(1, 9),
)


@given(st.lists(signs, max_size=60), settings_of, st.booleans())
def test_without_a_sign_the_level_never_gets_better_and_with_one_it_is_ok(beats, settings, steer):
    order = list(HealthLevel)
    liveness = health.begin(0.0)
    for one in beats:
        before = health.level(liveness, settings)
        liveness = after(one, settings=settings, liveness=liveness)
        now = health.level(liveness, settings)
        assert order.index(now) <= order.index(before) + 1
        if liveness.missed:
            assert order.index(now) >= order.index(before)
        else:
            assert now is OK
        if steer and now is STALLED and liveness.steered_at is None:
            liveness = health.steered(liveness)
            assert health.level(liveness, settings) is STALLED


def test_values_have_defaults_so_that_old_rows_read_as_they_are():
    assert Liveness(1.0, 1.0) == health.begin(1.0)
