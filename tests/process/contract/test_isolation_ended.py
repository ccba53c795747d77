"""A mission that is ended while it is prepared, at each of the steps, in each of the ways."""

from __future__ import annotations

import pytest

from tests.kit.isolated import GATES, Gates, Project
from tests.kit.overmind import FINAL

pytestmark = pytest.mark.shared_home


@pytest.fixture
def shop(om):
    return Project(om)


@pytest.fixture
def gates(om, shop):
    gates = Gates(om)
    gates.hook(shop)
    return gates


@pytest.mark.parametrize(("way", "status"), [("stop", "stopped"), ("kill", "killed")])
def test_ended_at_any_step_nothing_of_it_is_left(om, shop, gates, way, status):
    for gate in GATES:
        gates.hold_at(gate)
        mission = shop.run(grace=0.5)
        gates.await_at(gate)
        assert om.info(mission)["status"] == "preparing"
        om.api(way, id=mission)
        assert om.info(mission)["status"] == status, gate
        shop.assert_nothing_left()


@pytest.mark.parametrize("fresh", [False, True])
def test_started_again_at_any_step_it_has_all_of_it_anew(om, shop, gates, fresh):
    for gate in GATES:
        gates.hold_at(gate)
        mission = shop.run("echo $WEB_PORT; exec sleep 1000", grace=0.5)
        gates.await_at(gate)
        om.api("restart", id=mission, fresh=fresh)
        gates.open(*GATES)
        info = om.wait_status(mission, "running", *FINAL)
        assert (info["status"], info["restart_count"]) == ("running", 1), gate
        assert om.api("info", id=info["isolation"]["services"]["web"])["status"] == "running"
        om.api("stop", id=mission)
        shop.assert_nothing_left()
