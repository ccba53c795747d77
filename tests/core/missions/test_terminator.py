"""How soon an end is told, and what it takes: over a real registry, on a machine of which the test says who lives.

Time passes by itself here, so that a second is a second and no test waits for one.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.daemon.state import State
from overmind_core.domain.missions.facts import Exited
from overmind_core.domain.missions.mission import Cause, Definition, Ending, Mission, Run, Status
from overmind_core.kernel.bus import Bus
from overmind_core.kernel.event_log import EventLog
from overmind_core.kernel.journal import Journal
from overmind_core.kernel.keeper_client import KeeperGone, KeeperRefused
from overmind_core.missions.changes import EndHeldUp, MissionChanged
from overmind_core.missions.process_trees import ProcessTrees
from overmind_core.missions.registry import Registry
from overmind_core.missions.terminator import BLIND_LIMIT, LOOK_AGAIN, RESWEEP_SECONDS, Terminator
from overmind_core.system import process_table
from overmind_core.system.membership import RunTarget
from overmind_core.system.sweep import NamedProcess
from tests.kit import in_process
from tests.kit.in_process import LoopClock

DEADLINE = 10.0
"""Seconds."""
ONE, TWO = "aaaaaaa1", "aaaaaaa2"
PID = 4711


class Machine:
    """Stands where the terminator looks at processes, and for the keeper's side of it.

    Attributes:
        looks: The runs that each look was for.
        ended: The runs that were killed, call by call.
        alive: Who lives, by mission.
        signalled: The runs that were asked to end.
        handling: Those in which something handles the stop signal that their shell would die of.
        let_end: Those whose shell had waited for that.
        orphans: Whom the keeper knows of, by run: left or not, or what it answers instead.
        stubborn: Missions whose processes survive.
        blind: Why nothing can be looked at or ended; None: it can.
    """

    home = "/home"

    def __init__(self):
        self.looks = []
        self.ended = []
        self.alive = {}
        self.orphans = {}
        self.asked = []
        self.signalled = []
        self.handling = set()
        self.let_end = []
        self.stubborn = set()
        self.blind = None

    def target(self, mission):
        return RunTarget(mission.run_id, mission.id, self.home, PID, 1)

    def target_of_ended(self, target):
        return target

    def sweep(self, targets, seen):
        assert set(seen) == {target.run for target in targets}
        return Sweep(self, targets)

    async def in_thread(self, call):
        if self.blind is not None:
            raise self.blind
        return call()

    def request(self, op, *, run, spare):
        assert (op, spare) == ("orphans", [])
        self.asked.append(run)
        answer = asyncio.get_running_loop().create_future()
        left = self.orphans.get(run, False)
        if isinstance(left, Exception):
            answer.set_exception(left)
        else:
            answer.set_result({"left": left})
        return answer


class Sweep:
    spared: frozenset[int] = frozenset()
    foreign: frozenset[int] = frozenset()
    perhaps: dict[str, list[NamedProcess]] = {}  # noqa: RUF012 - of nobody
    killed: frozenset[str] = frozenset()

    def __init__(self, machine, targets):
        self._machine = machine
        self._targets = targets

    def alive(self):
        self._machine.looks.append([target.run for target in self._targets])
        return {target.run: set(self._machine.alive.get(target.mission, ())) for target in self._targets}

    def ask_to_end(self, signals, terminals):
        del signals
        self._machine.signalled += [target.run for target in self._targets]
        return {*terminals} & {*self._machine.handling}

    def let_shells_end(self, signals, *, all_):
        del signals
        found = [target.run for target in self._targets]
        if all_:
            self._machine.handling.clear()
        self._machine.let_end += [run for run in found if run not in self._machine.handling]
        return {*found} & {*self._machine.handling}

    def end(self, *, purge):
        del purge
        self._machine.ended.append([target.run for target in self._targets])
        stubborn = [target.run for target in self._targets if target.mission in self._machine.stubborn]
        return {run: [NamedProcess(PID, "server")] for run in stubborn}


def stopping(mission_id=ONE, *, exited=True):
    """A mission on its way out; `exited`: its first process has ended, and others may live."""
    definition = Definition(mission_id, "true", ("true",), "/")
    ending = Ending(Cause.STOP, DEADLINE, exited=exited)
    pid = None if exited else PID
    return Mission(mission_id, definition, 0.0, Status.STOPPING, run=1, pid=pid, ending=ending, exit_code=0)


class World:
    """A terminator at work.

    Attributes:
        told: When each mission's end was told, in seconds.
    """

    def __init__(self, bus, registry, machine, terminator):
        self.registry = registry
        self.machine = machine
        self.terminator = terminator
        self.told = {}
        self._marker = ""
        self._turn_over = asyncio.Event()
        bus.subscribe(MissionChanged, terminator.on_change)
        bus.subscribe(EndHeldUp, terminator.on_held_up)
        bus.subscribe(MissionChanged, self._on_change)

    def _on_change(self, change):
        if not change.saved.is_live:
            self.told.setdefault(change.saved.id, asyncio.get_running_loop().time())
            if change.saved.id == self._marker:
                self._turn_over.set()

    def terminate(self, *missions):
        for mission in missions:
            self.registry.add(mission, lambda: None, None)
            self.terminator.terminate(mission)

    async def turn(self):
        """Until the terminator has made a turn: one of which nothing lives has ended meanwhile."""
        self._marker = f"{len(self.told):08x}"
        self._turn_over.clear()
        self.terminate(stopping(self._marker))
        await self._turn_over.wait()


def played(tmp_path, story):
    """The world after `story(world)`."""

    async def play():
        async with working(tmp_path) as world:
            await story(world)
            return world

    return in_process.run(play())


@asynccontextmanager
async def working(tmp_path):
    loop = asyncio.get_running_loop()
    state = State.open(str(tmp_path / "state.db"))
    journal = Journal(state.database, loop)
    bus = Bus()
    clock = LoopClock()
    registry = Registry(
        bus=bus,
        journal=journal,
        clock=clock,
        boot="this boot",
        missions=state.missions,
        runs=state.runs,
        events=EventLog(bus, journal, clock, state.events),
    )
    machine: Any = Machine()
    terminator = Terminator(registry, machine)
    terminator.link = machine
    work = loop.create_task(terminator.run())
    try:
        yield World(bus, registry, machine, terminator)
    finally:
        work.cancel()
        journal.flush()
        journal.close()
        state.close()


def test_an_end_is_told_with_the_first_look_that_finds_nobody(tmp_path):
    async def story(world):
        world.terminate(stopping())
        await asyncio.sleep(2 * DEADLINE)

    world = played(tmp_path, story)
    assert world.told[ONE] < LOOK_AGAIN
    assert (world.machine.looks, world.machine.ended) == ([[f"{ONE}.1"]], [])


def test_missions_that_end_together_share_a_look(tmp_path):
    async def story(world):
        world.terminate(stopping(ONE), stopping(TWO))
        await asyncio.sleep(2 * DEADLINE)

    world = played(tmp_path, story)
    assert set(world.told) == {ONE, TWO}
    assert world.machine.looks == [[f"{ONE}.1", f"{TWO}.1"]]


def test_whose_others_live_is_looked_at_again_until_they_are_gone(tmp_path):
    gone_at = 1.0

    async def story(world):
        world.machine.alive = {ONE: {PID}}
        world.terminate(stopping(ONE), stopping(TWO))
        await asyncio.sleep(gone_at)
        assert set(world.told) == {TWO}, "who is gone does not wait for the other"
        world.machine.alive = {}
        await asyncio.sleep(2 * DEADLINE)

    world = played(tmp_path, story)
    assert gone_at <= world.told[ONE] <= gone_at + 2 * LOOK_AGAIN
    assert len(world.machine.looks) <= gone_at / LOOK_AGAIN + 3
    assert world.machine.ended == []
    assert world.machine.asked == [f"{TWO}.1", f"{ONE}.1"], "whom a look finds the keeper is not asked about"


def test_whose_own_process_lives_is_not_looked_at_before_its_deadline(tmp_path):
    async def story(world):
        world.terminate(stopping(exited=False))
        await asyncio.sleep(DEADLINE - 1)
        assert (world.told, world.machine.looks, world.machine.ended) == ({}, [], [])
        world.registry.apply(world.registry.live[ONE], Exited(0, 0.0, left=True))
        world.terminator.terminate(world.registry.live[ONE])
        await asyncio.sleep(0.5)

    world = played(tmp_path, story)
    assert world.told[ONE] < DEADLINE - 1 + LOOK_AGAIN
    assert (len(world.machine.looks), world.machine.ended) == (1, [])


@pytest.mark.parametrize("on_terminal", [True, False])
def test_a_shell_waits_for_what_it_runs_and_no_longer(tmp_path, on_terminal):
    async def story(world):
        world.machine.handling = {f"{ONE}.1"}
        one = stopping(ONE, exited=False)
        one = replace(one, definition=replace(one.definition, tty=on_terminal))
        world.registry.add(one, lambda: None, None)
        world.terminator.signal(one, (signal.SIGTERM, signal.SIGCONT))
        await asyncio.sleep(DEADLINE / 2)
        assert world.machine.let_end == []
        world.machine.handling = set()
        await asyncio.sleep(1.0)

    assert played(tmp_path, story).machine.let_end == ([f"{ONE}.1"] if on_terminal else [])


def test_who_leaves_holds_no_shell(tmp_path):
    async def story(world):
        world.machine.handling = {f"{ONE}.1"}
        one = stopping(ONE, exited=False)
        one = replace(one, definition=replace(one.definition, tty=True))
        world.registry.add(one, lambda: None, None)
        world.terminator.signal(one, (signal.SIGTERM, signal.SIGCONT))
        await asyncio.sleep(1.0)
        assert world.machine.let_end == []
        await world.terminator.leave()
        assert world.machine.let_end == [f"{ONE}.1"]

    played(tmp_path, story)


@pytest.mark.parametrize("answer", [True, KeeperGone(), KeeperRefused({"error": "unknown_run"})])
def test_nobody_is_gone_before_the_keeper_says_so_too(tmp_path, answer):
    """A process that lost its parent is for a moment in nobody's tree."""
    sure_at = 1.0

    async def story(world):
        world.machine.orphans = {f"{ONE}.1": answer}
        world.terminate(stopping())
        await asyncio.sleep(sure_at)
        assert world.told == {}
        world.machine.orphans = {}
        await asyncio.sleep(2 * DEADLINE)

    world = played(tmp_path, story)
    assert sure_at <= world.told[ONE] <= sure_at + 2 * LOOK_AGAIN
    assert world.machine.ended == []


