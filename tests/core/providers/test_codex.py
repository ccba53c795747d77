"""What the lines of a `codex` tell, what it is given, and what it cannot do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.domain.agents.agent import Agent, AgentFolders, AgentMode
from overmind_core.domain.agents.agent_events import (
    Retry,
    Retrying,
    RunVerdict,
    SessionNamed,
    TextSpoken,
    TokenUsage,
    ToolCalled,
    ToolReturned,
    TurnEnded,
    TurnResult,
)
from overmind_core.providers import registry
from overmind_core.providers.base import LaunchRequest
from tests.core.providers.recorded import facts, names, readable
from tests.kit import torture
from tests.kit.cases import tabled
from tests.kit.responses_stub import ResponsesStub

CODEX = registry.get("codex")


def result_of(name):
    return next(fact.result for fact in facts("codex", name) if isinstance(fact, TurnEnded))


ENDS = [
    ("text", True, None, Retry.POLICY),
    ("tool", True, None, Retry.POLICY),
    ("error_400", False, "api_error", Retry.POLICY),
    ("error_401", False, "api_error 401", Retry.NEVER),
    ("error_429", False, "api_error 429", Retry.POLICY),
    ("no_key", False, "not_logged_in", Retry.NEVER),
]


@tabled(("name", "ok", "reason", "retry"), ENDS)
def test_the_end_of_a_recorded_run_says_how_it_went(name, ok, reason, retry):
    result = result_of(name)
    assert (result.ok, result.reason, result.retry) == (ok, reason, retry)


def test_a_run_tells_who_it_is_what_it_says_and_which_tools_it_uses():
    found = facts("codex", "tool")
    assert isinstance(found[0], SessionNamed)
    call = next(fact for fact in found if isinstance(fact, ToolCalled))
    back = next(fact for fact in found if isinstance(fact, ToolReturned))
    assert call[:3] == ("item_2", "command_execution", "shell: echo hi; exit 3")
    assert (back.call, back.failed) == ("item_2", True)
    assert TextSpoken("**Thinking**", thought=True) in found
    assert ("item_2", False) in [fact[:2] for fact in facts("codex", "edit") if isinstance(fact, ToolReturned)]
    assert result_of("text").usage == TokenUsage(input=9877, output=7, cache_read=3)


def of_tools(name):
    return [fact for fact in facts("codex", name) if isinstance(fact, ToolCalled | ToolReturned)]


def test_a_change_names_its_files_and_a_command_its_error():
    call, back = of_tools("edit")
    assert (call.paths, call.edits, call.runs, call.digest) == (("/home/me/project/a.txt",), True, False, "")
    assert (back.failed, back.error) == (False, "")
    call, back = of_tools("tool")
    assert (call.paths, call.edits, call.runs) == ((), False, True)
    assert (back.failed, back.error, back.exit_code, back.denied) == (True, "hi", 3, False)
    assert call.command == "echo hi; exit 3"


def item(kind, name="item_1", event="completed", **fields):
    line = {"type": f"item.{event}", "item": {"id": name, "type": kind, **fields}}
    return next(iter(CODEX.parse(json.dumps(line).encode())))


def test_the_same_call_and_the_same_answer_are_known_by_their_digest():
    asked = {"server": "db", "tool": "query", "arguments": {"sql": "select 1"}}
    first, again = (item("mcp_tool_call", name, "started", **asked) for name in ("item_1", "item_2"))
    other = item("mcp_tool_call", "item_3", "started", **{**asked, "arguments": {"sql": "select 2"}})
    assert first.digest == again.digest != other.digest
    assert (first.paths, first.edits, first.runs) == ((), False, False)
    ran = {"command": "pytest", "aggregated_output": "3 passed", "exit_code": 0, "status": "completed"}
    more = item("command_execution", **{**ran, "aggregated_output": "4 passed"})
    assert item("command_execution", "item_1", **ran).digest == item("command_execution", "item_2", **ran).digest
    assert item("command_execution", **ran).digest != more.digest


def test_an_exit_code_is_what_codex_tells_and_a_declined_command_has_none():
    ran = {"command": "make", "aggregated_output": "ok", "status": "completed"}
    assert item("command_execution", **ran, exit_code=0).exit_code == 0
    assert item("command_execution", **ran, exit_code=None).exit_code is None
    declined = item("command_execution", **{**ran, "status": "declined"}, exit_code=-1)
    assert (declined.failed, declined.exit_code, declined.denied) == (True, None, True)
    asked = item("command_execution", event="started", command="bash -lc 'a\nb'", status="in_progress")
    assert (asked.summary, asked.command) == ("shell: a…", "a\nb")


def test_a_failed_call_of_a_server_says_why():
    back = item("mcp_tool_call", server="db", tool="query", status="failed", error={"message": "no such table: t"})
    assert (back.failed, back.error) == (True, "no such table: t")


def test_own_tries_are_told():
    tries = [fact for fact in facts("codex", "error_401") if isinstance(fact, Retrying)]
    assert [(one.attempt, one.most) for one in tries] == [(1, 1)]


def test_a_recorded_run_reads_as_a_transcript():
    assert "⚙ shell: echo hi; exit 3 → ✗ hi" in readable("codex", "tool")
    assert "⚙ edit: add /home/me/project/a.txt → ok" in readable("codex", "edit")
    assert readable("codex", "text")[-2:] == ["echo: hello there", "— 9.9k in / 7 out —"]
    assert readable("codex", "error_429")[-2].startswith("✗ api_error 429: exceeded retry limit")


@tabled("name", names("codex"))
def test_no_line_of_a_recorded_run_is_shown_as_an_object(name):
    assert not [text for text in readable("codex", name) if text.startswith("{")]


def launch(agent, *, resume=False, notes=None):
    return CODEX.launch(LaunchRequest(AgentMode.ONE_SHOT, agent, "t1", resume=resume, notes=notes))


def test_notes_stand_before_the_prompt_on_standard_input():
    agent = Agent(prompt="-do it")
    plain, started = launch(agent), launch(agent, notes="[N-7f3k9c2m4q] é\n")
    assert started == plain._replace(notes="[N-7f3k9c2m4q] é\n", stdin=b"\n-do it")
    assert plain.stdin == b"-do it"
    assert CODEX.refuse_notes(agent) is None


def test_the_prompt_goes_to_standard_input_and_then_it_ends():
    started = launch(Agent(prompt="-do it", model="m", permission_mode="read-only", arguments=("-C", "/x")))
    begin = ("codex", "exec", "--json", "--skip-git-repo-check")
    assert started.argv == (*begin, "--model", "m", "--sandbox", "read-only", "-C", "/x", "-")
    assert (started.stdin, started.end_input) == (b"-do it", True)
    assert launch(Agent(prompt="more"), resume=True).argv == (*begin, "resume", "t1", "-")


def test_it_may_write_into_the_folder_of_its_quest():
    argv = launch(Agent(prompt="go", folders=AgentFolders("/h/in", "/h/out"))).argv
    assert argv[4:] == ("--add-dir", "/h/out", "-")


REFUSED = [
    (Agent(max_cost=1.0), "--max-cost"),
    (Agent(allow=("Bash",)), "--allow"),
    (Agent(arguments=("--json",)), "--json"),
    (Agent(model="m", arguments=("--model=x",)), "--model"),
]


@pytest.mark.parametrize(("agent", "name"), REFUSED)
def test_what_it_cannot_do_is_refused_by_name(agent, name):
    assert name in (CODEX.refuse(agent) or "")


def test_other_arguments_are_the_persons_business():
    assert CODEX.refuse(Agent(model="m", arguments=("--oss", "-c", "x=1"))) is None


FAILED = TurnResult(ok=False, reason="api_error 429")
ENDINGS = [
    (0, TurnResult(ok=True), "", False, RunVerdict(False)),
    (1, FAILED, "", False, RunVerdict(True, "api_error 429")),
    (0, None, "", False, RunVerdict(True, "no_result")),
    (1, None, "Error: no rollout found for thread id 0", True, RunVerdict(True, "wrong_start", Retry.SWITCH)),
    (2, None, "error: unexpected argument", False, RunVerdict(True, "usage_error", Retry.NEVER)),
    (-9, None, "", False, RunVerdict(True)),
]


@tabled(("code", "last", "errors", "resumed", "expected"), ENDINGS)
def test_the_end_of_a_run_is_judged(code, last, errors, resumed, expected):
    assert CODEX.verdict(code, last, errors, mode=AgentMode.ONE_SHOT, resumed=resumed) == expected


KEYS = st.sampled_from(["type", "item", "id", "text", "status", "error", "message", "usage", "changes", "exit_code"])
KINDS = st.sampled_from(["item.completed", "item.started", "turn.failed", "turn.completed", "error", "thread.started"])
JSON = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)
)


@pytest.mark.torture
@settings(max_examples=torture.examples(100))
@given(
    st.binary()
    | st.builds(lambda kind, rest: json.dumps({**rest, "type": kind}).encode(), KINDS, st.dictionaries(KEYS, JSON))
)
def test_no_line_raises(line):
    CODEX.parse(line)
    CODEX.renderer().feed(line)


PROGRAM = os.environ.get("OVERMIND_CODEX_BIN") or shutil.which("codex")


@pytest.mark.skipif(PROGRAM is None, reason="the codex program is not installed")
def test_the_real_program_runs_a_tool_and_goes_on_with_its_conversation(tmp_path):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "STUB_KEY": "dummy"}

    def run(prompt, session="", *, resume=False):
        folders = AgentFolders(str(tmp_path), str(tmp_path))
        agent = Agent(prompt=prompt, program=PROGRAM or "", arguments=stub.arguments, folders=folders)
        started = CODEX.launch(LaunchRequest(AgentMode.ONE_SHOT, agent, session, resume=resume))
        done = subprocess.run(started.argv, input=started.stdin, capture_output=True, cwd=tmp_path, env=environment)
        return [fact for line in done.stdout.splitlines() for fact in CODEX.parse(line)]

    with ResponsesStub() as stub:
        first = run("!bash echo hi")
        session = next(fact.session for fact in first if isinstance(fact, SessionNamed))
        second = run("!history", session, resume=True)
    assert any(isinstance(fact, ToolReturned) and not fact.failed for fact in first)
    assert TextSpoken("history: !bash echo hi | !history") in second
