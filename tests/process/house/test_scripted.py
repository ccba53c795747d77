"""The scripted agent: one script drives a plain command and the stand-in for `claude`."""

from __future__ import annotations

from tests.kit import claude, scripted
from tests.kit.overmind import FINAL


def test_one_script_drives_a_command_and_an_agent(om, tmp_path):
    steps = [{"say": "at work"}, {"call": ["overmind", "version"]}, {"touch": str(tmp_path / "$OVERMIND_MISSION_NAME")}]
    script = scripted.write(tmp_path, steps)
    scripted.behind(claude.at_hand(om, tmp_path), script)
    om.ok("run", "--name", "plain", "--", *scripted.command(script))
    om.ok("run", "--name", "agent", "--provider", "claude", "begin")
    for name in ("plain", "agent"):
        assert om.wait_status(name, *FINAL)["exit_code"] == 0
        assert (tmp_path / name).exists()
        assert "at work" in om.ok("logs", name)
        assert "Bash: overmind version" in om.ok("logs", name)


def test_each_attempt_plays_its_part_and_what_it_starts_plays_none(om, tmp_path):
    script = {"tasks.TSK-001.2": [{"call": ["overmind", "run", "--name", "inner", "env"]}], "*": [{"say": "nobody"}]}
    command = scripted.command(scripted.write(tmp_path, script))
    attempt = ("--env", "OVERMIND_TASK=TSK-001", "--env", "OVERMIND_ATTEMPT=2", "--env", f"OVERMIND_IN={tmp_path}")
    om.ok("run", "--name", "outer", *attempt, "--", *command)
    assert om.wait_status("outer", *FINAL)["exit_code"] == 0
    om.wait_status("inner", *FINAL)
    inner = {line.partition("=")[0] for line in om.ok("logs", "inner").splitlines()}
    assert "OVERMIND_PARENT_ID" in inner
    assert not inner & {"OVERMIND_TASK", "OVERMIND_ATTEMPT", "OVERMIND_IN"}
