"""Sessions in the program's own full-screen interface, with the real program: hooks tell, messages are typed."""

from __future__ import annotations

import contextlib
import glob
import json
import os
from functools import partial

import pytest

from tests.kit.agents import LEAVE
from tests.kit.attached import Attached
from tests.kit.hook_log import HookLog
from tests.kit.killing import kill_supervisor
from tests.kit.processes import programs_with_word, with_word
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.claude, pytest.mark.linux]

TOUCH = "%bash touch made"
QUESTION = {
    "question": "Which color?",
    "header": "Color",
    "multiSelect": False,
    "options": [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}],
}
DIALOG = "Do you want to proceed?"
TRIES, PRESS_SECONDS = 5, 5.0
EXACT = [
    "two\n  lines\n\nand more\n.",
    "\n".join(f"line {number}" for number in range(100)),
    "'single' \"double\" `ticks` $HOME $(id) \\n 🐝 naïve 漢字",
    "ends in a backslash \\",
    "what is in @ma",
    "-n --wait is no option",
    "#nothing to remember",
    "/nosuch/thing is a path",
    "".join(f"{number} 'quoted' and \"more\" 🐝 " for number in range(1000))[:20_000].strip(),
]
CHANGED = ["e\u0301 decomposed", "un\u200bseen", "a\ttab", "\x1b[31mred\x1b[0m", 'Try "this"', "long line\n" * 300]
"""What the program itself makes something else of."""
COMMANDS = ["/clear is no command", "  /clear", "!touch made", "/nosuch thing", "/exit"]


@pytest.fixture
def hooks(world) -> HookLog:
    """The person's own hooks, in their own settings: they say what the program really got."""
    log = HookLog(os.path.dirname(world.work))
    world.set_settings(log.settings())
    return log


def terminal(agents, *options, prompt=None):
    mission = agents.session("--interactive", "--permission-mode", "manual", *options, prompt=prompt)
    if prompt is None:
        agents.doing(mission, "idle")
    return mission


def screen(agents, mission):
    return agents.om.ok("screen", mission)


def shows(agents, mission, text):
    eventually(lambda: text in screen(agents, mission), timeout=20.0, what=f"{text!r} on:\n{screen(agents, mission)}")


def made(agents):
    return os.path.exists(os.path.join(agents.work, "made"))


def got(hooks):
    return [event["prompt"] for event in hooks.events("UserPromptSubmit")]


def test_its_first_prompt_is_answered_on_its_screen(agents):
    mission = terminal(agents, prompt="first words")
    assert agents.answer(1)["text"] == "echo: first words"
    info = agents.doing(mission, "idle")
    assert (info["mode"], info["tty"], info["activity_source"]) == ("interactive", True, "hook")
    shows(agents, mission, "● echo: first words")
    assert "❯ first words" in screen(agents, mission)


def test_our_hooks_run_beside_the_persons_own(agents, hooks):
    mission = terminal(agents, "--allowed-tools", "Bash")
    assert agents.say(mission, "%bash echo by a tool") == "tool said: by a tool"
    assert agents.doing(mission, "idle")["activity_source"] == "hook"
    eventually(lambda: "Stop" in hooks.names(), what="both have heard of the end: the person's own hook perhaps later")
    names = [name for name in hooks.names() if name != "Notification"]
    assert names == ["SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop"]
    with open(os.path.join(agents.om.environment["HOME"], ".claude", "settings.json")) as file:
        assert "overmind" not in file.read(), "ours are an argument, nothing is edited"


def test_what_is_typed_arrives_exactly(agents, hooks):
    mission = terminal(agents)
    for text in EXACT:
        agents.say(mission, text)
    assert got(hooks) == EXACT
    assert agents.states(mission) == ["answered"] * len(EXACT)


def test_what_the_program_changes_is_answered_once_all_the_same(agents, hooks):
    mission = terminal(agents)
    for text in CHANGED:
        agents.say(mission, text)
    assert len(got(hooks)) == len(CHANGED)
    assert agents.states(mission) == ["answered"] * len(CHANGED)


def test_what_is_typed_runs_nothing(agents, hooks):
    """The program has commands that begin with / and a shell behind !."""
    mission = terminal(agents)
    for text in COMMANDS:
        agents.say(mission, text)
    for text, prompt in zip(COMMANDS, got(hooks), strict=True):
        assert text in prompt
    assert not made(agents)
    assert hooks.events("SessionEnd") == []


def test_a_first_prompt_that_looks_like_a_command_is_none(agents, hooks):
    terminal(agents, prompt="/exit now")
    assert agents.answer(1)["state"] == "answered"
    assert "/exit now" in got(hooks)[0]


