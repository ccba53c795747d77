"""Messages: the queue, their delivery one at a time, and each one's own answer."""

from __future__ import annotations

import shlex
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.kit.killing import kill_supervisor, without_waiting
from tests.kit.overmind import PROGRAM
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

BASH = ("--allowed-tools", "Bash")
EXACT = {
    "plain": "plain",
    "lines": "two\nlines\n\nand a third\t.",
    "quotes": "'single' \"double\" `ticks` $HOME $(id) \\n \\ %s",
    "unicode": "🐝 naïve 漢字 e\u0301 \u200d \u202e",
    "slash": "/clear is no command here",
    "bang": "!nothing is no command",
    "dash": "-n --wait is no option",
    "blanks": "  blanks at both ends  ",
    "json": '{"type":"user","message":{}}',
    "control characters": "\x1b[31mred\x1b[0m \x07 \x01",
}


def test_the_first_prompt_is_answered_and_the_session_stays(agents):
    mission = agents.session("--name", "planner", prompt="first")
    agents.answer(1)
    info = agents.doing(mission, "idle")
    assert (info["status"], info["mode"], info["activity_source"], info["now"]) == (
        "running",
        "headless",
        "stream",
        "echo: first",
    )
    assert agents.say("planner", "second") == "echo: second"
    assert agents.heard(mission) == ["first", "second"]
    assert len(agents.om.info(mission)["runs"]) == 1


def test_a_session_without_a_prompt_waits_for_its_first_message(agents):
    mission = agents.session()
    assert agents.doing(mission, "idle")["status"] == "running"
    assert agents.om.ok("send", mission, "hello", "there") == f"Sent to mission {mission}\n"
    eventually(lambda: agents.heard(mission) == ["hello there"])


def test_a_message_arrives_exactly(agents, cases):
    mission = agents.session()
    for name, text in EXACT.items():
        with cases(name):
            agents.say(mission, text)
            assert agents.heard(mission)[-1] == text


@pytest.mark.parametrize("size", [128 * 1024, 500_000])
def test_a_long_message_comes_by_standard_input(agents, size):
    mission = agents.session()
    text = "".join(f"{number} 'quoted' 🐝\n" for number in range(size))[:size].strip()
    assert agents.om.ok("send", mission, "--wait", "-", stdin=text) == f"echo: {text}\n"
    assert agents.heard(mission) == [text]
    assert [one["text"] for one in agents.messages(mission)] == [text]


def test_what_is_refused(agents):
    mission = agents.session()
    om = agents.om
    assert om("send", mission).returncode == 2
    om.refused("send", mission, "  ", code="empty_command", exit_code=2)
    om.refused("send", "nosuch", "hi", code="not_found")
    om.refused("send", mission, "-", stdin="a\0b", code="invalid")
    om.refused("messages", mission, "--cancel", "99", code="not_found")
    assert agents.messages(mission) == []


def test_ten_senders_at_once_get_their_own_answers(agents):
    mission = agents.session()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda number: agents.say(mission, f"number {number}"), range(10)))
    assert answers == [f"echo: number {number}" for number in range(10)]
    assert sorted(agents.heard(mission)) == sorted(f"number {number}" for number in range(10))
    rows = agents.messages(mission)
    assert agents.heard(mission) == [row["text"] for row in rows], "in the order in which they were accepted"
    assert {row["state"] for row in rows} == {"answered"}


def test_messages_queue_in_order_while_a_turn_lasts(agents):
    mission, gate = agents.session(*BASH), agents.gate()
    agents.post(mission, gate.prompt)
    agents.doing(mission, "working")
    said = [agents.om.ok("send", mission, text) for text in ("one", "two")]
    numbers = [agents.number(2), agents.number(3)]
    assert said == [
        f"Queued for mission {mission} (message {n}, {ahead} ahead)\n" for ahead, n in enumerate(numbers, 1)
    ]
    assert agents.post(mission, "three")["ahead"] == 3
    assert agents.states(mission) == ["delivered", "queued", "queued", "queued"]
    gate.open()
    assert [agents.answer(number)["text"] for number in (1, 2, 3, 4)] == [
        "tool said: through", "echo: one", "echo: two", "echo: three",
    ]  # fmt: skip
    assert agents.heard(mission)[1:] == ["one", "two", "three"]


def test_a_queued_message_can_be_withdrawn_and_no_other(agents):
    mission, gate = agents.session(*BASH), agents.gate()
    agents.post(mission, gate.prompt)
    gate.runs()
    agents.post(mission, "one")
    waiting = agents.om.popen("send", mission, "--wait", "two")
    eventually(lambda: len(agents.messages(mission)) == 3)
    agents.post(mission, "three")
    first, third = str(agents.number(1)), str(agents.number(3))
    assert agents.om.ok("messages", mission, "--cancel", third) == f"Cancelled message {third}\n"
    assert waiting.wait(timeout=20) == 1
    assert "was withdrawn" in waiting.stderr.read()
    assert "already delivered" in agents.om.refused("messages", mission, "--cancel", first, code="invalid")
    gate.open()
    agents.answer(4)
    assert agents.heard(mission)[1:] == ["one", "three"]
    assert agents.states(mission) == ["answered", "answered", "cancelled", "answered"]
    assert "already cancelled" in agents.om.refused("messages", mission, "--cancel", third, code="invalid")


