"""A service with several ports: each is the mission's own, in a variable of its own, and let go with the others."""

from __future__ import annotations

import socket

import pytest

from tests.kit.isolated import Project
from tests.kit.overmind import FINAL
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

TEXT = """\
services:
  web:
    command: echo up at $PORT, $WEB_PORT_3001 and $WEB_PORT_3002; exec sleep 1000
    ports: [3000, 3001, 3002]
    ready: { log: up at }
isolation: { port_range: 24700-24799 }
"""
SHOW = "echo $PORT $WEB_PORT $WEB_PORT_3001 $WEB_PORT_3002 $WEB_HOST; echo work > work.txt; exec sleep 1000"


def test_each_port_of_a_service_is_seen_by_all_that_need_it_and_let_go_with_the_others(om):
    shop = Project(om, TEXT)
    explained = om.ok("isolate", "--check", shop.folder)
    assert "Ports     PORT 24700, web 24701 (for 3000), web 24702 (for 3001), web 24703 (for 3002)\n" in explained
    assert "(3000 at 127.0.0.1:24701, 3001 at 127.0.0.1:24702, 3002 at 127.0.0.1:24703)\n" in explained
    mission = shop.run(SHOW)
    assert om.wait_status(mission, "running", *FINAL)["status"] == "running", om.logs(mission)

    info = om.info(mission)["isolation"]
    ports = info["ports"]
    assert list(ports) == ["", "web", "web/3001", "web/3002"]
    own, first, second, third = ports.values()
    told = f"{own} {first} {second} {third} 127.0.0.1\n"
    eventually(lambda: told in om.logs(mission), what="the mission has them")
    assert f"up at {first}, {second} and {third}\n" in om.logs(info["services"]["web"])
    listed = [line.split() for line in om.ok("ports").splitlines()]
    assert [str(second), mission, "api", "running", "web/3001", "yes"] in listed
    described = [line.split() for line in om.ok("describe", mission).splitlines()]
    assert ["port", "of", "web", str(first)] in described
    assert ["port", "3001", "of", "web", str(second)] in described
    assert f"web/3002:{third}" in om.ok("worktrees")

    om.api("kill", id=mission)
    shop.assert_nothing_left(but=[mission])
    assert [row["held"] for row in om.json("ports", "--all", "--json") if row["mission"] == mission] == [False] * 4
    om.api("restart", id=mission)
    om.wait_status(mission, "running", *FINAL)
    assert om.info(mission)["isolation"]["ports"] == ports, "it has the same ones again"
    om.api("kill", id=mission)
    with socket.create_server(("127.0.0.1", second)):
        om.api("restart", id=mission)
        om.wait_status(mission, "running", *FINAL)
        other = om.info(mission)["isolation"]["ports"]
        assert other == ports | {"web/3001": other["web/3001"]} != ports, "another one only for that which is taken"
        om.api("kill", id=mission)
    om.api("discard", id=mission, force=True)
    shop.assert_nothing_left()
