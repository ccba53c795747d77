"""The queue while supervisors and keepers are killed: each attempt runs once, each quest completes once."""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.kit import torture
from tests.kit.full_disk import full_disk
from tests.kit.killing import kill, kill_both, kill_keeper
from tests.kit.processes import alive
from tests.kit.quest_lives import assert_lives_are_legal, folded, standing
from tests.kit.queued import OVER, Queued
from tests.kit.raw_socket import RawSocket
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

pytestmark = pytest.mark.torture
KILLS = torture.portion(30)
QUESTS = 40 if torture.WHOLE else 12


def lines(path):
    try:
        with open(path, encoding="ascii") as file:
            return file.read().split()
    except FileNotFoundError:
        return []


def is_over(queue):
    return all(status in OVER for status in queue.statuses().values())


def killed(om):
    if (pid := om.holder("supervisor.lock")) is not None:
        kill(pid)
    om.ok("start")


def replaced(om):
    om.ok("start", "--replace")


@pytest.mark.parametrize("end", [killed, replaced])
def test_each_attempt_runs_once_and_each_quest_completes_once(om, moments, end):
    """Acceptance 18: given 40 quests with checks, when the supervisor is killed with -9 at 30 random points.

    And the same when it is replaced in place.
    """
    code = Repository(os.path.join(om.environment["HOME"], "shop"))
    code.commit("first", {"a": "1\n"})
    om.environment |= {name: value for name, value in code.environ.items() if name.startswith("GIT_")}
    queue = Queued(om, '[queue]\nslots = 4\nbackoff = "1ms"\n', cwd=code.folder)
    worked, checked = om.path("worked"), om.path("checked")
    quests: list[dict[str, Any]] = []
    for number in range(QUESTS):
        name = f"q{number:02}"
        work = f"echo {name}.$OVERMIND_ATTEMPT >> {worked}; sleep 0.{moments.randrange(3)}"
        bad = "1" if moments.random() < 0.3 else "0"
        new: dict[str, Any] = {
            "title": name,
            "command": f"{work}; echo {name} > {name}" if number % 4 == 0 else work,
            "check": f"echo {name}.$OVERMIND_ATTEMPT >> {checked}; test $OVERMIND_ATTEMPT -gt {bad}",
            "needs": [f"q{moments.randrange(number):02}"] if number and moments.random() < 0.4 else [],
            "ref": name,
        }
        if number % 4 == 0:
            new["into"] = "main"
        quests.append(new)
    queue.add_all(quests)
    for _ in range(KILLS):
        time.sleep(moments.random() * 0.4)  # the moment itself is the experiment
        end(om)
    eventually(lambda: is_over(queue), timeout=100, what="all are over")
    assert set(queue.statuses().values()) == {"completed"}
    attempts: Counter[str] = Counter()
    for new in quests:
        info = queue.info(new["title"])
        tried = [one["class"] for one in info["attempt_list"]]
        assert tried[:-1] in ([], ["check_failed"]), info
        assert [one["run"] for one in info["attempt_list"]] == list(range(1, len(tried) + 1))
        attempts |= Counter({f"{new['title']}.{number + 1}": 1 for number in range(len(tried))})
    assert Counter(lines(worked)) == attempts
    assert Counter(lines(checked)) == attempts
    assert Counter(queue.leases()) == Counter(one.partition(".")[0] for one in attempts)
    completed = [event["name"] for event in queue.events() if event["status"] == "completed"]
    assert sorted(completed) == sorted(new["title"] for new in quests)
    assert_lives_are_legal(queue.events())
    assert folded(queue.events()) == {row["id"]: standing(row) for row in om.api("quests")}
    landed = sorted(event["name"] for event in om.events("landed"))
    assert landed == sorted(new["title"] for new in quests if "into" in new)
    assert code.git("worktree", "list").count("\n") == 0


