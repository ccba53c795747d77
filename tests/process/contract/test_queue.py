"""The queue: whose turn it is, what waits for what, and how people see and change that."""

from __future__ import annotations

import os

import pytest

from tests.kit import claude, scripted
from tests.kit.killing import kill_supervisor
from tests.kit.processes import alive, with_word
from tests.kit.queued import Queued
from tests.kit.raw_socket import RawSocket
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually


@pytest.fixture
def queue(om):
    return Queued(om)


def test_with_two_of_three_it_is_leased_once_at_the_second_end(queue):
    """Acceptance 6: given `--needs-min 2` of three: leased once, at the second end."""
    for name in ("one", "two", "three"):
        queue.add(name, queue.held(name))
    goal = queue.add("goal", queue.held("goal"), needs=["one", "two", "three"], needs_min=2)
    queue.go("one")
    queue.ended("one")
    assert queue.why("goal")["text"].startswith("waits for 1 of ")
    assert queue.leases(goal) == []
    queue.go("two")
    queue.await_at("goal")
    queue.go("three", "goal")
    assert queue.ended("goal")["status"] == "completed"
    assert queue.leases(goal) == ["goal"]


def test_with_two_of_three_failed_it_is_blocked_and_both_are_named(queue):
    """Acceptance 6: two failed of three: `blocked` naming both."""
    queue.add("one", "exit 1", retries=0)
    queue.add("two", "exit 2", retries=0)
    queue.add("three")
    queue.add("goal", needs=["one", "two", "three"], needs_min=2)
    for name in ("one", "two", "three"):
        queue.ended(name)
    why = queue.why("goal")
    assert (why["code"], why["text"]) == (
        "blocked",
        "needs one (failed: its command failed), two (failed: its command failed)",
    )
    assert [one["name"] for one in why["by"]] == ["one", "two"]
    assert why["do"] == ["overmind quest retry one", "overmind quest retry two"]
    assert queue.om.ok("quest", "why", "goal").splitlines()[0] == f"goal is queued: blocked: {why['text']}"


def test_an_edit_that_closes_a_loop_is_refused_and_changes_nothing(queue):
    """Acceptance 7: given a chain, when `edit --needs` closes a loop: `cycle`, members in order, nothing changed."""
    queue.om.ok("queue", "pause")
    first = queue.add("first")
    queue.add("second", needs=["first"])
    queue.add("third", needs=["second"])
    told = queue.om.refused("quest", "edit", "first", "--needs", "third", code="cycle")
    assert "first → third → second → first" in told
    with RawSocket.connect(queue.om.home) as api:
        assert api.request("quest_edit", id="first", needs=["third"])["members"] == ["first", "third", "second"]
    assert queue.info(first)["needs"] == []
    itself = queue.om.refused("quest", "edit", "first", "--needs", "first", code="cycle")
    assert "first → first" in itself


def test_an_unknown_need_is_not_found_and_nothing_is_recorded(queue):
    """Acceptance 7: an unknown need: `not_found`, nothing recorded."""
    assert (
        queue.refused([{"title": "one", "command": "true"}, {"title": "two", "command": "true", "needs": ["no"]}])[
            "error"
        ]
        == "not_found"
    )
    queue.om.refused("quest", "add", "three", "--needs", "nobody", "--", "true", code="not_found")
    assert queue.om.api("quests") == []
    assert queue.events() == []


def test_slots_bound_what_runs_and_can_be_changed_at_once(queue):
    """Acceptance 8: given 20 queued and 3 slots: never more than 3 live; `queue slots 5` takes effect at once."""
    names = [f"q{number:02}" for number in range(20)]
    queue.om.ok("queue", "slots", "3")
    queue.add_all([{"title": name, "command": queue.held(name)} for name in names])
    queue.go(*names[:10])
    for name in names[10:13]:
        queue.await_at(name)
    assert len(queue.names("running")) == 3
    assert queue.most_at_once() == 3
    assert queue.why(names[-1])["text"] == "3 of 3 slots are taken; 7th in line"
    assert queue.om.ok("queue", "slots", "5") == "Slots: 5\n"
    for name in names[13:15]:
        queue.await_at(name)
    assert len(queue.names("running")) == 5
    queue.go(*names)
    for name in names:
        queue.ended(name)
    assert queue.most_at_once() == 5
    assert queue.leases() == names


