"""What the engine asks, as people meet it: in the inbox, answered by number or name, once, whatever dies meanwhile."""

from __future__ import annotations

import json
import shlex
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.kit.asking_daemon import AskingDaemon
from tests.kit.full_disk import full_disk
from tests.kit.killing import kill
from tests.kit.overmind import PROGRAM
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

SPEC = ("spec", "5b00c0de", "login")
QUEST = ("quest", "0a0b0c0d", "login/TSK-004")


@pytest.fixture
def asking(om):
    with AskingDaemon(om) as daemon:
        yield daemon


def numbers(om):
    return [row["question"] for row in om.json("inbox", "--json")]


def test_the_inbox_says_what_is_asked_and_what_both_answers_do(om, asking):
    """36."""
    lines = ["TSK-001  add a table  2 h", "$ pytest -q\x1b[2J"]
    asking.ask("phase", *SPEC, "tasks has passed: 0.95", part="tasks", subject={"lines": lines, "hours": 2})
    asking.ask("stuck", *QUEST, "it has failed: check_failed")
    asking.ask("merge", "queue", "queue", "queue", "?")
    first, second, third = om.ok("inbox").rstrip("\n").split("\n\n")
    head, *body = first.split("\n")
    assert head.startswith("1  login (5b00c0de)  tasks phase  ")
    assert body == [
        "    tasks has passed: 0.95",
        "    TSK-001  add a table  2 h",
        "    $ pytest -q\\x1b[2J",
        "    → overmind answer 1 allow  go on",
        "    → overmind answer 1 deny   run this phase again; -m TEXT: the feedback for it",
    ]
    assert second.split("\n")[1:] == [
        "    it has failed: check_failed",
        "    → overmind answer 2 allow  begin a new round; -m TEXT: the feedback for it",
        "    → overmind answer 2 deny   leave it failed",
    ]
    assert third.startswith("3  queue  merge  ")
    first, *_ = om.json("inbox", "--json")
    assert first["about"] == {"kind": "spec", "id": "5b00c0de", "name": "login"}
    assert first["subject"] == {"lines": lines, "hours": 2}


@pytest.mark.parametrize(("part", "said"), [("tasks", "login (tasks)"), ("", "login (phase)")])
def test_an_answer_says_to_what_it_was_given(om, asking, part, said):
    asking.ask("phase", *SPEC, part=part)
    assert (
        om.ok("answer", "1", "deny", "-m", "split\nthe [b]second[/b] 日本") == f"Answered question 1 of {said}: deny\n"
    )
    assert asking.acted() == [(1, "phase", "deny", "split\nthe [b]second[/b] 日本")]
    assert om.ok("inbox") == ""
    [answered] = om.events("answered")
    assert (answered["by"], answered["behaviour"]) == ("a person", "deny")
    assert answered["about"] == {"kind": "spec", "id": "5b00c0de", "name": "login"}


def test_an_answer_as_json_has_what_the_question_was_about(om, asking):
    asking.ask("stuck", *QUEST)
    assert om.json("answer", "1", "allow", "--json") == {
        "question": 1, "id": "0a0b0c0d", "name": "login/TSK-004",
        "about": {"kind": "quest", "id": "0a0b0c0d", "name": "login/TSK-004"}, "part": "", "need": "stuck",
        "behaviour": "allow", "by": "a person",
    }  # fmt: skip


def test_answered_twice_it_says_by_whom_and_always_is_no_answer(om, asking):
    """36."""
    asking.ask("merge", *SPEC)
    assert "`always` is for permissions" in om.refused("answer", "1", "always", code="invalid")
    assert om.refused("answer", "1", "allow", "-m", "refuse", code="invalid") == "That is no answer to this.\n"
    om.ok("answer", "1", "allow")
    assert "was already answered by a person " in om.refused("answer", "1", "deny", code="not_found")
    assert asking.acted() == [(1, "merge", "allow", None)]


def test_of_ten_clients_at_once_one_is_first(om, asking):
    asking.ask("budget", "queue", "queue", "queue")

    def answer(_):
        with RawSocket.connect(om.home) as connection:
            return connection.request("answer", question=1, behaviour="allow")

    with ThreadPoolExecutor(10) as clients:
        answers = list(clients.map(answer, range(10)))
    assert sum("ok" in one for one in answers) == 1
    assert [one["error"] for one in answers if "ok" not in one] == ["not_found"] * 9
    assert len(asking.acted()) == 1


