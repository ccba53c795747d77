"""The real `copilot` on a terminal of its own: its hooks beside those of a person, and what it asks by itself.

What it shares with others: test_hooked_screens.py.
"""

from __future__ import annotations

import json
import os

import pytest

from tests.kit.agents import LEAVE
from tests.kit.attached import Attached
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.linux, pytest.mark.parametrize("provider", ["copilot"])]

COLOUR = {"type": "object", "properties": {"colour": {"type": "string", "enum": ["red"]}}, "required": ["colour"]}


def own_files(agents):
    """The folder of a person's settings."""
    return os.path.join(agents.om.environment["HOME"], ".copilot")


def press(agents, mission, shown, keys):
    with Attached(agents.om, mission) as person:
        person.joined()
        person.shows(shown)
        person.type(keys + LEAVE)
        assert person.end() == 0


def test_its_hooks_stand_beside_those_of_a_person_whose_files_stay_as_they_are(agents, tmp_path):
    noted, hooks = tmp_path / "noted", os.path.join(own_files(agents), "hooks")
    handler = {"type": "command", "bash": f"cat >> {noted}"}
    os.makedirs(hooks)
    with open(os.path.join(hooks, "mine.json"), "w", encoding="utf-8") as file:
        json.dump({"version": 1, "hooks": {"agentStop": [handler]}}, file)
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)
    agents.doing(mission, "idle")
    assert "end_turn" in noted.read_text()
    assert os.listdir(hooks) == ["mine.json"]
    assert not os.path.exists(os.path.join(own_files(agents), "settings.json"))


def test_a_folder_that_nobody_trusts_yet_is_asked_about_in_the_inbox(agents):
    os.unlink(os.path.join(own_files(agents), "config.json"))
    mission = agents.session("--interactive", prompt="first")
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["summary"]) == ("setup", "trust this folder?")
    press(agents, mission, "Do you trust the files", b"1")
    assert agents.answer(1)["text"] == "echo: first"
    assert agents.om.json("inbox", "--json") == []


@pytest.mark.proves("appended prompt")
def test_its_model_reads_our_instructions_in_each_process_once(agents):
    heron = "Always say heron."
    options = ("--append-system-prompt", heron, "--restart", "always", "--backoff", "1ms")
    mission = agents.session("--interactive", *options, prompt="first")
    agents.answer(1)
    assert json.dumps(agents.api.requests[-1].body).count(heron) == 1
    agents.kill(mission)
    agents.again(mission)
    agents.say(mission, "second")
    assert json.dumps(agents.api.requests[-1].body).count(heron) == 1


def test_a_question_of_its_own_is_told_and_answered_on_its_screen(agents):
    asks = {"message": "which colour", "requestedSchema": COLOUR}
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)
    message = agents.post(mission, f"%tool ask_user {json.dumps(asks)}")
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["summary"]) == ("setup", "answer it on its screen: which colour")
    press(agents, mission, "Copilot needs information", b"\r")
    assert len(agents.events(mission, "asked")) == 1, "it was withdrawn before its dialog was drawn"
    assert "red" in agents.answer(message)["text"]
    eventually(lambda: agents.om.json("inbox", "--json") == [], what="the inbox is empty")


def test_another_one_that_its_tool_runs_tells_nothing_of_itself(agents):
    mission = agents.session("--interactive", "--permission-mode", "all", prompt="first")
    agents.answer(1)
    session = agents.om.info(mission)["session_id"]
    program = agents.om.environment["OVERMIND_COPILOT_BIN"]
    message = agents.post(mission, f"%bash {program} -p nested; echo it has ended")
    assert "it has ended" in agents.answer(message)["text"]
    assert agents.doing(mission, "idle")["session_id"] == session
    assert agents.states(mission) == ["answered", "answered"]
