"""Sessions that die and begin again: the conversation goes on, what was in flight is sent once more."""

from __future__ import annotations

import os
import signal

import pytest

from tests.kit.killing import kill_keeper, kill_supervisor
from tests.kit.processes import alive, programs_with_word, with_word
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

BASH = ("--allowed-tools", "Bash")
AGAIN = ("--restart", "always", "--backoff", "1ms", "--max-restarts", "0")


def session_of(agents, mission):
    return agents.om.info(mission)["session_id"]


def history(agents, mission):
    """What the program remembers of the person's words, told by itself."""
    return agents.say(mission, "!history").partition(" | ")[2].split(" | ")


def resent(agents, mission):
    return [one["text"] for one in agents.events(mission, "message_resent")]


@pytest.mark.own_home
@pytest.mark.parametrize("way", ["restart", "stop and restart", "killed", "keeper killed", "shutdown"])
def test_a_session_resumes_its_conversation(agents, way):
    mission = agents.session(*AGAIN, prompt="remember me")
    agents.answer(1)
    session = session_of(agents, mission)
    match way:
        case "restart":
            agents.om.ok("restart", mission)
        case "stop and restart":
            agents.om.ok("stop", mission)
            agents.om.ok("restart", mission)
        case "killed":
            agents.kill(mission)
        case "keeper killed":
            kill_keeper(agents.om)
        case "shutdown":
            agents.om.ok("shutdown", "-y")
            agents.om.ok("start")
            agents.om.ok("restart", mission)
    assert history(agents, mission) == ["remember me", "!history"]
    assert session_of(agents, mission) == session
    assert agents.transcript(session) == ["remember me", "!history"]
    assert programs_with_word(session) == [agents.om.pid(mission)]


@pytest.mark.parametrize("way", ["restart", "killed"])
def test_a_lost_conversation_begins_again_with_the_first_prompt_and_the_person_is_told(agents, way):
    mission = agents.session(*AGAIN, prompt="remember me")
    agents.answer(1)
    agents.say(mission, "and this")
    agents.om.ok("seen", mission)
    for path in agents.records(session_of(agents, mission)):
        os.unlink(path)
    if way == "restart":  # the program writes its figures into a new file as it ends
        assert "its conversation was gone: " in agents.om("restart", mission).stderr
    else:
        agents.kill(mission)
    assert history(agents, mission) == ["remember me", "!history"]
    lines = agents.om.logs(mission).splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("--- its conversation is gone: ")]
    assert lines[at + 1].startswith("--- its first prompt is given again, as message ")
    assert not [line for line in lines if "wrong_start" in line or "turn over" in line]
    assert agents.om.info(mission)["conversation_lost"]
    assert f"({mission}): its conversation was gone" in agents.om.ok("inbox")
    agents.om.ok("seen", mission)
    assert not agents.om.info(mission)["conversation_lost"]


def test_a_session_without_a_prompt_yet_begins_again_under_its_id(agents):
    mission = agents.session(*AGAIN)
    session = session_of(agents, mission)
    agents.kill(mission)
    agents.again(mission)
    assert agents.say(mission, "hello") == "echo: hello"
    assert agents.transcript(session) == ["hello"]
    assert agents.om.info(mission)["restart_count"] == 1


def test_killed_in_the_middle_of_a_turn_its_message_is_sent_once_more_and_the_log_says_so(agents):
    mission, gate = agents.session(*BASH, *AGAIN, prompt="before"), agents.gate()
    agents.answer(1)
    message = agents.post(mission, gate.prompt)
    waiting = agents.post(mission, "after")
    eventually(lambda: len(agents.heard(mission)) == 2)
    agents.kill(mission)
    gate.open()
    assert agents.answer(message)["text"] == "tool said: through"
    assert agents.answer(waiting)["text"] == "echo: after"
    assert agents.heard(mission) == ["before", gate.prompt, gate.prompt, "after"]
    assert [one["resent"] for one in agents.messages(mission)] == [False, True, False]
    assert "answered (again)" in agents.om.ok("messages", mission)
    told = f"--- message {agents.number(2)} is resent: the agent ended before it answered ---"
    assert resent(agents, mission) == [told]
    assert told in agents.om.logs(mission).splitlines()


def test_a_message_that_kills_its_agent_is_sent_twice_and_no_more(agents):
    mission = agents.session(*AGAIN)
    finished = agents.om("send", mission, "--wait", "!crash")
    assert (finished.returncode, finished.stderr[:15]) == (1, "Error: exited: ")
    told = f"message {agents.number(1)} was given up: the agent ended twice before it answered"
    name = agents.om.info(mission)["name"]
    again = f"overmind send {name} 'TEXT'"
    eventually(lambda: agents.om.info(mission)["failed_message"] == told)
    assert agents.om.info(mission)["now"] == told
    assert f"--- {told}; send it again with: {again} ---" in agents.om.logs(mission).splitlines()
    assert f"  waits for you: {told}: {again}" in agents.om.ok("why", mission).splitlines()
    assert f"{name} ({mission}): {told}. Again: {again} · seen: overmind seen {name}" in agents.om.ok("inbox")
    assert told in agents.om.ok("timeline", mission)
    assert again in agents.om.ok("describe", mission)
    assert agents.say(mission, "next") == "echo: next"
    assert agents.heard(mission) == ["!crash", "!crash", "next"]
    assert agents.om.info(mission)["failed_message"] is None
    assert told not in agents.om.ok("inbox")
    assert agents.om.info(mission)["restart_count"] == 2