def test_the_slots_of_a_provider_hold_within_those_of_the_queue(om, tmp_path):
    """Acceptance 8: `providers = { claude = 1 }` holds within them."""
    claude.at_hand(om, tmp_path)
    scripted.behind(
        om, scripted.write(tmp_path, [{"call": f"echo x >> {om.path('agent')}.at"}, {"until": om.path("go")}])
    )
    queue = Queued(om, "[queue]\nslots = 3\nproviders = { claude = 1 }\n")
    queue.add_all([{"title": name, "provider": "claude"} for name in ("a1", "a2", "a3")])
    queue.add("plain", queue.held("plain"))
    queue.await_at("agent")
    queue.await_at("plain")
    assert queue.names("running") == ["a1", "plain"]
    assert queue.why("a3")["text"] == "1 of 1 slots of provider claude are taken; 2nd in line"
    pools = queue.om.api("queue")["pools"]
    assert pools == [{"name": "queue", "slots": 3, "used": 2}, {"name": "provider:claude", "slots": 1, "used": 1}]
    touch(om.path("go"))
    queue.go("plain")
    for name in ("a1", "a2", "a3", "plain"):
        assert queue.ended(name)["status"] == "completed"
    agents = [event for event in queue.events() if event["name"] != "plain"]
    assert [event["name"] for event in agents if event.get("phase") == "work"] == ["a1", "a2", "a3"]
    assert [event["status"] for event in agents][3:] == ["running", "completed"] * 3


def test_quests_whose_paths_overlap_never_run_together_and_others_do(om):
    """Acceptance 9: given overlapping `owns`: never together, others are."""
    code = Repository(os.path.join(om.environment["HOME"], "shop"))
    code.commit("first", {"a": "1\n"})
    queue = Queued(om, "[queue]\nslots = 8\n", cwd=code.folder)
    queue.add("api", queue.held("api"), owns=["api/**"])
    queue.add("routes", queue.held("routes"), owns=["*/routes.py"])
    queue.add("web", queue.held("web"), owns=["web/*.ts"])
    queue.add("any", queue.held("any"))
    for name in ("api", "web", "any"):
        queue.await_at(name)
    assert queue.why("routes")["text"] == "api/** is owned by api, which runs"
    assert [one["name"] for one in queue.why("routes")["by"]] == ["api"]
    queue.add("late", queue.held("late"), owns=["docs/routes.py"])
    assert queue.why("late")["code"] == "owns", "the wide one is not passed by"
    queue.go("api")
    queue.await_at("routes")
    assert queue.why("late")["text"] == "*/routes.py is owned by routes, which runs"
    queue.go("routes", "late", "web", "any")
    assert [queue.ended(name)["status"] for name in ("routes", "late", "web", "any")] == ["completed"] * 4


def test_a_failed_root_blocks_at_any_depth_and_its_retry_completes_them_all(queue):
    """Acceptance 12: given a failed root: dependants at any depth are `blocked`, name it; `retry` completes all."""
    root = queue.add("root", f"[ -e {queue.om.path('mended')} ]", retries=0)
    depth = [queue.add(f"d{number}", needs=["root" if number == 0 else f"d{number - 1}"]) for number in range(5)]
    queue.ended(root)
    for quest in depth:
        why = queue.why(quest)
        assert (why["code"], why["text"]) == ("blocked", "needs root (failed: its command failed)")
        assert [one["name"] for one in why["by"]] == ["root"]
    assert queue.om.ok("queue").splitlines()[0] == "running 0/3 · queued 5 · landing 0"
    touch(queue.om.path("mended"))
    assert queue.om.ok("quest", "retry", "root") == f"Quest queued: {root} (root), round 2\n"
    assert [queue.ended(quest)["status"] for quest in (root, *depth)] == ["completed"] * 6
    assert queue.leases() == ["root", "root", "d0", "d1", "d2", "d3", "d4"]


