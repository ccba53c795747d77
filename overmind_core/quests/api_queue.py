"""`quest_add`, `quest_edit`, `quest_retry`, `quest_why`, `queue`, `queue_set`, `board`: work that waits its turn."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from overmind_core.kernel.request import handles
from overmind_core.missions import validate
from overmind_core.quests import requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.kernel.request import Caller
    from overmind_core.quests.answer_types import (
        QuestBoard,
        QuestBrief,
        QuestRetried,
        QuestsAdded,
        QuestWhy,
        QueueChanged,
        QueueStatus,
    )
    from overmind_core.quests.queue import Queue
    from overmind_core.quests.queue_changes import QueueChanges
    from overmind_core.quests.queue_views import QueueViews
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.system.machine import Clock

_KEY = 16


class QueueApi:
    """The requests about the queue."""

    def __init__(
        self,
        *,
        quests: QuestRegistry,
        queue: Queue,
        clock: Clock,
        changes: Callable[[], QueueChanges],
        views: Callable[[], QueueViews],
        limit_today: Callable[[float], None],
    ) -> None:
        """`changes`: loads and makes what adds and changes quests; most supervisors never need it."""
        self._quests = quests
        self._queue = queue
        self._clock = clock
        self._changes = changes
        self._views = views
        self._limit_today = limit_today

    @handles(requests.QuestAdd)
    async def quest_add(self, request: requests.QuestAdd, caller: Caller) -> QuestsAdded:
        """Put quests into the queue: all of them, or none. With a request key a repeat answers the same quests."""
        del caller
        return {"quests": await self._changes().add(request, request.request or os.urandom(_KEY).hex())}

    @handles(requests.QuestEdit)
    async def quest_edit(self, request: requests.QuestEdit, caller: Caller) -> QuestBrief:
        """Change a quest of the queue."""
        del caller
        return await self._changes().edit(request)

    @handles(requests.QuestRetry)
    async def quest_retry(self, request: requests.QuestRetry, caller: Caller) -> QuestRetried:
        """Give a failed or cancelled quest another round of attempts."""
        del caller
        return await self._changes().retry(request)

    @handles(requests.Quest)
    async def quest_why(self, request: requests.Quest, caller: Caller) -> QuestWhy:
        """Why a quest does not start, or how it stands, and what depends on it."""
        del caller
        return await self._views().why(self._quests.find(request.id))

    @handles(requests.Queue)
    async def queue(self, request: requests.Queue, caller: Caller) -> QueueStatus:
        """The queue: its slots, whose turn it is, and who lands."""
        del caller
        return self._views().queue(self._clock.wall() + validate.seconds(request.at, "--at"), limit=request.limit)

    @handles(requests.QueueSet)
    async def queue_set(self, request: requests.QueueSet, caller: Caller) -> QueueChanged:
        """Pause or resume the queue, or change its slots, or what it may cost until midnight."""
        del caller
        if request.max_cost_today is not None:
            self._limit_today(request.max_cost_today)
        if request.slots is not None:
            self._queue.set_slots(request.slots)
        if request.paused is not None:
            self._queue.pause(on=request.paused)
        await self._queue.saved()
        return {"paused": self._queue.paused, "slots": self._queue.slots, "running": self._queue.running}

    @handles(requests.Board)
    async def board(self, request: requests.Board, caller: Caller) -> QuestBoard:
        """The board: every quest in exactly one column."""
        del caller
        return self._views().board(request.spec, every=request.all, limit=request.limit)
