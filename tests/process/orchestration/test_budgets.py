"""What a tree of missions may cost: with the stand-in, whose turns cost about five cents each."""

from __future__ import annotations

import pytest

from tests.kit.killing import kill_supervisor
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.linux, pytest.mark.shared_home]


def notes(om, kind):
    return [(event["mission"], event["text"]) for event in om.events(kind)]


def test_the_whole_tree_ends_when_the_limit_of_its_root_is_spent(agents):
    om = agents.om
    root = om.mission("sleep 100", "--max-cost", "0.22", "--name", "root")
    one, two = agents.session("--parent", root), agents.session("--parent", root)
    below = agents.session("--parent", one)
    stranger = agents.session()
    for mission in (one, two, below, one):
        assert om("send", mission, "--wait", "hello").returncode == 0
    assert [mission for mission, _ in notes(om, "cost_warning")] == [root]
    om("send", below, "--wait", "hello")
    for mission in (one, two, below):
        ended = om.wait_status(mission, "crashed")
        assert ended["reason"] == "max_cost"
        assert f"spent by the tree of mission {root} (root) ---" in om.logs(mission)
    assert len(notes(om, "cost_warning")) == 1
    info = om.info(root)
    assert info["max_cost_usd"] == 0.22
    assert info["tree_cost_usd"] == pytest.approx(sum(om.info(one)["cost_usd"] for one in (one, two, below)))
    assert (om.info(root)["status"], om.info(stranger)["status"]) == ("running", "running")
    said = om.refused("claude", "run", "--parent", root, "more", code="forbidden")
    assert f"The tree of mission {root} (root) has spent $0.2" in said
    assert "its --max-cost is $0.22" in said
    om.mission("sleep 100", "--parent", root)


def test_an_agents_own_limit_counts_what_its_children_cost(agents):
    om = agents.om
    planner = agents.session("--max-cost", "0.12")
    child = agents.session("--parent", planner)
    for mission in (child, child):
        om("send", mission, "--wait", "hello")
    assert om.info(planner)["status"] == "running"
    om("send", planner, "--wait", "hello")
    assert om.wait_status(planner, "crashed")["reason"] == "max_cost"
    assert om.wait_status(child, "crashed")["reason"] == "max_cost"
    assert "--- stopped: $0.15 of $0.12 spent ---" in om.logs(planner)


@pytest.mark.own_home
def test_what_was_spent_is_known_after_the_supervisor_was_killed(agents):
    om = agents.om
    root = om.mission("sleep 100", "--max-cost", "0.12")
    one, two = agents.session("--parent", root), agents.session("--parent", root)
    om("send", one, "--wait", "hello")
    om("send", two, "--wait", "hello")
    kill_supervisor(om)
    om("send", one, "--wait", "hello")
    for mission in (one, two):
        assert om.wait_status(mission, "crashed")["reason"] == "max_cost"
    kill_supervisor(om)
    om.refused("claude", "run", "--parent", root, "more", code="forbidden")


def test_what_a_removed_child_has_cost_stays_spent(agents):
    om = agents.om
    root = om.mission("sleep 100", "--max-cost", "0.09")
    one = om.mission(["hello"], "--provider", "claude", "--parent", root)
    om.wait_status(one, "stopped")
    om.ok("rm", one)
    two = om.mission(["hello"], "--provider", "claude", "--parent", root)
    om.wait_status(two, "crashed")
    eventually(lambda: om.info(two)["reason"] == "max_cost")
    om.refused("claude", "run", "--parent", root, "more", code="forbidden")
