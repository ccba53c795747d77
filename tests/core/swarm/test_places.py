"""Places of fleets at a hive: when one is ready, when it was healthy, and that it is stopped once."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.domain.missions.mission import Cause, Definition, Mission, Status
from overmind_core.errors import OvermindError
from overmind_core.kernel.tasks import Tasks
from overmind_core.swarm.answers import Claimed
from overmind_core.swarm.places import HEALTHY_AFTER, READY_AFTER, Places
from overmind_core.swarm.store import HeldClaim
from tests.kit.clock import FakeClock

BOOT = "boot-1"
MISSION = Mission(
    "a1b2c3d4",
    Definition(name="review-1", command="review", argv=("review",), cwd="/"),
    0.0,
    Status.RUNNING,
    run=1,
    run_started_mono=1_000.0,
    boot=BOOT,
)


class Hive:
    """As much of a hive as places use: one mission, and a clock."""

    def __init__(self, **definition: Any) -> None:
        self.mission = MISSION
        self.clock = FakeClock(mono=1_000.0)
        self.ended: list[tuple[str, Cause]] = []
        self.changed = asyncio.Event()
        self.may_end = asyncio.Event()
        runs: Any = SimpleNamespace(
            report=lambda _: {"status": str(self.mission.status)},
            end_of=self.end_of,
            mission_of=lambda _: self.mission,
        )
        registry: Any = SimpleNamespace(boot=BOOT, live={MISSION.id: MISSION}, apply_if_legal=self.applied)
        missions: Any = SimpleNamespace(end=self.end)
        observer: Any = SimpleNamespace(mono=self.clock.mono, environment=_never)
        self.asked: list[Any] = []
        self.tasks = Tasks()
        self.places = Places(
            runs=runs,
            registry=registry,
            missions=missions,
            observer=observer,
            clock=self.clock,
            tasks=self.tasks,
            changed=lambda _: self.changed.set(),
        )
        text = json.dumps({"run": {}, **definition})
        self.held = HeldClaim(Claimed("0a0a0a0a", "place", "review-1", 7, text, "", "wait", 600.0), mission=MISSION.id)

    def applied(self, mission: Mission, fact: Any, *, urgent: bool) -> None:
        assert urgent
        assert mission.id == MISSION.id
        self.asked.append(fact)
        self.changed.set()

    def end_of(self, held: HeldClaim, *, cancelling: bool) -> dict[str, Any] | None:
        assert (held, cancelling) == (self.held, False)
        return None if self.mission.is_live else {"state": "done"}

    async def end(self, mission: Mission, cause: Cause, *, cascade: bool, grace: float | None) -> None:
        assert (cascade, grace) == (True, None)
        self.ended.append((mission.id, cause))
        await self.may_end.wait()

    def is_ready(self) -> bool:
        told = self.places.report(self.held)
        assert told is not None
        return bool(told["ready"])


def test_without_a_probe_a_place_is_ready_once_its_run_has_lasted_for_10_s():
    async def go() -> None:
        hive = Hive()
        hive.clock.advance(READY_AFTER)
        assert not hive.is_ready(), "nobody has looked yet"
        await asyncio.wait_for(hive.changed.wait(), 5)
        assert hive.is_ready()
        hive.mission = replace(MISSION, run=2, run_started_mono=hive.clock.mono())
        assert not hive.is_ready(), "its hive has started it again"
        hive.mission = replace(hive.mission, status=Status.RESTARTING)
        assert not hive.is_ready()
        hive.tasks.close()

    asyncio.run(go())


def test_a_place_that_is_not_ready_in_time_ends():
    async def go() -> None:
        hive = Hive(ready={"kind": "exec", "target": "true", "timeout": 0.001})
        assert not hive.is_ready()
        hive.clock.advance(100)
        await asyncio.wait_for(hive.changed.wait(), 10)
        (asked,) = hive.asked
        assert (asked.cause, asked.reason) == (Cause.LIMIT, "not_ready")
        assert not hive.is_ready()

    asyncio.run(go())


async def _never(_mission: Mission) -> Any:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("lasted", "changes", "healthy"),
    [
        (HEALTHY_AFTER, {}, True),
        (HEALTHY_AFTER - 0.1, {}, False),
        (HEALTHY_AFTER, {"boot": "boot-0"}, False),
        (HEALTHY_AFTER, {"run_started_mono": 0.0}, False),
    ],
)
def test_a_run_was_healthy_when_it_has_lasted_a_minute_whatever_the_clock_on_the_wall_says(lasted, changes, healthy):
    hive = Hive()
    hive.mission = replace(MISSION, status=Status.STOPPED, **changes)
    hive.clock.advance(lasted)
    hive.clock.step(-86_400)
    assert hive.places.end_of(hive.held, cancelling=False) == {"state": "done", "healthy": healthy}


def test_a_place_that_nobody_wants_is_stopped_once_and_the_hive_goes_on_meanwhile():
    async def go() -> None:
        hive = Hive()
        for _ in range(3):
            await hive.places.cancel(hive.held)
            await asyncio.sleep(0)
        assert hive.ended == [(MISSION.id, Cause.STOP)]
        hive.may_end.set()

    asyncio.run(go())


def test_a_definition_that_nobody_understands_is_given_back():
    hive = Hive(ready={"kind": "prayer", "target": "x"})
    with pytest.raises(OvermindError) as refused:
        asyncio.run(hive.places.start(hive.held, lambda: 0.0))
    assert refused.value.code == "invalid"
