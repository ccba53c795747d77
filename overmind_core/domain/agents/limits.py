"""Limits of the service behind an agent: rate limits, overload, missing credit. When is it tried again? Pure.

A message whose turn a limit has ended goes back to the head of the queue; nothing is delivered until the next try.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import ActivityKind, AgentMode
from overmind_core.domain.agents.agent_events import NO_CREDIT, Retry, TurnResult
from overmind_core.domain.agents.conversation_events import MessageMoved
from overmind_core.domain.agents.events import MessageResent
from overmind_core.domain.text.moment import format_time

if TYPE_CHECKING:
    from overmind_core.domain.agents.conversation import Conversation
    from overmind_core.domain.agents.conversation_events import Effect

FIRST_WAIT = 15.0
"""Seconds before the first try where nobody knows when the limit ends; doubles."""
LONGEST_WAIT = 300.0
"""Seconds; the back-off never waits longer."""


def next_try(reset_at: float | None, tries: int, now: float) -> float:
    """When to try again after `tries` failures in a row, in seconds since the epoch.

    Args:
        reset_at: When the limit ends, as the program says.
        tries: Failures in a row, from 1.
        now: Seconds since the epoch.
    """
    wait = min(FIRST_WAIT * 2.0 ** min(tries - 1, 30), LONGEST_WAIT)
    if reset_at is None or reset_at <= now:
        return now + wait
    return reset_at if tries == 1 else max(reset_at, now + wait / 2)  # it was wrong before: no try after the other


def with_limit(c: Conversation, result: TurnResult | None, now: float) -> tuple[Conversation, TurnResult | None]:
    """The result with the time of the next try, where a limit has ended the turn; else the count begins again."""
    if result is None or result.interrupted:
        return c, result
    result = _until_reset(c, result)
    if result.retry is not Retry.WAIT or c.mode is AgentMode.ONE_SHOT:
        return replace(c, tries=0), result
    tries = c.tries + 1
    resume_at = None if result.reason == NO_CREDIT else next_try(result.resume_at, tries, now)
    return replace(c, tries=tries), replace(result, resume_at=resume_at)


def held_back(c: Conversation, message: int, result: TurnResult) -> tuple[Conversation, tuple[Effect, ...]]:
    """Put the message back in front of the queue, and say so."""
    when = "" if result.resume_at is None else f" at {format_time(result.resume_at)}"
    again = "once this is resolved" if result.resume_at is None else f"again{when}"
    text = f"--- message {message} waits: {result.reason}; it will be sent {again} ---"
    queue = (message, *(one for one in c.queue if one != message))
    return replace(c, queue=queue), (MessageMoved(message, "queued"), MessageResent(text=text))


def is_held(c: Conversation) -> bool:
    """Whether a limit keeps messages back."""
    return c.activity.doing is ActivityKind.LIMITED


def _until_reset(c: Conversation, result: TurnResult) -> TurnResult:
    """A turn that a limit ended: its end was reported before; none is known of the program's own tries (`attempt`)."""
    doing = c.activity
    if result.ok or result.resume_at is not None or doing.doing is not ActivityKind.LIMITED:
        return result
    known = doing.resume_at is not None and not doing.attempt
    return replace(result, retry=Retry.WAIT, resume_at=doing.resume_at) if known else result
