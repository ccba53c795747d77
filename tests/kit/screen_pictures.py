"""The pictures of the screen in `snapshots/screen-pictures.txt`: every cell, blanks at the ends of lines left out."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache

from overmind_core.view.cells import Cell
from tests.kit.overmind import REPOSITORY

PATH = os.path.join(REPOSITORY, "snapshots", "screen-pictures.txt")
SIZES = ((80, 24), (120, 40), (200, 60))
"""Columns and rows of the terminals that are drawn."""
_HEADING = re.compile(r"^## (.+), (\d+)x(\d+)$")


@cache
def pictures() -> dict[tuple[str, tuple[int, int]], tuple[str, ...]]:
    """Name and size → as many lines as the terminal has rows."""
    found: dict[tuple[str, tuple[int, int]], list[str]] = {}
    lines: list[str] = []
    with open(PATH, encoding="utf-8") as file:
        for line in file.read().split("\n"):
            heading = _HEADING.match(line)
            if heading:
                name, columns, rows = heading.groups()
                lines = found.setdefault((name, (int(columns), int(rows))), [])
            else:
                lines.append(line)
    return {key: tuple([*some, *[""] * key[1][1]][: key[1][1]]) for key, some in found.items()}


def texts(lines: Sequence[Sequence[Cell]]) -> list[str]:
    """Lines of cells as the pictures have them."""
    return ["".join(cell.text for cell in line).rstrip() for line in lines]