def test_messages_are_listed(agents):
    mission = agents.session()
    agents.say(mission, "hello")
    agents.om("send", mission, "--wait", "!error 400")
    table = agents.om.ok("messages", mission).splitlines()
    assert table[0].split() == ["MESSAGE", "STATE", "SENT", "FROM", "ERROR", "TEXT"]
    assert [line.split()[:2] for line in table[1:]] == [
        [str(agents.number(1)), "answered"],
        [str(agents.number(2)), "failed"],
    ]
    assert "api_error 400" in table[2]
    (first, _) = agents.om.json("messages", mission, "--json")
    assert sorted(first) == sorted(
        ["message", "state", "text", "sender", "created_at", "delivered_at", "ended_at", "resent", "error"]
    )
    assert first["created_at"] <= first["delivered_at"] <= first["ended_at"]


def test_a_wait_that_runs_out_exits_124_and_the_message_stays(agents):
    mission, gate = agents.session(*BASH), agents.gate()
    agents.post(mission, gate.prompt)
    agents.doing(mission, "working")
    sentence = agents.om.refused("send", mission, "--wait", "--timeout", "200ms", "late", code="timeout", exit_code=124)
    assert "the message stays" in sentence
    gate.open()
    assert agents.answer(2)["text"] == "echo: late"


def test_a_wait_says_that_a_person_is_needed_and_ends(agents):
    mission = agents.session()
    waiting = agents.om("send", mission, "--wait", '!ask Bash {"command": "ls -l"}')
    (asked,) = agents.om.api("inbox")
    assert waiting.returncode == 3
    assert f": overmind answer {asked['question']} allow" in waiting.stderr
    agents.om.ok("answer", str(asked["question"]), "allow")
    assert agents.answer(1)["state"] == "answered"


def test_the_answer_as_json(agents):
    mission = agents.session()
    answer = agents.om.json("send", mission, "--wait", "--json", "hello")
    assert sorted(answer) == ["cost_source", "cost_usd", "duration_ms", "text", "usage"]
    assert answer["text"] == "echo: hello"
    assert answer["cost_usd"] > 0
    assert sorted(answer["usage"]) == ["cache_read", "cache_write", "input", "output"]


def test_the_answer_of_a_turn_that_failed(agents):
    mission = agents.session()
    sentence = agents.om.refused("send", mission, "--wait", "!error 500", code="not_finished")
    assert "api_error 500" in sentence
    assert agents.say(mission, "still there") == "echo: still there"


def test_an_answer_of_ten_megabytes(agents):
    mission = agents.session()
    assert agents.say(mission, "!huge 10000000") == "x" * 10_000_000


def test_an_answer_with_garbage_around_it(agents):
    mission = agents.session()
    assert agents.say(mission, "!garbage") == "echo: !garbage"
    assert agents.say(mission, "go on") == "echo: go on"


@pytest.mark.own_home
def test_who_waits_is_not_disturbed_by_a_supervisor_that_dies(agents):
    mission, gate = agents.session(*BASH), agents.gate()
    waiting = []
    for text, count in ((gate.prompt, 1), ("next", 2)):
        waiting.append(agents.om.popen("send", mission, "--wait", text))
        agents.until(mission, lambda _, count=count: agents.states(mission) == ["delivered", "queued"][:count])
    kill_supervisor(agents.om)
    gate.open()
    outputs = [client.communicate(timeout=30) for client in waiting]
    assert [text for text, _ in outputs] == ["tool said: through\n", "echo: next\n"]
    assert [without_waiting(errors) for _, errors in outputs] == ["", ""]
    assert len(agents.heard(mission)) == 2


def test_the_same_request_sent_twice_is_one_message(agents):
    mission = agents.session()
    first = agents.post(mission, "hello", request="a" * 32)
    agents.answer(first)
    assert agents.post(mission, "hello", request="a" * 32)["message"] == first["message"]
    assert agents.heard(mission) == ["hello"]


# --- interrupt ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", ["!slow 60 words", "!bash", '!ask Bash {"command": "touch x"}'])
def test_an_interrupt_ends_the_turn_and_keeps_the_session(agents, prompt):
    mission, gate = agents.session(*BASH), agents.gate()
    prompt = gate.prompt if prompt == "!bash" else prompt
    message = agents.post(mission, prompt)
    eventually(lambda: agents.heard(mission) == [prompt])
    if prompt == gate.prompt:
        gate.runs()
    if prompt.startswith("!ask"):
        agents.asked(mission)
    assert agents.om.ok("interrupt", mission) == f"Interrupted mission {mission}\n"
    assert agents.answer(message)["error"] == "interrupted"
    assert agents.om.json("inbox", "--json") == []
    assert agents.say(mission, "next") == "echo: next"
    assert len(agents.om.info(mission)["runs"]) == 1


