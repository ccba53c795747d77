"""Prompts, questions, interrupts, ends and tokens of each program that Overmind speaks to, with the real one."""

from __future__ import annotations

import json
import os
import signal
import sys

import pytest

from tests.kit.killing import kill_supervisor
from tests.kit.model_api import OUTPUT
from tests.kit.overmind import FINAL
from tests.kit.processes import alive, with_variable
from tests.kit.waiting import eventually

pytestmark = pytest.mark.linux

TOUCH = "!bash touch made"
UNAUTHORIZED, LIMITED = 401, 429
RESTARTED = ("--restart", "always", "--max-restarts", "0", "--backoff", "1ms")


def made(agents, name="made"):
    return os.path.exists(os.path.join(agents.work, name))


def result(agents, mission):
    return agents.om.json("result", mission)["result"].strip()


@pytest.mark.proves("task")
def test_one_prompt_has_its_answer(agents):
    info = agents.task("hello there")
    assert (info["status"], info["reason"], info["exit_code"]) == ("stopped", None, 0)
    assert result(agents, info["id"]) == "echo: hello there"
    log = agents.om.logs(info["id"]).splitlines()
    assert log.index("[human] hello there") < log.index("echo: hello there")


def test_a_tool_is_a_line_of_the_transcript(agents):
    info = agents.task("!bash echo by a tool > made", "--permission-mode", "all")
    assert "echo by a tool > made → ok" in agents.om.logs(info["id"])
    assert "tool said:" in result(agents, info["id"])
    assert made(agents)


def test_what_was_said_is_found_in_its_transcript(agents):
    mission = agents.session("--permission-mode", "all", prompt="where does the QUOKKA of größe live, exactly")
    agents.answer(1)
    agents.say(mission, "!bash echo quokka > made")
    for words in (("quokka", "grÖSSE".replace("SS", "ß")), ("live, exactly",)):
        found = agents.om.json("search", "--transcripts", *words, "--json")
        assert [(row["id"], row["who"]) for row in found] == [(mission, "agent"), (mission, "human")]
        assert "QUOKKA of größe live, exactly" in found[0]["line"]
    tools = agents.om.json("search", "--transcripts", "quokka > made", "-human", "--json")
    assert "tool" in {row["who"] for row in tools}
    assert agents.om.json("search", "--transcripts", "quokkas", "--json") == []


@pytest.mark.proves("questions")
@pytest.mark.parametrize("task", [True, False], ids=["a task", "a session"])
def test_a_question_is_allowed(agents, task):
    mission = agents.start(TOUCH) if task else agents.session(prompt=TOUCH)
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["tool"], asked["summary"]) == ("permission", "Bash", "Bash: touch made")
    assert asked["subject"]["command"] == "touch made"
    assert not made(agents)
    agents.om.ok("answer", str(asked["question"]), "allow")
    if task:
        assert agents.om.wait_status(mission, *FINAL)["status"] == "stopped"
        assert "tool said:" in result(agents, mission)
    else:
        assert "tool said:" in agents.answer(1)["text"]
    assert made(agents)


@pytest.mark.proves("questions")
def test_a_question_is_refused_and_the_session_goes_on(agents):
    mission = agents.session(prompt=TOUCH)
    (asked,) = agents.asked(mission)
    agents.om.ok("answer", str(asked["question"]), "deny", "--message", "use make")
    agents.answer(1)
    assert not made(agents)
    assert agents.say(mission, "and now") == "echo: and now"


@pytest.mark.proves("rules")
def test_always_asks_once(agents):
    mission = agents.session(prompt=TOUCH)
    (asked,) = agents.asked(mission)
    agents.om.ok("answer", str(asked["question"]), "always")
    agents.answer(1)
    os.unlink(os.path.join(agents.work, "made"))
    assert "tool said:" in agents.say(mission, TOUCH)
    assert made(agents)
    assert agents.om.json("inbox", "--json") == []