def test_a_daemon_that_is_killed_before_the_answer_leaves_it_open_with_its_number(om, asking):
    for need in ("report", "merge"):
        asking.ask(need, "queue", "queue", "queue")
    before = om.json("inbox", "--json")
    kill(om.supervisor_pid())
    om.ok("start")
    assert om.json("inbox", "--json") == before
    assert asking.acted() == []


def test_on_a_full_disk_an_answer_is_refused_and_given_once_there_is_room(om, asking):
    asking.ask("stuck", *QUEST)
    with full_disk(om.supervisor_pid()):
        om.refused("answer", "1", "allow", code="disk_full")
    assert asking.acted() == []
    eventually(lambda: om("answer", "1", "deny").returncode == 0)
    assert asking.acted() == [(1, "stuck", "deny", None)]


def test_when_its_subject_ends_it_is_withdrawn_and_the_count_is_one_less(om, asking):
    """38."""
    asking.ask("stuck", *QUEST)
    asking.ask("phase", *SPEC, part="tasks")
    assert numbers(om) == [1, 2]
    asking.withdraw("0a0b0c0d")
    assert numbers(om) == [2]
    assert "is closed: it was withdrawn " in om.refused("answer", "1", "allow", code="not_found")


def test_who_looks_at_no_screen_is_called_once_for_each_question(om):
    told = om.path("told")
    script = f'printf "%s|" "$@" "$OVERMIND_ID" "$OVERMIND_WHY" >> {shlex.quote(told)}'
    with open(om.path("config.toml"), "w") as config:
        config.write(f"[notify]\ncommand = {json.dumps(['sh', '-c', script, 'sh'])}\n")
    with AskingDaemon(om) as asking:
        for _ in range(2):
            asking.ask("phase", *SPEC, "tasks has passed", part="tasks")
        asking.ask("stuck", *QUEST, "it has failed")

        def read():
            with open(told, "a+") as file:
                file.seek(0)
                return file.read().split("|")

        first = ["login: needs you", "tasks has passed", "5b00c0de", "blocked"]
        second = ["login/TSK-004: needs you", "it has failed", "0a0b0c0d", "blocked"]
        eventually(lambda: read() == [*first, *second, ""], what="two calls")


def test_a_process_inside_a_mission_sees_no_inbox_and_answers_nothing(om, asking):
    asking.ask("stuck", *QUEST)
    for words in (["inbox"], ["answer", "1", "allow"]):
        inside = om.finished(shlex.join([*PROGRAM, *words]))
        assert "Error: forbidden: " in om.logs(inside["id"])
    assert numbers(om) == [1]


def test_a_text_that_is_no_text_answers_nothing_or_arrives_as_it_is(om, asking):
    asking.ask("stuck", *QUEST)
    with RawSocket.connect(om.home) as connection:
        connection.send_bytes(b'{"cmd":"answer","id":1,"args":{"question":1,"behaviour":"deny","message":"\\ud800"}}\n')
        refused = connection.read_line()
        assert "error" in refused
        assert connection.request("answer", question=1, behaviour="deny", message="x" * 65_537)["error"] == "too_large"
        assert connection.request("answer", question=1, behaviour="maybe")["error"] == "invalid"
        assert connection.request("answer", question=-1, behaviour="deny")["error"] in {"invalid", "not_found"}
        assert connection.request("answer", question=2**70, behaviour="deny")["error"] in {"invalid", "not_found"}
    assert numbers(om) == [1]
    om.ok("answer", "1", "deny", "-m", "half \udce2 and \0".replace("\0", "\x01"))
    assert [text for *_, text in asking.acted()] == ["half \U0010dce2 and \x01"]


@pytest.mark.parametrize("name", ["\x1b[2J", "x" * 300, "-v", "日本\u202e"])
def test_whatever_a_subject_is_called_it_is_shown_literally(om, asking, name):
    asking.ask(
        "stuck", "quest", "0a0b0c0d", name, f"{name} has failed", subject={"lines": [name], "raw": {"a": [name]}}
    )
    shown = om.ok("inbox")
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    [row] = json.loads(om.ok("inbox", "--json"))
    assert (row["name"], row["subject"]["raw"]) == (name, {"a": [name]})
    assert om.ok("answer", "1", "allow").startswith("Answered question 1 of ")
