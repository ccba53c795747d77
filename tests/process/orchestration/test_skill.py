"""Our instructions for orchestrators: they are printed, and each command in them is one that works."""

from __future__ import annotations

import json

from overmind_core.client import skill


def test_it_is_printed_for_a_system_prompt_and_as_a_skill_file(om):
    assert om.ok("skill") == skill.instructions()
    printed = om.ok("skill", "--format", "claude")
    head, _, body = printed.removeprefix("---\n").partition("\n---\n\n")
    name, description = (line.split(": ", 1)[1] for line in head.splitlines())
    assert (name, json.loads(description)) == (skill.SKILL_NAME, skill.SKILL_DESCRIPTION), "in quotes: it has a colon"
    assert body == skill.instructions()
    assert json.loads(om.ok("skill", "--json")) == {
        "name": skill.SKILL_NAME,
        "description": skill.SKILL_DESCRIPTION,
        "text": skill.instructions(),
    }
