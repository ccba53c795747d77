"""The example of docs/contributing.md, followed: its files and rows, put into a copy of the source, are a feature.

A block below a line that is a path is a file that is added; one below `In path, before line:` or `after line:` are
lines that are put there. The lines are named by how they begin, and there is one such line in the file.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from typing import NamedTuple

import pytest

from tests.kit.overmind import PROGRAM, REPOSITORY

PAGE = os.path.join(REPOSITORY, "docs", "contributing.md")
PACKAGES = ("overmind_core", "overmind_tui", "overmind_web")
EDITED_AT_MOST = 4
BLOCK = re.compile(
    r"^(?:In )?`(?P<path>[\w./]+)`(?:, (?P<where>before|after) `(?P<line>[^\n]+)`)?:\n\n```\w+\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
SEES = """
import json
from overmind_core.view.registry import find
view = find("pinned")
rows = view.fetch.shape([{"id": "a1b2c3d4", "name": "api", "pinned_at": "1970-01-01T00:00:10.000Z"}])
print(json.dumps([view.name, view.fetch.request, [column.cell(rows[0], 70.0).text for column in view.columns]]))
"""


class Block(NamedTuple):
    """What the page says of one file: its text, or lines that come before or after the one that begins so."""

    path: str
    where: str | None
    line: str | None
    text: str


def page() -> str:
    with open(PAGE, encoding="utf-8") as file:
        return file.read()


def blocks() -> list[Block]:
    return [Block(**found.groupdict()) for found in BLOCK.finditer(page())]


def numbered(path: str) -> str:
    """The path with the next free number in its folder for `NNNN`."""
    if "NNNN" not in path:
        return path
    steps = os.listdir(os.path.join(REPOSITORY, os.path.dirname(path)))
    return path.replace("NNNN", f"{max(int(name[:4]) for name in steps if name.endswith('.sql')) + 1:04}")


ADDED = {numbered(block.path): block.text for block in blocks() if block.where is None}
EDITS = [block for block in blocks() if block.where is not None]


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


def test_every_block_of_the_example_is_read():
    example = page().partition("\n## An example: ")[2]
    assert example.count("\n```") == 2 * len(blocks())


def test_no_step_of_the_database_is_named_by_a_number_that_will_be_taken():
    assert re.findall(r"schema/(\d+)", page()) == []


def test_it_edits_few_files_and_only_by_rows():
    edited = {edit.path for edit in EDITS}
    assert 0 < len(edited) <= EDITED_AT_MOST
    assert not edited & set(ADDED)
    assert [path for path in edited if not os.path.exists(os.path.join(REPOSITORY, path))] == []
    assert [path for path in ADDED if os.path.exists(os.path.join(REPOSITORY, path))] == []


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
