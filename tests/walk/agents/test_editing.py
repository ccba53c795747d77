"""What a person changes of agents: prompt, rules, model; a session's conversation goes on."""

from __future__ import annotations

import tomllib

import pytest

from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home


def changed(om, mission, old, new, *options):
    text = om.ok("edit", mission, "--print")
    assert text.count(old) == 1, text
    return om("edit", mission, "-", *options, stdin=text.replace(old, new))


def test_a_task_gets_another_prompt_and_answers_that(agents):
    om = agents.om
    mission = agents.task("say one")["id"]
    text = om.ok("edit", mission, "--print")
    assert tomllib.loads(text)["agent"]["prompt"] == "say one"
    assert "\ncommand" not in text
    assert changed(om, mission, '"say one"', '"say two"').returncode == 0
    om.wait_status(mission, "stopped")
    assert agents.heard(mission) == ["say two"]
    assert om.info(mission)["command"] == "say two"


def test_a_session_keeps_its_conversation_and_has_other_rules_at_once(agents):
    om = agents.om
    mission = agents.session(prompt="hello")
    eventually(lambda: om.info(mission)["activity"] == "idle", what="its first answer")
    before = om.info(mission)["session_id"]
    assert "prompt = " not in om.ok("edit", mission, "--print").replace("_prompt = ", "")
    finished = changed(om, mission, "\nallow = []", '\nallow = ["Bash(ls)"]', "--no-restart")
    assert finished.stdout == f"Updated mission {mission}: agent\n"
    assert tomllib.loads(om.ok("edit", mission, "--print"))["agent"]["allow"] == ["Bash(ls)"]
    om.ok("restart", mission)
    assert om.info(mission)["session_id"] == before
    assert tomllib.loads(om.ok("edit", mission, "--print"))["agent"]["allow"] == ["Bash(ls)"]


MISTAKES = [
    ("\nallow = []", '\nallow = ["Bash("]', "allow: "),
    ("\nallow = []", '\nallow = ["Bash(ls)"]\nprompt = "x"', "a session takes messages instead. Use: overmind send"),
    ("\nmax_turns = 0", '\nmax_turns = "x"', "agent.max_turns: write a whole number"),
    ('\nname = "', '\ncommand = "x"\nname = "', "an agent has no command"),
]


def test_what_makes_no_sense_for_an_agent_is_refused_by_its_line(agents, cases):
    om = agents.om
    mission = agents.session(prompt="hello")
    for old, new, sentence in MISTAKES:
        with cases(new):
            finished = changed(om, mission, old, new)
            assert finished.returncode == 1
            assert sentence in finished.stderr
