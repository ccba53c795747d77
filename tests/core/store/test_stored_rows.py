"""Values of the domain as rows of the database have them: to the byte as they always were, since old homes are read."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from overmind_core.agents import codec
from overmind_core.domain.agents.agent import Agent
from overmind_core.domain.agents.agent_events import Asked, Decision
from overmind_core.domain.agents.conversation import Conversation
from overmind_core.domain.isolation.isolation import Isolation
from overmind_core.domain.missions.mission import Mission, Run
from overmind_core.domain.plans.blueprint import Blueprint
from overmind_core.domain.plans.progress import Node
from overmind_core.domain.quests import Quest
from overmind_core.domain.schedules import Ritual, RitualRun
from overmind_core.isolation import store as isolation
from overmind_core.landing import service as landing
from overmind_core.missions import registry
from overmind_core.plans import store as plans
from overmind_core.quests import store as quests
from overmind_core.schedules import store as schedules

FILE = Path(__file__).parents[2] / "data" / "stored_rows.tsv"
"""Of each kind a row whose optional fields are left at their defaults, and one in which every field says something.

A field that is added to a type is added to its rows here; nothing else of them changes."""
WAYS = {
    "mission": (Mission, registry._decode_mission, registry._encode),
    "run": (Run, registry._decode_run, registry._encode),
    "agent": (Agent, codec.agent, codec.encode),
    "conversation": (Conversation, codec.conversation, codec.encode),
    "asked": (Asked, codec.asked, codec.encode),
    "decision": (Decision, msgspec.json.Decoder(Decision).decode, codec.encode),
    "blueprint": (Blueprint, plans.blueprint, plans.encode),
    "node": (Node, plans.node, plans.encode),
    "quest": (Quest, quests._decode, lambda quest: quests.row(quest).record),
    "ritual": (Ritual, schedules.ritual, schedules.encode),
    "ritual_run": (RitualRun, schedules.run, lambda run: schedules.run_row(run).record),
    "isolation": (Isolation, isolation._decode, lambda value: isolation.row(value).record),
    "trace": (dict, landing._decode, landing._encode),
}


def stored() -> list[tuple[str, str]]:
    lines = FILE.read_bytes().decode().removesuffix("\n").split("\n")
    return [(name, text) for name, _, text in (line.partition("\t") for line in lines)]


@pytest.mark.parametrize(("name", "text"), stored())
def test_a_stored_value_is_written_as_it_was_read(name, text):
    kind, decode, encode = WAYS[name]
    value = decode(text)
    written = encode(value)
    assert isinstance(value, kind)
    assert (written if isinstance(written, str) else written.decode()) == text


def test_every_kind_of_value_is_among_them():
    assert {name for name, _ in stored()} == set(WAYS)


def test_a_value_that_an_earlier_version_stored_without_later_fields_is_read():
    old = {"id": "a1", "name": "docs", "command": "make", "cwd": "/x", "provider": "raw", "created_at": 1.5}
    quest = quests._decode(json.dumps({**old, "unknown": 1}))
    assert quest == Quest(**old)