def test_who_is_left_at_the_deadline_is_killed_once_and_named_when_it_survives(tmp_path):
    async def story(world):
        world.machine.alive = {ONE: {PID}, TWO: {PID}}
        world.machine.stubborn = {TWO}
        world.terminate(stopping(ONE), stopping(TWO))
        await asyncio.sleep(2 * DEADLINE)
        assert world.registry.get(ONE).survivors == ()
        assert world.registry.get(TWO).survivors == (f"{PID} server",)

    world = played(tmp_path, story)
    assert world.machine.ended == [[f"{ONE}.1", f"{TWO}.1"]]
    assert [world.told[one] for one in (ONE, TWO)] == pytest.approx([DEADLINE, DEADLINE], abs=LOOK_AGAIN)


def test_who_is_gone_though_its_exit_is_not_told_yet_is_looked_at_again_in_peace(tmp_path):
    """The keeper tells of an exit after the sweep has found nobody: a moment later, or once it can again."""
    told_at = 1.0

    async def story(world):
        world.terminate(stopping(exited=False))
        await asyncio.sleep(DEADLINE + told_at)
        assert world.registry.live[ONE].ending.gone
        world.registry.apply(world.registry.live[ONE], Exited(-9, 0.0, left=False))
        await asyncio.sleep(1)

    world = played(tmp_path, story)
    assert world.told[ONE] == pytest.approx(DEADLINE + told_at, abs=LOOK_AGAIN)
    assert 1 < len(world.machine.ended) <= told_at / LOOK_AGAIN + 2


