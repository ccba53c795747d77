"""Real programs with their own screen, as any other program on a terminal."""

from __future__ import annotations

import pytest

from tests.kit.processes import alive
from tests.kit.waiting import eventually

pytestmark = pytest.mark.linux


@pytest.mark.parametrize("provider", ["codex", "opencode", "qwen"])
def test_an_interrupt_ends_the_turn_and_not_the_program(agents, provider):
    om, program = agents.om, agents.om.environment[f"OVERMIND_{provider.upper()}_BIN"]
    mission = om.mission([program], "--type", "session", "--cwd", agents.work)

    def does(state):
        info = om.info(mission)
        return state in {info["activity"], info["activity_guess"]}

    eventually(lambda: does("idle"), timeout=40, what="its prompt is there")
    om.ok("send", mission, "%slow 60")
    eventually(lambda: does("working"), timeout=20, what="it works")
    pid = om.pid(mission)
    assert om.json("interrupt", mission, "--json")[0]["interrupted"]
    eventually(lambda: does("idle"), timeout=20, what="the turn is over")
    assert alive(pid)
