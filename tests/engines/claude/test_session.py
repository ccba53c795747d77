"""Facts that the product builds on: one process, many turns, questions over the same pipes."""

from __future__ import annotations

import json
import os
import signal
import uuid

import pytest

from tests.kit.agent_lines import AgentLines, Line, is_a
from tests.kit.agent_world import ASKING, SESSION
from tests.kit.hook_log import decision
from tests.kit.waiting import eventually

QUESTION = {
    "questions": [
        {
            "question": "Which color?",
            "header": "Color",
            "multiSelect": False,
            "options": [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}],
        }
    ]
}
TOOL_LOOP = "!bash while [ ! -e never ]; do sleep 0.2; done"
ASK = f"!tool AskUserQuestion {json.dumps(QUESTION)}"


def replays(lines: AgentLines) -> list[Line]:
    return [line for line in lines.of_type("user") if line.get("isReplay")]


def lifecycle(lines: AgentLines, message: str) -> list[str]:
    return [line["state"] for line in lines.of_type("command_lifecycle") if line["command_uuid"] == message]


def dollars(result: Line) -> float:
    return sum(float(figures["costUSD"]) for figures in result["model_usage_since_last_result"].values())


# turns


def test_nothing_is_printed_before_the_first_message(world):
    with world.lines() as lines:
        assert lines.end() == 0
        assert lines.lines == []


def test_every_turn_has_its_own_init_and_result(world):
    with world.lines() as lines:
        for number, text in enumerate(("one", "two"), 1):
            lines.say(text)
            assert lines.result(number)["result"] == f"echo: {text}"
        assert lines.end() == 0
    assert lines.kinds() == ["system/init", "user", "assistant", "result"] * 2
    assert [line["result_index"] for line in lines.of_type("result")] == [0, 1]


def test_costs_add_up_over_turns_and_resumes(world):
    session, seen, total = str(uuid.uuid4()), [], 0.0
    for words in (["--session-id", session], ["--resume", session]):
        with world.lines(*words) as lines:
            for number in (1, 2):
                lines.say("hello")
                seen.append(lines.result(number))
            lines.end()
    for result in seen:
        total += dollars(result)
        assert result["total_cost_usd"] == pytest.approx(total)


def test_what_a_killed_process_has_cost_is_forgotten(world):
    session = str(uuid.uuid4())
    with world.lines("--session-id", session) as lines:
        lines.say("hello")
        assert lines.result()["total_cost_usd"] > 0
        lines.kill()
        assert lines.end() == -signal.SIGKILL
    with world.lines("--resume", session) as lines:
        lines.say("!history")
        result = lines.result()
        lines.end()
    assert result["result"] == "history: n=2 | hello | !history"
    assert result["total_cost_usd"] == pytest.approx(dollars(result))


def test_messages_that_wait_become_one_turn(world):
    with world.lines() as lines:
        lines.say("!slow 1 first")
        lines.until_type("system", "init")
        lines.say("second")
        lines.say("third")
        assert lines.result(2)["result"] == "echo: third"
        assert lines.end() == 0
    assert len(lines.of_type("result")) == 2
    assert [block["text"] for block in replays(lines)[-1]["message"]["content"]] == ["second\n", "third"]


def test_the_end_of_input_finishes_what_was_said(world):
    with world.lines(mode=SESSION) as lines:
        lines.say("!slow 1 first")
        lines.say("second")
        assert lines.end() == 0
    assert [line["result"] for line in lines.of_type("result")] == ["echo: first", "echo: second"]


@pytest.mark.parametrize(("texts", "code"), [(["!error 529", "fine"], 0), (["fine", "!error 529"], 1)])
def test_the_exit_status_is_that_of_the_last_result(world, texts, code):
    with world.lines() as lines:
        for number, text in enumerate(texts, 1):
            lines.say(text)
            lines.result(number)
        assert lines.end() == code


def test_a_line_that_is_no_json_ends_it_at_once(world):
    with world.lines() as lines:
        lines.send_bytes(b"not json\n")
        assert lines.end() == 1
        assert "Error parsing streaming input line" in lines.stderr()


def test_a_line_of_an_unknown_type_is_ignored(world):
    with world.lines() as lines:
        lines.send({"type": "of_the_future"})
        lines.say("hello")
        assert lines.result()["result"] == "echo: hello"
        assert lines.end() == 0


