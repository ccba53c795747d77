"""`pool_list`, `pool_up`, `pool_down`: the pools of the swarm, and their instances."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from overmind_core.domain.text.cells import did_you_mean
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles
from overmind_core.missions.requests import Nothing
from overmind_core.swarm import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from overmind_core.domain.swarm.pools import PoolSettings
    from overmind_core.kernel.request import Caller
    from overmind_core.swarm import answer_types as answers
    from overmind_core.swarm.answers import Instance, Pool
    from overmind_core.swarm.host import SwarmHost

    Look = Callable[[Instance], bool]

SOON = 30.0
"""Seconds in which an engine that answers starts an instance, or an instance that has nothing leaves."""
_LOOK = 0.25
_NEW = frozenset({"asked"})


class PoolApi:
    """The requests about pools."""

    def __init__(self, host: SwarmHost) -> None:
        self._host = host

    @handles(Nothing)
    async def pool_list(self, request: Nothing, caller: Caller) -> list[answers.PoolRow]:
        """All pools, by name: those of the swarm, and those that only this home's config.toml has."""
        del request, caller
        pools, instances = await self._host.line().ask(lambda swarm: (swarm.pools(), swarm.instances()))
        tables = self._host.pools.tables()
        rows = [_row(one, instances, tables.get(one.name), self._hindrance(one.name)) for one in pools]
        known = {one.name for one in pools}
        rows += [_unknown_row(one, self._hindrance(name)) for name, one in tables.items() if name not in known]
        return sorted(rows, key=lambda row: row["name"])

    @handles(requests.PoolUp)
    async def pool_up(self, request: requests.PoolUp, caller: Caller) -> answers.PoolChanged:
        """Have so many more, and see for some seconds whether the engine starts them."""
        del caller
        await self._check(request.name)
        names = await self._host.line().ask(lambda swarm: swarm.add_to_pool(request.name, request.count))
        return await self._watched(request.name, names, lambda one: one.state in _NEW)

    @handles(requests.PoolDown)
    async def pool_down(self, request: requests.PoolDown, caller: Caller) -> answers.PoolChanged:
        """Have instances end, and see for some seconds whether they do."""
        del caller
        if request.all == bool(request.instances):
            raise OvermindError("invalid", "Name instances, or give all of them: overmind pool list")
        await self._check(request.name)
        words = None if request.all else request.instances
        names = await self._host.line().ask(lambda swarm: swarm.end_instances(request.name, words, force=request.force))
        return await self._watched(
            request.name, names, lambda one: one.state != "ended" and not (one.held and not request.force)
        )

    def _hindrance(self, name: str) -> str:
        """Why instances of a pool can't be started from here; empty: they can, or this home knows nothing of it."""
        settings = self._host.pools.tables().get(name)
        return "" if settings is None else self._host.pools.hindrance(settings)

    async def _check(self, name: str) -> None:
        """Refuse what nobody could do, with what is missing here.

        Raises:
            OvermindError: `not_found`, `invalid`.
        """
        pools = await self._host.line().ask(lambda swarm: swarm.pools())
        found = next((one for one in pools if one.name == name), None)
        if found is not None and found.hive is not None:
            await self._looked_at(name)
            return
        if hindrance := self._hindrance(name):
            raise OvermindError("invalid", hindrance)
        if found is None:
            hint = did_you_mean(name, [one.name for one in pools]) or " See them with: overmind pool list"
            raise OvermindError("not_found", f"There is no pool {name!r} in the swarm.{hint}")

    async def _looked_at(self, name: str) -> None:
        """Wait a while for the first look of a hive that has only just taken a pool."""
        deadline = time.monotonic() + SOON
        while time.monotonic() < deadline:
            pools = await self._host.line().ask(lambda swarm: swarm.pools())
            if any(one.name == name and one.progress for one in pools):
                return
            await asyncio.sleep(_LOOK)

    async def _watched(self, pool: str, names: Sequence[str], goes_on: Look) -> answers.PoolChanged:
        """Return what has become of instances as soon as it is so, or not soon."""
        deadline = time.monotonic() + SOON
        while True:
            pools, instances = await self._host.line().ask(lambda swarm: (swarm.pools(), swarm.instances()))
            found = [one for one in instances if one.name in names]
            silence = next((str(one.progress.get("silence") or "") for one in pools if one.name == pool), "")
            if silence or time.monotonic() >= deadline or not any(map(goes_on, found)):
                return {"name": pool, "instances": [_instance(one) for one in found], "silence": silence}
            await asyncio.sleep(_LOOK)


def _row(pool: Pool, instances: Sequence[Instance], settings: PoolSettings | None, hindrance: str) -> answers.PoolRow:
    told = pool.progress
    silence = str(told.get("silence") or "")
    note = silence or hindrance
    if pool.hive is None and not note:
        note = (
            f"No hive starts its instances: one does that has joined, has [pools.{pool.name}] in its config.toml, and"
            f" its engine."
        )
    mine = [one for one in instances if one.pool == pool.name and (one.state != "ended" or one.reason is not None)]
    return {
        "name": pool.name,
        "engine": told.get("engine") or (None if settings is None else settings.engine),
        "state": "unheld" if pool.hive is None else "silent" if silence else "open",
        "note": note,
        "hive": pool.hive,
        "wanted": told.get("wanted"),
        "min": told.get("min"),
        "max": told.get("max"),
        "slots": told.get("slots"),
        "labels": told.get("labels") or ({} if settings is None else dict(settings.labels)),
        "instances": [_instance(one) for one in mine],
    }


def _unknown_row(settings: PoolSettings, hindrance: str) -> answers.PoolRow:
    return {
        "name": settings.name,
        "engine": settings.engine,
        "state": "unheld",
        "note": hindrance
        or f"The swarm has no pool {settings.name}. An owner invites it: overmind swarm invite"
        f" {settings.name} --role worker --pool",
        "hive": None,
        "wanted": None,
        "min": settings.min,
        "max": settings.max,
        "slots": settings.slots,
        "labels": dict(settings.labels),
        "instances": [],
    }


def _instance(one: Instance) -> answers.PoolInstance:
    return {
        "name": one.name,
        "engine_id": one.engine_id,
        "state": one.state,
        "ending": one.ending,
        "held": one.held,
        "reason": one.reason,
    }
