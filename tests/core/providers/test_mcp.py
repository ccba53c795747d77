"""Servers of tools for programs that are spoken to in JSON-RPC: what files may say, and what each program is told."""

from __future__ import annotations

import json
import os
import re

import pytest

from overmind_core.domain.agents.agent import Agent, AgentMode
from overmind_core.domain.agents.agent_events import Owed, Retry, SessionReady
from overmind_core.providers import registry
from overmind_core.providers.base import ConnectionRequest, LaunchRequest
from overmind_core.providers.rpc.mcp import read_servers
from overmind_core.system.small_file import MOST, read_small_file
from tests.kit.cases import tabled


def reads_in(folder):
    return lambda name: read_small_file(os.path.join(folder, name))


TILL = {"command": "till", "args": ["-v"], "env": {"KEY": "k"}}


def config(**servers):
    return json.dumps({"mcpServers": servers})


def opening(program, *configs, **can):
    """Return the step of a connection once the program has said what it can do."""
    request = ConnectionRequest(AgentMode.HEADLESS, Agent(mcp_config=configs), "s", False, "/w", read=reads_in("/"))
    able = {"mcpCapabilities": can}
    said = {"id": "open", "result": {"protocolVersion": 1, "agentCapabilities": able}}
    (fact,) = registry.get(program).connect(request).parse(json.dumps(said).encode())
    return fact


def servers_told(program, *configs, **can):
    fact = opening(program, *configs, **can)
    assert isinstance(fact, Owed)
    return json.loads(fact.data)["params"]["mcpServers"]


@pytest.mark.parametrize("program", ["gemini", "opencode", "qwen"])
def test_a_conversation_begins_with_the_servers_of_all_files(program, tmp_path):
    (tmp_path / "a.json").write_text(config(till=TILL, old={"command": "x"}), encoding="utf-8")
    web = {"url": "http://127.0.0.1/mcp", "headers": {"A": "b"}}
    assert servers_told(
        program, str(tmp_path / "a.json"), config(old=web, push={**web, "type": "sse"}), http=True, sse=True
    ) == [
        {"name": "till", "command": "till", "args": ["-v"], "env": [{"name": "KEY", "value": "k"}]},
        {"type": "http", "name": "old", "url": web["url"], "headers": [{"name": "A", "value": "b"}]},
        {"type": "sse", "name": "push", "url": web["url"], "headers": [{"name": "A", "value": "b"}]},
    ]


def test_one_that_reaches_no_server_by_http_is_not_begun():
    fact = opening("gemini", config(till={"url": "http://127.0.0.1"}), sse=True)
    assert (fact.result.reason, fact.result.retry) == ("mcp_config", Retry.NEVER)
    assert fact.result.text == "it reaches no server of tools by http: till"


def test_a_file_that_is_gone_by_the_next_run_is_named():
    fact = opening("gemini", "/nowhere/mcp.json")
    assert (fact.result.reason, fact.result.text) == (
        "mcp_config", "--mcp-config /nowhere/mcp.json: there is no such file",
    )  # fmt: skip


def test_copilot_is_told_by_its_argument():
    text = config(till=TILL)
    agent = Agent(mcp_config=("/w/mcp.json", text))
    start = LaunchRequest(AgentMode.HEADLESS, agent, "s", resume=False)
    argv = registry.get("copilot").launch(start).argv
    assert argv[-4:] == ("--additional-mcp-config", "@/w/mcp.json", "--additional-mcp-config", text)
    assert servers_told("copilot", text) == []


def codex(*configs, texts=None, mode=None):
    """What codex is told of its servers as a run begins, and the facts of its first reply."""
    agent = Agent(mcp_config=configs, permission_mode=mode)
    start = LaunchRequest(AgentMode.HEADLESS, agent, "s", resume=False, texts=texts or {})
    opening = registry.get("codex").launch(start).stdin or b""
    told = json.loads(opening.splitlines()[-1])["params"].get("config")
    request = ConnectionRequest(AgentMode.HEADLESS, agent, "s", False, "/w", read=reads_in("/"))
    return told, registry.get("codex").connect(request).parse(b'{"id":"open","result":{}}')


