"""Agents with a worktree of their own: the set-up is not taken for what they say, and conversations go on."""

from __future__ import annotations

import json
import os

import pytest

from tests.kit import claude
from tests.kit.agents import LEAVE
from tests.kit.attached import Attached
from tests.kit.isolated import Project
from tests.kit.killing import kill_supervisor
from tests.kit.overmind import FINAL
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

RESULT = json.dumps({"type": "result", "subtype": "success", "is_error": False, "result": "done", "total_cost_usd": 99})
TEXT = f"""\
isolation:
  port_range: 28000-28999
  setup:
    - |
      echo >> ~/setups; until [ -e ~/go ]; do sleep 0.02; done; echo '{RESULT}'
"""


@pytest.fixture
def shop(agents):
    shop = Project(agents.om, TEXT)
    agents.work = shop.folder
    return shop


def setups(shop):
    with open(shop.path("..", "setups")) as file:
        return len(file.readlines())


@pytest.mark.own_home
def test_a_session_says_nothing_before_its_set_up_is_over_and_goes_on_after_everything(agents, shop):
    om = agents.om
    mission = shop.run([], "agent", type="session", provider="claude", agent={}, env=om.environment | shop.environ)
    eventually(lambda: os.path.exists(shop.path("..", "setups")), what="its set-up runs")
    first = agents.post(mission, "early")
    kill_supervisor(om)
    assert om.info(mission)["status"] == "preparing"
    with open(shop.path("..", "go"), "w"):
        pass
    om.wait_status(mission, "running", *FINAL)
    assert agents.answer(first)["state"] == "answered"
    info = om.info(mission)
    assert (info["cwd"], info["cost_usd"] < 99) == (shop.worktree_of(mission), True)
    assert "echo: early" in om.logs(mission)

    om.api("restart", id=mission)
    om.wait_status(mission, "running", *FINAL)
    kill_supervisor(om)
    assert agents.say(mission, "!history").count("early") == 1
    assert setups(shop) == 1
    claude.settle(om, shop.worktree_of(mission))
    with Attached(om, mission) as person:
        person.shows("echo: early")
        person.type(LEAVE)
        assert person.end() == 0
    agents.until(mission, lambda now: (now["mode"], now["activity"]) == ("headless", "idle"), what="it is given back")
    assert agents.say(mission, "!history").count("early") == 1
    assert om.info(mission)["isolation"]["worktree"] == shop.worktree_of(mission)
    om.api("stop", id=mission)
    shop.assert_nothing_left()


def test_a_task_works_in_its_worktree(agents, shop):
    with open(shop.path("..", "go"), "w"):
        pass
    done = agents.task("!bash pwd > where.txt; cat where.txt", "--allowed-tools", "Bash", "--name", "agent")
    assert (done["status"], done["exit_code"]) == ("stopped", 0)
    worktree = shop.worktree_of(done["id"])
    with open(os.path.join(worktree, "where.txt")) as file:
        assert file.read() == f"{worktree}\n"
    assert RESULT in agents.om.logs(done["id"])
    shop.assert_nothing_left(but=[done["id"]])
