"""`send`, `keys`, `await_message`, `messages`, `interrupt`, `result`: what people tell agents, and what comes back."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from overmind_core.agents.messages import decode
from overmind_core.agents.requests import AwaitMessage, Keys, Messages, Send
from overmind_core.agents.store import ANSWERED, CANCELLED, DELIVERED, FAILED, QUEUED
from overmind_core.agents.submission import nobody_reads
from overmind_core.domain.actor import PERSON
from overmind_core.domain.missions.mission import Status
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.kernel.actor import actor
from overmind_core.kernel.request import handles
from overmind_core.missions import answers
from overmind_core.missions.callers import forbid_foreign, mission_of
from overmind_core.missions.lookup import find
from overmind_core.missions.requests import One
from overmind_core.missions.validate import seconds

if TYPE_CHECKING:
    from overmind_core.agents.answer_types import (
        AwaitedMessage,
        InterruptedMission,
        MessageInfo,
        PressedKeys,
        ProgramResult,
        SentMessage,
    )
    from overmind_core.agents.messages import MessageQueue
    from overmind_core.agents.service import Agents
    from overmind_core.agents.store import MessageRow
    from overmind_core.agents.submission import Submission
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.request import Caller
    from overmind_core.missions.registry import Registry
    from overmind_core.system.paths import Home


MOST_KEYS = 100
MOST_TEXT = 1000
"""Limits of one request: it is typed at once, whether its program reads or not."""
_REACHED = {
    "delivered": frozenset({DELIVERED, ANSWERED, FAILED, CANCELLED}),
    "answered": frozenset({ANSWERED, FAILED, CANCELLED}),
}


class MessageApi:
    """The requests about messages."""

    def __init__(
        self,
        *,
        agents: Agents,
        submission: Submission,
        queue: MessageQueue,
        registry: Registry,
        journal: Journal,
        home: Home,
    ) -> None:
        self._agents = agents
        self._submission = submission
        self._queue = queue
        self._registry = registry
        self._journal = journal
        self._home = home

    @handles(Send)
    async def send(self, request: Send, caller: Caller) -> SentMessage:
        """Queue a message for a session; a raw session has it at once."""
        mission = find(self._registry, request.id, live_first=True)
        forbid_foreign(mission_of(caller, self._registry, self._home.root), mission, self._registry, "send to")
        who = actor()
        sender = None if who == PERSON else who
        number = await self._submission.submit(
            mission, request.text, queue=request.queue, sender=sender, request=request.request
        )
        return self._sent(mission, number)

    @handles(Keys)
    async def keys(self, request: Keys, caller: Caller) -> PressedKeys:
        """Type into a session's terminal."""
        mission = find(self._registry, request.id, live_first=True)
        asking = mission_of(caller, self._registry, self._home.root)
        forbid_foreign(asking, mission, self._registry, "press keys in")
        if not request.text and not request.keys:
            raise OvermindError("invalid", "No keys are given.")
        if len(request.keys) > MOST_KEYS or len(request.text) > MOST_TEXT:
            most = f"{MOST_KEYS} keys and {MOST_TEXT} characters"
            raise OvermindError("too_large", f"That is more than {most}. Send a long text with: overmind send")
        await self._submission.press(mission, request.text, request.keys)
        return {**answers.brief(mission), "keys": len(request.keys), "characters": len(request.text)}

    @handles(AwaitMessage)
    async def await_message(self, request: AwaitMessage, caller: Caller) -> AwaitedMessage:
        """How a message stands once it is delivered, or answered, or the time is up."""
        del caller
        limit = seconds(request.timeout, "timeout")
        wanted = _REACHED[request.until]
        event = self._queue.watch(request.message)
        try:
            async with asyncio.timeout(limit):
                while (message := self._message(request.message)).state not in wanted:
                    event.clear()
                    await event.wait()
        except TimeoutError:
            message = self._message(request.message)
        finally:
            self._queue.unwatch(request.message, event)
        return {
            "message": message.id,
            "id": message.mission,
            "state": message.state,
            **decode(message.answer),
        }

    @handles(Messages)
    async def messages(self, request: Messages, caller: Caller) -> list[MessageInfo]:
        """The messages of a mission, oldest first; with `cancel` one of them is withdrawn first."""
        mission = find(self._registry, request.id)
        if request.cancel is not None:
            asking = mission_of(caller, self._registry, self._home.root)
            forbid_foreign(asking, mission, self._registry, "cancel messages to")
            self._submission.withdraw(mission, request.cancel)
            await self._journal.saved()
        return [_described(message) for message in self._queue.of(mission.id)]

    @handles(One)
    async def interrupt(self, request: One, caller: Caller) -> InterruptedMission:
        """End the turn, keep the session."""
        mission = find(self._registry, request.id, live_first=True)
        asking = mission_of(caller, self._registry, self._home.root)
        forbid_foreign(asking, mission, self._registry, "interrupt")
        session = self._agents.session(mission, to_interrupt=True)
        # It would act on it once it is thawed; and of what is no agent nobody reads a key between two runs.
        is_late = mission.status is not Status.RUNNING and not session.provider.speaks_json
        if mission.status is Status.PAUSED or is_late:
            raise nobody_reads(mission)
        busy = await self._submission.interrupt(mission, session)
        await self._journal.saved()
        return {**answers.brief(mission), "interrupted": busy}

    @handles(One)
    async def result(self, request: One, caller: Caller) -> ProgramResult:
        """The last result object of an agent, as its program gave it."""
        del caller
        mission = find(self._registry, request.id)
        raw = self._agents.result(mission.id)
        if raw is not None:
            return dict(json.loads(raw))
        if mission.is_live:
            raise OvermindError("not_finished", f"Mission {mission.id} ({mission.definition.name}) has no result yet.")
        return {}

    def _sent(self, mission: Mission, number: int) -> SentMessage:
        message = self._message(number)
        session = self._agents.of(mission.id)
        queue = () if session is None else session.state.queue
        ahead = queue.index(number) if number in queue else 0
        busy = session is not None and (session.state.turn is not None or session.state.sending not in {None, number})
        waits = message.state == QUEUED
        return {
            "message": number,
            "state": message.state,
            "ahead": ahead + int(busy) if waits else 0,
            **answers.brief(mission),
        }

    def _message(self, number: int) -> MessageRow:
        message = self._queue.get(number)
        if message is None:
            raise OvermindError("not_found", f"There is no message {number}.")
        return message


def _described(message: MessageRow) -> MessageInfo:
    return {
        "message": message.id,
        "state": message.state,
        "text": message.text,
        "sender": message.sender,
        "created_at": format_time(message.created_at),
        "delivered_at": answers.time(message.delivered_at),
        "ended_at": answers.time(message.ended_at),
        "resent": message.resent,
        "error": decode(message.answer)["error"],
    }
