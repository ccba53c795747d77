"""`swarm_apply`, `swarm_fleets`, `swarm_fleet`, `swarm_scale`, `swarm_fleet_delete`: places that are kept filled."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.agents.spec import spec_of
from overmind_core.domain.plans.fleet import fleet_name_problem
from overmind_core.domain.swarm.standing import ENDED
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles
from overmind_core.missions.requests import Nothing, Start
from overmind_core.swarm import requests
from overmind_core.swarm.api_vault import check_known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.request import Caller
    from overmind_core.swarm import answer_types as answers
    from overmind_core.swarm.answers import Fleet, FleetChange, Post
    from overmind_core.swarm.database import Swarm
    from overmind_core.swarm.host import SwarmHost

LARGEST_FLEET = 1024 * 1024
"""Bytes of what one place is to run, as JSON: each place has it."""


class FleetApi:
    """The requests about fleets and sentinels."""

    def __init__(self, host: SwarmHost, settings: Settings) -> None:
        self._host = host
        self._settings = settings

    @handles(requests.SwarmApply)
    async def swarm_apply(self, request: requests.SwarmApply, caller: Caller) -> answers.SwarmApplied:
        """Have the fleets of a blueprint, and no others of it: all of it in one transaction, or nothing."""
        del caller
        line = self._host.line()
        self._check(request.fleets)
        secrets = {name for one in request.fleets for name in one.secrets}
        if secrets:
            check_known(sorted(secrets), await line.ask(lambda swarm: swarm.secrets()))
        wanted = [{"fleet": one.name, "want": one.want, "definition": _definition(one)} for one in request.fleets]
        done = await line.ask(lambda swarm: _applied(swarm, request, wanted))
        return {"fleets": [_change(one) for one in done]}

    @handles(Nothing)
    async def swarm_fleets(self, request: Nothing, caller: Caller) -> list[answers.FleetRow]:
        """All fleets, by name."""
        del request, caller
        return [_row(one) for one in await self._host.line().ask(lambda swarm: swarm.fleets())]

    @handles(requests.SwarmFleet)
    async def swarm_fleet(self, request: requests.SwarmFleet, caller: Caller) -> answers.FleetDetails:
        """One fleet with its places."""
        del caller
        fleets, posts = await self._host.line().ask(lambda swarm: (swarm.fleets(), swarm.posts(ended=False)))
        found = next((one for one in fleets if one.name == request.name), None)
        if found is None:
            raise OvermindError("not_found", f"There is no fleet {request.name!r}. See them with: overmind fleet list")
        given = found.definition
        places = sorted((one for one in posts if one.fleet == found.name and one.state not in ENDED), key=_order)
        return {
            **_row(found),
            "agent": given.get("agent", ""),
            "labels": given.get("labels", {}),
            "cpu": given.get("cpu", 0.0),
            "memory": given.get("memory", 0),
            "on_lost": given.get("on_lost", "wait"),
            "lease": given.get("lease", 600.0),
            "posted_by": found.posted_by,
            "genome": given.get("genome"),
            "places": [_place(one, found.generation) for one in places],
        }

    @handles(requests.SwarmScale)
    async def swarm_scale(self, request: requests.SwarmScale, caller: Caller) -> answers.FleetScaled:
        """Have so many places: the highest numbers go first."""
        del caller
        scaled = await self._host.line().ask(lambda swarm: swarm.scale(request.name, request.want))
        return {"name": request.name, "before": scaled.before, "want": scaled.want}

    @handles(requests.SwarmFleet)
    async def swarm_fleet_delete(self, request: requests.SwarmFleet, caller: Caller) -> answers.FleetDeleted:
        """End a fleet; its hives end its places."""
        del caller
        await self._host.line().ask(lambda swarm: swarm.delete_fleet(request.name))
        return {"name": request.name}

    def _check(self, fleets: Sequence[requests.NewFleet]) -> None:
        """Refuse what no place can be.

        Raises:
            OvermindError: `invalid`, `too_large`, naming the first thing that is wrong.
        """
        for name, count in Counter(one.name for one in fleets).items():
            problem = fleet_name_problem(name)
            if problem is not None or count > 1:
                raise OvermindError("invalid", f"{problem or 'Two fleets have one name'}: {name[:80]!r}.")
        for one in fleets:
            if len(msgspec.json.encode(one.run)) > LARGEST_FLEET:
                raise OvermindError("too_large", f"Fleet {one.name}: its run has more than {LARGEST_FLEET} bytes.")
            try:
                spec_of(msgspec.convert({**one.run, "cwd": "/", "env": {}}, Start), self._settings)
            except (OvermindError, msgspec.ValidationError) as error:
                why = error.message.rstrip(".") if isinstance(error, OvermindError) else str(error)
                raise OvermindError("invalid", f"Fleet {one.name}: {why}.") from None


def _applied(swarm: Swarm, request: requests.SwarmApply, wanted: list[dict[str, Any]]) -> list[FleetChange]:
    source = f"{swarm.hello().login}:{request.file}"
    if not wanted and not any(one.source == source for one in swarm.fleets()):
        return []  # a viewer may apply plans that have no fleets
    return swarm.apply_fleets(source, wanted, dry_run=request.dry_run)


def _definition(fleet: requests.NewFleet) -> dict[str, Any]:
    """What each place of it is, as the swarm's `post` has it, without id, kind and name."""
    provider = fleet.run.get("provider")
    return {
        "agent": fleet.agent,
        "labels": fleet.on,
        "cpu": fleet.cpu,
        "memory": fleet.memory,
        "pack": fleet.pack,
        "secrets": sorted(set(fleet.secrets)),
        "provider": None if provider in {None, "raw"} else provider,
        "on_lost": fleet.on_lost,
        "lease": fleet.lease,
        "run": {name: value for name, value in fleet.run.items() if name != "name"},
        "ready": msgspec.to_builtins(fleet.ready),
        "ready_env": fleet.ready_env,
        **({} if fleet.genome is None else {"genome": msgspec.to_builtins(fleet.genome)}),
    }


def _change(one: FleetChange) -> answers.FleetChange:
    return {
        "name": one.fleet,
        "change": one.change,
        "before": one.before,
        "want": one.want,
        "replaces": one.replaces,
    }


def _row(fleet: Fleet) -> answers.FleetRow:
    return {
        "name": fleet.name,
        "want": fleet.want,
        "alive": fleet.alive,
        "lost": fleet.lost,
        "queued": fleet.queued,
        "hives": sorted(fleet.hives),
        "source": fleet.source,
    }


def _order(place: Post) -> tuple[int, str]:
    return place.place or 0, place.name


def _place(post: Post, generation: int) -> answers.FleetPlace:
    return {
        "id": post.id,
        "name": post.name,
        "state": post.state,
        "hive": post.hive,
        "status": post.status,
        "ready": post.ready,
        "current": post.generation == generation,
        "ending": post.cancelling,
        "reason": post.reason,
    }
