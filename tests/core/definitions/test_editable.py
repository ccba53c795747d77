"""What a person changes of a mission, and what stays as it is."""

from __future__ import annotations

from dataclasses import MISSING, fields

import msgspec

from overmind_core.definitions.editable import EditableMission, applied, shown
from overmind_core.domain.agents.agent import Agent, AgentFolders, AgentMode
from overmind_core.domain.missions.mission import Definition, Kind
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


def test_a_command_that_is_not_edited_is_read_as_it_was_written():
    shell = ("/bin/sh", "-c", 'echo "${OVERMIND_REF_1}"')
    before = EditableMission(Definition("p/two", "echo ${agents.one.result}", shell, "/work"), None, {})
    same = msgspec.convert({**shown(before), "labels": {"a": "b"}}, Terms)
    assert applied(before, same, Settings()).definition.command == "echo ${agents.one.result}"
    other = msgspec.convert({**shown(before), "command": "echo other"}, Terms)
    assert applied(before, other, Settings()).definition.command == "echo other"


def test_an_edit_keeps_everything_of_a_definition_that_is_no_term():
    definition = Definition(
        "login", "claude", ("claude",), "/work", Kind.SESSION, "claude", interactive=True, tty=False, umask=0o077,
        parent="a1b2c3d4", isolated=True,
    )  # fmt: skip
    before = EditableMission(definition, Agent(AgentMode.HEADLESS, program="/opt/claude"), {})
    after = applied(before, msgspec.convert({**shown(before), "name": "sign-in"}, Terms), Settings()).definition
    kept = [field for field in fields(Definition) if field.name not in Terms.__struct_fields__]
    assert [one.name for one in kept if one.default in {MISSING, getattr(definition, one.name)}] == ["argv"]
    assert {one.name: getattr(after, one.name) for one in kept} == {
        one.name: getattr(definition, one.name) for one in kept
    }
    assert after.name == "sign-in"