def test_messages_are_typed_one_at_a_time(agents, hooks):
    mission = terminal(agents)
    numbers = [agents.post(mission, text)["message"] for text in ("one", "two", "three")]
    assert [agents.answer(number)["text"] for number in numbers] == ["echo: one", "echo: two", "echo: three"]
    assert got(hooks) == ["one", "two", "three"]


# --- its questions ------------------------------------------------------------------------------------------------


ANSWERS = [("allow", (), True, ""), ("deny", ("--message", "use make"), False, "tool said: error: use make")]


@pytest.mark.proves("screen")
@pytest.mark.parametrize(("behaviour", "words", "done", "said"), ANSWERS)
def test_a_question_is_answered_from_outside_while_its_dialog_is_open(agents, behaviour, words, done, said):
    mission = terminal(agents)
    message = agents.post(mission, TOUCH)
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["summary"], asked["attach_only"]) == ("permission", "Bash: touch made", False)
    shows(agents, mission, DIALOG)
    agents.om.ok("answer", str(asked["question"]), behaviour, *words)
    assert said in agents.answer(message)["text"]
    assert made(agents) is done
    assert DIALOG not in screen(agents, mission)


def test_always_is_for_the_next_time_too(agents):
    mission = terminal(agents)
    message = agents.post(mission, TOUCH)
    (asked,) = agents.asked(mission)
    agents.om.ok("answer", str(asked["question"]), "always")
    agents.answer(message)
    os.remove(os.path.join(agents.work, "made"))
    agents.say(mission, TOUCH)
    assert made(agents)


def test_a_choice_and_a_plan_are_answered_from_outside(agents):
    mission = agents.session("--interactive", "--permission-mode", "plan")
    agents.doing(mission, "idle")
    message = agents.post(mission, f"%tool AskUserQuestion {json.dumps({'questions': [QUESTION]})}")
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["options"]) == ("question", ["Red", "Blue"])
    shows(agents, mission, "2. Blue")
    agents.om.ok("answer", mission, "allow", "--option", "Blue")
    assert '"Which color?"="Blue"' in agents.answer(message)["text"]
    message = agents.post(mission, "%tool ExitPlanMode {}")
    assert agents.asked(mission)[0]["need"] == "plan"
    agents.om.ok("answer", mission, "allow")
    assert "User has approved" in agents.answer(message)["text"]


def test_a_rule_answers_its_question(agents):
    mission = terminal(agents, "--allow", "Bash(touch:*)")
    agents.say(mission, TOUCH)
    assert made(agents)
    assert [one["by"] for one in agents.events(mission, "answered")] == ["rule Bash(touch:*)"]


def test_nothing_is_typed_into_a_dialog(agents, hooks):
    mission = terminal(agents)
    agents.post(mission, TOUCH)
    agents.asked(mission)
    shows(agents, mission, DIALOG)
    message = agents.post(mission, "1")
    assert agents.om.json("send", mission, "--json", "y")["state"] == "queued"
    assert not made(agents)
    agents.om.ok("answer", mission, "deny")
    assert agents.answer(message)["text"] == "echo: 1"
    assert agents.answer(3)["text"] == "echo: y"
    assert not made(agents)


def _answered(person, key):
    """Press the key until the dialog goes: the program drops what comes while it draws itself anew."""
    for _ in range(TRIES):
        person.type(key)
        with contextlib.suppress(AssertionError):
            person.until(lambda: DIALOG not in person.text(), "the dialog is gone", limit=PRESS_SECONDS)
            return
    raise AssertionError(f"the dialog stays:\n{person.text()}")


@pytest.mark.parametrize(("key", "done"), [(b"1", True), (b"\x1b", False)], ids=["yes", "no"])
def test_a_question_answered_by_its_own_keys_is_withdrawn(agents, key, done):
    mission = terminal(agents)
    agents.post(mission, TOUCH)
    (asked,) = agents.asked(mission)
    shows(agents, mission, DIALOG)
    with Attached(agents.om, mission) as person:
        person.shows(DIALOG)
        _answered(person, key)
        agents.doing(mission, "idle")
        person.type(LEAVE)
        assert person.end() == 0
    assert made(agents) is done
    assert agents.om.json("inbox", "--json") == []
    agents.om.refused("answer", str(asked["question"]), "deny", code="not_found")
    assert agents.say(mission, "next") == "echo: next"


def waiting_hooks(agents, mission):
    """The pids of our hooks that run; the program has their words among its own."""
    return [pid for pid in with_word(f"hook --mission {mission}") if pid != agents.om.pid(mission)]


