"""Watching the containers of running missions: one that ends is told, and started again where the project says so.

The engine is asked for all of them at once, as long as there are any: it restarts nothing by itself, for a mission may
be over by then.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from overmind_core.domain.agents.events import NotificationDue
from overmind_core.domain.missions.mission import Cause, RestartPolicy, Status
from overmind_core.domain.missions.restart_policy import GiveUp, applies, decide
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError
from overmind_core.isolation.events import ServiceEnded, ServiceWrote
from overmind_core.isolation.steps.containers import Containers, with_engine
from overmind_core.missions.validate import restart_policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.containers.engine import Engine
    from overmind_core.containers.model import ContainerState
    from overmind_core.domain.events import MissionEvent
    from overmind_core.domain.isolation.isolation import Isolation
    from overmind_core.isolation.workspace import Workspace

WATCH_SECONDS = 2.0
"""Between two looks at an engine."""
_RUNNING = frozenset({Status.RUNNING, Status.PAUSED})
_log = logging.getLogger(__name__)

_Key = tuple[str, str]
"""A mission and a service."""


@dataclass(slots=True)
class _Container:
    """The state of one watched container. Times are of the loop's clock."""

    since: float
    """Since when it has run."""
    down: Status | None = None
    """How it has ended, which was told; None: it runs."""
    due: float | None = None
    """When it is to be started again."""
    restarts: list[float] = field(default_factory=list)
    streak: int = 0


class ContainerWatch:
    """Used from the loop's thread."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._watched: dict[_Key, _Container] = {}
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """A mission with containers runs: watch those that there are, until there are none."""
        if self._task is None or self._task.done():
            self._task = self._workspace.tasks.start(self._watch())

    async def _watch(self) -> None:
        phase = self._workspace.phase
        while (engines := self._engines()) and not (phase.handing_over or phase.leaving.is_set()):
            for isolations in engines.values():
                await self._look(isolations)
            await asyncio.sleep(WATCH_SECONDS)

    def _engines(self) -> Mapping[str, list[Isolation]]:
        """Engine → the isolations whose containers have to run in it now; others are forgotten."""
        found: dict[str, list[Isolation]] = defaultdict(list)
        for one in self._workspace.records.values():
            if one.containers and self._is_watched(one.mission):
                found[one.engine or ""].append(one)
        keys = {(one.mission, service) for group in found.values() for one in group for service in one.containers}
        self._watched = {key: known for key, known in self._watched.items() if key in keys}
        self._show()
        return found

    def _is_watched(self, mission: str) -> bool:
        live, isolation = self._workspace.registry.live.get(mission), self._workspace.records.get(mission)
        if isolation is None or not isolation.ready_once:
            return False
        if live is not None:
            return live.status in _RUNNING
        return not isolation.ended and self._workspace.is_served(mission)

    async def _look(self, isolations: list[Isolation]) -> None:
        home = to_wire(self._workspace.home)

        def running(engine: Engine) -> dict[str, bool]:
            return {one.name: one.running for one in engine.own_containers(home)}

        try:
            names = await with_engine(self._workspace, isolations[0], running)
        except OvermindError as error:  # it is away: nobody can tell
            _log.info("can't watch containers: %s", error.message)
            return
        now = asyncio.get_running_loop().time()
        for isolation in isolations:
            for service, name in isolation.containers.items():
                known = self._watched.setdefault((isolation.mission, service), _Container(now))
                if names.get(name):
                    if known.down is not None:
                        known.down, known.due, known.since = None, None, now
                elif known.down is None:
                    await self._ended(isolation, service, known)
                elif known.due is not None and known.due <= now:
                    await self._start(isolation, service, known)
        self._show()

    def _show(self) -> None:
        """Have others know how they are."""
        self._workspace.containers_seen = {key: known.down or Status.RUNNING for key, known in self._watched.items()}

    async def _ended(self, isolation: Isolation, service: str, known: _Container) -> None:
        """Tell it, with its last lines, and what is done about it."""
        name = isolation.containers[service]

        def ask(engine: Engine) -> tuple[ContainerState, str]:
            return engine.state(name), engine.log_tail(name)

        try:
            state, tail = await with_engine(self._workspace, isolation, ask)
        except OvermindError:
            return  # at the next look
        if state.running or not self._is_watched(isolation.mission):
            return
        known.down = Status.CRASHED if state.exit_code else Status.STOPPED
        known.due = self._restart_at(isolation, service, known, failed=state.exit_code != 0)
        for line in tail.splitlines():
            self._record(isolation, ServiceWrote(text=f"{service} | {line}"))
        how = f"has ended with exit code {state.exit_code}" if state.exists else "was removed by someone else"
        because = f" ({state.error})" if state.error else ""
        then = "" if known.due is None else "; restarting it"
        text = f"--- {service} {how}{because}{then} ---"
        self._record(isolation, ServiceEnded(text=text, service=service, exit_code=state.exit_code))
        if known.due is None:
            self._record(isolation, NotificationDue(why="blocked", now=f"{service} {how}"))

    def _restart_at(self, isolation: Isolation, service: str, known: _Container, *, failed: bool) -> float | None:
        """When it is to be started again; None: not at all."""
        wanted = next(one for one in isolation.project.services if one.name == service)
        policy, now = RestartPolicy(restart_policy(wanted.restart)), asyncio.get_running_loop().time()
        if not applies(policy, Cause.EXITED, failed=failed):
            return None
        verdict = decide(policy, known.restarts, known.streak, now - known.since, now)
        if isinstance(verdict, GiveUp):
            return None
        known.streak = verdict.streak
        return now + verdict.delay

    async def _start(self, isolation: Isolation, service: str, known: _Container) -> None:
        """Start it again, unless nobody uses it any more."""
        mission = isolation.mission
        async with self._workspace.turn(mission):
            if not self._is_watched(mission):
                return
            known.due = None
            known.restarts.append(asyncio.get_running_loop().time())
            try:
                await Containers(self._workspace, mission, asyncio.Event()).take(service)
            except OvermindError as error:
                text = f"--- {service} could not be restarted: {error.message.rstrip('.')} ---"
                self._record(isolation, ServiceEnded(text=text, service=service))
                self._record(isolation, NotificationDue(why="blocked", now=f"{service} could not be restarted"))
            else:
                known.down, known.since = None, asyncio.get_running_loop().time()

    def _record(self, isolation: Isolation, event: MissionEvent) -> None:
        mission = self._workspace.registry.get(isolation.mission)
        if mission is not None:
            self._workspace.registry.record(mission, event)
