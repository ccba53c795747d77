"""Messages for agents: numbered, stored, delivered by their sessions; who waits for one is told when it moves.

What became of a message, as it is stored and told.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from overmind_core.agents.store import ANSWERED, CANCELLED, DELIVERED, FAILED, QUEUED, MessageRow
from overmind_core.agents.terminal_driver import ENTER
from overmind_core.domain.agents import conversation_events as talk
from overmind_core.domain.agents.agent import AgentMode
from overmind_core.errors import OvermindError
from overmind_core.kernel.database import StoreError
from overmind_core.kernel.keeper_client import KeeperRefused

if TYPE_CHECKING:
    from overmind_core.agents.session import Session
    from overmind_core.daemon.app import Supervisor
    from overmind_core.domain.agents.agent_events import TurnResult


def encode(result: TurnResult | None, error: str | None) -> str:
    """JSON of the answer: its text, what it took and cost, or why there is none."""
    if result is None:
        return json.dumps({"error": error})
    usage = result.usage
    return json.dumps(
        {
            "text": result.text,
            "duration_ms": result.duration_ms,
            "cost_usd": None if result.cost_turn is None else round(result.cost_turn, 6),
            "usage": usage._asdict(),
            "error": error,
        },
        ensure_ascii=False,
    )


def decode(stored: str | None) -> dict[str, Any]:
    """The fields of a message's answer; null before there is one."""
    found: dict[str, Any] = {} if stored is None else json.loads(stored)
    return {name: found.get(name) for name in ("text", "duration_ms", "cost_usd", "usage", "error")}


_ENDED = frozenset({ANSWERED, FAILED, CANCELLED})


class MessageQueue:
    """All messages."""

    def __init__(self, core: Supervisor) -> None:
        self.core = core
        self._newest = 0
        self._waiters: dict[int, list[asyncio.Event]] = {}

    def load(self) -> None:
        """Go on behind the highest number that was ever given."""
        self._newest = self.core.state.messages.newest()

    async def post(self, session: Session, text: str, *, sender: str | None, request: str | None) -> int:
        """Accept a message for an agent; it is delivered in its turn.

        Raises:
            StoreError: it could not be saved, and is forgotten: whoever sent it may try again.
        """
        number = await self.note(session, text, sender=sender, request=request)
        session.note("message_queued", message=number, sender=sender)
        session.tell(talk.Queued(number))
        if session.mission is None:  # it ended meanwhile
            self.moved(session, talk.MessageMoved(number, FAILED, "exited"))
        return number

    async def note(self, session: Session, text: str, *, sender: str | None, request: str | None) -> int:
        """Store a message; its number. Raises as `post` does."""
        row = self.row(session.id, text, sender=sender, request=request)
        change = self.core.ledger.save(lambda: self.core.state.messages.insert(row))
        try:
            await self.core.ledger.saved()
        except StoreError:
            self.core.ledger.withdraw([change])
            raise
        session.know(row.id, text)
        return row.id

    def row(self, mission_id: str, text: str, *, sender: str | None, request: str | None) -> MessageRow:
        """A new message that waits, not stored yet."""
        self._newest += 1
        now = self.core.clock.wall()
        return MessageRow(
            self._newest, mission_id, QUEUED, sender, request, now, None, None, resent=False, answer=None, text=text
        )

    def renew_prompt(self, session: Session) -> None:
        """Queue the prompt of a session anew that ended before it had taken any message, as at a dialog of its own."""
        agent = session.agent
        if agent.prompt is None or agent.home is AgentMode.ONE_SHOT or session.c.begun or session.c.queue:
            return
        earlier = self.core.state.messages.of(session.id)
        never = all(one.delivered_at is None for one in earlier)
        if not never or not earlier or earlier[0].state != FAILED:
            return
        row = self.row(session.id, agent.prompt, sender=None, request=None)._replace(resent=True)
        self.core.ledger.save(lambda: self.core.state.messages.insert(row))
        session.know(row.id, row.text)
        session.put(replace(session.c, queue=(row.id,)))
        text = f"--- message {earlier[0].id} never arrived: it is sent again as message {row.id} ---"
        session.note("message_resent", text, message=row.id)

    async def write_raw(self, session: Session, number: int, text: str) -> None:
        """Type it, and wait for the keeper's word.

        Raises:
            OvermindError: `too_large`, the terminal takes no line of this length; `not_running`, nobody reads it.
        """
        send = session.write(text.encode("utf-8", "replace") + ENTER)
        await self.core.ledger.saved()
        future = send()
        moved = talk.MessageMoved(number, DELIVERED)
        try:
            if future is not None:
                await future
        except KeeperRefused as refusal:
            self.moved(session, talk.MessageMoved(number, FAILED, refusal.code))
            code = refusal.code if refusal.code in {"too_large", "busy"} else "not_running"
            raise OvermindError(code, f"It could not be typed into mission {session.id}: {refusal.message}.") from None
        self.core.desk.hands.carry_out(session, moved)
        await self.core.ledger.saved()

    def moved(self, session: Session, effect: talk.MessageMoved) -> None:
        """Save what became of a message, and tell who waits for it."""
        now = self.core.clock.wall()
        number, state, error, result = effect
        answer = encode(result, error) if state in _ENDED else None

        def write() -> None:
            found = self.core.state.messages.get(number)
            if found is None:
                return
            moved = found._replace(
                state=state,
                delivered_at=now if state == DELIVERED else found.delivered_at,
                ended_at=now if state in _ENDED else None,
                resent=found.resent or number in session.c.resent,
                answer=answer,
            )
            self.core.state.messages.save(moved)

        self.core.ledger.save(write, lambda: self._wake(number))

    def get(self, number: int) -> MessageRow | None:
        """How a message stands."""
        self.core.ledger.flush()
        return self.core.state.messages.get(number)

    def watch(self, number: int) -> asyncio.Event:
        """An event that is set whenever the message moves."""
        event = asyncio.Event()
        self._waiters.setdefault(number, []).append(event)
        return event

    def unwatch(self, number: int, event: asyncio.Event) -> None:
        """Nobody waits with this event any more."""
        waiting = self._waiters.get(number, [])
        if event in waiting:
            waiting.remove(event)
        if not waiting:
            self._waiters.pop(number, None)

    def _wake(self, number: int) -> None:
        for event in self._waiters.get(number, ()):
            event.set()
