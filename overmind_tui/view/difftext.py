"""A diff as lines to read: the files in it, the number of each line, and of which place each line speaks. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from overmind_tui.view.cells import Cell, safe

GUTTER = 6
"""Cells of a line's number, and the blank behind it."""
_TONES = {"+": "good", "-": "bad", "\\": "faint"}
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_BEGINS = ("diff --git ", "diff --cc ", "diff --combined ")
_SAID = ("old mode ", "new mode ", "new file mode 1007", "Binary files ", "GIT binary patch")
"""What stands before the lines of a file and is no news to nobody; all else is said above it."""


class Spot(NamedTuple):
    """A line of a diff.

    Attributes:
        path: Of its file.
        number: In the file as it is now; of a line that is gone, in the file as it was.
        text: The line, with its sign.
    """

    path: str
    number: int
    text: str

    @property
    def place(self) -> str:
        """What it is called."""
        return f"{safe(self.path)}:{self.number}"


Drawn = tuple[list[Cell], Spot | None]


def parts(diff: str) -> list[list[str]]:
    """The diff of each file."""
    found: list[list[str]] = []
    for line in diff.split("\n"):
        if line.startswith(_BEGINS) or not found:
            found.append([])
        found[-1].append(line)
    return [part for part in found if any(part)]


def path(part: Sequence[str]) -> str:
    """The path of a file's diff; that of the file that is gone where there is no new one."""
    for sign in ("+++ b/", '+++ "b/', "--- a/", '--- "a/', "rename to "):
        named = next((line for line in part if line.startswith(sign)), None)
        if named is not None:
            return named.removeprefix(sign).rstrip("\t").removesuffix('"' if '"' in sign else "")
    both = re.match(r"diff --git a/(.*) b/\1$", part[0])
    return both[1] if both else ""


def counted(part: Sequence[str]) -> tuple[int | None, int | None]:
    """Lines that came and went; None where there are no lines."""
    if not any(line.startswith("@@") for line in part):
        return None, None
    body = False
    added = removed = 0
    for line in part:
        body = body or line.startswith("@@")
        added += body and line.startswith("+")
        removed += body and line.startswith("-")
    return added, removed


def drawn(part: Sequence[str], most: int) -> list[Drawn]:
    """The lines of a file's diff without what its heading says already, at most so many, each with its place."""
    found: list[Drawn] = []
    name = path(part)
    old = new = 0
    numbered = body = False
    for line in part[: most + len(_BEGINS)]:
        if line.startswith("@@"):
            hunk = _HUNK.match(line)
            body, numbered = True, hunk is not None
            old, new = (int(hunk[1]), int(hunk[2])) if hunk else (0, 0)
            found.append(([Cell(" " * GUTTER), Cell(_shown(line), "accent")], None))
        elif not body:
            found += [([Cell(" " * GUTTER), Cell(_shown(line), "quiet")], None)] if line.startswith(_SAID) else []
        elif line and line[0] in "+- ":
            number = old if line[0] == "-" else new
            old, new = old + (line[0] != "+"), new + (line[0] != "-")
            found.append(_line(line, Spot(name, number, line) if numbered else None))
        elif line:
            found.append(_line(line, None))
    return found[:most]


def _line(line: str, spot: Spot | None) -> Drawn:
    number = f"{spot.number:>{GUTTER - 1}} " if spot else " " * GUTTER
    return [Cell(number, "faint"), Cell(_shown(line), _TONES.get(line[:1], ""))], spot


def _shown(line: str) -> str:
    sign = line[:1] if line[:1] in "+- " else ""
    return sign + safe(line[len(sign) :].rstrip("\r").expandtabs(4))
