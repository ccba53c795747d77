"""`attach` and `detach`: who may join a mission's terminal. The bytes flow between keeper and client directly.

A stream lasts as long as somebody is attached. It carries a ticket for each run, so that a client stays through
restarts; one that lost its supervisor asks the next one again, with `rejoin`, while its bytes go on.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from overmind_core.agents import handover
from overmind_core.domain.missions.mission import Mission, Status
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError
from overmind_core.kernel.keeper_client import KeeperGone, KeeperRefused
from overmind_core.kernel.request import handles
from overmind_core.missions import answers
from overmind_core.missions.api_lifecycle import HAS_PROCESS
from overmind_core.missions.lookup import find, not_running
from overmind_core.missions.requests import Attach, One
from overmind_core.system.paths import read_socket_address
from overmind_core.terminals.events import TerminalAttached, TerminalDetached

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from overmind_core.agents.answer_types import TurnFinishing
    from overmind_core.agents.service import Agents
    from overmind_core.domain.events import MissionEvent
    from overmind_core.kernel.keeper_client import CurrentKeeper
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.request import Caller, Stream
    from overmind_core.missions.attachments import Attachment, Attachments
    from overmind_core.missions.output_progress import OutputProgress
    from overmind_core.missions.registry import Registry
    from overmind_core.system.paths import Home
    from overmind_core.terminals.answer_types import Attached, AttachItem, DetachedMission, TerminalEnd, Ticket

TICKET_BYTES = 16
TICKET_SECONDS = 10.0
RETRY_SECONDS = 0.1
"""Between two tries to get a ticket of a keeper that was lost just now."""
ENDED, BETWEEN_RUNS, ON_PIPES = "ended", "between runs", "on pipes"


def need_terminal(mission: Mission) -> None:
    """Make sure that the mission has a terminal to attach to.

    Raises:
        OvermindError: `invalid`, it has none.
    """
    if not mission.definition.tty:
        name = mission.definition.name
        raise OvermindError(
            "invalid", f"Mission {mission.id} ({name}) has no terminal. Follow its output with: overmind logs -f {name}"
        )


def _phase(mission: Mission | None) -> str:
    """The id of a run on a terminal, or why there is none."""
    if mission is None or not mission.is_live:
        return ENDED
    if not mission.definition.tty:
        return ON_PIPES
    return mission.run_id if mission.status in HAS_PROCESS and mission.pid is not None else BETWEEN_RUNS


def _may_write(mission: Mission, request: Attach) -> bool:
    return mission.definition.has_terminal_input and request.types


def _over(mission: Mission) -> OvermindError:
    ended, name = not_running(mission), mission.definition.name
    see = (
        f"See its last screen with: overmind screen {name}" if mission.definition.tty else f"See: overmind logs {name}"
    )
    return OvermindError(ended.code, f"{ended.message} {see}")


def _end(mission: Mission | None) -> TerminalEnd:
    if mission is None:
        return {"type": "ended", "status": Status.KILLED, "exit_code": None, "reason": None, "why": None}
    return {
        "type": "ended",
        "status": mission.status,
        "exit_code": answers.exit_code(mission),
        "reason": mission.reason,
        "why": answers.why_ended(mission) or None,
    }


class TerminalsApi:
    """The requests of those who attach."""

    def __init__(
        self,
        *,
        registry: Registry,
        attachments: Attachments,
        agents: Agents,
        line: CurrentKeeper,
        home: Home,
        progress: OutputProgress,
        phase: Phase,
    ) -> None:
        self._registry = registry
        self._attachments = attachments
        self._agents = agents
        self._line = line
        self._home = home
        self._progress = progress
        self._phase = phase

    @handles(Attach)
    async def attach(self, request: Attach, caller: Caller) -> Stream[Attached, AttachItem]:
        """Tickets for the mission's terminal, run by run, until it ends or somebody says `detach`."""
        del caller
        mission = find(self._registry, request.id, live_first=True)
        if not mission.is_live and not request.rejoin:
            raise _over(mission)
        changes = handover.can_change(self._agents.of(mission.id)) and request.types
        if changes:
            handover.check_copied(self._agents.of(mission.id))
        else:
            need_terminal(mission)
        try:
            with self._attachments.seat(mission.id, types=request.types, counts=not request.looks) as seat:
                async for item in self._items(mission, request, seat, changes=changes):
                    yield item
        finally:
            if changes:
                self._agents.handover.take_back(self._agents.of(mission.id))

    async def _items(
        self, mission: Mission, request: Attach, seat: Attachment, *, changes: bool
    ) -> Stream[Attached, AttachItem]:
        """The items for who is attached; `changes`: the mission needs a terminal first."""
        self._record(mission.id, TerminalAttached(read_only=request.read_only), unless=request.rejoin or request.looks)
        try:
            write = changes or _may_write(mission, request)
            yield {**answers.brief(mission), "status": mission.status, "write": write}
            if changes:
                async for finishing in self._given(mission.id, request, seat):
                    yield finishing
            async for item in self._phases(mission.id, request, seat):
                yield item
        finally:
            left = TerminalDetached(read_only=request.read_only)
            self._record(mission.id, left, unless=self._phase.closing or request.looks)

    @handles(One)
    async def detach(self, request: One, caller: Caller) -> DetachedMission:
        """End everybody's attach to one mission."""
        del caller
        mission = find(self._registry, request.id, live_first=True)
        count = self._attachments.dismiss(mission.id)
        if not count:
            raise OvermindError(
                "not_attached", f"No one is attached to mission {mission.id} ({mission.definition.name})."
            )
        return {**answers.brief(mission), "detached": count}

    async def _given(self, mission_id: str, request: Attach, seat: Attachment) -> AsyncIterator[TurnFinishing]:
        """Change a headless session over to a terminal."""
        session = self._agents.of(mission_id)
        if session is not None:
            async for item in self._agents.handover.give(session, seat, keep=request.keep):
                yield item

    async def _phases(self, mission_id: str, request: Attach, seat: Attachment) -> AsyncIterator[AttachItem]:
        """What happens to the mission, as far as it matters to who is attached."""
        phase, first = "", True
        while phase != ENDED:
            mission = await self._next_phase(mission_id, phase, seat)
            if seat.dismissed.is_set():
                yield {"type": "detached"}
                return
            phase = _phase(mission)
            if mission is None or phase == ENDED:
                yield _end(mission)
            elif phase == ON_PIPES:
                session = self._agents.of(mission_id)
                yield {"type": "handing_back", "reason": None if session is None else session.state.refused}
            elif phase == BETWEEN_RUNS:
                yield {"type": "waiting", "status": mission.status}
            elif (ticket := await self._ticket(mission, request)) is None:
                phase = ""
                await asyncio.sleep(RETRY_SECONDS)
            else:
                yield {"type": "ready" if first else "run", **ticket}
                first = False

    async def _next_phase(self, mission_id: str, phase: str, seat: Attachment) -> Mission | None:
        """The mission once it is in another phase, or once the seat is taken away; None when it was removed."""
        changed = asyncio.ensure_future(self._registry.until(mission_id, lambda mission: _phase(mission) != phase))
        dismissed = asyncio.ensure_future(seat.dismissed.wait())
        try:
            await asyncio.wait({changed, dismissed}, return_when=asyncio.FIRST_COMPLETED)
            with suppress(OvermindError):
                return changed.result() if changed.done() else None
            return None
        finally:
            changed.cancel()
            dismissed.cancel()

    async def _ticket(self, mission: Mission, request: Attach) -> Ticket | None:
        """What a client needs to join the newest run; None when the keeper doesn't hold it."""
        run = self._registry.runs.get(mission.id)
        if self._line.link is None or run is None:
            return None
        write = _may_write(mission, request)
        ticket = os.urandom(TICKET_BYTES).hex()
        try:
            await self._line.link.request(
                "ticket", ticket=ticket, run=run.id, mode="write" if write else "read", ttl=TICKET_SECONDS
            )
        except (KeeperGone, KeeperRefused):
            return None
        home = self._home
        return {
            "run": run.id,
            "ticket": ticket,
            "socket": to_wire(read_socket_address(home.keeper_socket, home.keeper_socket_pointer)),
            "path": to_wire(f"{home.logs}/{run.mission}/{run.number:06d}"),
            "out": self._progress.extent(run).out,
            "columns": run.columns,
            "rows": run.rows,
            "write": write,
        }

    def _record(self, mission_id: str, event: MissionEvent, *, unless: bool) -> None:
        """Record it, but not of who only looks, or changes over from one supervisor to the next."""
        mission = self._registry.get(mission_id)
        if mission is not None and not unless:
            self._registry.record(mission, event)
