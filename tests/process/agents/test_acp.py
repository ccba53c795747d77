"""Programs that speak the Agent Client Protocol, as tasks and sessions: a scripted one in the place of each."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.kit.killing import kill_supervisor
from tests.kit.overmind import FINAL
from tests.kit.processes import alive, with_variable
from tests.kit.rpc import AcpAgents
from tests.kit.waiting import eventually


class OwnAgents(AcpAgents):
    """The same program as a person's own agent: config.toml has it."""

    def __init__(self, om, folder):
        super().__init__(om, folder, "mine")
        self.provider, self.program = "acp:mine", om.environment.pop("OVERMIND_MINE_BIN")
        with open(om.path("config.toml"), "w", encoding="utf-8") as file:
            file.write(f'[providers.mine]\nprogram = "{self.program}"\nprotocol = "acp"\nargs = ["--acp", "x y"]\n')


@pytest.fixture
def acp(om, tmp_path):
    return AcpAgents(om, str(tmp_path / "acp"))


@pytest.mark.parametrize("provider", ["gemini", "opencode", "qwen", "copilot"])
def test_a_task_has_its_answer_and_its_log(om, tmp_path, provider):
    acp = AcpAgents(om, str(tmp_path / "acp"), provider)
    info = acp.task("hello")
    assert (info["status"], info["exit_code"], info["model"]) == ("stopped", 0, "m1")
    assert om.json("result", info["id"])["result"] == "echo: hello"
    log = om.logs(info["id"])
    assert "a banner that is no JSON" in log
    assert "\necho: hello\n" in log


def test_a_session_answers_each_message_and_tells_what_it_costs(acp):
    mission = acp.session(prompt="one")
    assert acp.answer(1)["text"] == "echo: one"
    for text in ("two", "three"):
        assert acp.say(mission, text) == f"echo: {text}"
    info = acp.doing(mission, "idle")
    assert (info["cost_usd"], info["session_id"][:4]) == (1.5, "ses_")
    assert acp.om.ok("cost").splitlines()[1].split()[-1] == "-", "it tells no turns of its model"
    acp.om.ok("stop", mission)
    assert acp.om.info(mission)["status"] == "stopped"


ANSWERS = [("allow", "made", "it printed: made"), ("deny", "", "refused"), ("always", "made", "it printed: made")]


@pytest.mark.parametrize(("answer", "made", "said"), ANSWERS)
def test_a_question_stands_in_the_inbox_and_its_answer_decides(acp, answer, made, said):
    mission = acp.session(prompt="!bash echo made | tee made")
    (asked,) = acp.asked(mission)
    assert asked["summary"] == "Bash: echo made | tee made"
    assert asked["subject"]["command"] == "echo made | tee made"
    acp.om.ok("answer", mission, answer)
    assert acp.answer(1)["text"].strip() == said
    assert os.path.exists(os.path.join(acp.work, "made")) is bool(made)
    if answer == "always":
        assert acp.say(mission, "!bash echo made | tee made").strip() == said
        assert acp.om.json("inbox", "--json") == []


def test_words_beside_an_answer_are_the_next_message_of_a_session_and_refused_with_a_task(acp):
    mission = acp.session(prompt="!bash touch made")
    acp.asked(mission)
    acp.om.ok("answer", mission, "deny", "-m", "use make")
    assert acp.answer(1)["text"].strip() == "refused"
    assert acp.answer(2)["text"] == "echo: use make"
    task = acp.start("!bash touch made")
    acp.asked(task)
    refused = acp.om.refused("answer", task, "deny", "-m", "use make", code="invalid")
    assert "opencode reads no words beside this answer. Answer it without: overmind answer" in refused
    acp.om.ok("answer", task, "deny")
    acp.om.wait_status(task, *FINAL)


def test_a_rule_answers_and_a_change_of_a_file_is_shown(acp):
    path = os.path.join(acp.work, "f.txt")
    mission = acp.session("--allow", "Bash(echo:*)", prompt="!bash echo ruled")
    assert acp.answer(1)["text"].strip() == "it printed: ruled"
    acp.post(mission, f"!write {path} new text")
    (asked,) = acp.asked(mission)
    assert (asked["summary"], asked["subject"]["content"]) == (f"Edit: {path}", "new text")
    acp.om.ok("answer", mission, "allow")
    eventually(lambda: os.path.exists(path), what="it is written")


