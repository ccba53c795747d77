"""`wait` and `events`: answers that go on until something ends; `used`: who follows events says that it is used."""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.mission import Mission
from overmind_core.domain.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.supervisor import records
from overmind_core.supervisor.callers import forbid_inside, mission_of
from overmind_core.supervisor.intake import seconds
from overmind_core.supervisor.lookup import find
from overmind_core.supervisor.notifications import EVENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from overmind_core.supervisor.callers import Caller
    from overmind_core.supervisor.core import Supervisor
    from overmind_core.supervisor.requests import Events, Used, Wait

PAGE = 500
"""Events read from the store at once."""
_decode = msgspec.json.Decoder(dict[str, Any]).decode


async def wait(core: Supervisor, request: Wait, caller: Caller) -> AsyncIterator[Any]:
    """An item as each mission ends for good; `any`: only the first."""
    del caller
    missions = [find(core.book, text) for text in request.ids]
    yield {"missions": [records.brief(mission) for mission in missions]}
    waiting = {asyncio.create_task(core.book.ended(one)) for one in dict.fromkeys(m.id for m in missions)}
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield _end(task.result())
                if request.any:
                    return
    finally:
        for task in waiting:
            task.cancel()


async def events(core: Supervisor, request: Events, caller: Caller) -> AsyncIterator[Any]:
    """The event log after `since`, then what follows."""
    if request.eyes:
        forbid_inside(mission_of(caller, core.book, core.home.root), "say that a person looks")
    core.ledger.flush()
    oldest = core.state.events.oldest()
    if request.since and request.since + 1 < oldest:
        raise OvermindError(
            "gone", f"Events before {oldest} are no longer kept. Begin with: --since {oldest - 1}", oldest=oldest
        )
    seq = request.since
    looking = core.notifications.looking() if request.eyes and request.follow else nullcontext()
    with looking as viewer, core.feed.follow(None) as follower:
        yield {"oldest": oldest} if viewer is None else {"oldest": oldest, "viewer": viewer}
        while True:
            core.ledger.flush()
            page = core.state.events.after(seq, PAGE)
            for event in page:
                yield _event(core, event.seq, event.data, viewer)
            seq = page[-1].seq if page else seq
            if not page:
                if not request.follow:
                    return
                await follower.news()
            await asyncio.sleep(0)


async def used(core: Supervisor, request: Used, caller: Caller) -> dict[str, Any]:
    """Note when a person last used a program that follows events, and which mission it shows."""
    del caller
    at = time.monotonic() - seconds(request.ago, "ago")
    if not core.notifications.viewers.used(request.viewer, at, request.view):
        raise OvermindError("not_found", f"Nobody follows events as viewer {request.viewer}.")
    return {"viewer": request.viewer}


def _end(mission: Mission) -> dict[str, Any]:
    return {
        **records.brief(mission),
        "status": mission.status.value,
        "exit_code": records.exit_code(mission),
        "shell_exit": mission.shell_exit,
        "reason": mission.reason,
    }


def _event(core: Supervisor, seq: int, data: str, viewer: int | None) -> dict[str, Any]:
    event = _decode(data)
    event["at"] = format_time(event["at"])
    if viewer is not None and event["type"] == EVENT:
        event["ring"] = core.notifications.rings(seq, viewer)
    return {"seq": seq, **event}
