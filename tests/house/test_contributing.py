"""The example of docs/contributing.md, followed: its files and rows, put into a copy of the source, are a feature.

A block below a line that is a path is a file that is added; one below `In path, before line:` or `after line:` are
lines that are put there. The lines are named by how they begin, and there is one such line in the file.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from tests.kit.overmind import REPOSITORY

PAGE = os.path.join(REPOSITORY, "docs", "contributing.md")
EDITED_AT_MOST = 4
BLOCK = re.compile(
    r"^(?:In )?`(?P<path>[\w./]+)`(?:, (?P<where>before|after) `(?P<line>[^\n]+)`)?:\n\n```\w+\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


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
