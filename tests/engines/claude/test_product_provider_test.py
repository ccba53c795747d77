"""`overmind provider test claude`, with the stand-in and with the real program."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.linux


def test_claude_passes_each_check(agents):
    done = agents.om("provider", "test", "claude", "--yes", "--json", timeout=180)
    assert done.stdout, done.stderr
    results = {one["check"]: one["result"] for one in json.loads(done.stdout)["checks"]}
    assert results == dict.fromkeys(results, "ok"), done.stderr
    assert (done.returncode, agents.om.ps("--all")) == (0, [])
