"""The wall clock jumps, the machine sleeps: what is due keeps to the time that passed while it was awake.

But for a stated time, which comes though the machine sleeps.

The supervisor's own book, timers and database, on a clock that the test moves.
"""

from __future__ import annotations

import heapq
import itertools
from concurrent.futures import Future
from typing import Any, cast

import pytest

from overmind_core.daemon.state import State
from overmind_core.domain.agents.agent_events import Retry, RunVerdict
from overmind_core.domain.missions.facts import EndAsked, Exited, Frozen, Spawned, Thawed
from overmind_core.domain.missions.mission import Cause, Definition, Mission, Restart, RestartPolicy, Status
from overmind_core.kernel.bus import Bus
from overmind_core.kernel.event_log import EventLog
from overmind_core.kernel.journal import Journal
from overmind_core.missions import answers
from overmind_core.missions.changes import MissionChanged
from overmind_core.missions.deadlines import Deadlines
from overmind_core.missions.registry import Registry
from tests.kit.clock import FakeClock

DAY = 86_400.0
JUMPS = {
    "nothing": lambda clock: clock.step(0),
    "a day ahead": lambda clock: clock.step(DAY),
    "a day back": lambda clock: clock.step(-DAY),
    "to the beginning of time": lambda clock: clock.step(-clock.wall()),
    "eight hours of sleep": lambda clock: clock.sleep(8 * 3600),
}
jumping = pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS.keys())


class Handle:
    def __init__(self):
        self.cancelled = False

    def cancel(self):
        self.cancelled = True


class Loop:
    """As much of an event loop as timers need; time passes only in `advance`."""

    def __init__(self, clock):
        self._clock = clock
        self._due = []
        self._count = itertools.count()

    def time(self):
        return self._clock.mono()

    def call_soon(self, action, *arguments):
        return self.call_later(0, action, *arguments)

    def call_later(self, delay, action, *arguments):
        handle = Handle()
        heapq.heappush(self._due, (self.time() + delay, next(self._count), handle, action, arguments))
        return handle

    def run_in_executor(self, _pool, work):
        """At once: no thread is as exact as these clocks."""
        done: Future[object] = Future()
        done.set_result(work())
        return done

    def advance(self, seconds):
        """Let time pass and do all that becomes due on the way, in its order."""
        end = self.time() + seconds
        while self._due and self._due[0][0] <= end:
            at, _, handle, action, arguments = heapq.heappop(self._due)
            self._clock.advance(max(0.0, at - self.time()))
            if not handle.cancelled:
                action(*arguments)
        self._clock.advance(max(0.0, end - self.time()))


def registry(bus, state, loop, clock, boot):
    journal = Journal(state.database, loop)
    parts = {
        "missions": state.missions,
        "runs": state.runs,
        "events": EventLog(bus, journal, clock, state.events),
    }
    return Registry(bus=bus, journal=journal, clock=clock, boot=boot, **parts)


class World:
    """One mission in a book, and what became due for it."""

    def __init__(self, clock, state, **definition):
        self.clock = clock
        self.state = state
        self.loop = cast("Any", Loop(clock))
        bus = Bus()
        self.book = registry(bus, state, self.loop, clock, "this boot")
        self.last_output = 0.0
        self.timers = Deadlines(
            self.loop,
            self.book,
            lambda _: self.last_output,
            lambda mission: self.timers.silent(mission, self.last_output),
        )
        bus.subscribe(MissionChanged, self.timers.on_change)
        given = Definition("m", "true", ("true",), "/", **definition)
        self.book.add(Mission("a1b2c3d4", given, clock.wall(), Status.STARTING, run=1), lambda: None, None)
        self.starts()

    @property
    def mission(self):
        found = self.book.get("a1b2c3d4")
        assert found is not None
        return found

    def tell(self, fact):
        self.book.apply(self.mission, fact)
        self.loop.advance(0)

    def starts(self):
        self.tell(Spawned(7, self.clock.wall(), self.clock.mono()))

    def dies(self, verdict=None):
        self.tell(Exited(1, self.clock.wall(), left=False, verdict=verdict))


@pytest.fixture
def world(clock, tmp_path):
    states = []

    def make(**definition):
        states.append(State.open(str(tmp_path / "state.db")))
        return World(clock, states[-1], **definition)

    yield make
    for state in states:
        state.close()


@jumping
def test_silence_is_counted_in_time_awake(world, clock, jump):
    one = world(activity_timeout=5.0)
    one.loop.advance(3)
    jump(clock)
    one.loop.advance(1.9)
    assert one.mission.status is Status.RUNNING
    one.loop.advance(0.2)
    assert (one.mission.status, one.mission.ending.cause) == (Status.STOPPING, Cause.STALLED)


