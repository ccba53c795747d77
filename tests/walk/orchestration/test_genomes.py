"""Agents that a plan takes from git: nothing of the file runs before a person has trusted it."""

from __future__ import annotations

from pathlib import Path

from tests.kit.repositories import Repository


def test_a_plan_whose_agent_comes_from_git_is_started_once_the_file_is_trusted_and_again_when_it_changes(om, tmp_path):
    shelf = Repository(str(tmp_path / "agents"))
    shelf.commit("agents", {"a.toml": '[agents.a]\ncommand = "echo one"\n'})
    address = f"{shelf.folder}//a.toml@main#a"
    plan = Path(tmp_path, "plan.toml")
    plan.write_text(f'[agents.a]\nagent = "{address}"\n')
    om.ok("start")
    said = om.refused("apply", str(plan), code="untrusted_project")
    assert f"overmind trust {address}" in said or f"overmind trust '{address}'" in said
    assert om.ps("--all") == []
    om.ok("trust", address, "--yes")
    om.ok("apply", str(plan), "--wait")
    assert "one" in om.ok("logs", "a")
    shelf.commit("agents", {"a.toml": '[agents.a]\ncommand = "echo two"\n'})
    assert "has changed since it was trusted" in om.refused("apply", str(plan), code="untrusted_project")
    om.ok("trust", address, "--yes", "--revoke")
    assert "No longer" not in om.refused("trust", address, "--revoke", code="not_found")
