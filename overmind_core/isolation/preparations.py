"""The preparations under way: one for each mission, begun when it is asked for, and again after a crash.

While anything is under way the keeper knows, so that a daemon comes back and brings it to its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from overmind_core.domain.isolation.saga import SagaPhase
from overmind_core.domain.missions.mission import Status

if TYPE_CHECKING:
    from overmind_core.domain.isolation.isolation import Isolation
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.isolation.preparation import Preparation
    from overmind_core.isolation.workspace import Workspace

NEED = "isolation"
REST_SECONDS, LOOK_SECONDS = 5.0, 0.2
"""For what is in threads to end when another supervisor takes over, and between two looks at it."""
T = TypeVar("T")


class Preparations:
    """Used from the loop's thread."""

    def __init__(self, workspace: Workspace, over: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        """`over`: lets go of what an ended mission held."""
        self.suspended = False
        """Another supervisor takes over: nothing is begun any more."""
        self._workspace = workspace
        self._over = over
        self._all: dict[str, Preparation] = {}
        self._taken_up = False
        self._under_way = 0
        """How many things would be left in the middle if we died now."""

    def resume(self) -> None:
        """Go on with every preparation that an earlier supervisor left in the middle."""
        self._taken_up = True
        for isolation in list(self._workspace.records.values()):
            mission = self._workspace.registry.live.get(isolation.mission)
            if mission is None:
                if is_unfinished(isolation):
                    self.drive(isolation.mission, interrupted=True)
            elif mission.setup or is_next(isolation, mission):
                renew = mission.status is Status.PREPARING and _is_of_another_start(isolation, mission)
                self.drive(isolation.mission, interrupted=True, renew=renew)

    def prepare(self, mission: str) -> None:
        """The mission is to be started again, or its set-up is over; before `take_up` that sees to it."""
        if not self._taken_up or mission in self._all:
            return
        isolation, current = self._workspace.records.get(mission), self._workspace.registry.live.get(mission)
        renew = isolation is None or current is None or _is_of_another_start(isolation, current)
        self.drive(mission, renew=renew, interrupted=not renew)

    def drive(self, mission: str, *, renew: bool = False, interrupted: bool = False) -> None:
        """Take the mission's steps.

        Args:
            mission: Which.
            renew: They are another start's: begin anew.
            interrupted: Somebody else was at them.
        """
        from overmind_core.isolation.preparation import Preparation  # noqa: PLC0415 - for those who are isolated

        if self.suspended:
            return
        driver = self._all[mission] = Preparation(self._workspace, mission, renew=renew, interrupted=interrupted)
        task = self._workspace.tasks.start(self._run(driver))
        driver.cancel = task.cancel
        task.add_done_callback(
            lambda done: self._driven(driver, broken=not done.cancelled() and bool(done.exception()))
        )

    def on_mission_changed(self, mission: str) -> bool:
        """The mission has changed: tell its driver; False when it has none."""
        driver = self._all.get(mission)
        if driver is not None:
            driver.check_wanted()
        return driver is not None

    async def done(self, mission: str) -> None:
        """Wait until nobody prepares the mission."""
        if (driver := self._all.get(mission)) is not None:
            await driver.done.wait()

    @contextmanager
    def needed(self) -> Iterator[None]:
        """Should we die in the block, another supervisor is to bring it to its end, also when nothing runs."""
        self._under_way += 1
        self._workspace.line.hold(NEED, on=True)
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way and not self.suspended:
                self._workspace.line.hold(NEED, on=False)

    async def suspend(self) -> None:
        """Leave everything as it is, for the next supervisor to go on with, and do nothing behind its back."""
        self.suspended = True
        if not self._under_way:
            return
        from overmind_core.git.run import MARK  # noqa: PLC0415 - see above
        from overmind_core.system.sweep import end_stragglers  # noqa: PLC0415 - see above

        prepared = list(self._all)
        for driver in self._all.values():
            driver.cancel()
        until = asyncio.get_running_loop().time() + REST_SECONDS
        while self._workspace.in_threads and asyncio.get_running_loop().time() < until:
            for mission in prepared:  # what cleans up after a git that was killed is git, too
                await asyncio.to_thread(end_stragglers, MARK, mission)
            await asyncio.to_thread(wait, set(self._workspace.in_threads), LOOK_SECONDS)

    def close(self) -> None:
        """Wait for nobody: the next supervisor goes on."""
        self._workspace.threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, driver: Preparation) -> None:
        with self.needed():
            await driver.run()

    def _driven(self, driver: Preparation, *, broken: bool) -> None:
        if self._all.get(driver.mission) is driver:
            del self._all[driver.mission]
        driver.done.set()
        if broken:
            driver.broke()
        mission, isolation = self._workspace.registry.known(driver.mission), self._workspace.records.get(driver.mission)
        if isolation is None or self.suspended or self._workspace.phase.leaving.is_set():
            return
        if mission is None or not mission.is_live:
            if not isolation.ended:
                self._workspace.tasks.start(self._over(driver.mission))
        elif mission.status is Status.PREPARING and not mission.setup and mission.restart_count != driver.generation:
            self.drive(driver.mission, renew=True)  # it was asked for again meanwhile


def is_unfinished(isolation: Isolation) -> bool:
    """Whether its preparation is in the middle."""
    return isolation.saga.phase in {SagaPhase.FORWARD, SagaPhase.BACKWARD}


def is_next(isolation: Isolation, mission: Mission) -> bool:
    """Whether the next step of the mission is its preparation's: no process of it can be there."""
    if mission.setup or mission.pid is not None:
        return False
    return mission.status is Status.PREPARING or (mission.status is Status.STOPPING and is_unfinished(isolation))


def _is_of_another_start(isolation: Isolation, mission: Mission) -> bool:
    """Whether its steps are those of an earlier start of the mission: it is prepared anew."""
    return not is_unfinished(isolation) or isolation.generation != mission.restart_count
