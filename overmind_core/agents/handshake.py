"""The exchange with which a program on pipes opens its conversation: one that never comes to its end is ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from overmind_core.domain.missions.facts import EndAsked
from overmind_core.domain.missions.mission import Cause

if TYPE_CHECKING:
    from overmind_core.agents.session import Session

LIMIT = 60.0
"""Seconds for the whole exchange; the slowest program that is known takes 28 without a network."""
REASON = "no_handshake"


def watch(session: Session) -> None:
    """End the newest run, unless its program has opened the conversation within `LIMIT`."""
    asyncio.get_running_loop().call_later(LIMIT, _check, session, session.state.run)


def _check(session: Session, run: int) -> None:
    state, mission = session.state, session.mission
    if session.closed or mission is None or state.running != run or not state.opening:
        return
    text = f"--- stopped: {session.provider.name} did not open a conversation within {LIMIT:g} s ---"
    session.end(EndAsked(Cause.LIMIT, mission.definition.grace, text, REASON))
