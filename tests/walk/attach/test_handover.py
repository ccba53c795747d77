"""A headless session is given a terminal for whoever attaches; what that person sees and can do until then."""

from __future__ import annotations

import pytest

from tests.kit import claude
from tests.kit.agents import LEAVE, Agents
from tests.kit.attached import Attached
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home


@pytest.fixture
def agents(om, tmp_path):
    """The stand-in as everybody's agent, set up by a person who trusts the home."""
    claude.settle(om, om.home)
    return Agents(om, str(tmp_path))


@pytest.fixture
def busy(agents):
    """A session in the middle of a turn, and the gate that ends it."""
    gate = agents.gate()
    mission = agents.session("--allowed-tools", "Bash", "--name", "worker")
    agents.say(mission, "hello")
    agents.post(mission, gate.prompt)
    agents.doing(mission, "working")
    return mission, gate


def modes(om, mission):
    return om.info(mission)["mode"]


def test_an_idle_one_changes_over_at_once_and_back(om, agents, attach):
    mission = agents.session("--name", "worker")
    agents.say(mission, "first words")
    person = attach(mission)
    person.shows("first words")
    assert modes(om, mission) == "interactive"
    person.type(LEAVE)
    assert person.end() == 0
    assert person.settings() == person.before
    eventually(lambda: modes(om, mission) == "headless", timeout=30, what="it is handed back")
    assert agents.say(mission, "more words")


def test_a_turn_under_way_is_waited_for(om, agents, busy):
    mission, gate = busy
    with Attached(om, mission) as person:
        person.shows("finishing the turn")
        assert person.settings() == person.before
        gate.open()
        person.joined()
        person.type(LEAVE)
        assert person.end() == 0


def test_enter_interrupts_the_turn(om, busy):
    mission, _ = busy
    with Attached(om, mission) as person:
        person.shows("finishing the turn")
        person.type(b"\r")
        person.joined()
        person.type(LEAVE)
        assert person.end() == 0


def test_ctrl_c_gives_up(om, agents, busy):
    mission, gate = busy
    with Attached(om, mission) as person:
        person.shows("finishing the turn")
        person.type(b"\x03")
        assert person.end() == 130
        assert person.settings() == person.before
    gate.open()
    agents.doing(mission, "idle")
    eventually(lambda: modes(om, mission) == "headless", timeout=30, what="it is where it was")