@pytest.mark.parametrize("blind", [OSError(24, "Too many open files"), ValueError("a fault of ours")])
def test_an_end_that_keeps_failing_is_told_after_a_while_said_once_a_minute_and_tried_on(tmp_path, caplog, blind):
    async def story(world):
        world.machine.blind = blind
        world.machine.alive = {ONE: {PID}}
        world.terminate(stopping())
        await asyncio.sleep(DEADLINE + BLIND_LIMIT / 2)
        assert world.told == {}
        await asyncio.sleep(BLIND_LIMIT)
        assert world.registry.get(ONE).survivors == (f"can't list processes: {blind}",)
        lines = len(caplog.records)
        world.machine.blind = None
        await asyncio.sleep(2 * RESWEEP_SECONDS)
        assert lines == 1
        assert world.registry.get(ONE).survivors == (), "nothing of it lives any more"

    world = played(tmp_path, story)
    assert world.told[ONE] == pytest.approx(DEADLINE + BLIND_LIMIT, abs=1.0)
    assert world.machine.ended == [[f"{ONE}.1"]], "ended once it can be seen again"


@pytest.mark.parametrize(("boot", "tried"), [("this boot", 2), ("another boot", 1)])
def test_the_next_supervisor_goes_on_with_what_could_not_be_ended(tmp_path, boot, tried):
    """But nothing outlives a restart of the machine."""

    async def story(world):
        world.machine.alive, world.machine.stubborn = {ONE: {PID}}, {ONE}
        mission = stopping()
        world.registry.add(mission, lambda: None, None)
        world.registry.put_run(Run(ONE, 1, 0.0, pid=PID, ticks=1, boot=boot))
        world.terminator.terminate(mission)
        await asyncio.sleep(DEADLINE + 1)
        assert world.registry.get(ONE).survivors == (f"{PID} server",)
        world.machine.stubborn = set()
        follower = Terminator(world.registry, world.machine)
        follower.load()
        await follower.end_survivors([TWO])
        assert world.registry.get(ONE).survivors == ((f"{PID} server",) if tried > 1 else ())
        await follower.end_survivors([ONE])
        assert world.registry.get(ONE).survivors == ()

    assert played(tmp_path, story).machine.ended == [[f"{ONE}.1"]] * tried


