"""A headless session that a person's terminal has had: one process for the conversation, and back where it was."""

from __future__ import annotations

from typing import Any

from tests.kit.agents import Agents
from tests.kit.processes import programs_with_word
from tests.kit.waiting import eventually


def one_process(agents: Agents, mission: str) -> bool:
    """Whether exactly one process writes the conversation, and it is the mission's."""
    info = agents.om.info(mission)
    return programs_with_word(info["session_id"]) == [info["os_pid"]]


def given_back(agents: Agents, mission: str) -> dict[str, Any]:
    """Wait until it is headless and idle again, and nobody is about to have it."""

    def look(info: dict[str, Any]) -> dict[str, Any]:
        stands = (info["mode"], info["status"], info["activity"], info["handover"])
        return info if stands == ("headless", "running", "idle", None) else {}

    info = agents.until(mission, look, what="headless, idle and not handed over")
    eventually(lambda: one_process(agents, mission), what="one process")
    return info