@pytest.mark.parametrize("prompt", ["!hang", "!bash sleep 600"], ids=["in a text", "at a question"])
def test_an_interrupt_ends_the_turn_and_keeps_the_session(acp, prompt):
    mission = acp.session(prompt=prompt)
    acp.doing(mission, "working" if prompt == "!hang" else "waiting")
    eventually(lambda: acp.states(mission) == ["delivered"], what="the turn has begun")
    (interrupted,) = acp.om.json("interrupt", mission, "--json")
    assert interrupted["interrupted"]
    acp.doing(mission, "idle")
    assert acp.om.json("inbox", "--json") == []
    assert acp.say(mission, "still there") == "echo: still there"


def test_what_a_tool_tells_after_the_reply_holds_up_no_message(acp):
    mission = acp.session(prompt="!late")
    acp.answer(1)
    assert acp.say(mission, "and now") == "echo: and now"
    acp.doing(mission, "idle")


def test_a_question_after_the_reply_is_answered_and_holds_up_no_message(acp):
    mission = acp.session(prompt="!late-ask")
    acp.answer(1)
    acp.asked(mission)
    acp.om.ok("answer", mission, "allow")
    eventually(lambda: os.path.exists(os.path.join(acp.work, "late")), what="it has run")
    acp.doing(mission, "idle")
    assert acp.say(mission, "and now") == "echo: and now"


def test_what_the_client_can_not_do_is_answered_at_once(acp):
    acp.session(prompt="!client")
    assert acp.answer(1)["text"] == "client: -32601"


def test_an_open_question_outlives_the_supervisor(acp):
    mission = acp.session(prompt="!bash echo x >> once; wc -l < once")
    (asked,) = acp.asked(mission)
    pid = acp.om.pid(mission)
    kill_supervisor(acp.om)
    acp.om.ok("start")
    (again,) = acp.asked(mission)
    assert (again["question"], acp.om.pid(mission)) == (asked["question"], pid)
    acp.om.ok("answer", mission, "allow")
    assert acp.answer(1)["text"].split() == ["it", "printed:", "1"]
    assert acp.say(mission, "on") == "echo: on"


def test_a_turn_outlives_the_supervisor(acp):
    mission = acp.session(prompt="!hang")
    eventually(lambda: acp.states(mission) == ["delivered"], what="the turn has begun")
    kill_supervisor(acp.om)
    acp.om.ok("start")
    acp.doing(mission, "working")
    acp.om.ok("interrupt", mission)
    acp.doing(mission, "idle")
    assert acp.say(mission, "on") == "echo: on"


def test_a_conversation_goes_on_in_the_next_process(acp):
    mission = acp.session("--restart", "always", "--backoff", "1ms", prompt="first")
    acp.answer(1)
    acp.kill(mission)
    acp.again(mission)
    assert acp.say(mission, "!history") == "first | !history"


def test_one_that_tells_its_conversation_once_more_goes_on_and_counts_nothing_twice(om, tmp_path):
    acp = AcpAgents(om, str(tmp_path / "acp"), "copilot")
    mission = acp.session("--restart", "always", "--backoff", "1ms", prompt="first")
    acp.answer(1)
    assert acp.say(mission, "second") == "echo: second"
    kill_supervisor(om)
    om.ok("start")
    assert acp.say(mission, "third") == "echo: third"
    assert om.info(mission)["tokens"] == {"input": 30, "output": 6}
    acp.kill(mission)
    acp.again(mission)
    assert acp.say(mission, "!history") == "first | second | third | !history"
    assert om.info(mission)["tokens"] == {"input": 40, "output": 8}
    assert om.logs(mission).count("echo: second") == 1


def test_one_whose_conversation_is_gone_begins_anew_and_says_so(acp):
    mission = acp.session("--restart", "always", "--backoff", "1ms", prompt="first")
    acp.answer(1)
    for name in os.listdir(acp.om.environment["RPC_KEPT"]):
        os.unlink(os.path.join(acp.om.environment["RPC_KEPT"], name))
    acp.kill(mission)
    eventually(lambda: "its conversation is gone: it begins a new one" in acp.om.logs(mission), what="it is said")
    assert acp.say(mission, "!history") == "first | !history", "it was given its first prompt again"


def test_who_is_not_logged_in_is_not_started_again(acp):
    acp.om.environment["ACP_WAY"] = "no-login"
    info = acp.task("hello", "--restart", "on-failure", "--backoff", "1ms")
    assert (info["reason"], info["restart_count"]) == ("not_logged_in", 0)
    assert "could not start: Authentication required" in acp.om.logs(info["id"])


