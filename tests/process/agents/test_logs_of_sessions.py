"""How an agent's work is shown: a transcript for people, its program's own objects for programs."""

from __future__ import annotations

import json
import re
import signal

import pytest

from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

BASH = ("--allowed-tools", "Bash")
SUMMARY = r"— \d+ turns?(, [\d.]+ m?s)?, \$\d\.\d\d, [\d.]+k? in / [\d.]+k? out —"


def lines(agents, mission, *options):
    return agents.om.logs(mission, *options).splitlines()


def test_the_log_is_a_transcript(agents):
    mission = agents.session(*BASH, prompt="first words")
    agents.answer(1)
    agents.say(mission, "!bash echo hi")
    agents.om("send", mission, "--wait", "!error 400")
    shown = lines(agents, mission)
    assert shown[:2] == ["[human] first words", "echo: first words"]
    assert re.fullmatch(SUMMARY, shown[2]), shown[2]
    assert shown[3:5] == ["[human] !bash echo hi", "running: echo hi"]
    assert re.fullmatch(r"⚙ Bash: echo hi → ok, [\d.]+ m?s", shown[5]), shown[5]
    assert shown[6] == "tool said: hi"
    assert shown[9].startswith("✗ api_error 400")


def test_its_raw_log_is_what_it_wrote(agents):
    mission = agents.task("hello")["id"]
    raw = agents.om.raw("logs", mission, "--raw")
    said = [json.loads(line) for line in raw.splitlines()]
    assert [one["type"] for one in said] == ["system", "user", "assistant", "result"]
    assert said[1]["message"]["content"] == [{"type": "text", "text": "hello"}]
    assert said[3]["result"] == "echo: hello"


@pytest.mark.parametrize("wait", [True, False])
def test_a_task_is_followed_as_a_transcript(agents, wait):
    if wait:
        shown = agents.om.ok("claude", "run", "--wait", "hello").splitlines()
    else:
        mission = agents.start("hello")
        shown = agents.om.logs(mission, "-f").splitlines()
    assert shown[:2] == ["[human] hello", "echo: hello"]
    assert re.fullmatch(SUMMARY, shown[2]), shown[2]
    assert len(shown) == 3


def test_a_session_is_followed_as_it_speaks(agents):
    mission = agents.session(prompt="one")
    agents.answer(1)
    client = agents.om.popen("logs", "-f", mission)
    assert [client.stdout.readline() for _ in range(2)] == ["[human] one\n", "echo: one\n"]
    client.stdout.readline()
    agents.say(mission, "!sleep 1 two")
    assert [client.stdout.readline() for _ in range(2)] == ["[human] !sleep 1 two\n", "echo: two\n"]
    client.send_signal(signal.SIGINT)
    assert client.wait(timeout=20) == 130


def test_the_end_and_the_lines_that_match(agents):
    mission = agents.session(prompt="one")
    agents.answer(1)
    agents.say(mission, "two")
    assert lines(agents, mission, "--tail", "2")[0] == "echo: two"
    assert lines(agents, mission, "--grep", "^echo") == ["echo: one", "echo: two"]


def test_runs_are_told_apart(agents):
    mission = agents.session(prompt="one")
    agents.answer(1)
    agents.om.ok("restart", mission)
    agents.say(mission, "two")
    shown = lines(agents, mission)
    (mark,) = [number for number, line in enumerate(shown) if line.startswith("--- restart #1 at ")]
    assert shown.index("echo: one") < mark < shown.index("echo: two")
    assert "echo: one" not in lines(agents, mission, "--run", "2")


def test_a_line_of_ten_megabytes_is_shown(agents):
    mission = agents.task("!huge 10000000")["id"]
    assert max(map(len, lines(agents, mission))) >= 10_000_000


def test_what_was_decided_is_in_the_event_log(agents):
    mission = agents.session("--deny", "Bash(rm:*)")
    agents.say(mission, '!ask Bash {"command": "rm x"}')
    (event,) = agents.events(mission, "answered")
    assert (event["behaviour"], event["by"]) == ("deny", "rule Bash(rm:*)")


def test_subscribers_get_the_programs_objects_and_then_the_end(agents):
    mission = agents.task("hello")["id"]
    items = agents.om.ndjson("subscribe", "--from-start", mission)
    assert {"system", "assistant", "result"} <= {item["type"] for item in items}
    assert next(item for item in items if item["type"] == "result")["result"] == "echo: hello"
    assert (items[-1]["type"], items[-1]["status"], items[-1]["exit_code"]) == ("exit", "stopped", 0)


def test_subscribers_get_what_is_no_object_as_plain_lines(agents):
    mission = agents.task("!garbage")["id"]
    items = agents.om.ndjson("subscribe", "--from-start", mission)
    plain = [item["text"] for item in items if item["type"] == "plain"]
    assert "Warning: this line is no JSON" in plain
    assert {"type": "of_the_future", "subtype": {"nested": True}} in items


@pytest.mark.own_home
def test_subscribers_follow_over_a_replaced_daemon(agents):
    mission = agents.session(prompt="one")
    agents.answer(1)
    client = agents.om.popen("subscribe", "--from-start", mission)
    eventually(lambda: "echo: one" in client.stdout.readline())
    agents.om.ok("start", "--replace")
    agents.say(mission, "two")
    agents.om.ok("stop", mission)
    items = [json.loads(line) for line in client.stdout]
    assert [item["result"] for item in items if item["type"] == "result"] == ["echo: one", "echo: two"]
    assert items[-1]["type"] == "exit"


def test_now_is_its_last_word_and_then_its_end(agents):
    mission = agents.session(prompt="one")
    agents.answer(1)
    assert agents.doing(mission, "idle")["now"] == "echo: one"
    agents.om.ok("stop", mission)
    assert agents.om.info(mission)["now"] == "echo: one", "143 is no news, nor is this line why it ended"
    failed = agents.task("!error 400")
    assert "api_error 400" in failed["now"]


def test_control_characters_of_an_agent_never_reach_a_terminal(agents):
    mission = agents.session()
    agents.say(mission, "\x1b[2J\x07 wiped \u202e")
    shown = agents.om.logs(mission) + agents.om.ok("ps", "--wide") + agents.om.ok("messages", mission)
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert "wiped" in shown
