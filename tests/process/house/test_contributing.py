"""The example of docs/contributing.md, followed: its files and rows, put into a copy of the source, are a feature.

A block below a line that is a path is a file that is added; one below `In path, before line:` or `after line:` are
lines that are put there. The lines are named by how they begin, and there is one such line in the file.
"""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys

import pytest

from tests.house.test_contributing import ADDED, EDITS, Block
from tests.kit.overmind import PROGRAM, REPOSITORY

PACKAGES = ("overmind_core", "overmind_tui", "overmind_web")
SEES = """
import json
from overmind_core.view.registry import find
view = find("pinned")
rows = view.fetch.shape([{"id": "a1b2c3d4", "name": "api", "pinned_at": "1970-01-01T00:00:10.000Z"}])
print(json.dumps([view.name, view.fetch.request, [column.cell(rows[0], 70.0).text for column in view.columns]]))
"""


def with_lines(text: str, edit: Block) -> str:
    """The text with the lines where the page says that they go."""
    lines = text.splitlines(keepends=True)
    (at,) = [place for place, line in enumerate(lines) if line.strip().startswith(edit.line or "")]
    lines.insert(at if edit.where == "before" else at + 1, edit.text)
    return "".join(lines)


@pytest.fixture
def changed(om, tmp_path):
    """The command line of a copy of the source in which the example was followed; at its end all has to be gone."""
    root = tmp_path / "source"
    for package in PACKAGES:
        shutil.copytree(os.path.join(REPOSITORY, package), root / package, ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in ADDED.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        assert not (root / path).exists(), path
        (root / path).write_text(text)
    for edit in EDITS:
        file = root / edit.path
        file.write_text(with_lines(file.read_text(), edit))
    om.environment["PYTHONPATH"] = str(root)
    return om


def test_its_own_test_passes_and_a_process_inside_a_mission_may_not(changed):
    om = changed
    root = om.environment["PYTHONPATH"]
    (path,) = [path for path in ADDED if path.startswith("tests/")]
    tests = [one for name, one in runpy.run_path(os.path.join(root, path)).items() if name.startswith("test_")]
    assert tests
    for test in tests:
        test(om)
        om.api("kill", all=True)
        om.api("prune")
    api = om.mission("sleep 1000", "--name", "api")
    inside = om.finished([*PROGRAM, "pin", "api"])
    assert inside["exit_code"] == 1
    assert "may not pin missions" in om.logs(inside["id"])
    assert om.json("pins", "--json") == []
    om.ok("pin", "api")
    assert [row["id"] for row in om.json("pins", "--json")] == [api]


def test_the_view_is_known(changed):
    printed = subprocess.run(
        [sys.executable, "-P", "-c", SEES], env=changed.environment, capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(printed) == ["pins", "pins", ["api", "a1b2c3d4", "1m 00s"]]
