"""What an agent is doing, since when, who says so, and what that means for clocks."""

from __future__ import annotations

import re
import time
from datetime import datetime

import pytest

from tests.kit import claude
from tests.kit.killing import kill_supervisor
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

BASH = ("--allowed-tools", "Bash")
AGAIN = ("--restart", "always", "--backoff", "1ms")


def seconds(moment):
    return datetime.fromisoformat(moment).timestamp()


def test_from_idle_over_work_and_a_question_to_idle(agents):
    mission, gate = agents.session(*BASH), agents.gate()
    assert agents.doing(mission, "idle")["activity_source"] == "stream"
    agents.post(mission, gate.prompt)
    info = agents.until(mission, lambda info: "⚙" in (info["now"] or "") and info)
    assert (info["activity"], info["need"], info["activity_source"]) == ("working", None, "stream")
    assert info["now"].startswith("⚙ Bash: while")
    since = info["activity_since"]
    agents.om.api("ps")
    assert agents.om.info(mission)["activity_since"] == since
    gate.open()
    assert agents.doing(mission, "idle")["now"] == "tool said: through"
    agents.post(mission, '!ask Bash {"command": "touch x"}')
    agents.asked(mission)
    info = agents.om.info(mission)
    assert (info["activity"], info["need"]) == ("waiting", "permission")
    assert seconds(info["activity_since"]) >= seconds(since)
    agents.om.ok("answer", mission, "deny")
    agents.doing(mission, "idle")


def test_it_is_shown_in_lists(agents):
    mission = agents.session()
    agents.om.mission("sleep 100")
    agents.post(mission, '!ask Bash {"command": "touch x"}')
    agents.asked(mission)
    header, agent, plain = agents.om.ok("ps", "--wide").splitlines()
    at = header.index("ACTIVITY")
    assert agent[at:].startswith("waiting:permission")
    assert "Bash: touch x" in agent
    assert plain[at:].split()[0] == "-"
    rows = {row["id"]: row for row in agents.om.ps("--wide")}
    assert (rows[mission]["activity"], rows[mission]["need"]) == ("waiting", "permission")


def test_changes_of_activity_are_events(agents):
    mission = agents.session(prompt='!ask Bash {"command": "touch x"}')
    agents.asked(mission)
    agents.om.ok("answer", mission, "deny")
    agents.doing(mission, "idle")
    told = [(one["doing"], one["need"]) for one in agents.events(mission, "activity")]
    assert told[-4:] == [("working", None), ("waiting", "permission"), ("working", None), ("idle", None)]


def test_what_has_ended_does_nothing(agents):
    info = agents.task("hello")
    assert (info["activity"], info["need"], info["activity_since"]) == (None, None, None)


def test_while_its_program_tries_again_by_itself_it_is_limited(agents):
    mission = agents.session("--env", "CLAUDE_CODE_MAX_RETRIES=2")
    message = agents.post(mission, "!error 529")
    info = agents.until(mission, lambda info: info["activity"] == "limited" and info["attempt"] == 2 and info)
    assert info["now"] == "overloaded 529"
    assert seconds(info["resume_at"]) > seconds(info["activity_since"])
    info = agents.until(mission, lambda info: info["now"] == "api_error 529" and info)
    assert (info["activity"], info["attempt"]) == ("limited", 1)
    assert 10 < seconds(info["resume_at"]) - time.time() <= 15, "the first wait of the back-off"
    assert agents.states(mission) == ["queued"], message


def test_a_session_at_its_limit_says_until_when_and_holds_its_queue(agents):
    mission = agents.session()
    texts = ["!limit 3600", "two", "three", "four"]
    for text in texts:
        agents.post(mission, text)
    info = agents.until(mission, lambda info: info["activity"] == "limited" and info["attempt"] and info)
    assert 3500 < seconds(info["resume_at"]) - time.time() <= 3600
    assert agents.states(mission) == ["queued"] * 4
    assert agents.heard(mission) == ["!limit 3600"]
    row = agents.om.ok("ps", "--wide").splitlines()[1]
    assert re.search(r" limited (59m|1h)\S* ", row), row
    assert f"({mission}) is limited: limited; it tries again in " in agents.om.ok("inbox")
    agents.om.ok("messages", mission, "--cancel", str(agents.number(1)))
    assert agents.states(mission) == ["cancelled", "queued", "queued", "queued"]


