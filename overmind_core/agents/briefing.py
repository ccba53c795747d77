"""The briefing of runs: what memory has for each, asked in time, and only where it is wanted."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from overmind_core.agents.ports import BriefingRequest
from overmind_core.domain.agents.agent import AgentMode
from overmind_core.domain.memory.giving import GivenNotes, Injection

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from overmind_core.agents.ports import Briefing
    from overmind_core.agents.session import Session
    from overmind_core.domain.missions.mission import Mission

LIMIT = 0.3
"""Seconds that a run waits for its notes; then it begins without."""
TOO_SLOW = "the search took longer than 300 ms"
FAILED = "the search has failed; see daemon.log"
_log = logging.getLogger(__name__)


class RunBriefing:
    """Used from the loop's thread. `subject_of`: title and brief of a quest of the queue; None of anything else."""

    def __init__(self, memory: Briefing, subject_of: Callable[[str], str | None]) -> None:
        self._memory = memory
        self._subject_of = subject_of

    def begin(self, mission: Mission, session: Session | None) -> Coroutine[None, None, GivenNotes | None] | None:
        """What the mission's newest run is to know; None, at once, where nothing is wanted."""
        subject = self._subject_of(mission.id)
        injection = self._injection(mission, is_asked=session is not None or subject is not None)
        if injection is Injection.OFF or (session is None and not self._memory.has_notes):
            return None
        refusal = None if session is None else session.provider.refuse_notes(session.agent)
        if refusal is not None:
            return _nothing(refusal)
        return self._given(
            BriefingRequest(
                mission,
                conversation=_conversation(mission, session),
                question=subject or _question(mission, session),
                injection=injection,
                is_new=session is None or not session.state.resumed,
            )
        )

    def injection(self, mission: Mission, *, is_agent: bool) -> Injection:
        """Which notes the mission is given."""
        return self._injection(mission, is_asked=is_agent or self._subject_of(mission.id) is not None)

    def _injection(self, mission: Mission, *, is_asked: bool) -> Injection:
        wanted = mission.definition.notes
        if not self._memory.is_on or (wanted is None and not is_asked):
            return Injection.OFF
        return self._memory.injection if wanted is None else wanted

    async def _given(self, request: BriefingRequest) -> GivenNotes | None:
        search = asyncio.ensure_future(self._memory.notes_for(request))
        search.add_done_callback(_hear)
        try:
            await asyncio.wait({search}, timeout=LIMIT)
            if search.done():
                return search.result()
            why_not = TOO_SLOW
        except Exception:  # noqa: BLE001 - memory is a boundary: when it fails, nothing else does
            _log.exception("the notes for mission %s could not be found", request.mission.id)
            why_not = FAILED
        finally:
            search.cancel()
        self._memory.not_given(request.conversation)
        return GivenNotes(why_not=why_not)


async def _nothing(why_not: str) -> GivenNotes:
    return GivenNotes(why_not=why_not)


def _conversation(mission: Mission, session: Session | None) -> str:
    one_run = session is None or session.agent.home is AgentMode.ONE_SHOT
    return mission.run_id if one_run else mission.id


def _question(mission: Mission, session: Session | None) -> str | None:
    """What a command is, or what an agent is told first; a plain program that waits for input is told nothing."""
    return mission.definition.command if session is None else session.agent.prompt


def _hear(search: asyncio.Future[GivenNotes | None]) -> None:
    """Take in how it ended, also where nobody waits for it any more."""
    if not search.cancelled():
        search.exception()
