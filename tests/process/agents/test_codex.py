"""Codex as tasks and sessions: a scripted program in its place."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.kit.killing import kill, kill_supervisor
from tests.kit.overmind import FINAL
from tests.kit.processes import alive
from tests.kit.rpc import CodexAgents
from tests.kit.waiting import eventually


@pytest.fixture
def codex(om, tmp_path):
    return CodexAgents(om, str(tmp_path / "codex"))


def test_a_task_has_its_answer_its_log_and_its_tokens(codex):
    om = codex.om
    info = codex.task(
        "hello", "--model", "m9", "--permission-mode", "workspace-write", "--agent-arg=-c", "--agent-arg=x=1"
    )
    assert (info["status"], info["exit_code"], info["model"]) == ("stopped", 0, "m9")
    assert (info["permission_mode"], info["cost_usd"]) == ("workspace-write", None)
    assert info["tokens"] == {"input": 900, "output": 40}
    assert om.json("result", info["id"])["result"] == "echo: hello"
    assert "[human] hello\necho: hello\n" in om.logs(info["id"])
    argv, params = json.loads(Path(om.environment["RPC_KEPT"], "started").read_text(encoding="utf-8"))
    assert argv == ["app-server", "-c", "x=1"]
    assert (params["sandbox"], params["approvalPolicy"]) == ("workspace-write", "on-request")


ANSWERS = [("allow", "made", "it printed: made"), ("deny", "", "refused"), ("always", "made", "it printed: made")]


@pytest.mark.parametrize(("answer", "made", "said"), ANSWERS)
def test_a_question_stands_in_the_inbox_and_its_answer_decides(codex, answer, made, said):
    mission = codex.session(prompt="!bash echo made | tee made")
    (asked,) = codex.asked(mission)
    assert (asked["summary"], asked["subject"]) == ("Bash: echo made | tee made", {"command": "echo made | tee made"})
    codex.om.ok("answer", mission, answer)
    assert codex.answer(1)["text"].strip() == said
    assert os.path.exists(os.path.join(codex.work, "made")) is bool(made)
    if answer == "always":
        assert codex.say(mission, "!bash echo made | tee made").strip() == said
        assert codex.om.json("inbox", "--json") == []


def test_a_task_asks_too_and_a_rule_answers(codex):
    info = codex.task("!bash echo ruled", "--allow", "Bash(echo:*)")
    assert codex.om.json("result", info["id"])["result"].strip() == "it printed: ruled"
    info = codex.task("!bash echo ruled", "--deny", "Bash(echo:*)")
    assert codex.om.json("result", info["id"])["result"] == "refused"


@pytest.mark.parametrize("prompt", ["!hang", "!bash sleep 600"], ids=["in a text", "at a question"])
def test_an_interrupt_ends_the_turn_and_keeps_the_session(codex, prompt):
    mission = codex.session(prompt=prompt)
    codex.doing(mission, "working" if prompt == "!hang" else "waiting")
    eventually(lambda: codex.states(mission) == ["delivered"], what="the turn has begun")
    (interrupted,) = codex.om.json("interrupt", mission, "--json")
    assert interrupted["interrupted"]
    codex.doing(mission, "idle")
    assert codex.om.json("inbox", "--json") == []
    assert codex.say(mission, "still there") == "echo: still there"


def test_an_open_question_outlives_the_supervisor(codex):
    mission = codex.session(prompt="!bash echo x >> once; wc -l < once")
    (asked,) = codex.asked(mission)
    pid = codex.om.pid(mission)
    kill_supervisor(codex.om)
    codex.om.ok("start")
    (again,) = codex.asked(mission)
    assert (again["question"], codex.om.pid(mission)) == (asked["question"], pid)
    codex.om.ok("answer", mission, "allow")
    assert codex.answer(1)["text"].split() == ["it", "printed:", "1"]
    assert codex.say(mission, "on") == "echo: on"


def test_a_turn_outlives_the_supervisor(codex):
    mission = codex.session(prompt="!hang")
    eventually(lambda: codex.states(mission) == ["delivered"], what="the turn has begun")
    kill_supervisor(codex.om)
    codex.om.ok("start")
    codex.doing(mission, "working")
    codex.om.ok("interrupt", mission)
    codex.doing(mission, "idle")
    assert codex.say(mission, "on") == "echo: on"


def test_a_conversation_goes_on_in_the_next_process(codex):
    mission = codex.session("--restart", "always", "--backoff", "1ms", prompt="first")
    codex.answer(1)
    codex.kill(mission)
    codex.again(mission)
    assert codex.say(mission, "!history") == "first | !history"


def test_one_whose_conversation_is_gone_begins_anew_and_says_so(codex):
    mission = codex.session("--restart", "always", "--backoff", "1ms", prompt="first")
    codex.answer(1)
    for name in os.listdir(codex.om.environment["RPC_KEPT"]):
        os.unlink(os.path.join(codex.om.environment["RPC_KEPT"], name))
    codex.kill(mission)
    eventually(lambda: "its conversation is gone: it begins a new one" in codex.om.logs(mission), what="it is said")
    assert codex.say(mission, "!history") == "first | !history", "it was given its first prompt again"


def test_who_is_not_logged_in_is_not_started_again(codex):
    codex.om.environment["CODEX_NO_LOGIN"] = "1"
    info = codex.task("hello", "--restart", "on-failure", "--backoff", "1ms")
    assert (info["reason"], info["restart_count"]) == ("not_logged_in", 0)


def test_an_error_of_its_service_fails_the_message_and_keeps_the_session(codex):
    mission = codex.session(prompt="!error 500")
    assert codex.answer(1)["error"] == "api_error 500"
    assert codex.say(mission, "and now") == "echo: and now"


def test_nothing_of_it_is_left_when_it_is_stopped_in_a_question(codex):
    mission = codex.session(prompt="!bash sleep 600")
    codex.asked(mission)
    pid = codex.om.pid(mission)
    codex.om.ok("stop", mission)
    codex.om.wait_status(mission, *FINAL)
    assert not alive(pid)
    assert codex.om.json("inbox", "--json") == []


PRICED = '[prices."m1"]\ninput = 100.0\noutput = 1000.0\ncached_input = 10.0\n'
"""A turn of the scripted program costs 12.1 cents by it."""


@pytest.mark.own_home
def test_what_it_cost_at_a_persons_prices_and_its_limit_of_tokens_outlive_the_supervisor(codex):
    om = codex.om
    Path(om.path("config.toml")).write_text(PRICED, encoding="utf-8")
    mission = codex.session("--max-tokens", "2000", prompt="one")
    codex.answer(1)
    kill_supervisor(om)
    assert codex.say(mission, "two") == "echo: two"
    info = om.info(mission)
    assert (info["cost_usd"], info["cost_source"], info["tree_tokens"]) == (0.242, "estimated", 1880)
    (warning,) = om.events("cost_warning")
    assert (warning["why"], warning["tokens"]) == ("1,880 of 2,000 tokens used", 1880)
    kill_supervisor(om)
    om("send", mission, "--wait", "three")
    ended = om.wait_status(mission, *FINAL)
    assert (ended["status"], ended["reason"], ended["tree_tokens"]) == ("crashed", "max_tokens", 2820)
    assert "--- ~$0.12 at your prices ---" in om.logs(mission)
    assert "--- stopped: 2,820 of 2,000 tokens used ---" in om.logs(mission)
    kill(om.supervisor_pid())
    assert "Raise max_tokens first" in om("restart", mission).stderr
    assert om.json("cost", "--json")[0]["cost_usd"] == 0.363


@pytest.mark.own_home
def test_a_limit_of_dollars_holds_though_its_price_is_removed_and_it_is_said_at_which_it_counts(codex):
    om = codex.om
    config = Path(om.path("config.toml"))
    config.write_text(PRICED, encoding="utf-8")
    mission = codex.session("--max-cost", "0.3", "--model", "m1", prompt="one")
    codex.answer(1)
    config.unlink()
    om.ok("start", "--replace")
    assert codex.say(mission, "two") == "echo: two"
    info = om.info(mission)
    assert (info["cost_usd"], info["cost_source"], info["cost_partial"]) == (0.242, "estimated", False)
    kill_supervisor(om)
    om("send", mission, "--wait", "three")
    ended = om.wait_status(mission, *FINAL)
    assert (ended["status"], ended["reason"], ended["cost_usd"]) == ("crashed", "max_cost", 0.363)
    log = om.logs(mission)
    assert log.count("--- ~$0.12 at your prices ---") == 1
    assert "--- ~$0.12 at the last price of m1: config.toml has none now ---" in log
    assert "--- stopped: ~$0.36 of $0.30 spent ---" in log
