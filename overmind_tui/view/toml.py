"""TOML in colours. Pure."""

from __future__ import annotations

import re

from overmind_tui.view.cells import Cell, safe

Lines = list[list[Cell]]
_KEY = re.compile(r"""(\s*(?:"[^"]*"|'[^']*'|[\w.-]+)\s*)=(.*)""")


def lines(text: str) -> Lines:
    """Each line as cells; a text of several lines is plain up to its end."""
    found: Lines = []
    inside = False
    for line in text.splitlines():
        found.append([Cell(" "), *([Cell(safe(line))] if inside else _line(line))])
        inside ^= line.count('"""') % 2 == 1
    return found


def _line(line: str) -> list[Cell]:
    if line.lstrip().startswith("#"):
        return [Cell(safe(line), "faint")]
    if line.lstrip().startswith("["):
        return [Cell(safe(line), "title")]
    key = _KEY.fullmatch(line)
    return [Cell(safe(line))] if key is None else [Cell(safe(key[1]), "key"), Cell("=", "faint"), Cell(safe(key[2]))]
