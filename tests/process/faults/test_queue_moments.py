"""The supervisor is killed at each moment of a quest's life that the kill table names; the next one goes on there."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import shutil
import signal
import sqlite3
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from overmind_core.git.run import MARK
from tests.kit import torture
from tests.kit.killing import kill, kill_both, kill_keeper, kill_supervisor
from tests.kit.processes import alive
from tests.kit.quest_lives import assert_lives_are_legal, folded, standing
from tests.kit.queued import OVER, Queued
from tests.kit.queued_shop import Shop
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = pytest.mark.torture


@contextlib.contextmanager
def frozen(pid):
    """A process that does nothing inside of the block, and may be killed there."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def saved(om, query):
    """What stands in the store, as a process that comes later finds it."""
    with contextlib.closing(sqlite3.connect(f"file:{om.path('state.db')}?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


def has_ended(pid):
    return not alive(pid)


def classes(info):
    return [one["class"] for one in info["attempt_list"]]


def test_killed_between_lease_and_spawn_the_next_one_spawns_that_run_once(om):
    """Kill table: between lease and spawn: spawns that run id once."""
    queue = Queued(om)
    with frozen(om.keeper_pid()):
        quest = queue.add("work", queue.held("work"))
        eventually(
            lambda: saved(om, "SELECT status FROM missions") == [("starting",)], what="the lease is saved, with its run"
        )
        kill(om.supervisor_pid())
    om.ok("start")
    queue.await_at("work")
    queue.go("work")
    info = queue.ended(quest)
    assert (info["status"], [one["run"] for one in info["attempt_list"]]) == ("completed", [1])
    assert queue.has_come("work")
    assert not queue.has_come("work", 2)
    assert queue.leases(quest) == ["work"]


@pytest.mark.parametrize("over", ["work", "check"])
def test_killed_when_something_is_over_and_what_follows_has_not_begun_the_next_one_begins_it_once(om, over):
    """Kill table: work over, check not begun: begins it."""
    shop = Shop(om)
    quest = shop.add(
        "work", shop.held("work", "echo 2 > b"), into="main", check=shop.held("check"), verify=shop.held("verify")
    )
    for gate in ("work", "check"):
        shop.await_at(gate)
        if gate == over:
            running, supervisor = quest if gate == "work" else "work/check", om.supervisor_pid()
            om.wait_status(running, "running")
            pid = om.pid(running)
            with frozen(supervisor):
                shop.go(gate)
                eventually(partial(has_ended, pid), what=f"the {gate} is over")
                kill(supervisor)
            om.ok("start")
        shop.go(gate)
    shop.await_at("verify")
    shop.go("verify")
    info = shop.ended(quest)
    assert (info["status"], classes(info)) == ("completed", [None])
    assert shop.phases(quest) == [None, "work", "check", "landing", None]
    for gate in ("work", "check", "verify"):
        assert shop.has_come(gate)
        assert not shop.has_come(gate, 2)
    assert shop.log() == ["Merge overmind/work into main", "first"]


MOVED = "! git symbolic-ref -q HEAD > /dev/null"
"""Where both sides are merged no branch is checked out; where the target moves one is."""


@pytest.mark.parametrize(
    ("hook", "unless", "target"),
    [
        pytest.param("pre-commit", "false", ["first"], id="the commit is being made"),
        pytest.param("pre-merge-commit", "false", ["first"], id="commit made, merge not"),
        pytest.param("post-merge", MOVED, ["Merge overmind/work into main", "first"], id="target moved, not recorded"),
    ],
)
def test_killed_in_the_middle_of_git_it_commits_nothing_twice_and_lands_once(om, hook, unless, target):
    """Kill table: commit made, merge not; merging; target moved, not recorded."""
    shop = Shop(om)
    shop.hangs_once(hook, unless=unless)
    quest = shop.add("work", "echo 2 > b", into="main")
    shop.await_hook()
    assert shop.log() == target
    kill_supervisor(om)
    info = shop.ended(quest)
    shop.go("hook")
    assert (info["status"], classes(info), info["landed"]["after"]) == ("completed", [None], shop.head())
    assert shop.log() == ["Merge overmind/work into main", "first"]
    assert shop.code.git("rev-list", "--count", "main") == "3"
    assert [(one["by"], one["after"]) for one in om.events("landed")] == [("engine", shop.head())]
    assert shop.code.read("b") == "2\n"
    eventually(lambda: shop.is_cleared(quest), what="its worktree is gone")


def test_killed_while_the_worktree_of_a_quest_that_changed_nothing_goes_it_completes_and_asks_nobody(om):
    """The next daemon takes the worktree away, and meanwhile looks for nothing that could land in it."""
    folder, reached, go = (om.path(name) for name in ("bin", "reached", "hook.go"))
    os.mkdir(folder)
    with open(os.path.join(folder, "git"), "w", encoding="utf-8") as file:
        file.write(
            "#!/bin/sh\n"
            # The removal is saved, and has not begun: hang there until the daemon is dead.
            f'if [ ! -e {go} ] && grep -aqs \'"removal":"unasked"\' {om.path("state.db")}*; then\n'
            f"  : > {reached}; until [ -e {go} ]; do sleep 0.02; done; exit 1\nfi\n"
            # What looks for work in the worktree is slower than what takes that away.
            f'case ${MARK} in commit-*) if [ -e {go} ]; then while [ -e "$PWD" ]; do sleep 0.02; done; fi;; esac\n'
            f'exec {shutil.which("git")} "$@"\n'
        )
    os.chmod(os.path.join(folder, "git"), 0o755)
    om.environment["PATH"] = f"{folder}:{om.environment['PATH']}"
    shop = Shop(om)
    quest = shop.add("work", "true", into="main", allow_empty=True)
    shop.await_hook()
    kill(om.supervisor_pid())
    shop.go("hook")
    om.ok("start")
    info = shop.ended(quest)
    assert (info["status"], classes(info), info["landed"]) == ("completed", [None], None)
    assert om.events("asked", mission=quest) == []
    assert shop.log() == ["first"]
    eventually(lambda: shop.is_cleared(quest), what="its worktree is gone")


def test_a_chain_that_lands_outlives_a_daemon_killed_while_the_second_is_merged(om):
    """All three land in order, each attempt ran once, and the third saw the commit of the second."""
    shop = Shop(om)
    ran = om.path("ran")
    for name, needs in (("one", []), ("two", ["one"]), ("three", ["two"])):
        shop.add(
            name, f"echo {name} >> {ran}; cat two.txt; echo {name} > {name}.txt", into="main", needs=needs,
            verify=shop.held(name) if name == "two" else None,
        )  # fmt: skip
    shop.await_at("two")
    kill_supervisor(om)
    shop.go("two")
    infos = [shop.ended(name) for name in ("one", "two", "three")]
    assert [(info["status"], classes(info)) for info in infos] == [("completed", [None])] * 3
    with open(ran, encoding="ascii") as file:
        assert file.read().split() == ["one", "two", "three"]
    assert om.logs("three").splitlines()[-1] == "two"
    assert shop.log() == [*(f"Merge overmind/{name} into main" for name in ("three", "two", "one")), "first"]
    assert_lives_are_legal(shop.events())


def kill_within(om, moments, seconds):
    """Kill the supervisor after a part of so many seconds."""
    time.sleep(moments.random() * seconds)  # the moment itself is the experiment
    kill(om.supervisor_pid())


@pytest.mark.parametrize("need", ["review", "stuck"])
def test_an_answer_acts_once_whenever_the_daemon_dies(om, moments, need):
    """Kill table: answered, not acted on: still open, same number; acts once."""
    shop = Shop(om)
    ran = om.path("ran")
    how: dict[str, Any] = {"review": "person"} if need == "review" else {"retries": 0}
    for number in range(torture.portion(8)):
        name, mended = f"q{number}", om.path(f"mended{number}")
        end = f"test -e {mended}" if need == "stuck" else f"echo {number} > b"
        quest = shop.add(name, f"echo {name} >> {ran}; {end}", **how)
        question = shop.asked(need, quest)
        with open(mended, "w", encoding="ascii"):
            pass
        with RawSocket.connect(om.home) as api:
            api.send("answer", question=question["question"], behaviour="allow")
            kill_within(om, moments, 0.02)
        om.ok("start")
        left = [one["question"] for one in om.api("inbox")]
        assert left in ([], [question["question"]])
        if left:
            shop.answer(question, "allow")
        assert shop.ended(quest)["status"] == "completed"
        with open(ran, encoding="ascii") as file:
            assert Counter(file.read().split())[name] == (2 if need == "stuck" else 1)
        answered = [event["behaviour"] for event in om.events("answered", mission=quest)]
        assert answered == ["allow"]
    assert_lives_are_legal(shop.events())


def is_dirty(shop, quest):
    """Whether its landing waits for the checkout."""
    return shop.info(quest)["reason"] == "dirty"


@pytest.mark.parametrize("behaviour", ["allow", "deny"])
def test_the_answer_about_a_checkout_acts_once_on_all_that_wait_whenever_the_daemon_dies(om, moments, behaviour):
    """Kill table: answered, not acted on: still open, same number; acts once, on each of them."""
    shop = Shop(om)
    for number in range(torture.portion(8)):
        clean = {name: shop.code.read(name) for name in ("a", "b")}
        shop.code.write(dict.fromkeys(clean, "mine\n"))
        names = [f"{name}{number}" for name in clean]
        quests = [shop.add(name, f"echo {name} > {name[0]}", into="main") for name in names]
        question = shop.asked("merge", "queue")
        for quest in quests:
            eventually(partial(is_dirty, shop, quest), what="it waits")
        with RawSocket.connect(om.home) as api:
            api.send("answer", question=question["question"], behaviour=behaviour)
            if behaviour == "allow":
                shop.code.write(clean)
            kill_within(om, moments, 0.3)  # in the midst of a landing, too
        om.ok("start")
        if behaviour == "deny" and (left := [one["question"] for one in om.api("inbox")]):
            assert left == [question["question"]]
            shop.answer(question, "deny")
        infos = [shop.ended(quest) for quest in quests]
        landed = [event["name"] for event in om.events("landed")]
        if behaviour == "allow":
            assert [(info["status"], classes(info)) for info in infos] == [("completed", [None])] * 2
            assert [landed.count(name) for name in names] == [1, 1]
            assert [shop.code.read(name[0]) for name in names] == [f"{name}\n" for name in names]
        else:
            assert [(info["status"], classes(info)) for info in infos] == [("failed", ["dirty"])] * 2
            shop.code.write(clean)
        assert om.api("inbox") == []
        assert len([event for event in om.events("answered") if event["question"] == question["question"]]) == 1
    assert_lives_are_legal(shop.events())


def test_ten_clients_at_once_do_all_sorts_of_things_and_every_quest_ends_once(om, moments):
    """Each asks and changes what others change, too; who comes late is told so."""
    queue = Queued(om, '[queue]\nslots = 4\nbackoff = "1ms"\n')
    rounds = torture.portion(40)
    seeds = [moments.randrange(2**32) for _ in range(10)]

    def client(number):
        chance = random.Random(seeds[number])
        codes: Counter[str] = Counter()
        mine: list[str] = []
        with RawSocket.connect(om.home, timeout=60) as api:
            for turn in range(rounds):
                other = f"c{chance.randrange(10)}-{chance.randrange(max(turn, 1))}"
                acts: list[tuple[str, dict[str, Any]]] = [
                    ("quest_edit", {"id": other, "priority": chance.choice(["critical", "high", "low"])}),
                    ("quest_edit", {"id": other, "needs": mine[-1:]}),
                    ("quest_retry", {"id": other}),
                    ("quest_cancel", {"id": other}),
                    ("queue_set", {"paused": chance.random() < 0.5}),
                    ("queue_set", {"slots": chance.randrange(1, 6)}),
                    ("quest_why", {"id": other}),
                    ("board", {"all": True}),
                    ("answer", {"id": other, "behaviour": "allow"}),
                ]
                name, args = chance.choice(acts)
                new = {"title": f"c{number} {turn}", "command": f"exit {chance.choice([0, 0, 3])}", "retries": 0}
                made = api.ok("quest_add", quests=[new], cwd=om.home, env=om.environment)
                mine.append(made["quests"][0]["id"])
                answer = api.request(name, **args)
                codes[answer.get("error", "ok")] += 1
        return codes

    with ThreadPoolExecutor(10) as clients:
        codes: Counter[str] = sum(clients.map(client, range(10)), Counter())
    assert set(codes) <= {"ok", "not_found", "not_running", "cycle", "name_taken", "ambiguous", "gone"}, codes
    om.api("queue_set", paused=False, slots=4)

    def rest():
        queued = [row for row in om.api("quests", limit=10_000) if row["status"] not in OVER]
        return all(row["code"] == "blocked" for row in queued) and {"queued": queued}

    left = eventually(rest, timeout=60, what="nothing goes on by itself any more")
    rows = om.api("quests", limit=10_000)
    assert len(rows) == 10 * rounds
    assert folded(queue.events()) == {row["id"]: standing(row) for row in rows}
    assert_lives_are_legal(queue.events())
    for row in left["queued"]:
        assert queue.why(row["id"])["by"], row


def left_alone(code):
    """What is a person's own: the files of the checkout, its index and what is checked out."""
    files = {}
    for folder, folders, names in os.walk(code.folder):
        if folder == code.folder:
            folders[:] = [one for one in folders if one not in {".git", ".overmind"}]
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                files[os.path.join(folder, name)] = file.read()
    with open(code.path(".git", "index"), "rb") as index, open(code.path(".git", "HEAD"), "rb") as head:
        return files, index.read(), head.read(), code.git("rev-parse", "HEAD")


@pytest.mark.parametrize(
    ("who", "phase"),
    torture.some(itertools.product((kill_keeper, kill_both), ("work", "check", "verify")), part=2),
)
def test_whatever_a_lost_keeper_ran_begins_again_free_and_nothing_of_the_persons_is_touched(om, who, phase):
    """Kill table: keeper killed; reboot: class `keeper_lost`, free: again; nothing of the person's is touched."""
    shop = Shop(om)
    quest = shop.add(
        "work", shop.held("work", "echo 2 > b"), into="main", check=shop.held("check"), verify=shop.held("verify"),
        retries=0,
    )  # fmt: skip
    shop.code.git("checkout", "-q", "-b", "mine")
    shop.code.write({"a": "mine\n", "new": "mine\n"})
    shop.code.git("add", "new")
    before = left_alone(shop.code)
    for gate in ("work", "check", "verify"):
        shop.await_at(gate)
        if gate == phase:
            break
        shop.go(gate)
    who(om)
    om.ok("start")
    shop.await_at(phase, 2)
    assert left_alone(shop.code) == before
    shop.go("work", "check", "verify")
    info = shop.ended(quest)
    begun_again = phase == "verify" and who is kill_both  # a landing that was cut is undone, and begun again
    assert (info["status"], classes(info)) == ("completed", [None] if begun_again else ["keeper_lost", None]), info
    assert info["tries"] == 1
    assert shop.log() == ["Merge overmind/work into main", "first"]
    assert shop.code.git("show", "main:b") == "2"
    assert left_alone(shop.code) == before
