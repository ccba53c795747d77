"""From a `run` request to a `MissionSpec`: what can be refused is refused here, by name, before anything exists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from overmind_core.agents.validate import agent_of
from overmind_core.domain.agents.agent import RAW, AgentMode
from overmind_core.domain.agents.events import ConversationAdopted
from overmind_core.errors import OvermindError
from overmind_core.missions import validate
from overmind_core.missions.spec import Adoption, Environment, MissionSpec

if TYPE_CHECKING:
    from overmind_core.domain.agents.agent import Agent
    from overmind_core.kernel.config import Settings
    from overmind_core.missions.requests import ConversationArgs, Start

LONGEST_SAID = 64 * 1024
"""Bytes of the last lines of a conversation that a log begins with."""
_SESSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


def spec_of(request: Start, settings: Settings, *, name: str | None = None, parent: str | None = None) -> MissionSpec:
    """Check a request and turn it into a spec.

    Args:
        request: As it came.
        settings: Where the programs of agents are.
        name: Instead of the request's, for what the system itself names.
        parent: The id of the mission that it is to be a child of; the request's is a person's word for it.

    Raises:
        OvermindError: naming the first thing that is wrong.
    """
    if name is None:
        name = "" if request.name is None else validate.checked_name(request.name)
    agent = agent_of(request, settings)
    definition = validate.definition(request, agent, name=name, parent=parent)
    environment = Environment(request.env, request.env_set)
    return MissionSpec(
        definition,
        environment,
        agent,
        isolate=validate.wants_isolation(request),
        base=request.base,
        origin=None if request.conversation is None else _adopted(request.conversation, agent, request.provider),
        request=request.request,
    )


def _adopted(asked: ConversationArgs, agent: Agent | None, provider: str) -> Adoption:
    """Return a conversation that a session is to go on with.

    Raises:
        OvermindError: `invalid`, no session of an agent can; `too_large`.
    """
    if agent is None or provider == RAW or agent.home is AgentMode.ONE_SHOT:
        raise OvermindError("invalid", "Only the session of an agent can go on with a conversation.")
    if _SESSION_ID.fullmatch(asked.id) is None:
        raise OvermindError("invalid", "The id of a conversation has letters, digits, - and _, at most 128 of them.")
    if sum(len(line.encode()) + 1 for line in asked.said) > LONGEST_SAID:
        raise OvermindError("too_large", "The last lines of the conversation are longer than 64 KiB.")
    lines = [f"--- goes on with conversation {asked.id} ---", *asked.said]
    return Adoption(asked.id, asked.cost_usd, ConversationAdopted(text="\n".join(lines), session_id=asked.id))
