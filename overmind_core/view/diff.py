"""Changes in a folder as lines: the files, the diff of each with its line numbers, comments on its lines. Pure.

The supervisor's answer and git's own output are read alike. Comments are gathered in one message that is not sent yet:
its text is all there is of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from overmind_core.domain.quests.shared_folder import Basis, sentence
from overmind_core.domain.text.cells import pad, width
from overmind_core.view.cells import Cell, clipped, safe
from overmind_core.view.numbers import MINUS

GUTTER = 6
"""Cells of a line's number, and the blank behind it."""
_LINE_TONES = {"+": "good", "-": "bad", "\\": "faint"}
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


def path_text(part: Sequence[str]) -> str:
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
    name = path_text(part)
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
    return [Cell(number, "faint"), Cell(_shown(line), _LINE_TONES.get(line[:1], ""))], spot


def _shown(line: str) -> str:
    sign = line[:1] if line[:1] in "+- " else ""
    return sign + safe(line[len(sign) :].rstrip("\r").expandtabs(4))


Lines = list[list[Cell]]
MOST_LINES = 20_000
"""Lines of a diff that are shown."""
MOST_COMMITS = 20
HEAD = "HEAD"
"""The base of what has none: the last commit."""
WORDS = {"M": "changed", "A": "added", "D": "deleted", "R": "renamed", "C": "copied", "U": "conflict", "?": "new",
          "T": "type"}  # fmt: skip
_FILE_TONES = {"A": "good", "?": "good", "D": "bad", "U": "bad"}


def file_tone(letter: str) -> str:
    """How the letter of what happened to a file is shown: what is added green, what goes red, all else quiet."""
    return _FILE_TONES.get(letter, "quiet")


class File(NamedTuple):
    """One file: the letter of what happened to it, its path, and lines that came and went (None: nobody counted)."""

    letter: str
    path: str
    added: int | None = None
    removed: int | None = None
    old_path: str = ""

    @property
    def word(self) -> str:
        """What happened to it."""
        return WORDS.get(self.letter, self.letter)

    @property
    def tone(self) -> str:
        """How that is shown."""
        return file_tone(self.letter)


class DiffFiles(NamedTuple):
    """The changes of a folder.

    Attributes:
        branch: What is checked out; "" when it has no name.
        commits: Hash and subject, the newest first.
        files: All that is different.
        diff: Of them.
        cut: Why the diff is not whole; "" when it is.
        base: The branch that it is compared with; "": with the last commit.
        since: From when on commits are listed, for people; "": those that the base has not.
        note: A sentence about a folder that is shared, whose changes anybody may have made; "": they are the mission's.
    """

    branch: str
    commits: tuple[tuple[str, str], ...]
    files: tuple[File, ...]
    diff: str
    cut: str = ""
    base: str = ""
    since: str = ""
    note: str = ""

    @property
    def in_folder(self) -> bool:
        """True where they may be anybody's: the mission has no worktree of its own."""
        return bool(self.note)


class DiffText(NamedTuple):
    """A diff as lines to show.

    Attributes:
        lines: All of them.
        begins: In which line the diff of each file begins.
        paths: The file of each.
        spots: Line → the place in a file that it shows.
    """

    lines: Lines
    begins: tuple[int, ...] = ()
    paths: tuple[str, ...] = ()
    spots: Mapping[int, Spot] = {}


def of_api(answer: Mapping[str, Any]) -> DiffFiles:
    """The answer of `changes`."""
    files = (
        File(one["status"][:1], one["path"], one.get("added"), one.get("removed"), one.get("old_path") or "")
        for one in answer["files"]
    )
    commits = ((one["hash"][:9], one["subject"]) for one in answer.get("commits") or ())
    return DiffFiles(
        answer.get("branch") or "", tuple(commits), tuple(files), answer["diff"], answer.get("cut") or "",
        "" if answer.get("base") in {None, HEAD} else answer["base"], note=answer.get("note") or "",
    )  # fmt: skip


def of_git(  # noqa: PLR0917 - what git says, in its order
    branch: str, commits: Sequence[str], status: str, diff: str, cut: str, since: str
) -> DiffFiles:
    """The files and the diff of a folder, as git itself says them.

    Args:
        branch: What is checked out; "" when it has no name.
        commits: Hash and subject, the newest first.
        status: `git status --porcelain=v1 -z`.
        diff: `git diff`.
        cut: Why the diff is not whole; "" when it is.
        since: From when on commits are listed, for people.
    """
    files = _counted(_files(status), parts(diff))
    pairs = (line.partition(" ")[::2] for line in commits)
    note = sentence(Basis.COMMIT, 1, is_empty=False) if files else ""
    return DiffFiles(branch, tuple(pairs), tuple(files), diff, cut, "", since, note)


def text(found: DiffFiles) -> DiffText:
    """All of it as a text."""
    lines = _head(found) + _commits(found)
    if not found.files:
        message = f"no changes compared with {safe(found.base)}" if found.base else "no uncommitted changes"
        lines += [[], [Cell(f"  {message}", "quiet")]]
    begins: list[int] = []
    paths: list[str] = []
    spots: dict[int, Spot] = {}
    room = MOST_LINES
    known = {file.path: file for file in found.files}
    for part in parts(found.diff):
        if room <= 0:
            break
        path = path_text(part)
        lines.append([])
        begins.append(len(lines))
        paths.append(path)
        lines.append(heading(known.get(path) or File("M", path, *counted(part))))
        for cells, spot in drawn(part, room):
            if spot is not None:
                spots[len(lines)] = spot
            lines.append([Cell(" "), *cells])
        room -= len(part)
    lines += _without_diff(found.files, paths)
    if found.cut or room < 0:
        why = found.cut or f"more than {MOST_LINES:,} lines"
        lines += [[], [Cell(f" cut off: {safe(why)} · run git diff in its folder to see the rest", "slow")]]
    return DiffText(lines, tuple(begins), tuple(paths), spots)