def test_one_that_goes_into_the_background_has_failed_and_nothing_of_it_is_left(acp):
    acp.om.environment["ACP_WAY"] = "leaves"
    mission = acp.om.mission(["hello"], "--type", "session", "--provider", "opencode", "--cwd", acp.work)
    info = acp.om.wait_status(mission, *FINAL)
    assert (info["status"], info["reason"]) == ("crashed", "no_conversation")
    assert not with_variable("OVERMIND_MISSION_ID", mission)


def test_another_version_of_the_protocol_is_named(acp):
    acp.om.environment["ACP_WAY"] = "old"
    info = acp.task("hello")
    assert info["reason"] == "no_conversation"
    assert "it speaks version 0 of the protocol" in acp.om.logs(info["id"])


def test_a_mode_is_set_and_an_unknown_one_is_refused_with_those_that_there_are(om, tmp_path):
    acp = AcpAgents(om, str(tmp_path / "acp"), "qwen")
    info = acp.task("!bash echo unasked", "--permission-mode", "all")
    assert om.json("result", info["id"])["result"].strip() == "it printed: unasked"
    assert info["permission_mode"] == "yolo"
    info = acp.task("hello", "--permission-mode", "sometimes")
    assert info["reason"] == "usage_error"
    assert "it has no mode sometimes: write ask, edits, read-only, all, auto, default, plan, yolo" in om.logs(
        info["id"]
    )


def test_an_error_of_its_service_fails_the_message_and_keeps_the_session(acp):
    mission = acp.session(prompt="!error 500 the service is down")
    assert acp.answer(1)["error"] == "api_error 500"
    assert acp.say(mission, "and now") == "echo: and now"


def test_nothing_of_it_is_left_when_it_is_stopped_in_a_question(acp):
    mission = acp.session(prompt="!bash sleep 600")
    acp.asked(mission)
    pid = acp.om.pid(mission)
    acp.om.ok("stop", mission)
    acp.om.wait_status(mission, *FINAL)
    assert not alive(pid)
    assert acp.om.json("inbox", "--json") == []


def test_options_that_the_protocol_lacks_are_refused_by_name(acp):
    acp.om.ok("start")
    asked = ("run", "--provider", "opencode", "--max-turns", "3", "--system-prompt", "x", "hi")
    said = acp.om.refused(*asked, code="invalid")
    limited = ("run", "--provider", "opencode", "--max-cost", "1", "hi")
    assert "--max-cost is not possible with a task of opencode" in acp.om.refused(*limited, code="invalid")
    full_screen = ("run", "--provider", "gemini", "--interactive", "hi")
    assert "overmind run --type session -- gemini" in acp.om.refused(*full_screen, code="invalid")
    assert "--max-turns is not possible with opencode; --system-prompt is not possible with opencode" in said


def test_a_persons_own_agent_is_a_table_of_config_toml(om, tmp_path):
    own = OwnAgents(om, str(tmp_path / "acp"))
    mission = own.session("--restart", "always", "--backoff", "1ms", prompt="!bash echo made")
    (asked,) = own.asked(mission)
    assert asked["summary"] == "Bash: echo made"
    om.ok("answer", mission, "allow")
    assert own.answer(1)["text"].strip() == "it printed: made"
    assert "--acp\0x y\0" in Path(f"/proc/{om.pid(mission)}/cmdline").read_text(encoding="utf-8")
    assert "\nit printed: made\n" in om.logs(mission)
    os.unlink(om.path("config.toml"))
    own.kill(mission)
    kill_supervisor(om)
    om.ok("start")
    own.again(mission)
    assert own.say(mission, "!history") == "!bash echo made | !history", "it has its program though the table is gone"
    said = om.refused("run", "--provider", "acp:mine", "hi", code="unknown_provider", exit_code=2)
    assert 'write [providers.mine] with program and protocol = "acp"' in said


def test_what_is_wrong_with_an_own_agent_is_said_by_name(om, tmp_path):
    own = OwnAgents(om, str(tmp_path / "acp"))
    os.unlink(own.program)
    om.ok("start")
    said = om.refused("run", "--provider", "mine", "hi", code="unknown_provider", exit_code=2)
    assert "write acp:mine" in said
    said = om.refused("run", "--provider", "acp:mine", "hi", code="provider_missing")
    assert own.program in said
    assert "config.toml" in said
    said = om.refused("run", "--provider", "acp:mine", "--agent-arg", "--acp", "hi", code="invalid")
    assert "--agent-arg --acp conflicts" in said
