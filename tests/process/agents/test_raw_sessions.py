"""Sessions of any other program: what is sent is typed, at once and exactly."""

from __future__ import annotations

import sys

import pytest

from tests.kit.agents import LEAVE
from tests.kit.attached import Attached
from tests.kit.killing import kill_supervisor
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home


def session(agents, *command, options=()):
    mission = agents.om.mission([*command], "--type", "session", *options)
    agents.om.wait_status(mission, "running")
    return mission


def shows(agents, mission, text):
    eventually(lambda: text in agents.om.logs(mission), what=f"{text!r} is shown")


def test_what_is_sent_is_typed_and_delivered_at_once(agents):
    mission = session(agents, "sh", "-c", "stty -echo; echo ready; exec cat")
    shows(agents, mission, "ready")
    assert agents.om.ok("send", mission, "hello", "there") == f"Sent to mission {mission}\n"
    shows(agents, mission, "hello there")
    assert [(one["state"], one["text"]) for one in agents.messages(mission)] == [("delivered", "hello there")]
    assert agents.om.json("send", mission, "--json", "again")["state"] == "delivered"


@pytest.mark.parametrize("program", [("sh",), ("bash", "--norc"), (sys.executable, "-q")])
def test_programs_that_read_commands(agents, program):
    mission = session(agents, *program)
    python = program[0] == sys.executable
    agents.om.ok("send", mission, "print(6 * 7)" if python else "echo $((6 * 7))")
    shows(agents, mission, "42")
    agents.om.ok("send", mission, "exit(3)" if python else "exit 3")
    assert agents.om.wait_status(mission, "crashed")["exit_code"] == 3


def test_who_starts_a_program_that_asks_nothing_is_told(agents, tmp_path):
    (tmp_path / "pi").symlink_to("/bin/cat")
    started = agents.om("run", "--type", "session", "--", str(tmp_path / "pi"))
    assert (started.returncode, started.stdout[:16]) == (0, "Started mission ")
    assert started.stderr == "pi runs every command without asking.\n"


def test_no_command_is_the_callers_shell(agents):
    mission = agents.om.mission([], "--type", "session")
    agents.om.wait_status(mission, "running")
    agents.om.ok("send", mission, "echo I am $0")
    shows(agents, mission, "I am /bin/sh")


def test_lines_arrive_exactly(agents):
    mission = session(agents, "sh", "-c", "stty -echo; echo ready; exec cat")
    shows(agents, mission, "ready")
    for text in ("'quoted' \"twice\" $HOME", "🐝 漢字", "-n", "!bang", "/slash"):
        agents.om.ok("send", mission, "--", text)
        shows(agents, mission, f"\n{text}\n")
    agents.om.ok("send", mission, "-", stdin="caf\udce9")
    eventually(lambda: b"\ncaf\xe9\r\n" in agents.om.raw("logs", "--raw", mission), what="and bytes that are no UTF-8")


def test_an_answer_can_not_be_waited_for(agents):
    mission = session(agents, "cat")
    assert "raw session" in agents.om.refused("send", mission, "--wait", "hi", code="invalid")
    assert agents.messages(mission) == []


def test_a_line_longer_than_a_terminal_takes_is_refused_by_name(agents):
    mission = session(agents, "cat")
    agents.om.ok("send", mission, "-", stdin="x" * 4095)
    sentence = agents.om.refused("send", mission, "-", stdin="y" * 4096, code="too_large")
    assert "4095" in sentence
    assert agents.states(mission) == ["delivered", "failed"]


def test_a_program_that_takes_keys_takes_long_ones(agents):
    """Only a terminal that reads by lines has that limit."""
    mission = session(agents, "sh", "-c", "stty raw -echo; echo ready; exec wc -c")
    shows(agents, mission, "ready")
    agents.om.ok("send", mission, "-", stdin="z" * 100_000)
    assert agents.states(mission) == ["delivered"]


def test_an_interrupt_is_ctrl_c(agents):
    mission = session(agents, "bash", "--norc")
    agents.om.ok("send", mission, "sleep 600; echo slept")
    agents.om.ok("send", mission, "echo after")
    agents.om.ok("interrupt", mission)
    shows(agents, mission, "^C")
    assert agents.om.info(mission)["status"] == "running"


