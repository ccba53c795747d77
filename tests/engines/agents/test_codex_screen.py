"""The real `codex` on a terminal of its own: how it stands, what it asks in the inbox and there, and who answers."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from overmind_core.providers.rpc.codex import Codex
from tests.kit.agents import LEAVE
from tests.kit.attached import Attached
from tests.kit.killing import kill_supervisor
from tests.kit.model_api import OUTPUT
from tests.kit.overmind import FINAL
from tests.kit.processes import with_variable
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.linux, pytest.mark.parametrize("provider", ["codex"])]

TOUCH = "%bash touch made"


def made(agents, name="made"):
    return os.path.exists(os.path.join(agents.work, name))


def is_empty(agents):
    return agents.om.json("inbox", "--json") == []


def press_in_the_dialog(agents, mission, keys):
    """Press keys once the dialog stands on the screen: its hook tells of it before."""
    with Attached(agents.om, mission) as person:
        person.joined()
        person.press_away("Press enter to confirm", keys)
        person.type(LEAVE)
        assert person.end() == 0


def is_back(agents, mission):
    agents.until(mission, lambda info: info["handover"] is None and info["mode"] == "headless", what="it is on pipes")


@pytest.mark.proves("screen")
def test_a_question_is_in_the_inbox_and_on_the_screen_and_the_inbox_answers_it(agents):
    mission = agents.session("--interactive", prompt=TOUCH)
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["tool"], asked["summary"]) == ("permission", "Bash", "Bash: touch made")
    assert asked["subject"]["command"] == "touch made"
    with Attached(agents.om, mission) as person:
        person.shows("Would you like to run the following command?")
        agents.om.ok("answer", str(asked["question"]), "allow")
        person.shows("You approved codex to run touch made")
        assert "tool said:" in agents.answer(1)["text"]
        assert made(agents)
        person.type(LEAVE)
        assert person.end() == 0
    assert agents.doing(mission, "idle")["activity_source"] in {"hook", "status"}
    agents.post(mission, "%long 60")
    agents.answer(2)
    assert "line 60" in agents.om.ok("screen", mission)


@pytest.mark.proves("screen")
def test_a_question_that_the_screen_answers_is_gone_from_the_inbox_while_its_command_runs(agents):
    gate = agents.gate()
    os.makedirs(agents.folder, exist_ok=True)
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)  # its command line holds the first prompt, and would be taken for the tool
    message = agents.post(mission, "%bash " + gate.command)
    agents.asked(mission)
    press_in_the_dialog(agents, mission, b"y")
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
        eventually(
            lambda: any("use make" in one.asked.texts for one in agents.api.requests),
            timeout=agents.patience,
            what="it reads why",
        )
    else:
        press_in_the_dialog(agents, mission, b"\x1b")
    agents.doing(mission, "idle")
    assert is_empty(agents)
    assert agents.say(mission, "and now") == "echo: and now"
    assert not made(agents)


def test_rules_answer_before_a_dialog_is_there(agents):
    rules = ("--allow", "Bash(touch made)", "--deny", "Bash(touch denied)")
    mission = agents.session("--interactive", *rules, prompt="%bash touch denied")
    assert "tool said:" in agents.answer(1)["text"]
    assert "tool said:" in agents.say(mission, TOUCH)
    assert (made(agents), made(agents, "denied")) == (True, False)


def test_a_change_of_files_names_them_and_is_allowed(agents):
    patch = "*** Begin Patch\n*** Add File: made\n+one\n*** Add File: deep/down\n+two\n*** End Patch"
    mission = agents.session("--interactive", prompt=f"%bash apply_patch <<'EOF'\n{patch}\nEOF")
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["tool"]) == ("permission", "Edit")
    agents.om.ok("answer", str(asked["question"]), "allow")
    assert "tool said:" in agents.answer(1)["text"]
    assert made(agents)
    assert made(agents, "deep/down")


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


def test_a_person_takes_a_session_from_its_pipes_and_gives_it_back(agents):
    mission = agents.session(prompt="on pipes")
    agents.answer(1)
    with Attached(agents.om, mission) as person:
        person.shows("on pipes")
        person.shows("Ask Codex to do anything")
        person.type(b"on the screen")
        person.shows("on the screen")
        person.type(b"\r")
        person.shows("echo: on the screen")
        person.type(b"%bash ls")
        person.shows("%bash ls")
        person.type(b"\r")
        agents.asked(mission)  # as on the pipes: each command
        person.type(b"\x1b")
        agents.doing(mission, "idle")
        person.type(LEAVE)
        assert person.end() == 0
    is_back(agents, mission)
    history = agents.say(mission, "!history")
    assert " | on pipes | on the screen | " in history


def test_a_conversation_that_nobody_has_spoken_in_goes_to_a_screen(agents):
    mission = agents.session()
    agents.doing(mission, "idle")
    with Attached(agents.om, mission) as person:
        person.shows("Ask Codex to do anything")
        person.type(LEAVE)
        assert person.end() == 0
    is_back(agents, mission)
    assert agents.say(mission, "hello") == "echo: hello"


@pytest.mark.proves("screen")
def test_its_conversation_goes_on_after_its_program_was_killed(agents):
    mission = agents.session("--interactive", "--restart", "always", "--backoff", "1ms", prompt="first")
    agents.answer(1)
    agents.kill(mission)
    agents.again(mission)
    agents.doing(mission, "idle")
    assert " | first | " in agents.say(mission, "%history")


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
        person.shows("Ask Codex")
        person.type(LEAVE)
        assert person.end() == 0
    assert agents.answer(message)["text"] == "echo: /status"


@pytest.mark.parametrize(
    "text",
    [
        "first\n\nsecond",
        "!first\n\nsecond",
        "x\n\n  y \u00b7 z",
        "a\ntab to queue message\n\u203a b\n\u2022 Working (0s \u2022 esc to interrupt)",
        "\n".join(f"line {number}" for number in range(14)),
        "\n".join(f"line {number}" for number in range(120)),
        "word " * 190 + "end",
        "\u8a9e" * 900,
    ],
    ids=["paragraphs", "a mark before", "a footer inside", "signs", "tall", "long", "wrapped", "wide"],
)
def test_a_message_of_many_lines_is_entered(agents, text):
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)
    assert agents.say(mission, text).strip() == f"echo: {text}"
    assert [one.asked.texts[-1].strip() for one in agents.api.requests if text in one.asked.texts[-1]] == [text]


@pytest.mark.parametrize(
    "text",
    ["!" + "\n".join(f"line {number}" for number in range(rows)) for rows in (4, 5, 14, 120)] + ["!" + "word " * 190],
    ids=["4 rows", "5 rows", "14 rows", "120 rows", "wrapped"],
)
def test_a_message_behind_a_mark_arrives_between_blanks_and_runs_nothing(agents, text):
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)
    assert agents.say(mission, text).removeprefix("echo:").strip() == text.strip()
    asked = [one.asked.texts[-1].strip() for one in agents.api.requests if text.strip() in one.asked.texts[-1]]
    assert asked == [text.strip()]


def test_a_long_message_that_an_earlier_supervisor_has_pasted_is_only_entered(agents):
    text = "\n".join(f"line {number} of a long message" for number in range(120))
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)
    with Attached(agents.om, mission) as person:
        person.joined()
        person.type(b"\x1b[200~" + "".join(Codex().pastes(text)).replace("\n", "\r").encode() + b"\x1b[201~")
        person.shows("[Pasted Content")
        person.type(LEAVE)
        assert person.end() == 0
    assert agents.say(mission, text) == f"echo: {text}"
    assert agents.api.requests[-1].asked.texts[-1] == text


def test_a_page_that_only_a_person_answers_is_told_and_no_key_is_pressed(agents):
    subprocess.run(["git", "init", "-q", agents.work], check=True)
    mission = agents.session("--interactive", prompt="first")
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["summary"]) == ("setup", "trust this folder?")
    assert agents.api.requests == []
    with Attached(agents.om, mission) as person:
        person.joined()
        person.press_away("enter continue", b"\r")
        person.shows("echo: first")
        person.type(LEAVE)
        assert person.end() == 0
    assert agents.answer(1)["text"] == "echo: first"
    assert is_empty(agents)


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_nothing_of_it_is_left_and_another_one_lives_on(agents, way):
    other = agents.session("--interactive", prompt="first")
    agents.answer(1)
    gate = agents.gate()
    mission = agents.session("--interactive", "--permission-mode", "all", prompt="first")
    eventually(lambda: agents.states(mission) == ["answered"], what="it has answered")
    agents.post(mission, "%bash " + gate.command)
    gate.runs()
    agents.om.ok(way, mission)
    agents.om.wait_status(mission, *FINAL)
    assert not with_variable("OVERMIND_MISSION_ID", mission)
    assert agents.say(other, "hello") == "echo: hello"


def test_a_program_without_a_login_does_not_start(agents):
    del agents.om.environment["STUB_KEY"]
    config = os.path.join(agents.om.environment["HOME"], ".codex", "config.toml")
    os.unlink(config)
    mission = agents.om.mission(["hello"], "--type", "session", "--interactive", *agents.options)
    info = agents.om.wait_status(mission, *FINAL)
    assert (info["status"], info["reason"]) == ("crashed", "not_logged_in")


def test_its_tokens_are_those_that_its_service_counted(agents):
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)
    agents.say(mission, "second")
    turns = [one for one in agents.api.requests if one.asked.texts and one.asked.texts[-1] in {"first", "second"}]
    expected = {"input": sum(one.tokens for one in turns), "output": OUTPUT * len(turns)}
    info = agents.until(mission, lambda info: info["tokens"] == expected and info, what=f"{expected}")
    assert info["cost_usd"] is None


def test_an_error_of_its_service_fails_the_message_and_says_why(agents):
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)
    failed = agents.answer(agents.post(mission, "%error 429"))
    assert (failed["state"], failed["error"]) == ("failed", "api_error 429")
    assert agents.say(mission, "again") == "echo: again"


@pytest.mark.proves("system prompt")
def test_its_model_is_given_what_it_is_to_be_also_on_a_screen_that_follows(agents):
    given = ("--append-system-prompt", "Speak like a till.", "--system-prompt", "You are a till.", "--model", "other")
    mission = agents.session("--interactive", "--restart", "always", "--backoff", "1ms", *given, prompt="first")
    agents.answer(1)
    agents.kill(mission)
    agents.again(mission)
    agents.doing(mission, "idle")
    agents.say(mission, "second")
    for text in ("first", "second"):
        body = next(one.body for one in agents.api.requests if one.asked.texts and one.asked.texts[-1] == text)
        assert body["model"] == "other"
        said = json.dumps(body)
        assert ("You are a till." in said, "Speak like a till." in said) == (True, True)
