"""Quests: one piece of work each, checked, tried again, cancelled; and never done twice, whoever dies meanwhile."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import ANY

import pytest

from overmind_core.daemon.state import State
from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.quests import store
from tests.kit.killing import kill_supervisor
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

HOLD = "while ! test -e go; do sleep 0.02; done"


def go(om):
    """Let whoever waits so in the home go on."""
    with open(om.path("go"), "w"):
        pass


class Quests:
    """Quests in the folder of a home, through the socket."""

    def __init__(self, om):
        self.om = om
        om.ok("start")

    def begin(self, command, **how):
        began = self.om.api("quest_run", command=command, cwd=self.om.home, env=self.om.environment, **how)
        return began["id"]

    def info(self, quest):
        return self.om.api("quest", id=quest)

    def end(self, quest):
        """What a quest is like once it has ended."""
        with RawSocket.connect(self.om.home, timeout=30) as api:
            api.ok("quest_wait", ids=[quest])
            return {**self.info(quest), **api.read_line()["item"]}

    def children(self, quest):
        return self.om.api("ps", all=True, children=quest)


@pytest.fixture
def quests(om):
    return Quests(om)


@pytest.mark.own_home
def test_a_quest_from_its_beginning_to_the_removal_of_its_mission(om):
    began = om.ok("quest", "run", "--name", "docs", "--label", "team=web", f"echo written; {HOLD}")
    quest = re.findall(r"^Quest started: ([0-9a-f]{8}) \(docs\)\n$", began)[0]
    assert om.info("docs")["id"] == quest
    assert om.refused("quest", "run", "--name", "docs", "true", code="name_taken")
    go(om)
    assert om.ok("quest", "wait", "docs") == f"Quest {quest} finished: completed (exit code 0)\n"
    assert om.ok("quest", "logs", "docs") == "written\n"
    assert om.json("quest", "info", "docs", "--json")["mission_status"] == "stopped"
    om.ok("rm", "docs")
    found = om.json("quest", "info", quest[:5], "--json")
    assert (found["status"], found["exit_code"], found["mission"], found["phase"]) == ("completed", 0, None, None)
    assert [row["id"] for row in om.json("quest", "list", "--json")] == [quest]
    title, row = om.ok("quest", "list").splitlines()
    assert title.split() == ["ID", "NAME", "STATUS", "TRIES", "DURATION", "EXIT", "REASON", "COMMAND", "TITLE"]
    assert row.split()[:4] == [quest, "docs", "completed", "1/1"]
    assert "was removed" in om.refused("quest", "logs", "docs", code="gone")
    assert om.ok("quest", "wait", "docs").startswith(f"Quest {quest} finished: completed")


@pytest.mark.own_home
def test_what_makes_no_quest_is_refused_by_name_and_leaves_nothing(om, quests, cases, absent):
    for words, code, exit_code in [
        (["quest", "run"], "empty_command", 2),
        (["quest", "run", "--check", " ", "true"], "empty_command", 2),
        (["quest", "run", "--restart", "always", "true"], "invalid", 2),
        (["quest", "run", "--type", "session"], "invalid", 2),
        (["quest", "run", "--retries", "-1", "true"], "invalid", 2),
        (["quest", "run", "--cwd", absent, "true"], "cwd_not_found", 1),
        (["quest", "run", "nosuchprogram-at-all", "x"], "not_found", 1),
        (["quest", "info", "nosuch"], "not_found", 1),
        (["quest", "wait", "nosuch"], "not_found", 1),
        (["quest", "logs", "nosuch"], "not_found", 1),
        (["quest", "cancel", "nosuch"], "not_found", 1),
        (["quest", "list", "--status", "lost"], "invalid", 2),
    ]:
        with cases(" ".join(words)):
            om.refused(*words, code=code, exit_code=exit_code)
    for how in ({"restart": "always"}, {"type": "session"}):
        with cases(str(how)), RawSocket.connect(om.home) as api:
            sent = {"command": "true", "cwd": "/", **how}
            assert api.request("quest_run", **sent)["error"] == "invalid"
    assert om.json("quest", "list", "--json") == om.ps("--all") == []


def test_done_is_what_the_check_says(om, quests, cases):
    count = "echo x >> {0}; test $(wc -l < {0}) -ge {1}"
    table: dict[str, tuple[str, dict[str, Any], tuple[Any, ...]]] = {
        "checked": ("true", {"check": "true"}, ("completed", None, 0, 1)),
        "not-done": ("true", {"check": "exit 7"}, ("failed", "check_failed", 7, 1)),
        "failed": ("exit 3", {"check": "true"}, ("failed", None, 3, 1)),
        "third-time": (count.format("a", 3), {"retries": 5, "backoff": 1}, ("completed", None, 0, 3)),
        "never": ("exit 3", {"retries": 2, "backoff": 1}, ("failed", "retries_spent", 3, 3)),
        "checked-twice": ("true", {"retries": 1, "check": count.format("b", 2)}, ("completed", None, 0, 2)),
        "checked-in-vain": ("true", {"retries": 1, "check": "exit 7"}, ("failed", "check_failed", 7, 2)),
        "too-long": ("sleep 60", {"timeout": "100ms", "retries": 3}, ("failed", "timeout", 124, 1)),
        "no-place": ("rmdir $PWD", {"check": "true", "cwd": "gone"}, ("failed", ANY, 1, 1)),
    }
    os.mkdir(om.path("gone"))
    for name, (command, how, _) in table.items():
        folder = os.path.join(om.home, how.pop("cwd", ""))
        om.api("quest_run", command=command, cwd=folder, env=om.environment, name=name, **how)
    for name, (_, _, expected) in table.items():
        with cases(name):
            end = quests.end(name)
            assert (end["status"], end["reason"], end["exit_code"], end["attempts"]) == expected
    with cases("the check is a child with the quest's name"):
        checks = quests.children(om.api("quest", id="checked-twice")["id"])
        assert [row["name"] for row in checks] == ["checked-twice/check"] * 2


def test_the_check_runs_in_the_folder_and_environment_of_the_work(om, quests):
    check = 'printf "%s %s %s" "$PWD" "$MINE" "$(umask)"'
    quest = quests.begin("true", name="here", check=check, env_set={"MINE": "only ours"}, umask=0o077)
    assert quests.end(quest)["status"] == "completed"
    assert om.ok("quest", "logs", "--check", "here") == f"{om.home} only ours 0077\n"
    assert om.ok("quest", "logs", "here") == ""


def test_a_quest_is_cancelled_wherever_it_is(om, quests, cases):
    places: dict[str, tuple[dict[str, Any], Callable[[Any], object]]] = {
        "work": ({"command": "sleep 60 & sleep 60"}, lambda row: row["mission_status"] == "running"),
        "pause": (
            {"command": "false", "retries": 3, "backoff": "1h"},
            lambda row: row["mission_status"] == "restarting",
        ),
        "check": ({"command": "true", "check": "sleep 60"}, lambda row: row["phase"] == "check" and row["check_id"]),
    }
    for name, (how, there) in places.items():
        with cases(name):
            quests.begin(name=name, **how)
            eventually(partial(_holds, quests, name, there), what=f"{name} is there")
            om.refused("quest", "run", "--name", name, "true", code="name_taken")
            assert om.ok("quest", "cancel", name) == f"Cancelled quest {quests.info(name)['id']} ({name})\n"
            assert (quests.info(name)["status"], quests.info(name)["reason"]) == ("cancelled", None)
            assert om("quest", "wait", name).returncode not in {0, 124}
            om.refused("quest", "cancel", name, code="not_running")
    assert om.ps("--status", "running") == []


def test_why_has_the_attempt_that_the_list_has(om, quests):
    quest = quests.begin("mkdir tried || exec sleep 60; exit 1", retries=2, backoff="20ms")
    eventually(lambda: quests.info(quest)["attempts"] == 2 and quests.info(quest)["mission_status"] == "running")
    assert om.api("quest_why", id=quest)["text"] == "working, attempt 2 of 3"
    om.ok("quest", "cancel", quest)


def _holds(quests, name, there):
    return there(quests.info(name))


def test_whoever_ends_the_mission_of_a_quest_cancels_it(om, quests, cases):
    polite = "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done"
    for name, command, reason in (("stop", polite, "stopped"), ("kill", "sleep 60", "killed")):
        with cases(name):
            quest = quests.begin(command, name=name, retries=3, check="true")
            if name == "stop":
                eventually(lambda: "up" in om.logs("stop"), what="it listens to signals")
            om.ok(name, quest)
            assert (quests.end(quest)["status"], quests.info(quest)["reason"]) == ("cancelled", reason)


def test_run_wait_follows_the_work_and_exits_with_the_quests_code(om):
    finished = om("quest", "run", "--wait", "--name", "followed", "--check", "exit 4", "echo working")
    assert (finished.returncode, finished.stdout) == (4, "working\n")
    assert "finished: failed (its check failed, exit code 4)" in finished.stderr
    assert set(om.json("quest", "run", "--json", "true")) == {"id", "name"}


def test_a_quest_that_is_asked_for_twice_by_one_key_is_one(om, quests):
    ids = {quests.begin("echo x >> once", request="the same") for _ in range(3)}
    assert len(ids) == 1
    assert quests.end(ids.pop())["status"] == "completed"
    with open(om.path("once")) as file:
        assert file.read() == "x\n"


def test_a_mission_begins_quests_as_its_children_and_cancels_no_others(om, quests):
    other = quests.begin("sleep 60", name="other")
    inside = om.finished(
        f"overmind quest run --name inner true && overmind quest wait inner; overmind quest cancel {other};"
        " overmind ritual create x @daily true"
    )
    said = om.logs(inside["id"])
    assert "finished: completed" in said
    assert said.count("Error: forbidden: ") == 2
    assert om.api("info", id="inner")["parent"] == inside["id"]
    assert quests.info(other)["status"] == "running"


@pytest.mark.own_home
def test_a_supervisor_that_is_killed_at_every_step_loses_no_try_and_makes_none_twice(om, quests):
    """Each try of the work and of the check leaves a line; the third check is content, and waits for the last kill."""
    work = "echo work >> done; sleep 0.1"
    check = f"echo check >> done; test $(grep -c check done) -ge 3 && {HOLD}"
    quest = quests.begin(work, name="brave", check=check, retries=4)
    for _ in range(2):
        kill_supervisor(om)
    go(om)
    assert quests.end(quest)["status"] == "completed"
    with open(om.path("done")) as file:
        assert file.read().split() == ["work", "check"] * 3
    assert quests.info(quest)["attempts"] == 3


@pytest.mark.own_home
@pytest.mark.parametrize("known", [True, False])
def test_what_was_not_saved_of_an_end_is_found_out_again_without_a_second_check(om, quests, known):
    """The books are put back to the moments before the check was noted, and before the end was."""
    quest = quests.begin("echo work >> done", check="echo check >> done")
    quests.end(quest)
    om.ok("shutdown")
    state = State.open(om.path("state.db"))
    ended = store.quest(state.quests.newest(1)[0])
    before = replace(ended, status=QuestStatus.RUNNING, ended_at=None, exit_code=None)
    before = before if known else replace(before, check_id=None, checked=0)
    with state.transaction():
        state.quests.save(store.row(before))
    state.close()
    om.ok("start")
    assert quests.end(quest)["status"] == "completed"
    with open(om.path("done")) as file:
        assert file.read().split() == ["work", "check"]
