"""Conversations that the real programs keep are found in their files, and go on as missions."""

from __future__ import annotations

import pytest

from tests.kit.overmind import FINAL
from tests.kit.processes import alive
from tests.kit.waiting import eventually

pytestmark = pytest.mark.linux
TURN_USD = 0.008
"""Of a turn of opencode with the stub, about."""
KEEPING = ("codex", "copilot", "gemini", "opencode", "qwen")


@pytest.mark.parametrize("provider", KEEPING)
@pytest.mark.proves("adopt")
def test_a_kept_conversation_is_listed_and_goes_on(agents):
    om = agents.om
    earlier = agents.task("the first words")["id"]
    om.ok("rm", earlier)
    (kept,) = om.json("adopt", "--json", cwd=agents.work)
    assert (kept["provider"], kept["cwd"], kept["pid"]) == (agents.provider, agents.work, None)
    assert "the first words" in kept["title"]
    answer = om.ok("adopt", kept["session"][:12], "--name", "adopted", cwd=agents.work)
    assert answer.startswith("Adopted conversation ")
    assert " | the first words | " in agents.say("adopted", "!history")
    lines = om.logs("adopted").splitlines()
    assert lines[:2] == [f"--- goes on with conversation {kept['session']} ---", "[before] [human] the first words"]
    assert "[before] echo: the first words" in lines
    assert om.info("adopted")["id"] in om.refused("adopt", kept["session"], cwd=agents.work, code="busy")
    info = om.info("adopted")
    assert info["session_id"] == kept["session"]
    if agents.provider == "opencode":  # the only one that tells a sum: that of the whole conversation
        assert 0 < info["cost_usd"] < 1.5 * TURN_USD


@pytest.mark.parametrize("provider", ["copilot", "qwen"])
def test_a_conversation_that_a_process_leads_is_refused_until_that_has_ended(agents):
    """A record of qwen stays behind, and its process is gone."""
    om = agents.om
    if agents.provider == "qwen":  # which writes the record on its own screen only
        words = [om.environment["OVERMIND_QWEN_BIN"], "--approval-mode", "default", "-i", "the first words"]
        mission = om.mission(words, "--type", "session", "--cwd", agents.work)
    else:
        mission = agents.session(prompt="the first words")

    def kept():
        rows = om.json("adopt", "--json", "--all", cwd=agents.work)
        return rows[0] if rows else None

    row = eventually(kept, timeout=agents.patience, what="it is kept")
    assert row["mission"] == mission
    assert alive(row["pid"])
    assert mission in om.refused("adopt", row["session"], cwd=agents.work, code="busy")
    om.ok("kill", mission)
    assert kept()["pid"] is None


@pytest.mark.parametrize("provider", KEEPING)
def test_a_conversation_that_its_program_has_lost_is_not_begun_again(agents):
    om = agents.om
    agents.task("the first words")
    (kept,) = om.json("adopt", "--json", cwd=agents.work)
    request = {"command": "", "cwd": agents.work, "provider": agents.provider, "type": "session",
               "env": om.environment, "conversation": {"id": kept["session"][:-4] + "0000"}}  # fmt: skip
    mission = om.api("run", **request)["id"]
    info = om.wait_status(mission, *FINAL)
    assert (info["status"], info["reason"]) == ("crashed", "wrong_start")
