"""A headless session is given to a person's terminal and taken back: one conversation, one process, at every step."""

from __future__ import annotations

import contextlib
import json
import os

import pytest

from tests.kit import claude
from tests.kit.agents import LEAVE
from tests.kit.attached import Attached
from tests.kit.handover import given_back, one_process
from tests.kit.killing import kill_supervisor
from tests.kit.processes import with_word
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

BASH = ("--allowed-tools", "Bash")
AGAIN = ("--restart", "always", "--backoff", "1ms")


@pytest.fixture(autouse=True)
def settled(agents):
    """The person has set up the program and trusts the home."""
    claude.settle(agents.om, agents.om.home)


@contextlib.contextmanager
def joining(agents, mission, **args):
    """Ask for the mission's terminal on a connection, which is given up at the end."""
    with RawSocket.connect(agents.om.home, timeout=30) as api:
        api.ok("attach", id=mission, **args)
        yield api


def until_ready(api):
    """Read on until the terminal is there; return the kinds of items before, and the last one."""
    kinds = []
    while (item := api.read_line()["item"]).get("type") != "ready":
        kinds.append(item.get("type"))
    return kinds, item


def handed_over(agents, mission):
    """Wait until it runs on a terminal."""
    return agents.until(
        mission, lambda info: (info["mode"], info["status"]) == ("interactive", "running") and info, what="a terminal"
    )


def history(agents, mission):
    """What the program remembers of the person's words."""
    return agents.say(mission, "!history").partition(" | ")[2].split(" | ")[:-1]


def test_an_idle_session_is_handed_over_at_once_and_given_back(agents):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    before = agents.om.info(mission)
    with joining(agents, mission) as api:
        kinds, ready = until_ready(api)
        assert kinds == [], "nothing to finish"
        assert ready["write"] is True
        info = agents.om.info(mission)
        assert (info["mode"], info["handover"], info["attached"]) == ("interactive", "handed_over", 1)
        assert info["os_pid"] != before["os_pid"]
        assert (info["session_id"], info["restart_count"]) == (before["session_id"], 0)
        assert one_process(agents, mission)
        eventually(lambda: "echo: by pipe" in agents.om.ok("screen", mission))
    given_back(agents, mission)
    assert history(agents, mission) == ["by pipe"]


def test_what_the_person_did_is_part_of_the_conversation(agents):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    with Attached(agents.om, mission) as person:
        person.shows("echo: by pipe")
        person.type(b"by hand\r")
        person.shows("echo: by hand")
        person.type(LEAVE)
        assert person.end() == 0
    given_back(agents, mission)
    assert history(agents, mission) == ["by pipe", "by hand"]
    assert agents.om.info(mission)["cost_usd"] > 0.14, "three turns, one of them by hand"


def test_messages_meanwhile(agents):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    with joining(agents, mission) as api:
        until_ready(api)
        assert "--queue" in agents.om.refused("send", mission, "hi", code="paused")
        agents.om.refused("send", mission, "--wait", "hi", code="paused")
        message = agents.om.json("send", mission, "--queue", "--json", "later")
        assert message["state"] == "queued"
    assert agents.answer(message)["text"] == "echo: later"
    given_back(agents, mission)
    assert agents.heard(mission) == ["by pipe", "later"]


def test_a_session_without_any_prompt_yet(agents):
    mission = agents.session()
    with joining(agents, mission) as api:
        until_ready(api)
        handed_over(agents, mission)
    given_back(agents, mission)
    assert agents.say(mission, "hello") == "echo: hello"


def test_keep_leaves_it_on_its_terminal(agents):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    with joining(agents, mission, keep=True) as api:
        until_ready(api)
    eventually(lambda: agents.om.info(mission)["attached"] == 0)
    info = agents.doing(mission, "idle")
    assert info["mode"] == "interactive"
    with joining(agents, mission) as api:
        assert until_ready(api)[1]["run"] == f"{mission}.2"
    given_back(agents, mission)


