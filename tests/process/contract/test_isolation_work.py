"""Work that is nowhere else is never lost unless a person forces it, whatever removes."""

from __future__ import annotations

import os
import re
from functools import partial

from tests.kit.isolated import Project
from tests.kit.overmind import FINAL
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

TEXT = """\
services: { web: { command: "[ ! -e ~/broken ] || exit 3; echo up; exec sleep 1000", ready: { log: up } } }
isolation: { port_range: 24000-24999, teardown: remove, setup: ["echo >> ~/setups; echo > made.log"] }
"""
WORKS = {
    "new": "echo work > new.txt",
    "changed": "echo work > a.txt",
    "staged": "echo work > new.txt; git add new.txt",
    "committed": "echo work > new.txt; git add new.txt; git commit -qm $OVERMIND_BRANCH",
    "on another branch": "git switch -qc mine; echo work > new.txt; git add new.txt; git commit -qm $OVERMIND_BRANCH",
    "on no branch": "git switch -q --detach; echo work > new.txt; git add new.txt; git commit -qm $OVERMIND_BRANCH",
    "where git does not look": "echo work > .env",
    "stripped of git": "echo work > new.txt; rm .git",
    "in a repository of its own": "rm .git; git init -q; echo work > new.txt",
}


def working(om, shop):
    """Missions that have done their work, one of each kind, and go on."""
    missions = {}
    for number, (name, work) in enumerate(WORKS.items()):
        missions[name] = shop.run(
            f"[ -e ~/{number} ] || {{ {work}; touch ~/{number}; }}; exec sleep 1000", f"w{number}"
        )
    for number, mission in enumerate(missions.values()):
        eventually(partial(os.path.exists, shop.path("..", str(number))), what="it has worked")
        om.wait_status(mission, "running")
    return missions


def lost(shop, missions):
    """Names of those whose work is not where it was done."""
    return [name for name, mission in missions.items() if not _is_there(shop.worktree_of(mission))]


def _is_there(worktree):
    for path in (os.path.join(worktree, name) for name in ("new.txt", "a.txt", ".env")):
        if os.path.exists(path):
            with open(path) as file:
                if "work\n" in file.read():
                    return True
    return False


def test_nothing_but_force_removes_work(om):
    shop = Project(om, TEXT)
    missions = working(om, shop)
    for name, mission in missions.items():
        om.api("restart", id=mission)  # with a worktree that git knows nothing of any more it fails
        status = om.wait_status(mission, "running", *FINAL)["status"]
        assert status == ("crashed" if "rm .git" in WORKS[name] else "running"), name
    assert lost(shop, missions) == [], "a restart"
    for mission in missions.values():
        if om.info(mission)["status"] == "running":
            om.api("stop", id=mission)
    assert lost(shop, missions) == [], "a stop"

    broken = shop.path("..", "broken")
    with open(broken, "w"):
        for mission in missions.values():
            om.api("restart", id=mission)
            assert om.wait_status(mission, *FINAL)["status"] == "crashed"
    os.unlink(broken)
    assert lost(shop, missions) == [], "a restart that fails"

    with RawSocket.connect(om.home) as api:
        for mission in missions.values():
            for words in (("discard", {}), ("restart", {"fresh": True})):
                assert api.request(words[0], id=mission, **words[1])["error"] in {"dirty", "unmerged", "git_failed"}
    om.api("worktrees_prune")
    assert lost(shop, missions) == [], "a discard, or a prune of worktrees"

    om.ok("rm", "-y", *missions.values())
    om.ok("shutdown", "--keep")
    om.ok("start")
    assert lost(shop, missions) == [], "a removal of their records, and a start"
    assert {row["mission"] for row in om.api("worktrees")["worktrees"]} == set(missions.values())
    for number in range(len(missions)):
        om.api("discard", id=f"w{number}", force=True)
    shop.git("branch", "-D", "mine")
    shop.assert_nothing_left()
    assert om.api("worktrees")["worktrees"] == []
    om.refused("discard", "w0", code="not_found")


def test_prune_says_which_worktrees_it_keeps_as_rm_does(om):
    shop = Project(om, "isolation: { teardown: keep }\n")
    missions = {name: shop.run(f"echo work > {name}", name) for name in ("one", "two", "three")}
    idle = shop.run("true", "idle")
    for mission in (*missions.values(), idle):
        om.wait_status(mission, *FINAL)
    assert om("prune", "--dry-run").stderr == ""
    told = {"rm": om("rm", missions["one"]).stderr.splitlines(), "prune": om("prune", "-y").stderr.splitlines()}
    assert [len(lines) for lines in told.values()] == [1, 2]
    for mission in missions.values():
        (line,) = (line for lines in told.values() for line in lines if shop.worktree_of(mission) in line)
        assert line.endswith(f"or remove it with: overmind discard {mission} --force")


def test_all_that_would_be_lost_is_named_whatever_else_there_is(om):
    shop = Project(om, "isolation: { teardown: keep }\n")
    mission = shop.run("echo 1 > w; git add w; git commit -qm Work; echo 1 > x.log; echo 1 > y", "one")
    om.wait_status(mission, *FINAL)
    told = om("rm", "one").stderr
    assert "1 file in the worktree of one is uncommitted: y." in told
    assert "1 file that git ignores was made in the worktree of one: x.log." in told
    assert re.search(r"1 commit of one is not merged anywhere: \w{9} Work\.", told)
