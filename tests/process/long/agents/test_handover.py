"""A headless session is given to a person's terminal and taken back: one conversation, one process, at every step."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import pytest

from tests.kit import claude, torture
from tests.kit.handover import given_back, one_process
from tests.kit.killing import kill_supervisor
from tests.kit.waiting import eventually
from tests.process.agents.test_handover import BASH, history, joining, until_ready

pytestmark = pytest.mark.shared_home


@pytest.fixture(autouse=True)
def settled(agents):
    """The person has set up the program and trusts the home."""
    claude.settle(agents.om, agents.om.home)


@pytest.mark.long
@pytest.mark.own_home
def test_the_supervisor_dies_while_a_turn_is_finished(agents):
    mission, gate = agents.session(*BASH), agents.gate()
    message = agents.post(mission, gate.prompt)
    agents.doing(mission, "working")
    with joining(agents, mission):
        eventually(lambda: agents.om.info(mission)["handover"] == "finishing")
        kill_supervisor(agents.om)
    gate.open()
    assert agents.answer(message)["text"] == "tool said: through"
    given_back(agents, mission)
    assert agents.heard(mission) == [gate.prompt]


@pytest.mark.long
@pytest.mark.own_home
@pytest.mark.parametrize("pause", torture.some([0.05, 0.0, 0.1, 0.2, 0.4]))
def test_the_supervisor_dies_on_the_way_there_and_on_the_way_back(agents, pause):
    mission = agents.session(prompt="by pipe")
    agents.answer(1)
    with contextlib.suppress(EOFError, OSError), joining(agents, mission) as api:
        time.sleep(pause)  # the moment itself is the experiment
        os.kill(agents.om.supervisor_pid(), signal.SIGKILL)
        until_ready(api)
    eventually(lambda: one_process(agents, mission), timeout=20)
    with joining(agents, mission) as api:
        until_ready(api)
    time.sleep(pause)
    kill_supervisor(agents.om)
    given_back(agents, mission)
    assert history(agents, mission) == ["by pipe"]
