"""`hello`, `status`, `ps`, `info`, `top`: answers about what is.

`wait` and `events`: answers that go on until something ends; `used`: who follows events says that it is used.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.missions.mission import LIVE, Mission, Status
from overmind_core.domain.missions.tree import children_of
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.kernel.keeper_client import KeeperGone, KeeperRefused
from overmind_core.missions import answers
from overmind_core.missions.api_logs import format_of
from overmind_core.missions.callers import forbid_inside, mission_of
from overmind_core.missions.lookup import find
from overmind_core.missions.output_progress import LineExtent
from overmind_core.missions.registry import mission_of as decoded
from overmind_core.missions.registry import run_of
from overmind_core.missions.resources import own_memory
from overmind_core.missions.retention import folder_size
from overmind_core.missions.validate import seconds
from overmind_core.notifications.service import EVENT
from overmind_core.version import VERSION
from overmind_core.wire.framing import API_VERSION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from overmind_core.daemon.app import Supervisor
    from overmind_core.domain.agents.conversation import Conversation
    from overmind_core.missions.callers import Caller
    from overmind_core.missions.requests import Events, Hello, Info, Nothing, Ps, Used, Wait


async def hello(core: Supervisor, request: Hello, caller: Caller) -> dict[str, Any]:
    """Who answers; the caller's version decides whether it says that the daemon is older."""
    del request, caller
    return {"version": VERSION, "pid": os.getpid(), "home": to_wire(core.home.root), "api": API_VERSION}


async def status(core: Supervisor, request: Nothing, caller: Caller) -> dict[str, Any]:
    """The daemon, its keeper, and how many missions stand where."""
    del request, caller
    core.ledger.flush()
    counts = core.state.missions.count_by_status()
    return {
        "pid": os.getpid(),
        "version": VERSION,
        "home": to_wire(core.home.root),
        "started_at": answers.time(core.started_at),
        "uptime_seconds": round(core.clock.wall() - core.started_at, 3),
        "memory_bytes": own_memory(),
        "missions": {
            **{one.value: counts.get(one.value, 0) for one in Status if one is not Status.RUNNING},
            "running": sum(counts.get(one.value, 0) for one in LIVE),
            "total": sum(counts.values()),
        },
        "keeper": await _keeper(core),
        "log_bytes": await asyncio.to_thread(folder_size, core.home.logs),
    }


async def ps(core: Supervisor, request: Ps, caller: Caller) -> list[dict[str, Any]]:
    """Missions by start time; killed ones only when asked for."""
    del caller
    now = core.clock.wall()
    parent = None if request.children is None else find(core.book, request.children).id
    children = children_of(core.book.parents())
    found = [mission for mission in _listed(core, request, parent) if _has_labels(mission, request.label)]
    found.sort(key=lambda mission: (mission.started_at or mission.created_at, mission.created_at, mission.id))
    said = core.desk.conversations(found)
    rows = [
        answers.row(
            mission, children.get(mission.id, ()), now, said.get(mission.id), unseen=core.news.is_new(mission.id)
        )
        for mission in found
    ]
    for row in rows:
        row["attached"] = core.attached.count(row["id"])
        row["isolation"] = core.isolation.shown(row["id"])
    if request.wide:
        await _widen(core, found, rows, said)
    return rows


async def info(core: Supervisor, request: Info, caller: Caller) -> dict[str, Any]:
    """Everything known about one mission; values of its environment only for people."""
    mission = find(core.book, request.id)
    if request.env or request.reveal:
        forbid_inside(mission_of(caller, core.book, core.home.root), "read environments")
    if mission.is_live:
        await core.pulse.refresh()
    runs = core.book.runs_of(mission.id)
    children = children_of(core.book.parents()).get(mission.id, [])
    lines = await _last_lines(core, [mission])
    said = core.desk.conversations([mission]).get(mission.id)
    unseen = core.news.is_new(mission.id)
    found = answers.details(mission, runs, children, core.clock.wall(), lines[0], said=said, unseen=unseen)
    found["attached"] = core.attached.count(mission.id)
    found["isolation"] = core.isolation.shown(mission.id)
    found["now"] = core.isolation.steps.get(mission.id) or found["now"]
    found["last_activity_at"] = _last_activity(core, mission)
    if mission.definition.max_cost:
        found["tree_cost_usd"] = round(core.budgets.total(mission.id), 6)
    if request.env or request.reveal:
        environment = core.environment(mission.id)
        both = {**environment.inherited, **environment.chosen}
        found["env"] = dict(sorted(both.items())) if request.reveal else sorted(both)
    return found


