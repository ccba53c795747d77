"""Blueprints as files, before anything runs: `init` and `agents`."""

from __future__ import annotations

import os

import pytest

GRAPH = """\
prepare ─┐
         └─ count ─┐
measure ───────────┤
service ───────────┤
                   └─ check ─┐
                             └─ alarm
"""
WRONG = """\
[agents.build]
comand = "make"
[agents.test]
command = "echo ${agents.build.reslt}"
depends_on = ["biuld"]
cwd = "nosuch"
"""


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def test_what_init_writes_is_checked_listed_and_drawn_and_no_daemon_is_needed(om, project):
    assert om.ok("init", cwd=project) == "Wrote blueprint.toml\n"
    assert "already exists" in om.refused("init", code="invalid", cwd=project)
    assert om.json("init", "--force", "--json", cwd=project) == {"path": "blueprint.toml"}

    listed = om.ok("agents", "blueprint.toml", cwd=project).splitlines()
    assert listed[:2] == ["prepare", "count (depends on: prepare)"]
    assert listed[-1] == "alarm (depends on: check)"
    assert om.ok("agents", "--graph", "blueprint.toml", cwd=project) == GRAPH
    found = om.json("agents", "--json", "project/blueprint.toml", cwd=project.parent)
    assert found[0]["cwd"] == str(project)
    assert found[4]["depends_on"][1] == {"agent": "service", "until": "ready"}
    assert not os.path.exists(om.path("supervisor.lock"))


def test_agents_of_fleets_are_listed_behind_those_of_the_plan_and_nothing_else_starts_them(om, project):
    fleets = '[fleets.review]\nreplicas = 3\n[sentinels.disk]\nagent = "review"\n'
    (project / "team.toml").write_text(f'[agents.review]\ncommand = "x"\n{fleets}[agents.build]\ncommand = "y"\n')
    listed = om.ok("agents", "team.toml", cwd=project).splitlines()
    assert listed == ["build", "review (fleet review: 3)", "review (sentinel disk)"]
    refused = om.refused("ritual", "create", "nightly", "@daily", "--apply", "team.toml", code="invalid", cwd=project)
    assert "overmind apply team.toml" in refused
    (project / "team.toml").write_text(f'[agents.review]\ncommand = "x"\n{fleets}')
    om.refused("apply", "--wait", "team.toml", code="invalid", exit_code=2, cwd=project)


def test_every_mistake_is_a_line_with_file_line_and_column(om, project):
    (project / "wrong.toml").write_text(WRONG)

    finished = om("agents", "wrong.toml", cwd=project)

    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr.splitlines() == [
        'wrong.toml:1:9: build: missing command: give one, as in command = "make test"',
        "wrong.toml:2:1: unknown key 'comand'. Did you mean command?",
        "wrong.toml:4:17: command: build declares no output 'reslt'. Did you mean result?",
        "wrong.toml:5:15: depends_on: no agent is named 'biuld'. Did you mean build?",
        f"wrong.toml:6:7: cwd: the folder {project}/nosuch does not exist",
        "Error: invalid: wrong.toml has 5 mistakes.",
    ]
    for words, then in (
        (["diff"], ""),
        (["apply"], " Nothing was started."),
        (["--headless", "apply"], " Nothing was started."),
        (["ritual", "create", "nightly", "@daily", "--apply"], " No ritual was created."),
    ):
        refused = om(*words, "wrong.toml", cwd=project)
        assert refused.stderr.splitlines()[-1] == f"Error: invalid: wrong.toml has 5 mistakes.{then}"
    assert "No such file" in om.refused("agents", "nosuch.toml", code="invalid", cwd=project)
    om.refused("agents", "wrong.toml", "--var", "x", code="invalid", exit_code=2, cwd=project)
