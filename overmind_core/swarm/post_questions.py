"""The open questions about posts: told to the swarm as this hive's inbox shows them, and answered here from afar."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.agents.requests import Answer
from overmind_core.errors import OvermindError
from overmind_core.kernel.actor import acts

if TYPE_CHECKING:
    from overmind_core.agents.api_questions import QuestionApi
    from overmind_core.missions.registry import Registry
    from overmind_core.swarm.answers import Reply

_WORDS = ("behaviour", "message", "options")
"""Of an answer, as the request `answer` has them."""
_log = logging.getLogger(__name__)


class PostQuestions:
    """Used from the loop's thread."""

    def __init__(self, api: QuestionApi, registry: Registry) -> None:
        self._api = api
        self._registry = registry

    async def about(self, subject: str) -> list[dict[str, Any]]:
        """Return those about a mission or quest and all that works for it, each with its `key`."""
        rows = [row for row in await self._api.open_questions() if self._concerns(row["about"]["id"], subject)]
        return [{"key": str(row["question"]), **row} for row in rows]

    async def answer(self, reply: Reply) -> None:
        """Answer one as somebody has from afar; one that is answered already stays as it is."""
        await asyncio.create_task(self._answer(reply))  # a task of its own acts in somebody's name

    async def _answer(self, reply: Reply) -> None:
        acts(lambda: f"swarm:{reply.by}")
        try:
            words = {name: reply.answer[name] for name in _WORDS if name in reply.answer}
            await self._api.answered(msgspec.convert({**words, "question": int(reply.key)}, Answer))
        except (ValueError, msgspec.ValidationError) as error:
            _log.warning("an answer of %s to question %s is none: %s", reply.by, reply.key, error)
        except OvermindError as error:
            _log.info("question %s was answered already: %s", reply.key, error.message)

    def _concerns(self, about: str, subject: str) -> bool:
        """Whether it is about the subject, or about a mission that something of it has started."""
        for _ in range(_LONGEST_LINE):
            if about == subject:
                return True
            mission = self._registry.live.get(about)
            if mission is None or mission.definition.parent is None:
                return False
            about = mission.definition.parent
        return False


_LONGEST_LINE = 64
"""Missions above one another that are looked at; limits of trees keep lines far shorter."""