def test_quests_are_added_whole_or_not_at_all_and_once(om, moments):
    """Kill table: while a quest is added: all of it, or nothing; the same request again makes the rest of nothing."""
    queue = Queued(om, "[queue]\nslots = 1\n")
    om.ok("queue", "pause")
    many = 150
    for number in range(torture.portion(12)):
        request = f"request-{number}"
        quests = [{"title": f"r{number} {one}", "command": "true"} for one in range(many)]
        with RawSocket.connect(om.home) as api:
            api.send("quest_add", quests=quests, cwd=om.home, env=om.environment, request=request)
            time.sleep(moments.random() * 0.25)  # the moment itself is the experiment
            kill(om.supervisor_pid())
        om.ok("start")
        mine = [one for one in om.api("quests", limit=10_000) if one["name"].startswith(f"r{number}-")]
        assert len(mine) in {0, many}
        made = queue.add_all(quests, request=request)
        assert {one["id"] for one in mine} <= set(made)
        assert len(set(made)) == many
    assert len(om.api("quests", limit=10_000)) == torture.portion(12) * many
    assert om.api("queue")["paused"]


def test_ten_clients_at_once_add_each_request_once(om):
    queue = Queued(om, "[queue]\nslots = 1\n")
    om.ok("queue", "pause")

    def add(number):
        key = f"request-{number % 5}"
        return queue.add_all([{"title": f"{key} {one}", "command": "true"} for one in range(20)], request=key)

    with ThreadPoolExecutor(10) as clients:
        made = list(clients.map(add, range(10)))
    assert made[:5] == made[5:]
    assert len(om.api("quests")) == len({one for ids in made for one in ids}) == 100


def test_a_full_disk_when_quests_are_added_records_nothing(om):
    queue = Queued(om)
    om.ok("queue", "pause")
    queue.add("before")
    quests = [{"title": f"new {number}", "command": "true", "needs": ["before"]} for number in range(50)]
    with full_disk(om.supervisor_pid()):
        assert queue.refused(quests, request="key")["error"] == "disk_full"
        assert queue.names("queued") == ["before"]
    made = eventually(lambda: _added(queue, quests), what="there is room again")
    kill(om.supervisor_pid())
    om.ok("start")
    assert len(queue.names("queued")) == 51
    assert queue.add_all(quests, request="key") == made
    om.ok("queue", "resume")
    eventually(lambda: is_over(queue), timeout=60, what="all are over")
    assert set(queue.statuses().values()) == {"completed"}


def test_a_disk_that_is_full_while_quests_run_costs_no_attempt_and_nothing_runs_twice(om):
    queue = Queued(om, "[queue]\nslots = 3\n")
    names = [f"q{number}" for number in range(9)]
    checked = om.path("checked")
    quests = [{"title": name, "command": queue.held(name), "retries": 0} for name in names]
    queue.add_all([{**one, "check": f"echo {one['title']} >> {checked}"} for one in quests])
    for name in names[:3]:
        queue.await_at(name)
        om.wait_status(name, "running")
    pids = [om.pid(name) for name in names[:3]]
    with full_disk(om.supervisor_pid()):
        queue.go(*names)
        eventually(lambda: not any(map(alive, pids)), what="the first ones have ended")
        assert queue.names("completed") == []
    eventually(lambda: is_over(queue), timeout=60, what="all are over")
    for name in names:
        info = queue.info(name)
        assert (info["status"], [one["class"] for one in info["attempt_list"]]) == ("completed", [None])
        assert not queue.has_come(name, 2)
    assert sorted(lines(checked)) == names
    assert_lives_are_legal(queue.events())


def on_board(om):
    return sum(column["count"] for column in om.api("board", limit=1)["columns"])


def _added(queue, quests):
    with contextlib.suppress(AssertionError):
        return queue.add_all(quests, request="key")
    return None


@pytest.mark.parametrize("phase", ["work", "check"])
def test_a_supervisor_that_is_killed_leaves_what_runs_to_the_next_one(om, phase):
    """Kill table: while it runs: adopts it, same pid; a check that runs is adopted, too."""
    queue = Queued(om)
    quest = queue.add("one", queue.held("work"), check=queue.held("check"))
    queue.await_at("work")
    if phase == "check":
        queue.go("work")
        queue.await_at("check")
    running = quest if phase == "work" else f"one/{phase}"
    om.wait_status(running, "running")  # it may say that it runs before its keeper has
    pid = om.pid(running)
    kill(om.supervisor_pid())
    om.ok("start")
    assert om.pid(running) == pid
    queue.go("work", "check")
    info = queue.ended(quest)
    assert (info["status"], [one["run"] for one in info["attempt_list"]]) == ("completed", [1])
    assert queue.has_come("work", 1)
    assert not queue.has_come("work", 2)
    assert not queue.has_come("check", 2)