def test_sigint_stops_the_turn_and_ends_the_process(world):
    with world.lines("--include-partial-messages") as lines:
        lines.say("!slow 20 a long answer")
        lines.until_type("stream_event", count=4)
        lines.kill(signal.SIGINT)
        assert lines.end() == 0
    reasons = [line["terminal_reason"] for line in lines.of_type("result")]
    assert reasons in ([], ["aborted_streaming"]), "on a busy machine it ends before it says so"


def test_after_kill_9_in_mid_answer_the_question_is_kept_and_the_answer_is_not(world):
    session = str(uuid.uuid4())
    with world.lines("--session-id", session, "--include-partial-messages") as lines:
        lines.say("!slow 20 a long answer")
        lines.until_type("stream_event", count=4)
        lines.kill()
    with world.lines("--resume", session) as lines:
        lines.say("!history")
        assert lines.result()["result"] == "history: n=2 | !slow 20 a long answer | !history"


# messages with an id


def test_a_message_s_way_is_told(world):
    message = str(uuid.uuid4())
    with world.lines() as lines:
        lines.say("hello", message)
        lines.until(lambda line: line.get("state") == "completed")
        assert lines.kinds() == [
            "command_lifecycle", "command_lifecycle", "system/init", "user", "assistant", "result", "command_lifecycle",
        ]  # fmt: skip
        assert lifecycle(lines, message) == ["queued", "started", "completed"]
        assert replays(lines)[0]["uuid"] == message
        assert lines.of_type("assistant")[0]["user_message_uuids"] == [message]


def test_of_messages_that_became_one_turn_each_is_told(world):
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    with world.lines() as lines:
        lines.say("!slow 1 busy")
        lines.until_type("system", "init")
        lines.say("a", first)
        lines.say("b", second)
        lines.until(lambda line: line.get("state") == "completed", count=2)
        assert lifecycle(lines, first) == lifecycle(lines, second) == ["queued", "started", "completed"]
        assert lines.of_type("assistant")[-1]["user_message_uuids"] == [first, second]


def test_a_message_that_was_answered_is_not_answered_again(world):
    session, message = str(uuid.uuid4()), str(uuid.uuid4())
    with world.lines("--session-id", session) as lines:
        lines.say("hello", message)
        lines.result()
        lines.say("hello", message)
        lines.say("!history")
        assert lines.result(2)["result"] == "history: n=2 | hello | !history"
        lines.kill()
    with world.lines("--resume", session) as lines:
        lines.say("hello", message)
        lines.until(lambda line: line.get("state") == "completed")
        assert lines.end() == 0
    assert lifecycle(lines, message) == ["completed"]
    assert not lines.of_type("result")


def test_a_message_whose_answer_had_not_begun_is_answered_after_a_kill(world):
    session, message = str(uuid.uuid4()), str(uuid.uuid4())
    with world.lines("--session-id", session) as lines:
        lines.say("!sleep 60 hello", message)
        eventually(lambda: "hello" in world.conversation(session), timeout=30.0, what="the message is stored")
        lines.kill()
    with world.lines("--resume", session) as lines:
        lines.say("hello", message)
        assert lines.result()["result"] == "echo: hello"


# control requests


def test_an_interrupt_stops_what_it_says_and_keeps_the_session(world):
    with world.lines("--include-partial-messages") as lines:
        lines.say("!slow 20 a long answer")
        lines.until_type("stream_event", count=4)
        lines.control("c1", "interrupt")
        result = lines.result()
        assert (result["subtype"], result["terminal_reason"]) == ("error_during_execution", "aborted_streaming")
        assert lines.of_type("assistant")[-1]["aborted"] is True
        lines.say("again")
        assert lines.result(2)["result"] == "echo: again"
        assert lines.end() == 0


def test_an_interrupt_kills_the_tool(world):
    with world.lines("--allowedTools", "Bash") as lines:
        lines.say(f"!bash touch began; {TOOL_LOOP.removeprefix('!bash ')}")
        lines.until(lambda line: is_a(line, "assistant") and line["message"]["content"][0]["type"] == "tool_use")
        eventually(lambda: os.path.exists(world.path("began")))
        lines.control("c1", "interrupt")
        result = lines.result()
        assert (result["subtype"], result["terminal_reason"]) == ("error_during_execution", "aborted_tools")
        assert result["permission_denials"] == []
        assert lines.end() == 1


def test_an_interrupt_of_nothing_is_no_error_and_has_no_result(world):
    with world.lines() as lines:
        lines.control("c1", "interrupt")
        answer = lines.until_type("control_response")["response"]
        assert (answer["subtype"], answer["request_id"]) == ("success", "c1")
        assert lines.end() == 0
    assert not lines.of_type("result")


