"""What changed in a folder: the files first, then the diff of each. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from overmind_core.domain.cells import width
from overmind_tui.view.cells import Cell, fitted, safe

Lines = list[list[Cell]]
MOST_LINES = 20_000
"""Lines of a diff that are shown."""
MOST_FILES = 500
_PATH = 60
"""Cells of a path in the list, at most."""
_WORDS = {"M": "changed", "A": "added", "D": "deleted", "R": "renamed", "C": "copied", "U": "conflict", "?": "new",
          "T": "type"}  # fmt: skip
_TONES = {"A": "good", "?": "good", "D": "bad", "U": "bad"}
_LINE_TONES = {"+": "good", "-": "bad", "@": "accent", "\\": "faint"}


class File(NamedTuple):
    """One file: the letter of what happened to it, its path, and lines that came and went (None: nobody counted)."""

    letter: str
    path: str
    added: int | None = None
    removed: int | None = None


class Text(NamedTuple):
    """Lines to show, and in which of them the diff of each file begins."""

    lines: Lines
    begins: tuple[int, ...]


def text(  # noqa: PLR0917 - what git says, in its order
    branch: str, commits: Sequence[str], status: str, diff: str, cut: str, since: str
) -> Text:
    """All of it as a text.

    Args:
        branch: What is checked out; "" when it has no name.
        commits: Hash and subject, the newest first.
        status: `git status --porcelain=v1 -z`.
        diff: `git diff`.
        cut: Why the diff is not whole; "" when it is.
        since: From when on commits are listed, for people.
    """
    parts = _parts(diff)
    files = _counted(_files(status), parts)
    lines = _head(branch, files)
    if commits:
        lines += [[], [Cell(f" commits since {since}", "title")], *(_commit(one) for one in commits)]
    lines += [[], *_list(files)] if files else [[], [Cell("  nothing is changed here that is not committed", "quiet")]]
    begins: list[int] = []
    room = MOST_LINES
    for part in parts:
        if room <= 0:
            break
        begins.append(len(lines) + 1)
        lines += [[], *(_diff_line(line) for line in part[:room])]
        room -= len(part)
    if cut or room < 0:
        why = cut or f"more than {MOST_LINES:,} lines"
        lines += [[], [Cell(f" cut here: {why} · git diff in its folder shows the rest", "slow")]]
    return Text(lines, tuple(begins))


def _head(branch: str, files: Sequence[File]) -> Lines:
    untracked = sum(file.letter == "?" for file in files)
    added, removed = sum(file.added or 0 for file in files), sum(file.removed or 0 for file in files)
    words = [f"{len(files) - untracked} changed" if files else "clean", f"{untracked} new" if untracked else ""]
    counts = [Cell(f"  +{added}", "good"), Cell(f" -{removed}", "bad")] if added or removed else []
    return [[Cell(f" {safe(branch) or 'no branch'}", "title"), Cell("  " + ", ".join(filter(None, words))), *counts]]


def _commit(line: str) -> list[Cell]:
    number, _, subject = line.partition(" ")
    return [Cell(f"  {safe(number)} ", "accent"), Cell(safe(subject))]


def _list(files: Sequence[File]) -> Lines:
    widest = min(max(width(safe(file.path)) for file in files), _PATH)
    lines = [
        [
            Cell(f"  {_WORDS.get(file.letter, file.letter):<8} ", _TONES.get(file.letter, "slow")),
            Cell(fitted(safe(file.path), widest)),
            Cell("" if file.added is None else f"  +{file.added}", "good"),
            Cell("" if file.removed is None else f" -{file.removed}", "bad"),
        ]
        for file in files[:MOST_FILES]
    ]
    more = len(files) - MOST_FILES
    return [*lines, [Cell(f"  … and {more:,} more", "quiet")]] if more > 0 else lines


def _files(status: str) -> list[File]:
    """From `status -z`: `XY path`, and behind a renamed one where it was."""
    found = []
    entries = iter(status.split("\0"))
    for entry in entries:
        if len(entry) < 4:  # noqa: PLR2004 - two letters, a blank, a path
            continue
        letters, path = entry[:2], entry[3:]
        if letters[0] in "RC":
            next(entries, None)
        letter = "U" if "U" in letters or letters in {"AA", "DD"} else letters.strip()[:1]
        found.append(File(letter, path))
    return found


def _parts(diff: str) -> list[list[str]]:
    """The diff of each file."""
    found: list[list[str]] = []
    for line in diff.split("\n"):
        if line.startswith(("diff --git ", "diff --cc ", "diff --combined ")) or not found:
            found.append([])
        found[-1].append(line)
    return [part for part in found if any(part)]


def _counted(files: Sequence[File], parts: Sequence[Sequence[str]]) -> list[File]:
    counts = {_path(part): _count(part) for part in parts}
    return [file._replace(added=counts[file.path][0], removed=counts[file.path][1]) if file.path in counts else file
            for file in files]  # fmt: skip


def _path(part: Sequence[str]) -> str:
    """The path of a file's diff; that of the file that is gone where there is no new one."""
    for sign in ("+++ b/", "--- a/", "rename to "):
        named = next((line for line in part if line.startswith(sign)), None)
        if named is not None:
            return named.removeprefix(sign).rstrip("\t")
    both = re.match(r"diff --git a/(.*) b/\1$", part[0])
    return both[1] if both else ""


def _count(part: Sequence[str]) -> tuple[int | None, int | None]:
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


def _diff_line(line: str) -> list[Cell]:
    shown = safe(line.rstrip("\r").expandtabs())
    if line.startswith("diff "):
        return [Cell(f" {shown}", "title")]
    if line.startswith(("+++ ", "--- ", "index ", "new file", "deleted file", "similarity", "rename ", "old mode",
                        "new mode", "Binary files")):  # fmt: skip
        return [Cell(f" {shown}", "quiet")]
    return [Cell(f" {shown}", _LINE_TONES.get(line[:1], ""))]