@pytest.mark.own_home
def test_what_a_limit_held_back_is_answered_in_its_order_once_it_ends_also_under_another_daemon(agents):
    mission = agents.session()
    for text in ("!first 429 3", "two", "three"):
        agents.post(mission, text)
    agents.until(mission, lambda info: info["activity"] == "limited" and info["attempt"])
    kill_supervisor(agents.om)
    assert [agents.answer(number)["text"] for number in (1, 2, 3)] == ["echo: !first 429 3", "echo: two", "echo: three"]
    assert agents.heard(mission) == ["!first 429 3", "!first 429 3", "two", "three"]
    assert "--- message 1 waits: limited; it will be sent again at 20" in agents.om.logs(mission)


def test_a_limit_holds_the_queue_of_a_session_on_a_terminal_too(agents):
    claude.settle(agents.om, agents.om.home)
    mission = agents.session("--interactive", "--permission-mode", "manual", "--env", "CLAUDE_CODE_MAX_RETRIES=0")
    agents.doing(mission, "idle")
    for text in ("%error 529", "two"):
        agents.post(mission, text)
    info = agents.until(mission, lambda info: info["activity"] == "limited" and info["attempt"] and info)
    assert (info["now"], info["activity_source"]) == ("api_error 529", "hook")
    assert agents.states(mission) == ["queued", "queued"]


@pytest.mark.parametrize("status", [401, 413])
def test_a_final_error_of_the_api_is_not_tried_again_and_stays_the_reason(agents, status):
    mission = agents.task(f"!error {status}", *AGAIN, "--env", "CLAUDE_CODE_MAX_RETRIES=0")
    assert (mission["status"], mission["restart_count"]) == ("crashed", 0)
    assert mission["reason"] == f"api_error {status}"


def test_a_task_at_its_limit_is_started_again_when_the_limit_ends(agents):
    mission = agents.start("!limit 3600", *AGAIN)
    info = agents.om.wait_status(mission, "restarting")
    assert 3500 < seconds(info["next_restart_at"]) - time.time() <= 3601


@pytest.mark.own_home
def test_activity_outlives_the_supervisor(agents):
    mission = agents.session()
    agents.post(mission, '!ask Bash {"command": "touch x"}')
    agents.asked(mission)
    before = agents.om.info(mission)
    kill_supervisor(agents.om)
    after = agents.om.info(mission)
    for key in ("activity", "need", "activity_since", "now", "session_id"):
        assert after[key] == before[key], key


def test_the_end_of_a_short_turn_calls_nobody(agents):
    mission = agents.session()
    agents.say(mission, "hello")
    assert agents.events(mission, "notification") == []


# --- silence ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", [None, "hello", '!ask Bash {"command": "touch x"}', "!limit 3600"])
def test_waiting_for_a_person_or_a_limit_is_no_silence(agents, prompt):
    mission = agents.session("--activity-timeout", "400ms", prompt=prompt)
    watched = agents.om.mission("sleep 60", "--activity-timeout", "1s")
    agents.om.wait_status(watched, "crashed")
    assert agents.om.info(mission)["status"] == "running"


def test_unless_it_was_said_to_be(agents):
    mission = agents.session(
        "--activity-timeout", "400ms", "--stall-waiting", prompt='!ask Bash {"command": "touch x"}'
    )
    assert agents.om.wait_status(mission, "crashed")["reason"] == "stalled"


def test_an_agent_that_works_and_says_nothing_is_silent(agents):
    mission, gate = agents.session(*BASH, "--activity-timeout", "400ms"), agents.gate()
    agents.post(mission, gate.prompt)
    assert agents.om.wait_status(mission, "crashed")["reason"] == "stalled"


def test_the_clock_goes_on_once_it_is_answered(agents):
    mission, gate = agents.session("--activity-timeout", "400ms"), agents.gate()
    agents.post(mission, f'!ask Bash {{"command": "{gate.command}"}}')
    agents.asked(mission)
    agents.om.ok("answer", mission, "allow")
    assert agents.om.wait_status(mission, "crashed")["reason"] == "stalled"


# --- seen ---------------------------------------------------------------------------------------------------------


def test_seen_marks_as_looked_at_until_something_happens(agents):
    mission = agents.session(prompt="hello")
    agents.answer(1)
    agents.doing(mission, "idle")
    eventually(lambda: agents.om.info(mission)["unseen"])
    agents.om.ok("seen", mission)
    assert agents.om.info(mission)["unseen"] is False
    agents.say(mission, "more")
    eventually(lambda: agents.om.info(mission)["unseen"])