@pytest.mark.proves("screen")
def test_a_question_answered_by_its_own_keys_is_settled_while_its_tool_still_runs(agents):
    mission, gate = terminal(agents), agents.gate()
    message = agents.post(mission, f"{gate.prompt}; touch made")
    (asked,) = agents.asked(mission)
    shows(agents, mission, DIALOG)
    assert waiting_hooks(agents, mission)
    with Attached(agents.om, mission) as person:
        person.shows(DIALOG)
        _answered(person, b"1")
        gate.runs()
        info = agents.until(mission, lambda info: info["activity"] != "waiting" and info, what="it waits for nobody")
        assert info["activity"] == "working"
        assert agents.om.json("inbox", "--json") == []
        agents.om.refused("answer", str(asked["question"]), "deny", code="not_found")
        eventually(lambda: not waiting_hooks(agents, mission), what="no hook waits")
        assert gate.runs()
        gate.open()
        person.type(LEAVE)
        assert person.end() == 0
    assert agents.answer(message)["text"] == "tool said: through"


@pytest.mark.proves("screen")
def test_a_question_outlives_the_supervisor(agents):
    mission = terminal(agents)
    message = agents.post(mission, TOUCH)
    (asked,) = agents.asked(mission)
    shows(agents, mission, DIALOG)
    kill_supervisor(agents.om)
    assert [one["question"] for one in agents.asked(mission)] == [asked["question"]]
    agents.om.ok("answer", str(asked["question"]), "allow")
    assert agents.answer(message)["state"] == "answered"
    assert made(agents)


# --- setup --------------------------------------------------------------------------------------------------------


def test_the_trust_dialog_waits_for_a_person_at_its_terminal(agents, world):
    world.set_up(projects={})
    mission = agents.session("--interactive", "--permission-mode", "manual", prompt="hello")
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["attach_only"]) == ("setup", True)
    info = agents.om.info(mission)
    assert (info["activity"], info["need"], info["now"]) == ("waiting", "setup", "trust this folder?")
    assert "Yes, I trust this folder" in screen(agents, mission)
    assert f"overmind attach {mission}" in agents.om.ok("inbox")
    agents.om.refused("answer", str(asked["question"]), "allow", code="invalid")
    with Attached(agents.om, mission) as person:
        person.shows("Yes, I trust this folder")
        person.type(b"\x1b[A")
        person.shows("❯ Yes, I trust this folder")
        person.type(b"\r")
        person.shows("● echo: hello")
        person.type(LEAVE)
        assert person.end() == 0
    assert agents.answer(1)["text"] == "echo: hello"
    assert agents.om.json("inbox", "--json") == []


# --- the conversation ---------------------------------------------------------------------------------------------


def test_a_cleared_conversation_has_another_id_which_a_restart_resumes(agents):
    mission = terminal(agents, prompt="before")
    agents.answer(1)
    old = agents.om.info(mission)["session_id"]
    with Attached(agents.om, mission) as person:
        person.shows("● echo: before")
        person.type(b"/clear")
        person.shows("❯ /clear")
        person.type(b"\r")
        new = agents.until(mission, lambda info: info["session_id"] != old and info["session_id"])
        person.type(LEAVE)
        assert person.end() == 0
    agents.say(mission, "after")
    agents.om.ok("restart", mission)
    agents.doing(mission, "idle")
    assert agents.om.info(mission)["session_id"] == new
    said = agents.say(mission, "%history")
    assert said.endswith(" | after | %history")
    assert "before" not in said
    assert programs_with_word(new) == [agents.om.pid(mission)]


def test_killed_in_the_middle_of_a_turn_its_message_is_sent_once_more(agents, api):
    mission, gate = (
        terminal(agents, "--allowed-tools", "Bash", "--restart", "always", "--backoff", "1ms"),
        agents.gate(),
    )
    agents.say(mission, "before")
    message = agents.post(mission, gate.prompt)
    gate.runs()
    agents.kill(mission)
    gate.open()
    assert agents.answer(message)["state"] == "answered"
    assert [one["resent"] for one in agents.messages(mission)] == [False, True]
    assert len([text for text in api.texts if gate.command in text]) == 2
    assert agents.say(mission, "%history").startswith("history: n=4 | before | ")


def test_the_death_of_the_supervisor_in_a_turn_is_not_noticed(agents):
    mission, gate = terminal(agents, "--allowed-tools", "Bash"), agents.gate()
    message = agents.post(mission, gate.prompt)
    gate.runs()
    kill_supervisor(agents.om)
    gate.open()
    assert agents.answer(message)["text"] == "tool said: through"
    assert agents.say(mission, "next") == "echo: next"


def test_an_interrupt_ends_the_turn(agents):
    mission = terminal(agents, "--allowed-tools", "Bash")
    gate = agents.gate()
    message = agents.post(mission, gate.prompt)
    gate.runs()
    agents.om.ok("interrupt", mission)
    assert (agents.answer(message)["state"], agents.answer(message)["error"]) == ("failed", "interrupted")
    assert with_word(gate.command) == []
    assert agents.say(mission, "next") == "echo: next"