def marked(text: DiffText, commented: Collection[str]) -> Lines:
    """The lines, with a mark before those of which a message speaks that is not sent."""
    if not commented:
        return text.lines
    lines = list(text.lines)
    for at, spot in text.spots.items():
        if spot.place in commented:
            lines[at] = [Cell("●", "mark"), *lines[at][1:]]
    return lines


def heading(file: File) -> list[Cell]:
    """What happened to a file."""
    was = f"{safe(file.old_path)} → " if file.old_path else ""
    return [Cell(f" {file.word} ", file.tone), Cell(was, "quiet"), Cell(safe(file.path), "title"), *counts(file)]


def counts(file: File) -> list[Cell]:
    """Lines that came and went; nothing where nobody counted."""
    return [
        Cell(f"  +{file.added}" if file.added else "", "good"),
        Cell(f"{'' if file.added else ' '} {MINUS}{file.removed}" if file.removed else "", "bad"),
    ]


def listed(file: File, cells: int, *, chosen: bool) -> list[Cell]:
    """A file in a list that is so many cells wide: the end of its path is what tells files apart."""
    tail = "".join(cell.text for cell in counts(file)).strip()
    room = max(cells - 4 - len(tail), 4)
    path = safe(file.path)
    shown = path if width(path) <= room else "…" + path[len(path) - room + 1 :]
    tone = "accent" if chosen else ""
    added, removed = (cell._replace(text=cell.text.strip()) for cell in counts(file))
    return [
        Cell("▌" if chosen else " ", "accent"), Cell(f"{file.letter} ", file.tone),
        Cell(pad(clipped(shown, room), room), tone), Cell(" "), added,
        Cell(" " if added.text and removed.text else ""), removed,
    ]  # fmt: skip


def _without_diff(files: Sequence[File], paths: Collection[str]) -> Lines:
    """Files of which nothing can be shown: new ones that git does not know."""
    rest = [file for file in files if file.path not in paths]
    lines: Lines = [[], *(heading(file) for file in rest)] if rest else []
    return lines


def _head(found: DiffFiles) -> Lines:
    new = sum(file.letter in "?A" for file in found.files)
    added = sum(file.added or 0 for file in found.files)
    removed = sum(file.removed or 0 for file in found.files)
    words = [f"{len(found.files) - new} changed" if found.files else "clean", f"{new} new" if new else ""]
    sums = [Cell(f"  +{added}", "good"), Cell(f" {MINUS}{removed}", "bad")] if added or removed else []
    base = [Cell(f" compared with {safe(found.base)}", "quiet")] if found.base else []
    text = Cell("  " + ", ".join(filter(None, words)))
    note = [[Cell(f" {safe(found.note)}", "quiet")]] if found.note else []
    return [[Cell(f" {safe(found.branch) or 'no branch'}", "title"), *base, text, *sums], *note]


def _commits(found: DiffFiles) -> Lines:
    if not found.commits:
        return []
    count = len(found.commits)
    text = f" commits since {found.since}" if found.since else f" {count} commit{'s' * (count != 1)}"
    shown = [
        [Cell(f"  {safe(number)} ", "accent"), Cell(safe(subject))] for number, subject in found.commits[:MOST_COMMITS]
    ]
    more = [[Cell(f"  … and {count - MOST_COMMITS} earlier", "quiet")]] if count > MOST_COMMITS else []
    return [[], [Cell(text, "title")], *shown, *more]


def _files(status: str) -> list[File]:
    """From `status -z`: `XY path`, and behind a renamed one where it was."""
    found = []
    entries = iter(status.split("\0"))
    for entry in entries:
        if len(entry) < 4:  # noqa: PLR2004 - two letters, a blank, a path
            continue
        letters, path = entry[:2], entry[3:]
        was = next(entries, "") if letters[0] in "RC" else ""
        letter = "U" if "U" in letters or letters in {"AA", "DD"} else letters.strip()[:1]
        found.append(File(letter, path, old_path=was))
    return found


def _counted(files: Sequence[File], parts: Sequence[Sequence[str]]) -> list[File]:
    counts = {path_text(part): counted(part) for part in parts}
    return [file._replace(added=counts[file.path][0], removed=counts[file.path][1]) if file.path in counts else file
            for file in files]  # fmt: skip


_PLACE = re.compile(r"^(?P<place>\S.*:\d+)\n> .*$", re.MULTILINE)
"""`path:line`, and below it the line, quoted."""


def places(draft: str) -> list[str]:
    """Of which places a message speaks."""
    return [found["place"] for found in _PLACE.finditer(draft)]


def with_place(draft: str, spot: Spot) -> str:
    """The message with another place at its end, behind which the comment is written."""
    begun = pruned(draft)
    return f"{begun}\n\n{quoted(spot)}\n" if begun else f"{quoted(spot)}\n"


def quoted(spot: Spot) -> str:
    """A place and its line."""
    gone = spot.text.startswith("-")
    line = spot.text if gone or spot.text.startswith("+") else spot.text[1:]
    return f"{spot.place}\n> {line}"


def pruned(draft: str) -> str:
    """The message without places at its end of which it says nothing."""
    text = draft.rstrip()
    while True:
        found = list(_PLACE.finditer(text))
        if not found or found[-1].end() != len(text):
            return text
        text = text[: found[-1].start()].rstrip()
