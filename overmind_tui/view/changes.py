"""What changed, by the supervisor's answer or by git's own words: the files, and the diff of each as a text. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from overmind_core.domain.cells import pad, width
from overmind_tui.view import difftext
from overmind_tui.view.cells import Cell, clipped, safe
from overmind_tui.view.difftext import Spot

Lines = list[list[Cell]]
MOST_LINES = 20_000
"""Lines of a diff that are shown."""
MOST_COMMITS = 20
HEAD = "HEAD"
"""The base of what has none: the last commit."""
_WORDS = {"M": "changed", "A": "added", "D": "deleted", "R": "renamed", "C": "copied", "U": "conflict", "?": "new",
          "T": "type"}  # fmt: skip
_TONES = {"A": "good", "?": "good", "D": "bad", "U": "bad"}


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
        return _WORDS.get(self.letter, self.letter)

    @property
    def tone(self) -> str:
        """How that is shown."""
        return _TONES.get(self.letter, "slow")


class Found(NamedTuple):
    """What changed.

    Attributes:
        branch: What is checked out; "" when it has no name.
        commits: Hash and subject, the newest first.
        files: All that is different.
        diff: Of them.
        cut: Why the diff is not whole; "" when it is.
        base: The branch that it is compared with; "": with the last commit.
        since: From when on commits are listed, for people; "": those that the base has not.
    """

    branch: str
    commits: tuple[tuple[str, str], ...]
    files: tuple[File, ...]
    diff: str
    cut: str = ""
    base: str = ""
    since: str = ""


class Text(NamedTuple):
    """Lines to show.

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


def of_api(answer: Mapping[str, Any]) -> Found:
    """The answer of `changes`."""
    files = (
        File(one["status"][:1], one["path"], one.get("added"), one.get("removed"), one.get("old_path") or "")
        for one in answer["files"]
    )
    commits = ((one["hash"][:9], one["subject"]) for one in answer.get("commits") or ())
    return Found(
        answer.get("branch") or "", tuple(commits), tuple(files), answer["diff"], answer.get("cut") or "",
        "" if answer.get("base") in {None, HEAD} else answer["base"],
    )  # fmt: skip


def of_git(  # noqa: PLR0917 - what git says, in its order
    branch: str, commits: Sequence[str], status: str, diff: str, cut: str, since: str
) -> Found:
    """What git itself says.

    Args:
        branch: What is checked out; "" when it has no name.
        commits: Hash and subject, the newest first.
        status: `git status --porcelain=v1 -z`.
        diff: `git diff`.
        cut: Why the diff is not whole; "" when it is.
        since: From when on commits are listed, for people.
    """
    files = _counted(_files(status), difftext.parts(diff))
    pairs = (line.partition(" ")[::2] for line in commits)
    return Found(branch, tuple(pairs), tuple(files), diff, cut, "", since)


def text(found: Found) -> Text:
    """All of it as a text."""
    lines = _head(found) + _commits(found)
    if not found.files:
        against = f"beside {safe(found.base)}" if found.base else "here that is not committed"
        lines += [[], [Cell(f"  nothing is changed {against}", "quiet")]]
    begins: list[int] = []
    paths: list[str] = []
    spots: dict[int, Spot] = {}
    room = MOST_LINES
    known = {file.path: file for file in found.files}
    for part in difftext.parts(found.diff):
        if room <= 0:
            break
        path = difftext.path(part)
        lines.append([])
        begins.append(len(lines))
        paths.append(path)
        lines.append(heading(known.get(path) or File("M", path, *difftext.counted(part))))
        for cells, spot in difftext.drawn(part, room):
            if spot is not None:
                spots[len(lines)] = spot
            lines.append([Cell(" "), *cells])
        room -= len(part)
    lines += _without_diff(found.files, paths)
    if found.cut or room < 0:
        why = found.cut or f"more than {MOST_LINES:,} lines"
        lines += [[], [Cell(f" cut here: {safe(why)} · git diff in its folder shows the rest", "slow")]]
    return Text(lines, tuple(begins), tuple(paths), spots)


def marked(text: Text, commented: Collection[str]) -> Lines:
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
        Cell(f"{'' if file.added else ' '} -{file.removed}" if file.removed else "", "bad"),
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
        Cell("▸" if chosen else " ", "accent"), Cell(f"{file.letter} ", file.tone),
        Cell(pad(clipped(shown, room), room), tone), Cell(" "), added,
        Cell(" " if added.text and removed.text else ""), removed,
    ]  # fmt: skip


def _without_diff(files: Sequence[File], paths: Collection[str]) -> Lines:
    """Files of which nothing can be shown: new ones that git does not know."""
    rest = [file for file in files if file.path not in paths]
    lines: Lines = [[], *(heading(file) for file in rest)] if rest else []
    return lines


def _head(found: Found) -> Lines:
    new = sum(file.letter in "?A" for file in found.files)
    added = sum(file.added or 0 for file in found.files)
    removed = sum(file.removed or 0 for file in found.files)
    words = [f"{len(found.files) - new} changed" if found.files else "clean", f"{new} new" if new else ""]
    sums = [Cell(f"  +{added}", "good"), Cell(f" -{removed}", "bad")] if added or removed else []
    base = [Cell(f" beside {safe(found.base)}", "quiet")] if found.base else []
    said = Cell("  " + ", ".join(filter(None, words)))
    return [[Cell(f" {safe(found.branch) or 'no branch'}", "title"), *base, said, *sums]]


def _commits(found: Found) -> Lines:
    if not found.commits:
        return []
    count = len(found.commits)
    said = f" commits since {found.since}" if found.since else f" {count} commit{'s' * (count != 1)}"
    shown = [
        [Cell(f"  {safe(number)} ", "accent"), Cell(safe(subject))] for number, subject in found.commits[:MOST_COMMITS]
    ]
    more = [[Cell(f"  … and {count - MOST_COMMITS} before", "quiet")]] if count > MOST_COMMITS else []
    return [[], [Cell(said, "title")], *shown, *more]


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
    counts = {difftext.path(part): difftext.counted(part) for part in parts}
    return [file._replace(added=counts[file.path][0], removed=counts[file.path][1]) if file.path in counts else file
            for file in files]  # fmt: skip