@pytest.mark.proves("rules")
def test_rules_answer(agents):
    info = agents.task("!bash touch a", "--allow", "Bash(touch a)")
    assert (info["status"], made(agents, "a")) == ("stopped", True)
    agents.task("!bash touch b", "--deny", "Bash(touch:*)")
    assert not made(agents, "b")
    assert agents.om.json("inbox", "--json") == []


@pytest.mark.proves("session")
def test_ten_messages_have_ten_answers(agents):
    mission = agents.session()
    for number in range(10):
        assert agents.say(mission, f"number {number}") == f"echo: number {number}"
    assert agents.say(mission, "!history").startswith("history: n=11 | number 0 | number 1 |")


@pytest.mark.proves("interrupt")
def test_an_interrupt_in_a_text_ends_the_turn_alone(agents):
    mission = agents.session(prompt="!slow 60")
    eventually(lambda: agents.api.requests, timeout=agents.patience, what="it has asked its model")
    agents.doing(mission, "working")
    agents.om.ok("interrupt", mission)
    agents.doing(mission, "idle")
    assert agents.say(mission, "still there") == "echo: still there"


@pytest.mark.proves("interrupt")
def test_an_interrupt_ends_its_tool(agents):
    gate = agents.gate()
    mission = agents.session("--permission-mode", "all", prompt=gate.prompt)
    pids = gate.runs()
    agents.om.ok("interrupt", mission)
    agents.doing(mission, "idle")
    eventually(lambda: not any(map(alive, pids)), what="the command is gone")
    assert agents.say(mission, "still there") == "echo: still there"


@pytest.mark.proves("interrupt")
def test_an_interrupt_takes_its_question_away(agents):
    mission = agents.session(prompt=TOUCH)
    agents.asked(mission)
    agents.om.ok("interrupt", mission)
    agents.doing(mission, "idle")
    assert agents.om.json("inbox", "--json") == []
    assert agents.say(mission, "still there") == "echo: still there"
    assert not made(agents)


def test_a_question_outlives_the_supervisor(agents):
    mission = agents.session(prompt="!bash echo x >> made")
    (asked,) = agents.asked(mission)
    pid = agents.om.pid(mission)
    kill_supervisor(agents.om)
    agents.om.ok("start")
    (again,) = agents.asked(mission)
    assert (again["question"], agents.om.pid(mission)) == (asked["question"], pid)
    agents.om.ok("answer", mission, "allow")
    assert "tool said:" in agents.answer(1)["text"]
    with open(os.path.join(agents.work, "made"), encoding="utf-8") as file:
        assert file.read() == "x\n"


@pytest.mark.proves("resume")
def test_a_conversation_goes_on_in_the_next_process(agents):
    mission = agents.session(*RESTARTED, prompt="first")
    agents.answer(1)
    pid = agents.om.pid(mission)
    message = agents.post(mission, "!slow 3")
    eventually(
        lambda: agents.api.requests[-1].asked.texts[-1] == "!slow 3", timeout=agents.patience, what="its turn has begun"
    )
    kill_supervisor(agents.om)
    os.killpg(pid, signal.SIGKILL)
    agents.om.ok("start")
    assert agents.answer(message)["state"] == "answered"
    assert " | first | !slow 3 | " in agents.say(mission, "!history")


@pytest.mark.parametrize("provider", ["gemini"])  # each start of which clears away files of its folder
def test_a_conversation_outlives_each_of_its_processes_beside_others_of_its_folder(agents):
    mission = agents.session(*RESTARTED, prompt="first")
    agents.answer(1)
    said = ["first"]
    for _ in range(3):
        agents.doing(agents.session("--name", f"other-{len(said)}"), "idle")
        agents.kill(mission)
        agents.again(mission)
        answer = agents.say(mission, "!history")
        said.append("!history")
        assert answer == f"history: n={len(said)} | {' | '.join(said)}"
    log = agents.om.logs(mission)
    assert [log.count(one) for one in ("[human] first", "echo: first", "history: n=2")] == [1, 1, 1]


