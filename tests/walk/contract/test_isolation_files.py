"""A project's first `.overmind.yml`, as the command line writes it; no daemon is needed."""

from __future__ import annotations

import os
import subprocess

import pytest

from overmind_core.project_file.file import load


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / "src").mkdir()
    (folder / "Procfile").write_text("web: serve --port $PORT\n")
    (folder / "compose.yaml").write_text("services: { db: { image: 'postgres:16' }, api: { build: . } }\n")
    return folder


def test_init_copies_and_links_what_git_ignores(om, project):
    (project / ".gitignore").write_text(".env*\n!/.env.shared\nnode_modules/\n")
    (project / "package.json").write_text("{}")
    (project / "node_modules").mkdir()
    for name in (".env", ".env.shared"):
        (project / name).write_text("A=1\n")
    for state in ("no repository yet", "a new one"):
        assert ".env" in om.json("init", "--isolation", "--force", "--json", cwd=project)["found"], state
        found = load(str(project))
        assert found is not None
        assert (found.project.copy, found.project.link) == ((".env",), ("node_modules",))
        subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    subprocess.run(["git", "add", "-f", ".env"], cwd=project, check=True)
    assert ".env" not in om.json("init", "--isolation", "--force", "--json", cwd=project)["found"]


def test_init_looks_at_the_project_writes_its_file_at_the_top_and_never_over_one_that_is_there(om, project):
    path = project / ".overmind.yml"
    finished = om("init", "--isolation", cwd=project / "src")

    assert finished.returncode == 0
    assert finished.stdout.splitlines() == [
        f"Wrote {path}",
        "  found compose.yaml (1 container)",
        "  found Procfile (1 process)",
        "Services: db, web",
        "Review it, then: overmind isolate --check, overmind trust, and overmind run",
    ]
    assert "compose.yaml: no image to pull for api: skipped" in finished.stderr
    found = load(str(project))
    assert found is not None
    assert [one.name for one in found.project.services] == ["db", "web"]

    path.write_text("mine")
    assert "Overwrite it: --force" in om.refused("init", "--isolation", code="invalid", cwd=project)
    assert path.read_text() == "mine"
    assert om.json("init", "--isolation", "--force", "--json", cwd=project)["services"] == ["db", "web"]
    assert load(str(project)) == found
    assert "takes no file" in om.refused("init", "--isolation", "x.yml", code="invalid", cwd=project)
    assert not os.path.exists(om.path("supervisor.lock"))