def test_an_unknown_control_request_is_refused_by_name(world):
    with world.lines() as lines:
        lines.control("c1", "nonsense")
        answer = lines.until_type("control_response")["response"]
        assert (answer["subtype"], answer["error_code"]) == ("error", "unsupported_request")


def test_initialize_tells_before_any_message(world):
    with world.lines() as lines:
        lines.control("c1", "initialize")
        answer = lines.until_type("control_response")["response"]
        assert answer["response"]["claude_code_version"] == "2.1.332"
        assert answer["pending_permission_requests"] == []


def test_the_mode_of_permissions_can_be_changed(world):
    with world.lines() as lines:
        lines.control("c1", "set_permission_mode", mode="acceptEdits")
        assert lines.until_type("control_response")["response"]["response"] == {"mode": "acceptEdits"}
        lines.say("!bash touch made")
        assert lines.result()["permission_denials"] == []
        assert lines.of_type("system", "init")[0]["permissionMode"] == "acceptEdits"


# questions


def test_a_question_tells_everything_about_the_tool(world):
    with world.lines() as lines:
        lines.say("!bash touch made")
        question = lines.question()["request"]
        call = lines.of_type("assistant")[-1]["message"]["content"][0]
        assert (question["subtype"], question["tool_name"], question["tool_use_id"]) == (
            "can_use_tool",
            "Bash",
            call["id"],
        )
        assert question["input"] == call["input"]
        assert question["blocked_path"] == world.path("made")
        assert {"type": "setMode", "mode": "acceptEdits", "destination": "session"} in question[
            "permission_suggestions"
        ]


def test_a_yes_runs_the_tool(world):
    with world.lines() as lines:
        lines.say("!bash touch made")
        question = lines.question()
        lines.answer(question, behavior="allow", updatedInput=question["request"]["input"])
        assert lines.result()["permission_denials"] == []
    assert os.path.exists(world.path("made"))


def test_it_reads_in_a_folder_that_was_added_unasked_and_asks_before_it_writes_there(world):
    inputs, outputs, elsewhere = (os.path.join(os.path.dirname(world.work), name) for name in ("in", "out", "else"))
    for folder in (inputs, outputs, elsewhere):
        os.mkdir(folder)
        with open(os.path.join(folder, "a.md"), "w") as file:
            file.write("found")
    uses = [
        (f"!tool Read {json.dumps({'file_path': f'{inputs}/a.md'})}", False),
        (f"!bash cat {inputs}/a.md", False),
        (f"!tool Read {json.dumps({'file_path': f'{elsewhere}/a.md'})}", True),
        (f"!bash cat {elsewhere}/a.md", True),
        (f"!tool Write {json.dumps({'file_path': f'{outputs}/new', 'content': 'x'})}", True),
    ]
    with world.lines("--add-dir", inputs, "--add-dir", outputs, "--session-id", str(uuid.uuid4())) as lines:
        for number, (use, asks) in enumerate(uses, 1):
            lines.say(use)
            if asks:
                lines.answer(lines.question(sum(asked for _, asked in uses[:number])), behavior="deny", message="no")
            assert ("found" in lines.result(number)["result"]) is not asks
        assert len(lines.of_type("control_request")) == 3


def test_a_yes_can_change_the_command(world):
    with world.lines() as lines:
        lines.say("!bash touch made")
        question = lines.question()
        lines.answer(question, behavior="allow", updatedInput={"command": "touch other", "description": ""})
        lines.result()
    assert os.listdir(world.work) == ["other"]


def test_a_no_is_told_to_the_model_in_our_words(world):
    with world.lines() as lines:
        lines.say("!bash touch made")
        lines.answer(lines.question(), behavior="deny", message="not today")
        result = lines.result()
        assert (result["result"], result["is_error"]) == ("tool said: error: not today", False)
        assert [denial["tool_name"] for denial in result["permission_denials"]] == ["Bash"]


def test_a_no_can_end_the_turn(world):
    with world.lines() as lines:
        lines.say("!bash touch made")
        lines.answer(lines.question(), behavior="deny", message="stop", interrupt=True)
        assert lines.result()["terminal_reason"] == "aborted_tools"


def test_a_yes_for_always_is_kept(world):
    with world.lines() as lines:
        lines.say("!bash touch made")
        question = lines.question()
        asked = question["request"]
        always = [one for one in asked["permission_suggestions"] if one["type"] == "addRules"]
        lines.answer(question, behavior="allow", updatedInput=asked["input"], updatedPermissions=always)
        lines.result()
        lines.say("!bash touch made")
        lines.result(2)
        assert len(lines.of_type("control_request")) == 1
    with open(world.path(".claude", "settings.local.json")) as file:
        assert len(json.load(file)["permissions"]["allow"]) == 1


