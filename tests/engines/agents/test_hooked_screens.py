"""The real `copilot` and `qwen` on a terminal of their own: how they stand, what they ask in the inbox and there.

Both tell what they do by hooks, and are answered by their dialogs' own keys.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import NamedTuple

import pytest

from tests.kit.agents import LEAVE
from tests.kit.attached import Attached
from tests.kit.killing import kill_supervisor
from tests.kit.model_api import OUTPUT
from tests.kit.overmind import FINAL
from tests.kit.processes import with_variable
from tests.kit.waiting import eventually


class Looks(NamedTuple):
    """Words on the screen of a program, and where its state is known from."""

    ready: str
    asks: str
    """The dialog about `TOUCH`."""
    done: str
    """It has run."""
    write: tuple[str, str, str]
    """Its tool that writes a file, and the names of its arguments."""
    told_by: frozenset[str]


LOOKS: Mapping[str, Looks] = {
    "copilot": Looks(
        ready="/ commands",
        asks="Do you want to run this command?",
        done="completed with exit code 0",
        write=("create", "path", "file_text"),
        told_by=frozenset({"hook", "terminal"}),
    ),
    "qwen": Looks(
        ready="Type your message",
        asks="Waiting for user confirmation",
        done="tool said: Command: touch made",
        write=("write_file", "file_path", "content"),
        told_by=frozenset({"hook", "title"}),
    ),
}
pytestmark = [pytest.mark.linux, pytest.mark.parametrize("provider", list(LOOKS))]
TOUCH = "%bash touch made"


def made(agents, name="made"):
    return os.path.exists(os.path.join(agents.work, name))


def is_empty(agents):
    return agents.om.json("inbox", "--json") == []


def press_in_the_dialog(agents, mission, keys):
    """Press keys once the dialog stands on the screen: its hook tells of it before."""
    with Attached(agents.om, mission) as person:
        person.joined()
        person.shows(LOOKS[agents.provider].asks)
        person.type(keys + LEAVE)
        assert person.end() == 0


@pytest.mark.proves("screen")
def test_a_question_is_in_the_inbox_and_on_the_screen_and_the_inbox_answers_it(agents):
    looks = LOOKS[agents.provider]
    mission = agents.session("--interactive", prompt=TOUCH)
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["tool"], asked["summary"]) == ("permission", "Bash", "Bash: touch made")
    assert asked["subject"]["command"] == "touch made"
    with Attached(agents.om, mission) as person:
        person.shows(looks.asks)
        agents.om.ok("answer", str(asked["question"]), "allow")
        person.shows(looks.done)
        assert "tool said:" in agents.answer(1)["text"]
        assert made(agents)
        person.type(LEAVE)
        assert person.end() == 0
    assert agents.doing(mission, "idle")["activity_source"] in looks.told_by
    agents.post(mission, "%long 60")
    agents.answer(2)
    eventually(lambda: "line 60" in agents.om.ok("screen", mission), what="its screen shows the end")


@pytest.mark.proves("screen")
def test_a_question_that_the_screen_answers_is_gone_from_the_inbox_while_its_command_runs(agents):
    gate = agents.gate()
    os.makedirs(agents.folder, exist_ok=True)
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)  # its command line holds the first prompt, and would be taken for the tool
    message = agents.post(mission, "%bash " + gate.command)
    agents.asked(mission)
    press_in_the_dialog(agents, mission, b"1")
    gate.runs()
    eventually(lambda: is_empty(agents), what="the inbox is empty")
    assert agents.om.info(mission)["activity"] == "working"
    gate.open()
    assert "through" in agents.answer(message)["text"]


@pytest.mark.parametrize("way", ["the inbox", "the screen"])
def test_a_denial_ends_the_turn(agents, way):
    mission = agents.session("--interactive", prompt=TOUCH)
    (asked,) = agents.asked(mission)
    if way == "the inbox":
        agents.om.ok("answer", str(asked["question"]), "deny", "--message", "use make")
        said = agents.api.requests
        eventually(lambda: any("use make" in one.asked.texts for one in said), timeout=60, what="it reads why")
    else:
        press_in_the_dialog(agents, mission, b"\x1b")
    agents.doing(mission, "idle")
    assert is_empty(agents)
    assert agents.say(mission, "and now") == "echo: and now"
    assert not made(agents)


def test_rules_answer_before_a_dialog_is_there(agents):
    rules = ("--allow", "Bash(touch made)", "--deny", "Bash(touch denied)")
    mission = agents.session("--interactive", *rules, prompt="%bash touch denied")
    agents.doing(mission, "idle")
    assert "tool said:" in agents.say(mission, TOUCH)
    assert (made(agents), made(agents, "denied")) == (True, False)


def test_a_change_of_a_file_is_shown_and_allowed(agents):
    path = os.path.join(agents.work, "deep", "made")
    os.makedirs(os.path.dirname(path))
    tool, named, held = LOOKS[agents.provider].write
    mission = agents.session(
        "--interactive", prompt=f"%tool {tool} {json.dumps({named: path, held: 'one' + chr(10) + 'two' + chr(10)})}"
    )
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["tool"]) == ("permission", "Edit")
    assert (asked["subject"]["file_path"], asked["subject"]["content"]) == (path, "one\ntwo\n")
    agents.om.ok("answer", str(asked["question"]), "allow")
    assert "tool said:" in agents.answer(1)["text"]
    assert made(agents, "deep/made")


def test_a_long_command_is_answered_by_the_part_that_the_dialog_shows(agents):
    lines = "\n".join(f"echo {number} >> made" for number in range(60))
    mission = agents.session("--interactive", prompt=f"%bash {lines}")
    (asked,) = agents.asked(mission)
    agents.om.ok("answer", str(asked["question"]), "allow")
    assert "tool said:" in agents.answer(1)["text"]
    with open(os.path.join(agents.work, "made"), encoding="utf-8") as file:
        assert file.read().split() == [str(number) for number in range(60)]


@pytest.mark.proves("screen")
def test_the_question_outlives_the_supervisor_and_is_answered_once(agents):
    mission = agents.session("--interactive", prompt="%bash echo x >> made")
    (asked,) = agents.asked(mission)
    pid = agents.om.pid(mission)
    kill_supervisor(agents.om)
    agents.om.ok("start")
    (again,) = agents.asked(mission)
    assert (again["question"], agents.om.pid(mission)) == (asked["question"], pid)
    agents.om.ok("answer", mission, "allow")
    assert "tool said:" in agents.answer(1)["text"]
    with open(os.path.join(agents.work, "made"), encoding="utf-8") as file:
        assert file.read() == "x\n"


@pytest.mark.proves("screen")
def test_its_conversation_goes_on_after_its_program_was_killed(agents):
    mission = agents.session("--interactive", "--restart", "always", "--backoff", "1ms", prompt="first")
    agents.answer(1)
    agents.kill(mission)
    agents.again(mission)
    assert " | first | " in agents.say(mission, "%history")


def test_an_interrupted_message_is_not_sent_again_with_the_next_one(agents):
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)
    message = agents.post(mission, "%sleep 90 early")
    eventually(lambda: any("%sleep 90 early" in one.asked.texts for one in agents.api.requests), timeout=60)
    agents.om.ok("interrupt", mission)
    assert agents.answer(message)["error"] == "interrupted"
    assert agents.say(mission, "hello behind it") == "echo: hello behind it"


def test_an_interrupt_takes_a_question_away(agents):
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)
    message = agents.post(mission, TOUCH)
    agents.asked(mission)
    agents.om.ok("interrupt", mission)
    assert agents.answer(message)["error"] == "interrupted"
    assert is_empty(agents)
    assert agents.say(mission, "and now") == "echo: and now"
    assert not made(agents)


def test_an_interrupt_ends_a_tool(agents):
    gate = agents.gate()
    mission = agents.session("--interactive", "--permission-mode", "all", prompt="first")
    agents.answer(1)
    message = agents.post(mission, "%bash " + gate.command)
    gate.runs()
    agents.om.ok("interrupt", mission)
    assert agents.answer(message)["error"] == "interrupted"
    assert agents.say(mission, "and now") == "echo: and now"


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_nothing_of_it_is_left(agents, way):
    gate = agents.gate()
    mission = agents.session("--interactive", "--permission-mode", "all", prompt="first")
    agents.answer(1)
    agents.post(mission, "%bash " + gate.command)
    gate.runs()
    agents.om.ok(way, mission)
    agents.om.wait_status(mission, *FINAL)
    assert not with_variable("OVERMIND_MISSION_ID", mission)


def test_its_tokens_are_those_that_its_service_counted(agents):
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)
    agents.say(mission, "second")

    def counted():  # it asks by itself, too, for what it wants to remember
        requests = [*agents.api.requests]
        return {"input": sum(one.tokens for one in requests), "output": OUTPUT * len(requests)}

    info = agents.until(mission, lambda info: info["tokens"] == counted() and info, what="they are the same")
    assert info["cost_usd"] is None


def test_an_error_of_its_service_fails_the_message_and_says_why(agents):
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)
    failed = agents.answer(agents.post(mission, "%error 401"))
    assert failed["state"] == "failed"
    assert failed["error"] in {"api_error 401", "not_logged_in"}
    assert agents.say(mission, "again") == "echo: again"


def is_back(agents, mission):
    agents.until(mission, lambda info: info["handover"] is None and info["mode"] == "headless", what="it is on pipes")


def test_a_person_takes_a_session_from_its_pipes_and_gives_it_back(agents):
    looks = LOOKS[agents.provider]
    mission = agents.session(prompt="on pipes")
    agents.answer(1)
    with Attached(agents.om, mission) as person:
        person.shows("on pipes")
        person.shows(LOOKS[agents.provider].ready)
        person.type(b"on the screen")
        person.shows("on the screen")
        person.type(b"\r")
        person.shows("echo: on the screen")
        person.type(b"%bash touch made")
        person.shows("%bash touch made")
        person.type(b"\r")
        agents.asked(mission)  # as on the pipes
        person.shows(looks.asks)
        person.type(b"\x1b")
        agents.doing(mission, "idle")
        person.type(LEAVE)
        assert person.end() == 0
    is_back(agents, mission)
    assert " | on pipes | on the screen | " in agents.say(mission, "!history")


def test_a_conversation_that_nobody_has_spoken_in_goes_to_a_screen(agents):
    mission = agents.session()
    agents.doing(mission, "idle")
    with Attached(agents.om, mission) as person:
        person.shows(LOOKS[agents.provider].ready)
        person.type(LEAVE)
        assert person.end() == 0
    is_back(agents, mission)
    assert agents.say(mission, "hello") == "echo: hello"


def test_a_message_never_joins_a_draft(agents):
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)
    with Attached(agents.om, mission) as person:
        person.joined()
        person.type(b"half a tho")
        person.shows("half a tho")
        person.type(LEAVE)
        assert person.end() == 0
    message = agents.post(mission, "/status")
    agents.until(mission, lambda info: info["need"] == "draft", what="the draft is told")
    with Attached(agents.om, mission) as person:
        person.joined()
        person.shows("half a tho")
        person.type_pieces(*[b"\x7f"] * 10)
        person.shows(LOOKS[agents.provider].ready)
        person.type(LEAVE)
        assert person.end() == 0
    assert agents.answer(message)["text"].replace("\u200b", "") == "echo: /status"


@pytest.mark.parametrize(
    "text",
    ["first\n\nsecond", "\n".join(f"line {number}" for number in range(60)), "word " * 500 + "end", "\u8a9e" * 1500],
    ids=["paragraphs", "tall", "wrapped", "wide"],
)
def test_messages_of_many_lines_arrive_whole_also_behind_each_other(agents, text):
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)
    for number in (1, 2):
        assert agents.say(mission, f"{number} {text}").strip() == f"echo: {number} {text}"


def test_a_conversation_that_is_gone_is_begun_again(agents):
    mission = agents.session("--interactive", "--restart", "always", "--backoff", "1ms", prompt="first")
    agents.answer(1)
    agents.om.ok("stop", mission)
    agents.om.wait_status(mission, *FINAL)
    agents.forget()
    agents.om.ok("restart", mission)
    agents.until(mission, lambda info: info["conversation_lost"], what="it is told")
    assert " | first | " in agents.say(mission, "%history")


def test_a_question_goes_with_its_program_and_is_asked_again_by_the_next(agents):
    options = ("--restart", "always", "--backoff", "1ms")
    mission = agents.session("--interactive", *options, prompt="first")
    agents.answer(1)
    message = agents.post(mission, "%bash echo x >> made")
    (asked,) = agents.asked(mission)
    agents.kill(mission)
    agents.again(mission)
    (again,) = agents.asked(mission)
    assert again["question"] != asked["question"]
    assert agents.om("answer", str(asked["question"]), "allow").returncode
    agents.om.ok("answer", str(again["question"]), "allow")
    assert "tool said:" in agents.answer(message)["text"]
    with open(os.path.join(agents.work, "made"), encoding="utf-8") as file:
        assert file.read() == "x\n"
