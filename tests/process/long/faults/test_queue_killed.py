"""The queue while supervisors and keepers are killed: each attempt runs once, each quest completes once."""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import Any

import pytest

from tests.kit import torture
from tests.kit.killing import kill, kill_keeper
from tests.kit.quest_lives import assert_lives_are_legal, folded, standing
from tests.kit.queued import Queued
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually
from tests.process.faults.test_queue_killed import is_over, lines

pytestmark = pytest.mark.torture
KILLS = torture.portion(30)
QUESTS = 40 if torture.WHOLE else 12


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