def test_a_running_quest_that_is_cancelled_leaves_no_process_and_its_dependants_never_run(queue):
    """Acceptance 15: given a running quest, when cancelled: no process is left; dependants never run."""
    om = queue.om
    word = f"sleep 4{os.getpid() % 1000:03}7"
    quest = queue.add("tree", f"{word} & setsid {word} & {word}")
    queue.add("after", needs=["tree"])
    eventually(lambda: len(with_word(word)) >= 3, what="all of it runs")
    pids = with_word(word)
    assert om.ok("quest", "cancel", "tree") == f"Cancelled quest {quest} (tree)\n"
    assert [pid for pid in pids if alive(pid)] == []
    assert queue.info(quest)["status"] == "cancelled"
    why = queue.why("after")
    assert (why["code"], why["text"]) == ("blocked", "needs tree (cancelled)")
    assert queue.leases() == ["tree"]


def test_who_waits_for_quests_is_told_that_the_queue_is_paused(queue):
    om, note = queue.om, "is queued: the queue is paused: overmind queue resume\n"
    queue.add("done")
    om.ok("quest", "wait", "done")
    om.ok("queue", "pause")
    assert om("quest", "wait", "done").stderr == ""
    queue.add("later")
    assert f"waits for you: later {note}" in om("quest", "wait", "later", "--timeout", "2s").stderr
    adding = om.popen("quest", "add", "another", "--wait", "--", "true")
    assert [adding.stderr.readline() for _ in range(2)][1] == f"waits for you: another {note}"
    om.ok("queue", "resume")
    assert adding.wait(30) == 0


def test_a_paused_queue_starts_nothing_and_what_runs_goes_on_over_a_new_daemon(queue):
    """Acceptance 16: given `queue pause`: nothing starts, what runs goes on, also over a new daemon."""
    om = queue.om
    first = queue.add("first", queue.held("first"))
    queue.await_at("first")
    pid = om.pid(first)
    assert om.ok("queue", "pause") == "Queue paused: 1 runs on\n"
    second = queue.add("second")
    kill_supervisor(om)
    assert om.pid(first) == pid
    assert om.api("queue")["paused"]
    why = queue.why("second")
    assert (why["code"], why["text"], why["do"]) == ("held", "the queue is paused", ["overmind queue resume"])
    queue.go("first")
    assert queue.ended(first)["status"] == "completed"
    assert (queue.info(second)["status"], queue.leases(second)) == ("queued", [])
    assert om.ok("queue", "resume") == "Queue resumed\n"
    assert queue.ended(second)["status"] == "completed"


def test_a_quest_that_begins_at_once_takes_no_slot(queue):
    """Acceptance 17: given all slots taken: `quest run` begins at once, and `quest list`, `info`, `wait` show it."""
    om = queue.om
    om.ok("queue", "slots", "1")
    queue.add("taken", queue.held("taken"))
    queue.await_at("taken")
    queue.add("waits")
    began = om.ok("quest", "run", "--name", "now", "--check", "true", "echo hello")
    quest = began.split()[2]
    assert om.ok("quest", "wait", "now") == f"Quest {quest} finished: completed (exit code 0): checked\n"
    info = om.json("quest", "info", "now")
    assert (info["status"], info["priority"], info["round"], info["attempt_list"]) == ("completed", None, None, [])
    listed = {row["name"]: row["status"] for row in om.json("quest", "list", "--json")}
    assert listed == {"taken": "running", "waits": "queued", "now": "completed"}
    queue.go("taken")
    queue.ended("waits")


def touch(path):
    with open(path, "w", encoding="utf-8"):
        pass