def test_without_a_policy_a_dead_agent_has_crashed_and_its_message_failed(agents):
    mission = agents.session()
    message = agents.post(mission, "!crash")
    info = agents.om.wait_status(mission, "crashed")
    assert (info["exit_code"], info["restart_count"]) == (137, 0)
    assert (agents.answer(message)["state"], agents.answer(message)["error"]) == ("failed", "exited")


def test_a_restart_in_the_middle_of_a_turn_sends_its_message_once_more(agents):
    mission, gate = agents.session(*BASH), agents.gate()
    message = agents.post(mission, gate.prompt)
    eventually(lambda: agents.heard(mission))
    agents.om.ok("restart", mission)
    gate.open()
    assert agents.answer(message)["text"] == "tool said: through"
    assert resent(agents, mission) == [
        f"--- message {agents.number(1)} is resent: the agent ended before it answered ---"
    ]


def test_an_agent_that_exits_by_itself_has_ended(agents):
    mission = agents.session(prompt="hello")
    agents.answer(1)
    os.kill(agents.om.pid(mission), signal.SIGINT)
    info = agents.om.wait_status(mission, "stopped")
    assert info["exit_code"] == 0


# --- a program that knew better -----------------------------------------------------------------------------------


def test_a_conversation_that_is_lost_is_begun_again_once_and_uncounted(agents):
    mission = agents.session(*AGAIN, prompt="hello")
    agents.answer(1)
    session = session_of(agents, mission)
    agents.om.ok("stop", mission)
    (path,) = [os.path.join(folder, name) for folder, _, names in os.walk(agents.om.environment["HOME"])
               for name in names if name == f"{session}.jsonl"]  # fmt: skip
    os.remove(path)
    agents.om.ok("restart", mission)
    assert agents.say(mission, "again") == "echo: again"
    info = agents.om.info(mission)
    assert (info["session_id"], info["restart_count"], len(info["runs"])) == (session, 1, 3), "the person's restart"
    assert agents.transcript(session) == ["hello", "again"], "its first prompt is given again"


def test_a_conversation_that_exists_is_resumed_once_and_uncounted(agents, tmp_path):
    """It was stored, and its program died before anybody heard of it."""
    silent = tmp_path / "claude-silent"
    silent.write_text(
        f'#!/bin/sh\nif [ -e {tmp_path}/once ]; then exec {agents.program} "$@"; fi\n'
        f'touch {tmp_path}/once\n{agents.program} "$@" >/dev/null\n'
    )
    silent.chmod(0o755)
    mission = agents.session(*AGAIN, "--env", f"OVERMIND_CLAUDE_BIN={silent}")
    agents.post(mission, "hello")
    session = session_of(agents, mission)
    eventually(lambda: agents.transcript(session) == ["hello"])
    agents.kill(mission)
    assert agents.answer(1)["text"] == "echo: hello"
    info = agents.om.info(mission)
    assert (info["restart_count"], len(info["runs"])) == (1, 3), "the one after the death"
    assert agents.transcript(session) == ["hello", "hello"]


# --- nothing is left ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["kill", "stop", "restart", "external"])
def test_no_tool_of_an_agent_outlives_its_run(agents, end):
    """Its commands run in sessions of their own."""
    mission, gate = agents.session(*BASH), agents.gate()
    agents.post(mission, f"!bash sh -c '{gate.command}' & {gate.command}")
    eventually(lambda: len(with_word(gate.command)) >= 2)
    before = with_word(gate.command)
    if end == "external":
        agents.kill(mission)
        agents.om.wait_status(mission, "crashed")
    else:
        agents.om.ok(end, mission)
    assert not [pid for pid in before if alive(pid)]
    if end == "restart":
        agents.om.ok("kill", mission)
    assert with_word(gate.command) == []


def test_a_stopped_task_ends_with_its_tools(agents):
    gate = agents.gate()
    mission = agents.start(gate.prompt, *BASH)
    eventually(lambda: with_word(gate.command))
    agents.om.ok("stop", mission)
    assert with_word(gate.command) == []
    assert agents.om.info(mission)["status"] == "stopped"


@pytest.mark.own_home
def test_a_supervisor_that_dies_while_an_agent_works_is_not_noticed(agents):
    mission, gate = agents.session(*BASH), agents.gate()
    message = agents.post(mission, gate.prompt)
    agents.doing(mission, "working")
    pid = agents.om.pid(mission)
    for _ in range(2):
        kill_supervisor(agents.om)
        assert agents.om.pid(mission) == pid
    gate.open()
    assert agents.answer(message)["text"] == "tool said: through"
    assert agents.heard(mission) == [gate.prompt]


@pytest.mark.own_home
def test_a_turn_that_ends_while_no_supervisor_is_there_is_heard_of(agents):
    mission, gate = agents.session(*BASH), agents.gate()
    message = agents.post(mission, gate.prompt)
    eventually(lambda: agents.heard(mission))
    os.kill(agents.om.supervisor_pid(), signal.SIGKILL)
    gate.open()
    assert agents.answer(message)["text"] == "tool said: through"
    assert agents.say(mission, "next") == "echo: next"


@pytest.mark.own_home
def test_a_task_that_ends_while_no_supervisor_is_there_is_judged_by_its_words(agents):
    gate = agents.gate()
    mission = agents.start(gate.prompt, *BASH, "--max-turns", "1")
    eventually(lambda: with_word(gate.command))
    os.kill(agents.om.supervisor_pid(), signal.SIGKILL)
    gate.open()
    info = agents.om.wait_status(mission, "crashed")
    assert (info["reason"], info["cost_usd"] > 0) == ("max_turns", True)
