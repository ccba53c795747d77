"""What people change in the queue: quests edited, waited for, cancelled and asked about; and from where they may."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.kit import claude, scripted
from tests.kit.queued import Queued
from tests.kit.queued_shop import Shop
from tests.kit.raw_socket import RawSocket
from tests.kit.repositories import Repository


@pytest.fixture
def queue(om):
    return Queued(om, '[queue]\nbackoff = "1ms"\n')


def test_the_order_of_the_starts_is_the_order_that_the_queue_shows(queue):
    """Acceptance 4, of the whole daemon: positions are the order of starts, and the printed terms give the score."""
    queue.om.ok("queue", "pause")
    queue.om.ok("queue", "slots", "1")
    levels = ["low", "critical", "medium", "high", "medium", "low", "critical", "high", "medium", "low"]
    queue.add_all([
        {"title": f"{level} {number}", "command": "true", "priority": level, "deadline": None if number % 3 else 300}
        for number, level in enumerate(levels)
    ])  # fmt: skip
    queue.add("many need it")
    for number in range(3):
        queue.add(f"needs {number}", needs=["many-need-it"])
    rows = queue.om.json("queue", "--json")["quests"]
    assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
    for row in rows:
        score = queue.why(row["id"])["score"]
        parts = sum(score[name] for name in ("priority", "age", "deadline", "blocking", "retries"))
        total = max(parts * score["factor"], score["floor"] or 0.0)
        assert score["total"] == pytest.approx(total, abs=1e-6)
        assert row["score"] == pytest.approx(total, abs=1e-2), "a moment passed between the two"
    shown = [row["name"] for row in rows if not row["needs"]]
    queue.om.ok("queue", "resume")
    for row in rows:
        queue.ended(row["id"])
    assert [name for name in queue.leases() if not name.startswith("needs")] == shown


def test_a_branch_that_is_not_there_is_no_target_and_nothing_is_changed(om):
    shop = Shop(om)
    om.ok("queue", "pause")
    quest = shop.add("one", "echo 2 > b", into="main")
    assert "There is no branch 'typo'" in om.refused("quest", "edit", "one", "--into", "typo", code="invalid")
    assert shop.info(quest)["into"] == "main"
    shop.code.git("branch", "topic")
    om.ok("quest", "edit", "one", "--into", "topic")
    assert shop.info(quest)["into"] == "topic"


def test_everything_of_a_queued_quest_can_be_edited(om, tmp_path):
    claude.at_hand(om, tmp_path)
    code = Repository(os.path.join(om.environment["HOME"], "shop"))
    code.commit("first", {"a": "1\n"})
    queue = Queued(om, cwd=code.folder)
    om.ok("queue", "pause")
    quest = queue.add("one", "false")
    other = queue.add("other")
    done = om.ok(
        "quest", "edit", "one", "--title", "Another one", "--name", "uno", "--brief", "Do it.", "--needs", "other",
        "--needs-min", "1", "--priority", "critical", "--deadline", "2h", "--owns", "src/**", "--owns", "docs",
        "--outputs", "a.md", "--check", "true", "--review", "person", "--into", "main", "--verify", "test -e a",
        "--retries", "5", "--estimate", "30m", "--max-cost", "1.5", "--group", "TKT-001", "--", "echo changed",
    )  # fmt: skip
    assert done == f"Quest changed: {quest} (uno)\n"
    info = queue.info(quest)
    expected = {
        "name": "uno", "title": "Another one", "brief": "Do it.", "needs": [{"id": other, "name": "other"}],
        "needs_min": 1, "priority": "critical", "owns": ["src/**", "docs"], "outputs": ["a.md"], "check": "true",
        "review": "person", "into": "main", "verify": "test -e a", "retries": 5, "estimate_seconds": 1800.0,
        "max_cost_usd": 1.5, "group": "TKT-001", "command": "echo changed", "status": "queued",
    }  # fmt: skip
    assert {name: info[name] for name in expected} == expected
    assert info["deadline_at"] is not None
    om.ok("quest", "edit", "uno", "--needs", "", "--deadline", "", "--owns", "", "--outputs", "", "--review", "",
          "--check", "", "--into", "", "--verify", "", "--group", "", "--estimate", "")  # fmt: skip
    info = queue.info(quest)
    empty = ("deadline_at", "review", "check", "into", "verify", "group", "estimate_seconds")
    assert [info[name] for name in empty] == [None] * len(empty)
    assert (info["needs"], info["owns"], info["outputs"], info["needs_min"]) == ([], [], [], 0)
    om.ok("quest", "edit", "uno", "--provider", "claude", "--model", "small", "--allow", "Bash(true)")
    scripted.behind(om, scripted.write(tmp_path, [{"say": "done"}]))
    om.ok("queue", "resume")
    assert queue.ended(quest)["status"] in {"completed", "failed"}
    assert om.info(quest)["provider"] == "claude"
    assert (om.info(quest)["name"], om.info(quest)["model"]) == ("uno", "small")


def test_while_it_runs_only_some_can_be_edited_and_a_failed_one_in_all(queue):
    om = queue.om
    quest = queue.add("one", queue.held("one", "exit 3"), retries=0)
    queue.await_at("one")
    told = om.refused("quest", "edit", "one", "--title", "New", "--owns", "a", code="not_running")
    assert "is running: --owns, --title can't be changed now" in told
    assert "overmind quest cancel one" in told
    om.ok("quest", "edit", "one", "--priority", "high", "--deadline", "1h", "--retries", "1", "--max-cost", "2")
    info = queue.info(quest)
    assert (info["priority"], info["retries"], info["max_cost_usd"]) == ("high", 1, 2.0)
    assert om.info(quest)["max_cost_usd"] == 2.0
    queue.go("one")
    assert queue.ended(quest)["attempts"] == 2, "the retries that it was given meanwhile count"
    om.ok("quest", "edit", "one", "--title", "New title", "--check", "true", "--", "true")
    om.ok("quest", "retry", "one")
    info = queue.ended(quest)
    assert (info["status"], info["title"], info["command"], info["round"]) == ("completed", "New title", "true", 2)
    assert "has already completed" in om.refused("quest", "edit", "one", "--title", "x", code="not_running")


def test_an_edit_that_is_refused_changes_nothing(queue, cases):
    om = queue.om
    om.ok("queue", "pause")
    quest = queue.add("one", needs=[])
    queue.add("taken")
    before = queue.info(quest)
    table: list[tuple[dict[str, Any], str]] = [
        ({"name": "taken"}, "name_taken"),
        ({"name": "a b"}, "invalid"),
        ({"title": " "}, "invalid"),
        ({"needs": ["nobody"]}, "not_found"),
        ({"needs": ["taken"], "needs_min": 2}, "invalid"),
        ({"needs_min": 1}, "invalid"),
        ({"owns": ["../x"]}, "invalid"),
        ({"into": "main"}, "invalid"),
        ({"verify": "true"}, "invalid"),
        ({"review": "nobody"}, "unknown_provider"),
        ({"command": ["nosuchprogram-at-all"]}, "not_found"),
        ({"provider": "nobody"}, "unknown_provider"),
        ({"agent": {"model": "x"}}, "invalid"),
        ({"brief": "x" * 70_000}, "too_large"),
        ({"priority": "urgent", "title": "other"}, "invalid"),
    ]
    for how, code in table:
        with cases(str(how)[:60]):
            answer = refused(queue, "quest_edit", id=quest, **how)
            assert answer["error"] == code, answer
            assert without_time(queue.info(quest)) == without_time(before)


def refused(queue, request, **args):
    with RawSocket.connect(queue.om.home) as api:
        answer = api.request(request, **args)
    assert "error" in answer, answer
    return answer


def without_time(info):
    return {name: value for name, value in info.items() if name not in {"duration_seconds", "score"}}


def test_a_need_that_has_ended_counts_at_once(queue):
    done = queue.add("done")
    queue.ended(done)
    failed = queue.add("failed", "exit 3", retries=0)
    queue.ended(failed)
    queue.om.ok("queue", "slots", "1")
    queue.add("taken", queue.held("taken"))
    queue.await_at("taken")
    after = queue.add("after", needs=["done"])
    stuck = queue.add("stuck", needs=["failed", "done"])
    assert (queue.why(after)["code"], queue.why(stuck)["code"]) == ("slots", "blocked")
    queue.om.ok("quest", "edit", "stuck", "--needs", "done")
    queue.go("taken")
    assert [queue.ended(quest)["status"] for quest in (after, stuck)] == ["completed"] * 2
    rows = {row["name"]: row["needs"] for row in queue.om.api("quests")}
    assert rows["stuck"] == [{"id": done, "name": "done"}]


def test_waiting_tells_of_each_round_as_it_ends(queue):
    om = queue.om
    mended = om.path("mended")
    quest = queue.add("one", f"{queue.held('one')}; test -e {mended}", retries=1)
    waiting = om.popen("quest", "wait", "one")
    queue.await_at("one")
    assert waiting.poll() is None
    queue.go("one")
    out, _ = waiting.communicate(timeout=30)
    assert (waiting.returncode, out) == (
        1,
        f"Quest {quest} finished: failed (it failed in each attempt, exit code 1)\n",
    )
    assert om("quest", "wait", "one").returncode == 1
    with open(mended, "w", encoding="utf-8"):
        pass
    om.ok("quest", "retry", "one")
    assert om.ok("quest", "wait", "one") == f"Quest {quest} finished: completed (exit code 0)\n"
    om.ok("queue", "pause")
    queued = queue.add("two")
    waiting = om.popen("quest", "wait", "two")
    om.ok("quest", "cancel", "two")
    waiting.communicate(timeout=30)
    assert waiting.returncode == 1
    assert queue.info(queued)["status"] == "cancelled"


def test_a_request_that_is_repeated_makes_its_quests_once(queue):
    om = queue.om
    om.ok("queue", "pause")
    quests = [{"title": "one", "command": "true", "ref": "x"}, {"title": "two", "command": "true", "needs": ["x"]}]
    first = queue.add_all(quests, request="key")
    assert queue.add_all(quests, request="key") == first
    assert queue.add_all(quests[:1], request="key") == first[:1]
    om.ok("queue", "resume")
    for quest in first:
        queue.ended(quest)
    assert queue.add_all(quests, request="key") == first, "also once they have ended"
    assert len(om.api("quests")) == 2


def test_inside_a_mission_one_may_look_and_not_change(queue):
    """Acceptance 44: given a mission: every verb of the list is `forbidden`, `report` and looking are not."""
    om = queue.om
    om.ok("queue", "slots", "1")
    verbs = [
        "quest add x -- true", "quest edit other --priority high", "quest retry other", "quest cancel other",
        "queue pause", "queue resume", "queue slots 4", "answer 1 allow", "inbox", "spec new x -- true", "spec run x",
        "spec sync x", "spec accept x", "spec archive x",
    ]  # fmt: skip
    looks = [
        "quest list", "quest info other", "quest why other", "quest logs inside", "quest wait ended", "queue", "board",
        "spec list", "health", "timeline other", "learn", "report idea 'use a heap'",
    ]  # fmt: skip
    queue.ended(queue.add("ended"))
    script = "; ".join([f"overmind {verb} > /dev/null || echo refused" for verb in verbs]
                       + [f"overmind {look} > /dev/null && echo seen" for look in looks])  # fmt: skip
    queue.add("inside", script, priority="critical")
    other = queue.add("other", queue.held("other"))
    queue.go("other")
    queue.ended("inside")
    queue.ended(other)
    said = om.logs("inside")
    assert said.split().count("refused") == len(verbs), said
    assert said.split().count("seen") == len(looks), said
    assert said.count("forbidden") == len(verbs), said
    assert (queue.info(other)["priority"], om.api("queue")["slots"]) == ("medium", 1)
