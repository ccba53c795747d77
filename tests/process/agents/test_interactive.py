"""Agents in their own full-screen program: hooks tell what they do, messages are typed, dialogs are left alone."""

from __future__ import annotations

import json
import os
import re

import pytest

from tests.kit import claude
from tests.kit.attached import Attached
from tests.kit.killing import kill_supervisor
from tests.kit.overmind import FINAL
from tests.kit.processes import programs_with_word
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

DIALOG = "Do you want to proceed?"
AGAIN = ("--restart", "always", "--backoff", "1ms")
PASTED = [
    pytest.param("two\n lines", id="lines"),
    pytest.param("'single' \"double\" `ticks` $HOME \\ %s", id="quotes"),
    pytest.param("🐝 naïve 漢字", id="unicode"),
    pytest.param("-n --wait", id="dash"),
    pytest.param("x" * 700, id="long line"),
]


@pytest.fixture
def person(agents):
    """A person who has set up the program, trusts the home and uses its key."""
    claude.settle(agents.om, agents.om.home)
    return agents


def terminal(agents, *options, prompt=None):
    mission = agents.session("--interactive", "--permission-mode", "manual", *options, prompt=prompt)
    if prompt is None:
        agents.doing(mission, "idle")
    return mission


def visible(text):
    return "".join(re.sub(r"\x1b\[\d*m|\x07|\s", "", text))


def screen(agents, mission):
    return agents.om.ok("screen", mission)


def test_its_first_prompt_is_answered_on_its_screen(person):
    mission = terminal(person, prompt="first words")
    assert person.answer(1)["state"] == "answered"
    info = person.doing(mission, "idle")
    assert (info["mode"], info["tty"], info["activity_source"]) == ("interactive", True, "hook")
    eventually(lambda: "echo: first words" in screen(person, mission))
    assert person.heard(mission) == ["first words"]


def test_a_message_is_typed_and_answered(person):
    mission = terminal(person)
    assert person.say(mission, "hello there") == "echo: hello there"
    assert person.say(mission, "and more") == "echo: and more"
    eventually(lambda: "echo: and more" in screen(person, mission))
    assert person.heard(mission) == ["hello there", "and more"]


@pytest.mark.parametrize("text", PASTED)
def test_what_is_typed_arrives_exactly(person, text):
    mission = terminal(person)
    person.answer(person.post(mission, text))
    assert person.heard(mission) == [text]
    assert person.states(mission) == ["answered"]


@pytest.mark.parametrize(
    "text",
    ["\n".join(f"line {n}" for n in range(200)), "words, " * 10_000, "a\tb", "\x1b[31mred\x1b[0m\x07"],
    ids=["lines", "a long line", "a tab", "control characters"],
)
def test_what_the_program_wraps_is_known_as_ours_all_the_same(person, text):
    """It puts a long paste between tags, and blanks for a tab."""
    mission = terminal(person)
    assert person.answer(person.post(mission, text))["state"] == "answered"
    (heard,) = person.heard(mission)
    assert visible(text) in visible(heard)


def test_messages_are_typed_one_at_a_time(person):
    mission = terminal(person)
    messages = [person.post(mission, text) for text in ("one", "two", "three")]
    assert [person.answer(message)["text"] for message in messages] == ["echo: one", "echo: two", "echo: three"]
    assert person.heard(mission) == ["one", "two", "three"]


# --- its questions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("behaviour", "made"), [("allow", True), ("deny", False)])
def test_a_question_reaches_the_inbox_and_its_dialog_closes_with_the_answer(person, behaviour, made):
    mission = terminal(person, prompt='!ask Bash {"command": "touch made"}')
    (asked,) = person.asked(mission)
    assert (asked["need"], asked["summary"], asked["attach_only"]) == ("permission", "Bash: touch made", False)
    eventually(lambda: DIALOG in screen(person, mission))
    person.om.ok("answer", str(asked["question"]), behaviour)
    assert person.answer(1)["state"] == "answered"
    assert os.path.exists(person.om.path("made")) is made
    assert DIALOG not in screen(person, mission)


def test_a_rule_answers_its_question(person):
    mission = terminal(person, "--allow", "Bash(touch:*)", prompt='!ask Bash {"command": "touch made"}')
    assert person.answer(1)["state"] == "answered"
    assert os.path.exists(person.om.path("made"))
    assert [one["by"] for one in person.events(mission, "answered")] == ["rule Bash(touch:*)"]


def test_nothing_is_typed_into_a_dialog(person):
    mission = terminal(person, prompt='!ask Bash {"command": "touch made"}')
    person.asked(mission)
    message = person.post(mission, "1")
    assert message["state"] == "queued"
    person.post(mission, "2\n")
    assert person.om.json("send", mission, "--json", "y")["state"] == "queued"
    assert not os.path.exists(person.om.path("made"))
    person.om.ok("answer", mission, "deny")
    assert person.answer(message)["text"] == "echo: 1"
    assert person.answer(4)["text"] == "echo: y"
    assert not os.path.exists(person.om.path("made"))


def test_a_question_answered_by_its_own_keys_is_withdrawn(person):
    mission = terminal(person, prompt='!ask Bash {"command": "touch made"}')
    (asked,) = person.asked(mission)
    eventually(lambda: DIALOG in screen(person, mission))
    eventually(lambda: yes_is_pressed(person, mission))
    assert person.answer(1)["state"] == "answered"
    assert os.path.exists(person.om.path("made"))
    assert person.om.json("inbox", "--json") == []
    assert "own program" in person.om.refused("answer", str(asked["question"]), "deny", code="not_found")


