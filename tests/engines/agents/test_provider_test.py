"""`overmind provider test` with each real program beside the stub of its models."""

from __future__ import annotations

import json
import os

import pytest

from tests.kit.real_agents import MODELS

pytestmark = pytest.mark.linux


def test_a_real_program_passes_each_check_that_it_can(agents, tmp_path):
    (tmp_path / "temporary").mkdir()
    model = ("--model", MODELS[agents.provider]) if agents.provider in MODELS else ()
    place = {"TMPDIR": str(tmp_path / "temporary")}
    done = agents.om("provider", "test", agents.provider, "--yes", "--json", *model, env=place, timeout=300)
    assert done.stdout, done.stderr
    results = {one["check"]: one["result"] for one in json.loads(done.stdout)["checks"]}
    assert results == dict.fromkeys(results, "ok"), done.stderr
    left = [
        name for name in os.listdir(tmp_path / "temporary") if name.startswith("overmind")
    ]  # the program has others
    assert (done.returncode, agents.om.ps("--all"), left) == (0, [], [])