@pytest.mark.parametrize(
    ("live", "keeper_began", "found"), [(False, 1, (ONE, 7)), (False, 3, (ONE, 0)), (True, 1, (f"{ONE}.1", 7))]
)
def test_what_is_left_of_an_ended_run_is_never_taken_for_another_run(monkeypatch, live, keeper_began, found):
    """Another run of the mission has the same environment, and one of the next keeper may have the same mark."""
    monkeypatch.setattr(process_table, "read", lambda _pid: SimpleNamespace(ticks=keeper_began))
    registry: Any = SimpleNamespace(keeper_pid=PID, live={ONE} if live else set())
    trees = ProcessTrees(registry, "/home", ())
    target = trees.target_of_ended(RunTarget(f"{ONE}.1", ONE, "/home", PID, 2, mark=7))
    trees.close()
    assert (target.mission, target.mark) == found


def test_who_could_not_be_asked_to_end_is_asked_as_soon_as_it_can_be_seen(tmp_path):
    async def story(world):
        world.machine.blind = OSError(24, "Too many open files")
        mission = stopping(exited=False)
        world.registry.add(mission, lambda: None, None)
        world.terminator.signal(mission, (15,))
        await asyncio.sleep(1)
        assert world.machine.signalled == []
        world.machine.blind = None
        await asyncio.sleep(1)

    world = played(tmp_path, story)
    assert (world.machine.signalled, world.machine.ended) == ([f"{ONE}.1"], [])


