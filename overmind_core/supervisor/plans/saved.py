"""Blueprints and where their agents stand, as the store holds them: JSON of the values of the domain."""

from __future__ import annotations

import msgspec

from overmind_core.domain.plan.blueprint import Blueprint
from overmind_core.domain.plan.progress import Node

_encode = msgspec.json.Encoder().encode
_blueprint = msgspec.json.Decoder(Blueprint).decode
_node = msgspec.json.Decoder(Node).decode


def encode(value: Blueprint | Node) -> str:
    """As it is stored."""
    return _encode(value).decode()


def blueprint(text: str) -> Blueprint:
    """What `encode` made of one."""
    return _blueprint(text)


def node(text: str) -> Node:
    """What `encode` made of one."""
    return _node(text)
