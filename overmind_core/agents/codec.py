"""Agents and conversations as the store holds them: JSON of the values of the domain."""

from __future__ import annotations

import msgspec

from overmind_core.domain.agents.agent import Agent
from overmind_core.domain.agents.agent_events import Asked, Decision
from overmind_core.domain.agents.conversation import Conversation

_encode = msgspec.json.Encoder().encode
_conversation = msgspec.json.Decoder(Conversation).decode
_agent = msgspec.json.Decoder(Agent).decode
_asked = msgspec.json.Decoder(Asked).decode


def encode(value: Agent | Conversation | Asked | Decision) -> str:
    """As it is stored."""
    return _encode(value).decode()


def conversation(text: str) -> Conversation:
    """What `encode` made of one."""
    return _conversation(text)


def agent(text: str) -> Agent:
    """What `encode` made of one."""
    return _agent(text)


def asked(text: str) -> Asked:
    """What `encode` made of one."""
    return _asked(text)