def test_an_interrupt_withdraws_the_question_first(world):
    with world.lines() as lines:
        lines.say("!bash touch made")
        question = lines.question()
        lines.control("c1", "interrupt")
        assert lines.result()["terminal_reason"] == "aborted_tools"
        kinds = [line["type"] for line in lines.lines if line["type"].startswith("control")]
        assert kinds == ["control_request", "control_cancel_request", "control_response"]
        assert lines.of_type("control_cancel_request")[0]["request_id"] == question["request_id"]
        assert len(lines.result()["permission_denials"]) == 1


def test_a_choice_is_answered_by_its_labels(world):
    with world.lines() as lines:
        lines.say(ASK)
        question = lines.question()
        asked = question["request"]
        assert (asked["tool_name"], asked["requires_user_interaction"]) == ("AskUserQuestion", True)
        lines.answer(question, behavior="allow", updatedInput={**asked["input"], "answers": {"Which color?": "Blue"}})
        assert '"Which color?"="Blue"' in lines.result()["result"]


def test_a_plan_is_approved(world):
    with world.lines("--permission-mode", "plan") as lines:
        lines.say("!tool ExitPlanMode {}")
        question = lines.question()
        assert question["request"]["tool_name"] == "ExitPlanMode"
        lines.answer(question, behavior="allow", updatedInput=question["request"]["input"])
        assert "User has approved" in lines.result()["result"]
        assert [line["permissionMode"] for line in lines.of_type("system", "status")] == ["default"]


def test_without_a_way_to_ask_the_answer_is_no(world):
    with world.lines(mode=SESSION) as lines:
        lines.say("!bash touch made")
        assert len(lines.result()["permission_denials"]) == 1
    assert not lines.of_type("control_request")


@pytest.mark.parametrize("asked_before", [True, False])
def test_once_the_input_has_ended_the_answer_is_no(world, asked_before):
    with world.lines() as lines:
        lines.say("!bash touch made")
        if asked_before:
            lines.question()
        assert lines.end() == 0
    assert "Tool permission request failed" in lines.lines[-1]["result"]


def test_a_hook_and_a_person_are_asked_side_by_side_and_the_first_counts(world, hooks):
    with world.lines(*hooks.argument(answers=f"sleep 0.5; {decision('allow')}")) as lines:
        lines.say("!bash touch made")
        question = lines.question()
        assert lines.result()["permission_denials"] == []
        assert lines.of_type("control_cancel_request")[0]["request_id"] == question["request_id"]


# hooks


def test_hooks_tell_what_happens(world, hooks):
    with world.lines("--allowedTools", "Bash", *hooks.argument()) as lines:
        lines.say("!bash echo hi")
        lines.result()
        lines.say("!bash exit 3")
        lines.result(2)
        lines.say("!error 529")
        lines.result(3)
        eventually(lambda: "StopFailure" in hooks.names())  # the program does not wait for it when its input ends
        lines.end()
    assert hooks.names() == [
        "SessionStart",
        "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop",
        "UserPromptSubmit", "PreToolUse", "PostToolUseFailure", "Stop",
        "UserPromptSubmit", "StopFailure",
        "SessionEnd",
    ]  # fmt: skip
    assert hooks.events("SessionStart")[0]["source"] == "startup"
    assert hooks.events("Stop")[0]["last_assistant_message"] == "tool said: hi"
    assert hooks.events("PostToolUseFailure")[0]["error"] == "Exit code 3"
    assert hooks.events("StopFailure")[0]["error"] == "server_error"
    assert {event["session_id"] for event in hooks.events()} == {lines.lines[0]["session_id"]}


def test_no_hook_tells_of_an_interruption(world, hooks):
    with world.lines("--include-partial-messages", *hooks.argument()) as lines:
        lines.say("!slow 20 a long answer")
        lines.until_type("stream_event", count=4)
        lines.control("c1", "interrupt")
        lines.result()
        lines.end()
    assert hooks.names() == ["SessionStart", "UserPromptSubmit", "SessionEnd"]


def test_our_hooks_run_beside_the_person_s_own(world, hooks):
    world.set_settings({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "touch own"}]}]}})
    with world.lines(*hooks.argument(), mode=ASKING) as lines:
        lines.say("hello")
        lines.result()
    assert os.path.exists(world.path("own"))
    assert "Stop" in hooks.names()