def test_codex_is_told_with_its_conversation_and_asks_before_each_use(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(config(till=TILL), encoding="utf-8")
    web = {"url": "http://127.0.0.1/mcp", "headers": {"A": "b"}}
    assert registry.get("codex").reads(Agent(mcp_config=(str(path), config(web=web))), {}) == [str(path)]
    told, facts = codex(str(path), config(web=web), texts={str(path): path.read_text(encoding="utf-8")})
    assert not facts
    till, other = told["mcp_servers"]["till"], told["mcp_servers"]["web"]
    assert (till["command"], till["args"], till["env"]) == ("till", ["-v"], {"KEY": "k"})
    assert "OVERMIND_MISSION_ID" in till["env_vars"]
    assert other == {"url": web["url"], "http_headers": {"A": "b"}, "default_tools_approval_mode": "prompt"}
    assert till["default_tools_approval_mode"] == "prompt"
    told, _ = codex(config(web=web), mode="all")
    assert "default_tools_approval_mode" not in told["mcp_servers"]["web"]


def test_codex_begins_nothing_without_the_servers_that_it_is_to_have(tmp_path):
    (tmp_path / "bytes").write_bytes(b'{"mcpServers": {}, "\xff": 1}')
    (tmp_path / "sse").write_text(config(old={"type": "sse", "url": "http://x"}), encoding="utf-8")
    for name, why in (("none", "there is no such file"), ("bytes", "it is not UTF-8")):
        told, (fact,) = codex(str(tmp_path / name))
        assert told is None
        assert (fact.result.reason, fact.result.retry) == ("mcp_config", Retry.NEVER)
        assert fact.result.text == f"--mcp-config {tmp_path / name}: {why}"
    _, (fact,) = codex(str(tmp_path / "sse"))
    assert fact.result.text == "codex reaches no server of tools by sse: old"
    refused = registry.get("codex").refuse(Agent(mcp_config=(config(old={"type": "sse", "url": "http://x"}),)))
    assert refused == "codex reaches no server of tools by sse: old"


NO_JSON = '--mcp-config: it is not JSON of the form {"mcpServers": {"NAME": {"command": "…", "args": []}}}'
WRONG = [
    ("{", NO_JSON),
    ('{"a":' * 100_000, NO_JSON),
    ("{}", NO_JSON),
    ('{"mcpServers": []}', NO_JSON),
    (config(a=1), "--mcp-config: a: it is not a table"),
    (config(a={}), "--mcp-config: a: it needs a command, and args as a list of texts"),
    (config(a={"command": 1}), "--mcp-config: a: it needs a command, and args as a list of texts"),
    (config(a={"command": "x", "args": "y"}), "--mcp-config: a: it needs a command, and args as a list of texts"),
    (config(a={"command": "x", "env": {"A": 1}}), "--mcp-config: a: env is a table of texts"),
    (config(a={"command": "x", "env": ["A=1"]}), "--mcp-config: a: env is a table of texts"),
    (config(a={"url": "x", "headers": "A: 1"}), "--mcp-config: a: headers is a table of texts"),
    (config(**{"x\ud800": 1}), "--mcp-config: x?: it is not a table"),
    (config(a={"type": "ws", "url": "x"}), "--mcp-config: a: its type is stdio, http or sse"),
    (config(a={"type": ["x"]}), "--mcp-config: a: its type is stdio, http or sse"),
    (config(a={"type": "http"}), "--mcp-config: a: it needs a url"),
]


@tabled(("text", "why"), WRONG)
def test_what_is_wrong_is_said_before_a_run_begins(text, why):
    with pytest.raises(ValueError, match="mcp-config") as wrong:
        read_servers([text], reads_in("/"))
    assert str(wrong.value) == why
    for program in ("gemini", "codex"):
        assert registry.get(program).refuse(Agent(mcp_config=(text,))) == why


def test_a_file_is_read_at_a_run_and_whatever_else_lies_there_is_named(tmp_path):
    agent = Agent(mcp_config=("later.json", str(tmp_path)))
    assert registry.get("gemini").refuse(agent) is None, "a step before it may make the file"
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "long").write_bytes(config().encode() + b" " * MOST)
    (tmp_path / "bytes").write_bytes(b'{"mcpServers": {"\xff": 1}}')
    for name, why in (
        ("pipe", "it is not a regular file"), (".", "Is a directory"), ("long", "it is larger than 1024 KiB"),
        ("none", "there is no such file"), ("bytes", "\ufffd: it is not a table"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=f"mcp-config {re.escape(name)}: {why}$"):
            read_servers([name], reads_in(str(tmp_path)))


def test_whoever_takes_over_in_the_opening_goes_on_though_the_file_is_gone():
    request = ConnectionRequest(AgentMode.HEADLESS, Agent(mcp_config=("/nowhere",)), "s", resume=False, cwd="/w")
    heard = registry.get("opencode").connect(request)
    heard.parse(json.dumps({"id": "open", "result": {"protocolVersion": 1}}).encode())
    assert SessionReady() in heard.parse(json.dumps({"id": "session", "result": {"sessionId": "s"}}).encode())