def test_an_end_that_fails_for_a_moment_is_an_end_like_any_other(tmp_path):
    async def story(world):
        world.machine.blind = OSError(24, "Too many open files")
        world.machine.alive = {ONE: {PID}}
        world.terminate(stopping())
        await asyncio.sleep(DEADLINE + BLIND_LIMIT / 2)
        world.machine.blind = None
        await asyncio.sleep(1)
        assert world.registry.get(ONE).survivors == ()

    assert played(tmp_path, story).machine.ended == [[f"{ONE}.1"]]


def test_who_waits_for_its_children_waits_also_when_it_had_just_been_restarted(tmp_path):
    """A parent is ended again before its next run has a process: what was known of the run before is not about it."""

    async def story(world):
        world.terminate(stopping(ONE))  # the run that the restart ends
        child = stopping(TWO, exited=False)
        world.registry.add(child, lambda: None, None)
        world.registry.put(replace(world.registry.live[ONE], run=2, ending=Ending(Cause.STOP, DEADLINE)))
        world.terminator.wait_for(ONE, frozenset({TWO}))
        await world.turn()
        parent = replace(world.registry.live[ONE], pid=PID)
        world.registry.put(parent)
        world.terminator.signal(parent, (15,))
        await world.turn()
        assert world.machine.signalled == []
        world.registry.apply(world.registry.live[TWO], Exited(0, 0.0, left=False))
        await world.turn()

    assert played(tmp_path, story).machine.signalled == [f"{ONE}.2"]


def test_what_ends_after_a_mission_whose_end_is_held_up_elsewhere_does_not_wait_for_it(tmp_path):
    async def story(world):
        held_up = stopping(TWO, exited=False)
        world.registry.add(held_up, lambda: None, None)
        parent = stopping(ONE, exited=False)
        world.terminator.wait_for(ONE, frozenset({TWO}))
        world.registry.add(parent, lambda: None, None)
        world.terminator.signal(parent, (15,))
        await world.turn()
        assert world.machine.signalled == []
        world.registry.hold_up(TWO, "Nobody answers.")
        await in_process.until(lambda: world.machine.signalled)

    assert played(tmp_path, story).machine.signalled == [f"{ONE}.1"]


class Signals:
    """A sweep of which the freeze of `ONE` takes until `go`."""

    def __init__(self, mission, go, done):
        self._mission, self._go, self._done = mission, go, done

    def freeze(self):
        assert self._mission != ONE or self._go.wait(10)
        self._done.append(("freeze", self._mission))

    def thaw(self):
        self._done.append(("thaw", self._mission))


def test_a_thaw_waits_for_the_freeze_before_it_and_for_no_other_missions(monkeypatch):
    """A supervisor freezes once more what it adopts: the thaw that comes meanwhile is the last word."""
    go = threading.Event()
    done: list[tuple[str, str]] = []
    monkeypatch.setattr(ProcessTrees, "target", lambda _, mission: mission.id)
    monkeypatch.setattr(ProcessTrees, "sweep", lambda _, targets: Signals(targets[0], go, done))
    registry: Any = None
    trees = ProcessTrees(registry, "", ())

    async def story():
        adopted = [asyncio.create_task(act(stopping(ONE))) for act in (trees.freeze, trees.thaw)]
        await asyncio.sleep(0)
        await trees.freeze(stopping(TWO))
        await trees.thaw(stopping(TWO))
        go.set()
        await asyncio.gather(*adopted)

    asyncio.run(story())
    trees.close()
    assert done == [("freeze", TWO), ("thaw", TWO), ("freeze", ONE), ("thaw", ONE)]
