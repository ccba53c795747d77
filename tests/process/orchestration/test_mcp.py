"""`overmind mcp`, driven by the official client over its pipes."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager

import pytest

from tests.kit.killing import kill_supervisor
from tests.kit.overmind import PROGRAM
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.linux, pytest.mark.shared_home]

TOOLS = {
    "run", "run_agent", "list", "info", "logs", "wait", "result", "send", "messages", "interrupt", "stop", "kill",
    "report", "remember", "recall", "search", "outcome",
}  # fmt: skip
ENDLESS = 600


@asynccontextmanager
async def served(om):
    """A client of the server of a home, as a person's program would start it."""
    from mcp import StdioServerParameters
    from mcp.client.client import Client
    from mcp.client.stdio import stdio_client

    command = StdioServerParameters(
        command=PROGRAM[0], args=[*PROGRAM[1:], "mcp"], env=om.environment, cwd=om.environment["HOME"]
    )
    async with Client(stdio_client(command)) as client:
        yield client


def told(answer):
    """The content of an answer that is no error."""
    assert not answer.is_error, answer.content
    return answer.structured_content


def refused(answer):
    """The sentence of an answer that is an error."""
    assert answer.is_error
    return answer.content[0].text


def test_there_are_tools_for_what_an_orchestrator_may_do_and_no_others(om):
    async def ask():
        async with served(om) as client:
            return (await client.list_tools()).tools

    tools = asyncio.run(ask())
    assert {tool.name for tool in tools} == TOOLS
    for tool in tools:
        assert tool.description
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema is not None


def test_a_program_is_run_looked_at_and_waited_for(om):
    async def work():
        async with served(om) as client:
            made = told(await client.call_tool("run", {"command": "echo hello; pwd; echo $X; exit 3", "name": "one",
                                                       "labels": {"job": "a"}, "env": {"X": "set"}}))  # fmt: skip
            waited = told(await client.call_tool("wait", {"ids": ["one"], "timeout_seconds": 30}))
            listed = told(await client.call_tool("list", {"label": "job=a"}))["missions"]
            nothing = told(await client.call_tool("list", {"status": "running"}))["missions"]
            logs = told(await client.call_tool("logs", {"id": "one"}))["result"]
            tail = told(await client.call_tool("logs", {"id": "one", "tail": 1}))["result"]
            info = told(await client.call_tool("info", {"id": "one"}))
            return made, waited, listed, nothing, logs, tail, info

    made, waited, listed, nothing, logs, tail, info = asyncio.run(work())
    end = {**made, "status": "crashed", "exit_code": 3, "reason": None}
    assert waited == {"ended": [end], "waiting": []}
    assert [row["name"] for row in listed] == ["one"]
    assert nothing == []
    assert logs.splitlines() == ["hello", om.environment["HOME"], "set"]
    assert tail == "set"
    assert (info["exit_code"], info["labels"]) == (3, {"job": "a"})


def test_a_list_is_an_argv_that_no_shell_reads(om):
    async def work():
        async with served(om) as client:
            told(await client.call_tool("run", {"command": ["printf", "%s|", "a b", "$HOME"], "name": "words"}))
            told(await client.call_tool("wait", {"ids": ["words"]}))
            return told(await client.call_tool("logs", {"id": "words"}))["result"]

    assert asyncio.run(work()) == "a b|$HOME|"


def test_what_is_started_may_begin_at_another_branch(agents):
    om = agents.om
    shop = Repository(om.path("shop"))
    shop.commit("first", {"a.txt": "1\n"})
    shop.git("branch", "next")
    shop.commit("second", {"a.txt": "2\n"})

    async def work():
        async with served(om) as client:
            at = {"cwd": shop.folder, "base": "next"}
            told(await client.call_tool("run", {"command": "cat a.txt", "name": "program", **at}))
            told(await client.call_tool("run_agent", {"prompt": "!bash cat a.txt", "name": "agent", **at}))
            told(await client.call_tool("wait", {"ids": ["program", "agent"], "timeout_seconds": 30}))
            logs = told(await client.call_tool("logs", {"id": "program"}))["result"]
            return logs.splitlines()[-1], [om.info(name)["isolation"]["base"] for name in ("program", "agent")]

    assert asyncio.run(work()) == ("1", ["next", "next"])


