"""Sessions of many turns, with the real program: each message has its own answer, through deaths and restarts."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.kit import messages_stream
from tests.kit import reported_cost as true_cost
from tests.kit.directives import HISTORY_WIDTH
from tests.kit.killing import kill_supervisor
from tests.kit.processes import alive, programs_with_word, with_word

pytestmark = [pytest.mark.claude, pytest.mark.linux]

BASH = ("--allowed-tools", "Bash")
AGAIN = ("--restart", "always", "--backoff", "1ms")
EXACT = "/clear is no command,\n\n!nothing neither: 'single' \"double\" `ticks` $HOME $(id) \\n 🐝 漢字 -- {}"


def history(agents, mission):
    """What the model was told by the person, as it says itself."""
    said = agents.say(mission, "!history").removesuffix(" | !history")
    return said.split(" | ")[1:]


def works(agents, mission, text):
    """Send what takes long and wait until its tool runs or its answer has begun; return the message."""
    message = agents.post(mission, text)
    agents.until(mission, lambda info: info["activity"] == "working" and agents.states(mission)[-1] == "delivered")
    return message


def of_a_run(agents, mission, gate):
    """Send the gate's prompt and wait until its command runs; return the message."""
    message = agents.post(mission, gate.prompt)
    gate.runs()
    return message


# --- messages -----------------------------------------------------------------------------------------------------


@pytest.mark.proves("session")
def test_a_conversation_goes_on_over_turns_and_is_paid_for_once(agents, api):
    mission = agents.session(*BASH, prompt="first")
    assert agents.answer(1)["text"] == "echo: first"
    assert agents.say(mission, EXACT) == f"echo: {EXACT}"
    assert agents.say(mission, "!bash echo by a tool") == "tool said: by a tool"
    answer = agents.om.json("send", mission, "--wait", "--json", "!history")
    assert answer["text"].startswith("history: n=4 | first | /clear is no command,")
    assert answer["cost_usd"] > 0
    assert api.texts == ["first", EXACT, "!bash echo by a tool", "!history"]
    info = agents.doing(mission, "idle")
    assert (len(info["runs"]), info["mode"], info["activity_source"]) == (1, "headless", "stream")
    true_cost.assert_known(agents.om, mission, true_cost.by_turns(agents.om, mission))
    true_cost.assert_known(agents.om, mission, true_cost.by_total(agents.om, mission))


@pytest.mark.claude
@pytest.mark.proves("model")
@pytest.mark.proves("system prompt")
@pytest.mark.proves("tokens")
def test_its_model_is_given_what_it_is_to_be_and_its_tokens_are_those_that_its_service_counted(agents, api):
    mission = agents.session("--model", "other", "--system-prompt", "You are a till.", prompt="first")
    agents.answer(1)
    agents.say(mission, "second")
    bodies = [one.body for one in api.requests if one.path.startswith("/v1/messages?")]
    assert [body["model"] for body in bodies] == ["other", "other"]
    assert all("You are a till." in json.dumps(body["system"]) for body in bodies)
    tokens = agents.om.info(mission)["tokens"]
    assert tokens["input"] == sum(map(messages_stream.tokens, bodies))
    assert tokens["output"] > 0


@pytest.mark.proves("session")
def test_ten_senders_at_once_get_their_own_answers(agents, api):
    mission = agents.session()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda number: agents.say(mission, f"number {number}"), range(10)))
    assert answers == [f"echo: number {number}" for number in range(10)]
    assert api.texts == [row["text"] for row in agents.messages(mission)], "one turn each, in the order of acceptance"
    assert set(agents.states(mission)) == {"answered"}


def test_half_a_megabyte_comes_by_standard_input(agents, api):
    mission = agents.session()
    text = "".join(f"{number} 'quoted' 🐝\n" for number in range(30_000))[:500_000].strip()
    assert agents.om.ok("send", mission, "--wait", "-", stdin=text) == f"echo: {text}\n"
    assert api.texts == [text]


def test_the_answer_of_a_turn_that_failed(agents):
    mission = agents.session()
    assert "api_error 500" in agents.om.refused("send", mission, "--wait", "!error 500", code="not_finished")
    assert agents.say(mission, "still there") == "echo: still there"


@pytest.mark.proves("interrupt")
@pytest.mark.parametrize("during", ["an answer", "a tool", "a question"])
def test_an_interrupt_ends_the_turn_and_keeps_the_session(agents, during):
    mission, gate = agents.session("--permission-mode", "manual", *(BASH if during == "a tool" else ())), agents.gate()
    if during == "an answer":
        message = works(agents, mission, "!slow 60 words")
    elif during == "a tool":
        message = of_a_run(agents, mission, gate)
    else:
        message = agents.post(mission, "!bash touch made")
        agents.asked(mission)
    waiting = agents.post(mission, "next")
    assert agents.om.ok("interrupt", mission) == f"Interrupted mission {mission}\n"
    assert (agents.answer(message)["state"], agents.answer(message)["error"]) == ("failed", "interrupted")
    assert agents.answer(waiting)["text"] == "echo: next"
    assert agents.om.json("inbox", "--json") == []
    assert with_word(gate.command) == []
    assert len(agents.om.info(mission)["runs"]) == 1


