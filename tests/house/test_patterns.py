"""Our patterns match alike in all Pythons that the program runs on."""

from __future__ import annotations

import re
from pathlib import Path

from tests.kit.overmind import REPOSITORY

WRITTEN = re.compile(r"re\.compile\(|^\s*rf?\"")
"""Begins a line with a pattern, or a part of one."""
GROUP = re.compile(r"\)(?:[*+?]|\{\d*,?\d*\})\+")


def test_no_group_is_repeated_possessively():
    """Python 3.11 before .5 matches such a group wrongly where what it repeats has choices (gh-106052)."""
    found = [
        f"{path.name}:{number}: {line.strip()}"
        for package in ("overmind_core", "overmind_tui")
        for path in Path(REPOSITORY, package).rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if WRITTEN.search(line) and GROUP.search(line)
    ]
    assert found == []
