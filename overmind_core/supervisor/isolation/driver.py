"""Preparing one mission: the steps of its saga, one after the other, each recorded before it is taken."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from overmind_core.domain.facts import Prepared, SpawnFailed
from overmind_core.domain.isolation import saga as sagas
from overmind_core.domain.isolation.saga import Look, Phase, Take, Undo, following
from overmind_core.domain.mission import Status
from overmind_core.errors import OvermindError
from overmind_core.git.run import MARK
from overmind_core.store.errors import StoreError
from overmind_core.supervisor.isolation.acts import Acts
from overmind_core.supervisor.isolation.creating import renewed
from overmind_core.system.stragglers import end_stragglers

if TYPE_CHECKING:
    from overmind_core.domain.isolation.record import Isolation
    from overmind_core.domain.isolation.saga import Saga
    from overmind_core.domain.mission import Mission
    from overmind_core.supervisor.isolation.isolations import Isolations

STOPPED = "stopped"
_log = logging.getLogger(__name__)


class Driver:
    """Takes a mission's steps until all hold, or none that it took is left."""

    def __init__(self, isolations: Isolations, mission: str, *, renew: bool, interrupted: bool) -> None:
        self.mission = mission
        self.done = asyncio.Event()
        self._isolations = isolations
        self._core = isolations.core
        self._renew = renew
        self._interrupted = interrupted
        self._unwanted = asyncio.Event()
        self._acts = Acts(isolations, mission, self._unwanted)

    def look(self) -> None:
        """The mission has changed: perhaps nobody wants it to be prepared any more."""
        if not self._is_wanted:
            self._unwanted.set()

    async def run(self) -> None:
        """Prepare the mission and have it started, or tell why that can't be."""
        async with self._isolations.turn(self.mission):
            try:
                if self._interrupted:
                    await self._after_a_crash()
                if self._renew:
                    await self._begin_again()
                await self._go()
            except OvermindError as error:  # before the first step
                self._tell_failed(error.code, error.message)
            except Exception as error:  # noqa: BLE001 - whatever it is, the mission must not be left in the middle
                _log.exception("preparing mission %s failed", self.mission)
                self._put(sagas.failed(self._saga, "internal", f"{type(error).__name__}: {error}"))
                await self._go()
            finally:
                self._isolations.step(self.mission, "")

    async def _after_a_crash(self) -> None:
        """Nothing of the earlier supervisor's may go on behind our back; the step that it was at is taken anew."""
        await self._isolations.in_thread(end_stragglers, MARK, self.mission)
        saga = self._saga
        if self._current is None and saga.phase is Phase.FORWARD:
            saga = sagas.failed(saga, STOPPED, "The mission has ended.")
        self._put(sagas.interrupted(saga))

    async def _begin_again(self) -> None:
        """Another start of the mission: what holds is passed; what an unfinished preparation left goes first."""
        if self._saga.phase in {Phase.FORWARD, Phase.BACKWARD}:
            self._put(sagas.failed(self._saga, STOPPED, "It is prepared anew."))
            while isinstance(step := following(self._saga), Undo):
                await self._undo(step)
        isolation = self._isolation
        ports = await self._isolations.ports.reserve_again(self.mission, isolation.project, isolation.ports)
        self._isolations.put(renewed(isolation, ports))
        self._isolations.ports.save(self.mission)

    async def _go(self) -> None:
        while (step := following(self._saga)) is not None:
            if self._saga.phase is Phase.FORWARD and not self._is_wanted:
                self._put(sagas.failed(self._saga, STOPPED, "It was stopped while it was prepared."))
                continue
            match step:
                case Look():
                    await self._look(step)
                case Take():
                    await self._take(step)
                case Undo():
                    if not await self._undo(step):
                        break
        self._finish()

    async def _look(self, look: Look) -> None:
        try:
            holds = await self._acts.holds(look.step)
        except OvermindError as error:
            self._put(sagas.failed(self._saga, error.code, error.message))
            return
        self._put(sagas.passed(self._saga) if holds else sagas.begun(self._saga))
        try:
            await self._core.ledger.saved()
        except StoreError as error:
            self._put(sagas.failed(self._saga, "disk_full", f"What is done can't be written down: {error}."))

    async def _take(self, take: Take) -> None:
        self._isolations.step(self.mission, self._acts.text(take.step), event=True)
        try:
            await self._acts.take(take.step)
        except OvermindError as error:
            self._put(sagas.failed(self._saga, error.code, f"{take.step}: {error.message}"))
        else:
            self._put(sagas.taken(self._saga))

    async def _undo(self, undo: Undo) -> bool:
        """Undo a step; False when that can't be done now."""
        self._isolations.step(self.mission, f"undoing {undo.step}")
        try:
            await self._acts.undo(undo.step)
        except OvermindError as error:
            _log.warning("mission %s: can't undo %s: %s", self.mission, undo.step, error.message)
            return False
        self._put(sagas.undone(self._saga))
        return True

    def _finish(self) -> None:
        saga = self._saga
        mission = self._current
        if saga.phase is Phase.DONE:
            if mission is not None and mission.status is Status.PREPARING:
                self._isolations.put(replace(self._isolation, ready_once=True))
                self._core.book.tell_if_legal(mission, Prepared(), urgent=True)
            return
        self._tell_failed(saga.error or "internal", saga.message or "It failed.")

    def _tell_failed(self, code: str, message: str) -> None:
        mission = self._current
        if mission is not None and not mission.setup and mission.pid is None:
            self._core.book.tell_if_legal(mission, SpawnFailed(code, message), urgent=True)

    @property
    def _current(self) -> Mission | None:
        return self._core.book.live.get(self.mission)

    @property
    def _is_wanted(self) -> bool:
        mission = self._current
        return mission is not None and mission.status is Status.PREPARING

    @property
    def _isolation(self) -> Isolation:
        return self._isolations.records[self.mission]

    @property
    def _saga(self) -> Saga:
        return self._isolation.saga

    def _put(self, saga: Saga) -> None:
        self._isolations.put(replace(self._isolation, saga=saga))