@pytest.mark.parametrize("provider", ["qwen"])  # whose first process starts another one
def test_a_turn_whose_first_process_is_killed_alone_is_tried_again(agents):
    mission = agents.session(*RESTARTED, prompt="first")
    agents.answer(1)
    message = agents.post(mission, "!slow 3")
    eventually(lambda: agents.api.requests[-1].asked.texts[-1] == "!slow 3", timeout=60, what="its turn has begun")
    agents.kill(mission)
    assert agents.answer(message)["state"] == "answered"


@pytest.mark.parametrize("status", [400, 401])
def test_a_refusal_of_its_service_is_the_reason_and_no_run_follows(agents, status):
    info = agents.task(f"!error {status}", "--restart", "on-failure", "--backoff", "1ms")
    reasons = {f"api_error {status}", *(["not_logged_in"] if status == UNAUTHORIZED else [])}
    assert (info["status"], info["restart_count"]) == ("crashed", 0)
    assert info["reason"] in reasons
    assert f"stub error {status}" in agents.om.logs(info["id"]) or info["reason"] == "not_logged_in"


@pytest.mark.proves("retries")
@pytest.mark.parametrize("status", [429, 500])
def test_one_that_tries_again_is_never_idle_meanwhile_and_then_answers(agents, status):
    tries = ("request_max_retries", "stream_max_retries") if agents.provider == "codex" else ()
    options = [word for one in tries for word in ("--agent-arg=-c", f"--agent-arg=model_providers.stub.{one}=3")]
    mission = agents.session(*options)
    agents.doing(mission, "idle")
    agents.api.failures += [status, status]
    answer = agents.answer(agents.post(mission, "hello"))
    if (agents.provider, status) == ("codex", LIMITED):  # which does not try again then
        assert answer["error"] == f"api_error {status}"
        return
    assert (answer["text"], agents.api.failures) == ("echo: hello", [])
    agents.doing(mission, "idle")
    seen = [event["doing"] for event in agents.events(mission, "activity")]
    begun = seen.index("working")
    assert set(seen[begun:-1]) <= {"working", "limited"}, seen


def test_one_whose_conversation_is_gone_begins_another_with_the_first_prompt_and_says_so(agents):
    mission = agents.session(*RESTARTED, prompt="first")
    agents.answer(1)
    agents.say(mission, "second")
    pid = agents.om.pid(mission)
    agents.forget()
    os.killpg(pid, signal.SIGKILL)
    eventually(
        lambda: "its conversation is gone: it begins a new one" in agents.om.logs(mission),
        timeout=60,
        what="it is said",
    )
    assert agents.om.info(mission)["conversation_lost"]
    assert agents.say(mission, "!history").startswith("history: n=2 | first | !history")


def test_what_no_protocol_has_holds_nothing_up(agents):
    answers = agents.make_noisy()
    mission = agents.session(prompt="hello there")
    assert agents.answer(1)["text"] == "echo: hello there"
    message = agents.post(mission, TOUCH)
    (asked,) = agents.asked(mission)
    agents.om.ok("answer", str(asked["question"]), "allow")
    assert "tool said:" in agents.answer(message)["text"]
    assert made(agents)
    assert agents.say(mission, "!history").startswith(f"history: n=3 | hello there | {TOUCH} | !history")
    with open(answers, encoding="utf-8") as file:
        refused = [json.loads(line) for line in file]
    assert {one["error"]["code"] for one in refused} == {-32601}
    assert len({one["id"] for one in refused}) == len(refused)
    log = agents.om.logs(mission)
    assert "a banner that is no JSON" in log
    assert next(line for line in log.splitlines() if "[human]" in line) == "[human] hello there"
    assert "\necho: hello there\n" in log