def test_it_is_given_back_by_the_last_who_leaves(agents):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    with joining(agents, mission) as first:
        until_ready(first)
        with joining(agents, mission) as second:
            until_ready(second)
            assert agents.om.info(mission)["attached"] == 2
        eventually(lambda: agents.om.info(mission)["attached"] == 1)
        assert agents.om.info(mission)["handover"] == "handed_over"
    given_back(agents, mission)


def test_detach_ends_it_for_everybody(agents):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    with joining(agents, mission) as api:
        until_ready(api)
        agents.om.ok("detach", mission)
        assert api.read_line()["item"] == {"type": "detached"}
    given_back(agents, mission)
    finished = agents.om("detach", mission)
    assert (finished.returncode, finished.stderr[:20]) == (0, "Error: not_attached:")


def test_only_watching_changes_nothing(agents):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    before = agents.om.pid(mission)
    with RawSocket.connect(agents.om.home) as api:
        assert api.request("attach", id=mission, read_only=True)["error"] == "invalid"
    assert agents.om.pid(mission) == before


def test_a_process_inside_a_mission_can_not_attach(agents):
    mission = agents.session(prompt="by pipe")
    script = (
        "import json,os,socket;s=socket.socket(socket.AF_UNIX);s.connect(os.environ['OVERMIND_HOME']+'/overmind.sock');"
    )
    ask = json.dumps({"cmd": "attach", "args": {"id": mission}})
    inside = agents.om.finished(["python3", "-c", f"{script}s.send({ask!r}.encode()+b'\\n');print(s.recv(999))"])
    assert "forbidden" in agents.om.logs(inside["id"])


def test_a_turn_under_way_is_finished_first(agents):
    mission, gate = agents.session(*BASH), agents.gate()
    message = agents.post(mission, gate.prompt)
    waiting = agents.post(mission, "after")
    agents.doing(mission, "working")
    with joining(agents, mission) as api:
        item = api.read_line()["item"]
        assert (item["type"], item["seconds"] >= 0) == ("finishing", True)
        assert agents.om.info(mission)["handover"] == "finishing"
        agents.om.refused("send", mission, "hi", code="paused")
        gate.open()
        assert agents.answer(message)["text"] == "tool said: through"
        until_ready(api)
        assert agents.states(mission) == ["answered", "queued"]
    assert agents.answer(waiting)["text"] == "echo: after"
    given_back(agents, mission)
    assert [row["resent"] for row in agents.messages(mission)] == [False, False]


def test_an_interrupt_hands_it_over_now(agents):
    mission, gate = agents.session(*BASH), agents.gate()
    message = agents.post(mission, gate.prompt)
    gate.runs()
    with joining(agents, mission) as api:
        eventually(lambda: agents.om.info(mission)["handover"] == "finishing")
        agents.om.ok("interrupt", mission)
        assert agents.answer(message)["error"] == "interrupted"
        until_ready(api)
    given_back(agents, mission)


def test_who_gives_up_before_changes_nothing(agents):
    mission, gate = agents.session(*BASH), agents.gate()
    message = agents.post(mission, gate.prompt)
    agents.doing(mission, "working")
    before = agents.om.pid(mission)
    with joining(agents, mission):
        eventually(lambda: agents.om.info(mission)["handover"] == "finishing")
    eventually(lambda: agents.om.info(mission)["handover"] is None)
    gate.open()
    assert agents.answer(message)["text"] == "tool said: through"
    assert agents.om.pid(mission) == before
    assert agents.say(mission, "next") == "echo: next"


def test_a_question_is_asked_again_on_the_terminal(agents):
    mission = agents.session()
    message = agents.post(mission, '!ask Bash {"command": "touch made"}')
    (asked,) = agents.asked(mission)
    with joining(agents, mission) as api:
        kinds, _ = until_ready(api)
        assert set(kinds) <= {"finishing"}
        (again,) = eventually(lambda: [one for one in agents.asked(mission) if one["question"] != asked["question"]])
        eventually(lambda: "Do you want to proceed?" in agents.om.ok("screen", mission))
        agents.om.ok("answer", str(again["question"]), "allow")
        assert agents.answer(message)["state"] == "answered"
    assert os.path.exists(agents.om.path("made"))
    given_back(agents, mission)
    assert agents.heard(mission) == ['!ask Bash {"command": "touch made"}'] * 2


