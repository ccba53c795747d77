"""Answers are what their handlers declare: all goldens, field by field; and the schema for programs says the same.

That what a daemon answers in truth is so, placeholders or not, is held by `test_goldens.py`.
"""

from __future__ import annotations

import inspect
import json
import os

import pytest

from overmind_core.daemon.answer_types import MissionCounts
from overmind_core.daemon.routes import TABLE
from overmind_core.domain.missions.mission import Status
from overmind_core.domain.plans.progress import AgentStage
from overmind_core.plans.answer_types import AgentCounts
from scripts.reference.answer_types import answers
from tests.contract.golden_refusals import WITH_A_CORTEX, WITH_A_SWARM
from tests.kit.answers import answer_problems
from tests.kit.cases import each
from tests.kit.overmind import REPOSITORY

GOLDENS = os.path.join(os.path.dirname(__file__), "goldens")
SECTIONS = sorted(name for name in os.listdir(GOLDENS) if name.startswith("api_"))


def golden(name):
    with open(os.path.join(GOLDENS, name), encoding="utf-8") as file:
        return json.load(file)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_golden_is_what_its_handler_declares(section):
    assert [problem for line in golden(section) for problem in answer_problems(line)] == []


def test_a_golden_of_every_command_was_looked_at():
    lines = [line for section in SECTIONS for line in golden(section)]
    answered = {line["cmd"] for line in lines if "ok" in line or "frames" in line}
    assert answered == set(TABLE) - WITH_A_CORTEX - WITH_A_SWARM


@each(TABLE, str)
def test_every_command_declares_its_answer(command):
    handle = TABLE[command].handle
    told = answers(handle)
    assert told.first
    assert bool(told.items) is not inspect.iscoroutinefunction(handle), "a stream, or one answer"


def test_what_is_not_declared_is_noticed():
    right = {"id": "1", "name": "a", "status": "stopped", "also": [{"id": "2", "name": "b"}]}
    assert problems_of("stop", right) == []
    assert problems_of("stop", {**right, "more": 1}) == ["stop.more: is not declared in StoppedMission"]
    assert problems_of("stop", {**right, "status": "sleeping"}) == ["stop.status: 'sleeping' is no Status"]
    assert problems_of("stop", {**right, "also": [{"id": "2"}]}) == ["stop.also[0].name: is missing in MissionBrief"]
    assert problems_of("stop", {**right, "name": None}) == ["stop.name: None is no str"]
    assert problems_of("stop", [right]) != []
    assert problems_of("hello", {"version": "1", "pid": True, "home": "/", "api": 1}) == ["hello.pid: True is no int"]


def problems_of(command, said):
    return list(answer_problems({"cmd": command, "ok": said}))


def test_items_of_a_stream_are_held_too():
    item = {"id": "1", "name": "a", "status": "stopped", "exit_code": 0, "shell_exit": 0, "reason": None,
            "outcome": "succeeded", "quest_state": None, "quest_text": None, "limit_seconds": None,
            "max_restarts": 5, "max_seconds": 60.0, "restart_count": 0, "run_reason": None,
            "restart_policy": "never"}  # fmt: skip
    assert problems_of_stream("wait", {"item": item}, {"end": {}}) == []
    assert problems_of_stream("wait", {"item": {**item, "x": 1}}) == ["wait item.x: is not declared in MissionEnd"]
    assert problems_of_stream("wait", {"end": {"x": 1}}) == ["wait: {'x': 1} ends the stream"]
    assert problems_of_stream("prune", {"item": item})[-1] == "prune: declares no stream"


def problems_of_stream(command, *frames):
    return list(answer_problems({"cmd": command, "frames": [{"ok": {"missions": []}}, *frames]}))


def test_counts_name_every_status_and_every_stage():
    assert set(MissionCounts.__annotations__) == {*Status, "lost", "total"}
    assert set(AgentCounts.__annotations__) == set(AgentStage)


def test_the_schema_has_every_command_and_leads_everywhere():
    with open(os.path.join(REPOSITORY, "docs", "api.schema.json"), encoding="utf-8") as file:
        text = file.read()
    schema = json.loads(text)
    assert list(schema["properties"]) == list(TABLE)
    assert all({"arguments", "answer"} <= one["properties"].keys() for one in schema["properties"].values())
    references = {part.partition('"')[0] for part in text.split('"#/$defs/')[1:]}
    assert references <= schema["$defs"].keys()
    assert schema["$defs"]["StartedMission"]["required"] == ["id", "name"]
    assert schema["$defs"]["StoppedMission"]["properties"]["also"]["description"] != ""
