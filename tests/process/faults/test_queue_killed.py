"""The queue while supervisors and keepers are killed: each attempt runs once, each quest completes once."""

from __future__ import annotations

import contextlib
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.kit import torture
from tests.kit.full_disk import full_disk
from tests.kit.killing import kill, kill_both
from tests.kit.processes import alive
from tests.kit.quest_lives import assert_lives_are_legal
from tests.kit.queued import OVER, Queued
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = pytest.mark.torture


def lines(path):
    try:
        with open(path, encoding="ascii") as file:
            return file.read().split()
    except FileNotFoundError:
        return []


def is_over(queue):
    return all(status in OVER for status in queue.statuses().values())


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
