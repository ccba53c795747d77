"""Quests over real homes of a swarm, on a bare remote: who needs whom, what is handed on, and landing once."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.engines.postgres.conftest import empty_database
from tests.engines.postgres.swarm.test_quests import Shop, add, hive
from tests.kit.killing import kill_supervisor
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually


@pytest.fixture
def homes(make_home):
    """A swarm of this test."""
    with empty_database() as url:
        yield SwarmHomes(url, make_home)


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def test_a_chain_of_three_is_done_by_three_hives_each_with_what_the_one_before_has_landed(homes, shop):
    first = hive(homes, "a", "--label", "step=one")
    hive(homes, "b", "--label", "step=two")
    hive(homes, "c", "--label", "step=three")
    said = add(first, shop, "One", "step=one", "--into", "main", "--outputs", "notes.md",
               command="echo two >> app.py; echo from-one > $OVERMIND_OUTPUT_DIR/notes.md")  # fmt: skip
    assert said.startswith("Quest queued: ")
    add(first, shop, "Two", "step=two", "--into", "main", "--needs", "one", "--outputs", "more.md",
        command="cp $OVERMIND_IN/needs/one/notes.md $OVERMIND_OUTPUT_DIR/more.md; cp app.py two.py")  # fmt: skip
    add(first, shop, "Three", "step=three", "--into", "main", "--needs", "two", "--verify", "test -e three.py",
        command="cat two.py $OVERMIND_IN/needs/two/more.md > three.py")  # fmt: skip
    for name in ("one", "two", "three"):
        homes.wait_state(name, "done", "failed", timeout=60)
    rows = homes.posts()
    assert [(rows[one]["state"], rows[one]["hive"]) for one in ("one", "two", "three")] == [
        ("done", homes.name("a")), ("done", homes.name("b")), ("done", homes.name("c")),
    ]  # fmt: skip
    assert shop.main("three.py") == "one\ntwo\nfrom-one"
    assert shop.trailers() == [rows[one]["id"] for one in ("three", "two", "one")]


def test_a_holder_that_is_frozen_between_check_and_push_lands_nothing_twice(homes, shop, tmp_path):
    """Its successor lands; thawed, it finds what has landed, and is told that its claim is over."""
    first = hive(homes, "a", "--slots", "1")
    gate, tries = tmp_path / "go", tmp_path / "tries"
    verify = f"echo x >> {tries}; while [ ! -e {gate} ]; do sleep .05; done"
    add(first, shop, "Once", "any", "--into", "main", "--lease", "10s", "--verify", verify,
        command="echo two > app.py")  # fmt: skip
    eventually(tries.exists, timeout=30, what="it is being verified")
    second = hive(homes, "b", "--slots", "1")
    status = first.json("status", "--json")
    frozen = (status["keeper"]["pid"], status["pid"])
    for one in frozen:
        os.kill(one, signal.SIGSTOP)
    try:
        gate.touch()
        homes.wait_state("once", "done", timeout=90)
    finally:
        for one in frozen:
            os.kill(one, signal.SIGCONT)
    row = homes.posts()["once"]
    assert (row["hive"], row["fence"]) == (homes.name("b"), 2)

    def is_told():
        assert [quest["status"] for quest in first.json("quest", "list", "--json")] == ["cancelled"]
        return True

    eventually(is_told, timeout=30, what="the first one knows that its claim is over")
    assert shop.trailers() == [row["id"]]
    assert second.json("inbox", "--json") == first.json("inbox", "--json") == []


def test_a_hive_goes_on_while_git_still_hangs_in_a_quest_that_is_its_no_more(homes, shop, tmp_path):
    """A remote that takes a push and answers nothing holds up no beat: all else that the hive has leased goes on."""
    gate, pushes = tmp_path / "go", tmp_path / "pushes"
    hook = Path(shop.remote, "hooks", "pre-receive")
    hook.write_text(f"#!/bin/sh\necho x >> {pushes}; while [ ! -e {gate} ]; do sleep .05; done\n")
    hook.chmod(0o755)
    with homes.way() as way:
        first = hive(homes, "a", "--label", "disk=big", way=way)
        add(first, shop, "Once", "any", "--into", "main", "--lease", "10s", command="echo two > app.py")
        eventually(pushes.exists, timeout=30, what="it is being pushed")
        way.cut()
        hive(homes, "b")
        eventually(lambda: homes.posts()["once"]["hive"] == homes.name("b"), timeout=60, what="another hive has it")
        way.mend()
        homes.desk.ok("run", "--on", "disk=big", "--name", "other", "true")
        homes.wait_state("other", "done", timeout=60)  # by the first one, in which git still hangs
        homes.desk.ok("run", "--on", "disk=big", "--name", "another", "true")
        homes.wait_state("another", "done", timeout=30)
        gate.touch()
        row = homes.wait_state("once", "done", timeout=60)
        assert shop.trailers() == [row["id"]]
        assert shop.main("app.py") == "two"


@pytest.mark.parametrize("moment", ["work", "verify"])
def test_a_killed_daemon_costs_a_quest_nothing(homes, shop, tmp_path, moment):
    home = hive(homes, "a")
    gate, begun = tmp_path / "go", tmp_path / "begun"
    wait = f"echo x >> {begun}; while [ ! -e {gate} ]; do sleep .05; done"
    work, verify = (f"{wait}; echo two > app.py", "true") if moment == "work" else ("echo two > app.py", wait)
    add(home, shop, "Once", "any", "--into", "main", "--verify", verify, command=work)
    eventually(begun.exists, timeout=30, what=f"its {moment} has begun")
    kill_supervisor(home)
    home.ok("start")
    gate.touch()
    row = homes.wait_state("once", "done", timeout=60)
    assert (row["fence"], row["attempt"]) == (1, 1)
    assert shop.trailers() == [row["id"]]
    assert shop.main("app.py") == "two"