def test_nothing_of_it_outlives_a_kill(agents):
    mission, gate = terminal(agents, "--allowed-tools", "Bash"), agents.gate()
    agents.post(mission, gate.prompt)
    gate.runs()
    agents.om.ok("kill", mission)
    assert with_word(gate.command) == []


# --- what it costs ------------------------------------------------------------------------------------------------


def own_sum(agents, mission):
    """The program's own sum, which it writes down as it leaves."""
    session = agents.om.info(mission)["session_id"]
    pattern = os.path.join(agents.om.environment["HOME"], ".claude", "projects", "*", f"{session}.jsonl")
    with open(glob.glob(pattern)[0]) as file:
        return [one["totalCostUSD"] for one in map(json.loads, file) if one["type"] == "cost-state"][-1]


@pytest.mark.proves("dollars")
def test_a_session_on_a_terminal_costs_what_the_program_itself_counts(agents, api):
    mission = terminal(agents, "--allowed-tools", "Bash", "--allowed-tools", "Task")
    answer = agents.om.json("send", mission, "--wait", "--json", "%think hard")
    agents.say(mission, "%bash echo hi")
    gate = agents.gate()
    task = {"description": "d", "prompt": gate.prompt, "subagent_type": "general-purpose"}
    agents.say(mission, f"%tool Task {json.dumps(task)}")
    gate.open()
    heard = partial(agents.heard, mission)
    eventually(lambda: any("task-notification" in text for text in heard()), timeout=20.0, what="its sub-agent's end")
    info = agents.doing(mission, "idle")
    assert info["tokens"]["input"] > 70_000, "a sub-agent counts"
    assert 0 < answer["cost_usd"] < info["cost_usd"]
    with Attached(agents.om, mission) as person:
        person.joined()
        person.type(b"\x03")
        person.shows("again to exit")
        person.type(b"\x03")
        person.end()
    agents.om.wait_status(mission, "stopped")
    after = agents.om.info(mission)
    assert after["cost_usd"] == pytest.approx(own_sum(agents, mission), rel=0.01)
    (row,) = [one for one in agents.om.json("cost", "--json") if one["key"] == mission]
    calls = [one for one in api.requests if one.path.startswith("/v1/messages?")]
    assert (row["turns"], row["cost_usd"]) == (len(calls), after["cost_usd"])


def test_a_budget_ends_a_session_on_a_terminal_before_its_next_call(agents, api):
    mission = terminal(agents, "--allowed-tools", "Bash", "--max-cost", "0.1")
    agents.say(mission, "one")
    assert agents.om.info(mission)["cost_usd"] == pytest.approx(0.056, abs=0.01)
    agents.post(mission, "%bash sleep 1; echo hi")
    ended = agents.om.wait_status(mission, "crashed", timeout=20.0)
    assert ended["reason"] == "max_cost"
    assert len(api.requests) == 2, "the call with the tool's result is never made"
    agents.om.refused("restart", mission, code="forbidden")


def test_a_draft_delays_a_message_and_is_told(agents, hooks):
    mission = terminal(agents)
    agents.press(mission, b"half a line")
    shows(agents, mission, "half a line")
    message = agents.post(mission, "hello")
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["subject"]["text"]) == ("draft", "half a line")
    assert agents.states(mission) == ["queued"]
    agents.press(mission, b"\x15")
    assert agents.answer(message)["text"] == "echo: hello"
    assert got(hooks) == ["hello"]


def test_a_limit_holds_the_queue_on_a_terminal_too(agents, hooks):
    mission = terminal(agents)
    for text in ("%first 529", "two"):
        agents.post(mission, text)
    assert [agents.answer(number, timeout=60.0)["text"] for number in (1, 2)] == ["echo: %first 529", "echo: two"]
    events = agents.events(mission, "message_delivered", "activity")
    told = [one.get("message", one.get("doing")) for one in events]
    assert [one for one in told if one in {1, 2, "limited"}] == [1, "limited", 1, 2]
    assert got(hooks) == ["%first 529", "%first 529", "two"]


def test_the_arrow_to_the_left_in_an_empty_prompt_moves_it_to_no_other_daemon(agents):
    mission = terminal(agents)
    before = agents.om.info(mission)
    agents.press(mission, b"\x1b[D")
    assert agents.say(mission, "hello") == "echo: hello"
    after = agents.om.info(mission)
    assert [after[key] for key in ("os_pid", "session_id")] == [before[key] for key in ("os_pid", "session_id")]
    assert agents.heard(mission) == ["hello"]
