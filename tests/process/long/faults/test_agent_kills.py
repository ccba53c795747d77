"""Scripted programs in the place of each driver's: they or their supervisor are killed amid turns and questions.

What was accepted is answered once, or given up after it was sent again; nobody is asked what nothing waits for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.kit import torture
from tests.kit.agents import Agents
from tests.kit.kill_rounds import kill_in_rounds
from tests.kit.rpc import AcpAgents, CodexAgents, RpcAgents

pytestmark = [pytest.mark.torture, pytest.mark.linux, pytest.mark.timeout(600 if torture.WHOLE else 120)]
KILLS = torture.portion(50)


class OwnAgents(RpcAgents):
    """A person's own agent, which speaks the Agent Client Protocol."""

    def __init__(self, om, folder):
        super().__init__(om, folder, "mine", "acp_agent.py")
        self.provider, program = "acp:mine", om.environment.pop("OVERMIND_MINE_BIN")
        settings = f'[providers.mine]\nprogram = "{program}"\nprotocol = "acp"\n'
        Path(om.path("config.toml")).write_text(settings, encoding="utf-8")


SPEAKING_ACP = ("copilot", "gemini", "opencode", "qwen")
DRIVERS: dict[str, Callable[[Any, str], Agents]] = {
    "claude": Agents,
    "codex": CodexAgents,
    **{name: partial(AcpAgents, provider=name) for name in SPEAKING_ACP},
    "own": OwnAgents,
}


@pytest.mark.parametrize("driver", DRIVERS)
def test_nothing_is_lost_doubled_or_left_where_agents_and_supervisors_are_killed(om, tmp_path, moments, driver):
    outcome = kill_in_rounds(DRIVERS[driver](om, str(tmp_path / "agents")), moments, KILLS)
    print(driver, outcome)  # noqa: T201 - the figures
    assert not outcome.faults, outcome
    assert outcome.messages == 2 * KILLS
