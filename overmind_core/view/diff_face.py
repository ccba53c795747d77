"""The changes of a mission as a face of the panel: files with their numbers, below each its diff. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from overmind_core.view import diff
from overmind_core.view.cells import Cell, clipped_line, safe
from overmind_core.view.diff import DiffFiles, Drawn, File
from overmind_core.view.numbers import counted, lines_changed

Lines = list[list[Cell]]
NOTHING = "no changes"
NOT_COMMITTED = "no uncommitted changes"
IN_FOLDER = " in the folder"
"""Behind changes of which nobody knows by whom they are: the mission has no worktree of its own."""
TAKES_LONG = "the diff takes long: v opens it"
_HUNK = re.compile(r"@@+ [^@]* @@+ ?(.*)")
_WORDS = {"A": "new", "?": "new", "D": "deleted", "R": "renamed", "C": "copied", "U": "conflict", "T": "type changed"}
_MOST_HEADING = 12
"""Lines above the first change of a file, which are read and not shown."""
_SIGNS = {"+": "add", "-": "cut"}


def total(found: DiffFiles) -> str:
    """The files and lines that are different: `3 files +46`, `3 files +46 in the folder`; "" for none."""
    if not found.files:
        return ""
    parts = (counted(len(found.files), "file"), lines_changed(*sums(found)))
    return " ".join(filter(None, parts)) + IN_FOLDER * found.in_folder


def nothing(found: DiffFiles) -> str:
    """The words where nothing is different."""
    return NOTHING if found.base else NOT_COMMITTED


def sums(found: DiffFiles) -> tuple[int, int]:
    """Lines that came and went in all files."""
    return sum(file.added or 0 for file in found.files), sum(file.removed or 0 for file in found.files)


def lines(found: DiffFiles, cells: int, height: int, *, top: int = 0) -> Lines:
    """The rows in sight; `top`: so many are scrolled off above them."""
    most = top + height
    shown: Lines = []
    drawn = set()
    known: Mapping[str, File] = {file.path: file for file in found.files}
    for part in diff.parts(found.diff):
        if len(shown) >= most:
            break
        path = diff.path_text(part)
        drawn.add(path)
        shown.append(_heading(known.get(path) or File("M", path, *diff.counted(part))))
        shown += _lines(diff.drawn(part, most - len(shown) + _MOST_HEADING))
    if len(shown) < most:
        shown += [_heading(file) for file in found.files if file.path not in drawn]
    if found.cut and len(shown) < most:
        shown.append([Cell(f" cut off: {safe(found.cut)}", "quiet")])
    if not shown:
        shown.append([Cell(f" {nothing(found)}", "quiet")])
    return [clipped_line(line, cells) for line in shown[top:most]]


def _heading(file: File) -> list[Cell]:
    was = f"{safe(file.old_path)} → " if file.old_path else ""
    said = ", ".join(filter(None, (lines_changed(file.added, file.removed), _WORDS.get(file.letter, ""))))
    return [Cell(f" {was}", "quiet"), Cell(safe(file.path), "title"), Cell(f"  {said}" if said else "", "quiet")]


def _lines(drawn: Iterable[Drawn]) -> Lines:
    """The lines of one file; the places at which it changes are told apart by a line before each that has a name."""
    found: Lines = []
    for (number, text), spot in drawn:
        if spot is not None:
            found.append(_line(number, text))
        elif (hunk := _HUNK.fullmatch(text.text)) is None:
            found.append([Cell(f"{number.text}{text.text}", "faint")])
        elif hunk[1] or found:
            found.append([Cell(f" @@ {hunk[1]}".rstrip(), "faint")])
    return found


def _line(number: Cell, text: Cell) -> list[Cell]:
    sign = text.text[:1]
    tone = _SIGNS.get(sign, "quiet")
    return [number, Cell(f"{sign} ", tone), Cell(text.text[1:], tone)]
