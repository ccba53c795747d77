"""Facts that the product builds on: one prompt in, lines out, an exit status."""

from __future__ import annotations

import os
import signal
import uuid

import pytest

from tests.kit import processes
from tests.kit.agent_lines import Line
from tests.kit.agent_world import LINES
from tests.kit.waiting import eventually

TOOL_LOOP = "!bash while [ ! -e never ]; do sleep 0.2; done"


def texts(lines: list[Line]) -> list[str]:
    blocks = [block for line in lines for block in line["message"]["content"]]
    return [block["text"] for block in blocks if block["type"] == "text"]


def children_of(pid: int) -> list[int]:
    return [child for child in processes.with_variable("CLAUDE_PID", str(pid)) if child != pid]


def test_a_prompt_gets_its_lines_in_order(world):
    code, lines = world.once("hello")
    assert (code, lines.kinds()) == (0, ["system/init", "assistant", "result"])
    assert lines.lines[-1]["result"] == "echo: hello"
    assert {line["session_id"] for line in lines.lines} == {lines.lines[0]["session_id"]}


def test_the_id_is_ours(world):
    session = str(uuid.uuid4())
    _, lines = world.once("hello", "--session-id", session)
    assert {line["session_id"] for line in lines.lines} == {session}


def test_a_tool_that_is_allowed_runs(world):
    code, lines = world.once("!bash echo made >made; cat made", "--allowedTools", "Bash")
    assert (code, lines.kinds()) == (0, ["system/init", "assistant", "assistant", "user", "assistant", "result"])
    assert lines.lines[-1]["result"] == "tool said: made"
    assert lines.lines[-1]["num_turns"] == 2
    assert os.path.exists(world.path("made"))


def test_a_tool_that_nobody_can_allow_is_denied_and_the_turn_goes_on(world):
    code, lines = world.once("!bash touch made")
    result = lines.lines[-1]
    assert (code, result["subtype"], result["is_error"]) == (0, "success", False)
    assert [denial["tool_name"] for denial in result["permission_denials"]] == ["Bash"]
    assert [line["tool_name"] for line in lines.of_type("system", "permission_denied")] == ["Bash"]
    assert not os.path.exists(world.path("made"))


def test_a_rule_denies_before_anybody_is_asked(world, hooks):
    _, lines = world.once("!bash touch made", "--disallowedTools", "Bash(touch:*)", *hooks.argument())
    assert "has been denied" in lines.lines[-1]["result"]
    assert "PermissionRequest" not in hooks.names()


ERRORS = [
    (400, "unknown", "api_error"),
    (401, "authentication_failed", "api_error"),
    (403, "authentication_failed", "api_error"),
    (404, "model_not_found", "api_error"),
    (413, "invalid_request", "image_error"),
    (429, "rate_limit", "api_error"),
    (500, "server_error", "api_error"),
    (529, "server_error", "api_error"),
]


@pytest.mark.parametrize(("status", "error", "reason"), ERRORS)
def test_an_error_of_the_api_is_a_success_with_is_error(world, status, error, reason):
    code, lines = world.once(f"!error {status}")
    result, said = lines.lines[-1], lines.of_type("assistant")[-1]
    assert (code, result["subtype"], result["is_error"]) == (1, "success", True)
    assert (result["api_error_status"], result["terminal_reason"]) == (status, reason)
    assert (said["error"], said["message"]["model"]) == (error, "<synthetic>")
    assert result["result"] == said["message"]["content"][0]["text"]
    assert result["total_cost_usd"] == 0


@pytest.mark.parametrize(
    ("status", "error"), [(401, "authentication_failed"), (429, "rate_limit"), (529, "overloaded")]
)
def test_a_retry_is_announced(world, status, error):
    _, lines = world.once(f"!error {status}")
    (retry,) = lines.of_type("system", "api_retry")
    assert (retry["attempt"], retry["max_retries"]) == (1, 1)
    assert (retry["error_status"], retry["error"]) == (status, error)
    assert retry["retry_delay_ms"] > 0


def test_a_subscription_s_limit_tells_when_it_resets(world):
    _, lines = world.once("!limit 3600", env={"ANTHROPIC_API_KEY": None, "CLAUDE_CODE_OAUTH_TOKEN": "dummy"})
    (limit,) = lines.of_type("rate_limit_event")
    info, result = limit["rate_limit_info"], lines.lines[-1]
    assert (info["status"], info["rateLimitType"]) == ("rejected", "five_hour")
    assert isinstance(info["resetsAt"], int)
    assert (result["api_error_status"], result["api_error"]) == (429, "usage_limit_reached")
    assert "resets" in result["result"]
    assert not lines.of_type("system", "api_retry")


def test_without_a_key_it_says_how_to_log_in(world):
    code, lines = world.once("hello", env={"ANTHROPIC_API_KEY": None})
    result = lines.lines[-1]
    assert (code, result["is_error"], result["api_error_status"]) == (1, True, None)
    assert result["result"] == "Not logged in · Please run /login"
    assert lines.lines[0]["apiKeySource"] == "none"


