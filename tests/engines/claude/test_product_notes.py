"""Notes and the real program: what one run has learned the model is told by the next, and told the same again."""

from __future__ import annotations

import os

import pytest

from tests.kit.agents import LEAVE
from tests.kit.attached import Attached
from tests.kit.handover import given_back
from tests.kit.killing import kill_supervisor

pytestmark = [pytest.mark.claude, pytest.mark.linux]

NOTE = "The rate limiter keeps its buckets in Redis; start it with: make redis"
PROMPT = "? for shortcuts"


def told(api, text):
    """The system prompt with which the model was asked this."""
    (found,) = {request.body["system"][-1]["text"] for request in api.requests if request.text == text}
    return found


def given(om, mission):
    """What its newest run was given, as `memory used` prints it, and as the program finds it in $OVERMIND_NOTES."""
    printed = om.ok("memory", "used", mission)
    with open(om.path("files", mission, "notes.md"), encoding="utf-8", newline="") as file:
        assert file.read() == printed
    return printed


@pytest.mark.proves("appended prompt")
def test_a_session_is_told_the_same_notes_in_each_run_and_a_task_has_its_own(agents, api):
    om = agents.om
    om.ok("remember", "--pin", NOTE, cwd=agents.work)
    mission = agents.session("--append-system-prompt", "Speak Latin.", "--restart", "always", "--backoff", "1ms",
                             prompt="one")  # fmt: skip
    agents.answer(1)
    om.ok("remember", "--pin", "The tests need a clean database.", cwd=agents.work)
    agents.kill(mission)
    agents.again(mission)
    agents.say(mission, "two")
    with Attached(om, mission) as person:
        person.shows(PROMPT)
        person.type(b"three\r")
        person.shows("● echo: three")
        agents.doing(mission, "idle")
        person.type(LEAVE)
        assert person.end() == 0
    given_back(agents, mission)
    kill_supervisor(om)
    agents.say(mission, "four")
    agents.kill(mission)
    agents.again(mission, 2)
    agents.say(mission, "five")

    block = given(om, mission)
    assert NOTE in block
    assert "database" not in block
    for text in ("one", "two", "three", "four", "five"):
        assert told(api, text).endswith(f"\nSpeak Latin.\n\n{block}"), text
    (first, *_) = om.logs(mission).splitlines()
    assert first.startswith("[memory] 1 note, ")

    task = agents.task("six")
    assert told(api, "six").endswith(f"\n{given(om, task['id'])}")
    assert "database" in told(api, "six")
    plain = agents.task("seven", "--no-memory")
    assert "<notes" not in told(api, "seven")
    assert not os.path.exists(om.path("files", plain["id"]))
