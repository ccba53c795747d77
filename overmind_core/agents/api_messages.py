"""`send`, `await_message`, `messages`, `interrupt`, `result`: what people say to agents, and what comes back.

`cost` and `seen`: what agents have cost, and what somebody has looked at.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from overmind_core.agents import messages as agents_messages
from overmind_core.agents.store import ANSWERED, CANCELLED, DELIVERED, FAILED, QUEUED
from overmind_core.domain.agents import conversation_events as talk
from overmind_core.domain.agents.conversation import is_busy, is_handed_over
from overmind_core.domain.missions.mission import Cause, Kind, Mission, Status
from overmind_core.domain.text.moment import format_time, parse_time
from overmind_core.errors import OvermindError
from overmind_core.missions import answers
from overmind_core.missions.callers import forbid_foreign, mission_of
from overmind_core.missions.lookup import find
from overmind_core.missions.validate import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from overmind_core.agents.session import Session
    from overmind_core.agents.store import CostRow as Row
    from overmind_core.agents.store import MessageRow
    from overmind_core.daemon.app import Supervisor
    from overmind_core.missions.callers import Caller
    from overmind_core.missions.requests import AwaitMessage, Cost, Messages, One, Send


MOST_QUEUED = 1000
"""Messages that may wait for one agent."""
_REACHED = {
    "delivered": frozenset({DELIVERED, ANSWERED, FAILED, CANCELLED}),
    "answered": frozenset({ANSWERED, FAILED, CANCELLED}),
}


async def send(core: Supervisor, request: Send, caller: Caller) -> dict[str, Any]:
    """Queue a message for a session; a raw session has it at once."""
    sender = mission_of(caller, core.book, core.home.root)
    mission = find(core.book, request.id, live_first=True)
    forbid_foreign(sender, mission, core.book, "send to")
    earlier = None if request.request is None else _earlier(core, request.request)
    if earlier is not None:
        return _sent(core, mission, earlier.id)
    session = _session(core, mission)
    _check_text(request.text)
    if is_handed_over(session.c) and not request.queue:
        raise OvermindError(
            "paused",
            f"A person has mission {mission.id} ({mission.definition.name}) in a terminal."
            f" Queue the message with: overmind send --queue {mission.definition.name}",
        )
    if len(session.c.queue) >= MOST_QUEUED:
        raise OvermindError("busy", f"{len(session.c.queue)} messages wait for mission {mission.id} already.")
    if not session.provider.speaks_json:
        return await _write(core, session, request, sender)
    number = await core.desk.mailbox.post(session, request.text, sender=sender, request=request.request)
    await core.ledger.saved()
    return _sent(core, mission, number)


async def await_message(core: Supervisor, request: AwaitMessage, caller: Caller) -> dict[str, Any]:
    """How a message stands once it is delivered, or answered, or the time is up."""
    del caller
    limit = seconds(request.timeout, "timeout")
    wanted = _REACHED[request.until]
    event = core.desk.mailbox.watch(request.message)
    try:
        async with asyncio.timeout(limit):
            while (message := _message(core, request.message)).state not in wanted:
                event.clear()
                await event.wait()
    except TimeoutError:
        message = _message(core, request.message)
    finally:
        core.desk.mailbox.unwatch(request.message, event)
    return {
        "message": message.id,
        "id": message.mission,
        "state": message.state,
        **agents_messages.decode(message.answer),
    }


async def messages(core: Supervisor, request: Messages, caller: Caller) -> list[dict[str, Any]]:
    """The messages of a mission, oldest first; with `cancel` one of them is withdrawn first."""
    mission = find(core.book, request.id)
    if request.cancel is not None:
        forbid_foreign(mission_of(caller, core.book, core.home.root), mission, core.book, "cancel messages to")
        _cancel(core, mission, request.cancel)
        await core.ledger.saved()
    core.ledger.flush()
    return [_described(message) for message in core.state.messages.of(mission.id)]


async def interrupt(core: Supervisor, request: One, caller: Caller) -> dict[str, Any]:
    """End the turn, keep the session."""
    mission = find(core.book, request.id, live_first=True)
    forbid_foreign(mission_of(caller, core.book, core.home.root), mission, core.book, "interrupt")
    session = _session(core, mission)
    busy = is_busy(session.c)
    if not session.provider.speaks_json:
        session.send(b"\x03")
        busy = True
    else:
        session.tell(talk.InterruptAsked())
    await core.ledger.saved()
    return {**answers.brief(mission), "interrupted": busy}


async def result(core: Supervisor, request: One, caller: Caller) -> dict[str, Any]:
    """The last result object of an agent, as its program gave it."""
    del caller
    mission = find(core.book, request.id)
    core.ledger.flush()
    raw = core.state.agents.result(mission.id)
    if raw is not None:
        return dict(json.loads(raw))
    if mission.is_live:
        raise OvermindError("not_finished", f"Mission {mission.id} ({mission.definition.name}) has no result yet.")
    return {}


def _session(core: Supervisor, mission: Mission) -> Session:
    name = mission.definition.name
    if mission.definition.kind is not Kind.SESSION:
        raise OvermindError("not_session", f"Mission {mission.id} ({name}) is a task: nothing can be sent to it.")
    session = core.desk.of(mission.id)
    if not mission.is_live or session is None:
        raise OvermindError(
            "not_running", f"Mission {mission.id} ({name}) has ended. Start it again: overmind restart {name}"
        )
    ending = mission.ending
    if ending is not None and ending.cause not in {Cause.CHANGE_OVER, Cause.RESTART, Cause.EXITED}:
        raise OvermindError("exited", f"Mission {mission.id} ({name}) is being ended.")
    return session


def _check_text(text: str) -> None:
    if not text.strip():
        raise OvermindError("empty_command", "The message is empty.")


async def _write(core: Supervisor, session: Session, request: Send, sender: str | None) -> dict[str, Any]:
    """Type it into a raw session: it is delivered when the keeper has it."""
    mission = session.mission
    if mission is None or mission.status is not Status.RUNNING:
        raise OvermindError("not_running", f"Mission {session.id} is not running just now. Try again.")
    number = await core.desk.mailbox.note(session, request.text, sender=sender, request=request.request)
    await core.desk.mailbox.write_raw(session, number, request.text)
    return _sent(core, mission, number)


def _sent(core: Supervisor, mission: Mission, number: int) -> dict[str, Any]:
    message = _message(core, number)
    session = core.desk.of(mission.id)
    queue = () if session is None else session.c.queue
    ahead = queue.index(number) if number in queue else 0
    busy = session is not None and (session.c.turn is not None or session.c.sending not in {None, number})
    waits = message.state == QUEUED
    return {
        "message": number,
        "state": message.state,
        "ahead": ahead + int(busy) if waits else 0,
        **answers.brief(mission),
    }


def _earlier(core: Supervisor, request: str) -> MessageRow | None:
    core.ledger.flush()
    return core.state.messages.by_request(request)


def _message(core: Supervisor, number: int) -> MessageRow:
    message = core.desk.mailbox.get(number)
    if message is None:
        raise OvermindError("not_found", f"There is no message {number}.")
    return message


def _cancel(core: Supervisor, mission: Mission, number: int) -> None:
    message = _message(core, number)
    session = core.desk.of(mission.id)
    if message.mission != mission.id:
        raise OvermindError("not_found", f"Mission {mission.id} has no message {number}.")
    if message.state != QUEUED or session is None or number not in session.c.queue:
        raise OvermindError("invalid", f"Message {number} can't be withdrawn: it is {message.state} already.")
    session.tell(talk.Withdrawn(number))


def _described(message: MessageRow) -> dict[str, Any]:
    return {
        "message": message.id,
        "state": message.state,
        "text": message.text,
        "sender": message.sender,
        "created_at": answers.time(message.created_at),
        "delivered_at": answers.time(message.delivered_at),
        "ended_at": answers.time(message.ended_at),
        "resent": message.resent,
        "error": agents_messages.decode(message.answer)["error"],
    }


NO_LABEL = ""


async def cost(core: Supervisor, request: Cost, caller: Caller) -> list[dict[str, Any]]:
    """What turns have cost, summed by mission, day (UTC) or label, in the order of their first turn."""
    del caller
    core.ledger.flush()
    try:
        since = 0.0 if request.since is None else parse_time(request.since, core.clock.wall())
    except ValueError as error:
        raise OvermindError("invalid", f"since: {error}") from None
    sums: dict[str, dict[str, Any]] = {}
    for row in core.state.costs.since(since):
        for key in _keys(row, request.by):
            name = {"name": row.name} if request.by == "mission" else {}
            entry = sums.setdefault(key, {"key": key, **name, **_NOTHING})
            entry["cost_usd"] += row.usd
            entry["input_tokens"] += row.input
            entry["output_tokens"] += row.output
            entry["turns"] += row.turns
    return [{**entry, "cost_usd": round(entry["cost_usd"], 6)} for entry in sums.values()]


async def seen(core: Supervisor, request: One, caller: Caller) -> dict[str, Any]:
    """Note that somebody has looked at what the mission did so far."""
    del caller
    mission = find(core.book, request.id)
    core.ledger.flush()
    newest = core.state.events.newest()
    now = core.clock.wall()
    core.news.saw(mission.id, newest, now)
    core.ledger.save(lambda: core.state.seen.save(mission.id, newest, now))
    await core.ledger.saved()
    core.feed.changed(mission)
    return answers.brief(mission)


_NOTHING = {"cost_usd": 0.0, "input_tokens": 0, "output_tokens": 0, "turns": 0}


def _keys(row: Row, by: str) -> Iterator[str]:
    match by:
        case "mission":
            yield row.mission
        case "day":
            yield format_time(row.at)[:10]
        case _:
            labels = json.loads(row.labels)
            yield from [f"{name}={value}" for name, value in labels.items()] or [NO_LABEL]