def yes_is_pressed(person, mission):
    """A key that comes too soon after the dialog only moves its marker: a person presses again."""
    if DIALOG in screen(person, mission):
        person.press(mission, b"1")
    return DIALOG not in screen(person, mission)


@pytest.mark.own_home
def test_a_question_outlives_the_supervisor(person):
    mission = terminal(person, prompt='!ask Bash {"command": "touch made"}')
    person.asked(mission)
    kill_supervisor(person.om)
    (asked,) = person.asked(mission)
    eventually(lambda: person.om("answer", str(asked["question"]), "allow").returncode == 0)
    assert person.answer(1)["state"] == "answered"
    assert os.path.exists(person.om.path("made"))


# --- setup --------------------------------------------------------------------------------------------------------


def test_a_dialog_before_the_start_waits_for_a_person_at_its_terminal(agents):
    claude.settle(agents.om)
    mission = agents.session("--interactive", prompt="hello")
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["attach_only"]) == ("setup", True)
    assert agents.om.info(mission)["need"] == "setup"
    assert f"overmind attach {mission}" in agents.om.ok("inbox")
    sentence = agents.om.refused("answer", str(asked["question"]), "allow", code="invalid")
    assert "overmind attach" in sentence
    agents.press(mission, b"\x1b[A")
    agents.press(mission, b"\r")
    assert agents.answer(1)["state"] == "answered"
    assert agents.om.json("inbox", "--json") == []


def test_a_prompt_that_the_program_left_without_is_sent_again_when_a_person_restarts_it(agents):
    claude.settle(agents.om)
    mission = agents.session("--interactive", prompt="hello")
    eventually(lambda: "No, exit" in screen(agents, mission))
    with Attached(agents.om, mission) as person:
        person.joined()
        person.type(b"\r")
        person.end()
    agents.om.wait_status(mission, *FINAL)
    assert agents.states(mission) == ["failed"]
    claude.settle(agents.om, agents.om.home)
    agents.om.ok("restart", mission)
    assert agents.answer(2)["state"] == "answered"
    assert agents.events(mission, "message_resent")[0]["message"] == agents.number(2)
    assert (agents.heard(mission), agents.states(mission)) == (["hello"], ["failed", "answered"])
    assert [one["resent"] for one in agents.messages(mission)] == [False, True]


# --- the conversation ---------------------------------------------------------------------------------------------


def test_a_cleared_conversation_has_another_id_which_is_resumed(person):
    mission = terminal(person, prompt="before")
    person.answer(1)
    old = person.om.info(mission)["session_id"]
    person.press(mission, b"/clear\r")
    new = person.until(mission, lambda info: info["session_id"] != old and info["session_id"])
    person.say(mission, "after")
    assert (person.transcript(old), person.transcript(new)) == (["before"], ["after"])
    person.om.ok("restart", mission)
    person.doing(mission, "idle")
    assert person.om.info(mission)["session_id"] == new
    assert "after" in screen(person, mission)
    assert programs_with_word(new) == [person.om.pid(mission)]


def test_killed_in_the_middle_of_a_turn_its_message_is_sent_once_more(person):
    mission, gate = terminal(person, "--allowed-tools", "Bash", *AGAIN), person.gate()
    person.say(mission, "before")
    message = person.post(mission, gate.prompt.replace("!", "%", 1))
    eventually(lambda: len(person.heard(mission)) == 2)
    person.kill(mission)
    gate.open()
    assert person.answer(message)["state"] == "answered"
    assert [one["resent"] for one in person.messages(mission)] == [False, True]
    assert person.heard(mission)[0] == "before"
    assert len(person.heard(mission)) == 3


def test_an_interrupt_presses_escape(person):
    mission = terminal(person, "--allowed-tools", "Bash")
    message = person.post(mission, "%slow 60 words")
    eventually(lambda: person.heard(mission))
    person.om.ok("interrupt", mission)
    person.doing(mission, "idle")
    assert person.answer(message)["state"] in {"answered", "failed"}
    assert person.say(mission, "next") == "echo: next"


def test_the_persons_own_hooks_still_run(person):
    seen = os.path.join(person.folder, "their-hook")
    settings = {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": f"cat >> {seen}"}]}]}}
    folder = os.path.join(person.om.environment["HOME"], ".claude")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "settings.json"), "w") as file:
        json.dump(settings, file)
    mission = terminal(person, prompt="hello")
    person.answer(1)
    eventually(lambda: os.path.exists(seen) and os.path.getsize(seen), what="their hook has told")
    with open(seen) as file:
        assert json.loads(file.read())["hook_event_name"] == "Stop"
    assert person.doing(mission, "idle")["activity_source"] == "hook"
    with open(os.path.join(folder, "settings.json")) as file:
        assert json.load(file) == settings, "ours are an argument, nothing is edited"


@pytest.mark.own_home
def test_a_turn_that_ends_while_no_supervisor_is_there_is_heard_of(person):
    mission = terminal(person, prompt="!sleep 0.6 hello")
    eventually(lambda: person.heard(mission))
    os.kill(person.om.supervisor_pid(), 9)
    assert person.answer(1)["text"] == "echo: hello", "its hook has waited for the next one"


@pytest.mark.own_home
def test_hooks_of_a_daemon_that_is_gone_do_no_harm(person):
    mission = terminal(person)
    os.kill(person.om.supervisor_pid(), 9)
    person.om.ok("start")
    assert person.say(mission, "hello") == "echo: hello"
