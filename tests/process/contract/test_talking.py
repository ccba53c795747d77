"""Talking to agents through the command line: prompts, messages, questions, costs, and who is called to look."""

from __future__ import annotations

import json
import os
import signal
import threading

import pytest

from tests.kit import claude
from tests.kit.killing import without_waiting
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home


@pytest.fixture
def om(om, tmp_path):
    """The command line in a world where `claude` is the stand-in."""
    return claude.at_hand(om, tmp_path)


@pytest.fixture
def planner(om):
    """A session that is idle."""
    return claude.idle(om, "planner")


def waits(om, mission, need="permission"):
    """Return the one question that a mission asks, as soon as it does."""
    return eventually(lambda: next((one for one in om.api("inbox") if one["id"] == mission), None), what=need)


# one answer


def test_a_prompt_is_answered_and_read_on_the_way(om):
    done = om("claude", "run", "--wait", "say", "hello")

    assert done.returncode == 0
    assert "[human] say hello\necho: say hello\n" in done.stdout
    assert done.stderr.splitlines()[-1].startswith("Started mission ")


def test_a_prompt_from_standard_input_has_no_limit(om):
    prompt = "x" * 200_000 + "\n'quotes' \"and\" 🙂"
    mission = om.json("claude", "run", "--json", "-", stdin=prompt)["id"]
    om.wait_status(mission, "stopped")

    assert om.json("result", mission)["result"] == f"echo: {prompt}"


def test_a_failed_prompt_is_a_failed_mission(om):
    done = om("claude", "run", "--wait", "!error 500")

    assert done.returncode == 1
    assert om.ps()[0]["reason"] == "api_error 500"


def test_a_missing_agent_starts_nothing(om, absent):
    om.ok("start")
    om.environment["OVERMIND_CLAUDE_BIN"] = absent
    om.refused("claude", "run", "hello", code="provider_missing")
    assert om.ps("--all") == []
    om.refused("run", "--provider", "nosuch", "hello", code="unknown_provider", exit_code=2)


# messages


def test_a_message_is_sent_or_queued_and_both_are_told(om, planner):
    assert om.ok("send", "planner", "!bash touch x") == f"Sent to mission {planner}\n"
    waits(om, planner)
    (first,) = (row["message"] for row in om.json("messages", "planner", "--json"))
    assert om.ok("send", "planner", "second") == f"Queued for mission {planner} (message {first + 1}, 1 ahead)\n"
    assert om.ok("send", "planner", "third") == f"Queued for mission {planner} (message {first + 2}, 2 ahead)\n"
    assert [row["state"] for row in om.json("messages", "planner", "--json")] == ["delivered", "queued", "queued"]


def test_a_queued_message_can_be_withdrawn(om, planner):
    om.ok("send", "planner", "!bash touch x")
    waits(om, planner)
    om.ok("send", "planner", "never mind")
    first, second = (str(row["message"]) for row in om.json("messages", "planner", "--json"))
    assert om.ok("messages", "planner", "--cancel", second) == f"Cancelled message {second}\n"
    assert om.json("messages", "planner", "--json")[1]["state"] == "cancelled"
    om.refused("messages", "planner", "--cancel", first, code="invalid")


def test_each_of_many_senders_gets_the_answer_to_its_own_message(om, planner):
    senders = [om.popen("send", "planner", "--wait", f"question {number}") for number in range(10)]
    answers = [sender.communicate(timeout=60)[0] for sender in senders]
    assert answers == [f"echo: question {number}\n" for number in range(10)]


EXACT = [
    "two\nlines",
    "  blanks  ",
    "'quotes' \"and\" $(x) `y` \\",
    "🙂 ünï 漢字",
    "/slash",
    "[red]x[/]",
    "y" * 500_000,
]


