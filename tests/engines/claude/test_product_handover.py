"""A headless session on a person's terminal and back, with the real program: one conversation, one process, always."""

from __future__ import annotations

import os

import pytest

from tests.kit import reported_cost as true_cost
from tests.kit.agents import LEAVE
from tests.kit.attached import Attached
from tests.kit.directives import HISTORY_WIDTH
from tests.kit.handover import given_back, one_process
from tests.kit.killing import kill, kill_supervisor
from tests.kit.processes import with_word
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.claude, pytest.mark.linux]

BASH = ("--allowed-tools", "Bash")
AGAIN = ("--restart", "always", "--backoff", "1ms")
TOUCH = "!bash touch made"
DIALOG = "Do you want to proceed?"
PROMPT = "? for shortcuts"


def history(agents, mission):
    """What the model was told by the person; not what the program adds about its own commands, such as /exit."""
    said = agents.say(mission, "!history").partition(" | ")[2].split(" | ")[:-1]
    return [text for text in said if not text.startswith("<")]


def works(agents, mission, gate):
    """Send the gate's prompt and wait until its command runs; return the message."""
    message = agents.post(mission, gate.prompt)
    gate.runs()
    return message


def made(agents):
    return os.path.exists(os.path.join(agents.work, "made"))


def test_what_the_person_does_is_part_of_the_conversation_and_of_its_cost(agents, api):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    before = agents.om.info(mission)
    with Attached(agents.om, mission) as person:
        person.shows("● echo: by pipe")
        person.shows(PROMPT)
        info = agents.om.info(mission)
        assert (info["mode"], info["handover"], info["attached"]) == ("interactive", "handed_over", 1)
        assert (info["session_id"], info["restart_count"]) == (before["session_id"], 0)
        assert one_process(agents, mission)
        agents.om.refused("send", mission, "hi", code="paused")
        assert agents.om.json("send", mission, "--queue", "--json", "later")["state"] == "queued"
        person.type(b"by hand\r")
        person.shows("● echo: by hand")
        agents.doing(mission, "idle")
        person.type(LEAVE)
        assert person.end() == 0
        assert person.settings() == person.before
    assert agents.answer(2)["text"] == "echo: later"
    given_back(agents, mission)
    assert history(agents, mission) == ["by pipe", "by hand", "later"]
    assert api.texts == ["by pipe", "by hand", "later", "!history"]
    true_cost.assert_known(agents.om, mission, true_cost.by_total(agents.om, mission))


def test_a_turn_under_way_is_finished_first(agents, api):
    mission, gate = agents.session(*BASH), agents.gate()
    message = works(agents, mission, gate)
    with Attached(agents.om, mission) as person:
        person.shows("finishing the turn")
        gate.open()
        assert agents.answer(message)["text"] == "tool said: through"
        person.shows("● tool said: through")
        person.shows(PROMPT)
        person.type(LEAVE)
        assert person.end() == 0
    given_back(agents, mission)
    assert len(api.texts) == 1


def test_enter_interrupts_the_turn_that_is_waited_for(agents):
    mission, gate = agents.session(*BASH, prompt="before"), agents.gate()
    agents.answer(1)
    message = works(agents, mission, gate)
    with Attached(agents.om, mission) as person:
        person.shows("finishing the turn")
        person.type(b"\r")
        person.shows("● echo: before")
        person.shows(PROMPT)
        assert agents.answer(message)["error"] == "interrupted"
        person.type(LEAVE)
        assert person.end() == 0
    given_back(agents, mission)
    assert with_word(gate.command) == []


def test_who_gives_up_while_the_turn_is_finished_leaves_it_headless(agents):
    mission, gate = agents.session(*BASH), agents.gate()
    message, pid = works(agents, mission, gate), agents.om.pid(mission)
    with Attached(agents.om, mission) as person:
        person.shows("finishing the turn")
        person.type(b"\x03")
        person.end()
    gate.open()
    assert agents.answer(message)["text"] == "tool said: through"
    given_back(agents, mission)
    assert agents.om.pid(mission) == pid


@pytest.mark.parametrize("how", ["by its own keys", "from outside"])
def test_an_open_question_is_shown_again_and_answered(agents, how):
    mission = agents.session("--permission-mode", "manual", prompt="before")
    agents.answer(1)
    message = agents.post(mission, TOUCH)
    agents.asked(mission)
    with Attached(agents.om, mission) as person:
        person.shows(DIALOG)
        (asked,) = agents.asked(mission)
        if how == "by its own keys":
            person.until(lambda: "❯ 1. Yes" in person.text(), "its options")
            person.type(b"1")
        else:
            agents.om.ok("answer", str(asked["question"]), "allow")
        person.shows("● tool said:")
        assert agents.answer(message)["state"] == "answered"
        assert agents.om.json("inbox", "--json") == []
        person.type(LEAVE)
        assert person.end() == 0
    given_back(agents, mission)
    assert made(agents)
    assert history(agents, mission)[0] == "before"


