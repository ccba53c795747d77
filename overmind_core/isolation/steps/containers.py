"""The steps that have a mission's containers run."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from overmind_core.domain.isolation.isolation import container_name, volume_name
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError
from overmind_core.isolation.stray_containers import account, here

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.containers.engine import ContainerSpec, Engine
    from overmind_core.domain.isolation.isolation import Isolation
    from overmind_core.domain.isolation.project import Service
    from overmind_core.isolation.workspace import Workspace

STOP_SECONDS = 5
T = TypeVar("T")


class Cancelled(Exception):
    """Nobody wants it any more."""


async def with_engine(workspace: Workspace, isolation: Isolation, work: Callable[[Engine], T]) -> T:
    """Have a thread work with the mission's engine.

    Raises:
        OvermindError: `docker_missing`, `container_failed`, `image_missing`.
    """

    def ask() -> T:
        from overmind_core.containers.model import (  # noqa: PLC0415 - for those who have containers
            ContainerFailed,
            EngineMissing,
            ImageMissing,
        )

        try:
            return work(workspace.engines.at(isolation.engine or ""))
        except EngineMissing as error:
            raise OvermindError("docker_missing", str(error)) from None
        except ImageMissing as error:
            raise OvermindError("image_missing", str(error)) from None
        except ContainerFailed as error:
            raise OvermindError("container_failed", str(error)) from None

    return await workspace.in_thread(ask)


async def stop(workspace: Workspace, isolation: Isolation) -> None:
    """Stop all containers of the mission, at once; what is in their volumes stays."""

    def work(engine: Engine, name: str) -> None:
        engine.stop(name, STOP_SECONDS)

    stops = [
        with_engine(workspace, isolation, lambda engine, name=name: work(engine, name))  # type: ignore[misc] # a lambda with a default
        for name in isolation.containers.values()
    ]
    await asyncio.gather(*stops)


async def remove(workspace: Workspace, isolation: Isolation) -> None:
    """Remove all containers of the mission, with their volumes."""
    if not isolation.containers and not isolation.volumes:
        return

    def work(engine: Engine) -> None:
        for name in isolation.containers.values():
            engine.remove(name)
        engine.remove_volumes(isolation.volumes)

    await with_engine(workspace, isolation, work)


class Images:
    """The image of each container."""

    def __init__(self, workspace: Workspace, mission: str, unwanted: asyncio.Event) -> None:
        self._workspace = workspace
        self._mission = mission
        self._unwanted = unwanted

    async def holds(self, service: str) -> bool:
        """Whether it is on the machine."""
        image = self._image(service)
        return await with_engine(self._workspace, self._record, lambda engine: engine.has_image(image))

    async def take(self, service: str) -> None:
        """Pull it."""
        image, loop = self._image(service), asyncio.get_running_loop()

        def progress(text: str) -> None:
            if self._unwanted.is_set():
                raise Cancelled
            loop.call_soon_threadsafe(self._workspace.step, self._mission, text)

        try:
            await with_engine(self._workspace, self._record, lambda engine: engine.pull(image, progress))
        except Cancelled:
            raise OvermindError("not_running", "it was stopped during preparation") from None

    async def undo(self, service: str) -> None:
        """Nothing: an image is the machine's."""

    def text(self, service: str) -> str:
        """For people."""
        return f"pulling {self._image(service)}"

    def _image(self, service: str) -> str:
        return _service(self._record, service).image or ""

    @property
    def _record(self) -> Isolation:
        return self._workspace.records[self._mission]


class Containers:
    """The containers themselves."""

    def __init__(self, workspace: Workspace, mission: str, unwanted: asyncio.Event) -> None:
        self._workspace = workspace
        self._mission = mission
        self._unwanted = unwanted

    async def holds(self, service: str) -> bool:
        """Whether it runs, as it was wanted before."""
        name = self._record.containers.get(service)
        if name is None:
            return False
        state = await with_engine(self._workspace, self._record, lambda engine: engine.state(name))
        return state.running

    async def take(self, service: str) -> None:
        """Have it run. Its names are written down before it is made, so that nothing of it can be forgotten."""
        spec, loop = self._spec(service), asyncio.get_running_loop()
        before = self._record
        volumes = tuple(dict.fromkeys((*before.volumes, *spec.volumes)))
        self._workspace.put(replace(before, containers={**before.containers, service: spec.name}, volumes=volumes))
        await self._workspace.saved()

        def progress(text: str) -> None:
            loop.call_soon_threadsafe(self._workspace.step, self._mission, text)

        await with_engine(self._workspace, self._record, lambda engine: engine.ensure(spec, progress))

    async def undo(self, service: str) -> None:
        """Remove it with its volumes; once the mission has run what is in those is kept."""
        one = self._record
        name = one.containers.get(service)
        if name is None:
            return
        if one.ready_once:
            await with_engine(self._workspace, one, lambda engine: engine.stop(name, STOP_SECONDS))
            return
        mine = set(self._spec(service).volumes)

        def work(engine: Engine) -> None:
            engine.remove(name)
            engine.remove_volumes(sorted(mine))

        await with_engine(self._workspace, one, work)
        rest = {other: held for other, held in self._record.containers.items() if other != service}
        kept = tuple(volume for volume in self._record.volumes if volume not in mine)
        self._workspace.put(replace(self._record, containers=rest, volumes=kept))

    def text(self, service: str) -> str:
        """For people."""
        return f"starting {service} ({_service(self._record, service).image})"

    def _spec(self, service: str) -> ContainerSpec:
        from overmind_core.containers import model as wanted  # noqa: PLC0415 - for those who have containers

        one, service_ = self._record, _service(self._record, service)
        return wanted.ContainerSpec(
            name=container_name(self._mission, service),
            image=service_.image or "",
            port=service_.port,
            host_port=one.ports.get(service),
            env=service_.env,
            volumes={volume_name(self._mission, service, name): path for name, path in service_.volumes.items()},
            more_ports={
                port: one.ports[key] for key, port in service_.ports.items() if key in one.ports.keys() - {service}
            },
            labels={
                wanted.MISSION: self._mission,
                wanted.HOME: to_wire(self._workspace.home),
                wanted.SERVICE: service,
                wanted.HOST: here(),
                wanted.USER: account(),
            },
        )

    @property
    def _record(self) -> Isolation:
        return self._workspace.records[self._mission]


def _service(isolation: Isolation, name: str) -> Service:
    return next(one for one in isolation.project.services if one.name == name)