@pytest.mark.parametrize("text", EXACT, ids=lambda text: text[:8])
def test_a_message_arrives_exactly(om, planner, text):
    answer = json.loads(om.ok("send", "planner", "--wait", "--json", "-", stdin=text))
    assert answer["text"] == f"echo: {text}"
    assert set(answer) == {"text", "duration_ms", "cost_usd", "cost_source", "usage"}


@pytest.mark.own_home
def test_whoever_waits_does_not_notice_a_new_supervisor(om, planner):
    sender = om.popen("send", "planner", "--wait", "!slow 2 patience")
    eventually(lambda: om.info(planner)["activity"] == "working", what="a turn")
    os.kill(om.supervisor_pid(), signal.SIGKILL)
    out, err = sender.communicate(timeout=60)
    assert (sender.returncode, out, without_waiting(err)) == (0, "echo: patience\n", "")
    assert [row["text"] for row in om.json("messages", "planner", "--json")] == ["!slow 2 patience"]


def test_a_time_that_runs_out_leaves_the_message(om, planner):
    om.ok("send", "planner", "!bash touch x")
    question = waits(om, planner)
    om.refused("send", "planner", "--wait", "--timeout", "200ms", "later", code="timeout", exit_code=124)
    om.ok("answer", str(question["question"]), "deny")
    eventually(lambda: om.json("messages", "planner", "--json")[1]["state"] == "answered", what="an answer")


def test_a_turn_that_fails_fails_its_message(om, planner):
    sentence = om.refused("send", "planner", "--wait", "!error 500", code="not_finished")
    assert "api_error 500" in sentence
    assert om.ok("send", "planner", "--wait", "go on") == "echo: go on\n"


def test_an_end_fails_what_is_open(om, planner):
    sender = om.popen("send", "planner", "--wait", "!slow 60 never")
    eventually(lambda: om.info(planner)["activity"] == "working", what="a turn")
    om.ok("kill", "planner")
    out, err = sender.communicate(timeout=60)
    assert (sender.returncode, out) == (1, "")
    assert err.startswith("Error: exited: ")


def test_a_turn_is_interrupted_and_the_session_stays(om, planner):
    om.ok("send", "planner", "!slow 60 never")
    eventually(lambda: om.info(planner)["activity"] == "working", what="a turn")
    assert om.ok("interrupt", "planner") == f"Interrupted mission {planner}\n"
    eventually(lambda: om.info(planner)["activity"] == "idle", what="idle")
    assert om.ok("interrupt", "planner") == f"Mission {planner} was idle\n"
    assert om.ok("send", "planner", "--wait", "go on") == "echo: go on\n"


def test_what_is_no_session_takes_no_message(om):
    om.mission("sleep 60", "--name", "task")
    om.refused("send", "task", "x", code="not_session")
    om.refused("interrupt", "task", code="not_session")
    om.refused("send", "nosuch", "x", code="not_found")


def test_a_raw_session_is_the_callers_shell_and_has_each_message_at_once(om):
    mission = om.json("run", "--json", "--type", "session", "--name", "shell")["id"]
    eventually(lambda: om.info(mission)["status"] == "running", what="running")
    assert om.ok("send", "shell", "echo $((6 * 7))") == f"Sent to mission {mission}\n"
    eventually(lambda: "\n42\n" in om.logs(mission), what="the shell's answer")
    om.refused("send", "shell", "--wait", "ls", code="invalid")
    om.refused("result", "shell", code="not_finished")
    om.ok("kill", "shell")
    assert om.ok("result", "shell") == "{}\n"


# questions


