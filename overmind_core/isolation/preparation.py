"""Preparing one mission: the steps of its saga, one after the other, each recorded before it is taken."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from overmind_core.domain.isolation import saga as sagas
from overmind_core.domain.isolation.isolation import Removal
from overmind_core.domain.isolation.saga import CheckStep, SagaPhase, StepKind, TakeStep, UndoStep, next_action
from overmind_core.domain.missions.facts import Prepared, SpawnFailed
from overmind_core.domain.missions.mission import Cause, Status
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.git.ignored_files import moment
from overmind_core.git.run import MARK, GitFailed, GitMissing
from overmind_core.git.worktree_gaps import lost_hooks
from overmind_core.isolation import release
from overmind_core.isolation.events import FileLeftOut
from overmind_core.isolation.plan import renewed
from overmind_core.isolation.steps.registry import StepExecutors
from overmind_core.system.sweep import end_stragglers

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.domain.isolation.isolation import Isolation
    from overmind_core.domain.isolation.saga import Saga, SagaStep
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.isolation.workspace import Workspace

STOPPED = "stopped"
END_AGAIN = 1.0
"""Seconds until what was killed is looked for again: whoever cleans up after it may start more of it."""
_log = logging.getLogger(__name__)


class Preparation:
    """Takes a mission's steps until all hold, or none that it took is left."""

    def __init__(self, workspace: Workspace, mission: str, *, renew: bool, interrupted: bool) -> None:
        self.mission = mission
        self.done = asyncio.Event()
        self.cancel: Callable[[], object] = lambda: None
        """Leave it where it is."""
        self._workspace = workspace
        self._renew = renew
        self._interrupted = interrupted
        self._unwanted = asyncio.Event()
        self._executor = StepExecutors(workspace, mission, self._unwanted)
        current = self._current
        self.generation = 0 if current is None else current.restart_count

    def check_wanted(self) -> None:
        """The mission has changed: perhaps nobody wants it to be prepared any more."""
        if not self._is_wanted:
            self._unwanted.set()

    async def run(self) -> None:
        """Prepare the mission and have it started, or tell why that can't be."""
        async with self._workspace.turn(self.mission):
            if self.mission not in self._workspace.records:
                self._fail("not_isolated", "The record of its worktree and services was lost. Run it again.")
                return
            try:
                if self._interrupted:
                    await self._after_a_crash()
                if self._renew:
                    await self._restart()
                await self._go()
            except OvermindError as error:  # before the first step
                self._fail(error.code, error.message)
            except Exception as error:  # noqa: BLE001 - whatever it is, the mission must not be left in the middle
                _log.exception("preparing mission %s failed", self.mission)
                self._put(sagas.failed(self._saga, "internal", f"{type(error).__name__}: {error}"))
                await self._go()
            finally:
                self._workspace.step(self.mission, "")

    async def _after_a_crash(self) -> None:
        """Nothing of the earlier supervisor's may go on behind our back; the step that it was at is taken anew."""
        await asyncio.to_thread(end_stragglers, MARK, self.mission)
        self._put(sagas.interrupted(self._saga))

    async def _restart(self) -> None:
        """Another start of the mission: what holds is passed; what an unfinished one left goes first."""
        if self._isolation.removal is not Removal.NONE:
            await self._finish_removal()
        if self._saga.phase in {SagaPhase.FORWARD, SagaPhase.BACKWARD}:
            self._put(sagas.failed(self._saga, STOPPED, "It is being prepared again."))
            while isinstance(step := next_action(self._saga), UndoStep):
                await self._undo(step)
        isolation = self._isolation
        ports = await self._workspace.ports.reserve_again(self.mission, isolation.project, isolation.ports)
        self._workspace.put(renewed(isolation, self.generation, ports))
        self._workspace.ports.save(self.mission)

    async def _finish_removal(self) -> None:
        try:
            await release.finish(self._workspace, self._isolation)
        except OvermindError as error:
            if self._isolation.removal is not Removal.NONE:
                raise
            _log.info("mission %s: %s", self.mission, error.message)

    async def _go(self) -> None:
        while True:
            if self._saga.phase in {SagaPhase.FORWARD, SagaPhase.DONE} and not self._is_wanted:
                self._put(sagas.failed(self._saga, STOPPED, "It was stopped during preparation."))
            elif self._saga.phase is SagaPhase.DONE and (dead := self._ended_service()):
                message = f"{dead} ended before the work could start. See: overmind logs {dead}"
                self._put(sagas.failed(self._saga, "not_ready", message))
            elif self._saga.phase is SagaPhase.DONE and self._isolation.ready_at is None:
                await self._note_moment()
                continue
            match next_action(self._saga):
                case CheckStep() as look:
                    await self._check_step(look)
                case TakeStep() as take:
                    await self._take(take)
                case UndoStep() as undo:
                    try:
                        await self._undo(undo)
                    except OvermindError:
                        break  # the next start tries again
                case None:
                    break
        self._finish()

    async def _note_moment(self) -> None:
        """From now on what is new in the worktree is the work's."""
        worktree = self._isolation.worktree
        try:
            now = 0 if worktree is None else await self._workspace.in_thread(moment, from_wire(worktree))
        except OSError:
            now = 0  # then all in it is
        if worktree is not None and (hooks := await self._lost_hooks(worktree)) is not None:
            text = f"--- no hook of git runs here: {to_wire(hooks)} is not in the worktree. Add it to `copy` ---"
            if (mission := self._current) is not None:
                self._workspace.registry.record(mission, FileLeftOut(text=text))
        self._workspace.put(replace(self._isolation, ready_at=now))

    async def _lost_hooks(self, worktree: str) -> str | None:
        """The folder of hooks that the worktree has not, though all is done that could have made it."""
        git, source = self._workspace.git(self._isolation), from_wire(self._isolation.source)
        try:
            return await self._workspace.in_thread(lost_hooks, git, source, from_wire(worktree))
        except (GitFailed, GitMissing):
            return None  # only a note would come of it

    async def _check_step(self, look: CheckStep) -> None:
        try:
            holds = await self._executor.holds(look.step)
            self._put(sagas.passed(self._saga) if holds else sagas.begun(self._saga))
            await self._workspace.saved()
        except OvermindError as error:
            self._put(sagas.failed(self._saga, error.code, _message_of(look.step, error)))

    async def _take(self, take: TakeStep) -> None:
        self._workspace.step(self.mission, self._executor.text(take.step), event=True)
        try:
            await self._taken(take.step)
        except OvermindError as error:
            self._put(sagas.failed(self._saga, error.code, _message_of(take.step, error)))
        else:
            self._put(sagas.taken(self._saga))

    async def _taken(self, step: SagaStep) -> None:
        """Whoever wants the mission to end does not wait for its git, nor for a hook of that which never ends."""
        taking = asyncio.ensure_future(self._executor.take(step))
        unwanted = asyncio.ensure_future(self._unwanted.wait())
        try:
            await asyncio.wait({taking, unwanted}, return_when=asyncio.FIRST_COMPLETED)
            if step.act is StepKind.IMAGE and not taking.done():  # the machine may go on with it
                raise OvermindError("not_running", "It was stopped during preparation.")
            while step.act is StepKind.WORKTREE and not taking.done():
                await asyncio.to_thread(end_stragglers, MARK, self.mission)
                await asyncio.wait({taking}, timeout=END_AGAIN)
            await taking
        finally:
            unwanted.cancel()
            taking.cancel()

    async def _undo(self, undo: UndoStep) -> None:
        """UndoStep a step.

        Raises:
            OvermindError: that can't be done now.
        """
        self._workspace.step(self.mission, f"undoing {undo.step}")
        try:
            await self._executor.undo(undo.step)
        except OvermindError as error:
            _log.warning("mission %s: can't undo %s: %s", self.mission, undo.step, error.message)
            raise
        self._put(sagas.undone(self._saga))

    def _ended_service(self) -> str | None:
        """Id of a service that was started and lives no more."""
        return next(
            (one for one in self._isolation.services.values() if one not in self._workspace.registry.live), None
        )

    def _finish(self) -> None:
        saga = self._saga
        if saga.phase is SagaPhase.DONE:
            mission = self._current
            assert mission is not None
            self._workspace.put(replace(self._isolation, ready_once=True))
            self._workspace.registry.apply_if_legal(mission, Prepared(), urgent=True)
        else:
            self._fail(saga.error or "internal", saga.message or "It failed.")

    def broke(self) -> None:
        """It did not come to its end: the next start of the supervisor goes on, and nobody waits until then."""
        self._fail("internal", "Preparation failed. See daemon.log. The next start of the daemon cleans up.")

    def _fail(self, code: str, message: str) -> None:
        """Unless the mission has ended by itself since, or is to be prepared anew."""
        mission = self._current
        if mission is None or mission.restart_count != self.generation or mission.setup or mission.pid is not None:
            return
        self._workspace.registry.apply_if_legal(mission, SpawnFailed(code, message), urgent=True)

    @property
    def _current(self) -> Mission | None:
        return self._workspace.registry.live.get(self.mission)

    @property
    def _is_wanted(self) -> bool:
        mission = self._current
        return (
            mission is not None
            and (mission.status is Status.PREPARING or _ends_its_setup(mission))
            and mission.restart_count == self.generation
            and not self._unwanted.is_set()
        )

    @property
    def _isolation(self) -> Isolation:
        return self._workspace.records[self.mission]

    @property
    def _saga(self) -> Saga:
        return self._isolation.saga

    def _put(self, saga: Saga) -> None:
        self._workspace.put(replace(self._isolation, saga=saga))


def _ends_its_setup(mission: Mission) -> bool:
    """Whether the set-up has exited, and only what it left behind is still being ended: it goes on after that."""
    return mission.setup and mission.ending is not None and mission.ending.cause is Cause.EXITED


def _message_of(step: SagaStep, error: OvermindError) -> str:
    return f"{step.service}: {error.message}" if step.service else error.message
