"""The real `qwen` on a terminal of its own: what its hooks need beside those of a person, and its own questions.

What it shares with others: test_hooked_screens.py.
"""

from __future__ import annotations

import json
import os
import shlex
import signal

import pytest

from tests.kit.overmind import FINAL, PROGRAM
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.linux, pytest.mark.parametrize("provider", ["qwen"])]


def test_its_hooks_stand_beside_those_of_the_system_and_no_file_of_a_person_changes(agents, tmp_path):
    noted, defaults = tmp_path / "noted", tmp_path / "defaults.json"
    handler = {"type": "command", "command": f"cat >> {noted}"}
    defaults.write_text(json.dumps({"hooks": {"Stop": [{"hooks": [handler]}]}}))
    settings = os.path.join(agents.om.environment["HOME"], ".qwen", "settings.json")
    agents.om.environment["QWEN_CODE_SYSTEM_DEFAULTS_PATH"] = str(defaults)
    kept = defaults.read_text()
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)
    agents.om.ok("stop", mission)
    assert "echo: first" in noted.read_text()
    assert defaults.read_text() == kept
    with open(settings, encoding="utf-8") as file:
        assert "hook" not in file.read()


def test_defaults_that_our_hooks_can_not_be_added_to_are_refused(agents, tmp_path):
    defaults = tmp_path / "defaults.json"
    defaults.write_text("[")
    agents.om.environment["QWEN_CODE_SYSTEM_DEFAULTS_PATH"] = str(defaults)
    refused = agents.om("run", "--type", "session", *agents.options, "--interactive", "hello")
    assert (refused.returncode, f"{defaults} can't be read as a JSON object" in refused.stderr) == (1, True)


def test_a_program_without_a_login_asks_for_it_on_its_screen(agents):
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL"):
        del agents.om.environment[name]
    os.unlink(os.path.join(agents.om.environment["HOME"], ".qwen", "settings.json"))
    mission = agents.session("--interactive")
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["summary"]) == ("setup", "log in")


def test_a_question_with_one_choice_is_answered_from_the_inbox(agents):
    options = [{"label": label, "description": "a colour"} for label in ("red", "blue")]
    asks = {"question": "which colour", "header": "Colour", "options": options, "multiSelect": False}
    mission = agents.session("--interactive", prompt=f"%tool ask_user_question {json.dumps({'questions': [asks]})}")
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["summary"]) == ("question", "which colour")
    agents.om.ok("answer", str(asked["question"]), "2")
    assert "Colour**: blue" in agents.answer(1)["text"].replace("Colour:", "Colour**:")


def test_another_one_that_its_tool_runs_tells_nothing_of_itself(agents):
    mission = agents.session("--interactive", "--permission-mode", "all", prompt="first")
    agents.answer(1)
    session = agents.om.info(mission)["session_id"]
    program = agents.om.environment["OVERMIND_QWEN_BIN"]
    message = agents.post(mission, f"%bash {program} -p nested; echo it has ended")
    assert "it has ended" in agents.answer(message)["text"]
    assert agents.doing(mission, "idle")["session_id"] == session
    assert agents.states(mission) == ["answered", "answered"]


def test_a_mission_that_its_tool_starts_calls_the_hooks_of_its_own(agents):
    mission = agents.session("--interactive", "--permission-mode", "all", prompt="first")
    agents.answer(1)
    session = agents.om.info(mission)["session_id"]
    program = f"OVERMIND_QWEN_BIN={agents.om.environment['OVERMIND_QWEN_BIN']}"
    start = ["env", program, *PROGRAM, "run", *agents.options, "--type", "session", "--interactive", "--name", "in"]
    assert "Exit Code: 0" in agents.say(mission, f"%bash {shlex.join([*start, 'deep'])}")
    agents.until(
        "in", lambda info: info["activity"] == "idle" and agents.states("in") == ["answered"], what="it has answered"
    )
    assert agents.doing(mission, "idle")["session_id"] == session != agents.om.info("in")["session_id"]
    assert agents.states(mission) == ["answered", "answered"]


@pytest.mark.proves("fork on its screen")
def test_a_fork_on_its_screen_has_all_that_was_said_also_after_a_kill(agents):
    source = agents.session("--interactive", prompt="one")
    agents.answer(1)
    agents.say(source, "two")
    fork = agents.om.ok("fork", source, "three").split()[2]
    eventually(lambda: ["one", "two", "three"] in asked(agents), timeout=60, what="its model is asked")
    agents.doing(fork, "idle")
    assert agents.om.info(fork)["session_id"] not in {None, agents.om.info(source)["session_id"]}
    os.kill(agents.om.info(fork)["os_pid"], signal.SIGKILL)
    agents.om.wait_status(fork, *FINAL)
    agents.om.ok("restart", fork)
    agents.say(fork, "four")
    assert ["one", "two", "three", "four"] in asked(agents)
    agents.say(source, "five")
    assert ["one", "two", "five"] in asked(agents)


def asked(agents):
    return [list(one.asked.texts) for one in agents.api.requests]