LIMITS = [
    (["--max-turns", "1"], "error_max_turns", "max_turns", "Reached maximum number of turns (1)"),
    (["--max-budget-usd", "0.01"], "error_max_budget_usd", "budget_exhausted", "Reached maximum budget ($0.01)"),
]


@pytest.mark.parametrize(("words", "subtype", "reason", "sentence"), LIMITS)
def test_a_limit_ends_the_turn_with_an_error(world, words, subtype, reason, sentence):
    code, lines = world.once("!bash echo hi", "--allowedTools", "Bash", *words)
    result = lines.lines[-1]
    assert (code, result["subtype"], result["terminal_reason"]) == (1, subtype, reason)
    assert result["errors"] == [sentence]
    assert "result" not in result


REFUSED = [
    (["--nope"], "unknown option"),
    (["--output-format", "stream-json", "-p", "hello"], "requires --verbose"),
]


@pytest.mark.parametrize(("words", "complaint"), REFUSED)
def test_a_wrong_command_line_prints_nothing_but_a_complaint(world, words, complaint):
    with world.lines(*words, mode=()) as lines:
        code = lines.end()
        assert (code, lines.lines) == (1, [])
        assert complaint in lines.stderr()


def test_no_prompt_at_all_is_refused(world):
    with world.lines(mode=LINES) as lines:
        assert lines.end() == 1
        assert "Input must be provided" in lines.stderr()


# conversations


def test_a_conversation_is_resumed_with_its_history_and_its_costs(world):
    session = str(uuid.uuid4())
    _, first = world.once("hello", "--session-id", session)
    _, second = world.once("!history", "--resume", session)
    assert second.lines[-1]["result"] == "history: n=2 | hello | !history"
    assert second.lines[-1]["session_id"] == session
    since = sum(figures["costUSD"] for figures in second.lines[-1]["model_usage_since_last_result"].values())
    assert second.lines[-1]["total_cost_usd"] == pytest.approx(first.lines[-1]["total_cost_usd"] + since)


def test_an_unknown_conversation_is_no_init_but_an_error(world):
    session = str(uuid.uuid4())
    code, lines = world.once("hello", "--resume", session)
    assert (code, lines.kinds()) == (1, ["result"])
    assert lines.lines[0]["subtype"] == "error_during_execution"
    assert lines.lines[0]["errors"] == [f"No conversation found with session ID: {session}"]


def test_an_id_can_be_used_once(world):
    session = str(uuid.uuid4())
    world.once("hello", "--session-id", session)
    with world.lines("--session-id", session, mode=LINES) as lines:
        code = lines.end()
        assert (code, lines.lines) == (1, [])
        assert f"Session ID {session} is already in use" in lines.stderr()


def test_a_conversation_without_a_prompt_is_not_stored(world):
    session = str(uuid.uuid4())
    with world.lines("--session-id", session) as lines:
        assert lines.end() == 0
    assert world.once("hello", "--resume", session)[0] == 1
    assert world.once("hello", "--session-id", session)[0] == 0


def test_a_fork_has_the_history_under_another_id(world):
    session = str(uuid.uuid4())
    world.once("hello", "--session-id", session)
    _, lines = world.once("!history", "--resume", session, "--fork-session")
    assert lines.lines[-1]["result"] == "history: n=2 | hello | !history"
    assert lines.lines[-1]["session_id"] != session


# signals


def test_sigint_while_it_speaks_ends_with_exit_code_0(world):
    with world.lines("--include-partial-messages", mode=LINES) as lines:
        lines.send_bytes(b"!slow 20 a long answer")
        lines.close()
        lines.until_type("stream_event", count=4)
        lines.kill(signal.SIGINT)
        assert lines.end() == 0
    results = [(line["subtype"], line["terminal_reason"]) for line in lines.of_type("result")]
    assert results in ([], [("error_during_execution", "aborted_streaming")]), "a busy one ends before it says so"
    assert texts(lines.of_type("user"))[-1] == "[Request interrupted by user]"


ENDS = [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.mark.parametrize(("number", "code"), ENDS)
def test_a_signal_while_a_tool_runs_ends_the_tool_too(world, number, code):
    with world.lines("--allowedTools", "Bash", mode=LINES) as lines:
        lines.send_bytes(TOOL_LOOP.encode())
        lines.close()
        eventually(lambda: children_of(lines.pid), timeout=30.0)
        pid = lines.pid
        lines.kill(number)
        assert lines.end() == code
    eventually(lambda: not children_of(pid), what="the tool has ended")
    results = [line["terminal_reason"] for line in lines.of_type("result")]
    assert results in ([], ["aborted_tools"] if number is signal.SIGINT else []), "a busy one ends before it says so"


def test_after_kill_9_the_tool_lives_on_in_a_session_of_its_own(world):
    with world.lines("--allowedTools", "Bash", mode=LINES) as lines:
        lines.send_bytes(TOOL_LOOP.encode())
        lines.close()
        tool = eventually(lambda: children_of(lines.pid), timeout=30.0)[0]
        lines.kill()
        assert lines.end() == -signal.SIGKILL
    assert processes.alive(tool)
    assert os.getsid(tool) == os.getpgid(tool) == tool
    os.killpg(tool, signal.SIGKILL)
    eventually(lambda: not processes.alive(tool))
