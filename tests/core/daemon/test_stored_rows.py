"""Values of the domain as rows of the database have them: to the byte as they always were, since old homes are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from overmind_core.agents import store as agents
from overmind_core.domain.agents.agent import Agent
from overmind_core.domain.agents.agent_events import Asked, Decision
from overmind_core.domain.agents.conversation import Conversation
from overmind_core.domain.isolation.isolation import Isolation
from overmind_core.domain.missions.mission import Mission, Run
from overmind_core.domain.plans.blueprint import Blueprint
from overmind_core.domain.plans.progress import AgentProgress
from overmind_core.domain.quests.quest import Quest
from overmind_core.domain.schedules import Ritual, RitualRun
from overmind_core.domain.specs.spec import Spec, SpecPhase
from overmind_core.domain.watching.learning import Lesson, LessonState
from overmind_core.isolation import store as isolation
from overmind_core.kernel.codec import Codec
from overmind_core.landing import service as landing
from overmind_core.learning import outbox as learning
from overmind_core.missions import registry
from overmind_core.plans import store as plans
from overmind_core.quests import store as quests
from overmind_core.schedules import store as schedules
from overmind_core.specs import store as specs
from tests.kit.cases import tabled

FILE = Path(__file__).parents[2] / "data" / "stored_rows.tsv"
"""Of each kind a row whose optional fields are left at their defaults, and one in which every field says something.

A field that is added to a type is added to its rows here; nothing else of them changes."""
CODECS: dict[str, tuple[type, Codec[Any]]] = {
    "mission": (Mission, registry.MISSION),
    "run": (Run, registry.RUN),
    "agent": (Agent, agents.DEFINITION),
    "conversation": (Conversation, agents.STATE),
    "asked": (Asked, agents.ASKED),
    "decision": (Decision, agents.DECISION),
    "engine_asked": (agents.EngineAsked, agents.ENGINE_ASKED),
    "blueprint": (Blueprint, plans.BLUEPRINT),
    "node": (AgentProgress, plans.NODE),
    "quest": (Quest, quests.RECORD),
    "ritual": (Ritual, schedules.RITUAL),
    "ritual_run": (RitualRun, schedules.RUN),
    "isolation": (Isolation, isolation.RECORD),
    "lesson": (Lesson, learning.RECORD),
    "spec": (Spec, specs.SPEC),
    "spec_phase": (SpecPhase, specs.PHASE),
    "trace": (dict, landing.TRACES),
}


ROWS = [line.split("\t") for line in FILE.read_bytes().decode().removesuffix("\n").split("\n")]


@tabled(("name", "text"), ROWS, ids=(f"{row[0]}-{at % 2}" for at, row in enumerate(ROWS)))
def test_a_stored_value_is_written_as_it_was_read(name, text):
    kind, codec = CODECS[name]
    value = codec.decode(text)
    assert isinstance(value, kind)
    assert codec.encode(value) == text


def test_every_kind_of_value_is_among_them():
    assert {name for name, _ in ROWS} == set(CODECS)


def test_a_value_that_an_earlier_version_stored_without_later_fields_is_read():
    old = '{"id":"a1","name":"docs","command":"make","cwd":"/x","provider":"raw","created_at":1.5,"gone":1}'
    assert quests.RECORD.decode(old) == Quest("a1", "docs", "make", "/x", "raw", 1.5)


def test_an_isolation_of_a_home_whose_services_had_one_port_each_is_read():
    text = next(text for name, text in ROWS if name == "isolation")
    old = text.replace(',"more_ports":[]', "")
    assert old != text
    assert isolation.RECORD.decode(old) == isolation.RECORD.decode(text)


def test_a_lesson_of_a_home_whose_lessons_were_no_notes_is_read():
    old = (
        '{"key":"k","repository":"/x/.git","failure":"exit","feedback":"E","files":["a"],"words":["carts"],'
        '"quest":"q","at":1.5,"number":7,"state":"accepted","helped":4,"hurt":1}'
    )
    assert learning.RECORD.decode(old) == Lesson(
        "k", "/x/.git", "exit", "E", ("a",), "q", 1.5, 7, LessonState.ACCEPTED, 4, 1
    )
