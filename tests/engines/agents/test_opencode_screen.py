"""The real `opencode` on a terminal of its own: how it stands, what it asks in the inbox and there, and who answers."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from functools import partial

import pytest

from tests.kit.agents import LEAVE
from tests.kit.attached import Attached
from tests.kit.killing import kill_supervisor
from tests.kit.model_api import OUTPUT
from tests.kit.overmind import FINAL
from tests.kit.processes import alive, with_variable
from tests.kit.waiting import eventually

pytestmark = [
    pytest.mark.linux,
    pytest.mark.parametrize("provider", ["opencode"]),
    pytest.mark.timeout(300),  # some start it twice, which takes a minute each where the machine is busy
]

TOUCH = "%bash touch made"
ASKS = "Permission required"
CHOICE = {
    "question": "Which database?",
    "header": "db",
    "options": [{"label": "PostgreSQL", "description": "a server"}, {"label": "SQLite", "description": "a file"}],
}
CHOOSE = "%tool question " + json.dumps({"questions": [CHOICE]})


def made(agents, name="made"):
    return os.path.exists(os.path.join(agents.work, name))


def is_empty(agents):
    return agents.om.json("inbox", "--json") == []


@pytest.mark.proves("screen")
def test_a_question_is_in_the_inbox_and_on_the_screen_and_the_inbox_answers_it(agents):
    mission = agents.session("--interactive", prompt=TOUCH)
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["tool"], asked["summary"]) == ("permission", "Bash", "Bash: touch made")
    assert asked["subject"]["command"] == "touch made"
    with Attached(agents.om, mission) as person:
        person.shows(ASKS)
        agents.om.ok("answer", str(asked["question"]), "allow")
        person.shows("tool said:")
        assert ASKS not in person.text()
        assert "tool said:" in agents.answer(1)["text"]
        assert made(agents)
        person.type(LEAVE)
        assert person.end() == 0
    info = agents.doing(mission, "idle")
    assert (info["activity_source"], info["activity_guess"]) == ("stream", None)


def press(agents, mission, keys, shown=ASKS):
    """Press keys once that is on the screen."""
    with Attached(agents.om, mission) as person:
        person.joined()
        person.shows(shown)
        person.type(keys + LEAVE)
        assert person.end() == 0


def is_back(agents, mission):
    agents.until(mission, lambda info: info["handover"] is None and info["mode"] == "headless", what="it is on pipes")


@pytest.mark.proves("screen")
def test_a_question_that_the_screen_answers_is_gone_from_the_inbox_while_its_command_runs(agents):
    gate = agents.gate()
    os.makedirs(agents.folder, exist_ok=True)
    mission = agents.session("--interactive", prompt="%bash " + gate.command)
    agents.asked(mission)
    press(agents, mission, b"\r")
    gate.runs()
    eventually(lambda: is_empty(agents), what="the inbox is empty")
    assert agents.om.info(mission)["activity"] == "working"
    gate.open()
    assert "through" in agents.answer(1)["text"]


def test_a_denial_with_words_is_read_and_the_turn_goes_on(agents):
    mission = agents.session("--interactive", prompt=TOUCH)
    (asked,) = agents.asked(mission)
    agents.om.ok("answer", str(asked["question"]), "deny", "--message", "use make")
    assert "use make" in agents.answer(1)["text"]
    assert agents.states(mission) == ["answered"]
    assert not made(agents)


@pytest.mark.parametrize("way", ["the inbox", "the screen"])
def test_a_denial_without_words_ends_the_turn(agents, way):
    mission = agents.session("--interactive", prompt=TOUCH)
    (asked,) = agents.asked(mission)
    if way == "the inbox":
        agents.om.ok("answer", str(asked["question"]), "deny")
    else:
        press(agents, mission, b"\x1b[C\x1b[C\r")
    agents.doing(mission, "idle")
    assert is_empty(agents)
    assert agents.say(mission, "and now") == "echo: and now"
    assert not made(agents)


def test_rules_answer_and_always_is_kept(agents):
    rules = ("--allow", "Bash(touch made)", "--deny", "Bash(touch denied)")
    mission = agents.session("--interactive", *rules, prompt="%bash touch denied")
    assert "denies it" in agents.answer(1)["text"]
    assert "tool said:" in agents.say(mission, TOUCH)
    assert (made(agents), made(agents, "denied")) == (True, False)
    message = agents.post(mission, "%bash touch more")
    (asked,) = agents.asked(mission)
    agents.om.ok("answer", str(asked["question"]), "always")
    agents.answer(message)
    os.unlink(os.path.join(agents.work, "more"))
    agents.say(mission, "%bash touch more")
    assert made(agents, "more")


def test_a_change_of_a_file_shows_all_of_it(agents):
    path = os.path.join(agents.work, "made")
    mission = agents.session(
        "--interactive", prompt="%tool write " + json.dumps({"filePath": path, "content": "one\n"})
    )
    (asked,) = agents.asked(mission)
    assert (asked["tool"], asked["subject"]) == ("Edit", {"file_path": path, "content": "one\n"})
    agents.om.ok("answer", str(asked["question"]), "allow")
    agents.answer(1)
    edit = {"filePath": path, "oldString": "one", "newString": "two"}
    message = agents.post(mission, "%tool edit " + json.dumps(edit))
    (asked,) = agents.asked(mission)
    assert asked["subject"] == {"file_path": path, "old_string": "one", "new_string": "two"}
    agents.om.ok("answer", str(asked["question"]), "allow")
    agents.answer(message)
    with open(path, encoding="utf-8") as file:
        assert file.read() == "two\n"


@pytest.mark.parametrize("way", ["the inbox", "words", "the screen"])
def test_a_question_of_a_choice_is_answered_in_either(agents, way):
    mission = agents.session("--interactive", prompt=CHOOSE)
    (asked,) = agents.asked(mission)
    assert (asked["need"], asked["options"]) == ("question", ["PostgreSQL", "SQLite"])
    if way == "the screen":
        choose = partial(press, agents, mission, b"2", "Which database?")
        eventually(lambda: choose() or is_empty(agents), timeout=agents.patience, what="it took the keys")
    else:
        agents.om.ok("answer", str(asked["question"]), "2" if way == "the inbox" else "MariaDB, as there")
    said = agents.answer(1)["text"]
    assert ("MariaDB, as there" if way == "words" else "SQLite") in said
    assert is_empty(agents)


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


def test_a_turn_that_ends_while_nobody_listens_is_answered_and_counted_once(agents):
    gate = agents.gate()
    os.makedirs(agents.folder, exist_ok=True)
    mission = agents.session("--interactive", "--permission-mode", "all", prompt="%bash " + gate.command)
    gate.runs()
    kill_supervisor(agents.om)
    gate.open()
    eventually(lambda: any(one.asked.results for one in agents.api.requests), what="its model has the result")
    agents.om.ok("start")
    assert "through" in agents.answer(1)["text"]
    turns = [one for one in agents.api.requests if one.asked.tools]
    expected = {"input": sum(one.tokens for one in turns), "output": OUTPUT * len(turns)}
    agents.until(mission, lambda info: info["tokens"] == expected, what=f"{expected}")


@pytest.mark.proves("screen")
def test_its_conversation_goes_on_after_its_program_was_killed_and_stands_on_the_screen(agents):
    mission = agents.session("--interactive", "--restart", "always", "--backoff", "1ms", prompt="first")
    agents.answer(1)
    agents.kill(mission)
    agents.again(mission)
    agents.doing(mission, "idle")
    with Attached(agents.om, mission) as person:
        person.shows("echo: first")
        person.type(LEAVE)
        assert person.end() == 0
    assert " | first | " in agents.say(mission, "%history")
    assert agents.om.info(mission)["conversation_lost"] is False


def test_a_message_whose_turn_was_killed_is_sent_again(agents):
    mission = agents.session("--interactive", "--restart", "always", "--backoff", "1ms", prompt="first")
    agents.answer(1)
    message = agents.post(mission, TOUCH)
    agents.asked(mission)
    agents.kill(mission)
    agents.again(mission)
    (asked,) = agents.asked(mission)
    agents.om.ok("answer", str(asked["question"]), "allow")
    assert "tool said:" in agents.answer(message)["text"]


def test_a_conversation_that_is_gone_is_told_and_the_first_prompt_given_again(agents):
    mission = agents.session("--interactive", "--restart", "always", "--backoff", "1ms", prompt="first")
    agents.answer(1)
    agents.om.ok("stop", mission)
    agents.om.wait_status(mission, *FINAL)
    agents.forget()
    agents.om.ok("restart", mission)
    agents.until(mission, lambda info: info["conversation_lost"], what="it is told")
    agents.until(mission, lambda _: agents.states(mission)[-1] == "answered", what="the prompt is given again")


def test_an_interrupt_ends_the_turn_and_its_command(agents):
    gate = agents.gate()
    os.makedirs(agents.folder, exist_ok=True)
    mission = agents.session("--interactive", "--permission-mode", "all", prompt="%bash " + gate.command)
    pids = gate.runs()
    agents.om.ok("interrupt", mission)
    ended = agents.answer(1)
    assert (ended["state"], ended["error"]) == ("failed", "interrupted")
    eventually(lambda: not any(map(alive, pids)), what="its command has ended")
    assert agents.say(mission, "hello") == "echo: hello"


def test_a_message_leaves_a_draft_of_a_person_where_it_is(agents):
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)
    with Attached(agents.om, mission) as person:
        person.joined()
        person.type(b"half a tho")
        person.shows("half a tho")
        assert agents.say(mission, "!second\n\nof\ttwo") == "echo: !second\n\nof\ttwo"
        person.shows("half a tho")
        person.type(b"ught\r")
        person.shows("echo: half a thought")
        person.type(LEAVE)
        assert person.end() == 0


def test_a_person_begins_another_conversation_on_the_screen(agents):
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)
    before = agents.om.info(mission)["session_id"]
    with Attached(agents.om, mission) as person:
        person.joined()
        person.shows("echo: first")
        person.type_pieces(b"/new", b"\r")
        person.shows("Ask anything")
        person.type(b"second")
        person.shows("second")
        person.type(b"\r")
        person.shows("echo: second")
        person.type(LEAVE)
        assert person.end() == 0
    agents.until(mission, lambda info: info["session_id"] != before, what="it is another one")
    agents.doing(mission, "idle")
    assert agents.say(mission, "%history") == "history: n=2 | second | %history"


def test_a_person_takes_a_session_from_its_pipes_and_gives_it_back(agents):
    mission = agents.session(prompt="on pipes")
    agents.answer(1)
    with Attached(agents.om, mission) as person:
        person.shows("echo: on pipes")
        person.type(b"on the screen")
        person.shows("on the screen")
        person.type(b"\r")
        person.shows("echo: on the screen")
        person.type(LEAVE)
        assert person.end() == 0
    is_back(agents, mission)
    assert " | on pipes | on the screen | " in agents.say(mission, "!history")


def test_a_draft_keeps_a_session_on_its_screen_until_it_is_deleted(agents):
    mission = agents.session(prompt="on pipes")
    agents.answer(1)
    with Attached(agents.om, mission) as person:
        person.shows("echo: on pipes")
        person.type(b"half a thought")
        person.shows("half a thought")
        person.type(LEAVE)
        assert person.end() == 0
    agents.until(mission, lambda info: info["need"] == "draft", what="the draft is told")
    with Attached(agents.om, mission) as person:
        person.shows("half a thought")
        person.type(b"\x7f" * len("half a thought"))
        person.until(lambda: "half a thought" not in person.text(), "it is deleted")
        person.type(LEAVE)
        assert person.end() == 0
    is_back(agents, mission)


def test_its_tokens_and_dollars_are_those_that_its_service_counted(agents):
    mission = agents.session("--interactive", "--allow", "Bash", prompt="first")
    agents.answer(1)
    agents.say(mission, "%bash echo x")
    turns = [one for one in agents.api.requests if one.asked.tools]
    assert len(turns) == 3
    expected = {"input": sum(one.tokens for one in turns), "output": OUTPUT * len(turns)}
    info = agents.until(mission, lambda info: info["tokens"] == expected and info, what=f"{expected}")
    millionths = expected["input"] * 1 + expected["output"] * 2
    assert info["cost_usd"] == pytest.approx(millionths / 1e6, rel=0.01)
    assert info["cost_source"] == "reported"


def test_an_error_of_its_service_fails_the_message_and_says_why(agents):
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)
    failed = agents.answer(agents.post(mission, "%error 401"))
    assert (failed["state"], failed["error"]) == ("failed", "api_error 401")
    message = agents.post(mission, "%error 429")
    agents.doing(mission, "limited")
    agents.om.ok("interrupt", mission)
    assert agents.answer(message)["error"] == "interrupted"
    assert agents.say(mission, "again") == "echo: again"


def port_of(pid):
    with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
        words = file.read().split("\0")
    return int(words[words.index("--port") + 1])


def password_of(pid):
    with open(f"/proc/{pid}/environ", encoding="utf-8") as file:
        return dict(one.split("=", 1) for one in file.read().split("\0") if "=" in one)["OPENCODE_SERVER_PASSWORD"]


def status_of(port, password):
    manager = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    manager.add_password(None, f"http://127.0.0.1:{port}/", "opencode", password)
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(manager))
    try:
        with opener.open(f"http://127.0.0.1:{port}/permission", timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_two_missions_do_not_see_each_other_and_nothing_is_left_of_one_that_ends(agents, way):
    other = agents.session("--interactive", prompt="first")
    agents.doing(other, "idle")
    mission = agents.session("--interactive", prompt=TOUCH)
    agents.asked(mission)
    assert [one["id"] for one in agents.om.api("inbox")] == [mission]
    assert agents.om.info(other)["activity"] == "idle"
    one, two = (agents.om.pid(each) for each in (other, mission))
    assert port_of(one) != port_of(two)
    assert status_of(port_of(two), password_of(two)) == 200
    assert [status_of(port_of(two), word) for word in (password_of(one), "")] == [401, 401]
    agents.om.ok(way, mission)
    agents.om.wait_status(mission, *FINAL)
    assert not with_variable("OVERMIND_MISSION_ID", mission)
    assert is_empty(agents)
    assert agents.say(other, "hello") == "echo: hello"


def test_its_model_is_given_what_it_is_to_know_once_and_the_screen_does_not_show_it(agents):
    mission = agents.session("--interactive", "--append-system-prompt", "Speak like a till.", prompt="first")
    agents.answer(1)
    agents.say(mission, "second")
    turns = [json.dumps(one.body) for one in agents.api.requests if one.asked.tools]
    assert [text.count("Speak like a till.") for text in turns] == [1, 1]
    assert "Speak like a till." not in agents.om.ok("screen", mission)


def test_a_fork_on_a_screen_begins_with_the_conversation(agents):
    mission = agents.session("--interactive", prompt="first")
    agents.answer(1)
    agents.doing(mission, "idle")
    agents.om.ok("fork", mission, "%history", "--name", "copy")
    fork = agents.om.info("copy")["id"]
    agents.doing(fork, "idle")
    assert " | first | " in agents.om.ok("screen", fork) or " | first | " in agents.say(fork, "%history")
    assert agents.say(mission, "%history") == "history: n=2 | first | %history"
    assert agents.om.info(fork)["session_id"] != agents.om.info(mission)["session_id"]


def test_an_argument_that_would_undo_ours_is_refused(agents):
    agents.om.ok("start")
    refused = agents.om.refused(
        *("run", "--type", "session", "--interactive", *agents.options, "--agent-arg=--hostname", "hello"),
        code="invalid",
    )
    assert "--agent-arg --hostname conflicts" in str(refused)