# --- deaths -------------------------------------------------------------------------------------------------------


@pytest.mark.proves("resume")
def test_an_agent_killed_in_the_middle_of_a_tool_is_resumed_and_its_message_sent_once_more(agents, api):
    mission, gate = agents.session(*BASH, *AGAIN, prompt="before"), agents.gate()
    agents.answer(1)
    message = of_a_run(agents, mission, gate)
    waiting = agents.post(mission, "after")
    agents.kill(mission)
    gate.open()
    assert agents.answer(message)["text"] == "tool said: through"
    assert agents.answer(waiting)["text"] == "echo: after"
    assert api.texts == ["before", gate.prompt, gate.prompt, "after"]
    assert [one["resent"] for one in agents.messages(mission)] == [False, True, False]
    assert agents.om.logs(mission).count("--- message 2 is resent: the agent ended before it answered ---") == 1
    assert history(agents, mission)[0] == "before"
    (row,) = [one for one in agents.om.json("cost", "--json") if one["key"] == mission]
    assert row["turns"] == len(api.requests), "the call that died with its program counts, too"
    told = true_cost.by_turns(agents.om, mission)
    assert row["cost_usd"] == pytest.approx(told * len(api.requests) / (len(api.requests) - 1), rel=0.05)


@pytest.mark.parametrize("begun", [False, True], ids=["its first", "a later"])
def test_an_agent_killed_before_a_word_of_its_answer_is_sent_it_once_more(agents, api, begun):
    mission = agents.session(*AGAIN, prompt="before" if begun else None)
    if begun:
        agents.answer(1)
    message = works(agents, mission, "!sleep 2 words")
    agents.kill(mission)
    assert agents.answer(message)["text"] == "echo: words"
    assert agents.messages(mission)[-1]["resent"]
    assert ("before" in history(agents, mission)) is begun
    assert agents.om.info(mission)["restart_count"] == 1


def test_the_death_of_the_supervisor_in_a_turn_is_not_noticed(agents, api):
    mission, gate = agents.session(*BASH), agents.gate()
    waiting = agents.om.popen("send", mission, "--wait", gate.prompt)
    gate.runs()
    pid = agents.om.pid(mission)
    for _ in range(2):
        kill_supervisor(agents.om)
    gate.open()
    assert (waiting.wait(timeout=30), waiting.stdout.read()) == (0, "tool said: through\n")
    assert agents.om.pid(mission) == pid
    assert api.texts == [gate.prompt]
    assert history(agents, mission) == [gate.prompt[:HISTORY_WIDTH]]


@pytest.mark.proves("resume")
def test_a_restart_resumes_the_conversation_and_what_it_cost(agents):
    mission = agents.session(prompt="remember me")
    agents.answer(1)
    session = agents.om.info(mission)["session_id"]
    agents.om.ok("restart", mission)
    assert history(agents, mission) == ["remember me"]
    agents.om.ok("stop", mission)
    agents.om.ok("restart", mission)
    assert history(agents, mission) == ["remember me", "!history"]
    assert agents.om.info(mission)["session_id"] == session
    assert programs_with_word(session) == [agents.om.pid(mission)]
    true_cost.assert_known(agents.om, mission, true_cost.by_turns(agents.om, mission))
    true_cost.assert_known(agents.om, mission, true_cost.by_total(agents.om, mission))


@pytest.mark.parametrize("end", ["kill", "stop", "killed by somebody"])
def test_nothing_of_an_agent_outlives_it(agents, end):
    """Its tools run in sessions of their own."""
    mission, gate = agents.session(*BASH), agents.gate()
    agents.post(mission, f"!bash (setsid sh -c '{gate.command}' &) ; {gate.command}")
    before = gate.runs(2)
    if end == "killed by somebody":
        agents.kill(mission)
        agents.om.wait_status(mission, "crashed")
    else:
        agents.om.ok(end, mission)
    assert not [pid for pid in before if alive(pid)]
    assert with_word(gate.command) == []


@pytest.mark.proves("retries")
def test_a_limit_holds_the_queue_and_is_tried_again(agents):
    mission = agents.session()
    for text in ("!first 429", "two"):
        agents.post(mission, text)
    info = agents.until(mission, lambda info: info["activity"] == "limited" and info["now"] == "api_error 429" and info)
    assert info["resume_at"] is not None
    assert agents.states(mission) == ["queued", "queued"]
    assert [agents.answer(number, timeout=60.0)["text"] for number in (1, 2)] == ["echo: !first 429", "echo: two"]
