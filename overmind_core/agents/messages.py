"""Messages for agents: numbered and stored; who waits for one is woken when it moves."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.agents.store import ANSWERED, CANCELLED, DELIVERED, FAILED, QUEUED, MessageRow
from overmind_core.domain.agents.conversation import FailedMessage
from overmind_core.domain.agents.spending import source_of
from overmind_core.domain.missions.reasons import to_send_again
from overmind_core.kernel.database import StoreError
from overmind_core.providers.registry import log_in_first

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.agents.answer_types import MessageAnswer
    from overmind_core.agents.store import MessageTable
    from overmind_core.domain.agents.agent_events import TurnResult
    from overmind_core.domain.agents.conversation_events import MessageMoved
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.journal import Journal
    from overmind_core.system.machine import Clock


def failure_line(effect: MessageMoved, mission: Mission | None, kept: FailedMessage | None) -> str | None:
    """Return the log's line about a message that no turn has answered.

    Of one that was given up the conversation still knows why (`kept`): nothing is delivered before the next run. None
    where its turn, or the mission's end, has one.
    """
    if effect.state != FAILED or effect.result is not None or mission is None or not mission.is_live:
        return None
    given_up = FailedMessage(effect.message, effect.error or FAILED)
    failed = kept if kept is not None and kept.message == effect.message else given_up
    how = log_in_first(mission.definition.provider, failed.error)
    told = f"{failed.sentence} ({how})" if how else failed.sentence
    return f"--- {told}; send it again with: {to_send_again(mission.definition.name)} ---"


class AnswerPlace(NamedTuple):
    """The place of an answer in the conversation of its agent."""

    mark: str
    """The program's name of it."""
    lost: int
    """As of the conversation: in another one it means nothing."""


def encode(result: TurnResult | None, error: str | None, place: AnswerPlace) -> str:
    """JSON of the answer: its text, what it took and cost, or why there is none; and its place, where that is known."""
    at = {"place": [*place]} if place.mark else {}
    if result is None:
        return json.dumps({"error": error, **at})
    usage = result.usage
    return json.dumps(
        {
            "text": result.text,
            "duration_ms": result.duration_ms,
            "cost_usd": None if result.cost_turn is None else round(result.cost_turn, 6),
            "cost_source": source_of(result.cost_turn, is_estimated=result.estimated),
            "usage": usage._asdict(),
            "error": error,
            **at,
        },
        ensure_ascii=False,
    )


def decode(stored: str | None) -> MessageAnswer:
    """The fields of a message's answer; null before there is one."""
    found: dict[str, Any] = {} if stored is None else json.loads(stored)
    return {
        "text": found.get("text"),
        "duration_ms": found.get("duration_ms"),
        "cost_usd": found.get("cost_usd"),
        "cost_source": found.get("cost_source"),
        "usage": found.get("usage"),
        "error": found.get("error"),
    }


def place_of(stored: str | None) -> AnswerPlace | None:
    """Return the place of an answer, as it is stored; None: it has none, or none that is known."""
    place = None if stored is None else json.loads(stored).get("place")
    return None if place is None else AnswerPlace(*place)


_ENDED = frozenset({ANSWERED, FAILED, CANCELLED})


class MessageQueue:
    """All messages."""

    def __init__(self, journal: Journal, table: MessageTable, clock: Clock) -> None:
        self._journal = journal
        self._table = table
        self._clock = clock
        self._newest = 0
        self._waiters: dict[int, list[asyncio.Event]] = {}

    def load(self) -> None:
        """Go on behind the highest number that was ever given."""
        self._newest = self._table.newest()

    def new(self, mission_id: str, text: str, *, sender: str | None, request: str | None) -> MessageRow:
        """A new message that waits, not stored yet."""
        self._newest += 1
        now = self._clock.wall()
        return MessageRow(
            self._newest, mission_id, QUEUED, sender, request, now, None, None, resent=False, answer=None, text=text
        )

    def insert(self, message: MessageRow) -> None:
        """Store a new message with this turn's commit."""
        self._journal.save(lambda: self._table.insert(message))

    async def store(self, message: MessageRow) -> None:
        """Store a new message, and wait for it.

        Raises:
            StoreError: it could not be saved, and is forgotten: whoever sent it may try again.
        """
        change = self._journal.save(lambda: self._table.insert(message))
        try:
            await self._journal.saved()
        except StoreError:
            self._journal.withdraw([change])
            raise

    def move(self, effect: MessageMoved, *, resent: Callable[[], bool]) -> None:
        """Save what became of a message, and wake who waits for it; `resent` is asked when it is saved."""
        now = self._clock.wall()
        number, state, error, result, mark, lost = effect
        answer = encode(result, error, AnswerPlace(mark, lost)) if state in _ENDED else None

        def write() -> None:
            found = self._table.get(number)
            if found is None:
                return
            moved = found._replace(
                state=state,
                delivered_at=now if state == DELIVERED else found.delivered_at,
                ended_at=now if state in _ENDED else None,
                resent=found.resent or resent(),
                answer=answer,
            )
            self._table.save(moved)

        self._journal.save(write, lambda: self._wake(number))

    def get(self, number: int) -> MessageRow | None:
        """How a message stands."""
        self._journal.flush()
        return self._table.get(number)

    def by_request(self, request: str) -> MessageRow | None:
        """The message that was accepted for this request."""
        self._journal.flush()
        return self._table.by_request(request)

    def of(self, mission_id: str) -> list[MessageRow]:
        """All messages of a mission, oldest first."""
        self._journal.flush()
        return self._table.of(mission_id)

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
