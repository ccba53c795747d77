"""What an agent wrote, as people and programs see it."""

from __future__ import annotations

import json
import time

import pytest

from overmind_core.domain.text.moment import format_time
from tests.kit.agents import PATIENCE
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

BASH = ("--allowed-tools", "Bash")


@pytest.fixture
def finished(agents):
    """A task that used a tool and has ended."""
    info = agents.task("!bash echo hi", *BASH)
    assert info["status"] == "stopped"
    return info["id"]


def test_logs_are_a_readable_transcript(agents, finished):
    lines = agents.om.ok("logs", finished).splitlines()
    assert lines[:2] == ["[human] !bash echo hi", "running: echo hi"]
    assert lines[2].startswith("⚙ Bash: echo hi → ok")
    assert lines[3] == "tool said: hi"
    assert lines[4].startswith("— 2 turns, ")
    assert len(lines) == 5


def test_a_tail_and_a_pattern_are_about_the_readable_lines(agents, finished):
    whole = agents.om.ok("logs", finished).splitlines()
    assert agents.om.ok("logs", finished, "--tail", "2").splitlines() == whole[-2:]
    assert agents.om.ok("logs", finished, "--grep", "^tool said").splitlines() == ["tool said: hi"]
    assert agents.om.ok("logs", finished, "--grep", '"type"') == ""


def test_a_replay_shows_the_readable_lines_of_a_time(agents, finished):
    whole = agents.om.ok("logs", finished).splitlines()
    assert agents.om.ok("replay", finished, "--at", format_time(time.time())).splitlines() == whole
    begun = agents.om.ok("replay", finished, "--at", "+0s").splitlines()
    assert len(begun) < len(whole)
    assert begun == whole[: len(begun)]


def test_raw_is_what_the_program_wrote(agents, finished):
    lines = [json.loads(line) for line in agents.om.ok("logs", finished, "--raw").splitlines()]
    assert lines[-1]["type"] in {"result", "command_lifecycle"}
    assert any(line["type"] == "result" for line in lines)


def test_following_shows_each_line_once_it_is_there(agents):
    gate = agents.gate()
    mission = agents.start(gate.prompt, *BASH)
    following = agents.om.popen("logs", "-f", mission)
    said = [following.stdout.readline() for _ in range(2)]
    gate.open()
    rest = following.stdout.read().splitlines()
    assert [line[:14] for line in said] == ["[human] !bash ", "running: while"]
    assert "tool said: through" in rest
    assert rest[-1].startswith("— 2 turns, ")


def test_waiting_for_a_run_shows_its_transcript(agents):
    lines = agents.om.ok("run", "--wait", "--provider", "claude", "hello there").splitlines()
    assert "echo: hello there" in lines
    assert not [line for line in lines if line.startswith("{")]


def test_subscribe_gives_the_programs_own_objects(agents, finished):
    items = [json.loads(line) for line in agents.om.ok("subscribe", finished, "--from-start").splitlines()]
    raw = [json.loads(line) for line in agents.om.ok("logs", finished, "--raw").splitlines()]
    assert items[:-1] == raw
    assert items[-1] == {"type": "exit", "mission": finished, "status": "stopped", "exit_code": 0}


def test_a_huge_answer_is_one_object_and_readable_lines(agents):
    mission = agents.task("!long 20000")["id"]
    assert agents.om.ok("logs", mission, "--tail", "2").splitlines()[0] == "line 20000"
    items = [json.loads(line) for line in agents.om.ok("subscribe", mission, "--from-start").splitlines()]
    said = [item for item in items if item["type"] == "assistant"]
    assert said[0]["message"]["content"][0]["text"].endswith("line 20000")


def test_a_message_of_a_person_stands_between_the_answers(agents):
    mission = agents.session()
    agents.say(mission, "second thoughts")
    lines = eventually(lambda: _with_answer(agents, mission), timeout=PATIENCE)
    assert lines.index("[human] second thoughts") < lines.index("echo: second thoughts")


def _with_answer(agents, mission):
    lines = agents.om.ok("logs", mission).splitlines()
    return lines if "echo: second thoughts" in lines else None


def test_the_last_line_of_a_finished_agent_is_readable(agents, finished):
    assert agents.om.info(finished)["now"] == "tool said: hi"