def test_keys_reach_a_program_as_its_terminal_sends_them(agents):
    mission = session(agents, "sh", "-c", "printf '\\033[?1h'; stty raw -echo; echo ready; exec cat -v")
    shows(agents, mission, "ready")
    assert agents.om.ok("keys", mission, "Up", "M-x", "y", "C-c") == f"Typed 4 keys into mission {mission}\n"
    shows(agents, mission, "^[OA^[xy^C")
    said = agents.om.ok("keys", mission, "-l", "another way", "Enter")
    assert said == f"Typed 11 characters and 1 key into mission {mission}\n"
    shows(agents, mission, "^Canother way^M")
    assert "Unknown key 'Entre'" in agents.om.refused("keys", mission, "-l", "x", "Up", "Entre", code="invalid")
    assert "No keys are given" in agents.om.refused("keys", mission, code="invalid")
    agents.om.refused("keys", mission, "-l", "x" * 1001, code="too_large")
    assert agents.om.json("keys", mission, "--json", "z")["keys"] == 1
    shows(agents, mission, "way^Mz")


def test_keys_are_for_a_session_with_a_terminal_and_not_for_other_missions(agents):
    om = agents.om
    task = om.mission("sleep 600")
    assert "is a task" in om.refused("keys", task, "y", code="not_session")
    mission = session(agents, "cat")
    outsider = om.finished(f"overmind keys {mission} y")
    assert outsider["exit_code"] == 1
    assert f"may not press keys in {mission}" in om.logs(outsider["id"])
    om.ok("stop", mission)
    om.refused("keys", mission, "y", code="not_running")


def test_what_is_frozen_is_to_be_thawed_first(agents):
    mission = session(agents, "cat")
    agents.om.ok("freeze", mission)
    for words in (("send", mission, "hi"), ("keys", mission, "Enter"), ("interrupt", mission)):
        assert f"overmind thaw {agents.om.info(mission)['name']}" in agents.om.refused(*words, code="paused")
    agents.om.ok("thaw", mission)
    agents.om.ok("send", mission, "hi")
    shows(agents, mission, "hi")


def test_what_is_not_running_gets_nothing(agents):
    mission = session(agents, "sh", "-c", "read x; exit 1", options=("--restart", "always", "--backoff", "1h"))
    agents.om.ok("send", mission, "go")
    agents.om.wait_status(mission, "restarting")
    agents.om.refused("send", mission, "hi", code="not_running")
    agents.om.ok("stop", mission)
    agents.om.refused("send", mission, "hi", code="not_running")


def test_it_has_no_questions_costs_or_turns(agents):
    mission = session(agents, "cat")
    info = agents.om.info(mission)
    assert (info["cost_usd"], info["mode"], info["session_id"]) == (None, None, None)
    assert agents.om.json("inbox", "--json") == []


REPORTING = r"""
import os, sys, tty
tty.setraw(0)
os.write(1, b"\x1b]7501;?\x1b\\\x1b[c")
said = b""
while not said.endswith(b"c"):
    said += os.read(0, 100)
os.write(1, repr(said).encode() + b"\r\n")
for _ in range(2):
    os.write(1, b"\x1b]7501;state=blocked:app=pi:kind=permission:msg=YXBwcm92ZSBCYXNoOiB0b3VjaCBtYWRlLnR4dA==\x07")
    key = os.read(0, 100)
    os.write(1, b"\x1b]7501;state=working:app=pi\x07")
os.write(1, b"\x1b]7501;state=done:app=pi\x07")
os.read(0, 100)
"""


def test_a_program_that_reports_its_state_is_told_that_it_is_heard_and_its_question_is_in_the_inbox(agents):
    mission = session(agents, sys.executable, "-c", REPORTING)
    shows(agents, mission, r"b'\x1b]7501;?\x1b\\\x1b[?62;22c'")
    info = agents.doing(mission, "waiting")
    said = (info["need"], info["activity_source"], info["now"])
    assert said == ("permission", "status", "approve Bash: touch made.txt")
    (first,) = agents.asked(mission)
    assert "overmind attach" in agents.om.refused("answer", str(first["question"]), "allow", code="invalid")
    kill_supervisor(agents.om)
    assert agents.asked(mission)[0]["question"] == first["question"], "it is the same question"
    agents.press(mission, b"y")
    eventually(lambda: agents.asked(mission)[0]["question"] > first["question"], what="it asks once more")
    agents.press(mission, b"y")
    assert agents.doing(mission, "idle")["activity_source"] == "status"
    assert [one for one in agents.om.api("inbox") if one["id"] == mission] == []


def test_a_person_at_its_terminal_gets_its_reports_as_they_are_and_none_of_ours(agents):
    mission = session(agents, "sh", "-c", r"read x; printf '\033]7501;state=working:app=pi\007'; exec sleep 600")
    with Attached(agents.om, mission) as person:
        person.joined()
        person.type(b"\r")
        person.until(lambda: b"]7501;" in person.seen, "its report is there")
        assert person.seen.count(b"]7501;") == person.seen.count(b"\x1b]7501;state=working:app=pi\x07") == 1
        person.type(LEAVE)
        assert person.end() == 0