def test_after_a_reboot_what_ran_begins_again_and_what_waited_still_waits(om):
    """Kill table: keeper killed; reboot: class `keeper_lost`, free: again; queued ones stay queued."""
    queue = Queued(om, "[queue]\nslots = 2\n")
    for name in ("one", "two", "three"):
        queue.add(name, queue.held(name), retries=0)
    queue.await_at("one")
    queue.await_at("two")
    kill_both(om)
    om.ok("start")
    queue.go("one", "two", "three")
    infos = [queue.ended(name) for name in ("one", "two", "three")]
    assert [[one["class"] for one in info["attempt_list"]] for info in infos] == [
        ["keeper_lost", None], ["keeper_lost", None], [None],
    ]  # fmt: skip
    assert (queue.has_come("three"), queue.has_come("three", 2)) == (True, False)
    assert queue.most_at_once() == 2
    assert_lives_are_legal(queue.events())


def test_a_keeper_that_is_killed_again_and_again_is_nobodys_fault(om):
    """Acceptance 19: three times free, then it is enough; a quest whose keeper lives is not touched."""
    queue = Queued(om)
    quest = queue.add("one", queue.held("one"), check="true", retries=0)
    queue.await_at("one")
    kill_keeper(om)
    queue.await_at("one", 2)
    assert [one["class"] for one in queue.info(quest)["attempt_list"]] == ["keeper_lost", None]
    queue.go("one")
    info = queue.ended(quest)
    assert (info["status"], info["tries"], info["class"]) == ("completed", 1, None)
    works = [event for event in queue.events(quest) if event.get("phase") == "work"]
    assert [event["attempt"] for event in works] == [1, 2]


def test_edits_are_whole_or_not_at_all(om, moments):
    """Kill table: while a quest is edited: all of it, or nothing."""
    queue = Queued(om)
    om.ok("queue", "pause")
    quest = queue.add("one", "true")
    queue.add("other")
    texts: dict[int, tuple[str, str, list[str], str]] = {0: ("one", "true", [], "medium")}
    for number in range(1, torture.portion(20) + 1):
        name, command, needs = f"one-{number}", f"echo {number}", ["other"] if number % 2 else []
        texts[number] = (name, command, needs, "high" if number % 2 else "low")
        with RawSocket.connect(om.home) as api:
            api.send("quest_edit", id=quest, name=name, command=command, needs=needs, priority=texts[number][3])
            time.sleep(moments.random() * 0.03)  # the moment itself is the experiment
            kill(om.supervisor_pid())
        om.ok("start")
        info = queue.info(quest)
        found = (info["name"], info["command"], [one["name"] for one in info["needs"]], info["priority"])
        assert found in (texts[number - 1], texts[number])
        texts[number] = found
    om.ok("queue", "resume")
    assert queue.ended(quest)["status"] == "completed"
    assert queue.om.info(quest)["name"] == queue.info(quest)["name"]


def test_a_paused_queue_of_thousands_is_added_in_a_moment_and_weighs_little(om):
    """Limits: 10,000 unfinished quests, in one request; one more is too large, and nothing is recorded."""
    queue = Queued(om, "[queue]\nslots = 1\n")
    om.ok("queue", "pause")
    many = 10_000 if torture.WHOLE else 2_000
    rng = random.Random(1)
    quests = [
        {"title": f"q{number}", "command": "true", "ref": str(number), "retries": 0,
         "needs": [str(rng.randrange(number))] if number else []}
        for number in range(many)
    ]  # fmt: skip
    with RawSocket.connect(om.home, timeout=100) as api:
        added = api.ok("quest_add", quests=quests, cwd=om.home, env=om.environment)["quests"]
    assert [one["name"] for one in added] == [one["title"] for one in quests]
    assert on_board(om) == many
    kill(om.supervisor_pid())
    om.ok("start")
    assert on_board(om) == many
    if many == 10_000:
        assert queue.refused([{"title": "one more", "command": "true"}])["error"] == "too_large"