def test_the_inbox_shows_the_exact_command_and_an_answer_lets_it_run(om, planner, tmp_path):
    om.ok("send", "planner", f"!bash touch {tmp_path}/made")
    question = waits(om, planner)
    shown = om.ok("inbox")
    assert f"    $ touch {tmp_path}/made\n" in shown
    assert shown.startswith(f"{question['question']}  planner ({planner})  Bash permission  ")
    row = om.ps("--wide")[0]
    assert (row["activity"], row["need"], row["now"]) == ("waiting", "permission", f"Bash: touch {tmp_path}/made")
    assert "waiting:permission" in om.ok("ps", "--wide")
    said = om.ok("answer", "planner", "allow")
    assert said == f"Answered question {question['question']} of mission {planner} (planner): allow\n"
    eventually((tmp_path / "made").exists, what="the file")
    assert om.ok("inbox") == ""
    assert "by a person" in om.refused("answer", str(question["question"]), "deny", code="not_found")


def test_what_is_denied_does_not_run_and_the_agent_is_told_why(om, planner, tmp_path):
    om.ok("send", "planner", f"!bash touch {tmp_path}/made")
    waits(om, planner)
    om.ok("answer", "planner", "deny", "--message", "not there")
    eventually(lambda: om.info(planner)["activity"] == "idle", what="idle")
    assert "not there" in om.json("result", "planner")["result"]
    assert not (tmp_path / "made").exists()


def test_always_is_asked_once(om, planner, tmp_path):
    command = f"!bash touch {tmp_path}/made"
    om.ok("send", "planner", command)
    assert waits(om, planner)["rule"] == f"Bash(touch {tmp_path}/made)"
    om.ok("answer", "planner", "always")
    assert om.ok("send", "planner", "--wait", command).startswith("tool said")
    mine = om.events(mission=planner)
    assert [event["by"] for event in mine if event["type"] == "answered"] == [
        "a person",
        f"rule Bash(touch {tmp_path}/made)",
    ]


def test_a_question_is_answered_with_an_option(om, planner):
    om.ok("send", "planner", "!question")
    assert waits(om, planner, "question")["options"] == ["Red", "Blue"]
    om.refused("answer", "planner", "allow", code="invalid")
    om.ok("answer", "planner", "allow", "--option", "Blue")
    eventually(lambda: om.info(planner)["activity"] == "idle", what="idle")
    assert "Blue" in om.json("result", "planner")["result"]


def test_rules_of_the_run_answer_by_themselves(om, tmp_path):
    words = ("--type", "session", "--name", "strict", "--allow", "Bash(touch:*)", "--deny", "Bash(rm:*)")
    om.ok("claude", "run", *words)
    assert om.ok("send", "strict", "--wait", f"!bash touch {tmp_path}/made").startswith("tool said: (Bash")
    assert "error" in om.ok("send", "strict", "--wait", f"!bash rm {tmp_path}/made")
    assert (tmp_path / "made").exists()


# what it cost, and who has looked


@pytest.mark.own_home
def test_costs_are_summed_by_mission_day_and_label(om):
    om.ok("claude", "run", "--wait", "--name", "first", "--label", "team=a", "one")
    om.ok("claude", "run", "--wait", "--name", "second", "--label", "team=a", "two")
    rows = om.json("cost", "--json")
    assert [row["name"] for row in rows] == ["first", "second"]
    total = sum(row["cost_usd"] for row in rows)
    assert total > 0
    assert om.json("cost", "--by", "label", "--json")[0] | {"cost_usd": 0} == {
        "key": "team=a", "cost_usd": 0, "cost_source": "reported", "cost_partial": False,
        "input_tokens": sum(row["input_tokens"] for row in rows),
        "output_tokens": sum(row["output_tokens"] for row in rows), "turns": 2,
    }  # fmt: skip
    assert om.json("cost", "--by", "day", "--json")[0]["cost_usd"] == pytest.approx(total)
    assert om.json("cost", "--since", "2099-01-01", "--json") == []
    assert om.ok("cost").splitlines()[-1].startswith("total ")


def test_top_tells_cost_and_tokens(om, planner):
    om.ok("send", "planner", "--wait", "hello")
    (row,) = om.json("top", "--once", "--json")
    assert row["cost_usd"] > 0
    assert row["tokens"]["input"] > 0