def test_an_interrupt_of_an_idle_session_does_nothing(agents):
    mission = agents.session(prompt="hello")
    agents.answer(1)
    assert agents.om.ok("interrupt", mission) == f"Mission {mission} was idle\n"
    assert agents.om.json("interrupt", "--json", mission)[0]["interrupted"] is False
    assert agents.say(mission, "next") == "echo: next"


def test_a_frozen_agent_is_not_interrupted_once_it_is_thawed(agents):
    mission = agents.session(prompt="!sleep 600")
    agents.doing(mission, "working")
    agents.om.ok("freeze", mission)
    agents.om.refused("interrupt", mission, code="paused")


def test_what_waits_follows_an_interrupt(agents):
    mission, gate = agents.session(*BASH), agents.gate()
    agents.post(mission, gate.prompt)
    gate.runs()
    waiting = agents.post(mission, "next")
    agents.om.ok("interrupt", mission)
    assert agents.answer(waiting)["text"] == "echo: next"


# --- missions that are not ready ----------------------------------------------------------------------------------


def test_messages_for_a_mission_that_restarts_queue(agents):
    mission = agents.session("--restart", "always", "--backoff", "600", prompt="hello")
    agents.answer(1)
    agents.kill(mission)
    agents.om.wait_status(mission, "restarting")
    assert agents.post(mission, "meanwhile")["state"] == "queued"
    assert agents.answer(2)["text"] == "echo: meanwhile"
    assert agents.om.info(mission)["restart_count"] == 1


def test_a_frozen_mission_queues(agents):
    mission = agents.session(prompt="hello")
    agents.answer(1)
    agents.om.ok("freeze", mission)
    message = agents.post(mission, "meanwhile")
    assert message["state"] == "queued"
    assert agents.om.json("send", mission, "--json", "more")["state"] == "queued"
    agents.om.ok("thaw", mission)
    assert agents.answer(message)["text"] == "echo: meanwhile"
    assert agents.answer(3)["text"] == "echo: more"


@pytest.mark.parametrize("end", [("stop",), ("kill",)])
def test_a_final_end_fails_what_waits(agents, end):
    mission, gate = agents.session(*BASH), agents.gate()
    agents.post(mission, gate.prompt)
    clients = [agents.om.popen("send", mission, "--wait", text) for text in ("one", "two")]
    eventually(lambda: agents.states(mission) == ["delivered", "queued", "queued"])
    agents.om.ok(*end, mission)
    for client in clients:
        assert client.wait(timeout=20) == 1
        *waits, error = client.stderr.read().splitlines()
        assert error.startswith("Error: exited: ")
        assert all(line.startswith("waits") for line in waits), "on a busy machine"
    first, *waiting = agents.messages(mission)
    assert first["state"] in {"failed", "answered"}, "the end of its tool may reach it before its own"
    assert [(row["state"], row["error"]) for row in waiting] == [("failed", "exited")] * 2


def test_nothing_can_be_sent_to_what_has_ended(agents):
    mission = agents.session(prompt="hello")
    agents.answer(1)
    agents.om.ok("stop", mission)
    for words in (("send", mission, "hi"), ("send", mission, "--wait", "hi"), ("interrupt", mission)):
        agents.om.refused(*words, code="not_running")


def test_nothing_can_be_sent_to_a_task(agents):
    raw, task = agents.om.mission("sleep 60"), agents.start('!ask Bash {"command": "touch x"}')
    agents.asked(task)
    for mission in (raw, task):
        agents.om.refused("send", mission, "hi", code="not_session")
        agents.om.refused("send", mission, "--wait", "hi", code="not_session")
        agents.om.refused("interrupt", mission, code="not_session")


def test_what_was_said_is_in_the_log_and_among_the_events(agents):
    mission = agents.session(prompt="first words")
    agents.answer(1)
    agents.say(mission, "more\nwords")
    lines = agents.om.logs(mission).splitlines()
    assert "[human] first words" in lines
    assert "[human] more" in lines
    types = ("message_queued", "message_delivered", "message_answered")
    seen = [one["type"] for one in agents.events(mission, *types) if one["message"] == agents.number(2)]
    assert seen == list(types)


def test_a_mission_may_send_to_its_own_children_and_is_named(agents):
    gate = agents.gate()
    stranger = agents.session()
    send = shlex.join([*PROGRAM, "send"])
    parent = agents.om.mission(f"{gate.command}; {send} child hello; {send} {stranger} hello; sleep 60")
    child = agents.session("--name", "child", "--parent", parent)
    gate.open()
    assert agents.answer(1)["text"] == "echo: hello"
    assert agents.messages(child)[0]["sender"] == parent
    eventually(lambda: "Error: forbidden: " in agents.om.logs(parent))
    assert agents.messages(stranger) == []
