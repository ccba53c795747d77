"""The example with agents: what the first one says, the next one is told."""

from __future__ import annotations

import os

from tests.kit.blueprints import EXAMPLES


def test_what_one_agent_has_found_another_one_gets(agents):
    asked = "List three facts about make's history, one line each, nothing else."
    blueprint = os.path.join(EXAMPLES, "claude.toml")

    finished = agents.om("apply", "--wait", blueprint, "--var", "topic=make's history", cwd=agents.work)

    assert finished.returncode == 0, finished.stderr
    assert agents.om.logs("claude/count") == f"echo: {asked}\n"
    told = agents.om.json("result", "claude/write")["result"]
    assert told.startswith("echo: Write one sentence that sums this up, nothing else:")
    assert f"echo: {asked}" in told