@pytest.mark.proves("tokens")
def test_its_tokens_are_those_that_its_service_counted(agents):
    mission = agents.session(prompt="first")
    agents.answer(1)
    agents.say(mission, "second")
    tokens = agents.om.info(mission)["tokens"]
    turns = [asked_for(agents, text) for text in ("first", "second")]
    assert tokens == {"input": sum(one.tokens for one in turns), "output": OUTPUT * len(turns)}


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_nothing_of_it_is_left_and_another_one_lives_on(agents, way):
    other = agents.session()
    assert agents.say(other, "first") == "echo: first"
    gate = agents.gate()
    mission = agents.session("--permission-mode", "all", prompt=gate.prompt)
    gate.runs()
    agents.om.ok(way, mission)
    agents.om.wait_status(mission, *FINAL)
    assert not with_variable("OVERMIND_MISSION_ID", mission)
    assert agents.say(other, "hello") == "echo: hello"


@pytest.mark.proves("model")
def test_its_model_is_the_one_that_is_named(agents):
    name = {"opencode": "stub/other"}.get(agents.provider, "other")
    agents.session("--model", name, prompt="hello there")
    agents.answer(1)
    asked = asked_for(agents, "hello there")
    assert "other" in (asked.body.get("model") or asked.path)


@pytest.mark.proves("dollars")
@pytest.mark.parametrize("provider", ["opencode"])
def test_its_dollars_are_those_that_its_service_charged(agents):
    mission = agents.session("--permission-mode", "all", prompt="first")
    agents.answer(1)
    agents.say(mission, "!bash echo by a tool")
    info = agents.om.info(mission)
    assert info["cost_usd"] == pytest.approx(sum(map(dollars, agents.api.requests)), rel=0.01)


@pytest.mark.proves("appended prompt")
def test_its_model_is_given_notes_and_what_it_is_to_be_once_and_the_transcript_none_of_it(agents):
    agents.om.ok("remember", "The till opens with a peppercorn.", cwd=agents.work)
    prompt = "how does the till open?"
    mission = agents.session("--append-system-prompt", "Speak like a till.", *RESTARTED, prompt=prompt)
    agents.answer(1)
    pid = agents.om.pid(mission)
    agents.say(mission, "second")
    os.killpg(pid, signal.SIGKILL)
    agents.again(mission)
    agents.say(mission, "third")
    said = (prompt, "second", "third")
    asked = [one for one in agents.api.requests if one.asked.tools and one.asked.texts[-1] in said]
    assert [one.asked.texts[-1] for one in asked] == [prompt, "second", "third"]
    for body in (json.dumps(one.body) for one in asked):
        assert [body.count(one) for one in ("opens with a peppercorn", "Speak like a till.")] == [1, 1]
    log = agents.om.logs(mission)
    assert log.count("[human]") == len(asked)
    assert "peppercorn" not in log
    assert agents.om.json("memory", "used", mission, "--json")["notes"]


@pytest.mark.proves("tools of servers")
def test_its_model_is_given_the_tools_of_a_server(agents, tmp_path):
    heard = tmp_path / "heard"
    mission = agents.session("--mcp-config", till(tmp_path, heard))
    eventually(lambda: "tools/list" in said_to(heard), timeout=agents.patience, what="it is asked")
    agents.say(mission, "hello")
    if agents.provider != "qwen":  # which offers a tool that searches among those of servers
        name = {"codex": "mcp__till"}.get(agents.provider, "ring_up")  # and codex one tool for each server
        assert any(name in tool for tool in asked_for(agents, "hello").asked.tools)


RING = '!tool mcp__till__ring_up {"item": "apple"}'
PEEK = "!tool mcp__till__peek {}"