@jumping
def test_a_freeze_over_a_jump_costs_no_patience(world, clock, jump):
    one = world(activity_timeout=5.0)
    one.loop.advance(3)
    one.tell(Frozen())
    jump(clock)
    one.loop.advance(100)
    one.tell(Thawed(one.last_output))
    one.loop.advance(1.9)
    assert one.mission.status is Status.RUNNING
    one.loop.advance(0.2)
    assert one.mission.ending.cause is Cause.STALLED


@jumping
def test_a_limit_of_one_run_is_counted_in_time_awake(world, clock, jump):
    one = world(timeout=10.0)
    one.loop.advance(4)
    jump(clock)
    one.loop.advance(5.9)
    assert one.mission.status is Status.RUNNING
    one.loop.advance(0.2)
    assert (one.mission.status, one.mission.ending.cause) == (Status.STOPPING, Cause.TIMEOUT)


@jumping
def test_a_restart_comes_when_its_delay_is_over(world, clock, jump):
    one = world(restart=RestartPolicy(Restart.ALWAYS, backoff=4.0))
    one.dies()
    assert one.mission.status is Status.RESTARTING
    one.loop.advance(1)
    jump(clock)
    one.loop.advance(2.9)
    assert one.mission.status is Status.RESTARTING
    one.loop.advance(0.2)
    assert (one.mission.status, one.mission.run) == (Status.STARTING, 2)


PAUSE = 7200.0
"""Seconds."""
STATED = {"a day ahead": 60.0, "eight hours of sleep": 60.0}
"""Jump → seconds awake until a restart that was to come after `PAUSE`; with the others it is that."""


@pytest.mark.parametrize("jump", JUMPS)
def test_a_restart_at_a_stated_time_comes_by_either_clock_and_none_holds_it_up(world, clock, jump):
    one = world(restart=RestartPolicy(Restart.ON_FAILURE, backoff=4.0))
    one.dies(RunVerdict(failed=True, reason="limit", retry=Retry.WAIT, resume_at=clock.wall() + PAUSE))
    JUMPS[jump](clock)
    one.loop.advance(STATED.get(jump, PAUSE) - 1)
    assert one.mission.status is Status.RESTARTING
    one.loop.advance(2)
    assert (one.mission.status, one.mission.run) == (Status.STARTING, 2)


@jumping
def test_the_budget_is_neither_spent_nor_refilled(world, clock, jump):
    one = world(restart=RestartPolicy(Restart.ALWAYS, max_restarts=2, window=60.0, backoff=1.0))
    for _ in range(2):
        one.dies()
        one.loop.advance(10)
        one.starts()
    jump(clock)
    one.dies()
    assert (one.mission.status, one.mission.reason) == (Status.CRASHED, "restart_budget_spent")


@jumping
def test_a_grace_is_over_when_it_is_over(world, clock, jump):
    one = world(grace=10.0)
    one.tell(EndAsked(Cause.STOP, 10.0))
    deadline = one.mission.ending.deadline_mono
    jump(clock)
    one.loop.advance(1)
    assert one.mission.ending.deadline_mono == deadline == clock.mono() + 9
    one.dies()
    assert one.mission.status is Status.STOPPED


@jumping
def test_what_is_shown_stays_possible(world, clock, jump):
    """No uptime is negative and every time is one, also when a run ended before it began."""
    one = world()
    one.loop.advance(5)
    jump(clock)
    assert answers.row(one.mission, [], clock.wall())["uptime_seconds"] >= 0
    one.dies()
    row = answers.row(one.mission, [], clock.wall())
    assert row["uptime_seconds"] >= 0
    assert (row["ended_at"] or "").endswith("Z")


@jumping
def test_another_boot_goes_on_with_the_delay_that_was_left(world, clock, jump):
    """Its monotonic clock begins anew, so only the wall clock can tell; whatever that did, a minute is the most.

    Longer is only what was stated, as tests/core/domain/missions/test_time_limits.py has it.
    """
    one = world(restart=RestartPolicy(Restart.ALWAYS, backoff=20.0))
    one.dies()
    one.loop.advance(5)
    after = FakeClock(wall=clock.wall() + 40, mono=3.0)
    jump(after)
    loop = cast("Any", Loop(after))
    book = registry(Bus(), one.state, loop, after, "the next boot")
    book.load()
    mission = book.live["a1b2c3d4"]
    assert mission.status is Status.RESTARTING
    assert mission.next_restart_mono is not None
    assert 0 <= mission.next_restart_mono - after.mono() <= 60
    assert mission.restarts_mono == ()
