"""Many missions on one repository at once, none of which sees another; two homes on it; missions within missions."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.kit import torture
from tests.kit.isolated import Project
from tests.kit.overmind import FINAL
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

MANY = torture.portion(20)
TEXT = """\
services: { web: { command: "echo up at $PORT; exec sleep 1000", port: 3000, ready: { log: up at } } }
isolation:
  port_range: 23000-23999
  copy: [.env]
  setup: ["echo $OVERMIND_BRANCH > mine.log"]
"""
WORK = "cat mine.log; pwd; echo $PORT $WEB_PORT; echo more >> a.txt; git commit -qam $OVERMIND_BRANCH; exec sleep 1000"


def logs_have(om, mission, text):
    return text in om.logs(mission)


def test_many_at_once_have_everything_of_their_own_and_leave_nothing(om):
    shop = Project(om, TEXT)
    with ThreadPoolExecutor(MANY) as threads:
        missions = list(threads.map(lambda number: shop.run(WORK, name=f"m{number}"), range(MANY)))
        statuses = threads.map(lambda one: om.wait_status(one, "running", *FINAL, timeout=60)["status"], missions)
    assert set(statuses) == {"running"}
    infos = [om.info(one) for one in missions]
    ports = [port for one in infos for port in one["isolation"]["ports"].values()]
    assert len(set(ports)) == 2 * MANY
    for number, one in list(enumerate(infos))[::4]:
        own = one["isolation"]
        told = f"overmind/m{number}\n{shop.worktree_of(one['id'])}\n{own['ports']['']} {own['ports']['web']}\n"
        eventually(partial(logs_have, om, one["id"], told), what=f"{one['name']} has its own")
        assert f"up at {own['ports']['web']}\n" in om.logs(own["services"]["web"])
    shop.assert_untouched()
    assert os.path.exists(shop.path(".overmind"))
    assert shop.read(".git/info/exclude").count(".overmind/worktrees/\n") == 1

    om.api("kill", all=True)
    heads = {shop.git("rev-parse", f"overmind/m{number}") for number in range(MANY)}
    assert shop.before["head"] not in heads
    shop.assert_nothing_left(but=missions)
    assert "git commit" not in om.refused("discard", missions[0], code="unmerged")
    with ThreadPoolExecutor(MANY) as threads:
        list(threads.map(lambda one: om.api("discard", id=one, force=True), missions))
    shop.assert_nothing_left()
    assert om.api("ports")["ports"] == []
    assert om.api("worktrees")["worktrees"] == []


@pytest.mark.own_home
def test_two_homes_on_one_repository_share_neither_worktrees_nor_branches_nor_ports(om, make_home):
    shop, other = Project(om, TEXT), make_home()
    other.ok("trust", shop.folder)
    ours, theirs = shop.run(), Project.run(_as(shop, other))
    eventually(lambda: (om.info(ours)["status"], other.info(theirs)["status"]) == ("running", "running"))
    mine, yours = om.info(ours)["isolation"], other.info(theirs)["isolation"]
    assert {mine["branch"], yours["branch"]} == {"overmind/api", "overmind/api-2"}
    web = {home.info(one["services"]["web"])["status"] for home, one in ((om, mine), (other, yours))}
    assert web == {"running"}
    om.api("kill", all=True)
    assert os.path.isdir(shop.worktree_of(theirs))
    other.api("kill", all=True)
    shop.assert_nothing_left()


def test_a_mission_within_a_mission_shares_its_worktree_unless_it_wants_one_that_begins_there(om):
    shop = Project(om, "isolation: { port_range: 23000-23999 }\n")
    above = shop.run("git commit -q --allow-empty -m above; exec sleep 1000", name="above")
    om.wait_status(above, "running")
    worktree = shop.worktree_of(above)
    eventually(lambda: shop.git("rev-parse", "overmind/above") != shop.before["head"], what="it has committed")
    shared = shop.run("pwd; echo $OVERMIND_BRANCH; exec sleep 1000", name="shared", cwd=worktree, parent="above")
    own = shop.run(name="own", cwd=worktree, parent="above", isolate=True)
    for mission in (shared, own):
        om.wait_status(mission, "running")
    assert om.info(shared)["isolation"] is None
    eventually(lambda: om.logs(shared) == f"{worktree}\novermind/above\n", what="it is there")
    info = om.info(own)["isolation"]
    assert (info["worktree"], info["base"]) == (shop.worktree_of(own), "overmind/above")
    assert shop.git("rev-parse", "overmind/own") == shop.git("rev-parse", "overmind/above")
    om.api("kill", all=True)
    shop.assert_nothing_left(but=[above])


def test_a_worktree_stays_for_as_long_as_another_mission_runs_in_it(om):
    shop = Project(om, "isolation: { port_range: 23000-23999 }\n")
    gates = [f"while ! [ -e {shop.path('..', name)} ]; do sleep 0.02; done;" for name in ("hosted", "idle", "busy")]
    hosts = [shop.run(f"{gates[0]} true", name=f"{name}-host") for name in ("idle", "busy")]
    trees = [shop.worktree_of(host) for host in hosts]
    for host in hosts:
        om.wait_status(host, "running")
    idle = shop.run(f"{gates[1]} true", name="idle-guest", cwd=trees[0])
    busy = shop.run(f"{gates[2]} echo work > new.txt", name="busy-guest", cwd=trees[1])
    for guest in (idle, busy):
        om.wait_status(guest, "running")
    Path(shop.path("..", "hosted")).touch()
    for host in hosts:
        om.wait_status(host, *FINAL)
        om.refused("discard", host, "--force", code="not_finished")
    assert [os.path.isdir(tree) for tree in trees] == [True, True]
    for name, guest in (("idle", idle), ("busy", busy)):
        Path(shop.path("..", name)).touch()
        assert om.wait_status(guest, *FINAL)["status"] == "stopped"
    eventually(lambda: not os.path.exists(trees[0]), what="nothing was done in it")
    assert om.info(busy)["status"] == "stopped"
    assert os.path.isfile(os.path.join(trees[1], "new.txt"))
    om.ok("discard", hosts[1], "--force")
    shop.assert_nothing_left()


def _as(shop, other):
    """The same repository, seen from another home."""
    same = object.__new__(Project)
    same.__dict__.update(shop.__dict__, om=other)
    return same