def test_who_leaves_in_the_middle_of_a_turn_gives_it_back_when_it_is_idle(agents):
    """Until then its questions reach the inbox."""
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    with Attached(agents.om, mission) as person:
        person.shows("echo: by pipe")
        person.type(b"%bash touch made\r")
        agents.asked(mission)
        person.type(LEAVE)
        assert person.end() == 0
    info = agents.until(mission, lambda info: info["handover"] == "handing_back" and info)
    assert (info["mode"], info["activity"]) == ("interactive", "waiting")
    agents.om.refused("send", mission, "hi", code="paused")
    agents.om.ok("answer", mission, "allow")
    given_back(agents, mission)
    assert os.path.exists(agents.om.path("made"))


def test_who_comes_back_before_it_is_idle_keeps_it(agents):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    with Attached(agents.om, mission) as person:
        person.shows("echo: by pipe")
        person.type(b"%bash touch made\r")
        agents.asked(mission)
        person.type(LEAVE)
        person.end()
    agents.until(mission, lambda info: info["handover"] == "handing_back")
    pid = agents.om.pid(mission)
    with joining(agents, mission) as api:
        until_ready(api)
        agents.om.ok("answer", mission, "allow")
        agents.doing(mission, "idle")
        assert (agents.om.pid(mission), agents.om.info(mission)["handover"]) == (pid, "handed_over")
    given_back(agents, mission)


@pytest.mark.parametrize("end", ["killed", "hung up", "detached"])
def test_however_the_client_goes_it_is_given_back(agents, end):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    with Attached(agents.om, mission) as person:
        person.shows("echo: by pipe")
        if end == "killed":
            person.kill()
        elif end == "hung up":
            person.hang_up()
        else:
            agents.om.ok("detach", mission)
            assert person.end() == 0
        given_back(agents, mission)


@pytest.mark.own_home
def test_the_supervisor_dies_while_a_person_has_it(agents):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    with Attached(agents.om, mission) as person:
        person.shows("echo: by pipe")
        pid = agents.om.pid(mission)
        kill_supervisor(agents.om)
        person.type(b"by hand\r")
        person.shows("echo: by hand")
        assert agents.om.pid(mission) == pid
        eventually(lambda: agents.om.info(mission)["attached"] == 1)
        person.type(LEAVE)
        assert person.end() == 0
    given_back(agents, mission)
    assert history(agents, mission) == ["by pipe", "by hand"]


@pytest.mark.own_home
def test_supervisor_and_client_die_while_a_person_has_it(agents):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    with Attached(agents.om, mission) as person:
        person.shows("echo: by pipe")
        person.kill()
        kill_supervisor(agents.om)
        given_back(agents, mission)


@pytest.mark.parametrize("options", [AGAIN, ()], ids=["restarted", "not restarted"])
def test_the_agent_dies_while_a_person_has_it(agents, options):
    mission = agents.session(*options, prompt="by pipe")
    agents.answer(1)
    with joining(agents, mission) as api:
        until_ready(api)
        agents.kill(mission)
        if not options:
            assert agents.om.wait_status(mission, "crashed")["exit_code"] == 137
            return
        agents.again(mission)
        assert handed_over(agents, mission)["handover"] == "handed_over"
        assert one_process(agents, mission)
    given_back(agents, mission)
    assert history(agents, mission) == ["by pipe"]


def test_a_person_who_ends_the_program_gives_it_back(agents):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    with Attached(agents.om, mission) as person:
        person.shows("echo: by pipe")
        person.type(b"/exit\r")
        given_back(agents, mission)
    assert agents.om.info(mission)["restart_count"] == 0
    assert history(agents, mission) == ["by pipe"]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_mission_that_is_ended_while_a_person_has_it(agents, end):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    session = agents.om.info(mission)["session_id"]
    with joining(agents, mission) as api:
        until_ready(api)
        agents.om.ok(end, mission)
        ended = next(line["item"] for line in api.lines() if line["item"]["type"] == "ended")
        assert ended["status"] == ("stopped" if end == "stop" else "killed")
    assert with_word(session) == []
