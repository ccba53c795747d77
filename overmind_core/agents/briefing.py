"""The briefing of runs: what memory has for each, asked in time, and only where it is wanted."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, TypeVar

from overmind_core.agents.ports import BriefingRequest
from overmind_core.domain.agents.agent import RAW, AgentMode
from overmind_core.domain.memory.giving import GivenNotes, Injection
from overmind_core.domain.missions.mission import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from overmind_core.agents.ports import Briefing
    from overmind_core.agents.session import Session
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.missions.answer_types import MissionNotes

T = TypeVar("T")

LIMIT = 0.3
"""Seconds that a run waits for its notes; then it begins without. Who asks about them waits no longer, either."""
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
        if refusal is not None:  # who has no notes misses none
            return _nothing(refusal) if self._memory.has_notes else None
        return self._given(
            BriefingRequest(
                mission,
                conversation=_conversation(mission, session),
                question=subject or _question(mission, session),
                injection=injection,
                is_new=session is None or not session.state.resumed,
            )
        )

    def never_begun(self, mission_id: str, run: int) -> None:
        """A run that was briefed will never begin."""
        if self._memory.has_notes:
            self._memory.never_begun(mission_id, run)

    def injection(self, mission: Mission, *, is_agent: bool) -> Injection:
        """Which notes the mission is given."""
        return self._injection(mission, is_asked=is_agent or self._subject_of(mission.id) is not None)

    def _injection(self, mission: Mission, *, is_asked: bool) -> Injection:
        wanted = mission.definition.notes
        if not self._memory.is_on or (wanted is None and not is_asked):
            return Injection.OFF
        return self._memory.injection if wanted is None else wanted

    def notes_of(self, mission: Mission) -> Coroutine[None, None, MissionNotes | None] | None:
        """What a mission was given, and has written; None, at once, where nothing was wanted."""
        definition = mission.definition
        is_agent = definition.provider != RAW or definition.kind is Kind.SESSION
        wanted = is_agent or definition.notes is not None or self._subject_of(mission.id) is not None
        if not wanted or not self._memory.is_on:
            return None
        return self._shown(mission, self.injection(mission, is_agent=is_agent))

    async def _shown(self, mission: Mission, injection: Injection) -> MissionNotes | None:
        found = await _in_time(self._memory.notes_of(mission, injection), mission)
        return None if isinstance(found, str) else found

    async def _given(self, request: BriefingRequest) -> GivenNotes | None:
        had_notes = self._memory.has_notes
        found = await _in_time(self._memory.notes_for(request), request.mission)
        if isinstance(found, str):
            if request.is_new:  # else it has begun with what is saved, and the next run gets that again
                self._memory.not_given(request.conversation)
            return GivenNotes(why_not=found) if had_notes else None  # who has no notes misses none
        return found


async def _in_time(work: Coroutine[Any, Any, T], mission: Mission) -> T | str:
    """What memory answers; a text: why it has not answered in time."""
    search = asyncio.ensure_future(work)
    search.add_done_callback(_hear)
    try:
        await asyncio.wait({search}, timeout=LIMIT)
        return search.result() if search.done() else TOO_SLOW
    except Exception:  # noqa: BLE001 - memory is a boundary: when it fails, nothing else does
        _log.exception("memory could not answer about mission %s", mission.id)
        return FAILED
    finally:
        search.cancel()


async def _nothing(why_not: str) -> GivenNotes:
    return GivenNotes(why_not=why_not)


def _conversation(mission: Mission, session: Session | None) -> str:
    one_run = session is None or session.agent.home is AgentMode.ONE_SHOT
    return mission.run_id if one_run else mission.id


def _question(mission: Mission, session: Session | None) -> str | None:
    """What a command is, or what an agent is told first; a plain program that waits for input is told nothing."""
    return mission.definition.command if session is None else session.agent.prompt


def _hear(search: asyncio.Future[Any]) -> None:
    """Take in how it ended, also where nobody waits for it any more."""
    if not search.cancelled():
        search.exception()