async def top(core: Supervisor, request: Nothing, caller: Caller) -> list[dict[str, Any]]:
    """What each live mission uses now."""
    del request, caller
    missions = sorted(core.book.live.values(), key=lambda mission: (mission.created_at, mission.id))
    await core.pulse.refresh()
    used = await core.usage(missions)
    said = core.desk.conversations(missions)
    return [
        {
            **answers.brief(mission),
            "status": mission.status.value,
            "cpu_percent": used[mission.id].cpu_percent if mission.id in used else None,
            "memory_bytes": used[mission.id].memory_bytes if mission.id in used else None,
            "output_bytes_per_second": round(core.pulse.rate(mission.run_id), 1),
            "processes": used[mission.id].processes if mission.id in used else 0,
            **{name: answers.talking(mission, said.get(mission.id))[name] for name in ("cost_usd", "tokens")},
        }
        for mission in missions
    ]


def _listed(core: Supervisor, request: Ps, parent: str | None) -> list[Mission]:
    if request.ids:
        return [find(core.book, text) for text in request.ids]
    for text in request.status:
        if text not in set(Status):
            known = ", ".join(Status)
            raise OvermindError("invalid", f"Unknown status {text!r}. Known: {known}.")
    hidden = request.all or Status.KILLED in request.status
    rows = core.state.missions.all(statuses=request.status, include_hidden=hidden, parent=parent)
    return [core.book.known(row.id) or decoded(row) for row in rows]


def _has_labels(mission: Mission, wanted: Sequence[str]) -> bool:
    labels = mission.definition.labels
    for text in wanted:
        key, given, value = text.partition("=")
        if key not in labels or (given and labels[key] != value):
            return False
    return True


async def _widen(
    core: Supervisor, missions: Sequence[Mission], rows: Sequence[dict[str, Any]], said: Mapping[str, Conversation]
) -> None:
    await core.pulse.refresh()
    used = await core.usage([mission for mission in missions if mission.is_live])
    lines = await _last_lines(core, missions)
    for mission, row, line in zip(missions, rows, lines, strict=True):
        usage = used.get(mission.id)
        row["cpu_percent"] = None if usage is None else usage.cpu_percent
        row["memory_bytes"] = None if usage is None else usage.memory_bytes
        row["output_bytes_per_second"] = round(core.pulse.rate(mission.run_id), 1) if mission.is_live else None
        row["next_restart_at"] = answers.time(mission.next_restart_at)
        step = core.isolation.steps.get(mission.id)
        row["now"] = step or answers.now_line(mission, line, said.get(mission.id))


async def _last_lines(core: Supervisor, missions: Sequence[Mission]) -> list[str]:
    """What the newest run of each wrote last."""
    extents = [_extent(core, mission) for mission in missions]
    return await asyncio.to_thread(lambda: [core.last_lines.of(one) if one else "" for one in extents])


def _extent(core: Supervisor, mission: Mission) -> LineExtent | None:
    stored = None if mission.id in core.book.runs else core.state.runs.latest(mission.id)
    run = core.book.runs.get(mission.id) if stored is None else run_of(stored)
    if run is None:
        return None
    known = core.pulse.of(run.id)
    path = f"{core.home.logs}/{run.mission}/{run.number:06d}"
    return LineExtent(run.id, path, max(known.out, run.out), max(known.err, run.err), format_of(mission, run))


async def _keeper(core: Supervisor) -> dict[str, Any] | None:
    link = core.custody.link
    if link is None:
        return None
    try:
        found = await link.ask("status")
    except (KeeperGone, KeeperRefused):
        return None
    return {
        "pid": found["pid"],
        "version": core.custody.hello.get("version"),
        "memory_bytes": found["rss"],
        "runs": found["runs"],
    }


def _last_activity(core: Supervisor, mission: Mission) -> str | None:
    """When it last wrote: as the keeper says while it lives, else when it ended."""
    last = core.pulse.of(mission.run_id).last
    if not mission.is_live or not last:
        return answers.time(mission.ended_at if not mission.is_live else mission.started_at)
    return answers.time(core.clock.wall() - (core.clock.mono() - last))


PAGE = 500
"""Events read from the store at once."""
_decode = msgspec.json.Decoder(dict[str, Any]).decode


async def wait(core: Supervisor, request: Wait, caller: Caller) -> AsyncIterator[Any]:
    """An item as each mission ends for good; `any`: only the first."""
    del caller
    missions = [find(core.book, text) for text in request.ids]
    yield {"missions": [answers.brief(mission) for mission in missions]}
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
        **answers.brief(mission),
        "status": mission.status.value,
        "exit_code": answers.exit_code(mission),
        "shell_exit": mission.shell_exit,
        "reason": mission.reason,
    }


def _event(core: Supervisor, seq: int, data: str, viewer: int | None) -> dict[str, Any]:
    event = _decode(data)
    event["at"] = format_time(event["at"])
    if viewer is not None and event["type"] == EVENT:
        event["ring"] = core.notifications.rings(seq, viewer)
    return {"seq": seq, **event}
