"""Giving a headless session to a person's terminal and taking it back, one process at a time.

The wish is saved (`Conversation.wanted`); runs follow it whenever the agent is free, through any crash of ours.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from overmind_core.domain.agents import conversation_events
from overmind_core.domain.agents.agent import AgentMode
from overmind_core.domain.agents.conversation import is_busy, is_handed_over, is_uncopied
from overmind_core.domain.missions.mission import Status
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from overmind_core.agents.answer_types import TurnFinishing
    from overmind_core.agents.session import Session
    from overmind_core.kernel.phase import Phase
    from overmind_core.missions.attachments import Attachment, Attachments
    from overmind_core.missions.followers import Followers
    from overmind_core.system.machine import Clock

PROGRESS_SECONDS = 1.0
"""How often who waits for the end of a turn learns how long it takes."""
REJOIN_SECONDS = 10.0
"""How long who was attached has to come back after a supervisor died."""


class Handover:
    """Changes sessions over."""

    def __init__(self, followers: Followers, attachments: Attachments, phase: Phase, clock: Clock) -> None:
        self._followers = followers
        self._attachments = attachments
        self._phase = phase
        self._clock = clock

    async def give(self, session: Session, attachment: Attachment, *, keep: bool) -> AsyncIterator[TurnFinishing]:
        """Have it run on a terminal; tells meanwhile how long the turn under way lasts."""
        # Who comes to somebody that wants it to stay there does not take that back.
        kept = session.state.keep and self._attachments.typists(session.id) > 1
        session.apply(conversation_events.ModeWanted(AgentMode.INTERACTIVE, keep or kept))
        with self._followers.follow([session.id]) as follower:
            while not _is_there(session) and not attachment.dismissed.is_set():
                mission, state = session.mission, session.state
                if mission is None or state.wanted is not AgentMode.INTERACTIVE:  # it ended, or its program did at once
                    return
                if state.mode is AgentMode.HEADLESS and is_busy(state):
                    began = state.turn.began if state.turn is not None else state.activity.since
                    yield {"type": "finishing", "seconds": round(self._clock.wall() - began, 1)}
                try:
                    async with asyncio.timeout(PROGRESS_SECONDS):
                        await follower.news()
                except TimeoutError:
                    continue

    def take_back(self, session: Session | None) -> None:
        """Nobody is there any more who may type: back to pipes, once it is idle."""
        if session is None or not is_handed_over(session.state) or session.state.keep or self._phase.closing:
            return
        if self._attachments.typists(session.id) == 0:
            session.apply(conversation_events.ModeWanted(AgentMode.HEADLESS))


def check_copied(session: Session | None) -> None:
    """Refuse to give a fork to a terminal before it has its copy: there it would copy more than was asked for.

    Raises:
        OvermindError: `not_finished`.
    """
    if session is None or not is_uncopied(session.state) or session.state.fork is None or not session.state.fork.mark:
        return
    mission = session.mission
    name = session.id if mission is None else mission.definition.name
    message = f"{name} makes its copy with its first message, not on a terminal. Send it one: overmind send {name} TEXT"
    raise OvermindError("not_finished", message)


def can_change(session: Session | None) -> bool:
    """Whether it is a headless session that a person can have in a terminal."""
    return (
        session is not None
        and session.state.home is AgentMode.HEADLESS
        and AgentMode.INTERACTIVE in session.provider.modes
    )


def _is_there(session: Session) -> bool:
    mission = session.mission
    return (
        mission is not None
        and mission.status is Status.RUNNING
        and session.state.mode is AgentMode.INTERACTIVE
        and session.state.running == mission.run
    )
