"""The demonstration of isolation, as it is told: four agents, four databases in containers, a merge and a conflict."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.kit.overmind import REPOSITORY


def test_the_story_goes_as_it_is_told():
    told = subprocess.run(
        [sys.executable, "-m", "scripts.webshop"],
        cwd=REPOSITORY,
        env={**os.environ, "AGENT_SECONDS": "0.5"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert (told.returncode, told.stderr) == (0, "")
    said = told.stdout
    assert "Each agent's Redis is a container." in said
    assert said.count("nobody else's") == 2
    assert "Discarded webshop/pound: worktree, branch overmind/webshop-pound, 1 container, 1 volume\n" in said
    assert said.endswith("Everything is removed again: worktrees, containers, volumes, the home.\n")
