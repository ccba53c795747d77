"""Agents as parts of plans: what they say flows on, what they cost counts, and how they end decides."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.kit.blueprints import EXAMPLES, applied, ended, stages

pytestmark = pytest.mark.shared_home


def test_the_example_hands_what_one_has_found_to_the_next(agents, tmp_path):
    blueprint = shutil.copy(os.path.join(EXAMPLES, "claude.toml"), tmp_path)
    asked = "List three facts about make's history, one line each, nothing else."
    done = agents.om("apply", "--wait", blueprint, "--var", "topic=make's history")
    assert done.returncode == 0, done
    assert agents.om.logs("claude/count") == f"echo: {asked}\n"
    told = agents.om.json("result", "claude/write")["result"]
    assert told.startswith("echo: Write one sentence that sums this up, nothing else:")
    assert f"echo: {asked}" in told
    assert agents.om.info("claude/write")["cost_usd"] > 0


def test_an_agent_that_fails_fails_its_plan_and_a_session_is_stopped_in_the_end(agents, tmp_path):
    plan = applied(agents.om, tmp_path, """
        [blueprint]
        on_failure = "continue"
        [agents.bad]
        provider = "claude"
        command = "!error 400"
        [agents.after]
        command = 'echo "it said ${agents.bad.exit_code}"'
        when = "failure"
        [agents.helper]
        provider = "claude"
        type = "session"
        command = "hello"
        ready = { log = "echo: hello", timeout = "20s" }
        [agents.asks]
        command = "true"
        depends_on = [{ agent = "helper", until = "ready" }]
    """)  # fmt: skip
    assert stages(ended(agents.om, plan)) == {
        "bad": "failed", "after": "succeeded", "helper": "succeeded", "asks": "succeeded",
    }  # fmt: skip
    assert agents.om.logs("plan/after").strip() == "it said 1"
