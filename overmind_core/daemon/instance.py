"""The life of a pool's instance: it joins, works, and leaves once it is idle, drained, or told to end.

It leaves nothing behind. Before it leaves, the swarm has the ends of all that it has run, or has it back; then the
daemon ends, and the keeper after it, with everything that still runs and with the home.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from typing import TYPE_CHECKING

import msgspec

from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError
from overmind_core.swarm.pool_settings import Invitation
from overmind_core.system.machine import boottime

if TYPE_CHECKING:
    from overmind_core.daemon.host import Host
    from overmind_core.swarm.answers import Instance
    from overmind_core.swarm.database import Swarm
    from overmind_core.swarm.host import SwarmHost
    from overmind_core.swarm.service import SwarmService

LOOK = 0.5
"""Seconds between two looks whether it is to leave."""
DRAIN_SECONDS = 20.0
"""How long what runs may take to end when the instance is told to."""
LEAVE_SECONDS = 6.0
"""How long the swarm may take to hear that it leaves: engines wait for half a minute in all."""
JOIN_SECONDS = 600.0
"""How long it tries to join while the swarm is silent."""
RETRY = 5.0
_log = logging.getLogger(__name__)


class Order(msgspec.Struct, frozen=True):
    """What an instance is to be, as its command has written it into its home."""

    invitation: Invitation
    pool: str
    instance: str
    idle: float
    """Seconds without work after which it leaves."""
    slots: int
    labels: dict[str, str] = {}


class InstanceLife:
    """Used from the loop's thread.

    Args:
        host: What serves its home.
        path: Of its order; the file is removed once it was read.
    """

    def __init__(self, host: Host, path: str) -> None:
        with open(path, "rb") as file:
            self._order = msgspec.json.decode(file.read(), type=Order)
        os.unlink(path)
        self.status = 0
        """Exit status."""
        self._host = host
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Live, once clients are answered."""
        self._task = asyncio.get_running_loop().create_task(self._live())

    def drain(self) -> None:
        """End: a while for what runs, the rest is given back. Again: at once."""
        if self._ending.is_set():
            self._host.keep()
        self._ending.set()
        if (service := self._host.swarm.service) is not None:
            service.machine_ends(now=True)  # at once: what runs here may have been told the same, and end in a moment

    async def _live(self) -> None:
        swarm = self._host.swarm
        try:
            await self._join(swarm)
            await self._work(swarm)
        except OvermindError as error:
            sys.stderr.write(f"Error: {error.code}: {display_safe(error.message)}\n")
            self.status = 1
        except Exception:  # noqa: BLE001 - the boundary of the process
            _log.exception("the instance could not go on")
            self.status = 1
        finally:
            self._host.keep()

    async def _join(self, swarm: SwarmHost) -> None:
        """Join, as soon as the swarm answers.

        Raises:
            OvermindError: it doesn't for too long, or refuses: the name is taken, or the pool did not ask for it.
        """
        order, home = self._order, swarm.vault
        home.keep_key(order.invitation.key)
        deadline = boottime() + JOIN_SECONDS
        while not self._ending.is_set():
            try:
                name, hive, others = await swarm.join(
                    order.invitation.url, order.labels, order.slots, instance=order.instance
                )
            except OvermindError as error:
                if error.code != "swarm_silent" or boottime() > deadline:
                    raise
                _log.warning("%s", error.message)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._ending.wait(), RETRY)
            else:
                sys.stdout.write(f"Joined swarm {name} as hive {hive} ({others} other{'' if others == 1 else 's'})\n")
                sys.stdout.flush()
                return

    async def _work(self, swarm: SwarmHost) -> None:
        """Until it is to leave; then leave.

        Raises:
            OvermindError: the swarm does not take this instance any more.
        """
        busy = boottime()
        if swarm.service is not None:
            swarm.service.machine_ends(now=False)
        while (service := swarm.service) is not None:
            if self._ending.is_set():
                await self._give_back(swarm, service)
                return
            if service.refusal is not None:
                raise service.refusal
            if service.open_work() or self._host.live:
                busy = boottime()
            is_over = service.is_draining or (boottime() - busy >= self._order.idle and await self._is_spare(service))
            if is_over and not service.open_work() and await self._left(swarm, release=False):
                _log.info("the instance leaves: %s", "it is drained" if service.is_draining else "it was idle")
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), LOOK)

    async def _is_spare(self, service: SwarmService) -> bool:
        """Whether the pool has more than it is always to have."""

        def look(swarm: Swarm) -> bool:
            least = next((one.progress.get("min") or 0 for one in swarm.pools() if one.name == self._order.pool), 0)
            return sum(_serves(one) for one in swarm.instances() if one.pool == self._order.pool) > least

        try:
            return await service.line.ask(look)
        except OvermindError:
            return True

    async def _give_back(self, swarm: SwarmHost, service: SwarmService) -> None:
        """Let what runs end for a while, and give the rest back."""
        _log.info("the instance is to end: %d posts go on", service.open_work())
        hive = self._order.instance
        with contextlib.suppress(OvermindError, TimeoutError):
            await asyncio.wait_for(service.line.ask(lambda swarm: swarm.drain(hive)), LEAVE_SECONDS)
        deadline = boottime() + DRAIN_SECONDS
        while service.open_work() and boottime() < deadline:  # noqa: ASYNC110 - bounded, once
            await asyncio.sleep(LOOK)
        await self._left(swarm, release=True)

    async def _left(self, swarm: SwarmHost, *, release: bool) -> bool:
        """Leave; whether it has, or the swarm is silent and has heard all that there was to tell."""
        try:
            await asyncio.wait_for(swarm.leave(release=release), LEAVE_SECONDS)
        except (OvermindError, TimeoutError) as error:
            if isinstance(error, OvermindError) and error.code == "busy":
                return False
            _log.warning("the swarm does not hear that this instance leaves: %s", error)
        return True


def _serves(one: Instance) -> bool:
    return one.state == "joined" and one.ending is None and not one.is_draining
