"""Memory in the daemon: its parts, made when they are first needed, so that a home without notes pays nothing."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.memory.giving import GivenNotes, Injection
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from overmind_core.agents.ports import BriefingRequest
    from overmind_core.domain.missions.events import MissionRemoved
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.database import MetaTable
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.journal import Journal
    from overmind_core.memory.service import Memory
    from overmind_core.missions.answer_types import MissionNotes
    from overmind_core.missions.environment import Environments
    from overmind_core.missions.registry import Registry
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home

FIRST_PRUNE, PRUNE_SECONDS = 60.0, 86_400.0
"""Seconds from a daemon's start, and between two times, that what is too old is removed; never in a home without
notes."""
_log = logging.getLogger(__name__)
SWITCHED_OFF = "memory_off"
"""The fact of the home that a person has switched memory off."""


class MemoryParts(NamedTuple):
    """The parts of the daemon that memory uses."""

    home: Home
    settings: Settings
    clock: Clock
    journal: Journal
    events: EventLog
    registry: Registry
    environments: Environments
    meta_table: MetaTable


class MemorySwitch:
    """Whether a person has switched memory off. It is a fact of the home: memory.db itself may be of no use."""

    def __init__(self, journal: Journal, meta_table: MetaTable) -> None:
        self._journal = journal
        self._meta_table = meta_table
        self._is_on: bool | None = None

    @property
    def is_on(self) -> bool:
        """Whether nobody has."""
        if self._is_on is None:
            self._is_on = self._meta_table.get(SWITCHED_OFF) is None
        return self._is_on

    async def turn(self, *, on: bool) -> None:
        """Switch it; saved when this returns."""
        self._is_on = on
        table = self._meta_table
        self._journal.save(lambda: table.remove(SWITCHED_OFF) if on else table.save(SWITCHED_OFF, "1"))
        await self._journal.saved()


class MemoryHost:
    """Makes the service of memory with the first request, and ends it; also the briefing of agents."""

    def __init__(self, parts: MemoryParts) -> None:
        self.parts = parts
        self._switch = MemorySwitch(parts.journal, parts.meta_table)
        self._memory: Memory | None = None
        self.rebuild_episodes: Callable[[], Awaitable[int]] = _no_episodes
        """Reads the episodes anew from logs, and returns how many of these are gone: set by who keeps them."""
        self._pruning: asyncio.TimerHandle | asyncio.Task[None] | None = None
        if self.has_notes:
            self._prune_later(FIRST_PRUNE)
        if os.path.exists(parts.home.cortex_token):  # others may have written meanwhile
            asyncio.get_running_loop().call_soon(self._begin_cortex)

    def _begin_cortex(self) -> None:
        self.memory().cortex.begin()

    def _prune_later(self, seconds: float) -> None:
        self._pruning = asyncio.get_running_loop().call_later(seconds, self._prune)

    def _prune(self) -> None:
        self._pruning = asyncio.ensure_future(self._pruned())

    async def _pruned(self) -> None:
        if self.has_notes:
            try:
                await self.memory().prune()
            except OvermindError as error:  # who asks for notes is told, too
                _log.info("old episodes and proposals stay: %s", error.message)
        self._prune_later(PRUNE_SECONDS)

    def memory(self) -> Memory:
        """The service of memory."""
        if self._pruning is None:
            self._prune_later(FIRST_PRUNE)
        if self._memory is None:
            from overmind_core.memory.service import Memory  # noqa: PLC0415 - for those who have notes

            parts = self.parts
            self._memory = Memory(
                home=parts.home,
                settings=parts.settings.memory,
                clock=parts.clock,
                events=parts.events,
                registry=parts.registry,
                variables=lambda mission: parts.environments.of(mission).both,
                person=self.person,
                machine=os.uname().nodename,
                switch=self._switch,
                cortex_settings=parts.settings.cortex,
                rebuild_episodes=self.rebuild_episodes,
            )
        return self._memory

    @property
    def person(self) -> str:
        """The login name of whoever runs this daemon."""
        return _login()

    def close(self) -> None:
        """End its threads."""
        if self._pruning is not None:
            self._pruning.cancel()
        if self._memory is not None:
            self._memory.close()

    def on_removal(self, removed: MissionRemoved) -> None:
        """A mission's record is gone, and with it what it was given."""
        if removed.mission is not None and self.has_notes:
            self.memory().removed([removed.mission])

    # the briefing of agents: see `agents/ports.py`

    @property
    def is_on(self) -> bool:
        """Whether anything is given at all."""
        return self._switch.is_on

    @property
    def injection(self) -> Injection:
        """The notes for agents whose definition does not say."""
        return Injection(self.parts.settings.memory.inject)

    @property
    def has_notes(self) -> bool:
        """Whether there may be any note."""
        return os.path.exists(self.parts.home.memory)

    async def notes_for(self, request: BriefingRequest) -> GivenNotes | None:
        """The notes for a run; None: nothing."""
        try:
            return await self.memory().briefing.notes_for(request)
        except OvermindError as error:
            return GivenNotes(why_not=str(error.fields.get("reason", error.message)).rstrip("."))

    async def notes_of(self, mission: Mission, injection: Injection) -> MissionNotes:
        """The notes that the mission's newest run was given, and the ids of those that the mission has written."""
        if self.has_notes:
            with suppress(OvermindError):  # memory can't be used: who asks for it is told so
                return await self.memory().briefing.notes_of(mission, injection)
        return {"inject": injection, "given": [], "tokens": 0, "left_out": 0, "wrote": []}

    async def written_texts(self, mission: Mission) -> Sequence[str]:
        """The texts of the notes that a mission has written, oldest first, of those that are given to others."""
        if self.is_on and self.has_notes:
            with suppress(OvermindError):  # as above
                return await self.memory().written_texts(mission.id)
        return ()

    def not_given(self, conversation: str) -> None:
        """The run has begun without."""
        self.memory().briefing.not_given(conversation)

    def never_begun(self, mission_id: str, run: int) -> None:
        """The run will never begin."""
        self.memory().briefing.never_begun(mission_id, run)


async def _no_episodes() -> int:
    return 0


def _login() -> str:
    """The login name of who runs this daemon, whose person every caller outside of missions is."""
    import pwd  # noqa: PLC0415 - for those who have notes

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # an account without an entry, as containers have them
        return str(os.geteuid())
