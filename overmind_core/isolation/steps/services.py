"""The steps that run a project's own processes: its services as child missions in the worktree, its set-up commands.

The set-up is a run of the mission itself, so that its log has what they write.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import msgspec

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.isolation.isolation import HOST, isolation_variables
from overmind_core.domain.missions.facts import EndAsked, SetUpAsked, StartAsked
from overmind_core.domain.missions.mission import Cause, Kind, RestartPolicy, Status
from overmind_core.errors import OvermindError
from overmind_core.isolation.ports import is_free
from overmind_core.kernel.database import StoreError
from overmind_core.missions import validate
from overmind_core.missions.spec import Environment, MissionSpec
from overmind_core.missions.validate import shell_definition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from overmind_core.domain.isolation.isolation import Isolation
    from overmind_core.domain.isolation.project import Service
    from overmind_core.domain.missions.mission import Definition
    from overmind_core.isolation.workspace import Workspace
    from overmind_core.missions.store import MissionRow


LABEL = "overmind.service"
LONGEST_NAME = 120


async def end(workspace: Workspace, isolation: Isolation, cause: Cause) -> None:
    """End the mission's services and wait until nothing of them runs."""
    await asyncio.gather(*(end_one(workspace, one, cause) for one in isolation.services.values()))


async def end_one(workspace: Workspace, mission: str, cause: Cause) -> None:
    """End one service."""
    book = workspace.registry
    current = book.live.get(mission)
    if current is None:
        return
    grace = 0.0 if cause is Cause.KILL else current.definition.grace
    book.apply_if_legal(current, EndAsked(cause, grace), urgent=True)
    await book.ended(mission)


class Services:
    """The services of one mission."""

    def __init__(self, workspace: Workspace, mission: str) -> None:
        self._workspace = workspace
        self._mission = mission

    async def holds(self, service: str) -> bool:
        """Whether it lives."""
        child = self._record.services.get(service)
        return child is not None and child in self._workspace.registry.live

    async def take(self, service: str) -> None:
        """Start it: the one that ran before, unless its environment is another by now."""
        await self._check_port(service)
        if await self._started_again(service):
            return
        name, key = self._name(service), self._key(service)
        try:
            begun = await self._workspace.missions.start_child(self._spec(service, name, key), limited=False)
        except StoreError as error:
            raise OvermindError("disk_full", f"its record can't be saved: {error}.") from None
        services = {**self._record.services, service: begun.mission.id}
        self._workspace.put(replace(self._record, services=services))

    async def undo(self, service: str) -> None:
        """End it, however far its start came."""
        begun = {row.id for _, row in self._started(service)}
        for mission in begun | {self._record.services.get(service, "")}:
            await end_one(self._workspace, mission, Cause.KILL)

    def text(self, service: str) -> str:
        """For people."""
        return f"starting {service}: {self._service(service).command}"[:LONGEST_NAME]

    async def _check_port(self, service: str) -> None:
        """See that nobody has taken a port of the service since it was reserved.

        Raises:
            OvermindError: `not_ready`; another start gets another port.
        """
        for port in (self._record.ports.get(key) for key in self._service(service).ports):
            if port is None or await self._workspace.in_thread(is_free, port):
                continue
            who = await self._workspace.in_thread(_holder, port)
            raise OvermindError(
                "not_ready", f"its port {port} was taken by {who} before it started. Start it again to get another port"
            )

    async def _started_again(self, service: str) -> bool:
        book, child = self._workspace.registry, self._record.services.get(service)
        before = None if child is None else book.get(child)
        if before is None or before.is_live or book.index.holder(before.definition.name) is not None:
            return False
        chosen = self._workspace.environments.of(before.id).chosen
        if any(chosen.get(name) != value for name, value in self._chosen(service).items()):
            return False
        book.apply(before, StartAsked())
        await self._workspace.journal.saved()
        after = await book.until(before.id, lambda now: now.status is not Status.STARTING)
        if not after.is_live:
            raise OvermindError(after.reason or "spawn_failed", f"it could not be started: {after.reason}.")
        return True

    def _chosen(self, service: str) -> dict[str, str]:
        both = {**self._inherited.chosen, **isolation_variables(self._record, service)}
        return {**both, **self._service(service).env}

    def _spec(self, service: str, name: str, key: str) -> MissionSpec:
        wanted = self._service(service)
        definition = shell_definition(
            wanted.command or "",
            name=name,
            parent=self._mission,
            cwd=self._record.worktree or self._record.source,
            restart=RestartPolicy(validate.restart_policy(wanted.restart)),
            labels={LABEL: service},
        )
        environment = Environment(self._inherited.inherited, self._chosen(service))
        return MissionSpec(definition, environment, isolate=False, request=key)

    def _name(self, service: str) -> str:
        """Below the mission's; with its id when an older mission of that name still has such a service."""
        name = self._workspace.registry.live[self._mission].definition.name
        wanted = f"{name}/{service}"
        return wanted if self._workspace.registry.index.holder(wanted) is None else f"{name}/{service}-{self._mission}"

    def _key(self, service: str) -> str:
        """Of this start: the same after a crash as long as what was begun lives, another for another start."""
        begun = list(self._started(service))
        alive = next((number for number, row in begun if row.live), len(begun))
        return self._numbered(service, alive)

    def _started(self, service: str) -> Iterator[tuple[int, MissionRow]]:
        """What this preparation has begun as the service, also when nobody could write down any more which it is."""
        self._workspace.journal.flush()
        for number in count():
            row = self._workspace.mission_table.by_request(self._numbered(service, number))
            if row is None:
                return
            yield number, row

    def _numbered(self, service: str, number: int) -> str:
        return f"isolation:{self._mission}:{service}:{self._record.generation}:{number}"

    def _service(self, name: str) -> Service:
        return next(one for one in self._record.project.services if one.name == name)

    @property
    def _inherited(self) -> Environment:
        """The caller's environment, without what isolation adds to it for the mission itself."""
        saved = self._workspace.environment_table.get(self._mission)
        parts = msgspec.json.decode(saved) if saved else {}
        return Environment(parts.get("inherited", {}), parts.get("chosen", {}))

    @property
    def _record(self) -> Isolation:
        return self._workspace.records[self._mission]


