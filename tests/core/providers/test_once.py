"""The answer of a program that takes one prompt: what it has printed, or what one line of that holds."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from overmind_core.domain.agents.agent import Agent, AgentMode
from overmind_core.domain.agents.agent_events import TextSpoken
from overmind_core.providers import lines, once, registry
from overmind_core.providers.base import ConnectionRequest


def request(key):
    agent = Agent(home=AgentMode.ONE_SHOT, answer=key)
    return ConnectionRequest(AgentMode.ONE_SHOT, agent, "", resume=False, cwd="/")


def answer(key, output):
    found = registry.get("once:mine").whole_answer(Agent(home=AgentMode.ONE_SHOT, answer=key), output)
    return None if found is None else found.text


ANSWERS = [
    ("text", b'{"text": "a"}\n{"text": "b"}\n{"tex": 1}\n', "b"),
    ("r.text", b'{"text": "b"}\n{"r": {"text": "a"}}\n{"r": {"t": "text"}}', "a"),
    ("r.text", b'{\n  "r": {\n    "text": "a"\n  }\n}\n', "a"),
    ("r\xe9", json.dumps({"r\xe9": "a"}).encode(), "a"),
    ("r\xe9", '{"r\xe9": "a"}'.encode(), "a"),
    ('a"b', json.dumps({'a"b': "a"}).encode(), "a"),
    ("text", b" \t{\"text\": [1]}\r\n{'text'", "[1]"),
    ("text", b'text\n["text"]\n{}', None),
    ("", b"text\n\n", "text"),
]


@pytest.mark.parametrize(("key", "output", "text"), ANSWERS)
def test_the_last_line_that_has_the_key_is_the_answer(key, output, text):
    assert answer(key, output) == text


@pytest.mark.parametrize("line", [b"{\n", b"{}\n", b'{"text"\n', b'{"text": 1\n'])
def test_few_lines_are_read_again_however_many_there_are(monkeypatch, line):
    read: list[bytes] = []

    def read_object(line):
        read.append(line)
        return lines.read_object(line)

    monkeypatch.setattr(once, "read_object", read_object)
    assert answer("text", b'{"text": "a"}\n' + line * 20_000) is None or line in {b"{\n", b"{}\n"}
    assert len(read) <= once.MOST_LINES + 1
    read.clear()
    heard = registry.get("once:mine").connect(request("text"))
    assert heard.parse(line.strip()) == ()
    assert len(read) == (b"text" in line)


def test_of_very_many_lines_one_is_told_now_and_then():
    heard = registry.get("once:mine").connect(request(""))
    told = sum(isinstance(fact, TextSpoken) for _ in range(100_000) for fact in heard.parse(b"x"))
    assert once.MOST_TOLD < told < once.MOST_TOLD + 100


def test_places_of_arguments_that_nobody_knows_yet_refuse_nothing():
    ask = registry.get("once:ask")
    agent = Agent(home=AgentMode.ONE_SHOT, prompt="hi", model="small", system_prompt="be brief")
    assert ask.refuse(agent) is None
    refusal = ask.refuse(replace(agent, program="ask"))
    assert refusal is not None
    assert "--model is not possible with once:ask: its args" in refusal
    assert ask.refuse(replace(agent, max_turns=3)) == "--max-turns is not possible with once:ask"
