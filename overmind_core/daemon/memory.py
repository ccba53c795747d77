"""Memory in the daemon: its parts, made when they are first needed, so that a home without notes pays nothing."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.memory.sharing import SharingMemory
    from overmind_core.missions.environment import Environments
    from overmind_core.missions.registry import Registry
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home


class MemoryParts(NamedTuple):
    """What memory stands on."""

    home: Home
    settings: Settings
    clock: Clock
    events: EventLog
    registry: Registry
    environments: Environments


class MemoryHost:
    """Makes memory with the first request about it, and ends it."""

    def __init__(self, parts: MemoryParts) -> None:
        self.parts = parts
        self._memory: SharingMemory | None = None
        if os.path.exists(parts.home.cortex_token):  # others may have written meanwhile
            asyncio.get_running_loop().call_soon(self._begin_cortex)

    def _begin_cortex(self) -> None:
        self.memory().cortex.begin()

    def memory(self) -> SharingMemory:
        """What answers requests about notes."""
        if self._memory is None:
            from overmind_core.memory.sharing import SharingMemory  # noqa: PLC0415 - for those who have notes

            parts = self.parts
            self._memory = SharingMemory(
                home=parts.home,
                settings=parts.settings.memory,
                clock=parts.clock,
                events=parts.events,
                registry=parts.registry,
                variables=lambda mission: parts.environments.of(mission).both,
                person=_login(),
                machine=os.uname().nodename,
                cortex_settings=parts.settings.cortex,
            )
        return self._memory

    def close(self) -> None:
        """End its threads."""
        if self._memory is not None:
            self._memory.close()


def _login() -> str:
    """The login name of who runs this daemon, whose person every caller outside of missions is."""
    import pwd  # noqa: PLC0415 - for those who have notes

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # an account without an entry, as containers have them
        return str(os.geteuid())
