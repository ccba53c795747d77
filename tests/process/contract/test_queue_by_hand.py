"""Work of quests that failed, landed or settled by a person."""

from __future__ import annotations

import pytest

from tests.kit.killing import kill
from tests.kit.queued_shop import Shop
from tests.kit.waiting import eventually


@pytest.fixture
def shop(om):
    return Shop(om)


def test_work_of_a_failed_check_that_is_not_committed_hears_of_both_at_once(shop):
    quest = shop.add("ck", "echo 2 > b", into="main", check="test -f missing", retries=0)
    assert shop.ended(quest)["reason"] == "check_failed"
    refused = shop.om.refused("merge", "ck", code="dirty")
    assert "Commit with: overmind commit ck -m" in refused
    assert refused.rstrip().endswith(
        "It has failed its check, which runs on the merged work too: test -f missing. Have it tried again with: "
        "overmind quest retry ck, or merge it all the same with: overmind merge ck --verify true"
    )
    shop.om.ok("commit", "ck", "-m", "b")
    shop.om.refused("merge", "ck", code="verify_failed")
    shop.om.ok("merge", "ck", "--verify", "true")


def test_work_that_its_quest_verifies_is_verified_when_a_person_lands_it_too(shop):
    quest = shop.add("vf", "echo 2 > b", into="main", verify="test -f missing", retries=0)
    assert shop.ended(quest)["reason"] == "verify_failed"
    before = shop.head()
    refused = shop.om.refused("merge", "vf", code="verify_failed")
    assert refused.rstrip().endswith(
        "Have it tried again with: overmind quest retry vf, or merge it all the same with: "
        "overmind merge vf --verify true"
    )
    assert shop.head() == before
    removed = shop.om("rm", "vf")
    assert f"Merge with: overmind merge {quest} (its own check runs first), or " in removed.stderr
    refused = shop.om.refused("merge", quest, code="verify_failed")
    assert "overmind quest retry" not in refused
    shop.om.ok("merge", quest, "--verify", "true")
    assert shop.code.git("show", "main:b") == "2"


def columns(shop, *names):
    return [shop.column_of(name) for name in names]


def test_a_failed_quest_is_blocked_until_a_person_has_decided_about_it(shop):
    names = ("denied", "cancelled", "removed", "landed", "open")
    quests = [shop.add(name, f"echo {name} > {name}; exit 3", into="main", retries=0) for name in names]
    assert {shop.ended(quest)["status"] for quest in quests} == {"failed"}
    assert columns(shop, *names) == ["blocked"] * 5
    shop.om.ok("answer", "denied", "deny")
    told = shop.om.ok("quest", "cancel", "cancelled")
    assert told == f"Settled quest {quests[1]} (cancelled): it stays failed, and asks no more\n"
    shop.om.refused("quest", "cancel", "cancelled", code="not_running")
    shop.om.ok("rm", "removed")
    shop.om.ok("commit", "landed", "-m", "by hand")
    shop.om.ok("merge", "landed")
    assert shop.code.git("show", "main:landed") == "landed"
    assert columns(shop, *names) == ["done", "done", "done", "done", "blocked"]
    assert [one["about"]["name"] for one in shop.om.api("inbox")] == ["open"]
    told = "its command failed (3): echo landed > landed; exit 3; its work was landed by hand on main\n"
    assert told in shop.om.ok("quest", "why", "landed")
    assert shop.info(quests[3])["landed"]["branch"] == "main"
    shop.om.ok("quest", "retry", "cancelled")


@pytest.mark.own_home
def test_those_that_wait_for_a_failed_quest_go_on_when_its_work_was_landed_by_hand(shop, om):
    base = shop.add("base", "echo base > base; exit 3", into="main", retries=0)
    assert shop.ended(base)["status"] == "failed"
    later = shop.add("later", "cat base", needs=["base"])
    last = shop.add("last", "true", needs=["later"])
    assert om("quest", "wait", "last").returncode == 3
    assert columns(shop, "base", "later", "last") == ["blocked"] * 3
    kill(om.supervisor_pid())
    om.ok("start")
    om.ok("commit", "base", "-m", "by hand")
    om.ok("merge", "base")
    kill(om.supervisor_pid())
    om.ok("start")
    assert om.ok("quest", "wait", "later", "last").count("completed (exit code 0)") == 2
    assert columns(shop, "base", "later", "last") == ["done"] * 3
    assert om.ok("quest", "why", "later") == "later has completed\n  needs: base, landed by hand\n"
    assert "landed by hand on main" in om.ok("quest", "list")
    assert shop.info(base)["achieved"] == "landed by hand on main"
    assert [shop.info(one)["attempts"] for one in (later, last)] == [1, 1]


def test_work_lands_only_behind_its_check_also_while_that_runs(shop):
    gate = shop.om.path("gate")
    check = f"test -e {gate} || sleep 600; test -f missing"
    quest = shop.add("ck", "echo 2 > b", into="main", check=check, retries=0)
    later = shop.add("later", "cat b > c", needs=["ck"], into="main")
    eventually(lambda: shop.info(quest)["phase"] == "check", what="it is checked")
    shop.om.ok("commit", "ck", "-m", "b")
    with open(gate, "w", encoding="utf-8"):
        pass
    refused = shop.om.refused("merge", "ck", code="verify_failed")
    assert "erge it all the same with: overmind merge ck --verify true" in refused  # behind a retry, once it has failed
    shop.om.ok("merge", "ck", "--verify", "true")
    shop.om.ok("quest", "cancel", "ck")
    assert shop.ended(quest)["status"] == "cancelled"
    assert "its work was landed by hand on main" in shop.om.ok("quest", "why", "ck")
    assert shop.ended(later)["status"] == "completed"


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_work_that_a_quest_needs_yet_is_not_discarded(shop, force):
    quest = shop.add("rv", "echo 2 > b", into="main", review="person")
    eventually(lambda: shop.info(quest)["status"] == "review", what="it is in review")
    refused = shop.om.refused("discard", "rv", *force, code="not_finished")
    assert "Quest rv is in review, and its work is in that worktree. Cancel it first with: overmind quest" in refused
    kept = shop.om.ok("worktrees", "prune", "--all", *force, *(["-y"] if force else []))
    assert kept.startswith("Kept rv: ")
    shop.om.ok("answer", "rv", "allow")
    assert shop.ended(quest)["achieved"] == "landed on main"
