"""An agent with one prompt: how it ends, whatever its program says or does not say."""

from __future__ import annotations

import json
import re

import pytest

pytestmark = pytest.mark.shared_home

ENDINGS = [
    # prompt, options, status, reason, exit code of `wait`
    pytest.param("hello", (), "stopped", None, 0, id="ok"),
    pytest.param("!error 529", (), "crashed", "api_error 529", 1, id="overloaded"),
    pytest.param("!error 400", (), "crashed", "api_error 400", 1, id="bad request"),
    pytest.param("!bash echo hi", ("--max-turns", "1", "--allowed-tools", "Bash"), "crashed", "max_turns", 1,
                 id="too many turns"),
    pytest.param("!crash", (), "crashed", None, 137, id="killed in the middle of a line"),
    pytest.param("!exit 3", (), "crashed", None, 3, id="no result"),
    pytest.param("!exit 0", (), "crashed", "no_result", 1, id="no result, and all is well"),
    pytest.param("!garbage", (), "stopped", None, 0, id="lines that are none"),
]  # fmt: skip


@pytest.mark.parametrize(("prompt", "options", "status", "reason", "code"), ENDINGS)
def test_how_it_ends(agents, prompt, options, status, reason, code):
    info = agents.task(prompt, *options)
    assert (info["status"], info["reason"], len(info["runs"])) == (status, reason, 1)
    assert agents.om("wait", info["id"]).returncode == code


def test_it_follows_the_output_and_exits_with_the_works_code(agents):
    finished = agents.om("claude", "run", "--wait", "say", "it")
    assert finished.returncode == 0
    assert "echo: say it" in finished.stdout
    assert agents.om("claude", "run", "--wait", "!error 529").returncode == 1


def test_the_prompt_comes_from_standard_input(agents):
    text = "two\nlines, 'quotes' \"and\" $(more) 🐝"
    finished = agents.om("claude", "run", "--json", "-", stdin=f"{text}\n")
    info = agents.om.wait_status(json.loads(finished.stdout)["id"], "stopped")
    assert agents.heard(info["id"]) == [text]


def test_without_a_login_it_is_never_started_again(agents):
    agents.om.environment.pop("ANTHROPIC_API_KEY")
    info = agents.task("hello", "--restart", "always", "--backoff", "1ms")
    assert (info["status"], info["reason"], len(info["runs"])) == ("crashed", "not_logged_in", 1)
    assert "Not logged in" in agents.om.logs(info["id"])


def test_a_process_that_exits_0_with_an_error_has_crashed(agents, tmp_path):
    """The exit code alone says nothing."""
    wrapper = tmp_path / "claude-0"
    wrapper.write_text(f'#!/bin/sh\n{agents.program} "$@"\nexit 0\n')
    wrapper.chmod(0o755)
    info = agents.task("!error 529", "--env", f"OVERMIND_CLAUDE_BIN={wrapper}")
    assert (info["status"], info["reason"], info["runs"][0]["exit_code"]) == ("crashed", "api_error 529", 0)
    assert agents.om("wait", info["id"]).returncode == 1


def test_a_failed_task_begins_a_new_conversation_with_its_prompt_each_time(agents):
    info = agents.task("!error 529", "--restart", "on-failure", "--max-restarts", "2", "--backoff", "1ms",
                       "--env", "CLAUDE_CODE_MAX_RETRIES=0")  # fmt: skip
    assert (info["status"], info["reason"], info["restart_count"]) == ("crashed", "restart_budget_spent", 2)
    raw = agents.om.raw("logs", info["id"], "--raw").decode()
    sessions = set(re.findall(r'"subtype":"init".*?"session_id":"([^"]+)"', raw))
    assert len(sessions) == 3
    assert all(agents.transcript(session) == ["!error 529"] for session in sessions)


def test_one_that_succeeded_is_not_started_again_on_failure(agents):
    info = agents.task("hello", "--restart", "on-failure", "--backoff", "1ms")
    assert (info["status"], len(info["runs"])) == ("stopped", 1)


def test_an_answer_of_ten_megabytes_in_one_line(agents):
    info = agents.task("!huge 10000000")
    assert info["status"] == "stopped"
    assert agents.om.json("result", "--json", info["id"])["result"] == "x" * 10_000_000
    assert agents.om.ok("status")


def test_garbage_is_shown_as_plain_output_and_does_no_harm(agents):
    info = agents.task("!garbage")
    log = agents.om.logs(info["id"])
    assert "Warning: this line is no JSON" in log
    assert "neither is this one text" in log
    assert "echo: !garbage" in log


def test_a_line_cut_by_a_crash_is_kept(agents):
    info = agents.task("!crash")
    assert "half a l" in agents.om.raw("logs", info["id"], "--raw").decode()


def test_the_result_is_the_programs_own_object(agents):
    info = agents.task("hello")
    result = agents.om.json("result", info["id"])
    assert (result["type"], result["result"], result["is_error"]) == ("result", "echo: hello", False)
    failed = agents.task("!error 529")
    assert agents.om.json("result", failed["id"])["api_error_status"] == 529


def test_results_of_other_missions(agents):
    om = agents.om
    raw = om.finished("true")["id"]
    assert om.json("result", raw) == {}
    assert "no result yet" in om.refused("result", om.mission("sleep 60"), code="not_finished")
    assert "no result yet" in om.refused("result", agents.session(), code="not_finished")


def test_a_question_of_a_task_reaches_the_inbox_and_its_answer_lets_it_go_on(agents):
    mission = agents.start('!ask Bash {"command": "touch made"}')
    (asked,) = agents.asked(mission)
    agents.om.ok("answer", str(asked["question"]), "allow")
    info = agents.om.wait_status(mission, "stopped")
    assert agents.om.json("result", mission)["result"].startswith("tool said:")
    assert info["cost_usd"] > 0


@pytest.mark.own_home
def test_what_it_did_is_known_after_a_shutdown(agents):
    info = agents.task("hello")
    agents.om.ok("shutdown", "-y")
    agents.om.ok("start")
    assert agents.om.json("result", info["id"])["result"] == "echo: hello"
    assert agents.om.info(info["id"])["cost_usd"] == info["cost_usd"] > 0


def test_one_that_takes_too_long_is_stopped_and_not_started_again(agents):
    info = agents.task("!sleep 60", "--timeout", "500ms", "--restart", "always", "--backoff", "1ms")
    assert (info["status"], info["reason"], info["exit_code"], len(info["runs"])) == ("crashed", "timeout", 124, 1)