REFUSED = [
    ("run", {"command": "true", "base": "nosuch"}, "Error: "),
    ("stop", {"id": "nosuch"}, "Error: not_found: "),
    ("run", {"command": ""}, "Error: empty_command: "),
    ("run", {"command": "true", "cwd": "/nosuch"}, "Error: cwd_not_found: "),
    ("run", {"command": "true", "name": "a/b"}, "Error: invalid: "),
    ("run_agent", {"prompt": "x", "provider": "nosuch"}, "Error: unknown_provider: "),
    ("run_agent", {"prompt": " "}, "Error: empty_command: "),
    ("send", {"id": "plain", "text": "x"}, "Error: not_session: "),
    ("result", {"id": "plain"}, "Error: not_finished: "),
    ("wait", {"ids": []}, "Error: invalid: wait: ids is empty"),
    ("stop", {}, "Error: invalid: stop: id is missing"),
    ("stop", {"id": "plain", "force": True}, "Error: invalid: stop: unknown argument force: it takes id"),
    ("run", {"comand": "true"}, "Error: invalid: run: command is missing; unknown argument comand: did you mean"),
    ("run", {"command": "true", "type": "service"}, "Error: invalid: run: type must be one of 'task' or 'session'"),
    ("logs", {"id": "plain", "tail": "many"}, "Error: invalid: logs: tail must be a whole number"),
    ("info", {"id": 7}, "Error: invalid: info: id must be a string"),
]


def test_what_is_wrong_is_said_in_a_sentence(agents):
    om = agents.om
    om.mission("sleep 60", "--name", "plain")

    async def work():
        async with served(om) as client:
            return [refused(await client.call_tool(tool, arguments)) for tool, arguments, _ in REFUSED]

    for said, (tool, arguments, start) in zip(asyncio.run(work()), REFUSED, strict=True):
        assert said.startswith(start), (tool, arguments, said)
        assert "pydantic" not in said
        assert "\n" not in said
    assert len(om.ps("--all")) == 1


def test_an_agent_is_started_told_more_interrupted_and_stopped(agents):
    om = agents.om

    async def work():
        async with served(om) as client:
            made = told(await client.call_tool("run_agent", {"prompt": "hello", "type": "session", "name": "talker"}))
            answer = told(await client.call_tool("send", {"id": "talker", "text": "more", "wait": True}))
            result = told(await client.call_tool("result", {"id": "talker"}))
            messages = told(await client.call_tool("messages", {"id": "talker"}))["messages"]
            await client.call_tool("send", {"id": "talker", "text": "!sleep 60"})
            late = told(
                await client.call_tool("send", {"id": "talker", "text": "x", "wait": True, "timeout_seconds": 0.1})
            )
            interrupted = told(await client.call_tool("interrupt", {"id": "talker"}))
            ended = told(await client.call_tool("stop", {"id": "talker", "grace_seconds": 5}))
            return made, answer, result, messages, late, interrupted, ended

    made, answer, result, messages, late, interrupted, ended = asyncio.run(work())
    assert (answer["state"], answer["text"]) == ("answered", "echo: more")
    assert answer["cost_usd"] > 0
    assert result["result"] == "echo: more"
    assert [message["text"] for message in messages] == ["hello", "more"]
    assert late["state"] == "queued"
    assert interrupted == {**made, "interrupted": True}
    assert ended == {"missions": [made]}


def test_one_that_waits_holds_up_no_other_and_can_be_cancelled(om):
    om.mission("sleep 600", "--name", "long")

    async def work():
        async with served(om) as client:
            waits = [
                asyncio.create_task(client.call_tool("wait", {"ids": ["long"], "timeout_seconds": ENDLESS}))
                for _ in range(50)
            ]
            late = told(await client.call_tool("wait", {"ids": ["long"], "timeout_seconds": 0.1}))
            made = told(await client.call_tool("run", {"command": "true"}))
            short = told(await client.call_tool("wait", {"ids": [made["id"]]}))
            for one in waits[1:]:
                one.cancel()
            await asyncio.gather(*waits[1:], return_exceptions=True)
            listed = told(await client.call_tool("list", {}))
            killed = told(await client.call_tool("kill", {"id": "long"}))
            return late, short, listed, killed, told(await waits[0])

    late, short, listed, killed, waited = asyncio.run(work())
    assert (late["ended"], late["waiting"]) == ([], [killed["missions"][0]["id"]])
    assert short["ended"][0]["status"] == "stopped"
    assert len(listed["missions"]) == 2
    assert waited["ended"][0]["status"] == "killed"


