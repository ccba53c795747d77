"""Giving a headless session to a person's terminal and taking it back, one process at a time.

The wish is saved (`Conversation.wanted`); runs follow it whenever the agent is free, through any crash of ours.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from overmind_core.domain.agents import conversation_events as talk
from overmind_core.domain.agents.agent import AgentMode
from overmind_core.domain.agents.conversation import is_busy, is_handed_over
from overmind_core.domain.missions.mission import Status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from overmind_core.agents.session import Session
    from overmind_core.daemon.app import Supervisor
    from overmind_core.missions.attachments import Attachment

TELL_SECONDS = 1.0
"""How often who waits for the end of a turn is told how long it takes."""
REJOIN_SECONDS = 10.0
"""How long who was attached has to come back after a supervisor died."""


def can_change(core: Supervisor, mission_id: str) -> bool:
    """Whether the mission is a headless session that a person can have in a terminal."""
    session = core.desk.of(mission_id)
    return (
        session is not None and session.c.home is AgentMode.HEADLESS and AgentMode.INTERACTIVE in session.provider.modes
    )


async def give(core: Supervisor, session: Session, seat: Attachment, *, keep: bool) -> AsyncIterator[dict[str, Any]]:
    """Have it run on a terminal; tells meanwhile how long the turn under way lasts."""
    session.tell(talk.ModeWanted(AgentMode.INTERACTIVE, keep))
    with core.feed.follow([session.id]) as follower:
        while not _is_there(session) and not seat.dismissed.is_set():
            mission = session.mission
            if mission is None or session.c.wanted is not AgentMode.INTERACTIVE:  # it ended, or its program did at once
                return
            if session.c.mode is AgentMode.HEADLESS and is_busy(session.c):
                began = session.c.turn.began if session.c.turn is not None else session.c.activity.since
                yield {"type": "finishing", "seconds": round(core.clock.wall() - began, 1)}
            try:
                async with asyncio.timeout(TELL_SECONDS):
                    await follower.news()
            except TimeoutError:
                continue


def take_back(core: Supervisor, mission_id: str) -> None:
    """Nobody is there any more who may type: back to pipes, once it is idle."""
    session = core.desk.of(mission_id)
    if session is None or not is_handed_over(session.c) or session.c.keep or core.phase.closing:
        return
    if core.attached.typists(mission_id) == 0:
        session.tell(talk.ModeWanted(AgentMode.HEADLESS))


async def take_back_later(core: Supervisor, mission_id: str) -> None:
    """After a crash of ours: whoever was attached comes back soon, or not at all."""
    await asyncio.sleep(REJOIN_SECONDS)
    take_back(core, mission_id)


def _is_there(session: Session) -> bool:
    mission = session.mission
    return (
        mission is not None
        and mission.status is Status.RUNNING
        and session.c.mode is AgentMode.INTERACTIVE
        and session.c.running == mission.run
    )
