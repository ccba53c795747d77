"""Missions are prepared, ended, started anew and discarded while whoever does it is killed at random moments."""

from __future__ import annotations

import os
import time

import pytest

from tests.kit import torture
from tests.kit.isolated import Project
from tests.kit.killing import PATIENCE, ask_until_answered, kill_both, kill_supervisor
from tests.kit.overmind import FINAL
from tests.kit.waiting import eventually

pytestmark = pytest.mark.torture
ROUNDS = torture.portion(4)
TEXT = """\
services:
  web: { command: "echo up at $PORT; exec sleep 1000", port: 3000, ready: { log: up at } }
  job: { command: "exec sleep 1000" }
isolation:
  port_range: 29000-29999
  copy: [.env]
  setup: ["echo one > set.log", "echo two >> set.log"]
"""


def assert_whole(om, shop, info):
    own = info["isolation"]
    for name in ("web", "job"):
        service = om.info(own["services"][name])
        assert (service["status"], service["cwd"]) == ("running", own["worktree"]), (
            info["id"],
            name,
            service["reason"],
        )
    with open(os.path.join(shop.worktree_of(info["id"]), "set.log")) as file:
        assert file.read() == "one\ntwo\n"
    assert os.path.exists(os.path.join(shop.worktree_of(info["id"]), ".env"))
    assert set(own["ports"]) == {"", "web"}


def assert_all_or_nothing(om, shop, missions):
    """Each comes to rest: it runs and has all that it needs, or has ended and nothing of it is left."""

    def look():
        om.ok("start")
        infos = [om.info(one) for one in missions]
        assert all(one["status"] in {"running", *FINAL} for one in infos), infos
        running = [one for one in infos if one["status"] == "running"]
        for one in running:
            assert_whole(om, shop, one)
        return shop.is_nothing_left([one["id"] for one in running])

    eventually(look, timeout=3 * PATIENCE, what="all have come to rest")


def asked(om, cmd, **args):
    """Ask for something that may be refused, of whoever answers next."""
    ask_until_answered(om, lambda api: api.request(cmd, **args))


@pytest.mark.parametrize("kill", [kill_supervisor, kill_both])
def test_whoever_is_killed_whenever_there_is_all_of_it_or_nothing(om, moments, kill):
    shop = Project(om, TEXT)
    for number in range(ROUNDS):
        missions = [shop.run(name=f"m{number}{letter}", grace=0.2) for letter in "abc"]
        time.sleep(moments.random() * 0.5)  # the moment itself is the experiment
        kill(om)
        assert_all_or_nothing(om, shop, missions)

        asked_for = dict(zip(missions, moments.sample(["stop", "kill", "restart"], 3), strict=True))
        for mission, command in asked_for.items():
            om.popen(command, mission)
        time.sleep(moments.random() * 0.6)
        kill(om)
        om.end_clients()
        assert_all_or_nothing(om, shop, missions)

        for mission in missions:
            om.popen("restart", mission, "--fresh", "--force")
        time.sleep(moments.random() * 0.8)
        kill(om)
        om.end_clients()
        assert_all_or_nothing(om, shop, missions)
        for mission in missions:
            asked(om, "kill", id=mission)
        shop.assert_nothing_left()