def test_a_finished_turn_is_news_until_somebody_looks(om, planner):
    om.ok("send", "planner", "--wait", "hello")
    assert om.ps("--wide")[0]["unseen"] is True
    assert om.ok("seen", "planner") == f"Seen mission {planner}\n"
    assert om.ps("--wide")[0]["unseen"] is False


@pytest.fixture
def calls(om, tmp_path):
    """The file to which a command of the person's writes each call."""
    file = tmp_path / "calls"
    script = f'printf "%s|%s|%s|%s\\n" "$1" "$2" "$OVERMIND_WHY" "$OVERMIND_URL" >> {file}'
    with open(om.path("config.toml"), "w") as config:
        config.write(f"[notify]\ncommand = {json.dumps(['/bin/sh', '-c', script, 'sh'])}\n")
        config.write('[web]\npublic_url = "https://box.example/om"\n')
    return file


@pytest.mark.own_home
def test_a_person_is_called_once_for_each_state_that_needs_one(om, calls, planner):
    om.ok("send", "planner", "!bash touch x")
    eventually(lambda: calls.exists() and calls.read_text(), what="a call")
    om.ok("answer", "planner", "deny")
    om.ok("send", "planner", "--wait", "go on")
    om.ok("send", "planner", "!bash touch y")
    eventually(lambda: len(calls.read_text().splitlines()) > 1, what="another call")
    assert calls.read_text().splitlines() == [
        "planner: needs you|Bash: touch x|blocked|https://box.example/om/#/needs?q=1",
        "planner: needs you|Bash: touch y|blocked|https://box.example/om/#/needs?q=2",
    ]


@pytest.mark.own_home
def test_nobody_is_called_who_looks_already(om, calls, planner):
    with RawSocket.connect(om.home) as screen:
        screen.ok("events", follow=True, eyes=True)
        om.ok("send", "planner", "!bash touch x")
        waits(om, planner)
        om.ok("answer", "planner", "deny")
    om.ok("send", "planner", "!bash touch y")
    eventually(lambda: calls.exists() and calls.read_text(), what="a call")
    assert calls.read_text().splitlines() == [
        "planner: needs you|Bash: touch y|blocked|https://box.example/om/#/needs?q=2"
    ]


def notified(screen):
    """Read the stream up to the next notification; whether this client rings."""
    return next(line["item"]["ring"] for line in screen.lines() if line.get("item", {}).get("type") == "notification")


@pytest.mark.own_home
def test_of_two_who_look_the_one_used_last_is_told_to_ring_or_the_one_that_shows_it(om, planner):
    with RawSocket.connect(om.home) as one, RawSocket.connect(om.home) as other, RawSocket.connect(om.home) as third:
        first, second = (screen.ok("events", follow=True, eyes=True)["viewer"] for screen in (one, other))
        om.ok("send", "planner", "!bash touch x")
        assert (notified(one), notified(other)) == (False, True)
        om.ok("answer", "planner", "deny")
        third.ok("used", viewer=first)
        om.ok("send", "planner", "--wait", "go on")
        om.ok("send", "planner", "!bash touch y")
        assert (notified(one), notified(other)) == (True, False)
        om.ok("answer", "planner", "deny")
        third.ok("used", viewer=second, ago=60, view=planner)
        om.ok("send", "planner", "--wait", "go on")
        om.ok("send", "planner", "!bash touch z")
        assert (notified(one), notified(other)) == (False, True)
        assert third.request("used", viewer=99)["error"] == "not_found"


def test_ten_threads_answer_one_question_once(om, planner):
    om.ok("send", "planner", "!bash touch x")
    number = waits(om, planner)["question"]
    ends: list[int] = []
    threads = [
        threading.Thread(target=lambda: ends.append(om("answer", str(number), "deny").returncode)) for _ in "12345"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == [0, 1, 1, 1, 1]
