"""What a person changes of a mission, and what stays as it is."""

from __future__ import annotations

import msgspec

from overmind_core.definitions.editable import EditableMission, applied, shown
from overmind_core.domain.agents.agent import Agent, AgentFolders
from overmind_core.domain.missions.mission import Definition
from overmind_core.kernel.config import Settings
from overmind_core.missions.requests import Terms


def test_an_edit_leaves_the_agent_of_a_quest_its_folders():
    folders = AgentFolders("/h/in", "/h/out")
    definition = Definition("login", "do it", ("claude",), "/work", provider="claude", tty=False)
    before = EditableMission(definition, Agent(prompt="do it", program="/opt/claude", folders=folders), {})
    terms = msgspec.convert({**shown(before), "agent": {"prompt": "do it well"}}, Terms)
    after = applied(before, terms, Settings())
    assert after.agent is not None
    assert (after.agent.prompt, after.agent.program, after.agent.folders) == ("do it well", "/opt/claude", folders)