@pytest.mark.parametrize("provider", ["codex"])
def test_a_tool_of_a_server_asks_first_whatever_its_server_says_of_it(agents, tmp_path):
    heard = tmp_path / "heard"
    mission = agents.session("--mcp-config", till(tmp_path, heard), *RESTARTED, prompt=RING)
    (asked,) = agents.asked(mission)
    assert (asked["tool"], asked["subject"]) == ("mcp__till__ring_up", {"item": "apple"})
    agents.om.ok("answer", mission, "deny")
    assert "rejected" in agents.answer(1)["text"]
    message = agents.post(mission, PEEK)
    (asked,) = agents.asked(mission)
    assert (asked["tool"], asked["subject"], "tools/call" in said_to(heard)) == ("mcp__till__peek", {}, False)
    kill_supervisor(agents.om)
    agents.om.ok("start")
    agents.om.ok("answer", mission, "always")
    assert "rung up" in agents.answer(message)["text"]
    agents.post(mission, RING)
    agents.asked(mission)
    agents.om.ok("interrupt", mission)
    agents.doing(mission, "idle")
    os.killpg(agents.om.pid(mission), signal.SIGKILL)
    agents.again(mission)
    assert "rung up" in agents.say(mission, PEEK)
    assert said_to(heard).count("tools/call") == 2
    assert agents.om.json("inbox", "--json") == []
    assert "mcp__till__peek → ok" in agents.om.logs(mission)


@pytest.mark.parametrize("provider", ["codex"])
def test_rules_answer_for_the_tools_of_a_server(agents, tmp_path):
    heard = tmp_path / "heard"
    config = ("--mcp-config", till(tmp_path, heard))
    assert "rung up" in result(agents, agents.task(RING, *config, "--allow", "mcp__till")["id"])
    refused = agents.task(RING, *config, "--allow", "mcp__till", "--deny", "mcp__till__ring_up")
    assert "rejected" in result(agents, refused["id"])
    assert said_to(heard).count("tools/call") == 1


@pytest.mark.parametrize("provider", ["codex"])
def test_a_server_of_tools_that_does_not_start_is_named(agents):
    info = agents.task("hello", "--mcp-config", json.dumps({"mcpServers": {"till": {"command": "/nowhere/till"}}}))
    assert result(agents, info["id"]) == "echo: hello"
    assert "server of tools till: MCP client for `till` failed to start" in agents.om.logs(info["id"])


def test_a_task_ends_though_its_server_of_tools_stays(agents):
    config = json.dumps({"mcpServers": {"till": {"command": sys.executable, "args": ["-c", MCP_SERVER]}}})
    info = agents.task("hello", "--mcp-config", config)
    assert (info["status"], result(agents, info["id"])) == ("stopped", "echo: hello")
    assert not with_variable("OVERMIND_MISSION_ID", info["id"])


def till(folder, heard):
    """A file that names a server of tools, which writes down what it is asked."""
    server = {"command": sys.executable, "args": ["-c", MCP_SERVER], "env": {"HEARD": str(heard)}}
    path = folder / "mcp.json"
    path.write_text(json.dumps({"mcpServers": {"till": server}}), encoding="utf-8")
    return str(path)


def said_to(heard):
    return heard.read_text(encoding="utf-8") if heard.exists() else ""


def asked_for(agents, text):
    """The one request that answers this text, of those with tools: programs also ask for titles."""
    found = [one for one in agents.api.requests if one.asked.texts[-1:] == [text] and one.asked.tools]
    assert len(found) == 1
    return found[0]


def dollars(request):
    """What its service charges for it, by the person's opencode.json; nothing for the titles that it asks for."""
    return (request.tokens + 2 * OUTPUT) / 1_000_000 if request.asked.tools else 0.0


MCP_SERVER = """
import json, os, sys
for line in sys.stdin:
    asked = json.loads(line)
    with open(os.environ.get("HEARD", os.devnull), "a") as heard:
        print(asked["method"], file=heard)
    if "id" not in asked:
        continue
    found = {
        "initialize": {"protocolVersion": asked.get("params", {}).get("protocolVersion", "2024-11-05"),
                       "capabilities": {"tools": {}}, "serverInfo": {"name": "till", "version": "1"}},
        "tools/list": {"tools": [
            {"name": "ring_up", "description": "Rings up.", "inputSchema": {"type": "object"}},
            {"name": "peek", "description": "Looks.", "inputSchema": {"type": "object"},
             "annotations": {"readOnlyHint": True}},
        ]},
        "tools/call": {"content": [{"type": "text", "text": "rung up"}]},
    }.get(asked["method"], {})
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": found}), flush=True)
"""