@pytest.mark.own_home
def test_a_wait_goes_on_when_the_supervisor_is_replaced(om):
    om.mission("sleep 600", "--name", "long")

    async def work():
        async with served(om) as client:
            waiting = asyncio.create_task(client.call_tool("wait", {"ids": ["long"], "timeout_seconds": ENDLESS}))
            told(await client.call_tool("list", {}))
            await asyncio.to_thread(kill_supervisor, om)
            await asyncio.to_thread(om.ok, "stop", "long")
            return told(await waiting)

    assert asyncio.run(work())["ended"][0]["status"] == "stopped"


def test_it_ends_with_its_standard_input(om):
    server = om.popen("mcp")
    server.communicate(timeout=30)
    assert server.returncode == 0


DRIVE = """
import asyncio, json, sys
from mcp import StdioServerParameters
from mcp.client.client import Client
from mcp.client.stdio import stdio_client
import os
async def main():
    command = StdioServerParameters(command=sys.argv[2], args=[*sys.argv[3:], "mcp"], env=dict(os.environ))
    async with Client(stdio_client(command)) as client:
        for tool, arguments in json.loads(sys.argv[1]):
            answer = await client.call_tool(tool, arguments)
            print(json.dumps([tool, answer.is_error, answer.content[0].text]), flush=True)
asyncio.run(main())
"""


def driven(om, calls, *options):
    """A mission that calls these tools, once it has ended; of each its name, whether it failed, and what it said."""
    caller = om.mission([sys.executable, "-c", DRIVE, json.dumps(calls), *PROGRAM], "--no-tty", *options)
    ended = om.wait_status(caller, "stopped", "crashed", timeout=60)
    log = eventually(lambda: om.logs(caller, "--stdout"))
    assert ended["status"] == "stopped", log
    return ended, [json.loads(line) for line in log.splitlines()]


def test_inside_a_mission_it_may_do_what_that_may(om):
    """The server is a process of the mission whatever starts it."""
    other = om.mission("sleep 60")
    calls = [
        ("run", {"command": "sleep 60", "name": "child"}), ("stop", {"id": other}),
        ("kill", {"id": other, "cascade": True}), ("info", {"id": other}), ("stop", {"id": "child"}),
        ("run", {"command": "true", "name": "second"}),
    ]  # fmt: skip
    ended, said = driven(om, calls, "--max-children", "1")
    assert [(tool, failed) for tool, failed, _ in said] == [
        ("run", False), ("stop", True), ("kill", True), ("info", False), ("stop", False), ("run", False),
    ]  # fmt: skip
    assert [text.startswith("Error: forbidden: ") for _, failed, text in said if failed] == [True, True]
    assert {om.info(one)["name"] for one in ended["children"]} == {"child", "second"}
    assert om.info(other)["status"] == "running"


def test_inside_a_mission_its_notes_are_proposals_where_a_person_decides(om, tmp_path):
    persons = om.ok("remember", "we chose Postgres", "--key", "db", cwd=str(tmp_path)).split()[1]
    remembered = [
        {"text": "for all", "scope": "global"}, {"text": "we chose SQLite", "key": "db"},
        {"text": "we chose DuckDB", "replaces": persons}, *({"text": f"number {number}"} for number in range(4, 22)),
    ]  # fmt: skip
    calls = [("remember", one) for one in remembered]
    calls += [("remember", {"text": "x", "pin": True}), ("outcome", {"notes": [persons], "helped": True})] * 2
    calls += [(tool, {"note": persons}) for tool in ("note", "note_set", "accept", "memory_import", "memory_connect")]
    _, said = driven(om, calls, "--cwd", str(tmp_path))
    states = [json.loads(text)["state"] for _, _, text in said[: len(remembered)]]
    assert states == [*["proposed"] * 3, *["live"] * 17, "proposed"]
    assert [failed for _, failed, _ in said[len(remembered) :]] == [True, False] * 2 + [True] * 5
    stands = om.json("note", "db", "--json", cwd=str(tmp_path))
    assert (stands["id"], stands["text"], stands["pinned"]) == (persons, "we chose Postgres", False)
    assert (stands["helped"], stands["versions"]) == (1, 1)