def test_who_leaves_while_it_works_gets_it_back_when_it_is_idle(agents):
    mission = agents.session("--permission-mode", "manual", prompt="before")
    agents.answer(1)
    with Attached(agents.om, mission) as person:
        person.shows(PROMPT)
        person.type(b"%bash touch made\r")
        person.shows(DIALOG)
        person.type(LEAVE)
        assert person.end() == 0
    (asked,) = agents.asked(mission)
    info = agents.om.info(mission)
    assert (info["mode"], info["handover"]) == ("interactive", "handing_back")
    agents.om.ok("answer", str(asked["question"]), "allow")
    given_back(agents, mission)
    assert made(agents)
    assert history(agents, mission) == ["before", "%bash touch made"]


def test_a_killed_client_gives_it_back(agents):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    with Attached(agents.om, mission) as person:
        person.shows("● echo: by pipe")
        person.kill()
    given_back(agents, mission)
    assert history(agents, mission) == ["by pipe"]


def test_an_agent_killed_on_the_terminal_is_resumed_there(agents):
    mission = agents.session(*AGAIN, prompt="by pipe")
    agents.answer(1)
    with Attached(agents.om, mission, "--keep") as person:  # the program takes its time to leave after a death
        person.shows(PROMPT)
        old = agents.kill(mission)
        info = agents.again(mission)
        assert (info["mode"], info["os_pid"] != old) == ("interactive", True)
        agents.doing(mission, "idle")
        person.shows("● echo: by pipe")
        person.shows(PROMPT)
        person.type(b"by hand\r")
        person.shows("● echo: by hand")
        person.type(LEAVE)
        assert person.end() == 0
    assert one_process(agents, mission)
    eventually(lambda: agents.transcript(info["session_id"]) == ["by pipe", "by hand"], what="both are stored")


@pytest.mark.parametrize("when", ["while the turn is finished", "on the terminal", "on the way back"])
def test_the_death_of_the_supervisor_leaves_one_process_and_the_conversation(agents, when):
    mission, gate = agents.session(*BASH, prompt="by pipe"), agents.gate()
    agents.answer(1)
    texts = ["by pipe"]
    if when == "while the turn is finished":
        works(agents, mission, gate)
        texts.append(gate.prompt[:HISTORY_WIDTH])
    with Attached(agents.om, mission) as person:
        person.shows("finishing the turn" if len(texts) > 1 else PROMPT)
        if when == "on the way back":
            kill(agents.om.supervisor_pid())
            person.type(LEAVE)
        else:
            kill_supervisor(agents.om)
            gate.open()
            person.shows("● tool said: through" if len(texts) > 1 else "● echo: by pipe")
            person.shows(PROMPT)
            assert one_process(agents, mission)
            eventually(lambda: agents.om.info(mission)["attached"] == 1, what="the next supervisor knows who is there")
            person.type(LEAVE)
        person.end()
    eventually(lambda: agents.om("status").returncode == 0, what="a supervisor answers")
    given_back(agents, mission)
    assert history(agents, mission) == texts


def test_keep_leaves_it_on_its_terminal(agents):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    with Attached(agents.om, mission, "--keep") as person:
        person.shows(PROMPT)
        person.type(LEAVE)
        assert person.end() == 0
    assert agents.doing(mission, "idle")["mode"] == "interactive"
    assert "● echo: by pipe" in agents.om.ok("screen", mission)


def test_a_person_who_ends_the_program_leaves_the_session(agents):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    with Attached(agents.om, mission) as person:
        person.shows(PROMPT)
        person.type(b"/exit")
        person.shows("❯ /exit")
        person.type(b"\r")
        assert person.end() == 0
    given_back(agents, mission)
    assert history(agents, mission) == ["by pipe"]


def test_it_hears_of_another_conversation_that_was_begun_on_its_terminal(agents):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    old = agents.om.info(mission)["session_id"]
    with Attached(agents.om, mission) as person:
        person.shows(PROMPT)
        person.type(b"/clear")
        person.shows("❯ /clear")
        person.type(b"\r")
        new = agents.until(mission, lambda info: info["session_id"] != old and info["session_id"])
        person.shows(PROMPT)
        person.type(b"after\r")
        person.shows("● echo: after")
        agents.doing(mission, "idle")
        person.type(LEAVE)
        assert person.end() == 0
    info = given_back(agents, mission)
    assert info["session_id"] == new
    said = agents.say(mission, "!history")
    assert "after" in said
    assert "by pipe" not in said
