"""The steps that wait for a service to be ready."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from overmind_core.domain.isolation.project import READY_SECONDS, ReadyCheck, ReadyKind
from overmind_core.domain.missions.mission import shell_code
from overmind_core.domain.missions.reasons import exits
from overmind_core.domain.plans.blueprint import Probe, ProbeKind
from overmind_core.errors import OvermindError
from overmind_core.isolation.events import ServiceWrote
from overmind_core.isolation.steps.containers import with_engine
from overmind_core.probes.probe import NotReady, until_ready

if TYPE_CHECKING:
    from overmind_core.containers.engine import Engine
    from overmind_core.domain.isolation.isolation import Isolation
    from overmind_core.domain.isolation.project import Service
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.isolation.workspace import Workspace

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.4
"""Seconds between two looks at a container."""


class Readiness:
    """Of one mission's services."""

    def __init__(self, workspace: Workspace, mission: str, unwanted: asyncio.Event) -> None:
        self._workspace = workspace
        self._mission = mission
        self._unwanted = unwanted

    async def holds(self, service: str) -> bool:
        """It is looked at each time."""
        del service
        return False

    async def take(self, service: str) -> None:
        """Wait until it is ready, or nobody wants it to be."""
        wanted = self._service(service)
        waiting = asyncio.ensure_future(self._container(wanted) if wanted.image is not None else self._process(wanted))
        stopped = asyncio.ensure_future(self._unwanted.wait())
        try:
            await asyncio.wait({waiting, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                raise OvermindError("not_running", "it was stopped during preparation")
            waiting.result()
        finally:
            stopped.cancel()
            if waiting.cancel():
                await asyncio.gather(waiting, return_exceptions=True)

    async def undo(self, service: str) -> None:
        """Nothing: it was only waited for."""

    def text(self, service: str) -> str:
        """For people."""
        return f"waiting for {service}"

    async def _container(self, service: Service) -> None:
        from overmind_core.containers import health  # noqa: PLC0415 - for those who have containers

        one = self._record
        name, port = one.containers[service.name], one.ports.get(service.name)

        def look(engine: Engine) -> str:
            return health.readiness_problem(engine, name, port, service.ready)

        limit, why = (
            READY_SECONDS if service.ready is None else service.ready.timeout,
            "the check could not run in time",
        )
        pause = FIRST_PAUSE
        try:
            async with asyncio.timeout(limit):
                while why := await with_engine(self._workspace, one, look):
                    self._workspace.step(self._mission, f"waiting for {service.name}: {why}")
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
        except TimeoutError:
            await self._keep_log(service.name, name)
            raise OvermindError("not_ready", f"it did not become ready within {limit:g} s: {why}.") from None
        except OvermindError:
            await self._keep_log(service.name, name)
            raise

    async def _keep_log(self, service: str, container: str) -> None:
        """What the container wrote last goes to the mission's log: its own is removed with it."""
        written = ""
        with suppress(OvermindError):  # the engine is gone: there is nothing to be had
            written = await with_engine(self._workspace, self._record, lambda engine: engine.log_tail(container))
        mission = self._workspace.registry.live.get(self._mission)
        if mission is not None:
            for line in written.splitlines():
                self._workspace.registry.record(mission, ServiceWrote(text=f"{service} | {line}"))

    async def _process(self, service: Service) -> None:
        if service.ready is None:
            return
        book, child = self._workspace.registry, self._record.services[service.name]
        mission = book.get(child)
        see = f"See: overmind logs {child if mission is None else mission.definition.name}"
        if mission is None or not mission.is_live:
            raise OvermindError("not_ready", f"{_ended(mission)}. {see}")
        probe = _probe(service.ready, self._record.ports.get(service.name))
        ready = asyncio.ensure_future(until_ready(self._workspace.observer, mission, probe))
        ended = asyncio.ensure_future(book.ended(child))
        try:
            await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                raise OvermindError("not_ready", f"{_ended(ended.result())}. {see}")
            ready.result()
        except NotReady as error:
            current = book.live.get(child)
            ends = [] if current is None else book.restarted_ends(current)
            why = exits([None if run.code is None else shell_code(run.code) for run in ends]) or error
            raise OvermindError("not_ready", f"it did not become ready: {why}. {see}") from None
        finally:
            ended.cancel()
            if ready.cancel():
                await asyncio.gather(ready, return_exceptions=True)

    def _service(self, name: str) -> Service:
        return next(one for one in self._record.project.services if one.name == name)

    @property
    def _record(self) -> Isolation:
        return self._workspace.records[self._mission]


def _ended(mission: Mission | None) -> str:
    code = None if mission is None else mission.exit_code
    how = "" if code is None else f" with exit code {code}"
    return f"it ended{how} before it was ready"


def _probe(ready: ReadyCheck, port: int | None) -> Probe:
    match ready.kind:
        case ReadyKind.TCP:
            return Probe(ProbeKind.TCP, str(port), ready.timeout)
        case ReadyKind.HTTP:
            return Probe(ProbeKind.HTTP, f"http://localhost:{port}{ready.target}", ready.timeout)
        case ReadyKind.EXEC:
            return Probe(ProbeKind.EXEC, ready.target, ready.timeout)
    return Probe(ProbeKind.LOG, ready.target, ready.timeout)
