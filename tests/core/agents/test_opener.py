"""The opener of a conversation: what the program's pipes say decides whether its screen follows."""

from __future__ import annotations

import json
import sys

import pytest

from overmind_core.agents.opener import NotOpenedError, open_conversation
from overmind_core.domain.agents.agent import Agent, AgentMode
from overmind_core.domain.agents.conversation import ForkPoint
from overmind_core.providers import registry
from overmind_core.providers.base import NO_LOGIN, NO_NAME, NO_TOOLS, NOT_COPIED, NOT_THERE, ConnectionRequest
from tests.kit.cases import tabled

ANSWERS = {"open": {"result": {}}, "account": {"result": {}}, "session": {"result": {"thread": {"id": "t1"}}}}
GONE = {"error": {"message": "no rollout found for s1"}}
SERVER = """
import json, sys
answers = json.loads(sys.argv[1])
for line in sys.stdin:
    found = json.loads(line)
    if found.get("id") in answers:
        print(json.dumps({"id": found["id"], **answers[found["id"]]}), flush=True)
"""


def opened(*, resume, answers, program=SERVER, fork=None, servers=()):
    agent = Agent(home=AgentMode.INTERACTIVE, mcp_config=servers)
    request = ConnectionRequest(AgentMode.INTERACTIVE, agent, "s1", resume, "/w", fork=fork)
    opening = b"".join(json.dumps({"id": name}).encode() + b"\n" for name in ("open", "account", "session"))
    argv = [sys.executable, "-c", program, json.dumps(answers)]
    return open_conversation(argv, opening, registry.get("codex").connect(request))


@pytest.mark.parametrize("resume", [True, False])
def test_a_conversation_is_open_once_it_is_stored(resume):
    found = opened(resume=resume, answers=ANSWERS | {"noted": {"result": {}}})
    assert (found.session, found.permission_mode) == ("t1", "ask")


@tabled(
    ("why", "answers", "asked", "code", "words"),
    [
        ("it is gone", {"session": GONE}, {"resume": True}, NOT_THERE, "no rollout found"),
        ("its source is gone", {"session": GONE}, {"fork": ForkPoint("s0")}, NOT_COPIED, "was not copied"),
        ("it has no name", {"session": {"result": {}}}, {}, NO_NAME, "without a name"),
        ("no servers", {}, {"servers": ("/none",)}, NO_TOOLS, "/none"),
        ("no login", {"account": {"result": {"requiresOpenaiAuth": True}}}, {}, NO_LOGIN, "has no login"),
        ("it is not stored", {"noted": {"error": {"message": "disk is full"}}}, {}, 1, "disk is full"),
    ],
)
def test_what_is_not_open_says_why(why, answers, asked, code, words):
    with pytest.raises(NotOpenedError, match=words) as caught:
        opened(answers=ANSWERS | answers, **{"resume": False, **asked})
    assert caught.value.code == code, why


@tabled(
    ("program", "words"),
    [
        ("import sys; sys.exit('Error loading configuration: no such key')", "Error loading configuration"),
        ("print('no JSON', flush=True)", "ended without a word"),
        ("import os; os.close(0)", "ended without a word"),
    ],
)
def test_a_program_that_ends_before_that_has_its_last_words(program, words):
    with pytest.raises(NotOpenedError, match=words):
        opened(resume=False, answers={}, program=program)