def _holder(port: int) -> str:
    """Who listens at a port of this machine, for people."""
    from overmind_core.system.listeners import listeners  # noqa: PLC0415 - for a port that is not free

    found = next(iter(listeners(HOST, port) or ()), None)
    return "another program" if found is None else f"{found.name} (PID {found.pid})"


SCRIPT = 'for command; do printf "$ %s\\n" "$command"; /bin/sh -c "$command" || exit; done'


def set_up(definition: Definition, isolation: Isolation) -> Definition:
    """What runs instead of the work: each command after the other, at the top of the project, until one fails."""
    return replace(
        definition,
        argv=("/bin/sh", "-c", SCRIPT, "setup", *isolation.project.setup),
        cwd=isolation.worktree or isolation.source,
        kind=Kind.TASK,
        provider=RAW,
        interactive=False,
        tty=True,
    )


class SetUp:
    """The step of one mission. The keeper has the commands: they outlive the supervisor that began them."""

    def __init__(self, workspace: Workspace, mission: str) -> None:
        self._workspace = workspace
        self._registry = workspace.registry
        self._mission = mission

    async def holds(self, service: str) -> bool:
        """Whether they have succeeded in this worktree."""
        del service
        mission = self._registry.live.get(self._mission)
        return mission is not None and mission.set_up

    async def take(self, service: str) -> None:
        """Run them to their end."""
        del service
        mission = self._registry.live.get(self._mission)
        if mission is not None and mission.status is Status.PREPARING and not (mission.setup or mission.set_up):
            self._registry.apply(mission, SetUpAsked(), urgent=True)
        after = await self._registry.until(self._mission, lambda now: not now.setup)
        if not (after.is_live and after.set_up):
            name = after.definition.name
            message = f"the project's set-up failed. See its output with: overmind logs {name}"
            raise OvermindError("setup_failed", message)

    async def undo(self, service: str) -> None:
        """Wait until they have ended: what they made goes with the worktree."""
        del service
        if self._mission in self._registry.live:
            await self._registry.until(self._mission, lambda now: not now.setup)

    def text(self, service: str) -> str:
        """For people."""
        del service
        commands = self._workspace.records[self._mission].project.setup
        return f"setting up: {'; '.join(commands)}"[:120]
